/* Rollups in the place of samples: see rollup_steps.h. */
#include "query/rollup_steps.h"

#include "query/range_priv.h"

/* Below it samples are read as fast. */
#define SPAN_MS_MIN INT64_C(172800000)

static int64_t floor_to(int64_t time_ms, int64_t width_ms) {
    int64_t end_ms = sn_rollup_end_ms(time_ms, width_ms);
    return end_ms == time_ms ? end_ms : end_ms - width_ms;
}

/* Whether a function of windows can be told from rollups. */
static bool knows(enum sn_function_id function) {
    return function == SN_FN_AVG_OVER_TIME || function == SN_FN_COUNT_OVER_TIME ||
           function == SN_FN_DELTA || function == SN_FN_FIRST_OVER_TIME ||
           function == SN_FN_INCREASE || function == SN_FN_LAST_OVER_TIME ||
           function == SN_FN_MAX_OVER_TIME || function == SN_FN_MIN_OVER_TIME ||
           function == SN_FN_PRESENT_OVER_TIME || function == SN_FN_RATE ||
           function == SN_FN_SUM_OVER_TIME || function == SN_FN_TS_OF_FIRST_OVER_TIME ||
           function == SN_FN_TS_OF_LAST_OVER_TIME;
}

/* ---- planning ---- */

static bool is_multiple(int64_t time_ms, int64_t width_ms) {
    return floor_to(time_ms, width_ms) == time_ms;
}

/* Whether all windows are whole buckets; of an instant, whether its lookback stays in one. */
static bool is_aligned(const struct sn_rollup_ask *ask, int64_t width_ms) {
    const struct sn_frame *frame = ask->frame;
    bool moves = !ask->reach->is_fixed && frame->step_count > 1;
    bool fits = ask->is_instant ? ask->reach->range_ms <= width_ms
                                : is_multiple(ask->reach->range_ms, width_ms);
    return fits && is_multiple(sn_reach_end(ask->reach, frame, 0), width_ms) &&
           (!moves || is_multiple(frame->step_ms, width_ms));
}

/* How many of the first steps look at times before `raw_from_ms`. */
static size_t count_old(const struct sn_rollup_ask *ask, int64_t raw_from_ms) {
    const struct sn_frame *frame = ask->frame;
    size_t count = 0;
    while (count < frame->step_count &&
           sn_reach_end(ask->reach, frame, count) - ask->reach->range_ms + 1 < raw_from_ms) {
        count++;
    }
    return count;
}

struct sn_rollup_plan sn_rollup_plan_make(const struct sn_eval *eval,
                                          const struct sn_rollup_ask *ask) {
    static const int64_t widths[] = {SN_ROLLUP_WIDE_MS, SN_ROLLUP_NARROW_MS};
    const struct sn_reader *reader = &eval->reader;
    const struct sn_frame *frame = ask->frame;
    struct sn_rollup_plan plan = {.width_ms = 0};
    if (reader->rollups == NULL || frame->step_count == 0 ||
        (!ask->is_instant && !knows(ask->function))) {
        return plan;
    }
    int64_t raw_from_ms = reader->raw_from(reader->ctx);
    int64_t span_ms = sn_reach_end(ask->reach, frame, frame->step_count - 1) -
                      sn_reach_end(ask->reach, frame, 0) + ask->reach->range_ms;
    size_t old = count_old(ask, raw_from_ms);
    for (size_t i = 0; i < 2 && (span_ms >= SPAN_MS_MIN || old > 0); i++) {
        /* The narrow tier does not have all series: it is of use only where samples are. */
        bool is_usable = widths[i] == SN_ROLLUP_WIDE_MS || old == 0;
        if (is_usable && is_aligned(ask, widths[i])) {
            return (struct sn_rollup_plan){
                .width_ms = widths[i], .step_count = frame->step_count, .is_all = true};
        }
    }
    if (old > 0 && (ask->is_instant || ask->reach->range_ms >= SN_ROLLUP_WIDE_MS)) {
        plan = (struct sn_rollup_plan){.width_ms = SN_ROLLUP_WIDE_MS, .step_count = old};
    }
    return plan;
}

