/* Open segments: see segment.h. */
#include "store/segment.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/merge.h"
#include "store/rollup_files.h"
#include "store/segment_write.h"

#include <errno.h>
#include <fcntl.h>

/* ---- opening ---- */

static sn_status read_exactly(int fd, void *buf, size_t len, uint64_t offset, struct sn_err *err) {
    ssize_t got = sn_os_pread_all(fd, buf, len, (int64_t)offset);
    if (got < 0)
        return sn_err_set_errno(err, errno, "cannot read %zu bytes at %llu", len,
                                (unsigned long long)offset);
    if ((size_t)got != len)
        return sn_err_set(err, SN_ERR_CORRUPT, "the file ends %zu bytes early", len - (size_t)got);
    return SN_OK;
}

static sn_status read_directory(struct sn_segment *segment, struct sn_err *err) {
    size_t count = segment->footer.pack_count;
    size_t len = count * SN_SEGMENT_ENTRY_BYTES;
    SN_CLEANUP(sn_free_ptr) uint8_t *bytes = sn_alloc(len);
    segment->entries = sn_realloc_array(NULL, count, sizeof *segment->entries);
    if (!bytes || !segment->entries)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a directory of %zu packs", count);
    SN_TRY(read_exactly(segment->fd, bytes, len, segment->footer.directory_offset, err));
    return sn_segment_get_directory(bytes, &segment->footer, segment->entries, err);
}

/* Version 1 has none: such a segment may have samples of any series. */
static sn_status read_series_list(struct sn_segment *segment, uint32_t series_count,
                                  struct sn_err *err) {
    const struct sn_segment_footer *footer = &segment->footer;
    if (footer->series_bytes == 0)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) uint8_t *bytes = sn_alloc(footer->series_bytes);
    if (!bytes)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a list of series");
    uint64_t offset = footer->directory_offset + footer->pack_count * SN_SEGMENT_ENTRY_BYTES;
    SN_TRY(read_exactly(segment->fd, bytes, footer->series_bytes, offset, err));
    return sn_segment_get_series(bytes, footer, series_count, &segment->series, err);
}

static bool matches_row(const struct sn_segment_footer *footer, const struct sn_segment_row *row) {
    return footer->id == row->id && footer->series_count == row->series_count &&
           footer->sample_count == row->sample_count && footer->time_min == row->time_min &&
           footer->time_max == row->time_max;
}

static sn_status check_series(const struct sn_segment *segment, uint32_t series_count,
                              struct sn_err *err) {
    for (size_t i = 0; i < segment->footer.pack_count; i++) {
        uint32_t series = segment->entries[i].first_series;
        if (series >= series_count)
            return sn_err_set(err, SN_ERR_CORRUPT, "pack %zu begins with the unknown series %u", i,
                              series);
    }
    return SN_OK;
}

static sn_status load(struct sn_segment *segment, const struct sn_segment_row *row,
                      uint32_t series_count, struct sn_err *err) {
    struct stat stat;
    if (sn_os_fstat(segment->fd, &stat) != 0)
        return sn_err_set_errno(err, errno, "cannot stat");
    if ((uint64_t)stat.st_size != row->bytes ||
        row->bytes < SN_SEGMENT_HEADER_BYTES + SN_SEGMENT_FOOTER_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "the file has %lld bytes, the catalogue says %llu",
                          (long long)stat.st_size, (unsigned long long)row->bytes);
    uint8_t header[SN_SEGMENT_HEADER_BYTES];
    uint8_t footer[SN_SEGMENT_FOOTER_BYTES];
    SN_TRY(read_exactly(segment->fd, header, sizeof header, 0, err));
    SN_TRY(sn_segment_check_header(header, err));
    SN_TRY(read_exactly(segment->fd, footer, sizeof footer, row->bytes - sizeof footer, err));
    SN_TRY(sn_segment_get_footer(footer, row->bytes, &segment->footer, err));
    if (!matches_row(&segment->footer, row))
        return sn_err_set(err, SN_ERR_CORRUPT, "the file is not the one of the catalogue");
    SN_TRY(read_directory(segment, err));
    SN_TRY(read_series_list(segment, series_count, err));
    for (size_t i = 0; i < segment->footer.pack_count; i++)
        segment->has_histograms |= segment->entries[i].has_histograms;
    return check_series(segment, series_count, err);
}

