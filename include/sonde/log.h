/*
 * The logger: structured lines that cost the caller a few dozen nanoseconds.
 *
 *     sonde_log *log = sonde_log_open(NULL, NULL);           // stderr, readable
 *     sonde_logger *http = sonde_logger_get(log, "shop.http");
 *     SONDE_LOG_INFO(http, "request done", SONDE_STR("path", path), SONDE_I64("status", 200),
 *                    SONDE_DURATION("took", took_ns));
 *     sonde_log_close(log, 1000);
 *
 * A line is copied into a ring of the calling thread; one thread per log (the only thread that
 * libsonde starts, all signals but those of faults blocked) formats and writes. So the caller never
 * waits, allocates, locks or enters the kernel, and a line may reach its sinks 64 ms later. When a
 * ring is full the line is dropped, counted, and a line in its place tells how many are missing.
 * Lines of different threads are in order of time within what the writer finds at one look.
 *
 *     loggers --> ring of thread 1 --\                     /--> stderr, file, syslog, journald,
 *             --> ring of thread 2 ---+--> writer thread --+    a function of the host
 *
 * fork: the child has no writer. Lines of the parent are written by the parent only. The child's
 * own lines wait in its rings until it calls sonde_log_resume, sonde_log_flush or sonde_log_close.
 * A child never rotates files.
 *
 * Text from outside cannot forge a line: every format escapes what would end one. Bytes that are
 * not UTF-8 become U+FFFD, except in journald's format, which carries bytes.
 */
#ifndef SONDE_LOG_H
#define SONDE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_log sonde_log;       /* rings, writer and sinks */
typedef struct sonde_logger sonde_logger; /* a named component of a log */

/* How serious a line is. Fixed numbers. */
typedef enum sonde_level {
    SONDE_LEVEL_DEFAULT = 0, /* of a component: its parent's; of a log: INFO */
    SONDE_LEVEL_DEBUG = 1,
    SONDE_LEVEL_INFO = 2,
    SONDE_LEVEL_WARN = 3,
    SONDE_LEVEL_ERROR = 4,
    SONDE_LEVEL_OFF = 5 /* as a threshold: nothing */
} sonde_level;

/* Ceilings. What is beyond them is shown as cut ("truncated") or refused, never silently lost. */
#define SONDE_LOG_RECORD_BYTES_MAX 16384 /* of a line: message, keys, values and 16 per field */
#define SONDE_LOG_FIELDS_MAX 64
#define SONDE_LOG_KEY_BYTES_MAX 255
#define SONDE_LOG_SINKS_MAX 8
#define SONDE_LOG_LOGGERS_MAX 1024 /* components of one log */
#define SONDE_LOG_NAME_BYTES_MAX 127
#define SONDE_LOGS_MAX 4 /* open at the same time in one process */

/* Opening and closing. */

typedef enum sonde_log_sink_type {
    SONDE_SINK_STDERR = 0,
    SONDE_SINK_FILE = 1,
    SONDE_SINK_SYSLOG = 2,   /* RFC 5424 datagrams to a local socket */
    SONDE_SINK_JOURNALD = 3, /* systemd's own protocol: every field is searchable */
    SONDE_SINK_CALLBACK = 4
} sonde_log_sink_type;

typedef enum sonde_log_format {
    SONDE_LOG_FORMAT_DEFAULT = 0, /* stderr: CONSOLE; file, callback: JSON */
    SONDE_LOG_FORMAT_JSON = 1,    /* {"ts":"...Z","level":"info","logger":"a.b","msg":"...",...} */
    SONDE_LOG_FORMAT_LOGFMT = 2,  /* ts=...Z level=info logger=a.b msg="..." key=value */
    SONDE_LOG_FORMAT_CONSOLE = 3  /* 2026-11-21T10:11:12.345Z INFO  a.b: ... key=value */
} sonde_log_format;

typedef enum sonde_log_color {
    SONDE_LOG_COLOR_AUTO = 0, /* on a terminal, unless NO_COLOR is set or TERM is dumb */
    SONDE_LOG_COLOR_NEVER = 1,
    SONDE_LOG_COLOR_ALWAYS = 2
} sonde_log_color;

/* A formatted line on its way to the host. Borrowed for the call. */
typedef struct sonde_log_entry {
    const char *text; /* [len], ends with '\n', no NUL */
    size_t len;
    int64_t time_ns;    /* Unix nanoseconds */
    const char *logger; /* its name; "" for the root */
    sonde_level level;
} sonde_log_entry;

