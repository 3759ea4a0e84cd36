/* The store as its users see it: push, read, flush, reopen, limits, locks. */
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

static void push_series(struct test_store *test, unsigned number, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++)
        assert_int_equal(
            test_push_one(test, "m", number, TEST_NOW_MS + i * 1000, (double)i * 0.5, NULL), SN_OK);
}

static void check_series(struct test_store *test, unsigned number, int64_t count) {
    struct sn_samples samples;
    test_read(test, "m", number, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(samples.time_ms[i], TEST_NOW_MS + i * 1000);
        assert_true(samples.value[i] == (double)i * 0.5);
    }
    sn_samples_release(&samples);
}

static void what_was_pushed_is_read_back(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    push_series(test, 1, 0, 20);
    check_series(test, 1, 20);
}

static void what_was_acknowledged_is_there_after_reopening(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    push_series(test, 1, 0, 10);
    test_store_reopen(test);
    check_series(test, 1, 10);
    push_series(test, 1, 10, 20);
    test_store_reopen(test);
    check_series(test, 1, 20);
}

static void a_flush_moves_samples_from_the_log_into_a_segment(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test_store_open(test);
    push_series(test, 1, 0, 10);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    check_series(test, 1, 10);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.segment_count, 1);
    assert_int_equal(stats.segment_sample_count, 10);
    assert_int_equal(stats.log_bytes, 0);
    assert_int_equal(test_count_files(test, "wal"), 0);
    assert_int_equal(test_count_files(test, "seg"), 1);
    push_series(test, 1, 10, 15);
    check_series(test, 1, 15);
    test_store_reopen(test);
    check_series(test, 1, 15);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    check_series(test, 1, 15);
    test_store_reopen(test);
    check_series(test, 1, 15);
}

static void a_flush_with_nothing_to_write_does_nothing(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_count_files(test, "seg"), 0);
    push_series(test, 1, 0, 2);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_count_files(test, "seg"), 1);
}

static void a_range_includes_both_ends_in_head_and_segment(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    for (int flushed = 0; flushed < 2; flushed++) {
        push_series(test, (unsigned)flushed, 0, 10);
        if (flushed)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        struct sn_samples samples;
        test_read(test, "m", (unsigned)flushed,
                  (struct sn_range){TEST_NOW_MS + 3000, TEST_NOW_MS + 5000}, &samples);
        assert_int_equal(samples.count, 3);
        assert_int_equal(samples.time_ms[0], TEST_NOW_MS + 3000);
        assert_int_equal(samples.time_ms[2], TEST_NOW_MS + 5000);
        sn_samples_release(&samples);
    }
}

static void long_series_span_many_chunks_and_packs(void **state) {
    struct test_store *test = *state;
    enum { COUNT = 20000 };
    test_store_open(test);
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 7);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample *samples = calloc(COUNT, sizeof *samples);
    for (int i = 0; i < COUNT; i++)
        samples[i] = (struct sn_batch_sample){
            .time_ms = TEST_NOW_MS - 86400000 + i * 997,
            .value = sn_double_from_bits((uint64_t)i * 0x9e3779b97f4a7c15u)};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = COUNT};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, COUNT);
    for (int round = 0; round < 4; round++) {
        struct sn_samples got;
        test_read(test, "m", 7, TEST_ALL_TIME, &got);
        assert_int_equal(got.count, COUNT);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(got.time_ms[i], samples[i].time_ms);
            assert_int_equal(sn_double_bits(got.value[i]), sn_double_bits(samples[i].value));
        }
        sn_samples_release(&got);
        if (round == 0)
            test_store_reopen(test);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (round == 2)
            test_store_reopen(test);
    }
    free(samples);
    sn_buf_release(&buf);
}

