/*
 * What the range functions share: counters with start times, windows with histograms.
 *
 * Only for src/query; one thread per query.
 */
#ifndef SN_QUERY_RANGE_PRIV_H
#define SN_QUERY_RANGE_PRIV_H

#include "query/eval_priv.h"

/* ---- counters whose start is known ---- */

/* Whether a counter began anew between two samples, by what is known of their starts (0: nothing). */
struct sn_counter_step {
    int64_t before_start_ms;
    int64_t before_ms;
    int64_t start_ms;
    int64_t time_ms;
};
bool sn_counter_restarted(const struct sn_counter_step *step);
/* A start before the sample before it, and not the same start: the data contradict themselves. */
bool sn_counter_overlaps(const struct sn_counter_step *step);

/* Samples of a counter in one window. */
struct sn_counter_window {
    const int64_t *time_ms; /* [count], at least 1 */
    const double *value;
    const int64_t *start_ms;
    size_t count;
    int64_t window_start_ms; /* not part of the window */
    int64_t window_end_ms;
};

/* Increase of the window, extrapolated; SN_ABSENT: not enough samples. */
double sn_counter_increase(const struct sn_counter_window *window, bool *ret_overlaps);
/* Per second, of the last two samples. */
double sn_counter_irate(const struct sn_counter_window *window);
double sn_counter_resets(const struct sn_counter_window *window);

/* How much longer the window is than what was sampled of it: increases grow by that factor. */
struct sn_extrapolation {
    int64_t first_ms; /* of the samples */
    int64_t last_ms;
    size_t count;
    int64_t window_start_ms;
    int64_t window_end_ms;
    double first_value; /* of a counter; negative: not one */
    double increase;    /* of a counter; not above 0: not one */
    int64_t start_ms;   /* where it began inside of the window; 0: it did not, or nobody knows */
};
double sn_extrapolation_factor(const struct sn_extrapolation *extrapolation);

/* The start of a series' first sample when it lies in the window and before the sample; else 0. */
int64_t sn_start_in_window(int64_t start_ms, int64_t window_start_ms, int64_t first_ms);

/* ---- windows with histograms ---- */

struct sn_range_mixed {
    struct sn_eval *eval;
    const struct sn_node *node; /* the call */
    const struct sn_node *arg;  /* the range vector: notes point at it */
    struct sn_frame *frame;
    const struct sn_reach *reach;
    const struct sn_series_view *view;
    struct sn_windows floats;
    struct sn_windows histograms;
    enum sn_range_edge edge;
    double range_s;
    struct sn_str name;
    /* The function on the values of a step, of which there are some. */
    double (*run_floats)(void *ctx, size_t step);
    void *ctx;
};

/* All steps of one series that has histograms. The results are in eval->row_arena. */
sn_status sn_range_mixed_run(struct sn_range_mixed *mixed, struct sn_row *row) SN_MUST_USE;

/* rate, increase and delta of anchored and smoothed ranges; one step with histograms only. */
sn_status sn_range_mixed_edges(struct sn_range_mixed *mixed, size_t step,
                               const struct sn_histogram **ret_histogram) SN_MUST_USE;

#endif
