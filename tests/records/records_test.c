/* Queue, writer and retention of the records. */
#include "records_support.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdlib.h>

/* A sink that takes everything, or nothing, or says later that it was lost. */
struct fake_sink {
    sn_status push_status;
    sn_status done_status;
    size_t sample_count;
};

static sn_status fake_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct fake_sink *sink = ctx;
    if (sink->push_status != SN_OK)
        return sn_err_set(err, sink->push_status, "the sink said no");
    sink->sample_count += batch->sample_count;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count - 1};
    ret_result->rejected_count[SN_REJECT_TOO_OLD] = 1;
    (void)sn_err_set(&ret_result->first_reject, SN_ERR_INVALID, "too old");
    struct sn_err lost = {.status = SN_OK};
    if (sink->done_status != SN_OK)
        (void)sn_err_set(&lost, sink->done_status, "the disk said no");
    done.fn(done.ctx, sink->done_status, &lost);
    return SN_OK;
}

struct test_records {
    struct test_place place;
    struct sn_fake_clock clock;
    struct fake_sink sink;
    struct sn_records_options options;
    struct sn_records *records;
    struct sn_worker worker;
    struct sn_thread thread;
};

static void start(struct test_records *test) {
    struct sn_err err = {.status = SN_OK};
    test->options.dir = test->place.dir;
    test->options.clock = &test->clock.clock;
    test->options.sink = (struct sn_sink){&test->sink, fake_push};
    if (sn_records_open(&test->options, &test->records, &err) != SN_OK)
        fail_msg("%s", err.text);
    test->worker = sn_records_worker(test->records);
    assert_int_equal(
        sn_thread_start(&test->thread, test->worker.name, test->worker.run, test->worker.ctx, NULL),
        SN_OK);
}

static void stop_worker(struct test_records *test) {
    test->worker.stop(test->worker.ctx);
    sn_thread_join(&test->thread);
}

static int set_up(void **state) {
    struct test_records *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test_place_init(&test->place);
    sn_fake_clock_init(&test->clock, 0, TEST_NOW_MS);
    *state = test;
    return 0;
}

static int tear_down(void **state) {
    struct test_records *test = *state;
    if (test->thread.is_running)
        stop_worker(test);
    test->records = sn_records_close(test->records);
    test_place_release(&test->place);
    free(test);
    return 0;
}

static size_t count_all(struct test_records *test) {
    struct sn_record_page page = test_page(SN_RECORD_PAGE_MAX);
    struct sn_record_list list;
    assert_int_equal(sn_records_list(test->records, &page, &test->place.arena, &list, NULL), SN_OK);
    return list.count;
}

static void what_was_pushed_is_there_as_row_and_sample(void **state) {
    struct test_records *test = *state;
    struct sn_record rows[] = {test_record("a", 0, 1), test_record("b", 0, 2)}, found;
    struct sn_records_push push = {.records = rows, .record_count = 2};
    start(test);
    assert_int_equal(sn_records_push_wait(test->records, &push, NULL), SN_OK);
    assert_int_equal(test->sink.sample_count, 2);
    assert_int_equal(push.sample_rejected_count, 1);
    assert_string_equal(push.first_reject.text, "too old");
    assert_int_equal(sn_records_get(test->records, &rows[1].id, &test->place.arena, &found, NULL),
                     SN_OK);
    assert_true(found.value == 2);
    struct sn_records_stats stats;
    sn_records_stats(test->records, &stats);
    assert_int_equal(stats.pushed_count, 2);
    assert_int_equal(stats.queued_count, 0);
    assert_int_equal(stats.commit_count, 1);
    assert_string_equal(sn_records_engine_name(test->records), "sqlite");
    assert_int_equal(sn_records_ping(test->records, NULL), SN_OK);
}

static void no_record_is_stored_when_the_sink_refuses(void **state) {
    struct test_records *test = *state;
    struct sn_record row = test_record("a", 0, 1);
    struct sn_records_push push = {.records = &row, .record_count = 1};
    struct sn_err err;
    start(test);
    test->sink.push_status = SN_ERR_NO_SPACE;
    assert_int_equal(sn_records_push_wait(test->records, &push, &err), SN_ERR_NO_SPACE);
    assert_int_equal(count_all(test), 0);
}

static void lost_samples_fail_the_push(void **state) {
    struct test_records *test = *state;
    struct sn_record row = test_record("a", 0, 1);
    struct sn_records_push push = {.records = &row, .record_count = 1};
    struct sn_err err;
    start(test);
    test->sink.done_status = SN_ERR_IO;
    assert_int_equal(sn_records_push_wait(test->records, &push, &err), SN_ERR_IO);
    assert_string_equal(err.text, "the disk said no");
}

static void ignore_done(struct sn_records_push *push) {
    size_t *done_count = push->ctx;
    (*done_count)++;
}