/* ---- windows ---- */

/* Buckets of one window together. */
struct joined {
    struct sn_rollup all;
    double sum;
    double compensation;
    int64_t start_ms; /* of the window */
    int64_t end_ms;
};

static double increase_of(const struct sn_rollup_ask *ask, const struct joined *joined) {
    const struct sn_rollup *all = &joined->all;
    bool is_counter = ask->function != SN_FN_DELTA;
    double window_s = (double)(joined->end_ms - joined->start_ms) / 1000;
    double range_s = (double)ask->reach->range_ms / 1000;
    if (all->count < 2) {
        return SN_ABSENT;
    }
    double increase = all->last - all->first + (is_counter ? all->falls : 0);
    const struct sn_extrapolation extrapolation = {.first_ms = all->first_ms,
                                                   .last_ms = all->last_ms,
                                                   .count = (size_t)all->count,
                                                   .window_start_ms = joined->start_ms,
                                                   .window_end_ms = joined->end_ms,
                                                   .first_value = is_counter ? all->first : -1,
                                                   .increase = is_counter ? increase : -1};
    increase *= sn_extrapolation_factor(&extrapolation);
    if (ask->function == SN_FN_RATE) {
        return increase / window_s;
    }
    return joined->end_ms - joined->start_ms == ask->reach->range_ms
               ? increase
               : increase / window_s * range_s;
}

static double value_of(const struct sn_rollup_ask *ask, const struct joined *joined) {
    const struct sn_rollup *all = &joined->all;
    double sum = isinf(joined->sum) ? joined->sum : joined->sum + joined->compensation;
    if (ask->function == SN_FN_AVG_OVER_TIME) {
        return sum / (double)all->count;
    }
    if (ask->function == SN_FN_COUNT_OVER_TIME) {
        return (double)all->count;
    }
    if (ask->function == SN_FN_FIRST_OVER_TIME) {
        return all->first;
    }
    if (ask->function == SN_FN_LAST_OVER_TIME) {
        return all->last;
    }
    if (ask->function == SN_FN_MAX_OVER_TIME) {
        return all->max;
    }
    if (ask->function == SN_FN_MIN_OVER_TIME) {
        return all->min;
    }
    if (ask->function == SN_FN_PRESENT_OVER_TIME) {
        return 1;
    }
    if (ask->function == SN_FN_SUM_OVER_TIME) {
        return sum;
    }
    if (ask->function == SN_FN_TS_OF_FIRST_OVER_TIME) {
        return (double)all->first_ms / 1000;
    }
    if (ask->function == SN_FN_TS_OF_LAST_OVER_TIME) {
        return (double)all->last_ms / 1000;
    }
    return increase_of(ask, joined);
}

static double window_value(const struct sn_rollups *rollups, const struct sn_rollup_ask *ask,
                           size_t step, int64_t width_ms) {
    int64_t end_ms = sn_reach_end(ask->reach, ask->frame, step);
    struct joined joined = {.end_ms = floor_to(end_ms, width_ms),
                            .start_ms = floor_to(end_ms - ask->reach->range_ms, width_ms)};
    size_t at = sn_rollups_find_after(rollups->items, rollups->count, joined.start_ms);
    if (at == rollups->count || rollups->items[at].end_ms > joined.end_ms) {
        return SN_ABSENT;
    }
    joined.all = rollups->items[at];
    joined.sum = joined.all.sum;
    while (++at < rollups->count && rollups->items[at].end_ms <= joined.end_ms) {
        sn_rollup_join(&joined.all, &rollups->items[at]);
        sn_kahan_add(rollups->items[at].sum, &joined.sum, &joined.compensation);
    }
    return value_of(ask, &joined);
}

