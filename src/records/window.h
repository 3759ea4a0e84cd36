/*
 * Aggregates of records per window of time: count, sum, min, max, average and exact percentiles.
 *
 * Windows start at multiples of their length since 1970; those without a record are left out.
 * One thread. Memory grows with the records: SN_WINDOW_VALUES_MAX.
 */
#ifndef SN_RECORDS_WINDOW_H
#define SN_RECORDS_WINDOW_H

#include "records/record.h"

#define SN_WINDOWS_MAX 11000         /* of one answer, as Prometheus has for points */
#define SN_WINDOW_VALUES_MAX 4000000 /* records of one answer: 64 MB */

struct sn_window {
    int64_t start_ms;
    uint64_t count;
    double sum;
    double min;
    double max;
    double p50; /* between two values: interpolated, as percentile_cont of SQL does */
    double p95;
    double p99;
    bool has_counts; /* of the success rates that came as two counts */
    int64_t ok_count;
    int64_t total_count;
};

struct sn_window_value {
    uint32_t window;
    double value;
};

struct sn_windows {
    int64_t start_ms; /* of the first window */
    int64_t width_ms;
    uint32_t window_count;          /* of the range */
    struct sn_window_value *values; /* [capacity], owned */
    size_t count;
    size_t capacity;
    int64_t *ok_counts; /* [window_count], owned; NULL: no counts so far */
    int64_t *total_counts;
};

struct sn_window_list {
    struct sn_window *items; /* [count] in the arena, ascending */
    size_t count;
};

/*
 * Start for the records of start_ms..end_ms. SN_ERR_INVALID (width below 1 ms, or the range is
 * empty), SN_ERR_LIMIT (more than SN_WINDOWS_MAX windows). Release also after a failure.
 */
sn_status sn_windows_init(struct sn_windows *windows, int64_t start_ms, int64_t end_ms,
                          int64_t width_ms, struct sn_err *err) SN_MUST_USE;
void sn_windows_release(struct sn_windows *windows);

/* A visitor that adds what it sees. Its failures: SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
struct sn_record_visitor sn_windows_visitor(struct sn_windows *windows);

/* What has been added. SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena). */
sn_status sn_windows_finish(struct sn_windows *windows, struct sn_arena *arena,
                            struct sn_window_list *ret_list, struct sn_err *err) SN_MUST_USE;

#endif