static void a_full_queue_refuses_and_a_closed_one_too(void **state) {
    struct test_records *test = *state;
    struct sn_record rows[] = {test_record("a", 0, 1), test_record("b", 0, 2)};
    size_t done_count = 0;
    test->options.queue_max = 3;
    start(test);
    stop_worker(test);
    struct sn_records_push push = {
        .records = rows, .record_count = 2, .done = ignore_done, .ctx = &done_count};
    assert_int_equal(sn_records_push(test->records, &push, NULL), SN_ERR_CLOSED);
    test->records = sn_records_close(test->records);
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_records_open(&test->options, &test->records, &err), SN_OK);
    struct sn_records_push first = push, second = push;
    assert_int_equal(sn_records_push(test->records, &first, NULL), SN_OK);
    assert_int_equal(sn_records_push(test->records, &second, &err), SN_ERR_BUSY);
    test->records = sn_records_close(test->records); /* refuses what waits */
    assert_int_equal(done_count, 1);
    assert_int_equal(first.status, SN_ERR_CLOSED);
}

static void what_waits_when_the_worker_stops_is_written(void **state) {
    struct test_records *test = *state;
    struct sn_record rows[100];
    struct sn_records_push *pushes = calloc(100, sizeof *pushes);
    size_t done_count = 0;
    start(test);
    for (size_t i = 0; i < 100; i++) {
        rows[i] = test_record("a", (int64_t)i, 1);
        pushes[i] = (struct sn_records_push){
            .records = &rows[i], .record_count = 1, .done = ignore_done, .ctx = &done_count};
        assert_int_equal(sn_records_push(test->records, &pushes[i], NULL), SN_OK);
    }
    stop_worker(test);
    assert_int_equal(done_count, 100);
    assert_int_equal(count_all(test), 100);
    free(pushes);
}

static void each_type_has_its_retention(void **state) {
    struct test_records *test = *state;
    static const struct sn_records_retention retentions[] = {{SN_STR("short"), 1000},
                                                             {SN_STR("kept"), 0}};
    struct sn_record rows[] = {test_record("a", 0, 1), test_record("b", 0, 2),
                               test_record("c", 0, 3), test_record("d", 5000, 4)};
    uint64_t count = 0;
    rows[0].metric_type = SN_STR("short");
    rows[1].metric_type = SN_STR("kept");
    test->options.retentions = retentions;
    test->options.retention_count = 2;
    test->options.retention_ms = 10000;
    start(test);
    struct sn_records_push push = {.records = rows, .record_count = 4};
    assert_int_equal(sn_records_push_wait(test->records, &push, NULL), SN_OK);
    stop_worker(test);
    sn_fake_clock_advance_ms(&test->clock, 2000);
    assert_int_equal(sn_records_purge(test->records, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    sn_fake_clock_advance_ms(&test->clock, 10000);
    assert_int_equal(sn_records_purge(test->records, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(count_all(test), 2);
}

static void windows_are_made_of_stored_records(void **state) {
    struct test_records *test = *state;
    struct sn_record *rows = calloc(100, sizeof *rows);
    struct sn_window_list list;
    assert_non_null(rows);
    start(test);
    for (size_t i = 0; i < 100; i++)
        rows[i] = test_record("a", (int64_t)i * 1000, (double)i);
    struct sn_records_push push = {.records = rows, .record_count = 100};
    assert_int_equal(sn_records_push_wait(test->records, &push, NULL), SN_OK);
    const struct sn_record_filter filter = {.name = SN_STR("a"), .end_ms = SN_TIME_MS_MAX};
    const struct sn_record_filter near = {
        .name = SN_STR("a"), .start_ms = TEST_NOW_MS, .end_ms = TEST_NOW_MS + 100000};
    assert_int_equal(
        sn_records_windows(test->records, &filter, 1000, &test->place.arena, &list, NULL),
        SN_ERR_LIMIT);
    assert_int_equal(
        sn_records_windows(test->records, &near, 200000, &test->place.arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].count, 100);
    assert_true(list.items[0].sum == 4950);
    free(rows);
}

static void limits_of_a_page_are_checked(void **state) {
    struct test_records *test = *state;
    struct sn_record_list list;
    struct sn_record_page page = test_page(0);
    start(test);
    assert_int_equal(sn_records_list(test->records, &page, &test->place.arena, &list, NULL),
                     SN_ERR_INVALID);
    page.limit = SN_RECORD_PAGE_MAX + 1;
    assert_int_equal(sn_records_list(test->records, &page, &test->place.arena, &list, NULL),
                     SN_ERR_INVALID);
    test->options.retention_count = SN_RECORDS_RETENTIONS_MAX + 1;
    struct sn_records *other = NULL;
    assert_int_equal(sn_records_open(&test->options, &other, NULL), SN_ERR_LIMIT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_pushed_is_there_as_row_and_sample),
        TEST(no_record_is_stored_when_the_sink_refuses),
        TEST(lost_samples_fail_the_push),
        TEST(a_full_queue_refuses_and_a_closed_one_too),
        TEST(what_waits_when_the_worker_stops_is_written),
        TEST(each_type_has_its_retention),
        TEST(windows_are_made_of_stored_records),
        TEST(limits_of_a_page_are_checked),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
