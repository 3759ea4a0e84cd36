/* Samples summed up over buckets: see rollup.h. */
#include "model/rollup.h"

#include "base/check.h"
#include "base/mem.h"

#include <math.h>

void sn_rollups_init(struct sn_rollups *rollups) {
    *rollups = (struct sn_rollups){0};
}

void sn_rollups_release(struct sn_rollups *rollups) {
    sn_free(rollups->items);
    *rollups = (struct sn_rollups){0};
}

void sn_rollups_reset(struct sn_rollups *rollups) {
    rollups->count = 0;
}

sn_status sn_rollups_reserve(struct sn_rollups *rollups, size_t more) {
    if (rollups->capacity - rollups->count >= more)
        return SN_OK;
    size_t capacity = rollups->capacity * 2 > 32 ? rollups->capacity * 2 : 32;
    if (capacity < rollups->count + more)
        capacity = rollups->count + more;
    struct sn_rollup *items = sn_realloc_array(rollups->items, capacity, sizeof *items);
    if (!items)
        return SN_ERR_NO_MEMORY;
    rollups->items = items;
    rollups->capacity = capacity;
    return SN_OK;
}

int64_t sn_rollup_end_ms(int64_t time_ms, int64_t width_ms) {
    assert(width_ms > 0);
    int64_t rest = time_ms % width_ms;
    if (rest == 0)
        return time_ms;
    return time_ms - rest + (rest > 0 ? width_ms : 0);
}

/* Neumaier's sum, as sum_over_time has it. */
static void add_to_sum(struct sn_rollups *rollups, double value) {
    double total = rollups->sum + value;
    if (isinf(total))
        rollups->compensation = 0;
    else if (fabs(rollups->sum) >= fabs(value))
        rollups->compensation += (rollups->sum - total) + value;
    else
        rollups->compensation += (value - total) + rollups->sum;
    rollups->sum = total;
}

static void begin_item(struct sn_rollups *rollups, int64_t end_ms, int64_t time_ms, double value) {
    rollups->sum = value;
    rollups->compensation = 0;
    rollups->items[rollups->count++] = (struct sn_rollup){.end_ms = end_ms,
                                                          .first_ms = time_ms,
                                                          .last_ms = time_ms,
                                                          .count = 1,
                                                          .first = value,
                                                          .last = value,
                                                          .min = value,
                                                          .max = value,
                                                          .sum = value};
}

static void grow_item(struct sn_rollups *rollups, int64_t time_ms, double value) {
    struct sn_rollup *item = &rollups->items[rollups->count - 1];
    add_to_sum(rollups, value);
    item->sum = isinf(rollups->sum) ? rollups->sum : rollups->sum + rollups->compensation;
    item->count++;
    item->last_ms = time_ms;
    item->falls += value < item->last ? item->last : 0;
    item->last = value;
    item->min = value < item->min || isnan(item->min) ? value : item->min;
    item->max = value > item->max || isnan(item->max) ? value : item->max;
    item->is_stale = false;
}

static void add_sample(struct sn_rollups *rollups, const struct sn_samples *samples, size_t i,
                       int64_t width_ms) {
    int64_t time_ms = samples->time_ms[i];
    double value = samples->value[i];
    struct sn_rollup *last = rollups->count > 0 ? &rollups->items[rollups->count - 1] : NULL;
    bool is_inside = last && time_ms <= last->end_ms;
    if (sn_is_stale(value)) {
        if (is_inside)
            last->is_stale = true;
        return;
    }
    if (is_inside)
        grow_item(rollups, time_ms, value);
    else
        begin_item(rollups, sn_rollup_end_ms(time_ms, width_ms), time_ms, value);
    if (samples->has_start && samples->start_ms[i] != 0)
        rollups->items[rollups->count - 1].has_start = true;
}

sn_status sn_rollups_add(struct sn_rollups *rollups, const struct sn_samples *samples, size_t first,
                         int64_t width_ms) {
    if (first >= samples->count)
        return SN_OK;
    int64_t span_ms = samples->time_ms[samples->count - 1] - samples->time_ms[first];
    uint64_t most = (uint64_t)(span_ms / width_ms) + 2;
    if (most > samples->count - first)
        most = samples->count - first;
    SN_TRY(sn_rollups_reserve(rollups, most));
    for (size_t i = first; i < samples->count; i++)
        add_sample(rollups, samples, i, width_ms);
    return SN_OK;
}

void sn_rollup_join(struct sn_rollup *into, const struct sn_rollup *later) {
    into->falls += later->falls + (later->first < into->last ? into->last : 0);
    into->min = later->min < into->min || isnan(into->min) ? later->min : into->min;
    into->max = later->max > into->max || isnan(into->max) ? later->max : into->max;
    into->sum += later->sum;
    into->count += later->count;
    into->last = later->last;
    into->last_ms = later->last_ms;
    into->end_ms = later->end_ms;
    into->is_stale = later->is_stale;
    into->has_start |= later->has_start;
}

size_t sn_rollups_find_after(const struct sn_rollup *items, size_t count, int64_t limit_ms) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].end_ms <= limit_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
