/*
 * Ingest: Prometheus remote write, 1.0 and 2.0. The accounting is in account.c.
 *
 * A series is resolved once and its samples are added by its index. One whose labels are not valid
 * has a reason instead, which each of its samples and histograms is then counted by.
 *
 * Any thread. No state but counters.
 */
#include "ingest/ingest_priv.h"

/* One request while it is read. On the stack of its thread. */
struct request {
    const struct sn_ingest_options *options;
    size_t samples_max;
    struct sn_remote_write_reader reader;
    struct sn_arena texts; /* of the reader */
    struct sn_batch_builder builder;
    uint32_t series; /* in the builder; undefined while series_error says why there is none */
    struct sn_err series_error;
    struct sn_metadata metadata; /* added last; borrows from the body */
    struct sn_ingest_result result;
};

/* ---- what is left out ---- */

/* Something of the newest series is not taken. */
static void leave_out(struct request *request, unsigned reason, const char *sentence) {
    sn_ingest_reject(&request->result, reason, "series", request->reader.series_count, sentence);
}

static void lose(struct request *request, unsigned reason, const char *sentence) {
    request->result.lost_count++;
    leave_out(request, reason, sentence);
}

static unsigned reason_of_labels(sn_status status) {
    return status == SN_ERR_LIMIT ? (unsigned)SN_INGEST_LABEL_LIMIT
                                  : (unsigned)SN_INGEST_INVALID_LABELS;
}

/* Whether a sample or histogram can be taken; counts it when not. */
static bool is_within_limits(struct request *request, int64_t time_ms) {
    if (request->series_error.status != SN_OK) {
        lose(request, reason_of_labels(request->series_error.status), request->series_error.text);
        return false;
    }
    if (time_ms < SN_TIME_MS_MIN) {
        lose(request, SN_REJECT_TOO_OLD, "the timestamp is before 1970");
        return false;
    }
    if (time_ms > SN_TIME_MS_MAX) {
        lose(request, SN_REJECT_TOO_NEW, "the timestamp is beyond the year 9999");
        return false;
    }
    if (request->builder.sample_count + request->builder.histogram_count >= request->samples_max) {
        lose(request, SN_INGEST_REQUEST_LIMIT, "the request has more samples than one may");
        return false;
    }
    return true;
}

/* ---- series ---- */

static sn_status make_labels(struct sn_label *items, size_t count, struct sn_labels *ret_labels,
                             struct sn_err *err) {
    SN_TRY(sn_labels_make(items, count, ret_labels, err));
    if (sn_labels_get(*ret_labels, SN_LABEL_METRIC_NAME).len == 0) {
        return sn_err_set(err, SN_ERR_INVALID, "it has no metric name");
    }
    return SN_OK;
}

/* Labels of a series in `items`, or why it has none. */
static sn_status series_labels(const struct request *request,
                               const struct sn_remote_write_entry *entry, struct sn_label *items,
                               struct sn_labels *ret_labels, struct sn_err *err) {
    struct sn_labels extra = request->options->extra_labels;
    if (entry->label_count > SN_LABELS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "it has %zu labels, the limit is %d",
                          entry->label_count, SN_LABELS_MAX);
    }
    if (extra.count == 0) {
        return make_labels(entry->labels, entry->label_count, ret_labels, err);
    }
    memcpy(items, entry->labels, entry->label_count * sizeof *items);
    return make_labels(items, sn_ingest_put_labels(items, entry->label_count, extra), ret_labels,
                       err);
}

/* 0 (not known) for what cannot be one. */
static int64_t start_of(const struct sn_remote_write_entry *entry) {
    bool is_time = entry->start_time_ms > 0 && entry->start_time_ms <= SN_TIME_MS_MAX;
    return is_time ? entry->start_time_ms : 0;
}

static sn_status add_series(struct request *request, const struct sn_remote_write_entry *entry,
                            struct sn_err *err) {
    struct sn_label items[SN_INGEST_LABELS_MAX];
    struct sn_labels labels;
    request->series_error.status = SN_OK;
    if (series_labels(request, entry, items, &labels, &request->series_error) != SN_OK) {
        return SN_OK; /* its samples will be counted */
    }
    SN_TRY(sn_batch_builder_add_series(&request->builder, labels, &request->series, err));
    sn_batch_builder_set_start(&request->builder, request->series, start_of(entry));
    return SN_OK;
}

/* ---- what a series holds ---- */

static sn_status add_sample(struct request *request, const struct sn_remote_write_entry *entry,
                            struct sn_err *err) {
    struct sn_sample sample = {.time_ms = entry->time_ms, .value = entry->value};
    if (!is_within_limits(request, entry->time_ms)) {
        return SN_OK;
    }
    SN_TRY(sn_batch_builder_add_sample(&request->builder, request->series, sample, err));
    sn_batch_builder_set_sample_start(&request->builder, start_of(entry));
    return SN_OK;
}

static sn_status add_histogram(struct request *request, const struct sn_remote_write_entry *entry,
                               struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    if (!is_within_limits(request, entry->time_ms)) {
        return SN_OK;
    }
    if (entry->histogram == NULL) {
        lose(request, SN_INGEST_INVALID_HISTOGRAM, "a histogram has more buckets than one may");
        return SN_OK;
    }
    if (sn_histogram_validate(entry->histogram, &why) != SN_OK) {
        lose(request, SN_INGEST_INVALID_HISTOGRAM, why.text);
        return SN_OK;
    }
    SN_TRY(sn_batch_builder_add_histogram(&request->builder, request->series, entry->time_ms,
                                          entry->histogram, err));
    sn_batch_builder_set_histogram_start(&request->builder, start_of(entry));
    return SN_OK;
}

