/*
 * Numbers to text and back.
 *
 * Printing is Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020): scale the
 * rounding interval of the double by a power of ten so that it holds at least one and at most a
 * few integers, and take the shortest, nearest one.
 *
 * Parsing follows the idea of Eisel and Lemire ("Number parsing at a gigabyte per second", 2021):
 * one product of the digits with a 128-bit power of ten gives the value from below with an error
 * that is known; when the error reaches the point half way between two doubles, which happens to
 * one random number in a million million and to crafted ones, the decision is made exactly.
 *
 * 1. Integer arithmetic only: neither locale nor rounding mode nor errno play a part.
 * 2. An approximation is never above the value and less than 2 units of its last place below it.
 * Any thread, no allocation.
 */
#include "codec/number.h"

#include "base/check.h"
#include "codec/number_priv.h"
#include "codec/pow10_priv.h"

__extension__ typedef unsigned __int128 u128;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "digits are stored as words");
_Static_assert(sizeof(double) == 8, "doubles are IEEE 754 binary64");

#define DOUBLE_SIGN (UINT64_C(1) << 63)
#define DOUBLE_INFINITY UINT64_C(0x7ff0000000000000)
#define DOUBLE_NAN UINT64_C(0x7ff8000000000001) /* what Prometheus takes for "a usual NaN" */
#define DOUBLE_IMPLICIT (UINT64_C(1) << 52)
#define ASCII_ZEROS UINT64_C(0x3030303030303030)

enum {
    FRACTION_BITS = 52,
    EXPONENT_MASK = 0x7ff,
    EXPONENT_MIN = -1074, /* of the last place of subnormals */
    EXPONENT_BIAS = 1075, /* value = significand * 2^(biased - 1075) */
};

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double double_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* ---- integers to text ---- */

/* The 8 digits of a number below 10^8 as bytes 0 to 9, the first digit in the lowest byte. */
static uint64_t split_8_digits(uint32_t value) {
    /* Divisions by multiplication in lanes: 5243/2^19 for 100, 103/2^10 for 10. */
    uint64_t x = ((uint64_t)(value % 10000) << 32) | value / 10000;
    uint64_t y = ((x * 5243) >> 19) & UINT64_C(0x0000007f0000007f);
    x = ((x - 100 * y) << 16) | y;
    y = ((x * 103) >> 10) & UINT64_C(0x000f000f000f000f);
    return ((x - 10 * y) << 8) | y;
}

static void put_word(char *at, uint64_t word) {
    memcpy(at, &word, sizeof(word));
}

static void put_8_digits(char *at, uint32_t value) {
    put_word(at, split_8_digits(value) | ASCII_ZEROS);
}

/* Digits of a number below 10^8 without leading zeros; stores 8 bytes. */
static size_t put_head(char *at, uint32_t value) {
    uint64_t digits = split_8_digits(value);
    /* The lowest bit of the last digit keeps one digit of 0. */
    unsigned zeros = (unsigned)__builtin_ctzll(digits | (UINT64_C(1) << 56)) / 8;
    put_word(at, (digits | ASCII_ZEROS) >> (8 * zeros));
    return 8 - zeros;
}

/* Digits of a number below 10^4, as most counts are; stores 4 bytes. */
static size_t put_short(char *at, uint32_t value) {
    static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031"
                                "3233343536373839404142434445464748495051525354555657585960616263"
                                "6465666768697071727374757677787980818283848586878889909192939495"
                                "96979899";
    uint16_t high, low;
    memcpy(&high, pairs + 2 * (value / 100), sizeof(high));
    memcpy(&low, pairs + 2 * (value % 100), sizeof(low));
    unsigned zeros = (value < 1000) + (value < 100) + (value < 10);
    uint32_t digits = ((uint32_t)low << 16 | high) >> (8 * zeros);
    memcpy(at, &digits, sizeof(digits));
    return 4 - zeros;
}

/* All digits of a number; writes up to 24 bytes, returns how many count. */
static size_t put_digits(char *at, uint64_t value) {
    const uint64_t e8 = 100000000;
    if (value < 10000) {
        return put_short(at, (uint32_t)value);
    }
    if (value < e8) {
        return put_head(at, (uint32_t)value);
    }
    uint64_t high = value / e8;
    size_t len;
    if (high < e8) {
        len = put_head(at, (uint32_t)high);
    } else {
        len = put_head(at, (uint32_t)(high / e8));
        put_8_digits(at + len, (uint32_t)(high % e8));
        len += 8;
    }
    put_8_digits(at + len, (uint32_t)(value % e8));
    return len + 8;
}

