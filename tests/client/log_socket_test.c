/*
 * Tests of syslog and journald sinks against a socket of the test: what arrives, a daemon that is
 * not there, that comes back, that does not read.
 */
#include "log_support.h"

#include "base/os.h"

#include <errno.h>
#include <unistd.h>

static void open_socket_log(struct log_fixture *f, sonde_log_sink_type type) {
    const sonde_log_sink sink = {.type = type, .path = log_path(f, "socket")};
    log_open_sink(f, &sink);
}

static void log_and_flush(struct log_fixture *f, const char *message) {
    SONDE_LOG_INFO(sonde_logger_get(f->log, "a.b"), message, SONDE_I64("n", 1));
    assert_true(sonde_log_flush(f->log, 1000));
}

static void syslog_gets_one_datagram_per_line(void **state) {
    struct log_fixture *f = *state;
    size_t len;
    int fd = log_bind_socket(f, "socket");
    open_socket_log(f, SONDE_SINK_SYSLOG);
    log_and_flush(f, "one\ntwo");
    log_and_flush(f, "three");
    const char *text = log_receive(fd, &len);
    assert_non_null(strstr(text, "<14>1 " LOG_TIME_6 " "));
    char expected[64];
    (void)snprintf(expected, sizeof expected, " shop %d a.b ", (int)getpid());
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "[fields@32473 n=\"1\"] one\\ntwo"));
    assert_non_null(strstr(log_receive(fd, &len), "three"));
    (void)log_receive(fd, &len);
    assert_int_equal(len, 0);
    (void)close(fd);
}

static void journald_gets_its_fields(void **state) {
    struct log_fixture *f = *state;
    size_t len;
    static const char expected[] =
        "MESSAGE\n\x03\0\0\0\0\0\0\0one\nPRIORITY=6\nSONDE_TIME=" LOG_TIME_9 "\n"
        "SYSLOG_IDENTIFIER\n\x04\0\0\0\0\0\0\0shop\nSONDE_LOGGER\n\x03\0\0\0\0\0\0\0"
        "a.b\nN\n\x01\0\0\0\0\0\0\0"
        "1\n";
    int fd = log_bind_socket(f, "socket");
    open_socket_log(f, SONDE_SINK_JOURNALD);
    log_and_flush(f, "one");
    const char *text = log_receive(fd, &len);
    assert_int_equal(len, sizeof expected - 1);
    assert_memory_equal(text, expected, len);
    (void)close(fd);
}

static void a_daemon_that_comes_late_learns_what_it_missed(void **state) {
    struct log_fixture *f = *state;
    size_t len;
    open_socket_log(f, SONDE_SINK_SYSLOG);
    log_and_flush(f, "one");
    log_and_flush(f, "two");
    assert_int_equal(sonde_log_dropped_count(f->log), 2);
    int fd = log_bind_socket(f, "socket");
    sn_fake_clock_advance_ms(&f->clock, 1000);
    log_and_flush(f, "three");
    assert_non_null(strstr(log_receive(fd, &len), "missing=\"2\"] lines are missing here"));
    assert_non_null(strstr(log_receive(fd, &len), "three"));
    (void)close(fd);
}

static void a_daemon_that_is_started_again_is_found(void **state) {
    struct log_fixture *f = *state;
    size_t len;
    int fd = log_bind_socket(f, "socket");
    open_socket_log(f, SONDE_SINK_SYSLOG);
    log_and_flush(f, "one");
    (void)close(fd);
    assert_int_equal(unlink(log_path(f, "socket")), 0);
    fd = log_bind_socket(f, "socket");
    log_and_flush(f, "two");
    assert_non_null(strstr(log_receive(fd, &len), "two"));
    assert_int_equal(sonde_log_dropped_count(f->log), 0);
    (void)close(fd);
}

static void a_daemon_that_does_not_read_loses_lines(void **state) {
    struct log_fixture *f = *state;
    size_t len, received = 0;
    int fd = log_bind_socket(f, "socket");
    open_socket_log(f, SONDE_SINK_SYSLOG);
    for (int i = 0; i < 400; i++)
        SONDE_LOG_INFO(sonde_logger_get(f->log, "a.b"), "filler");
    assert_true(sonde_log_flush(f->log, 1000));
    do {
        (void)log_receive(fd, &len);
        received += len > 0;
    } while (len > 0);
    assert_true(received < 400);
    assert_int_equal(sonde_log_dropped_count(f->log), 400 - received);
    log_and_flush(f, "again");
    assert_non_null(strstr(log_receive(fd, &len), "lines are missing here"));
    assert_non_null(strstr(log_receive(fd, &len), "again"));
    (void)close(fd);
}

static void a_path_that_no_socket_can_have_is_refused(void **state) {
    struct log_fixture *f = *state;
    char path[200];
    sonde_error error;
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    const sonde_log_sink sink = {.type = SONDE_SINK_SYSLOG, .path = path};
    const sonde_log_options options = {.sinks = &sink, .sink_count = 1};
    assert_null(sn_log_system_open(&options, &f->clock.clock, false, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
}

#ifdef SN_FAULTS
static void every_single_failure_loses_one_line_at_most(void **state) {
    struct log_fixture *f = *state;
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        size_t len;
        int fd = log_bind_socket(f, "socket");
        open_socket_log(f, SONDE_SINK_JOURNALD);
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        for (int i = 0; i < 3; i++) {
            log_and_flush(f, "line");
            sn_fake_clock_advance_ms(&f->clock, 2000);
        }
        has_fired = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        assert_true(sonde_log_dropped_count(f->log) <= 1);
        (void)log_receive(fd, &len);
        assert_true(len > 0);
        f->log = sonde_log_free(f->log);
        (void)close(fd);
        assert_int_equal(unlink(log_path(f, "socket")), 0);
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(syslog_gets_one_datagram_per_line, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(journald_gets_its_fields, log_setup, log_teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_comes_late_learns_what_it_missed, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_is_started_again_is_found, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_daemon_that_does_not_read_loses_lines, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_path_that_no_socket_can_have_is_refused, log_setup,
                                        log_teardown),
#ifdef SN_FAULTS
        cmocka_unit_test_setup_teardown(every_single_failure_loses_one_line_at_most, log_setup,
                                        log_teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
