/*
 * Whole files and directories over the seam: small files, listings, mkdir -p, rm -r.
 * Any thread. Everything opened here is closed here.
 */
#include "base/os_priv.h"

#include "base/limits.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)4096)
#define COPY_BYTES ((size_t)1 << 20)
#define DIR_MODE ((mode_t)0750)

/* Whether the file goes on after a buffer that is full to its limit. -1: errno. */
static int has_more(int fd) {
    char byte;
    ssize_t got = sn_os_read(fd, &byte, 1);
    return got < 0 ? -1 : got > 0;
}

static sn_status read_failed(const char *path, struct sn_err *err) {
    return sn_err_set_errno(err, errno, "cannot read %s", path);
}

static sn_status check_end(int fd, const char *path, size_t limit, struct sn_err *err) {
    switch (has_more(fd)) {
    case 0:
        return SN_OK;
    case 1:
        return sn_err_set(err, SN_ERR_LIMIT, "%s is larger than the limit of %zu bytes", path,
                          limit);
    default:
        return read_failed(path, err);
    }
}

static sn_status read_open_file(int fd, const char *path, struct sn_buf *buf, struct sn_err *err) {
    size_t limit = buf->limit ? buf->limit : SN_BUF_LIMIT_DEFAULT;
    for (;;) {
        size_t room = buf->len < limit ? limit - buf->len : 0;
        size_t wanted = room < READ_BYTES ? room : READ_BYTES;
        if (wanted == 0)
            return check_end(fd, path, limit, err);
        uint8_t *at = sn_buf_reserve(buf, wanted);
        if (at == NULL)
            return sn_buf_status(buf, err);
        ssize_t got = sn_os_read(fd, at, wanted);
        if (got < 0)
            return read_failed(path, err);
        if (got == 0)
            return SN_OK;
        buf->len += (size_t)got;
    }
}

sn_status sn_os_read_file(const char *path, struct sn_buf *buf, struct sn_err *err) {
    SN_TRY(sn_buf_status(buf, err));
    int fd = sn_os_open(path, O_RDONLY, 0);
    if (fd == -1)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    size_t len_before = buf->len;
    sn_status status = read_open_file(fd, path, buf, err);
    if (status != SN_OK)
        buf->len = len_before;
    (void)sn_os_close(fd); /* nothing was written through it */
    return status;
}

static bool is_self_or_parent(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The next name, or NULL at the end (errno 0) and after an error. */
static const char *next_name(DIR *dir) {
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry != NULL && is_self_or_parent(entry->d_name));
    return entry ? entry->d_name : NULL;
}

/* ---- copying ---- */

struct copy {
    const char *from, *to;
    int from_fd, to_fd;
    bool (*step)(void *ctx, size_t bytes);
    void *ctx;
};

static sn_status copy_bytes(const struct copy *copy, uint8_t *piece, struct sn_err *err) {
    for (;;) {
        ssize_t got = sn_os_read(copy->from_fd, piece, COPY_BYTES);
        if (got < 0)
            return read_failed(copy->from, err);
        if (got == 0)
            break;
        if (sn_os_write_all(copy->to_fd, piece, (size_t)got) != 0)
            return sn_err_set_errno(err, errno, "cannot write %s", copy->to);
        if (copy->step && !copy->step(copy->ctx, (size_t)got))
            return sn_err_set(err, SN_ERR_CLOSED, "stopped");
    }
    if (sn_os_fsync(copy->to_fd) != 0)
        return sn_err_set_errno(err, errno, "cannot sync %s", copy->to);
    return SN_OK;
}

static sn_status copy_open_file(struct copy *copy, struct sn_err *err) {
    SN_CLEANUP(sn_free_ptr) uint8_t *piece = sn_alloc(COPY_BYTES);
    if (!piece)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to copy %s", copy->from);
    copy->to_fd = sn_os_open(copy->to, O_WRONLY | O_CREAT | O_EXCL, 0640);
    if (copy->to_fd < 0)
        return sn_err_set_errno(err, errno, "cannot create %s", copy->to);
    sn_status status = copy_bytes(copy, piece, err);
    if (sn_os_close(copy->to_fd) != 0 && status == SN_OK)
        status = sn_err_set_errno(err, errno, "cannot write %s", copy->to);
    if (status != SN_OK)
        (void)sn_os_unlink(copy->to); /* what stays is half a file that nobody asked for */
    return status;
}

