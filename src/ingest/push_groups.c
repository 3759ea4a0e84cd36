/*
 * Groups of pushed metrics. See push_groups.h; the content of one is push_group.c.
 *
 * A change: make the new group -> write its file (temporary, fsync, rename, fsync of the directory) ->
 * put it in the place of the old one -> push. Files are called by a number, 16 hexadecimal digits:
 * labels are inside.
 */
#include "ingest/push_groups.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "ingest/ingest_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define FILE_ENDING ".group"
#define TEMPORARY_NAME "push.tmp"
enum { PATH_BYTES = 4096, NUMBER_DIGITS = 16 };

/* One slot. Slots [0, count) are in use, in no order. */
struct slot {
    struct sn_push_group group;
    uint64_t number;        /* of its file */
    int64_t last_pushed_ms; /* time of its newest samples; 0: none yet */
};

/* Fields below mu are guarded by it. */
struct sn_push_groups {
    struct sn_ingest *ingest;
    const struct sn_clock *clock;
    char *directory;
    int64_t interval_ms;
    void (*on_trouble)(void *ctx, const struct sn_err *err);
    void *ctx;
    uint64_t seed;

    struct sn_mutex mu;
    struct slot *slots; /* [capacity] */
    size_t count;
    size_t capacity;
    struct sn_map by_labels; /* canonical labels -> index of the slot */
    uint64_t next_number;
    uint64_t bytes;
    uint64_t damaged_count;

    struct sn_mutex wake_mu; /* taken alone */
    struct sn_cond wake;
    bool is_stopping; /* guarded by wake_mu */
};

/* ---- files ---- */

static sn_status path_of(const struct sn_push_groups *groups, uint64_t number,
                         char ret_path[PATH_BYTES], struct sn_err *err) {
    int len = snprintf(ret_path, PATH_BYTES, "%s/%016llx" FILE_ENDING, groups->directory,
                       (unsigned long long)number);
    if (len < 0 || len >= PATH_BYTES) {
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the pushed metrics is too long");
    }
    return SN_OK;
}

static sn_status write_and_sync(const char *path, struct sn_str bytes, struct sn_err *err) {
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0) {
        return sn_err_set_errno(err, errno, "cannot write %s", path);
    }
    int failure =
        sn_os_write_all(fd, bytes.ptr, bytes.len) != 0 || sn_os_fsync(fd) != 0 ? errno : 0;
    (void)sn_os_close(fd); /* after fsync nothing is left to fail */
    return failure == 0 ? SN_OK : sn_err_set_errno(err, failure, "cannot write %s", path);
}

static sn_status sync_directory(const struct sn_push_groups *groups, struct sn_err *err) {
    return sn_os_sync_dir(groups->directory) == 0
               ? SN_OK
               : sn_err_set_errno(err, errno, "cannot sync %s", groups->directory);
}

static sn_status write_file(const struct sn_push_groups *groups, uint64_t number,
                            struct sn_str bytes, struct sn_err *err) {
    char path[PATH_BYTES];
    char temporary[PATH_BYTES];
    SN_TRY(path_of(groups, number, path, err));
    (void)snprintf(temporary, sizeof temporary, "%s/" TEMPORARY_NAME, groups->directory);
    SN_TRY(write_and_sync(temporary, bytes, err));
    if (sn_os_rename(temporary, path) != 0) {
        return sn_err_set_errno(err, errno, "cannot rename %s", temporary);
    }
    return sync_directory(groups, err);
}

static sn_status remove_file(const struct sn_push_groups *groups, uint64_t number,
                             struct sn_err *err) {
    char path[PATH_BYTES];
    SN_TRY(path_of(groups, number, path, err));
    if (sn_os_unlink(path) != 0 && errno != ENOENT) {
        return sn_err_set_errno(err, errno, "cannot remove %s", path);
    }
    return sync_directory(groups, err);
}

/* ---- slots ---- */

static struct slot *find_slot(const struct sn_push_groups *groups, struct sn_str labels) {
    uint64_t index;
    return sn_map_get(&groups->by_labels, labels, &index) ? &groups->slots[index] : NULL;
}

