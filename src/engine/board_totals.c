/*
 * A day of all services together. See board.h.
 *
 *   | stored half hours of the day before | stored half hours of the day | samples since then |
 */
#include "engine/board_priv.h"

#include <math.h>

#define DAY_S 86400
#define SLOT_S (SN_BOARD_SLOT_MS / 1000)

/* Counts by outcome. */
struct counts {
    double ok, errors;
    bool is_known;
};

static void take(struct counts *counts, const struct sn_query_result *result) {
    for (size_t i = 0; i < result->series_count; i++) {
        struct sn_str outcome = sn_labels_get(result->series[i].labels, SN_STR("outcome"));
        double value = sn_ask_value(result, i);
        if (sn_str_equal(outcome, SN_STR("ok")))
            counts->ok += value;
        else if (sn_str_equal(outcome, SN_STR("error")))
            counts->errors += value;
        else
            continue;
        counts->is_known = true;
    }
}

/* A day of half hours that ends `offset_s` ago. */
static sn_status read_stored(struct sn_board_round *round, int64_t offset_s,
                             struct counts *counts) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, round->state->now_ms - offset_s * 1000, &result,
                     "%lld * sum by (outcome) (sum_over_time("
                     "sonde_service_operations_per_second{window=\"30m\"}[%ds]))",
                     (long long)SLOT_S, DAY_S));
    take(counts, &result);
    return SN_OK;
}

/* What came after the newest half hour that is settled; an hour at most. */
static sn_status read_since(struct sn_board_round *round, struct counts *counts) {
    const struct sn_board_state *state = round->state;
    struct sn_query_result result;
    int ago = (state->done_slots >> 1 & 1) != 0 ? 0 : 1;
    int64_t since_ms = state->now_ms - (state->slot - ago) * SN_BOARD_SLOT_MS;
    if (since_ms < 1000)
        return SN_OK;
    SN_TRY(sn_ask_at(&round->ask, state->now_ms, &result,
                     "sum by (outcome) (increase(sonde_operations_total[%lldms]))",
                     (long long)since_ms));
    take(counts, &result);
    return SN_OK;
}

static sn_status read_depth(struct sn_board_round *round, int64_t offset_s, double *ret_depth) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&round->ask, round->state->now_ms - offset_s * 1000, &result,
                     "sum(last_over_time("
                     "{__name__=~\".+_depth\",metric_type=\"queue_metrics\"}[1h]))"));
    *ret_depth = result.series_count > 0 ? sn_ask_value(&result, 0) : (double)NAN;
    return SN_OK;
}

sn_status sn_board_read_totals(struct sn_board_round *round) {
    struct sn_board_totals totals = {.ok = (double)NAN};
    struct counts today = {.ok = 0}, before = {.ok = 0};
    SN_TRY(read_stored(round, 0, &today));
    SN_TRY(read_since(round, &today));
    SN_TRY(read_stored(round, DAY_S, &before));
    SN_TRY(read_depth(round, 0, &totals.queue_depth));
    SN_TRY(read_depth(round, DAY_S, &totals.queue_depth_before));
    totals.ok = today.is_known ? today.ok : (double)NAN;
    totals.errors = today.is_known ? today.errors : (double)NAN;
    totals.ok_before = before.is_known ? before.ok : (double)NAN;
    totals.errors_before = before.is_known ? before.errors : (double)NAN;
    round->state->totals = totals;
    return SN_OK;
}
