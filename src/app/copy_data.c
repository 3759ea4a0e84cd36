/* Copying a data directory. See copy_data.h. */
#include "app/copy_data.h"

#include "base/mem.h"
#include "base/os.h"
#include "model/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096, NAME_BYTES = 64, FOOTER_BYTES = 80 };

struct names {
    char (*items)[NAME_BYTES]; /* [capacity], owned */
    size_t count;
    size_t capacity;
    bool failed;
};

struct copying {
    const char *from, *to;
    bool (*goes_on)(void);
    struct sn_progress *progress;
    struct names segments; /* of from */
    char source[PATH_BYTES], target[PATH_BYTES], part[PATH_BYTES];
};

/* ---- names ---- */

static bool add_segment(void *ctx, const char *name) {
    struct names *names = ctx;
    size_t len = strlen(name);
    if (len >= NAME_BYTES || !sn_str_ends_with(sn_str_from(name), SN_STR(".seg")))
        return true;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 32;
        char(*items)[NAME_BYTES] = sn_realloc_array(names->items, capacity, sizeof *items);
        names->failed = items == NULL;
        if (items == NULL)
            return false;
        names->items = items;
        names->capacity = capacity;
    }
    memcpy(names->items[names->count++], name, len + 1);
    return true;
}

static sn_status list_segments(const char *dir, struct names *names, struct sn_err *err) {
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/seg", dir);
    if (len <= 0 || (size_t)len >= sizeof path)
        return sn_err_set(err, SN_ERR_LIMIT, "the path %s is too long", dir);
    SN_TRY(sn_os_list_dir(path, add_segment, names, err));
    return names->failed ? sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to list %s", path) : SN_OK;
}

static bool has_name(const struct names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return true;
    }
    return false;
}

static sn_status set_paths(struct copying *copying, const char *name, struct sn_err *err) {
    int a = snprintf(copying->source, PATH_BYTES, "%s/%s", copying->from, name);
    int b = snprintf(copying->target, PATH_BYTES, "%s/%s", copying->to, name);
    int c = snprintf(copying->part, PATH_BYTES, "%s/%s.part", copying->to, name);
    if (a <= 0 || b <= 0 || c <= 0 || a >= PATH_BYTES || c >= PATH_BYTES)
        return sn_err_set(err, SN_ERR_LIMIT, "the paths %s and %s are too long", copying->from,
                          copying->to);
    return SN_OK;
}

/* ---- one file ---- */

/* Size and last bytes of a file; 0: it cannot be told. Segments have number, counts and sum there. */
static uint64_t read_footer(const char *path, uint8_t ret_footer[FOOTER_BYTES]) {
    struct stat info;
    int fd = sn_os_open(path, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    uint64_t size = 0;
    if (sn_os_fstat(fd, &info) == 0 && info.st_size >= FOOTER_BYTES &&
        sn_os_pread_all(fd, ret_footer, FOOTER_BYTES, info.st_size - FOOTER_BYTES) == FOOTER_BYTES)
        size = (uint64_t)info.st_size;
    (void)sn_os_close(fd); /* opened for reading: nothing to lose */
    return size;
}

static bool is_there(const struct copying *copying) {
    uint8_t a[FOOTER_BYTES];
    uint8_t b[FOOTER_BYTES];
    uint64_t size = read_footer(copying->source, a);
    return size > 0 && size == read_footer(copying->target, b) && memcmp(a, b, FOOTER_BYTES) == 0;
}

static bool note_piece(void *ctx, size_t bytes) {
    struct copying *copying = ctx;
    copying->progress->done_bytes += bytes;
    sn_progress_step(copying->progress);
    return copying->goes_on();
}

static sn_status copy_file(struct copying *copying, struct sn_err *err) {
    if (sn_os_unlink(copying->part) != 0 && errno != ENOENT)
        return sn_err_set_errno(err, errno, "cannot remove %s", copying->part);
    SN_TRY(sn_os_copy_file(copying->source, copying->part, note_piece, copying, err));
    if (sn_os_rename(copying->part, copying->target) != 0)
        return sn_err_set_errno(err, errno, "cannot rename %s", copying->part);
    return SN_OK;
}

static sn_status sync_dir(const char *dir, const char *name, struct sn_err *err) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name); /* longer ones were refused before */
    if (sn_os_sync_dir(path) != 0)
        return sn_err_set_errno(err, errno, "cannot sync %s", path);
    return SN_OK;
}

/* ---- all files ---- */

