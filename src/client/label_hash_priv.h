/*
 * Hash and comparison of label values for lookup; inlined in series.c and nowhere else.
 *
 * Values are mostly short and their lengths vary (methods, status codes, names), so that branches on
 * the length would be guessed wrong, at 4 ns each. The first 16 bytes are taken in one load, the
 * length is found in them, and what lies behind the end is masked away. Such a load may read up to 15
 * bytes behind a value, but never beyond its page. Memory checkers object to that; under one
 * (sn_label_page_last is then -1), near the end of a page, in sanitized builds and on other
 * processors the bytes are copied.
 *
 * Values come from outside, so the hash is keyed by a secret drawn at start.
 */
#ifndef SN_CLIENT_LABEL_HASH_PRIV_H
#define SN_CLIENT_LABEL_HASH_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SN_LABEL_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SN_LABEL_BLOCKS 0
#endif
#endif
#ifndef SN_LABEL_BLOCKS
#ifdef __SSE2__
#define SN_LABEL_BLOCKS 1
#include <emmintrin.h>
#else
#define SN_LABEL_BLOCKS 0
#endif
#endif

#define SN_BLOCK 16 /* bytes that are looked at without a branch */
#define SN_PAGE 4096
#define SN_HASH_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: tells positions apart */

/* Last place in a page where a block may be loaded; -1: nowhere. */
extern int sn_label_page_last;

/* A label value, and its first 16 bytes with zeros behind its end. */
struct sn_label_value {
    const char *text;
    size_t len;
#if SN_LABEL_BLOCKS
    __m128i block;
    __m128i mask; /* ones where the value is */
#else
    uint64_t words[2];
#endif
};

static inline uint64_t sn_load64(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* gcc 12 sends the 128-bit product through memory where registers are short: 5 cycles in the chain
 * from a value to its series. */
static inline uint64_t sn_hash_mix(uint64_t a, uint64_t b) {
#ifdef __x86_64__
    uint64_t low, high;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "0"(a), "rm"(b) : "cc");
    return low ^ high;
#else
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#endif
}

#if SN_LABEL_BLOCKS

/* The block by a copy that ends with the value. Rare, so not inlined. */
static __attribute__((noinline)) __m128i sn_block_copy(const char *text) {
    char bytes[SN_BLOCK] = {0};
    memcpy(bytes, text, strnlen(text, SN_BLOCK));
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Whether the block of a value may be loaded. */
static inline bool sn_label_is_open(const char *text) {
    return __builtin_expect((int)((uintptr_t)text % SN_PAGE) <= sn_label_page_last, 1);
}

/* Length behind the first block. No call of strlen: it would spill the blocks of all values. */
static inline size_t sn_rest_len(const char *text) {
    size_t len = 0;
    while (sn_label_is_open(text + len)) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + len));
        unsigned ends = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128()));
        if (__builtin_expect(ends != 0, 1))
            return len + (size_t)__builtin_ctz(ends);
        len += SN_BLOCK;
    }
    while (text[len] != '\0') {
        len++;
        __asm__ volatile("" : "+r"(len)); /* or the compiler makes it strlen */
    }
    return len;
}

static inline struct sn_label_value sn_label_of_block(const char *text, __m128i block) {
    static const char ones[2 * SN_BLOCK] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                            -1, -1, -1, -1, -1, -1, -1, -1};
    __m128i ends = _mm_cmpeq_epi8(block, _mm_setzero_si128());
    size_t len = (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(ends) | 1u << SN_BLOCK);
    const char *at = ones + SN_BLOCK - len;
    __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)at);
    if (len == SN_BLOCK)
        len += sn_rest_len(text + SN_BLOCK);
    return (struct sn_label_value){text, len, _mm_and_si128(block, mask), mask};
}

/* Of a value that is open. */
static inline struct sn_label_value sn_label_open_value(const char *text) {
    return sn_label_of_block(text, _mm_loadu_si128((const __m128i *)(const void *)text));
}

/* Of any value. */
static inline struct sn_label_value sn_label_value(const char *text) {
    return sn_label_is_open(text) ? sn_label_open_value(text)
                                  : sn_label_of_block(text, sn_block_copy(text));
}

static inline uint64_t sn_label_word(const struct sn_label_value *value, int i) {
    return (uint64_t)_mm_cvtsi128_si64(i == 0 ? value->block
                                              : _mm_unpackhi_epi64(value->block, value->block));
}

/* Whether the value's first 16 bytes stand at `stored`, of which 16 are readable. */
static inline bool sn_block_equal(const struct sn_label_value *value, const char *stored) {
    __m128i there = _mm_loadu_si128((const __m128i *)(const void *)stored);
    __m128i same = _mm_cmpeq_epi8(_mm_and_si128(there, value->mask), value->block);
    return _mm_movemask_epi8(same) == 0xffff;
}

#else

static inline bool sn_label_is_open(const char *text) {
    (void)text;
    return true;
}

static inline struct sn_label_value sn_label_value(const char *text) {
    struct sn_label_value value = {text, strlen(text), {0, 0}};
    memcpy(value.words, text, value.len < SN_BLOCK ? value.len : SN_BLOCK);
    return value;
}

static inline struct sn_label_value sn_label_open_value(const char *text) {
    return sn_label_value(text);
}

static inline uint64_t sn_label_word(const struct sn_label_value *value, int i) {
    return value->words[i];
}

static inline bool sn_block_equal(const struct sn_label_value *value, const char *stored) {
    return memcmp(stored, value->text, value->len < SN_BLOCK ? value->len : SN_BLOCK) == 0;
}

#endif

/* Beyond the block: whole words, the last one overlapping what came before. */
static inline uint64_t sn_label_hash(const struct sn_label_value *value, uint64_t seed) {
    uint64_t h = seed;
    for (size_t i = SN_BLOCK; i < value->len; i += 8) {
        size_t at = i + 8 <= value->len ? i : value->len - 8;
        h = sn_hash_mix(sn_load64(value->text + at) ^ h, SN_HASH_STEP);
    }
    return sn_hash_mix(sn_label_word(value, 0) ^ h ^ value->len,
                       sn_label_word(value, 1) ^ SN_HASH_STEP);
}

/* Whether the value stands at `stored`, of which len and at least 16 bytes are readable. */
static inline bool sn_label_equal(const struct sn_label_value *value, const char *stored) {
    uint64_t difference = 0;
    for (size_t i = SN_BLOCK; i < value->len; i += 8) {
        size_t at = i + 8 <= value->len ? i : value->len - 8;
        difference |= sn_load64(stored + at) ^ sn_load64(value->text + at);
    }
    return difference == 0 && sn_block_equal(value, stored);
}

#endif
