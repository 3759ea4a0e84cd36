/*
 * Rollups: the samples of a series summed up over buckets of equal width, small enough to be kept for
 * years and good enough to answer what long ranges are asked.
 *
 *   1. A bucket covers (end - width, end], open on the left as windows of PromQL are; ends are multiples
 *      of the width. So a window whose ends are multiples of it is exactly so many buckets.
 *   2. Stale markers are no values: they are not counted, and is_stale says that one came behind the last
 *      value. A bucket has at least one value.
 *   3. min and max are NaN only when every value is.
 *   4. What a counter gained in a bucket is last - first + falls; between two buckets it is that of any
 *      two neighbouring samples.
 *
 * One thread per object.
 */
#ifndef SN_MODEL_ROLLUP_H
#define SN_MODEL_ROLLUP_H

#include "base/status.h"
#include "model/sample.h"

/* The tiers there are. Hours for every series; minutes only where samples come about every second. */
#define SN_ROLLUP_WIDE_MS INT64_C(3600000)
#define SN_ROLLUP_NARROW_MS INT64_C(300000)

struct sn_rollup {
    int64_t end_ms;
    int64_t first_ms; /* of its first value */
    int64_t last_ms;
    uint64_t count;
    double first;
    double last;
    double min;
    double max;
    double sum;
    double falls;   /* values before each fall of a counter, added up */
    bool has_start; /* a start time is known of a value: falls alone do not tell all resets */
    bool is_stale;
};

struct sn_rollups {
    struct sn_rollup *items; /* [capacity], owned; ascending by end_ms */
    size_t count;
    size_t capacity;
    double sum; /* of the last item, without what was lost in rounding */
    double compensation;
};

void sn_rollups_init(struct sn_rollups *rollups);
void sn_rollups_release(struct sn_rollups *rollups);
void sn_rollups_reset(struct sn_rollups *rollups);
/* Room for `more` items after count. SN_ERR_NO_MEMORY. */
sn_status sn_rollups_reserve(struct sn_rollups *rollups, size_t more) SN_MUST_USE;

/* The end of the bucket that a time belongs to. */
int64_t sn_rollup_end_ms(int64_t time_ms, int64_t width_ms);

/*
 * Sum up the samples [first, samples->count), which are later than all before: the last bucket grows, new
 * ones follow. SN_ERR_NO_MEMORY.
 */
sn_status sn_rollups_add(struct sn_rollups *rollups, const struct sn_samples *samples, size_t first,
                         int64_t width_ms) SN_MUST_USE;

/* What `into` is together with a later one. Sums are added plainly. */
void sn_rollup_join(struct sn_rollup *into, const struct sn_rollup *later);

/* The first item whose end is later than `limit`. O(log). */
size_t sn_rollups_find_after(const struct sn_rollup *items, size_t count, int64_t limit_ms);

#endif
