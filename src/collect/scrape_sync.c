/*
 * Which targets there are: what discovery found against what is being scraped. And when they are due:
 * the heap.
 *
 * The manager's thread; arrays of pools are changed under mu.
 */
#include "base/map.h"
#include "base/mem.h"
#include "collect/scrape_priv.h"

#define SCRATCH_BYTES_MAX ((size_t)16 << 20)

/* ---- heap ---- */

static void heap_put(struct sn_scrape_heap *heap, size_t at, struct sn_scrape_target *target) {
    heap->items[at] = target;
    target->heap_index = at;
}

static void heap_up(struct sn_scrape_heap *heap, size_t at) {
    struct sn_scrape_target *target = heap->items[at];
    while (at > 0 && heap->items[(at - 1) / 2]->next_ms > target->next_ms) {
        heap_put(heap, at, heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(heap, at, target);
}

static void heap_down(struct sn_scrape_heap *heap, size_t at) {
    struct sn_scrape_target *target = heap->items[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->count &&
            heap->items[child + 1]->next_ms < heap->items[child]->next_ms)
            child++;
        if (child >= heap->count || heap->items[child]->next_ms >= target->next_ms)
            break;
        heap_put(heap, at, heap->items[child]);
        at = child;
    }
    heap_put(heap, at, target);
}

bool sn_scrape_heap_push(struct sn_scrape_heap *heap, struct sn_scrape_target *target) {
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity > 0 ? 2 * heap->capacity : 64;
        struct sn_scrape_target **items = sn_realloc_array(heap->items, capacity, sizeof *items);
        if (items == NULL)
            return false;
        heap->items = items;
        heap->capacity = capacity;
    }
    heap_put(heap, heap->count++, target);
    heap_up(heap, heap->count - 1);
    return true;
}

void sn_scrape_heap_move(struct sn_scrape_heap *heap, struct sn_scrape_target *target) {
    heap_up(heap, target->heap_index);
    heap_down(heap, target->heap_index);
}

void sn_scrape_heap_remove(struct sn_scrape_heap *heap, struct sn_scrape_target *target) {
    size_t at = target->heap_index;
    heap->count--;
    if (at == heap->count)
        return;
    heap_put(heap, at, heap->items[heap->count]);
    sn_scrape_heap_move(heap, heap->items[at]);
}

/* ---- making a pool anew ---- */

/* A pool in the making. */
struct sync {
    struct sn_scrape *scrape;
    struct sn_scrape_pool *pool;
    struct sn_scrape_pool next;
    struct sn_map known; /* identity to index in next.targets */
    struct sn_label_draft *draft;
    struct sn_arena scratch;
    struct sn_err first_invalid;
};

static struct sn_str identity_key(const uint64_t *identity) {
    return sn_str_make(identity, sizeof *identity);
}

static bool append(struct sn_scrape_target ***items, size_t *count, size_t *capacity,
                   struct sn_scrape_target *target) {
    if (*count == *capacity) {
        size_t more = *capacity > 0 ? 2 * *capacity : 16;
        struct sn_scrape_target **longer = sn_realloc_array(*items, more, sizeof *longer);
        if (longer == NULL)
            return false;
        *items = longer;
        *capacity = more;
    }
    (*items)[(*count)++] = target;
    return true;
}

static sn_status no_memory(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the targets of a job");
}

static sn_status keep_dropped(struct sync *sync, struct sn_scrape_target *target,
                              struct sn_err *err) {
    struct sn_scrape_pool *next = &sync->next;
    int64_t limit = next->job->rules.dropped_target_max;
    next->dropped_total++;
    if ((limit > 0 && next->dropped_count >= (size_t)limit) ||
        next->dropped_count >= SN_SCRAPE_TARGETS_MAX) {
        (void)sn_scrape_target_free(target); /* NULL, always */
        return SN_OK;
    }
    if (append(&next->dropped, &next->dropped_count, &next->dropped_capacity, target))
        return SN_OK;
    (void)sn_scrape_target_free(target); /* NULL, always */
    return no_memory(err);
}

/* A target that is scraped, unless there is the same already. */
static sn_status keep_active(struct sync *sync, struct sn_scrape_target *target,
                             struct sn_err *err) {
    struct sn_scrape_pool *next = &sync->next;
    uint64_t index;
    if (sn_map_get(&sync->known, identity_key(&target->identity), &index)) {
        (void)sn_scrape_target_free(target); /* NULL, always */
        return SN_OK;
    }
    target->owner = sync->scrape;
    sn_status status =
        sn_map_put(&sync->known, identity_key(&target->identity), next->target_count);
    if (status == SN_OK &&
        append(&next->targets, &next->target_count, &next->target_capacity, target))
        return SN_OK;
    (void)sn_scrape_target_free(target); /* NULL, always */
    return status == SN_ERR_LIMIT
               ? sn_err_set(err, SN_ERR_LIMIT, "job %s has more than %zu targets", next->job->name,
                            SN_SCRAPE_TARGETS_MAX)
               : no_memory(err);
}

static sn_status add_target(struct sync *sync, const char *address,
                            const struct sn_pair_list *labels, struct sn_err *err) {
    struct sn_scrape_target *target;
    struct sn_err why = {.status = SN_OK};
    sn_arena_reset(&sync->scratch);
    sn_status status =
        sn_scrape_target_make(sync->next.job, address, labels, sync->draft, &target, &why);
    if (status == SN_ERR_NO_MEMORY)
        return no_memory(err);
    if (status != SN_OK) {
        if (sync->next.invalid_count++ == 0)
            (void)sn_err_set(&sync->first_invalid, why.status, "target \"%.80s\": %s", address,
                             why.text);
        return SN_OK;
    }
    return target->is_dropped ? keep_dropped(sync, target, err) : keep_active(sync, target, err);
}

