/*
 * Tests of the server log: what lines look like, what happens when the queue or the fd is full,
 * and the worker. Output goes to a file or a pipe of the test.
 */
#include "base/log.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"
#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIME_MS INT64_C(1795255872345)
#define TIME_TEXT "2026-11-21T10:11:12.345Z "

struct fixture {
    struct sn_fake_clock clock;
    char *dir;
    int fd; /* of the file that takes the log */
    struct sn_buf text;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){.dir = make_temp_dir()};
    sn_fake_clock_init(&fixture.clock, 0, TIME_MS);
    fixture.fd = open(path_in(fixture.dir, "log"), O_RDWR | O_CREAT | O_APPEND, 0600);
    *state = &fixture;
    return fixture.fd < 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sn_log_close();
    sn_fault_disarm_all();
    sn_buf_release(&f->text);
    (void)close(f->fd);
    remove_temp_dir(f->dir);
    return 0;
}

static void open_log(struct fixture *f, int fd, enum sn_log_level level_min) {
    const struct sn_log_options options = {&f->clock.clock, level_min, fd};
    struct sn_err err = {0};
    if (sn_log_open(&options, &err) != SN_OK)
        fail_msg("%s", err.text);
}

/* All that the file holds, NUL-terminated, valid until the next call. */
static const char *logged(struct fixture *f) {
    sn_log_drain();
    sn_buf_reset(&f->text);
    assert_int_equal(sn_os_read_file(path_in(f->dir, "log"), &f->text, NULL), SN_OK);
    sn_buf_put_byte(&f->text, 0);
    return (const char *)f->text.ptr;
}

static size_t line_count(const char *text) {
    size_t count = 0;
    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        count++;
    }
    return count;
}

static void a_line_has_time_level_component_and_text(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_debug("store", "a");
    sn_log_info("store", "flushed segment %d", 12);
    sn_log_warn("net", "%s", "b");
    sn_log_error("net", "c");
    assert_string_equal(logged(f), TIME_TEXT "debug store: a\n"       /**/
                        TIME_TEXT "info  store: flushed segment 12\n" /**/
                        TIME_TEXT "warn  net: b\n"                    /**/
                        TIME_TEXT "error net: c\n");
}

static void the_level_decides_what_is_written(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_WARN);
    sn_log_info("x", "1");
    sn_log_warn("x", "2");
    sn_log_set_level(SN_LOG_ERROR);
    sn_log_warn("x", "3");
    sn_log_set_level(SN_LOG_DEBUG);
    sn_log_debug("x", "4");
    assert_string_equal(logged(f), TIME_TEXT "warn  x: 2\n" TIME_TEXT "debug x: 4\n");
}

static void before_open_and_after_close_lines_vanish(void **state) {
    struct fixture *f = *state;
    sn_log_error("x", "too early");
    sn_log_drain();
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_error("x", "in time");
    sn_log_close();
    sn_log_error("x", "too late");
    sn_log_close();
    assert_string_equal(logged(f), TIME_TEXT "error x: in time\n");
}

static void a_second_open_is_refused(void **state) {
    struct fixture *f = *state;
    const struct sn_log_options options = {.fd = f->fd};
    open_log(f, f->fd, SN_LOG_DEBUG);
    int64_t before = sn_mem_block_count();
    assert_int_equal(sn_log_open(&options, NULL), SN_ERR_EXISTS);
    assert_int_equal(sn_mem_block_count(), before);
    sn_log_info("x", "goes on");
    assert_string_equal(logged(f), TIME_TEXT "info  x: goes on\n");
}

static void open_without_memory_fails_and_can_be_repeated(void **state) {
    struct fixture *f = *state;
    const struct sn_log_options options = {.fd = f->fd};
    if (!HAS_FAULTS)
        skip();
    int64_t before = sn_mem_block_count();
    sn_mem_fail_nth(1);
    assert_int_equal(sn_log_open(&options, NULL), SN_ERR_NO_MEMORY);
    assert_int_equal(sn_mem_block_count(), before);
    sn_log_error("x", "nowhere");
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_close();
    assert_int_equal(sn_mem_block_count(), before);
    assert_string_equal(logged(f), "");
}