/* Room for one more group of these labels, found by them; its content is still empty. */
static sn_status add_slot(struct sn_push_groups *groups, struct sn_str labels,
                          struct slot **ret_slot, struct sn_err *err) {
    if (groups->count == SN_PUSH_GROUPS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "there are %zu groups of pushed metrics, the limit",
                          groups->count);
    }
    if (groups->count == groups->capacity) {
        size_t capacity = groups->capacity > 0 ? 2 * groups->capacity : 16;
        struct slot *slots = sn_realloc_array(groups->slots, capacity, sizeof *slots);
        if (slots == NULL) {
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a group of pushed metrics");
        }
        groups->slots = slots;
        groups->capacity = capacity;
    }
    sn_status status = sn_map_put(&groups->by_labels, labels, groups->count);
    if (status != SN_OK) {
        return sn_err_set(err, status, "no memory for a group of pushed metrics");
    }
    struct slot *slot = &groups->slots[groups->count++];
    *slot = (struct slot){.number = groups->next_number++};
    *ret_slot = slot;
    return SN_OK;
}

/* Forget a slot and its content; the last one takes its place. */
static void drop_slot(struct sn_push_groups *groups, struct slot *slot, struct sn_str labels) {
    struct slot *last = &groups->slots[--groups->count];
    (void)sn_map_remove(&groups->by_labels, labels);
    groups->bytes -= slot->group.bytes.len;
    sn_push_group_release(&slot->group);
    if (slot != last) {
        *slot = *last;
        sn_status status =
            sn_map_put(&groups->by_labels, slot->group.labels, (uint64_t)(slot - groups->slots));
        SN_CHECK(status == SN_OK); /* the key is there: replacing its value needs no memory */
    }
}

/* ---- loading ---- */

struct loading {
    struct sn_push_groups *groups;
    struct sn_err *err;
    sn_status status;
};

static bool parse_number(const char *name, uint64_t *ret_number) {
    uint64_t number = 0;
    if (strlen(name) != NUMBER_DIGITS + strlen(FILE_ENDING) ||
        strcmp(name + NUMBER_DIGITS, FILE_ENDING) != 0) {
        return false;
    }
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        const char *digit = memchr("0123456789abcdef", name[i], 16);
        if (digit == NULL) {
            return false;
        }
        number = number << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    *ret_number = number;
    return true;
}

static sn_status read_group(const struct sn_push_groups *groups, uint64_t number,
                            struct sn_push_group *ret_group, struct sn_err *err) {
    char path[PATH_BYTES];
    struct sn_buf bytes;
    SN_TRY(path_of(groups, number, path, err));
    sn_buf_init(&bytes, SN_PUSH_GROUP_BYTES_MAX);
    sn_status status = sn_os_read_file(path, &bytes, err);
    if (status == SN_OK) {
        status = sn_push_group_open(&bytes, ret_group, err);
    }
    if (status == SN_ERR_CORRUPT) {
        sn_err_prefix(err, "%s", path);
    }
    sn_buf_release(&bytes);
    return status;
}

static sn_status keep_loaded(struct sn_push_groups *groups, uint64_t number,
                             struct sn_push_group *group, struct sn_err *err) {
    struct slot *slot = NULL;
    sn_status status =
        find_slot(groups, group->labels) == NULL
            ? add_slot(groups, group->labels, &slot, err)
            : sn_err_set(err, SN_ERR_CORRUPT, "two files of pushed metrics have the same group");
    if (status != SN_OK) {
        sn_push_group_release(group);
        return status;
    }
    slot->group = *group;
    slot->number = number;
    groups->bytes += group->bytes.len;
    return SN_OK;
}

