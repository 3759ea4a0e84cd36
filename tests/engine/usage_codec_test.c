/* Summaries of hours as bytes. */
#include "engine/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sn_usage *make(void) {
    static const struct sn_app_event_item item = {SN_STR("k"), SN_STR("i"), SN_STR("n"),
                                                  SN_STR("c"), 2};
    struct sn_usage *usage = sn_usage_new();
    assert_non_null(usage);
    for (int i = 0; i < 100; i++) {
        char user[2] = {(char)('a' + i % 7), '\0'};
        struct sn_app_event event = {.user_id = sn_str_from(user),
                                     .time_ms = 1700000000000 + i,
                                     .has_duration = true,
                                     .duration_ms = i,
                                     .quantity = 1.5,
                                     .credits = i % 2 == 0 ? 1 : -1,
                                     .items = &item,
                                     .item_count = 1};
        if (i % 10 == 0) {
            event.outcome = SN_OUTCOME_ERROR;
            event.error_class = SN_STR("C");
            event.error_message = SN_STR("bad");
        }
        assert_int_equal(sn_usage_add(usage, &event), SN_OK);
    }
    return usage;
}

static void bytes_give_back_the_summary_and_add_up(void **state) {
    (void)state;
    struct sn_usage *usage = make(), *sum = sn_usage_new();
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    usage->users.bound = 5;
    sn_usage_encode(usage, &buf);
    assert_int_equal(sn_usage_decode_add(sum, sn_buf_str(&buf), NULL), SN_OK);
    assert_memory_equal(&sum->totals, &usage->totals, sizeof sum->totals);
    assert_memory_equal(sum->durations, usage->durations, sizeof sum->durations);
    assert_int_equal(sum->users.bound, 5);
    assert_int_equal(sum->users.count, 7);
    assert_int_equal(sum->errors.entries[0].first_ms, 1700000000000);
    assert_int_equal(sum->errors.entries[0].last_ms, 1700000000090);
    assert_true(sn_str_equal(sum->errors.entries[0].note, SN_STR("bad")));
    assert_int_equal(sn_usage_decode_add(sum, sn_buf_str(&buf), NULL), SN_OK);
    assert_int_equal(sum->totals.event_count, 200);
    assert_int_equal(sum->items.entries[0].count, 400);
    assert_int_equal(sum->users.bound, 10);
    sn_buf_release(&buf);
    (void)sn_usage_free(usage);
    (void)sn_usage_free(sum);
}

static void damaged_bytes_are_corrupt(void **state) {
    (void)state;
    struct sn_usage *usage = make();
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_usage_encode(usage, &buf);
    for (size_t len = 0; len < buf.len; len++) {
        struct sn_usage *sum = sn_usage_new();
        assert_int_equal(sn_usage_decode_add(sum, sn_str_make(buf.ptr, len), NULL), SN_ERR_CORRUPT);
        (void)sn_usage_free(sum);
    }
    sn_buf_put_byte(&buf, 0);
    struct sn_usage *sum = sn_usage_new();
    assert_int_equal(sn_usage_decode_add(sum, sn_buf_str(&buf), NULL), SN_ERR_CORRUPT);
    buf.ptr[0] = 2;
    assert_int_equal(sn_usage_decode_add(sum, sn_buf_str(&buf), NULL), SN_ERR_UNSUPPORTED);
    (void)sn_usage_free(sum);
    sn_buf_release(&buf);
    (void)sn_usage_free(usage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_give_back_the_summary_and_add_up),
        cmocka_unit_test(damaged_bytes_are_corrupt),
    };
    return cmocka_run_group_tests_name("usage_codec", tests, NULL, NULL);
}
