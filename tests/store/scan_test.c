/* Scans: many series over one range read as they do one by one, whatever happens in between. */
#include "store/store.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERIES = 60, SAMPLES = 700 };

struct fixture {
    struct test_store test;
    struct sn_arena arena;
    struct sn_series_list list;
};

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    test_store_init(&fixture->test);
    sn_arena_init(&fixture->arena, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    sn_fault_disarm_all();
    sn_mem_fail_nth(0);
    test_store_release(&fixture->test);
    sn_arena_release(&fixture->arena);
    free(fixture);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int64_t time_at(int i) {
    return TEST_NOW_MS + i * 1000;
}

/* Samples [from, to) of all series in one batch; some series have fewer. */
static void push(struct test_store *test, int from, int to) {
    struct sn_batch_series series[SERIES];
    struct sn_buf texts[SERIES];
    size_t count = 0;
    struct sn_batch_sample *samples = calloc((size_t)SERIES * (size_t)(to - from), sizeof *samples);
    for (unsigned k = 0; k < SERIES; k++) {
        sn_buf_init(&texts[k], 0);
        test_labels(&texts[k], "m", k);
        series[k] = (struct sn_batch_series){.labels = sn_buf_str(&texts[k])};
        for (int i = from; i < to; i += k % 5 == 0 ? 3 : 1)
            samples[count++] =
                (struct sn_batch_sample){.series = k, .time_ms = time_at(i), .value = i * (int)k};
    }
    struct sn_batch batch = {
        .series = series, .series_count = SERIES, .samples = samples, .sample_count = count};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    for (unsigned k = 0; k < SERIES; k++)
        sn_buf_release(&texts[k]);
    free(samples);
}

static void select_all(struct fixture *fixture) {
    struct sn_matcher matcher = {
        .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")};
    struct sn_select select = {.matchers = &matcher, .matcher_count = 1, .range = TEST_ALL_TIME};
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    assert_int_equal(reader.select(reader.ctx, &select, &fixture->arena, &fixture->list, NULL),
                     SN_OK);
    assert_int_equal(fixture->list.count, SERIES);
}

static void check_one(const struct fixture *fixture, const struct sn_scan *scan, size_t at) {
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    uint64_t id = fixture->list.items[at].id;
    struct sn_samples expected;
    struct sn_samples got;
    sn_samples_init(&expected);
    sn_samples_init(&got);
    assert_int_equal(reader.samples(reader.ctx, id, scan->range, &expected, NULL), SN_OK);
    assert_int_equal(sn_scan_samples(scan, id, &got, NULL), SN_OK);
    assert_int_equal(got.count, expected.count);
    if (got.count > 0) {
        assert_memory_equal(got.time_ms, expected.time_ms, got.count * sizeof *got.time_ms);
        assert_memory_equal(got.value, expected.value, got.count * sizeof *got.value);
    }
    sn_samples_release(&expected);
    sn_samples_release(&got);
}

static struct sn_range random_range(struct sn_rng *rng) {
    int64_t start = (int64_t)sn_rng_below(rng, SAMPLES * 1200) - 100000;
    int64_t len = (int64_t)sn_rng_below(rng, sn_rng_below(rng, 2) ? 3000 : SAMPLES * 1000);
    return (struct sn_range){TEST_NOW_MS + start, TEST_NOW_MS + start + len};
}

static void any_range_and_any_order_read_as_single_series_do(void **state) {
    struct fixture *fixture = *state;
    struct sn_reader reader;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    test_store_open(&fixture->test);
    for (int part = 0; part < 4; part++) { /* segments, then the head */
        push(&fixture->test, part * SAMPLES / 4, (part + 1) * SAMPLES / 4);
        if (part < 3)
            assert_int_equal(sn_store_flush(fixture->test.store, NULL), SN_OK);
    }
    select_all(fixture);
    reader = sn_store_reader(fixture->test.store);
    for (int round = 0; round < 60; round++) {
        struct sn_scan scan;
        assert_int_equal(sn_scan_open(&reader, random_range(&rng), &scan, NULL), SN_OK);
        for (size_t i = 0; i < SERIES; i++)
            check_one(fixture, &scan, round % 2 ? i : sn_rng_below(&rng, SERIES));
        sn_scan_close(&scan);
    }
}

static void a_flush_in_between_hides_nothing(void **state) {
    struct fixture *fixture = *state;
    test_store_open(&fixture->test);
    push(&fixture->test, 0, 100);
    select_all(fixture);
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    struct sn_scan scan;
    assert_int_equal(sn_scan_open(&reader, TEST_ALL_TIME, &scan, NULL), SN_OK);
    for (int round = 1; round <= 3; round++) {
        check_one(fixture, &scan, (size_t)round);
        assert_int_equal(sn_store_flush(fixture->test.store, NULL), SN_OK);
        check_one(fixture, &scan, (size_t)round + 1);
        push(&fixture->test, round * 100, round * 100 + 100);
        check_one(fixture, &scan, (size_t)round + 2);
    }
    size_t compacted;
    assert_int_equal(sn_store_compact(fixture->test.store, &compacted, NULL), SN_OK);
    for (size_t i = 0; i < SERIES; i++)
        check_one(fixture, &scan, i);
    sn_scan_close(&scan);
}

static void a_series_has_samples_where_it_has(void **state) {
    struct fixture *fixture = *state;
    struct sn_samples scratch;
    struct sn_rng rng;
    sn_rng_init(&rng, 5);
    sn_samples_init(&scratch);
    test_store_open(&fixture->test);
    push(&fixture->test, 0, 100);
    assert_int_equal(sn_store_flush(fixture->test.store, NULL), SN_OK);
    push(&fixture->test, 200, 300);
    select_all(fixture);
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    for (int round = 0; round < 200; round++) {
        struct sn_range range = random_range(&rng);
        uint64_t id = fixture->list.items[sn_rng_below(&rng, SERIES)].id;
        struct sn_scan scan;
        bool has;
        assert_int_equal(sn_scan_open(&reader, range, &scan, NULL), SN_OK);
        assert_int_equal(sn_scan_has(&scan, id, &scratch, &has, NULL), SN_OK);
        sn_samples_reset(&scratch);
        assert_int_equal(reader.samples(reader.ctx, id, range, &scratch, NULL), SN_OK);
        assert_int_equal(has, scratch.count > 0);
        sn_scan_close(&scan);
    }
    sn_samples_release(&scratch);
}

static void an_unknown_series_and_an_empty_range_are_told_apart(void **state) {
    struct fixture *fixture = *state;
    test_store_open(&fixture->test);
    push(&fixture->test, 0, 10);
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    struct sn_scan scan;
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_scan_open(&reader, (struct sn_range){10, 5}, &scan, NULL), SN_OK);
    assert_int_equal(sn_scan_samples(&scan, 0, &samples, NULL), SN_OK);
    assert_int_equal(samples.count, 0);
    assert_int_equal(sn_scan_samples(&scan, SERIES, &samples, NULL), SN_ERR_NOT_FOUND);
    sn_scan_close(&scan);
    sn_samples_release(&samples);
}

static void no_memory_is_a_failure_that_can_be_repeated(void **state) {
    struct fixture *fixture = *state;
    struct sn_samples samples;
    test_store_open(&fixture->test);
    push(&fixture->test, 0, 300);
    assert_int_equal(sn_store_flush(fixture->test.store, NULL), SN_OK);
    push(&fixture->test, 300, 400);
    struct sn_reader reader = sn_store_reader(fixture->test.store);
    sn_samples_init(&samples);
    int failed = 0;
    for (unsigned nth = 1;; nth++) {
        struct sn_scan scan = {.ctx = NULL};
        samples.count = 0;
        sn_mem_fail_nth(nth);
        sn_status status = sn_scan_open(&reader, TEST_ALL_TIME, &scan, NULL);
        if (status == SN_OK)
            status = sn_scan_samples(&scan, 1, &samples, NULL);
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        assert_int_equal(samples.count, status == SN_OK ? 400 : 0);
        sn_scan_close(&scan);
        if (status == SN_OK)
            break;
        failed++;
    }
    assert_true(failed > 3);
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(any_range_and_any_order_read_as_single_series_do),
        CASE(a_flush_in_between_hides_nothing),
        CASE(a_series_has_samples_where_it_has),
        CASE(an_unknown_series_and_an_empty_range_are_told_apart),
        CASE(no_memory_is_a_failure_that_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
