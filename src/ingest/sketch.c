/*
 * Exponential buckets. See sketch.h. Bucket i holds values in (2^((i-1)/32), 2^(i/32)].
 */
#include "ingest/sketch.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

#define BUCKETS_PER_DOUBLING 32

void sn_sketch_release(struct sn_sketch *sketch) {
    sn_free(sketch->positive.counts);
    sn_free(sketch->negative.counts);
    memset(sketch, 0, sizeof *sketch);
}

static void clear_side(struct sn_sketch_side *side) {
    side->len = 0;
}

void sn_sketch_clear(struct sn_sketch *sketch) {
    clear_side(&sketch->positive);
    clear_side(&sketch->negative);
    sketch->zero_count = 0;
    sketch->count = 0;
    sketch->min = 0;
    sketch->max = 0;
}

static int32_t index_of(double magnitude) {
    return (int32_t)ceil(log2(magnitude) * BUCKETS_PER_DOUBLING);
}

/* Values below the new lowest bucket go into it. */
static void fold(struct sn_sketch_side *side, int32_t new_first) {
    int32_t gone = new_first - side->first;
    int32_t keep = gone < side->len ? side->len - gone : 0;
    double low = 0;
    for (int32_t i = 0; i < side->len - keep; i++) {
        low += side->counts[i];
    }
    memmove(side->counts, side->counts + (side->len - keep), (size_t)keep * sizeof(double));
    if (keep == 0) {
        side->counts[0] = 0;
        keep = 1;
    }
    side->counts[0] += low;
    side->first = new_first;
    side->len = keep;
}

/* Make a bucket part of the side; the index that stands for it. Memory is there. */
static int32_t cover(struct sn_sketch_side *side, int32_t index) {
    if (side->len == 0) {
        side->first = index;
        side->counts[0] = 0;
        side->len = 1;
        return index;
    }
    if (index >= side->first + SN_SKETCH_BUCKETS_MAX) {
        fold(side, index - SN_SKETCH_BUCKETS_MAX + 1);
    }
    if (index >= side->first + side->len) {
        int32_t more = index - (side->first + side->len) + 1;
        memset(side->counts + side->len, 0, (size_t)more * sizeof(double));
        side->len += more;
    }
    if (index < side->first) {
        int32_t room = SN_SKETCH_BUCKETS_MAX - side->len;
        int32_t more = side->first - index < room ? side->first - index : room;
        memmove(side->counts + more, side->counts, (size_t)side->len * sizeof(double));
        memset(side->counts, 0, (size_t)more * sizeof(double));
        side->first -= more;
        side->len += more;
        index = index < side->first ? side->first : index;
    }
    return index;
}

sn_status sn_sketch_add(struct sn_sketch *sketch, double value, double weight) {
    struct sn_sketch_side *side = value > 0 ? &sketch->positive : &sketch->negative;
    if (value == 0) {
        sketch->zero_count += weight;
    } else {
        if (side->counts == NULL) {
            side->counts = sn_alloc(SN_SKETCH_BUCKETS_MAX * sizeof(double));
            if (side->counts == NULL) {
                return SN_ERR_NO_MEMORY;
            }
        }
        int32_t index = cover(side, index_of(fabs(value)));
        side->counts[index - side->first] += weight;
    }
    sketch->min = sketch->count == 0 || value < sketch->min ? value : sketch->min;
    sketch->max = sketch->count == 0 || value > sketch->max ? value : sketch->max;
    sketch->count += weight;
    return SN_OK;
}

static double middle_of(int32_t index) {
    return exp2((index - 0.5) / BUCKETS_PER_DOUBLING);
}

/* Value of the bucket in which the rank falls. */
static double value_at(const struct sn_sketch *sketch, double rank) {
    const struct sn_sketch_side *side = &sketch->negative;
    double seen = 0;
    for (int32_t i = side->len - 1; i >= 0; i--) {
        seen += side->counts[i];
        if (seen >= rank && side->counts[i] > 0) {
            return -middle_of(side->first + i);
        }
    }
    seen += sketch->zero_count;
    if (seen >= rank && sketch->zero_count > 0) {
        return 0;
    }
    side = &sketch->positive;
    for (int32_t i = 0; i < side->len; i++) {
        seen += side->counts[i];
        if (seen >= rank && side->counts[i] > 0) {
            return middle_of(side->first + i);
        }
    }
    return sketch->max;
}

double sn_sketch_quantile(const struct sn_sketch *sketch, double share) {
    if (sketch->count == 0) {
        return (double)NAN;
    }
    double value = value_at(sketch, share * sketch->count);
    return fmin(fmax(value, sketch->min), sketch->max);
}
