/*
 * Reading every byte of a data directory: see verify.h.
 *
 *   lock (shared) -> sonde.db: pages, rows -> records.db: pages -> names in seg/ that nobody knows
 *                 -> segments: every pack, every chunk -> logs: every record
 *
 * What a start would put in order by itself (the torn end of the log, files without a row) is a note,
 * the rest is damage. One thread.
 */
#include "store/verify.h"

#include "base/mem.h"
#include "base/os.h"
#include "model/data_dir.h"
#include "store/db_file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

struct rows {
    struct sn_segment_row *items; /* [capacity], owned */
    size_t count;
    size_t capacity;
};

struct verify {
    const struct sn_verify_options *options;
    struct sn_verify_report report;
    struct sn_catalog catalog;
    struct sn_series_index index;
    struct rows rows;
    struct rows rollups; /* rows of files of rollups */
    uint64_t flushed_log;
    uint64_t done_bytes;
    uint64_t total_bytes;
    char seg_dir[SN_PATH_BYTES_MAX];
    char wal_dir[SN_PATH_BYTES_MAX];
    int lock_fd;
};

/* ---- findings and progress ---- */

static void find(struct verify *verify, bool is_damage, const char *format, ...) SN_PRINTF(3, 4);
static void find(struct verify *verify, bool is_damage, const char *format, ...) {
    char sentence[SN_ERR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args); /* what is cut is the end */
    va_end(args);
    verify->report.damage_count += is_damage;
    verify->report.note_count += !is_damage;
    if (verify->options->found)
        verify->options->found(verify->options->ctx, is_damage, sentence);
}

static sn_status advance(struct verify *verify, uint64_t bytes, struct sn_err *err) {
    verify->done_bytes += bytes;
    verify->report.bytes += bytes;
    if (verify->options->step &&
        !verify->options->step(verify->options->ctx, verify->done_bytes, verify->total_bytes))
        return sn_err_set(err, SN_ERR_CLOSED, "stopped");
    return SN_OK;
}

/* ---- lock ---- */

static sn_status take_lock(struct verify *verify, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    char pid[24] = "";
    int len = snprintf(path, sizeof path, "%s/LOCK", verify->options->dir);
    if (len <= 0 || (size_t)len >= sizeof path)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    verify->lock_fd = sn_os_open(path, O_RDONLY, 0);
    if (verify->lock_fd < 0)
        return errno == ENOENT ? SN_OK : sn_err_set_errno(err, errno, "cannot open %s", path);
    if (sn_os_flock(verify->lock_fd, LOCK_SH | LOCK_NB) == 0)
        return SN_OK;
    ssize_t got = sn_os_pread(verify->lock_fd, pid, sizeof pid - 1, 0);
    while (got > 0 && (pid[got - 1] < '0' || pid[got - 1] > '9'))
        got--;
    return sn_err_set(err, SN_ERR_BUSY, "the data directory %s is in use by process %.*s",
                      verify->options->dir, got > 0 ? (int)got : 1, got > 0 ? pid : "?");
}

/* ---- sonde.db ---- */

static void page_finding(void *ctx, const char *what) {
    find(ctx, true, "sonde.db: %s", what);
}

static sn_status see_series(void *ctx, uint64_t id, struct sn_str labels, struct sn_err *err) {
    struct verify *verify = ctx;
    struct sn_err why = {.status = SN_OK};
    uint32_t hash = sn_series_index_hash(&verify->index, labels);
    uint32_t known;
    sn_status status = SN_OK;
    while (verify->index.count < id && status == SN_OK)
        status = sn_series_index_add_removed(&verify->index, &known, err);
    if (status != SN_OK)
        return status;
    if (id < verify->index.count || sn_series_index_find(&verify->index, labels, hash, &known)) {
        find(verify, true, "sonde.db: series %" PRIu64 " is out of place", id);
        return SN_OK;
    }
    status = sn_series_index_add(&verify->index, labels, hash, &known, &why);
    if (status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, status, "%s", why.text);
    if (status != SN_OK)
        find(verify, true, "sonde.db: series %" PRIu64 ": %s", id, why.text);
    return SN_OK;
}

