/*
 * The JSON writer.
 *
 * 1. The stack of containers is two words of bits: depth is at most 64 (SN_JSON_DEPTH_MAX).
 * 2. item_begin is the one place that decides about commas and refuses calls out of turn.
 * One thread.
 */
#include "codec/json_write.h"

#include "base/check.h"
#include "codec/json_text_priv.h"
#include "codec/number.h"
#include "codec/utf8_priv.h"

#include <math.h>

_Static_assert(SN_JSON_DEPTH_MAX <= 64, "one bit per open container");

static const char hex_digits[] = "0123456789abcdef";

void sn_json_write_init(struct sn_json_writer *writer, struct sn_buf *buf, uint32_t flags) {
    *writer = (struct sn_json_writer){.buf = buf, .flags = flags};
}

static void misuse(struct sn_json_writer *writer) {
    if (writer->buf->status == SN_OK) {
        writer->buf->status = SN_ERR_INTERNAL;
    }
}

/* The bit of the innermost container; of depth 0, which has none, whatever keeps the shift defined. */
static uint64_t top_bit(const struct sn_json_writer *writer) {
    return UINT64_C(1) << ((writer->depth - 1) % 64);
}

static bool is_in_object(const struct sn_json_writer *writer) {
    return writer->depth > 0 && (writer->is_object & top_bit(writer)) != 0;
}

/* Write the comma that an item of the innermost container needs. */
static void put_comma(struct sn_json_writer *writer) {
    uint64_t bit = top_bit(writer);
    if (writer->has_items & bit) {
        sn_buf_put_byte(writer->buf, ',');
    }
    writer->has_items |= bit;
}

/* Make ready for a value. False: the buffer has failed, or it is not a value's turn. */
static bool value_begin(struct sn_json_writer *writer) {
    if (writer->buf->status != SN_OK) {
        return false; /* what is open is not known any more */
    }
    if (writer->depth == 0) {
        if (SN_NEVER(writer->is_done)) {
            misuse(writer);
            return false;
        }
        writer->is_done = true;
        return true;
    }
    if (is_in_object(writer)) {
        if (SN_NEVER(!writer->has_key)) {
            misuse(writer);
            return false;
        }
        writer->has_key = false;
        return true;
    }
    put_comma(writer);
    return true;
}

static void put_value(struct sn_json_writer *writer, struct sn_str json) {
    if (value_begin(writer)) {
        sn_buf_put_str(writer->buf, json);
    }
}

/* ---- containers ---- */

static void container_begin(struct sn_json_writer *writer, bool is_object) {
    if (!value_begin(writer)) {
        return;
    }
    if (writer->depth == SN_JSON_DEPTH_MAX) {
        writer->buf->status = SN_ERR_LIMIT;
        return;
    }
    writer->depth++;
    uint64_t bit = top_bit(writer);
    writer->is_object = is_object ? writer->is_object | bit : writer->is_object & ~bit;
    writer->has_items &= ~bit;
    sn_buf_put_byte(writer->buf, is_object ? '{' : '[');
}

static void container_end(struct sn_json_writer *writer, bool is_object) {
    if (writer->buf->status != SN_OK) {
        return;
    }
    if (SN_NEVER(writer->depth == 0 || is_in_object(writer) != is_object || writer->has_key)) {
        misuse(writer);
        return;
    }
    writer->depth--;
    sn_buf_put_byte(writer->buf, is_object ? '}' : ']');
}

void sn_json_write_object_begin(struct sn_json_writer *writer) {
    container_begin(writer, true);
}

void sn_json_write_object_end(struct sn_json_writer *writer) {
    container_end(writer, true);
}

void sn_json_write_array_begin(struct sn_json_writer *writer) {
    container_begin(writer, false);
}

void sn_json_write_array_end(struct sn_json_writer *writer) {
    container_end(writer, false);
}

/* ---- strings ---- */

static void put_escape(struct sn_buf *buf, char c) {
    static const char letters[] = "\b\t\n\f\r\"\\";
    static const char names[] = "btnfr\"\\";
    const char *letter = memchr(letters, c, sizeof(letters) - 1);
    if (letter != NULL) {
        char escape[2] = {'\\', names[letter - letters]};
        sn_buf_put(buf, escape, sizeof(escape));
    } else {
        char escape[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4 & 0xf], hex_digits[c & 0xf]};
        sn_buf_put(buf, escape, sizeof(escape));
    }
}

static void put_quoted(struct sn_buf *buf, struct sn_str text) {
    const char *at = text.ptr ? text.ptr : "";
    const char *end = at + text.len;
    sn_buf_put_byte(buf, '"');
    while (at < end && buf->status == SN_OK) {
        const char *stop = sn_json_plain_end(at, end);
        sn_buf_put(buf, at, (size_t)(stop - at));
        at = stop;
        if (at == end) {
            break;
        }
        if ((unsigned char)*at < 0x80) {
            put_escape(buf, *at++);
            continue;
        }
        bool is_valid;
        size_t len = sn_utf8_step(at, end, &is_valid);
        sn_buf_put(buf, is_valid ? at : "\xef\xbf\xbd", is_valid ? len : 3);
        at += len;
    }
    sn_buf_put_byte(buf, '"');
}

