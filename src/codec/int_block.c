/*
 * Integer blocks: find the formula with the smallest residuals, pack those; and back.
 *
 * 1. All arithmetic is modulo 2^64, so any int64_t survives and no stored byte can overflow.
 * 2. A plan's size is exact; writing produces that many bytes.
 * 3. Reading trusts nothing and writes count integers at most.
 *
 * Any thread, no state.
 */
#include "codec/int_block_priv.h"

#include "base/check.h"
#include "codec/varint.h"

#include <stdbool.h>

enum {
    KIND_MASK = 0x07,
    SCALED = 0x08, /* flag in the kind byte: divisor and origin follow it */
    DIVISOR_HELD = 4,
};

/* What one pass over the integers tells. */
struct survey {
    int64_t value_min, value_max;
    int64_t delta_min, delta_max; /* deltas modulo 2^64, as signed */
    uint64_t divisor;             /* greatest common divisor of the deltas; 0: all are 0 */
};

/*
 * A common divisor on its way. Counters of bytes keep one above 1, which a division per delta shows, and
 * that is what surveys would spend their time with. So once it has held for a while it is tested by a
 * product: d = 2^shift * odd divides x when x / odd modulo 2^64, turned right by shift, is at most
 * (2^64 - 1) / d (Granlund and Montgomery, "Division by invariant integers", 1994).
 */
struct divisor {
    uint64_t value; /* 0: no delta yet */
    unsigned held;  /* deltas in a row that it divides, up to DIVISOR_HELD */
    unsigned shift; /* these three only when so many */
    uint64_t inverse;
    uint64_t quotient_max;
};

