/*
 * Table of the powers of ten that printing and parsing of doubles share. Constant data.
 *
 * 10^e = (bits + x) * 2^(sn_pow10_log2(e) - 127) with 0 <= x < 1 and 2^127 <= bits < 2^128;
 * x is 0 for e from 0 to SN_POW10_EXACT_LAST.
 */
#ifndef SN_CODEC_POW10_PRIV_H
#define SN_CODEC_POW10_PRIV_H

#include <stdint.h>

#define SN_POW10_FIRST (-342)
#define SN_POW10_LAST 324
#define SN_POW10_EXACT_LAST 55 /* 5^55 < 2^128 */

struct sn_pow10 {
    uint64_t high;
    uint64_t low;
};

extern const struct sn_pow10 sn_pow10_table[SN_POW10_LAST - SN_POW10_FIRST + 1];

static inline struct sn_pow10 sn_pow10_bits(int32_t exponent) {
    return sn_pow10_table[exponent - SN_POW10_FIRST];
}

/* floor(log2(10^exponent)); the generator of the table checks it for the whole range. */
static inline int32_t sn_pow10_log2(int32_t exponent) {
    return (exponent * 1741647) >> 19;
}

#endif
