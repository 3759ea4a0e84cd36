/*
 * The inside of the evaluator, shared by eval*.c, functions_*.c, aggregate*.c and binary*.c.
 *
 * A vector over time is a list of rows: a label set and one double per step of the query. All
 * loops run along rows, so that the data of one series is read once, from its first to its last
 * step.
 *
 *   1. A step without a value holds SN_ABSENT, the bits of the stale marker. Arithmetic cannot
 *      produce it: the processor answers signalling NaNs with quiet ones. Whoever computes checks
 *      for it first; whoever only copies need not.
 *   2. All memory is in the arena of the query and dies with it. Columns that are no longer needed
 *      go back to the frame they were made for (sn_column_drop) and are used again.
 *   3. Rows of a finished vector have different labels (sn_vector_finish).
 *   4. One query is evaluated by one thread; helpers only read for it (read_ahead.h).
 *   5. Native histograms stand in a column of pointers beside the values; where a step has one, its
 *      value is SN_ABSENT. Most rows have none, and code that knows only values drops them.
 */
#ifndef SN_QUERY_EVAL_PRIV_H
#define SN_QUERY_EVAL_PRIV_H

#include "base/arena.h"
#include "base/clock.h"
#include "model/doors.h"
#include "query/engine.h"
#include "query/histogram_priv.h"
#include "query/read_ahead.h"

#include <math.h>

/* As doubles: clang calls the float of <math.h> a promotion. */
#define SN_NAN __builtin_nan("")
#define SN_INFINITY __builtin_inf()

#define SN_ABSENT sn_double_from_bits(SN_STALE_NAN_BITS)

static inline bool sn_is_absent(double value) {
    return sn_is_stale(value);
}

/* ---- state of one query ---- */

/* Warnings or infos: each text once. */
struct sn_notes {
    struct sn_str *items; /* [count], in the arena */
    size_t count;
    size_t capacity;
};

/* A note about histograms that was made. */
struct sn_noted {
    const struct sn_node *where;
    const char *name;
    int note; /* enum sn_note + 1; 0: none */
};
#define SN_NOTED_MAX 8

#define SN_NOTES_MAX 100 /* of each kind; dashboards show the first few */

/* Histograms of one series: as read, then without stale markers. */
struct sn_histogram_input {
    struct sn_histograms read;
    const struct sn_histogram **items; /* [count], [capacity], on the heap */
    int64_t *time_ms;
    int64_t *start_ms;
    bool *is_reset; /* whether the counter was reset since the one before; false for the first */
    size_t count;
    size_t capacity;
};

struct sn_eval {
    struct sn_arena *arena;
    struct sn_err *err;        /* may be NULL */
    struct sn_buf *long_error; /* the same without its limit; may be NULL */
    const struct sn_expr *expr;
    struct sn_reader reader;
    const struct sn_clock *clock;
    const struct sn_query_limits *limits; /* no zeros */
    int64_t lookback_ms;
    int64_t subquery_step_ms;
    struct sn_range range;           /* of the query: @ start(), @ end() */
    int64_t step_ms;                 /* of the query; 0 for an instant one */
    int64_t deadline_ns;             /* of the monotonic clock */
    const atomic_bool *is_cancelled; /* may be NULL */
    const atomic_bool *is_stopping;
    uint64_t seed;                        /* of hash tables */
    struct sn_samples samples;            /* scratch of the innermost reading loop */
    struct sn_rollups rollups;            /* the same */
    struct sn_scan scan;                  /* of the selector that is being read */
    struct sn_read_pool *pool;            /* helpers; NULL: none */
    struct sn_read_job *ahead;            /* of the selector that is being read, when it is long */
    struct sn_histogram_input histograms; /* the same for its histograms */
    struct sn_arena row_arena;            /* histograms of the row at hand (is_scratch) */
    struct sn_histogram_sum sums[3];      /* scratch of histogram arithmetic, in the arena */
    bool wants_resets; /* below histogram_count: reset hints are found, not only read */
    bool keeps_order;  /* an instant query: sort() has an effect */
    struct sn_notes warnings;
    struct sn_notes infos;
    struct sn_noted noted[SN_NOTED_MAX]; /* newest notes about histograms, a ring */
    unsigned noted_count;
    const struct sn_node *warned_at; /* newest warning about a quantile: it would come again and */
    uint64_t warned_bits;            /* again, once per window */
    struct sn_query_stats stats;
};

/* ---- rows, columns, windows ---- */

