/* Classes and groups of errors. */
#include "insight/error_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_class(const struct sn_error_rules *rules, const char *message, const char *type,
                         const char *expected) {
    struct sn_str found = sn_error_class_of(rules, sn_str_from(message), sn_str_from(type));
    if (!sn_str_equal(found, sn_str_from(expected)))
        fail_msg("%s: %.*s", message, SN_STR_ARG(found));
}

static void each_default_class_is_found(void **state) {
    (void)state;
    const struct sn_error_rules none = {NULL, 0};
    assert_class(&none, "FLUX returned 500", "", "FLUX_API_ERROR");
    assert_class(&none, "ControlNet model is not loaded", "", "CONTROLNET_ERROR");
    assert_class(&none, "insufficient credits", "", "CREDIT_ERROR");
    assert_class(&none, "S3 bucket is gone", "", "STORAGE_ERROR");
    assert_class(&none, "request timed out", "", "TIMEOUT_ERROR");
    assert_class(&none, "", "TimeoutError", "TIMEOUT_ERROR");
    assert_class(&none, "ECONNREFUSED", "", "NETWORK_ERROR");
    assert_class(&none, "prompt is required", "", "VALIDATION_ERROR");
    assert_class(&none, "what?", "", "UNKNOWN_ERROR");
    assert_class(&none, "", "", "UNKNOWN_ERROR");
}

static void own_rules_go_first_in_their_order(void **state) {
    (void)state;
    const struct sn_error_rule rules[] = {{SN_STR("GPU_ERROR"), SN_STR("cuda|out of memory")},
                                          {SN_STR("MINE"), SN_STR("timed out")}};
    const struct sn_error_rules own = {rules, 2};
    assert_class(&own, "CUDA: timed out", "", "GPU_ERROR");
    assert_class(&own, "timed out", "", "MINE");
    assert_class(&own, "timeout", "", "TIMEOUT_ERROR");
}

static void assert_group(const char *message, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_error_normalize(sn_str_from(message), &buf);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void what_differs_is_replaced(void **state) {
    (void)state;
    assert_group("job 17 failed after 3.5 s", "job 0 failed after 0 s");
    assert_group("no file \"/tmp/a b\" here", "no file \"...\" here");
    assert_group("user 018bcfe5-687b-7000-8000-00000000000a is gone", "user 0x is gone");
    assert_group("at 0x7fff12345678: bad", "at 0x: bad");
    assert_group("commit deadbeef1 lost", "commit 0x lost");
    assert_group("  two \n lines\t", "two lines");
    assert_group("don't panic", "don't panic");
    assert_group("facade decade", "facade decade");
    assert_group("H264 in mp4", "H0 in mp0");
    assert_group("1,234 items", "0 items");
    assert_group("d\xc3\xa9j\xc3\xa0 \xff", "d\xc3\xa9j\xc3\xa0 \xff");
    assert_group("", "");
}

static void long_messages_are_cut_between_characters(void **state) {
    (void)state;
    char text[SN_ERROR_GROUP_BYTES_MAX + 10];
    struct sn_buf buf;
    memset(text, 'x', sizeof text);
    memcpy(text + SN_ERROR_GROUP_BYTES_MAX - 1, "\xc3\xa9", 2);
    sn_buf_init(&buf, 0);
    sn_error_normalize(sn_str_make(text, sizeof text), &buf);
    assert_int_equal(buf.len, SN_ERROR_GROUP_BYTES_MAX - 1);
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_default_class_is_found),
        cmocka_unit_test(own_rules_go_first_in_their_order),
        cmocka_unit_test(what_differs_is_replaced),
        cmocka_unit_test(long_messages_are_cut_between_characters),
    };
    return cmocka_run_group_tests_name("error_class", tests, NULL, NULL);
}
