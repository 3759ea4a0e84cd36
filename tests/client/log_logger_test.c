/*
 * Tests of loggers: the tree of names, levels that are inherited and set at run time, sinks of a
 * component, limits.
 */
#include "log_support.h"

#include "base/mem.h"

static void a_name_is_one_logger(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *http = sonde_logger_get(f->log, "shop.http");
    assert_ptr_equal(http, sonde_logger_get(f->log, "shop.http"));
    assert_ptr_equal(http, sonde_logger_child(sonde_logger_get(f->log, "shop"), "http"));
    assert_ptr_equal(sonde_logger_get(f->log, NULL), sonde_logger_get(f->log, ""));
    assert_ptr_equal(sonde_logger_child(sonde_logger_get(f->log, ""), "shop"),
                     sonde_logger_get(f->log, "shop"));
    assert_string_equal(sonde_logger_name(http), "shop.http");
}

static void levels_are_inherited_and_set_at_run_time(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *root = sonde_logger_get(f->log, "");
    sonde_logger *b = sonde_logger_get(f->log, "a.b");
    sonde_logger *a = sonde_logger_get(f->log, "a");
    assert_int_equal(sonde_logger_level(b), SONDE_LEVEL_DEBUG);
    sonde_logger_set_level(a, SONDE_LEVEL_WARN);
    assert_int_equal(sonde_logger_level(b), SONDE_LEVEL_WARN);
    assert_int_equal(sonde_logger_level(sonde_logger_get(f->log, "a.c")), SONDE_LEVEL_WARN);
    sonde_logger_set_level(b, SONDE_LEVEL_ERROR);
    sonde_logger_set_level(a, SONDE_LEVEL_DEFAULT);
    assert_int_equal(sonde_logger_level(a), SONDE_LEVEL_DEBUG);
    assert_int_equal(sonde_logger_level(b), SONDE_LEVEL_ERROR);
    SONDE_LOG_WARN(b, "no");
    SONDE_LOG_ERROR(b, "yes");
    sonde_logger_set_level(b, SONDE_LEVEL_OFF);
    SONDE_LOG_ERROR(b, "no");
    SONDE_LOG_DEBUG(root, "yes");
    sonde_logger_set_level(root, SONDE_LEVEL_DEFAULT);
    SONDE_LOG_DEBUG(root, "no: the default is info");
    assert_string_equal(log_lines(f), LOG_TIME_3 " ERROR a.b: yes\n" LOG_TIME_3 " DEBUG yes\n");
}

static void wrong_names_give_the_nearest_logger_above(void **state) {
    struct log_fixture *f = *state;
    static char longer[SONDE_LOG_NAME_BYTES_MAX + 2];
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *root = sonde_logger_get(f->log, "");
    const char *const wrong[] = {".", "a.", ".a", "a..b", "a\nb", "\xff", "\x7f"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_ptr_equal(sonde_logger_get(f->log, wrong[i]), root);
        assert_ptr_equal(sonde_logger_child(root, wrong[i]), root);
    }
    memset(longer, 'x', SONDE_LOG_NAME_BYTES_MAX);
    sonde_logger *longest = sonde_logger_get(f->log, longer);
    assert_int_equal(strlen(sonde_logger_name(longest)), SONDE_LOG_NAME_BYTES_MAX);
    assert_ptr_equal(sonde_logger_child(longest, "x"), longest);
    longer[SONDE_LOG_NAME_BYTES_MAX] = 'x';
    assert_ptr_equal(sonde_logger_get(f->log, longer), root);
}

static void loggers_have_a_limit(void **state) {
    struct log_fixture *f = *state;
    char name[32];
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *root = sonde_logger_get(f->log, "");
    for (int i = 0; i < SONDE_LOG_LOGGERS_MAX - 1; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        assert_ptr_not_equal(sonde_logger_get(f->log, name), root);
    }
    assert_ptr_equal(sonde_logger_get(f->log, "more"), root);
    assert_ptr_equal(sonde_logger_get(f->log, "n0.x"), sonde_logger_get(f->log, "n0"));
}

static void without_memory_the_logger_above_does(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *a = sonde_logger_get(f->log, "a");
#ifdef SN_FAULTS
    sn_mem_fail_nth(1);
    assert_ptr_equal(sonde_logger_get(f->log, "a.b.c"), a);
    sn_mem_fail_nth(0);
#endif
    assert_string_equal(sonde_logger_name(sonde_logger_get(f->log, "a.b.c")), "a.b.c");
    assert_non_null(a);
}

static void a_sink_can_be_for_one_component(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = log_callback_sink(f, SONDE_LOG_FORMAT_CONSOLE);
    sink.component = "net";
    sink.level_min = SONDE_LEVEL_WARN;
    log_open_sink(f, &sink);
    SONDE_LOG_WARN(sonde_logger_get(f->log, ""), "no");
    SONDE_LOG_WARN(sonde_logger_get(f->log, "network"), "no");
    SONDE_LOG_WARN(sonde_logger_get(f->log, "net"), "yes");
    SONDE_LOG_WARN(sonde_logger_get(f->log, "net.http"), "yes");
    SONDE_LOG_INFO(sonde_logger_get(f->log, "net.http"), "no");
    assert_string_equal(log_lines(f),
                        LOG_TIME_3 " WARN  net: yes\n" LOG_TIME_3 " WARN  net.http: yes\n");
}

static void without_a_log_lines_are_counted(void **state) {
    (void)state;
    sonde_logger *logger = sonde_logger_get(NULL, "x");
    uint64_t before = sonde_log_dropped_count(NULL);
    SONDE_LOG_INFO(logger, "one");
    SONDE_LOG_INFO((sonde_logger *)NULL, "two", SONDE_I64("n", 1));
    SONDE_LOG_INFO(sonde_logger_child(logger, "y"), "three");
    SONDE_LOG_INFO(sonde_logger_child(NULL, "y"), "four");
    sonde_logger_set_level(logger, SONDE_LEVEL_OFF);
    sonde_logger_set_level(NULL, SONDE_LEVEL_OFF);
    assert_int_equal(sonde_log_dropped_count(NULL) - before, 4);
    assert_string_equal(sonde_logger_name(NULL), "");
    assert_true(sonde_log_flush(NULL, 0) && sonde_log_close(NULL, 0));
    assert_null(sonde_log_free(NULL));
    sonde_log_reopen(NULL);
    assert_int_equal(sonde_log_resume(NULL, NULL), SONDE_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_one_logger, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(levels_are_inherited_and_set_at_run_time, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(wrong_names_give_the_nearest_logger_above, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(loggers_have_a_limit, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(without_memory_the_logger_above_does, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_sink_can_be_for_one_component, log_setup, log_teardown),
        cmocka_unit_test(without_a_log_lines_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
