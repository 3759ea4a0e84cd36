/*
 * Tests of the caller's path: what it costs in kernel and heap (nothing), what it drops at the
 * exact boundary and how that is told, truncation, the rate limit.
 */
#include "log_support.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING_BYTES 65536
#define LINE_BYTES 64 /* 40 of head, 24 of message */

static void log_64(sonde_logger *logger) {
    SONDE_LOG_INFO(logger, "a message of 24 letters.");
}

static void a_ring_that_is_full_drops_and_tells(void **state) {
    struct log_fixture *f = *state;
    sonde_log_stats stats;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    for (int i = 0; i < RING_BYTES / LINE_BYTES; i++)
        log_64(logger);
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
    log_64(logger);
    log_64(logger);
    assert_int_equal(sonde_log_dropped_count(f->log), 2);
    const char *text = log_lines(f);
    assert_int_equal(log_count_char(text, '\n'), RING_BYTES / LINE_BYTES + 1);
    const char *notice = strstr(text, "WARN  sonde.log: lines are missing here missing=2\n");
    assert_non_null(notice);
    assert_null(strstr(notice, "letters"));
    log_64(logger);
    text = log_lines(f);
    assert_int_equal(log_count_char(text, '\n'), 1);
    sonde_log_read(f->log, &stats);
    assert_int_equal(stats.submitted, RING_BYTES / LINE_BYTES + 3);
    assert_int_equal(stats.written, RING_BYTES / LINE_BYTES + 1);
    assert_int_equal(stats.dropped_full, 2);
}

static void a_gap_is_told_where_it_is(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    for (int i = 0; i < RING_BYTES / LINE_BYTES + 5; i++)
        log_64(logger);
    /* As the writer does: half of a round gives room, and a line comes before the gap is told. */
    struct sn_log_ring *ring = sn_log_own_ring(f->log);
    size_t room;
    (void)sn_log_ring_look(ring);
    (void)sn_log_ring_peek(ring, &room);
    sn_log_ring_advance(ring, LINE_BYTES);
    sn_log_ring_commit(ring);
    SONDE_LOG_INFO(logger, "behind the gap");
    const char *text = log_lines(f);
    const char *notice = strstr(text, "missing=5\n");
    assert_non_null(notice);
    assert_non_null(strstr(notice, "behind the gap"));
    assert_null(strstr(notice, "letters"));
    assert_null(strstr(notice + 1, "missing="));
}

static void *log_one(void *logger) {
    log_64(logger);
    return NULL;
}

/* A thread that logs and stays until it is told to go. */
struct holder {
    sonde_logger *logger;
    pthread_barrier_t *barrier;
};

static void *log_and_hold(void *ctx) {
    struct holder *holder = ctx;
    log_64(holder->logger);
    (void)pthread_barrier_wait(holder->barrier);
    (void)pthread_barrier_wait(holder->barrier);
    return NULL;
}

static void more_threads_than_rings_drop_and_ended_ones_give_back(void **state) {
    struct log_fixture *f = *state;
    pthread_t threads[4], late;
    pthread_barrier_t barrier;
    sonde_log_stats stats;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    struct holder holder = {sonde_logger_get(f->log, NULL), &barrier};
    (void)pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_and_hold, &holder), 0);
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_create(&late, NULL, log_one, holder.logger), 0);
    (void)pthread_join(late, NULL);
    sonde_log_read(f->log, &stats);
    assert_int_equal(stats.dropped_threads, 1);
    assert_non_null(strstr(log_lines(f), "missing=1\n"));
    (void)pthread_barrier_wait(&barrier);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&late, NULL, log_one, holder.logger), 0);
        (void)pthread_join(late, NULL);
    }
    assert_int_equal(log_count_char(log_lines(f), '\n'), 20);
    assert_int_equal(sonde_log_dropped_count(f->log), 1);
    (void)pthread_barrier_destroy(&barrier);
}

static void a_line_beyond_the_limit_says_how_much_is_cut(void **state) {
    struct log_fixture *f = *state;
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), text);
    const char *line = log_lines(f);
    char expected[64];
    (void)snprintf(expected, sizeof expected, " truncated=%d\n",
                   20000 - (SONDE_LOG_RECORD_BYTES_MAX - 40));
    assert_non_null(strstr(line, expected));
}

static void arguments_are_looked_at_only_when_the_level_lets_them(void **state) {
    struct log_fixture *f = *state;
    int calls = 0;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    sonde_logger_set_level(logger, SONDE_LEVEL_WARN);
    SONDE_LOG_INFO(logger, "no", SONDE_I64("n", calls++));
    SONDE_LOG_WARN(logger, "yes", SONDE_I64("n", calls++));
    sonde_log_write(logger, SONDE_LEVEL_INFO, "no", NULL, 0);
    assert_int_equal(calls, 1);
    assert_string_equal(log_lines(f), LOG_TIME_3 " WARN  yes n=0\n");
}

/* ---- rate limit ---- */

