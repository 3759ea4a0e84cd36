/*
 * Rollups in the place of samples: for long ranges, and for times whose samples are gone.
 *
 *   1. Steps whose windows are whole buckets are answered by rollups exactly (sums within rounding): when
 *      the query spans two days or more, that is what is read.
 *   2. Steps that look at times of which samples may be gone are answered by rollups in any case; a window
 *      that cuts buckets becomes that of the buckets that end in it, and the query has a note.
 *   3. Everything else is answered by samples: other functions, ranges below a bucket's width, series with
 *      histograms, and, while samples are there, counters whose start times are known.
 *
 * Only for src/query; one thread per query.
 */
#ifndef SN_QUERY_ROLLUP_STEPS_H
#define SN_QUERY_ROLLUP_STEPS_H

#include "query/eval_priv.h"
#include "query/functions.h"

/* Which steps of a selector rollups answer. */
struct sn_rollup_plan {
    int64_t width_ms;  /* 0: none */
    size_t step_count; /* the first ones */
    bool is_all;       /* all steps, and exactly so: samples need not be read */
};

/* What is asked of a series. */
struct sn_rollup_ask {
    const struct sn_node *where; /* notes point at it */
    const struct sn_frame *frame;
    const struct sn_reach *reach; /* of an instant selector: range_ms is the lookback */
    enum sn_function_id function; /* of windows */
    bool is_instant;              /* the newest value instead of a function of windows */
    bool wants_time;              /* of an instant: the time of the value */
};

struct sn_rollup_plan sn_rollup_plan_make(const struct sn_eval *eval,
                                          const struct sn_rollup_ask *ask);

/*
 * Write the steps of the plan into a column.
 *
 *   ret_done  false: rollups cannot answer for this series (3. above), and nothing was written
 */
sn_status sn_rollup_steps_fill(struct sn_eval *eval, const struct sn_rollup_plan *plan,
                               const struct sn_rollup_ask *ask, uint64_t series_id, double *column,
                               bool *ret_done) SN_MUST_USE;

#endif
