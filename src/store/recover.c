/*
 * Recovery: from a data directory to the state before the stop, however it stopped.
 *
 *   catalogue -> series, segments, metadata
 *   seg/      -> files without a row are deleted
 *   wal/      -> flushed logs are deleted, the others replayed in order of their numbers
 *
 * Invariants:
 *   1. A log is good up to its first byte that is no record; the rest is cut off and counted. The
 *      next log goes on: a failing disk makes the store change files in the middle.
 *   2. Nothing that was replayed counts as durable by itself: series that are not in the catalogue
 *      are defined again by the first group (defined_count), because the bytes that defined them may
 *      have been read from a cache that never reached the disk.
 *   3. A file that cannot be read (EIO) or is of a newer format stops the store: nothing is cut off.
 *
 * One thread, before anybody else knows the store.
 */
#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/histogram_chunk.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

/* Two of the largest records: the window always holds a whole one. */
#define WINDOW_BYTES (2 * (SN_LOG_PAYLOAD_BYTES_MAX + SN_LOG_RECORD_HEADER_BYTES))

static void note_damage(struct sn_store *store, const struct sn_err *why) {
    if (store->recovery.first_damage.status == SN_OK)
        store->recovery.first_damage = *why;
}

/* ---- the catalogue ---- */

/* Ids below that nothing has are those of series that are gone. */
static sn_status load_series_end(void *ctx, uint64_t end, struct sn_err *err) {
    struct sn_store *store = ctx;
    uint32_t id;
    while (store->index.count < end)
        SN_TRY(sn_series_index_add_removed(&store->index, &id, err));
    return SN_OK;
}

static sn_status load_series(void *ctx, uint64_t id, struct sn_str labels, struct sn_err *err) {
    struct sn_store *store = ctx;
    if (id < SN_SERIES_IDS_MAX)
        SN_TRY(load_series_end(ctx, id, err));
    uint32_t hash = sn_series_index_hash(&store->index, labels);
    uint32_t new_id;
    if (id != store->index.count || sn_series_index_find(&store->index, labels, hash, &new_id))
        return sn_err_set(err, SN_ERR_CORRUPT, "sonde.db: series %" PRIu64 " is out of place", id);
    return sn_series_index_add(&store->index, labels, hash, &new_id, err);
}

static sn_status load_segment(void *ctx, const struct sn_segment_row *row, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_segment *segment;
    SN_TRY(sn_segment_open(store->seg_dir, row, store->index.count, &segment, err));
    if (segment->damage.status != SN_OK) {
        store->recovery.segment_damaged_count++;
        note_damage(store, &segment->damage);
    }
    struct sn_segment_set *set = sn_segments_with(&store->segments, segment);
    sn_segment_unref(segment);
    if (!set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
    sn_segments_publish(&store->segments, set);
    if (row->id >= store->segment_id_next)
        store->segment_id_next = row->id + 1;
    if (row->rank >= store->segment_id_next)
        store->segment_id_next = row->rank + 1;
    return SN_OK;
}

static sn_status load_metadata(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    struct sn_store *store = ctx;
    bool is_changed;
    sn_status status = sn_metadata_table_put(&store->metadata, metadata, true, &is_changed);
    if (status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, status, "no memory for metadata");
    return SN_OK; /* beyond a limit a help text is left out */
}

static sn_status load_churn(void *ctx, int64_t hour_ms, uint64_t count, struct sn_err *err) {
    struct sn_store *store = ctx;
    (void)err;
    sn_churn_load(&store->churn, hour_ms, count);
    return SN_OK;
}

struct rollup_list {
    struct sn_store *store;
    struct sn_rollup_file *items; /* [capacity], owned */
    size_t count;
    size_t capacity;
};

static sn_status load_rollup(void *ctx, const struct sn_rollup_row *row, struct sn_err *err) {
    struct rollup_list *list = ctx;
    struct sn_store *store = list->store;
    struct sn_rollup_file file = {.id = row->file.id,
                                  .rank = row->file.rank,
                                  .width_ms = row->width_ms,
                                  .start_ms = row->start_ms,
                                  .end_ms = row->end_ms};
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct sn_rollup_file *items = sn_realloc_array(list->items, capacity, sizeof *items);
        if (!items)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of rollups");
        list->items = items;
        list->capacity = capacity;
    }
    if (row->file.bytes > 0)
        SN_TRY(sn_segment_open(store->seg_dir, &row->file, store->index.count, &file.segment, err));
    if (file.segment && file.segment->damage.status != SN_OK) {
        store->recovery.segment_damaged_count++;
        note_damage(store, &file.segment->damage);
    }
    list->items[list->count++] = file;
    if (row->file.id >= store->segment_id_next)
        store->segment_id_next = row->file.id + 1;
    return SN_OK;
}

