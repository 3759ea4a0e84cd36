/*
 * The inside of JSON strings: what reader and writer share. Any thread, no allocation.
 */
#ifndef SN_CODEC_JSON_TEXT_PRIV_H
#define SN_CODEC_JSON_TEXT_PRIV_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/*
 * The end of the bytes from `at` on that stand for themselves in a string: ASCII without '"', '\'
 * and control characters.
 */
static inline const char *sn_json_plain_end(const char *at, const char *end) {
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

/*
 * The code point of the \u escape whose backslash is at `at`, both halves of a surrogate pair taken
 * together; *ret_next is behind it. -1: fewer than four hexadecimal digits before `end`, or a
 * surrogate without its partner.
 */
int32_t sn_json_unicode_escape(const char *at, const char *end, const char **ret_next);

/* What a backslash and this letter stand for; '\0' when it is no escape, or \u. */
char sn_json_simple_escape(char letter);

/*
 * Resolve the escapes of a string, which have been checked, into `to`, which has room for raw.len
 * bytes. Returns the bytes written.
 */
size_t sn_json_unescape(struct sn_str raw, char *to);

#endif
