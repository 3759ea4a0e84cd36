/*
 * Open runs of a performance tracker. See perf_open_priv.h.
 */
#include "client/perf_open_priv.h"

#include "base/mem.h"

static struct sn_perf_run *run_at(struct sn_perf_open *open, uint32_t number) {
    return &open->runs[number - 1];
}

sn_status sn_perf_open_init(struct sn_perf_open *open, size_t max) {
    *open = (struct sn_perf_open){.max = max};
    size_t buckets = 1;
    while (buckets < max)
        buckets *= 2;
    open->mask = buckets - 1;
    open->seed = (uint64_t)sn_clock_mono_ns(sn_clock_system());
    open->runs = sn_alloc_zero(max, sizeof *open->runs);
    open->buckets = sn_alloc_zero(buckets, sizeof *open->buckets);
    if (open->runs == NULL || open->buckets == NULL)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 0; i < max; i++)
        open->runs[i].next = i + 1 < max ? (uint32_t)i + 2 : 0;
    open->spare = 1;
    return SN_OK;
}

void sn_perf_open_release(struct sn_perf_open *open) {
    sn_free(open->runs);
    sn_free(open->buckets);
    *open = (struct sn_perf_open){0};
}

/* Where the number of the run with this id stands, or the 0 at the end of its bucket. */
static uint32_t *find(struct sn_perf_open *open, struct sn_str id, uint64_t hash) {
    uint32_t *link = &open->buckets[hash & open->mask];
    while (*link != 0) {
        struct sn_perf_run *run = run_at(open, *link);
        if (run->hash == hash && sn_str_equal(sn_str_from(run->id), id))
            break;
        link = &run->next;
    }
    return link;
}

static void list_remove(struct sn_perf_open *open, const struct sn_perf_run *run) {
    *(run->older != 0 ? &run_at(open, run->older)->newer : &open->oldest) = run->newer;
    *(run->newer != 0 ? &run_at(open, run->newer)->older : &open->newest) = run->older;
}

static void list_append(struct sn_perf_open *open, uint32_t number) {
    struct sn_perf_run *run = run_at(open, number);
    run->older = open->newest;
    run->newer = 0;
    *(run->older != 0 ? &run_at(open, run->older)->newer : &open->oldest) = number;
    open->newest = number;
}

/* Close the run that `link` leads to. */
static void close_run(struct sn_perf_open *open, uint32_t *link) {
    uint32_t number = *link;
    struct sn_perf_run *run = run_at(open, number);
    list_remove(open, run);
    *link = run->next;
    run->next = open->spare;
    open->spare = number;
    open->count--;
}

bool sn_perf_open_put(struct sn_perf_open *open, struct sn_str id, struct sn_stopwatch watch) {
    uint64_t hash = sn_hash_bytes(id.ptr, id.len, open->seed);
    uint32_t *link = find(open, id, hash);
    bool gives_up = *link != 0 || open->spare == 0;
    if (*link == 0 && open->spare == 0) {
        const struct sn_perf_run *oldest = run_at(open, open->oldest);
        link = find(open, sn_str_from(oldest->id), oldest->hash);
    }
    if (gives_up)
        close_run(open, link);
    uint32_t number = open->spare;
    struct sn_perf_run *run = run_at(open, number);
    open->spare = run->next;
    run->watch = watch;
    run->hash = hash;
    memcpy(run->id, id.ptr, id.len);
    run->id[id.len] = '\0';
    run->next = open->buckets[hash & open->mask];
    open->buckets[hash & open->mask] = number;
    list_append(open, number);
    open->count++;
    return gives_up;
}

bool sn_perf_open_take(struct sn_perf_open *open, struct sn_str id,
                       struct sn_stopwatch *ret_watch) {
    uint32_t *link = find(open, id, sn_hash_bytes(id.ptr, id.len, open->seed));
    if (*link == 0)
        return false;
    *ret_watch = run_at(open, *link)->watch;
    close_run(open, link);
    return true;
}
