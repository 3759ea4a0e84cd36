/* Merging runs of samples: see merge.h. */
#include "store/merge.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void copy_run(struct sn_samples *to, size_t at, const struct sn_samples *from, size_t first,
                     size_t count) {
    if (count == 0)
        return;
    memmove(to->time_ms + at, from->time_ms + first, count * sizeof *to->time_ms);
    memmove(to->value + at, from->value + first, count * sizeof *to->value);
    if (to->has_start)
        memmove(to->start_ms + at, from->start_ms + first, count * sizeof *to->start_ms);
}

sn_status sn_samples_append_run(struct sn_samples *samples, const struct sn_samples *from,
                                size_t first, size_t count) {
    SN_TRY(sn_samples_reserve(samples, count));
    if (from->has_start)
        SN_TRY(sn_samples_use_start(samples));
    size_t at = samples->count;
    if (count == 0)
        return SN_OK;
    memcpy(samples->time_ms + at, from->time_ms + first, count * sizeof *samples->time_ms);
    memcpy(samples->value + at, from->value + first, count * sizeof *samples->value);
    for (size_t i = 0; samples->has_start && i < count; i++)
        samples->start_ms[at + i] = from->has_start ? from->start_ms[first + i] : 0;
    samples->count += count;
    return SN_OK;
}

/* Merge the ascending a and b into `to` (empty, large enough, the same columns); b wins at equal
 * times. */
static void merge_runs(const struct sn_samples *a, const struct sn_samples *b,
                       struct sn_samples *to) {
    size_t i = 0;
    size_t j = 0;
    while (i < a->count && j < b->count) {
        if (a->time_ms[i] < b->time_ms[j]) {
            copy_run(to, to->count++, a, i++, 1);
            continue;
        }
        i += a->time_ms[i] == b->time_ms[j];
        copy_run(to, to->count++, b, j++, 1);
    }
    copy_run(to, to->count, a, i, a->count - i);
    to->count += a->count - i;
    copy_run(to, to->count, b, j, b->count - j);
    to->count += b->count - j;
}

static struct sn_samples view(const struct sn_samples *samples, size_t first, size_t end) {
    return (struct sn_samples){.time_ms = samples->time_ms + first,
                               .value = samples->value + first,
                               .start_ms = samples->has_start ? samples->start_ms + first : NULL,
                               .has_start = samples->has_start,
                               .count = end - first,
                               .capacity = end - first};
}

/* First index in [first, end) whose time is >= time_ms. */
static size_t lower_bound(const struct sn_samples *samples, size_t first, size_t end,
                          int64_t time_ms) {
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (samples->time_ms[middle] < time_ms)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

sn_status sn_samples_merge_tail(struct sn_samples *samples, size_t base, size_t middle) {
    if (middle == base || middle == samples->count ||
        samples->time_ms[middle - 1] < samples->time_ms[middle])
        return SN_OK; /* the usual case: the newer run lies behind the older one */
    size_t first = lower_bound(samples, base, middle, samples->time_ms[middle]);
    struct sn_samples older = view(samples, first, middle);
    struct sn_samples newer = view(samples, middle, samples->count);
    struct sn_samples merged;
    sn_samples_init(&merged);
    sn_status status = samples->has_start ? sn_samples_use_start(&merged) : SN_OK;
    if (status == SN_OK)
        status = sn_samples_reserve(&merged, older.count + newer.count);
    if (status == SN_OK) {
        merge_runs(&older, &newer, &merged);
        copy_run(samples, first, &merged, 0, merged.count);
        samples->count = first + merged.count;
    }
    sn_samples_release(&merged);
    return status;
}

void sn_samples_clip_tail(struct sn_samples *samples, size_t base, struct sn_range range) {
    size_t first = lower_bound(samples, base, samples->count, range.start_ms);
    size_t end = samples->count;
    if (range.end_ms < INT64_MAX)
        end = lower_bound(samples, first, samples->count, range.end_ms + 1);
    if (first != base)
        if (first > base)
            copy_run(samples, base, samples, first, end - first);
    samples->count = base + (end - first);
}

struct arrival {
    int64_t time_ms;
    double value;
    int64_t start_ms;
    size_t order;
};

static int compare_arrivals(const void *a, const void *b) {
    const struct arrival *x = a;
    const struct arrival *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool is_ascending(const struct sn_samples *samples) {
    for (size_t i = 1; i < samples->count; i++) {
        if (samples->time_ms[i - 1] >= samples->time_ms[i])
            return false;
    }
    return true;
}

sn_status sn_samples_sort_latest(struct sn_samples *samples) {
    if (is_ascending(samples))
        return SN_OK;
    SN_CLEANUP(sn_free_ptr)
    struct arrival *items = sn_realloc_array(NULL, samples->count, sizeof *items);
    if (!items)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 0; i < samples->count; i++)
        items[i] = (struct arrival){.time_ms = samples->time_ms[i],
                                    .value = samples->value[i],
                                    .start_ms = samples->has_start ? samples->start_ms[i] : 0,
                                    .order = i};
    qsort(items, samples->count, sizeof *items, compare_arrivals);
    size_t kept = 0;
    for (size_t i = 0; i < samples->count; i++) {
        kept -= kept > 0 && samples->time_ms[kept - 1] == items[i].time_ms;
        samples->time_ms[kept] = items[i].time_ms;
        if (samples->has_start)
            samples->start_ms[kept] = items[i].start_ms;
        samples->value[kept++] = items[i].value;
    }
    samples->count = kept;
    return SN_OK;
}
