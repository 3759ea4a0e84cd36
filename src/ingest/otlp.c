/*
 * Ingest: OTLP. Points become samples and native histograms. See otlp.h; names are otlp_labels.c, the
 * accounting is account.c.
 *
 * Any thread. No state but counters, and the streams of deltas.
 */
#include "ingest/otlp.h"

#include "base/mem.h"
#include "ingest/otlp_priv.h"
#include "wire/otlp_name.h"

#include <math.h>

#define NS_PER_MS UINT64_C(1000000)
/* Prometheus' default for OTLP: the zero bucket that SDKs do not name. */
#define ZERO_THRESHOLD 1e-128

static const struct sn_label no_label = {{NULL, 0}, {NULL, 0}};

/* ---- what is left out ---- */

/* The point is not taken. Always SN_OK: the next one may be. */
static sn_status lose(struct sn_otlp_request *request, unsigned reason, const char *sentence) {
    request->result.samples.lost_count++;
    request->result.rejected_point_count++;
    sn_ingest_reject(&request->result.samples, reason, "point", (size_t)request->result.point_count,
                     sentence);
    return SN_OK;
}

/* The same for a failure that is about the point; others end the request. */
static sn_status lose_for(struct sn_otlp_request *request, sn_status status,
                          const struct sn_err *why, struct sn_err *err) {
    switch (status) {
    case SN_OK:
        return SN_OK;
    case SN_ERR_INVALID:
        return lose(request, SN_INGEST_INVALID_LABELS, why->text);
    case SN_ERR_LIMIT:
        return lose(request, SN_INGEST_LABEL_LIMIT, why->text);
    case SN_ERR_EXISTS:
        return lose(request, SN_REJECT_OUT_OF_ORDER, why->text);
    case SN_ERR_BUSY:
        return lose(request, SN_REJECT_SERIES_LIMIT, why->text);
    default:
        return sn_err_set(err, status, "%s", why->text);
    }
}

/* A start behind the point's time is not known. */
static void set_start(struct sn_otlp_request *request, uint64_t start_ns) {
    int64_t start_ms = (int64_t)(start_ns / NS_PER_MS);
    request->start_ms = start_ms <= request->time_ms ? start_ms : 0;
}

/* Whether a point can be taken, as far as its head tells; counts it when not. */
static bool head_is_fine(struct sn_otlp_request *request, const struct sn_otlp_point *point) {
    const struct sn_otlp_metric *metric = point->metric;
    uint64_t time_ms = point->time_ns / NS_PER_MS; /* nanoseconds end in 2554 */
    bool needs_temporality = metric->kind == SN_OTLP_SUM || metric->kind == SN_OTLP_HISTOGRAM ||
                             metric->kind == SN_OTLP_EXPONENTIAL;
    if (request->name.len == 0) {
        (void)lose(request, SN_INGEST_INVALID_LABELS, "its metric has no usable name");
    } else if (point->time_ns == 0) {
        (void)lose(request, SN_REJECT_TOO_OLD, "it has no time");
    } else if (needs_temporality && metric->temporality == SN_OTLP_UNSPECIFIED) {
        (void)lose(request, SN_INGEST_MALFORMED, "its metric says neither delta nor cumulative");
    } else if (point->is_too_large) {
        (void)lose(request, SN_INGEST_INVALID_HISTOGRAM, "it has more buckets than one may");
    } else if (request->builder.sample_count + request->builder.histogram_count >=
               SN_INGEST_SAMPLES_MAX) {
        (void)lose(request, SN_INGEST_REQUEST_LIMIT, "the request has more samples than one may");
    } else {
        request->time_ms = (int64_t)time_ms;
        set_start(request, point->start_ns);
        return true;
    }
    return false;
}

/* ---- samples ---- */

static bool is_gone(const struct sn_otlp_point *point) {
    return (point->flags & SN_OTLP_FLAG_NO_VALUE) != 0;
}

/* The value, or the stale marker. */
static double value_or_stale(const struct sn_otlp_point *point, double value) {
    return is_gone(point) ? sn_double_from_bits(SN_STALE_NAN_BITS) : value;
}

static sn_status add_sample(struct sn_otlp_request *request, const char *ending,
                            struct sn_label more, double value, struct sn_err *err) {
    struct sn_sample sample = {.time_ms = request->time_ms, .value = value};
    SN_TRY(sn_otlp_add_series(request, ending, more, err));
    return sn_batch_builder_add_sample(&request->builder, request->series, sample, err);
}

