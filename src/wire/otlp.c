/*
 * OTLP: see otlp.h. The schemas are those of opentelemetry-proto, metrics/v1 and logs/v1; field numbers
 * stand beside their names.
 *
 * A body is walked twice by the same code: first without a visitor, which checks it.
 */
#include "wire/otlp.h"

#include "codec/protobuf.h"

enum { ARRAY_MAX = SN_HISTOGRAM_BUCKETS_MAX };

/* Everything that one walk needs; in the arena. */
struct walk {
    const struct sn_otlp_visitor *visitor; /* NULL: check only */
    struct sn_otlp_attributes resource;
    size_t resource_count;
    struct sn_otlp_metric metric;
    struct sn_otlp_point point;
    uint64_t point_count;
    struct sn_otlp_attribute resource_items[SN_OTLP_ATTRIBUTES_MAX];
    struct sn_otlp_attribute point_items[SN_OTLP_ATTRIBUTES_MAX];
    double bounds[ARRAY_MAX];
    double counts[ARRAY_MAX];
    double positive[ARRAY_MAX];
    double negative[ARRAY_MAX];
    struct sn_otlp_quantile quantiles[ARRAY_MAX];
};

static sn_status malformed(const char *what, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "OTLP: %s is not what the protocol says", what);
}

/* ---- values and attributes ---- */

static bool value_is_whole(struct sn_str value, int depth);

static bool pair_is_whole(struct sn_str pair, int depth) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, pair);
    while (sn_protobuf_next(&reader, &field)) {
        bool is_known = field.number == 1 || field.number == 2;
        if (is_known && (field.type != SN_PROTOBUF_BYTES ||
                         (field.number == 2 && !value_is_whole(field.bytes, depth)))) {
            return false;
        }
    }
    return !sn_protobuf_is_broken(&reader);
}

/* ArrayValue, KeyValueList: the values are field 1. */
static bool list_is_whole(struct sn_str list, bool is_pairs, int depth) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, list);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number != 1) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES ||
            !(is_pairs ? pair_is_whole(field.bytes, depth) : value_is_whole(field.bytes, depth))) {
            return false;
        }
    }
    return !sn_protobuf_is_broken(&reader);
}

static bool value_is_whole(struct sn_str value, int depth) {
    static const enum sn_protobuf_type types[] = {SN_PROTOBUF_BYTES /* no field 0 */,
                                                  SN_PROTOBUF_BYTES,
                                                  SN_PROTOBUF_VARINT,
                                                  SN_PROTOBUF_VARINT,
                                                  SN_PROTOBUF_FIXED64,
                                                  SN_PROTOBUF_BYTES,
                                                  SN_PROTOBUF_BYTES,
                                                  SN_PROTOBUF_BYTES};
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, value);
    if (depth == SN_OTLP_VALUE_DEPTH_MAX) {
        return false;
    }
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number > 7) {
            continue;
        }
        bool is_list = field.number == 5 || field.number == 6;
        if (field.type != types[field.number] ||
            (is_list && !list_is_whole(field.bytes, field.number == 6, depth + 1))) {
            return false;
        }
    }
    return !sn_protobuf_is_broken(&reader);
}

/* KeyValue { string key = 1; AnyValue value = 2; } */
static bool read_attribute(struct sn_str pair, struct sn_otlp_attributes *attributes) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_otlp_attribute attribute = {SN_STR(""), SN_STR("")};
    if (!pair_is_whole(pair, 0)) {
        return false;
    }
    sn_protobuf_open(&reader, pair);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            attribute.key = field.bytes;
        } else if (field.number == 2) {
            attribute.value = field.bytes;
        }
    }
    if (attributes->count < SN_OTLP_ATTRIBUTES_MAX) {
        attributes->items[attributes->count] = attribute;
    }
    attributes->count++;
    return true;
}

/* ---- fields of points ---- */

/* What the field of one kind of point means. */
enum meaning {
    SKIPPED = 0,
    START,
    TIME,
    FLAGS,
    ATTRIBUTE,
    DOUBLE_VALUE,
    INT_VALUE,
    COUNT,
    SUM,
    BUCKET_COUNTS,
    BOUNDS,
    QUANTILE,
    SCALE,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    POSITIVE,
    NEGATIVE,
    EXEMPLAR,
};

enum { POINT_FIELDS = 15 };

