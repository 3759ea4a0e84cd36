/*
 * Hash and comparison of label values for lookup. Both are inlined in two places of series.c and
 * nowhere else. Short values (up to 16 bytes: methods, status codes, most names) take two
 * overlapping loads and one multiplication, and never read beyond their end.
 *
 * Values come from outside, so the hash is keyed by a secret drawn at start.
 */
#ifndef SN_CLIENT_LABEL_HASH_PRIV_H
#define SN_CLIENT_LABEL_HASH_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SN_HASH_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: tells positions apart */

static inline uint64_t sn_load64(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t sn_load32(const char *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint64_t sn_hash_mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two words that together hold all of up to 16 bytes. */
static inline void sn_short_words(const char *text, size_t len, uint64_t *ret_a, uint64_t *ret_b) {
    if (len >= 8) {
        *ret_a = sn_load64(text);
        *ret_b = sn_load64(text + len - 8);
    } else if (len >= 4) {
        *ret_a = sn_load32(text);
        *ret_b = sn_load32(text + len - 4);
    } else {
        *ret_a = len == 0 ? 0
                          : (uint64_t)(unsigned char)text[0] |
                                (uint64_t)(unsigned char)text[len / 2] << 8 |
                                (uint64_t)(unsigned char)text[len - 1] << 16;
        *ret_b = 0;
    }
}

static inline uint64_t sn_label_hash(const char *text, size_t len, uint64_t seed) {
    uint64_t a, b;
    size_t left = len;
    uint64_t h = seed;
    while (left > 16) {
        h = sn_hash_mix(sn_load64(text) ^ h, sn_load64(text + 8) ^ SN_HASH_STEP);
        text += 16;
        left -= 16;
    }
    sn_short_words(text, left, &a, &b);
    return sn_hash_mix(a ^ h ^ len, b ^ SN_HASH_STEP);
}

static inline bool sn_label_equal(const char *a, const char *b, size_t len) {
    if (len > 16) {
        if (sn_load64(a) != sn_load64(b))
            return false;
        return memcmp(a, b, len) == 0;
    }
    uint64_t a0, a1, b0, b1;
    sn_short_words(a, len, &a0, &a1);
    sn_short_words(b, len, &b0, &b1);
    return ((a0 ^ b0) | (a1 ^ b1)) == 0;
}

#endif