/* A sample of something that counts since a moment. */
static sn_status add_counter(struct sn_otlp_request *request, const char *ending,
                             struct sn_label more, double value, struct sn_err *err) {
    SN_TRY(add_sample(request, ending, more, value, err));
    sn_batch_builder_set_sample_start(&request->builder, request->start_ms);
    return SN_OK;
}

/* ---- exemplars ---- */

static void put_hex(struct sn_str bytes, char *to) {
    for (size_t i = 0; i < bytes.len; i++) {
        to[2 * i] = "0123456789abcdef"[(uint8_t)bytes.ptr[i] >> 4];
        to[2 * i + 1] = "0123456789abcdef"[(uint8_t)bytes.ptr[i] & 15];
    }
}

static sn_status put_id(struct sn_otlp_request *request, struct sn_str name, struct sn_str bytes,
                        struct sn_label *items, size_t *count, struct sn_err *err) {
    if (bytes.len == 0 || bytes.len > 32) {
        return SN_OK; /* none, or nothing that is one */
    }
    char *text = sn_arena_alloc(&request->scratch, 2 * bytes.len);
    if (text == NULL) {
        return sn_arena_failure(&request->scratch, 2 * bytes.len, err);
    }
    put_hex(bytes, text);
    const struct sn_label label = {name, sn_str_make(text, 2 * bytes.len)};
    *count = sn_ingest_put_labels(items, *count, (struct sn_labels){&label, 1});
    return SN_OK;
}

static sn_status make_exemplar(struct sn_otlp_request *request, const struct sn_otlp_exemplar *from,
                               struct sn_exemplar *ret_exemplar, struct sn_err *err) {
    struct sn_label *items = request->exemplar_labels;
    size_t count = 0;
    uint64_t time_ms = from->time_ns / NS_PER_MS;
    SN_TRY(sn_otlp_make_labels(&from->attributes, &request->scratch, items, SN_OTLP_ATTRIBUTES_MAX,
                               &count, err));
    SN_TRY(put_id(request, SN_STR("trace_id"), from->trace_id, items, &count, err));
    SN_TRY(put_id(request, SN_STR("span_id"), from->span_id, items, &count, err));
    bool has_time = time_ms > 0 && time_ms <= (uint64_t)SN_TIME_MS_MAX;
    ret_exemplar->value = from->value;
    ret_exemplar->time_ms = has_time ? (int64_t)time_ms : request->time_ms;
    return sn_labels_make(items, count, &ret_exemplar->labels, err);
}

/* Exemplars of a point with values in (above, up_to], to the series that was added last. */
static sn_status add_exemplars(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                               double above, double up_to, struct sn_err *err) {
    struct sn_otlp_point copy = *point;
    struct sn_otlp_exemplar from;
    while (sn_otlp_next_exemplar(&copy, request->exemplar_attributes, &from)) {
        struct sn_exemplar exemplar;
        struct sn_err why = {.status = SN_OK};
        bool is_here = from.value <= up_to && (from.value > above || isinf(above));
        if (!is_here || request->builder.exemplar_count >= SN_INGEST_SAMPLES_MAX) {
            continue;
        }
        sn_status status = make_exemplar(request, &from, &exemplar, &why);
        if (status == SN_ERR_INVALID || status == SN_ERR_LIMIT) {
            sn_ingest_reject(&request->result.samples, SN_INGEST_LABEL_LIMIT, "exemplar of point",
                             (size_t)request->result.point_count, why.text);
            continue;
        }
        if (status == SN_OK) {
            status =
                sn_batch_builder_add_exemplar(&request->builder, request->series, &exemplar, &why);
        }
        if (status != SN_OK) {
            return sn_err_set(err, status, "%s", why.text);
        }
    }
    return SN_OK;
}

/* ---- deltas ---- */

static sn_status add_delta(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                           struct sn_otlp_delta *delta, struct sn_otlp_total *ret_total,
                           struct sn_err *err) {
    SN_TRY(sn_otlp_stream_key(request, &delta->key, err));
    delta->start_ns = point->start_ns;
    delta->time_ns = point->time_ns;
    delta->now_ms = request->now_ms;
    SN_TRY(sn_otlp_deltas_add(request->deltas, delta, &request->scratch, ret_total, err));
    set_start(request, ret_total->start_ns);
    return SN_OK;
}

static bool is_delta(const struct sn_otlp_point *point) {
    return point->metric->temporality == SN_OTLP_DELTA && !is_gone(point);
}

/* ---- gauges and sums ---- */

static sn_status take_gauge(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                            struct sn_err *err) {
    return add_sample(request, "", no_label, value_or_stale(point, point->value), err);
}

