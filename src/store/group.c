/* Groups of samples on their way to the log: see group.h. */
#include "store/group.h"

#include "base/check.h"
#include "base/mem.h"

enum { CAPACITY_FIRST = 1024, CAPACITY_KEPT = 256 << 10 };

static void release_columns(struct sn_group *group) {
    sn_free(group->series);
    sn_free(group->time_ms);
    sn_free(group->value);
    group->series = NULL;
    group->time_ms = NULL;
    group->value = NULL;
    group->capacity = 0;
}

void sn_group_queue_init(struct sn_group_queue *queue) {
    *queue = (struct sn_group_queue){0};
    for (size_t i = 0; i < SN_GROUPS_MAX; i++)
        sn_buf_init(&queue->groups[i].metadata, 0);
    for (size_t i = 0; i < SN_GROUPS_MAX; i++)
        sn_buf_init(&queue->groups[i].histograms, 0);
    for (size_t i = 0; i < SN_GROUPS_MAX; i++)
        sn_buf_init(&queue->groups[i].exemplars, 0);
}

void sn_group_queue_release(struct sn_group_queue *queue) {
    for (size_t i = 0; i < SN_GROUPS_MAX; i++) {
        release_columns(&queue->groups[i]);
        sn_free(queue->groups[i].starts);
        sn_free(queue->groups[i].waiters);
        sn_buf_release(&queue->groups[i].metadata);
        sn_buf_release(&queue->groups[i].histograms);
        sn_buf_release(&queue->groups[i].exemplars);
    }
}

static void *grow_column(void *column, size_t capacity, size_t size, bool *failed) {
    void *grown = sn_realloc_array(column, capacity, size);
    *failed |= grown == NULL;
    return grown ? grown : column;
}

static sn_status reserve_samples(struct sn_group *group, size_t more) {
    if (group->capacity - group->count >= more)
        return SN_OK;
    size_t capacity = group->capacity ? group->capacity * 2 : CAPACITY_FIRST;
    if (capacity < group->count + more)
        capacity = group->count + more;
    bool failed = false;
    group->series = grow_column(group->series, capacity, sizeof *group->series, &failed);
    group->time_ms = grow_column(group->time_ms, capacity, sizeof *group->time_ms, &failed);
    group->value = grow_column(group->value, capacity, sizeof *group->value, &failed);
    if (failed)
        return SN_ERR_NO_MEMORY; /* each column has at least the old capacity */
    group->capacity = capacity;
    return SN_OK;
}

static sn_status reserve_waiter(struct sn_group *group) {
    if (group->waiter_count < group->waiter_capacity)
        return SN_OK;
    size_t capacity = group->waiter_capacity ? group->waiter_capacity * 2 : 16;
    struct sn_push_done *waiters = sn_realloc_array(group->waiters, capacity, sizeof *waiters);
    if (!waiters)
        return SN_ERR_NO_MEMORY;
    group->waiters = waiters;
    group->waiter_capacity = capacity;
    return SN_OK;
}

static bool has_room(const struct sn_group *group, size_t sample_count) {
    return group->count + sample_count <= SN_GROUP_SAMPLES_MAX &&
           group->histograms.len + group->exemplars.len < SN_GROUP_ITEM_BYTES_MAX &&
           group->waiter_count < SN_GROUP_WAITERS_MAX;
}

sn_status sn_group_queue_open(struct sn_group_queue *queue, uint64_t epoch, size_t sample_count,
                              struct sn_group **ret_group) {
    if (queue->sample_count > 0 && queue->sample_count + sample_count > SN_QUEUE_SAMPLES_MAX)
        return SN_ERR_BUSY;
    size_t newest = (queue->first + queue->count + SN_GROUPS_MAX - 1) % SN_GROUPS_MAX;
    struct sn_group *group = &queue->groups[newest];
    bool is_open = queue->count > (queue->is_taken ? 1u : 0u) && group->epoch == epoch;
    if (!is_open || !has_room(group, sample_count)) {
        if (queue->count == SN_GROUPS_MAX)
            return SN_ERR_BUSY;
        group = &queue->groups[(queue->first + queue->count) % SN_GROUPS_MAX];
        is_open = false;
    }
    SN_TRY(reserve_samples(group, sample_count));
    SN_TRY(reserve_waiter(group));
    if (!is_open) {
        group->epoch = epoch;
        queue->count++;
    }
    *ret_group = group;
    return SN_OK;
}

void sn_group_add_sample(struct sn_group_queue *queue, struct sn_group *group, uint32_t series,
                         int64_t time_ms, double value) {
    assert(group->count < group->capacity);
    size_t at = group->count++;
    group->series[at] = series;
    group->time_ms[at] = time_ms;
    group->value[at] = value;
    queue->sample_count++;
    if (series >= group->series_end)
        group->series_end = series + 1;
}

sn_status sn_group_add_start(struct sn_group *group, int64_t start_ms) {
    assert(group->count > 0);
    if (group->start_count == group->start_capacity) {
        size_t capacity = group->start_capacity ? group->start_capacity * 2 : CAPACITY_FIRST;
        struct sn_log_start *starts = sn_realloc_array(group->starts, capacity, sizeof *starts);
        if (!starts)
            return SN_ERR_NO_MEMORY;
        group->starts = starts;
        group->start_capacity = capacity;
    }
    group->starts[group->start_count++] =
        (struct sn_log_start){.at = (uint32_t)(group->count - 1), .start_ms = start_ms};
    return SN_OK;
}

struct sn_group *sn_group_queue_take(struct sn_group_queue *queue) {
    assert(!queue->is_taken);
    if (queue->count == 0)
        return NULL;
    queue->is_taken = true;
    return &queue->groups[queue->first];
}

/* What a usual group needs is kept for the next one. */
static void reset_items(struct sn_buf *items) {
    if (items->cap > SN_GROUP_ITEM_BYTES_MAX) {
        sn_buf_release(items);
        sn_buf_init(items, 0);
    }
    sn_buf_reset(items);
}

void sn_group_queue_pop(struct sn_group_queue *queue) {
    assert(queue->is_taken);
    struct sn_group *group = &queue->groups[queue->first];
    queue->sample_count -= group->count;
    if (group->capacity > CAPACITY_KEPT)
        release_columns(group);
    if (group->start_capacity > CAPACITY_KEPT) {
        sn_free(group->starts);
        group->starts = NULL;
        group->start_capacity = 0;
    }
    group->count = 0;
    group->start_count = 0;
    group->waiter_count = 0;
    group->series_end = 0;
    sn_buf_reset(&group->metadata);
    reset_items(&group->histograms);
    reset_items(&group->exemplars);
    queue->first = (queue->first + 1) % SN_GROUPS_MAX;
    queue->count--;
    queue->is_taken = false;
}

void sn_group_finish(struct sn_group *group, sn_status status, const struct sn_err *err) {
    for (size_t i = 0; i < group->waiter_count; i++)
        group->waiters[i].fn(group->waiters[i].ctx, status, err);
    group->waiter_count = 0;
}