void sn_json_write_key(struct sn_json_writer *writer, struct sn_str key) {
    if (writer->buf->status != SN_OK) {
        return;
    }
    if (SN_NEVER(!is_in_object(writer) || writer->has_key)) {
        misuse(writer);
        return;
    }
    put_comma(writer);
    put_quoted(writer->buf, key);
    sn_buf_put_byte(writer->buf, ':');
    writer->has_key = true;
}

void sn_json_write_string(struct sn_json_writer *writer, struct sn_str text) {
    if (value_begin(writer)) {
        put_quoted(writer->buf, text);
    }
}

/* ---- other values ---- */

void sn_json_write_double(struct sn_json_writer *writer, double value) {
    char text[SN_DOUBLE_TEXT_SIZE];
    if (isfinite(value)) {
        put_value(writer, sn_str_make(text, sn_double_format(value, SN_DOUBLE_API, text)));
    } else if (writer->flags & SN_JSON_NON_FINITE_TEXT) {
        sn_json_write_double_text(writer, value);
    } else {
        sn_json_write_null(writer);
    }
}

void sn_json_write_double_text(struct sn_json_writer *writer, double value) {
    char text[SN_DOUBLE_TEXT_SIZE + 2];
    size_t len = sn_double_format(value, SN_DOUBLE_API, text + 1);
    text[0] = '"';
    text[len + 1] = '"';
    put_value(writer, sn_str_make(text, len + 2));
}

void sn_json_write_int64(struct sn_json_writer *writer, int64_t value) {
    char text[SN_INTEGER_TEXT_SIZE];
    put_value(writer, sn_str_make(text, sn_int64_format(value, text)));
}

void sn_json_write_uint64(struct sn_json_writer *writer, uint64_t value) {
    char text[SN_INTEGER_TEXT_SIZE];
    put_value(writer, sn_str_make(text, sn_uint64_format(value, text)));
}

void sn_json_write_bool(struct sn_json_writer *writer, bool value) {
    put_value(writer, value ? SN_STR("true") : SN_STR("false"));
}

void sn_json_write_null(struct sn_json_writer *writer) {
    put_value(writer, SN_STR("null"));
}

void sn_json_write_time(struct sn_json_writer *writer, int64_t time_ms) {
    char text[SN_INTEGER_TEXT_SIZE + 6];
    uint64_t magnitude = time_ms < 0 ? 0 - (uint64_t)time_ms : (uint64_t)time_ms;
    uint64_t rest = magnitude % 1000;
    text[0] = '-';
    size_t len = sn_uint64_format(magnitude / 1000, text + 1) + 1;
    if (rest != 0) {
        text[len++] = '.';
        for (uint64_t unit = 100; unit > 0 && rest != 0; unit /= 10) {
            text[len++] = (char)('0' + rest / unit);
            rest %= unit;
        }
    }
    size_t start = time_ms < 0 ? 0 : 1;
    put_value(writer, sn_str_make(text + start, len - start));
}

void sn_json_write_raw(struct sn_json_writer *writer, struct sn_str json) {
    put_value(writer, json);
}

void sn_json_write_key_string(struct sn_json_writer *writer, struct sn_str key,
                              struct sn_str text) {
    sn_json_write_key(writer, key);
    sn_json_write_string(writer, text);
}

void sn_json_write_key_double(struct sn_json_writer *writer, struct sn_str key, double value) {
    sn_json_write_key(writer, key);
    sn_json_write_double(writer, value);
}

void sn_json_write_key_int64(struct sn_json_writer *writer, struct sn_str key, int64_t value) {
    sn_json_write_key(writer, key);
    sn_json_write_int64(writer, value);
}

void sn_json_write_key_uint64(struct sn_json_writer *writer, struct sn_str key, uint64_t value) {
    sn_json_write_key(writer, key);
    sn_json_write_uint64(writer, value);
}

void sn_json_write_key_bool(struct sn_json_writer *writer, struct sn_str key, bool value) {
    sn_json_write_key(writer, key);
    sn_json_write_bool(writer, value);
}

sn_status sn_json_write_finish(struct sn_json_writer *writer, struct sn_err *err) {
    sn_status status = writer->buf->status;
    if (status == SN_OK && SN_NEVER(writer->depth != 0 || !writer->is_done)) {
        misuse(writer);
    }
    if (status == SN_ERR_LIMIT && writer->depth == SN_JSON_DEPTH_MAX) {
        return sn_err_set(err, status, "JSON nested more than %d deep, or larger than its limit",
                          SN_JSON_DEPTH_MAX);
    }
    if (writer->buf->status == SN_ERR_INTERNAL) {
        return sn_err_set(err, SN_ERR_INTERNAL, "the JSON writer was called out of turn");
    }
    return sn_buf_status(writer->buf, err);
}