static sn_status take_sum(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                          struct sn_err *err) {
    double value = point->value;
    if (is_delta(point)) {
        struct sn_otlp_delta delta = {.values = &value, .value_count = 1};
        struct sn_otlp_total total;
        SN_TRY(add_delta(request, point, &delta, &total, err));
        value = total.values[0];
    }
    if (!point->metric->is_monotonic) {
        return add_sample(request, "", no_label, value_or_stale(point, value), err);
    }
    SN_TRY(add_counter(request, "", no_label, value_or_stale(point, value), err));
    return add_exemplars(request, point, -HUGE_VAL, HUGE_VAL, err);
}

/* ---- histograms with bounds ---- */

/* Count, sum and buckets of a point, or what its stream has added up to. */
struct classic {
    double count, sum;
    const double *buckets;
};

static bool bounds_are_fine(const struct sn_otlp_point *point) {
    for (size_t i = 0; i < point->bound_count; i++) {
        if (!isfinite(point->bounds[i]) || (i > 0 && point->bounds[i] <= point->bounds[i - 1])) {
            return false;
        }
    }
    return point->bucket_count == 0 ? point->bound_count == 0
                                    : point->bucket_count == point->bound_count + 1;
}

static sn_status add_up_classic(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                                struct classic *classic, struct sn_err *err) {
    size_t count = 2 + point->bucket_count;
    double *values = sn_arena_alloc(&request->scratch, count * sizeof *values);
    struct sn_otlp_total total;
    if (values == NULL) {
        return sn_arena_failure(&request->scratch, count * sizeof *values, err);
    }
    values[0] = point->count;
    values[1] = point->sum;
    memcpy(values + 2, point->bucket_counts, point->bucket_count * sizeof *values);
    struct sn_otlp_delta delta = {.values = values,
                                  .value_count = count,
                                  .bounds = point->bounds,
                                  .bound_count = point->bound_count};
    SN_TRY(add_delta(request, point, &delta, &total, err));
    *classic = (struct classic){total.values[0], total.values[1], total.values + 2};
    return SN_OK;
}

static sn_status add_bucket(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                            size_t bucket, double count, struct sn_err *err) {
    char text[SN_OTLP_NUMBER_SIZE];
    bool is_last = bucket == point->bound_count;
    double bound = is_last ? HUGE_VAL : point->bounds[bucket];
    double below = bucket == 0 ? -HUGE_VAL : point->bounds[bucket - 1];
    struct sn_label le = {SN_STR("le"), sn_otlp_number_text(bound, text)};
    SN_TRY(add_counter(request, "_bucket", le, value_or_stale(point, count), err));
    return add_exemplars(request, point, below, bound, err);
}

static sn_status take_histogram(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                                struct sn_err *err) {
    struct classic classic = {point->count, point->sum, point->bucket_counts};
    double so_far = 0;
    if (!bounds_are_fine(point)) {
        return lose(request, SN_INGEST_INVALID_HISTOGRAM,
                    "its bounds do not ascend, or are not one fewer than its buckets");
    }
    if (is_delta(point)) {
        SN_TRY(add_up_classic(request, point, &classic, err));
    }
    for (size_t i = 0; i < point->bound_count; i++) {
        so_far += classic.buckets[i];
        SN_TRY(add_bucket(request, point, i, so_far, err));
    }
    SN_TRY(add_bucket(request, point, point->bound_count, classic.count, err));
    if (point->has_sum || is_gone(point)) {
        SN_TRY(add_counter(request, "_sum", no_label, value_or_stale(point, classic.sum), err));
    }
    return add_counter(request, "_count", no_label, value_or_stale(point, classic.count), err);
}

/* ---- exponential histograms ---- */

/* One side: our bucket i + 1 is theirs i, `steps` scales lower neighbours are added together. */
static sn_status make_side(struct sn_otlp_request *request, const struct sn_otlp_buckets *from,
                           int steps, struct sn_bucket_span *span, double **ret_counts,
                           struct sn_err *err) {
    double *counts = sn_arena_alloc_zero(&request->scratch, from->count + 1, sizeof *counts);
    if (counts == NULL) {
        return sn_arena_failure(&request->scratch, from->count * sizeof *counts, err);
    }
    int64_t first = (int64_t)from->offset >> steps;
    int64_t last = first;
    for (size_t i = 0; i < from->count; i++) {
        last = ((int64_t)from->offset + (int64_t)i) >> steps;
        counts[last - first] += from->counts[i];
    }
    *span = (struct sn_bucket_span){(int32_t)(first + 1),
                                    from->count > 0 ? (uint32_t)(last - first + 1) : 0};
    *ret_counts = counts;
    return SN_OK;
}

