/*
 * A query result as JSON: vectors, matrices, scalars, strings, native histograms, statistics.
 */
#include "api/prom_priv.h"

#include <math.h>

static void write_pair(struct sn_json_writer *json, int64_t time_ms, double value) {
    sn_json_write_array_begin(json);
    sn_json_write_time(json, time_ms);
    sn_json_write_double_text(json, value);
    sn_json_write_array_end(json);
}

/* [boundary rule, lower, upper, count] of one bucket; rule 3: both ends are inside. */
static void write_bucket(struct sn_json_writer *json, int rule, double lower, double upper,
                         double count) {
    if (count == 0)
        return;
    sn_json_write_array_begin(json);
    sn_json_write_int64(json, rule);
    sn_json_write_double_text(json, lower);
    sn_json_write_double_text(json, upper);
    sn_json_write_double_text(json, count);
    sn_json_write_array_end(json);
}

/* Upper bound of bucket `index` of a histogram, of either kind. */
static double upper_bound(const struct sn_histogram *histogram, int32_t index) {
    if (histogram->schema != SN_HISTOGRAM_SCHEMA_CUSTOM)
        return sn_histogram_upper_bound(histogram->schema, index);
    if (index < 0)
        return -HUGE_VAL;
    return (uint32_t)index < histogram->custom_bound_count ? histogram->custom_bounds[index]
                                                           : HUGE_VAL;
}

/* Negative buckets come in rising order of value, which is falling order of index. */
static void write_negative(struct sn_json_writer *json, const struct sn_histogram *histogram) {
    int32_t index = 0;
    for (uint32_t i = 0; i < histogram->negative_span_count; i++)
        index += histogram->negative_spans[i].offset + (int32_t)histogram->negative_spans[i].length;
    uint32_t bucket = histogram->negative_bucket_count;
    for (uint32_t i = histogram->negative_span_count; i-- > 0;) {
        const struct sn_bucket_span *span = &histogram->negative_spans[i];
        for (uint32_t j = 0; j < span->length; j++) {
            index--;
            bucket--;
            write_bucket(json, 1, -upper_bound(histogram, index),
                         -upper_bound(histogram, index - 1), histogram->negative_counts[bucket]);
        }
        index -= span->offset;
    }
}

static void write_positive(struct sn_json_writer *json, const struct sn_histogram *histogram) {
    int32_t index = 0;
    uint32_t bucket = 0;
    for (uint32_t i = 0; i < histogram->positive_span_count; i++) {
        const struct sn_bucket_span *span = &histogram->positive_spans[i];
        index += span->offset;
        for (uint32_t j = 0; j < span->length; j++, index++, bucket++)
            write_bucket(json, 0, upper_bound(histogram, index - 1), upper_bound(histogram, index),
                         histogram->positive_counts[bucket]);
    }
}

static void write_histogram(struct sn_json_writer *json, int64_t time_ms,
                            const struct sn_histogram *histogram) {
    sn_json_write_array_begin(json);
    sn_json_write_time(json, time_ms);
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("count"));
    sn_json_write_double_text(json, histogram->count);
    sn_json_write_key(json, SN_STR("sum"));
    sn_json_write_double_text(json, histogram->sum);
    sn_json_write_key(json, SN_STR("buckets"));
    sn_json_write_array_begin(json);
    write_negative(json, histogram);
    write_bucket(json, 3, -histogram->zero_threshold, histogram->zero_threshold,
                 histogram->zero_count);
    write_positive(json, histogram);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    sn_json_write_array_end(json);
}

static void write_vector_series(struct sn_json_writer *json,
                                const struct sn_result_series *series) {
    if (series->count > 0) {
        sn_json_write_key(json, SN_STR("value"));
        write_pair(json, series->time_ms[0], series->value[0]);
    } else if (series->histogram_count > 0) {
        sn_json_write_key(json, SN_STR("histogram"));
        write_histogram(json, series->histogram_time_ms[0], &series->histograms[0]);
    }
}

