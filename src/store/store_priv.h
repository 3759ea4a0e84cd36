/*
 * The store from inside: one struct, one list of who may touch what.
 *
 *   push (any thread)         index lock: labels -> ids; append lock: head and open group
 *   commit (one at a time)    takes groups from the queue: encode, write, fsync, acknowledge
 *   flush (flush lock)        freezes the epoch, writes the segment, commits the catalogue
 *   compaction (one at a time) flush lock to choose and to commit; none while it writes
 *   readers (any thread)      index lock and append lock for short copies, then no lock
 *
 * Locks in rank order: flush_mu, segments.mu / cache.mu, index_mu, append_mu, log.mu / wake_mu.
 */
#ifndef SN_STORE_STORE_PRIV_H
#define SN_STORE_STORE_PRIV_H

#include "model/admin.h"
#include "store/catalog.h"
#include "store/churn.h"
#include "store/exemplars.h"
#include "store/group.h"
#include "store/head.h"
#include "store/log.h"
#include "store/log_record.h"
#include "store/metadata.h"
#include "store/narrow.h"
#include "store/pack_cache.h"
#include "store/rollup_files.h"
#include "store/segment.h"
#include "store/segment_write.h"
#include "store/series_index.h"
#include "store/series_order.h"
#include "store/store.h"

#include <stdatomic.h>

/* Counters that pushes write; relaxed, a snapshot may be a few samples apart. */
struct sn_store_counters {
    atomic_uint_fast64_t sample;
    atomic_uint_fast64_t out_of_order;
    atomic_uint_fast64_t rejected[SN_REJECT_COUNT];
    atomic_uint_fast64_t push;
    atomic_uint_fast64_t refused;
    atomic_uint_fast64_t flush;
    atomic_uint_fast64_t flush_failure;
    atomic_uint_fast64_t retention_segment;
    atomic_uint_fast64_t compaction;
    atomic_uint_fast64_t compaction_failure;
    atomic_uint_fast64_t compaction_bytes_in;
    atomic_uint_fast64_t compaction_bytes_out;
    atomic_uint_fast64_t compaction_damaged;
    atomic_uint_fast64_t rollup;
    atomic_uint_fast64_t removed_series;
};

/* Why and since when pushes are refused. */
struct sn_store_refusal {
    bool is_refusing;
    int64_t since_wall_ms;
    struct sn_err reason;
};

struct sn_store {
    struct sn_store_options options; /* defaults filled in; never changes */
    char dir[SN_PATH_BYTES_MAX];
    char wal_dir[SN_PATH_BYTES_MAX];
    char seg_dir[SN_PATH_BYTES_MAX];
    int lock_fd;
    struct sn_store_counters counters;
    struct sn_store_recovery recovery; /* written by open only */

    struct sn_mutex delete_mu; /* held by deletions and cleanings, around flush_mu */
    struct sn_mutex flush_mu;
    uint64_t delete_count;     /* deletions since open; guarded by flush_mu */
    struct sn_catalog catalog; /* guarded by flush_mu */
    uint32_t *order;           /* [order_count], owned, metric order; guarded by flush_mu */
    uint32_t order_end;        /* series below that are there are in it; guarded by flush_mu */
    struct sn_bitmap *removed_pending; /* series_gc.c, 3.; NULL: none, owned; guarded by flush_mu */
    bool is_gc_wanted;                 /* something was dropped; guarded by flush_mu */
    size_t order_count;                /* guarded by flush_mu */
    uint64_t segment_id_next;          /* guarded by flush_mu */
    uint64_t flush_segment_id;         /* of the frozen epoch; 0: none yet; guarded by flush_mu */
    uint64_t doubtful_segment_id; /* file of a compaction whose commit failed; 0: none; flush_mu */
    uint32_t doubtful_count;      /* such files, with numbers that follow */
    bool is_compacting;           /* guarded by flush_mu */
    int64_t rolled_ns;            /* when the flush worker last made rollups; its own */
    bool has_rolled;              /* it has */
    int64_t rolled_again_ns;      /* of whoever has entered compaction */
    struct sn_exemplar_rows exemplar_rows;  /* guarded by flush_mu */
    uint64_t frozen_epoch;                  /* guarded by flush_mu; valid while head.has_frozen */
    int64_t retention_checked_ns;           /* guarded by flush_mu */
    atomic_uint_least32_t catalogued_count; /* series with a committed row */

