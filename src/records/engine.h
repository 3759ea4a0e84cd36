/*
 * What a database must be able to do to keep records: one table of functions, two implementations
 * (lite.h, postgres.h). records.h is built on it and knows nothing of either.
 *
 * commit() is called by one thread at a time, the records writer; everything else by any thread.
 */
#ifndef SN_RECORDS_ENGINE_H
#define SN_RECORDS_ENGINE_H

#include "records/record.h"

/*
 * One request's worth of rows, all or nothing. The engine fills the ids of the records, and status
 * and err: SN_OK, SN_ERR_LIMIT (too many different names).
 */
struct sn_engine_write {
    struct sn_record *records; /* [record_count] */
    size_t record_count;
    sn_status status;
    struct sn_err err;
};

/* Which records to delete. */
struct sn_engine_purge {
    int64_t before_ms;            /* older ones */
    struct sn_str metric_type;    /* of this type; empty: of all types but those of except */
    const struct sn_str *excepts; /* [except_count] */
    size_t except_count;
    size_t row_max; /* at most so many */
};

struct sn_engine_ops {
    const char *name; /* "sqlite", "postgres" */

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
