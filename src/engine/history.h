/*
 * History: a PromQL expression over a range, cut into equal steps, each step as minimum, average,
 * maximum and count. Columns, as a chart wants them. Works on any sn_querier.
 *
 *   a plain selector     the stored samples themselves are aggregated: count is their number
 *   other expressions    are evaluated several times in each step, at least every 15 s as long as
 *                        that is not more than 6,000 times in all, and the values aggregated
 *
 * A step without a value is NaN: a gap, which a chart does not bridge. Where steps are shorter than
 * the distance of stored samples a value stands until the next one comes (history_steps.h), so that
 * a gap is a gap at any step.
 */
#ifndef SN_ENGINE_HISTORY_H
#define SN_ENGINE_HISTORY_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "engine/history_steps.h"
#include "model/doors.h"
#include "query/parser.h"

/* As Prometheus: more points than a screen has columns are a mistake in the step. */
#define SN_HISTORY_STEPS_MAX 11000
/* Series of one answer; a chart of more than a few dozen lines says nothing. */
#define SN_HISTORY_SERIES_MAX 1000
/* Step times series of one answer: 32 bytes each. */
#define SN_HISTORY_POINTS_MAX ((size_t)1 << 20)
#define SN_HISTORY_ARENA_BYTES ((size_t)64 << 20)
/* What the querier may take on the way, beside the answer. */
#define SN_HISTORY_SCRATCH_BYTES ((size_t)512 << 20)
/* Expressions are evaluated this often in a step, so that a peak is not passed over ... */
#define SN_HISTORY_RESOLUTION_MS INT64_C(15000)
/* ... but no more than this in a range: 1,000 series take 48 MB of values. */
#define SN_HISTORY_EVALUATIONS_MAX 6000
/* Texts of the engine that are passed on. */
#define SN_HISTORY_WARNINGS_MAX 8

struct sn_history_source {
    struct sn_querier querier;
    const struct sn_parse_options *features; /* of the querier; NULL: none that is experimental */
    const struct sn_clock *clock;            /* of deadlines */
};

struct sn_history_query {
    struct sn_str expression;
    struct sn_range range; /* first step starts at start_ms; the last one contains end_ms */
    int64_t step_ms;       /* > 0 */
    size_t series_max;     /* 0: SN_HISTORY_SERIES_MAX; one more is SN_ERR_LIMIT */
    size_t points_max;     /* 0: SN_HISTORY_POINTS_MAX; one more is SN_ERR_LIMIT */
    int64_t deadline_ns;   /* monotonic; 0: the querier's own timeout */
    const atomic_bool *is_cancelled; /* as in struct sn_query; may be NULL */
    struct sn_buf *long_error;       /* the same */
};

struct sn_history_series {
    struct sn_labels labels;
    struct sn_history_columns columns; /* [step_count] */
};

struct sn_history {
    struct sn_history_frame frame;
    struct sn_history_series *series; /* [series_count], sorted by labels */
    size_t series_count;
    struct sn_str warnings[SN_HISTORY_WARNINGS_MAX]; /* and infos; each once */
    size_t warning_count;
};

/*
 * Ask and aggregate. Stale markers and other NaN values are no values, native histograms neither.
 *
 *   arena        holds the answer
 *   ret_history  written on SN_OK only
 *
 * Returns SN_OK (no series is fine), SN_ERR_INVALID (expression, step, range), SN_ERR_LIMIT (steps,
 * series, points; the sentence says which), SN_ERR_NO_MEMORY, and the statuses of the querier.
 * Threads: any. Blocks: as the querier does.
 * Cost: a selector is read once, about 7 ns per sample; an expression is one range query.
 */
sn_status sn_history_read(const struct sn_history_source *source,
                          const struct sn_history_query *query, struct sn_arena *arena,
                          struct sn_history *ret_history, struct sn_err *err) SN_MUST_USE;

/*
 * Steps of a range, without asking anybody: for callers that ask several questions over one range.
 * SN_ERR_INVALID, SN_ERR_LIMIT, as above.
 */
sn_status sn_history_count_steps(struct sn_range range, int64_t step_ms, size_t *ret_count,
                                 struct sn_err *err) SN_MUST_USE;

/*
 * The selector {"__name__"="metric","label"="value",...} as PromQL text in the arena.
 *
 *   labels   [count], any bytes
 *
 * SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_history_selector(const struct sn_label *labels, size_t count, struct sn_arena *arena,
                              struct sn_str *ret_text, struct sn_err *err) SN_MUST_USE;

/*
 * A step for people who gave none: at most `points` steps over the range, rounded up to 1, 2, 5,
 * 10, 15 or 30 s or min, 1, 2, 3, 6, 12 h, or whole days.
 */
int64_t sn_history_nice_step_ms(struct sn_range range, size_t points);

#endif