static void older_samples_within_the_window_are_merged(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test_store_open(test);
    const int64_t offsets[] = {0, 1000, 5000, 3000, 2000, 3000, 6000};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + offsets[i], (double)i, NULL),
                         SN_OK);
    const struct test_sample expected[] = {{0, 0},    {1000, 1}, {2000, 4},
                                           {3000, 5}, {5000, 2}, {6000, 6}};
    test_assert_samples(test, "m", 1, expected, 6);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.out_of_order_count, 3);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 6);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_assert_samples(test, "m", 1, expected, 6);
    /* An older one again, over what is in the segment: the last one written wins. */
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 77, NULL), SN_OK);
    const struct test_sample again[] = {{0, 0},    {1000, 77}, {2000, 4},
                                        {3000, 5}, {5000, 2},  {6000, 6}};
    test_assert_samples(test, "m", 1, again, 6);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, again, 6);
}

static void an_older_sample_written_twice_keeps_its_last_value_after_reopening(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 1000, 2, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 1000, 3, NULL), SN_OK);
    const struct test_sample expected[] = {{-1000, 3}, {0, 1}};
    test_assert_samples(test, "m", 1, expected, 2);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 2);
}

static void expect_reject(struct test_store *test, int64_t time_ms, double value,
                          enum sn_reject reason) {
    struct sn_push_result result = {0};
    assert_int_equal(test_push_one(test, "m", 1, time_ms, value, &result), SN_OK);
    assert_int_equal(result.accepted_count, 0);
    assert_int_equal(result.rejected_count[reason], 1);
    assert_true(strlen(result.first_reject.text) > 10);
}

static void every_reject_is_counted_by_its_reason(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result = {0};
    test->options.series_max = 1;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    expect_reject(test, TEST_NOW_MS - 600001, 1, SN_REJECT_OUT_OF_ORDER);
    expect_reject(test, TEST_NOW_MS, 2, SN_REJECT_DUPLICATE);
    expect_reject(test, TEST_NOW_MS - INT64_C(86400000) * 15 - 1, 1, SN_REJECT_TOO_OLD);
    expect_reject(test, -1, 1, SN_REJECT_TOO_OLD);
    expect_reject(test, TEST_NOW_MS + 600001, 1, SN_REJECT_TOO_NEW);
    assert_int_equal(test_push_one(test, "m", 2, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_SERIES_LIMIT], 1);
    /* At the boundaries it is taken. */
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 600000, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 600000, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.rejected_count[SN_REJECT_TOO_OLD], 2);
    assert_int_equal(stats.series_count, 1);
}

static void the_same_sample_again_is_accepted_and_stored_once(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result = {0};
    test_store_open(test);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1.5, &result), SN_OK);
        assert_int_equal(result.accepted_count, 1);
    }
    const struct test_sample expected[] = {{0, 1.5}};
    test_assert_samples(test, "m", 1, expected, 1);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 1);
}

static void histograms_and_exemplars_are_counted_as_unsupported(void **state) {
    struct test_store *test = *state;
    struct sn_buf buf;
    test_store_open(test);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "h", 1);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_histogram histogram = {.time_ms = TEST_NOW_MS};
    struct sn_batch_exemplar exemplar = {.exemplar = {.time_ms = TEST_NOW_MS}};
    struct sn_batch batch = {.series = &series,
                             .series_count = 1,
                             .histograms = &histogram,
                             .histogram_count = 1,
                             .exemplars = &exemplar,
                             .exemplar_count = 1};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_UNSUPPORTED], 2);
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.series_count, 0);
    sn_buf_release(&buf);
}

static void a_sample_that_names_no_series_of_its_batch_is_invalid(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS, .series = 3};
    struct sn_batch batch = {.samples = &sample, .sample_count = 1};
    struct sn_push_result result;
    struct sn_err err;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, &err),
                     SN_ERR_INVALID);
}