/* One file. What is damaged stays where it is, for people to look at. */
static bool load_file(void *ctx, const char *name) {
    struct loading *loading = ctx;
    struct sn_push_groups *groups = loading->groups;
    struct sn_push_group group = {.sample_count = 0};
    uint64_t number;
    if (!parse_number(name, &number)) {
        return true;
    }
    if (number >= groups->next_number) {
        groups->next_number = number + 1;
    }
    sn_status status = read_group(groups, number, &group, loading->err);
    if (status == SN_OK) {
        status = keep_loaded(groups, number, &group, loading->err);
    }
    if (status == SN_ERR_CORRUPT || status == SN_ERR_LIMIT) {
        groups->damaged_count++;
        if (groups->on_trouble != NULL) {
            groups->on_trouble(groups->ctx, loading->err);
        }
        status = SN_OK;
    }
    loading->status = status;
    return status == SN_OK;
}

static sn_status load_all(struct sn_push_groups *groups, struct sn_err *err) {
    struct sn_err local = {.status = SN_OK};
    struct loading loading = {groups, &local, SN_OK};
    SN_TRY(sn_os_make_dirs(groups->directory, err));
    SN_TRY(sn_os_list_dir(groups->directory, load_file, &loading, err));
    return loading.status == SN_OK ? SN_OK : sn_err_set(err, loading.status, "%s", local.text);
}

/* ---- life ---- */

sn_status sn_push_groups_open(const struct sn_push_groups_options *options,
                              struct sn_push_groups **ret_groups, struct sn_err *err) {
    struct sn_push_groups *groups = sn_alloc_zero(1, sizeof *groups);
    if (groups == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for pushed metrics");
    }
    groups->ingest = options->ingest;
    groups->clock = options->clock != NULL ? options->clock : sn_clock_system();
    groups->interval_ms = options->interval_ms;
    groups->on_trouble = options->on_trouble;
    groups->ctx = options->ctx;
    groups->seed = sn_rng_system_seed();
    groups->next_number = 1;
    groups->directory = sn_strdup(options->directory);
    sn_mutex_init(&groups->mu, SN_RANK_INGEST, "push-groups");
    sn_mutex_init(&groups->wake_mu, SN_RANK_INGEST, "push-groups-wake");
    sn_cond_init(&groups->wake);
    sn_map_init(&groups->by_labels, SN_PUSH_GROUPS_MAX, groups->seed);
    sn_status status = groups->directory != NULL
                           ? load_all(groups, err)
                           : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for pushed metrics");
    if (status != SN_OK) {
        (void)sn_push_groups_close(groups); /* NULL, always */
        return status;
    }
    *ret_groups = groups;
    return SN_OK;
}

struct sn_push_groups *sn_push_groups_close(struct sn_push_groups *groups) {
    if (groups == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < groups->count; i++) {
        sn_push_group_release(&groups->slots[i].group);
    }
    sn_map_release(&groups->by_labels);
    sn_free(groups->slots);
    sn_free(groups->directory);
    sn_cond_release(&groups->wake);
    sn_mutex_release(&groups->wake_mu);
    sn_mutex_release(&groups->mu);
    sn_free(groups);
    return NULL;
}

/* ---- pushing ---- */

/* A time for samples of a slot: now, but later than its newest ones unless the clock went back. */
static int64_t time_for(const struct sn_push_groups *groups, const struct slot *slot) {
    int64_t now_ms = sn_clock_wall_ms(groups->clock);
    bool is_just_before = now_ms <= slot->last_pushed_ms && slot->last_pushed_ms - now_ms < 1000;
    return is_just_before ? slot->last_pushed_ms + 1 : now_ms;
}

/* Show the slot's group, where `old` was shown before. done NULL: wait until it is durable. */
static sn_status push_slot(struct sn_push_groups *groups, struct slot *slot,
                           const struct sn_push_group *now, const struct sn_push_group *old,
                           const struct sn_push_done *done, struct sn_ingest_result *result,
                           struct sn_err *err) {
    struct sn_arena arena;
    struct sn_batch batch;
    int64_t time_ms = time_for(groups, slot);
    sn_arena_init(&arena, SN_INGEST_MEMORY_MAX);
    sn_status status = sn_push_group_batch(now, old, time_ms, groups->seed, &arena, &batch, err);
    if (status == SN_OK) {
        status = sn_ingest_push(groups->ingest, SN_INGEST_PUSHGATEWAY, &batch, done, result, err);
    }
    if (status == SN_OK) {
        slot->last_pushed_ms = time_ms;
    }
    sn_arena_release(&arena);
    return status;
}

