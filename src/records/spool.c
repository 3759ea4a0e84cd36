/*
 * Writes that wait for the database. See spool.h.
 */
#include "records/spool.h"

#include "base/os.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum { HEAD_BYTES = 8 };

static sn_status failure(const char *what, struct sn_err *err) {
    return sn_err_set_errno(err, errno, "cannot %s records.spool", what);
}

/* Read the entry at an offset; SN_ERR_NOT_FOUND: the file ends there. */
static sn_status read_entry(const struct sn_spool *spool, int64_t at, struct sn_buf *buf,
                            struct sn_err *err) {
    uint8_t head[HEAD_BYTES];
    ssize_t got = sn_os_pread_all(spool->fd, head, sizeof head, at);
    if (got < 0)
        return failure("read", err);
    if (got == 0)
        return SN_ERR_NOT_FOUND;
    size_t len = sn_load_u32le(head);
    sn_buf_reset(buf);
    if (got < HEAD_BYTES || len > SN_SPOOL_ENTRY_BYTES_MAX)
        return sn_err_set(err, SN_ERR_CORRUPT, "records.spool is damaged at byte %lld",
                          (long long)at);
    uint8_t *bytes = sn_buf_reserve(buf, len + 1);
    if (bytes == NULL)
        return sn_buf_status(buf, err);
    got = sn_os_pread_all(spool->fd, bytes, len, at + HEAD_BYTES);
    if (got < 0)
        return failure("read", err);
    if ((size_t)got < len || sn_crc32c(0, bytes, len) != sn_load_u32le(head + 4))
        return sn_err_set(err, SN_ERR_CORRUPT, "records.spool is damaged at byte %lld",
                          (long long)at);
    buf->len = len;
    return SN_OK;
}

/* Find the end of the good entries and cut off what follows. */
static sn_status recover(struct sn_spool *spool, struct sn_err *err) {
    struct sn_buf buf;
    struct stat info;
    int64_t at = 0;
    sn_status status;
    sn_buf_init(&buf, 0);
    while ((status = read_entry(spool, at, &buf, err)) == SN_OK)
        at += HEAD_BYTES + (int64_t)buf.len;
    sn_buf_release(&buf);
    if (status != SN_ERR_NOT_FOUND && status != SN_ERR_CORRUPT)
        return status;
    if (sn_os_fstat(spool->fd, &info) != 0)
        return failure("read", err);
    spool->end = at;
    spool->dropped_bytes = (uint64_t)(info.st_size - at);
    if (info.st_size > at && sn_os_ftruncate(spool->fd, at) != 0)
        return failure("truncate", err);
    return SN_OK;
}

sn_status sn_spool_open(struct sn_spool *spool, const char *dir, int64_t bytes_max,
                        struct sn_err *err) {
    char path[PATH_MAX];
    *spool =
        (struct sn_spool){.fd = -1, .bytes_max = bytes_max > 0 ? bytes_max : SN_SPOOL_BYTES_MAX};
    int len = snprintf(path, sizeof path, "%s/records.spool", dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    spool->fd = sn_os_open(path, O_RDWR | O_CREAT, 0640);
    if (spool->fd < 0)
        return failure("open", err);
    if (sn_os_sync_dir(dir) != 0) {
        sn_status status = failure("create", err);
        sn_spool_close(spool);
        return status;
    }
    sn_status status = recover(spool, err);
    if (status != SN_OK)
        sn_spool_close(spool);
    return status;
}

void sn_spool_close(struct sn_spool *spool) {
    if (spool->fd >= 0)
        (void)sn_os_close(spool->fd); /* everything that counts is synced */
    spool->fd = -1;
}

/* Back to an offset; what cannot be cut off is overwritten by the next append, or cut off as damaged
 * or known by its batch id after a restart. */
static void take_back(struct sn_spool *spool, int64_t mark) {
    (void)sn_os_ftruncate(spool->fd, mark);
    spool->end = mark;
}

sn_status sn_spool_append(struct sn_spool *spool, struct sn_str bytes, struct sn_err *err) {
    uint8_t head[HEAD_BYTES];
    int64_t mark = spool->end;
    if (bytes.len > SN_SPOOL_ENTRY_BYTES_MAX ||
        spool->end + HEAD_BYTES + (int64_t)bytes.len > spool->bytes_max)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "the database is away and records.spool is full (%lld bytes)",
                          (long long)spool->bytes_max);
    sn_store_u32le(head, (uint32_t)bytes.len);
    sn_store_u32le(head + 4, sn_crc32c(0, bytes.ptr, bytes.len));
    if (sn_os_pwrite_all(spool->fd, head, sizeof head, mark) != 0 ||
        sn_os_pwrite_all(spool->fd, bytes.ptr, bytes.len, mark + HEAD_BYTES) != 0) {
        sn_status status = failure("write", err);
        take_back(spool, mark);
        return status;
    }
    spool->end = mark + HEAD_BYTES + (int64_t)bytes.len;
    return SN_OK;
}

sn_status sn_spool_sync(struct sn_spool *spool, int64_t mark, struct sn_err *err) {
    if (sn_os_fsync(spool->fd) == 0)
        return SN_OK;
    sn_status status = failure("sync", err);
    take_back(spool, mark);
    return status;
}

sn_status sn_spool_peek(struct sn_spool *spool, struct sn_buf *buf, struct sn_err *err) {
    if (sn_spool_is_empty(spool))
        return SN_ERR_NOT_FOUND;
    return read_entry(spool, spool->read_at, buf, err);
}

sn_status sn_spool_advance(struct sn_spool *spool, size_t entry_len, struct sn_err *err) {
    spool->read_at += HEAD_BYTES + (int64_t)entry_len;
    if (!sn_spool_is_empty(spool))
        return SN_OK;
    if (sn_os_ftruncate(spool->fd, 0) != 0)
        return failure("empty", err);
    spool->read_at = spool->end = 0;
    return SN_OK;
}
