/* Which segments to merge next: see compact_plan.h. */
#include "store/compact_plan.h"

struct planner {
    const struct sn_compact_candidate *candidates; /* [count] */
    size_t count;
    int64_t window_ms; /* of this level */
    int64_t now_ms;
    bool takes_open; /* this level merges in windows that have not passed */
};

/* Sums over a growing choice. */
struct sums {
    uint64_t bytes;
    uint64_t bytes_max; /* of one input */
    uint64_t sample_count;
    uint64_t series_count_max; /* of one input: the merged segment has at least so many */
};

static int64_t window_of(const struct planner *planner, size_t i) {
    return planner->candidates[i].time_max / planner->window_ms;
}

static bool overlaps(const struct sn_compact_candidate *a, const struct sn_compact_candidate *b) {
    return a->time_min <= b->time_max && b->time_min <= a->time_max;
}

/* Invariant 1: what lies between the last input and `next` is passed by all inputs. */
static bool may_pass(const struct planner *planner, const struct sn_compact_plan *plan,
                     size_t next) {
    for (size_t between = plan->items[plan->count - 1] + 1; between < next; between++) {
        for (size_t i = 0; i < plan->count; i++) {
            if (overlaps(&planner->candidates[plan->items[i]], &planner->candidates[between]))
                return false;
        }
    }
    return true;
}

static void add(struct sn_compact_plan *plan, struct sums *sums,
                const struct sn_compact_candidate *more, size_t at) {
    plan->items[plan->count++] = at;
    sums->bytes += more->bytes;
    sums->sample_count += more->sample_count;
    if (more->bytes > sums->bytes_max)
        sums->bytes_max = more->bytes;
    if (more->series_count > sums->series_count_max)
        sums->series_count_max = more->series_count;
}

static bool fits(const struct sums *sums, const struct sn_compact_candidate *more) {
    uint64_t series = sums->series_count_max;
    if (more->series_count > series)
        series = more->series_count;
    return sums->bytes + more->bytes <= SN_COMPACT_BYTES_MAX &&
           sums->sample_count + more->sample_count <= series * SN_COMPACT_SAMPLES_PER_SERIES_MAX;
}

static bool pays(const struct planner *planner, const struct sn_compact_plan *plan,
                 const struct sums *sums) {
    bool is_open = (window_of(planner, plan->items[0]) + 1) * planner->window_ms > planner->now_ms;
    if (is_open && !planner->takes_open)
        return false;
    size_t count_min = is_open ? SN_COMPACT_OPEN_COUNT_MIN : 2;
    return plan->count >= count_min &&
           (sums->bytes - sums->bytes_max) >= sums->bytes_max / SN_COMPACT_SHARE;
}

/* The longest choice that begins with `first`. */
static bool plan_from(const struct planner *planner, size_t first,
                      struct sn_compact_plan *ret_plan) {
    struct sn_compact_plan plan = {.count = 0};
    struct sums sums = {0};
    add(&plan, &sums, &planner->candidates[first], first);
    for (size_t i = first + 1; i < planner->count && plan.count < SN_COMPACT_INPUTS_MAX; i++) {
        const struct sn_compact_candidate *next = &planner->candidates[i];
        if (!next->is_usable || window_of(planner, i) != window_of(planner, first))
            continue;
        if (!fits(&sums, next) || !may_pass(planner, &plan, i))
            break;
        add(&plan, &sums, next, i);
    }
    if (!pays(planner, &plan, &sums))
        return false;
    plan.bytes = sums.bytes;
    *ret_plan = plan;
    return true;
}

static bool plan_level(const struct planner *planner, struct sn_compact_plan *ret_plan) {
    for (size_t first = 0; first < planner->count; first++) {
        if (planner->candidates[first].is_usable && plan_from(planner, first, ret_plan))
            return true;
    }
    return false;
}

bool sn_compact_plan_next(const struct sn_compact_candidate *candidates, size_t count,
                          int64_t window_ms, int64_t now_ms, struct sn_compact_plan *ret_plan) {
    struct planner level = {.candidates = candidates,
                            .count = count,
                            .window_ms = window_ms,
                            .now_ms = now_ms,
                            .takes_open = true};
    if (plan_level(&level, ret_plan))
        return true;
    level.window_ms = window_ms * SN_COMPACT_LEVEL_FACTOR;
    level.takes_open = false;
    return plan_level(&level, ret_plan);
}
