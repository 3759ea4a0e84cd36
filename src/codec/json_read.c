/*
 * The strict JSON reader.
 *
 * 1. `at` is behind the last thing that was consumed; `expect` says what may be consumed next, and
 *    each function that reads checks it, so that no call order can walk into a wrong state.
 * 2. Nothing recurses: open containers are in `levels`, their names in json_names.c.
 * 3. Strings are checked when they are passed, decoded only when somebody wants them.
 * One thread. Memory only from the arena.
 */
#include "codec/json_read.h"

#include "base/check.h"
#include "codec/json_text_priv.h"
#include "codec/number.h"
#include "codec/number_priv.h"
#include "codec/utf8_priv.h"

enum expect {
    EXPECT_VALUE,
    EXPECT_FIRST_NAME, /* behind '{' */
    EXPECT_NEXT_NAME,  /* behind a member */
    EXPECT_FIRST_ELEMENT,
    EXPECT_NEXT_ELEMENT,
    EXPECT_NOTHING, /* the document is complete */
};

enum {
    QUOTE_BYTES_MAX = 40, /* of the document in a sentence */
};

/* ---- failures ---- */

/* Line and column of `at`, both from 1; columns count characters. */
static void locate(const struct sn_json_reader *reader, const char *at, size_t *ret_line,
                   size_t *ret_column) {
    size_t line = 1;
    size_t column = 1;
    for (const char *c = reader->start; c < at; c++) {
        if (*c == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)*c & 0xc0) != 0x80;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

/* Remember the first failure and stop everything. */
SN_PRINTF(4, 0)
static void fail_va(struct sn_json_reader *reader, const char *at, sn_status status,
                    const char *format, va_list args) {
    if (reader->status != SN_OK) {
        return;
    }
    size_t line;
    size_t column;
    locate(reader, at, &line, &column);
    reader->status = sn_err_set_va(&reader->err, status, format, args);
    sn_err_prefix(&reader->err, "line %zu, column %zu (byte %zu)", line, column,
                  (size_t)(at - reader->start));
}

SN_PRINTF(4, 5)
static void fail(struct sn_json_reader *reader, const char *at, sn_status status,
                 const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_va(reader, at, status, format, args);
    va_end(args);
}

void sn_json_read_fail(struct sn_json_reader *reader, sn_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_va(reader, reader->mark, status, format, args);
    va_end(args);
}

static void fail_expected(struct sn_json_reader *reader, const char *at, const char *what) {
    if (at >= reader->end) {
        fail(reader, at, SN_ERR_INVALID, "expected %s, found the end of the text", what);
    } else if (*at > 0x20 && *at < 0x7f) {
        fail(reader, at, SN_ERR_INVALID, "expected %s, found '%c'", what, *at);
    } else {
        fail(reader, at, SN_ERR_INVALID, "expected %s, found byte 0x%02x", what,
             (unsigned)(unsigned char)*at);
    }
}

/* For sentences: not the megabyte that somebody sent. */
static struct sn_str quoted(struct sn_str text) {
    text.len = text.len < QUOTE_BYTES_MAX ? text.len : QUOTE_BYTES_MAX;
    return text;
}

/* Whether the caller may do what takes the state `first` or `second` now. */
static bool may(struct sn_json_reader *reader, enum expect first, enum expect second) {
    if (SN_UNLIKELY(reader->status != SN_OK)) {
        return false;
    }
    if (SN_NEVER(reader->expect != first && reader->expect != second)) {
        fail(reader, reader->at, SN_ERR_INTERNAL, "the JSON reader was called out of turn");
        return false;
    }
    return true;
}

/* ---- bytes ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_blanks(struct sn_json_reader *reader) {
    const char *at = reader->at;
    while (at < reader->end && is_blank(*at)) {
        at++;
    }
    reader->at = at;
}

/* The next byte behind blanks, 0 at the end. (A 0 in the text is an error wherever it stands.) */
static char next_byte(struct sn_json_reader *reader) {
    if (SN_UNLIKELY(reader->at < reader->end && *reader->at <= ' ')) {
        skip_blanks(reader);
    }
    return reader->at < reader->end ? *reader->at : '\0';
}

/* ---- strings ---- */

/* A string as it stands between its quotes. */
struct raw_string {
    struct sn_str text;
    bool has_escapes;
};

/* Check the escape at `at`; NULL: failed, otherwise what follows it. */
static const char *pass_escape(struct sn_json_reader *reader, const char *at) {
    const char *next = at + 2;
    if (reader->end - at < 2) {
        fail_expected(reader, reader->end, "a closing '\"'");
        return NULL;
    }
    if (at[1] == 'u') {
        if (sn_json_unicode_escape(at, reader->end, &next) < 0) {
            fail(reader, at, SN_ERR_INVALID,
                 "\\u needs four hexadecimal digits, surrogates come in pairs");
            return NULL;
        }
    } else if (sn_json_simple_escape(at[1]) == '\0') {
        fail_expected(reader, at + 1, "one of \"\\/bfnrtu behind '\\'");
        return NULL;
    }
    return next;
}

/* Pass characters that are not ASCII; NULL: failed. */
static const char *pass_unicode(struct sn_json_reader *reader, const char *at) {
    while (at < reader->end && (unsigned char)*at >= 0x80) {
        bool is_valid;
        size_t len = sn_utf8_step(at, reader->end, &is_valid);
        if (!is_valid) {
            fail(reader, at, SN_ERR_INVALID, "byte 0x%02x does not begin valid UTF-8",
                 (unsigned)(unsigned char)*at);
            return NULL;
        }
        at += len;
    }
    return at;
}

/* Pass the string whose opening quote is at `at`. */
static bool pass_string(struct sn_json_reader *reader, struct raw_string *ret_string) {
    const char *first = reader->at + 1;
    const char *at = sn_json_plain_end(first, reader->end);
    bool has_escapes = false;
    while (SN_UNLIKELY(at >= reader->end || *at != '"')) {
        if (at >= reader->end) {
            fail_expected(reader, at, "a closing '\"'");
            return false;
        }
        if (*at == '\\') {
            has_escapes = true;
            at = pass_escape(reader, at);
        } else if ((unsigned char)*at >= 0x80) {
            at = pass_unicode(reader, at);
        } else {
            fail(reader, at, SN_ERR_INVALID, "control character 0x%02x in a string, write \\u%04x",
                 (unsigned)*at, (unsigned)*at);
            return false;
        }
        if (at == NULL) {
            return false;
        }
        at = sn_json_plain_end(at, reader->end);
    }
    ret_string->text = sn_str_make(first, (size_t)(at - first));
    ret_string->has_escapes = has_escapes;
    reader->at = at + 1;
    return true;
}

/* The text of a string as the caller wants it; {NULL, 0} on failure. */
static struct sn_str decoded(struct sn_json_reader *reader, const struct raw_string *string) {
    if (SN_LIKELY(!string->has_escapes)) {
        return string->text;
    }
    char *text = sn_arena_alloc(reader->arena, string->text.len);
    if (text == NULL) {
        struct sn_err err;
        sn_status status = sn_arena_failure(reader->arena, string->text.len, &err);
        fail(reader, reader->at, status, "%s", err.text);
        return (struct sn_str){NULL, 0};
    }
    return sn_str_make(text, sn_json_unescape(string->text, text));
}

/* ---- structure ---- */

void sn_json_read_init(struct sn_json_reader *reader, struct sn_str text,
                       const struct sn_json_options *options) {
    /* Not by an initialiser: that would clear a kilobyte of levels and names for each document. */
    reader->start = text.ptr ? text.ptr : "";
    reader->at = reader->start;
    reader->mark = reader->start;
    reader->end = reader->start + text.len;
    reader->arena = options->arena;
    reader->depth = 0;
    reader->depth_max = options->depth_max;
    if (reader->depth_max == 0 || reader->depth_max > SN_JSON_DEPTH_MAX) {
        reader->depth_max = SN_JSON_DEPTH_MAX;
    }
    reader->expect = EXPECT_VALUE;
    reader->status = SN_OK;
    sn_json_names_init(&reader->names, options->arena, options->hash_seed);
    reader->err.status = SN_OK;
    reader->err.text[0] = '\0';
    if (text.len > UINT32_MAX) {
        fail(reader, reader->at, SN_ERR_LIMIT, "a JSON text of %zu bytes, the limit is %lu",
             text.len, (unsigned long)UINT32_MAX);
    }
}

/* A value has been consumed. */
static void value_end(struct sn_json_reader *reader) {
    if (reader->depth == 0) {
        reader->expect = EXPECT_NOTHING;
    } else {
        reader->expect =
            reader->levels[reader->depth].is_object ? EXPECT_NEXT_NAME : EXPECT_NEXT_ELEMENT;
    }
}

/* Move to the start of a value; false when the caller may not read one. */
static bool value_begin(struct sn_json_reader *reader) {
    if (!may(reader, EXPECT_VALUE, EXPECT_VALUE)) {
        return false;
    }
    (void)next_byte(reader);
    reader->mark = reader->at;
    return true;
}

static bool container_begin(struct sn_json_reader *reader, bool is_object) {
    if (reader->depth == reader->depth_max) {
        fail(reader, reader->at, SN_ERR_LIMIT, "more than %lu nested arrays and objects",
             (unsigned long)reader->depth_max);
        return false;
    }
    reader->at++;
    reader->depth++;
    reader->levels[reader->depth].is_object = is_object;
    reader->levels[reader->depth].scope = sn_json_names_open(&reader->names);
    reader->expect = is_object ? EXPECT_FIRST_NAME : EXPECT_FIRST_ELEMENT;
    return true;
}

static void container_end(struct sn_json_reader *reader) {
    reader->at++;
    sn_json_names_close(&reader->names, reader->levels[reader->depth].scope);
    reader->depth--;
    value_end(reader);
}

bool sn_json_read_object(struct sn_json_reader *reader) {
    if (!value_begin(reader)) {
        return false;
    }
    if (next_byte(reader) != '{') {
        fail_expected(reader, reader->at, "an object");
        return false;
    }
    return container_begin(reader, true);
}

bool sn_json_read_array(struct sn_json_reader *reader) {
    if (!value_begin(reader)) {
        return false;
    }
    if (next_byte(reader) != '[') {
        fail_expected(reader, reader->at, "an array");
        return false;
    }
    return container_begin(reader, false);
}

/* Note a name of the innermost object. False: failed, or it is there already. */
static bool add_name(struct sn_json_reader *reader, struct sn_str key) {
    struct sn_err err;
    sn_status status =
        sn_json_names_add(&reader->names, &reader->levels[reader->depth].scope, key, &err);
    if (SN_UNLIKELY(status == SN_ERR_EXISTS)) {
        fail(reader, reader->mark, SN_ERR_INVALID, "name \"%.*s\" is there twice",
             SN_STR_ARG(quoted(key)));
    } else if (SN_UNLIKELY(status != SN_OK)) {
        fail(reader, reader->mark, status, "%s", err.text);
    }
    return status == SN_OK;
}

/* The name itself, with its colon. */
static bool read_name(struct sn_json_reader *reader, struct sn_str *ret_key) {
    struct raw_string string;
    reader->mark = reader->at;
    if (reader->at >= reader->end || *reader->at != '"') {
        fail_expected(reader, reader->at, "a name in quotes");
        return false;
    }
    if (!pass_string(reader, &string)) {
        return false;
    }
    struct sn_str key = decoded(reader, &string);
    if (SN_UNLIKELY(reader->status != SN_OK) || !add_name(reader, key)) {
        return false;
    }
    if (next_byte(reader) != ':') {
        fail_expected(reader, reader->at, "':' behind a name");
        return false;
    }
    reader->at++;
    reader->expect = EXPECT_VALUE;
    *ret_key = key;
    return true;
}

bool sn_json_read_key(struct sn_json_reader *reader, struct sn_str *ret_key) {
    *ret_key = (struct sn_str){NULL, 0};
    if (!may(reader, EXPECT_FIRST_NAME, EXPECT_NEXT_NAME)) {
        return false;
    }
    char c = next_byte(reader);
    if (c == '}') {
        container_end(reader);
        return false;
    }
    if (reader->expect == EXPECT_NEXT_NAME) {
        if (c != ',') {
            fail_expected(reader, reader->at, "',' or '}'");
            return false;
        }
        reader->at++;
        (void)next_byte(reader);
    }
    return read_name(reader, ret_key);
}

bool sn_json_read_element(struct sn_json_reader *reader) {
    if (!may(reader, EXPECT_FIRST_ELEMENT, EXPECT_NEXT_ELEMENT)) {
        return false;
    }
    char c = next_byte(reader);
    if (c == ']') {
        container_end(reader);
        return false;
    }
    if (reader->expect == EXPECT_NEXT_ELEMENT) {
        if (c != ',') {
            fail_expected(reader, reader->at, "',' or ']'");
            return false;
        }
        reader->at++;
    }
    reader->expect = EXPECT_VALUE;
    return true;
}

/* ---- values ---- */

static enum sn_json_kind kind_of(char c) {
    switch (c) {
    case '{':
        return SN_JSON_OBJECT;
    case '[':
        return SN_JSON_ARRAY;
    case '"':
        return SN_JSON_STRING;
    case 't':
    case 'f':
        return SN_JSON_BOOL;
    case 'n':
        return SN_JSON_NULL;
    default:
        return c == '-' || sn_is_digit(c) ? SN_JSON_NUMBER : SN_JSON_NOTHING;
    }
}

enum sn_json_kind sn_json_read_peek(struct sn_json_reader *reader) {
    if (reader->status != SN_OK || reader->expect != EXPECT_VALUE) {
        return SN_JSON_NOTHING;
    }
    return kind_of(next_byte(reader));
}

/* Consume null, true or false; anything else fails. */
static bool pass_literal(struct sn_json_reader *reader, struct sn_str literal) {
    size_t left = (size_t)(reader->end - reader->at);
    if (left < literal.len || memcmp(reader->at, literal.ptr, literal.len) != 0) {
        fail_expected(reader, reader->at, "null, true or false");
        return false;
    }
    reader->at += literal.len;
    value_end(reader);
    return true;
}

bool sn_json_read_bool(struct sn_json_reader *reader) {
    if (!value_begin(reader)) {
        return false;
    }
    char c = next_byte(reader);
    if (kind_of(c) != SN_JSON_BOOL) {
        fail_expected(reader, reader->at, "true or false");
        return false;
    }
    return pass_literal(reader, c == 't' ? SN_STR("true") : SN_STR("false")) && c == 't';
}

void sn_json_read_null(struct sn_json_reader *reader) {
    if (!value_begin(reader)) {
        return;
    }
    if (next_byte(reader) != 'n') {
        fail_expected(reader, reader->at, "null");
        return;
    }
    (void)pass_literal(reader, SN_STR("null"));
}

bool sn_json_read_null_if(struct sn_json_reader *reader) {
    if (sn_json_read_peek(reader) != SN_JSON_NULL) {
        return false;
    }
    sn_json_read_null(reader);
    return reader->status == SN_OK;
}

struct sn_str sn_json_read_string(struct sn_json_reader *reader) {
    struct raw_string string;
    struct sn_str nothing = {NULL, 0};
    if (!value_begin(reader)) {
        return nothing;
    }
    if (next_byte(reader) != '"') {
        fail_expected(reader, reader->at, "a string");
        return nothing;
    }
    if (!pass_string(reader, &string)) {
        return nothing;
    }
    value_end(reader);
    return decoded(reader, &string);
}

/* ---- numbers ---- */

/* JSON is stricter than the scanner: NULL when the number is fine, else where and what is not. */
static const char *refuse_number(const struct sn_number *number, const char *stop,
                                 const char **ret_at) {
    const char *first = number->mantissa.ptr;
    if (number->whole_count == 0) {
        *ret_at = first;
        return "a digit";
    }
    if (*first == '0' && number->whole_count > 1) {
        *ret_at = first + 1;
        return "no digit behind a leading 0";
    }
    *ret_at = stop;
    bool is_point_last = number->has_point && number->fraction_count == 0;
    if (is_point_last) {
        *ret_at = first + number->mantissa.len;
    }
    return is_point_last || !number->is_complete ? "a digit" : NULL;
}

/* Consume a number. `at` is at '-' or a digit. */
static inline bool pass_number(struct sn_json_reader *reader, struct sn_number *ret_number) {
    bool is_negative = *reader->at == '-';
    const char *stop = sn_number_scan(reader->at + is_negative, reader->end, ret_number);
    const char *bad;
    const char *expected = refuse_number(ret_number, stop, &bad);
    if (SN_UNLIKELY(expected != NULL)) {
        fail_expected(reader, bad, expected);
        return false;
    }
    ret_number->is_negative = is_negative;
    reader->at = stop;
    return true;
}

static inline bool read_number(struct sn_json_reader *reader, struct sn_number *ret_number) {
    if (!value_begin(reader)) {
        return false;
    }
    if (kind_of(next_byte(reader)) != SN_JSON_NUMBER) {
        fail_expected(reader, reader->at, "a number");
        return false;
    }
    if (!pass_number(reader, ret_number)) {
        return false;
    }
    value_end(reader);
    return true;
}

/* The text of the value that was read last. */
static struct sn_str value_text(const struct sn_json_reader *reader) {
    return sn_str_make(reader->mark, (size_t)(reader->at - reader->mark));
}

double sn_json_read_double(struct sn_json_reader *reader) {
    struct sn_number number;
    double value = 0;
    if (read_number(reader, &number) && !sn_number_to_double(&number, &value)) {
        sn_json_read_fail(reader, SN_ERR_LIMIT, "number %.*s is larger than any double",
                          SN_STR_ARG(quoted(value_text(reader))));
    }
    return value;
}

/* The whole number without its sign. SN_ERR_INVALID: not whole, SN_ERR_LIMIT: above 64 bits. */
static sn_status whole_magnitude(const struct sn_number *number, uint64_t *ret_magnitude) {
    uint64_t digits = number->digits;
    int64_t exponent = number->exponent;
    if (!number->has_point && number->exponent_text == 0) {
        return sn_uint64_parse(number->mantissa, ret_magnitude);
    }
    if (number->is_cut) {
        return exponent < 0 ? SN_ERR_INVALID : SN_ERR_LIMIT;
    }
    for (; exponent < 0 && digits != 0; exponent++) {
        if (digits % 10 != 0) {
            return SN_ERR_INVALID;
        }
        digits /= 10;
    }
    for (; exponent > 0 && digits != 0; exponent--) {
        if (__builtin_mul_overflow(digits, 10, &digits)) {
            return SN_ERR_LIMIT;
        }
    }
    *ret_magnitude = digits;
    return SN_OK;
}

/* Read a whole number whose magnitude is at most `max`, or `max_negative` with a minus. */
static uint64_t read_whole(struct sn_json_reader *reader, uint64_t max, uint64_t max_negative,
                           bool *ret_is_negative) {
    struct sn_number number;
    uint64_t magnitude = 0;
    *ret_is_negative = false;
    if (!read_number(reader, &number)) {
        return 0;
    }
    sn_status status = whole_magnitude(&number, &magnitude);
    if (status == SN_OK && magnitude > (number.is_negative ? max_negative : max)) {
        status = SN_ERR_LIMIT;
    }
    if (status != SN_OK) {
        struct sn_str text = quoted(value_text(reader));
        sn_json_read_fail(reader, status, "number %.*s is %s", SN_STR_ARG(text),
                          status == SN_ERR_INVALID ? "not whole"
                          : max_negative != 0      ? "outside of the range of 64 bits with sign"
                                              : "outside of the range of 64 bits without sign");
        return 0;
    }
    *ret_is_negative = number.is_negative;
    return magnitude;
}

int64_t sn_json_read_int64(struct sn_json_reader *reader) {
    bool is_negative;
    uint64_t magnitude = read_whole(reader, INT64_MAX, (uint64_t)INT64_MAX + 1, &is_negative);
    return (int64_t)(is_negative ? 0 - magnitude : magnitude);
}

uint64_t sn_json_read_uint64(struct sn_json_reader *reader) {
    bool is_negative;
    return read_whole(reader, UINT64_MAX, 0, &is_negative);
}

struct sn_str sn_json_read_number_text(struct sn_json_reader *reader) {
    struct sn_number number;
    if (!read_number(reader, &number)) {
        return (struct sn_str){NULL, 0};
    }
    return value_text(reader);
}

/* ---- passing over ---- */

/* Consume a value that is no container, or enter it. */
static void pass_or_enter(struct sn_json_reader *reader) {
    struct raw_string string;
    struct sn_number number;
    char c = next_byte(reader);
    switch (kind_of(c)) {
    case SN_JSON_OBJECT:
    case SN_JSON_ARRAY:
        (void)container_begin(reader, c == '{');
        break;
    case SN_JSON_STRING:
        if (pass_string(reader, &string)) {
            value_end(reader);
        }
        break;
    case SN_JSON_NUMBER:
        if (pass_number(reader, &number)) {
            value_end(reader);
        }
        break;
    case SN_JSON_BOOL:
        (void)pass_literal(reader, c == 't' ? SN_STR("true") : SN_STR("false"));
        break;
    case SN_JSON_NULL:
        (void)pass_literal(reader, SN_STR("null"));
        break;
    case SN_JSON_NOTHING:
        fail_expected(reader, reader->at, "a value");
        break;
    }
}

void sn_json_read_skip(struct sn_json_reader *reader) {
    if (!value_begin(reader)) {
        return;
    }
    const char *mark = reader->mark;
    uint32_t depth = reader->depth;
    struct sn_str key;
    pass_or_enter(reader);
    while (reader->depth > depth && reader->status == SN_OK) {
        bool has_value = reader->levels[reader->depth].is_object ? sn_json_read_key(reader, &key)
                                                                 : sn_json_read_element(reader);
        if (has_value) {
            pass_or_enter(reader);
        }
    }
    reader->mark = mark;
}

struct sn_str sn_json_read_raw(struct sn_json_reader *reader) {
    sn_json_read_skip(reader);
    return reader->status == SN_OK ? value_text(reader) : (struct sn_str){NULL, 0};
}

sn_status sn_json_read_finish(struct sn_json_reader *reader, struct sn_err *err) {
    if (may(reader, EXPECT_NOTHING, EXPECT_NOTHING)) {
        skip_blanks(reader);
        if (reader->at < reader->end) {
            fail_expected(reader, reader->at, "the end of the text");
        }
    }
    if (reader->status != SN_OK && err != NULL) {
        *err = reader->err;
    }
    return reader->status;
}
