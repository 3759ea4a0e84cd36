/*
 * Machines. See hosts.h.
 */
#include "engine/hosts.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* A table in the making. */
struct reading {
    const struct sn_ask *ask;
    int64_t now_ms;
    struct sn_hosts *hosts;
    struct sn_row_index index; /* of hosts->items */
};

/* Where a query's value goes. */
static const struct column {
    const char *expression;
    size_t offset;
} columns[] = {
    {"1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[2m]))",
     offsetof(struct sn_host, cpu_ratio)},
    {"max by (instance) (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
     offsetof(struct sn_host, memory_ratio)},
    {"max by (instance) (node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)",
     offsetof(struct sn_host, memory_used)},
    {"max by (instance) (node_memory_MemTotal_bytes)", offsetof(struct sn_host, memory_total)},
    {"max by (instance) (node_load1)", offsetof(struct sn_host, load1)},
    {"count by (instance) (node_cpu_seconds_total{mode=\"idle\"})",
     offsetof(struct sn_host, cpu_count)},
    {"sum by (instance) (rate(node_network_receive_bytes_total{device!=\"lo\"}[2m]))",
     offsetof(struct sn_host, received)},
    {"sum by (instance) (rate(node_network_transmit_bytes_total{device!=\"lo\"}[2m]))",
     offsetof(struct sn_host, sent)},
    {"max by (instance) (node_boot_time_seconds)", offsetof(struct sn_host, boot_s)},
};

static double *field(struct sn_host *host, size_t offset) {
    return (double *)(void *)((char *)host + offset);
}

static struct sn_host *find(const struct reading *reading, struct sn_labels labels) {
    size_t at = sn_row_index_find(&reading->index, sn_labels_get(labels, SN_STR("instance")));
    return at != SIZE_MAX ? &reading->hosts->items[at] : NULL;
}

/* Who is there: what tells its memory. */
static sn_status read_names(struct reading *reading) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(reading->ask, reading->now_ms, &result,
                     "max by (instance) (timestamp(node_memory_MemTotal_bytes{instance!=\"\"}))"));
    size_t count = result.series_count < SN_HOSTS_MAX ? result.series_count : SN_HOSTS_MAX;
    struct sn_host *items = sn_arena_alloc_zero(reading->ask->arena, count + 1, sizeof *items);
    if (items == NULL)
        return sn_arena_failure(reading->ask->arena, count * sizeof *items, reading->ask->err);
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        items[i].name = sn_labels_get(result.series[i].labels, SN_STR("instance"));
        items[i].seen_ms = sn_ask_time_ms(sn_ask_value(&result, i));
        items[i].disk_ratio = (double)NAN;
        for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
            *field(&items[i], columns[c].offset) = (double)NAN;
        if (sn_row_index_add(&reading->index, items[i].name, &at) != SN_OK)
            return sn_err_set(reading->ask->err, SN_ERR_NO_MEMORY, "no memory for hosts");
    }
    reading->hosts->items = items;
    reading->hosts->count = count;
    reading->hosts->total = result.series_count;
    return SN_OK;
}

static sn_status read_column(struct reading *reading, const struct column *column) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(reading->ask, reading->now_ms, &result, "%s", column->expression));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_host *host = find(reading, result.series[i].labels);
        if (host != NULL)
            *field(host, column->offset) = sn_ask_value(&result, i);
    }
    return SN_OK;
}

/* Name of a filesystem: its host and where it is mounted. NULL: no memory. */
static char *disk_key(struct reading *reading, struct sn_labels labels) {
    struct sn_str host = sn_labels_get(labels, SN_STR("instance"));
    struct sn_str mountpoint = sn_labels_get(labels, SN_STR("mountpoint"));
    return sn_arena_printf(reading->ask->arena, "%.*s\n%.*s", SN_STR_ARG(host),
                           SN_STR_ARG(mountpoint));
}

/* Not known is below everything. */
static double or_none(double ratio) {
    return isnan(ratio) ? -1 : ratio;
}