static sn_status add_row(struct verify *verify, struct rows *rows, const struct sn_segment_row *row,
                         struct sn_err *err) {
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
        struct sn_segment_row *items = sn_realloc_array(rows->items, capacity, sizeof *items);
        if (!items)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = *row;
    verify->total_bytes += row->bytes;
    return SN_OK;
}

static sn_status see_series_end(void *ctx, uint64_t end, struct sn_err *err) {
    struct verify *verify = ctx;
    uint32_t id;
    while (verify->index.count < end && end < SN_SERIES_IDS_MAX)
        SN_TRY(sn_series_index_add_removed(&verify->index, &id, err));
    return SN_OK;
}

static sn_status see_segment(void *ctx, const struct sn_segment_row *row, struct sn_err *err) {
    struct verify *verify = ctx;
    return add_row(verify, &verify->rows, row, err);
}

static sn_status see_rollup(void *ctx, const struct sn_rollup_row *row, struct sn_err *err) {
    struct verify *verify = ctx;
    if (row->width_ms <= 0 || row->start_ms >= row->end_ms)
        find(verify, true, "sonde.db: rollup %" PRIu64 " has no window", row->file.id);
    return row->file.bytes > 0 ? add_row(verify, &verify->rollups, &row->file, err) : SN_OK;
}

static sn_status see_metadata(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    (void)ctx;
    (void)metadata;
    (void)err;
    return SN_OK;
}

static sn_status verify_catalog(struct verify *verify, struct sn_err *err) {
    const struct sn_catalog_visitor visitor = {.ctx = verify,
                                               .series = see_series,
                                               .series_end = see_series_end,
                                               .segment = see_segment,
                                               .metadata = see_metadata};
    SN_TRY(sn_catalog_open_to_read(&verify->catalog, verify->options->dir, err));
    SN_TRY(sn_catalog_check(&verify->catalog, page_finding, verify, err));
    SN_TRY(sn_catalog_load(&verify->catalog, &visitor, &verify->flushed_log, err));
    int64_t raw_from_ms;
    SN_TRY(sn_catalog_load_rollups(&verify->catalog, see_rollup, verify, &raw_from_ms, err));
    verify->report.series_count = sn_series_index_live_count(&verify->index);
    return SN_OK;
}

static void guest_finding(void *ctx, const char *what) {
    find(ctx, true, "%s: %s", SN_RECORDS_DB_NAME, what);
}

/* ---- one segment ---- */

struct segment_walk {
    struct verify *verify;
    struct sn_segment *segment;
    struct sn_samples samples;
    struct sn_rollups rollups;
    bool is_rollups;          /* the file is one of rollups */
    struct sn_bitmap *series; /* seen, owned */
    uint64_t chunk_count;
    uint64_t sample_count;
    int64_t time_min;
    int64_t time_max;
    struct sn_histograms histograms;
    uint32_t series_last;
    int64_t time_last[2]; /* of the series' floats and histograms */
    bool has_series;
};

/* Series in metric order, chunks of one in the order of time. */
static sn_status check_place(struct segment_walk *walk, uint32_t series, struct sn_err *err) {
    const struct sn_series_index *index = &walk->verify->index;
    if (series >= index->count)
        return sn_err_set(err, SN_ERR_CORRUPT, "has the unknown series %u", series);
    if (walk->has_series && series != walk->series_last) {
        if (sn_series_index_compare_metric(index, walk->series_last, series) >= 0)
            return sn_err_set(err, SN_ERR_CORRUPT, "series stand in the wrong order");
        walk->time_last[0] = walk->time_last[1] = INT64_MIN;
    }
    if (walk->segment->series && !sn_bitmap_contains(walk->segment->series, series))
        return sn_err_set(err, SN_ERR_CORRUPT, "series %u is not in its list of series", series);
    walk->has_series = true;
    walk->series_last = series;
    sn_bitmap_add(walk->series, series);
    return SN_OK;
}

