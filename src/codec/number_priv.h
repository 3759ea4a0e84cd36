/*
 * The scanner of decimal numbers that sn_double_parse and the JSON reader share, and the exact
 * comparison behind rare roundings. No allocation, any thread.
 */
#ifndef SN_CODEC_NUMBER_PRIV_H
#define SN_CODEC_NUMBER_PRIV_H

#include "base/check.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many digits always fit in 64 bits. */
#define SN_NUMBER_DIGITS_MAX 19

/*
 * What a scan has seen. The value is the text `mantissa` times 10^exponent_text; it lies in
 * [digits, digits + 1) * 10^exponent, and is the left end exactly when is_cut is false.
 */
struct sn_number {
    uint64_t digits;  /* the first SN_NUMBER_DIGITS_MAX significant digits */
    int64_t exponent; /* belongs to `digits` */
    int64_t exponent_text;
    struct sn_str mantissa; /* digits and at most one point, without sign */
    size_t whole_count;     /* digits before the point */
    size_t fraction_count;  /* digits behind it */
    bool has_point;
    bool is_negative;
    bool is_complete; /* false: a digit is missing where the scan stopped */
    bool is_cut;      /* digits other than 0 did not fit */
};

static inline bool sn_is_digit(char c) {
    return (unsigned char)(c - '0') < 10;
}

/* Set digits, exponent and is_cut from a mantissa with more than SN_NUMBER_DIGITS_MAX digits. */
void sn_number_cut(struct sn_number *number);

/*
 * Read "e+12" at `at` if it is there and add it to the exponent. Exponents beyond 10^17 stay
 * there: no text is long enough to bring them back.
 */
const char *sn_number_scan_exponent(const char *at, const char *end, struct sn_number *number);

/* The value of eight bytes 0 to 9, the first digit in the lowest byte. */
static inline uint64_t sn_number_join_8_digits(uint64_t bytes) {
    bytes = bytes * 10 + (bytes >> 8); /* pairs, in every other byte */
    uint64_t high = (bytes & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064);
    uint64_t low = (bytes >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    return (high + low) >> 32;
}

/*
 * Digits from `at` on, appended to *digits, which wraps around beyond 19. Returns their end.
 * Words of eight bytes, where the text has as many, save the branch per digit that a processor
 * cannot foresee: 49 to 35 ns for 17 digits.
 */
static inline const char *sn_number_scan_digits(const char *at, const char *end, uint64_t *digits) {
    static const uint32_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    uint64_t value = *digits;
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word ^= UINT64_C(0x3030303030303030);
        /* The first byte above 9 has its high bit set here; carries reach later ones only. */
        uint64_t stop =
            ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
        unsigned count = stop != 0 ? (unsigned)__builtin_ctzll(stop) / 8 : 8;
        if (count == 0) {
            *digits = value;
            return at;
        }
        value = value * powers[count] + sn_number_join_8_digits(word << (64 - 8 * count));
        at += count;
        if (count < 8) {
            *digits = value;
            return at;
        }
    }
    while (at < end && sn_is_digit(*at)) {
        value = value * 10 + (uint64_t)(*at++ - '0');
    }
    *digits = value;
    return at;
}

/*
 * Scan the longest decimal number at the start of [at, end) behind its sign: digits, point,
 * digits, exponent. Callers refuse the forms that they do not allow by the counts. Returns where
 * the scan stopped.
 */
static inline const char *sn_number_scan(const char *at, const char *end,
                                         struct sn_number *ret_number) {
    const char *first = at;
    uint64_t digits = 0;
    at = sn_number_scan_digits(at, end, &digits);
    ret_number->whole_count = (size_t)(at - first);
    ret_number->fraction_count = 0;
    ret_number->has_point = at < end && *at == '.';
    if (ret_number->has_point) {
        const char *point = at;
        at = sn_number_scan_digits(at + 1, end, &digits);
        ret_number->fraction_count = (size_t)(at - point) - 1;
    }
    size_t count = ret_number->whole_count + ret_number->fraction_count;
    ret_number->digits = digits;
    ret_number->exponent = -(int64_t)ret_number->fraction_count;
    ret_number->exponent_text = 0;
    ret_number->mantissa = sn_str_make(first, (size_t)(at - first));
    ret_number->is_negative = false;
    ret_number->is_complete = count > 0;
    ret_number->is_cut = false;
    if (count > 0 && at < end && (*at == 'e' || *at == 'E')) {
        at = sn_number_scan_exponent(at, end, ret_number);
    }
    if (SN_UNLIKELY(count > SN_NUMBER_DIGITS_MAX)) {
        sn_number_cut(ret_number);
    }
    return at;
}

/* The nearest double of a complete scan. False: it is larger than any double. */
bool sn_number_to_double(const struct sn_number *number, double *ret_value);

/*
 * Compare the value of a scan, without its sign, with m * 2^p exactly: negative, 0, positive.
 * `m` is below 2^55 and m * 2^p is the double nearest to the value or half way to its neighbour.
 * Cost: up to 10 microseconds for 800 digits; digits beyond SN_BIGDECIMAL_DIGITS only by whether
 * they are 0.
 */
int sn_bigdecimal_compare(const struct sn_number *number, uint64_t m, int32_t p);

/* No number half way between two doubles has more than 767 digits. */
#define SN_BIGDECIMAL_DIGITS 800

#endif
