/*
 * A query result as JSON: vectors, matrices, scalars, strings, native histograms, statistics.
 */
#include "api/prom_priv.h"

#include "model/histogram_bucket.h"

/* A histogram of 160 buckets is 8 KiB of text. */
#define HISTOGRAMS_AT_ONCE 4

static void write_pair(struct sn_json_writer *json, int64_t time_ms, double value) {
    sn_json_write_array_begin(json);
    sn_json_write_time(json, time_ms);
    sn_json_write_double_text(json, value);
    sn_json_write_array_end(json);
}

/* [boundary rule, lower, upper, count]; rule: 0 (], 1 [), 2 (), 3 []. */
static void write_bucket(struct sn_json_writer *json, const struct sn_histogram_bucket *bucket) {
    int rule = bucket->has_lower ? (bucket->has_upper ? 3 : 1) : (bucket->has_upper ? 0 : 2);
    sn_json_write_array_begin(json);
    sn_json_write_int64(json, rule);
    sn_json_write_double_text(json, bucket->lower);
    sn_json_write_double_text(json, bucket->upper);
    sn_json_write_double_text(json, bucket->count);
    sn_json_write_array_end(json);
}

/* Those that are not empty; as in Prometheus there is no "buckets" when all are. */
static void write_buckets(struct sn_json_writer *json, const struct sn_histogram *histogram) {
    struct sn_bucket_cursor cursor;
    struct sn_histogram_bucket bucket;
    bool has_any = false;
    sn_bucket_cursor_init(&cursor, histogram, false);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        if (bucket.count == 0)
            continue;
        if (!has_any) {
            sn_json_write_key(json, SN_STR("buckets"));
            sn_json_write_array_begin(json);
        }
        has_any = true;
        write_bucket(json, &bucket);
    }
    if (has_any)
        sn_json_write_array_end(json);
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
    write_buckets(json, histogram);
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

/* The next piece of a series of a matrix, behind its labels; whether it was the last one. */
static bool write_matrix_piece(struct sn_prom_writer *writer, struct sn_json_writer *json,
                               const struct sn_result_series *series) {
    if (writer->point < series->count) {
        if (writer->point == 0)
            sn_json_write_key(json, SN_STR("values"));
        writer->point = sn_prom_write_points(json, &writer->times, series, writer->point);
        if (writer->point < series->count || series->histogram_count > 0)
            return false;
    }
    if (series->histogram_count == 0)
        return true;
    if (writer->histogram == 0) {
        sn_json_write_key(json, SN_STR("histograms"));
        sn_json_write_array_begin(json);
    }
    size_t left = series->histogram_count - writer->histogram;
    for (size_t end = writer->histogram + (left < HISTOGRAMS_AT_ONCE ? left : HISTOGRAMS_AT_ONCE);
         writer->histogram < end; writer->histogram++)
        write_histogram(json, series->histogram_time_ms[writer->histogram],
                        &series->histograms[writer->histogram]);
    if (writer->histogram < series->histogram_count)
        return false;
    sn_json_write_array_end(json);
    return true;
}

static void write_series_piece(struct sn_prom_writer *writer, struct sn_json_writer *json) {
    const struct sn_result_series *series = &writer->result->series[writer->at];
    bool is_end = true;
    if (writer->point == 0 && writer->histogram == 0) {
        sn_json_write_object_begin(json);
        sn_json_write_key(json, SN_STR("metric"));
        sn_prom_write_labels(json, series->labels);
    }
    if (writer->result->kind == SN_RESULT_VECTOR)
        write_vector_series(json, series);
    else
        is_end = write_matrix_piece(writer, json, series);
    if (is_end) {
        sn_json_write_object_end(json);
        writer->at++;
        writer->point = writer->histogram = 0;
    }
}

static void write_single(struct sn_json_writer *json, const struct sn_query_result *result) {
    if (result->kind == SN_RESULT_SCALAR) {
        write_pair(json, result->scalar.time_ms, result->scalar.value);
        return;
    }
    sn_json_write_array_begin(json);
    sn_json_write_time(json, result->string_sample.time_ms);
    sn_json_write_string(json, result->string);
    sn_json_write_array_end(json);
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

static bool has_series(const struct sn_query_result *result) {
    return result->kind == SN_RESULT_VECTOR || result->kind == SN_RESULT_MATRIX;
}

void sn_prom_writer_init(struct sn_prom_writer *writer, const struct sn_query_result *result,
                         size_t limit, bool has_stats) {
    size_t count = has_series(result) ? result->series_count : 0;
    *writer = (struct sn_prom_writer){.result = result,
                                      .count = limit > 0 && limit < count ? limit : count,
                                      .has_stats = has_stats};
    sn_prom_times_init(&writer->times);
}

void sn_prom_writer_release(struct sn_prom_writer *writer) {
    sn_prom_times_release(&writer->times);
}

static void write_begin(struct sn_json_writer *json, const struct sn_query_result *result) {
    static const struct sn_str kinds[] = {
        [SN_RESULT_SCALAR] = SN_STR("scalar"),
        [SN_RESULT_STRING] = SN_STR("string"),
        [SN_RESULT_VECTOR] = SN_STR("vector"),
        [SN_RESULT_MATRIX] = SN_STR("matrix"),
    };
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("resultType"), kinds[result->kind]);
    sn_json_write_key(json, SN_STR("result"));
    if (has_series(result))
        sn_json_write_array_begin(json);
    else
        write_single(json, result);
}

bool sn_prom_writer_step(struct sn_prom_writer *writer, struct sn_json_writer *json) {
    if (!writer->has_begun) {
        writer->has_begun = true;
        write_begin(json, writer->result);
        return true;
    }
    if (writer->at < writer->count) {
        write_series_piece(writer, json);
        return true;
    }
    if (has_series(writer->result))
        sn_json_write_array_end(json);
    if (writer->has_stats)
        write_stats(json, &writer->result->stats);
    sn_json_write_object_end(json);
    return false;
}

void sn_prom_write_result(struct sn_json_writer *json, const struct sn_query_result *result,
                          size_t limit, bool has_stats) {
    struct sn_prom_writer writer;
    sn_prom_writer_init(&writer, result, limit, has_stats);
    while (sn_prom_writer_step(&writer, json)) {
    }
    sn_prom_writer_release(&writer);
}