static const uint8_t meanings[][POINT_FIELDS] = {
    [SN_OTLP_NO_DATA] = {SKIPPED},
    [SN_OTLP_GAUGE] = {[2] = START,
                       [3] = TIME,
                       [4] = DOUBLE_VALUE,
                       [5] = EXEMPLAR,
                       [6] = INT_VALUE,
                       [7] = ATTRIBUTE,
                       [8] = FLAGS},
    [SN_OTLP_SUM] = {[2] = START,
                     [3] = TIME,
                     [4] = DOUBLE_VALUE,
                     [5] = EXEMPLAR,
                     [6] = INT_VALUE,
                     [7] = ATTRIBUTE,
                     [8] = FLAGS},
    [SN_OTLP_HISTOGRAM] = {[2] = START,
                           [3] = TIME,
                           [4] = COUNT,
                           [5] = SUM,
                           [6] = BUCKET_COUNTS,
                           [7] = BOUNDS,
                           [8] = EXEMPLAR,
                           [9] = ATTRIBUTE,
                           [10] = FLAGS},
    [SN_OTLP_EXPONENTIAL] = {[1] = ATTRIBUTE,
                             [2] = START,
                             [3] = TIME,
                             [4] = COUNT,
                             [5] = SUM,
                             [6] = SCALE,
                             [7] = ZERO_COUNT,
                             [8] = POSITIVE,
                             [9] = NEGATIVE,
                             [10] = FLAGS,
                             [11] = EXEMPLAR,
                             [14] = ZERO_THRESHOLD},
    [SN_OTLP_SUMMARY] = {[2] = START,
                         [3] = TIME,
                         [4] = COUNT,
                         [5] = SUM,
                         [6] = QUANTILE,
                         [7] = ATTRIBUTE,
                         [8] = FLAGS},
};

/* Numbers of a repeated field, packed or one by one, as doubles. */
struct numbers {
    double *items; /* [ARRAY_MAX] */
    size_t *count; /* as sent */
    enum sn_protobuf_type type;
    bool is_double; /* else an integer without a sign */
};

static void add_number(const struct numbers *numbers, uint64_t bits) {
    const struct sn_protobuf_field field = {.bits = bits};
    if (*numbers->count < ARRAY_MAX) {
        numbers->items[*numbers->count] =
            numbers->is_double ? sn_protobuf_double(&field) : (double)bits;
    }
    ++*numbers->count;
}

static bool read_packed(const struct numbers *numbers, struct sn_str bytes) {
    const uint8_t *at = (const uint8_t *)bytes.ptr;
    const uint8_t *end = at + bytes.len;
    while (at != end) {
        uint64_t bits;
        if (numbers->type == SN_PROTOBUF_VARINT) {
            at = sn_varint_get(at, end, &bits);
        } else if (end - at >= 8) {
            bits = sn_load_u64le(at);
            at += 8;
        } else {
            return false;
        }
        if (at == NULL) {
            return false;
        }
        add_number(numbers, bits);
    }
    return true;
}

static bool read_numbers(const struct numbers *numbers, const struct sn_protobuf_field *field) {
    if (field->type == numbers->type) {
        add_number(numbers, field->bits);
        return true;
    }
    return field->type == SN_PROTOBUF_BYTES &&
           (field->bytes.len == 0 || read_packed(numbers, field->bytes));
}

static bool fits_int32(int64_t value) {
    return value >= INT32_MIN && value <= INT32_MAX;
}

/* Buckets { sint32 offset = 1; repeated uint64 bucket_counts = 2; } */
static bool read_buckets(const struct sn_protobuf_field *of, double *items,
                         struct sn_otlp_buckets *buckets) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    const struct numbers numbers = {items, &buckets->count, SN_PROTOBUF_VARINT, false};
    int64_t offset = 0;
    *buckets = (struct sn_otlp_buckets){.counts = items};
    sn_protobuf_open(&reader, of->bytes);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            offset = sn_zigzag_decode(field.bits);
            if (field.type != SN_PROTOBUF_VARINT || !fits_int32(offset)) {
                return false;
            }
        } else if (field.number == 2 && !read_numbers(&numbers, &field)) {
            return false;
        }
    }
    buckets->offset = (int32_t)offset;
    return of->type == SN_PROTOBUF_BYTES && !sn_protobuf_is_broken(&reader);
}

/* ValueAtQuantile { double quantile = 1; double value = 2; } */
static bool read_quantile(struct walk *walk, const struct sn_protobuf_field *of) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_otlp_quantile quantile = {0, 0};
    sn_protobuf_open(&reader, of->bytes);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number > 2) {
            continue;
        }
        if (field.type != SN_PROTOBUF_FIXED64) {
            return false;
        }
        *(field.number == 1 ? &quantile.quantile : &quantile.value) = sn_protobuf_double(&field);
    }
    if (walk->point.quantile_count < ARRAY_MAX) {
        walk->quantiles[walk->point.quantile_count] = quantile;
    }
    walk->point.quantile_count++;
    return of->type == SN_PROTOBUF_BYTES && !sn_protobuf_is_broken(&reader);
}

