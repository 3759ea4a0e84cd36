/*
 * The server's own log: asynchronous, bounded, one line per event.
 *
 *   2026-11-21T10:11:12.345Z info  store: flushed segment 12 (4.1 MB, 0.3 s)
 *
 * Callers format into a ring and return; one worker thread writes. When the ring is full the line
 * is dropped and counted, and a line in its place says how many are missing. Before the worker
 * runs, and after it stopped, sn_log_drain writes synchronously. Any thread; blocks never (a short
 * mutex). libsonde does not use this: a library does not print.
 *
 * A line is at most SN_LOG_LINE_BYTES_MAX bytes, longer ones end in "...". Control characters and
 * bytes that are not UTF-8 appear as \n, \t, \r or \x1b, so that foreign text can neither
 * forge a line nor steer a terminal.
 */
#ifndef SN_BASE_LOG_H
#define SN_BASE_LOG_H

#include "base/clock.h"
#include "base/lock.h"
#include "base/status.h"

enum sn_log_level { SN_LOG_DEBUG = 0, SN_LOG_INFO = 1, SN_LOG_WARN = 2, SN_LOG_ERROR = 3 };

struct sn_log_options {
    const struct sn_clock *clock; /* NULL: system */
    enum sn_log_level level_min;  /* lower ones are not even formatted */
    int fd;                       /* borrowed; 2 for stderr */
};

/*
 * Prepare the one log of the process. Logging before it is dropped silently (tests need none).
 * SN_ERR_NO_MEMORY, SN_ERR_EXISTS (open already).
 */
sn_status sn_log_open(const struct sn_log_options *options, struct sn_err *err) SN_MUST_USE;
void sn_log_close(void); /* drains, then forgets the ring */

/* The writer: app starts it as a thread. It writes all that waits before it stops. */
struct sn_worker sn_log_worker(void);

/* Write all that waits. Any thread, also while the worker runs. Blocks as long as the fd does. */
void sn_log_drain(void);

/* One line. component is a short word such as "store". errno is kept. No %f: locale. */
void sn_log_write(enum sn_log_level level, const char *component, const char *format, ...)
    SN_PRINTF(3, 4);
void sn_log_set_level(enum sn_log_level level_min);

/* Since sn_log_open: lines lost because the ring was full or because the fd refused them. */
uint64_t sn_log_dropped_count(void);
uint64_t sn_log_write_error_count(void); /* failed writes to the fd */

#define sn_log_debug(component, ...) sn_log_write(SN_LOG_DEBUG, component, __VA_ARGS__)
#define sn_log_info(component, ...) sn_log_write(SN_LOG_INFO, component, __VA_ARGS__)
#define sn_log_warn(component, ...) sn_log_write(SN_LOG_WARN, component, __VA_ARGS__)
#define sn_log_error(component, ...) sn_log_write(SN_LOG_ERROR, component, __VA_ARGS__)

#endif
