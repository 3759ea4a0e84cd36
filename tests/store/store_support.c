/* A store in a temporary directory: see store_support.h. */
#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_store_init_in(struct test_store *test, const char *base) {
    *test = (struct test_store){0};
    (void)snprintf(test->dir, sizeof test->dir, "%s/sonde-store-XXXXXX", base);
    assert_non_null(mkdtemp(test->dir));
    sn_fake_clock_init(&test->clock, 1000000000, TEST_NOW_MS);
    test->options = (struct sn_store_options){.dir = test->dir,
                                              .clock = &test->clock.clock,
                                              .probe_interval_ms = 5,
                                              .flush_pause_ns = -1};
}

void test_store_init(struct test_store *test) {
    const char *base = getenv("TMPDIR");
    test_store_init_in(test, base ? base : "/tmp");
}

void test_store_init_in_memory(struct test_store *test) {
    if (access("/dev/shm", W_OK) == 0)
        test_store_init_in(test, "/dev/shm");
    else
        test_store_init(test);
}

void test_store_release(struct test_store *test) {
    test_store_close(test);
    struct sn_err err;
    assert_int_equal(sn_os_remove_tree(test->dir, &err), SN_OK);
}

int test_store_tear_down(void **state) {
    sn_fault_disarm_all();
    sn_mem_fail_nth(0);
    test_store_release(*state);
    free(*state);
    return 0;
}

sn_status test_store_try_open(struct test_store *test, struct sn_err *err) {
    assert_null(test->store);
    test->options.dir = test->dir;
    sn_status status = sn_store_open(&test->options, &test->store, err);
    if (status != SN_OK)
        return status;
    test->worker_count = sn_store_workers(test->store, test->workers, SN_STORE_WORKERS_MAX);
    for (size_t i = 0; i < test->worker_count; i++) {
        const struct sn_worker *worker = &test->workers[i];
        assert_int_equal(
            sn_thread_start(&test->threads[i], worker->name, worker->run, worker->ctx, NULL),
            SN_OK);
    }
    return SN_OK;
}

void test_store_open(struct test_store *test) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = test_store_try_open(test, &err);
    if (status != SN_OK)
        print_error("open: %s\n", err.text);
    assert_int_equal(status, SN_OK);
}

void test_store_close(struct test_store *test) {
    if (!test->store)
        return;
    for (size_t i = 0; i < test->worker_count; i++)
        test->workers[i].stop(test->workers[i].ctx);
    for (size_t i = 0; i < test->worker_count; i++)
        sn_thread_join(&test->threads[i]);
    test->store = sn_store_close(test->store);
}

void test_store_reopen(struct test_store *test) {
    test_store_close(test);
    test_store_open(test);
}

struct sn_store_stats test_store_stats(struct test_store *test) {
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    return stats;
}

struct sn_verify_report test_store_verify(struct test_store *test) {
    const struct sn_verify_options options = {.dir = test->dir};
    struct sn_verify_report report;
    struct sn_err err = {.status = SN_OK};
    test_store_close(test);
    assert_int_equal(sn_store_verify(&options, &report, &err), SN_OK);
    assert_int_equal(report.damage_count, 0);
    assert_int_equal(report.note_count, 0);
    test_store_open(test);
    return report;
}

void test_labels(struct sn_buf *buf, const char *name, unsigned number) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    struct sn_label items[] = {{SN_LABEL_METRIC_NAME, sn_str_from(name)},
                               {SN_STR("n"), sn_str_from(text)}};
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(items, 2, &labels, NULL), SN_OK);
    sn_buf_reset(buf);
    sn_labels_encode(labels, buf);
    assert_int_equal(sn_buf_status(buf, NULL), SN_OK);
}

sn_status test_push_one(struct test_store *test, const char *name, unsigned number, int64_t time_ms,
                        double value, struct sn_push_result *ret_result) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, name, number);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample sample = {.time_ms = time_ms, .value = value};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = &sample, .sample_count = 1};
    struct sn_push_result ignored;
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_sink_push_wait(sn_store_sink(test->store), &batch,
                                         ret_result ? ret_result : &ignored, &err);
    sn_buf_release(&buf);
    return status;
}

sn_status test_push_round(struct test_store *test, const char *name, unsigned count,
                          int64_t time_ms, double value) {
    struct sn_buf *bufs = calloc(count, sizeof *bufs);
    struct sn_batch_series *series = calloc(count, sizeof *series);
    struct sn_batch_sample *samples = calloc(count, sizeof *samples);
    assert_true(bufs && series && samples);
    for (unsigned i = 0; i < count; i++) {
        sn_buf_init(&bufs[i], 0);
        test_labels(&bufs[i], name, i);
        series[i].labels = sn_buf_str(&bufs[i]);
        samples[i] = (struct sn_batch_sample){.time_ms = time_ms, .value = value + i, .series = i};
    }
    struct sn_batch batch = {
        .series = series, .series_count = count, .samples = samples, .sample_count = count};
    struct sn_push_result result;
    sn_status status = sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL);
    for (unsigned i = 0; i < count; i++)
        sn_buf_release(&bufs[i]);
    free(bufs);
    free(series);
    free(samples);
    return status;
}

/* Whether a fault that a test has armed has happened. */
static bool has_failed(void) {
    return sn_mem_fail_fired() || sn_fault_fired_count() > 0;
}

