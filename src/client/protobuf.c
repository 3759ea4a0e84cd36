/*
 * Pages in Prometheus' protobuf format: io.prometheus.client.MetricFamily messages, each behind its
 * length. What it has and text has not: native histograms as they are, start times, exemplars.
 *
 * A message is written inside out into three buffers: what a metric holds, the metric, the family,
 * because each stands behind its length. One thread per page.
 */
#include "codec/protobuf.h"
#include "base/buf.h"
#include "client/page_priv.h"
#include "codec/number.h"

/* Field numbers of metrics.proto. */
enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, FAMILY_UNIT = 5 };
enum { METRIC_LABEL = 1, METRIC_GAUGE = 2, METRIC_COUNTER = 3, METRIC_HISTOGRAM = 7 };
enum { PAIR_NAME = 1, PAIR_VALUE = 2 };
enum { GAUGE_VALUE = 1, COUNTER_VALUE = 1, COUNTER_EXEMPLAR = 2, COUNTER_CREATED = 3 };
enum { EXEMPLAR_LABEL = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIME = 3 };
enum { TIME_SECONDS = 1, TIME_NANOS = 2 };
enum {
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_SPAN = 12,
    HISTOGRAM_DELTA = 13,
    HISTOGRAM_CREATED = 15,
};
enum { BUCKET_COUNT = 1, BUCKET_BOUND = 2 };
enum { SPAN_OFFSET = 1, SPAN_LENGTH = 2 };
enum { TYPE_COUNTER = 0, TYPE_GAUGE = 1, TYPE_HISTOGRAM = 4 };

#define GAP_FILLED 2 /* empty buckets between two full ones that cost less than a new span */

struct protobuf {
    struct sn_page *page;
    struct sn_buf family;
    struct sn_buf metric;
    struct sn_buf inner; /* what is in the metric */
    struct sn_buf small; /* what is in that */
    sonde_type type;
};

/* Fields. */

static void put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t *at = sn_buf_reserve(buf, SN_VARINT_BYTES_MAX);
    if (at != NULL)
        buf->len += (size_t)(sn_varint_put(at, value) - at);
}

static void put_tag(struct sn_buf *buf, unsigned field, enum sn_protobuf_type type) {
    put_varint(buf, (uint64_t)field << 3 | (unsigned)type);
}

static void put_number(struct sn_buf *buf, unsigned field, uint64_t value) {
    put_tag(buf, field, SN_PROTOBUF_VARINT);
    put_varint(buf, value);
}

static void put_double(struct sn_buf *buf, unsigned field, double value) {
    put_tag(buf, field, SN_PROTOBUF_FIXED64);
    sn_buf_put_u64le(buf, sn_bits_of(value));
}

static void put_bytes(struct sn_buf *buf, unsigned field, struct sn_str bytes) {
    put_tag(buf, field, SN_PROTOBUF_BYTES);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

/* A message that was made in a buffer of its own, which is emptied. */
static void put_message(struct sn_buf *buf, unsigned field, struct sn_buf *message) {
    put_bytes(buf, field, sn_buf_str(message));
    if (message->status != SN_OK && buf->status == SN_OK)
        buf->status = message->status;
    sn_buf_reset(message);
}

static void put_pair(struct sn_buf *buf, unsigned field, struct sn_str name, struct sn_str value) {
    size_t len = 2 + sn_varint_size(name.len) + name.len + sn_varint_size(value.len) + value.len;
    put_tag(buf, field, SN_PROTOBUF_BYTES);
    put_varint(buf, len);
    put_bytes(buf, PAIR_NAME, name);
    put_bytes(buf, PAIR_VALUE, value);
}

static void put_time(struct sn_buf *buf, unsigned field, int64_t wall_ms) {
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    uint64_t nanos = ms % 1000 * 1000000;
    put_tag(buf, field, SN_PROTOBUF_BYTES);
    put_varint(buf, 2 + sn_varint_size(ms / 1000) + sn_varint_size(nanos));
    put_number(buf, TIME_SECONDS, ms / 1000);
    put_number(buf, TIME_NANOS, nanos);
}

/* Families. */

static void flush_family(struct protobuf *pb) {
    if (pb->family.len == 0)
        return;
    uint8_t len[SN_VARINT_BYTES_MAX];
    size_t len_bytes = (size_t)(sn_varint_put(len, pb->family.len) - len);
    if (pb->family.status == SN_OK) {
        sn_page_put(pb->page, (const char *)len, len_bytes);
        sn_page_put_str(pb->page, sn_buf_str(&pb->family));
        pb->family.len = 0;
    }
}

static uint64_t type_number(sonde_type type) {
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return TYPE_COUNTER;
    case SONDE_TYPE_HISTOGRAM:
        return TYPE_HISTOGRAM;
    case SONDE_TYPE_GAUGE:
    case SONDE_TYPE_INFO: /* the format has no infos */
        return TYPE_GAUGE;
    }
    return TYPE_GAUGE;
}