sn_status sn_os_copy_file(const char *from, const char *to, bool (*step)(void *ctx, size_t bytes),
                          void *ctx, struct sn_err *err) {
    struct copy copy = {.from = from, .to = to, .step = step, .ctx = ctx};
    copy.from_fd = sn_os_open(from, O_RDONLY, 0);
    if (copy.from_fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", from);
    sn_status status = copy_open_file(&copy, err);
    (void)sn_os_close(copy.from_fd); /* opened for reading: nothing to lose */
    return status;
}

sn_status sn_os_list_dir(const char *path, bool (*visit)(void *ctx, const char *name), void *ctx,
                         struct sn_err *err) {
    DIR *dir = sn_fault_hits(SN_FAULT_DIR) ? NULL : opendir(path);
    if (dir == NULL)
        return sn_err_set_errno(err, errno, "cannot open directory %s", path);
    const char *name;
    while ((name = next_name(dir)) != NULL) {
        if (!visit(ctx, name))
            break;
    }
    /* After an early stop there is a name, and errno may be the visitor's. */
    int errno_value = name ? 0 : errno;
    (void)closedir(dir);
    if (errno_value != 0)
        return sn_err_set_errno(err, errno_value, "cannot list directory %s", path);
    return SN_OK;
}

static bool is_directory(const char *path) {
    struct stat info;
    return sn_os_stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* One level. A parent that is there may forbid mkdir and still be walked through. */
static sn_status make_dir(const char *path, struct sn_err *err) {
    if (sn_os_mkdir(path, DIR_MODE) == 0)
        return SN_OK;
    int errno_value = errno;
    if (is_directory(path))
        return SN_OK;
    return sn_err_set_errno(err, errno_value == EEXIST ? ENOTDIR : errno_value,
                            "cannot make directory %s", path);
}

sn_status sn_os_make_dirs(const char *path, struct sn_err *err) {
    char prefix[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(prefix))
        return sn_err_set(err, SN_ERR_LIMIT, "path has %zu bytes, the limit is %zu", len,
                          sizeof(prefix) - 1);
    memcpy(prefix, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/')
            continue;
        prefix[i] = '\0';
        SN_TRY(make_dir(prefix, err));
        prefix[i] = '/';
    }
    return make_dir(path, err);
}

static sn_status remove_failed(const char *name, struct sn_err *err) {
    return sn_err_set_errno(err, errno, "cannot remove %s", name);
}

static int remove_at(int dir_fd, const char *name, int flags) {
    return sn_fault_hits(SN_FAULT_UNLINK) ? -1 : unlinkat(dir_fd, name, flags);
}

static sn_status remove_entry(int dir_fd, const char *name, unsigned depth, struct sn_err *err);

/* Everything inside the directory; takes ownership of fd. */
static sn_status remove_contents(int fd, const char *name, unsigned depth, struct sn_err *err) {
    DIR *dir = sn_fault_hits(SN_FAULT_DIR) ? NULL : fdopendir(fd);
    if (dir == NULL) {
        sn_status status = remove_failed(name, err);
        (void)sn_os_close(fd);
        return status;
    }
    sn_status status = SN_OK;
    const char *inner;
    while (status == SN_OK && (inner = next_name(dir)) != NULL)
        status = remove_entry(dirfd(dir), inner, depth + 1, err);
    if (status == SN_OK && errno != 0)
        status = remove_failed(name, err);
    (void)closedir(dir);
    return status;
}

static sn_status remove_dir(int dir_fd, const char *name, unsigned depth, struct sn_err *err) {
    if (depth >= SN_TREE_DEPTH_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "cannot remove %s: deeper than %d levels", name,
                          SN_TREE_DEPTH_MAX);
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = sn_fault_hits(SN_FAULT_OPEN) ? -1 : openat(dir_fd, name, flags);
    if (fd == -1)
        return remove_failed(name, err);
    SN_TRY(remove_contents(fd, name, depth, err));
    return remove_at(dir_fd, name, AT_REMOVEDIR) == 0 ? SN_OK : remove_failed(name, err);
}

/* Recursion is bounded by SN_TREE_DEPTH_MAX. What somebody else removed meanwhile is removed. */
static sn_status remove_entry(int dir_fd, const char *name, unsigned depth, struct sn_err *err) {
    if (remove_at(dir_fd, name, 0) == 0 || errno == ENOENT)
        return SN_OK;
    /* Linux says EISDIR for a directory, POSIX and some file systems say EPERM. */
    struct stat info;
    int errno_value = errno;
    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
        return remove_dir(dir_fd, name, depth, err);
    errno = errno_value;
    return remove_failed(name, err);
}

sn_status sn_os_remove_tree(const char *path, struct sn_err *err) {
    return remove_entry(AT_FDCWD, path, 0, err);
}