static int by_fullest(const void *left, const void *right) {
    const struct sn_disk *a = left, *b = right;
    int order = sn_str_compare(a->host, b->host);
    if (order != 0)
        return order;
    double full_a = or_none(a->used_ratio), full_b = or_none(b->used_ratio);
    return (full_a < full_b) - (full_a > full_b);
}

static sn_status add_disk(struct reading *reading, struct sn_row_index *index,
                          const struct sn_query_result *sizes, size_t i) {
    struct sn_hosts *hosts = reading->hosts;
    struct sn_labels labels = sizes->series[i].labels;
    const char *key = disk_key(reading, labels);
    size_t at = 0;
    if (key == NULL || sn_row_index_add(index, sn_str_from(key), &at) != SN_OK)
        return sn_err_set(reading->ask->err, SN_ERR_NO_MEMORY, "no memory for filesystems");
    if (at < hosts->disk_count) /* mounted twice at one place: the first one */
        return SN_OK;
    hosts->disks[hosts->disk_count++] = (struct sn_disk){
        .host = sn_labels_get(labels, SN_STR("instance")),
        .mountpoint = sn_labels_get(labels, SN_STR("mountpoint")),
        .device = sn_labels_get(labels, SN_STR("device")),
        .fstype = sn_labels_get(labels, SN_STR("fstype")),
        .size = sn_ask_value(sizes, i),
        .available = (double)NAN,
        .used_ratio = (double)NAN,
    };
    return SN_OK;
}

static sn_status read_available(struct reading *reading, const struct sn_row_index *index) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(reading->ask, reading->now_ms, &result,
                     "max by (instance, mountpoint) (node_filesystem_avail_bytes" SN_HOST_DISKS
                     ")"));
    for (size_t i = 0; i < result.series_count; i++) {
        const char *key = disk_key(reading, result.series[i].labels);
        if (key == NULL)
            return sn_arena_failure(reading->ask->arena, 1, reading->ask->err);
        size_t at = sn_row_index_find(index, sn_str_from(key));
        if (at == SIZE_MAX)
            continue;
        struct sn_disk *disk = &reading->hosts->disks[at];
        disk->available = sn_ask_value(&result, i);
        disk->used_ratio = 1 - disk->available / disk->size;
    }
    return SN_OK;
}

static sn_status read_indexed_disks(struct reading *reading, struct sn_row_index *index) {
    struct sn_query_result sizes;
    struct sn_hosts *hosts = reading->hosts;
    struct sn_arena *arena = reading->ask->arena;
    SN_TRY(sn_ask_at(reading->ask, reading->now_ms, &sizes,
                     "max by (instance, mountpoint, device, fstype) "
                     "(node_filesystem_size_bytes" SN_HOST_DISKS ") > 0"));
    hosts->disk_total = sizes.series_count;
    size_t count = sizes.series_count < SN_DISKS_MAX ? sizes.series_count : SN_DISKS_MAX;
    hosts->disks = sn_arena_alloc_zero(arena, count + 1, sizeof *hosts->disks);
    if (hosts->disks == NULL)
        return sn_arena_failure(arena, count * sizeof *hosts->disks, reading->ask->err);
    for (size_t i = 0; i < count; i++)
        SN_TRY(add_disk(reading, index, &sizes, i));
    SN_TRY(read_available(reading, index));
    if (hosts->disk_count > 0)
        qsort(hosts->disks, hosts->disk_count, sizeof *hosts->disks, by_fullest);
    return SN_OK;
}

static sn_status read_disks(struct reading *reading) {
    struct sn_row_index index;
    sn_row_index_init(&index, SN_DISKS_MAX);
    sn_status status = read_indexed_disks(reading, &index);
    sn_row_index_release(&index);
    return status;
}

static enum sn_health judge(double ratio) {
    if (isnan(ratio))
        return SN_HEALTH_UNKNOWN;
    if (ratio > SN_HOST_CRITICAL)
        return SN_HEALTH_CRITICAL;
    return ratio > SN_HOST_WARNING ? SN_HEALTH_WARNING : SN_HEALTH_GOOD;
}

