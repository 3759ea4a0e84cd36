/*
 * The server log: two halves of a queue between all threads and one writer.
 *
 *   sn_log_write -> format, escape (caller's stack) -> front half (under mu)
 *                                  writer: swap halves -> back half -> fd
 *
 * Invariants, guarded by `mu` unless said otherwise:
 *   1. A half holds whole lines, each ending in the one '\n' that it has.
 *   2. At most one thread writes (is_writing), and only it touches the back half, without mu.
 *   3. Once a line did not fit, none is taken before the halves are swapped. So lines are missing
 *      only before a half's first line, and the writer says there how many.
 * What the fd refuses is given up: a log must not stop the server that it describes.
 */
#include "base/log.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#define COMPONENT_BYTES_MAX 32
#define HALF_BYTES (SN_LOG_QUEUE_BYTES / 2)
#define UNWRITABLE_WAIT_MS 1000 /* somebody made our stderr non-blocking: wait once, then give up */

struct half {
    char *bytes; /* [HALF_BYTES], owned; NULL while closed */
    size_t len;
    size_t line_count;
    uint64_t lost_before; /* lines missing before the first one */
};

struct log {
    struct sn_mutex mu;
    struct sn_cond changed; /* lines wait, a writer is done, or stop */
    struct half front;      /* takes lines */
    struct half back;       /* being written, or empty */
    uint64_t lost_after;    /* lines missing after the last one of front: it was full */
    uint64_t dropped_count; /* since open */
    uint64_t write_error_count;
    bool is_writing;
    bool is_torn; /* the fd got half a line: the next write begins on a new one */
    bool is_stopping;
    int fd;
};

static struct log the_log = {
    .mu = SN_MUTEX_INITIALIZER(SN_RANK_LOG, "log"),
    .changed = SN_COND_INITIALIZER,
};

/* Read without the mutex, so that a line below it costs one load. Closed: above every level. */
#define LEVEL_CLOSED 4
static _Atomic int level_min = LEVEL_CLOSED;
static const struct sn_clock *_Atomic log_clock;

/* A line being built: always room for "...\n" behind len. */
struct line {
    char text[SN_LOG_LINE_BYTES_MAX];
    size_t len;
    bool is_cut;
};