static sn_status check_times(struct segment_walk *walk, int kind, const int64_t *time_ms,
                             size_t count, struct sn_err *err) {
    if (count == 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "a chunk is empty");
    if (time_ms[0] <= walk->time_last[kind])
        return sn_err_set(err, SN_ERR_CORRUPT, "the chunks of a series overlap");
    walk->time_last[kind] = time_ms[count - 1];
    if (time_ms[0] < walk->time_min)
        walk->time_min = time_ms[0];
    if (time_ms[count - 1] > walk->time_max)
        walk->time_max = time_ms[count - 1];
    walk->chunk_count++;
    walk->sample_count += count;
    return SN_OK;
}

static sn_status check_rollups(struct segment_walk *walk, const struct sn_pack *pack,
                               uint32_t chunk, struct sn_err *err) {
    int64_t end_ms[SN_CHUNK_SAMPLES_MAX];
    struct sn_rollups *rollups = &walk->rollups;
    sn_rollups_reset(rollups);
    SN_TRY(check_place(walk, pack->chunks[chunk].series, err));
    sn_status status = sn_pack_decode_rollups(pack, chunk, rollups);
    if (status != SN_OK)
        return sn_err_set(err, status, "chunk %u does not decode", chunk);
    for (size_t i = 0; i < rollups->count; i++)
        end_ms[i] = rollups->items[i].end_ms;
    return check_times(walk, 0, end_ms, rollups->count, err);
}

static sn_status check_chunk(struct segment_walk *walk, const struct sn_pack *pack, uint32_t chunk,
                             struct sn_err *err) {
    SN_TRY(check_place(walk, pack->chunks[chunk].series, err));
    bool is_histogram = pack->chunks[chunk].is_histogram;
    sn_samples_reset(&walk->samples);
    sn_histograms_reset(&walk->histograms);
    sn_status status = is_histogram ? sn_pack_decode_histograms(pack, chunk, &walk->histograms)
                                    : sn_pack_decode(pack, chunk, &walk->samples);
    if (status != SN_OK)
        return sn_err_set(err, status, "chunk %u does not decode", chunk);
    if (is_histogram)
        return check_times(walk, 1, walk->histograms.time_ms, walk->histograms.count, err);
    return check_times(walk, 0, walk->samples.time_ms, walk->samples.count, err);
}

static sn_status check_pack(struct segment_walk *walk, uint32_t number, struct sn_err *err) {
    struct sn_pack pack;
    sn_status status = sn_segment_load_pack(walk->segment, number, &pack, err);
    if (status == SN_OK) {
        for (uint32_t i = 0; i < pack.chunk_count && status == SN_OK; i++)
            status = walk->is_rollups ? check_rollups(walk, &pack, i, err)
                                      : check_chunk(walk, &pack, i, err);
        sn_pack_release(&pack);
    }
    if (status == SN_ERR_CORRUPT || status == SN_ERR_IO)
        sn_err_prefix(err, "pack %u at byte %" PRIu64, number,
                      walk->segment->entries[number].offset);
    return status;
}

static void check_sums(struct segment_walk *walk, const char *name) {
    const struct sn_segment_footer *footer = &walk->segment->footer;
    bool same = walk->chunk_count == footer->chunk_count &&
                walk->sample_count == footer->sample_count &&
                sn_bitmap_count(walk->series) == footer->series_count &&
                walk->time_min == footer->time_min && walk->time_max == footer->time_max;
    if (!same)
        find(walk->verify, true, "%s: holds %" PRIu64 " samples, its footer says %" PRIu64, name,
             walk->sample_count, footer->sample_count);
}

