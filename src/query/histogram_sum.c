/*
 * Sums of native histograms: buckets that find each other across schemas, zero buckets and bounds.
 *
 * 1. Lists are sorted by index and hold each index once.
 * 2. Bucket 0 of custom bounds ends at the first bound; the bucket after the last ends at +Inf.
 *
 * Only for src/query; one thread per sum.
 */
#include "query/histogram_priv.h"

#include "query/eval_priv.h"

#include <float.h>
#include <string.h>

#define LIST_CAPACITY_MIN 16

static void kahan_add(struct sn_kahan *kahan, double value) {
    sn_kahan_add(value, &kahan->sum, &kahan->rest);
}

static void kahan_add_other(struct sn_kahan *kahan, struct sn_kahan other) {
    kahan_add(kahan, other.sum);
    if (other.rest != 0) {
        kahan_add(kahan, other.rest);
    }
}

static double kahan_value(struct sn_kahan kahan) {
    return kahan.sum + kahan.rest;
}

/* ---- lists ---- */

static sn_status list_reserve(struct sn_bucket_list *list, size_t size, struct sn_arena *arena) {
    if (size <= list->capacity) {
        return SN_OK;
    }
    size_t capacity = (size_t)list->capacity * 2;
    capacity = capacity < LIST_CAPACITY_MIN ? LIST_CAPACITY_MIN : capacity;
    capacity = capacity < size ? size : capacity;
    int32_t *index = sn_arena_alloc(arena, capacity * sizeof *index);
    struct sn_kahan *count = sn_arena_alloc(arena, capacity * sizeof *count);
    if (index == NULL || count == NULL) {
        return sn_arena_failure(arena, capacity * (sizeof *index + sizeof *count), NULL);
    }
    if (list->size > 0) {
        memcpy(index, list->index, list->size * sizeof *index);
        memcpy(count, list->count, list->size * sizeof *count);
    }
    list->index = index;
    list->count = count;
    list->capacity = (uint32_t)capacity;
    return SN_OK;
}

struct side {
    const struct sn_bucket_span *spans;
    const double *counts;
    uint32_t span_count;
    uint32_t bucket_count;
};

static sn_status list_set(struct sn_bucket_list *list, const struct side *side,
                          struct sn_arena *arena) {
    int64_t index = 0;
    uint32_t size = 0;
    SN_TRY(list_reserve(list, side->bucket_count, arena));
    for (uint32_t i = 0; i < side->span_count; i++) {
        index += side->spans[i].offset;
        for (uint32_t k = 0; k < side->spans[i].length && size < side->bucket_count; k++) {
            list->index[size] = (int32_t)index++;
            list->count[size] = (struct sn_kahan){side->counts[size], 0};
            size++;
        }
    }
    list->size = size;
    return SN_OK;
}

/* Add to a bucket, which may be new; `*at` is where the search starts and where it ended. */
static sn_status list_add(struct sn_bucket_list *list, int32_t index, struct sn_kahan count,
                          uint32_t *at, struct sn_arena *arena) {
    uint32_t place = *at;
    while (place < list->size && list->index[place] < index) {
        place++;
    }
    *at = place;
    if (place < list->size && list->index[place] == index) {
        kahan_add_other(&list->count[place], count);
        return SN_OK;
    }
    SN_TRY(list_reserve(list, (size_t)list->size + 1, arena));
    memmove(list->index + place + 1, list->index + place,
            (list->size - place) * sizeof *list->index);
    memmove(list->count + place + 1, list->count + place,
            (list->size - place) * sizeof *list->count);
    list->index[place] = index;
    list->count[place] = count;
    list->size++;
    return SN_OK;
}

/* Join buckets whose new index is the same; `map` never falls. */
typedef int32_t index_map(const void *ctx, int32_t index);

static void list_map(struct sn_bucket_list *list, index_map *map, const void *ctx) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->size; i++) {
        int32_t index = map(ctx, list->index[i]);
        if (kept > 0 && list->index[kept - 1] == index) {
            kahan_add_other(&list->count[kept - 1], list->count[i]);
        } else {
            list->index[kept] = index;
            list->count[kept++] = list->count[i];
        }
    }
    list->size = kept;
}

