/*
 * Sinks that write a stream: files, with rotation, and stderr. See log_sink_priv.h.
 *
 * A file is opened for appending, so several processes may share it line by line; only one of them
 * may rotate it. After a failed write the descriptor stays: a full disk may empty again.
 */
#include "client/log_sink_priv.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define FILE_MODE ((mode_t)0640)
#define UNWRITABLE_WAIT_MS 1000 /* somebody made our stderr non-blocking: wait, then give up */
#define SUFFIX_SIZE 16

/* ---- writing ---- */

/* Bytes that the descriptor took of len; fewer after an error that waiting does not cure. */
static size_t write_some(int fd, const uint8_t *bytes, size_t len) {
    size_t done = 0;
    bool has_waited = false;
    while (done < len) {
        ssize_t written = sn_os_write(fd, bytes + done, len - done);
        if (written > 0) {
            done += (size_t)written;
            has_waited = false; /* a slow reader is not a dead one */
        } else if (written < 0 && errno == EAGAIN && !has_waited) {
            has_waited = true;
            (void)sn_os_poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, UNWRITABLE_WAIT_MS);
        } else {
            break;
        }
    }
    return done;
}

static size_t count_lines(const uint8_t *bytes, size_t len) {
    size_t count = 0;
    for (const uint8_t *end = bytes + len; (bytes = memchr(bytes, '\n', (size_t)(end - bytes)));) {
        count++;
        if (++bytes == end)
            break;
    }
    return count;
}

/* Whether the descriptor is at the start of a line now. */
static bool mend(struct sn_log_sink *sink) {
    if (!sink->is_torn)
        return true;
    sink->is_torn = write_some(sink->fd, (const uint8_t *)"\n", 1) != 1;
    sink->size += !sink->is_torn;
    return !sink->is_torn;
}

static void stream_flush(struct sn_log_sink *sink) {
    struct sn_buf *out = &sink->out;
    if (out->len == 0)
        return;
    size_t done = 0;
    if (sink->fd >= 0 && mend(sink))
        done = write_some(sink->fd, out->ptr, out->len);
    if (done > 0)
        sink->is_torn = out->ptr[done - 1] != '\n';
    sink->size += done;
    if (done < out->len)
        sn_log_sink_lost(sink, sink->out_lines - (done > 0 ? count_lines(out->ptr, done) : 0));
    sn_buf_reset(out);
    sink->out_lines = 0;
}

static void stream_put(struct sn_log_sink *sink, const struct sn_log_view *view, size_t start) {
    (void)sink;
    (void)view;
    (void)start; /* it stays in the buffer */
}

static void stderr_nothing(struct sn_log_sink *sink) {
    (void)sink;
}

static sn_status stderr_open(struct sn_log_sink *sink, struct sn_err *err) {
    (void)err;
    sink->fd = STDERR_FILENO;
    return SN_OK;
}

const struct sn_log_sink_class sn_log_stderr_class = {
    .open = stderr_open,
    .put = stream_put,
    .flush = stream_flush,
    .reopen = stderr_nothing,
    .close = stderr_nothing,
};

/* ---- files ---- */

/* True when the file is open, and what was open before is closed; on failure that still is. */
static bool open_file(struct sn_log_sink *sink) {
    int old_fd = sink->fd;
    int fd = sn_os_open(sink->options.path, O_WRONLY | O_CREAT | O_APPEND, FILE_MODE);
    if (fd < 0)
        return false;
    struct stat info;
    sink->size = sn_os_fstat(fd, &info) == 0 && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    sink->rotate_at = sink->options.rotate_bytes;
    sink->is_torn = sink->is_moved = false;
    sink->fd = fd;
    if (old_fd >= 0)
        (void)sn_os_close(old_fd); /* a late error cannot be told apart by lines any more */
    return true;
}

/* A child of fork may see this half done: then it finds no descriptor, not a closed one. */
static void close_file(struct sn_log_sink *sink) {
    int fd = sink->fd;
    sink->fd = -1;
    if (fd >= 0)
        (void)sn_os_close(fd); /* as above */
}

static sn_status file_open(struct sn_log_sink *sink, struct sn_err *err) {
    if (!open_file(sink))
        return sn_err_set_errno(err, errno, "cannot open log file %s", sink->options.path);
    return SN_OK;
}

/* path.n, or path itself for 0. False: too long. */
static bool rotated_name(const struct sn_log_sink *sink, unsigned n, char *name, size_t size) {
    int len = n == 0 ? snprintf(name, size, "%s", sink->options.path)
                     : snprintf(name, size, "%s.%u", sink->options.path, n);
    return len > 0 && (size_t)len < size;
}

/* Make room for path.1. Names that are missing are no error: there were fewer files so far. */
static bool shift_names(struct sn_log_sink *sink) {
    char from[4096 + SUFFIX_SIZE];
    char to[sizeof from];
    for (unsigned n = sink->options.rotate_count; n-- > 0;) {
        if (!rotated_name(sink, n, from, sizeof from) || !rotated_name(sink, n + 1, to, sizeof to))
            return false;
        if (sn_os_rename(from, to) != 0 && errno != ENOENT)
            return false;
    }
    return true;
}

/*
 * On failure the file grows on: to the size of the next attempt, or, when it has its new name
 * already, until there is a file of its old one.
 */
static void rotate(struct sn_log_sink *sink) {
    bool is_moved = shift_names(sink);
    if (is_moved && open_file(sink))
        return;
    sink->is_moved = is_moved;
    sink->rotate_at = sink->size + sink->options.rotate_bytes;
    atomic_fetch_add_explicit(&sink->rotate_error_count, 1, memory_order_relaxed);
}

/* The line at `start` may be the first of the next file. */
static void file_put(struct sn_log_sink *sink, const struct sn_log_view *view, size_t start) {
    (void)view;
    struct sn_buf *out = &sink->out;
    if (sink->rotate_at == 0 || sink->is_forked || sink->fd < 0 ||
        sink->size + out->len <= sink->rotate_at || sink->size + start == 0)
        return;
    size_t len = out->len - start;
    if (start > 0) {
        out->len = start;
        sink->out_lines--;
        stream_flush(sink);
        memmove(out->ptr, out->ptr + start, len);
        out->len = len;
        sink->out_lines = 1;
    }
    if (sink->size > 0)
        rotate(sink);
}

static void file_flush(struct sn_log_sink *sink) {
    bool is_wanted = sink->is_moved || (sink->fd < 0 && sink->out.len > 0);
    if (is_wanted && sn_log_sink_may_retry(sink))
        (void)open_file(sink);
    stream_flush(sink);
}

static void file_reopen(struct sn_log_sink *sink) {
    close_file(sink);
    sink->retry_mono_ns = INT64_MIN;
}

const struct sn_log_sink_class sn_log_file_class = {
    .open = file_open,
    .put = file_put,
    .flush = file_flush,
    .reopen = file_reopen,
    .close = close_file,
};
