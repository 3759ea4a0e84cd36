/*
 * Tests of file sinks: rotation by size and count, reopening, a disk that is full and empties.
 */
#include "log_support.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line of exactly 100 bytes: 31 before the message, and '\n'. */
#define LINE_BYTES 100
static void log_100(struct log_fixture *f, char letter) {
    char message[LINE_BYTES - 32];
    memset(message, letter, sizeof message);
    sonde_log_line line = {
        .message = message, .message_len = sizeof message, .level = SONDE_LEVEL_INFO};
    sonde_log_submit(sonde_logger_get(f->log, NULL), &line);
}

static sonde_log_sink file_sink(struct log_fixture *f) {
    return (sonde_log_sink){
        .type = SONDE_SINK_FILE, .format = SONDE_LOG_FORMAT_CONSOLE, .path = log_path(f, "log")};
}

static void flush(struct log_fixture *f) {
    assert_true(sonde_log_flush(f->log, 1000));
}

static void lines_are_appended_to_what_was_there(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    sink.format = SONDE_LOG_FORMAT_DEFAULT;
    for (int i = 0; i < 2; i++) {
        log_open_sink(f, &sink);
        SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "m");
        f->log = sonde_log_free(f->log);
    }
#define JSON_LINE "{\"ts\":\"" LOG_TIME_6 "\",\"level\":\"info\",\"msg\":\"m\"}\n"
    assert_string_equal(log_file_text(f, "log"), JSON_LINE JSON_LINE);
    struct stat info;
    assert_int_equal(stat(log_path(f, "log"), &info), 0);
    assert_int_equal(info.st_mode & 0007, 0);
}

static void files_rotate_before_the_line_that_goes_beyond(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    sink.rotate_bytes = 2 * LINE_BYTES;
    sink.rotate_count = 2;
    log_open_sink(f, &sink);
    for (char letter = 'a'; letter <= 'g'; letter++)
        log_100(f, letter);
    flush(f);
    const char *text = log_file_text(f, "log");
    assert_int_equal(strlen(text), LINE_BYTES);
    assert_non_null(strstr(text, "gggg"));
    text = log_file_text(f, "log.1");
    assert_int_equal(strlen(text), 2 * LINE_BYTES);
    assert_non_null(strstr(text, "eeee"));
    assert_non_null(strstr(text, "ffff"));
    text = log_file_text(f, "log.2");
    assert_int_equal(strlen(text), 2 * LINE_BYTES);
    assert_non_null(strstr(text, "cccc"));
    assert_int_equal(access(log_path(f, "log.3"), F_OK), -1);
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
}

static void the_size_of_an_older_file_counts(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    sink.rotate_bytes = 2 * LINE_BYTES;
    for (char letter = 'a'; letter <= 'c'; letter++) {
        log_open_sink(f, &sink);
        log_100(f, letter);
        f->log = sonde_log_free(f->log);
    }
    assert_int_equal(strlen(log_file_text(f, "log")), LINE_BYTES);
    assert_int_equal(strlen(log_file_text(f, "log.1")), 2 * LINE_BYTES);
}

static void a_line_larger_than_a_file_has_one_of_its_own(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    sink.rotate_bytes = 50;
    log_open_sink(f, &sink);
    for (char letter = 'a'; letter <= 'c'; letter++)
        log_100(f, letter);
    flush(f);
    assert_int_equal(strlen(log_file_text(f, "log")), LINE_BYTES);
    assert_int_equal(strlen(log_file_text(f, "log.1")), LINE_BYTES);
    assert_int_equal(strlen(log_file_text(f, "log.2")), LINE_BYTES);
}

static void a_file_that_was_moved_away_is_opened_again_on_request(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    log_open_sink(f, &sink);
    log_100(f, 'a');
    flush(f);
    assert_int_equal(rename(log_path(f, "log"), log_path(f, "old")), 0);
    log_100(f, 'b');
    flush(f);
    sonde_log_reopen(f->log);
    log_100(f, 'c');
    flush(f);
    assert_int_equal(strlen(log_file_text(f, "old")), 2 * LINE_BYTES);
    assert_non_null(strstr(log_file_text(f, "log"), "cccc"));
}

static void a_file_that_cannot_be_opened_is_an_error_of_open(void **state) {
    struct log_fixture *f = *state;
    sonde_error error;
    sonde_log_sink sink = file_sink(f);
    sink.path = log_path(f, "no/such/directory");
    const sonde_log_options options = {.sinks = &sink, .sink_count = 1};
    assert_null(sn_log_system_open(&options, &f->clock.clock, false, &error));
    assert_int_equal(error.status, SONDE_ERR_IO);
    assert_non_null(strstr(error.text, "no/such/directory"));
}

