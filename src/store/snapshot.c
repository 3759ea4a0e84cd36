/*
 * Snapshots: a directory below snapshots/ that is a data directory of its own. Segments are hard links,
 * sonde.db and the guest beside it (records.db) are copies by SQLite's backup, there is no log: everything
 * was flushed before.
 *
 * Invariants:
 *   1. What was acknowledged before the call is in it: the flush comes first, and the list of segments
 *      and the copy of the catalogue are made under one hold of the flush lock.
 *   2. A snapshot that failed leaves nothing behind.
 *   3. The guest is copied outside of the flush lock: it may be large, and no row of it belongs to one of
 *      the catalogue. sonde.db comes last.
 *
 * Any thread, blocks on disk. Pushes and reads go on; flushes wait for the copy of sonde.db.
 */
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "store/db_file.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

enum { NAME_BYTES_MAX = 64 };
_Static_assert(SN_PATH_BYTES_MAX == SN_SNAPSHOT_PATH_SIZE, "a path fits");

/* Four paths: too much for the stack of a worker. */
struct place {
    char parent[SN_PATH_BYTES_MAX];
    char dir[SN_PATH_BYTES_MAX];
    char seg_dir[SN_PATH_BYTES_MAX];
    char wal_dir[SN_PATH_BYTES_MAX];
};

static sn_status join(char ret_path[SN_PATH_BYTES_MAX], const char *dir, const char *name,
                      struct sn_err *err) {
    int len = snprintf(ret_path, SN_PATH_BYTES_MAX, "%s/%s", dir, name);
    if (len <= 0 || len >= SN_PATH_BYTES_MAX - NAME_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    return SN_OK;
}

/* "20261127T221500123Z-5f0e8c21": when, and a number so that two of one moment differ. */
static void make_name(const struct sn_store *store, char ret_name[SN_SNAPSHOT_NAME_SIZE]) {
    char time[SN_TIME_TEXT_SIZE];
    size_t len = 0;
    sn_time_format(sn_store_wall_ms(store), time);
    for (const char *at = time; *at != '\0' && len < 24; at++) {
        if (*at != '-' && *at != ':' && *at != '.')
            ret_name[len++] = *at;
    }
    (void)snprintf(ret_name + len, SN_SNAPSHOT_NAME_SIZE - len, "-%08" PRIx32,
                   (uint32_t)sn_rng_system_seed());
}

/* A link, or a copy where the file system has none. */
static sn_status link_segment(const struct sn_store *store, const struct place *place, uint64_t id,
                              struct sn_err *err) {
    char from[SN_PATH_BYTES_MAX];
    char to[SN_PATH_BYTES_MAX];
    if (!sn_segment_path(from, store->seg_dir, id) || !sn_segment_path(to, place->seg_dir, id))
        return sn_err_set(err, SN_ERR_LIMIT, "the path of segment %" PRIu64 " is too long", id);
    if (sn_os_link(from, to) == 0)
        return SN_OK;
    if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP)
        return sn_err_set_errno(err, errno, "cannot link %s to %s", from, to);
    return sn_os_copy_file(from, to, NULL, NULL, err);
}

/* A segment whose file is gone is damaged in the snapshot as it is here. */
static sn_status link_segments(const struct sn_store *store, const struct place *place,
                               struct sn_err *err) {
    const struct sn_segment_set *set = store->segments.set;
    for (size_t i = 0; i < set->count; i++) {
        sn_status status = link_segment(store, place, set->items[i]->id, err);
        bool is_gone = status == SN_ERR_NOT_FOUND && set->items[i]->damage.status != SN_OK;
        if (status != SN_OK && !is_gone)
            return status;
    }
    for (size_t i = 0; set->rollups && i < set->rollups->count; i++) {
        const struct sn_segment *file = set->rollups->items[i].segment;
        sn_status status = file ? link_segment(store, place, file->id, err) : SN_OK;
        bool is_gone = status == SN_ERR_NOT_FOUND && file->damage.status != SN_OK;
        if (status != SN_OK && !is_gone)
            return status;
    }
    return SN_OK;
}

static sn_status sync_all(const struct place *place, struct sn_err *err) {
    const char *const dirs[] = {place->seg_dir, place->wal_dir, place->dir, place->parent};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        if (sn_os_sync_dir(dirs[i]) != 0)
            return sn_err_set_errno(err, errno, "cannot sync %s", dirs[i]);
    }
    return SN_OK;
}

static sn_status fill(struct sn_store *store, const struct place *place, struct sn_err *err) {
    SN_TRY(sn_os_make_dirs(place->seg_dir, err));
    SN_TRY(sn_os_make_dirs(place->wal_dir, err));
    SN_TRY(sn_db_file_copy_guest(store->dir, place->dir, err));
    sn_mutex_lock(&store->flush_mu);
    sn_status status = link_segments(store, place, err);
    if (status == SN_OK)
        status = sn_catalog_copy(&store->catalog, place->dir, err);
    sn_mutex_unlock(&store->flush_mu);
    SN_TRY(status);
    return sync_all(place, err);
}

static sn_status make_place(const struct sn_store *store, const char *name, struct place *place,
                            struct sn_err *err) {
    SN_TRY(join(place->parent, store->dir, "snapshots", err));
    SN_TRY(join(place->dir, place->parent, name, err));
    SN_TRY(join(place->seg_dir, place->dir, "seg", err));
    return join(place->wal_dir, place->dir, "wal", err);
}

sn_status sn_store_snapshot(void *ctx, struct sn_snapshot *ret_snapshot, struct sn_err *err) {
    struct sn_store *store = ctx;
    char name[SN_SNAPSHOT_NAME_SIZE];
    SN_CLEANUP(sn_free_ptr) struct place *place = sn_alloc(sizeof *place);
    if (!place)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a snapshot");
    make_name(store, name);
    SN_TRY(make_place(store, name, place, err));
    SN_TRY(sn_store_flush(store, err));
    sn_status status = fill(store, place, err);
    if (status != SN_OK) {
        /* What cannot be removed is no snapshot either: nobody got its name. */
        (void)(sn_os_remove_tree(place->dir, NULL) == SN_OK);
        return status;
    }
    memcpy(ret_snapshot->name, name, sizeof name);
    memcpy(ret_snapshot->path, place->dir, sizeof place->dir);
    return SN_OK;
}

/* Nothing but what make_name makes: no way out of the directory. */
static bool is_name(struct sn_str name) {
    if (name.len == 0 || name.len >= SN_SNAPSHOT_NAME_SIZE)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

sn_status sn_store_delete_snapshot(void *ctx, struct sn_str name, struct sn_err *err) {
    struct sn_store *store = ctx;
    char path[SN_PATH_BYTES_MAX];
    struct stat info;
    if (!is_name(name))
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not the name of a snapshot",
                          (int)(name.len < 80 ? name.len : 80), name.ptr);
    int len = snprintf(path, sizeof path, "%s/snapshots/%.*s", store->dir, SN_STR_ARG(name));
    if (len <= 0 || (size_t)len >= sizeof path)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    if (sn_os_stat(path, &info) != 0)
        return sn_err_set_errno(err, errno, "no snapshot %.*s", SN_STR_ARG(name));
    return sn_os_remove_tree(path, err);
}
