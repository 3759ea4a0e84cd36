/* Opening, closing and describing a store: see store.h. */
#include "store/store.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "store/backfill.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define RETENTION_MS_DEFAULT (15 * DAY_MS)
#define ROLLUP_RETENTION_MS_DEFAULT (400 * DAY_MS)
#define LOG_BYTES_DEFAULT ((size_t)64 << 20)
#define FLUSH_INTERVAL_MS_DEFAULT (30 * MINUTE_MS)
#define FLUSH_INTERVAL_MS_MAX (365 * DAY_MS) /* nanoseconds of it fit */
#define SERIES_MAX_DEFAULT 10000000
#define SERIES_MAX_LIMIT 200000000 /* what the blocks of the head can hold */
#define EXEMPLARS_MAX_DEFAULT 100000
#define EXEMPLARS_MAX_LIMIT 100000000 /* what the blocks of the ring can hold */
#define OUT_OF_ORDER_MS_DEFAULT (10 * MINUTE_MS)
#define FUTURE_MS_DEFAULT (10 * MINUTE_MS)
#define PROBE_MS_DEFAULT 1000
#define PROBE_MS_MAX (60 * MINUTE_MS)
#define FLUSH_PAUSE_NS_DEFAULT INT64_C(20000000)
#define COMPACT_WINDOW_MS_DEFAULT (120 * MINUTE_MS)
#define COMPACT_WINDOW_MS_MAX (365 * DAY_MS)

/* ---- options ---- */

static int64_t pick(int64_t value, int64_t when_zero, int64_t max) {
    int64_t picked = value == 0 ? when_zero : value;
    return picked > max ? max : picked;
}

static struct sn_store_options fill_options(const struct sn_store_options *given) {
    struct sn_store_options options = *given;
    options.dir = NULL; /* borrowed for open only */
    if (!options.clock)
        options.clock = sn_clock_system();
    options.retention_ms = pick(given->retention_ms, RETENTION_MS_DEFAULT, INT64_MAX);
    options.rollup_retention_ms =
        pick(given->rollup_retention_ms, ROLLUP_RETENTION_MS_DEFAULT, INT64_MAX);
    if (given->log_bytes_max == 0)
        options.log_bytes_max = LOG_BYTES_DEFAULT;
    options.flush_interval_ms =
        pick(given->flush_interval_ms, FLUSH_INTERVAL_MS_DEFAULT, FLUSH_INTERVAL_MS_MAX);
    if (given->series_max == 0)
        options.series_max = SERIES_MAX_DEFAULT;
    if (options.series_max > SERIES_MAX_LIMIT)
        options.series_max = SERIES_MAX_LIMIT;
    options.label_limits = sn_label_limits_fill(given->label_limits);
    /* One below: the largest number means replay to the head. */
    options.out_of_order_window_ms =
        pick(given->out_of_order_window_ms, OUT_OF_ORDER_MS_DEFAULT, SN_HEAD_REPLAY - 1);
    options.exemplars_max = pick(given->exemplars_max, EXEMPLARS_MAX_DEFAULT, EXEMPLARS_MAX_LIMIT);
    if (options.exemplars_max < 0)
        options.exemplars_max = 0;
    options.future_max_ms = pick(given->future_max_ms, FUTURE_MS_DEFAULT, INT64_MAX);
    options.probe_interval_ms = pick(given->probe_interval_ms, PROBE_MS_DEFAULT, PROBE_MS_MAX);
    options.flush_pause_ns = pick(given->flush_pause_ns, FLUSH_PAUSE_NS_DEFAULT, INT64_MAX);
    options.compact_window_ms =
        pick(given->compact_window_ms, COMPACT_WINDOW_MS_DEFAULT, COMPACT_WINDOW_MS_MAX);
    return options;
}

/* ---- the directory ---- */

static sn_status make_path(char ret_path[SN_PATH_BYTES_MAX], const char *dir, const char *name,
                           struct sn_err *err) {
    int len = snprintf(ret_path, SN_PATH_BYTES_MAX, "%s%s", dir, name);
    /* Room for the longest name of a file in it. */
    if (len <= 0 || len > SN_PATH_BYTES_MAX - 64)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    return SN_OK;
}

