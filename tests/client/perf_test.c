/* Tests of performance trackers. */
#include "client_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 100

static sonde_perf *make(const sonde_perf_options *options) {
    sonde_error error;
    sonde_perf *perf = sonde_perf_new(options, &error);
    assert_int_equal(error.status, SONDE_OK);
    return perf;
}

static void assert_stats(sonde_perf *perf, uint64_t open, uint64_t finished, uint64_t unfinished) {
    sonde_perf_stats stats;
    sonde_perf_read(perf, &stats);
    assert_int_equal(stats.open, open);
    assert_int_equal(stats.finished, finished);
    assert_int_equal(stats.unfinished, unfinished);
}

static void a_run_is_started_and_ended_by_id(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_perf *perf = make(&(sonde_perf_options){.registry = registry});
    assert_int_equal(sonde_perf_start(perf, "render-42"), SONDE_OK);
    assert_stats(perf, 1, 0, 0);
    assert_int_equal(sonde_perf_end(perf, "render-42", "300 frames"), SONDE_OK);
    assert_int_equal(sonde_perf_end(perf, "render-42", NULL), SONDE_ERR_INVALID);
    assert_stats(perf, 0, 1, 0);
    sonde_perf_entry entry;
    assert_int_equal(sonde_perf_recent(perf, &entry, 1), 1);
    assert_string_equal(entry.name, "render-42");
    assert_string_equal(entry.message, "300 frames");
    assert_true(entry.duration_ns < UINT64_C(60000000000));
    assert_true(entry.start_wall_ms > INT64_C(1500000000000));
    assert_int_equal(sonde_perf_slow(perf, &entry, 1), 1);
    assert_string_equal(entry.name, "render-42");
    assert_true(has_line(registry, "sonde_perf_finished_total 1"));
    (void)sonde_perf_free(perf);
    (void)sonde_registry_free(registry);
}

static void unfinished_runs_are_counted(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_perf *perf = make(&(sonde_perf_options){.registry = registry, .open_max = 2});
    assert_int_equal(sonde_perf_start(perf, "a"), SONDE_OK);
    assert_int_equal(sonde_perf_start(perf, "b"), SONDE_OK);
    assert_stats(perf, 2, 0, 0);
    assert_int_equal(sonde_perf_start(perf, "c"), SONDE_OK);
    assert_stats(perf, 2, 0, 1);
    assert_int_equal(sonde_perf_end(perf, "a", NULL), SONDE_ERR_INVALID);
    assert_int_equal(sonde_perf_start(perf, "c"), SONDE_OK);
    assert_stats(perf, 2, 0, 2);
    (void)sonde_perf_free(perf);
    assert_true(has_line(registry, "sonde_perf_unfinished_total 4"));
    (void)sonde_registry_free(registry);
}

static void ids_have_limits(void **state) {
    (void)state;
    sonde_perf *perf = make(NULL);
    char id[SONDE_PERF_NAME_SIZE + 1];
    memset(id, 'i', sizeof id);
    id[SONDE_PERF_NAME_SIZE] = '\0';
    assert_int_equal(sonde_perf_start(perf, id), SONDE_ERR_LIMIT);
    assert_int_equal(sonde_perf_end(perf, id, NULL), SONDE_ERR_INVALID);
    id[SONDE_PERF_NAME_SIZE - 1] = '\0';
    assert_int_equal(sonde_perf_start(perf, id), SONDE_OK);
    assert_int_equal(sonde_perf_end(perf, id, NULL), SONDE_OK);
    assert_int_equal(sonde_perf_start(perf, ""), SONDE_ERR_INVALID);
    assert_int_equal(sonde_perf_start(perf, NULL), SONDE_ERR_INVALID);
    assert_int_equal(sonde_perf_end(perf, NULL, NULL), SONDE_ERR_INVALID);
    (void)sonde_perf_free(perf);
}

static void long_texts_are_cut_between_characters(void **state) {
    (void)state;
    sonde_perf *perf = make(NULL);
    char name[SONDE_PERF_NAME_SIZE + 8], message[SONDE_PERF_MESSAGE_SIZE + 8];
    memset(name, 'n', sizeof name);
    memset(message, 'm', sizeof message);
    memcpy(name + SONDE_PERF_NAME_SIZE - 3, "\xe2\x82\xac", 3);
    name[sizeof name - 1] = message[sizeof message - 1] = '\0';
    sonde_perf_record(perf, &(sonde_perf_run){name, message, 5});
    sonde_perf_entry entry;
    assert_int_equal(sonde_perf_slow(perf, &entry, 1), 1);
    assert_int_equal(strlen(entry.name), SONDE_PERF_NAME_SIZE - 3);
    assert_int_equal(strlen(entry.message), SONDE_PERF_MESSAGE_SIZE - 1);
    (void)sonde_perf_free(perf);
}