static void metadata_survives_log_and_catalogue(void **state) {
    struct test_store *test = *state;
    struct sn_metadata metadata = {.metric_name = SN_STR("m"),
                                   .type = SN_METRIC_COUNTER,
                                   .help = SN_STR("What it counts."),
                                   .unit = SN_STR("bytes")};
    struct sn_batch batch = {.metadata = &metadata, .metadata_count = 1};
    struct sn_push_result result;
    test_store_open(test);
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    for (int round = 0; round < 4; round++) {
        struct sn_arena arena;
        struct sn_metadata found;
        struct sn_reader reader = sn_store_reader(test->store);
        sn_arena_init(&arena, 0);
        assert_true(reader.metadata(reader.ctx, SN_STR("m"), &arena, &found));
        assert_int_equal(found.type, SN_METRIC_COUNTER);
        assert_true(sn_str_equal(found.help, metadata.help));
        assert_true(sn_str_equal(found.unit, metadata.unit));
        assert_false(reader.metadata(reader.ctx, SN_STR("other"), &arena, &found));
        sn_arena_release(&arena);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        test_store_reopen(test);
    }
}

static void retention_drops_whole_segments_only(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test->options.retention_ms = 3600000;
    test_store_open(test);
    push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, 1800000);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1800000, 9, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    sn_fake_clock_advance_ms(&test->clock, 1800000 + 2001);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(test_count_files(test, "seg"), 1);
    const struct test_sample expected[] = {{1800000, 9}};
    test_assert_samples(test, "m", 1, expected, 1);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 1);
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

