/*
 * Reader of MetricFamily messages: one function per message of io/prometheus/client/metrics.proto.
 *
 * Repeated numbers come one by one (proto2) or packed (proto3): both are read.
 *
 * Pure. The caller's thread.
 */
#include "wire/metric_family.h"

#include "base/check.h"
#include "base/limits.h"
#include "codec/number.h"
#include "codec/protobuf.h"

#include <math.h>

/* The numbers of enum MetricType. */
enum wire_type {
    WIRE_COUNTER = 0,
    WIRE_GAUGE = 1,
    WIRE_SUMMARY = 2,
    WIRE_UNTYPED = 3,
    WIRE_HISTOGRAM = 4,
    WIRE_GAUGE_HISTOGRAM = 5,
};

/* Name and one of le or quantile beside the labels of the message. */
enum { LABELS_MAX = SN_LABELS_MAX + 2 };

/* One family while it is read. */
struct family {
    const struct sn_family_visitor *visitor;
    struct sn_arena *arena;
    struct sn_metadata metadata;
    enum wire_type type;
    struct sn_label labels[LABELS_MAX]; /* of the metric: [0] is its name */
    size_t label_count;
    struct sn_family_point point; /* what the points of one metric share */
};

static sn_status malformed(const char *what, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "%s is not well-formed", what);
}

/* ---- numbers ---- */

static sn_status get_double(const struct sn_protobuf_field *field, double *ret,
                            struct sn_err *err) {
    if (field->type != SN_PROTOBUF_FIXED64)
        return malformed("a number", err);
    *ret = sn_protobuf_double(field);
    return SN_OK;
}

static sn_status get_bits(const struct sn_protobuf_field *field, uint64_t *ret,
                          struct sn_err *err) {
    if (field->type != SN_PROTOBUF_VARINT)
        return malformed("a number", err);
    *ret = field->bits;
    return SN_OK;
}

static sn_status get_text(const struct sn_protobuf_field *field, struct sn_str *ret,
                          struct sn_err *err) {
    if (field->type != SN_PROTOBUF_BYTES || !sn_str_is_utf8(field->bytes))
        return malformed("a text", err);
    *ret = field->bytes;
    return SN_OK;
}

static sn_status open_message(const struct sn_protobuf_field *field,
                              struct sn_protobuf_reader *reader, struct sn_err *err) {
    if (field->type != SN_PROTOBUF_BYTES)
        return malformed("a message", err);
    sn_protobuf_open(reader, field->bytes);
    return SN_OK;
}

static sn_status close_message(const struct sn_protobuf_reader *reader, const char *what,
                               struct sn_err *err) {
    return sn_protobuf_is_broken(reader) ? malformed(what, err) : SN_OK;
}

/* google.protobuf.Timestamp as milliseconds. */
static sn_status get_time(const struct sn_protobuf_field *of, int64_t *ret_ms, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    uint64_t seconds = 0, nanos = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_bits(&field, &seconds, err));
        else if (field.number == 2)
            SN_TRY(get_bits(&field, &nanos, err));
    }
    SN_TRY(close_message(&reader, "a timestamp", err));
    if (seconds > SN_TIME_MS_MAX / 1000 || nanos > 999999999)
        return malformed("a timestamp", err);
    *ret_ms = (int64_t)(seconds * 1000 + nanos / 1000000);
    return SN_OK;
}

/* ---- labels ---- */

static sn_status add_label(const struct sn_protobuf_field *of, struct sn_label *labels,
                           size_t *count, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_label label = {SN_STR(""), SN_STR("")};
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_text(&field, &label.name, err));
        else if (field.number == 2)
            SN_TRY(get_text(&field, &label.value, err));
    }
    SN_TRY(close_message(&reader, "a label", err));
    if (*count == SN_LABELS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "a metric has more than %d labels", SN_LABELS_MAX - 1);
    labels[(*count)++] = label;
    return SN_OK;
}

/* ---- exemplars ---- */