/* The newest value of the last whole bucket. */
static double instant_value(const struct sn_rollups *rollups, const struct sn_rollup_ask *ask,
                            size_t step, int64_t width_ms) {
    int64_t end_ms = floor_to(sn_reach_end(ask->reach, ask->frame, step), width_ms);
    size_t at = sn_rollups_find_after(rollups->items, rollups->count, end_ms - 1);
    if (at == rollups->count || rollups->items[at].end_ms != end_ms) {
        return SN_ABSENT;
    }
    const struct sn_rollup *item = &rollups->items[at];
    if (item->is_stale || item->last_ms <= end_ms - ask->reach->range_ms) {
        return SN_ABSENT;
    }
    return ask->wants_time ? (double)item->last_ms / 1000 : item->last;
}

/* ---- one series ---- */

static bool uses_start(const struct sn_rollup_ask *ask) {
    return !ask->is_instant && (ask->function == SN_FN_RATE || ask->function == SN_FN_INCREASE);
}

static bool knows_start(const struct sn_rollups *rollups) {
    for (size_t i = 0; i < rollups->count; i++) {
        if (rollups->items[i].has_start) {
            return true;
        }
    }
    return false;
}

static sn_status read_rollups(struct sn_eval *eval, const struct sn_rollup_plan *plan,
                              const struct sn_rollup_ask *ask, uint64_t series_id) {
    int64_t first_ms = sn_reach_end(ask->reach, ask->frame, 0);
    int64_t last_ms = sn_reach_end(ask->reach, ask->frame, plan->step_count - 1);
    const struct sn_rollup_wish wish = {
        .ends = {first_ms - ask->reach->range_ms - plan->width_ms + 1, last_ms},
        .width_ms = plan->width_ms};
    SN_TRY(sn_eval_check(eval));
    sn_rollups_reset(&eval->rollups);
    SN_TRY(eval->reader.rollups(eval->reader.ctx, series_id, &wish, &eval->rollups, eval->err));
    eval->stats.sample_count += eval->rollups.count;
    eval->stats.queryable_count += eval->rollups.count;
    if (eval->stats.sample_count > eval->limits->samples_max) {
        return sn_err_set(eval->err, SN_ERR_LIMIT,
                          "query processing would load too many samples into memory in query "
                          "execution: the limit is %llu samples",
                          (unsigned long long)eval->limits->samples_max);
    }
    return SN_OK;
}

/* Rollups do not know of histograms: where there is one, its samples have the word. */
static sn_status has_histograms(struct sn_eval *eval, const struct sn_rollup_ask *ask,
                                uint64_t series_id, bool *ret_has) {
    const struct sn_reach *reach = ask->reach;
    struct sn_range range = {sn_reach_end(reach, ask->frame, 0) - reach->range_ms + 1,
                             sn_reach_end(reach, ask->frame, ask->frame->step_count - 1)};
    SN_TRY(sn_histogram_input_read(eval, series_id, range));
    *ret_has = eval->histograms.read.count > 0;
    return SN_OK;
}

sn_status sn_rollup_steps_fill(struct sn_eval *eval, const struct sn_rollup_plan *plan,
                               const struct sn_rollup_ask *ask, uint64_t series_id, double *column,
                               bool *ret_done) {
    bool has = false;
    *ret_done = false;
    if (plan->is_all) {
        SN_TRY(has_histograms(eval, ask, series_id, &has));
    }
    if (has) {
        return SN_OK;
    }
    SN_TRY(read_rollups(eval, plan, ask, series_id));
    if (plan->is_all && uses_start(ask) && knows_start(&eval->rollups) &&
        count_old(ask, eval->reader.raw_from(eval->reader.ctx)) == 0) {
        return SN_OK;
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        column[i] = ask->is_instant ? instant_value(&eval->rollups, ask, i, plan->width_ms)
                                    : window_value(&eval->rollups, ask, i, plan->width_ms);
    }
    if (!plan->is_all && eval->rollups.count > 0) {
        sn_eval_inform(eval, ask->where,
                       "samples of the first steps are gone: hourly rollups stand for them, and "
                       "windows are cut to whole hours");
    }
    *ret_done = true;
    return SN_OK;
}