static void foreign_text_cannot_forge_lines_or_steer_the_terminal(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_info("x\ny", "a\nb\r\t\x1b[2J\x7f\xc2\x9b\xff end \xc3\xa4 \xe2\x82\xac");
    assert_string_equal(logged(f),
                        TIME_TEXT "info  x\\ny: a\\nb\\r\\t\\x1b[2J\\x7f\\xc2\\x9b\\xff end "
                                  "\xc3\xa4 \xe2\x82\xac\n");
}

static void a_line_at_the_limit_is_whole_and_a_longer_one_is_marked(void **state) {
    struct fixture *f = *state;
    static const char head[] = TIME_TEXT "info  x: ";
    const int fits = SN_LOG_LINE_BYTES_MAX - (int)strlen(head) - (int)strlen("...\n");
    open_log(f, f->fd, SN_LOG_DEBUG);
    for (int len = fits; len <= fits + 1; len++) {
        sn_log_info("x", "%0*d", len, 1);
        const char *text = logged(f);
        size_t size = strlen(text);
        assert_int_equal(line_count(text), 1);
        assert_true(size <= SN_LOG_LINE_BYTES_MAX);
        assert_string_equal(text + size - 4, len == fits ? "001\n" : "...\n");
        assert_int_equal(ftruncate(f->fd, 0), 0);
    }
    sn_log_info("x", "%0*d", 100000, 1);
    assert_int_equal(strlen(logged(f)), SN_LOG_LINE_BYTES_MAX);
}

static void a_cut_never_leaves_half_a_character(void **state) {
    struct fixture *f = *state;
    static char text[SN_LOG_LINE_BYTES_MAX * 2 + 4];
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 4);
    open_log(f, f->fd, SN_LOG_DEBUG);
    for (int shift = 0; shift < 3; shift++)
        sn_log_info("x", "%.*s%s", shift, "abc", text);
    const char *all = logged(f);
    assert_true(sn_str_is_utf8(sn_str_from(all)));
    assert_null(strstr(all, "\\x"));
    assert_int_equal(line_count(all), 3);
}

static void a_full_queue_drops_lines_and_says_so_at_the_gap(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_DEBUG);
    for (int i = 0; i < SN_LOG_QUEUE_LINES + 5; i++)
        sn_log_info("x", "%d", i);
    assert_int_equal(sn_log_dropped_count(), 5);
    const char *text = logged(f);
    assert_int_equal(line_count(text), SN_LOG_QUEUE_LINES + 1);
    assert_non_null(strstr(text, ": 4095\n" TIME_TEXT "warn  log: 5 lines are missing here\n"));
    sn_log_info("x", "after");
    assert_non_null(strstr(logged(f), "missing here\n" TIME_TEXT "info  x: after\n"));
    assert_int_equal(sn_log_dropped_count(), 5);
}

static void the_queue_is_bounded_in_bytes_too(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_DEBUG);
    int count = (int)(SN_LOG_QUEUE_BYTES / 2 / SN_LOG_LINE_BYTES_MAX);
    for (int i = 0; i < count + 3; i++)
        sn_log_info("x", "%0*d", SN_LOG_LINE_BYTES_MAX, i);
    assert_int_equal(sn_log_dropped_count(), 3);
    assert_int_equal(line_count(logged(f)), count + 1);
}

static void errors_of_the_fd_are_counted_and_lines_given_up(void **state) {
    struct fixture *f = *state;
    if (!HAS_FAULTS)
        skip();
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_fault_arm(SN_FAULT_LOG, 1, 1, EIO);
    sn_log_info("x", "1");
    sn_log_info("x", "2");
    sn_log_drain();
    assert_int_equal(sn_log_write_error_count(), 1);
    assert_int_equal(sn_log_dropped_count(), 2);
    sn_log_info("x", "3");
    assert_string_equal(logged(f),
                        TIME_TEXT "warn  log: 2 lines are missing here\n" TIME_TEXT "info  x: 3\n");
}