static sn_status get_exemplar(struct family *family, const struct sn_protobuf_field *of,
                              struct sn_exemplar *ret_exemplar, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_label labels[SN_LABELS_MAX];
    struct sn_labels valid;
    size_t count = 0;
    struct sn_exemplar exemplar = {.time_ms = 0};
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(add_label(&field, labels, &count, err));
        else if (field.number == 2)
            SN_TRY(get_double(&field, &exemplar.value, err));
        else if (field.number == 3)
            SN_TRY(get_time(&field, &exemplar.time_ms, err));
    }
    SN_TRY(close_message(&reader, "an exemplar", err));
    SN_TRY(sn_labels_make(labels, count, &valid, err));
    sn_status status = sn_labels_copy(valid, family->arena, &exemplar.labels);
    if (status != SN_OK)
        return sn_err_set(err, status, "no room for the labels of an exemplar");
    *ret_exemplar = exemplar;
    return SN_OK;
}

/* ---- points ---- */

/* Tell the visitor about the metric's name with a suffix, and one more label when name.len > 0. */
static sn_status emit(struct family *family, struct sn_str suffix, struct sn_label extra,
                      double value, const struct sn_exemplar *exemplar, struct sn_err *err) {
    struct sn_label labels[LABELS_MAX];
    struct sn_family_point point = family->point;
    memcpy(labels, family->labels, family->label_count * sizeof labels[0]);
    point.labels = labels;
    point.label_count = family->label_count;
    point.value = value;
    point.exemplars = exemplar;
    point.exemplar_count = exemplar != NULL;
    if (suffix.len > 0) {
        char *name = sn_arena_printf(family->arena, "%.*s%.*s",
                                     SN_STR_ARG(family->metadata.metric_name), SN_STR_ARG(suffix));
        if (name == NULL)
            return sn_arena_failure(family->arena, family->metadata.metric_name.len + suffix.len,
                                    err);
        labels[0].value = sn_str_make(name, family->metadata.metric_name.len + suffix.len);
    }
    if (extra.name.len > 0)
        labels[point.label_count++] = extra;
    return family->visitor->point(family->visitor->ctx, &point, err);
}

static sn_status emit_plain(struct family *family, struct sn_str suffix, double value,
                            const struct sn_exemplar *exemplar, struct sn_err *err) {
    const struct sn_label none = {SN_STR(""), SN_STR("")};
    return emit(family, suffix, none, value, exemplar, err);
}

/* With a label that is a number: le, quantile. */
static sn_status emit_at(struct family *family, struct sn_str suffix, struct sn_str name,
                         double bound, double value, const struct sn_exemplar *exemplar,
                         struct sn_err *err) {
    char text[SN_DOUBLE_TEXT_SIZE];
    size_t len = sn_double_format(bound, SN_DOUBLE_OPENMETRICS, text);
    struct sn_label label = {.name = name};
    if (!sn_arena_copy(family->arena, sn_str_make(text, len), &label.value))
        return sn_arena_failure(family->arena, len, err);
    return emit(family, suffix, label, value, exemplar, err);
}

/* ---- counter, gauge, untyped ---- */

static sn_status read_number(struct family *family, const struct sn_protobuf_field *of,
                             struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_exemplar exemplar;
    bool has_exemplar = false;
    double value = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_double(&field, &value, err));
        else if (field.number == 2 && family->type == WIRE_COUNTER) {
            SN_TRY(get_exemplar(family, &field, &exemplar, err));
            has_exemplar = true;
        } else if (field.number == 3 && family->type == WIRE_COUNTER)
            SN_TRY(get_time(&field, &family->point.start_time_ms, err));
    }
    SN_TRY(close_message(&reader, "a metric", err));
    return emit_plain(family, SN_STR(""), value, has_exemplar ? &exemplar : NULL, err);
}

/* ---- summary ---- */

static sn_status read_quantile(struct family *family, const struct sn_protobuf_field *of,
                               struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    double quantile = 0, value = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_double(&field, &quantile, err));
        else if (field.number == 2)
            SN_TRY(get_double(&field, &value, err));
    }
    SN_TRY(close_message(&reader, "a quantile", err));
    return emit_at(family, SN_STR(""), SN_STR("quantile"), quantile, value, NULL, err);
}