static sn_status add_group(void *ctx, const struct sn_target_group *group, struct sn_err *err) {
    struct sync *sync = ctx;
    for (size_t i = 0; i < group->targets.count; i++)
        SN_TRY(add_target(sync, group->targets.items[i], &group->labels, err));
    return SN_OK;
}

static sn_status make_targets(struct sync *sync, size_t index, struct sn_err *err) {
    const struct sn_target_group_list *groups = &sync->pool->job->groups;
    for (size_t i = 0; i < groups->count; i++)
        SN_TRY(add_group(sync, &groups->items[i], err));
    return sn_discovery_each(sync->scrape->discovery, index, add_group, sync, err);
}

/* ---- old against new ---- */

static void swap_texts(struct sn_str *a, struct sn_str *b) {
    struct sn_str text = *a;
    *a = *b;
    *b = text;
}

/* The old target goes on in the place of its new twin; false: it has none. */
static bool place_old(struct sync *sync, struct sn_scrape_target *old) {
    uint64_t index;
    if (!sn_map_get(&sync->known, identity_key(&old->identity), &index))
        return false;
    struct sn_scrape_target *twin = sync->next.targets[index];
    swap_texts(&old->discovered, &twin->discovered);
    (void)sn_scrape_target_free(twin); /* NULL, always */
    sync->next.targets[index] = old;
    return true;
}

static bool is_scheduled(const struct sn_scrape_heap *heap, const struct sn_scrape_target *target) {
    return target->heap_index < heap->count && heap->items[target->heap_index] == target;
}

static void schedule_new(struct sync *sync) {
    struct sn_scrape *scrape = sync->scrape;
    int64_t now_ms = sn_clock_wall_ms(scrape->clock);
    for (size_t i = 0; i < sync->next.target_count; i++) {
        struct sn_scrape_target *target = sync->next.targets[i];
        if (is_scheduled(&scrape->heap, target))
            continue;
        target->next_ms = sn_scrape_target_due_ms(target, now_ms);
        if (!sn_scrape_heap_push(&scrape->heap, target))
            sync->pool->generation = UINT64_MAX; /* No memory: the next round tries again. */
    }
}

static void free_all(struct sn_scrape_target **items, size_t count) {
    for (size_t i = 0; i < count; i++)
        (void)sn_scrape_target_free(items[i]); /* NULL, always */
    sn_free(items);
}

static void take_over(struct sync *sync) {
    struct sn_scrape_pool *pool = sync->pool, old = *pool;
    size_t gone_count = 0;
    sn_mutex_lock(&sync->scrape->mu);
    for (size_t i = 0; i < old.target_count; i++)
        if (!place_old(sync, old.targets[i]))
            old.targets[gone_count++] = old.targets[i];
    sync->next.is_invalid_reported = old.is_invalid_reported;
    *pool = sync->next;
    sn_mutex_unlock(&sync->scrape->mu);
    for (size_t i = 0; i < gone_count; i++) {
        sn_scrape_heap_remove(&sync->scrape->heap, old.targets[i]);
        sn_scrape_retire(sync->scrape, old.targets[i]);
    }
    free_all(old.targets, gone_count);
    free_all(old.dropped, old.dropped_count);
    schedule_new(sync);
}

static void report_invalid(struct sync *sync) {
    struct sn_scrape_pool *pool = sync->pool;
    bool is_invalid = pool->invalid_count > 0;
    if (is_invalid == pool->is_invalid_reported)
        return;
    pool->is_invalid_reported = is_invalid;
    sync->scrape->options.on_change(sync->scrape->options.ctx, pool->job->name,
                                    is_invalid ? &sync->first_invalid : NULL);
}

static void sync_pool(struct sn_scrape *scrape, size_t index, uint64_t generation) {
    struct sync sync = {.scrape = scrape, .pool = &scrape->pools[index]};
    struct sn_err err = {.status = SN_OK};
    sync.next = (struct sn_scrape_pool){.job = sync.pool->job, .generation = generation};
    sync.draft = sn_alloc_zero(1, sizeof *sync.draft);
    sn_map_init(&sync.known, SN_SCRAPE_TARGETS_MAX, 0);
    sn_arena_init(&sync.scratch, SCRATCH_BYTES_MAX);
    sn_status status = SN_ERR_NO_MEMORY;
    if (sync.draft != NULL) {
        sync.draft->arena = &sync.scratch;
        status = make_targets(&sync, index, &err);
    }
    if (status == SN_OK) {
        take_over(&sync);
        report_invalid(&sync);
    } else { /* The old targets stay; the next change of discovery tries again. */
        scrape->options.on_change(scrape->options.ctx, sync.pool->job->name, &err);
        sync.pool->generation = generation;
        free_all(sync.next.targets, sync.next.target_count);
        free_all(sync.next.dropped, sync.next.dropped_count);
    }
    sn_arena_release(&sync.scratch);
    sn_map_release(&sync.known);
    sn_free(sync.draft);
}

/* One kept connection per target, and some for what redirects lead to. */
#define CONNECTIONS_SPARE 64

void sn_scrape_sync(struct sn_scrape *scrape, bool is_all) {
    size_t before = scrape->heap.count;
    for (size_t i = 0; i < scrape->pool_count; i++) {
        uint64_t generation = sn_discovery_generation(scrape->discovery, i);
        if (is_all || scrape->pools[i].generation != generation)
            sync_pool(scrape, i, generation);
    }
    if (is_all || scrape->heap.count != before)
        sn_http_client_keep(scrape->client, scrape->heap.count + CONNECTIONS_SPARE);
}
