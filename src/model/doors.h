/*
 * The three doors between the rooms: sn_sink (samples in), sn_reader (stored samples out) and
 * sn_querier (PromQL in, results out). Each is a struct of function pointers with a context, passed
 * by value; whoever made it says how long it lives. All functions of a door may be called from any
 * thread at the same time unless the implementation's header says otherwise.
 */
#ifndef SN_MODEL_DOORS_H
#define SN_MODEL_DOORS_H

#include "base/arena.h"
#include "base/status.h"
#include "model/batch.h"
#include "model/matcher.h"
#include "model/rollup.h"
#include "model/sample.h"

#include <stdatomic.h>

/* ---- in ---- */

/* Why a sink did not take a sample. One counter per reason: nothing is dropped silently. */
enum sn_reject {
    SN_REJECT_OUT_OF_ORDER = 0, /* older than the out-of-order window allows */
    SN_REJECT_DUPLICATE = 1,    /* same series and time, other value */
    SN_REJECT_TOO_OLD = 2,      /* before the retention or SN_TIME_MS_MIN */
    SN_REJECT_TOO_NEW = 3,      /* further in the future than allowed */
    SN_REJECT_SERIES_LIMIT = 4, /* would be a new series beyond the limit */
    SN_REJECT_UNSUPPORTED = 5,  /* a kind of data this sink does not store */
    SN_REJECT_LABEL_LIMIT = 6,  /* too many labels, or too long ones */
    SN_REJECT_COUNT = 7,
};
const char *sn_reject_name(enum sn_reject reason); /* "out_of_order", ... */

struct sn_push_result {
    uint64_t accepted_count;           /* samples and histograms taken */
    uint64_t accepted_histogram_count; /* those of them that are histograms */
    uint64_t accepted_exemplar_count;  /* not part of accepted_count */
    uint64_t rejected_count[SN_REJECT_COUNT];
    struct sn_err first_reject; /* one sentence about the first rejected sample */
};

/*
 * Called exactly once when the fate of a batch is known: SN_OK after it is durable (as the
 * sink's durability setting defines it), or the failure: then nothing of it may be assumed stored.
 * Runs on a thread of the sink and must be short: no blocking, no push.
 */
struct sn_push_done {
    void (*fn)(void *ctx, sn_status status, const struct sn_err *err);
    void *ctx;
};

struct sn_sink {
    void *ctx;
    /*
     * Take a batch.
     *
     *   batch       borrowed for the call
     *   done        fn may be NULL: nobody waits
     *   ret_result  written on SN_OK only; what was taken and what was refused, by reason
     *
     * Returns SN_OK: `done` will be called, perhaps before push returns. Any failure: `done` is
     * not called, nothing was taken: SN_ERR_BUSY (queue full: try later), SN_ERR_NO_SPACE,
     * SN_ERR_IO (storage is failing, writes are refused), SN_ERR_NO_MEMORY, SN_ERR_CLOSED.
     */
    sn_status (*push)(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                      struct sn_push_result *ret_result, struct sn_err *err);
};

/* Push and wait until the batch is durable. Blocks on disk. Statuses of push and of done. */
sn_status sn_sink_push_wait(struct sn_sink sink, const struct sn_batch *batch,
                            struct sn_push_result *ret_result, struct sn_err *err) SN_MUST_USE;

/* ---- out ---- */

struct sn_read_series {
    uint64_t id;             /* stable while the reader lives */
    struct sn_labels labels; /* in the arena of the call */
};

struct sn_series_list {
    struct sn_read_series *items; /* [count], in the arena, sorted by labels */
    size_t count;
};

struct sn_select {
    const struct sn_matcher *matchers; /* [matcher_count]; at least one must not pass empty */
    size_t matcher_count;
    struct sn_range range; /* series without a sample in it may be left out */
    size_t series_max;     /* 0: no limit; one more is SN_ERR_LIMIT */
};

struct sn_string_list {
    struct sn_str *items; /* [count], in the arena, sorted, unique */
    size_t count;
    bool is_cut; /* there were more than the limit */
};