static sn_status load_rollups(struct sn_store *store, struct sn_err *err) {
    struct rollup_list list = {.store = store};
    struct sn_rollup_change change = {.raw_from_ms = INT64_MIN};
    sn_status status =
        sn_catalog_load_rollups(&store->catalog, load_rollup, &list, &change.raw_from_ms, err);
    change.more = list.items;
    change.more_count = list.count;
    if (status == SN_OK && (list.count > 0 || change.raw_from_ms != INT64_MIN)) {
        struct sn_rollup_files *made = sn_rollup_files_changed(NULL, &change);
        struct sn_segment_set *set = made ? sn_segments_with_rollups(&store->segments, made) : NULL;
        sn_rollup_files_unref(made);
        if (set)
            sn_segments_publish(&store->segments, set);
        else
            status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of rollups");
    }
    for (size_t i = 0; i < list.count; i++)
        sn_segment_unref(list.items[i].segment);
    sn_free(list.items);
    return status;
}

struct rows {
    struct sn_tombstone *items; /* [capacity], owned */
    size_t count;
    size_t capacity;
};

static sn_status load_tombstone(void *ctx, const struct sn_tombstone *tombstone,
                                struct sn_err *err) {
    struct rows *rows = ctx;
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
        struct sn_tombstone *items = sn_realloc_array(rows->items, capacity, sizeof *items);
        if (!items)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for deleted ranges");
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = *tombstone;
    return SN_OK;
}

static sn_status load_tombstones(struct sn_store *store, struct sn_err *err) {
    struct rows rows = {0};
    sn_status status = sn_catalog_load_tombstones(&store->catalog, load_tombstone, &rows, err);
    if (status == SN_OK && rows.count > 0) {
        struct sn_tombstones *made = sn_tombstones_with(NULL, false, false, rows.items, rows.count);
        struct sn_segment_set *set =
            made ? sn_segments_with_tombstones(&store->segments, made) : NULL;
        sn_tombstones_unref(made);
        if (set)
            sn_segments_publish(&store->segments, set);
        else
            status =
                sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu deleted ranges", rows.count);
    }
    sn_free(rows.items);
    return status;
}

/* ---- files of a directory by their numbers ---- */

struct file_list {
    const char *suffix;
    uint64_t *numbers; /* [capacity], owned */
    size_t count;
    size_t capacity;
    bool failed;
};

/* "00000012.log" with the suffix ".log" gives 12; anything else is not ours. */
static bool parse_name(const char *name, const char *suffix, uint64_t *ret_number) {
    uint64_t number = 0;
    const char *at = name;
    for (; *at >= '0' && *at <= '9' && at - name < 18; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == name || strcmp(at, suffix) != 0)
        return false;
    *ret_number = number;
    return true;
}

