/* The store as its users see it: opening, closing, locks, files. */
#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init(test);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test_store *test = *state;
    test_store_release(test);
    free(test);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void what_was_pushed_is_read_back(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_push_series(test, 1, 0, 20);
    test_check_series(test, 1, 20);
}

static void a_second_store_on_the_directory_is_refused_with_the_pid(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    struct sn_store *second = NULL;
    struct sn_err err;
    assert_int_equal(sn_store_open(&test->options, &second, &err), SN_ERR_BUSY);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %d", sn_os_pid());
    assert_non_null(strstr(err.text, pid));
    assert_null(second);
}

static void files_are_not_for_everybody(void **state) {
    struct test_store *test = *state;
    struct stat info;
    test_store_open(test);
    test_push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_push_series(test, 1, 3, 4);
    const char *files[] = {"sonde.db", "LOCK", "seg/00000001.seg"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stat(test_path(test, files[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
    }
    assert_int_equal(stat(test_only_file(test, "wal", ".log"), &info), 0);
    assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
}

static void a_relaxed_store_keeps_what_it_acknowledged_over_a_stop(void **state) {
    struct test_store *test = *state;
    test->options.durability = SN_STORE_RELAXED;
    test_store_open(test);
    test_push_series(test, 1, 0, 10);
    test_store_reopen(test);
    test_check_series(test, 1, 10);
}

static void closing_acknowledges_what_is_queued(void **state) {
    struct test_store *test = *state;
    struct sn_store *store;
    struct sn_buf buf;
    struct sn_event event;
    assert_int_equal(sn_store_open(&test->options, &store, NULL), SN_OK);
    sn_buf_init(&buf, 0);
    sn_event_init(&event);
    test_labels(&buf, "m", 1);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS, .value = 1};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = &sample, .sample_count = 1};
    struct sn_push_result result;
    struct sn_sink sink = sn_store_sink(store);
    struct sn_push_done done = {
        .fn = (void (*)(void *, sn_status, const struct sn_err *))sn_event_set, .ctx = &event};
    assert_int_equal(sink.push(sink.ctx, &batch, done, &result, NULL), SN_OK);
    assert_false(event.is_set);
    assert_null(sn_store_close(store));
    assert_true(event.is_set);
    assert_int_equal(event.status, SN_OK);
    sn_event_release(&event);
    sn_buf_release(&buf);
    test_store_open(test);
    const struct test_sample expected[] = {{0, 1}};
    test_assert_samples(test, "m", 1, expected, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_was_pushed_is_read_back),
        CASE(a_second_store_on_the_directory_is_refused_with_the_pid),
        CASE(files_are_not_for_everybody),
        CASE(a_relaxed_store_keeps_what_it_acknowledged_over_a_stop),
        CASE(closing_acknowledges_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
