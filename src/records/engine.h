/*
 * What a database must be able to do to keep records: one table of functions, two implementations
 * (lite.h, postgres.h). records.h is built on it and knows nothing of either.
 *
 * commit() is called by one thread at a time, the records writer; everything else by any thread.
 */
#ifndef SN_RECORDS_ENGINE_H
#define SN_RECORDS_ENGINE_H

#include "records/app_event.h"
#include "records/record.h"

/* start_ms <= time < end_ms */
struct sn_range_ms {
    int64_t start_ms;
    int64_t end_ms;
};

/* Resolve a group of errors, or open it again. */
struct sn_engine_error_change {
    int64_t id;
    bool is_resolved;
    int64_t now_ms;
};

/*
 * A summary of one hour of an application's events, made of event_count of them. It is stored only
 * if the hour has that many events still; then the hour is no longer to be read event by event.
 */
struct sn_engine_usage {
    struct sn_str app;
    int64_t hour; /* since 1970 */
    struct sn_str summary;
    uint64_t event_count;
};

/*
 * One request's worth of changes, all or nothing. The engine fills the ids of the records, and
 * status and err: SN_OK, SN_ERR_LIMIT (too many different names), SN_ERR_NOT_FOUND (the error group
 * to change), SN_ERR_BUSY (the hour of a summary has got other events).
 */
struct sn_engine_write {
    struct sn_record_id batch_id; /* given by identify: an engine stores a batch once */
    struct sn_record *records;    /* [record_count] */
    size_t record_count;
    const struct sn_app_event *events; /* [event_count] */
    size_t event_count;
    const struct sn_engine_error_change *error_change; /* NULL: none */
    const struct sn_engine_usage *usage;               /* NULL: none */
    sn_status status;
    struct sn_err err;
};

/* Summaries, or hours without one. */
struct sn_usage_visitor {
    void *ctx;
    /* summary.ptr NULL: the hour's events are to be read one by one. */
    sn_status (*visit)(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                       struct sn_err *err);
};

#define SN_HOUR_MS INT64_C(3600000)

/* Which records, or events and what was made of them, to delete. */
struct sn_engine_purge {
    bool is_events;               /* events; the fields about types mean nothing then */
    int64_t before_ms;            /* older ones */
    struct sn_str metric_type;    /* of this type; empty: of all types but those of except */
    const struct sn_str *excepts; /* [except_count] */
    size_t except_count;
    size_t row_max; /* at most so many */
};

/* How an engine is. */
struct sn_engine_state {
    bool is_away;             /* the database does not answer */
    uint64_t spooled_bytes;   /* acknowledged, waiting for the database */
    uint64_t spooled_count;   /* writes that went to the spool since open */
    uint64_t lost_count;      /* writes that the database refused for good, and damaged ones */
    struct sn_err last_error; /* why it is away, or what was lost; status SN_OK: nothing */
};

struct sn_engine_ops {
    const char *name; /* "sqlite", "postgres" */

    /* Give ids to the records of a write, and its batch id, before commit. NULL: commit does it. */
    void (*identify)(void *ctx, struct sn_engine_write *write);

    /* Work that is not asked for, by the records writer between commits; in *ret_next_ms it says
     * when it wants to be called again. NULL: none. */
    sn_status (*tick)(void *ctx, int64_t *ret_next_ms, struct sn_err *err);

    /* NULL: never away. Any thread. */
    void (*state)(void *ctx, struct sn_engine_state *ret_state);

    /*
     * Store writes in one transaction, durably. A write whose own status is a failure has left
     * nothing behind; the others are stored. A failure of the whole stores nothing of any.
     * SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_BUSY, SN_ERR_CORRUPT, SN_ERR_NO_MEMORY, SN_ERR_TIMEOUT.
     */
    sn_status (*commit)(void *ctx, struct sn_engine_write *const *writes, size_t write_count,
                        struct sn_err *err);

    /* Reads. Also SN_ERR_TIMEOUT (deadline passed) and SN_ERR_LIMIT (the arena). */
    sn_status (*list)(void *ctx, const struct sn_record_page *page, struct sn_arena *arena,
                      struct sn_record_list *ret_list, struct sn_err *err);
    /* SN_ERR_NOT_FOUND */
    sn_status (*get)(void *ctx, const struct sn_record_id *id, struct sn_arena *arena,
                     struct sn_record *ret_record, struct sn_err *err);
    sn_status (*scan)(void *ctx, const struct sn_record_filter *filter,
                      const struct sn_record_visitor *visitor, struct sn_err *err);

    /* Events of an application with start_ms <= time < end_ms, in no particular order. */
    sn_status (*scan_events)(void *ctx, struct sn_str app, struct sn_range_ms range,
                             const struct sn_app_event_visitor *visitor, struct sn_err *err);
    /* Hours of an application (empty: of all) from range.start_ms on, those that begin before
     * range.end_ms, with their summary or without. */
    sn_status (*scan_usage)(void *ctx, struct sn_str app, struct sn_range_ms range,
                            const struct sn_usage_visitor *visitor, struct sn_err *err);
    sn_status (*list_errors)(void *ctx, const struct sn_error_filter *filter,
                             struct sn_arena *arena, struct sn_error_list *ret_list,
                             struct sn_err *err);

    /* Delete, by the records writer as well. */
    sn_status (*purge)(void *ctx, const struct sn_engine_purge *purge, size_t *ret_count,
                       struct sn_err *err);
    /* Whether it answers now. */
    sn_status (*ping)(void *ctx, struct sn_err *err);
    void (*close)(void *ctx);
};

struct sn_engine {
    void *ctx;
    const struct sn_engine_ops *ops;
};

#endif
