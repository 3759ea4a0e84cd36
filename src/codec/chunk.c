/*
 * Sealed chunks "SC": columns of times and values.
 *
 * Times are an integer block. Values become integers first, if that can be undone exactly: most
 * measurements are decimals with few digits (0.25, 12.3, 4096), so value = integer / 10^e for a
 * small e, and the differences of those integers are tiny. Values that do not fit (NaN, infinity,
 * -0, a stray double) are exceptions, listed behind the integers. When too little fits, the bits
 * of the doubles themselves are the integers, in the order of the numbers.
 *
 * 1. Every integer is checked by the very computation that the decoder will do; only a result
 *    with equal bits is taken. So the codec is lossless whatever the compiler does to `encode`.
 * 2. The size of a form is known before a byte is written, and never above SN_CHUNK_BOUND.
 * 3. Decoders read inside [bytes, bytes + len), write count results, and answer anything else
 *    with SN_ERR_CORRUPT.
 *
 * Any thread, no state, all scratch on the stack.
 */
#include "codec/chunk.h"

#include "base/check.h"
#include "codec/bits.h"
#include "codec/int_block_priv.h"
#include "codec/varint.h"

#include <stdbool.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* First byte of a block of values. Stored: the numbers are fixed. */
enum {
    FORM_DIVIDE = 0x00,   /* + e, 0 .. 17: value = integer / 10^e */
    FORM_MULTIPLY = 0x20, /* + e, 1 .. 14: value = integer * 10^-e */
    FORM_ORDERED = 0x3e,  /* integers are the bits of the values, ordered */
    FORM_REPEATED = 0x3f, /* one value, count times */

    HAS_EXCEPTIONS = 0x40, /* flag beside DIVIDE and MULTIPLY */
};

enum {
    DIVIDE_EXPONENT_MAX = 17,
    MULTIPLY_EXPONENT_MIN = 2,
    MULTIPLY_EXPONENT_MAX = 14,
    FIT_BLOCK = 64,         /* values tried at once: a bit each */
    SAMPLE_MAX = FIT_BLOCK, /* values looked at to choose a form */
    SAMPLE_RUN = 16,        /* taken in runs, because differences of neighbours matter */
    EXCEPTION_BITS = 80,
    SAMPLE_BITS_MAX = 58, /* per value: above it, the ordered form is as good */
    DOUBTFUL_BITS = 30,   /* per value: above it, the multiplying forms are tried too */
};

/* Beyond 2^53 not every integer is a double. */
#define INTEGER_LIMIT 9007199254740992.0

_Static_assert(1 + SN_INT_BLOCK_BOUND(0) <= SN_CHUNK_BOUND(0), "form and integer block fit");

/* 10^0 .. 10^17 are doubles without rounding error; the others are the nearest doubles. */
static const double powers[DIVIDE_EXPONENT_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                                       1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17};
static const double inverse_powers[MULTIPLY_EXPONENT_MAX + 1] = {
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14};

/* Values that do not fit a decimal form. */
struct exceptions {
    size_t count;
    uint16_t positions[SN_CHUNK_SAMPLES_MAX]; /* ascending */
};

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/*
 * A double as an integer so that both are in the same order: positive ones are their bits,
 * negative ones are turned around. Its own inverse.
 */
static uint64_t reorder(uint64_t bits) {
    return bits >> 63 ? bits ^ (UINT64_MAX >> 1) : bits;
}

/* Whether value is integer / 10^e (or integer * 10^-e), bit for bit, with that form. */
static inline bool fits(unsigned form, double value, int64_t *ret_integer) {
    bool is_multiplied = form > FORM_DIVIDE + DIVIDE_EXPONENT_MAX;
    unsigned exponent = is_multiplied ? form - FORM_MULTIPLY : form;
    double scaled = value * powers[exponent];
    if (!(scaled < INTEGER_LIMIT && scaled > -INTEGER_LIMIT)) {
        return false; /* also NaN */
    }
    int64_t integer = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    *ret_integer = integer;
    double back = (double)integer;
    if (is_multiplied) {
        back *= inverse_powers[exponent];
    } else if (exponent > 0) {
        back /= powers[exponent];
    }
    return bits_of(back) == bits_of(value); /* -0 comes back as 0, so it does not fit */
}

