/*
 * Hash and comparison of label values for lookup; inlined in series.c and nowhere else.
 *
 * Values are mostly short and their lengths vary (methods, status codes, names), so that branches on
 * the length would be guessed wrong, at 4 ns each, and a call of strlen for each would take longer
 * than the rest. A value is taken in blocks of 16 bytes: what lies behind its end is masked away in
 * the hash, and a comparison knows the length from the series. So a block may read up to 15 bytes
 * behind a value, but never beyond its page. Memory checkers object to that; under one
 * (sn_label_open_last is then -1), near the end of a page, in sanitized builds and on other
 * processors the values are copied first.
 *
 * The hash of several values: their first blocks go through NH (Black, Halevi et al., "UMAC", 1999:
 * products of words to which secret words were added, summed up), which keeps to the vector
 * registers; what is behind them, rare and long, through a chain of 128-bit products. Values come
 * from outside, hence the secrets, drawn at start.
 */
#ifndef SN_CLIENT_LABEL_HASH_PRIV_H
#define SN_CLIENT_LABEL_HASH_PRIV_H

#include "base/sanitizers.h"
#include "base/str.h"
#include "sonde/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !SN_HAS_ASAN && !SN_HAS_TSAN && !SN_HAS_MSAN
#define SN_LABEL_BLOCKS 1
#include <emmintrin.h>
#else
#define SN_LABEL_BLOCKS 0
#endif

#define SN_BLOCK 16 /* bytes that are looked at without a branch */
#define SN_PAGE 4096
#define SN_COPY_BYTES 64
#define SN_OPEN_LAST (SN_PAGE - SN_BLOCK - 1)     /* see sn_label_is_open */
#define SN_HASH_STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio: tells positions apart */

/* SN_OPEN_LAST; -1: no block may be loaded. */
extern int sn_label_open_last;

struct sn_hash_secrets {
    /* Added to the first block of a value. */
    _Alignas(SN_BLOCK) uint32_t blocks[SONDE_LABELS_MAX][SN_BLOCK / sizeof(uint32_t)];
    /* Of what is behind it. */
    uint64_t seed;
    uint64_t factor;
};

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

static inline uint64_t sn_hash_rest(uint64_t hash, uint64_t first, uint64_t second,
                                    const struct sn_hash_secrets *secrets) {
    return sn_hash_mix(first ^ hash, second ^ secrets->factor);
}

/* Where the rest of value i begins. */
static inline uint64_t sn_hash_rest_seed(size_t i, const struct sn_hash_secrets *secrets) {
    return secrets->seed + i * SN_HASH_STEP;
}

static inline uint64_t sn_hash_end(const uint64_t first_blocks[2], uint64_t rests,
                                   const struct sn_hash_secrets *secrets) {
    return sn_hash_mix(first_blocks[0] + rests, first_blocks[1] ^ secrets->factor);
}

/* Copies up to a block; zeros behind it. */
static inline void sn_block_copy(void *block, struct sn_str value) {
    memset(block, 0, SN_BLOCK);
    if (value.len > 0)
        memcpy(block, value.ptr, value.len < SN_BLOCK ? value.len : SN_BLOCK);
}

/* The hash of `count` values; of any. The last block of a long value is not full, so may be empty. */
static inline uint64_t sn_labels_hash(const struct sn_str *values, size_t count,
                                      const struct sn_hash_secrets *secrets) {
    uint64_t first_blocks[2] = {0, 0}, rests = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t block[4];
        struct sn_str rest = values[i];
        sn_block_copy(block, rest);
        for (size_t k = 0; k < 4; k++)
            block[k] += secrets->blocks[i][k];
        first_blocks[0] += (uint64_t)block[0] * block[1];
        first_blocks[1] += (uint64_t)block[2] * block[3];
        if (rest.len < SN_BLOCK)
            continue;
        uint64_t hash = sn_hash_rest_seed(i, secrets);
        do {
            uint64_t words[2];
            rest = sn_str_make(rest.ptr + SN_BLOCK, rest.len - SN_BLOCK);
            sn_block_copy(words, rest);
            hash = sn_hash_rest(hash, words[0], words[1], secrets);
        } while (rest.len >= SN_BLOCK);
        rests += hash;
    }
    return sn_hash_end(first_blocks, rests, secrets);
}

#if SN_LABEL_BLOCKS

/* Whether the block of a value may be loaded. Not of NULL, nor of the first byte of a page: counted
 * from the byte before, the same comparison answers for both. */
static inline bool sn_label_is_open(const char *text) {
    return __builtin_expect((int)(((uintptr_t)text - 1) % SN_PAGE) <= sn_label_open_last, 1);
}

/*
 * `text`, or, when it may end near the end of its page or is NULL, a copy whose blocks are open. NULL: a
 * copy would be too long.
 *
 *   copy  [SN_COPY_BYTES], aligned to that: from its second byte on three blocks are open
 */
