#include "promql_support.h"

#include <stdlib.h>

#include "base/check.h"

void memory_reader_init(struct memory_reader *reader) {
    *reader = (struct memory_reader){.read_status = SN_OK};
    sn_arena_init(&reader->arena, SIZE_MAX / 2);
}

void memory_reader_clear(struct memory_reader *reader) {
    for (size_t i = 0; i < reader->count; i++) {
        free(reader->series[i].time_ms);
        free(reader->series[i].value);
        free(reader->series[i].start_ms);
        free(reader->series[i].histogram);
    }
    free(reader->series);
    sn_arena_release(&reader->arena);
    memory_reader_init(reader);
}

static size_t find_place(const struct memory_reader *reader, struct sn_labels labels) {
    size_t low = 0;
    size_t high = reader->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sn_labels_compare(reader->series[middle].labels, labels) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct memory_series *memory_reader_series(struct memory_reader *reader, struct sn_labels labels) {
    size_t place = find_place(reader, labels);
    if (place < reader->count && sn_labels_equal(reader->series[place].labels, labels)) {
        return &reader->series[place];
    }
    if (reader->count == reader->capacity) {
        reader->capacity = reader->capacity * 2 + 16;
        reader->series = realloc(reader->series, reader->capacity * sizeof *reader->series);
        SN_CHECK(reader->series != NULL);
    }
    struct memory_series *series = &reader->series[place];
    memmove(series + 1, series, (reader->count - place) * sizeof *series);
    reader->count++;
    *series = (struct memory_series){.count = 0};
    SN_CHECK(sn_labels_copy(labels, &reader->arena, &series->labels) == SN_OK);
    return series;
}

static void *grow(void *items, size_t count, size_t size) {
    void *grown = realloc(items, count * size);
    SN_CHECK(grown != NULL);
    return grown;
}

static void reserve(struct memory_series *series) {
    if (series->count == series->capacity) {
        size_t capacity = series->capacity * 2 + 16;
        series->time_ms = grow(series->time_ms, capacity, sizeof *series->time_ms);
        series->value = grow(series->value, capacity, sizeof *series->value);
        series->start_ms = grow(series->start_ms, capacity, sizeof *series->start_ms);
        series->histogram = grow(series->histogram, capacity, sizeof *series->histogram);
        series->capacity = capacity;
    }
}

/* Room for a sample at `at`, behind which all others move. */
static void open_gap(struct memory_series *series, size_t at) {
    size_t count = series->count - at;
    reserve(series);
    memmove(series->time_ms + at + 1, series->time_ms + at, count * sizeof *series->time_ms);
    memmove(series->value + at + 1, series->value + at, count * sizeof *series->value);
    memmove(series->start_ms + at + 1, series->start_ms + at, count * sizeof *series->start_ms);
    memmove(series->histogram + at + 1, series->histogram + at, count * sizeof *series->histogram);
    series->count++;
}

void memory_series_put(struct memory_reader *reader, struct memory_series *series,
                       const struct memory_sample *sample) {
    size_t at = series->count;
    struct sn_histogram *copy = NULL;
    while (at > 0 && series->time_ms[at - 1] >= sample->time_ms) {
        at--;
    }
    if (at == series->count || series->time_ms[at] != sample->time_ms) {
        open_gap(series, at);
    }
    if (sample->histogram != NULL) {
        copy = sn_arena_alloc(&reader->arena, sizeof *copy);
        SN_CHECK(copy != NULL &&
                 sn_histogram_copy(sample->histogram, &reader->arena, copy) == SN_OK);
    }
    series->time_ms[at] = sample->time_ms;
    series->value[at] = sample->value;
    series->start_ms[at] = sample->start_ms;
    series->histogram[at] = copy;
}

void memory_series_add(struct memory_reader *reader, struct memory_series *series, int64_t time_ms,
                       double value) {
    struct memory_sample sample = {.time_ms = time_ms, .value = value};
    memory_series_put(reader, series, &sample);
}

/* ---- the door ---- */

static sn_status reader_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct memory_reader *reader = ctx;
    size_t bytes = reader->count * sizeof(struct sn_read_series);
    struct sn_read_series *items = sn_arena_alloc(arena, bytes);
    size_t count = 0;
    if (items == NULL) {
        return sn_arena_failure(arena, bytes, err);
    }
    for (size_t i = 0; i < reader->count; i++) {
        struct sn_labels labels = reader->series[i].labels;
        if (!sn_matchers_pass(select->matchers, select->matcher_count, labels)) {
            continue;
        }
        if (select->series_max > 0 && count == select->series_max) {
            return sn_err_set(err, SN_ERR_LIMIT, "more than %zu series", select->series_max);
        }
        items[count++] = (struct sn_read_series){.id = i, .labels = labels};
    }
    *ret_series = (struct sn_series_list){items, count};
    return SN_OK;
}

