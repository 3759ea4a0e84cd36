/*
 * Ingest: samples as JSON lines (wire/json_series.h). The accounting is in account.c.
 *
 * Any thread. No state but counters.
 */
#include "base/limits.h"
#include "ingest/ingest_priv.h"
#include "wire/json_series.h"

/* One line at a time: its text, labels and columns; two bytes of it may be a bucket of eight. */
#define LINE_ARENA_BYTES (4 * SN_JSON_SERIES_BYTES_MAX + ((size_t)8 << 20))

/* One request while it is read. */
struct request {
    const struct sn_ingest_options *options;
    size_t samples_max;
    size_t line;
    struct sn_arena arena; /* of one line */
    struct sn_batch_builder builder;
    struct sn_ingest_result result;
};

static void reject_line(struct request *request, unsigned reason, size_t samples,
                        const char *sentence) {
    if (samples == 0)
        return;
    request->result.lost_count += samples;
    request->result.rejected_count[reason] += samples - 1; /* the call counts one */
    sn_ingest_reject(&request->result, reason, "line", request->line, sentence);
}

/* One that is none is left out alone. */
static sn_status add_histogram(struct request *request, const struct sn_json_series *series,
                               size_t i, uint32_t index, struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    if (sn_histogram_validate(&series->histograms[i], &why) != SN_OK) {
        reject_line(request, SN_INGEST_INVALID_HISTOGRAM, 1, why.text);
        return SN_OK;
    }
    SN_TRY(sn_batch_builder_add_histogram(&request->builder, index, series->time_ms[i],
                                          &series->histograms[i], err));
    if (series->start_ms && series->start_ms[i] != 0)
        sn_batch_builder_set_histogram_start(&request->builder, series->start_ms[i]);
    return SN_OK;
}

static sn_status add_samples(struct request *request, const struct sn_json_series *series,
                             struct sn_labels labels, struct sn_err *err) {
    uint32_t index;
    SN_TRY(sn_batch_builder_add_series(&request->builder, labels, &index, err));
    for (size_t i = 0; series->histograms && i < series->count; i++)
        SN_TRY(add_histogram(request, series, i, index, err));
    if (series->histograms)
        return SN_OK;
    for (size_t i = 0; i < series->count; i++) {
        struct sn_sample sample = {.time_ms = series->time_ms[i], .value = series->value[i]};
        SN_TRY(sn_batch_builder_add_sample(&request->builder, index, sample, err));
        if (series->start_ms && series->start_ms[i] != 0)
            sn_batch_builder_set_sample_start(&request->builder, series->start_ms[i]);
    }
    return SN_OK;
}

static sn_status add_series(struct request *request, const struct sn_json_series *series,
                            struct sn_err *err) {
    struct sn_label items[SN_INGEST_LABELS_MAX];
    struct sn_labels labels;
    struct sn_err why = {.status = SN_OK};
    memcpy(items, series->labels, series->label_count * sizeof *items);
    size_t count = sn_ingest_put_labels(items, series->label_count, request->options->extra_labels);
    sn_status status = sn_labels_make(items, count, &labels, &why);
    if (status == SN_OK && sn_labels_get(labels, SN_LABEL_METRIC_NAME).len == 0)
        status = sn_err_set(&why, SN_ERR_INVALID, "the series has no __name__");
    if (status == SN_ERR_LIMIT || status == SN_ERR_INVALID) {
        reject_line(request,
                    status == SN_ERR_LIMIT ? (unsigned)SN_INGEST_LABEL_LIMIT
                                           : (unsigned)SN_INGEST_INVALID_LABELS,
                    series->count, why.text);
        return SN_OK;
    }
    if (request->builder.sample_count + request->builder.histogram_count + series->count >
        request->samples_max) {
        reject_line(request, SN_INGEST_REQUEST_LIMIT, series->count,
                    "the request has more samples than one may");
        return SN_OK;
    }
    return add_samples(request, series, labels, err);
}

static sn_status read_line(struct request *request, struct sn_str line, struct sn_err *err) {
    struct sn_json_series series;
    struct sn_err why = {.status = SN_OK};
    sn_arena_reset(&request->arena);
    sn_status status = sn_json_series_read(line, &request->arena, &series, &why);
    if (status != SN_OK)
        return sn_err_set(err, status, "line %zu: %s", request->line, why.text);
    return add_series(request, &series, err);
}

static sn_status read_lines(struct request *request, struct sn_str body, struct sn_err *err) {
    while (body.len > 0) {
        struct sn_str line, rest;
        (void)sn_str_cut(body, '\n', &line, &rest); /* the last line may have no newline */
        body = rest;
        request->line++;
        if (sn_str_trim(line).len > 0)
            SN_TRY(read_line(request, line, err));
    }
    return SN_OK;
}

static sn_status take(struct sn_ingest *ingest, struct sn_str body,
                      const struct sn_ingest_options *options, struct sn_push_done done,
                      struct sn_ingest_result *ret_result, struct sn_err *err) {
    struct request request = {.options = options, .samples_max = SN_INGEST_SAMPLES_MAX};
    SN_TRY(sn_ingest_check_request(body, options, err));
    if (options->samples_max > 0)
        request.samples_max = options->samples_max;
    sn_arena_init(&request.arena, LINE_ARENA_BYTES);
    sn_batch_builder_init(&request.builder, SN_INGEST_MEMORY_MAX);
    sn_status status = read_lines(&request, body, err);
    if (status == SN_OK) {
        struct sn_batch batch = sn_batch_builder_view(&request.builder);
        status = sn_ingest_push(ingest, SN_INGEST_JSON_LINES, &batch, &done, &request.result, err);
    }
    if (status == SN_OK)
        *ret_result = request.result;
    sn_batch_builder_release(&request.builder);
    sn_arena_release(&request.arena);
    return status;
}

sn_status sn_ingest_json_lines(struct sn_ingest *ingest, struct sn_str body,
                               const struct sn_ingest_options *options, struct sn_push_done done,
                               struct sn_ingest_result *ret_result, struct sn_err *err) {
    sn_status status = take(ingest, body, options, done, ret_result, err);
    sn_ingest_count_request(ingest, status);
    return status;
}
