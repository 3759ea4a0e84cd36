/*
 * Numbers to text and back, never through the locale.
 *
 * 1. A double that is printed and parsed again has the same bits (NaN keeps being NaN, its payload
 *    is not printed), with the fewest digits for which this is true and, among those, the ones
 *    nearest to the value.
 * 2. Parsing rounds correctly (to nearest, ties to even) for any number of digits. The host's
 *    rounding mode is not looked at: all arithmetic is on integers.
 * 3. No allocation, no locale, no errno. Any thread.
 */
#ifndef SN_CODEC_NUMBER_H
#define SN_CODEC_NUMBER_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_DOUBLE_TEXT_SIZE 32  /* longest is "-0.0000012345678901234567": 25, and NUL */
#define SN_INTEGER_TEXT_SIZE 24 /* longest is "-9223372036854775808": 20, and NUL */

/*
 * How a double is written. All styles share "NaN", "+Inf", "-Inf" and "-0"; an exponent has a sign
 * and at least two digits, as in "1e+21", "2.5e-07".
 */
enum sn_double_style {
    /* The HTTP API of Prometheus, and JSON: exponent below 1e-6 and from 1e21 on. 1000000 */
    SN_DOUBLE_API,
    /* Text exposition of client_golang ('g' of Go): exponent below 1e-4 and from 1e6 on. 1e+06 */
    SN_DOUBLE_TEXT,
    /* OpenMetrics: as SN_DOUBLE_TEXT, and ".0" where neither point nor exponent is. 1.0, 1e+06 */
    SN_DOUBLE_OPENMETRICS,
};

/*
 * Write a double as the shortest decimal that reads back to the same bits.
 *
 *   value       any double
 *   ret_text    [SN_DOUBLE_TEXT_SIZE], NUL-terminated
 *
 * Returns the number of bytes before the NUL.
 * Threads: any. Blocks: never. Cost: integers 13 ns, 3 decimals 29 ns, random doubles 44 ns.
 */
size_t sn_double_format(double value, enum sn_double_style style,
                        char ret_text[SN_DOUBLE_TEXT_SIZE]);

/*
 * A decimal number: digits * 10^exponent, negated when is_negative. Of a double: at most 17
 * digits, the last one not zero unless digits is 0.
 */
struct sn_decimal {
    uint64_t digits;
    int32_t exponent;
    bool is_negative;
};

/* The shortest decimal that reads back as `value`, which must be finite. Any thread. */
struct sn_decimal sn_double_to_decimal(double value);

/*
 * Read a whole text as a double, as Go's ParseFloat does: [+-] digits with at most one point, at
 * least one digit, optional exponent; or inf, infinity, nan in any case, inf with a sign ("+Inf").
 * Hexadecimal floats, underscores and blanks are refused. What is nearer to 0 than the smallest
 * double becomes 0 with its sign.
 *
 *   text        borrowed; any length, the value of every digit counts
 *   ret_value   written on SN_OK only
 *
 * Returns SN_OK, SN_ERR_INVALID (not a number), SN_ERR_LIMIT (finite but larger than any double).
 * Threads: any. Blocks: never. Cost: O(len), 10 ns for integers to 36 ns for 17 digits with an
 * exponent; digits beyond 19 may cost some microseconds, whatever they are.
 */
sn_status sn_double_parse(struct sn_str text, double *ret_value) SN_MUST_USE;

/*
 * Read a whole text as an integer: digits, for int64 also a leading '-' or '+'. Leading zeros are
 * accepted.
 *
 * Returns SN_OK, SN_ERR_INVALID (not an integer), SN_ERR_LIMIT (out of the type's range).
 * Threads: any. Blocks: never.
 */
sn_status sn_int64_parse(struct sn_str text, int64_t *ret_value) SN_MUST_USE;
sn_status sn_uint64_parse(struct sn_str text, uint64_t *ret_value) SN_MUST_USE;

/* Write an integer in decimal, NUL-terminated. Returns the bytes before the NUL. Any thread. */
size_t sn_int64_format(int64_t value, char ret_text[SN_INTEGER_TEXT_SIZE]);
size_t sn_uint64_format(uint64_t value, char ret_text[SN_INTEGER_TEXT_SIZE]);

#endif