static int put_family(void *ctx, const sonde_family_info *info, const struct sn_family *family) {
    struct protobuf *pb = ctx;
    (void)family;
    flush_family(pb);
    pb->type = info->type;
    put_bytes(&pb->family, FAMILY_NAME, sn_str_from(info->name));
    if (info->help[0] != '\0')
        put_bytes(&pb->family, FAMILY_HELP, sn_str_from(info->help));
    put_number(&pb->family, FAMILY_TYPE, type_number(info->type));
    if (info->unit[0] != '\0')
        put_bytes(&pb->family, FAMILY_UNIT, sn_str_from(info->unit));
    return pb->page->stop != 0 || pb->family.status != SN_OK;
}

/* Metrics. */

static void put_labels(struct protobuf *pb, const struct sn_line *line) {
    size_t count = line->series != NULL ? line->series->family->label_count : 0;
    for (size_t i = 0; i < count; i++)
        put_pair(&pb->metric, METRIC_LABEL, sn_str_from(line->series->family->label_names[i]),
                 sn_series_value(line->series, i));
    if (line->extra != NULL)
        put_pair(&pb->metric, METRIC_LABEL, sn_str_from(line->extra->name),
                 sn_str_from(line->extra->value));
}

static int put_metric(struct protobuf *pb, const struct sn_line *line, unsigned field) {
    put_labels(pb, line);
    put_message(&pb->metric, field, &pb->inner);
    put_message(&pb->family, FAMILY_METRIC, &pb->metric);
    return pb->family.status != SN_OK;
}

/* Bytes of an error that are UTF-8; the format's strings must be. */
static struct sn_str valid_part(const char *text) {
    struct sn_str all = sn_str_from(text);
    struct sn_str part = sn_str_make(text, 0);
    while (part.len < all.len) {
        size_t len = sn_str_utf8_char_len(sn_str_make(text + part.len, all.len - part.len));
        if (len == 0)
            break;
        part.len += len;
    }
    return part;
}

static void put_exemplar(struct protobuf *pb, const struct sn_error_text *error) {
    if (error->error_class[0] != '\0')
        put_pair(&pb->small, EXEMPLAR_LABEL, SN_STR("class"), valid_part(error->error_class));
    if (error->message[0] != '\0')
        put_pair(&pb->small, EXEMPLAR_LABEL, SN_STR("message"), valid_part(error->message));
    put_double(&pb->small, EXEMPLAR_VALUE, 1);
    put_time(&pb->small, EXEMPLAR_TIME, error->wall_ms);
    put_message(&pb->inner, COUNTER_EXEMPLAR, &pb->small);
}

static int put_counter(struct protobuf *pb, const struct sn_line *line) {
    put_double(&pb->inner, COUNTER_VALUE, line->number);
    if (line->last_error != NULL && line->integer > 0)
        put_exemplar(pb, line->last_error);
    if (line->created_wall_ms != 0)
        put_time(&pb->inner, COUNTER_CREATED, line->created_wall_ms);
    return put_metric(pb, line, METRIC_COUNTER);
}

static int put_gauge(struct protobuf *pb, const struct sn_line *line) {
    put_double(&pb->inner, GAUGE_VALUE, line->number);
    return put_metric(pb, line, METRIC_GAUGE);
}

/* A line of a classic histogram: buckets, then the sum, then the count, which ends it. */
static int put_classic(struct protobuf *pb, const struct sn_line *line) {
    double bound;
    if (line->suffix == SN_SUFFIX_BUCKET) {
        /* The last bound, +Inf, goes without saying. */
        if (sn_double_parse(sn_str_from(line->extra->value), &bound) != SN_OK || bound > 1e308)
            return 0;
        put_number(&pb->small, BUCKET_COUNT, line->integer);
        put_double(&pb->small, BUCKET_BOUND, bound);
        put_message(&pb->inner, HISTOGRAM_BUCKET, &pb->small);
        return 0;
    }
    if (line->suffix == SN_SUFFIX_SUM) {
        put_double(&pb->inner, HISTOGRAM_SUM, line->number);
        return 0;
    }
    put_number(&pb->inner, HISTOGRAM_COUNT, line->integer);
    if (line->created_wall_ms != 0)
        put_time(&pb->inner, HISTOGRAM_CREATED, line->created_wall_ms);
    return put_metric(pb, line, METRIC_HISTOGRAM);
}