/* Column memory of one length, linked through its first bytes. */
struct sn_free_column;

/* The steps for which an expression is evaluated: those of the query or of a subquery. */
struct sn_frame {
    int64_t start_ms;
    int64_t step_ms; /* at least 1, also for one step */
    size_t step_count;
    struct sn_free_column *free_columns;
};

static inline int64_t sn_frame_time(const struct sn_frame *frame, size_t step) {
    return frame->start_ms + (int64_t)step * frame->step_ms;
}

/* Where and how far a selector or subquery looks from each step. */
struct sn_reach {
    int64_t range_ms;
    int64_t offset_ms;
    bool is_fixed;    /* @: all steps look at the same time */
    int64_t fixed_ms; /* that time, before offset_ms is taken off */
    /* Samples beyond both edges that are looked at as well: anchored and smoothed ranges. */
    int64_t before_ms;
    int64_t after_ms;
};

/* The end of what is looked at from a step: its time or @, less the offset. */
static inline int64_t sn_reach_end(const struct sn_reach *reach, const struct sn_frame *frame,
                                   size_t step) {
    return (reach->is_fixed ? reach->fixed_ms : sn_frame_time(frame, step)) - reach->offset_ms;
}

/* Neumaier's sum with a running compensation, as Prometheus does it. */
static inline void sn_kahan_add(double increment, double *sum, double *compensation) {
    double total = *sum + increment;
    if (isinf(total)) {
        *compensation = 0;
    } else if (fabs(*sum) >= fabs(increment)) {
        *compensation += (*sum - total) + increment;
    } else {
        *compensation += (increment - total) + *sum;
    }
    *sum = total;
}

/* Distinct label sets and their numbers 0, 1, 2 ... */
struct sn_label_table {
    struct sn_labels *keys; /* [count], [capacity] */
    uint64_t *hashes;       /* [capacity] */
    uint32_t *slots;        /* [mask + 1]: number + 1, 0 is free */
    size_t count;
    size_t capacity;
    size_t mask;
};

struct sn_row {
    struct sn_labels labels;
    double *value; /* [step_count] of its frame; NULL: given away */
    /* [step_count], NULL at steps without one; NULL: there are none. */
    const struct sn_histogram **histogram;
    uint32_t group;  /* whatever the code at hand wants */
    bool is_scratch; /* the histograms die with the row: sn_vector_take copies them */
};

struct sn_vector {
    struct sn_row *rows;
    size_t count;
    size_t capacity;
};

/*
 * Whoever is given rows one by one, without all of them being in memory at once. It may keep the
 * columns by setting row->value to NULL, which sn_vector_take does; otherwise they are used for the
 * next row.
 */
struct sn_row_sink {
    sn_status (*take)(void *ctx, struct sn_row *row);
    void *ctx;
};

/* Samples of one series as a window function sees them: no stale markers. Borrowed scratch. */
struct sn_series_view {
    struct sn_labels labels;
    const int64_t *time_ms;
    const double *value;
    const int64_t *start_ms; /* [count]; NULL: no start time is known */
    size_t count;
    bool falls; /* some sample is smaller than the one before: a counter was reset */
    const struct sn_histogram *const *histogram; /* [histogram_count], at other times */
    const int64_t *histogram_time_ms;
    const int64_t *histogram_start_ms; /* 0: unknown */
    const bool *histogram_is_reset;
    size_t histogram_count;
};

/* Range vectors: the series of a matrix selector or of a subquery. */
struct sn_matrix {
    struct sn_reach reach;
    struct sn_range read;         /* all windows together */
    struct sn_series_list list;   /* of a selector */
    struct sn_vector vector;      /* of a subquery */
    struct sn_frame vector_frame; /* its steps */
    bool is_subquery;
    int64_t *time_ms; /* [vector_frame.step_count] scratch of a subquery */
    double *value;
};

/*
 * Where the windows of all steps lie in a series: samples [begin[i], end[i]) for step i.
 * Windows are open on the left. O(samples) at worst, O(steps) when samples are evenly spaced.
 */
struct sn_windows {
    uint32_t *begin; /* [step_count] */
    uint32_t *end;
};

/* Groups of an aggregation. */
struct sn_grouping {
    struct sn_names names;
    bool is_without;
    struct sn_label_table table; /* keys: labels of the groups */
    struct sn_label *items;      /* [item_capacity] scratch */
    size_t item_capacity;
};

