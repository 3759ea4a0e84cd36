/*
 * OTLP/JSON to Protobuf by tables: see otlp_json.h. The schemas are those of opentelemetry-proto,
 * collector/{metrics,logs}/v1.
 *
 * A message's length stands before it and is known after it: five bytes are kept free, and hold the
 * length as a padded varint.
 */
#include "wire/otlp_json.h"

#include "codec/base64.h"
#include "codec/json_read.h"
#include "codec/number.h"
#include "codec/protobuf.h"

#include <math.h>

enum { LENGTH_BYTES = 5 };

enum kind {
    MESSAGE,
    STRING,
    BYTES,  /* base64 */
    HEX,    /* bytes as well */
    DOUBLE, /* fixed64 */
    FIXED64,
    SFIXED64,
    FIXED32,
    VARINT, /* uint32, uint64 */
    INT64,  /* varint */
    SINT32, /* varint, zigzag */
    BOOL,
    ENUM,
};

struct message;

struct field {
    const char *name;
    uint32_t number;
    enum kind kind;
    bool is_repeated; /* an array; numbers are packed */
    const struct message *message;
    const char *const *names; /* ENUM: by number, NULL-terminated */
};

struct message {
    const struct field *fields;
    size_t count;
};

#define FIELDS(...)                                                                                \
    {                                                                                              \
        .fields = (const struct field[]){__VA_ARGS__},                                             \
        .count = sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field)                \
    }
#define MANY(name, number, type)                                                                   \
    { name, number, MESSAGE, true, &type, NULL }
#define ONE(name, number, type)                                                                    \
    { name, number, MESSAGE, false, &type, NULL }
#define PLAIN(name, number, kind)                                                                  \
    { name, number, kind, false, NULL, NULL }
#define PACKED(name, number, kind)                                                                 \
    { name, number, kind, true, NULL, NULL }

static const char *const temporalities[] = {"AGGREGATION_TEMPORALITY_UNSPECIFIED",
                                            "AGGREGATION_TEMPORALITY_DELTA",
                                            "AGGREGATION_TEMPORALITY_CUMULATIVE", NULL};
static const char *const severities[] = {"SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE",
                                         "SEVERITY_NUMBER_TRACE2",      "SEVERITY_NUMBER_TRACE3",
                                         "SEVERITY_NUMBER_TRACE4",      "SEVERITY_NUMBER_DEBUG",
                                         "SEVERITY_NUMBER_DEBUG2",      "SEVERITY_NUMBER_DEBUG3",
                                         "SEVERITY_NUMBER_DEBUG4",      "SEVERITY_NUMBER_INFO",
                                         "SEVERITY_NUMBER_INFO2",       "SEVERITY_NUMBER_INFO3",
                                         "SEVERITY_NUMBER_INFO4",       "SEVERITY_NUMBER_WARN",
                                         "SEVERITY_NUMBER_WARN2",       "SEVERITY_NUMBER_WARN3",
                                         "SEVERITY_NUMBER_WARN4",       "SEVERITY_NUMBER_ERROR",
                                         "SEVERITY_NUMBER_ERROR2",      "SEVERITY_NUMBER_ERROR3",
                                         "SEVERITY_NUMBER_ERROR4",      "SEVERITY_NUMBER_FATAL",
                                         "SEVERITY_NUMBER_FATAL2",      "SEVERITY_NUMBER_FATAL3",
                                         "SEVERITY_NUMBER_FATAL4",      NULL};

static const struct message any_value;

static const struct message key_value = FIELDS(PLAIN("key", 1, STRING), ONE("value", 2, any_value));
static const struct message array_value = FIELDS(MANY("values", 1, any_value));
static const struct message key_value_list = FIELDS(MANY("values", 1, key_value));
static const struct message any_value = FIELDS(
    PLAIN("stringValue", 1, STRING), PLAIN("boolValue", 2, BOOL), PLAIN("intValue", 3, INT64),
    PLAIN("doubleValue", 4, DOUBLE), ONE("arrayValue", 5, array_value),
    ONE("kvlistValue", 6, key_value_list), PLAIN("bytesValue", 7, BYTES));
static const struct message resource =
    FIELDS(MANY("attributes", 1, key_value), PLAIN("droppedAttributesCount", 2, VARINT));
static const struct message scope =
    FIELDS(PLAIN("name", 1, STRING), PLAIN("version", 2, STRING), MANY("attributes", 3, key_value),
           PLAIN("droppedAttributesCount", 4, VARINT));

/* ---- metrics ---- */

static const struct message exemplar =
    FIELDS(MANY("filteredAttributes", 7, key_value), PLAIN("timeUnixNano", 2, FIXED64),
           PLAIN("asDouble", 3, DOUBLE), PLAIN("asInt", 6, SFIXED64), PLAIN("spanId", 4, HEX),
           PLAIN("traceId", 5, HEX));