static void run_sql(struct test_store *test, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(test_path(test, "sonde.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_format_is_refused_with_a_sentence(void **state) {
    struct test_store *test = *state;
    struct sn_err err;
    test_store_open(test);
    test_store_close(test);
    run_sql(test, "UPDATE store_meta SET value = 2 WHERE key = 'format_version'");
    assert_int_equal(test_store_try_open(test, &err), SN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "version 2"));
}

static void files_without_a_row_are_deleted_and_others_left_alone(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    const char *names[] = {"seg/00000042.seg", "seg/00000043.seg.tmp", "seg/notes.txt"};
    test_store_open(test);
    push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_close(test);
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(test_path(test, names[i]), "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    test_store_open(test);
    assert_int_equal(test_count_files(test, "seg"), 2);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.recovery.segment_orphan_count, 2);
    check_series(test, 1, 3);
}

static void a_missing_segment_is_a_named_error_for_its_time_only(void **state) {
    struct test_store *test = *state;
    struct sn_err err = {.status = SN_OK};
    struct sn_samples samples;
    test_store_open(test);
    push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_close(test);
    assert_int_equal(sn_os_unlink(test_path(test, "seg/00000001.seg")), 0);
    test_store_open(test);
    sn_samples_init(&samples);
    assert_int_equal(test_try_read(test, "m", 1, TEST_ALL_TIME, &samples, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "00000001.seg"));
    assert_int_equal(sn_store_health(test->store, &err), SN_ERR_CORRUPT);
    struct sn_range later = {TEST_NOW_MS + 3000, TEST_NOW_MS + 9000};
    assert_int_equal(test_try_read(test, "m", 1, later, &samples, &err), SN_OK);
    assert_int_equal(samples.count, 0);
    sn_samples_release(&samples);
}

static void files_are_not_for_everybody(void **state) {
    struct test_store *test = *state;
    struct stat info;
    test_store_open(test);
    push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    push_series(test, 1, 3, 4);
    const char *files[] = {"sonde.db", "LOCK", "seg/00000001.seg"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stat(test_path(test, files[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
    }
    assert_int_equal(stat(test_only_file(test, "wal", ".log"), &info), 0);
    assert_int_equal(info.st_mode & 0777 & ~0640u, 0);
}

static void many_series_survive_flush_and_reopening(void **state) {
    struct test_store *test = *state;
    enum { SERIES = 3000, ROUNDS = 4 };
    test_store_open(test);
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(
            test_push_round(test, "m", SERIES, TEST_NOW_MS + round * 15000, round * 10), SN_OK);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (round == 2)
            test_store_reopen(test);
    }
    for (unsigned n = 0; n < SERIES; n += 7) {
        struct test_sample expected[ROUNDS];
        for (int round = 0; round < ROUNDS; round++)
            expected[round] = (struct test_sample){round * 15000, round * 10 + (double)n};
        test_assert_samples(test, "m", n, expected, ROUNDS);
    }
}

static void a_relaxed_store_keeps_what_it_acknowledged_over_a_stop(void **state) {
    struct test_store *test = *state;
    test->options.durability = SN_STORE_RELAXED;
    test_store_open(test);
    push_series(test, 1, 0, 10);
    test_store_reopen(test);
    check_series(test, 1, 10);
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

static void a_full_queue_is_busy_and_recovers(void **state) {
    struct test_store *test = *state;
    enum { COUNT = 300000 };
    struct sn_store *store;
    struct sn_buf buf;
    assert_int_equal(sn_store_open(&test->options, &store, NULL), SN_OK);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 1);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample *samples = calloc(COUNT, sizeof *samples);
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = COUNT};
    struct sn_sink sink = sn_store_sink(store);
    struct sn_push_result result;
    sn_status status = SN_OK;
    int taken = 0;
    for (; taken < 20 && status == SN_OK; taken++) {
        for (int i = 0; i < COUNT; i++)
            samples[i].time_ms = TEST_NOW_MS - INT64_C(86400000) + taken * COUNT + i;
        status = sink.push(sink.ctx, &batch, (struct sn_push_done){0}, &result, NULL);
    }
    assert_int_equal(status, SN_ERR_BUSY);
    assert_true(taken > 2);
    (void)sn_store_close(store);
    test_store_open(test);
    struct sn_samples got;
    test_read(test, "m", 1, TEST_ALL_TIME, &got);
    assert_int_equal(got.count, (taken - 1) * COUNT);
    sn_samples_release(&got);
    free(samples);
    sn_buf_release(&buf);
}

static void the_flush_worker_flushes_when_the_log_is_long_and_when_it_is_old(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats = {0};
    test->options.log_bytes_max = 2000;
    test_store_open(test);
    for (int64_t i = 0; i < 400 && stats.flush_count == 0; i++) {
        push_series(test, 1, i, i + 1);
        sn_store_stats(test->store, &stats);
    }
    assert_true(stats.flush_count > 0);
    test_store_close(test);
    test->options.log_bytes_max = 0;
    test_store_open(test);
    push_series(test, 2, 0, 1);
    sn_fake_clock_advance_ms(&test->clock, 30 * 60000);
    do {
        usleep(1000); /* the worker looks about once a second */
        sn_store_stats(test->store, &stats);
    } while (stats.flush_count == 0);
    assert_int_equal(stats.log_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_was_pushed_is_read_back),
        CASE(what_was_acknowledged_is_there_after_reopening),
        CASE(a_flush_moves_samples_from_the_log_into_a_segment),
        CASE(a_flush_with_nothing_to_write_does_nothing),
        CASE(a_range_includes_both_ends_in_head_and_segment),
        CASE(long_series_span_many_chunks_and_packs),
        CASE(older_samples_within_the_window_are_merged),
        CASE(an_older_sample_written_twice_keeps_its_last_value_after_reopening),
        CASE(every_reject_is_counted_by_its_reason),
        CASE(the_same_sample_again_is_accepted_and_stored_once),
        CASE(histograms_and_exemplars_are_counted_as_unsupported),
        CASE(a_sample_that_names_no_series_of_its_batch_is_invalid),
        CASE(metadata_survives_log_and_catalogue),
        CASE(retention_drops_whole_segments_only),
        CASE(a_second_store_on_the_directory_is_refused_with_the_pid),
        CASE(a_newer_format_is_refused_with_a_sentence),
        CASE(files_without_a_row_are_deleted_and_others_left_alone),
        CASE(a_missing_segment_is_a_named_error_for_its_time_only),
        CASE(files_are_not_for_everybody),
        CASE(many_series_survive_flush_and_reopening),
        CASE(a_relaxed_store_keeps_what_it_acknowledged_over_a_stop),
        CASE(closing_acknowledges_what_is_queued),
        CASE(a_full_queue_is_busy_and_recovers),
        CASE(the_flush_worker_flushes_when_the_log_is_long_and_when_it_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