sn_status sn_push_groups_pass(struct sn_push_groups *groups, struct sn_err *err) {
    const struct sn_push_done nobody = {.fn = NULL};
    sn_status status = SN_OK;
    sn_mutex_lock(&groups->mu);
    for (size_t i = 0; i < groups->count; i++) {
        struct slot *slot = &groups->slots[i];
        struct sn_ingest_result result = {.accepted_count = 0};
        sn_status one = push_slot(groups, slot, &slot->group, NULL, &nobody, &result,
                                  status == SN_OK ? err : NULL);
        status = status == SN_OK ? one : status;
    }
    sn_mutex_unlock(&groups->mu);
    return status;
}

/* ---- changes ---- */

/* Keep a group, in its file and in memory; *ret_old is what it replaces. */
static sn_status keep_locked(struct sn_push_groups *groups, struct sn_push_group *group,
                             struct slot **ret_slot, struct sn_push_group *ret_old,
                             struct sn_err *err) {
    struct slot *slot = find_slot(groups, group->labels);
    size_t old_bytes = slot != NULL ? slot->group.bytes.len : 0;
    bool is_new = slot == NULL;
    if (groups->bytes - old_bytes + group->bytes.len > SN_PUSH_GROUPS_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "all groups of pushed metrics have %llu bytes, the limit is %zu",
                          (unsigned long long)groups->bytes, SN_PUSH_GROUPS_BYTES_MAX);
    }
    if (is_new) {
        SN_TRY(add_slot(groups, group->labels, &slot, err));
    }
    sn_status status = write_file(groups, slot->number, sn_buf_str(&group->bytes), err);
    if (status != SN_OK) {
        if (is_new) {
            drop_slot(groups, slot, group->labels);
        }
        return status;
    }
    groups->bytes += group->bytes.len - old_bytes;
    *ret_old = slot->group;
    slot->group = *group;
    *ret_slot = slot;
    return SN_OK;
}

/* Make a group, keep it and push it. */
static sn_status change_locked(struct sn_push_groups *groups, struct sn_push_change *change,
                               struct sn_str canonical, struct sn_ingest_result *ret_result,
                               struct sn_err *err) {
    struct slot *slot = find_slot(groups, canonical);
    struct sn_push_group group = {.sample_count = 0};
    struct sn_push_group old = {.sample_count = 0};
    struct sn_ingest_result result = {.accepted_count = 0};
    change->old = slot != NULL ? &slot->group : NULL;
    SN_TRY(sn_push_group_make(change, &group, err));
    sn_status status = keep_locked(groups, &group, &slot, &old, err);
    if (status != SN_OK) {
        sn_push_group_release(&group);
        return status;
    }
    status =
        push_slot(groups, slot, &slot->group, old.bytes.len > 0 ? &old : NULL, NULL, &result, err);
    sn_push_group_release(&old);
    if (status == SN_OK) {
        *ret_result = result;
    }
    return status;
}

/* Note the failure of a push in its group. */
static void note_failure_locked(struct sn_push_groups *groups, struct sn_push_change *change,
                                struct sn_str canonical) {
    struct sn_ingest_result unused;
    change->is_failure = true;
    /* The failure that is answered is the one of the page. */
    (void)change_locked(groups, change, canonical, &unused, NULL);
}

static sn_status encode_labels(struct sn_labels labels, struct sn_buf *canonical,
                               struct sn_err *err) {
    SN_TRY(sn_labels_validate(labels, err));
    sn_labels_encode(labels, canonical);
    return sn_buf_status(canonical, err);
}

