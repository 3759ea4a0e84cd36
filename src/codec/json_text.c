/*
 * Escapes of JSON strings. Any thread, no allocation.
 */
#include "codec/json_text_priv.h"

#include "codec/number_priv.h"

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

int32_t sn_json_unicode_escape(const char *at, const char *end, const char **ret_next) {
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

char sn_json_simple_escape(char letter) {
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

size_t sn_json_unescape(struct sn_str raw, char *to) {
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
            to = put_utf8(to, sn_json_unicode_escape(escape, end, &from));
        } else {
            *to++ = sn_json_simple_escape(escape[1]);
            from = escape + 2;
        }
    }
    return (size_t)(to - start);
}
