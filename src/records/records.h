/*
 * Records: what is kept row by row, on SQLite or PostgreSQL. The rest of the server uses this
 * header; the engines are below it.
 *
 *   push (any thread) --> samples to the sink ------------------.
 *        `--> queue --> records writer: one transaction for all  +--> done
 *                       that waits, as soon as the last one ended'
 *
 * Invariants:
 *   1. done with SN_OK means that records and samples are durable. All of a push or nothing.
 *   2. The queue is bounded: beyond it a push is refused (SN_ERR_BUSY).
 *   3. Starts no thread: `app` runs the worker of sn_records_worker.
 */
#ifndef SN_RECORDS_RECORDS_H
#define SN_RECORDS_RECORDS_H

#include "base/clock.h"
#include "base/lock.h"
#include "model/doors.h"
#include "records/engine.h"
#include "records/record.h"
#include "records/window.h"

#include <stdatomic.h>

#define SN_RECORDS_QUEUE_MAX 100000  /* records that wait for the writer: some 50 MB at most */
#define SN_RECORDS_RETENTIONS_MAX 64 /* types with a retention of their own */
#define SN_RECORDS_RETENTION_MS_DEFAULT (INT64_C(90) * 86400000)
/* Events are taken up to so much later than now: clocks differ. */
#define SN_RECORDS_EVENT_FUTURE_MS INT64_C(600000)

struct sn_records_retention {
    struct sn_str metric_type;
    int64_t retention_ms; /* 0: for ever */
};

struct sn_records_options {
    const char *dir;              /* of records.db, or of the spool; borrowed for the call */
    const char *database_url;     /* postgres://...; NULL: SQLite; borrowed for the call */
    int64_t spool_bytes_max;      /* 0: SN_SPOOL_BYTES_MAX */
    const struct sn_clock *clock; /* kept; NULL: the system's */
    struct sn_sink sink;          /* gets the samples; push NULL: nobody does */
    int64_t retention_ms;         /* 0: SN_RECORDS_RETENTION_MS_DEFAULT; negative: for ever */
    const struct sn_records_retention *retentions; /* [retention_count]; kept */
    size_t retention_count;                        /* at most SN_RECORDS_RETENTIONS_MAX */
    int64_t event_retention_ms;                    /* of events and errors; as retention_ms */
    size_t queue_max;                              /* 0: SN_RECORDS_QUEUE_MAX */
};

/*
 * Records on their way. Belongs to the caller, who keeps it and everything it points to until done
 * has been called; one use.
 */
struct sn_records_push {
    struct sn_record *records; /* [record_count], checked by sn_record_check; ids are filled in */
    size_t record_count;
    const struct sn_app_event *events; /* [event_count], checked; no samples are made of them */
    size_t event_count;
    const struct sn_engine_error_change *error_change; /* NULL: none */
    const struct sn_engine_usage *usage;               /* NULL: none */
    /* Called once, on a thread of the records or of the sink; short, no blocking. */
    void (*done)(struct sn_records_push *push);
    void *ctx; /* of done */
    /* For done: */
    sn_status status;
    struct sn_err err;
    uint64_t sample_rejected_count; /* samples that the store did not take; the records stand */
    struct sn_err first_reject;     /* one sentence about the first of them */
    /* Private. */
    struct sn_engine_write write;
    struct sn_records *owner;
    struct sn_records_push *next;
    sn_status sink_status;
    struct sn_err sink_err;
    atomic_uint happened;
};

struct sn_records_stats {
    uint64_t pushed_count;    /* records stored since open */
    uint64_t refused_count;   /* records of pushes that failed */
    uint64_t commit_count;    /* transactions */
    uint64_t failure_count;   /* transactions that failed */
    uint64_t purged_count;    /* records deleted by age */
    uint64_t queued_count;    /* records that wait now */
    struct sn_err last_error; /* of the newest transaction; status SN_OK: it worked */
};

struct sn_records;

/* As sn_lite_open. */
sn_status sn_records_open(const struct sn_records_options *options, struct sn_records **ret_records,
                          struct sn_err *err) SN_MUST_USE;

/* After the worker has ended; what still waits is refused (SN_ERR_CLOSED). Returns NULL; NULL is
 * fine. */
struct sn_records *sn_records_close(struct sn_records *records);

/* "records": writes, and deletes what is too old. Its stop() lets it write what waits. */
struct sn_worker sn_records_worker(struct sn_records *records);

/*
 * Store records and their samples. SN_OK: done will be called, perhaps before this returns. Any
 * failure: it will not, and nothing was stored: SN_ERR_BUSY (queue full), SN_ERR_CLOSED, and the
 * statuses of the sink's push. Any thread. Blocks as the sink's push does.
 */
sn_status sn_records_push(struct sn_records *records, struct sn_records_push *push,
                          struct sn_err *err) SN_MUST_USE;

/* Push and wait. */
sn_status sn_records_push_wait(struct sn_records *records, struct sn_records_push *push,
                               struct sn_err *err) SN_MUST_USE;

/* Reading: any thread, blocks on the database. See struct sn_engine_ops. */
sn_status sn_records_list(struct sn_records *records, const struct sn_record_page *page,
                          struct sn_arena *arena, struct sn_record_list *ret_list,
                          struct sn_err *err) SN_MUST_USE;
sn_status sn_records_get(struct sn_records *records, const struct sn_record_id *id,
                         struct sn_arena *arena, struct sn_record *ret_record,
                         struct sn_err *err) SN_MUST_USE;
sn_status sn_records_windows(struct sn_records *records, const struct sn_record_filter *filter,
                             int64_t width_ms, struct sn_arena *arena,
                             struct sn_window_list *ret_list, struct sn_err *err) SN_MUST_USE;

/* See struct sn_engine_ops. */
sn_status sn_records_scan_events(struct sn_records *records, struct sn_str app,
                                 struct sn_range_ms range,
                                 const struct sn_app_event_visitor *visitor,
                                 struct sn_err *err) SN_MUST_USE;
sn_status sn_records_scan_usage(struct sn_records *records, struct sn_str app,
                                struct sn_range_ms range, const struct sn_usage_visitor *visitor,
                                struct sn_err *err) SN_MUST_USE;
sn_status sn_records_list_errors(struct sn_records *records, const struct sn_error_filter *filter,
                                 struct sn_arena *arena, struct sn_error_list *ret_list,
                                 struct sn_err *err) SN_MUST_USE;

/* Times of events that are taken now: not beyond the retention (with an hour to spare, so that no
 * hour loses events before it is summed up), not in the future. */
struct sn_range_ms sn_records_event_times(const struct sn_records *records);

/* Delete what is too old now. By the worker once a minute; elsewhere only while it does not run. */
sn_status sn_records_purge(struct sn_records *records, uint64_t *ret_count,
                           struct sn_err *err) SN_MUST_USE;

/* "sqlite", "postgres" */
const char *sn_records_engine_name(const struct sn_records *records);
/* Whether the database answers. Blocks. */
sn_status sn_records_ping(struct sn_records *records, struct sn_err *err) SN_MUST_USE;
/* How the database is: away, and what waits for it. Any thread. */
void sn_records_state(struct sn_records *records, struct sn_engine_state *ret_state);
void sn_records_stats(struct sn_records *records, struct sn_records_stats *ret_stats);

#endif