static void a_place_logs_so_often_and_tells_the_rest(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    int lines[4] = {100, 1, 10, 1};
    int pauses_ms[4] = {0, 200, 5000, 200};
    static const int expected[4] = {5, 1, 5, 1};
    static const char *const told[4] = {NULL, "suppressed=95\n", NULL, "suppressed=5\n"};
    for (int round = 0; round < 4; round++) {
        sn_fake_clock_advance_ms(&f->clock, pauses_ms[round]);
        for (int i = 0; i < lines[round]; i++)
            SONDE_LOG_EVERY(logger, SONDE_LEVEL_WARN, 5, "again", SONDE_I64("i", i));
        const char *text = log_lines(f);
        assert_int_equal(log_count_char(text, '\n'), expected[round]);
        assert_true((strstr(text, "suppressed=") != NULL) == (told[round] != NULL));
        if (told[round] != NULL)
            assert_non_null(strstr(text, told[round]));
    }
}

static void a_rate_of_nothing_and_of_everything(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    for (int i = 0; i < 10; i++) {
        SONDE_LOG_EVERY(logger, SONDE_LEVEL_WARN, 0, "never");
        SONDE_LOG_EVERY(logger, SONDE_LEVEL_WARN, UINT32_MAX, "always");
        SONDE_LOG_EVERY(logger, SONDE_LEVEL_WARN, 1, "once");
    }
    assert_int_equal(log_count_char(log_lines(f), '\n'), 11);
}

/* ---- what it does not do ---- */

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define IS_SANITIZED
#endif
#endif
#else
#define IS_SANITIZED
#endif

#ifndef IS_SANITIZED
/* From here on the calling thread may end and nothing else: any other system call kills. */
static void forbid_system_calls(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(77);
}

/* In a child: everything that a caller may do, its first line, full rings and cut lines too. */
static void log_without_system_calls(sonde_logger *logger) {
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    forbid_system_calls();
    for (int i = 0; i < 3000; i++) {
        SONDE_LOG_INFO(logger, "line", SONDE_STR("text", "value"), SONDE_I64("i", i),
                       SONDE_F64("f", 0.5), SONDE_ERROR("error", "io", "message", 3));
        SONDE_LOG_EVERY(logger, SONDE_LEVEL_WARN, 10, "line");
    }
    SONDE_LOG_INFO(logger, text);
    _exit(0);
}

static void a_caller_makes_no_system_call(void **state) {
    struct log_fixture *f = *state;
    int status;
    const sonde_log_sink sink = log_callback_sink(f, SONDE_LOG_FORMAT_JSON);
    f->log = sn_log_system_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1},
                                sn_clock_system(), false, NULL);
    sonde_logger *logger = sonde_logger_get(f->log, "x");
    pid_t child = fork();
    if (child == 0)
        log_without_system_calls(logger);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

static void a_caller_allocates_nothing(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    int64_t before = sn_mem_block_count();
    sn_mem_fail_from(1);
    for (int i = 0; i < 2000; i++)
        SONDE_LOG_INFO(logger, "line", SONDE_STR("text", "value"), SONDE_I64("i", i));
    bool has_failed = sn_mem_fail_fired() != 0;
    sn_mem_fail_from(0);
    assert_false(has_failed);
    assert_int_equal(sn_mem_block_count(), before);
}

static sonde_logger *handler_logger;

static void log_in_handler(int signal_number) {
    (void)signal_number;
    log_64(handler_logger);
}

static void a_handler_that_interrupts_a_line_is_dropped(void **state) {
    struct log_fixture *f = *state;
    sonde_log_stats stats;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    handler_logger = sonde_logger_get(f->log, NULL);
    log_64(handler_logger);
    struct sn_log_ring *ring = sn_log_own_ring(f->log);
    atomic_store(&ring->is_busy, true); /* as if in the middle of a line */
    (void)signal(SIGUSR1, log_in_handler);
    (void)raise(SIGUSR1);
    atomic_store(&ring->is_busy, false);
    (void)raise(SIGUSR1);
    (void)signal(SIGUSR1, SIG_DFL);
    sonde_log_read(f->log, &stats);
    assert_int_equal(stats.dropped_reentrant, 1);
    assert_int_equal(log_count_char(log_lines(f), '\n'), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ring_that_is_full_drops_and_tells, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_gap_is_told_where_it_is, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(more_threads_than_rings_drop_and_ended_ones_give_back,
                                        log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_line_beyond_the_limit_says_how_much_is_cut, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(arguments_are_looked_at_only_when_the_level_lets_them,
                                        log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_place_logs_so_often_and_tells_the_rest, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_rate_of_nothing_and_of_everything, log_setup,
                                        log_teardown),
#ifndef IS_SANITIZED
        cmocka_unit_test_setup_teardown(a_caller_makes_no_system_call, log_setup, log_teardown),
#endif
        cmocka_unit_test_setup_teardown(a_caller_allocates_nothing, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_handler_that_interrupts_a_line_is_dropped, log_setup,
                                        log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
