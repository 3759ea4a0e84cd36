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

/*
 * Digits from `at` on, appended to *digits, which wraps around beyond 19. Returns their end.
 * Unrolling by words of eight digits was tried and is slower for the usual 1 to 6 digits.
 */
static inline const char *sn_number_scan_digits(const char *at, const char *end, uint64_t *digits) {
    uint64_t value = *digits;
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
    struct sn_number number = {.is_complete = true};
    const char *first = at;
    at = sn_number_scan_digits(at, end, &number.digits);
    number.whole_count = (size_t)(at - first);
    if (at < end && *at == '.') {
        const char *point = at++;
        number.has_point = true;
        at = sn_number_scan_digits(at, end, &number.digits);
        number.fraction_count = (size_t)(at - point) - 1;
    }
    number.mantissa = sn_str_make(first, (size_t)(at - first));
    number.exponent = -(int64_t)number.fraction_count;
    number.is_complete = number.whole_count + number.fraction_count > 0;
    if (number.is_complete && at < end && (*at == 'e' || *at == 'E')) {
        at = sn_number_scan_exponent(at, end, &number);
    }
    if (SN_UNLIKELY(number.whole_count + number.fraction_count > SN_NUMBER_DIGITS_MAX)) {
        sn_number_cut(&number);
    }
    *ret_number = number;
    return at;
}

/* The nearest double of a complete scan. False: it is larger than any double. */
bool sn_number_to_double(const struct sn_number *number, double *ret_value);

/*
 * Compare the value of a scan, without its sign, with m * 2^p exactly: negative, 0, positive.
 * `m` is below 2^55 and m * 2^p is the double nearest to the value or half way to its neighbour.
 * Cost: a microsecond for a thousand digits; digits beyond SN_BIGDECIMAL_DIGITS only by whether
 * they are 0.
 */
int sn_bigdecimal_compare(const struct sn_number *number, uint64_t m, int32_t p);

/* No number half way between two doubles has more than 767 digits. */
#define SN_BIGDECIMAL_DIGITS 800

#endif
