/*
 * Tests of the life of logs: failures of open one by one, limits, closing while others log, many
 * threads that come and go, fork, exit.
 */
#include "log_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "client_support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ThreadSanitizer of clang 14 ends a child of fork that starts a thread. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NO_THREADS_IN_CHILD
#endif
#endif
#ifdef NO_THREADS_IN_CHILD
static const bool may_resume = false;
#else
static const bool may_resume = true;
#endif

static int count_line(void *ctx, const sonde_log_entry *entry) {
    (void)entry;
    atomic_fetch_add((_Atomic uint64_t *)ctx, 1);
    return 0;
}

static sonde_log_sink counting_sink(_Atomic uint64_t *count) {
    return (sonde_log_sink){.type = SONDE_SINK_CALLBACK, .write = count_line, .ctx = count};
}

static void options_beyond_their_limits_are_refused(void **state) {
    (void)state;
    const sonde_log_sink sinks[SONDE_LOG_SINKS_MAX + 1] = {{.type = SONDE_SINK_STDERR}};
    const sonde_log_options wrong[] = {
        {.ring_bytes = 65535}, {.ring_bytes = (1 << 26) + 1},
        {.thread_max = 4097},  {.sinks = sinks, .sink_count = SONDE_LOG_SINKS_MAX + 1},
        {.sink_count = 1},     {.level = (sonde_level)6},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sonde_error error = {.status = SONDE_OK};
        assert_null(sonde_log_open(&wrong[i], &error));
        assert_int_equal(error.status, i < 4 ? SONDE_ERR_LIMIT : SONDE_ERR_INVALID);
    }
}

static void only_so_many_logs_are_open(void **state) {
    (void)state;
    sonde_error error;
    sonde_log *logs[SONDE_LOGS_MAX];
    for (size_t i = 0; i < SONDE_LOGS_MAX; i++) {
        logs[i] = sonde_log_open(NULL, &error);
        assert_non_null(logs[i]);
        assert_int_equal(error.status, SONDE_OK);
    }
    assert_null(sonde_log_open(NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    for (size_t i = 0; i < SONDE_LOGS_MAX; i++)
        assert_null(sonde_log_free(logs[i]));
}

static void lines_go_to_the_log_of_their_logger(void **state) {
    (void)state;
    _Atomic uint64_t counts[2] = {0, 0};
    sonde_log *logs[2];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++) {
            const sonde_log_sink sink = counting_sink(&counts[i]);
            logs[i] = sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
        }
        SONDE_LOG_INFO(sonde_logger_get(logs[0], "a"), "x");
        SONDE_LOG_INFO(sonde_logger_get(logs[1], "a"), "x");
        SONDE_LOG_INFO(sonde_logger_get(logs[1], "a"), "x");
        (void)sonde_log_free(logs[0]);
        (void)sonde_log_free(logs[1]);
    }
    assert_int_equal(atomic_load(&counts[0]), 3);
    assert_int_equal(atomic_load(&counts[1]), 6);
}

#ifdef SN_FAULTS
static void every_failure_of_open_is_an_error_and_leaves_nothing(void **state) {
    struct log_fixture *f = *state;
    const sonde_log_sink sink = {.type = SONDE_SINK_FILE, .path = log_path(f, "log")};
    const sonde_log_options options = {.name = "x", .sinks = &sink, .sink_count = 1};
    (void)sonde_log_free(sonde_log_open(&options, NULL));
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sonde_error error;
        sn_mem_fail_nth(n);
        sonde_log *log = sonde_log_open(&options, &error);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(log == NULL, has_failed);
        assert_int_equal(error.status, has_failed ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        (void)sonde_log_free(log);
        assert_int_equal(sn_mem_block_count(), before);
        if (!has_failed)
            break;
    }
    sn_fault_arm(SN_FAULT_MMAP, 1, 1, ENOMEM);
    assert_null(sonde_log_open(&options, NULL));
    sn_fault_arm(SN_FAULT_OPEN, 1, 1, EMFILE);
    assert_null(sonde_log_open(&options, NULL));
    assert_int_equal(sn_mem_block_count(), before);
}
#endif

static void after_close_lines_are_dropped_and_counted(void **state) {
    struct log_fixture *f = *state;
    sonde_log_stats stats;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, "x");
    SONDE_LOG_INFO(logger, "in time");
    assert_true(sonde_log_close(f->log, 1000));
    SONDE_LOG_INFO(logger, "too late");
    assert_true(sonde_log_close(f->log, 1000));
    assert_int_equal(f->line_count, 1);
    sonde_log_read(f->log, &stats);
    assert_int_equal(stats.dropped_closed, 1);
    assert_int_equal(stats.submitted, 2);
    assert_int_equal(stats.written, 1);
    assert_int_equal(sonde_log_resume(f->log, NULL), SONDE_ERR_INVALID);
}