/* Fields that are numbers of 8 bytes. */
static bool read_fixed(struct sn_otlp_point *point, enum meaning meaning,
                       const struct sn_protobuf_field *field) {
    switch (meaning) {
    case START:
        point->start_ns = field->bits;
        break;
    case TIME:
        point->time_ns = field->bits;
        break;
    case DOUBLE_VALUE:
        point->value = sn_protobuf_double(field);
        point->has_value = true;
        break;
    case INT_VALUE:
        point->value = (double)(int64_t)field->bits;
        point->has_value = true;
        break;
    case COUNT:
        point->count = (double)field->bits;
        break;
    case SUM:
        point->sum = sn_protobuf_double(field);
        point->has_sum = true;
        break;
    case ZERO_COUNT:
        point->zero_count = (double)field->bits;
        break;
    case ZERO_THRESHOLD:
        point->zero_threshold = sn_protobuf_double(field);
        break;
    default:
        break;
    }
    return field->type == SN_PROTOBUF_FIXED64;
}

static bool read_scale(struct sn_otlp_point *point, const struct sn_protobuf_field *field) {
    int64_t scale = sn_zigzag_decode(field->bits);
    if (field->type != SN_PROTOBUF_VARINT || !fits_int32(scale)) {
        return false;
    }
    point->scale = (int32_t)scale;
    return true;
}

/* Exemplars are read when they are asked for; here it is checked that they can be. */
static bool check_exemplar(const struct sn_protobuf_field *of) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, of->bytes);
    while (sn_protobuf_next(&reader, &field)) {
        bool is_number = field.number == 2 || field.number == 3 || field.number == 6;
        bool is_bytes = field.number == 4 || field.number == 5 || field.number == 7;
        if ((is_number && field.type != SN_PROTOBUF_FIXED64) ||
            (is_bytes && field.type != SN_PROTOBUF_BYTES) ||
            (field.number == 7 && !pair_is_whole(field.bytes, 0))) {
            return false;
        }
    }
    return of->type == SN_PROTOBUF_BYTES && !sn_protobuf_is_broken(&reader);
}

static bool read_point_field(struct walk *walk, enum meaning meaning,
                             const struct sn_protobuf_field *field) {
    struct sn_otlp_point *point = &walk->point;
    const struct numbers counts = {walk->counts, &point->bucket_count, SN_PROTOBUF_FIXED64, false};
    const struct numbers bounds = {walk->bounds, &point->bound_count, SN_PROTOBUF_FIXED64, true};
    switch (meaning) {
    case SKIPPED:
        return true;
    case FLAGS:
        point->flags = field->bits;
        return field->type == SN_PROTOBUF_VARINT;
    case ATTRIBUTE:
        return field->type == SN_PROTOBUF_BYTES && read_attribute(field->bytes, &point->attributes);
    case BUCKET_COUNTS:
        return read_numbers(&counts, field);
    case BOUNDS:
        return read_numbers(&bounds, field);
    case QUANTILE:
        return read_quantile(walk, field);
    case SCALE:
        return read_scale(point, field);
    case POSITIVE:
        return read_buckets(field, walk->positive, &point->positive);
    case NEGATIVE:
        return read_buckets(field, walk->negative, &point->negative);
    case EXEMPLAR:
        return check_exemplar(field);
    default:
        return read_fixed(point, meaning, field);
    }
}

/* ---- points, metrics, resources ---- */

static void begin_point(struct walk *walk, struct sn_str message) {
    walk->point = (struct sn_otlp_point){
        .resource = &walk->resource,
        .resource_number = walk->resource_count,
        .metric = &walk->metric,
        .attributes = {.items = walk->point_items},
        .bounds = walk->bounds,
        .bucket_counts = walk->counts,
        .positive = {.counts = walk->positive},
        .negative = {.counts = walk->negative},
        .quantiles = walk->quantiles,
        .exemplars = message,
    };
    walk->point_count++;
}

/* Cut arrays to what there is room for. */
static void cut_arrays(struct sn_otlp_point *point) {
    size_t *const counts[] = {&point->bucket_count, &point->bound_count, &point->positive.count,
                              &point->negative.count, &point->quantile_count};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (*counts[i] > ARRAY_MAX) {
            point->is_too_large = true;
            *counts[i] = ARRAY_MAX;
        }
    }
}

