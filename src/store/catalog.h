/*
 * The catalogue: what sonde.db knows about the store. SQLite is the commit point: a segment exists
 * when its row does, a log is obsolete when its number is in the `flushed_log` row.
 *
 *   store_meta(key, value)          format_version, flushed_log
 *   series_block(first_id, ...)     labels of many series (series_block.h)
 *   segment(id, bytes, ...)         the manifest
 *   metric_metadata(metric, ...)    type, help, unit
 *   exemplar(id, records)           exemplars of one flush
 *   rollup(id, width_ms, ...)       files of rollups
 *
 * Threads: one at a time; the owner's flush lock guards it. Blocks on disk. In a data directory that is
 * older than records.db other modules have tables in the file too (each by its own connection), hence
 * a busy timeout.
 */
#ifndef SN_STORE_CATALOG_H
#define SN_STORE_CATALOG_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "model/sample.h"
#include "store/bitmap.h"
#include "store/rollup_files.h"
#include "store/segment.h"

#include <stdbool.h>
#include <stdint.h>

#define SN_CATALOG_FORMAT_VERSION 3

struct sn_catalog {
    void *db;            /* sqlite3, owned */
    struct sn_buf block; /* series of the transaction that wait for a block to be full */
    struct sn_buf packed;
    uint32_t block_first;
    uint32_t block_count;
};

/* Open or create dir/sonde.db. SN_ERR_UNSUPPORTED (newer version), SN_ERR_CORRUPT, SN_ERR_IO,
 * SN_ERR_NO_SPACE, SN_ERR_DENIED, SN_ERR_BUSY, SN_ERR_NO_MEMORY. */
sn_status sn_catalog_open(struct sn_catalog *catalog, const char *dir,
                          struct sn_err *err) SN_MUST_USE;
void sn_catalog_close(struct sn_catalog *catalog); /* also after a failed open */

/* ---- loading: each visit may stop with a status of its own ---- */

struct sn_catalog_visitor {
    void *ctx;
    sn_status (*series)(void *ctx, uint64_t id, struct sn_str labels, struct sn_err *err);
    sn_status (*segment)(void *ctx, const struct sn_segment_row *row, struct sn_err *err);
    sn_status (*metadata)(void *ctx, const struct sn_metadata *metadata, struct sn_err *err);
    sn_status (*churn)(void *ctx, int64_t hour_ms, uint64_t count, struct sn_err *err);
    sn_status (*exemplars)(void *ctx, uint64_t id, struct sn_str records, struct sn_err *err);
    /* Behind all series: ids below are given. May be NULL. */
    sn_status (*series_end)(void *ctx, uint64_t end, struct sn_err *err);
};

/* All series that are there ascending by id, all segments ascending by rank, all metadata, in this
 * order; and the number of the newest log that needs no replay (0: none). */
sn_status sn_catalog_load(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                          uint64_t *ret_flushed_log, struct sn_err *err) SN_MUST_USE;

/* All deleted ranges, in any order. */
sn_status sn_catalog_load_tombstones(struct sn_catalog *catalog,
                                     sn_status (*visit)(void *ctx,
                                                        const struct sn_tombstone *tombstone,
                                                        struct sn_err *err),
                                     void *ctx, struct sn_err *err) SN_MUST_USE;

/* All files of rollups by width and start; and from when on no sample was dropped for its age (INT64_MIN:
 * none was dropped). */
sn_status sn_catalog_load_rollups(struct sn_catalog *catalog,
                                  sn_status (*visit)(void *ctx, const struct sn_rollup_row *row,
                                                     struct sn_err *err),
                                  void *ctx, int64_t *ret_raw_from_ms,
                                  struct sn_err *err) SN_MUST_USE;

/* Forget all deleted ranges: a transaction of its own. */
sn_status sn_catalog_drop_tombstones(struct sn_catalog *catalog, struct sn_err *err) SN_MUST_USE;

/* ---- changing: one transaction ---- */

sn_status sn_catalog_begin(struct sn_catalog *catalog, struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_add_series(struct sn_catalog *catalog, uint32_t id, struct sn_str labels,
                                struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_add_segment(struct sn_catalog *catalog, const struct sn_segment_row *row,
                                 struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_put_metadata(struct sn_catalog *catalog, const struct sn_metadata *metadata,
                                  struct sn_err *err) SN_MUST_USE;
/* A row of exemplars, as records of the log; and forget the rows below `forget_below`. */
sn_status sn_catalog_put_exemplars(struct sn_catalog *catalog, uint64_t id, struct sn_str records,
                                   uint64_t forget_below, struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_set_flushed_log(struct sn_catalog *catalog, uint64_t log,
                                     struct sn_err *err) SN_MUST_USE;
/* Remove the row of a segment; none is fine. */
sn_status sn_catalog_drop_segment(struct sn_catalog *catalog, uint64_t id,
                                  struct sn_err *err) SN_MUST_USE;
/* New series of an hour; the number replaces the one before. Hours before `forget_ms` go. */
sn_status sn_catalog_put_churn(struct sn_catalog *catalog, int64_t hour_ms, uint64_t count,
                               int64_t forget_ms, struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_add_tombstone(struct sn_catalog *catalog, const struct sn_tombstone *tombstone,
                                   struct sn_err *err) SN_MUST_USE;
/* Take series out. Ids below series_end are given and not free, whatever is left.
 * SN_ERR_CORRUPT (a block does not decode). */
sn_status sn_catalog_remove_series(struct sn_catalog *catalog, const struct sn_bitmap *removed,
                                   uint32_t series_end, struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_add_rollup(struct sn_catalog *catalog, const struct sn_rollup_row *row,
                                struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_drop_rollup(struct sn_catalog *catalog, uint64_t id,
                                 struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_set_raw_from(struct sn_catalog *catalog, int64_t raw_from_ms,
                                  struct sn_err *err) SN_MUST_USE;
sn_status sn_catalog_commit(struct sn_catalog *catalog, struct sn_err *err) SN_MUST_USE;
void sn_catalog_rollback(struct sn_catalog *catalog);

/* Copy the whole of sonde.db, all tables whoever made them, to dir/sonde.db, which must not exist. It is
 * on disk afterwards. SN_ERR_EXISTS, SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY, SN_ERR_BUSY. */
sn_status sn_catalog_copy(struct sn_catalog *catalog, const char *dir,
                          struct sn_err *err) SN_MUST_USE;

/* Open a sonde.db that must exist, and change nothing in it. As sn_catalog_open; SN_ERR_NOT_FOUND. */
sn_status sn_catalog_open_to_read(struct sn_catalog *catalog, const char *dir,
                                  struct sn_err *err) SN_MUST_USE;

/* SQLite's own check of all pages: each finding is a sentence. Statuses of reading. */
sn_status sn_catalog_check(struct sn_catalog *catalog, void (*found)(void *ctx, const char *what),
                           void *ctx, struct sn_err *err) SN_MUST_USE;

/*
 * A transaction that changes nothing but is written. A commit that failed may still be on disk, and
 * a crash would bring it to life; after this it can not.
 */
sn_status sn_catalog_settle(struct sn_catalog *catalog, struct sn_err *err) SN_MUST_USE;

#endif
