/*
 * Golden datagrams of syslog and journald.
 */
#include "log_support.h"

static const struct sn_log_identity identity = {
    .program = {"shop app", 8}, .host = {"box", 3}, .pid = 4711, .facility = 16};

static uint8_t space[SONDE_LOG_RECORD_BYTES_MAX] __attribute__((aligned(8)));

static struct sn_log_view view_of(const char *message, const sonde_field *fields, size_t count) {
    struct sn_log_view view;
    const sonde_log_line line = {.message = message,
                                 .message_len = strlen(message),
                                 .fields = fields,
                                 .field_count = count,
                                 .level = SONDE_LEVEL_ERROR,
                                 .suppressed = 7};
    size_t size = sn_log_record_size(&line);
    assert_true(size <= sizeof space);
    memset(space, 0, sizeof space);
    sn_log_record_put((struct sn_log_record *)(void *)space, size, &line);
    assert_true(sn_log_record_view(space, size, &view));
    view.time_ns = LOG_TIME_MS * 1000000;
    view.logger = SN_STR("a.b");
    return view;
}

static void syslog_is_rfc_5424(void **state) {
    (void)state;
    struct sn_buf buf = {.len = 0};
    const sonde_field fields[] = {SONDE_STR("user", "a]b\"c\\d"), SONDE_I64("n n=]", 3),
                                  SONDE_ERROR("err", "io", "bad", 5)};
    struct sn_log_view view = view_of("two\nlines", fields, 3);
    sn_log_format_syslog(&view, &identity, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr,
                        "<131>1 " LOG_TIME_6 " box shop_app 4711 a.b "
                        "[fields@32473 user=\"a\\]b\\\"c\\\\d\" n_n__=\"3\" err.class=\"io\" "
                        "err.message=\"bad\" err.code=\"5\" suppressed=\"7\"] two\\nlines");
    sn_buf_release(&buf);
}

static void syslog_without_fields_has_a_dash(void **state) {
    (void)state;
    struct sn_buf buf = {.len = 0};
    struct sn_log_view view = view_of("m", NULL, 0);
    view.suppressed = 0;
    view.level = SONDE_LEVEL_DEBUG;
    view.logger = SN_STR("");
    sn_log_format_syslog(&view, &(struct sn_log_identity){.pid = 1, .facility = 1}, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, "<15>1 " LOG_TIME_6 " - - 1 - - m");
    sn_buf_release(&buf);
}

static void journald_has_lengths_around_foreign_text(void **state) {
    (void)state;
    struct sn_buf buf = {.len = 0};
    const sonde_field fields[] = {SONDE_STR("user-id", "x\nPRIORITY=0"), SONDE_I64("priority", 3),
                                  SONDE_U64("_pid", 1), SONDE_U64("9lives", 9),
                                  SONDE_STR("syslog_facility", "0")};
    struct sn_log_view view = view_of("two\nlines", fields, 5);
    sn_log_format_journald(&view, &identity, &buf);
    static const char expected[] =
        "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY=3\nSONDE_TIME=" LOG_TIME_9 "\n"
        "SYSLOG_IDENTIFIER\n\x08\0\0\0\0\0\0\0shop app\n"
        "SONDE_LOGGER\n\x03\0\0\0\0\0\0\0"
        "a.b\n"
        "USER_ID\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\n"
        "PRIORITY_\n\x01\0\0\0\0\0\0\0"
        "3\n"
        "X_PID\n\x01\0\0\0\0\0\0\0"
        "1\n"
        "X9LIVES\n\x01\0\0\0\0\0\0\0"
        "9\n"
        "SYSLOG_FACILITY_\n\x01\0\0\0\0\0\0\0"
        "0\n"
        "SUPPRESSED=7\n";
    assert_int_equal(buf.len, sizeof expected - 1);
    assert_memory_equal(buf.ptr, expected, sizeof expected - 1);
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syslog_is_rfc_5424),
        cmocka_unit_test(syslog_without_fields_has_a_dash),
        cmocka_unit_test(journald_has_lengths_around_foreign_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