static bool add_file(void *ctx, const char *name) {
    struct file_list *list = ctx;
    uint64_t number;
    if (!parse_name(name, list->suffix, &number))
        return true;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        uint64_t *numbers = sn_realloc_array(list->numbers, capacity, sizeof *numbers);
        list->failed = numbers == NULL;
        if (!numbers)
            return false;
        list->numbers = numbers;
        list->capacity = capacity;
    }
    list->numbers[list->count++] = number;
    return true;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static sn_status list_files(const char *dir, struct file_list *list, struct sn_err *err) {
    SN_TRY(sn_os_list_dir(dir, add_file, list, err));
    if (list->failed)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to list %s", dir);
    if (list->count > 1)
        qsort(list->numbers, list->count, sizeof *list->numbers, compare_numbers);
    return SN_OK;
}

/* ---- orphans ---- */

static bool has_segment(const struct sn_segment_set *set, uint64_t id) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i]->id == id)
            return true;
    }
    for (size_t i = 0; set->rollups && i < set->rollups->count; i++) {
        if (set->rollups->items[i].segment && set->rollups->items[i].id == id)
            return true;
    }
    return false;
}

static sn_status delete_orphans(struct sn_store *store, const char *suffix, struct sn_err *err) {
    struct file_list list = {.suffix = suffix};
    bool is_temporary = strcmp(suffix, ".seg") != 0;
    sn_status status = list_files(store->seg_dir, &list, err);
    for (size_t i = 0; i < list.count && status == SN_OK; i++) {
        char path[SN_PATH_BYTES_MAX + 8];
        if (!is_temporary && has_segment(store->segments.set, list.numbers[i]))
            continue;
        int len = snprintf(path, sizeof path, "%s/%08" PRIu64 "%s", store->seg_dir, list.numbers[i],
                           suffix);
        if (len > 0 && (size_t)len < sizeof path && sn_os_unlink(path) == 0)
            store->recovery.segment_orphan_count++;
    }
    sn_free(list.numbers);
    return status;
}

/* ---- one log ---- */

struct replay {
    struct sn_store *store;
    struct sn_log_reader reader;
    uint8_t *window; /* [WINDOW_BYTES], owned */
    int fd;
    uint64_t file_bytes;
    uint64_t read_bytes; /* of the file, so far */
    uint64_t good_bytes; /* of the file, behind the last good record */
    const uint8_t *at;   /* in the window: behind the last good record */
    const uint8_t *end;  /* in the window */
    /* int64_t per series: since when it counts, as the last record that says so has it. Empty until
     * there is one; forgotten behind damage, which may have said another. */
    struct sn_blocks starts;
    struct sn_arena arena; /* of the histogram being checked */
};

enum { STARTS_SHIFT = 14, STARTS_TABLE = 1 << 14 };

/* Keep at least one whole record in the window while the file has one. */
static sn_status refill(struct replay *replay, struct sn_err *err) {
    size_t left = (size_t)(replay->end - replay->at);
    if (left >= WINDOW_BYTES / 2 || replay->read_bytes == replay->file_bytes)
        return SN_OK;
    memmove(replay->window, replay->at, left);
    uint64_t more = replay->file_bytes - replay->read_bytes;
    if (more > WINDOW_BYTES - left)
        more = WINDOW_BYTES - left;
    ssize_t got =
        sn_os_pread_all(replay->fd, replay->window + left, more, (int64_t)replay->read_bytes);
    if (got < 0)
        return sn_err_set_errno(err, errno, "cannot read");
    replay->at = replay->window;
    replay->end = replay->window + left + (size_t)got;
    replay->read_bytes += (uint64_t)got;
    if ((uint64_t)got < more)
        replay->file_bytes = replay->read_bytes; /* it became shorter meanwhile */
    return SN_OK;
}