/* Findings are noted, one per pack; what stops everything is a status. */
static sn_status walk_packs(struct segment_walk *walk, const char *name, struct sn_err *err) {
    struct verify *verify = walk->verify;
    bool is_whole = true;
    for (uint32_t i = 0; i < walk->segment->footer.pack_count; i++) {
        struct sn_err why = {.status = SN_OK};
        sn_status status = check_pack(walk, i, &why);
        if (status == SN_ERR_NO_MEMORY)
            return sn_err_set(err, status, "%s", why.text);
        if (status != SN_OK) {
            find(verify, true, "%s: %s", name, why.text);
            is_whole = false;
        }
        SN_TRY(advance(verify, walk->segment->entries[i].len, err));
    }
    if (is_whole)
        check_sums(walk, name);
    return SN_OK;
}

static sn_status verify_segment(struct verify *verify, const struct sn_segment_row *row,
                                bool is_rollups, struct sn_err *err) {
    char name[64];
    struct segment_walk walk = {
        .verify = verify, .is_rollups = is_rollups, .time_min = INT64_MAX, .time_max = INT64_MIN};
    walk.time_last[0] = walk.time_last[1] = INT64_MIN;
    (void)snprintf(name, sizeof name, "seg/%08" PRIu64 ".seg", row->id);
    SN_TRY(sn_segment_open(verify->seg_dir, row, verify->index.count, &walk.segment, err));
    verify->report.segment_count++;
    if (is_rollups)
        verify->report.rollup_count += row->sample_count;
    else
        verify->report.sample_count += row->sample_count;
    if (walk.segment->damage.status != SN_OK) {
        find(verify, true, "%s: %s", name, walk.segment->damage.text);
        sn_segment_unref(walk.segment);
        return SN_OK;
    }
    sn_samples_init(&walk.samples);
    sn_rollups_init(&walk.rollups);
    sn_histograms_init(&walk.histograms, 0);
    walk.series = sn_bitmap_new(NULL, 0);
    sn_status status = walk.series ? walk_packs(&walk, name, err)
                                   : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to verify");
    (void)sn_bitmap_free(walk.series); /* NULL, always */
    sn_samples_release(&walk.samples);
    sn_rollups_release(&walk.rollups);
    sn_histograms_release(&walk.histograms);
    sn_segment_unref(walk.segment);
    return status;
}

/* ---- one log ---- */

