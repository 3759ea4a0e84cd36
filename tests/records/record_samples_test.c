/* Records as samples: names, labels, counts, times. */
#include "records/record_samples.h"
#include "records_support.h"

#include "base/mem.h"

#include <stdio.h>

struct test_samples {
    struct sn_sample_times times;
    struct sn_batch_builder builder;
    struct sn_buf text;
};

static const char *samples_of(struct test_samples *test, const struct sn_record *records,
                              size_t count) {
    sn_batch_builder_reset(&test->builder);
    sn_buf_reset(&test->text);
    assert_int_equal(sn_record_samples_add(&test->times, records, count, &test->builder, NULL),
                     SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&test->builder);
    for (size_t i = 0; i < batch.sample_count; i++) {
        struct sn_arena arena;
        struct sn_labels labels;
        sn_arena_init(&arena, 0);
        assert_int_equal(
            sn_labels_decode(batch.series[batch.samples[i].series].labels, &arena, &labels, NULL),
            SN_OK);
        sn_labels_format(labels, &test->text);
        sn_buf_printf(&test->text, " %lld @%lld\n", (long long)batch.samples[i].value,
                      (long long)(batch.samples[i].time_ms - TEST_NOW_MS));
        sn_arena_release(&arena);
    }
    sn_buf_put_byte(&test->text, '\0');
    return (const char *)test->text.ptr;
}

static int set_up(void **state) {
    struct test_samples *test = test_malloc(sizeof *test);
    sn_sample_times_init(&test->times, 1);
    sn_batch_builder_init(&test->builder, 0);
    sn_buf_init(&test->text, 0);
    *state = test;
    return 0;
}

static int tear_down(void **state) {
    struct test_samples *test = *state;
    sn_sample_times_release(&test->times);
    sn_batch_builder_release(&test->builder);
    sn_buf_release(&test->text);
    test_free(test);
    return 0;
}

static void a_record_is_a_sample_of_its_name(void **state) {
    struct sn_record record = test_record("download", 5, 7);
    assert_string_equal(samples_of(*state, &record, 1),
                        "download{metric_type=\"t\",service=\"s\"} 7 @5\n");
    record = test_record("2nd-try é", 5, 7);
    record.service = SN_STR("");
    assert_string_equal(samples_of(*state, &record, 1), "_2nd_try___{metric_type=\"t\"} 7 @5\n");
}

static void a_success_rate_is_two_counts(void **state) {
    struct sn_record record = test_record("upload", 0, 0.5);
    record.metric_type = SN_STR("success_rate");
    record.has_counts = true;
    record.ok_count = 1;
    record.total_count = 2;
    assert_string_equal(samples_of(*state, &record, 1),
                        "upload_succeeded{metric_type=\"success_rate\",service=\"s\"} 1 @0\n"
                        "upload_attempted{metric_type=\"success_rate\",service=\"s\"} 2 @0\n");
}

static void records_of_one_time_get_the_next_milliseconds(void **state) {
    struct sn_record records[] = {test_record("a", 0, 1), test_record("a", 0, 2),
                                  test_record("b", 0, 3), test_record("a", 0, 4)};
    assert_string_equal(samples_of(*state, records, 4),
                        "a{metric_type=\"t\",service=\"s\"} 1 @0\n"
                        "a{metric_type=\"t\",service=\"s\"} 2 @1\n"
                        "b{metric_type=\"t\",service=\"s\"} 3 @0\n"
                        "a{metric_type=\"t\",service=\"s\"} 4 @2\n");
    /* The times that were given away are taken, too; older and newer ones stay what they are. */
    struct sn_record later[] = {test_record("a", 1, 5), test_record("a", 9, 6),
                                test_record("a", -5, 7)};
    assert_string_equal(samples_of(*state, later, 3), "a{metric_type=\"t\",service=\"s\"} 5 @3\n"
                                                      "a{metric_type=\"t\",service=\"s\"} 6 @9\n"
                                                      "a{metric_type=\"t\",service=\"s\"} 7 @-5\n");
}

static void times_run_ahead_only_so_far(void **state) {
    struct sn_record record = test_record("a", 0, 1);
    const char *text = "";
    for (int i = 0; i <= SN_SAMPLE_AHEAD_MS; i++)
        text = samples_of(*state, &record, 1);
    assert_string_equal(text, "a{metric_type=\"t\",service=\"s\"} 1 @1000\n");
    assert_string_equal(samples_of(*state, &record, 1),
                        "a{metric_type=\"t\",service=\"s\"} 1 @0\n");
}

static void a_failed_allocation_is_reported(void **state) {
    struct test_samples *test = *state;
    struct sn_record record = test_record("a", 0, 1);
    sn_mem_fail_nth(1);
    sn_status status = sn_record_samples_add(&test->times, &record, 1, &test->builder, NULL);
    assert_true(sn_mem_fail_fired());
    sn_mem_fail_nth(0);
    assert_int_equal(status, SN_ERR_NO_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_is_a_sample_of_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_success_rate_is_two_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_of_one_time_get_the_next_milliseconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(times_run_ahead_only_so_far, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_allocation_is_reported, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("record_samples", tests, NULL, NULL);
}
