/*
 * The embedded store: samples in through sn_sink, series out through sn_reader, both on one data
 * directory that one process owns.
 *
 *   dir/sonde.db   SQLite: series catalogue, segment manifest, format version
 *   dir/records.db not the store's: it goes with snapshots and is verified, as pages
 *   dir/wal/       append-only log of what is not in a segment yet
 *   dir/seg/       immutable segment files; one exists if and only if its SQLite row exists
 *   dir/LOCK       held (flock) while the store is open
 *
 * Invariants a user may rely on:
 *   1. Durability strict: `done` with SN_OK means that the batch is on disk (fsync returned).
 *      Nothing acknowledged is lost by a crash, a full disk or a failing fsync.
 *   2. When neither the log nor a fresh log can be written, pushes are refused (SN_ERR_NO_SPACE or
 *      SN_ERR_IO), reads go on, and the store tries to recover by itself.
 *   3. A value that was not pushed is never returned: stored bytes are checked when they are read,
 *      and what fails its check is SN_ERR_CORRUPT with the name of the file.
 *   4. The store starts no threads. `app` runs the workers of sn_store_workers; without the
 *      "store-sync" worker no push is ever acknowledged.
 *
 * What a sample means (as in Prometheus):
 *   - newer than the newest of its series: appended;
 *   - same time and same bits as the newest: accepted, stored once;
 *   - same time as the newest, other bits: SN_REJECT_DUPLICATE;
 *   - older, within out_of_order_window_ms of the newest: accepted; when there was a sample at that
 *     time the last one written wins;
 *   - older than that: SN_REJECT_OUT_OF_ORDER; before the retention: SN_REJECT_TOO_OLD; later than
 *     now + future_max_ms: SN_REJECT_TOO_NEW.
 * A series that has not been written since the store was opened has no newest sample yet: its first
 * sample may have any time within the retention. Histograms follow the same rules; a series may have
 * floats and histograms, at different times, and a stale marker behind a histogram is stored as a
 * histogram. A start time that is not a time up to its sample is stored as unknown. Of exemplars the
 * newest exemplars_max are kept, those of one series in ascending time; an older one is
 * SN_REJECT_OUT_OF_ORDER, one without a series or with too many labels SN_REJECT_UNSUPPORTED.
 */
#ifndef SN_STORE_STORE_H
#define SN_STORE_STORE_H

#include "base/clock.h"
#include "base/lock.h"
#include "base/status.h"
#include "model/admin.h"
#include "model/doors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sn_store_durability {
    SN_STORE_STRICT = 0,  /* acknowledge after fsync */
    SN_STORE_RELAXED = 1, /* acknowledge after write; fsync about once a second */
};

/* Series that are kept for a shorter time than the rest. */
struct sn_store_retention_rule {
    const struct sn_matcher
        *matchers; /* [matcher_count], borrowed until sn_store_close; at least one
                                        * must not pass empty */
    size_t matcher_count;
    int64_t retention_ms;
};

/* Zero in a field means its default. */
struct sn_store_options {
    const char *dir;              /* borrowed for open; created when missing (mode 0750) */
    const struct sn_clock *clock; /* kept; NULL: the system's */
    enum sn_store_durability durability;
    int64_t retention_ms;         /* 0: 15 days; negative: keep for ever */
    uint64_t retention_bytes_max; /* of all segment files: oldest go first; 0: no limit */
    const struct sn_store_retention_rule *retention_rules; /* borrowed until sn_store_close */
    size_t retention_rule_count;
    bool without_rollups;           /* make none; those that are there are read and kept */
    int64_t rollup_retention_ms;    /* 0: 400 days; negative: keep for ever */
    size_t log_bytes_max;           /* flush when the log has grown by this; 64 MiB */
    int64_t flush_interval_ms;      /* flush at the latest after this; 30 min */
    size_t series_max;              /* 0: 10 million */
    uint32_t series_per_metric_max; /* of one metric name; 0: no limit */
    /* A series beyond them gets no sample, also one that is there; 0: those of base/limits.h. */
    struct sn_label_limits label_limits;
    int64_t out_of_order_window_ms; /* 0: 10 min; negative: nothing older is taken */
    int64_t exemplars_max;          /* newest exemplars that are kept; 100,000; negative: none */
    int64_t future_max_ms;          /* 0: 10 min; negative: no limit */
    int64_t probe_interval_ms;      /* while refusing writes: try again after this; 1 s */
    int64_t flush_pause_ns;         /* pause after each 2 MiB of a flush; 20 ms, negative: none */
    int64_t
        compact_window_ms; /* segments are merged to so much, then to 12 times that; 2 h; negative:
                                * never */
};

/* What recovery found when the store was opened. */
struct sn_store_recovery {
    uint64_t series_count;          /* from the catalogue and the log */
    uint64_t segment_count;         /* published segments */
    uint64_t segment_damaged_count; /* of them: missing, or footer fails its checks */
    uint64_t segment_orphan_count;  /* files without a row: deleted */
    uint64_t log_count;             /* log files replayed */
    uint64_t log_sample_count;      /* samples replayed */
    uint64_t log_damaged_count;     /* log files that ended in bytes that are no record */
    uint64_t log_bytes_dropped;     /* such bytes, cut off */
    struct sn_err first_damage;     /* one sentence about the first damage; status SN_OK: none */
};