static sn_status check_definitions(struct verify *verify, const struct sn_log_record *record,
                                   struct sn_err *err) {
    struct sn_log_series_cursor cursor;
    SN_TRY(sn_log_read_series(record, &cursor, err));
    uint32_t id;
    struct sn_str labels;
    sn_status status;
    while ((status = sn_log_next_series(&cursor, &id, &labels)) == SN_OK) {
        uint32_t hash = sn_series_index_hash(&verify->index, labels);
        uint32_t known;
        if (id != verify->index.count)
            continue; /* again, or one that was removed since */
        SN_TRY(sn_series_index_add(&verify->index, labels, hash, &known, err));
    }
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

static sn_status check_samples(struct verify *verify, struct sn_log_reader *reader,
                               const struct sn_log_record *record, struct sn_err *err) {
    SN_TRY(sn_log_read_samples(reader, record, err));
    for (size_t i = 0; i < reader->count; i++) {
        if (reader->series[i] >= verify->index.count)
            return sn_err_set(err, SN_ERR_CORRUPT, "samples of series %u, which is not defined",
                              reader->series[i]);
    }
    verify->report.log_sample_count += reader->count;
    return SN_OK;
}

static sn_status check_record(struct verify *verify, struct sn_log_reader *reader,
                              const struct sn_log_record *record, struct sn_err *err) {
    struct sn_metadata metadata;
    if (record->type == SN_LOG_SERIES)
        return check_definitions(verify, record, err);
    if (record->type == SN_LOG_SAMPLES)
        return check_samples(verify, reader, record, err);
    if (record->type == SN_LOG_METADATA)
        return sn_log_read_metadata(record, &metadata, err);
    return SN_OK; /* of a kind whose bytes have passed their checksum */
}

/* Where the first byte stands that is no record; the length when there is none. */
static sn_status check_records(struct verify *verify, const uint8_t *bytes, size_t len,
                               size_t *ret_good, struct sn_err *err) {
    struct sn_log_reader reader;
    const uint8_t *at = bytes + SN_LOG_HEADER_BYTES;
    if (sn_log_reader_init(&reader) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read the log");
    sn_status status = SN_OK;
    while (status == SN_OK) {
        struct sn_log_record record;
        *ret_good = (size_t)(at - bytes);
        status = sn_log_next(&at, bytes + len, &record, err);
        if (status == SN_OK)
            status = check_record(verify, &reader, &record, err);
    }
    sn_log_reader_release(&reader);
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

static sn_status check_log(struct verify *verify, const uint8_t *bytes, size_t len,
                           const char *name, struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    size_t good = 0;
    if (len < SN_LOG_HEADER_BYTES)
        return SN_OK; /* made, and never written to */
    sn_status status = sn_log_check_header(bytes, len, &why);
    if (status == SN_ERR_UNSUPPORTED)
        return sn_err_set(err, status, "%s: %s", name, why.text);
    if (status != SN_OK)
        find(verify, true, "%s: %s", name, why.text);
    status = check_records(verify, bytes, len, &good, &why);
    if (status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, status, "%s", why.text);
    if (status != SN_OK)
        find(verify, false, "%s: ends at byte %zu of %zu: %s; the next start cuts the rest off",
             name, good, len, why.text);
    return SN_OK;
}

static sn_status verify_log(struct verify *verify, uint64_t number, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    char name[64];
    struct sn_buf file;
    (void)snprintf(name, sizeof name, "wal/%08" PRIu64 ".log", number);
    if (!sn_log_path(path, verify->wal_dir, number))
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the log is too long");
    sn_buf_init(&file, SIZE_MAX);
    sn_status status = sn_os_read_file(path, &file, err);
    if (status == SN_ERR_IO || status == SN_ERR_DENIED) {
        find(verify, true, "%s: %s", name, err ? err->text : "cannot be read");
        status = SN_OK;
    } else if (status == SN_OK) {
        status = check_log(verify, file.ptr, file.len, name, err);
    }
    verify->report.log_count++;
    if (status == SN_OK)
        status = advance(verify, file.len, err);
    sn_buf_release(&file);
    return status;
}

/* ---- names ---- */

/* Numbers of the files with a suffix; others are told about. */
struct listing {
    struct verify *verify;
    const char *dir_name;
    const char *suffix;
    uint64_t *numbers; /* [capacity], owned */
    size_t count;
    size_t capacity;
    bool failed;
};

static bool parse_name(const char *name, const char *suffix, uint64_t *ret_number) {
    struct sn_str text = sn_str_from(name);
    struct sn_str end = sn_str_from(suffix);
    uint64_t number = 0;
    if (text.len <= end.len || text.len - end.len > 18 || !sn_str_ends_with(text, end))
        return false;
    for (size_t i = 0; i < text.len - end.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret_number = number;
    return true;
}

static bool see_name(void *ctx, const char *name) {
    struct listing *listing = ctx;
    uint64_t number;
    if (!parse_name(name, listing->suffix, &number)) {
        find(listing->verify, false, "%s/%s: is none of ours and is left alone", listing->dir_name,
             name);
        return true;
    }
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? listing->capacity * 2 : 16;
        uint64_t *numbers = sn_realloc_array(listing->numbers, capacity, sizeof *numbers);
        listing->failed = !numbers;
        if (!numbers)
            return false;
        listing->numbers = numbers;
        listing->capacity = capacity;
    }
    listing->numbers[listing->count++] = number;
    return true;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static sn_status list(struct listing *listing, const char *dir, struct sn_err *err) {
    sn_status status = sn_os_list_dir(dir, see_name, listing, err);
    if (status == SN_ERR_NOT_FOUND) {
        find(listing->verify, listing->verify->rows.count > 0, "%s: is missing", listing->dir_name);
        return SN_OK;
    }
    if (status == SN_OK && listing->failed)
        status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to list %s", dir);
    if (listing->count > 1)
        qsort(listing->numbers, listing->count, sizeof *listing->numbers, compare_numbers);
    return status;
}

static bool has_row(const struct rows *rows, uint64_t id) {
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].id == id)
            return true;
    }
    return false;
}

static sn_status verify_segments(struct verify *verify, struct sn_err *err) {
    struct listing listing = {.verify = verify, .dir_name = "seg", .suffix = ".seg"};
    sn_status status = list(&listing, verify->seg_dir, err);
    for (size_t i = 0; i < listing.count && status == SN_OK; i++) {
        if (!has_row(&verify->rows, listing.numbers[i]) &&
            !has_row(&verify->rollups, listing.numbers[i]))
            find(verify, false,
                 "seg/%08" PRIu64 ".seg: has no row in sonde.db; the next start deletes it",
                 listing.numbers[i]);
    }
    sn_free(listing.numbers);
    for (size_t i = 0; i < verify->rows.count && status == SN_OK; i++)
        status = verify_segment(verify, &verify->rows.items[i], false, err);
    for (size_t i = 0; i < verify->rollups.count && status == SN_OK; i++)
        status = verify_segment(verify, &verify->rollups.items[i], true, err);
    return status;
}

static sn_status verify_logs(struct verify *verify, struct sn_err *err) {
    struct listing listing = {.verify = verify, .dir_name = "wal", .suffix = ".log"};
    sn_status status = list(&listing, verify->wal_dir, err);
    for (size_t i = 0; i < listing.count && status == SN_OK; i++) {
        if (listing.numbers[i] > verify->flushed_log)
            status = verify_log(verify, listing.numbers[i], err);
    }
    sn_free(listing.numbers);
    return status;
}

static sn_status verify_all(struct verify *verify, struct sn_err *err) {
    SN_TRY(take_lock(verify, err));
    SN_TRY(verify_catalog(verify, err));
    SN_TRY(sn_db_file_check_guest(verify->options->dir, guest_finding, verify, err));
    SN_TRY(verify_segments(verify, err));
    return verify_logs(verify, err);
}

sn_status sn_store_verify(const struct sn_verify_options *options,
                          struct sn_verify_report *ret_report, struct sn_err *err) {
    struct sn_err ignored;
    struct verify *verify = sn_alloc_zero(1, sizeof *verify);
    if (!verify)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to verify");
    verify->options = options;
    verify->lock_fd = -1;
    sn_series_index_init(&verify->index, UINT32_MAX - 1, 1);
    int seg = snprintf(verify->seg_dir, SN_PATH_BYTES_MAX, "%s/seg", options->dir);
    int wal = snprintf(verify->wal_dir, SN_PATH_BYTES_MAX, "%s/wal", options->dir);
    sn_status status = SN_OK;
    if (seg < 0 || wal < 0 || seg > SN_PATH_BYTES_MAX - 64 || wal > SN_PATH_BYTES_MAX - 64)
        status = sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    if (status == SN_OK)
        status = verify_all(verify, err ? err : &ignored);
    if (status == SN_OK)
        *ret_report = verify->report;
    sn_catalog_close(&verify->catalog);
    sn_series_index_release(&verify->index);
    sn_free(verify->rows.items);
    sn_free(verify->rollups.items);
    if (verify->lock_fd >= 0)
        (void)sn_os_close(verify->lock_fd); /* gives the lock back */
    sn_free(verify);
    return status;
}
