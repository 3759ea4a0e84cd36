/*
 * OTLP: an AnyValue as text. See otlp.h.
 *
 *     AnyValue { string 1, bool 2, int64 3, double 4, ArrayValue 5, KeyValueList 6, bytes 7 }
 *
 * What is malformed inside is left out: otlp.c has checked it.
 */
#include "wire/otlp.h"

#include "codec/json_write.h"
#include "codec/number.h"
#include "codec/protobuf.h"

static void write_value(struct sn_json_writer *json, struct sn_str value, int depth);

/* ArrayValue { repeated AnyValue values = 1; } */
static void write_array(struct sn_json_writer *json, struct sn_str array, int depth) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, array);
    sn_json_write_array_begin(json);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            write_value(json, field.bytes, depth + 1);
        }
    }
    sn_json_write_array_end(json);
}

/* KeyValue { string key = 1; AnyValue value = 2; } */
static void write_pair(struct sn_json_writer *json, struct sn_str pair, int depth) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    struct sn_str key = SN_STR(""), value = SN_STR("");
    sn_protobuf_open(&reader, pair);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            key = field.bytes;
        } else if (field.number == 2) {
            value = field.bytes;
        }
    }
    sn_json_write_key(json, key);
    write_value(json, value, depth + 1);
}

/* KeyValueList { repeated KeyValue values = 1; } */
static void write_pairs(struct sn_json_writer *json, struct sn_str list, int depth) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field;
    sn_protobuf_open(&reader, list);
    sn_json_write_object_begin(json);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number == 1) {
            write_pair(json, field.bytes, depth);
        }
    }
    sn_json_write_object_end(json);
}

/* The last field that says something; number 0 when none does. */
static struct sn_protobuf_field read_any(struct sn_str value) {
    struct sn_protobuf_reader reader;
    struct sn_protobuf_field field, found = {.number = 0};
    sn_protobuf_open(&reader, value);
    while (sn_protobuf_next(&reader, &field)) {
        if (field.number <= 7) {
            found = field;
        }
    }
    return found;
}

static void put_base64(struct sn_buf *buf, struct sn_str bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < left ? (uint8_t)bytes.ptr[i + j] : 0u);
        }
        for (size_t j = 0; j < 4; j++) {
            char c = j <= left ? digits[bits >> (18 - 6 * j) & 63] : '=';
            sn_buf_put_byte(buf, (uint8_t)c);
        }
    }
}

static void write_base64(struct sn_json_writer *json, struct sn_str bytes) {
    struct sn_buf text;
    sn_buf_init(&text, 0);
    sn_buf_put_byte(&text, '"');
    put_base64(&text, bytes);
    sn_buf_put_byte(&text, '"');
    if (text.status == SN_OK) {
        sn_json_write_raw(json, sn_buf_str(&text));
    } else {
        sn_json_write_null(json); /* no memory: what stands around it fails as well */
        json->buf->status = text.status;
    }
    sn_buf_release(&text);
}

static void write_value(struct sn_json_writer *json, struct sn_str value, int depth) {
    struct sn_protobuf_field field = read_any(value);
    switch (depth < SN_OTLP_VALUE_DEPTH_MAX ? field.number : 0) {
    case 1:
        sn_json_write_string(json, field.bytes);
        break;
    case 2:
        sn_json_write_bool(json, field.bits != 0);
        break;
    case 3:
        sn_json_write_int64(json, (int64_t)field.bits);
        break;
    case 4:
        sn_json_write_double(json, sn_protobuf_double(&field));
        break;
    case 5:
        write_array(json, field.bytes, depth);
        break;
    case 6:
        write_pairs(json, field.bytes, depth);
        break;
    case 7:
        write_base64(json, field.bytes);
        break;
    default:
        sn_json_write_null(json);
        break;
    }
}

/* What a buffer holds, in the arena. */
static sn_status keep(struct sn_buf *buf, struct sn_arena *arena, struct sn_str *ret_text,
                      struct sn_err *err) {
    sn_status status = sn_buf_status(buf, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(buf), ret_text)) {
        status = sn_arena_failure(arena, buf->len, err);
    }
    sn_buf_release(buf);
    return status;
}

static sn_status json_text(struct sn_str value, struct sn_arena *arena, struct sn_str *ret_text,
                           struct sn_err *err) {
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, arena->limit);
    sn_json_write_init(&json, &buf, SN_JSON_NON_FINITE_TEXT);
    write_value(&json, value, 0);
    return keep(&buf, arena, ret_text, err);
}

static sn_status number_text(double number, struct sn_arena *arena, struct sn_str *ret_text,
                             struct sn_err *err) {
    char text[SN_DOUBLE_TEXT_SIZE];
    size_t len = sn_double_format(number, SN_DOUBLE_API, text);
    return sn_arena_copy(arena, sn_str_make(text, len), ret_text)
               ? SN_OK
               : sn_arena_failure(arena, len, err);
}

static sn_status bytes_text(struct sn_str bytes, struct sn_arena *arena, struct sn_str *ret_text,
                            struct sn_err *err) {
    struct sn_buf buf;
    sn_buf_init(&buf, arena->limit);
    put_base64(&buf, bytes);
    return keep(&buf, arena, ret_text, err);
}

sn_status sn_otlp_value_text(struct sn_str value, struct sn_arena *arena, struct sn_str *ret_text,
                             struct sn_err *err) {
    struct sn_protobuf_field field = read_any(value);
    switch (field.number) {
    case 0:
        *ret_text = SN_STR("");
        return SN_OK;
    case 1:
        *ret_text = field.bytes;
        return SN_OK;
    case 4:
        return number_text(sn_protobuf_double(&field), arena, ret_text, err);
    case 7:
        return bytes_text(field.bytes, arena, ret_text, err);
    default:
        return json_text(value, arena, ret_text, err);
    }
}