    struct sn_segments segments;
    struct sn_pack_cache cache;

    struct sn_mutex index_mu;
    struct sn_series_index index;        /* guarded by index_mu; see its header for what is not */
    struct sn_metadata_table metadata;   /* guarded by index_mu */
    uint32_t backfill_count;             /* objects that hold ids of series; guarded by index_mu */
    struct sn_churn churn;               /* guarded by index_mu */
    struct sn_bitmap *dying;             /* about to be removed; NULL: none; guarded by index_mu */
    unsigned pin_side;                   /* of pushes that begin now; guarded by index_mu */
    atomic_uint pins[2];                 /* pushes that hold ids, by side */
    struct sn_series_order *label_order; /* NULL: none yet; guarded by index_mu */

    struct sn_mutex append_mu;
    struct sn_cond group_ready;      /* with append_mu: the queue is not empty, or stop */
    struct sn_head head;             /* guarded by append_mu; frozen bytes: no lock */
    struct sn_group_queue queue;     /* guarded by append_mu */
    struct sn_exemplars exemplars;   /* guarded by append_mu */
    uint64_t epoch;                  /* of the head; guarded by append_mu */
    uint64_t starts_lost_epoch;      /* its log lacks start times: say all; guarded by append_mu */
    struct sn_store_refusal refusal; /* guarded by append_mu */
    bool stop_sync;                  /* guarded by append_mu */

    /* The committer's: one thread at a time. */
    struct sn_log log;
    struct sn_log_writer log_writer;
    struct sn_buf commit_buf;
    struct sn_buf labels_buf;
    uint32_t defined_count; /* series below have their definition in the log or the catalogue */
    int64_t synced_ns;      /* when a relaxed log was last synced */
    bool is_unsynced;       /* a relaxed log has writes since */
    atomic_uint_fast64_t log_bytes; /* of all files not yet flushed; relaxed */

    struct sn_mutex wake_mu;
    struct sn_cond wake;             /* with wake_mu: the flush worker has something to do */
    bool is_flush_wanted;            /* guarded by wake_mu */
    bool stop_flush;                 /* guarded by wake_mu */
    int64_t flush_last_ns;           /* when the last flush ended, or open; guarded by wake_mu */
    int64_t flush_duration_ns;       /* guarded by wake_mu */
    struct sn_err flush_error;       /* guarded by wake_mu */
    int64_t compaction_duration_ns;  /* guarded by wake_mu */
    struct sn_err compaction_error;  /* guarded by wake_mu */
    struct sn_err compaction_damage; /* first one since open; guarded by wake_mu */
};

static inline int64_t sn_store_mono_ns(const struct sn_store *store) {
    return sn_clock_mono_ns(store->options.clock);
}
static inline int64_t sn_store_wall_ms(const struct sn_store *store) {
    return sn_clock_wall_ms(store->options.clock);
}
static inline void sn_store_count(atomic_uint_fast64_t *counter, uint64_t more) {
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* push.c */
sn_status sn_store_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                        struct sn_push_result *ret_result, struct sn_err *err);

/* commit.c: write all queued groups; the thread of the sync worker, or open and close. */
void sn_store_commit_queued(struct sn_store *store);
void sn_store_sync_run(void *ctx);
void sn_store_sync_stop(void *ctx);

/* A read that fails may be a passing trouble of the disk; one that failed so often is damage. */
#define SN_MERGE_FAILURES_MAX 3

/* compact.c: both with the flush lock held. Before there is another file of a compaction or a backfill
 * the one whose commit is in doubt is settled and deleted. */
sn_status sn_store_settle_locked(struct sn_store *store, struct sn_err *err) SN_MUST_USE;
void sn_store_delete_segment_file(struct sn_store *store, uint64_t id); /* has no row; no lock */

/* Merge one segment with nothing, without what is deleted in it. Between enter and leave, which keep all
 * merging out; enter: false when it is under way. SN_ERR_BUSY: something changed meanwhile. */
bool sn_store_enter_compaction(struct sn_store *store);
void sn_store_leave_compaction(struct sn_store *store);
sn_status sn_store_rewrite_entered(struct sn_store *store, uint64_t id,
                                   struct sn_err *err) SN_MUST_USE;