static sn_status read_summary(struct family *family, const struct sn_protobuf_field *of,
                              struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    uint64_t count = 0;
    double sum = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_bits(&field, &count, err));
        else if (field.number == 2)
            SN_TRY(get_double(&field, &sum, err));
        else if (field.number == 4)
            SN_TRY(get_time(&field, &family->point.start_time_ms, err));
    }
    SN_TRY(close_message(&reader, "a summary", err));
    SN_TRY(emit_plain(family, SN_STR("_count"), (double)count, NULL, err));
    SN_TRY(emit_plain(family, SN_STR("_sum"), sum, NULL, err));
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field))
        if (field.number == 3)
            SN_TRY(read_quantile(family, &field, err));
    return SN_OK;
}

/* ---- histograms ---- */

/* Numbers of one kind, all fields of them together. */
struct numbers {
    double *items;
    uint32_t count, capacity;
};

/* One side of a native histogram. Deltas are integers that add up. */
struct side {
    struct sn_bucket_span *spans;
    uint32_t span_count, span_capacity;
    struct numbers counts;
    int64_t last;
};

struct histogram {
    struct sn_histogram native;
    uint64_t count, zero_count;
    double count_float, zero_count_float;
    struct side positive, negative;
    struct sn_exemplar *exemplars;
    size_t exemplar_count, exemplar_capacity;
};

/* How many numbers a field of either form has at most. */
static uint32_t number_count(const struct sn_protobuf_field *field) {
    return field->type == SN_PROTOBUF_BYTES ? (uint32_t)field->bytes.len : 1;
}

/* Count what the arrays will hold, to take their memory once. */
static void measure(struct sn_protobuf_reader reader, struct histogram *histogram) {
    struct sn_protobuf_field field;
    while (sn_protobuf_next(&reader, &field)) {
        switch (field.number) {
        case 9:
            histogram->negative.span_capacity++;
            break;
        case 10:
        case 11:
            histogram->negative.counts.capacity += number_count(&field);
            break;
        case 12:
            histogram->positive.span_capacity++;
            break;
        case 13:
        case 14:
            histogram->positive.counts.capacity += number_count(&field);
            break;
        case 16:
            histogram->exemplar_capacity++;
            break;
        default:
            break;
        }
    }
}

static sn_status take_room(struct family *family, void *ret_pointer, size_t count, size_t size,
                           struct sn_err *err) {
    void *room = sn_arena_alloc_zero(family->arena, count, size);
    if (room == NULL)
        return sn_arena_failure(family->arena, count * size, err);
    memcpy(ret_pointer, &room, sizeof room);
    return SN_OK;
}

static sn_status take_side(struct family *family, struct side *side, struct sn_err *err) {
    if (side->span_capacity > SN_HISTOGRAM_BUCKETS_MAX ||
        side->counts.capacity > SN_HISTOGRAM_BUCKETS_MAX * 10)
        return sn_err_set(err, SN_ERR_LIMIT, "a histogram has more than %d buckets",
                          SN_HISTOGRAM_BUCKETS_MAX);
    SN_TRY(take_room(family, &side->spans, side->span_capacity, sizeof *side->spans, err));
    return take_room(family, &side->counts.items, side->counts.capacity, sizeof(double), err);
}

static sn_status read_span(struct side *side, const struct sn_protobuf_field *of,
                           struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    uint64_t offset = 0, length = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_bits(&field, &offset, err));
        else if (field.number == 2)
            SN_TRY(get_bits(&field, &length, err));
    }
    SN_TRY(close_message(&reader, "a span of buckets", err));
    int64_t signed_offset = sn_zigzag_decode(offset);
    if (signed_offset < INT32_MIN || signed_offset > INT32_MAX || length > UINT32_MAX)
        return malformed("a span of buckets", err);
    side->spans[side->span_count++] =
        (struct sn_bucket_span){(int32_t)signed_offset, (uint32_t)length};
    return SN_OK;
}

static sn_status add_delta(struct side *side, uint64_t bits, struct sn_err *err) {
    if (__builtin_add_overflow(side->last, sn_zigzag_decode(bits), &side->last))
        return malformed("a bucket", err);
    side->counts.items[side->counts.count++] = (double)side->last;
    return SN_OK;
}

static sn_status read_deltas(struct side *side, const struct sn_protobuf_field *field,
                             struct sn_err *err) {
    if (field->type == SN_PROTOBUF_VARINT)
        return add_delta(side, field->bits, err);
    if (field->type != SN_PROTOBUF_BYTES)
        return malformed("a bucket", err);
    const uint8_t *at = (const uint8_t *)field->bytes.ptr, *end = at + field->bytes.len;
    while (at != end) {
        uint64_t bits;
        at = sn_varint_get(at, end, &bits);
        if (at == NULL)
            return malformed("a bucket", err);
        SN_TRY(add_delta(side, bits, err));
    }
    return SN_OK;
}