/* Two doubles at once, and two integers: compilers at -O2 leave loops of divisions scalar. */
typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
typedef int64_t integer_pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Bit k is set where numbers k are equal, bit for bit; where number k is nearer to 0 than the limit.
 * Compilers take comparisons of 64 bits apart for the oldest x86-64. */
#ifdef __SSE2__
static inline unsigned equal_bits(pair a, pair b) {
    __m128i halves = _mm_cmpeq_epi32((__m128i)a, (__m128i)b);
    __m128i turned = _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1));
    return (unsigned)_mm_movemask_pd((__m128d)_mm_and_si128(halves, turned));
}

static inline unsigned small_bits(pair numbers, double limit) {
    __m128d magnitudes = _mm_andnot_pd(_mm_set1_pd(-0.0), (__m128d)numbers);
    return (unsigned)_mm_movemask_pd(_mm_cmplt_pd(magnitudes, _mm_set1_pd(limit)));
}
#else
static inline unsigned equal_bits(pair a, pair b) {
    return (unsigned)(bits_of(a[0]) == bits_of(b[0])) | (unsigned)(bits_of(a[1]) == bits_of(b[1]))
                                                            << 1;
}

static inline unsigned small_bits(pair numbers, double limit) {
    return (unsigned)(numbers[0] < limit && numbers[0] > -limit) |
           (unsigned)(numbers[1] < limit && numbers[1] > -limit) << 1;
}
#endif

/*
 * As fits(), of up to 64 values; bit i of the result is set where value i fits, and only there its
 * integer is good. A double below 2^51 is rounded to a whole number by adding 1.5 * 2^52, whose last
 * bits then are that number.
 */
__attribute__((always_inline)) static inline uint64_t fit_block_of(
    unsigned form, bool is_multiplied, bool is_divided, const double *values, size_t count,
    int64_t *ret_integers) {
    const double limit = INTEGER_LIMIT / 4;
    const pair magic = {1.5 * INTEGER_LIMIT / 2, 1.5 * INTEGER_LIMIT / 2};
    double power = powers[is_multiplied ? form - FORM_MULTIPLY : form];
    double inverse = is_multiplied ? inverse_powers[form - FORM_MULTIPLY] : 1;
    uint64_t fitting = 0;
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        pair value = *(const pair *)(values + i);
        pair scaled = value * power;
        if (SN_UNLIKELY(small_bits(scaled, limit) != 3)) {
            for (size_t k = i; k < i + 2; k++) {
                fitting |= (uint64_t)fits(form, values[k], &ret_integers[k]) << k;
            }
            continue;
        }
        pair moved = scaled + magic;
        pair back = moved - magic;
        if (is_multiplied) {
            back *= inverse;
        } else if (is_divided) {
            back /= power;
        }
        *(integer_pair *)(ret_integers + i) = (integer_pair)moved - (integer_pair)magic;
        fitting |= (uint64_t)equal_bits(back, value) << i;
    }
    if (i < count) {
        fitting |= (uint64_t)fits(form, values[i], &ret_integers[i]) << i;
    }
    return fitting;
}

static uint64_t fit_block(unsigned form, const double *values, size_t count,
                          int64_t *ret_integers) {
    assert(count <= FIT_BLOCK);
    if (form == FORM_DIVIDE) {
        return fit_block_of(form, false, false, values, count, ret_integers);
    }
    if (form > FORM_DIVIDE + DIVIDE_EXPONENT_MAX) {
        return fit_block_of(form, true, false, values, count, ret_integers);
    }
    return fit_block_of(form, false, true, values, count, ret_integers);
}