static int64_t wrap_sub(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static uint64_t magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The number whose product with an odd number is 1 modulo 2^64, by Newton's iteration. */
static uint64_t inverse_of_odd(uint64_t odd) {
    uint64_t inverse = odd * 3 ^ 2; /* 5 bits are right; each step doubles them */
    for (unsigned i = 0; i < 4; i++) {
        inverse *= 2 - odd * inverse;
    }
    return inverse;
}

static void divisor_prepare(struct divisor *divisor) {
    divisor->shift = (unsigned)__builtin_ctzll(divisor->value);
    divisor->inverse = inverse_of_odd(divisor->value >> divisor->shift);
    divisor->quotient_max = UINT64_MAX / divisor->value;
}

static bool divisor_divides(const struct divisor *divisor, uint64_t delta) {
    uint64_t product = delta * divisor->inverse;
    uint64_t turned = product >> divisor->shift | product << (-divisor->shift & 63);
    return turned <= divisor->quotient_max;
}

/* Let it divide one more delta, which is not 0. */
static void divisor_meet(struct divisor *divisor, uint64_t delta) {
    if (divisor->held == DIVISOR_HELD && divisor_divides(divisor, delta)) {
        return;
    }
    uint64_t common = greatest_common_divisor(delta, divisor->value);
    if (common != divisor->value) {
        divisor->value = common;
        divisor->held = 0;
    } else if (++divisor->held == DIVISOR_HELD) {
        divisor_prepare(divisor);
    }
}

static struct survey survey_values(const int64_t *values, size_t count) {
    struct survey s = {values[0], values[0], INT64_MAX, INT64_MIN, 0};
    struct divisor divisor = {0};
    for (size_t i = 1; i < count; i++) {
        int64_t delta = wrap_sub(values[i], values[i - 1]);
        s.value_min = values[i] < s.value_min ? values[i] : s.value_min;
        s.value_max = values[i] > s.value_max ? values[i] : s.value_max;
        s.delta_min = delta < s.delta_min ? delta : s.delta_min;
        s.delta_max = delta > s.delta_max ? delta : s.delta_max;
        if (delta != 0 && divisor.value != 1) {
            divisor_meet(&divisor, magnitude(delta));
        }
    }
    s.divisor = divisor.value;
    return s;
}

/* Replace every value by (value - origin) / divisor, which leaves no rest: shift and multiply. */
static void scale(int64_t *values, size_t count, int64_t origin, uint64_t divisor) {
    unsigned shift = (unsigned)__builtin_ctzll(divisor);
    uint64_t inverse = inverse_of_odd(divisor >> shift);
    for (size_t i = 0; i < count; i++) {
        values[i] = (int64_t)((uint64_t)(wrap_sub(values[i], origin) >> shift) * inverse);
    }
}

/* Values that stand in the head of the block and so have no residual. */
static size_t lead_count(enum sn_int_kind kind) {
    switch (kind) {
    case SN_INT_CONSTANT:
    case SN_INT_LINE:
    case SN_INT_OFFSET:
        return 0;
    case SN_INT_DELTA:
    case SN_INT_ZIGZAG:
        return 1;
    case SN_INT_SECOND:
        return 2;
    }
    return 0;
}

/* Residuals of `count` values from *values on; those before it that the kind needs are there. */
static void residuals_of(enum sn_int_kind kind, int64_t base, const int64_t *values, size_t count,
                         uint64_t *ret) {
    switch (kind) {
    case SN_INT_OFFSET:
        for (size_t i = 0; i < count; i++) {
            ret[i] = (uint64_t)values[i] - (uint64_t)base;
        }
        break;
    case SN_INT_DELTA:
        for (size_t i = 0; i < count; i++) {
            ret[i] = (uint64_t)values[i] - (uint64_t)values[(ptrdiff_t)i - 1] - (uint64_t)base;
        }
        break;
    case SN_INT_ZIGZAG:
        for (size_t i = 0; i < count; i++) {
            ret[i] = sn_zigzag_encode(wrap_sub(values[i], values[(ptrdiff_t)i - 1]));
        }
        break;
    case SN_INT_SECOND:
        for (size_t i = 0; i < count; i++) {
            int64_t delta = wrap_sub(values[i], values[(ptrdiff_t)i - 1]);
            int64_t before = wrap_sub(values[(ptrdiff_t)i - 1], values[(ptrdiff_t)i - 2]);
            ret[i] = sn_zigzag_encode(wrap_sub(delta, before));
        }
        break;
    case SN_INT_CONSTANT:
    case SN_INT_LINE:
        break;
    }
}

static bool has_first(enum sn_int_kind kind) {
    return kind != SN_INT_OFFSET;
}

static bool has_base(enum sn_int_kind kind) {
    return kind != SN_INT_CONSTANT && kind != SN_INT_ZIGZAG;
}

/* Bytes before the mini-blocks. A scaled block begins at 0, so its first value is not stored. */
static size_t head_size(const struct sn_int_plan *plan) {
    size_t size = 1;
    if (plan->divisor > 1) {
        size += sn_varint_size(plan->divisor) + sn_varint_size(sn_zigzag_encode(plan->origin));
    } else if (has_first(plan->kind)) {
        size += sn_varint_size(sn_zigzag_encode(plan->first));
    }
    if (has_base(plan->kind)) {
        size += sn_varint_size(sn_zigzag_encode(plan->base));
    }
    return size;
}

/* Measure another kind and take it over when it is smaller. */
static void try_kind(struct sn_int_plan *plan, enum sn_int_kind kind, int64_t base) {
    struct sn_int_plan trial = *plan;
    trial.kind = kind;
    trial.base = base;
    trial.size = head_size(&trial);
    uint8_t *width = trial.widths;
    for (size_t i = lead_count(kind); i < trial.count; i += SN_PACK_COUNT_MAX) {
        uint64_t residuals[SN_PACK_COUNT_MAX];
        size_t left = trial.count - i;
        size_t count = left < SN_PACK_COUNT_MAX ? left : SN_PACK_COUNT_MAX;
        residuals_of(kind, base, trial.values + i, count, residuals);
        size_t size;
        *width++ = (uint8_t)sn_pack_choose_width(residuals, count, &size);
        trial.size += size;
        if (trial.size >= plan->size) {
            return;
        }
    }
    *plan = trial;
}

void sn_int_plan(int64_t *values, size_t count, struct sn_int_plan *ret_plan) {
    assert(count >= 1 && count <= SN_CHUNK_SAMPLES_MAX);
    struct survey s = survey_values(values, count);
    struct sn_int_plan plan = {
        .values = values, .count = count, .first = values[0], .divisor = 1, .size = SIZE_MAX};
    if (s.divisor == 0 || s.delta_min == s.delta_max) {
        plan.kind = s.divisor == 0 ? SN_INT_CONSTANT : SN_INT_LINE;
        plan.base = s.divisor == 0 ? 0 : s.delta_min;
        plan.size = head_size(&plan);
        *ret_plan = plan;
        return;
    }
    /* Deltas that wrap around 2^63 have no meaningful common divisor. */
    uint64_t range = (uint64_t)s.value_max - (uint64_t)s.value_min;
    if (s.divisor > 1 && range <= INT64_MAX) {
        int64_t divisor = (int64_t)s.divisor;
        plan.divisor = s.divisor;
        plan.origin = values[0];
        plan.first = 0;
        scale(values, count, plan.origin, plan.divisor);
        s.value_min = wrap_sub(s.value_min, plan.origin) / divisor;
        s.delta_min /= divisor;
    }
    try_kind(&plan, SN_INT_OFFSET, s.value_min);
    try_kind(&plan, SN_INT_DELTA, s.delta_min);
    if (s.delta_min < 0) {
        try_kind(&plan, SN_INT_ZIGZAG, 0);
    }
    try_kind(&plan, SN_INT_SECOND, wrap_sub(values[1], values[0]));
    *ret_plan = plan;
}

static uint8_t *write_head(const struct sn_int_plan *plan, uint8_t *at) {
    bool is_scaled = plan->divisor > 1;
    *at++ = (uint8_t)((unsigned)plan->kind | (is_scaled ? SCALED : 0u));
    if (is_scaled) {
        at = sn_varint_put(at, plan->divisor);
        at = sn_varint_put_signed(at, plan->origin);
    } else if (has_first(plan->kind)) {
        at = sn_varint_put_signed(at, plan->first);
    }
    return has_base(plan->kind) ? sn_varint_put_signed(at, plan->base) : at;
}

uint8_t *sn_int_write(const struct sn_int_plan *plan, uint8_t *at, uint8_t *end) {
    const uint8_t *start = at;
    SN_CHECK(plan->size <= (size_t)(end - at));
    at = write_head(plan, at);
    if (plan->kind != SN_INT_CONSTANT && plan->kind != SN_INT_LINE) {
        const uint8_t *width = plan->widths;
        for (size_t i = lead_count(plan->kind); i < plan->count; i += SN_PACK_COUNT_MAX) {
            uint64_t residuals[SN_PACK_COUNT_MAX];
            size_t left = plan->count - i;
            size_t count = left < SN_PACK_COUNT_MAX ? left : SN_PACK_COUNT_MAX;
            residuals_of(plan->kind, plan->base, plan->values + i, count, residuals);
            at = sn_pack_write(residuals, count, *width++, at, end);
        }
    }
    assert((size_t)(at - start) == plan->size);
    (void)start;
    return at;
}

/* What the head of a stored block says. */
struct head {
    enum sn_int_kind kind;
    bool is_scaled;
    int64_t first;
    int64_t base;
    uint64_t divisor;
    int64_t origin;
};

static const uint8_t *read_head(const uint8_t *at, const uint8_t *end, struct head *ret) {
    if (at >= end) {
        return NULL;
    }
    unsigned byte = *at++;
    unsigned kind = byte & KIND_MASK;
    if (byte > (KIND_MASK | SCALED) || kind > SN_INT_KIND_MAX) {
        return NULL;
    }
    *ret = (struct head){.kind = (enum sn_int_kind)kind, .is_scaled = (byte & SCALED) != 0};
    if (ret->is_scaled) {
        at = sn_varint_get(at, end, &ret->divisor);
        at = sn_varint_get_signed(at, end, &ret->origin);
    } else if (has_first(ret->kind)) {
        at = sn_varint_get_signed(at, end, &ret->first);
    }
    return has_base(ret->kind) ? sn_varint_get_signed(at, end, &ret->base) : at;
}

/* Two integers at once: most stored blocks are lines, and compilers at -O2 leave them scalar. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));

/* first, first + base, first + 2 base, ... */
static void fill_line(uint64_t first, uint64_t base, size_t count, int64_t *ret) {
    pair next = {first, first + base};
    const pair step = {2 * base, 2 * base};
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        *(pair *)(ret + i) = next;
        next += step;
    }
    if (i < count) {
        ret[i] = (int64_t)next[0];
    }
}