/* ---- threads ---- */

#define THREADS 6
#define LINES 3000

struct worker {
    sonde_log *log;
    _Atomic bool *is_stopping;
    uint64_t sent;
};

/* Until told to stop. */
static void *log_until_stopped(void *ctx) {
    struct worker *worker = ctx;
    sonde_logger *logger = sonde_logger_get(worker->log, "worker");
    while (!atomic_load(worker->is_stopping)) {
        SONDE_LOG_INFO(logger, "line", SONDE_U64("sent", worker->sent));
        worker->sent++;
    }
    return NULL;
}

static void closing_while_others_log_loses_no_count(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        _Atomic uint64_t count = 0;
        _Atomic bool is_stopping = false;
        pthread_t threads[THREADS];
        struct worker workers[THREADS];
        const sonde_log_sink sink = counting_sink(&count);
        sonde_log *log =
            sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
        for (int i = 0; i < THREADS; i++) {
            workers[i] = (struct worker){log, &is_stopping, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, log_until_stopped, &workers[i]), 0);
        }
        sn_clock_system()->sleep_ns(NULL, 2000000);
        assert_true(sonde_log_close(log, 60000));
        uint64_t written_at_close = atomic_load(&count);
        sn_clock_system()->sleep_ns(NULL, 1000000);
        atomic_store(&is_stopping, true);
        uint64_t sent = 0;
        for (int i = 0; i < THREADS; i++) {
            (void)pthread_join(threads[i], NULL);
            sent += workers[i].sent;
        }
        sonde_log_stats stats;
        sonde_log_read(log, &stats);
        assert_int_equal(atomic_load(&count), written_at_close);
        assert_int_equal(stats.submitted, sent);
        assert_int_equal(stats.written + stats.dropped_full + stats.dropped_closed, sent);
        (void)sonde_log_free(log);
    }
}

static void *log_some(void *ctx) {
    sonde_logger *logger = sonde_logger_get(ctx, "short.lived");
    for (int i = 0; i < 50; i++)
        SONDE_LOG_INFO(logger, "line", SONDE_I64("i", i), SONDE_STR("text", "value"));
    return NULL;
}

static void *churn(void *ctx) {
    for (int i = 0; i < LINES / 50; i++)
        in_thread(log_some, ctx);
    return NULL;
}

static void threads_that_come_and_go_lose_nothing(void **state) {
    (void)state;
    _Atomic uint64_t count = 0;
    pthread_t threads[THREADS];
    sonde_log_stats stats;
    const sonde_log_sink sink = counting_sink(&count);
    sonde_log *log = sonde_log_open(
        &(sonde_log_options){.sinks = &sink, .sink_count = 1, .ring_bytes = 1 << 22}, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, log), 0);
    for (int i = 0; i < 20; i++) {
        sonde_logger_set_level(sonde_logger_get(log, "short"),
                               i % 2 ? SONDE_LEVEL_DEBUG : SONDE_LEVEL_INFO);
        assert_true(sonde_log_flush(log, 60000));
        assert_true(sonde_log_dropped_count(log) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_true(sonde_log_close(log, 60000));
    sonde_log_read(log, &stats);
    assert_int_equal(stats.written, THREADS * LINES);
    assert_int_equal(atomic_load(&count), THREADS * LINES);
    (void)sonde_log_free(log);
}

static int hang(void *ctx, const sonde_log_entry *entry) {
    (void)entry;
    while (!atomic_load((_Atomic bool *)ctx))
        sn_clock_system()->sleep_ns(NULL, 1000000);
    return 0;
}

static void a_sink_that_hangs_is_told_by_the_timeout(void **state) {
    (void)state;
    _Atomic bool is_free = false;
    const sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = hang, .ctx = &is_free};
    sonde_log *log = sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
    SONDE_LOG_INFO(sonde_logger_get(log, NULL), "line");
    assert_false(sonde_log_flush(log, 20));
    assert_false(sonde_log_close(log, 20));
    atomic_store(&is_free, true);
    assert_true(sonde_log_close(log, 60000));
    (void)sonde_log_free(log);
}

/* ---- fork and exit ---- */