/* Remove the first buckets. */
static void list_cut(struct sn_bucket_list *list, uint32_t count) {
    if (count > 0) {
        memmove(list->index, list->index + count, (list->size - count) * sizeof *list->index);
        memmove(list->count, list->count + count, (list->size - count) * sizeof *list->count);
        list->size -= count;
    }
}

/* ---- one histogram ---- */

static sn_status copy_bounds(const double *bounds, uint32_t count, struct sn_arena *arena,
                             const double **ret_bounds) {
    *ret_bounds = NULL;
    if (count > 0) {
        double *copy = sn_arena_alloc(arena, count * sizeof *copy);
        if (copy == NULL) {
            return sn_arena_failure(arena, count * sizeof *copy, NULL);
        }
        memcpy(copy, bounds, count * sizeof *copy);
        *ret_bounds = copy;
    }
    return SN_OK;
}

static bool bounds_match(const struct sn_histogram_sum *sum, const double *bounds,
                         uint32_t bound_count) {
    if (sum->bound_count != bound_count) {
        return false;
    }
    for (uint32_t i = 0; i < bound_count; i++) {
        if (sum->bounds[i] != bounds[i]) {
            return false;
        }
    }
    return true;
}

sn_status sn_histogram_sum_set(struct sn_histogram_sum *sum, const struct sn_histogram *histogram,
                               struct sn_arena *arena) {
    struct side positive = {histogram->positive_spans, histogram->positive_counts,
                            histogram->positive_span_count, histogram->positive_bucket_count};
    struct side negative = {histogram->negative_spans, histogram->negative_counts,
                            histogram->negative_span_count, histogram->negative_bucket_count};
    SN_TRY(list_set(&sum->positive, &positive, arena));
    SN_TRY(list_set(&sum->negative, &negative, arena));
    if (!bounds_match(sum, histogram->custom_bounds, histogram->custom_bound_count)) {
        SN_TRY(copy_bounds(histogram->custom_bounds, histogram->custom_bound_count, arena,
                           &sum->bounds));
    }
    sum->bound_count = histogram->custom_bound_count;
    sum->schema = histogram->schema;
    sum->reset_hint = histogram->reset_hint;
    sum->zero_threshold = histogram->zero_threshold;
    sum->zero_count = (struct sn_kahan){histogram->zero_count, 0};
    sum->count = (struct sn_kahan){histogram->count, 0};
    sum->sum = (struct sn_kahan){histogram->sum, 0};
    return SN_OK;
}

static sn_status list_copy(const struct sn_bucket_list *from, struct sn_bucket_list *to,
                           struct sn_arena *arena) {
    SN_TRY(list_reserve(to, from->size, arena));
    if (from->size > 0) {
        memcpy(to->index, from->index, from->size * sizeof *from->index);
        memcpy(to->count, from->count, from->size * sizeof *from->count);
    }
    to->size = from->size;
    return SN_OK;
}

sn_status sn_histogram_sum_copy(const struct sn_histogram_sum *sum, struct sn_histogram_sum *copy,
                                struct sn_arena *arena) {
    struct sn_histogram_sum result = *sum;
    result.positive = copy->positive;
    result.negative = copy->negative;
    SN_TRY(list_copy(&sum->positive, &result.positive, arena));
    SN_TRY(list_copy(&sum->negative, &result.negative, arena));
    *copy = result;
    return SN_OK;
}

/* ---- zero buckets ---- */

/* How many leading buckets lie, at least in part, below a zero threshold. */
struct zero_reach {
    struct sn_kahan count; /* of those buckets */
    uint32_t size;
    double threshold; /* grown to the end of a populated bucket that it would cut */
};

static void reach_into(const struct sn_histogram_sum *sum, const struct sn_bucket_list *list,
                       struct zero_reach *reach) {
    reach->size = 0;
    for (uint32_t i = 0; i < list->size; i++) {
        double upper = sn_histogram_upper_bound(sum->schema, list->index[i]);
        double lower = sn_histogram_upper_bound(sum->schema, list->index[i] - 1);
        if (lower >= reach->threshold) {
            break;
        }
        kahan_add_other(&reach->count, list->count[i]);
        if (upper > reach->threshold) {
            if (list->count[i].sum != 0) {
                reach->threshold = upper;
            }
            reach->size = i + 1;
            break;
        }
        reach->size = i + 1;
    }
}

