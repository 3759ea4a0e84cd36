/*
 * What the tests of the logger share: a log without a thread and with a clock that stands, whose
 * lines are collected in memory; a temporary directory; a socket that receives datagrams.
 */
#ifndef SN_TESTS_CLIENT_LOG_SUPPORT_H
#define SN_TESTS_CLIENT_LOG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "client/log_priv.h"

#define LOG_TIME_MS INT64_C(1795255872345)
#define LOG_TIME_3 "2026-11-21T10:11:12.345Z"
#define LOG_TIME_6 "2026-11-21T10:11:12.345000Z"
#define LOG_TIME_9 "2026-11-21T10:11:12.345000000Z"

struct log_fixture {
    struct sn_fake_clock clock;
    sonde_log *log;
    char dir[64];
    struct sn_buf lines; /* what the callback sink got */
    uint64_t line_count;
    int refuse; /* what the callback answers */
};

/* cmocka's setup and teardown: a struct log_fixture with a directory, no log yet. */
int log_setup(void **state);
int log_teardown(void **state);

/* A callback sink of that format into f->lines. */
sonde_log_sink log_callback_sink(struct log_fixture *f, sonde_log_format format);

/* Open f->log over one sink, or options, on the fake clock and without a thread. */
void log_open_sink(struct log_fixture *f, const sonde_log_sink *sink);
void log_open_options(struct log_fixture *f, const sonde_log_options *options);
/* Open f->log with a callback sink of that format. */
void log_open_callback(struct log_fixture *f, sonde_log_format format);

/* Drain, and return what the callback got since the last time; NUL-terminated, until the next. */
const char *log_lines(struct log_fixture *f);

/* dir/name in one of some static buffers; the whole file ("" when it is not there). */
const char *log_path(const struct log_fixture *f, const char *name);
const char *log_file_text(struct log_fixture *f, const char *name);

size_t log_count_char(const char *text, char c);

/* A bound datagram socket at dir/name, non-blocking; and the next datagram, NUL-terminated. */
int log_bind_socket(const struct log_fixture *f, const char *name);
const char *log_receive(int fd, size_t *ret_len);

#endif