/*
 * out[i] = left[i] op right[i], SN_ABSENT where either is absent. For a comparison out is 1 or 0;
 * the caller filters. out may be one of them.
 */
struct sn_operands {
    const double *left;
    const double *right;
    size_t count;
};

/* A cumulative bucket of a classic histogram. */
struct sn_bucket {
    double upper_bound;
    double count;
};

/* Between two histograms of a series. */
struct sn_between {
    const struct sn_histogram *before;
    const struct sn_histogram *after;
    double share;  /* of the way from before to after */
    bool is_reset; /* a counter began at zero in between */
};

/* A step of a binary operation in which at least one side is a histogram. */
struct sn_binary_pair {
    double left;
    double right;
    const struct sn_histogram *left_histogram; /* NULL: left is a float */
    const struct sn_histogram *right_histogram;
};

/* Kinds of the operands of a binary operation. */
struct sn_type_note {
    const char *op;
    bool left_is_histogram;
    bool right_is_histogram;
};

/* ---- time, memory, failure ---- */

/* Steps from range.start_ms to range.end_ms. SN_ERR_LIMIT. */
sn_status sn_frame_init(struct sn_eval *eval, struct sn_range range, int64_t step_ms,
                        struct sn_frame *ret_frame) SN_MUST_USE;

/* Values that a loop may look at before it asks again: well below a millisecond of most of them. */
#define SN_EVAL_WORK_MAX ((size_t)65536)

/* SN_ERR_TIMEOUT, SN_ERR_CLOSED. Asked once per series and more often in long ones; about 30 ns. */
sn_status sn_eval_check(struct sn_eval *eval) SN_MUST_USE;

/* Failure of the expression itself: SN_ERR_INVALID with a sentence. */
sn_status sn_eval_fail(struct sn_eval *eval, const char *format, ...) SN_PRINTF(2, 3);

/* size bytes of the arena; the failure is reported. */
sn_status sn_eval_alloc(struct sn_eval *eval, size_t count, size_t size,
                        void **ret_ptr) SN_MUST_USE;

/* A status of histogram arithmetic, which writes no sentence: reported when it is a failure. */
sn_status sn_eval_histogram_status(struct sn_eval *eval, sn_status status) SN_MUST_USE;

/* Room for one more item: *items is copied to twice the space when *capacity is reached. */
sn_status sn_eval_grow(struct sn_eval *eval, void **items, size_t count, size_t *capacity,
                       size_t size) SN_MUST_USE;

/* ---- notes ---- */

/* "PromQL warning: <text> (line:column)" once. Failures of memory drop the note. printf's %f: no. */
#define sn_eval_warn(eval, where, ...)                                                             \
    sn_eval_warn_text(eval, where, sn_arena_printf((eval)->arena, __VA_ARGS__))
#define sn_eval_inform(eval, where, ...)                                                           \
    sn_eval_inform_text(eval, where, sn_arena_printf((eval)->arena, __VA_ARGS__))
/* The same with a text in the arena; NULL: there was no memory for it. */
void sn_eval_warn_text(struct sn_eval *eval, const struct sn_node *where, const char *text);
void sn_eval_inform_text(struct sn_eval *eval, const struct sn_node *where, const char *text);

/*
 * Notes about histograms. They come once per window or step: the newest ones are remembered, so that
 * repeating one costs neither memory nor text.
 */
enum sn_note {
    SN_NOTE_MIXED_FLOATS, /* floats and histograms in one range */
    SN_NOTE_MIXED_AGGREGATION,
    SN_NOTE_MIXED_SCHEMAS,
    SN_NOTE_MIXED_CLASSIC,
    SN_NOTE_NOT_COUNTER,
    SN_NOTE_NOT_GAUGE,
    SN_NOTE_START_OVERLAP,
    SN_NOTE_COLLISION,  /* of reset hints; name: the operation */
    SN_NOTE_RECONCILED, /* of custom bounds; name: the operation */
    SN_NOTE_LAYOUT,     /* of a binary operation; name: its operator */
    SN_NOTE_TYPES,      /* the same, see sn_eval_note_types */
    SN_NOTE_IGNORED_IN_RANGE,
    SN_NOTE_IGNORED, /* in an aggregation; name: its own */
    SN_NOTE_NAN_RESULT,
    SN_NOTE_NAN_SKEW,
    SN_NOTE_NAN_FRACTION,
    SN_NOTE_COUNT,
};
/* name: of the metric, or what stands above; may be empty. */
void sn_eval_note(struct sn_eval *eval, const struct sn_node *where, enum sn_note note,
                  struct sn_str name);

