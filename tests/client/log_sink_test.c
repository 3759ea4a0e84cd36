/*
 * Tests of what sinks share: options that are refused, a host's function that refuses lines,
 * several sinks at once, stderr.
 */
#include "log_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <fcntl.h>
#include <unistd.h>

static void options_that_make_no_sense_are_refused(void **state) {
    (void)state;
    const sonde_log_sink wrong[] = {
        {.type = (sonde_log_sink_type)99},
        {.type = SONDE_SINK_FILE},
        {.type = SONDE_SINK_CALLBACK},
        {.format = (sonde_log_format)9},
        {.level_min = (sonde_level)9},
        {.type = SONDE_SINK_SYSLOG, .facility = 24},
        {.type = SONDE_SINK_FILE, .path = "/dev/null", .rotate_count = 1001},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sonde_error error = {.status = SONDE_OK};
        int64_t before = sn_mem_block_count();
        assert_null(
            sonde_log_open(&(sonde_log_options){.sinks = &wrong[i], .sink_count = 1}, &error));
        assert_int_equal(error.status, SONDE_ERR_INVALID);
        assert_true(error.text[0] != '\0');
        assert_int_equal(sn_mem_block_count(), before);
    }
}

static void lines_that_the_host_refuses_are_counted_and_told(void **state) {
    struct log_fixture *f = *state;
    log_open_callback(f, SONDE_LOG_FORMAT_CONSOLE);
    sonde_logger *logger = sonde_logger_get(f->log, NULL);
    f->refuse = 1;
    SONDE_LOG_INFO(logger, "a");
    SONDE_LOG_INFO(logger, "b");
    assert_string_equal(log_lines(f), "");
    assert_int_equal(sonde_log_dropped_count(f->log), 2);
    f->refuse = 0;
    SONDE_LOG_INFO(logger, "c");
    assert_string_equal(log_lines(f),
                        LOG_TIME_3 " WARN  sonde.log: lines are missing here missing=2\n" LOG_TIME_3
                                   " INFO  c\n");
    assert_int_equal(sonde_log_dropped_count(f->log), 2);
}

static void every_sink_has_its_format_and_level(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sinks[2] = {log_callback_sink(f, SONDE_LOG_FORMAT_CONSOLE),
                               {.type = SONDE_SINK_FILE,
                                .format = SONDE_LOG_FORMAT_LOGFMT,
                                .path = log_path(f, "log"),
                                .level_min = SONDE_LEVEL_ERROR}};
    log_open_options(f, &(sonde_log_options){.sinks = sinks, .sink_count = 2});
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "a");
    SONDE_LOG_ERROR(sonde_logger_get(f->log, NULL), "b");
    assert_string_equal(log_lines(f), LOG_TIME_3 " INFO  a\n" LOG_TIME_3 " ERROR b\n");
    assert_string_equal(log_file_text(f, "log"), "ts=" LOG_TIME_6 " level=error msg=b\n");
}

static int keep_entry(void *ctx, const sonde_log_entry *entry) {
    *(sonde_log_entry *)ctx = *entry;
    ((sonde_log_entry *)ctx)->logger = NULL; /* borrowed */
    assert_string_equal(entry->logger, "a.b");
    assert_int_equal(entry->text[entry->len - 1], '\n');
    return 0;
}

static void an_entry_says_when_who_and_how_serious(void **state) {
    struct log_fixture *f = *state;
    sonde_log_entry entry = {.len = 0};
    const sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = keep_entry, .ctx = &entry};
    log_open_sink(f, &sink);
    SONDE_LOG_WARN(sonde_logger_get(f->log, "a.b"), "x");
    assert_true(sonde_log_flush(f->log, 1000));
    assert_int_equal(entry.level, SONDE_LEVEL_WARN);
    assert_int_equal(entry.time_ns, LOG_TIME_MS * 1000000);
    assert_true(entry.len > 0);
}

/* With stderr turned into a file, which is no terminal. */
static void stderr_is_the_default_and_without_color_in_a_file(void **state) {
    struct log_fixture *f = *state;
    int fd = open(log_path(f, "stderr"), O_WRONLY | O_CREAT, 0600);
    int before = dup(STDERR_FILENO);
    assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    f->log = sn_log_system_open(NULL, &f->clock.clock, false, NULL);
    SONDE_LOG_DEBUG(sonde_logger_get(f->log, NULL), "no");
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "yes");
    assert_true(sonde_log_flush(f->log, 1000));
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    (void)close(fd);
    assert_string_equal(log_file_text(f, "stderr"), LOG_TIME_3 " INFO  yes\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test_setup_teardown(lines_that_the_host_refuses_are_counted_and_told, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(every_sink_has_its_format_and_level, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(an_entry_says_when_who_and_how_serious, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(stderr_is_the_default_and_without_color_in_a_file,
                                        log_setup, log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
