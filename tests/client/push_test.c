/* Tests of the life of push clients: limits, failures of new one by one, many threads while a
 * server comes and goes, flush, close with a server that hangs, fork. */
#include "push_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "client_support.h"

#include <errno.h>
#include <stdio.h>
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

static sonde_collector *new_push(const struct push_server *server) {
    const sonde_collector_options options = {.service = "s",
                                             .url = server->url,
                                             .flush_interval_ms = 20,
                                             .backoff_min_ms = 1,
                                             .backoff_max_ms = 20,
                                             .timeout_ms = 5000};
    sonde_error error;
    sonde_collector *push = sonde_collector_new(&options, &error);
    if (push == NULL)
        fail_msg("%s", error.text);
    return push;
}

static sonde_collector_stats stats_of(const sonde_collector *push) {
    sonde_collector_stats stats;
    sonde_collector_read(push, &stats);
    return stats;
}

static void options_beyond_their_limits_are_refused(void **state) {
    (void)state;
    static char long_name[257];
    memset(long_name, 'x', 256);
    const struct {
        sonde_collector_options options;
        sonde_status status;
    } cases[] = {
        {{.service = NULL}, SONDE_ERR_INVALID},
        {{.service = ""}, SONDE_ERR_INVALID},
        {{.service = "\xff"}, SONDE_ERR_INVALID},
        {{.service = long_name}, SONDE_ERR_INVALID},
        {{.service = "s", .instance = ""}, SONDE_ERR_INVALID},
        {{.service = "s", .url = "a"}, SONDE_ERR_INVALID},
        {{.service = "s", .url = "https://a"}, SONDE_ERR_UNSUPPORTED},
        {{.service = "s", .token = "a b"}, SONDE_ERR_INVALID},
        {{.service = "s", .buffer_bytes = 65535}, SONDE_ERR_LIMIT},
        {{.service = "s", .buffer_bytes = ((size_t)1 << 30) + 1}, SONDE_ERR_LIMIT},
        {{.service = "s", .batch_bytes = 16383}, SONDE_ERR_LIMIT},
        {{.service = "s", .buffer_bytes = 65536, .batch_bytes = 65537}, SONDE_ERR_LIMIT},
        {{.service = "s", .backoff_min_ms = 2, .backoff_max_ms = 1}, SONDE_ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sonde_error error = {.status = SONDE_OK};
        assert_null(sonde_collector_new(&cases[i].options, &error));
        assert_int_equal(error.status, cases[i].status);
    }
    assert_null(sonde_collector_new(NULL, NULL));
    sonde_collector *push = sonde_collector_new(
        &(sonde_collector_options){.service = "s", .buffer_bytes = 65536}, NULL);
    assert_non_null(push);
    assert_null(sonde_collector_free(push));
}

static void only_so_many_are_open(void **state) {
    (void)state;
    sonde_collector *all[SONDE_COLLECTORS_MAX];
    const sonde_collector_options options = {.service = "s", .url = "http://127.0.0.1:1"};
    sonde_error error;
    for (size_t i = 0; i < SONDE_COLLECTORS_MAX; i++)
        assert_non_null(all[i] = sonde_collector_new(&options, NULL));
    assert_null(sonde_collector_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    for (size_t i = 0; i < SONDE_COLLECTORS_MAX; i++)
        assert_null(sonde_collector_free(all[i]));
}

static void null_is_harmless(void **state) {
    (void)state;
    sonde_error error;
    assert_true(sonde_collector_flush(NULL, 0));
    assert_true(sonde_collector_close(NULL, 0));
    assert_null(sonde_collector_free(NULL));
    assert_int_equal(sonde_collector_resume(NULL, &error), SONDE_ERR_INVALID);
    assert_int_equal(stats_of(NULL).submitted, 0);
    assert_int_equal(sonde_collector_dropped_count(NULL), 0);
}

static void flush_waits_until_all_is_durable(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503, PUSH_CLOSE};
    struct push_server *server = push_server_start(script, 2);
    sonde_collector *push = new_push(server);
    assert_true(sonde_collector_flush(push, 0));
    for (int i = 0; i < 100; i++)
        sonde_collector_track_operation(push, "x", i, NULL);
    assert_true(sonde_collector_flush(push, 10000));
    assert_int_equal(stats_of(push).sent, 100);
    assert_int_equal(push_count_lines(server->stored), 100);
    /* A connection that was kept and is closed without an answer is not even a failure. */
    assert_in_range(stats_of(push).failures, 1, 2);
    (void)sonde_collector_free(push);
    push_server_free(server);
}

static void a_server_that_hangs_holds_up_nobody(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_HANG, PUSH_HANG};
    struct push_server *server = push_server_start(script, 2);
    sonde_collector *push = new_push(server);
    sonde_collector_track_operation(push, "x", 1, NULL);
    assert_false(sonde_collector_flush(push, 50));
    sonde_collector_track_operation(push, "x", 1, NULL);
    assert_true(sonde_collector_close(push, 50));
    assert_int_equal(stats_of(push).dropped_closed, 2);
    assert_int_equal(sonde_collector_resume(push, NULL), SONDE_ERR_INVALID);
    sonde_collector_track_operation(push, "x", 1, NULL);
    assert_int_equal(stats_of(push).dropped_closed, 3);
    assert_null(sonde_collector_free(push));
    push_server_free(server);
}