static sn_status make_dirs(struct sn_store *store, const char *dir, struct sn_err *err) {
    SN_TRY(make_path(store->dir, dir, "", err));
    SN_TRY(make_path(store->wal_dir, dir, "/wal", err));
    SN_TRY(make_path(store->seg_dir, dir, "/seg", err));
    SN_TRY(sn_os_make_dirs(store->wal_dir, err));
    SN_TRY(sn_os_make_dirs(store->seg_dir, err));
    if (sn_os_sync_dir(store->dir) != 0)
        return sn_err_set_errno(err, errno, "cannot sync %s", store->dir);
    return SN_OK;
}

static sn_status held_by_other(int fd, const char *dir, struct sn_err *err) {
    char pid[24] = "";
    ssize_t len = sn_os_pread(fd, pid, sizeof pid - 1, 0);
    while (len > 0 && (pid[len - 1] < '0' || pid[len - 1] > '9'))
        len--;
    return sn_err_set(err, SN_ERR_BUSY, "the data directory %s is in use by process %.*s", dir,
                      len > 0 ? (int)len : 1, len > 0 ? pid : "?");
}

static sn_status take_lock(struct sn_store *store, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    char pid[24];
    SN_TRY(make_path(path, store->dir, "/LOCK", err));
    store->lock_fd = sn_os_open(path, O_RDWR | O_CREAT, 0640);
    if (store->lock_fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    if (sn_os_flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return held_by_other(store->lock_fd, store->dir, err);
        return sn_err_set_errno(err, errno, "cannot lock %s", path);
    }
    int len = snprintf(pid, sizeof pid, "%d\n", sn_os_pid());
    if (sn_os_ftruncate(store->lock_fd, 0) != 0 ||
        sn_os_pwrite_all(store->lock_fd, pid, (size_t)len, 0) != 0)
        return sn_err_set_errno(err, errno, "cannot write %s", path);
    return SN_OK;
}

/* ---- opening and closing ---- */

static void init_locks(struct sn_store *store) {
    sn_mutex_init(&store->delete_mu, SN_RANK_STORE_DELETE, "store delete");
    sn_mutex_init(&store->flush_mu, SN_RANK_STORE_FLUSH, "store flush");
    sn_mutex_init(&store->index_mu, SN_RANK_STORE_INDEX, "store index");
    sn_mutex_init(&store->append_mu, SN_RANK_STORE_APPEND, "store append");
    sn_mutex_init(&store->wake_mu, SN_RANK_STORE_SYNC, "store wake");
    sn_cond_init(&store->group_ready);
    sn_cond_init(&store->wake);
}

static void release_locks(struct sn_store *store) {
    sn_cond_release(&store->wake);
    sn_cond_release(&store->group_ready);
    sn_mutex_release(&store->wake_mu);
    sn_mutex_release(&store->append_mu);
    sn_mutex_release(&store->index_mu);
    sn_mutex_release(&store->flush_mu);
    sn_mutex_release(&store->delete_mu);
}

/* Everything that needs no memory and no file, so that close may always release it. */
static void init_parts(struct sn_store *store) {
    uint64_t seed = sn_rng_system_seed();
    init_locks(store);
    store->lock_fd = -1;
    store->epoch = 1;
    sn_pack_cache_init(&store->cache);
    sn_series_index_init(&store->index, SERIES_MAX_LIMIT, seed);
    sn_metadata_table_init(&store->metadata, seed);
    sn_head_init(&store->head);
    sn_group_queue_init(&store->queue);
    sn_exemplars_init(&store->exemplars, (uint64_t)store->options.exemplars_max);
    sn_log_files_init(&store->log, store->wal_dir);
    sn_buf_init(&store->commit_buf, 0);
    sn_buf_init(&store->labels_buf, 0);
    store->flush_last_ns = sn_store_mono_ns(store);
    store->retention_checked_ns = store->flush_last_ns;
}

static sn_status open_parts(struct sn_store *store, const char *dir, struct sn_err *err) {
    sn_status status = sn_segments_init(&store->segments);
    if (sn_log_writer_init(&store->log_writer) != SN_OK)
        status = SN_ERR_NO_MEMORY;
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to open a store");
    SN_TRY(make_dirs(store, dir, err));
    SN_TRY(take_lock(store, err));
    SN_TRY(sn_catalog_open(&store->catalog, store->dir, err));
    SN_TRY(sn_store_recover(store, err));
    /* The limit is for new series: a lower one than before must not keep the store shut. */
    store->index.count_max = (uint32_t)store->options.series_max;
    store->index.per_metric_max = store->options.series_per_metric_max;
    return SN_OK;
}

static void release_store(struct sn_store *store) {
    sn_catalog_close(&store->catalog);
    sn_buf_release(&store->commit_buf);
    sn_buf_release(&store->labels_buf);
    sn_log_writer_release(&store->log_writer);
    sn_log_files_release(&store->log);
    sn_group_queue_release(&store->queue);
    sn_exemplars_release(&store->exemplars);
    sn_exemplar_rows_release(&store->exemplar_rows);
    sn_head_release(&store->head);
    sn_metadata_table_release(&store->metadata);
    sn_series_index_release(&store->index);
    sn_series_order_unref(store->label_order);
    (void)sn_bitmap_free(store->removed_pending); /* NULL, always */
    sn_pack_cache_release(&store->cache);
    sn_segments_release(&store->segments);
    sn_free(store->order);
    if (store->lock_fd >= 0)
        (void)sn_os_close(store->lock_fd); /* gives the lock back */
    release_locks(store);
    sn_free(store);
}

sn_status sn_store_open(const struct sn_store_options *options, struct sn_store **ret_store,
                        struct sn_err *err) {
    if (!options->dir || options->dir[0] == '\0')
        return sn_err_set(err, SN_ERR_INVALID, "no data directory was given");
    struct sn_store *store = sn_alloc_zero(1, sizeof *store);
    if (!store)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open a store");
    store->options = fill_options(options);
    init_parts(store);
    sn_status status = open_parts(store, options->dir, err);
    if (status != SN_OK) {
        release_store(store);
        return status;
    }
    *ret_store = store;
    return SN_OK;
}

struct sn_store *sn_store_close(struct sn_store *store) {
    if (!store)
        return NULL;
    sn_store_commit_queued(store);
    /* A relaxed log may have writes that were not forced out; strict ones have none. */
    if (store->is_unsynced)
        (void)(sn_log_sync(&store->log, NULL) == SN_OK);
    release_store(store);
    return NULL;
}

/* ---- doors and workers ---- */

struct sn_sink sn_store_sink(struct sn_store *store) {
    return (struct sn_sink){.ctx = store, .push = sn_store_push};
}

struct sn_reader sn_store_reader(struct sn_store *store) {
    return sn_store_make_reader(store);
}

static void describe_storage(void *ctx, struct sn_storage *ret_storage) {
    struct sn_store *store = ctx;
    struct sn_store_stats stats;
    sn_store_stats(store, &stats);
    struct sn_storage storage = {.series_count = stats.series_count,
                                 .segment_count = stats.segment_count,
                                 .segment_bytes = stats.segment_bytes,
                                 .segment_sample_count = stats.segment_sample_count,
                                 .rollup_bytes = stats.rollup_bytes,
                                 .log_bytes = stats.log_bytes,
                                 .log_file_count = stats.log_file_count,
                                 .head_bytes = stats.head_bytes};
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    storage.tombstone_count = set->tombstones ? set->tombstones->count : 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_segment_footer *footer = &set->items[i]->footer;
        if (i == 0 || footer->time_min < storage.time_min)
            storage.time_min = footer->time_min;
        if (i == 0 || footer->time_max > storage.time_max)
            storage.time_max = footer->time_max;
    }
    sn_segment_set_unref(set);
    *ret_storage = storage;
}