static const struct message number_point =
    FIELDS(MANY("attributes", 7, key_value), PLAIN("startTimeUnixNano", 2, FIXED64),
           PLAIN("timeUnixNano", 3, FIXED64), PLAIN("asDouble", 4, DOUBLE),
           PLAIN("asInt", 6, SFIXED64), MANY("exemplars", 5, exemplar), PLAIN("flags", 8, VARINT));
static const struct message histogram_point =
    FIELDS(MANY("attributes", 9, key_value), PLAIN("startTimeUnixNano", 2, FIXED64),
           PLAIN("timeUnixNano", 3, FIXED64), PLAIN("count", 4, FIXED64), PLAIN("sum", 5, DOUBLE),
           PACKED("bucketCounts", 6, FIXED64), PACKED("explicitBounds", 7, DOUBLE),
           MANY("exemplars", 8, exemplar), PLAIN("flags", 10, VARINT), PLAIN("min", 11, DOUBLE),
           PLAIN("max", 12, DOUBLE));
static const struct message exponential_buckets =
    FIELDS(PLAIN("offset", 1, SINT32), PACKED("bucketCounts", 2, VARINT));
static const struct message exponential_point =
    FIELDS(MANY("attributes", 1, key_value), PLAIN("startTimeUnixNano", 2, FIXED64),
           PLAIN("timeUnixNano", 3, FIXED64), PLAIN("count", 4, FIXED64), PLAIN("sum", 5, DOUBLE),
           PLAIN("scale", 6, SINT32), PLAIN("zeroCount", 7, FIXED64),
           ONE("positive", 8, exponential_buckets), ONE("negative", 9, exponential_buckets),
           PLAIN("flags", 10, VARINT), MANY("exemplars", 11, exemplar), PLAIN("min", 12, DOUBLE),
           PLAIN("max", 13, DOUBLE), PLAIN("zeroThreshold", 14, DOUBLE));
static const struct message quantile =
    FIELDS(PLAIN("quantile", 1, DOUBLE), PLAIN("value", 2, DOUBLE));
static const struct message summary_point =
    FIELDS(MANY("attributes", 7, key_value), PLAIN("startTimeUnixNano", 2, FIXED64),
           PLAIN("timeUnixNano", 3, FIXED64), PLAIN("count", 4, FIXED64), PLAIN("sum", 5, DOUBLE),
           MANY("quantileValues", 6, quantile), PLAIN("flags", 8, VARINT));
static const struct message gauge = FIELDS(MANY("dataPoints", 1, number_point));
#define TEMPORALITY                                                                                \
    { "aggregationTemporality", 2, ENUM, false, NULL, temporalities }
static const struct message sum =
    FIELDS(MANY("dataPoints", 1, number_point), TEMPORALITY, PLAIN("isMonotonic", 3, BOOL));
static const struct message histogram = FIELDS(MANY("dataPoints", 1, histogram_point), TEMPORALITY);
static const struct message exponential_histogram =
    FIELDS(MANY("dataPoints", 1, exponential_point), TEMPORALITY);
static const struct message summary = FIELDS(MANY("dataPoints", 1, summary_point));
static const struct message metric =
    FIELDS(PLAIN("name", 1, STRING), PLAIN("description", 2, STRING), PLAIN("unit", 3, STRING),
           ONE("gauge", 5, gauge), ONE("sum", 7, sum), ONE("histogram", 9, histogram),
           ONE("exponentialHistogram", 10, exponential_histogram), ONE("summary", 11, summary),
           MANY("metadata", 12, key_value));
static const struct message scope_metrics =
    FIELDS(ONE("scope", 1, scope), MANY("metrics", 2, metric), PLAIN("schemaUrl", 3, STRING));
static const struct message resource_metrics =
    FIELDS(ONE("resource", 1, resource), MANY("scopeMetrics", 2, scope_metrics),
           PLAIN("schemaUrl", 3, STRING));
static const struct message metrics_request = FIELDS(MANY("resourceMetrics", 1, resource_metrics));

/* ---- logs ---- */

static const struct message log_record =
    FIELDS(PLAIN("timeUnixNano", 1, FIXED64), PLAIN("observedTimeUnixNano", 11, FIXED64),
           {"severityNumber", 2, ENUM, false, NULL, severities}, PLAIN("severityText", 3, STRING),
           ONE("body", 5, any_value), MANY("attributes", 6, key_value),
           PLAIN("droppedAttributesCount", 7, VARINT), PLAIN("flags", 8, FIXED32),
           PLAIN("traceId", 9, HEX), PLAIN("spanId", 10, HEX), PLAIN("eventName", 12, STRING));