/* Where lines go. Every field: zero means the default in brackets. Strings are copied. */
typedef struct sonde_log_sink {
    sonde_log_sink_type type;
    sonde_log_format format; /* of stderr, file and callback */
    sonde_level level_min;   /* lines below do not go here [all that the loggers let through] */
    const char *component;   /* only this logger and those below it [all] */
    sonde_log_color color;   /* of the console format on stderr */
    const char *path;        /* file: needed; syslog [/dev/log], journald [its socket] */
    uint64_t rotate_bytes;   /* file: when a line would go beyond, FILE becomes FILE.1 [never] */
    unsigned rotate_count;   /* ... and FILE.1 becomes FILE.2, up to FILE.rotate_count [5] */
    unsigned facility;       /* syslog, 0 to 23 [1, user] */
    /*
     * callback: take one line; 0: done, else it counts as lost. Called by the writer thread only
     * (after fork also by flush and close). It may log, but must not flush or close this log.
     */
    int (*write)(void *ctx, const sonde_log_entry *entry);
    void *ctx; /* kept until sonde_log_close returns true */
} sonde_log_sink;

/* Every field: zero means the default in brackets. */
typedef struct sonde_log_options {
    const char *name;            /* of the program, for syslog and journald [its short name] */
    sonde_level level;           /* of the root logger [INFO] */
    const sonde_log_sink *sinks; /* [sink_count] */
    size_t sink_count;           /* [one sink: stderr] */
    size_t ring_bytes;           /* of each thread, 65536 to 2^26, rounded up to 2^n [131072] */
    size_t thread_max;           /* threads that log at the same time, to 4096 [128] */
    bool flush_at_exit;          /* exit() closes the log, waiting a second at most */
    bool has_metrics;            /* show sonde_log_dropped_total and sonde_log_written_total */
    sonde_registry *registry;    /* ... in this registry, which outlives the log [global] */
} sonde_log_options;

/*
 * Open a log and start its writer thread.
 *
 *   options  NULL: all defaults
 *   error    INVALID (options, a sink without what it needs), LIMIT (SONDE_LOGS_MAX, sizes),
 *            NO_MEMORY, IO (a file or the thread), EXISTS (metrics of a log of the same name). A syslog or journald socket that is not there
 *            is no error: lines to it are lost and counted until it is.
 *
 * Returns NULL after an error. Every function takes NULL: nothing happens, and lines are counted
 * in sonde_log_dropped_count(NULL).
 * Threads: any. Blocks: on disk. Cost: one thread, (ring_bytes * thread_max) bytes of addresses of
 * which only rings in use take memory, 240 KiB per sink.
 */
SONDE_API sonde_log *sonde_log_open(const sonde_log_options *options, sonde_error *error);

/*
 * Wait until everything that was logged before is written, or lost and counted. Does not sync
 * files to disk.
 *
 * Returns false when timeout_ms passed first.
 * Threads: any but the writer. Blocks: up to timeout_ms; in a child of fork as long as the sinks.
 */
SONDE_API bool sonde_log_flush(sonde_log *log, unsigned timeout_ms);

/*
 * Write what waits, stop the writer, close the sinks. Others may go on logging: their lines are
 * dropped and counted. Loggers stay valid until sonde_log_free. A second call does nothing.
 *
 * Returns false when the writer hangs in a sink for timeout_ms; it goes on, and close may be
 * called again.
 * Threads: any but the writer. Blocks: up to timeout_ms; in a child of fork as long as the sinks.
 */
SONDE_API bool sonde_log_close(sonde_log *log, unsigned timeout_ms);

/*
 * Close a log, as long as that takes, and release its memory. The caller makes sure that nobody
 * uses it or its loggers now or later. Returns NULL.
 * Threads: one, with no other user.
 */
SONDE_API sonde_log *sonde_log_free(sonde_log *log);

/*
 * Ask the writer to open its files again by their names, after somebody moved them away
 * (logrotate). Only sets a flag: also for signal handlers. Threads: any. Blocks: never.
 */
SONDE_API void sonde_log_reopen(sonde_log *log);

/*
 * Start a writer in a child of fork. Does nothing when there is one.
 * Returns SONDE_OK, NO_MEMORY, IO (no thread), INVALID (closed, or NULL). Threads: any.
 */
SONDE_API sonde_status sonde_log_resume(sonde_log *log, sonde_error *error);