struct sn_admin sn_store_admin(struct sn_store *store) {
    return (struct sn_admin){
        .ctx = store,
        .cardinality = sn_store_cardinality,
        .storage = describe_storage,
        .snapshot = sn_store_snapshot,
        .delete_snapshot = sn_store_delete_snapshot,
        .delete_series = sn_store_delete_series,
        .clean_tombstones = sn_store_clean_tombstones,
        .backfill = sn_store_backfill_sink(store),
    };
}

size_t sn_store_workers(struct sn_store *store, struct sn_worker *ret_workers, size_t count_max) {
    const struct sn_worker workers[] = {
        {.name = "store-sync", .run = sn_store_sync_run, .stop = sn_store_sync_stop, .ctx = store},
        {.name = "store-flush",
         .run = sn_store_flush_run,
         .stop = sn_store_flush_stop,
         .ctx = store},
    };
    size_t count = sizeof workers / sizeof *workers;
    for (size_t i = 0; i < count && i < count_max; i++)
        ret_workers[i] = workers[i];
    return count;
}

/* ---- describing ---- */

static uint64_t load(atomic_uint_fast64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void count_pushes(struct sn_store *store, struct sn_store_stats *stats) {
    struct sn_store_counters *counters = &store->counters;
    stats->sample_count = load(&counters->sample);
    stats->out_of_order_count = load(&counters->out_of_order);
    stats->push_count = load(&counters->push);
    stats->refused_count = load(&counters->refused);
    for (int i = 0; i < SN_REJECT_COUNT; i++)
        stats->rejected_count[i] = load(&counters->rejected[i]);
    stats->flush_count = load(&counters->flush);
    stats->flush_failure_count = load(&counters->flush_failure);
    stats->retention_segment_count = load(&counters->retention_segment);
    stats->compaction_count = load(&counters->compaction);
    stats->compaction_failure_count = load(&counters->compaction_failure);
    stats->compaction_bytes_in = load(&counters->compaction_bytes_in);
    stats->compaction_bytes_out = load(&counters->compaction_bytes_out);
    stats->compaction_damaged_count = load(&counters->compaction_damaged);
    stats->rollup_window_count = load(&counters->rollup);
    stats->removed_series_count = load(&counters->removed_series);
}

static void count_segments(struct sn_store *store, struct sn_store_stats *stats) {
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    stats->segment_count = set->count;
    for (size_t i = 0; i < set->count; i++) {
        stats->segment_bytes += set->items[i]->bytes;
        stats->segment_sample_count += set->items[i]->footer.sample_count;
    }
    for (size_t i = 0; set->rollups && i < set->rollups->count; i++) {
        const struct sn_segment *file = set->rollups->items[i].segment;
        stats->rollup_file_count += file != NULL;
        stats->rollup_bytes += file ? file->bytes : 0;
    }
    sn_segment_set_unref(set);
}

static void count_log(struct sn_store *store, struct sn_store_stats *stats) {
    struct sn_log_totals totals = sn_log_totals(&store->log);
    stats->log_bytes = totals.bytes;
    stats->log_file_count = totals.file_count;
    stats->log_sync_count = totals.sync_count;
    stats->log_sync_failure_count = totals.failure_count;
}

void sn_store_stats(struct sn_store *store, struct sn_store_stats *ret_stats) {
    struct sn_store_stats stats = {.recovery = store->recovery};
    count_pushes(store, &stats);
    count_segments(store, &stats);
    count_log(store, &stats);
    sn_mutex_lock(&store->index_mu);
    stats.series_count = sn_series_index_live_count(&store->index);
    sn_mutex_unlock(&store->index_mu);
    sn_mutex_lock(&store->append_mu);
    for (int i = 0; i < 2; i++)
        stats.head_bytes += sn_blocks_bytes(&store->head.epochs[i].arena.blocks);
    stats.exemplar_count = sn_exemplars_count(&store->exemplars);
    stats.is_refusing = store->refusal.is_refusing;
    stats.refusing_since_wall_ms = store->refusal.since_wall_ms;
    stats.refusing_reason = store->refusal.reason;
    sn_mutex_unlock(&store->append_mu);
    sn_mutex_lock(&store->wake_mu);
    stats.flush_last_duration_ns = store->flush_duration_ns;
    stats.flush_last_error = store->flush_error;
    stats.compaction_last_duration_ns = store->compaction_duration_ns;
    stats.compaction_last_error = store->compaction_error;
    stats.compaction_damage = store->compaction_damage;
    sn_mutex_unlock(&store->wake_mu);
    *ret_stats = stats;
}

sn_status sn_store_health(struct sn_store *store, struct sn_err *err) {
    struct sn_store_stats stats;
    sn_store_stats(store, &stats);
    if (stats.is_refusing) {
        char since[SN_TIME_TEXT_SIZE];
        sn_time_format(stats.refusing_since_wall_ms, since);
        return sn_err_set(err, stats.refusing_reason.status, "since %s %s", since,
                          stats.refusing_reason.text);
    }
    if (stats.flush_last_error.status != SN_OK)
        return sn_err_set(err, stats.flush_last_error.status, "the last flush failed: %s",
                          stats.flush_last_error.text);
    if (stats.recovery.segment_damaged_count > 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "%llu segments are damaged: %s",
                          (unsigned long long)stats.recovery.segment_damaged_count,
                          stats.recovery.first_damage.text);
    if (stats.compaction_damage.status != SN_OK)
        return sn_err_set(err, stats.compaction_damage.status, "a segment cannot be merged: %s",
                          stats.compaction_damage.text);
    if (stats.compaction_last_error.status != SN_OK)
        return sn_err_set(err, stats.compaction_last_error.status, "the last compaction failed: %s",
                          stats.compaction_last_error.text);
    return SN_OK;
}
