/*
 * One step through bytes that should be UTF-8. Any thread.
 */
#ifndef SN_CODEC_UTF8_PRIV_H
#define SN_CODEC_UTF8_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Length of the character at `at`, which is below `end`. When it is not well-formed *ret_is_valid
 * is false and the length is that of its longest well-formed beginning, at least 1: what Unicode
 * replaces by one U+FFFD.
 */
static inline size_t sn_utf8_step(const char *at, const char *end, bool *ret_is_valid) {
    unsigned char lead = (unsigned char)*at;
    unsigned char low = 0x80;  /* bounds of the next byte; narrower for the second one: no */
    unsigned char high = 0xbf; /* overlong forms, no surrogates, nothing above U+10FFFF */
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4) {
        *ret_is_valid = false;
        return 1;
    }
    if (lead == 0xe0) {
        low = 0xa0;
    } else if (lead == 0xed) {
        high = 0x9f;
    } else if (lead == 0xf0) {
        low = 0x90;
    } else if (lead == 0xf4) {
        high = 0x8f;
    }
    *ret_is_valid = true;
    for (size_t i = 1; i < len; i++) {
        if (i >= (size_t)(end - at) || (unsigned char)at[i] < low || (unsigned char)at[i] > high) {
            *ret_is_valid = false;
            return i;
        }
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

#endif
