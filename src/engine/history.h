/*
 * History: samples of series cut into equal steps, each step as minimum, average, maximum and
 * count. Columns, as a chart wants them. Works on any sn_reader.
 */
#ifndef SN_ENGINE_HISTORY_H
#define SN_ENGINE_HISTORY_H

#include "base/arena.h"
#include "base/status.h"
#include "model/doors.h"

/* As Prometheus: more points than a screen has columns are a mistake in the step. */
#define SN_HISTORY_STEPS_MAX 11000
/* Series of one answer; a chart of more than a few dozen lines says nothing. */
#define SN_HISTORY_SERIES_MAX 1000
/* Step times series of one answer: 32 bytes each. */
#define SN_HISTORY_POINTS_MAX ((size_t)1 << 20)
#define SN_HISTORY_ARENA_BYTES ((size_t)64 << 20)

struct sn_history_query {
    const struct sn_matcher *matchers; /* [matcher_count] */
    size_t matcher_count;
    struct sn_range range; /* first step starts at start_ms; the last one contains end_ms */
    int64_t step_ms;       /* > 0 */
    size_t series_max;     /* 0: SN_HISTORY_SERIES_MAX; one more is SN_ERR_LIMIT */
};

/* Columns of one series, [step_count] each. A step with count 0 has no values: a gap. */
struct sn_history_series {
    struct sn_labels labels;
    double *min;
    double *avg;
    double *max;
    uint64_t *count;
};

struct sn_history {
    int64_t start_ms; /* step i covers [start_ms + i * step_ms, start_ms + (i + 1) * step_ms) */
    int64_t step_ms;
    size_t step_count;
    struct sn_history_series *series; /* [series_count], sorted by labels */
    size_t series_count;
};

/*
 * Read and aggregate. Stale markers and other NaN samples are no values.
 *
 *   arena        holds the answer
 *   ret_history  written on SN_OK only
 *
 * Returns SN_OK (no series is fine), SN_ERR_INVALID (step, range), SN_ERR_LIMIT (steps, series,
 * points; the sentence says which), SN_ERR_NO_MEMORY, and the statuses of the reader.
 * Threads: any. Blocks: on disk, as the reader does. Cost: O(samples).
 */
sn_status sn_history_read(struct sn_reader reader, const struct sn_history_query *query,
                          struct sn_arena *arena, struct sn_history *ret_history,
                          struct sn_err *err) SN_MUST_USE;

/*
 * A step for people who gave none: at most `points` steps over the range, rounded up to 1, 2, 5,
 * 10, 15 or 30 s or min, 1, 2, 3, 6, 12 h, or whole days.
 */
int64_t sn_history_nice_step_ms(struct sn_range range, size_t points);

#endif