/* The series was removed and has come back under a new id; the catalogue has not heard of it yet. */
static sn_status remove_old(struct sn_store *store, uint32_t id, struct sn_err *err) {
    if (!store->removed_pending)
        store->removed_pending = sn_bitmap_new(NULL, 0);
    if (!store->removed_pending || sn_series_index_remove(&store->index, id) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to replay the log");
    sn_bitmap_add(store->removed_pending, id);
    return SN_OK;
}

static sn_status replay_series(struct replay *replay, const struct sn_log_record *record,
                               struct sn_err *err) {
    struct sn_series_index *index = &replay->store->index;
    struct sn_log_series_cursor cursor;
    SN_TRY(sn_log_read_series(record, &cursor, err));
    uint32_t id;
    struct sn_str labels;
    sn_status status;
    while ((status = sn_log_next_series(&cursor, &id, &labels)) == SN_OK) {
        uint32_t hash = sn_series_index_hash(index, labels);
        uint32_t known;
        bool is_known = sn_series_index_find(index, labels, hash, &known);
        if (sn_series_index_is_removed(index, id))
            continue; /* defined again by a recovery, and removed since */
        if (is_known && known < id && id == index->count) {
            SN_TRY(remove_old(replay->store, known, err));
            is_known = false;
        }
        if (is_known ? known != id : id != index->count)
            return sn_err_set(err, SN_ERR_CORRUPT, "series %u is defined twice or out of place",
                              id);
        if (!is_known)
            SN_TRY(sn_series_index_add(index, labels, hash, &known, err));
    }
    if (status != SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "a series record does not decode");
    return SN_OK;
}

static sn_status check_known(const struct sn_log_reader *reader, uint32_t series_count,
                             uint32_t *ret_id_max, struct sn_err *err) {
    uint32_t id_max = 0;
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->series[i] > id_max)
            id_max = reader->series[i];
    }
    if (id_max >= series_count)
        return sn_err_set(err, SN_ERR_CORRUPT, "samples of series %u, which is not defined",
                          id_max);
    *ret_id_max = id_max;
    return SN_OK;
}

/* Since when the sample counts, which may be what the next start time of the record says. */
static sn_status find_start(struct replay *replay, size_t i, size_t *next_start,
                            int64_t *ret_start_ms) {
    const struct sn_log_reader *reader = &replay->reader;
    uint32_t id = reader->series[i];
    bool is_said = *next_start < reader->start_count && reader->starts[*next_start].at == i;
    *ret_start_ms = 0;
    if (is_said)
        SN_TRY(sn_blocks_reach(&replay->starts, id));
    if (id >> STARTS_SHIFT >= replay->starts.block_count)
        return SN_OK;
    int64_t *start_ms = sn_blocks_at(&replay->starts, id);
    if (is_said)
        *start_ms = reader->starts[(*next_start)++].start_ms;
    *ret_start_ms = *start_ms;
    return SN_OK;
}

static sn_status replay_samples(struct replay *replay, const struct sn_log_record *record,
                                struct sn_err *err) {
    struct sn_store *store = replay->store;
    struct sn_log_reader *reader = &replay->reader;
    uint32_t id_max = 0;
    SN_TRY(sn_log_read_samples(reader, record, err));
    SN_TRY(check_known(reader, store->index.count, &id_max, err));
    sn_status status = sn_head_reach(&store->head, id_max);
    size_t next_start = 0;
    for (size_t i = 0; i < reader->count && status == SN_OK; i++) {
        struct sn_head_outcome outcome;
        struct sn_head_sample sample = {.time_ms = reader->time_ms[i], .value = reader->value[i]};
        status = find_start(replay, i, &next_start, &sample.start_ms);
        if (status == SN_OK)
            status =
                sn_head_append(&store->head, reader->series[i], sample, SN_HEAD_REPLAY, &outcome);
    }
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to replay the log");
    store->recovery.log_sample_count += reader->count;
    return SN_OK;
}

/* Foreign bytes until they have been decoded once. */
static sn_status check_histogram(struct replay *replay, const struct sn_log_histogram *logged,
                                 struct sn_err *err) {
    struct sn_histogram histogram;
    if (logged->series >= replay->store->index.count)
        return sn_err_set(err, SN_ERR_CORRUPT, "a histogram of series %u, which is not defined",
                          logged->series);
    sn_arena_reset(&replay->arena);
    sn_status status = sn_histogram_chunk_decode(logged->block, 1, &replay->arena, &histogram);
    if (status != SN_OK)
        return sn_err_set(err, status, "a histogram does not decode");
    return SN_OK;
}