static sn_status read_point(struct walk *walk, struct sn_str message, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    begin_point(walk, message);
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        enum meaning meaning = field.number < POINT_FIELDS
                                   ? (enum meaning)meanings[walk->metric.kind][field.number]
                                   : SKIPPED;
        if (!read_point_field(walk, meaning, &field)) {
            return malformed("a data point", err);
        }
    }
    if (sn_protobuf_is_broken(&reader)) {
        return malformed("a data point", err);
    }
    cut_arrays(&walk->point);
    return walk->visitor != NULL ? walk->visitor->point(walk->visitor->ctx, &walk->point, err)
                                 : SN_OK;
}

/* Gauge, Sum, Histogram, ...: { data_points = 1; aggregation_temporality = 2; is_monotonic = 3; } */
static sn_status read_data(struct walk *walk, struct sn_str message, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        if ((field.number == 2 || field.number == 3) && field.type != SN_PROTOBUF_VARINT) {
            return malformed("a metric", err);
        }
        if (field.number == 2) {
            walk->metric.temporality = field.bits <= SN_OTLP_CUMULATIVE
                                           ? (enum sn_otlp_temporality)field.bits
                                           : SN_OTLP_UNSPECIFIED;
        } else if (field.number == 3) {
            walk->metric.is_monotonic = field.bits != 0;
        }
    }
    if (sn_protobuf_is_broken(&reader)) {
        return malformed("a metric", err);
    }
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number != 1) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES) {
            return malformed("a metric", err);
        }
        SN_TRY(read_point(walk, field.bytes, err));
    }
    return SN_OK;
}

static enum sn_otlp_kind kind_of(uint32_t number) {
    switch (number) {
    case 5:
        return SN_OTLP_GAUGE;
    case 7:
        return SN_OTLP_SUM;
    case 9:
        return SN_OTLP_HISTOGRAM;
    case 10:
        return SN_OTLP_EXPONENTIAL;
    case 11:
        return SN_OTLP_SUMMARY;
    default:
        return SN_OTLP_NO_DATA;
    }
}

/* Metric { name = 1; description = 2; unit = 3; oneof data { 5, 7, 9, 10, 11 } } */
static sn_status read_metric(struct walk *walk, struct sn_str message, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_str data = SN_STR("");
    struct sn_str *const texts[] = {&walk->metric.name, &walk->metric.description,
                                    &walk->metric.unit};
    walk->metric = (struct sn_otlp_metric){.name = SN_STR("")};
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        enum sn_otlp_kind kind = kind_of(field.number);
        bool is_text = field.number <= 3;
        if (!is_text && kind == SN_OTLP_NO_DATA) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES) {
            return malformed("a metric", err);
        }
        if (is_text) {
            *texts[field.number - 1] = field.bytes;
        } else {
            walk->metric.kind = kind;
            data = field.bytes;
        }
    }
    if (sn_protobuf_is_broken(&reader)) {
        return malformed("a metric", err);
    }
    return walk->metric.kind != SN_OTLP_NO_DATA ? read_data(walk, data, err) : SN_OK;
}

/* Call `read` with each message of field `number`, and check that the whole is one. */
static sn_status for_each(struct walk *walk, struct sn_str message, uint32_t number,
                          sn_status (*read)(struct walk *, struct sn_str, struct sn_err *),
                          struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number != number) {
            continue;
        }
        if (field.type != SN_PROTOBUF_BYTES) {
            return malformed("the message", err);
        }
        SN_TRY(read(walk, field.bytes, err));
    }
    return sn_protobuf_is_broken(&reader) ? malformed("the message", err) : SN_OK;
}

static sn_status add_resource_attribute(struct walk *walk, struct sn_str pair, struct sn_err *err) {
    return read_attribute(pair, &walk->resource) ? SN_OK : malformed("a resource", err);
}

static sn_status read_resource(struct walk *walk, struct sn_str message, struct sn_err *err) {
    walk->resource.count = 0;
    return for_each(walk, message, 1, add_resource_attribute, err);
}

/* ScopeMetrics { scope = 1; repeated Metric metrics = 2; } */
static sn_status read_scope_metrics(struct walk *walk, struct sn_str message, struct sn_err *err) {
    return for_each(walk, message, 2, read_metric, err);
}

/* ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; } */
static sn_status read_resource_metrics(struct walk *walk, struct sn_str message,
                                       struct sn_err *err) {
    walk->resource = (struct sn_otlp_attributes){.items = walk->resource_items};
    walk->resource_count++;
    SN_TRY(for_each(walk, message, 1, read_resource, err));
    return for_each(walk, message, 2, read_scope_metrics, err);
}

