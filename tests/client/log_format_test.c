/*
 * Golden lines of the three formats, and what hostile text becomes in them.
 */
#include "log_support.h"

#include <math.h>

static void log_everything(sonde_logger *logger) {
    SONDE_LOG_WARN(logger, "it happened", SONDE_STR("user", "ada l"), SONDE_TEXT("id", "x7y", 2),
                   SONDE_I64("i", INT64_MIN), SONDE_U64("u", UINT64_MAX), SONDE_F64("f", 0.25),
                   SONDE_BOOL("yes", true), SONDE_BOOL("no", false),
                   SONDE_DURATION("took", 1500000), SONDE_TIME("at", INT64_C(1500000000000000001)),
                   SONDE_STR("none", NULL), SONDE_ERROR("error", "io", "disk \"full\"", 28));
}

static void json_has_typed_values(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    log_everything(sonde_logger_get(f->log, "a.b"));
    assert_string_equal(
        log_lines(f),
        "{\"ts\":\"" LOG_TIME_6 "\",\"level\":\"warn\",\"logger\":\"a.b\",\"msg\":\"it happened\","
        "\"user\":\"ada l\",\"id\":\"x7\",\"i\":-9223372036854775808,\"u\":18446744073709551615,"
        "\"f\":0.25,\"yes\":true,\"no\":false,\"took\":0.0015,"
        "\"at\":\"2017-07-14T02:40:00.000000001Z\",\"none\":null,"
        "\"error\":{\"class\":\"io\",\"message\":\"disk \\\"full\\\"\",\"code\":28}}\n");
}

static void logfmt_has_words_and_quotes(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    log_everything(sonde_logger_get(f->log, "a.b"));
    assert_string_equal(
        log_lines(f),
        "ts=" LOG_TIME_6 " level=warn logger=a.b msg=\"it happened\" user=\"ada l\" id=x7 "
        "i=-9223372036854775808 u=18446744073709551615 f=0.25 yes=true no=false took=0.0015s "
        "at=2017-07-14T02:40:00.000000001Z none=null error.class=io "
        "error.message=\"disk \\\"full\\\"\" error.code=28\n");
}

static void console_is_for_people(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    log_everything(sonde_logger_get(f->log, "a.b"));
    assert_string_equal(log_lines(f), LOG_TIME_3
                        " WARN  a.b: it happened user=\"ada l\" id=x7 "
                        "i=-9223372036854775808 u=18446744073709551615 f=0.25 yes=true "
                        "no=false took=1.5ms at=2017-07-14T02:40:00.000000001Z none=null "
                        "error=io: \"disk \\\"full\\\"\" (28)\n");
}

static void every_level_has_its_word(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *root = sonde_logger_get(f->log, NULL);
    SONDE_LOG_DEBUG(root, "a");
    SONDE_LOG_INFO(root, "b");
    SONDE_LOG_WARN(root, "c");
    SONDE_LOG_ERROR(root, "d");
    assert_string_equal(log_lines(f), LOG_TIME_3 " DEBUG a\n" LOG_TIME_3 " INFO  b\n" LOG_TIME_3
                                                 " WARN  c\n" LOG_TIME_3 " ERROR d\n");
}

static void colors_are_around_level_and_keys(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = log_callback_sink(f, SONDE_LOG_FORMAT_CONSOLE);
    sink.color = SONDE_LOG_COLOR_ALWAYS;
    log_open_sink(f, &sink);
    SONDE_LOG_ERROR(sonde_logger_get(f->log, NULL), "d", SONDE_I64("n", 1));
    assert_string_equal(log_lines(f), LOG_TIME_3 " \033[31mERROR\033[0m d \033[36mn\033[0m=1\n");
}

static void durations_have_the_unit_that_fits(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "d", SONDE_DURATION("a", 0),
                   SONDE_DURATION("b", 999), SONDE_DURATION("c", -1500),
                   SONDE_DURATION("d", 61500000000), SONDE_DURATION("e", INT64_MIN));
    assert_string_equal(log_lines(f),
                        LOG_TIME_3 " INFO  d a=0ns b=999ns c=-1.5us d=61.5s e=-9223372036.854s\n");
}

/* Whatever stands in message, key and value: one line, and in JSON the same text again. */
static void hostile_text_forges_nothing(void **state) {
    struct log_fixture *f = *state;
    static const char evil[] = "a\nb\r\t\"q\" \\ \x1b[31m \x7f \xc2\x9b \xff\xfe\xe2\x82 =]";
    const sonde_log_format formats[] = {SONDE_LOG_FORMAT_JSON, SONDE_LOG_FORMAT_LOGFMT,
                                        SONDE_LOG_FORMAT_CONSOLE};
    for (size_t i = 0; i < 3; i++) {
        log_open_callback(f, formats[i]);
        const sonde_field fields[] = {
            sonde_field_text(evil, sizeof evil - 1, evil, sizeof evil - 1),
            sonde_field_error(evil, 3, evil, evil, -1),
            sonde_field_text("", 0, "", 0),
        };
        sonde_log_write(sonde_logger_get(f->log, "x"), SONDE_LEVEL_INFO, evil, fields, 3);
        const char *line = log_lines(f);
        assert_int_equal(log_count_char(line, '\n'), 1);
        assert_null(strchr(line, '\033'));
        assert_true(sn_str_is_utf8(sn_str_from(line)));
        if (formats[i] != SONDE_LOG_FORMAT_JSON) {
            assert_null(strchr(line, '\x7f'));
            assert_null(strstr(line, "\xc2\x9b"));
        }
        f->log = sonde_log_free(f->log);
    }
}

static void fields_cannot_take_our_names(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "m", SONDE_STR("level", "error"),
                   SONDE_I64("ts", 0), SONDE_I64("suppressed", 1), SONDE_I64("levels", 2));
    assert_string_equal(log_lines(f), "{\"ts\":\"" LOG_TIME_6 "\",\"level\":\"info\",\"msg\":\"m\","
                                      "\"level_\":\"error\",\"ts_\":0,\"suppressed_\":1,"
                                      "\"levels\":2}\n");
}

static void numbers_that_json_has_not_are_text(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "m", SONDE_F64("a", (double)NAN),
                   SONDE_F64("b", -(double)INFINITY));
    assert_non_null(strstr(log_lines(f), "\"a\":\"NaN\",\"b\":\"-Inf\""));
}

static void the_largest_line_of_the_worst_text_is_written_whole(void **state) {
    struct log_fixture *f = *state;
    static char text[20000];
    memset(text, 1, sizeof text);
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    const sonde_field fields[] = {sonde_field_text("v", 1, text, sizeof text)};
    sonde_log_line line = {.message = text,
                           .message_len = sizeof text,
                           .fields = fields,
                           .field_count = 1,
                           .level = SONDE_LEVEL_INFO};
    sonde_log_submit(sonde_logger_get(f->log, NULL), &line);
    const char *json = log_lines(f);
    assert_true(strlen(json) > 6 * 16000);
    assert_non_null(strstr(json, ",\"truncated\":2"));
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_has_typed_values, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(logfmt_has_words_and_quotes, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(console_is_for_people, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(every_level_has_its_word, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(colors_are_around_level_and_keys, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(durations_have_the_unit_that_fits, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(hostile_text_forges_nothing, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(fields_cannot_take_our_names, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(numbers_that_json_has_not_are_text, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(the_largest_line_of_the_worst_text_is_written_whole,
                                        log_setup, log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