struct sn_store_stats {
    uint64_t series_count;
    uint64_t removed_series_count; /* forgotten since open, because no sample of them is left */
    uint64_t sample_count;         /* accepted since open, duplicates included */
    uint64_t out_of_order_count;   /* of them: older than the newest of their series */
    uint64_t rejected_count[SN_REJECT_COUNT];
    uint64_t push_count;    /* batches taken */
    uint64_t refused_count; /* batches refused: busy, no space, failing storage, no memory */
    uint64_t segment_count;
    uint64_t segment_bytes;
    uint64_t segment_sample_count;
    uint64_t rollup_file_count;
    uint64_t rollup_bytes;
    uint64_t rollup_window_count; /* made since open */
    uint64_t log_bytes;           /* not yet in a segment */
    uint64_t log_file_count;
    uint64_t log_sync_count;         /* fsyncs of the log */
    uint64_t log_sync_failure_count; /* failed writes and fsyncs of the log */
    uint64_t exemplar_count;
    uint64_t head_bytes; /* memory of open and frozen chunks */
    uint64_t flush_count;
    uint64_t flush_failure_count;
    int64_t flush_last_duration_ns;
    struct sn_err flush_last_error;   /* status SN_OK: the last flush worked */
    uint64_t retention_segment_count; /* segments dropped since open */
    uint64_t compaction_count;        /* segments made of older ones */
    uint64_t compaction_failure_count;
    uint64_t compaction_bytes_in;      /* of the segments that were merged */
    uint64_t compaction_bytes_out;     /* of the segments made of them */
    uint64_t compaction_damaged_count; /* segments that compaction leaves alone since open */
    int64_t compaction_last_duration_ns;
    struct sn_err compaction_last_error; /* status SN_OK: the last one worked */
    struct sn_err compaction_damage;     /* the first segment left alone; status SN_OK: none */
    bool is_refusing;                    /* writes are refused at this moment */
    int64_t refusing_since_wall_ms;      /* valid while is_refusing */
    struct sn_err
        refusing_reason; /* "writes refused: cannot write wal/00000007.log: No space..." */
    struct sn_store_recovery recovery;
};

struct sn_store;

/*
 * Open a data directory: take its lock, load the catalogue, delete orphans, replay the log.
 *
 *   options    dir is required
 *   ret_store  written on SN_OK only; close with sn_store_close
 *
 * Returns SN_OK, SN_ERR_INVALID (no dir), SN_ERR_BUSY (another process has it; the sentence names
 * its pid), SN_ERR_UNSUPPORTED (written by a newer version), SN_ERR_CORRUPT (catalogue),
 * SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_DENIED, SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 * Threads: any. Blocks: on disk; about 1 s per million series or 10 million samples in the log.
 */
sn_status sn_store_open(const struct sn_store_options *options, struct sn_store **ret_store,
                        struct sn_err *err) SN_MUST_USE;

/*
 * Write what is still queued, call the remaining `done`s, release everything. The workers have been
 * stopped and joined, nobody pushes or reads any more. Does not flush: the log has it all.
 * NULL is fine. Returns NULL.
 */
struct sn_store *sn_store_close(struct sn_store *store);

/* The doors. Valid until sn_store_close. Any thread. Label text of results lives as long as the
 * store, everything else in the arena of the call. */
struct sn_sink sn_store_sink(struct sn_store *store);
struct sn_reader sn_store_reader(struct sn_store *store);
struct sn_admin sn_store_admin(struct sn_store *store);
/* Past head and log, see store/backfill.h: push blocks, and makes a segment each time. */
struct sn_sink sn_store_backfill_sink(struct sn_store *store);

/*
 * The jobs that want a thread: "store-sync" (log, fsync, acknowledgements) and "store-flush"
 * (flush, retention, compaction). Stop order on shutdown: whoever pushes, then these.
 *
 *   ret_workers  [count_max] filled; SN_STORE_WORKERS_MAX is always enough
 *
 * Returns how many there are (2).
 */
#define SN_STORE_WORKERS_MAX 4
size_t sn_store_workers(struct sn_store *store, struct sn_worker *ret_workers, size_t count_max);

/*
 * Write everything pushed before this call into a segment and drop the log behind it. Any thread,
 * one at a time; blocks on disk. Acknowledgements and reads go on meanwhile. With nothing to write
 * it does nothing. On failure everything is still in the log and the next flush tries again.
 * SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY.
 */
sn_status sn_store_flush(struct sn_store *store, struct sn_err *err) SN_MUST_USE;

/* Drop segments that lie wholly before now - retention, then the oldest ones while all files together,
 * rollups included, are larger than retention_bytes_max; the newest stays; rollups go by a retention of
 * their own. The flush worker does it every minute.
 * *ret_count may be NULL. SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY. */
sn_status sn_store_apply_retention(struct sn_store *store, size_t *ret_count,
                                   struct sn_err *err) SN_MUST_USE;

/*
 * Merge segments: those of a two-hour window, then of a day (store/compact_plan.h). The flush worker
 * does it every minute and after each flush. Any thread, one at a time; blocks on disk, flushes that
 * become due are done in between. Readers go on with the old files until they are done.
 *
 *   ret_count  segments that were made; may be NULL
 *
 * A segment that cannot be read is left alone, see compaction_damage; others are merged.
 * SN_ERR_CLOSED (the worker is to stop), SN_ERR_BUSY (one is under way), SN_ERR_NO_SPACE, SN_ERR_IO,
 * SN_ERR_NO_MEMORY; then everything is as before.
 */
sn_status sn_store_compact(struct sn_store *store, size_t *ret_count,
                           struct sn_err *err) SN_MUST_USE;

/* A snapshot of the counters. Any thread; takes short locks. */
void sn_store_stats(struct sn_store *store, struct sn_store_stats *ret_stats);

/*
 * Whether all is well: SN_OK, or the status and one sentence of what is wrong ("writes refused since
 * 2026-11-21T10:11:12.345Z: ...", "last flush failed: ..."). For /readyz and the status page.
 */
sn_status sn_store_health(struct sn_store *store, struct sn_err *err) SN_MUST_USE;

#endif