/* Where the running sums of a block stand between its mini-blocks. */
struct sums {
    uint64_t value;
    uint64_t delta;
};

/* Turn the residuals of one mini-block into values. */
static void add_up(const struct head *head, const uint64_t *residuals, size_t count,
                   struct sums *sums, int64_t *ret) {
    uint64_t base = (uint64_t)head->base;
    uint64_t value = sums->value;
    uint64_t delta = sums->delta;
    switch (head->kind) {
    case SN_INT_OFFSET:
        for (size_t i = 0; i < count; i++) {
            ret[i] = (int64_t)(residuals[i] + base);
        }
        break;
    case SN_INT_DELTA:
        for (size_t i = 0; i < count; i++) {
            value += residuals[i] + base;
            ret[i] = (int64_t)value;
        }
        break;
    case SN_INT_ZIGZAG:
        for (size_t i = 0; i < count; i++) {
            value += (uint64_t)sn_zigzag_decode(residuals[i]);
            ret[i] = (int64_t)value;
        }
        break;
    case SN_INT_SECOND:
        for (size_t i = 0; i < count; i++) {
            delta += (uint64_t)sn_zigzag_decode(residuals[i]);
            value += delta;
            ret[i] = (int64_t)value;
        }
        break;
    case SN_INT_CONSTANT:
    case SN_INT_LINE:
        break;
    }
    sums->value = value;
    sums->delta = delta;
}