static sn_status read_counts(struct side *side, const struct sn_protobuf_field *field,
                             struct sn_err *err) {
    if (field->type == SN_PROTOBUF_FIXED64) {
        side->counts.items[side->counts.count++] = sn_protobuf_double(field);
        return SN_OK;
    }
    if (field->type != SN_PROTOBUF_BYTES || field->bytes.len % 8 != 0)
        return malformed("a bucket", err);
    for (size_t i = 0; i < field->bytes.len; i += 8)
        side->counts.items[side->counts.count++] =
            sn_double_from_bits(sn_load_u64le(field->bytes.ptr + i));
    return SN_OK;
}

static sn_status read_histogram_exemplar(struct family *family, struct histogram *histogram,
                                         const struct sn_protobuf_field *field,
                                         struct sn_err *err) {
    SN_TRY(get_exemplar(family, field, &histogram->exemplars[histogram->exemplar_count], err));
    histogram->exemplar_count++;
    return SN_OK;
}

static sn_status read_native_field(struct family *family, struct histogram *histogram,
                                   const struct sn_protobuf_field *field, struct sn_err *err) {
    switch (field->number) {
    case 6:
        return get_double(field, &histogram->native.zero_threshold, err);
    case 7:
        return get_bits(field, &histogram->zero_count, err);
    case 8:
        return get_double(field, &histogram->zero_count_float, err);
    case 9:
        return read_span(&histogram->negative, field, err);
    case 10:
        return read_deltas(&histogram->negative, field, err);
    case 11:
        return read_counts(&histogram->negative, field, err);
    case 12:
        return read_span(&histogram->positive, field, err);
    case 13:
        return read_deltas(&histogram->positive, field, err);
    case 14:
        return read_counts(&histogram->positive, field, err);
    case 16:
        return read_histogram_exemplar(family, histogram, field, err);
    default:
        return SN_OK; /* of a version to come, or a bucket, which comes later */
    }
}

static sn_status read_histogram_field(struct family *family, struct histogram *histogram,
                                      const struct sn_protobuf_field *field, struct sn_err *err) {
    uint64_t schema = 0;
    switch (field->number) {
    case 1:
        return get_bits(field, &histogram->count, err);
    case 2:
        return get_double(field, &histogram->native.sum, err);
    case 4:
        return get_double(field, &histogram->count_float, err);
    case 5:
        SN_TRY(get_bits(field, &schema, err));
        histogram->native.schema = (int32_t)sn_zigzag_decode(schema);
        return SN_OK;
    case 15:
        return get_time(field, &family->point.start_time_ms, err);
    default:
        return read_native_field(family, histogram, field, err);
    }
}

static bool is_native(const struct histogram *histogram) {
    return histogram->positive.span_count > 0 || histogram->negative.span_count > 0 ||
           histogram->native.zero_threshold > 0 || histogram->zero_count > 0 ||
           histogram->zero_count_float > 0;
}

static double total(const struct histogram *histogram) {
    return histogram->count_float > 0 ? histogram->count_float : (double)histogram->count;
}

static sn_status emit_native(struct family *family, struct histogram *histogram,
                             struct sn_err *err) {
    struct sn_histogram *native = &histogram->native;
    struct sn_family_point point = family->point;
    struct sn_label labels[LABELS_MAX];
    native->count = total(histogram);
    native->zero_count = histogram->zero_count_float > 0 ? histogram->zero_count_float
                                                         : (double)histogram->zero_count;
    native->reset_hint = family->type == WIRE_GAUGE_HISTOGRAM ? SN_RESET_GAUGE : SN_RESET_UNKNOWN;
    native->positive_spans = histogram->positive.spans;
    native->positive_span_count = histogram->positive.span_count;
    native->positive_counts = histogram->positive.counts.items;
    native->positive_bucket_count = histogram->positive.counts.count;
    native->negative_spans = histogram->negative.spans;
    native->negative_span_count = histogram->negative.span_count;
    native->negative_counts = histogram->negative.counts.items;
    native->negative_bucket_count = histogram->negative.counts.count;
    SN_TRY(sn_histogram_validate(native, err));
    memcpy(labels, family->labels, family->label_count * sizeof labels[0]);
    point.labels = labels;
    point.label_count = family->label_count;
    point.histogram = native;
    point.exemplars = histogram->exemplars;
    point.exemplar_count = histogram->exemplar_count;
    return family->visitor->point(family->visitor->ctx, &point, err);
}