/* The zero count for a threshold that is at least the own one; it may have to grow further. */
static struct sn_kahan zero_count_for(const struct sn_histogram_sum *sum, double *threshold,
                                      uint32_t *ret_positive, uint32_t *ret_negative) {
    struct zero_reach reach = {.threshold = *threshold};
    if (*threshold == sum->zero_threshold) {
        *ret_positive = 0;
        *ret_negative = 0;
        return sum->zero_count;
    }
    for (;;) {
        reach.count = sum->zero_count;
        reach_into(sum, &sum->positive, &reach);
        *ret_positive = reach.size;
        double after_positive = reach.threshold;
        reach_into(sum, &sum->negative, &reach);
        *ret_negative = reach.size;
        if (reach.threshold == after_positive) {
            break; /* else: the positive side has to be looked at again */
        }
    }
    *threshold = reach.threshold;
    return reach.count;
}

/* Widen the zero bucket of a sum; the buckets that it swallows are gone. */
static void widen_zero(struct sn_histogram_sum *sum, double *threshold) {
    uint32_t positive;
    uint32_t negative;
    sum->zero_count = zero_count_for(sum, threshold, &positive, &negative);
    list_cut(&sum->positive, positive);
    list_cut(&sum->negative, negative);
    sum->zero_threshold = *threshold;
}

/* Until both have the same threshold; each round makes one of them wider, over whole buckets. */
static void reconcile_zero(struct sn_histogram_sum *sum, struct sn_histogram_sum *other) {
    while (other->zero_threshold < sum->zero_threshold ||
           other->zero_threshold > sum->zero_threshold) {
        double threshold = sum->zero_threshold;
        if (threshold > other->zero_threshold) {
            widen_zero(other, &threshold);
        }
        threshold = other->zero_threshold;
        if (threshold > sum->zero_threshold) {
            widen_zero(sum, &threshold);
        }
    }
}

/* ---- schemas and bounds ---- */

static int32_t coarser_index(const void *ctx, int32_t index) {
    int shift = *(const int *)ctx;
    return (int32_t)((((int64_t)index - 1) >> shift) + 1);
}

void sn_histogram_sum_reduce(struct sn_histogram_sum *sum, int32_t schema) {
    int shift = sum->schema - schema;
    if (shift > 0) {
        list_map(&sum->positive, coarser_index, &shift);
        list_map(&sum->negative, coarser_index, &shift);
        sum->schema = schema;
    }
}

/* From the buckets of some bounds to those of a subset of them. */
struct bounds_map {
    const double *from;
    uint32_t from_count;
    const double *to;
    uint32_t to_count;
};

static int32_t index_in_subset(const void *ctx, int32_t index) {
    const struct bounds_map *map = ctx;
    uint32_t target = 0;
    if (index < 0 || (uint32_t)index >= map->from_count) {
        return (int32_t)map->to_count;
    }
    while (target < map->to_count && map->to[target] < map->from[index]) {
        target++;
    }
    return (int32_t)target;
}

static sn_status intersect_bounds(const struct sn_histogram_sum *a,
                                  const struct sn_histogram_sum *b, struct sn_arena *arena,
                                  double **ret_bounds, uint32_t *ret_count) {
    uint32_t count = 0;
    uint32_t k = 0;
    double *bounds = sn_arena_alloc(arena, a->bound_count * sizeof *bounds);
    if (bounds == NULL) {
        return sn_arena_failure(arena, a->bound_count * sizeof *bounds, NULL);
    }
    for (uint32_t i = 0; i < a->bound_count; i++) {
        while (k < b->bound_count && b->bounds[k] < a->bounds[i]) {
            k++;
        }
        if (k < b->bound_count && b->bounds[k] == a->bounds[i]) {
            bounds[count++] = a->bounds[i];
        }
    }
    *ret_bounds = bounds;
    *ret_count = count;
    return SN_OK;
}

static void move_to_bounds(struct sn_histogram_sum *sum, const double *bounds, uint32_t count) {
    struct bounds_map map = {sum->bounds, sum->bound_count, bounds, count};
    list_map(&sum->positive, index_in_subset, &map);
    sum->bounds = bounds;
    sum->bound_count = count;
}

