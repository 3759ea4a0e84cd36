/* New series per hour: see churn.h. */
#include "store/churn.h"

static int64_t hour_of(int64_t time_ms) {
    return time_ms > 0 ? time_ms / SN_CHURN_HOUR_MS : 0;
}

/* The place of an hour, taken over from an older one; NULL: a newer hour has it. */
static struct sn_churn_hour *place_of(struct sn_churn *churn, int64_t time_ms) {
    int64_t start_ms = hour_of(time_ms) * SN_CHURN_HOUR_MS;
    struct sn_churn_hour *hour = &churn->hours[hour_of(time_ms) % SN_CHURN_HOURS];
    if (hour->created_count > 0 && hour->time_ms > start_ms)
        return NULL;
    if (hour->time_ms != start_ms)
        *hour = (struct sn_churn_hour){.time_ms = start_ms};
    return hour;
}

void sn_churn_add(struct sn_churn *churn, int64_t time_ms, uint64_t count) {
    struct sn_churn_hour *hour = count > 0 ? place_of(churn, time_ms) : NULL;
    if (!hour)
        return;
    hour->created_count += count;
    hour->is_stored = false;
}

void sn_churn_load(struct sn_churn *churn, int64_t time_ms, uint64_t count) {
    struct sn_churn_hour *hour = count > 0 ? place_of(churn, time_ms) : NULL;
    if (!hour)
        return;
    hour->created_count = count;
    hour->is_stored = true;
}

void sn_churn_mark_stored(struct sn_churn *churn, int64_t now_ms) {
    for (size_t i = 0; i < SN_CHURN_HOURS; i++) {
        if (churn->hours[i].time_ms < hour_of(now_ms) * SN_CHURN_HOUR_MS)
            churn->hours[i].is_stored = true;
    }
}

size_t sn_churn_list(const struct sn_churn *churn, int64_t now_ms,
                     struct sn_churn_hour ret_hours[SN_CHURN_HOURS]) {
    size_t count = 0;
    int64_t newest = hour_of(now_ms);
    for (int64_t at = newest - SN_CHURN_HOURS + 1; at <= newest; at++) {
        const struct sn_churn_hour *hour = &churn->hours[at >= 0 ? at % SN_CHURN_HOURS : 0];
        if (at >= 0 && hour->created_count > 0 && hour->time_ms == at * SN_CHURN_HOUR_MS)
            ret_hours[count++] = *hour;
    }
    return count;
}