/*
 * Write the lines that wait in the rings of all logs to fd, in logfmt, each thread's in order. For
 * the host's own handler of SIGSEGV and the like: write(2) only, no lock, no allocation, no stack
 * to speak of. What the writer was writing at that moment may appear twice. Nothing is taken from
 * the rings.
 */
SONDE_API void sonde_log_crash_flush(int fd);

/* What became of the lines of a log since it was opened. */
typedef struct sonde_log_stats {
    uint64_t submitted;          /* lines that the loggers let through */
    uint64_t written;            /* lines taken from rings and handed to the sinks */
    uint64_t dropped_full;       /* dropped: the thread's ring was full */
    uint64_t dropped_threads;    /* dropped: more than thread_max threads */
    uint64_t dropped_closed;     /* dropped: the log was closed */
    uint64_t dropped_reentrant;  /* dropped: a signal handler interrupted a line */
    uint64_t sink_lost;          /* lines that one sink refused, added up over the sinks */
    uint64_t rotate_error_count; /* rotations that failed; the file just grows */
} sonde_log_stats;

/* Threads: any. Blocks: never. Cost: O(thread_max). */
SONDE_API void sonde_log_read(const sonde_log *log, sonde_log_stats *ret_stats);

/* The four dropped_ numbers and sink_lost together; NULL: lines given to no log at all. */
SONDE_API uint64_t sonde_log_dropped_count(const sonde_log *log);

/* Components. */

/*
 * Find a logger by name, or make it. Dots make families: "shop.http" is below "shop", which is
 * made too. A logger takes its level from the nearest one above that has one.
 *
 *   name  up to SONDE_LOG_NAME_BYTES_MAX bytes of UTF-8 without control characters; NULL or "":
 *         the root
 *
 * Returns a handle for the log's lifetime, never NULL; the nearest logger above when the name is
 * refused or memory or SONDE_LOG_LOGGERS_MAX is exhausted; without a log one that drops.
 * Threads: any. Blocks: on a mutex. Cost: O(loggers). Keep the handle.
 */
SONDE_API sonde_logger *sonde_logger_get(sonde_log *log, const char *name);

/* As above; `name` is below the parent: child of "shop" named "http" is "shop.http". */
SONDE_API sonde_logger *sonde_logger_child(sonde_logger *parent, const char *name);

/*
 * Set the level of a component, now, for all threads. DEFAULT: take that of the parent again.
 * Threads: any. Blocks: on a mutex. Cost: O(loggers).
 */
SONDE_API void sonde_logger_set_level(sonde_logger *logger, sonde_level level);

/* The level in force, and the full name (text of the logger's lifetime). Threads: any. */
SONDE_API sonde_level sonde_logger_level(const sonde_logger *logger);
SONDE_API const char *sonde_logger_name(const sonde_logger *logger);

/* Fields. */

/* Kinds of values. Fixed numbers. */
typedef enum sonde_field_kind {
    SONDE_FIELD_END = 0, /* closes a list in the macros; carries nothing */
    SONDE_FIELD_NULL = 1,
    SONDE_FIELD_TEXT = 2,
    SONDE_FIELD_I64 = 3,
    SONDE_FIELD_U64 = 4,
    SONDE_FIELD_F64 = 5,
    SONDE_FIELD_BOOL = 6,
    SONDE_FIELD_DURATION = 7, /* nanoseconds; shown in seconds */
    SONDE_FIELD_TIME = 8,     /* Unix nanoseconds; shown as RFC 3339 */
    SONDE_FIELD_ERROR = 9     /* {class, message, code} */
} sonde_field_kind;

/*
 * A key and a value, borrowed until the line was submitted. Made by the functions below. A key
 * that is one of ours (ts, level, logger, msg, missing, suppressed, truncated) gets a "_" behind.
 */
typedef struct sonde_field {
    const char *key;
    const char *text;  /* value of TEXT, message of ERROR */
    const char *extra; /* class of ERROR */
    uint64_t number;   /* bits of the value; code of ERROR */
    uint32_t key_len;
    uint32_t text_len;
    uint32_t extra_len;
    uint32_t kind; /* sonde_field_kind */
} sonde_field;

