/*
 * Percent escapes and "a=1&b=2": of queries and of form bodies. Pure.
 */
#include "base/arena.h"
#include "net/http_priv.h"

#define PARAMS_FIRST_COUNT 16

/* 0 to 15, or -1. */
static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool needs_decoding(struct sn_str text, bool is_form) {
    if (text.len == 0)
        return false;
    return memchr(text.ptr, '%', text.len) != NULL || memchr(text.ptr, '\0', text.len) != NULL ||
           (is_form && memchr(text.ptr, '+', text.len) != NULL);
}

/* The byte of an escape at the front of text, or -1. */
static int escaped_byte(const char *ptr, size_t len) {
    if (len < 3)
        return -1;
    int high = hex_value(ptr[1]);
    int low = hex_value(ptr[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static sn_status bad_escape(struct sn_str text, size_t at, struct sn_err *err) {
    struct sn_str rest = sn_str_make(text.ptr + at, text.len - at < 3 ? text.len - at : 3);
    return sn_err_set(err, SN_ERR_INVALID, "'%.*s' at byte %zu is not a valid percent escape",
                      SN_STR_ARG(rest), at);
}

sn_status sn_http_decode(struct sn_arena *arena, struct sn_str text, bool is_form,
                         struct sn_str *ret_text, struct sn_err *err) {
    if (!needs_decoding(text, is_form)) {
        *ret_text = text;
        return SN_OK;
    }
    char *out = sn_arena_alloc(arena, text.len);
    if (out == NULL)
        return sn_arena_failure(arena, text.len, err);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = (unsigned char)text.ptr[i];
        if (byte == '%') {
            byte = escaped_byte(text.ptr + i, text.len - i);
            if (byte < 0)
                return bad_escape(text, i, err);
            i += 2;
        } else if (byte == '+' && is_form) {
            byte = ' ';
        }
        if (byte == 0)
            return sn_err_set(err, SN_ERR_INVALID, "a NUL byte is not allowed");
        out[len++] = (char)byte;
    }
    *ret_text = sn_str_make(out, len);
    return SN_OK;
}

/* Room for one more; items move inside the arena when they outgrow their place. */
static sn_status reserve_item(struct sn_arena *arena, struct sn_http_fields *fields, size_t *cap,
                              struct sn_err *err) {
    if (fields->count == SN_HTTP_PARAMS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d parameters", SN_HTTP_PARAMS_MAX);
    if (fields->count < *cap)
        return SN_OK;
    size_t count = fields->count * 2 > PARAMS_FIRST_COUNT ? fields->count * 2 : PARAMS_FIRST_COUNT;
    size_t size = count * sizeof(*fields->items);
    struct sn_http_field *items = sn_arena_alloc(arena, size);
    if (items == NULL)
        return sn_arena_failure(arena, size, err);
    if (fields->count > 0)
        memcpy(items, fields->items, fields->count * sizeof(*items));
    fields->items = items;
    *cap = count;
    return SN_OK;
}

sn_status sn_http_params_append(struct sn_arena *arena, struct sn_str text,
                                struct sn_http_fields *params, struct sn_err *err) {
    struct sn_http_fields fields = *params;
    size_t cap = fields.count; /* what is there is full: a later append copies */
    while (text.len > 0) {
        struct sn_str pair;
        struct sn_str name;
        struct sn_str value;
        sn_str_cut(text, '&', &pair, &text);
        if (pair.len == 0)
            continue;
        sn_str_cut(pair, '=', &name, &value);
        SN_TRY(reserve_item(arena, &fields, &cap, err));
        struct sn_http_field *item = &fields.items[fields.count];
        SN_TRY(sn_http_decode(arena, name, true, &item->name, err));
        SN_TRY(sn_http_decode(arena, value, true, &item->value, err));
        fields.count++;
    }
    *params = fields;
    return SN_OK;
}