static int seven(void *ctx) {
    ++*(int *)ctx;
    return 7;
}

static void a_measured_function_runs_once(void **state) {
    (void)state;
    int calls = 0;
    sonde_perf *perf = make(NULL);
    assert_int_equal(sonde_perf_measure(perf, "seven", seven, &calls), 7);
    assert_int_equal(sonde_perf_measure(NULL, "seven", seven, &calls), 7);
    assert_int_equal(calls, 2);
    assert_stats(perf, 0, 1, 0);
    (void)sonde_perf_free(perf);
}

struct log {
    sonde_perf *perf;
    int calls;
    char last[SONDE_PERF_NAME_SIZE];
};

static void take_log(void *ctx, const sonde_perf_entry *entry) {
    struct log *log = ctx;
    log->calls++;
    memcpy(log->last, entry->name, sizeof log->last);
    if (log->calls == 1) /* the tracker may be used from here */
        sonde_perf_record(log->perf, &(sonde_perf_run){"from the log", NULL, 99});
}

static void slow_operations_are_logged(void **state) {
    (void)state;
    struct log log = {0};
    log.perf = make(&(sonde_perf_options){.log = take_log, .log_ctx = &log, .log_above_ns = 100});
    sonde_perf_record(log.perf, &(sonde_perf_run){"fast", NULL, 99});
    assert_int_equal(log.calls, 0);
    sonde_perf_record(log.perf, &(sonde_perf_run){"slow", "why", 100});
    assert_int_equal(log.calls, 1);
    assert_string_equal(log.last, "slow");
    assert_stats(log.perf, 0, 3, 0);
    (void)sonde_perf_free(log.perf);
}

static void the_lists_are_json(void **state) {
    (void)state;
    sonde_perf *perf = make(&(sonde_perf_options){.slow_max = 2});
    char *text;
    size_t len;
    assert_int_equal(sonde_perf_slow_json(perf, &text, &len), SONDE_OK);
    assert_string_equal(text, "[]");
    sonde_free(text);
    sonde_perf_record(perf, &(sonde_perf_run){"a\"b\n", "\xff", 1500000000});
    sonde_perf_record(perf, &(sonde_perf_run){NULL, NULL, 1});
    sonde_perf_record(perf, &(sonde_perf_run){"z", NULL, 250000000});
    assert_int_equal(sonde_perf_slow_json(perf, &text, &len), SONDE_OK);
    assert_int_equal(strlen(text), len);
    assert_non_null(strstr(text, "[{\"name\":\"a\\\"b\\n\",\"message\":\"\xef\xbf\xbd\","));
    assert_non_null(strstr(text, "\"duration_seconds\":1.5},{\"name\":\"z\",\"message\":\"\","));
    assert_non_null(strstr(text, "\"duration_seconds\":0.25}]"));
    sonde_free(text);
    assert_int_equal(sonde_perf_recent_json(perf, &text, NULL), SONDE_OK);
    assert_int_equal(strncmp(text, "[{\"name\":\"z\"", 12), 0);
    sonde_free(text);
    sonde_perf_reset(perf);
    assert_int_equal(sonde_perf_recent_json(perf, &text, NULL), SONDE_OK);
    assert_string_equal(text, "[]");
    sonde_free(text);
    assert_stats(perf, 0, 3, 0);
    (void)sonde_perf_free(perf);
}

static void no_tracker_is_harmless(void **state) {
    (void)state;
    char *text;
    assert_int_equal(sonde_perf_start(NULL, "a"), SONDE_OK);
    assert_int_equal(sonde_perf_end(NULL, "a", NULL), SONDE_OK);
    sonde_perf_record(NULL, &(sonde_perf_run){"a", NULL, 1});
    sonde_perf_reset(NULL);
    assert_int_equal(sonde_perf_slow(NULL, NULL, 0), 0);
    assert_int_equal(sonde_perf_recent_json(NULL, &text, NULL), SONDE_OK);
    assert_string_equal(text, "[]");
    sonde_free(text);
    assert_stats(NULL, 0, 0, 0);
    assert_null(sonde_perf_free(NULL));
}

static void options_have_limits(void **state) {
    (void)state;
    static const struct {
        sonde_perf_options at, above;
        const char *sentence;
    } cases[] = {
        {{.open_max = 65536}, {.open_max = 65537}, "open_max is 65537, the limit is 65536"},
        {{.slow_max = 1000}, {.slow_max = 1001}, "slow_max is 1001, the limit is 1000"},
        {{.recent_max = 65536}, {.recent_max = 65537}, "recent_max is 65537, the limit is 65536"},
    };
    for (size_t i = 0; i < 3; i++) {
        sonde_error error;
        (void)sonde_perf_free(make(&cases[i].at));
        assert_null(sonde_perf_new(&cases[i].above, &error));
        assert_int_equal(error.status, SONDE_ERR_LIMIT);
        assert_string_equal(error.text, cases[i].sentence);
    }
}

