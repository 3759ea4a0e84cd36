/* Exemplars, end to end: pushed, asked for, kept over flushes and restarts. */
#include "store/store.h"

#include "exemplar_support.h"

#include "base/mem.h"
#include "store/exemplars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init(test);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    test_store_release(*state);
    free(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void exemplars_survive_restarts_and_flushes(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_assert_exemplars(test, 0, 10000, "");
    test_push_exemplar(test, 2, 0, 1, true, NULL);
    test_push_exemplar(test, 1, 1000, 2, true, NULL);
    test_push_exemplar(test, 2, 2000, 3, false, NULL); /* its series is known */
    test_assert_exemplars(test, 0, 10000, "1:2@1000 2:1@0 2:3@2000 ");
    test_assert_exemplars(test, 1, 1999, "1:2@1000 ");
    test_store_reopen(test); /* from the log */
    test_assert_exemplars(test, 0, 10000, "1:2@1000 2:1@0 2:3@2000 ");
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_push_exemplar(test, 1, 3000, 4, true, NULL);
    test_store_reopen(test); /* from the catalogue and the log */
    test_assert_exemplars(test, 0, 10000, "1:2@1000 1:4@3000 2:1@0 2:3@2000 ");
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_push_exemplar(test, 1, 4000, 5, true, NULL);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_reopen(test); /* from the catalogue */
    test_assert_exemplars(test, 0, 10000, "1:2@1000 1:4@3000 1:5@4000 2:1@0 2:3@2000 ");
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.exemplar_count, 5);
}

static void the_limit_holds_over_restarts(void **state) {
    struct test_store *test = *state;
    test->options.exemplars_max = 3;
    test_store_open(test);
    for (int i = 0; i < 10; i++) {
        test_push_exemplar(test, (unsigned)i % 2, i * 1000, i, true, NULL);
        if (i % 3 == 2)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (i % 4 == 3)
            test_store_reopen(test);
    }
    test_assert_exemplars(test, 0, 100000, "0:8@8000 1:7@7000 1:9@9000 ");
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 100000, "0:8@8000 1:7@7000 1:9@9000 ");
    test_store_close(test);
    test->options.exemplars_max = 2;
    test_store_open(test);
    test_assert_exemplars(test, 0, 100000, "0:8@8000 1:9@9000 ");
    test_store_close(test);
    test->options.exemplars_max = -1;
    test_store_open(test);
    test_assert_exemplars(test, 0, 100000, "");
}

static void what_is_not_kept_is_counted(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result;
    struct sn_store_stats stats;
    test_store_open(test);
    test_push_exemplar(test, 1, 0, 1, false, &result); /* nobody knows the series */
    assert_int_equal(result.rejected_count[SN_REJECT_UNSUPPORTED], 1);
    assert_int_equal(result.accepted_exemplar_count, 0);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.series_count, 0);
    test_push_exemplar(test, 1, 1000, 1, true, &result);
    assert_int_equal(result.accepted_exemplar_count, 1);
    assert_int_equal(result.accepted_count, 1);
    test_push_exemplar(test, 1, 1000, 1, false, &result); /* the same again */
    assert_int_equal(result.accepted_exemplar_count, 1);
    test_push_exemplar(test, 1, 500, 1, false, &result);
    assert_int_equal(result.rejected_count[SN_REJECT_OUT_OF_ORDER], 1);
    test_push_exemplar(test, 1, INT64_C(86400000), 1, false, &result);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_NEW], 1);
    test_push_exemplar(test, 1, -INT64_C(86400000) * 100, 1, false, &result);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_OLD], 1);
    test_assert_exemplars(test, 0, 100000, "1:1@1000 ");
}

static uint64_t push_labels(struct test_store *test, size_t value_len, int64_t offset_ms) {
    static char value[SN_EXEMPLAR_LABEL_BYTES_MAX];
    struct sn_buf buf;
    struct sn_push_result result;
    memset(value, 'x', sizeof value);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 1);
    struct sn_label label = {SN_STR("a"), sn_str_make(value, value_len)};
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_exemplar exemplar = {
        .exemplar = {.labels = {&label, value_len > 0}, .time_ms = TEST_NOW_MS + offset_ms}};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .exemplars = &exemplar, .exemplar_count = 1};
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    sn_buf_release(&buf);
    return result.accepted_exemplar_count;
}

static void labels_have_a_limit(void **state) {
    struct test_store *test = *state;
    size_t others = 1 + 2 + 1 + 2; /* count, length of the name, name, length of the value */
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(push_labels(test, SN_EXEMPLAR_LABEL_BYTES_MAX - others, 1), 1);
    assert_int_equal(push_labels(test, SN_EXEMPLAR_LABEL_BYTES_MAX - others + 1, 2), 0);
    assert_int_equal(push_labels(test, 0, 3), 1); /* none at all */
    test_store_reopen(test);
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.exemplar_count, 2);
}

static void every_failing_allocation_of_a_read_is_reported(void **state) {
    struct test_store *test = *state;
    struct sn_buf text;
    struct sn_range all = {0, INT64_MAX};
    test_store_open(test);
    for (int i = 0; i < 5; i++)
        test_push_exemplar(test, (unsigned)i % 2, i * 1000, i, true, NULL);
    sn_buf_init(&text, 0);
    assert_int_equal(test_list_exemplars(test, all, &text), SN_OK);
    int64_t before = sn_mem_block_count();
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        sn_mem_fail_nth(n);
        sn_status status = test_list_exemplars(test, all, &text);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_mem_block_count(), before);
    }
    sn_buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(exemplars_survive_restarts_and_flushes),
        CASE(the_limit_holds_over_restarts),
        CASE(what_is_not_kept_is_counted),
        CASE(labels_have_a_limit),
        CASE(every_failing_allocation_of_a_read_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