static sn_status make_native(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                             struct sn_bucket_span spans[2], struct sn_histogram *ret_histogram,
                             struct sn_err *err) {
    double *positive, *negative;
    int steps = point->scale > SN_HISTOGRAM_SCHEMA_MAX ? point->scale - SN_HISTOGRAM_SCHEMA_MAX : 0;
    steps = steps < 32 ? steps : 32;
    SN_TRY(make_side(request, &point->positive, steps, &spans[0], &positive, err));
    SN_TRY(make_side(request, &point->negative, steps, &spans[1], &negative, err));
    bool is_stale = is_gone(point);
    *ret_histogram = (struct sn_histogram){
        .schema = point->scale - steps,
        .zero_threshold = point->zero_threshold > 0 ? point->zero_threshold : ZERO_THRESHOLD,
        .zero_count = point->zero_count,
        .count = point->count,
        .sum = is_stale ? sn_double_from_bits(SN_STALE_NAN_BITS) : point->sum,
        .positive_spans = &spans[0],
        .positive_span_count = spans[0].length > 0,
        .positive_counts = positive,
        .positive_bucket_count = spans[0].length,
        .negative_spans = &spans[1],
        .negative_span_count = spans[1].length > 0,
        .negative_counts = negative,
        .negative_bucket_count = spans[1].length,
    };
    return SN_OK;
}

/* Their counts are integers: there is no rounding that could make the buckets more than all. */
static bool count_is_fine(const struct sn_otlp_point *point) {
    double sum = point->zero_count;
    for (size_t i = 0; i < point->positive.count; i++) {
        sum += point->positive.counts[i];
    }
    for (size_t i = 0; i < point->negative.count; i++) {
        sum += point->negative.counts[i];
    }
    return sum <= point->count;
}

static bool offset_is_fine(const struct sn_otlp_buckets *buckets) {
    return buckets->offset > INT32_MIN / 2 && buckets->offset < INT32_MAX / 2;
}

static sn_status take_exponential(struct sn_otlp_request *request,
                                  const struct sn_otlp_point *point, struct sn_err *err) {
    struct sn_bucket_span spans[2];
    struct sn_histogram histogram;
    struct sn_err why = {.status = SN_OK};
    if (!offset_is_fine(&point->positive) || !offset_is_fine(&point->negative) ||
        point->scale < SN_HISTOGRAM_SCHEMA_MIN) {
        return lose(request, SN_INGEST_INVALID_HISTOGRAM,
                    "its scale is below -4, or its buckets are out of the world");
    }
    if (!count_is_fine(point)) {
        return lose(request, SN_INGEST_INVALID_HISTOGRAM, "its buckets have more than its count");
    }
    SN_TRY(make_native(request, point, spans, &histogram, err));
    if (sn_histogram_validate(&histogram, &why) != SN_OK) {
        return lose(request, SN_INGEST_INVALID_HISTOGRAM, why.text);
    }
    if (is_delta(point)) {
        struct sn_otlp_delta delta = {.histogram = &histogram};
        struct sn_otlp_total total;
        SN_TRY(add_delta(request, point, &delta, &total, err));
        histogram = total.histogram;
    }
    SN_TRY(sn_otlp_add_series(request, "", no_label, err));
    SN_TRY(sn_batch_builder_add_histogram(&request->builder, request->series, request->time_ms,
                                          &histogram, err));
    sn_batch_builder_set_histogram_start(&request->builder, request->start_ms);
    return add_exemplars(request, point, -HUGE_VAL, HUGE_VAL, err);
}

/* ---- summaries ---- */

static sn_status take_summary(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                              struct sn_err *err) {
    for (size_t i = 0; i < point->quantile_count; i++) {
        char text[SN_OTLP_NUMBER_SIZE];
        struct sn_label label = {SN_STR("quantile"),
                                 sn_otlp_number_text(point->quantiles[i].quantile, text)};
        SN_TRY(
            add_sample(request, "", label, value_or_stale(point, point->quantiles[i].value), err));
    }
    SN_TRY(add_counter(request, "_sum", no_label, value_or_stale(point, point->sum), err));
    return add_counter(request, "_count", no_label, value_or_stale(point, point->count), err);
}

/* ---- the request ---- */

