/*
 * Buckets of native histograms as intervals, in the order of their values.
 *
 * Pure functions; one thread per cursor.
 */
#include "model/histogram_bucket.h"

#include <math.h>

static bool is_custom_schema(const struct sn_histogram *histogram) {
    return histogram->schema == SN_HISTOGRAM_SCHEMA_CUSTOM;
}

double sn_histogram_bound(const struct sn_histogram *histogram, int64_t index) {
    if (!is_custom_schema(histogram)) {
        return sn_histogram_upper_bound(histogram->schema, (int32_t)index);
    }
    if (index < 0) {
        return -HUGE_VAL;
    }
    return index < histogram->custom_bound_count ? histogram->custom_bounds[index] : HUGE_VAL;
}

/* The side that the cursor is in. */
static bool is_positive(const struct sn_bucket_cursor *cursor) {
    return (cursor->phase == 2) != cursor->is_down;
}

static const struct sn_bucket_span *spans_of(const struct sn_bucket_cursor *cursor,
                                             uint32_t *ret_count) {
    const struct sn_histogram *histogram = cursor->histogram;
    bool positive = is_positive(cursor);
    *ret_count = positive ? histogram->positive_span_count : histogram->negative_span_count;
    return positive ? histogram->positive_spans : histogram->negative_spans;
}

/* Towards larger indexes: up on the positive side, down on the negative one. */
static bool goes_outwards(const struct sn_bucket_cursor *cursor) {
    return cursor->phase == 2;
}

static void enter_side(struct sn_bucket_cursor *cursor) {
    uint32_t count;
    const struct sn_bucket_span *spans = spans_of(cursor, &count);
    cursor->span = 0;
    cursor->in_span = 0;
    cursor->bucket = 0;
    cursor->index = 0;
    if (goes_outwards(cursor)) {
        cursor->index = count > 0 ? spans[0].offset : 0;
        return;
    }
    /* From the end: span, in_span and bucket count what is left. */
    for (uint32_t i = 0; i < count; i++) {
        cursor->index += (int64_t)spans[i].offset + spans[i].length;
        cursor->bucket += spans[i].length;
    }
    cursor->span = count;
    cursor->in_span = count > 0 ? spans[count - 1].length : 0;
}

void sn_bucket_cursor_init(struct sn_bucket_cursor *cursor, const struct sn_histogram *histogram,
                           bool is_down) {
    *cursor = (struct sn_bucket_cursor){.histogram = histogram, .is_down = is_down};
    enter_side(cursor);
}

/* The next bucket of the side; false: there is none. */
static bool next_outwards(struct sn_bucket_cursor *cursor, int64_t *ret_index,
                          uint32_t *ret_bucket) {
    uint32_t count;
    const struct sn_bucket_span *spans = spans_of(cursor, &count);
    while (cursor->span < count && cursor->in_span == spans[cursor->span].length) {
        cursor->in_span = 0;
        cursor->span++;
        cursor->index += cursor->span < count ? spans[cursor->span].offset : 0;
    }
    if (cursor->span == count) {
        return false;
    }
    cursor->in_span++;
    *ret_index = cursor->index++;
    *ret_bucket = cursor->bucket++;
    return true;
}

static bool next_inwards(struct sn_bucket_cursor *cursor, int64_t *ret_index,
                         uint32_t *ret_bucket) {
    uint32_t count;
    const struct sn_bucket_span *spans = spans_of(cursor, &count);
    while (cursor->span > 0 && cursor->in_span == 0) {
        cursor->span--;
        cursor->index -= spans[cursor->span].offset;
        cursor->in_span = cursor->span > 0 ? spans[cursor->span - 1].length : 0;
    }
    if (cursor->span == 0) {
        return false;
    }
    cursor->in_span--;
    *ret_index = --cursor->index;
    *ret_bucket = --cursor->bucket;
    return true;
}

static struct sn_histogram_bucket side_bucket(const struct sn_bucket_cursor *cursor, int64_t index,
                                              uint32_t number) {
    const struct sn_histogram *histogram = cursor->histogram;
    double upper = sn_histogram_bound(histogram, index);
    double lower = sn_histogram_bound(histogram, index - 1);
    bool is_custom = is_custom_schema(histogram);
    double zero = histogram->zero_threshold;
    if (is_positive(cursor)) {
        if (!is_custom && lower < zero) {
            lower = zero;
        }
        return (struct sn_histogram_bucket){lower, upper, histogram->positive_counts[number],
                                            is_custom && index == 0, true};
    }
    if (lower < zero) {
        lower = zero;
    }
    return (struct sn_histogram_bucket){-upper, -lower, histogram->negative_counts[number], true,
                                        false};
}

bool sn_bucket_cursor_next(struct sn_bucket_cursor *cursor,
                           struct sn_histogram_bucket *ret_bucket) {
    const struct sn_histogram *histogram = cursor->histogram;
    int64_t index;
    uint32_t number;
    for (; cursor->phase < 3; cursor->phase++, enter_side(cursor)) {
        if (cursor->phase == 1) {
            cursor->phase = 2;
            enter_side(cursor);
            if (histogram->zero_count > 0) {
                double zero = histogram->zero_threshold;
                *ret_bucket =
                    (struct sn_histogram_bucket){-zero, zero, histogram->zero_count, true, true};
                return true;
            }
        }
        if (goes_outwards(cursor) ? next_outwards(cursor, &index, &number)
                                  : next_inwards(cursor, &index, &number)) {
            *ret_bucket = side_bucket(cursor, index, number);
            return true;
        }
    }
    return false;
}