/* Copy up to SAMPLE_MAX values: all, or four runs spread over the column. */
static size_t take_sample(const double *values, size_t count, double *ret_sample) {
    if (count <= SAMPLE_MAX) {
        memcpy(ret_sample, values, count * sizeof(*values));
        return count;
    }
    enum { RUN_COUNT = SAMPLE_MAX / SAMPLE_RUN };
    for (size_t run = 0; run < RUN_COUNT; run++) {
        size_t start = (count - SAMPLE_RUN) * run / (RUN_COUNT - 1);
        memcpy(ret_sample + run * SAMPLE_RUN, values + start, SAMPLE_RUN * sizeof(*values));
    }
    return SAMPLE_MAX;
}

/* About how many bits the sample takes in a form; gives up (limit) once there are so many. */
static unsigned estimate_bits(const int64_t *integers, uint64_t fitting, size_t count,
                              unsigned limit) {
    unsigned bits = (unsigned)(count - (size_t)__builtin_popcountll(fitting)) * EXCEPTION_BITS;
    int64_t before = 0;
    bool is_first = true;
    for (; fitting != 0 && bits < limit; fitting &= fitting - 1) {
        int64_t integer = integers[__builtin_ctzll(fitting)];
        bits += is_first ? sn_bit_length(sn_zigzag_encode(integer))
                         : 1 + sn_bit_length(sn_zigzag_encode(integer - before) >> 1);
        before = integer;
        is_first = false;
    }
    return bits < limit ? bits : limit;
}

/* The decimal form with the smallest estimate, or FORM_ORDERED when none is any good. */
static unsigned choose_form(const double *values, size_t count) {
    double sample[SAMPLE_MAX];
    int64_t integers[SAMPLE_MAX];
    size_t sample_count = take_sample(values, count, sample);
    unsigned best_bits = (unsigned)sample_count * SAMPLE_BITS_MAX;
    unsigned best = FORM_ORDERED;
    /* An exponent is worth a look when it is the smallest that fits for some value; what fits with
     * one fits with the larger ones too. */
    uint64_t without = sn_bit_mask((unsigned)sample_count);
    for (unsigned form = FORM_DIVIDE; form <= DIVIDE_EXPONENT_MAX && without != 0; form++) {
        uint64_t fitting = fit_block(form, sample, sample_count, integers);
        if ((fitting & without) == 0) {
            continue;
        }
        without &= ~fitting;
        unsigned bits = estimate_bits(integers, fitting, sample_count, best_bits);
        if (bits < best_bits) {
            best_bits = bits;
            best = form;
        }
    }
    if (best <= 8 && best_bits <= sample_count * DOUBTFUL_BITS) {
        return best;
    }
    for (unsigned form = FORM_MULTIPLY + MULTIPLY_EXPONENT_MIN;
         form <= FORM_MULTIPLY + MULTIPLY_EXPONENT_MAX; form++) {
        uint64_t fitting = fit_block(form, sample, sample_count, integers);
        unsigned bits = estimate_bits(integers, fitting, sample_count, best_bits);
        if (bits < best_bits) {
            best_bits = bits;
            best = form;
        }
    }
    return best;
}

/*
 * Turn all values into integers of a decimal form. An exception takes the integer before it, so
 * that it costs nothing there. False when more than 5/8 are exceptions.
 */
static bool to_decimal(unsigned form, const double *values, size_t count, int64_t *ret_integers,
                       struct exceptions *ret) {
    size_t count_max = count * 5 / 8;
    ret->count = 0;
    for (size_t at = 0; at < count; at += FIT_BLOCK) {
        size_t block = count - at < FIT_BLOCK ? count - at : FIT_BLOCK;
        uint64_t others =
            sn_bit_mask((unsigned)block) & ~fit_block(form, values + at, block, ret_integers + at);
        if (ret->count + (size_t)__builtin_popcountll(others) > count_max) {
            return false;
        }
        for (; others != 0; others &= others - 1) {
            size_t i = at + (size_t)__builtin_ctzll(others);
            ret_integers[i] = i > 0 ? ret_integers[i - 1] : 0;
            ret->positions[ret->count++] = (uint16_t)i;
        }
    }
    /* Exceptions at the beginning have nothing before them: they take what comes after. */
    size_t lead = 0;
    while (lead < ret->count && ret->positions[lead] == lead) {
        lead++;
    }
    int64_t after = lead < count ? ret_integers[lead] : 0;
    for (size_t i = 0; i < lead; i++) {
        ret_integers[i] = after;
    }
    return true;
}

