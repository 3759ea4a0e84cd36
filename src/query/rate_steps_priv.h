/*
 * rate, increase and delta of plain windows: series that are scraped together have the same times, and
 * then all that depends on times alone (which samples a window holds, how far it is extrapolated) is
 * the same, too. It is computed once and used for as long as the times stay what they are.
 *
 * Results are bit for bit those of the window kernels in functions_range.c. Only for src/query; one
 * thread per query.
 */
#ifndef SN_QUERY_RATE_STEPS_PRIV_H
#define SN_QUERY_RATE_STEPS_PRIV_H

#include "query/eval_priv.h"

/* What the times say about one window. */
struct sn_rate_step {
    uint32_t first; /* index of its first sample */
    uint32_t last;
    double factor;    /* result = difference * factor, unless the counter's zero is near */
    double gap_s;     /* how far it is extrapolated to the left */
    double sampled_s; /* from its first to its last sample */
    double end_gap_s; /* to the right */
};

struct sn_rate_steps {
    struct sn_rate_step *steps; /* [step_count]; first == last: no result */
    int64_t *time_ms;           /* [capacity] the times that they are made of */
    size_t count;
    size_t capacity;
    uint64_t window_count; /* samples in all windows */
    bool is_made;
};

struct sn_rate_what {
    const struct sn_frame *frame;
    const struct sn_reach *reach;
    double range_s;
    bool is_counter;
    bool is_rate;
};

/*
 * Fill a column from a series that has no resets and no start times.
 *
 *   windows   scratch
 *   ret_has   whether a step has a value
 *
 * Returns SN_OK, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. Cost: 2 ns per step, 6 ns where the times are new.
 */
sn_status sn_rate_steps_fill(struct sn_eval *eval, struct sn_rate_steps *steps,
                             const struct sn_rate_what *what, const struct sn_series_view *view,
                             struct sn_windows *windows, double *column, bool *ret_has) SN_MUST_USE;

#endif