static const uint8_t *read_packs(const uint8_t *at, const uint8_t *end, const struct head *head,
                                 size_t count, int64_t *ret) {
    size_t lead = lead_count(head->kind);
    if (count < lead) {
        return NULL;
    }
    struct sums sums = {(uint64_t)head->first, (uint64_t)head->base};
    fill_line(sums.value, sums.delta, lead, ret);
    if (lead == 2) {
        sums.value += sums.delta;
    }
    for (size_t i = lead; i < count; i += SN_PACK_COUNT_MAX) {
        uint64_t residuals[SN_PACK_COUNT_MAX];
        size_t pack_count = count - i < SN_PACK_COUNT_MAX ? count - i : SN_PACK_COUNT_MAX;
        at = sn_pack_read(at, end, pack_count, residuals);
        if (at == NULL) {
            return NULL;
        }
        add_up(head, residuals, pack_count, &sums, ret + i);
    }
    return at;
}

static void unscale(const struct head *head, int64_t *values, size_t count) {
    uint64_t origin = (uint64_t)head->origin;
    for (size_t i = 0; i < count; i++) {
        values[i] = (int64_t)((uint64_t)values[i] * head->divisor + origin);
    }
}

const uint8_t *sn_int_read(const uint8_t *at, const uint8_t *end, size_t count,
                           int64_t *ret_values) {
    assert(count >= 1 && count <= SN_CHUNK_SAMPLES_MAX);
    struct head head;
    at = read_head(at, end, &head);
    if (at == NULL) {
        return NULL;
    }
    if (head.kind == SN_INT_CONSTANT || head.kind == SN_INT_LINE) {
        fill_line((uint64_t)head.first, (uint64_t)head.base, count, ret_values);
    } else {
        at = read_packs(at, end, &head, count, ret_values);
    }
    if (at != NULL && head.is_scaled) {
        unscale(&head, ret_values, count);
    }
    return at;
}