static double fullness(const struct sn_host *host) {
    return fmax(host->cpu_ratio, fmax(host->memory_ratio, host->disk_ratio)); /* NaN loses */
}

static int by_worst(const void *left, const void *right) {
    const struct sn_host *a = left, *b = right;
    double full_a = fullness(a), full_b = fullness(b);
    if (a->status != b->status)
        return (a->status < b->status) - (a->status > b->status);
    if (full_a != full_b)
        return (full_a < full_b) - (full_a > full_b);
    return sn_str_compare(a->name, b->name);
}

static void finish(struct sn_hosts *hosts, const struct sn_row_index *index) {
    for (size_t i = 0; i < hosts->disk_count; i++) {
        const struct sn_disk *disk = &hosts->disks[i];
        size_t at = sn_row_index_find(index, disk->host);
        if (at != SIZE_MAX && !isnan(disk->used_ratio) &&
            !(hosts->items[at].disk_ratio >= disk->used_ratio)) {
            hosts->items[at].disk_ratio = disk->used_ratio;
            hosts->items[at].disk_mountpoint = disk->mountpoint;
        }
    }
    for (size_t i = 0; i < hosts->count; i++) {
        struct sn_host *host = &hosts->items[i];
        host->status = sn_health_worst(judge(host->cpu_ratio), judge(host->memory_ratio));
        host->status = sn_health_worst(host->status, judge(host->disk_ratio));
    }
    if (hosts->count > 0)
        qsort(hosts->items, hosts->count, sizeof *hosts->items, by_worst);
}

static sn_status read_all(struct reading *reading) {
    SN_TRY(read_names(reading));
    if (reading->hosts->count == 0)
        return SN_OK;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        SN_TRY(read_column(reading, &columns[i]));
    return read_disks(reading);
}

sn_status sn_hosts_read(const struct sn_ask *ask, int64_t now_ms, struct sn_hosts *ret_hosts) {
    struct sn_hosts hosts = {.count = 0};
    struct reading reading = {.ask = ask, .now_ms = now_ms, .hosts = &hosts};
    sn_row_index_init(&reading.index, SN_HOSTS_MAX);
    sn_status status = read_all(&reading);
    if (status == SN_OK) {
        finish(&hosts, &reading.index);
        *ret_hosts = hosts;
    }
    sn_row_index_release(&reading.index);
    return status;
}

/* ---- copies ---- */

static bool copy_host(struct sn_host *host, struct sn_arena *arena) {
    return sn_arena_copy(arena, host->name, &host->name) &&
           sn_arena_copy(arena, host->disk_mountpoint, &host->disk_mountpoint);
}

static bool copy_disk(struct sn_disk *disk, struct sn_arena *arena) {
    return sn_arena_copy(arena, disk->host, &disk->host) &&
           sn_arena_copy(arena, disk->mountpoint, &disk->mountpoint) &&
           sn_arena_copy(arena, disk->device, &disk->device) &&
           sn_arena_copy(arena, disk->fstype, &disk->fstype);
}

sn_status sn_hosts_copy(const struct sn_hosts *hosts, struct sn_arena *arena,
                        struct sn_hosts *ret_copy, struct sn_err *err) {
    struct sn_hosts copy = *hosts;
    copy.items = sn_arena_alloc_zero(arena, hosts->count + 1, sizeof *copy.items);
    copy.disks = sn_arena_alloc_zero(arena, hosts->disk_count + 1, sizeof *copy.disks);
    bool is_copied = copy.items != NULL && copy.disks != NULL;
    for (size_t i = 0; is_copied && i < hosts->count; i++) {
        copy.items[i] = hosts->items[i];
        is_copied = copy_host(&copy.items[i], arena);
    }
    for (size_t i = 0; is_copied && i < hosts->disk_count; i++) {
        copy.disks[i] = hosts->disks[i];
        is_copied = copy_disk(&copy.disks[i], arena);
    }
    if (!is_copied)
        return sn_arena_failure(arena, hosts->count * sizeof *copy.items, err);
    *ret_copy = copy;
    return SN_OK;
}