/* "incompatible sample types encountered for binary operator "+": float + histogram" */
void sn_eval_note_types(struct sn_eval *eval, const struct sn_node *where,
                        const struct sn_type_note *types);

/* Notes about what happened while adding histograms. */
void sn_eval_note_events(struct sn_eval *eval, const struct sn_node *where, struct sn_str name,
                         unsigned events, const char *operation);

/* Text of a number as Go's %g, in the arena; of a string as %q. Never NULL. */
const char *sn_eval_number_text(struct sn_eval *eval, double value);
const char *sn_eval_fixed_text(struct sn_eval *eval, double value);       /* %f: six decimals */
const char *sn_eval_openmetrics_text(struct sn_eval *eval, double value); /* 1.0, 0.25 */
const char *sn_eval_quoted(struct sn_eval *eval, struct sn_str text);

/* Text of a label set as Go's Labels.String: {__name__="a", b="c"}. Never NULL. */
const char *sn_eval_labels_text(struct sn_eval *eval, struct sn_labels labels);

/* "quantile value should be between 0 and 1, got ..." when it is not. */
void sn_eval_warn_quantile(struct sn_eval *eval, const struct sn_node *where, double q);

/* ---- labels ---- */

/* Whether a name says what the metric is rather than where it comes from: operations drop it. */
bool sn_label_is_metric_identity(struct sn_str name);

bool sn_names_contain(struct sn_names names, struct sn_str name);

/* Without __name__, __type__, __unit__. Shares the items where it can. */
sn_status sn_labels_drop_name(struct sn_eval *eval, struct sn_labels labels,
                              struct sn_labels *ret_labels) SN_MUST_USE;

/* With name=value; an empty value removes the label. Text is shared. */
sn_status sn_labels_set(struct sn_eval *eval, struct sn_labels labels, struct sn_label label,
                        struct sn_labels *ret_labels) SN_MUST_USE;

/*
 * Write into items the labels that are among names (keep) or not among them; when not kept,
 * __name__ goes too (and __type__, __unit__ when there are no names). items: [labels.count]. Returns a set that borrows items.
 */
struct sn_labels sn_labels_filter(struct sn_labels labels, struct sn_names names, bool keep,
                                  struct sn_label *items);

/* Copy of the array, not of the text. */
sn_status sn_labels_keep(struct sn_eval *eval, struct sn_labels labels,
                         struct sn_labels *ret_labels) SN_MUST_USE;

/* Number of the set; added when it is new, its items copied when is_scratch. */
sn_status sn_label_table_put(struct sn_eval *eval, struct sn_label_table *table,
                             struct sn_labels labels, bool is_scratch, size_t *ret_number,
                             bool *ret_is_new) SN_MUST_USE;

/* Number of the set, or SIZE_MAX. */
size_t sn_label_table_find(const struct sn_eval *eval, const struct sn_label_table *table,
                           struct sn_labels labels);

/* ---- columns, rows, vectors ---- */

/* [step_count] values, not initialised. Counts against the limit of points. */
sn_status sn_column_new(struct sn_eval *eval, struct sn_frame *frame,
                        double **ret_column) SN_MUST_USE;
void sn_column_drop(struct sn_frame *frame, double *column);
void sn_column_fill(const struct sn_frame *frame, double *column, double value);
bool sn_column_has_value(const struct sn_frame *frame, const double *column);

/* Append a row; takes its column. */
sn_status sn_vector_add(struct sn_eval *eval, struct sn_vector *vector, struct sn_labels labels,
                        double *column) SN_MUST_USE;
/* Append a row of a sink with its columns, which leave the row; scratch histograms are copied. */
sn_status sn_vector_take(struct sn_eval *eval, struct sn_frame *frame, struct sn_vector *vector,
                         struct sn_row *row) SN_MUST_USE;
void sn_vector_drop(struct sn_frame *frame, struct sn_vector *vector);

/* A column of histograms, all NULL. Counts as a column of values. */
sn_status sn_histogram_column_new(struct sn_eval *eval, struct sn_frame *frame,
                                  const struct sn_histogram ***ret_column) SN_MUST_USE;
void sn_histogram_column_drop(struct sn_frame *frame, const struct sn_histogram **column);
void sn_row_drop(struct sn_frame *frame, struct sn_row *row);
bool sn_row_has_value(const struct sn_frame *frame, const struct sn_row *row);