/* delete.c */
sn_status sn_store_delete_series(void *ctx, const struct sn_select *select, uint64_t *ret_count,
                                 struct sn_err *err);
sn_status sn_store_clean_tombstones(void *ctx, struct sn_err *err);
/* Make the deleted ranges of retention rules anew; then rewrite one segment that they cover most of. */
sn_status sn_store_apply_rules(struct sn_store *store, struct sn_err *err) SN_MUST_USE;
sn_status sn_store_rewrite_for_rules(struct sn_store *store, struct sn_err *err) SN_MUST_USE;

/* select.c: ids of the series that pass, ascending; the caller releases *ret_ids. As select. */
sn_status sn_store_find_ids(struct sn_store *store, const struct sn_select *select,
                            struct sn_id_set *ret_ids, struct sn_err *err) SN_MUST_USE;

/* snapshot.c */
sn_status sn_store_snapshot(void *ctx, struct sn_snapshot *ret_snapshot, struct sn_err *err);
sn_status sn_store_delete_snapshot(void *ctx, struct sn_str name, struct sn_err *err);

/* flush.c */
/* In a transaction: rows of the series from those that have one up to `end`. Flush lock held. */
sn_status sn_store_put_series(struct sn_store *store, uint32_t end, struct sn_err *err) SN_MUST_USE;
/* Bring all series into metric order, for flushes and for sorting selections. Takes the flush lock;
 * a million new series take two seconds. */
void sn_store_sort_series(struct sn_store *store);
/* series_gc.c: in a transaction, take the series out of the catalogue that are not there any more; after it
 * has committed, forget about them. Flush lock held. */
sn_status sn_store_put_removed(struct sn_store *store, struct sn_err *err) SN_MUST_USE;
void sn_store_forget_removed(struct sn_store *store);
void sn_store_flush_run(void *ctx);
void sn_store_flush_stop(void *ctx);
void sn_store_want_flush(struct sn_store *store);
/* Flush if it is due, in the middle of long work; false: the worker is to stop. */
bool sn_store_flush_step(struct sn_store *store);

/*
 * retention.c: replace segments of the current set in one transaction and delete their files.
 *
 *   is_dropped  [count of the current set]
 *   instead     takes their place, with `row`; NULL: nothing does
 *   rollups     the files of rollups from now on, the same ones with another raw_from_ms; NULL: no change
 *
 * On failure nothing has changed in memory; a failed commit may yet be on disk, and a crash would
 * bring it to life: the file of `instead` must stay until sn_catalog_settle.
 * Threads: flush lock held.
 */
sn_status sn_store_replace_segments(struct sn_store *store, const bool *is_dropped,
                                    struct sn_segment *instead, const struct sn_segment_row *row,
                                    struct sn_rollup_files *rollups,
                                    struct sn_err *err) SN_MUST_USE;

/* recover.c: fill a store that was just initialised from its directory. */
sn_status sn_store_recover(struct sn_store *store, struct sn_err *err) SN_MUST_USE;

/* read_rollups.c */
sn_status sn_store_read_rollups(void *ctx, uint64_t series_id, const struct sn_rollup_wish *wish,
                                struct sn_rollups *rollups, struct sn_err *err);
int64_t sn_store_raw_from(void *ctx);

/* cardinality.c */
sn_status sn_store_cardinality(void *ctx, size_t row_max, struct sn_arena *arena,
                               struct sn_cardinality *ret_cardinality, struct sn_err *err);

/* read.c, read_exemplars.c, scan.c, select.c */
struct sn_reader sn_store_make_reader(struct sn_store *store);
sn_status sn_store_scan(void *ctx, struct sn_range range, struct sn_scan *ret_scan,
                        struct sn_err *err);
sn_status sn_store_read_exemplars(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                                  struct sn_exemplar_list *ret_exemplars, struct sn_err *err);
sn_status sn_store_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                          struct sn_series_list *ret_series, struct sn_err *err);
sn_status sn_store_label_names(void *ctx, const struct sn_select *select, size_t count_max,
                               struct sn_arena *arena, struct sn_string_list *ret_names,
                               struct sn_err *err);
sn_status sn_store_label_values(void *ctx, struct sn_str label, const struct sn_select *select,
                                size_t count_max, struct sn_arena *arena,
                                struct sn_string_list *ret_values, struct sn_err *err);

#endif