static sn_status reconcile_bounds(struct sn_histogram_sum *sum, struct sn_histogram_sum *other,
                                  struct sn_arena *arena, unsigned *events) {
    double *bounds = NULL;
    uint32_t count = 0;
    if (bounds_match(sum, other->bounds, other->bound_count)) {
        return SN_OK;
    }
    *events |= SN_HISTOGRAM_RECONCILED;
    SN_TRY(intersect_bounds(sum, other, arena, &bounds, &count));
    move_to_bounds(sum, bounds, count);
    move_to_bounds(other, bounds, count);
    return SN_OK;
}

/* ---- adding ---- */

/* What the sum of two histograms is when they are read as counters. */
static void join_hints(struct sn_histogram_sum *sum, enum sn_counter_reset_hint hint,
                       unsigned *events) {
    if (hint == sum->reset_hint || sum->reset_hint == SN_RESET_GAUGE) {
        return;
    }
    if (hint == SN_RESET_GAUGE) {
        sum->reset_hint = SN_RESET_GAUGE;
        return;
    }
    if (hint != SN_RESET_UNKNOWN && sum->reset_hint != SN_RESET_UNKNOWN) {
        *events |= SN_HISTOGRAM_COLLISION;
    }
    sum->reset_hint = SN_RESET_UNKNOWN;
}

static sn_status add_list(struct sn_bucket_list *list, const struct sn_bucket_list *other,
                          double sign, struct sn_arena *arena) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < other->size; i++) {
        struct sn_kahan count = {sign * other->count[i].sum, sign * other->count[i].rest};
        SN_TRY(list_add(list, other->index[i], count, &at, arena));
    }
    return SN_OK;
}

/* False: one has custom buckets, the other has not. */
static bool is_compatible(const struct sn_histogram_sum *sum, const struct sn_histogram *histogram,
                          unsigned *events) {
    bool is_custom = sum->schema == SN_HISTOGRAM_SCHEMA_CUSTOM;
    if (is_custom != sn_histogram_is_custom(histogram)) {
        *events |= SN_HISTOGRAM_INCOMPATIBLE;
        return false;
    }
    return true;
}

/* Both are changed on the way: they get the same schema, zero bucket and bounds. */
static sn_status add_sum(struct sn_histogram_sum *sum, struct sn_histogram_sum *other, double sign,
                         struct sn_arena *arena, unsigned *events) {
    join_hints(sum, other->reset_hint, events);
    kahan_add(&sum->count, sign * other->count.sum);
    kahan_add(&sum->sum, sign * other->sum.sum);
    if (sum->schema == SN_HISTOGRAM_SCHEMA_CUSTOM) {
        SN_TRY(reconcile_bounds(sum, other, arena, events));
    } else {
        reconcile_zero(sum, other);
        sn_histogram_sum_reduce(sum, other->schema);
        sn_histogram_sum_reduce(other, sum->schema);
    }
    kahan_add(&sum->zero_count, sign * kahan_value(other->zero_count));
    SN_TRY(add_list(&sum->positive, &other->positive, sign, arena));
    return add_list(&sum->negative, &other->negative, sign, arena);
}

sn_status sn_histogram_sum_add(struct sn_histogram_sum *sum, const struct sn_histogram *histogram,
                               double sign, struct sn_histogram_sum *other, struct sn_arena *arena,
                               unsigned *events) {
    if (!is_compatible(sum, histogram, events)) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_sum_set(other, histogram, arena));
    return add_sum(sum, other, sign, arena, events);
}

/* ---- scaling ---- */

static void kahan_scale(struct sn_kahan *kahan, double factor) {
    kahan->sum *= factor;
    kahan->rest *= factor;
}

static void kahan_divide(struct sn_kahan *kahan, double divisor) {
    kahan->sum /= divisor;
    kahan->rest = kahan->rest == 0 ? 0 : kahan->rest / divisor; /* 0 / 0 is not a rest */
}

void sn_histogram_sum_scale(struct sn_histogram_sum *sum, double factor) {
    kahan_scale(&sum->zero_count, factor);
    kahan_scale(&sum->count, factor);
    kahan_scale(&sum->sum, factor);
    for (uint32_t i = 0; i < sum->positive.size; i++) {
        kahan_scale(&sum->positive.count[i], factor);
    }
    for (uint32_t i = 0; i < sum->negative.size; i++) {
        kahan_scale(&sum->negative.count[i], factor);
    }
    if (factor < 0) {
        sum->reset_hint = SN_RESET_GAUGE;
    }
}