static int finish(pid_t child) {
    int status = -1;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static sonde_log *open_file_log(struct log_fixture *f, bool flush_at_exit) {
    const sonde_log_sink sink = {
        .type = SONDE_SINK_FILE, .format = SONDE_LOG_FORMAT_LOGFMT, .path = log_path(f, "log")};
    return sonde_log_open(
        &(sonde_log_options){
            .name = "x", .sinks = &sink, .sink_count = 1, .flush_at_exit = flush_at_exit},
        NULL);
}

static void a_child_of_fork_writes_its_own_lines_only(void **state) {
    struct log_fixture *f = *state;
    f->log = open_file_log(f, false);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    for (int round = 0; round < 20; round++) {
        SONDE_LOG_INFO(logger, "parent");
        pid_t child = fork();
        if (child == 0) {
            SONDE_LOG_INFO(logger, "child");
            if (round % 2 == 0)
                leave_child(sonde_log_flush(f->log, 1000) ? 0 : 1);
            bool is_good = !may_resume || sonde_log_resume(f->log, NULL) == SONDE_OK;
            leave_child(is_good && sonde_log_close(f->log, 10000) ? 0 : 2);
        }
        assert_int_equal(finish(child), 0);
    }
    assert_true(sonde_log_close(f->log, 10000));
    const char *text = log_file_text(f, "log");
    size_t parents = 0, children = 0;
    for (const char *at = text; (at = strstr(at, "msg=parent")) != NULL; at++)
        parents++;
    for (const char *at = text; (at = strstr(at, "msg=child")) != NULL; at++)
        children++;
    assert_int_equal(parents, 20);
    assert_int_equal(children, 20);
    assert_int_equal(log_count_char(text, '\n'), 40);
}

static void fork_amid_logging_threads_leaves_a_log_that_works(void **state) {
    struct log_fixture *f = *state;
    _Atomic bool is_stopping = false;
    pthread_t threads[2];
    f->log = open_file_log(f, false);
    struct worker workers[2] = {{f->log, &is_stopping, 0}, {f->log, &is_stopping, 0}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_until_stopped, &workers[i]), 0);
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            SONDE_LOG_INFO(sonde_logger_get(f->log, "child"), "child");
            leave_child(sonde_log_close(f->log, 1000) ? 0 : 1);
        }
        assert_int_equal(finish(child), 0);
    }
    atomic_store(&is_stopping, true);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
}

static void exit_flushes_when_asked(void **state) {
    struct log_fixture *f = *state;
    for (int asked = 0; asked < 2; asked++) {
        pid_t child = fork();
        if (child == 0) {
            sonde_log *log = open_file_log(f, asked != 0);
            SONDE_LOG_INFO(sonde_logger_get(log, NULL), "last words", SONDE_I64("asked", asked));
            exit(0);
        }
        assert_int_equal(finish(child), 0);
    }
    assert_non_null(strstr(log_file_text(f, "log"), "msg=\"last words\" asked=1\n"));
}

static void a_second_flush_of_a_child_and_two_logs(void **state) {
    struct log_fixture *f = *state;
    f->log = open_file_log(f, false);
    pid_t child = fork();
    if (child == 0) {
        bool is_good = true;
        for (int i = 0; i < 3; i++) {
            SONDE_LOG_INFO(sonde_logger_get(f->log, "new.in.child"), "child");
            is_good &= sonde_log_flush(f->log, 1000);
        }
        sonde_log *other = may_resume ? sonde_log_open(NULL, NULL) : NULL;
        is_good &= (other != NULL) == may_resume;
        (void)sonde_log_free(other);
        leave_child(is_good ? 0 : 1);
    }
    assert_int_equal(finish(child), 0);
    assert_int_equal(log_count_char(log_file_text(f, "log"), '\n'), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_beyond_their_limits_are_refused),
        cmocka_unit_test(only_so_many_logs_are_open),
        cmocka_unit_test(lines_go_to_the_log_of_their_logger),
#ifdef SN_FAULTS
        cmocka_unit_test_setup_teardown(every_failure_of_open_is_an_error_and_leaves_nothing,
                                        log_setup, log_teardown),
#endif
        cmocka_unit_test_setup_teardown(after_close_lines_are_dropped_and_counted, log_setup,
                                        log_teardown),
        cmocka_unit_test(closing_while_others_log_loses_no_count),
        cmocka_unit_test(threads_that_come_and_go_lose_nothing),
        cmocka_unit_test(a_sink_that_hangs_is_told_by_the_timeout),
        cmocka_unit_test_setup_teardown(a_child_of_fork_writes_its_own_lines_only, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(fork_amid_logging_threads_leaves_a_log_that_works,
                                        log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(exit_flushes_when_asked, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_second_flush_of_a_child_and_two_logs, log_setup,
                                        log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
