/*
 * The batch builder: arrays and texts in one arena.
 *
 * 1. Arrays grow by doubling into fresh arena memory; the old ones die with the arena.
 * 2. A function that fails has changed no count, so the view stays as it was.
 *
 * One thread per builder.
 */
#include "model/batch.h"

#include "base/check.h"
#include "base/limits.h"

enum {
    ARRAY_CAPACITY_MIN = 64,
    PAIRS_MAX = 15, /* of sn_batch_builder_add_pairs */
};

void sn_batch_builder_init(struct sn_batch_builder *builder, size_t memory_max) {
    memset(builder, 0, sizeof *builder);
    sn_arena_init(&builder->arena, memory_max);
    sn_buf_init(&builder->scratch, SN_LABELS_BYTES_MAX);
}

void sn_batch_builder_release(struct sn_batch_builder *builder) {
    sn_arena_release(&builder->arena);
    sn_buf_release(&builder->scratch);
    memset(builder, 0, sizeof *builder);
}

void sn_batch_builder_reset(struct sn_batch_builder *builder) {
    sn_arena_reset(&builder->arena);
    sn_buf_reset(&builder->scratch);
    builder->series = NULL;
    builder->samples = NULL;
    builder->histograms = NULL;
    builder->exemplars = NULL;
    builder->metadata = NULL;
    builder->series_count = builder->series_capacity = 0;
    builder->sample_count = builder->sample_capacity = 0;
    builder->histogram_count = builder->histogram_capacity = 0;
    builder->exemplar_count = builder->exemplar_capacity = 0;
    builder->metadata_count = builder->metadata_capacity = 0;
}

/* An array in the arena: `items` holds `count` of `capacity` items of item_bytes each. */
struct array {
    void *items;
    size_t count;
    size_t capacity;
    size_t item_bytes;
};

/* Make room for one more item: nothing to do, or a larger copy. Unchanged on failure. */
static sn_status array_reserve(struct array *array, struct sn_arena *arena, struct sn_err *err) {
    if (array->count < array->capacity) {
        return SN_OK;
    }
    size_t capacity = array->capacity > 0 ? 2 * array->capacity : ARRAY_CAPACITY_MIN;
    void *items = sn_arena_alloc(arena, capacity * array->item_bytes);
    if (items == NULL) {
        return sn_arena_failure(arena, capacity * array->item_bytes, err);
    }
    if (array->count > 0) {
        memcpy(items, array->items, array->count * array->item_bytes);
    }
    array->items = items;
    array->capacity = capacity;
    return SN_OK;
}

static sn_status reserve_sample(struct sn_batch_builder *builder, struct sn_err *err) {
    struct array array = {builder->samples, builder->sample_count, builder->sample_capacity,
                          sizeof builder->samples[0]};
    SN_TRY(array_reserve(&array, &builder->arena, err));
    builder->samples = array.items;
    builder->sample_capacity = array.capacity;
    return SN_OK;
}

static sn_status reserve_series(struct sn_batch_builder *builder, struct sn_err *err) {
    struct array array = {builder->series, builder->series_count, builder->series_capacity,
                          sizeof builder->series[0]};
    if (builder->series_count >= UINT32_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "a batch has %zu series, the limit is 2^32 - 1",
                          builder->series_count);
    }
    SN_TRY(array_reserve(&array, &builder->arena, err));
    builder->series = array.items;
    builder->series_capacity = array.capacity;
    return SN_OK;
}

static sn_status reserve_histogram(struct sn_batch_builder *builder, struct sn_err *err) {
    struct array array = {builder->histograms, builder->histogram_count,
                          builder->histogram_capacity, sizeof builder->histograms[0]};
    SN_TRY(array_reserve(&array, &builder->arena, err));
    builder->histograms = array.items;
    builder->histogram_capacity = array.capacity;
    return SN_OK;
}

static sn_status reserve_exemplar(struct sn_batch_builder *builder, struct sn_err *err) {
    struct array array = {builder->exemplars, builder->exemplar_count, builder->exemplar_capacity,
                          sizeof builder->exemplars[0]};
    SN_TRY(array_reserve(&array, &builder->arena, err));
    builder->exemplars = array.items;
    builder->exemplar_capacity = array.capacity;
    return SN_OK;
}