/* Which rollups of a series are wanted: those of a tier whose ends lie in the range. */
struct sn_rollup_wish {
    struct sn_range ends;
    int64_t width_ms; /* SN_ROLLUP_WIDE_MS or SN_ROLLUP_NARROW_MS */
};

struct sn_reader;

/*
 * One reading of many series over one range: what neighbours share is kept from one to the next. In the
 * order of labels, as select gives them, it is fastest; any order is right. Made by sn_scan_open; one
 * thread.
 */
struct sn_scan {
    void *ctx;
    /* As sn_reader.samples, over the range of the scan. NULL: the reader has no scan of its own. */
    sn_status (*samples)(void *ctx, uint64_t series_id, struct sn_samples *samples,
                         struct sn_err *err);
    /* Whether a series surely has a sample in the range, which is cheap; false: read it. May be NULL. */
    bool (*has)(void *ctx, uint64_t series_id);
    void (*close)(void *ctx);
    const struct sn_reader *reader;
    struct sn_range range;
};

struct sn_reader {
    void *ctx;
    /* Series that pass all matchers. SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
    sn_status (*select)(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                        struct sn_series_list *ret_series, struct sn_err *err);
    /*
     * Samples of one series within the range (both ends included), appended to *samples in
     * ascending time, one per time, stale markers included. When a start time is known of any of
     * them, samples->has_start is set.
     * SN_ERR_CORRUPT (stored bytes fail their checks), SN_ERR_IO, SN_ERR_NO_MEMORY.
     */
    sn_status (*samples)(void *ctx, uint64_t series_id, struct sn_range range,
                         struct sn_samples *samples, struct sn_err *err);
    /* Fill ctx, samples and close. NULL: this reader has none; sn_scan_open helps. SN_ERR_NO_MEMORY. */
    sn_status (*scan)(void *ctx, struct sn_range range, struct sn_scan *ret_scan,
                      struct sn_err *err);
    /*
     * Histograms of one series within the range, appended to *histograms in ascending time, one per
     * time, stale markers included. A series may have floats and histograms, at different times.
     * NULL: this reader has none. It is asked for every series of a query, so that "there are none"
     * must be cheap. Statuses as above, and SN_ERR_LIMIT (arena of *histograms).
     */
    sn_status (*histograms)(void *ctx, uint64_t series_id, struct sn_range range,
                            struct sn_histograms *histograms, struct sn_err *err);
    /*
     * Exemplars within select->range of the series that pass; series without any are left out.
     * NULL: this reader has none. Statuses of select.
     */
    sn_status (*exemplars)(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                           struct sn_exemplar_list *ret_exemplars, struct sn_err *err);
    /* Names of labels, or values of one label, of series that pass the matchers (0 matchers: all).
     * count_max 0: no limit. */
    sn_status (*label_names)(void *ctx, const struct sn_select *select, size_t count_max,
                             struct sn_arena *arena, struct sn_string_list *ret_names,
                             struct sn_err *err);
    sn_status (*label_values)(void *ctx, struct sn_str label, const struct sn_select *select,
                              size_t count_max, struct sn_arena *arena,
                              struct sn_string_list *ret_values, struct sn_err *err);
    /*
     * Rollups of the values of one series, appended to *rollups in ascending order (model/rollup.h): what
     * summing up its samples gives, and where samples are gone because of their age what was summed up
     * before. Histograms are not in them. NULL: this reader has none. Statuses of samples.
     */
    sn_status (*rollups)(void *ctx, uint64_t series_id, const struct sn_rollup_wish *wish,
                         struct sn_rollups *rollups, struct sn_err *err);
    /* Samples before this time may be gone and only rollups be left; INT64_MIN: none are gone. NULL with
     * rollups. */
    int64_t (*raw_from)(void *ctx);
    /* Metadata of one metric; false when nothing is known. Texts are in the arena. */
    bool (*metadata)(void *ctx, struct sn_str metric_name, struct sn_arena *arena,
                     struct sn_metadata *ret_metadata);
};

/* Begin a scan of any reader, which is kept. The caller closes it. SN_ERR_NO_MEMORY. */
sn_status sn_scan_open(const struct sn_reader *reader, struct sn_range range,
                       struct sn_scan *ret_scan, struct sn_err *err) SN_MUST_USE;