void sn_histogram_sum_divide(struct sn_histogram_sum *sum, double divisor) {
    kahan_divide(&sum->zero_count, divisor);
    kahan_divide(&sum->count, divisor);
    kahan_divide(&sum->sum, divisor);
    if (divisor == 0) {
        sum->positive.size = 0;
        sum->negative.size = 0;
        return;
    }
    for (uint32_t i = 0; i < sum->positive.size; i++) {
        kahan_divide(&sum->positive.count[i], divisor);
    }
    for (uint32_t i = 0; i < sum->negative.size; i++) {
        kahan_divide(&sum->negative.count[i], divisor);
    }
    if (divisor < 0) {
        sum->reset_hint = SN_RESET_GAUGE;
    }
}

static bool list_overflows(const struct sn_bucket_list *list) {
    for (uint32_t i = 0; i < list->size; i++) {
        if (isinf(list->count[i].sum)) {
            return true;
        }
    }
    return false;
}

bool sn_histogram_sum_overflows(const struct sn_histogram_sum *sum) {
    return isinf(sum->count.sum) || isinf(sum->sum.sum) || isinf(sum->zero_count.sum) ||
           list_overflows(&sum->positive) || list_overflows(&sum->negative);
}

/* ---- means ---- */

static double largest_of(const double *values, uint32_t count, double largest) {
    for (uint32_t i = 0; i < count; i++) {
        double size = fabs(values[i]);
        largest = size > largest ? size : largest;
    }
    return largest;
}

static double magnitude_of(const struct sn_histogram *histogram) {
    double totals[3] = {histogram->count, histogram->sum, histogram->zero_count};
    double largest = largest_of(totals, 3, 0);
    largest = largest_of(histogram->positive_counts, histogram->positive_bucket_count, largest);
    return largest_of(histogram->negative_counts, histogram->negative_bucket_count, largest);
}

/* As a sum; *ret_is_done: false when it would overflow, then nothing was added. */
static sn_status mean_add_plain(struct sn_histogram_mean *mean, struct sn_histogram_sum *sum,
                                const struct sn_histogram *histogram,
                                struct sn_histogram_sum scratch[2], struct sn_arena *arena,
                                unsigned *events, bool *ret_is_done) {
    bool is_safe = mean->magnitude < DBL_MAX / 2;
    if (!is_safe) {
        SN_TRY(sn_histogram_sum_copy(sum, &scratch[1], arena));
    }
    SN_TRY(sn_histogram_sum_add(sum, histogram, 1, &scratch[0], arena, events));
    *ret_is_done = is_safe || !sn_histogram_sum_overflows(sum);
    if (!*ret_is_done) {
        SN_TRY(sn_histogram_sum_copy(&scratch[1], sum, arena));
    }
    return SN_OK;
}

sn_status sn_histogram_mean_add(struct sn_histogram_mean *mean, struct sn_histogram_sum *sum,
                                const struct sn_histogram *histogram,
                                struct sn_histogram_sum scratch[2], struct sn_arena *arena,
                                unsigned *events) {
    double before = mean->count;
    double after = before + 1;
    mean->count = after;
    mean->magnitude += magnitude_of(histogram);
    if (before == 0) {
        return sn_histogram_sum_set(sum, histogram, arena);
    }
    if (!mean->is_running) {
        bool is_done;
        SN_TRY(mean_add_plain(mean, sum, histogram, scratch, arena, events, &is_done));
        if (is_done) {
            return SN_OK;
        }
        mean->is_running = true;
        sn_histogram_sum_divide(sum, before);
    }
    if (!is_compatible(sum, histogram, events)) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_sum_set(&scratch[0], histogram, arena));
    sn_histogram_sum_divide(&scratch[0], after);
    sn_histogram_sum_scale(sum, before / after);
    return add_sum(sum, &scratch[0], 1, arena, events);
}

void sn_histogram_mean_finish(const struct sn_histogram_mean *mean, struct sn_histogram_sum *sum) {
    if (!mean->is_running) {
        sn_histogram_sum_divide(sum, mean->count);
    }
}

/* ---- finishing ---- */