static sn_status reserve_metadata(struct sn_batch_builder *builder, struct sn_err *err) {
    struct array array = {builder->metadata, builder->metadata_count, builder->metadata_capacity,
                          sizeof builder->metadata[0]};
    SN_TRY(array_reserve(&array, &builder->arena, err));
    builder->metadata = array.items;
    builder->metadata_capacity = array.capacity;
    return SN_OK;
}

/* Whether the newest series has exactly these canonical bytes. */
static bool is_newest_series(const struct sn_batch_builder *builder, struct sn_str canonical) {
    return builder->series_count > 0 &&
           sn_str_equal(builder->series[builder->series_count - 1].labels, canonical);
}

static sn_status add_series(struct sn_batch_builder *builder, struct sn_str canonical,
                            struct sn_err *err) {
    struct sn_str copy;
    SN_TRY(reserve_series(builder, err));
    if (!sn_arena_copy(&builder->arena, canonical, &copy)) {
        return sn_arena_failure(&builder->arena, canonical.len, err);
    }
    builder->series[builder->series_count++] =
        (struct sn_batch_series){.labels = copy, .start_time_ms = 0};
    return SN_OK;
}

sn_status sn_batch_builder_add_canonical(struct sn_batch_builder *builder, struct sn_str canonical,
                                         uint32_t *ret_series, struct sn_err *err) {
    if (!is_newest_series(builder, canonical)) {
        SN_TRY(add_series(builder, canonical, err));
    }
    *ret_series = (uint32_t)(builder->series_count - 1);
    return SN_OK;
}

sn_status sn_batch_builder_add_series(struct sn_batch_builder *builder, struct sn_labels labels,
                                      uint32_t *ret_series, struct sn_err *err) {
    sn_buf_reset(&builder->scratch);
    sn_labels_encode(labels, &builder->scratch);
    SN_TRY(sn_buf_status(&builder->scratch, err));
    return sn_batch_builder_add_canonical(builder, sn_buf_str(&builder->scratch), ret_series, err);
}

void sn_batch_builder_set_start(struct sn_batch_builder *builder, uint32_t series,
                                int64_t start_time_ms) {
    SN_CHECK(series < builder->series_count);
    builder->series[series].start_time_ms = start_time_ms;
}

void sn_batch_builder_set_sample_start(struct sn_batch_builder *builder, int64_t start_time_ms) {
    SN_CHECK(builder->sample_count > 0);
    builder->samples[builder->sample_count - 1].start_time_ms = start_time_ms;
}

void sn_batch_builder_set_histogram_start(struct sn_batch_builder *builder, int64_t start_time_ms) {
    SN_CHECK(builder->histogram_count > 0);
    builder->histograms[builder->histogram_count - 1].start_time_ms = start_time_ms;
}

sn_status sn_batch_builder_add_sample(struct sn_batch_builder *builder, uint32_t series,
                                      struct sn_sample sample, struct sn_err *err) {
    SN_CHECK(series < builder->series_count);
    SN_TRY(reserve_sample(builder, err));
    builder->samples[builder->sample_count++] = (struct sn_batch_sample){
        .time_ms = sample.time_ms,
        .value = sample.value,
        .series = series,
    };
    return SN_OK;
}

sn_status sn_batch_builder_add_histogram(struct sn_batch_builder *builder, uint32_t series,
                                         int64_t time_ms, const struct sn_histogram *histogram,
                                         struct sn_err *err) {
    SN_CHECK(series < builder->series_count);
    SN_TRY(reserve_histogram(builder, err));
    struct sn_batch_histogram *at = &builder->histograms[builder->histogram_count];
    sn_status status = sn_histogram_copy(histogram, &builder->arena, &at->histogram);
    if (status != SN_OK) {
        return sn_err_set(err, status, "no room for a histogram in a batch of at most %zu bytes",
                          builder->arena.limit);
    }
    at->time_ms = time_ms;
    at->start_time_ms = 0;
    at->series = series;
    builder->histogram_count++;
    return SN_OK;
}