static sn_status replay_histograms(struct replay *replay, const struct sn_log_record *record,
                                   struct sn_err *err) {
    struct sn_store *store = replay->store;
    struct sn_log_item_cursor cursor;
    struct sn_log_histogram logged;
    sn_status status;
    SN_TRY(sn_log_read_items(&replay->reader, record, &cursor, err));
    while ((status = sn_log_next_histogram(&cursor, &logged)) == SN_OK) {
        enum sn_head_verdict verdict;
        struct sn_histogram_entry entry = {.time_ms = logged.time_ms, .start_ms = logged.start_ms};
        SN_TRY(check_histogram(replay, &logged, err));
        status = sn_head_reach(&store->head, logged.series);
        if (status == SN_OK)
            status = sn_head_append_histogram(&store->head, logged.series, &entry, logged.block,
                                              SN_HEAD_REPLAY, &verdict);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to replay the log");
        store->recovery.log_sample_count++;
    }
    if (status != SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "a histograms record does not decode");
    return SN_OK;
}

/* Those that the catalogue has as well are not taken again. */
static sn_status replay_exemplar(struct sn_store *store, const struct sn_log_exemplar *exemplar,
                                 struct sn_err *err) {
    enum sn_exemplar_verdict verdict;
    if (exemplar->series >= store->index.count)
        return sn_err_set(err, SN_ERR_CORRUPT, "an exemplar of series %u, which is not defined",
                          exemplar->series);
    if (store->exemplars.limit == 0)
        return SN_OK;
    sn_status status = sn_exemplars_add(&store->exemplars, exemplar, &verdict);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory for exemplars");
    return SN_OK;
}

static sn_status replay_exemplars(struct sn_store *store, struct sn_log_reader *reader,
                                  const struct sn_log_record *record, struct sn_err *err) {
    struct sn_log_item_cursor cursor;
    struct sn_log_exemplar exemplar;
    sn_status status;
    SN_TRY(sn_log_read_items(reader, record, &cursor, err));
    while ((status = sn_log_next_exemplar(&cursor, &exemplar)) == SN_OK)
        SN_TRY(replay_exemplar(store, &exemplar, err));
    if (status != SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "an exemplars record does not decode");
    return SN_OK;
}

static sn_status load_records(struct sn_store *store, struct sn_log_reader *reader,
                              struct sn_str records, struct sn_err *err) {
    if (records.len == 0)
        return SN_OK; /* all were deleted */
    const uint8_t *at = (const uint8_t *)records.ptr;
    const uint8_t *end = at + records.len;
    struct sn_log_record record;
    sn_status status;
    while ((status = sn_log_next(&at, end, &record, err)) == SN_OK) {
        if (record.type != SN_LOG_EXEMPLARS)
            return sn_err_set(err, SN_ERR_CORRUPT, "a record of another type");
        SN_TRY(replay_exemplars(store, reader, &record, err));
    }
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

/* Examples that do not decode are no reason to keep the store shut. */
static sn_status load_exemplars(void *ctx, uint64_t id, struct sn_str records, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct sn_err why = {.status = SN_OK};
    struct sn_log_reader reader;
    sn_status status = sn_log_reader_init(&reader);
    if (status == SN_OK)
        status = load_records(store, &reader, records, &why);
    sn_log_reader_release(&reader);
    if (status == SN_ERR_CORRUPT) {
        sn_err_prefix(&why, "sonde.db: exemplars");
        note_damage(store, &why);
        status = SN_OK;
    }
    store->exemplars.stored = store->exemplars.next;
    if (status == SN_OK)
        status = sn_exemplar_rows_add(&store->exemplar_rows, id, store->exemplars.next);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "no memory for exemplars");
}