static void write_matrix_series(struct sn_json_writer *json,
                                const struct sn_result_series *series) {
    if (series->count > 0) {
        sn_json_write_key(json, SN_STR("values"));
        sn_json_write_array_begin(json);
        for (size_t i = 0; i < series->count; i++)
            write_pair(json, series->time_ms[i], series->value[i]);
        sn_json_write_array_end(json);
    }
    if (series->histogram_count > 0) {
        sn_json_write_key(json, SN_STR("histograms"));
        sn_json_write_array_begin(json);
        for (size_t i = 0; i < series->histogram_count; i++)
            write_histogram(json, series->histogram_time_ms[i], &series->histograms[i]);
        sn_json_write_array_end(json);
    }
}

static void write_all_series(struct sn_json_writer *json, const struct sn_query_result *result,
                             size_t limit) {
    size_t count = limit > 0 && limit < result->series_count ? limit : result->series_count;
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        const struct sn_result_series *series = &result->series[i];
        sn_json_write_object_begin(json);
        sn_json_write_key(json, SN_STR("metric"));
        sn_prom_write_labels(json, series->labels);
        if (result->kind == SN_RESULT_VECTOR)
            write_vector_series(json, series);
        else
            write_matrix_series(json, series);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void write_value(struct sn_json_writer *json, const struct sn_query_result *result,
                        size_t limit) {
    switch (result->kind) {
    case SN_RESULT_SCALAR:
        write_pair(json, result->scalar.time_ms, result->scalar.value);
        return;
    case SN_RESULT_STRING:
        sn_json_write_array_begin(json);
        sn_json_write_time(json, result->string_sample.time_ms);
        sn_json_write_string(json, result->string);
        sn_json_write_array_end(json);
        return;
    case SN_RESULT_VECTOR:
    case SN_RESULT_MATRIX:
        write_all_series(json, result, limit);
        return;
    }
}

static void write_stats(struct sn_json_writer *json, const struct sn_query_stats *stats) {
    double queued_s = (double)stats->queued_ns / 1e9, parse_s = (double)stats->parse_ns / 1e9,
           eval_s = (double)stats->eval_ns / 1e9, sort_s = (double)stats->sort_ns / 1e9;
    sn_json_write_key(json, SN_STR("stats"));
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("timings"));
    sn_json_write_object_begin(json);
    sn_json_write_key_double(json, SN_STR("evalTotalTime"), parse_s + eval_s);
    sn_json_write_key_double(json, SN_STR("resultSortTime"), sort_s);
    sn_json_write_key_double(json, SN_STR("queryPreparationTime"), parse_s);
    sn_json_write_key_double(json, SN_STR("innerEvalTime"), eval_s - sort_s);
    sn_json_write_key_double(json, SN_STR("execQueueTime"), queued_s);
    sn_json_write_key_double(json, SN_STR("execTotalTime"), queued_s + parse_s + eval_s);
    sn_json_write_object_end(json);
    sn_json_write_key(json, SN_STR("samples"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("totalQueryableSamples"), stats->queryable_count);
    sn_json_write_key_uint64(json, SN_STR("peakSamples"), stats->peak_count);
    sn_json_write_key_uint64(json, SN_STR("samplesRead"), stats->sample_count);
    sn_json_write_key_uint64(json, SN_STR("series"), stats->series_count);
    sn_json_write_key_uint64(json, SN_STR("points"), stats->point_count);
    sn_json_write_key_uint64(json, SN_STR("memoryBytes"), stats->memory_bytes);
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
}

void sn_prom_write_result(struct sn_json_writer *json, const struct sn_query_result *result,
                          size_t limit, bool has_stats) {
    static const struct sn_str kinds[] = {
        [SN_RESULT_SCALAR] = SN_STR("scalar"),
        [SN_RESULT_STRING] = SN_STR("string"),
        [SN_RESULT_VECTOR] = SN_STR("vector"),
        [SN_RESULT_MATRIX] = SN_STR("matrix"),
    };
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("resultType"), kinds[result->kind]);
    sn_json_write_key(json, SN_STR("result"));
    write_value(json, result, limit);
    if (has_stats)
        write_stats(json, &result->stats);
    sn_json_write_object_end(json);
}