static const struct message scope_logs = FIELDS(
    ONE("scope", 1, scope), MANY("logRecords", 2, log_record), PLAIN("schemaUrl", 3, STRING));
static const struct message resource_logs = FIELDS(
    ONE("resource", 1, resource), MANY("scopeLogs", 2, scope_logs), PLAIN("schemaUrl", 3, STRING));
static const struct message logs_request = FIELDS(MANY("resourceLogs", 1, resource_logs));

/* ---- writing ---- */

/* What is known while a document is translated. */
struct translation {
    struct sn_json_reader json;
    struct sn_arena *arena;
    struct sn_buf *out;
};

static void put_varint(struct translation *to, uint64_t value) {
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    sn_buf_put(to->out, bytes, (size_t)(sn_varint_put(bytes, value) - bytes));
}

static void put_tag(struct translation *to, uint32_t number, enum sn_protobuf_type type) {
    put_varint(to, (uint64_t)number << 3 | (uint64_t)type);
}

/* Begin a field with a length; what end_bytes needs. */
static size_t begin_bytes(struct translation *to, uint32_t number) {
    static const uint8_t room[LENGTH_BYTES] = {0};
    put_tag(to, number, SN_PROTOBUF_BYTES);
    sn_buf_put(to->out, room, sizeof room);
    return to->out->len;
}

static void end_bytes(struct translation *to, size_t begin) {
    if (to->out->status != SN_OK) {
        return;
    }
    size_t len = to->out->len - begin; /* below 2^35: the buffer's limit is */
    uint8_t *at = to->out->ptr + begin - LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        at[i] = (uint8_t)((len >> (7 * i) & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0));
    }
}

static void put_bytes(struct translation *to, uint32_t number, struct sn_str bytes) {
    put_tag(to, number, SN_PROTOBUF_BYTES);
    put_varint(to, bytes.len);
    sn_buf_put_str(to->out, bytes);
}

/* ---- reading scalars ---- */

static void refuse(struct translation *to, const char *what) {
    sn_json_read_fail(&to->json, SN_ERR_INVALID, "%s", what);
}

static uint64_t read_unsigned(struct translation *to) {
    uint64_t value = 0;
    if (sn_json_read_peek(&to->json) != SN_JSON_STRING) {
        return sn_json_read_uint64(&to->json);
    }
    if (sn_uint64_parse(sn_json_read_string(&to->json), &value) != SN_OK) {
        refuse(to, "expected an integer without a sign, as a number or as text");
    }
    return value;
}

static int64_t read_signed(struct translation *to) {
    int64_t value = 0;
    if (sn_json_read_peek(&to->json) != SN_JSON_STRING) {
        return sn_json_read_int64(&to->json);
    }
    if (sn_int64_parse(sn_json_read_string(&to->json), &value) != SN_OK) {
        refuse(to, "expected an integer, as a number or as text");
    }
    return value;
}

static double read_double(struct translation *to) {
    double value = 0;
    if (sn_json_read_peek(&to->json) != SN_JSON_STRING) {
        return sn_json_read_double(&to->json);
    }
    if (sn_double_parse(sn_json_read_string(&to->json), &value) != SN_OK) {
        refuse(to, "expected a number, also as text: \"NaN\", \"Infinity\", \"-Infinity\"");
    }
    return value;
}

static uint64_t read_enum(struct translation *to, const char *const *names) {
    if (sn_json_read_peek(&to->json) != SN_JSON_STRING) {
        return (uint64_t)sn_json_read_int64(&to->json);
    }
    struct sn_str name = sn_json_read_string(&to->json);
    for (uint64_t i = 0; names[i] != NULL; i++) {
        if (sn_str_equal(name, sn_str_from(names[i]))) {
            return i;
        }
    }
    refuse(to, "the name of an enum is not known");
    return 0;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_hex(struct translation *to, uint32_t number) {
    struct sn_str text = sn_json_read_string(&to->json);
    if (text.len % 2 != 0) {
        refuse(to, "expected bytes in hexadecimal");
        return;
    }
    put_tag(to, number, SN_PROTOBUF_BYTES);
    put_varint(to, text.len / 2);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]);
        int low = hex_value(text.ptr[i + 1]);
        if (high < 0 || low < 0) {
            refuse(to, "expected bytes in hexadecimal");
            return;
        }
        sn_buf_put_byte(to->out, (uint8_t)(high << 4 | low));
    }
}