sn_status sn_push_groups_put(struct sn_push_groups *groups, struct sn_labels labels,
                             const struct sn_push_page *page, struct sn_ingest_result *ret_result,
                             struct sn_err *err) {
    struct sn_push_change change = {.labels = labels, .page = *page, .seed = groups->seed};
    struct sn_buf canonical;
    sn_buf_init(&canonical, SN_LABELS_BYTES_MAX);
    sn_status status = encode_labels(labels, &canonical, err);
    if (status == SN_OK) {
        sn_mutex_lock(&groups->mu);
        change.now_ms = sn_clock_wall_ms(groups->clock);
        status = change_locked(groups, &change, sn_buf_str(&canonical), ret_result, err);
        if (status == SN_ERR_INVALID || status == SN_ERR_LIMIT) {
            note_failure_locked(groups, &change, sn_buf_str(&canonical));
        }
        sn_mutex_unlock(&groups->mu);
    }
    sn_buf_release(&canonical);
    sn_ingest_count_request(groups->ingest, status);
    return status;
}

static sn_status delete_locked(struct sn_push_groups *groups, struct sn_str canonical,
                               struct sn_err *err) {
    struct slot *slot = find_slot(groups, canonical);
    struct sn_ingest_result result = {.accepted_count = 0};
    if (slot == NULL) {
        return SN_OK;
    }
    SN_TRY(remove_file(groups, slot->number, err));
    sn_status status = push_slot(groups, slot, NULL, &slot->group, NULL, &result, err);
    drop_slot(groups, slot, canonical);
    return status;
}

sn_status sn_push_groups_delete(struct sn_push_groups *groups, struct sn_labels labels,
                                struct sn_err *err) {
    struct sn_buf canonical;
    sn_buf_init(&canonical, SN_LABELS_BYTES_MAX);
    sn_status status = encode_labels(labels, &canonical, err);
    if (status == SN_OK) {
        sn_mutex_lock(&groups->mu);
        status = delete_locked(groups, sn_buf_str(&canonical), err);
        sn_mutex_unlock(&groups->mu);
    }
    sn_buf_release(&canonical);
    sn_ingest_count_request(groups->ingest, status);
    return status;
}

/* ---- worker ---- */

/* Sleep until the next multiple of the interval; false: time to end. */
static bool wait_for_turn(struct sn_push_groups *groups) {
    int64_t now_ms = sn_clock_wall_ms(groups->clock);
    int64_t left_ms = groups->interval_ms - now_ms % groups->interval_ms;
    int64_t end_ns = sn_clock_mono_ns(groups->clock) + left_ms * 1000000;
    sn_mutex_lock(&groups->wake_mu);
    while (!groups->is_stopping) {
        int64_t left_ns = end_ns - sn_clock_mono_ns(groups->clock);
        if (left_ns <= 0) {
            break;
        }
        (void)sn_cond_wait_ns(&groups->wake, &groups->wake_mu, left_ns); /* the loop asks again */
    }
    bool is_stopping = groups->is_stopping;
    sn_mutex_unlock(&groups->wake_mu);
    return !is_stopping;
}

static void worker_run(void *ctx) {
    struct sn_push_groups *groups = ctx;
    bool was_failing = false;
    while (wait_for_turn(groups)) {
        struct sn_err err = {.status = SN_OK};
        bool is_failing = sn_push_groups_pass(groups, &err) != SN_OK;
        if (is_failing != was_failing && groups->on_trouble != NULL) {
            groups->on_trouble(groups->ctx, is_failing ? &err : NULL);
        }
        was_failing = is_failing;
    }
}

static void worker_stop(void *ctx) {
    struct sn_push_groups *groups = ctx;
    sn_mutex_lock(&groups->wake_mu);
    groups->is_stopping = true;
    sn_cond_broadcast(&groups->wake);
    sn_mutex_unlock(&groups->wake_mu);
}

struct sn_worker sn_push_groups_worker(struct sn_push_groups *groups) {
    return (struct sn_worker){"push-groups", worker_run, worker_stop, groups};
}

void sn_push_groups_stats(struct sn_push_groups *groups, struct sn_push_groups_stats *ret_stats) {
    sn_mutex_lock(&groups->mu);
    *ret_stats = (struct sn_push_groups_stats){
        .group_count = groups->count,
        .group_bytes = groups->bytes,
        .damaged_file_count = groups->damaged_count,
    };
    sn_mutex_unlock(&groups->mu);
}