/* Statuses of sn_reader.samples. */
sn_status sn_scan_samples(const struct sn_scan *scan, uint64_t series_id,
                          struct sn_samples *samples, struct sn_err *err) SN_MUST_USE;
/* Whether a series has a sample in the range, as far as that is known without reading any. */
static inline bool sn_scan_surely_has(const struct sn_scan *scan, uint64_t series_id) {
    return scan->has != NULL && scan->has(scan->ctx, series_id);
}
/* Whether a series has a value or a histogram in the range. Statuses of sn_reader.samples. */
sn_status sn_scan_has(const struct sn_scan *scan, uint64_t series_id, struct sn_samples *scratch,
                      bool *ret_has, struct sn_err *err) SN_MUST_USE;
void sn_scan_close(struct sn_scan *scan); /* a zeroed one is fine */

/* ---- ask ---- */

enum sn_result_kind {
    SN_RESULT_SCALAR = 0,
    SN_RESULT_STRING = 1,
    SN_RESULT_VECTOR = 2,
    SN_RESULT_MATRIX = 3,
};

/* Everything a result points to lies in the arena of the query, or lives as long as the querier. */
struct sn_result_series {
    struct sn_labels labels;
    const int64_t *time_ms; /* [count], ascending; a vector has count 1 in all */
    const double *value;    /* [count] */
    size_t count;
    const int64_t *histogram_time_ms;      /* [histogram_count]; times are not in time_ms */
    const struct sn_histogram *histograms; /* [histogram_count] */
    size_t histogram_count;
};

/* What a query cost. */
struct sn_query_stats {
    uint64_t sample_count; /* samples read from the reader */
    uint64_t
        queryable_count;   /* samples looked at, once per step: Prometheus' totalQueryableSamples */
    uint64_t peak_count;   /* values in memory at a time, about: Prometheus' peakSamples */
    uint64_t series_count; /* series selected */
    uint64_t point_count;  /* values computed: series of all intermediate results times steps */
    uint64_t memory_bytes; /* taken from the arena */
    int64_t queued_ns;     /* waited for a free place */
    int64_t parse_ns;
    int64_t eval_ns;
    int64_t sort_ns; /* of them: sorting the result */
};

struct sn_query_result {
    enum sn_result_kind kind;
    struct sn_sample scalar;               /* SN_RESULT_SCALAR */
    struct sn_sample string_sample;        /* SN_RESULT_STRING: its time; the value means nothing */
    struct sn_str string;                  /* SN_RESULT_STRING */
    const struct sn_result_series *series; /* [series_count] in the arena */
    size_t series_count;
    /* "PromQL warning: ... (1:25)", "PromQL info: ...": each text once, in order of appearance. */
    const struct sn_str *warnings; /* [warning_count] */
    size_t warning_count;
    const struct sn_str *infos; /* [info_count] */
    size_t info_count;
    struct sn_query_stats stats;
};

struct sn_query {
    struct sn_str expression; /* PromQL */
    struct sn_range range;    /* start == end for an instant query */
    int64_t step_ms;          /* 0 for an instant query */
    int64_t timeout_ns;       /* 0: the querier's default; never beyond its maximum */
    int64_t lookback_ms;      /* 0: the querier's default */
    /* May be NULL. Set by any thread: the query ends soon with SN_ERR_CLOSED. */
    const atomic_bool *is_cancelled;
    /* May be NULL. A failure of the expression is written here as well, whole: a sentence with label
     * sets does not fit into struct sn_err. */
    struct sn_buf *long_error;
};

struct sn_querier {
    void *ctx;
    /*
     * Evaluate one query. The result and all that is needed on the way live in the arena, whose
     * limit is the memory limit of the query when the querier has no lower one.
     * SN_ERR_INVALID (parse or type error, with position), SN_ERR_LIMIT, SN_ERR_TIMEOUT,
     * SN_ERR_BUSY, SN_ERR_CLOSED (cancelled), and the statuses of the reader below it.
     */
    sn_status (*query)(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                       struct sn_query_result *ret_result, struct sn_err *err);
};

#endif