/* A file size limit makes the kernel take half of a line and then refuse. */
static void a_torn_line_does_not_swallow_the_next_one(void **state) {
    struct fixture *f = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_info("x", "%0*d", 100, 1);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){50, before.rlim_max}), 0);
    sn_log_drain();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    sn_log_info("x", "next");
    assert_string_equal(logged(f), TIME_TEXT "info  x: 0000000000000000\n" TIME_TEXT
                                             "warn  log: 1 lines are missing here\n" TIME_TEXT
                                             "info  x: next\n");
    assert_int_equal(sn_log_dropped_count(), 1);
}

static void interrupted_and_short_writes_lose_nothing(void **state) {
    struct fixture *f = *state;
    if (!HAS_FAULTS)
        skip();
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_fault_arm(SN_FAULT_LOG, 1, 1, EINTR);
    sn_log_info("x", "1");
    assert_string_equal(logged(f), TIME_TEXT "info  x: 1\n");
    sn_fault_arm(SN_FAULT_LOG, 1, 3, 0);
    sn_log_info("x", "2");
    assert_string_equal(logged(f), TIME_TEXT "info  x: 1\n" TIME_TEXT "info  x: 2\n");
    sn_fault_arm(SN_FAULT_LOG, 1, 1, EAGAIN); /* the file is writable: the second try works */
    sn_log_info("x", "3");
    assert_int_equal(line_count(logged(f)), 3);
    assert_int_equal(sn_log_dropped_count(), 0);
}

static void a_closed_fd_harms_nobody(void **state) {
    struct fixture *f = *state;
    open_log(f, -1, SN_LOG_DEBUG);
    for (int i = 0; i < 10; i++) {
        sn_log_info("x", "1");
        sn_log_drain();
    }
    assert_int_equal(sn_log_dropped_count(), 10);
    assert_true(sn_log_write_error_count() >= 10);
}

static void what_is_missing_stays_known_until_it_could_be_said(void **state) {
    struct fixture *f = *state;
    if (!HAS_FAULTS)
        skip();
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_fault_arm(SN_FAULT_LOG, 1, UINT64_MAX, EIO);
    for (int i = 0; i < 10; i++) {
        sn_log_info("x", "1");
        sn_log_drain();
    }
    sn_fault_disarm_all();
    assert_string_equal(logged(f), TIME_TEXT "warn  log: 10 lines are missing here\n");
}

static void errno_survives_logging(void **state) {
    struct fixture *f = *state;
    open_log(f, f->fd, SN_LOG_DEBUG);
    errno = ENOTTY;
    sn_log_info("x", "1");
    assert_int_equal(errno, ENOTTY);
}