#define THREADS 8
#define CALLS 300

static void *record_many(void *ctx) {
    static _Atomic unsigned number;
    char name[16];
    (void)snprintf(name, sizeof name, "t%u", atomic_fetch_add(&number, 1));
    for (int i = 0; i < CALLS; i++) {
        sonde_collector_track_operation(ctx, name, i, i % 7 == 0 ? "failed" : NULL);
        if (i % 50 == 0)
            (void)stats_of(ctx);
    }
    return NULL;
}

static void many_threads_record_while_the_server_comes_and_goes(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503, PUSH_TRUNCATED, PUSH_OK, PUSH_CLOSE};
    struct push_server *server = push_server_start(script, 4);
    sonde_registry *registry = new_registry();
    sonde_collector *push = new_push(server);
    pthread_t threads[THREADS];
    sonde_counter_inc(sonde_counter_new(registry, &(sonde_metric){.name = "a_total"}, NULL));
    sonde_collector_push_registry(push, registry, 5);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, record_many, push), 0);
        push_server_stop(server);
        push_server_restart(server);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(sonde_collector_close(push, 20000));
    sonde_collector_stats stats = stats_of(push);
    assert_int_equal(sonde_collector_dropped_count(push), 0);
    assert_int_equal(stats.sent, stats.submitted);
    assert_true(stats.sent > (uint64_t)2 * THREADS * CALLS);
    assert_true(push_count_lines(server->stored) >= stats.sent);
    (void)sonde_collector_free(push);
    (void)sonde_registry_free(registry);
    push_server_free(server);
}

static void in_child(sonde_collector *push) {
    bool is_good = stats_of(push).submitted == 0 && stats_of(push).queued == 0;
    sonde_collector_track_operation(push, "child", 1, NULL);
    is_good = is_good && stats_of(push).dropped_closed == 1;
    is_good = is_good && sonde_collector_flush(push, 0);
    if (may_resume) {
        is_good = is_good && sonde_collector_resume(push, NULL) == SONDE_OK;
        is_good = is_good && sonde_collector_resume(push, NULL) == SONDE_OK;
        sonde_collector_track_operation(push, "child", 2, NULL);
        is_good = is_good && sonde_collector_flush(push, 10000) && stats_of(push).sent == 1;
    }
    is_good = is_good && sonde_collector_close(push, 10000);
    (void)sonde_collector_free(push);
    leave_child(is_good ? 0 : 1);
}

static void a_child_of_fork_starts_with_nothing(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503};
    struct push_server *server = push_server_start(script, 1);
    sonde_collector *push = new_push(server);
    int status = -1;
    sonde_collector_track_operation(push, "parent", 1, NULL);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        in_child(push);
    /* The server takes one connection after the other: ours has to go for the child's. */
    assert_true(sonde_collector_close(push, 10000));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(stats_of(push).sent, 1);
    (void)sonde_collector_free(push);
    push_server_stop(server);
    assert_int_equal(push_count_lines(server->stored), may_resume ? 2 : 1);
    push_server_free(server);
}

#ifdef SN_FAULTS
static void every_failure_of_new_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    const sonde_collector_options options = {.service = "s",
                                             .instance = "i",
                                             .token = "t",
                                             .url = "http://127.0.0.1:1",
                                             .has_metrics = true,
                                             .registry = registry};
    (void)sonde_collector_free(sonde_collector_new(&options, NULL));
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sonde_error error;
        sn_mem_fail_nth(n);
        sonde_collector *push = sonde_collector_new(&options, &error);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(push == NULL, has_failed);
        assert_int_equal(error.status, has_failed ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        (void)sonde_collector_free(push);
        assert_int_equal(sn_mem_block_count(), before);
        if (!has_failed)
            break;
    }
    (void)sonde_registry_free(registry);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_beyond_their_limits_are_refused),
        cmocka_unit_test(only_so_many_are_open),
        cmocka_unit_test(null_is_harmless),
        cmocka_unit_test(flush_waits_until_all_is_durable),
        cmocka_unit_test(a_server_that_hangs_holds_up_nobody),
        cmocka_unit_test(many_threads_record_while_the_server_comes_and_goes),
        cmocka_unit_test(a_child_of_fork_starts_with_nothing),
#ifdef SN_FAULTS
        cmocka_unit_test(every_failure_of_new_is_an_error_and_leaves_nothing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
