/* The doors: reject names, waiting for a sink that answers at once, later, or not at all. */
#include "model/doors.h"

#include "base/lock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fake_sink {
    sn_status push_status;
    sn_status done_status;
    bool is_answering_later;
    struct sn_push_done done;
    struct sn_thread thread;
};

static void answer(void *ctx) {
    struct fake_sink *fake = ctx;
    struct sn_err err = {.status = SN_OK};
    if (fake->done_status != SN_OK) {
        (void)sn_err_set(&err, fake->done_status, "the disk said no");
    }
    fake->done.fn(fake->done.ctx, fake->done_status, &err);
}

static sn_status fake_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct fake_sink *fake = ctx;
    if (fake->push_status != SN_OK) {
        return sn_err_set(err, fake->push_status, "the queue is full");
    }
    fake->done = done;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    if (!fake->is_answering_later) {
        answer(fake);
        return SN_OK;
    }
    return sn_thread_start(&fake->thread, "answer", answer, fake, err);
}

static sn_status push_wait(struct fake_sink *fake, struct sn_push_result *result,
                           struct sn_err *err) {
    struct sn_sink sink = {.ctx = fake, .push = fake_push};
    struct sn_batch batch = {.sample_count = 3};
    sn_status status = sn_sink_push_wait(sink, &batch, result, err);
    sn_thread_join(&fake->thread);
    return status;
}

static void a_batch_that_is_durable_at_once_or_later_is_ok(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct fake_sink fake = {.is_answering_later = later != 0};
        struct sn_push_result result = {.accepted_count = 0};
        assert_int_equal(push_wait(&fake, &result, NULL), SN_OK);
        assert_int_equal(result.accepted_count, 3);
    }
}

static void a_failure_of_done_is_returned_and_writes_no_result(void **state) {
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct fake_sink fake = {.is_answering_later = later != 0, .done_status = SN_ERR_IO};
        struct sn_push_result result = {.accepted_count = 77};
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(push_wait(&fake, &result, &err), SN_ERR_IO);
        assert_string_equal(err.text, "the disk said no");
        assert_int_equal(result.accepted_count, 77);
    }
}

static void a_batch_that_is_not_taken_returns_the_reason_of_push(void **state) {
    (void)state;
    struct fake_sink fake = {.push_status = SN_ERR_BUSY};
    struct sn_push_result result = {.accepted_count = 77};
    struct sn_err err = {.status = SN_OK};
    int64_t blocks = sn_mem_block_count();
    assert_int_equal(push_wait(&fake, &result, &err), SN_ERR_BUSY);
    assert_string_equal(err.text, "the queue is full");
    assert_int_equal(result.accepted_count, 77);
    assert_int_equal(sn_mem_block_count(), blocks);
}

static void no_memory_to_wait_pushes_nothing(void **state) {
    (void)state;
    struct fake_sink fake = {.push_status = SN_OK};
    struct sn_push_result result;
    sn_mem_fail_nth(1);
    sn_status status = push_wait(&fake, &result, NULL);
    bool has_failed = sn_mem_fail_fired() != 0;
    sn_mem_fail_nth(0);
    if (has_failed) {
        assert_int_equal(status, SN_ERR_NO_MEMORY);
        assert_null(fake.done.fn);
    }
}

static void every_reject_reason_has_a_name(void **state) {
    (void)state;
    static const char *const names[] = {"out_of_order", "duplicate",   "too_old",    "too_new",
                                        "series_limit", "unsupported", "label_limit"};
    _Static_assert(sizeof names / sizeof names[0] == SN_REJECT_COUNT, "one name per reason");
    for (int i = 0; i < SN_REJECT_COUNT; i++) {
        assert_string_equal(sn_reject_name((enum sn_reject)i), names[i]);
    }
}

static sn_status count_samples(void *ctx, uint64_t series_id, struct sn_range range,
                               struct sn_samples *samples, struct sn_err *err) {
    (void)err;
    assert_int_equal(range.start_ms, 5);
    assert_int_equal(range.end_ms, 9);
    assert_true(samples->count == 0);
    *(uint64_t *)ctx += series_id;
    return series_id == 4 ? SN_ERR_IO : SN_OK;
}

static void a_reader_without_a_scan_is_asked_series_by_series(void **state) {
    (void)state;
    uint64_t sum = 0;
    struct sn_reader reader = {.ctx = &sum, .samples = count_samples};
    struct sn_samples samples;
    struct sn_scan scan;
    sn_samples_init(&samples);
    assert_int_equal(sn_scan_open(&reader, (struct sn_range){5, 9}, &scan, NULL), SN_OK);
    assert_int_equal(sn_scan_samples(&scan, 3, &samples, NULL), SN_OK);
    assert_int_equal(sn_scan_samples(&scan, 4, &samples, NULL), SN_ERR_IO);
    bool has = true;
    assert_int_equal(sn_scan_has(&scan, 3, &samples, &has, NULL), SN_OK);
    assert_false(has);
    assert_int_equal(sn_scan_has(&scan, 4, &samples, &has, NULL), SN_ERR_IO);
    assert_int_equal(sum, 14);
    sn_scan_close(&scan);
    sn_scan_close(&scan);
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_without_a_scan_is_asked_series_by_series),
        cmocka_unit_test(a_batch_that_is_durable_at_once_or_later_is_ok),
        cmocka_unit_test(a_failure_of_done_is_returned_and_writes_no_result),
        cmocka_unit_test(a_batch_that_is_not_taken_returns_the_reason_of_push),
        cmocka_unit_test(no_memory_to_wait_pushes_nothing),
        cmocka_unit_test(every_reject_reason_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