/* Whether a row has a histogram, or anything, at a step. */
static inline bool sn_row_has_histogram(const struct sn_row *row, size_t step) {
    return row->histogram != NULL && row->histogram[step] != NULL;
}
static inline bool sn_row_is_absent(const struct sn_row *row, size_t step) {
    return sn_is_absent(row->value[step]) && !sn_row_has_histogram(row, step);
}

/* Forget histograms: of a row, of all rows of a vector. */
void sn_row_drop_histograms(struct sn_frame *frame, struct sn_row *row);
void sn_vector_drop_histograms(struct sn_frame *frame, struct sn_vector *vector);

/* Remove the metric's identity from all rows. */
sn_status sn_vector_drop_names(struct sn_eval *eval, struct sn_vector *vector) SN_MUST_USE;

/*
 * Join rows that have the same labels now and values at different steps, and remove rows without
 * values. Two values at one step: "vector cannot contain metrics with the same labelset".
 */
sn_status sn_vector_finish(struct sn_eval *eval, struct sn_frame *frame,
                           struct sn_vector *vector) SN_MUST_USE;

/* Sort rows; equal ones stay in their order. */
typedef int sn_row_compare(const void *ctx, const struct sn_row *a, const struct sn_row *b);
sn_status sn_vector_sort(struct sn_eval *eval, struct sn_vector *vector, sn_row_compare *compare,
                         const void *ctx) SN_MUST_USE;

/* ---- evaluation ---- */

/* One value per step, none absent. The caller owns the column. */
sn_status sn_eval_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         double **ret_column) SN_MUST_USE;

/* A finished vector. */
sn_status sn_eval_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) SN_MUST_USE;

/* The same rows, given to a sink one by one. */
sn_status sn_eval_stream(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_row_sink sink) SN_MUST_USE;

/* ---- selectors ---- */

sn_status sn_reach_init(struct sn_eval *eval, const struct sn_time_shift *shift,
                        struct sn_reach *ret_reach) SN_MUST_USE;

sn_status sn_matrix_open(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_matrix *ret_matrix) SN_MUST_USE;
size_t sn_matrix_count(const struct sn_matrix *matrix);
struct sn_labels sn_matrix_labels(const struct sn_matrix *matrix, size_t index);
/* The view is valid until the next load. */
sn_status sn_matrix_load(struct sn_eval *eval, struct sn_matrix *matrix, size_t index,
                         struct sn_series_view *ret_view) SN_MUST_USE;

/* What of a sample becomes the value. */
enum sn_select_what {
    SN_SELECT_VALUE,
    SN_SELECT_TIME,  /* of the sample, in seconds */
    SN_SELECT_START, /* its start time, in seconds */
    SN_SELECT_INFO,  /* as SN_SELECT_TIME; a histogram is the query's error */
};

/* Instant vector selector. */
sn_status sn_select_stream(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           struct sn_row_sink sink) SN_MUST_USE;
/* The same, with the times of the samples, or their start times, in seconds as values. */
sn_status sn_select_times(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                          enum sn_select_what what, struct sn_vector *ret_vector) SN_MUST_USE;

/* ---- histograms of a series ---- */

void sn_histogram_input_init(struct sn_histogram_input *input, size_t memory_max);
void sn_histogram_input_release(struct sn_histogram_input *input);

/* Read those of one series into eval->histograms; stale markers are in `read` only. */
sn_status sn_histogram_input_read(struct sn_eval *eval, uint64_t series_id,
                                  struct sn_range range) SN_MUST_USE;
/* Take those of a row, whose hints mean nothing any more: samples were left out between them. */
sn_status sn_histogram_input_take(struct sn_eval *eval, const struct sn_frame *frame,
                                  const struct sn_row *row) SN_MUST_USE;
void sn_histogram_input_view(const struct sn_eval *eval, struct sn_series_view *view);

/*
 * Put the newest histogram of each step's lookback into a row where it is newer than the newest
 * value, whose time is that of eval->samples. Makes row->histogram when there is one.
 */
sn_status sn_select_histograms(struct sn_eval *eval, struct sn_frame *frame,
                               const struct sn_reach *reach, enum sn_select_what what,
                               struct sn_row *row) SN_MUST_USE;
/* The same between two histograms; node is the selector, for notes. */
sn_status sn_select_smoothed(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, const struct sn_reach *reach,
                             struct sn_row *row) SN_MUST_USE;