sn_status sn_batch_builder_add_exemplar(struct sn_batch_builder *builder, uint32_t series,
                                        const struct sn_exemplar *exemplar, struct sn_err *err) {
    SN_CHECK(series < builder->series_count);
    SN_TRY(reserve_exemplar(builder, err));
    struct sn_batch_exemplar *at = &builder->exemplars[builder->exemplar_count];
    *at = (struct sn_batch_exemplar){.series = series, .exemplar = *exemplar};
    sn_status status = sn_labels_copy(exemplar->labels, &builder->arena, &at->exemplar.labels);
    if (status != SN_OK) {
        return sn_err_set(err, status, "no room for an exemplar in a batch of at most %zu bytes",
                          builder->arena.limit);
    }
    builder->exemplar_count++;
    return SN_OK;
}

sn_status sn_batch_builder_add(struct sn_batch_builder *builder, struct sn_labels labels,
                               int64_t time_ms, double value, struct sn_err *err) {
    uint32_t series;
    SN_TRY(reserve_sample(builder, err)); /* first: a series without a sample would be a change */
    SN_TRY(sn_batch_builder_add_series(builder, labels, &series, err));
    return sn_batch_builder_add_sample(builder, series, (struct sn_sample){time_ms, value}, err);
}

sn_status sn_batch_builder_add_pairs(struct sn_batch_builder *builder, struct sn_str metric_name,
                                     const struct sn_str *pairs, size_t pair_count, int64_t time_ms,
                                     double value, struct sn_err *err) {
    struct sn_label items[1 + PAIRS_MAX];
    struct sn_labels labels;
    if (pair_count > PAIRS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "%zu label pairs are given at once, the limit is %d",
                          pair_count, PAIRS_MAX);
    }
    if (metric_name.len == 0) {
        return sn_err_set(err, SN_ERR_INVALID, "a sample has an empty metric name");
    }
    items[0] = (struct sn_label){SN_LABEL_METRIC_NAME, metric_name};
    for (size_t i = 0; i < pair_count; i++) {
        items[1 + i] = (struct sn_label){pairs[2 * i], pairs[2 * i + 1]};
    }
    SN_TRY(sn_labels_make(items, 1 + pair_count, &labels, err));
    return sn_batch_builder_add(builder, labels, time_ms, value, err);
}

static sn_status check_metadata(const struct sn_metadata *metadata, struct sn_err *err) {
    if (metadata->metric_name.len == 0 || metadata->metric_name.len > SN_LABEL_VALUE_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "metadata of a metric name of %zu bytes, 1 to %d is possible",
                          metadata->metric_name.len, SN_LABEL_VALUE_BYTES_MAX);
    }
    if (metadata->help.len > SN_METADATA_BYTES_MAX || metadata->unit.len > SN_METADATA_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "help has %zu bytes and unit %zu, the limit of each is %d",
                          metadata->help.len, metadata->unit.len, SN_METADATA_BYTES_MAX);
    }
    return SN_OK;
}

static sn_status copy_metadata(struct sn_arena *arena, const struct sn_metadata *from,
                               struct sn_metadata *ret_copy, struct sn_err *err) {
    struct sn_metadata copy = {.type = from->type};
    if (!sn_arena_copy(arena, from->metric_name, &copy.metric_name) ||
        !sn_arena_copy(arena, from->help, &copy.help) ||
        !sn_arena_copy(arena, from->unit, &copy.unit)) {
        return sn_arena_failure(arena, from->metric_name.len + from->help.len + from->unit.len,
                                err);
    }
    *ret_copy = copy;
    return SN_OK;
}

sn_status sn_batch_builder_add_metadata(struct sn_batch_builder *builder,
                                        const struct sn_metadata *metadata, struct sn_err *err) {
    SN_TRY(check_metadata(metadata, err));
    SN_TRY(reserve_metadata(builder, err));
    SN_TRY(
        copy_metadata(&builder->arena, metadata, &builder->metadata[builder->metadata_count], err));
    builder->metadata_count++;
    return SN_OK;
}

struct sn_batch sn_batch_builder_view(const struct sn_batch_builder *builder) {
    return (struct sn_batch){
        .series = builder->series,
        .samples = builder->samples,
        .histograms = builder->histograms,
        .exemplars = builder->exemplars,
        .metadata = builder->metadata,
        .series_count = builder->series_count,
        .sample_count = builder->sample_count,
        .histogram_count = builder->histogram_count,
        .exemplar_count = builder->exemplar_count,
        .metadata_count = builder->metadata_count,
    };
}