size_t sn_uint64_format(uint64_t value, char ret_text[SN_INTEGER_TEXT_SIZE]) {
    size_t len = put_digits(ret_text, value);
    ret_text[len] = '\0';
    return len;
}

size_t sn_int64_format(int64_t value, char ret_text[SN_INTEGER_TEXT_SIZE]) {
    char digits[SN_INTEGER_TEXT_SIZE];
    size_t sign = value < 0;
    size_t len = put_digits(digits, sign ? 0 - (uint64_t)value : (uint64_t)value);
    ret_text[0] = '-';
    memcpy(ret_text + sign, digits, len);
    ret_text[sign + len] = '\0';
    return sign + len;
}

/* ---- doubles to decimals ---- */

/* floor(x * g / 2^128) with the last bit set when something was cut off. */
static uint64_t round_to_odd(struct sn_pow10 g, uint64_t x) {
    uint64_t low = (uint64_t)(((u128)g.low * x) >> 64);
    u128 product = (u128)g.high * x + low;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* A power of ten from above, as Schubfach wants it: the error is less than one last place. */
static struct sn_pow10 pow10_above(int32_t exponent) {
    struct sn_pow10 g = sn_pow10_bits(exponent);
    g.low++;
    g.high += g.low == 0;
    return g;
}

/* The rounding interval of a double, scaled by 10^-k: values are 4 times the scaled ones. */
struct interval {
    uint64_t low; /* lowest multiple that still rounds to the double */
    uint64_t middle;
    uint64_t high;
    int32_t k;
};

static struct interval scale(uint64_t significand, int32_t exponent, bool is_low_closer) {
    /* k = floor(log10(width)): 1262611/2^22 is log10(2), 524031/2^22 is -log10(3/4). */
    int32_t k = (exponent * 1262611 - (is_low_closer ? 524031 : 0)) >> 22;
    int32_t shift = exponent + sn_pow10_log2(-k) + 1;
    struct sn_pow10 g = pow10_above(-k);
    uint64_t x = 4 * significand;
    /* The ends belong to the interval when ties round to this (even) significand. */
    uint64_t is_odd = significand & 1;
    return (struct interval){
        .low = round_to_odd(g, (x - 2 + is_low_closer) << shift) + is_odd,
        .middle = round_to_odd(g, x << shift),
        .high = round_to_odd(g, (x + 2) << shift) - is_odd,
        .k = k,
    };
}

/* Shortest decimal of a double that is neither 0 nor an integer below 2^53; may end in zeros. */
static struct sn_decimal shortest(uint64_t bits) {
    uint64_t fraction = bits & (DOUBLE_IMPLICIT - 1);
    int32_t biased = (int32_t)(bits >> FRACTION_BITS) & EXPONENT_MASK;
    uint64_t significand = biased ? fraction | DOUBLE_IMPLICIT : fraction;
    int32_t exponent = (biased ? biased : 1) - EXPONENT_BIAS;
    struct interval v = scale(significand, exponent, fraction == 0 && biased > 1);

    uint64_t s = v.middle / 4;
    uint64_t tens = s / 10;
    if (tens > 0) {
        /* One digit less, when exactly one of the two candidates is inside. */
        bool is_below_in = v.low <= 40 * tens;
        bool is_above_in = 40 * tens + 40 <= v.high;
        if (is_below_in != is_above_in) {
            return (struct sn_decimal){.digits = tens + is_above_in, .exponent = v.k + 1};
        }
    }
    bool is_below_in = v.low <= 4 * s;
    bool is_above_in = 4 * s + 4 <= v.high;
    bool is_up = is_above_in;
    if (is_below_in == is_above_in) {
        uint64_t half = 4 * s + 2;
        is_up = v.middle > half || (v.middle == half && (s & 1) != 0);
    }
    return (struct sn_decimal){.digits = s + is_up, .exponent = v.k};
}

/* Integers below 2^53 are their own shortest digits: their neighbours differ in the last one. */
static bool is_small_integer(uint64_t magnitude, uint64_t *ret_value) {
    int32_t exponent = (int32_t)(magnitude >> FRACTION_BITS) - EXPONENT_BIAS;
    if (exponent > 0 || exponent < -FRACTION_BITS) {
        *ret_value = 0;
        return magnitude == 0;
    }
    uint64_t significand = (magnitude & (DOUBLE_IMPLICIT - 1)) | DOUBLE_IMPLICIT;
    *ret_value = significand >> -exponent;
    return *ret_value << -exponent == significand;
}

/* digits and exponent of a finite double; digits may end in zeros. */
static struct sn_decimal decimal_of(uint64_t bits) {
    struct sn_decimal decimal = {0};
    uint64_t magnitude = bits & ~DOUBLE_SIGN;
    if (!is_small_integer(magnitude, &decimal.digits)) {
        decimal = shortest(magnitude);
    }
    decimal.is_negative = (bits & DOUBLE_SIGN) != 0;
    return decimal;
}

struct sn_decimal sn_double_to_decimal(double value) {
    uint64_t bits = double_bits(value);
    if (SN_NEVER((bits & DOUBLE_INFINITY) == DOUBLE_INFINITY)) {
        return (struct sn_decimal){0};
    }
    struct sn_decimal decimal = decimal_of(bits);
    while (decimal.digits != 0 && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

/* ---- decimals to text ---- */

enum { DIGITS_SIZE = 40 }; /* 20 digits and what whole words write beyond them */

/* Words instead of bytes: a loop whose end cannot be foreseen costs more than the rest. */
static size_t without_trailing_zeros(const char *digits, size_t len) {
    uint64_t word;
    for (; len > 8; len -= 8) {
        memcpy(&word, digits + len - 8, sizeof(word));
        word ^= ASCII_ZEROS;
        if (word != 0) {
            return len - (size_t)__builtin_clzll(word) / 8;
        }
    }
    memcpy(&word, digits, sizeof(word));
    word = (word ^ ASCII_ZEROS) << (64 - 8 * len);
    return word != 0 ? len - (size_t)__builtin_clzll(word) / 8 : 1;
}

static char *put_bytes(char *at, const char *bytes, size_t len) {
    memcpy(at, bytes, len);
    return at + len;
}

static char *put_zeros(char *at, int32_t count) {
    memset(at, '0', (size_t)count);
    return at + count;
}

/* d.ddde+XX; `exponent` is that of the first digit. */
static char *put_scientific(char *at, const char *digits, size_t len, int32_t exponent) {
    *at++ = digits[0];
    if (len > 1) {
        *at++ = '.';
        at = put_bytes(at, digits + 1, len - 1);
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    uint32_t magnitude = (uint32_t)(exponent < 0 ? -exponent : exponent);
    if (magnitude >= 100) {
        *at++ = (char)('0' + magnitude / 100);
        magnitude %= 100;
    }
    *at++ = (char)('0' + magnitude / 10);
    *at++ = (char)('0' + magnitude % 10);
    return at;
}

/* Without exponent; `point` is how many digits stand before the decimal point, may be negative. */
static char *put_plain(char *at, const char *digits, size_t len, int32_t point, bool is_float) {
    if (point <= 0) {
        at = put_zeros(put_bytes(at, "0.", 2), -point);
        return put_bytes(at, digits, len);
    }
    if ((size_t)point < len) {
        at = put_bytes(at, digits, (size_t)point);
        *at++ = '.';
        return put_bytes(at, digits + point, len - (size_t)point);
    }
    at = put_zeros(put_bytes(at, digits, len), point - (int32_t)len);
    return is_float ? put_bytes(at, ".0", 2) : at;
}

static char *put_decimal(char *at, const struct sn_decimal *decimal, enum sn_double_style style) {
    char digits[DIGITS_SIZE];
    size_t all = put_digits(digits, decimal->digits);
    size_t len = without_trailing_zeros(digits, all);
    int32_t point = decimal->exponent + (int32_t)all;
    int32_t exponent = point - 1;
    bool is_api = style == SN_DOUBLE_API;
    if (exponent < (is_api ? -6 : -4) || exponent >= (is_api ? 21 : 6)) {
        return put_scientific(at, digits, len, exponent);
    }
    return put_plain(at, digits, len, point, style == SN_DOUBLE_OPENMETRICS);
}

static size_t put_special(char *ret_text, uint64_t bits) {
    const char *text = "NaN";
    if ((bits & ~DOUBLE_SIGN) == DOUBLE_INFINITY) {
        text = bits & DOUBLE_SIGN ? "-Inf" : "+Inf";
    }
    size_t len = strlen(text);
    memcpy(ret_text, text, len + 1);
    return len;
}

size_t sn_double_format(double value, enum sn_double_style style,
                        char ret_text[SN_DOUBLE_TEXT_SIZE]) {
    uint64_t bits = double_bits(value);
    if (SN_UNLIKELY((bits & DOUBLE_INFINITY) == DOUBLE_INFINITY)) {
        return put_special(ret_text, bits);
    }
    struct sn_decimal decimal = decimal_of(bits);
    char *at = ret_text;
    if (decimal.is_negative) {
        *at++ = '-';
    }
    at = put_decimal(at, &decimal, style);
    *at = '\0';
    return (size_t)(at - ret_text);
}

/* ---- text to doubles ---- */

const char *sn_number_scan_exponent(const char *at, const char *end, struct sn_number *number) {
    const int64_t ceiling = INT64_C(100000000000000000);
    bool is_negative = false;
    int64_t exponent = 0;
    at++;
    if (at < end && (*at == '-' || *at == '+')) {
        is_negative = *at++ == '-';
    }
    number->is_complete = at < end && sn_is_digit(*at);
    for (; at < end && sn_is_digit(*at); at++) {
        if (exponent < ceiling) {
            exponent = exponent * 10 + (*at - '0');
        }
    }
    number->exponent_text = is_negative ? -exponent : exponent;
    number->exponent += number->exponent_text;
    return at;
}

void sn_number_cut(struct sn_number *number) {
    bool is_behind_point = false;
    int count = 0; /* of digits behind the leading zeros */
    number->digits = 0;
    number->exponent = number->exponent_text;
    for (size_t i = 0; i < number->mantissa.len; i++) {
        char c = number->mantissa.ptr[i];
        if (c == '.') {
            is_behind_point = true;
        } else if (count < SN_NUMBER_DIGITS_MAX) {
            number->digits = number->digits * 10 + (uint64_t)(c - '0');
            count += number->digits != 0;
            number->exponent -= is_behind_point;
        } else {
            number->is_cut = number->is_cut || c != '0';
            number->exponent += !is_behind_point;
        }
    }
}

/* A value between two neighbouring doubles. */
struct bracket {
    uint64_t floor;   /* significand of the lower one: its value is floor * 2^exponent */
    int32_t exponent; /* of the last place */
    bool is_up;       /* the upper one is nearer; only when is_certain */
    bool is_certain;
};

/*
 * Where the part of `product` below `cut` bits lies, against the half. The value is in
 * [product, product + 2), or exactly product + (has_rest ? 0 < rest < 1 : 0) when is_exact.
 */
static void decide(struct bracket *bracket, u128 product, int32_t cut, bool is_exact,
                   bool has_rest) {
    u128 rest = product;
    if (cut < 128) {
        bracket->floor = (uint64_t)(product >> cut);
        rest = product & (((u128)1 << cut) - 1);
    }
    u128 half = (u128)1 << (cut - 1);
    if (is_exact && rest == half) {
        bracket->is_certain = true;
        bracket->is_up = has_rest || (bracket->floor & 1) != 0;
        return;
    }
    bracket->is_up = rest > half;
    bracket->is_certain = rest > half || half - rest >= 2;
}

/* Bracket digits * 10^exponent; digits are not 0, the exponent is in the range of the table. */
static struct bracket bracket_decimal(uint64_t digits, int32_t exponent, bool is_cut) {
    struct sn_pow10 power = sn_pow10_bits(exponent);
    int zeros = __builtin_clzll(digits);
    uint64_t x = digits << zeros;
    u128 low = (u128)power.low * x;
    u128 product = (u128)power.high * x + (uint64_t)(low >> 64);
    int32_t top = (int32_t)(uint64_t)(product >> 127);
    int32_t log2 = sn_pow10_log2(exponent) + 63 + top - zeros; /* of the value */

    struct bracket bracket = {.exponent = log2 - FRACTION_BITS};
    int32_t cut = 74 + top; /* leaves 53 bits */
    if (bracket.exponent < EXPONENT_MIN) {
        cut += EXPONENT_MIN - bracket.exponent;
        bracket.exponent = EXPONENT_MIN;
    }
    if (cut > 128) {
        /* Below half of the smallest double; so far below that the error does not matter, or near
         * enough that the exact way decides. */
        bracket.is_certain = cut > 129 || product < ~(u128)1;
        return bracket;
    }
    bool is_exact = exponent >= 0 && exponent <= SN_POW10_EXACT_LAST && !is_cut;
    decide(&bracket, product, cut, is_exact, (uint64_t)low != 0);
    return bracket;
}

/* The bits of a bracket's end; too large ones are DOUBLE_INFINITY or above. */
static uint64_t bracket_bits(const struct bracket *bracket) {
    uint64_t floor = bracket->floor + bracket->is_up;
    if (floor < DOUBLE_IMPLICIT) {
        return floor;
    }
    if (bracket->exponent > 1023 - FRACTION_BITS) {
        return DOUBLE_INFINITY;
    }
    /* The implicit bit, and a carry out of the fraction, add one to the exponent. */
    return floor + ((uint64_t)(bracket->exponent - EXPONENT_MIN) << FRACTION_BITS);
}

static void decide_exactly(const struct sn_number *number, struct bracket *bracket) {
    int order = sn_bigdecimal_compare(number, 2 * bracket->floor + 1, bracket->exponent - 1);
    bracket->is_up = order > 0 || (order == 0 && (bracket->floor & 1) != 0);
    bracket->is_certain = true;
}

/* Bits of the double nearest to the value of a scan, without sign. */
static uint64_t nearest(const struct sn_number *number) {
    if (number->digits == 0 || number->exponent < SN_POW10_FIRST) {
        return 0;
    }
    if (number->exponent > 308) {
        return DOUBLE_INFINITY;
    }
    int32_t exponent = (int32_t)number->exponent;
    struct bracket bracket = bracket_decimal(number->digits, exponent, number->is_cut);
    if (SN_LIKELY(bracket.is_certain && !number->is_cut)) {
        return bracket_bits(&bracket);
    }
    if (number->is_cut) {
        struct bracket above = bracket_decimal(number->digits + 1, exponent, true);
        bracket.is_certain = bracket.is_certain && above.is_certain &&
                             bracket_bits(&above) == bracket_bits(&bracket);
    }
    if (!bracket.is_certain && bracket.exponent <= 1023 - FRACTION_BITS) {
        decide_exactly(number, &bracket);
    }
    return bracket_bits(&bracket);
}

bool sn_number_to_double(const struct sn_number *number, double *ret_value) {
    if (number->exponent == 0 && number->digits < DOUBLE_IMPLICIT) {
        /* Converting these is exact in every rounding mode. */
        double value = (double)(int64_t)number->digits;
        *ret_value = number->is_negative ? -value : value;
        return true;
    }
    uint64_t bits = nearest(number);
    if (SN_UNLIKELY(bits >= DOUBLE_INFINITY)) {
        return false;
    }
    *ret_value = double_from_bits(bits | (number->is_negative ? DOUBLE_SIGN : 0));
    return true;
}

/* Whether text is `word`, which is lower case letters, in any case. */
static bool is_word(struct sn_str text, const char *word) {
    size_t len = strlen(word);
    if (text.len != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((text.ptr[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

/* inf, infinity with a sign, nan without one. */
static sn_status parse_word(struct sn_str text, double *ret_value) {
    if (is_word(text, "nan")) {
        *ret_value = double_from_bits(DOUBLE_NAN);
        return SN_OK;
    }
    uint64_t sign = 0;
    if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
        sign = text.ptr[0] == '-' ? DOUBLE_SIGN : 0;
        text = sn_str_make(text.ptr + 1, text.len - 1);
    }
    if (is_word(text, "inf") || is_word(text, "infinity")) {
        *ret_value = double_from_bits(sign | DOUBLE_INFINITY);
        return SN_OK;
    }
    return SN_ERR_INVALID;
}

sn_status sn_double_parse(struct sn_str text, double *ret_value) {
    if (text.len == 0) {
        return SN_ERR_INVALID;
    }
    struct sn_number number;
    const char *end = text.ptr + text.len;
    size_t sign = text.ptr[0] == '-' || text.ptr[0] == '+';
    const char *stop = sn_number_scan(text.ptr + sign, end, &number);
    if (SN_UNLIKELY(stop != end || !number.is_complete)) {
        return parse_word(text, ret_value);
    }
    number.is_negative = text.ptr[0] == '-';
    return sn_number_to_double(&number, ret_value) ? SN_OK : SN_ERR_LIMIT;
}

/* ---- text to integers ---- */

sn_status sn_uint64_parse(struct sn_str text, uint64_t *ret_value) {
    uint64_t value = 0;
    bool is_too_large = false;
    for (size_t i = 0; i < text.len; i++) {
        if (!sn_is_digit(text.ptr[i])) {
            return SN_ERR_INVALID;
        }
        is_too_large = is_too_large || __builtin_mul_overflow(value, 10, &value) ||
                       __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value);
    }
    if (text.len == 0) {
        return SN_ERR_INVALID;
    }
    if (is_too_large) {
        return SN_ERR_LIMIT;
    }
    *ret_value = value;
    return SN_OK;
}

sn_status sn_int64_parse(struct sn_str text, int64_t *ret_value) {
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    size_t sign = is_negative || (text.len > 0 && text.ptr[0] == '+');
    uint64_t magnitude;
    SN_TRY(sn_uint64_parse(sn_str_make(text.len ? text.ptr + sign : NULL, text.len - sign),
                           &magnitude));
    if (magnitude > (uint64_t)INT64_MAX + is_negative) {
        return SN_ERR_LIMIT;
    }
    *ret_value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    return SN_OK;
}
