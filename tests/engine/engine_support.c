/* The reader over arrays; see engine_support.h. One thread. */
#include "engine_support.h"

static sn_status select_series(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct memory_reader *memory = ctx;
    memory->select = *select;
    if (memory->select_status != SN_OK)
        return sn_err_set(err, memory->select_status, "select said no");
    struct sn_series_list list = {
        .items = sn_arena_alloc_zero(arena, memory->count, sizeof *list.items)};
    if (list.items == NULL)
        return sn_arena_failure(arena, memory->count * sizeof *list.items, err);
    for (size_t i = 0; i < memory->count; i++) {
        struct sn_labels labels = memory->series[i].labels;
        if (!sn_matchers_pass(select->matchers, select->matcher_count, labels))
            continue;
        if (select->series_max > 0 && list.count == select->series_max)
            return sn_err_set(err, SN_ERR_LIMIT, "more than %zu series", select->series_max);
        list.items[list.count++] = (struct sn_read_series){.id = i, .labels = labels};
    }
    *ret_series = list;
    return SN_OK;
}

static sn_status read_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    struct memory_reader *memory = ctx;
    const struct memory_series *series = &memory->series[series_id];
    memory->range = range;
    memory->samples_calls++;
    if (memory->samples_status != SN_OK)
        return sn_err_set(err, memory->samples_status, "samples said no");
    SN_TRY(sn_samples_reserve(samples, series->count));
    for (size_t i = 0; i < series->count; i++)
        if (sn_range_contains(range, series->samples[i].time_ms)) {
            samples->time_ms[samples->count] = series->samples[i].time_ms;
            samples->value[samples->count++] = series->samples[i].value;
        }
    return SN_OK;
}

struct sn_reader memory_reader_door(struct memory_reader *memory) {
    return (struct sn_reader){.ctx = memory, .select = select_series, .samples = read_samples};
}