/* Exemplars of a series that is left out go with it, unnoticed: they are examples. */
static sn_status add_exemplar(struct request *request, const struct sn_remote_write_entry *entry,
                              struct sn_err *err) {
    struct sn_exemplar exemplar = {.value = entry->value, .time_ms = entry->time_ms};
    struct sn_err why = {.status = SN_OK};
    if (request->series_error.status != SN_OK) {
        return SN_OK;
    }
    if (entry->label_count > SN_LABELS_MAX) {
        leave_out(request, SN_INGEST_LABEL_LIMIT, "an exemplar has more labels than one may");
        return SN_OK;
    }
    if (request->builder.exemplar_count >= request->samples_max) {
        leave_out(request, SN_INGEST_REQUEST_LIMIT, "the request has more exemplars than one may");
        return SN_OK;
    }
    sn_status status = sn_labels_make(entry->labels, entry->label_count, &exemplar.labels, &why);
    if (status != SN_OK) {
        leave_out(request, reason_of_labels(status), why.text);
        return SN_OK;
    }
    return sn_batch_builder_add_exemplar(&request->builder, request->series, &exemplar, err);
}

static bool metadata_equal(const struct sn_metadata *a, const struct sn_metadata *b) {
    return a->type == b->type && sn_str_equal(a->metric_name, b->metric_name) &&
           sn_str_equal(a->help, b->help) && sn_str_equal(a->unit, b->unit);
}

/* 2.0 repeats the metadata of a metric with each of its series, which mostly stand together. */
static sn_status add_metadata(struct request *request, const struct sn_metadata *metadata,
                              struct sn_err *err) {
    bool says_nothing =
        metadata->type == SN_METRIC_UNKNOWN && metadata->help.len == 0 && metadata->unit.len == 0;
    if (says_nothing || metadata->metric_name.len == 0 ||
        metadata_equal(&request->metadata, metadata)) {
        return SN_OK;
    }
    if (metadata->metric_name.len > SN_LABEL_VALUE_BYTES_MAX ||
        metadata->help.len > SN_METADATA_BYTES_MAX || metadata->unit.len > SN_METADATA_BYTES_MAX) {
        leave_out(request, SN_INGEST_METADATA_LIMIT, "help or name of a metric is too long");
        return SN_OK;
    }
    request->metadata = *metadata;
    return sn_batch_builder_add_metadata(&request->builder, metadata, err);
}

/* ---- the request ---- */

static sn_status add_entry(struct request *request, const struct sn_remote_write_entry *entry,
                           struct sn_err *err) {
    switch (entry->kind) {
    case SN_REMOTE_WRITE_SERIES:
        return add_series(request, entry, err);
    case SN_REMOTE_WRITE_SAMPLE:
        return add_sample(request, entry, err);
    case SN_REMOTE_WRITE_HISTOGRAM:
        return add_histogram(request, entry, err);
    case SN_REMOTE_WRITE_EXEMPLAR:
        return add_exemplar(request, entry, err);
    case SN_REMOTE_WRITE_METADATA:
        return add_metadata(request, &entry->metadata, err);
    case SN_REMOTE_WRITE_END:
        break;
    }
    return SN_OK;
}

/* Read everything; after a failure the request is of no use. */
static sn_status read_request(struct request *request, struct sn_str body,
                              enum sn_remote_write_version version, struct sn_err *err) {
    struct sn_remote_write_entry entry;
    SN_TRY(sn_remote_write_open(&request->reader, body, version, &request->texts, err));
    do {
        SN_TRY(sn_remote_write_next(&request->reader, &entry, err));
        SN_TRY(add_entry(request, &entry, err));
    } while (entry.kind != SN_REMOTE_WRITE_END);
    return SN_OK;
}

static void request_init(struct request *request, const struct sn_ingest_options *options) {
    request->options = options;
    request->samples_max = options->samples_max > 0 ? options->samples_max : SN_INGEST_SAMPLES_MAX;
    request->series_error.status = SN_OK;
    request->metadata = (struct sn_metadata){.type = SN_METRIC_UNKNOWN};
    memset(&request->result, 0, sizeof request->result);
    sn_arena_init(&request->texts, SN_ARENA_LIMIT_DEFAULT);
    sn_batch_builder_init(&request->builder, SN_INGEST_MEMORY_MAX);
}

static void request_release(struct request *request) {
    sn_batch_builder_release(&request->builder);
    sn_arena_release(&request->texts);
}

static sn_status take_request(struct sn_ingest *ingest, struct sn_str body,
                              enum sn_remote_write_version version,
                              const struct sn_ingest_options *options,
                              const struct sn_push_done *done, struct sn_ingest_result *ret_result,
                              struct sn_err *err) {
    struct request request;
    SN_TRY(sn_ingest_check_request(body, options, err));
    request_init(&request, options);
    sn_status status = read_request(&request, body, version, err);
    if (status == SN_OK) {
        struct sn_batch batch = sn_batch_builder_view(&request.builder);
        status = sn_ingest_push(ingest, SN_INGEST_REMOTE_WRITE, &batch, done, &request.result, err);
    }
    if (status == SN_OK) {
        *ret_result = request.result;
    }
    request_release(&request);
    return status;
}

sn_status sn_ingest_remote_write(struct sn_ingest *ingest, struct sn_str body,
                                 enum sn_remote_write_version version,
                                 const struct sn_ingest_options *options, struct sn_push_done done,
                                 struct sn_ingest_result *ret_result, struct sn_err *err) {
    sn_status status = take_request(ingest, body, version, options, &done, ret_result, err);
    sn_ingest_count_request(ingest, status);
    return status;
}