/* Distance to the exception before and whether the value repeats it, as one number. */
static uint64_t exception_tag(const struct exceptions *list, size_t index, const double *values) {
    uint64_t position = list->positions[index];
    if (index == 0) {
        return position << 1;
    }
    uint64_t before = list->positions[index - 1];
    bool is_repeated = bits_of(values[position]) == bits_of(values[before]);
    return (position - before) << 1 | is_repeated;
}

static size_t exceptions_size(const struct exceptions *list, const double *values) {
    if (list->count == 0) {
        return 0;
    }
    size_t size = sn_varint_size(list->count);
    for (size_t i = 0; i < list->count; i++) {
        uint64_t tag = exception_tag(list, i, values);
        size += sn_varint_size(tag) + ((tag & 1) != 0 ? 0 : 8);
    }
    return size;
}

static uint8_t *write_exceptions(const struct exceptions *list, const double *values, uint8_t *at) {
    if (list->count == 0) {
        return at;
    }
    at = sn_varint_put(at, list->count);
    for (size_t i = 0; i < list->count; i++) {
        uint64_t tag = exception_tag(list, i, values);
        at = sn_varint_put(at, tag);
        if ((tag & 1) == 0) {
            sn_store_u64le(at, bits_of(values[list->positions[i]]));
            at += 8;
        }
    }
    return at;
}

static bool is_repeated_value(const double *values, size_t count) {
    uint64_t difference = 0;
    uint64_t first = bits_of(values[0]);
    for (size_t i = 1; i < count && difference == 0; i++) {
        difference = bits_of(values[i]) ^ first;
    }
    return difference == 0;
}

/* One value for the whole column: as a short decimal, or as it is. */
static size_t encode_repeated(double value, size_t count, uint8_t *ret_bytes) {
    int64_t integer;
    uint8_t *at = ret_bytes;
    for (unsigned form = FORM_DIVIDE; form < FORM_DIVIDE + 8; form++) {
        if (fits(form, value, &integer) && integer < INT64_C(1) << 47 &&
            integer > -(INT64_C(1) << 47)) {
            struct sn_int_plan plan = {.count = count, .first = integer, .divisor = 1};
            plan.kind = SN_INT_CONSTANT;
            plan.size = 1 + sn_varint_size(sn_zigzag_encode(integer));
            *at++ = (uint8_t)form;
            return (size_t)(sn_int_write(&plan, at, at + SN_INT_BLOCK_BOUND(0)) - ret_bytes);
        }
    }
    *at++ = FORM_REPEATED;
    sn_store_u64le(at, bits_of(value));
    return 1 + 8;
}

/* A column prepared in one form. Its integers belong to the caller. */
struct draft {
    unsigned form;
    size_t size; /* exact */
    struct sn_int_plan plan;
};

static void draft_decimal(unsigned form, const double *values, size_t count, int64_t *integers,
                          struct exceptions *exceptions, struct draft *ret) {
    *ret = (struct draft){.form = form, .size = SIZE_MAX};
    if (!to_decimal(form, values, count, integers, exceptions)) {
        return;
    }
    sn_int_plan(integers, count, &ret->plan);
    ret->size = 1 + ret->plan.size + exceptions_size(exceptions, values);
    if (exceptions->count > 0) {
        ret->form |= HAS_EXCEPTIONS;
    }
}

/* Counters, sizes, states: whole numbers only, which no other form makes smaller while their
 * differences are small. False: it is something else. */
static bool draft_whole(const double *values, size_t count, int64_t *integers,
                        struct exceptions *exceptions, struct draft *ret) {
    if (!fits(FORM_DIVIDE, values[0], &integers[0])) {
        return false; /* as most columns with decimals: no block of them is tried */
    }
    for (size_t at = 0; at < count; at += FIT_BLOCK) {
        size_t block = count - at < FIT_BLOCK ? count - at : FIT_BLOCK;
        if (fit_block(FORM_DIVIDE, values + at, block, integers + at) !=
            sn_bit_mask((unsigned)block)) {
            return false;
        }
    }
    exceptions->count = 0;
    *ret = (struct draft){.form = FORM_DIVIDE};
    sn_int_plan(integers, count, &ret->plan);
    ret->size = 1 + ret->plan.size;
    return ret->size * 8 <= count * DOUBTFUL_BITS;
}