/* A scan gives the same as a reading of one series, or fails as well. */
static void check_scan(const struct sn_reader *reader, uint64_t id, struct sn_range range,
                       const struct sn_samples *expected, sn_status expected_status) {
    struct sn_samples samples;
    struct sn_scan scan;
    sn_samples_init(&samples);
    if (sn_scan_open(reader, range, &scan, NULL) != SN_OK) {
        assert_true(has_failed());
        return;
    }
    for (int again = 0; again < 2; again++) {
        sn_samples_reset(&samples);
        sn_status status = sn_scan_samples(&scan, id, &samples, NULL);
        assert_true(status == expected_status || has_failed());
        if (status != SN_OK || expected_status != SN_OK)
            continue;
        assert_true(samples.count >= expected->count); /* others may push meanwhile */
        assert_int_equal(samples.has_start, expected->has_start);
        for (size_t i = 0; i < expected->count; i++) {
            assert_int_equal(samples.time_ms[i], expected->time_ms[i]);
            assert_int_equal(sn_double_bits(samples.value[i]), sn_double_bits(expected->value[i]));
            if (samples.has_start)
                assert_int_equal(samples.start_ms[i], expected->start_ms[i]);
        }
    }
    sn_scan_close(&scan);
    sn_samples_release(&samples);
}

bool test_find_series(struct test_store *test, const char *name, unsigned number,
                      uint64_t *ret_id) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    struct sn_matcher matchers[] = {
        {.kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = sn_str_from(name)},
        {.kind = SN_MATCH_EQUAL, .name = SN_STR("n"), .value = sn_str_from(text)}};
    struct sn_select select = {.matchers = matchers, .matcher_count = 2, .range = TEST_ALL_TIME};
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_arena arena;
    struct sn_series_list list = {0};
    sn_arena_init(&arena, 0);
    assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, NULL), SN_OK);
    assert_true(list.count <= 1);
    bool is_found = list.count == 1;
    if (is_found)
        *ret_id = list.items[0].id;
    sn_arena_release(&arena);
    return is_found;
}

sn_status test_try_read(struct test_store *test, const char *name, unsigned number,
                        struct sn_range range, struct sn_samples *samples, struct sn_err *err) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    struct sn_matcher matchers[] = {
        {.kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = sn_str_from(name)},
        {.kind = SN_MATCH_EQUAL, .name = SN_STR("n"), .value = sn_str_from(text)}};
    struct sn_select select = {.matchers = matchers, .matcher_count = 2, .range = range};
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_arena arena;
    struct sn_series_list list = {0};
    sn_arena_init(&arena, 0);
    sn_status status = reader.select(reader.ctx, &select, &arena, &list, err);
    if (status == SN_OK && list.count == 1)
        status = reader.samples(reader.ctx, list.items[0].id, range, samples, err);
    if (list.count == 1 && status != SN_ERR_NO_MEMORY && samples->count > 0 && !test->is_changing)
        check_scan(&reader, list.items[0].id, range, samples, status);
    assert_true(list.count <= 1);
    sn_arena_release(&arena);
    return status;
}

void test_read(struct test_store *test, const char *name, unsigned number, struct sn_range range,
               struct sn_samples *ret_samples) {
    struct sn_err err = {.status = SN_OK};
    sn_samples_init(ret_samples);
    sn_status status = test_try_read(test, name, number, range, ret_samples, &err);
    if (status != SN_OK)
        print_error("read: %s\n", err.text);
    assert_int_equal(status, SN_OK);
}

void test_assert_samples(struct test_store *test, const char *name, unsigned number,
                         const struct test_sample *expected, size_t count) {
    struct sn_samples samples;
    test_read(test, name, number, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(samples.time_ms[i] - TEST_NOW_MS, expected[i].offset_ms);
        assert_int_equal(sn_double_bits(samples.value[i]), sn_double_bits(expected[i].value));
    }
    sn_samples_release(&samples);
}

const char *test_path(const struct test_store *test, const char *relative) {
    static _Thread_local char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", test->dir, relative);
    return path;
}

struct file_search {
    const char *suffix;
    char name[128];
    size_t count;
};

static bool visit_file(void *ctx, const char *name) {
    struct file_search *search = ctx;
    size_t len = strlen(name);
    size_t suffix = strlen(search->suffix);
    if (len >= suffix && strcmp(name + len - suffix, search->suffix) == 0) {
        search->count++;
        (void)snprintf(search->name, sizeof search->name, "%s", name);
    }
    return true;
}

size_t test_count_files(const struct test_store *test, const char *relative) {
    struct file_search search = {.suffix = ""};
    assert_int_equal(sn_os_list_dir(test_path(test, relative), visit_file, &search, NULL), SN_OK);
    return search.count;
}

const char *test_only_file(const struct test_store *test, const char *relative,
                           const char *suffix) {
    static _Thread_local char path[512];
    struct file_search search = {.suffix = suffix};
    assert_int_equal(sn_os_list_dir(test_path(test, relative), visit_file, &search, NULL), SN_OK);
    assert_int_equal(search.count, 1);
    (void)snprintf(path, sizeof path, "%s/%s/%s", test->dir, relative, search.name);
    return path;
}

void test_push_series(struct test_store *test, unsigned number, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++)
        assert_int_equal(
            test_push_one(test, "m", number, TEST_NOW_MS + i * 1000, (double)i * 0.5, NULL), SN_OK);
}

void test_check_series(struct test_store *test, unsigned number, int64_t count) {
    struct sn_samples samples;
    test_read(test, "m", number, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(samples.time_ms[i], TEST_NOW_MS + i * 1000);
        assert_true(samples.value[i] == (double)i * 0.5);
    }
    sn_samples_release(&samples);
}