/* Whether a failure is about the file itself, so that the store can go on without it. */
static bool is_damage(sn_status status) {
    return status == SN_ERR_CORRUPT || status == SN_ERR_NOT_FOUND || status == SN_ERR_IO ||
           status == SN_ERR_DENIED;
}

static sn_status open_file(const char *path, struct sn_segment *segment,
                           const struct sn_segment_row *row, uint32_t series_count,
                           struct sn_err *err) {
    segment->fd = sn_os_open(path, O_RDONLY, 0);
    if (segment->fd < 0 && (errno == EMFILE || errno == ENFILE))
        return sn_err_set(err, SN_ERR_LIMIT, "too many open files: raise the limit (ulimit -n)");
    if (segment->fd < 0)
        return sn_err_set_errno(err, errno, "cannot open");
    return load(segment, row, series_count, err);
}

sn_status sn_segment_open(const char *dir, const struct sn_segment_row *row, uint32_t series_count,
                          struct sn_segment **ret_segment, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    if (!sn_segment_path(path, dir, row->id))
        return sn_err_set(err, SN_ERR_LIMIT, "the path of segment %llu is too long",
                          (unsigned long long)row->id);
    struct sn_segment *segment = sn_alloc_zero(1, sizeof *segment);
    if (!segment)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a segment");
    atomic_init(&segment->refs, 1);
    atomic_init(&segment->merge_failure_count, 0);
    segment->id = row->id;
    segment->rank = row->rank;
    segment->bytes = row->bytes;
    struct sn_err why = {.status = SN_OK};
    sn_status status = open_file(path, segment, row, series_count, &why);
    if (status != SN_OK) {
        sn_err_prefix(&why, "%s", path);
        if (!is_damage(status)) {
            sn_segment_unref(segment);
            return sn_err_set(err, status, "%s", why.text);
        }
        if (segment->fd >= 0)
            (void)sn_os_close(segment->fd); /* opened for reading: nothing to lose */
        segment->fd = -1;
        segment->damage = why;
        segment->footer.time_min = row->time_min;
        segment->footer.time_max = row->time_max;
        segment->footer.sample_count = row->sample_count;
    }
    *ret_segment = segment;
    return SN_OK;
}

void sn_segment_unref(struct sn_segment *segment) {
    if (!segment || atomic_fetch_sub(&segment->refs, 1) != 1)
        return;
    if (segment->fd >= 0)
        (void)sn_os_close(segment->fd); /* opened for reading: nothing to lose */
    sn_free(segment->entries);
    (void)sn_bitmap_free(segment->series); /* NULL, always */
    sn_free(segment);
}

/* ---- reading ---- */

sn_status sn_segment_load_pack(struct sn_segment *segment, uint32_t number,
                               struct sn_pack *ret_pack, struct sn_err *err) {
    const struct sn_segment_entry *entry = &segment->entries[number];
    SN_CLEANUP(sn_free_ptr) uint8_t *bytes = sn_alloc(entry->len);
    if (!bytes)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a pack of %u bytes", entry->len);
    SN_TRY(read_exactly(segment->fd, bytes, entry->len, entry->offset, err));
    return sn_pack_parse(bytes, entry->len, ret_pack, err);
}

/* The pack with a reference for the caller; NULL: *ret_status says why. */
static struct sn_cached_pack *get_pack(struct sn_segment *segment, struct sn_pack_cache *cache,
                                       uint32_t number, sn_status *ret_status, struct sn_err *err) {
    struct sn_cached_pack *cached = sn_pack_cache_get(cache, segment->id, number);
    if (cached)
        return cached;
    struct sn_pack pack;
    *ret_status = sn_segment_load_pack(segment, number, &pack, err);
    if (*ret_status != SN_OK)
        return NULL;
    sn_pack_find_bounds(&pack);
    cached = sn_pack_cache_put(cache, segment->id, number, &pack);
    if (!cached) {
        sn_pack_release(&pack);
        *ret_status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to keep a pack");
    }
    return cached;
}