static void without_memory_there_is_an_error_and_no_leak(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sonde_error error;
        char *text = NULL;
        sonde_registry *registry = new_registry();
        sn_mem_fail_nth(n);
        sonde_perf *perf = sonde_perf_new(&(sonde_perf_options){.registry = registry}, &error);
        (void)sonde_perf_start(perf, "a");
        (void)sonde_perf_end(perf, "a", "b");
        if (sonde_perf_slow_json(perf, &text, NULL) == SONDE_OK)
            sonde_free(text);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true((perf == NULL) == (error.status == SONDE_ERR_NO_MEMORY));
        (void)sonde_perf_free(perf);
        (void)sonde_registry_free(registry);
        assert_int_equal(sn_mem_block_count(), before);
        if (!fired)
            break;
    }
}

static void recording_does_not_allocate(void **state) {
    (void)state;
    sonde_perf *perf = make(NULL);
    sonde_perf_record(perf, &(sonde_perf_run){"warm", NULL, 1});
    sn_mem_fail_from(1);
    for (uint64_t i = 0; i < 1000; i++) {
        (void)sonde_perf_start(perf, "a");
        (void)sonde_perf_end(perf, "a", "message");
        sonde_perf_record(perf, &(sonde_perf_run){"b", NULL, i});
    }
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_stats(perf, 0, 2001, 0);
    (void)sonde_perf_free(perf);
}

struct hammer {
    sonde_perf *perf;
    char id[8];
};

static void *run_many(void *ctx) {
    struct hammer *hammer = ctx;
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(sonde_perf_start(hammer->perf, hammer->id), SONDE_OK);
        assert_int_equal(sonde_perf_end(hammer->perf, hammer->id, "x"), SONDE_OK);
        if (i % 100 == 0) {
            char *text;
            assert_int_equal(sonde_perf_recent_json(hammer->perf, &text, NULL), SONDE_OK);
            sonde_free(text);
        }
    }
    return NULL;
}

static void threads_share_a_tracker(void **state) {
    (void)state;
    sonde_perf *perf = make(&(sonde_perf_options){.open_max = 4});
    struct hammer hammers[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        hammers[i].perf = perf;
        (void)snprintf(hammers[i].id, sizeof hammers[i].id, "t%d", (int)i);
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &hammers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_stats(perf, 0, 8000, 0);
    (void)sonde_perf_free(perf);
}

static atomic_bool is_over;

static void *hammer(void *ctx) {
    for (unsigned i = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); i++) {
        (void)sonde_perf_start(ctx, "hammer");
        (void)sonde_perf_end(ctx, "hammer", NULL);
        sonde_perf_record(ctx, &(sonde_perf_run){"slow", NULL, i});
        if (i % 64 == 0)
            sonde_perf_reset(ctx);
    }
    return NULL;
}

/* A tracker of two places: most of the time somebody writes to one of them, or holds the lock. */
static void use_in_child(sonde_perf *perf) {
    sonde_perf_entry entries[2];
    (void)alarm(20); /* the end of a child that waits for ever */
    for (int i = 0; i < 4; i++) {
        if (sonde_perf_start(perf, "child") != SONDE_OK ||
            sonde_perf_end(perf, "child", NULL) != SONDE_OK)
            leave_child(1);
    }
    if (sonde_perf_recent(perf, entries, 2) != 2 || strcmp(entries[0].name, "child") != 0 ||
        strcmp(entries[1].name, "child") != 0)
        leave_child(2);
    sonde_perf_record(perf, &(sonde_perf_run){"slowest", NULL, UINT64_MAX});
    leave_child(sonde_perf_slow(perf, entries, 1) == 1 ? 0 : 3);
}

static void a_fork_in_the_middle_of_anything_leaves_a_tracker_that_works(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_perf *perf =
        make(&(sonde_perf_options){.registry = registry, .recent_max = 2, .slow_max = 2});
    pthread_t threads[2];
    atomic_store(&is_over, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, perf), 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            use_in_child(perf);
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)sonde_perf_free(perf);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_started_and_ended_by_id),
        cmocka_unit_test(unfinished_runs_are_counted),
        cmocka_unit_test(ids_have_limits),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_measured_function_runs_once),
        cmocka_unit_test(slow_operations_are_logged),
        cmocka_unit_test(the_lists_are_json),
        cmocka_unit_test(no_tracker_is_harmless),
        cmocka_unit_test(options_have_limits),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
        cmocka_unit_test(recording_does_not_allocate),
        cmocka_unit_test(threads_share_a_tracker),
        cmocka_unit_test(a_fork_in_the_middle_of_anything_leaves_a_tracker_that_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
