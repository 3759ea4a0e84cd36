/*
 * Services and their operations as the stored metrics tell them (the names of libsonde's
 * operations, which any Prometheus client may give): one table of counts, durations and errors at a
 * moment, summed over the processes of a service.
 *
 *   sonde_operations_total{service,operation,outcome}, sonde_operation_duration_seconds (classic
 *   histogram), ..._min_seconds, ..._max_seconds, sonde_operations_active,
 *   sonde_operation_last_timestamp_seconds, sonde_service_start_time_seconds{service}
 *
 * A reset is a moment: what a series had then is subtracted, unless its process has started anew
 * since. Minimum and maximum cannot be subtracted: they count since the process started.
 */
#ifndef SN_ENGINE_OPERATIONS_H
#define SN_ENGINE_OPERATIONS_H

#include "base/arena.h"
#include "base/status.h"
#include "codec/json_write.h"
#include "model/doors.h"

enum sn_operation_outcome {
    SN_OPERATION_OK = 0,
    SN_OPERATION_ERROR = 1,
    SN_OPERATION_ABORTED = 2,
    SN_OPERATION_OUTCOMES = 3,
};

struct sn_operation_bucket {
    double upper; /* le */
    double count; /* cumulative */
};

/* NaN where nothing is known, unless said otherwise. */
struct sn_operation_row {
    struct sn_str service, operation;
    double outcomes[SN_OPERATION_OUTCOMES]; /* counts since the reset; 0: none */
    double sum_s;                           /* of durations, since the reset; 0: none */
    double min_s, max_s;
    double active;                       /* now; 0: none */
    double rate;                         /* per second over the last minute; 0: none */
    int64_t last_ms;                     /* end of the last one; 0: unknown */
    struct sn_operation_bucket *buckets; /* [bucket_count], ascending */
    size_t bucket_count, bucket_capacity;
    struct sn_str error_message, error_class; /* of the newest error; ptr NULL: none known */
    int64_t error_ms;
};

struct sn_service_row {
    struct sn_str name;
    int64_t start_ms; /* of its oldest process; 0: unknown */
    int64_t reset_ms; /* 0: never */
    size_t first;     /* its operations: rows[first .. first + count - 1], by name */
    size_t count;
};

struct sn_operations {
    int64_t now_ms;
    struct sn_service_row *services; /* [service_count], by name */
    size_t service_count;
    struct sn_operation_row *rows; /* [row_count], by service, then operation */
    size_t row_count;
};

#define SN_OPERATIONS_MAX 20000 /* operations of one answer */
#define SN_OPERATIONS_RATE_WINDOW_S 60

struct sn_operations_query {
    struct sn_querier querier;
    const struct sn_reader *reader; /* for the messages of errors (exemplars); NULL: without */
    struct sn_str service;          /* ptr NULL: all */
    int64_t now_ms;
    /* When a service was reset (0: never); NULL: none was. */
    int64_t (*reset_ms)(void *ctx, struct sn_str service);
    void *ctx;
};

/*
 * Read the table.
 *
 *   arena           holds the table and what is needed on the way
 *   ret_operations  written on SN_OK only; no service is fine
 *
 * SN_ERR_LIMIT (SN_OPERATIONS_MAX), SN_ERR_NO_MEMORY, and the statuses of the querier.
 * Threads: any. Blocks as the querier does: seven instant queries, three more per service that was
 * reset.
 */
sn_status sn_operations_read(const struct sn_operations_query *query, struct sn_arena *arena,
                             struct sn_operations *ret_operations, struct sn_err *err) SN_MUST_USE;

/* Quantile (0 to 1) of the durations in seconds, interpolated in its bucket and kept within minimum
 * and maximum; NaN without any. */
double sn_operation_quantile(const struct sn_operation_row *row, double quantile);

double sn_operation_count(const struct sn_operation_row *row); /* of all outcomes */

/* ---- rows that are filled elsewhere, from series of the same metrics ---- */

/* The outcome that a series names; SN_OPERATION_OUTCOMES: none of them. */
enum sn_operation_outcome sn_operation_outcome_of(struct sn_labels labels);

/* Upper bound of the bucket that a series names with "le"; NaN: it is no number. */
double sn_operation_upper_of(struct sn_labels labels);

/* Add to the bucket of a bound; a new one comes last and is in the arena. SN_ERR_LIMIT,
 * SN_ERR_NO_MEMORY. */
sn_status sn_operation_add_to_bucket(struct sn_operation_row *row, double upper, double count,
                                     struct sn_arena *arena, struct sn_err *err) SN_MUST_USE;

/* Ascending, once all are there. */
void sn_operation_sort_buckets(struct sn_operation_row *row);

/* ---- JSON, with the member names of SONDE_FORMAT_JSON (sonde/expose.h) ---- */

/* Members of an object that is open. */
void sn_service_write(struct sn_json_writer *json, const struct sn_operations *operations,
                      const struct sn_service_row *service);
void sn_operation_write(struct sn_json_writer *json, const struct sn_operations *operations,
                        const struct sn_operation_row *row);
/* Counts of some rows together: "count", "ok_count", ... of rows[first .. first + count - 1]. */
void sn_operations_write_counts(struct sn_json_writer *json, const struct sn_operations *operations,
                                size_t first, size_t count, int64_t reset_ms, int64_t start_ms);
void sn_operation_write_error(struct sn_json_writer *json, const struct sn_operation_row *row);

#endif
