/*
 * Exact comparison of a decimal text with a binary fraction, for the one number in a million whose
 * rounding 128 bits cannot decide.
 *
 * 1. Both sides are made integers by multiplication; nothing is divided or cut.
 * 2. LIMBS is enough: 800 digits have 2658 bits, 5^1142 has 2652, and the sides differ by less
 *    than a factor of 4, so that 3072 bits hold either; SN_CHECK watches it.
 * Any thread, no allocation.
 */
#include "base/check.h"
#include "codec/number_priv.h"

enum { LIMBS = 48 };

__extension__ typedef unsigned __int128 u128;

struct big {
    uint64_t limbs[LIMBS]; /* least significant first */
    size_t count;          /* used limbs; the last one is not 0 */
};

static void big_set(struct big *big, uint64_t value) {
    big->limbs[0] = value;
    big->count = value != 0;
}

static void big_push(struct big *big, uint64_t limb) {
    SN_CHECK(big->count < LIMBS);
    big->limbs[big->count++] = limb;
}

/* big = big * factor + addend */
static void big_multiply_add(struct big *big, uint64_t factor, uint64_t addend) {
    uint64_t carry = addend;
    for (size_t i = 0; i < big->count; i++) {
        u128 product = (u128)big->limbs[i] * factor + carry;
        big->limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry != 0) {
        big_push(big, carry);
    }
}

static void big_multiply_pow5(struct big *big, int64_t exponent) {
    const uint64_t pow5_27 = UINT64_C(7450580596923828125);
    for (; exponent >= 27; exponent -= 27) {
        big_multiply_add(big, pow5_27, 0);
    }
    uint64_t rest = 1;
    for (; exponent > 0; exponent--) {
        rest *= 5;
    }
    big_multiply_add(big, rest, 0);
}

static void big_shift_left(struct big *big, int64_t bit_count) {
    size_t words = (size_t)bit_count / 64;
    unsigned bits = (unsigned)bit_count % 64;
    if (big->count == 0) {
        return;
    }
    SN_CHECK(big->count + words <= LIMBS);
    memmove(big->limbs + words, big->limbs, big->count * sizeof(big->limbs[0]));
    memset(big->limbs, 0, words * sizeof(big->limbs[0]));
    big->count += words;
    if (bits != 0) {
        big_multiply_add(big, UINT64_C(1) << bits, 0);
    }
}

static int big_compare(const struct big *a, const struct big *b) {
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (size_t i = a->count; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Digits on their way into a big integer, so that most steps are on one word. */
struct chunk {
    uint64_t value;
    uint64_t scale; /* a power of ten, at most 10^18 */
};

static void chunk_flush(struct chunk *chunk, struct big *big) {
    big_multiply_add(big, chunk->scale, chunk->value);
    *chunk = (struct chunk){.scale = 1};
}

static void chunk_add(struct chunk *chunk, uint64_t digit, struct big *big) {
    chunk->value = chunk->value * 10 + digit;
    chunk->scale *= 10;
    if (chunk->scale == UINT64_C(1000000000000000000)) {
        chunk_flush(chunk, big);
    }
}

/* The digits of a mantissa as an integer; returns the power of ten that belongs to it. */
static int64_t big_from_mantissa(struct big *big, const struct sn_number *number) {
    struct chunk chunk = {.scale = 1};
    int64_t exponent = number->exponent_text;
    bool is_behind_point = false;
    bool has_rest = false;
    size_t count = 0; /* of digits behind the leading zeros */
    big_set(big, 0);
    for (size_t i = 0; i < number->mantissa.len; i++) {
        char c = number->mantissa.ptr[i];
        if (c == '.') {
            is_behind_point = true;
        } else if (count < SN_BIGDECIMAL_DIGITS) {
            chunk_add(&chunk, (uint64_t)(c - '0'), big);
            count += count > 0 || c != '0';
            exponent -= is_behind_point;
        } else {
            has_rest = has_rest || c != '0';
            exponent += !is_behind_point;
        }
    }
    if (has_rest) {
        /* Any digit in place of the rest gives the same order. */
        chunk_add(&chunk, 1, big);
        exponent--;
    }
    chunk_flush(&chunk, big);
    return exponent;
}

int sn_bigdecimal_compare(const struct sn_number *number, uint64_t m, int32_t p) {
    struct big decimal;
    struct big binary;
    int64_t exponent = big_from_mantissa(&decimal, number);
    int64_t shift = p - exponent; /* 10^e = 5^e * 2^e */

    big_set(&binary, m);
    if (exponent >= 0) {
        big_multiply_pow5(&decimal, exponent);
    } else {
        big_multiply_pow5(&binary, -exponent);
    }
    if (shift >= 0) {
        big_shift_left(&binary, shift);
    } else {
        big_shift_left(&decimal, -shift);
    }
    return big_compare(&decimal, &binary);
}