static inline const char *sn_label_make_open(const char *text, char *copy) {
    uintptr_t place = (uintptr_t)text % SN_PAGE;
    if (place != 0 && place <= SN_PAGE - SN_COPY_BYTES)
        return text;
    size_t len = text != NULL ? strnlen(text, SN_COPY_BYTES - SN_BLOCK) : 0;
    if (len == SN_COPY_BYTES - SN_BLOCK)
        return NULL;
    memset(copy, 0, SN_COPY_BYTES);
    if (len > 0)
        memcpy(copy + 1, text, len);
    return copy + 1;
}

static inline __m128i sn_block_load(const void *bytes) {
    return _mm_loadu_si128((const __m128i *)bytes);
}

static inline uint64_t sn_block_word(__m128i block, int i) {
    return (uint64_t)_mm_cvtsi128_si64(i == 0 ? block : _mm_unpackhi_epi64(block, block));
}

/* Ones in the bytes that are zero. */
static inline __m128i sn_block_zeros(__m128i block) {
    return _mm_cmpeq_epi8(block, _mm_setzero_si128());
}

static inline bool sn_block_has_end(__m128i zeros) {
    return __builtin_expect(_mm_movemask_epi8(zeros) != 0, 1);
}

/*
 * Clear what is behind the first zero. Without its place, which would have to come out of the vector
 * registers and back, 18 cycles: z - 1 has ones below the lowest one of z. That holds in each half
 * for itself, so the second is kept only when the first is full to its top bit.
 */
static inline __m128i sn_block_cut(__m128i block, __m128i zeros) {
    const __m128i ones = _mm_set1_epi8(-1);
    __m128i before = _mm_andnot_si128(zeros, _mm_add_epi64(zeros, ones));
    __m128i is_first_full = _mm_srai_epi32(_mm_shuffle_epi32(before, _MM_SHUFFLE(1, 1, 1, 1)), 31);
    return _mm_and_si128(_mm_and_si128(block, before), _mm_unpacklo_epi64(ones, is_first_full));
}

/* As sn_labels_hash, of values whose blocks are all open; false: one is not. */
__attribute__((always_inline)) static inline bool sn_labels_hash_open(
    const char *const *values, size_t count, const struct sn_hash_secrets *secrets,
    uint64_t *ret_hash) {
    __m128i first_blocks = _mm_setzero_si128();
    uint64_t rests = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        const char *text = values[i];
        if (!sn_label_is_open(text))
            return false;
        __m128i block = sn_block_load(text), zeros = sn_block_zeros(block);
        block = _mm_add_epi32(sn_block_cut(block, zeros), sn_block_load(secrets->blocks[i]));
        first_blocks = _mm_add_epi64(first_blocks, _mm_mul_epu32(block, _mm_srli_epi64(block, 32)));
        if (sn_block_has_end(zeros))
            continue;
        uint64_t hash = sn_hash_rest_seed(i, secrets);
        do {
            text += SN_BLOCK;
            if (!sn_label_is_open(text))
                return false;
            block = sn_block_load(text);
            zeros = sn_block_zeros(block);
            block = sn_block_cut(block, zeros);
            hash = sn_hash_rest(hash, sn_block_word(block, 0), sn_block_word(block, 1), secrets);
        } while (!sn_block_has_end(zeros));
        rests += hash;
    }
    const uint64_t sums[2] = {sn_block_word(first_blocks, 0), sn_block_word(first_blocks, 1)};
    *ret_hash = sn_hash_end(sums, rests, secrets);
    return true;
}

/*
 * Whether `text` is the `len` bytes at `stored`, behind which 16 more are readable. False as well when
 * a block that it has to look at is not open; is_open: the caller knows that all are.
 */
static inline bool sn_label_is(const char *text, const char *stored, size_t len, bool is_open) {
    static const unsigned below[SN_BLOCK + 1] = {0x0,   0x1,    0x3,    0x7,    0xf,   0x1f,
                                                 0x3f,  0x7f,   0xff,   0x1ff,  0x3ff, 0x7ff,
                                                 0xfff, 0x1fff, 0x3fff, 0x7fff, 0xffff};
    for (; is_open || sn_label_is_open(text); text += SN_BLOCK, stored += SN_BLOCK) {
        __m128i same = _mm_cmpeq_epi8(sn_block_load(text), sn_block_load(stored));
        unsigned differ = ~(unsigned)_mm_movemask_epi8(same);
        if (__builtin_expect(len < SN_BLOCK, 1))
            return ((differ & below[len]) | (unsigned char)text[len]) == 0;
        if ((differ & below[SN_BLOCK]) != 0)
            return false;
        len -= SN_BLOCK;
    }
    return false;
}

#else

static inline const char *sn_label_make_open(const char *text, char *copy) {
    (void)text, (void)copy;
    return NULL;
}

static inline bool sn_labels_hash_open(const char *const *values, size_t count,
                                       const struct sn_hash_secrets *secrets, uint64_t *ret_hash) {
    (void)values, (void)count, (void)secrets, (void)ret_hash;
    return false;
}

static inline bool sn_label_is(const char *text, const char *stored, size_t len, bool is_open) {
    (void)is_open;
    return text != NULL && strlen(text) == len && (len == 0 || memcmp(text, stored, len) == 0);
}

#endif
#endif