static void put_base64(struct translation *to, uint32_t number) {
    struct sn_str text = sn_json_read_string(&to->json);
    uint8_t *bytes = sn_arena_alloc(to->arena, SN_BASE64_DECODED_MAX(text.len));
    size_t len;
    if (bytes == NULL) {
        sn_json_read_fail(&to->json, SN_ERR_NO_MEMORY, "no memory for %zu bytes", text.len);
    } else if (sn_base64_decode(text, bytes, &len) != SN_OK) {
        refuse(to, "expected bytes in base64");
    } else {
        put_bytes(to, number, sn_str_make(bytes, len));
    }
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A number without its tag. */
static void put_number(struct translation *to, const struct field *field) {
    switch (field->kind) {
    case DOUBLE:
        sn_buf_put_u64le(to->out, bits_of(read_double(to)));
        break;
    case FIXED64:
        sn_buf_put_u64le(to->out, read_unsigned(to));
        break;
    case SFIXED64:
        sn_buf_put_u64le(to->out, (uint64_t)read_signed(to));
        break;
    case FIXED32:
        sn_buf_put_u32le(to->out, (uint32_t)(read_unsigned(to) & UINT32_MAX));
        break;
    case VARINT:
        put_varint(to, read_unsigned(to));
        break;
    case INT64:
        put_varint(to, (uint64_t)read_signed(to));
        break;
    case SINT32:
        put_varint(to, sn_zigzag_encode(read_signed(to)));
        break;
    case BOOL:
        put_varint(to, sn_json_read_bool(&to->json));
        break;
    case ENUM:
        put_varint(to, read_enum(to, field->names));
        break;
    case MESSAGE:
    case STRING:
    case BYTES:
    case HEX:
        break;
    }
}

static enum sn_protobuf_type wire_type_of(enum kind kind) {
    if (kind == DOUBLE || kind == FIXED64 || kind == SFIXED64) {
        return SN_PROTOBUF_FIXED64;
    }
    return kind == FIXED32 ? SN_PROTOBUF_FIXED32 : SN_PROTOBUF_VARINT;
}

/* ---- messages ---- */

static void put_fields(struct translation *to, const struct message *message);

static void put_value(struct translation *to, const struct field *field) {
    switch (field->kind) {
    case MESSAGE: {
        size_t begin = begin_bytes(to, field->number);
        put_fields(to, field->message);
        end_bytes(to, begin);
        break;
    }
    case STRING:
        put_bytes(to, field->number, sn_json_read_string(&to->json));
        break;
    case BYTES:
        put_base64(to, field->number);
        break;
    case HEX:
        put_hex(to, field->number);
        break;
    case DOUBLE:
    case FIXED64:
    case SFIXED64:
    case FIXED32:
    case VARINT:
    case INT64:
    case SINT32:
    case BOOL:
    case ENUM:
        put_tag(to, field->number, wire_type_of(field->kind));
        put_number(to, field);
        break;
    }
}

static void put_repeated(struct translation *to, const struct field *field) {
    bool is_packed = field->kind != MESSAGE;
    size_t begin = is_packed ? begin_bytes(to, field->number) : 0;
    if (sn_json_read_array(&to->json)) {
        while (to->out->status == SN_OK && sn_json_read_element(&to->json)) {
            if (is_packed) {
                put_number(to, field);
            } else {
                put_value(to, field);
            }
        }
    }
    if (is_packed) {
        end_bytes(to, begin);
    }
}

static const struct field *find_field(const struct message *message, struct sn_str name) {
    for (size_t i = 0; i < message->count; i++) {
        if (sn_str_equal(name, sn_str_from(message->fields[i].name))) {
            return &message->fields[i];
        }
    }
    return NULL;
}

/* An object as the content of a message. The depth of JSON is limited, so this recursion is. */
static void put_fields(struct translation *to, const struct message *message) {
    struct sn_str name;
    if (!sn_json_read_object(&to->json)) {
        return;
    }
    while (to->out->status == SN_OK && sn_json_read_key(&to->json, &name)) {
        const struct field *field = find_field(message, name);
        if (field == NULL) {
            sn_json_read_skip(&to->json);
        } else if (sn_json_read_null_if(&to->json)) {
            continue;
        } else if (field->is_repeated) {
            put_repeated(to, field);
        } else {
            put_value(to, field);
        }
    }
}

sn_status sn_otlp_from_json(enum sn_otlp_signal signal, struct sn_str json, uint64_t hash_seed,
                            struct sn_arena *arena, struct sn_buf *ret_protobuf,
                            struct sn_err *err) {
    struct translation to;
    to.arena = arena;
    to.out = ret_protobuf;
    sn_json_read_init(&to.json, json,
                      &(struct sn_json_options){.arena = arena, .hash_seed = hash_seed});
    put_fields(&to, signal == SN_OTLP_METRICS ? &metrics_request : &logs_request);
    SN_TRY(sn_buf_status(ret_protobuf, err));
    return sn_json_read_finish(&to.json, err);
}