static bool is_left_out(const struct sn_bucket_list *list, uint32_t i, bool is_compact) {
    return is_compact && kahan_value(list->count[i]) == 0;
}

/* Spans of the buckets that stay. */
static void write_side(const struct sn_bucket_list *list, bool is_compact,
                       struct sn_bucket_span *spans, double *counts, struct side *ret_side) {
    struct side side = {spans, counts, 0, 0};
    int64_t next = 0; /* index right behind the last bucket that was written */
    for (uint32_t i = 0; i < list->size; i++) {
        if (is_left_out(list, i, is_compact)) {
            continue;
        }
        int64_t gap = list->index[i] - next;
        if (side.span_count == 0 || gap != 0) {
            spans[side.span_count++] = (struct sn_bucket_span){(int32_t)gap, 0};
        }
        spans[side.span_count - 1].length++;
        counts[side.bucket_count++] = kahan_value(list->count[i]);
        next = (int64_t)list->index[i] + 1;
    }
    *ret_side = side;
}

static sn_status finish_side(const struct sn_bucket_list *list, bool is_compact,
                             struct sn_arena *arena, struct side *ret_side) {
    uint32_t bucket_count = 0;
    uint32_t span_count = 0;
    int64_t next = INT64_MIN;
    for (uint32_t i = 0; i < list->size; i++) {
        if (!is_left_out(list, i, is_compact)) {
            span_count += list->index[i] != next;
            next = (int64_t)list->index[i] + 1;
            bucket_count++;
        }
    }
    *ret_side = (struct side){.span_count = 0};
    if (bucket_count == 0) {
        return SN_OK;
    }
    struct sn_bucket_span *spans = sn_arena_alloc(arena, span_count * sizeof *spans);
    double *counts = sn_arena_alloc(arena, bucket_count * sizeof *counts);
    if (spans == NULL || counts == NULL) {
        return sn_arena_failure(arena, bucket_count * sizeof *counts, NULL);
    }
    write_side(list, is_compact, spans, counts, ret_side);
    return SN_OK;
}

sn_status sn_histogram_sum_finish(const struct sn_histogram_sum *sum, bool is_compact,
                                  struct sn_arena *arena,
                                  const struct sn_histogram **ret_histogram) {
    struct side positive;
    struct side negative;
    const double *bounds;
    struct sn_histogram *histogram = sn_arena_alloc(arena, sizeof *histogram);
    if (histogram == NULL) {
        return sn_arena_failure(arena, sizeof *histogram, NULL);
    }
    SN_TRY(finish_side(&sum->positive, is_compact, arena, &positive));
    SN_TRY(finish_side(&sum->negative, is_compact, arena, &negative));
    SN_TRY(copy_bounds(sum->bounds, sum->bound_count, arena, &bounds));
    *histogram = (struct sn_histogram){.schema = sum->schema,
                                       .reset_hint = sum->reset_hint,
                                       .zero_threshold = sum->zero_threshold,
                                       .zero_count = kahan_value(sum->zero_count),
                                       .count = kahan_value(sum->count),
                                       .sum = kahan_value(sum->sum),
                                       .positive_spans = positive.spans,
                                       .positive_counts = positive.counts,
                                       .positive_span_count = positive.span_count,
                                       .positive_bucket_count = positive.bucket_count,
                                       .negative_spans = negative.spans,
                                       .negative_counts = negative.counts,
                                       .negative_span_count = negative.span_count,
                                       .negative_bucket_count = negative.bucket_count,
                                       .custom_bounds = bounds,
                                       .custom_bound_count = sum->bound_count};
    *ret_histogram = histogram;
    return SN_OK;
}

sn_status sn_histogram_keep(const struct sn_histogram *histogram, struct sn_arena *arena,
                            const struct sn_histogram **ret_copy) {
    struct sn_histogram *copy = sn_arena_alloc(arena, sizeof *copy);
    if (copy == NULL) {
        return sn_arena_failure(arena, sizeof *copy, NULL);
    }
    SN_TRY(sn_histogram_copy(histogram, arena, copy));
    *ret_copy = copy;
    return SN_OK;
}

/* ---- resets ---- */