/* One bucket as x_bucket{le}; *is_open tells that the bucket of +Inf has not come yet. */
static sn_status read_bucket(struct family *family, const struct sn_protobuf_field *of,
                             bool *is_open, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_exemplar exemplar;
    bool has_exemplar = false;
    uint64_t count = 0;
    double count_float = 0, bound = 0;
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_bits(&field, &count, err));
        else if (field.number == 2)
            SN_TRY(get_double(&field, &bound, err));
        else if (field.number == 3) {
            SN_TRY(get_exemplar(family, &field, &exemplar, err));
            has_exemplar = true;
        } else if (field.number == 4)
            SN_TRY(get_double(&field, &count_float, err));
    }
    SN_TRY(close_message(&reader, "a bucket", err));
    *is_open = *is_open && !(isinf(bound) && bound > 0);
    return emit_at(family, SN_STR("_bucket"), SN_STR("le"), bound,
                   count_float > 0 ? count_float : (double)count, has_exemplar ? &exemplar : NULL,
                   err);
}

static sn_status emit_classic(struct family *family, const struct histogram *histogram,
                              const struct sn_protobuf_field *of, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    bool is_open = true;
    SN_TRY(emit_plain(family, SN_STR("_count"), total(histogram), NULL, err));
    SN_TRY(emit_plain(family, SN_STR("_sum"), histogram->native.sum, NULL, err));
    SN_TRY(open_message(of, &reader, err));
    while (sn_protobuf_next(&reader, &field))
        if (field.number == 3)
            SN_TRY(read_bucket(family, &field, &is_open, err));
    if (!is_open)
        return SN_OK;
    return emit_at(family, SN_STR("_bucket"), SN_STR("le"), (double)INFINITY, total(histogram),
                   NULL, err);
}

static sn_status read_histogram(struct family *family, const struct sn_protobuf_field *of,
                                struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct histogram histogram = {.count = 0};
    SN_TRY(open_message(of, &reader, err));
    measure(reader, &histogram);
    SN_TRY(take_side(family, &histogram.positive, err));
    SN_TRY(take_side(family, &histogram.negative, err));
    SN_TRY(take_room(family, &histogram.exemplars, histogram.exemplar_capacity,
                     sizeof *histogram.exemplars, err));
    while (sn_protobuf_next(&reader, &field))
        SN_TRY(read_histogram_field(family, &histogram, &field, err));
    SN_TRY(close_message(&reader, "a histogram", err));
    bool becomes_native = family->visitor->wants_native && is_native(&histogram);
    if (becomes_native)
        SN_TRY(emit_native(family, &histogram, err));
    return becomes_native && !family->visitor->wants_classic_too
               ? SN_OK
               : emit_classic(family, &histogram, of, err);
}

/* ---- metrics and families ---- */

/* Labels and time, before the value is read. */
static sn_status read_metric_head(struct family *family, struct sn_protobuf_reader reader,
                                  struct sn_err *err) {
    struct sn_protobuf_field field;
    uint64_t time_ms = 0;
    family->label_count = 0;
    family->labels[family->label_count++] =
        (struct sn_label){SN_LABEL_METRIC_NAME, family->metadata.metric_name};
    family->point = (struct sn_family_point){.time_ms = 0};
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(add_label(&field, family->labels, &family->label_count, err));
        else if (field.number == 6)
            SN_TRY(get_bits(&field, &time_ms, err));
    }
    family->point.time_ms = (int64_t)time_ms;
    return close_message(&reader, "a metric", err);
}

/* The field of message Metric that a type has its value in. */
static uint32_t value_field(enum wire_type type) {
    switch (type) {
    case WIRE_COUNTER:
        return 3;
    case WIRE_GAUGE:
        return 2;
    case WIRE_SUMMARY:
        return 4;
    case WIRE_UNTYPED:
        return 5;
    case WIRE_HISTOGRAM:
    case WIRE_GAUGE_HISTOGRAM:
        return 7;
    }
    return 0;
}

