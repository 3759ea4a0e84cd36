/*
 * Hash and comparison of label values for lookup; inlined in series.c and nowhere else.
 *
 * Values are mostly short (methods, status codes, names): up to 16 bytes are two words, which hashing
 * and comparing share. Nothing is read beyond the end of a value: hosts run under valgrind.
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

/* A label value: its bytes and, when it has at most 16, the two words that hold them all. */
struct sn_label_value {
    const char *text;
    size_t len;
    uint64_t a;
    uint64_t b;
};

/* Up to 7 bytes as one word that depends on every byte: from 4 on two loads, which may overlap. */
static inline uint64_t sn_load_short(const char *text, size_t len) {
    if (len >= 4)
        return sn_load32(text) | (uint64_t)sn_load32(text + len - 4) << 32;
    if (len == 0)
        return 0;
    return (uint64_t)(unsigned char)text[0] | (uint64_t)(unsigned char)text[len / 2] << 8 |
           (uint64_t)(unsigned char)text[len - 1] << 16;
}

static inline struct sn_label_value sn_label_value(const char *text) {
    size_t len = strlen(text);
    if (len < 8)
        return (struct sn_label_value){text, len, sn_load_short(text, len), 0};
    return (struct sn_label_value){text, len, sn_load64(text), sn_load64(text + len - 8)};
}

static inline uint64_t sn_label_hash(const struct sn_label_value *value, uint64_t seed) {
    uint64_t h = seed;
    for (size_t i = 8; i + 8 < value->len; i += 8)
        h = sn_hash_mix(sn_load64(value->text + i) ^ h, SN_HASH_STEP);
    return sn_hash_mix(value->a ^ h ^ value->len, value->b ^ SN_HASH_STEP);
}

/* Whether the value stands at `stored`, of which as many bytes are readable. */
static inline bool sn_label_equal(const struct sn_label_value *value, const char *stored) {
    if (value->len < 8)
        return sn_load_short(stored, value->len) == value->a;
    uint64_t difference =
        (sn_load64(stored) ^ value->a) | (sn_load64(stored + value->len - 8) ^ value->b);
    for (size_t i = 8; i + 8 < value->len; i += 8)
        difference |= sn_load64(stored + i) ^ sn_load64(value->text + i);
    return difference == 0;
}

#endif