/* Length of a text for a field; 4 GiB stand for everything above. */
SONDE_INLINE uint32_t sonde_field_len(size_t len) {
    return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

SONDE_INLINE sonde_field sonde_field_number(const char *key, size_t key_len, sonde_field_kind kind,
                                            uint64_t number) {
    sonde_field field;
    field.key = key;
    field.text = NULL;
    field.extra = NULL;
    field.number = number;
    field.key_len = sonde_field_len(key_len);
    field.text_len = 0;
    field.extra_len = 0;
    field.kind = (uint32_t)kind;
    return field;
}

/* Text with its length; NULL is shown as null. */
SONDE_INLINE sonde_field sonde_field_text(const char *key, size_t key_len, const char *text,
                                          size_t text_len) {
    sonde_field field =
        sonde_field_number(key, key_len, text != NULL ? SONDE_FIELD_TEXT : SONDE_FIELD_NULL, 0);
    field.text = text;
    field.text_len = text != NULL ? sonde_field_len(text_len) : 0;
    return field;
}

SONDE_INLINE sonde_field sonde_field_f64(const char *key, size_t key_len, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return sonde_field_number(key, key_len, SONDE_FIELD_F64, bits);
}

/* An error: its class ("timeout"), what happened, and a number such as errno. NULL is "". */
SONDE_INLINE sonde_field sonde_field_error(const char *key, size_t key_len, const char *error_class,
                                           const char *message, int64_t code) {
    sonde_field field = sonde_field_number(key, key_len, SONDE_FIELD_ERROR, (uint64_t)code);
    field.text = message;
    field.text_len = message != NULL ? sonde_field_len(strlen(message)) : 0;
    field.extra = error_class;
    field.extra_len = error_class != NULL ? sonde_field_len(strlen(error_class)) : 0;
    return field;
}

SONDE_INLINE sonde_field sonde_field_end(void) {
    return sonde_field_number(NULL, 0, SONDE_FIELD_END, 0);
}

SONDE_INLINE size_t sonde_text_len(const char *text) {
    return text != NULL ? strlen(text) : 0;
}

/* Fields whose key is a literal; its length is known when compiling. Values are read once. */
#define SONDE_KEY_(key) ("" key ""), (sizeof("" key "") - 1)
#define SONDE_NUMBER_(key, kind, value)                                                            \
    sonde_field_number(SONDE_KEY_(key), SONDE_FIELD_##kind, (uint64_t)(value))
#define SONDE_STR(key, text) sonde_field_string(SONDE_KEY_(key), (text))
#define SONDE_TEXT(key, text, len) sonde_field_text(SONDE_KEY_(key), (text), (len))
#define SONDE_I64(key, value) SONDE_NUMBER_(key, I64, (int64_t)(value))
#define SONDE_U64(key, value) SONDE_NUMBER_(key, U64, value)
#define SONDE_F64(key, value) sonde_field_f64(SONDE_KEY_(key), (value))
#define SONDE_BOOL(key, value) SONDE_NUMBER_(key, BOOL, (value) ? 1 : 0)
#define SONDE_DURATION(key, ns) SONDE_NUMBER_(key, DURATION, (int64_t)(ns))
#define SONDE_TIME(key, unix_ns) SONDE_NUMBER_(key, TIME, (int64_t)(unix_ns))
#define SONDE_ERROR(key, error_class, message, code)                                               \
    sonde_field_error(SONDE_KEY_(key), (error_class), (message), (code))

/* Text that ends with NUL; NULL is shown as null. */
SONDE_INLINE sonde_field sonde_field_string(const char *key, size_t key_len, const char *text) {
    return sonde_field_text(key, key_len, text, sonde_text_len(text));
}

/* Lines. */

/* One line to log. Everything is borrowed for the call and copied. */
typedef struct sonde_log_line {
    const char *message;       /* [message_len] */
    const sonde_field *fields; /* [field_count] */
    size_t message_len;
    size_t field_count;
    sonde_level level;   /* DEBUG to ERROR */
    uint32_t suppressed; /* lines of this place that a limit held back; shown when not 0 */
} sonde_log_line;

/*
 * Log one line, whatever the logger's level is. The macros below look at the level first.
 *
 *   logger  NULL: counted in sonde_log_dropped_count(NULL)
 *
 * Threads: any; in a signal handler that interrupted a line of the same thread it is dropped. The
 * first line of a thread takes one of the log's rings, its end gives it back.
 * Blocks: never. Cost: about 35 ns with 4 fields, 15 with none. No lock, allocation or system call.
 */
SONDE_API void sonde_log_submit(sonde_logger *logger, const sonde_log_line *line);

/* Log a message with fields when the level lets it through. As sonde_log_submit. */
SONDE_API void sonde_log_write(sonde_logger *logger, sonde_level level, const char *message,
                               const sonde_field *fields, size_t field_count);

/* What a rate-limited place remembers. Zero-initialised, static. The library writes it. */
typedef struct sonde_log_site {
    uint64_t due_ns;
    uint64_t suppressed;
} sonde_log_site;

/*
 * Ask whether a place may log again: per_second lines at once after a quiet second, then one every
 * 1/per_second. 0: never.
 *
 *   ret_suppressed  how many lines were held back since the last one that went through
 *
 * Threads: any. Blocks: never. Cost: about 25 ns.
 */
SONDE_API bool sonde_log_site_take(const sonde_logger *logger, sonde_log_site *site,
                                   unsigned per_second, uint32_t *ret_suppressed);

/* Start of every logger; see sonde/cells.h on what is public here. */
typedef struct sonde_logger_head {
    uint32_t level;
} sonde_logger_head;

/* Whether a logger lets lines of this level through. Threads: any. Blocks: never. Cost: 0.3 ns. */
#if SONDE_INLINE_RECORD
SONDE_INLINE bool sonde_log_enabled(const sonde_logger *logger, sonde_level level) {
    const sonde_logger_head *head = (const sonde_logger_head *)(const void *)logger;
    return head == NULL || (uint32_t)level >= __atomic_load_n(&head->level, __ATOMIC_RELAXED);
}
#else
#define sonde_log_enabled(logger, level) (sonde_logger_level(logger) <= (level))
#endif

SONDE_INLINE void sonde_log_submit_parts(sonde_logger *logger, sonde_level level,
                                         uint32_t suppressed, const char *message,
                                         const sonde_field *fields, size_t field_count) {
    sonde_log_line line;
    line.message = message;
    line.fields = fields;
    line.message_len = sonde_text_len(message);
    line.field_count = field_count;
    line.level = level;
    line.suppressed = suppressed;
    sonde_log_submit(logger, &line);
}

/*
 * SONDE_LOG_INFO(logger, message, fields...) and its siblings. Message and fields are looked at
 * only when the level lets the line through.
 */
#define SONDE_LOG_DEBUG(logger, ...) SONDE_LOG_AT(logger, SONDE_LEVEL_DEBUG, __VA_ARGS__)
#define SONDE_LOG_INFO(logger, ...) SONDE_LOG_AT(logger, SONDE_LEVEL_INFO, __VA_ARGS__)
#define SONDE_LOG_WARN(logger, ...) SONDE_LOG_AT(logger, SONDE_LEVEL_WARN, __VA_ARGS__)
#define SONDE_LOG_ERROR(logger, ...) SONDE_LOG_AT(logger, SONDE_LEVEL_ERROR, __VA_ARGS__)
#define SONDE_LOG_AT(logger, level, ...)                                                           \
    SONDE_LOG_AT_(logger, level, __VA_ARGS__, sonde_field_end())

/*
 * SONDE_LOG_EVERY(logger, level, per_second, message, fields...): at most so many lines per second
 * from this place in the source; the next one that goes through shows how many did not.
 */
#define SONDE_LOG_EVERY(logger, level, per_second, ...)                                            \
    SONDE_LOG_EVERY_(logger, level, per_second, __VA_ARGS__, sonde_field_end())

/* The end marker keeps the list from being empty, which C99 and C++17 do not allow. */
#define SONDE_LOG_AT_(logger, level, message, ...)                                                 \
    do {                                                                                           \
        sonde_logger *const sonde_logger_ = (logger);                                              \
        if (sonde_log_enabled(sonde_logger_, (level))) {                                           \
            const sonde_field sonde_fields_[] = {__VA_ARGS__};                                     \
            sonde_log_submit_parts(sonde_logger_, (level), 0, (message), sonde_fields_,            \
                                   sizeof sonde_fields_ / sizeof sonde_fields_[0] - 1);            \
        }                                                                                          \
    } while (0)

#define SONDE_LOG_EVERY_(logger, level, per_second, message, ...)                                  \
    do {                                                                                           \
        static sonde_log_site sonde_site_;                                                         \
        sonde_logger *const sonde_logger_ = (logger);                                              \
        uint32_t sonde_suppressed_ = 0;                                                            \
        if (sonde_log_enabled(sonde_logger_, (level)) &&                                           \
            sonde_log_site_take(sonde_logger_, &sonde_site_, (per_second), &sonde_suppressed_)) {  \
            const sonde_field sonde_fields_[] = {__VA_ARGS__};                                     \
            sonde_log_submit_parts(sonde_logger_, (level), sonde_suppressed_, (message),           \
                                   sonde_fields_,                                                  \
                                   sizeof sonde_fields_ / sizeof sonde_fields_[0] - 1);            \
        }                                                                                          \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