static sn_status read_value(struct family *family, const struct sn_protobuf_field *field,
                            struct sn_err *err) {
    switch (family->type) {
    case WIRE_COUNTER:
    case WIRE_GAUGE:
    case WIRE_UNTYPED:
        return read_number(family, field, err);
    case WIRE_SUMMARY:
        return read_summary(family, field, err);
    case WIRE_HISTOGRAM:
    case WIRE_GAUGE_HISTOGRAM:
        return read_histogram(family, field, err);
    }
    return malformed("a metric", err);
}

static sn_status read_metric(struct family *family, const struct sn_protobuf_field *of,
                             struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    SN_TRY(open_message(of, &reader, err));
    SN_TRY(read_metric_head(family, reader, err));
    while (sn_protobuf_next(&reader, &field))
        if (field.number == value_field(family->type))
            return read_value(family, &field, err);
    return sn_err_set(err, SN_ERR_INVALID, "a metric has no value of its family's type");
}

static enum sn_metric_type model_type(enum wire_type type) {
    switch (type) {
    case WIRE_COUNTER:
        return SN_METRIC_COUNTER;
    case WIRE_GAUGE:
        return SN_METRIC_GAUGE;
    case WIRE_SUMMARY:
        return SN_METRIC_SUMMARY;
    case WIRE_UNTYPED:
        return SN_METRIC_UNKNOWN;
    case WIRE_HISTOGRAM:
        return SN_METRIC_HISTOGRAM;
    case WIRE_GAUGE_HISTOGRAM:
        return SN_METRIC_GAUGE_HISTOGRAM;
    }
    return SN_METRIC_UNKNOWN;
}

static sn_status read_family_head(struct family *family, struct sn_protobuf_reader reader,
                                  struct sn_err *err) {
    struct sn_protobuf_field field;
    uint64_t type = WIRE_COUNTER;
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1)
            SN_TRY(get_text(&field, &family->metadata.metric_name, err));
        else if (field.number == 2)
            SN_TRY(get_text(&field, &family->metadata.help, err));
        else if (field.number == 3)
            SN_TRY(get_bits(&field, &type, err));
        else if (field.number == 5)
            SN_TRY(get_text(&field, &family->metadata.unit, err));
    }
    SN_TRY(close_message(&reader, "a metric family", err));
    if (family->metadata.metric_name.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "a metric family has no name");
    if (type > WIRE_GAUGE_HISTOGRAM)
        return sn_err_set(err, SN_ERR_INVALID, "a metric family has the unknown type %llu",
                          (unsigned long long)type);
    family->type = (enum wire_type)type;
    family->metadata.type = model_type(family->type);
    return SN_OK;
}

static sn_status read_family(struct family *family, struct sn_str message, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    SN_TRY(read_family_head(family, reader, err));
    SN_TRY(family->visitor->family(family->visitor->ctx, &family->metadata, err));
    while (sn_protobuf_next(&reader, &field))
        if (field.number == 4)
            SN_TRY(read_metric(family, &field, err));
    return SN_OK;
}

sn_status sn_metric_families_read(struct sn_str body, const struct sn_family_visitor *visitor,
                                  struct sn_arena *arena, struct sn_err *err) {
    const uint8_t *at = (const uint8_t *)(body.len > 0 ? body.ptr : ""), *end = at + body.len;
    struct sn_err local = {.status = SN_OK};
    err = err != NULL ? err : &local; /* a sentence that gets the family's number in front */
    for (size_t number = 1; at != end; number++) {
        struct family family = {.visitor = visitor, .arena = arena};
        uint64_t len;
        at = sn_varint_get(at, end, &len);
        if (at == NULL || len > (uint64_t)(end - at))
            return sn_err_set(err, SN_ERR_INVALID, "metric family %zu is cut short", number);
        sn_status status = read_family(&family, sn_str_make(at, (size_t)len), err);
        if (status != SN_OK) {
            struct sn_str name = family.metadata.metric_name;
            sn_err_prefix(err, "metric family %zu (%.*s)", number,
                          (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "");
            return status;
        }
        at += len;
        sn_arena_reset(arena);
    }
    return SN_OK;
}