/* A histogram times a factor, or divided by it, in the arena. */
sn_status sn_eval_scale_histogram(struct sn_eval *eval, const struct sn_histogram *histogram,
                                  double factor, bool divides,
                                  const struct sn_histogram **ret_histogram) SN_MUST_USE;

/* *ret_histogram is NULL when they do not fit; then there is a note at `where`. */
sn_status sn_eval_between(struct sn_eval *eval, const struct sn_node *where, struct sn_str name,
                          const struct sn_between *between,
                          const struct sn_histogram **ret_histogram) SN_MUST_USE;

/* First index whose time is later than `limit`, by bisection. */
size_t sn_time_find_after(const int64_t *time_ms, size_t count, int64_t limit);

/* See struct sn_windows. */
void sn_windows_find(const struct sn_frame *frame, const struct sn_reach *reach,
                     const struct sn_series_view *view, struct sn_windows *windows);
/* Samples in all windows together. */
uint64_t sn_windows_count(const struct sn_windows *windows, size_t step_count);

/* ---- families of nodes ---- */

sn_status sn_call_range(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                        struct sn_row_sink sink) SN_MUST_USE;
bool sn_call_is_range(const struct sn_node *node);
sn_status sn_call_absent_over_time(struct sn_eval *eval, const struct sn_node *node,
                                   struct sn_frame *frame,
                                   struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         double **ret_column) SN_MUST_USE;
sn_status sn_call_label_replace(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_label_join(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_sort(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_sort_by_label(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_absent(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_histogram(struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_call_info(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) SN_MUST_USE;
/* Labels that absent() can know from the matchers of a selector. */
sn_status sn_labels_of_absent(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_labels *ret_labels) SN_MUST_USE;

sn_status sn_aggregate(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) SN_MUST_USE;

/* Drop histograms from an aggregation's input, and rows that have nothing else; with a note. */
void sn_eval_ignore_histograms(struct sn_eval *eval, const struct sn_node *node,
                               struct sn_frame *frame, struct sn_vector *vector);

sn_status sn_grouping_put(struct sn_eval *eval, struct sn_grouping *grouping,
                          struct sn_labels labels, size_t *ret_group, bool *ret_is_new) SN_MUST_USE;

/* topk, bottomk, limitk, limit_ratio: rows of the child survive. */
sn_status sn_aggregate_choose(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_aggregate_quantile(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_aggregate_count_values(struct sn_eval *eval, const struct sn_node *node,
                                    struct sn_frame *frame,
                                    struct sn_vector *ret_vector) SN_MUST_USE;

sn_status sn_binary_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           double **ret_column) SN_MUST_USE;
sn_status sn_binary_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           struct sn_vector *ret_vector) SN_MUST_USE;
/* Between two vectors: arithmetic and comparison; and, or, unless. */
sn_status sn_binary_match(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                          struct sn_vector *ret_vector) SN_MUST_USE;
sn_status sn_binary_set(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                        struct sn_vector *ret_vector) SN_MUST_USE;

/*
 * A step with at least one histogram: either a value or a histogram comes out, or SN_ABSENT and NULL. What does not fit is told
 * in a note.
 */
sn_status sn_binary_histogram(struct sn_eval *eval, const struct sn_node *node,
                              const struct sn_binary_pair *pair, double *ret_value,
                              const struct sn_histogram **ret_histogram) SN_MUST_USE;

/* See struct sn_operands. */
void sn_binary_compute(enum sn_binary_op op, const struct sn_operands *operands, double *out);

/* ---- numbers ---- */

/* Quantile of values, which are sorted in place (NaN first). NaN for no values. */
double sn_quantile(double q, double *values, size_t count);

/*
 * Quantile of a classic histogram, interpolated inside its bucket. Buckets [count > 0] in any order
 * are sorted, joined and made monotonic in place.
 *
 *   ret_was_fixed   whether counts fell from one bucket to the next by more than rounding
 */
double sn_bucket_quantile(double q, struct sn_bucket *buckets, size_t count, bool *ret_was_fixed);

/* Share of observations in [lower, upper]. Buckets as above. */
double sn_bucket_fraction(double lower, double upper, struct sn_bucket *buckets, size_t count);

/* Go's math.Max and math.Min: NaN wins, apart from infinities; +0 is larger than -0. */
double sn_go_max(double a, double b);
double sn_go_min(double a, double b);

#endif