/* Whether a bucket of `before` has fallen or is gone. */
static bool list_falls(const struct sn_bucket_list *now, const struct sn_bucket_list *before) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < before->size; i++) {
        while (at < now->size && now->index[at] < before->index[i]) {
            at++;
        }
        bool is_there = at < now->size && now->index[at] == before->index[i];
        double count = before->count[i].sum;
        if (is_there ? now->count[at].sum < count : count != 0) {
            return true;
        }
    }
    return false;
}

/* Both lists are scratch: they may be changed. */
static bool falls(struct sn_histogram_sum *now, struct sn_histogram_sum *before) {
    if (now->schema > before->schema || now->zero_threshold < before->zero_threshold) {
        return true;
    }
    double threshold = now->zero_threshold;
    widen_zero(before, &threshold);
    if (threshold != now->zero_threshold || now->zero_count.sum < kahan_value(before->zero_count)) {
        return true;
    }
    sn_histogram_sum_reduce(before, now->schema);
    return list_falls(&now->positive, &before->positive) ||
           list_falls(&now->negative, &before->negative);
}

sn_status sn_histogram_detect_reset(const struct sn_histogram *now,
                                    const struct sn_histogram *before,
                                    struct sn_histogram_sum scratch[2], struct sn_arena *arena,
                                    bool *ret_is_reset) {
    unsigned events = 0;
    if (now->reset_hint == SN_RESET_YES || now->count < before->count ||
        (sn_histogram_is_custom(now) && !sn_histogram_is_custom(before))) {
        *ret_is_reset = true;
        return SN_OK;
    }
    SN_TRY(sn_histogram_sum_set(&scratch[0], now, arena));
    SN_TRY(sn_histogram_sum_set(&scratch[1], before, arena));
    if (sn_histogram_is_custom(now)) {
        SN_TRY(reconcile_bounds(&scratch[0], &scratch[1], arena, &events));
        *ret_is_reset = list_falls(&scratch[0].positive, &scratch[1].positive);
        return SN_OK;
    }
    /* From custom to exponential is a finer schema: -53 is below all others. */
    *ret_is_reset = falls(&scratch[0], &scratch[1]);
    return SN_OK;
}

/* ---- equality ---- */

static bool counts_match(const double *a, const double *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

struct span_cursor {
    const struct side *side;
    uint32_t span;
    uint32_t in_span;
    int64_t next; /* index of the next bucket, when it is in this span */
};

static struct span_cursor span_cursor_make(const struct side *side) {
    return (struct span_cursor){side, 0, 0, side->span_count > 0 ? side->spans[0].offset : 0};
}

/* Spans may be empty. Not beyond the last bucket. */
static int64_t next_index(struct span_cursor *cursor) {
    while (cursor->span + 1 < cursor->side->span_count &&
           cursor->in_span == cursor->side->spans[cursor->span].length) {
        cursor->in_span = 0;
        cursor->next += cursor->side->spans[++cursor->span].offset;
    }
    cursor->in_span++;
    return cursor->next++;
}

static bool sides_match(const struct side *a, const struct side *b) {
    struct span_cursor left = span_cursor_make(a);
    struct span_cursor right = span_cursor_make(b);
    if (a->bucket_count != b->bucket_count ||
        !counts_match(a->counts, b->counts, a->bucket_count)) {
        return false;
    }
    for (uint32_t i = 0; i < a->bucket_count; i++) {
        if (next_index(&left) != next_index(&right)) {
            return false;
        }
    }
    return true;
}

bool sn_histogram_matches(const struct sn_histogram *a, const struct sn_histogram *b) {
    struct side sides[4] = {
        {a->positive_spans, a->positive_counts, a->positive_span_count, a->positive_bucket_count},
        {b->positive_spans, b->positive_counts, b->positive_span_count, b->positive_bucket_count},
        {a->negative_spans, a->negative_counts, a->negative_span_count, a->negative_bucket_count},
        {b->negative_spans, b->negative_counts, b->negative_span_count, b->negative_bucket_count},
    };
    return a->schema == b->schema && a->zero_threshold == b->zero_threshold &&
           a->zero_count == b->zero_count && a->count == b->count && a->sum == b->sum &&
           a->custom_bound_count == b->custom_bound_count &&
           counts_match(a->custom_bounds, b->custom_bounds, a->custom_bound_count) &&
           sides_match(&sides[0], &sides[1]) && sides_match(&sides[2], &sides[3]);
}