static void line_put(struct line *line, const char *bytes, size_t len) {
    size_t room = sizeof(line->text) - sizeof("...\n") + 1 - line->len;
    if (line->is_cut || len > room) {
        line->is_cut = true; /* nothing after the first gap */
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void line_put_escape(struct line *line, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    switch (byte) {
    case '\n':
        line_put(line, "\\n", 2);
        return;
    case '\r':
        line_put(line, "\\r", 2);
        return;
    case '\t':
        line_put(line, "\\t", 2);
        return;
    default:
        line_put(line, (const char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
        return;
    }
}

/* Controls are 00 to 1F, 7F, and U+0080 to U+009F: a terminal takes U+009B for ESC [. */
static bool is_control(struct sn_str s, size_t char_len) {
    uint8_t first = (uint8_t)s.ptr[0];
    if (char_len == 1)
        return first < 0x20 || first == 0x7F;
    return char_len == 2 && first == 0xC2 && (uint8_t)s.ptr[1] < 0xA0;
}

static void line_put_escaped(struct line *line, struct sn_str s) {
    while (s.len > 0 && !line->is_cut) {
        size_t char_len = sn_str_utf8_char_len(s);
        if (char_len == 0 || is_control(s, char_len)) {
            line_put_escape(line, (uint8_t)s.ptr[0]);
            char_len = 1;
        } else {
            line_put(line, s.ptr, char_len);
        }
        s = sn_str_make(s.ptr + char_len, s.len - char_len);
    }
}

static void line_end(struct line *line) {
    if (line->is_cut) {
        memcpy(line->text + line->len, "...", 3);
        line->len += 3;
    }
    line->text[line->len++] = '\n';
}

static const char *level_text(enum sn_log_level level) {
    switch (level) {
    case SN_LOG_DEBUG:
        return " debug ";
    case SN_LOG_INFO:
        return " info  ";
    case SN_LOG_WARN:
        return " warn  ";
    case SN_LOG_ERROR:
        return " error ";
    }
    return " ?     ";
}

/* Time, level, component and text; text has len bytes or, is_cut, more that nobody has. */
static void line_make(struct line *line, int64_t wall_ms, enum sn_log_level level,
                      const char *component, struct sn_str text, bool is_cut) {
    char time[SN_TIME_TEXT_SIZE];
    sn_time_format(wall_ms, time);
    line->len = 0;
    line->is_cut = false;
    line_put(line, time, strlen(time));
    line_put(line, level_text(level), strlen(level_text(level)));
    line_put_escaped(line, sn_str_make(component, strnlen(component, COMPONENT_BYTES_MAX)));
    line_put(line, ": ", 2);
    line_put_escaped(line, text);
    line->is_cut |= is_cut;
    line_end(line);
}

static bool fits_locked(size_t bytes) {
    return bytes <= HALF_BYTES - the_log.front.len &&
           the_log.front.line_count + the_log.back.line_count < SN_LOG_QUEUE_LINES;
}

/* Append a line that fits. */
static void push_locked(const struct line *line) {
    struct half *front = &the_log.front;
    memcpy(front->bytes + front->len, line->text, line->len);
    front->len += line->len;
    front->line_count++;
}

static int64_t log_time_ms(void) {
    /* NULL only after a close that came between; the line will be dropped then. */
    const struct sn_clock *clock = atomic_load(&log_clock);
    return clock ? sn_clock_wall_ms(clock) : 0;
}

static void append_locked(const struct line *line) {
    if (the_log.lost_after > 0 || !fits_locked(line->len)) {
        the_log.lost_after++;
        the_log.dropped_count++;
        return;
    }
    push_locked(line);
    sn_cond_broadcast(&the_log.changed);
}

void sn_log_write(enum sn_log_level level, const char *component, const char *format, ...) {
    if ((int)level < atomic_load_explicit(&level_min, memory_order_relaxed))
        return;
    int errno_before = errno;
    char text[SN_LOG_LINE_BYTES_MAX];
    text[0] = '\0';
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool is_cut = len < 0 || (size_t)len >= sizeof(text);
    struct sn_str s = sn_str_make(text, is_cut ? strnlen(text, sizeof(text)) : (size_t)len);
    struct line line;
    line_make(&line, log_time_ms(), level, component, s, is_cut);

    sn_mutex_lock(&the_log.mu);
    if (the_log.front.bytes != NULL)
        append_locked(&line);
    sn_mutex_unlock(&the_log.mu);
    errno = errno_before;
}

/*
 * Bytes that the fd took of len; fewer after an error that waiting does not cure. *is_torn tells
 * whether the fd ends within a line now; unchanged when it took nothing.
 */
static size_t write_to_fd(int fd, const char *bytes, size_t len, bool *is_torn) {
    size_t done = 0;
    bool has_waited = false;
    while (done < len) {
        ssize_t written = sn_os_write_log(fd, bytes + done, len - done);
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
    if (done > 0)
        *is_torn = bytes[done - 1] != '\n';
    return done;
}

static size_t count_lines(const char *bytes, size_t len) {
    size_t count = 0;
    const char *end = bytes + len;
    while (bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        bytes++;
        count++;
    }
    return count;
}

/* The front half goes to the writer; what did not fit into it is missing before the new one. */
static void swap_halves_locked(void) {
    struct half front = the_log.front;
    the_log.front = the_log.back;
    the_log.front.lost_before = the_log.lost_after;
    the_log.lost_after = 0;
    the_log.back = front;
}

/* What happened to a half. */
struct outcome {
    bool has_said_lost; /* the line about missing lines is out, or there was none to say */
    bool is_torn;       /* the fd ends within a line */
    size_t done;        /* bytes of the half that the fd took */
};

/* Say how many lines are missing at this place. True when the fd took the whole line. */
static bool write_notice(int fd, uint64_t lost, bool *is_torn) {
    struct line line;
    char text[64];
    int len = snprintf(text, sizeof(text), "%llu lines are missing here", (unsigned long long)lost);
    line_make(&line, log_time_ms(), SN_LOG_WARN, "log", sn_str_make(text, (size_t)len), false);
    return write_to_fd(fd, line.text, line.len, is_torn) == line.len;
}

/* Each step needs the one before: a fd that refuses one is not asked for the next. */
static struct outcome write_half(int fd, const struct half *half, bool was_torn) {
    struct outcome outcome = {.is_torn = was_torn};
    if (was_torn && write_to_fd(fd, "\n", 1, &outcome.is_torn) != 1)
        return outcome;
    outcome.has_said_lost =
        half->lost_before == 0 || write_notice(fd, half->lost_before, &outcome.is_torn);
    if (outcome.has_said_lost)
        outcome.done = write_to_fd(fd, half->bytes, half->len, &outcome.is_torn);
    return outcome;
}

/* Lines that the fd refused are missing before the half that is now in front. */
static void settle_locked(const struct half *half, const struct outcome *outcome) {
    size_t refused = count_lines(half->bytes + outcome->done, half->len - outcome->done);
    if (!outcome->has_said_lost || outcome->done < half->len)
        the_log.write_error_count++;
    the_log.front.lost_before += refused + (outcome->has_said_lost ? 0 : half->lost_before);
    the_log.dropped_count += refused;
    the_log.is_torn = outcome->is_torn;
    the_log.back.len = the_log.back.line_count = 0;
    the_log.back.lost_before = 0;
}

/* Write what waits, without the mutex while the fd works. Nobody else is writing. */
static void write_front_locked(void) SN_REQUIRES(&the_log.mu);
static void write_front_locked(void) {
    swap_halves_locked();
    the_log.is_writing = true;
    const struct half half = the_log.back;
    bool was_torn = the_log.is_torn;
    int fd = the_log.fd;
    sn_mutex_unlock(&the_log.mu);
    struct outcome outcome = write_half(fd, &half, was_torn);
    sn_mutex_lock(&the_log.mu);
    settle_locked(&half, &outcome);
    the_log.is_writing = false;
    sn_cond_broadcast(&the_log.changed);
}

/*
 * Write until nothing waits. After an error only new lines are a reason to try again, not the
 * lines that are to be reported missing, or this would go on for ever.
 */
static void drain_locked(void) SN_REQUIRES(&the_log.mu);
static void drain_locked(void) {
    uint64_t errors_before = the_log.write_error_count;
    for (;;) {
        bool has_failed = the_log.write_error_count != errors_before;
        bool has_gap = the_log.front.lost_before > 0 || the_log.lost_after > 0;
        if (the_log.is_writing)
            sn_cond_wait(&the_log.changed, &the_log.mu);
        else if (the_log.front.len > 0 || (has_gap && !has_failed))
            write_front_locked();
        else
            return;
    }
}

void sn_log_drain(void) {
    sn_mutex_lock(&the_log.mu);
    if (the_log.front.bytes != NULL)
        drain_locked();
    sn_mutex_unlock(&the_log.mu);
}

static void worker_run(void *ctx) {
    (void)ctx;
    sn_mutex_lock(&the_log.mu);
    while (!the_log.is_stopping) {
        if (the_log.front.len > 0)
            drain_locked();
        else
            sn_cond_wait(&the_log.changed, &the_log.mu);
    }
    if (the_log.front.bytes != NULL)
        drain_locked();
    sn_mutex_unlock(&the_log.mu);
}

static void worker_stop(void *ctx) {
    (void)ctx;
    sn_mutex_lock(&the_log.mu);
    the_log.is_stopping = true;
    sn_cond_broadcast(&the_log.changed);
    sn_mutex_unlock(&the_log.mu);
}

struct sn_worker sn_log_worker(void) {
    return (struct sn_worker){.name = "log", .run = worker_run, .stop = worker_stop};
}

sn_status sn_log_open(const struct sn_log_options *options, struct sn_err *err) {
    char *bytes = sn_alloc(SN_LOG_QUEUE_BYTES);
    if (bytes == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the log's queue of %zu bytes",
                          SN_LOG_QUEUE_BYTES);
    sn_mutex_lock(&the_log.mu);
    bool is_open = the_log.front.bytes != NULL;
    if (!is_open) {
        /* front and back swap places, so that only the lower address is what was allocated. */
        the_log.front = (struct half){.bytes = bytes};
        the_log.back = (struct half){.bytes = bytes + HALF_BYTES};
        the_log.lost_after = the_log.dropped_count = the_log.write_error_count = 0;
        the_log.is_torn = the_log.is_stopping = false;
        the_log.fd = options->fd;
        atomic_store(&log_clock, options->clock ? options->clock : sn_clock_system());
        sn_log_set_level(options->level_min);
    }
    sn_mutex_unlock(&the_log.mu);
    if (!is_open)
        return SN_OK;
    sn_free(bytes);
    return sn_err_set(err, SN_ERR_EXISTS, "the log is open already");
}

void sn_log_close(void) {
    char *bytes = NULL;
    sn_mutex_lock(&the_log.mu);
    if (the_log.front.bytes != NULL) {
        drain_locked();
        bytes = the_log.front.bytes < the_log.back.bytes ? the_log.front.bytes : the_log.back.bytes;
        the_log.front = the_log.back = (struct half){.bytes = NULL};
        the_log.lost_after = 0;
        atomic_store_explicit(&level_min, LEVEL_CLOSED, memory_order_relaxed);
        atomic_store(&log_clock, NULL);
    }
    sn_mutex_unlock(&the_log.mu);
    sn_free(bytes);
}

void sn_log_set_level(enum sn_log_level level) {
    atomic_store_explicit(&level_min, (int)level, memory_order_relaxed);
}

uint64_t sn_log_dropped_count(void) {
    sn_mutex_lock(&the_log.mu);
    uint64_t count = the_log.dropped_count;
    sn_mutex_unlock(&the_log.mu);
    return count;
}

uint64_t sn_log_write_error_count(void) {
    sn_mutex_lock(&the_log.mu);
    uint64_t count = the_log.write_error_count;
    sn_mutex_unlock(&the_log.mu);
    return count;
}