static sn_status copy_segments(struct copying *copying, struct sn_err *err) {
    for (size_t i = 0; i < copying->segments.count; i++) {
        char name[NAME_BYTES + 8];
        (void)snprintf(name, sizeof name, "seg/%s", copying->segments.items[i]); /* it fits */
        SN_TRY(set_paths(copying, name, err));
        uint8_t footer[FOOTER_BYTES];
        if (is_there(copying))
            copying->progress->done_bytes += read_footer(copying->source, footer);
        else
            SN_TRY(copy_file(copying, err));
        sn_progress_step(copying->progress);
    }
    return sync_dir(copying->to, "seg", err);
}

static sn_status remove_target(struct copying *copying, const char *name, struct sn_err *err) {
    SN_TRY(set_paths(copying, name, err));
    if (sn_os_unlink(copying->target) != 0 && errno != ENOENT)
        return sn_err_set_errno(err, errno, "cannot remove %s", copying->target);
    return SN_OK;
}

/* A log beside a new database would be read into it. */
static sn_status remove_log_of(struct copying *copying, const char *database, struct sn_err *err) {
    static const char *const endings[] = {"-wal", "-shm"};
    char name[NAME_BYTES];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(name, sizeof name, "%s%s", database, endings[i]); /* it fits */
        SN_TRY(remove_target(copying, name, err));
    }
    return SN_OK;
}

static sn_status copy_database(struct copying *copying, const char *name, struct sn_err *err) {
    SN_TRY(set_paths(copying, name, err));
    SN_TRY(copy_file(copying, err));
    SN_TRY(remove_log_of(copying, name, err));
    return sync_dir(copying->to, ".", err);
}

/* Older directories have their records in sonde.db. An old copy of the file would be taken for them. */
static sn_status copy_records(struct copying *copying, struct sn_err *err) {
    struct stat info;
    SN_TRY(set_paths(copying, SN_RECORDS_DB_NAME, err));
    if (sn_os_stat(copying->source, &info) == 0)
        return copy_database(copying, SN_RECORDS_DB_NAME, err);
    if (errno != ENOENT)
        return sn_err_set_errno(err, errno, "cannot look for %s", copying->source);
    SN_TRY(remove_target(copying, SN_RECORDS_DB_NAME, err));
    return remove_log_of(copying, SN_RECORDS_DB_NAME, err);
}

/* Segments of an older backup that the new sonde.db does not know any more. */
static sn_status delete_others(struct copying *copying, struct sn_err *err) {
    struct names old = {0};
    sn_status status = list_segments(copying->to, &old, err);
    for (size_t i = 0; i < old.count && status == SN_OK; i++) {
        char name[NAME_BYTES + 8];
        if (has_name(&copying->segments, old.items[i]))
            continue;
        (void)snprintf(name, sizeof name, "seg/%s", old.items[i]); /* it fits */
        status = set_paths(copying, name, err);
        if (status == SN_OK)
            (void)sn_os_unlink(copying->target); /* has no row: the next start deletes it as well */
    }
    sn_free(old.items);
    return status;
}

static void add_size(struct copying *copying, const char *place, const char *name) {
    struct stat info;
    (void)snprintf(copying->source, PATH_BYTES, "%s/%s%s", copying->from, place,
                   name); /* too long a path is found later */
    if (sn_os_stat(copying->source, &info) == 0)
        copying->progress->total_bytes += (uint64_t)info.st_size;
}

static void add_sizes(struct copying *copying) {
    for (size_t i = 0; i < copying->segments.count; i++)
        add_size(copying, "seg/", copying->segments.items[i]);
    add_size(copying, "", SN_RECORDS_DB_NAME);
    add_size(copying, "", SN_STORE_DB_NAME);
}

static sn_status make_dirs(struct copying *copying, struct sn_err *err) {
    static const char *const dirs[] = {"seg", "wal"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        SN_TRY(set_paths(copying, dirs[i], err));
        SN_TRY(sn_os_make_dirs(copying->target, err));
    }
    return SN_OK;
}

static sn_status copy_all(struct copying *copying, struct sn_err *err) {
    SN_TRY(list_segments(copying->from, &copying->segments, err));
    add_sizes(copying);
    SN_TRY(make_dirs(copying, err));
    SN_TRY(copy_segments(copying, err));
    SN_TRY(copy_records(copying, err));
    SN_TRY(copy_database(copying, SN_STORE_DB_NAME, err));
    return delete_others(copying, err);
}

sn_status sn_copy_data(const char *from, const char *to, bool (*goes_on)(void),
                       struct sn_progress *progress, struct sn_err *err) {
    /* Three paths: too much for the stack. */
    struct copying *copying = sn_alloc_zero(1, sizeof *copying);
    if (copying == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to copy %s", from);
    copying->from = from;
    copying->to = to;
    copying->goes_on = goes_on;
    copying->progress = progress;
    sn_status status = copy_all(copying, err);
    sn_free(copying->segments.items);
    sn_free(copying);
    return status;
}
