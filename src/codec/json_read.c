/*
 * The strict JSON reader.
 *
 * 1. `at` is behind the last thing that was consumed; `expect` says what may be consumed next, and
 *    each function that reads checks it, so that no call order can walk into a wrong state.
 * 2. Nothing recurses: open containers are in `levels`, their names in `names`.
 * 3. Strings are checked when they are passed, decoded only when somebody wants them.
 * 4. The index of names may hold positions of objects that were left since. They do no harm: a
 *    position counts only when it lies in the part of `names` that belongs to the innermost object.
 * One thread. Memory only from the arena.
 */
#include "codec/json_read.h"

#include "base/check.h"
#include "codec/number.h"
#include "codec/number_priv.h"
#include "codec/utf8_priv.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum expect {
    EXPECT_VALUE,
    EXPECT_FIRST_NAME, /* behind '{' */
    EXPECT_NEXT_NAME,  /* behind a member */
    EXPECT_FIRST_ELEMENT,
    EXPECT_NEXT_ELEMENT,
    EXPECT_NOTHING, /* the document is complete */
};

enum {
    INDEX_FROM = 16, /* names of one object from which on they are found by hash */
    INDEX_FIRST = 256,
    NAMES_MAX = 1 << 28,  /* the index has up to 8 places per name, counted in 32 bits */
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

/* The first byte from `at` on that a string cannot pass by: '"', '\', control, not ASCII. */
static const char *find_special(const char *at, const char *end) {
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* As signed numbers control characters and all that is not ASCII are below 0x20. */
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        special = _mm_or_si128(special, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            return at + __builtin_ctz(mask);
        }
    }
#endif
    while (at < end && (signed char)*at >= 0x20 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

/* ---- strings ---- */

/* A string as it stands between its quotes. */
struct raw_string {
    struct sn_str text;
    bool has_escapes;
};

static int hex_digit(char c) {
    if (sn_is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The four hexadecimal digits at `at`, or -1; fewer than four before `end` are -1. */
static int32_t hex_4(const char *at, const char *end) {
    int32_t value = 0;
    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static bool is_surrogate(int32_t code, int32_t first) {
    return code >= first && code < first + 0x400;
}

/* The code point of the \u escape at `at`; *ret_next is behind it. -1: not one, or not paired. */
static int32_t unicode_escape(const char *at, const char *end, const char **ret_next) {
    int32_t code = hex_4(at + 2, end);
    if (code < 0 || is_surrogate(code, 0xdc00)) {
        return -1;
    }
    *ret_next = at + 6;
    if (!is_surrogate(code, 0xd800)) {
        return code;
    }
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u') {
        return -1;
    }
    int32_t low = hex_4(at + 8, end);
    if (!is_surrogate(low, 0xdc00)) {
        return -1;
    }
    *ret_next = at + 12;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* What a single-letter escape stands for, 0 when there is none. */
static char simple_escape(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

/* Check the escape at `at`; NULL: failed, otherwise what follows it. */
static const char *pass_escape(struct sn_json_reader *reader, const char *at) {
    const char *next = at + 2;
    if (reader->end - at < 2) {
        fail_expected(reader, reader->end, "a closing '\"'");
        return NULL;
    }
    if (at[1] == 'u') {
        if (unicode_escape(at, reader->end, &next) < 0) {
            fail(reader, at, SN_ERR_INVALID,
                 "\\u needs four hexadecimal digits, surrogates come in pairs");
            return NULL;
        }
    } else if (simple_escape(at[1]) == '\0') {
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
    const char *at = find_special(first, reader->end);
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
        at = find_special(at, reader->end);
    }
    ret_string->text = sn_str_make(first, (size_t)(at - first));
    ret_string->has_escapes = has_escapes;
    reader->at = at + 1;
    return true;
}

static char *put_utf8(char *to, int32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xe0 | code >> 12);
        } else {
            *to++ = (char)(0xf0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* Resolve the escapes of a checked string into `to`, which has room for its length. */
static size_t unescape(struct sn_str raw, char *to) {
    const char *from = raw.ptr;
    const char *end = raw.ptr + raw.len;
    const char *start = to;
    while (from < end) {
        const char *escape = memchr(from, '\\', (size_t)(end - from));
        size_t run = (size_t)((escape ? escape : end) - from);
        memcpy(to, from, run);
        to += run;
        if (escape == NULL) {
            break;
        }
        if (escape[1] == 'u') {
            to = put_utf8(to, unicode_escape(escape, end, &from));
        } else {
            *to++ = simple_escape(escape[1]);
            from = escape + 2;
        }
    }
    return (size_t)(to - start);
}

static void *take_memory(struct sn_json_reader *reader, size_t size) {
    void *memory = sn_arena_alloc(reader->arena, size);
    if (memory == NULL) {
        struct sn_err err;
        sn_status status = sn_arena_failure(reader->arena, size, &err);
        fail(reader, reader->at, status, "%s", err.text);
    }
    return memory;
}

/* The text of a string as the caller wants it; {NULL, 0} on failure. */
static struct sn_str decoded(struct sn_json_reader *reader, const struct raw_string *string) {
    if (SN_LIKELY(!string->has_escapes)) {
        return string->text;
    }
    char *text = take_memory(reader, string->text.len);
    if (text == NULL) {
        return (struct sn_str){NULL, 0};
    }
    return sn_str_make(text, unescape(string->text, text));
}

/* ---- names of objects ---- */

/* A digest that a handful of instructions gives; good enough to tell a few names apart. */
static uint32_t tag_of(struct sn_str name) {
    uint64_t first = 0;
    uint64_t last = 0;
    if (name.len >= 8) {
        memcpy(&first, name.ptr, 8);
        memcpy(&last, name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        memcpy(&first, name.ptr, 4);
        memcpy(&last, name.ptr + name.len - 4, 4);
    } else if (name.len > 0) {
        first = (unsigned char)name.ptr[0];
        last = (uint64_t)(unsigned char)name.ptr[name.len - 1] << 8 |
               (unsigned char)name.ptr[name.len / 2];
    }
    uint64_t mixed = (first ^ (last << 31 | last >> 33)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32);
}

static bool is_same_name(const struct sn_json_name *a, const struct sn_json_name *b) {
    return a->tag == b->tag && a->len == b->len && memcmp(a->ptr, b->ptr, a->len) == 0;
}

static uint64_t index_hash(const struct sn_json_reader *reader, const struct sn_json_name *name) {
    return sn_hash_bytes(name->ptr, name->len, reader->hash_seed);
}

/*
 * Look for a name of the innermost object in the index and, when it is not there, note that it is
 * at `position` of names. Returns whether it was there. The index has a free place.
 */
static bool index_add(struct sn_json_reader *reader, uint32_t position) {
    const struct sn_json_name *name = &reader->names[position];
    uint32_t mask = reader->index_cap - 1;
    uint32_t names_start = reader->levels[reader->depth].names_start;
    for (uint32_t i = (uint32_t)index_hash(reader, name) & mask;; i = (i + 1) & mask) {
        uint32_t found = reader->index[i];
        if (found == 0) {
            reader->index[i] = position + 1;
            reader->index_used++;
            return false;
        }
        if (found > names_start && found <= position &&
            is_same_name(&reader->names[found - 1], name)) {
            return true;
        }
    }
}

/*
 * Make the index hold the names before `count` and nothing else, with room to spare. Names of
 * outer objects get a place of their own even where the same name is in there already.
 */
static bool index_rebuild(struct sn_json_reader *reader, uint32_t count) {
    uint32_t cap = reader->index_cap ? reader->index_cap : INDEX_FIRST;
    while (cap / 4 < count) {
        cap *= 2;
    }
    if (cap != reader->index_cap) {
        uint32_t *index = take_memory(reader, cap * sizeof(*index));
        if (index == NULL) {
            return false;
        }
        reader->index = index;
        reader->index_cap = cap;
    }
    memset(reader->index, 0, cap * sizeof(*reader->index));
    reader->index_used = 0;
    for (uint32_t i = 0; i < count; i++) {
        (void)index_add(reader, i); /* known to be new */
    }
    return true;
}

/*
 * As index_add; the object's earlier names come into the index when it is used first. After a
 * rebuild a quarter of the places must fill up before the next one: constant cost per name.
 */
static bool is_repeated_in_index(struct sn_json_reader *reader, uint32_t position) {
    uint32_t first = position;
    if (!reader->levels[reader->depth].is_indexed) {
        first = reader->levels[reader->depth].names_start;
    }
    if (reader->index_used + (position - first) >= reader->index_cap / 2) {
        if (!index_rebuild(reader, position)) {
            return false;
        }
        first = position;
    }
    for (; first < position; first++) {
        (void)index_add(reader, first);
    }
    reader->levels[reader->depth].is_indexed = true;
    return index_add(reader, position);
}

static bool names_grow(struct sn_json_reader *reader) {
    size_t bytes = reader->name_cap * sizeof(reader->names[0]);
    if (reader->name_cap >= NAMES_MAX) {
        fail(reader, reader->mark, SN_ERR_LIMIT, "more than %d names in open objects", NAMES_MAX);
        return false;
    }
    struct sn_json_name *names = take_memory(reader, 2 * bytes);
    if (names == NULL) {
        return false;
    }
    memcpy(names, reader->names, bytes);
    reader->names = names;
    reader->name_cap *= 2;
    return true;
}

/* Add a name to the innermost object. False: failed, or it is there already. */
static bool names_add(struct sn_json_reader *reader, struct sn_str text) {
    if (SN_UNLIKELY(reader->name_count == reader->name_cap) && !names_grow(reader)) {
        return false;
    }
    uint32_t position = reader->name_count;
    uint32_t names_start = reader->levels[reader->depth].names_start;
    struct sn_json_name *name = &reader->names[position];
    *name = (struct sn_json_name){text.ptr, (uint32_t)text.len, tag_of(text)};
    bool is_repeated = false;
    if (SN_LIKELY(position - names_start < INDEX_FROM)) {
        for (uint32_t i = names_start; i < position && !is_repeated; i++) {
            is_repeated = is_same_name(&reader->names[i], name);
        }
    } else {
        is_repeated = is_repeated_in_index(reader, position);
    }
    if (is_repeated) {
        fail(reader, reader->mark, SN_ERR_INVALID, "name \"%.*s\" is there twice",
             SN_STR_ARG(quoted(text)));
    }
    reader->name_count++;
    return reader->status == SN_OK;
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
    reader->hash_seed = options->hash_seed;
    reader->depth = 0;
    reader->depth_max = options->depth_max;
    if (reader->depth_max == 0 || reader->depth_max > SN_JSON_DEPTH_MAX) {
        reader->depth_max = SN_JSON_DEPTH_MAX;
    }
    reader->expect = EXPECT_VALUE;
    reader->status = SN_OK;
    reader->names = reader->inline_names;
    reader->name_count = 0;
    reader->name_cap = SN_JSON_INLINE_KEYS;
    reader->index = NULL;
    reader->index_used = 0;
    reader->index_cap = 0;
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
    reader->levels[reader->depth].is_indexed = false;
    reader->levels[reader->depth].names_start = reader->name_count;
    reader->expect = is_object ? EXPECT_FIRST_NAME : EXPECT_FIRST_ELEMENT;
    return true;
}

static void container_end(struct sn_json_reader *reader) {
    reader->at++;
    reader->name_count = reader->levels[reader->depth].names_start;
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
    if (SN_UNLIKELY(reader->status != SN_OK) || !names_add(reader, key)) {
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