sn_status sn_segment_get_pack(struct sn_segment *segment, struct sn_pack_cache *cache,
                              uint32_t number, struct sn_cached_pack **ret_pack,
                              struct sn_err *err) {
    sn_status status = SN_OK;
    struct sn_cached_pack *pack = get_pack(segment, cache, number, &status, err);
    if (pack)
        *ret_pack = pack;
    return status;
}

size_t sn_segment_find_pack(const struct sn_segment *segment, const struct sn_series_index *index,
                            uint32_t series) {
    size_t low = 0;
    size_t high = segment->footer.pack_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t first = segment->entries[middle].first_series;
        if (first != series && sn_series_index_compare_metric(index, first, series) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is read of a series: the one or the other. */
struct wanted {
    struct sn_series_index const *index;
    struct sn_pack_cache *cache;
    uint32_t series;
    struct sn_range range;
    struct sn_samples *samples;       /* NULL: no floats */
    struct sn_histograms *histograms; /* NULL: no histograms */
    struct sn_rollups *rollups;       /* NULL: no rollups; otherwise nothing else */
};

static sn_status decode(const struct sn_pack *pack, uint32_t chunk, const struct wanted *wanted) {
    bool is_histogram = pack->chunks[chunk].is_histogram;
    if (wanted->rollups)
        return sn_pack_decode_rollups(pack, chunk, wanted->rollups);
    if (is_histogram && wanted->histograms)
        return sn_pack_decode_histograms(pack, chunk, wanted->histograms);
    if (!is_histogram && wanted->samples)
        return sn_pack_decode(pack, chunk, wanted->samples);
    return SN_OK;
}

static sn_status read_pack(struct sn_segment *segment, uint32_t number, const struct wanted *wanted,
                           struct sn_err *err) {
    sn_status status = SN_OK;
    struct sn_cached_pack *cached = get_pack(segment, wanted->cache, number, &status, err);
    if (!cached)
        return status;
    for (uint32_t i = 0; i < cached->pack.chunk_count && status == SN_OK; i++) {
        if (cached->pack.chunks[i].series == wanted->series)
            status = decode(&cached->pack, i, wanted);
    }
    sn_cached_pack_unref(cached);
    if (status != SN_OK)
        return sn_err_set(err, status, "pack %u does not decode", number);
    return SN_OK;
}

/* Chunks of one series follow each other in time; anything else is damage that no sum has seen. */
static sn_status check_order(const int64_t *time_ms, size_t base, size_t count,
                             struct sn_err *err) {
    for (size_t i = base + 1; i < count; i++) {
        if (time_ms[i - 1] >= time_ms[i])
            return sn_err_set(err, SN_ERR_CORRUPT, "the chunks of a series overlap");
    }
    return SN_OK;
}

static sn_status read_packs(struct sn_segment *segment, const struct wanted *wanted,
                            struct sn_err *err) {
    const struct sn_series_index *index = wanted->index;
    uint32_t series = wanted->series;
    size_t number = sn_segment_find_pack(segment, index, series);
    /* A series may begin inside the pack before the first one that begins with it. */
    number -= number > 0;
    for (; number < segment->footer.pack_count; number++) {
        const struct sn_segment_entry *entry = &segment->entries[number];
        if (entry->first_series != series &&
            sn_series_index_compare_metric(index, entry->first_series, series) > 0)
            break;
        bool is_of_use = entry->time_min <= wanted->range.end_ms &&
                         wanted->range.start_ms <= entry->time_max &&
                         (wanted->samples || wanted->rollups || entry->has_histograms);
        if (is_of_use)
            SN_TRY(read_pack(segment, (uint32_t)number, wanted, err));
    }
    return SN_OK;
}

void sn_segment_name_error(const struct sn_segment *segment, struct sn_err *err) {
    sn_err_prefix(err, "segment %08llu.seg", (unsigned long long)segment->id);
}

/* Whether there may be something to read; a damaged segment in the range is a failure. */
static sn_status find_use(const struct sn_segment *segment, uint32_t series, struct sn_range range,
                          bool *ret_use, struct sn_err *err) {
    struct sn_range covered = {segment->footer.time_min, segment->footer.time_max};
    *ret_use = sn_range_overlaps(covered, range);
    if (*ret_use && segment->damage.status != SN_OK)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s", segment->damage.text);
    if (segment->series && !sn_bitmap_contains(segment->series, series))
        *ret_use = false;
    return SN_OK;
}

sn_status sn_segment_read(struct sn_segment *segment, const struct sn_series_index *index,
                          struct sn_pack_cache *cache, uint32_t series, struct sn_range range,
                          struct sn_samples *samples, struct sn_err *err) {
    bool is_of_use = false;
    SN_TRY(find_use(segment, series, range, &is_of_use, err));
    if (!is_of_use)
        return SN_OK;
    size_t base = samples->count;
    struct wanted wanted = {
        .index = index, .cache = cache, .series = series, .range = range, .samples = samples};
    sn_status status = read_packs(segment, &wanted, err);
    if (status == SN_OK)
        status = check_order(samples->time_ms, base, samples->count, err);
    if (status != SN_OK) {
        samples->count = base;
        sn_segment_name_error(segment, err);
        return status;
    }
    sn_samples_clip_tail(samples, base, range);
    return SN_OK;
}

/* Drop the histograms of the run [base, count) that lie outside of the range. */
static void clip_histograms(struct sn_histograms *histograms, size_t base, struct sn_range range) {
    size_t kept = base;
    for (size_t i = base; i < histograms->count; i++) {
        if (!sn_range_contains(range, histograms->time_ms[i]))
            continue;
        histograms->time_ms[kept] = histograms->time_ms[i];
        histograms->start_ms[kept] = histograms->start_ms[i];
        histograms->items[kept++] = histograms->items[i];
    }
    histograms->count = kept;
}

sn_status sn_segment_read_histograms(struct sn_segment *segment,
                                     const struct sn_series_index *index,
                                     struct sn_pack_cache *cache, uint32_t series,
                                     struct sn_range range, struct sn_histograms *histograms,
                                     struct sn_err *err) {
    bool is_of_use = false;
    SN_TRY(find_use(segment, series, range, &is_of_use, err));
    if (!is_of_use || !segment->has_histograms)
        return SN_OK;
    size_t base = histograms->count;
    struct wanted wanted = {
        .index = index, .cache = cache, .series = series, .range = range, .histograms = histograms};
    sn_status status = read_packs(segment, &wanted, err);
    if (status == SN_OK)
        status = check_order(histograms->time_ms, base, histograms->count, err);
    if (status != SN_OK) {
        histograms->count = base;
        sn_segment_name_error(segment, err);
        return status;
    }
    clip_histograms(histograms, base, range);
    return SN_OK;
}

/* Ends ascend, and those outside of the range go. */
static sn_status finish_rollups(struct sn_rollups *rollups, size_t base, struct sn_range range,
                                struct sn_err *err) {
    size_t kept = base;
    for (size_t i = base; i < rollups->count; i++) {
        if (i > base && rollups->items[i - 1].end_ms >= rollups->items[i].end_ms)
            return sn_err_set(err, SN_ERR_CORRUPT, "the chunks of a series overlap");
    }
    for (size_t i = base; i < rollups->count; i++) {
        if (sn_range_contains(range, rollups->items[i].end_ms))
            rollups->items[kept++] = rollups->items[i];
    }
    rollups->count = kept;
    return SN_OK;
}

sn_status sn_segment_read_rollups(struct sn_segment *segment, const struct sn_series_index *index,
                                  struct sn_pack_cache *cache, uint32_t series,
                                  struct sn_range range, struct sn_rollups *rollups,
                                  struct sn_err *err) {
    bool is_of_use = false;
    SN_TRY(find_use(segment, series, range, &is_of_use, err));
    if (!is_of_use)
        return SN_OK;
    size_t base = rollups->count;
    struct wanted wanted = {
        .index = index, .cache = cache, .series = series, .range = range, .rollups = rollups};
    sn_status status = read_packs(segment, &wanted, err);
    if (status == SN_OK)
        status = finish_rollups(rollups, base, range, err);
    if (status != SN_OK) {
        rollups->count = base;
        sn_segment_name_error(segment, err);
    }
    return status;
}

/* ---- the set ---- */

static struct sn_segment_set *new_set(size_t count) {
    struct sn_segment_set *set =
        sn_alloc_zero(1, sizeof *set + count * sizeof(struct sn_segment *));
    if (set) {
        atomic_init(&set->refs, 1);
        set->count = count;
    }
    return set;
}

void sn_segment_set_unref(struct sn_segment_set *set) {
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        sn_segment_unref(set->items[i]);
    sn_tombstones_unref(set->tombstones);
    sn_rollup_files_unref(set->rollups);
    sn_free(set);
}

sn_status sn_segments_init(struct sn_segments *segments) {
    sn_mutex_init(&segments->mu, SN_RANK_STORE_SEGMENTS, "store segments");
    segments->set = new_set(0);
    return segments->set ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_segments_release(struct sn_segments *segments) {
    sn_segment_set_unref(segments->set);
    segments->set = NULL;
    sn_mutex_release(&segments->mu);
}

struct sn_segment_set *sn_segments_ref(struct sn_segments *segments) {
    sn_mutex_lock(&segments->mu);
    struct sn_segment_set *set = segments->set;
    atomic_fetch_add(&set->refs, 1);
    sn_mutex_unlock(&segments->mu);
    return set;
}

bool sn_segments_are(struct sn_segments *segments, const struct sn_segment_set *set) {
    sn_mutex_lock(&segments->mu);
    bool is_newest = segments->set == set;
    sn_mutex_unlock(&segments->mu);
    return is_newest;
}

void sn_segments_publish(struct sn_segments *segments, struct sn_segment_set *set) {
    sn_mutex_lock(&segments->mu);
    struct sn_segment_set *old = segments->set;
    segments->set = set;
    sn_mutex_unlock(&segments->mu);
    sn_segment_set_unref(old);
}

struct sn_segment_set *sn_segments_with(const struct sn_segments *segments,
                                        struct sn_segment *segment) {
    const struct sn_segment_set *old = segments->set;
    struct sn_segment_set *set = new_set(old->count + 1);
    if (!set)
        return NULL;
    set->tombstones = sn_tombstones_ref(old->tombstones);
    set->rollups = sn_rollup_files_ref(old->rollups);
    for (size_t i = 0; i < old->count; i++) {
        set->items[i] = old->items[i];
        atomic_fetch_add(&set->items[i]->refs, 1);
    }
    set->items[old->count] = segment;
    atomic_fetch_add(&segment->refs, 1);
    return set;
}

struct sn_segment_set *sn_segments_without(const struct sn_segments *segments,
                                           const bool *is_dropped, struct sn_segment *instead) {
    const struct sn_segment_set *old = segments->set;
    size_t last = old->count;
    for (size_t i = 0; i < old->count; i++)
        last = is_dropped[i] ? i : last;
    struct sn_segment_set *set = new_set(old->count + 1);
    if (!set)
        return NULL;
    set->tombstones = sn_tombstones_ref(old->tombstones);
    set->rollups = sn_rollup_files_ref(old->rollups);
    set->count = 0;
    for (size_t i = 0; i < old->count; i++) {
        struct sn_segment *segment = is_dropped[i] ? NULL : old->items[i];
        if (i == last)
            segment = instead;
        if (!segment)
            continue;
        atomic_fetch_add(&segment->refs, 1);
        set->items[set->count++] = segment;
    }
    return set;
}

struct sn_segment_set *sn_segments_with_tombstones(const struct sn_segments *segments,
                                                   struct sn_tombstones *tombstones) {
    const struct sn_segment_set *old = segments->set;
    struct sn_segment_set *set = new_set(old->count);
    if (!set)
        return NULL;
    set->tombstones = sn_tombstones_ref(tombstones);
    set->rollups = sn_rollup_files_ref(old->rollups);
    for (size_t i = 0; i < old->count; i++) {
        set->items[i] = old->items[i];
        atomic_fetch_add(&set->items[i]->refs, 1);
    }
    return set;
}

void sn_segment_set_use_rollups(struct sn_segment_set *set, struct sn_rollup_files *rollups) {
    struct sn_rollup_files *before = set->rollups;
    set->rollups = sn_rollup_files_ref(rollups);
    sn_rollup_files_unref(before);
}

struct sn_segment_set *sn_segments_with_rollups(const struct sn_segments *segments,
                                                struct sn_rollup_files *rollups) {
    struct sn_segment_set *set = sn_segments_with_tombstones(segments, segments->set->tombstones);
    if (set)
        sn_segment_set_use_rollups(set, rollups);
    return set;
}
