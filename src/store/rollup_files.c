/* Files of rollups: see rollup_files.h. */
#include "store/rollup_files.h"

#include "base/mem.h"

struct sn_rollup_files *sn_rollup_files_ref(struct sn_rollup_files *files) {
    if (files)
        atomic_fetch_add(&files->refs, 1);
    return files;
}

void sn_rollup_files_unref(struct sn_rollup_files *files) {
    if (!files || atomic_fetch_sub(&files->refs, 1) != 1)
        return;
    for (size_t i = 0; i < files->count; i++)
        sn_segment_unref(files->items[i].segment);
    sn_free(files);
}

int64_t sn_rollup_files_raw_from(const struct sn_rollup_files *files) {
    return files ? files->raw_from_ms : INT64_MIN;
}

static bool is_before(const struct sn_rollup_file *a, const struct sn_rollup_file *b) {
    return a->width_ms != b->width_ms ? a->width_ms < b->width_ms : a->start_ms < b->start_ms;
}

static void add(struct sn_rollup_files *files, const struct sn_rollup_file *file) {
    files->items[files->count] = *file;
    if (file->segment)
        atomic_fetch_add(&file->segment->refs, 1);
    files->count++;
}

struct sn_rollup_files *sn_rollup_files_changed(const struct sn_rollup_files *old,
                                                const struct sn_rollup_change *change) {
    size_t count = old ? old->count : 0;
    struct sn_rollup_files *files = sn_alloc_zero(
        1, sizeof *files + (count + change->more_count) * sizeof(struct sn_rollup_file));
    size_t more = 0;
    if (!files)
        return NULL;
    atomic_init(&files->refs, 1);
    files->raw_from_ms = sn_rollup_files_raw_from(old);
    if (change->raw_from_ms > files->raw_from_ms)
        files->raw_from_ms = change->raw_from_ms;
    for (size_t i = 0; i < count; i++) {
        while (more < change->more_count && is_before(&change->more[more], &old->items[i]))
            add(files, &change->more[more++]);
        if (!change->is_dropped || !change->is_dropped[i])
            add(files, &old->items[i]);
    }
    while (more < change->more_count)
        add(files, &change->more[more++]);
    return files;
}

const struct sn_rollup_file *sn_rollup_files_find(const struct sn_rollup_files *files,
                                                  int64_t width_ms, int64_t start_ms) {
    const struct sn_rollup_file wanted = {.width_ms = width_ms, .start_ms = start_ms};
    size_t low = 0;
    size_t high = files ? files->count : 0;
    size_t count = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(&files->items[middle], &wanted))
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < count && files->items[low].width_ms == width_ms &&
                    files->items[low].start_ms == start_ms;
    return is_found ? &files->items[low] : NULL;
}

uint64_t sn_rollup_rank_of(const struct sn_segment_set *set, int64_t start_ms, int64_t end_ms) {
    uint64_t rank = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_segment *segment = set->items[i];
        if (segment->footer.time_max > start_ms && segment->footer.time_min <= end_ms &&
            segment->rank > rank)
            rank = segment->rank;
    }
    return rank;
}
