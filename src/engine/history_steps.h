/*
 * One series cut into equal steps: minimum, average, maximum and count of what falls into each.
 *
 *   init -> add values in ascending time -> hold (samples as they were stored only) -> columns
 *
 * A step without a value is NaN in the three columns: a gap. One thread.
 */
#ifndef SN_ENGINE_HISTORY_STEPS_H
#define SN_ENGINE_HISTORY_STEPS_H

#include "base/arena.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* A value is shown no longer than this after its sample: Prometheus' lookback. */
#define SN_HISTORY_HOLD_MS_MAX INT64_C(300000)

struct sn_history_frame {
    int64_t start_ms; /* step i covers [start_ms + i * step_ms, start_ms + (i + 1) * step_ms) */
    int64_t step_ms;  /* > 0 */
    size_t step_count;
};

/* Columns of one series, [step_count] each. A step with count 0 may have values: those held. */
struct sn_history_columns {
    double *min;
    double *avg;
    double *max;
    uint64_t *count;
};

struct sn_history_steps {
    struct sn_history_frame frame;
    struct sn_history_columns columns; /* in the arena of the answer */
    int64_t *first_ms, *last_ms;       /* [step_count] times of samples, where count > 0 */
};

/*
 * Empty steps.
 *
 *   columns   arena of the columns
 *   scratch   arena of what only add and hold need
 *
 * SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_history_steps_init(struct sn_history_steps *steps,
                                const struct sn_history_frame *frame, struct sn_arena *columns,
                                struct sn_arena *scratch, struct sn_err *err) SN_MUST_USE;

/* Add values; NaN and what lies outside of all steps is passed over. */
void sn_history_steps_add(struct sn_history_steps *steps, const int64_t *time_ms,
                          const double *value, size_t count);

/*
 * Where steps are shorter than the distance of samples: let a value stand until the next one comes,
 * or for 1.5 of the series' usual distances when none comes by then. Cost: O(steps).
 */
void sn_history_steps_hold(struct sn_history_steps *steps);

#endif