static sn_status take_data(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                           struct sn_err *err) {
    switch (point->metric->kind) {
    case SN_OTLP_GAUGE:
        return take_gauge(request, point, err);
    case SN_OTLP_SUM:
        return take_sum(request, point, err);
    case SN_OTLP_HISTOGRAM:
        return take_histogram(request, point, err);
    case SN_OTLP_EXPONENTIAL:
        return take_exponential(request, point, err);
    case SN_OTLP_SUMMARY:
        return take_summary(request, point, err);
    case SN_OTLP_NO_DATA:
        break;
    }
    return SN_OK;
}

static sn_status take_point(struct sn_otlp_request *request, const struct sn_otlp_point *point,
                            struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    bool needs_value = point->metric->kind == SN_OTLP_GAUGE || point->metric->kind == SN_OTLP_SUM;
    SN_TRY(sn_otlp_begin_metric(request, point->metric, err));
    if (!head_is_fine(request, point)) {
        return SN_OK;
    }
    if (needs_value && !point->has_value && !is_gone(point)) {
        return lose(request, SN_INGEST_MALFORMED, "it has no value");
    }
    sn_status status = sn_otlp_begin_labels(request, &point->attributes, &why);
    if (status == SN_OK) {
        status = take_data(request, point, &why);
    }
    if (status == SN_OK && request->time_ms > request->target_time_ms) {
        request->target_time_ms = request->time_ms;
    }
    return lose_for(request, status, &why, err);
}

static sn_status on_point(void *ctx, const struct sn_otlp_point *point, struct sn_err *err) {
    struct sn_otlp_request *request = ctx;
    request->result.point_count++;
    sn_arena_reset(&request->scratch);
    if (point->resource_number != request->resource_number) {
        SN_TRY(sn_otlp_end_resource(request, err));
        request->resource_number = point->resource_number;
        SN_TRY(sn_otlp_begin_resource(request, point->resource, err));
    }
    return take_point(request, point, err);
}

static sn_status take_request(struct sn_otlp_request *request, struct sn_str body,
                              const struct sn_push_done *done, struct sn_err *err) {
    const struct sn_otlp_visitor visitor = {on_point, request};
    const struct sn_ingest_options options = {.samples_max = 0};
    struct sn_ingest_otlp_result *result = &request->result;
    SN_TRY(sn_ingest_check_request(body, &options, err));
    SN_TRY(sn_otlp_read_metrics(body, &request->texts, &visitor, err));
    SN_TRY(sn_otlp_end_resource(request, err));
    uint64_t lost_before = result->samples.lost_count;
    struct sn_batch batch = sn_batch_builder_view(&request->builder);
    SN_TRY(sn_ingest_push(request->ingest, SN_INGEST_OTLP, &batch, done, &result->samples, err));
    uint64_t lost = result->rejected_point_count + result->samples.lost_count - lost_before;
    result->rejected_point_count = lost < result->point_count ? lost : result->point_count;
    return SN_OK;
}

sn_status sn_ingest_otlp_metrics(struct sn_ingest *ingest, struct sn_otlp_deltas *deltas,
                                 struct sn_str body, int64_t now_ms, struct sn_push_done done,
                                 struct sn_ingest_otlp_result *ret_result, struct sn_err *err) {
    struct sn_otlp_request *request = sn_alloc_zero(1, sizeof *request);
    if (request == NULL) {
        sn_ingest_count_request(ingest, SN_ERR_NO_MEMORY);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a request");
    }
    request->ingest = ingest;
    request->deltas = deltas;
    request->now_ms = now_ms;
    sn_arena_init(&request->texts, SN_ARENA_LIMIT_DEFAULT);
    sn_arena_init(&request->scratch, SN_ARENA_LIMIT_DEFAULT);
    sn_batch_builder_init(&request->builder, SN_INGEST_MEMORY_MAX);
    sn_status status = take_request(request, body, &done, err);
    if (status == SN_OK) {
        *ret_result = request->result;
    }
    sn_batch_builder_release(&request->builder);
    sn_arena_release(&request->scratch);
    sn_arena_release(&request->texts);
    sn_free(request);
    sn_ingest_count_request(ingest, status);
    return status;
}

sn_status sn_ingest_otlp_logs(struct sn_ingest *ingest, struct sn_str body,
                              uint64_t *ret_rejected_count, struct sn_err *err) {
    sn_status status = sn_otlp_count_logs(body, ret_rejected_count, err);
    if (status == SN_OK) {
        sn_ingest_count_rejected(ingest, SN_INGEST_LOG_RECORD, *ret_rejected_count);
    }
    sn_ingest_count_request(ingest, status);
    return status;
}