static void draft_ordered(const double *values, size_t count, int64_t *integers,
                          struct exceptions *exceptions, struct draft *ret) {
    for (size_t i = 0; i < count; i++) {
        integers[i] = (int64_t)reorder(bits_of(values[i]));
    }
    exceptions->count = 0;
    *ret = (struct draft){.form = FORM_ORDERED};
    sn_int_plan(integers, count, &ret->plan);
    ret->size = 1 + ret->plan.size;
}

static void draft_best(const double *values, size_t count, int64_t *integers,
                       struct exceptions *exceptions, struct draft *ret) {
    unsigned form = choose_form(values, count);
    ret->size = SIZE_MAX;
    if (form != FORM_ORDERED) {
        draft_decimal(form, values, count, integers, exceptions, ret);
    }
    if (ret->size >= count * 4) {
        /* So many bytes per value: the decimal form may not be it. */
        size_t decimal_size = ret->size;
        draft_ordered(values, count, integers, exceptions, ret);
        if (decimal_size < ret->size) {
            draft_decimal(form, values, count, integers, exceptions, ret);
        }
    }
}

size_t sn_chunk_encode_values(const double *values, size_t count, uint8_t *ret_bytes) {
    assert(count >= 1 && count <= SN_CHUNK_SAMPLES_MAX);
    if (is_repeated_value(values, count)) {
        return encode_repeated(values[0], count, ret_bytes);
    }
    int64_t integers[SN_CHUNK_SAMPLES_MAX];
    struct exceptions exceptions;
    struct draft draft;
    if (!draft_whole(values, count, integers, &exceptions, &draft)) {
        draft_best(values, count, integers, &exceptions, &draft);
    }
    uint8_t *end = ret_bytes + sn_chunk_bound(count);
    SN_CHECK(draft.size <= sn_chunk_bound(count));
    uint8_t *at = ret_bytes;
    *at++ = (uint8_t)draft.form;
    at = sn_int_write(&draft.plan, at, end);
    at = write_exceptions(&exceptions, values, at);
    assert((size_t)(at - ret_bytes) == draft.size);
    return (size_t)(at - ret_bytes);
}

size_t sn_chunk_encode_times(const int64_t *times, size_t count, uint8_t *ret_bytes) {
    assert(count >= 1 && count <= SN_CHUNK_SAMPLES_MAX);
    int64_t integers[SN_CHUNK_SAMPLES_MAX];
    struct sn_int_plan plan;
    memcpy(integers, times, count * sizeof(*times));
    sn_int_plan(integers, count, &plan);
    uint8_t *at = sn_int_write(&plan, ret_bytes, ret_bytes + sn_chunk_bound(count));
    return (size_t)(at - ret_bytes);
}

static void divide_all(double *values, size_t count, double divisor) {
    pair divisors = {divisor, divisor};
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        pair *at = (pair *)(values + i);
        *at = *at / divisors;
    }
    if (i < count) {
        values[i] /= divisor;
    }
}

static void multiply_all(double *values, size_t count, double factor) {
    pair factors = {factor, factor};
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        pair *at = (pair *)(values + i);
        *at = *at * factors;
    }
    if (i < count) {
        values[i] *= factor;
    }
}

/* Whether a stored form is one of the decimal ones. */
static bool is_decimal(unsigned form) {
    return form <= FORM_DIVIDE + DIVIDE_EXPONENT_MAX ||
           (form > FORM_MULTIPLY && form <= FORM_MULTIPLY + MULTIPLY_EXPONENT_MAX);
}

static void from_decimal(unsigned form, const int64_t *integers, size_t count, double *ret_values) {
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = (double)integers[i];
    }
    if (form > FORM_DIVIDE + DIVIDE_EXPONENT_MAX) {
        multiply_all(ret_values, count, inverse_powers[form - FORM_MULTIPLY]);
    } else if (form > FORM_DIVIDE) {
        divide_all(ret_values, count, powers[form - FORM_DIVIDE]);
    }
}