static sn_status replay_metadata(struct replay *replay, const struct sn_log_record *record,
                                 struct sn_err *err) {
    struct sn_metadata metadata;
    bool is_changed;
    SN_TRY(sn_log_read_metadata(record, &metadata, err));
    sn_status status =
        sn_metadata_table_put(&replay->store->metadata, &metadata, false, &is_changed);
    if (status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, status, "no memory for metadata");
    return SN_OK; /* beyond a limit a help text is left out */
}

static sn_status replay_record(struct replay *replay, const struct sn_log_record *record,
                               struct sn_err *err) {
    switch (record->type) {
    case SN_LOG_SERIES:
        return replay_series(replay, record, err);
    case SN_LOG_SAMPLES:
        return replay_samples(replay, record, err);
    case SN_LOG_METADATA:
        return replay_metadata(replay, record, err);
    case SN_LOG_HISTOGRAMS:
        return replay_histograms(replay, record, err);
    case SN_LOG_EXEMPLARS:
        return replay_exemplars(replay->store, &replay->reader, record, err);
    }
    return sn_err_set(err, SN_ERR_CORRUPT, "a record of unknown type");
}

/* Records until the end (SN_ERR_NOT_FOUND) or the first that is none (SN_ERR_CORRUPT). */
static sn_status replay_records(struct replay *replay, struct sn_err *err) {
    for (;;) {
        struct sn_log_record record;
        SN_TRY(refill(replay, err));
        const uint8_t *before = replay->at;
        SN_TRY(sn_log_next(&replay->at, replay->end, &record, err));
        sn_status status = replay_record(replay, &record, err);
        if (status != SN_OK) {
            replay->at = before;
            return status;
        }
        replay->good_bytes += (uint64_t)(replay->at - before);
    }
}

/* A header that is damaged says nothing about the records, which have sums of their own. */
static sn_status replay_header(struct replay *replay, struct sn_err *err) {
    SN_TRY(refill(replay, err));
    size_t len = (size_t)(replay->end - replay->at);
    if (len < SN_LOG_HEADER_BYTES)
        return SN_ERR_NOT_FOUND; /* made, and never written to */
    sn_status status = sn_log_check_header(replay->at, len, err);
    replay->at += SN_LOG_HEADER_BYTES;
    replay->good_bytes = SN_LOG_HEADER_BYTES;
    return status;
}

static void cut_off(struct replay *replay, uint64_t number, const struct sn_err *why) {
    struct sn_store_recovery *recovery = &replay->store->recovery;
    struct sn_err damage = *why;
    sn_err_prefix(&damage, "wal/%08" PRIu64 ".log at byte %" PRIu64, number, replay->good_bytes);
    note_damage(replay->store, &damage);
    sn_blocks_reset(&replay->starts);
    recovery->log_damaged_count++;
    recovery->log_bytes_dropped += replay->file_bytes - replay->good_bytes;
    /* When this fails the next recovery does it again. */
    (void)sn_os_ftruncate(replay->fd, (int64_t)replay->good_bytes);
}

static sn_status replay_open_file(struct replay *replay, uint64_t number, struct sn_err *err) {
    struct stat stat;
    if (sn_os_fstat(replay->fd, &stat) != 0)
        return sn_err_set_errno(err, errno, "cannot stat");
    replay->file_bytes = (uint64_t)stat.st_size;
    replay->read_bytes = 0;
    replay->good_bytes = 0;
    replay->at = replay->window;
    replay->end = replay->window;
    struct sn_err why = {.status = SN_OK};
    sn_status status = replay_header(replay, &why);
    if (status == SN_ERR_CORRUPT) {
        sn_err_prefix(&why, "wal/%08" PRIu64 ".log", number);
        note_damage(replay->store, &why);
        status = SN_OK;
    }
    if (status == SN_OK)
        status = replay_records(replay, &why);
    if (status == SN_ERR_CORRUPT)
        cut_off(replay, number, &why);
    else if (status != SN_ERR_NOT_FOUND)
        return sn_err_set(err, status, "%s", why.text);
    return SN_OK;
}

