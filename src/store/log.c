/* The files of the log: see log.h. */
#include "store/log.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/log_record.h"
#include "store/segment_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void sn_log_files_init(struct sn_log *log, const char *dir) {
    *log = (struct sn_log){.dir = dir, .fd = -1};
    sn_mutex_init(&log->mu, SN_RANK_STORE_SYNC, "store log files");
}

static void close_file(struct sn_log *log) {
    if (log->fd >= 0)
        (void)sn_os_close(log->fd); /* what mattered was synced; the rest is not acknowledged */
    log->fd = -1;
}

void sn_log_files_release(struct sn_log *log) {
    close_file(log);
    sn_free(log->files);
    log->files = NULL;
    sn_mutex_release(&log->mu);
}

bool sn_log_path(char *ret_path, const char *dir, uint64_t number) {
    int len =
        snprintf(ret_path, SN_PATH_BYTES_MAX, "%s/%08llu.log", dir, (unsigned long long)number);
    return len > 0 && len < SN_PATH_BYTES_MAX;
}

static sn_status note_locked(struct sn_log *log, struct sn_log_file file) {
    if (log->file_count >= SN_LOG_FILES_MAX)
        return SN_ERR_LIMIT;
    if (log->file_count == log->file_capacity) {
        size_t capacity = log->file_capacity ? log->file_capacity * 2 : 8;
        struct sn_log_file *files = sn_realloc_array(log->files, capacity, sizeof *files);
        if (!files)
            return SN_ERR_NO_MEMORY;
        log->files = files;
        log->file_capacity = capacity;
    }
    log->files[log->file_count++] = file;
    return SN_OK;
}

sn_status sn_log_note_file(struct sn_log *log, struct sn_log_file file) {
    sn_mutex_lock(&log->mu);
    sn_status status = note_locked(log, file);
    sn_mutex_unlock(&log->mu);
    if (status == SN_OK && file.number > log->number)
        log->number = file.number;
    return status;
}

static void count(struct sn_log *log, bool is_sync, bool is_failure) {
    sn_mutex_lock(&log->mu);
    log->sync_count += is_sync;
    log->failure_count += is_failure;
    if (!is_failure && log->file_count > 0 && log->files[log->file_count - 1].number == log->number)
        log->files[log->file_count - 1].bytes = log->bytes;
    sn_mutex_unlock(&log->mu);
}

static void forget_newest(struct sn_log *log) {
    sn_mutex_lock(&log->mu);
    if (log->file_count > 0 && log->files[log->file_count - 1].number == log->number)
        log->file_count--;
    sn_mutex_unlock(&log->mu);
}

/* Close the open file for good; delete it when nobody counts on what it holds. */
static void abandon(struct sn_log *log) {
    char path[SN_PATH_BYTES_MAX];
    close_file(log);
    count(log, false, true);
    if (log->is_used || !sn_log_path(path, log->dir, log->number))
        return;
    forget_newest(log);
    (void)sn_os_unlink(path); /* when that fails too: recovery finds nothing good in it */
}

/* Give up the open file after errno said why. */
static sn_status give_up(struct sn_log *log, const char *what, struct sn_err *err) {
    sn_status status = sn_err_set_errno(err, errno, "cannot %s wal/%08llu.log", what,
                                        (unsigned long long)log->number);
    abandon(log);
    return status;
}

static sn_status write_bytes(struct sn_log *log, const void *bytes, size_t len,
                             struct sn_err *err) {
    if (sn_os_pwrite_all(log->fd, bytes, len, (int64_t)log->bytes) != 0)
        return give_up(log, "write", err);
    log->bytes += len;
    return SN_OK;
}

static sn_status write_header(struct sn_log *log, struct sn_err *err) {
    struct sn_buf header;
    sn_buf_init(&header, 0);
    sn_log_put_header(&header);
    sn_status status = sn_buf_status(&header, err);
    if (status == SN_OK)
        status = write_bytes(log, header.ptr, header.len, err);
    sn_buf_release(&header);
    return status;
}

static sn_status open_next(struct sn_log *log, uint64_t epoch, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    close_file(log);
    log->number++;
    log->is_used = true; /* until it exists there is nothing to delete */
    if (!sn_log_path(path, log->dir, log->number))
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the log is too long");
    log->fd = sn_os_open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
    if (log->fd < 0)
        return give_up(log, "create", err);
    log->bytes = 0;
    log->epoch = epoch;
    log->is_used = false;
    sn_status status = write_header(log, err);
    if (status == SN_OK && sn_os_sync_dir(log->dir) != 0)
        status = give_up(log, "sync the directory of", err);
    if (status != SN_OK)
        return status;
    status = sn_log_note_file(log, (struct sn_log_file){.number = log->number, .epoch = epoch});
    if (status != SN_OK) {
        (void)sn_err_set(err, status, "no room to note wal/%08llu.log",
                         (unsigned long long)log->number);
        abandon(log);
    }
    return status;
}

sn_status sn_log_sync(struct sn_log *log, struct sn_err *err) {
    if (log->fd < 0)
        return SN_OK;
    if (sn_os_fdatasync(log->fd) != 0)
        return give_up(log, "sync", err);
    count(log, true, false);
    return SN_OK;
}

sn_status sn_log_append(struct sn_log *log, uint64_t epoch, struct sn_str bytes, bool sync,
                        struct sn_err *err) {
    if (log->fd < 0 || log->epoch != epoch)
        SN_TRY(open_next(log, epoch, err));
    SN_TRY(write_bytes(log, bytes.ptr, bytes.len, err));
    if (sync)
        SN_TRY(sn_log_sync(log, err));
    else
        count(log, false, false);
    log->is_used = true;
    return SN_OK;
}

sn_status sn_log_probe(struct sn_log *log, uint64_t epoch, struct sn_err *err) {
    SN_TRY(open_next(log, epoch, err));
    return sn_log_sync(log, err);
}

uint64_t sn_log_last_of_epoch(struct sn_log *log, uint64_t epoch) {
    uint64_t number = 0;
    sn_mutex_lock(&log->mu);
    for (size_t i = 0; i < log->file_count && log->files[i].epoch <= epoch; i++)
        number = log->files[i].number;
    sn_mutex_unlock(&log->mu);
    return number;
}

void sn_log_delete_through(struct sn_log *log, uint64_t number) {
    for (;;) {
        char path[SN_PATH_BYTES_MAX];
        uint64_t oldest = UINT64_MAX;
        sn_mutex_lock(&log->mu);
        if (log->file_count > 0 && log->files[0].number <= number) {
            oldest = log->files[0].number;
            log->file_count--;
            memmove(log->files, log->files + 1, log->file_count * sizeof *log->files);
        }
        sn_mutex_unlock(&log->mu);
        if (oldest == UINT64_MAX)
            return;
        if (sn_log_path(path, log->dir, oldest))
            (void)sn_os_unlink(path); /* recovery deletes what is left over */
    }
}

struct sn_log_totals sn_log_totals(struct sn_log *log) {
    sn_mutex_lock(&log->mu);
    struct sn_log_totals totals = {.file_count = log->file_count,
                                   .sync_count = log->sync_count,
                                   .failure_count = log->failure_count};
    for (size_t i = 0; i < log->file_count; i++)
        totals.bytes += log->files[i].bytes;
    sn_mutex_unlock(&log->mu);
    return totals;
}