sn_status sn_otlp_read_metrics(struct sn_str body, struct sn_arena *arena,
                               const struct sn_otlp_visitor *visitor, struct sn_err *err) {
    struct walk *walk = sn_arena_alloc_zero(arena, 1, sizeof *walk);
    if (walk == NULL) {
        return sn_arena_failure(arena, sizeof *walk, err);
    }
    SN_TRY(for_each(walk, body, 1, read_resource_metrics, err));
    walk->visitor = visitor;
    walk->resource_count = 0;
    return for_each(walk, body, 1, read_resource_metrics, err);
}

/* ---- exemplars ---- */

static uint32_t exemplar_field_of(enum sn_otlp_kind kind) {
    for (uint32_t number = 1; number < POINT_FIELDS; number++) {
        if (meanings[kind][number] == EXEMPLAR) {
            return number;
        }
    }
    return 0;
}

/* Exemplar { time = 2; as_double = 3; span_id = 4; trace_id = 5; as_int = 6; attributes = 7; } */
static void read_exemplar(struct sn_str message, struct sn_otlp_exemplar *exemplar) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, &field)) {
        switch (field.number) {
        case 2:
            exemplar->time_ns = field.bits;
            break;
        case 3:
            exemplar->value = sn_protobuf_double(&field);
            break;
        case 4:
            exemplar->span_id = field.bytes;
            break;
        case 5:
            exemplar->trace_id = field.bytes;
            break;
        case 6:
            exemplar->value = (double)(int64_t)field.bits;
            break;
        case 7:
            (void)read_attribute(field.bytes, &exemplar->attributes); /* has been checked */
            break;
        default:
            break;
        }
    }
}

bool sn_otlp_next_exemplar(struct sn_otlp_point *point, struct sn_otlp_attribute *items,
                           struct sn_otlp_exemplar *ret_exemplar) {
    uint32_t number = exemplar_field_of(point->metric->kind);
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, point->exemplars);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number != number) {
            continue;
        }
        point->exemplars = sn_str_make(reader.at, (size_t)(reader.end - reader.at));
        *ret_exemplar = (struct sn_otlp_exemplar){.attributes = {.items = items}};
        read_exemplar(field.bytes, ret_exemplar);
        return true;
    }
    return false;
}

/* ---- logs ---- */

/* LogRecord: what it is made of, by number; bytes that are values or pairs are looked into. */
static bool log_field_is_whole(const struct sn_protobuf_field *field) {
    switch (field->number) {
    case 1:
    case 11:
        return field->type == SN_PROTOBUF_FIXED64;
    case 2:
    case 7:
        return field->type == SN_PROTOBUF_VARINT;
    case 8:
        return field->type == SN_PROTOBUF_FIXED32;
    case 3:
    case 9:
    case 10:
    case 12:
        return field->type == SN_PROTOBUF_BYTES;
    case 5:
        return field->type == SN_PROTOBUF_BYTES && value_is_whole(field->bytes, 0);
    case 6:
        return field->type == SN_PROTOBUF_BYTES && pair_is_whole(field->bytes, 0);
    default:
        return true;
    }
}

static sn_status check_log(struct walk *walk, struct sn_str message, struct sn_err *err) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, message);
    walk->point_count++;
    while (sn_protobuf_next(&reader, &field)) {
        if (!log_field_is_whole(&field)) {
            return malformed("a log record", err);
        }
    }
    return sn_protobuf_is_broken(&reader) ? malformed("a log record", err) : SN_OK;
}

/* ScopeLogs { scope = 1; repeated LogRecord log_records = 2; } */
static sn_status check_scope_logs(struct walk *walk, struct sn_str message, struct sn_err *err) {
    return for_each(walk, message, 2, check_log, err);
}

/* ResourceLogs { resource = 1; repeated ScopeLogs scope_logs = 2; } */
static sn_status check_resource_logs(struct walk *walk, struct sn_str message, struct sn_err *err) {
    return for_each(walk, message, 2, check_scope_logs, err);
}

sn_status sn_otlp_count_logs(struct sn_str body, uint64_t *ret_count, struct sn_err *err) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    struct walk *walk = sn_arena_alloc_zero(&arena, 1, sizeof *walk);
    sn_status status = walk != NULL ? for_each(walk, body, 1, check_resource_logs, err)
                                    : sn_arena_failure(&arena, sizeof *walk, err);
    if (status == SN_OK) {
        *ret_count = walk->point_count;
    }
    sn_arena_release(&arena);
    return status;
}