#ifdef SN_FAULTS

static void a_full_disk_loses_lines_and_recovers(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    log_open_sink(f, &sink);
    log_100(f, 'a');
    flush(f);
    sn_fault_arm(SN_FAULT_WRITE, 1, UINT64_MAX, ENOSPC);
    log_100(f, 'b');
    log_100(f, 'c');
    flush(f);
    log_100(f, 'd');
    flush(f);
    assert_int_equal(sonde_log_dropped_count(f->log), 3);
    sn_fault_disarm_all();
    log_100(f, 'e');
    flush(f);
    const char *text = log_file_text(f, "log");
    assert_int_equal(log_count_char(text, '\n'), 3);
    assert_non_null(strstr(text, "WARN  sonde.log: lines are missing here missing=3\n"));
    assert_non_null(strstr(text, "eeee"));
    assert_int_equal(sonde_log_dropped_count(f->log), 3);
}

static void a_torn_line_is_ended_before_the_next(void **state) {
    struct log_fixture *f = *state;
    sonde_log_sink sink = file_sink(f);
    log_open_sink(f, &sink);
    log_100(f, 'a');
    log_100(f, 'b');
    log_100(f, 'c');
    /* The first write takes 150 of 300 bytes, the second one fails. */
    sn_fault_arm(SN_FAULT_WRITE, 1, 1, 0);
    sn_fault_arm(SN_FAULT_ANY, 2, UINT64_MAX, ENOSPC);
    flush(f);
    sn_fault_disarm_all();
    assert_int_equal(sonde_log_dropped_count(f->log), 2);
    log_100(f, 'd');
    flush(f);
    const char *text = log_file_text(f, "log");
    assert_int_equal(log_count_char(text, '\n'), 4); /* a, half of b, the notice, d */
    assert_non_null(strstr(text, "missing=2\n"));
    assert_memory_equal(text + strlen(text) - LINE_BYTES, LOG_TIME_3, strlen(LOG_TIME_3));
}

static void a_rotation_that_fails_lets_the_file_grow(void **state) {
    struct log_fixture *f = *state;
    sonde_log_stats stats;
    sonde_log_sink sink = file_sink(f);
    sink.rotate_bytes = 2 * LINE_BYTES;
    log_open_sink(f, &sink);
    sn_fault_arm(SN_FAULT_RENAME, 1, UINT64_MAX, EACCES);
    for (char letter = 'a'; letter <= 'e'; letter++)
        log_100(f, letter);
    flush(f);
    assert_int_equal(strlen(log_file_text(f, "log")), 5 * LINE_BYTES);
    sonde_log_read(f->log, &stats);
    assert_int_equal(stats.rotate_error_count, 2);
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
}

static void every_single_failure_loses_lines_at_most(void **state) {
    struct log_fixture *f = *state;
    for (uint64_t n = 1; n < 60; n++) {
        sonde_log_sink sink = file_sink(f);
        sink.rotate_bytes = 2 * LINE_BYTES;
        sink.rotate_count = 1;
        log_open_sink(f, &sink);
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        for (char letter = 'a'; letter <= 'f'; letter++) {
            log_100(f, letter);
            if (letter == 'c')
                sonde_log_reopen(f->log);
            flush(f);
            sn_fake_clock_advance_ms(&f->clock, 2000);
        }
        bool has_fired = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        log_100(f, 'g');
        flush(f);
        sonde_log_stats stats;
        sonde_log_read(f->log, &stats);
        assert_int_equal(stats.written, 7);
        assert_true(stats.sink_lost <= 1);
        assert_non_null(strstr(log_file_text(f, "log"), "gggg"));
        f->log = sonde_log_free(f->log);
        (void)unlink(log_path(f, "log"));
        if (!has_fired)
            return;
    }
    fail_msg("it never ended without a failure");
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_appended_to_what_was_there, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(files_rotate_before_the_line_that_goes_beyond, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(the_size_of_an_older_file_counts, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_line_larger_than_a_file_has_one_of_its_own, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_opened_again_on_request,
                                        log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_is_an_error_of_open, log_setup,
                                        log_teardown),
#ifdef SN_FAULTS
        cmocka_unit_test_setup_teardown(a_full_disk_loses_lines_and_recovers, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_torn_line_is_ended_before_the_next, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_rotation_that_fails_lets_the_file_grow, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(every_single_failure_loses_lines_at_most, log_setup,
                                        log_teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