static void start_worker(struct sn_thread *thread) {
    struct sn_worker worker = sn_log_worker();
    assert_int_equal(sn_thread_start(thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
}

#define THREADS 4
#define LINES_PER_THREAD 500

static void write_lines(void *ctx) {
    const int *number = ctx;
    for (int i = 0; i < LINES_PER_THREAD; i++)
        sn_log_info("x", "thread %d line %d", *number, i);
}

/* Each line once and whole, those of one thread in their order. */
static void assert_all_lines(const char *text, int thread) {
    char line[64];
    for (int i = 0; i < LINES_PER_THREAD; i++) {
        int len = snprintf(line, sizeof(line), "info  x: thread %d line %d\n", thread, i);
        text = strstr(text, line);
        assert_non_null(text);
        text += len;
    }
}

static void many_threads_and_the_worker_write_every_line_once(void **state) {
    struct fixture *f = *state;
    struct sn_thread worker = {0};
    struct sn_thread threads[THREADS] = {0};
    int numbers[THREADS] = {0, 1, 2, 3};
    open_log(f, f->fd, SN_LOG_DEBUG);
    start_worker(&worker);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(sn_thread_start(&threads[i], "w", write_lines, &numbers[i], NULL), SN_OK);
        sn_log_drain(); /* at the same time as the worker */
    }
    for (size_t i = 0; i < THREADS; i++)
        sn_thread_join(&threads[i]);
    sn_log_worker().stop(sn_log_worker().ctx);
    sn_thread_join(&worker);
    sn_log_close();
    const char *text = logged(f);
    assert_int_equal(line_count(text), THREADS * LINES_PER_THREAD);
    for (int i = 0; i < THREADS; i++)
        assert_all_lines(text, i);
}

static void the_worker_may_be_stopped_before_it_runs_and_writes_what_waits(void **state) {
    struct fixture *f = *state;
    struct sn_thread worker = {0};
    open_log(f, f->fd, SN_LOG_DEBUG);
    sn_log_info("x", "1");
    sn_log_worker().stop(sn_log_worker().ctx);
    start_worker(&worker);
    sn_thread_join(&worker);
    sn_buf_reset(&f->text);
    assert_int_equal(sn_os_read_file(path_in(f->dir, "log"), &f->text, NULL), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&f->text), SN_STR(TIME_TEXT "info  x: 1\n")));
}

/* A reader who does not read blocks the writer in its write, and nobody else. */
static void a_blocked_fd_blocks_the_worker_only(void **state) {
    struct fixture *f = *state;
    struct sn_thread worker = {0};
    int fds[2];
    char *bytes = malloc(SN_LOG_QUEUE_BYTES);
    assert_non_null(bytes);
    assert_int_equal(pipe(fds), 0);
    (void)signal(SIGPIPE, SIG_IGN); /* as the server does: the reader leaves first */
    open_log(f, fds[1], SN_LOG_DEBUG);
    start_worker(&worker);
    for (int i = 0; i < 2 * SN_LOG_QUEUE_LINES; i++)
        sn_log_info("x", "%0*d", 400, i);
    assert_true(sn_log_dropped_count() > 0);
    sn_log_worker().stop(sn_log_worker().ctx);
    size_t lines = 0;
    while (lines + sn_log_dropped_count() < 2 * SN_LOG_QUEUE_LINES) {
        ssize_t got = read(fds[0], bytes, SN_LOG_QUEUE_BYTES - 1);
        assert_true(got > 0);
        bytes[got] = '\0';
        lines += line_count(bytes);
    }
    (void)close(fds[0]); /* what is left is at most the note about the gap */
    sn_thread_join(&worker);
    sn_log_close();
    (void)close(fds[1]);
    free(bytes);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNIT(a_line_has_time_level_component_and_text),
        UNIT(the_level_decides_what_is_written),
        UNIT(before_open_and_after_close_lines_vanish),
        UNIT(a_second_open_is_refused),
        UNIT(open_without_memory_fails_and_can_be_repeated),
        UNIT(foreign_text_cannot_forge_lines_or_steer_the_terminal),
        UNIT(a_line_at_the_limit_is_whole_and_a_longer_one_is_marked),
        UNIT(a_cut_never_leaves_half_a_character),
        UNIT(a_full_queue_drops_lines_and_says_so_at_the_gap),
        UNIT(the_queue_is_bounded_in_bytes_too),
        UNIT(errors_of_the_fd_are_counted_and_lines_given_up),
        UNIT(a_torn_line_does_not_swallow_the_next_one),
        UNIT(interrupted_and_short_writes_lose_nothing),
        UNIT(a_closed_fd_harms_nobody),
        UNIT(what_is_missing_stays_known_until_it_could_be_said),
        UNIT(errno_survives_logging),
        UNIT(many_threads_and_the_worker_write_every_line_once),
        UNIT(the_worker_may_be_stopped_before_it_runs_and_writes_what_waits),
        UNIT(a_blocked_fd_blocks_the_worker_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