static size_t first_at(const struct memory_series *series, int64_t time_ms) {
    size_t low = 0;
    size_t high = series->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (series->time_ms[middle] < time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct found {
    const struct memory_series *series;
    size_t from;
    size_t to;
};

static sn_status find(const struct memory_reader *reader, uint64_t series_id, struct sn_range range,
                      struct found *ret_found, struct sn_err *err) {
    const struct memory_series *series = &reader->series[series_id];
    *ret_found = (struct found){.series = series};
    if (reader->read_status != SN_OK) {
        return sn_err_set(err, reader->read_status, "the test wants a failure");
    }
    if (range.end_ms >= range.start_ms) {
        ret_found->from = first_at(series, range.start_ms);
        ret_found->to = first_at(series, range.end_ms + 1);
    }
    return SN_OK;
}

static sn_status add_sample(struct sn_samples *samples, const struct memory_series *series,
                            size_t i) {
    SN_TRY(sn_samples_reserve(samples, 1));
    if (series->start_ms[i] != 0) {
        SN_TRY(sn_samples_use_start(samples));
    }
    samples->time_ms[samples->count] = series->time_ms[i];
    samples->value[samples->count] = series->value[i];
    if (samples->has_start) {
        samples->start_ms[samples->count] = series->start_ms[i];
    }
    samples->count++;
    return SN_OK;
}

static sn_status reader_samples(void *ctx, uint64_t series_id, struct sn_range range,
                                struct sn_samples *samples, struct sn_err *err) {
    struct found found;
    SN_TRY(find(ctx, series_id, range, &found, err));
    for (size_t i = found.from; i < found.to; i++) {
        if (found.series->histogram[i] == NULL && add_sample(samples, found.series, i) != SN_OK) {
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu samples",
                              found.to - found.from);
        }
    }
    return SN_OK;
}

static sn_status reader_histograms(void *ctx, uint64_t series_id, struct sn_range range,
                                   struct sn_histograms *histograms, struct sn_err *err) {
    struct found found;
    SN_TRY(find(ctx, series_id, range, &found, err));
    for (size_t i = found.from; i < found.to; i++) {
        struct sn_histogram_point point = {found.series->time_ms[i], found.series->start_ms[i],
                                           found.series->histogram[i]};
        if (point.histogram != NULL && sn_histograms_append(histograms, &point) != SN_OK) {
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu histograms",
                              found.to - found.from);
        }
    }
    return SN_OK;
}

static sn_status no_names(void *ctx, const struct sn_select *select, size_t count_max,
                          struct sn_arena *arena, struct sn_string_list *ret_names,
                          struct sn_err *err) {
    (void)ctx, (void)select, (void)count_max, (void)arena, (void)ret_names;
    return sn_err_set(err, SN_ERR_UNSUPPORTED, "label names are not part of this reader");
}

static sn_status no_values(void *ctx, struct sn_str label, const struct sn_select *select,
                           size_t count_max, struct sn_arena *arena,
                           struct sn_string_list *ret_values, struct sn_err *err) {
    (void)label;
    return no_names(ctx, select, count_max, arena, ret_values, err);
}

static bool no_metadata(void *ctx, struct sn_str metric_name, struct sn_arena *arena,
                        struct sn_metadata *ret_metadata) {
    (void)ctx, (void)metric_name, (void)arena, (void)ret_metadata;
    return false;
}

struct sn_reader memory_reader_door(struct memory_reader *reader) {
    return (struct sn_reader){.ctx = reader,
                              .select = reader_select,
                              .samples = reader_samples,
                              .histograms = reader_histograms,
                              .label_names = no_names,
                              .label_values = no_values,
                              .metadata = no_metadata};
}