/* Native histograms. */

static void put_span(struct protobuf *pb, int64_t offset, uint32_t length) {
    put_number(&pb->small, SPAN_OFFSET, sn_zigzag_encode(offset));
    put_number(&pb->small, SPAN_LENGTH, length);
    put_message(&pb->inner, HISTOGRAM_SPAN, &pb->small);
}

/* How far a span from `start` reaches: gaps of GAP_FILLED empty buckets are filled. */
static uint32_t span_length(const struct sn_native_counts *counts, uint32_t start) {
    uint32_t end = start + 1;
    for (uint32_t i = end; i < counts->native->bucket_count && i <= end + GAP_FILLED; i++) {
        if (counts->buckets[i] != 0)
            end = i + 1;
    }
    return end - start;
}

/*
 * Spans say which buckets follow, deltas what is in them, each against the one before. Bucket numbers
 * are those of Prometheus; the one behind the largest double takes what lies above the range.
 */
static void put_spans(struct protobuf *pb, const struct sn_native_counts *counts) {
    const struct sn_native *native = counts->native;
    int64_t resolution = INT64_C(1) << native->scale.shift;
    int64_t first = native->low_exponent * resolution + 1;
    int64_t end = 0; /* behind the last span; the first one's offset is its number */
    for (uint32_t i = 0; i < native->bucket_count; i++) {
        if (counts->buckets[i] == 0)
            continue;
        uint32_t length = span_length(counts, i);
        put_span(pb, first + i - end, length);
        end = first + i + length;
        i += length - 1;
    }
    if (counts->overflow != 0)
        put_span(pb, 1024 * resolution + 1 - end, 1);
}

static void put_deltas(struct protobuf *pb, const struct sn_native_counts *counts) {
    uint64_t before = 0;
    for (uint32_t i = 0; i < counts->native->bucket_count; i++) {
        if (counts->buckets[i] == 0)
            continue;
        for (uint32_t end = i + span_length(counts, i); i < end; i++) {
            put_number(&pb->inner, HISTOGRAM_DELTA,
                       sn_zigzag_encode((int64_t)(counts->buckets[i] - before)));
            before = counts->buckets[i];
        }
        i--;
    }
    if (counts->overflow != 0)
        put_number(&pb->inner, HISTOGRAM_DELTA,
                   sn_zigzag_encode((int64_t)(counts->overflow - before)));
}

static int put_native(struct protobuf *pb, const struct sn_line *line) {
    const struct sn_native_counts *counts = line->native;
    put_number(&pb->inner, HISTOGRAM_COUNT, counts->total);
    put_double(&pb->inner, HISTOGRAM_SUM, line->native_sum);
    put_number(&pb->inner, HISTOGRAM_SCHEMA, sn_zigzag_encode(counts->native->scale.shift));
    put_double(&pb->inner, HISTOGRAM_ZERO_THRESHOLD, sn_native_low(counts->native));
    put_number(&pb->inner, HISTOGRAM_ZERO_COUNT, counts->zero);
    put_spans(pb, counts);
    put_deltas(pb, counts);
    if (line->created_wall_ms != 0)
        put_time(&pb->inner, HISTOGRAM_CREATED, line->created_wall_ms);
    return put_metric(pb, line, METRIC_HISTOGRAM);
}

static int put_line(void *ctx, const struct sn_line *line) {
    struct protobuf *pb = ctx;
    if (line->native != NULL)
        return put_native(pb, line);
    switch (pb->type) {
    case SONDE_TYPE_COUNTER:
        return put_counter(pb, line);
    case SONDE_TYPE_HISTOGRAM:
        return put_classic(pb, line);
    case SONDE_TYPE_GAUGE:
    case SONDE_TYPE_INFO:
        return put_gauge(pb, line);
    }
    return 0;
}

sonde_status sn_protobuf_write(sonde_registry *registry, struct sn_page *page) {
    struct protobuf pb = {.page = page};
    struct sn_buf *const buffers[] = {&pb.family, &pb.metric, &pb.inner, &pb.small};
    struct sn_line_sink lines = {.family = put_family,
                                 .line = put_line,
                                 .ctx = &pb,
                                 .wants_errors = true,
                                 .wants_native = true};
    for (size_t i = 0; i < 4; i++)
        sn_buf_init(buffers[i], 0);
    sonde_status status = sn_registry_read(registry, &lines);
    if (status == SONDE_OK)
        flush_family(&pb);
    if (pb.family.status != SN_OK)
        status = (sonde_status)pb.family.status;
    for (size_t i = 0; i < 4; i++)
        sn_buf_release(buffers[i]);
    return status;
}