static const uint8_t *read_exceptions(const uint8_t *at, const uint8_t *end, size_t count,
                                      double *values) {
    uint64_t exception_count;
    at = sn_varint_get(at, end, &exception_count);
    if (at == NULL || exception_count == 0 || exception_count > count) {
        return NULL;
    }
    uint64_t position = 0;
    uint64_t bits = 0;
    for (uint64_t i = 0; i < exception_count; i++) {
        uint64_t tag;
        at = sn_varint_get(at, end, &tag);
        if (at == NULL) {
            return NULL;
        }
        bool is_repeated = (tag & 1) != 0;
        uint64_t distance = tag >> 1;
        if (distance >= count - position || (i > 0 ? distance == 0 : is_repeated)) {
            return NULL;
        }
        position += distance;
        if (!is_repeated) {
            if (end - at < 8) {
                return NULL;
            }
            bits = sn_load_u64le(at);
            at += 8;
        }
        values[position] = double_of(bits);
    }
    return at;
}

static void fill(double *values, size_t count, double value) {
    const pair both = {value, value};
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        *(pair *)(values + i) = both;
    }
    if (i < count) {
        values[i] = value;
    }
}

static const uint8_t *read_repeated(const uint8_t *at, const uint8_t *end, size_t count,
                                    double *ret_values) {
    if (end - at < 8) {
        return NULL;
    }
    fill(ret_values, count, double_of(sn_load_u64le(at)));
    return at + 8;
}

/* The block behind its first byte, or NULL. */
static const uint8_t *read_values(unsigned header, const uint8_t *at, const uint8_t *end,
                                  size_t count, double *ret_values) {
    if (header == FORM_REPEATED) {
        return read_repeated(at, end, count, ret_values);
    }
    unsigned form = header & ~(unsigned)HAS_EXCEPTIONS;
    if (header != FORM_ORDERED && !is_decimal(form)) {
        return NULL;
    }
    int64_t integers[SN_CHUNK_SAMPLES_MAX];
    /* Half of real series stand still: one integer says it all, so one is converted. */
    bool is_constant = at < end && *at == SN_INT_CONSTANT && header != FORM_ORDERED;
    size_t integer_count = is_constant ? 1 : count;
    at = sn_int_read(at, end, integer_count, integers);
    if (at == NULL) {
        return NULL;
    }
    if (header == FORM_ORDERED) {
        for (size_t i = 0; i < count; i++) {
            ret_values[i] = double_of(reorder((uint64_t)integers[i]));
        }
        return at;
    }
    from_decimal(form, integers, integer_count, ret_values);
    if (is_constant) {
        fill(ret_values, count, ret_values[0]);
    }
    return (header & HAS_EXCEPTIONS) != 0 ? read_exceptions(at, end, count, ret_values) : at;
}

static sn_status finish(const uint8_t *bytes, const uint8_t *at, size_t *ret_used) {
    if (at == NULL) {
        return SN_ERR_CORRUPT;
    }
    if (ret_used != NULL) {
        *ret_used = (size_t)(at - bytes);
    }
    return SN_OK;
}

sn_status sn_chunk_decode_values(const uint8_t *bytes, size_t len, size_t count, double *ret_values,
                                 size_t *ret_used) {
    if (len == 0 || count == 0 || count > SN_CHUNK_SAMPLES_MAX) {
        return SN_ERR_CORRUPT;
    }
    const uint8_t *at = read_values(bytes[0], bytes + 1, bytes + len, count, ret_values);
    return finish(bytes, at, ret_used);
}

sn_status sn_chunk_decode_times(const uint8_t *bytes, size_t len, size_t count, int64_t *ret_times,
                                size_t *ret_used) {
    if (len == 0 || count == 0 || count > SN_CHUNK_SAMPLES_MAX) {
        return SN_ERR_CORRUPT;
    }
    return finish(bytes, sn_int_read(bytes, bytes + len, count, ret_times), ret_used);
}