static sn_status replay_file(struct replay *replay, uint64_t number, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    struct sn_store *store = replay->store;
    if (!sn_log_path(path, store->wal_dir, number))
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the log is too long");
    replay->fd = sn_os_open(path, O_RDWR, 0);
    if (replay->fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    sn_status status = replay_open_file(replay, number, err);
    (void)sn_os_close(replay->fd); /* the only write was a cut that may fail */
    if (status != SN_OK) {
        sn_err_prefix(err, "%s", path);
        return status;
    }
    store->recovery.log_count++;
    struct sn_log_file file = {
        .number = number, .epoch = store->epoch, .bytes = replay->good_bytes};
    status = sn_log_note_file(&store->log, file);
    if (status != SN_OK)
        return sn_err_set(err, status, "more than %d log files", SN_LOG_FILES_MAX);
    return SN_OK;
}

/* ---- all logs ---- */

static sn_status replay_files(struct sn_store *store, const struct file_list *list,
                              uint64_t flushed_log, struct sn_err *err) {
    struct replay replay = {.store = store, .window = sn_alloc(WINDOW_BYTES)};
    sn_arena_init(&replay.arena, 0);
    sn_blocks_init(&replay.starts, sizeof(int64_t), STARTS_SHIFT, STARTS_TABLE);
    sn_status status = sn_log_reader_init(&replay.reader);
    if (!replay.window || status != SN_OK)
        status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to replay the log");
    for (size_t i = 0; i < list->count && status == SN_OK; i++) {
        char path[SN_PATH_BYTES_MAX];
        if (list->numbers[i] > flushed_log)
            status = replay_file(&replay, list->numbers[i], err);
        else if (sn_log_path(path, store->wal_dir, list->numbers[i]))
            (void)sn_os_unlink(path); /* the next recovery tries again */
    }
    sn_log_reader_release(&replay.reader);
    sn_blocks_release(&replay.starts);
    sn_arena_release(&replay.arena);
    sn_free(replay.window);
    /* What was cut off may have had start times: the next recovery would not forget them there. */
    if (store->recovery.log_damaged_count > 0)
        store->starts_lost_epoch = store->epoch;
    return status;
}

static sn_status replay_logs(struct sn_store *store, uint64_t flushed_log, struct sn_err *err) {
    struct file_list list = {.suffix = ".log"};
    sn_status status = list_files(store->wal_dir, &list, err);
    if (status == SN_OK)
        status = replay_files(store, &list, flushed_log, err);
    sn_free(list.numbers);
    if (store->log.number < flushed_log)
        store->log.number = flushed_log;
    return status;
}

sn_status sn_store_recover(struct sn_store *store, struct sn_err *err) {
    struct sn_catalog_visitor visitor = {.ctx = store,
                                         .series = load_series,
                                         .series_end = load_series_end,
                                         .segment = load_segment,
                                         .metadata = load_metadata,
                                         .churn = load_churn,
                                         .exemplars = load_exemplars};
    uint64_t flushed_log = 0;
    store->segment_id_next = 1;
    SN_TRY(sn_catalog_load(&store->catalog, &visitor, &flushed_log, err));
    SN_TRY(load_tombstones(store, err));
    SN_TRY(load_rollups(store, err));
    atomic_store(&store->catalogued_count, store->index.count);
    store->defined_count = store->index.count;
    SN_TRY(delete_orphans(store, ".seg", err));
    SN_TRY(delete_orphans(store, ".seg.tmp", err));
    SN_TRY(replay_logs(store, flushed_log, err));
    /* Those that only the log had count as new now: their hour stood nowhere. */
    sn_churn_add(&store->churn, sn_store_wall_ms(store),
                 store->index.count - atomic_load(&store->catalogued_count));
    store->recovery.series_count = store->index.count;
    store->recovery.segment_count = store->segments.set->count;
    atomic_store(&store->log_bytes, sn_log_totals(&store->log).bytes);
    return SN_OK;
}
