/*
 * Tests of the crash flush: a child logs, dies by SIGSEGV, and its handler saves the lines.
 */
#include "log_support.h"

#include "client_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int crash_fd;

static void on_fault(int signal_number) {
    sonde_log_crash_flush(crash_fd);
    (void)signal_number;
    _exit(42);
}

/* A stack of the smallest size that a host may give its handler. */
static void die_with_handler(void) {
    static char stack[16384];
    const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    (void)sigaltstack(&alternative, NULL);
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)raise(SIGSEGV);
    _exit(1);
}

static void *log_in_thread(void *ctx) {
    SONDE_LOG_ERROR(sonde_logger_get(ctx, "other"), "of a thread", SONDE_STR("k", "a\nb"));
    return NULL;
}

static void a_crash_saves_what_waits_in_the_rings(void **state) {
    struct log_fixture *f = *state;
    int status;
    crash_fd = open(log_path(f, "crash"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(crash_fd >= 0);
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    sonde_logger *logger = sonde_logger_get(f->log, "a");
    SONDE_LOG_INFO(logger, "written");
    (void)log_lines(f);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 100; i++)
            SONDE_LOG_INFO(logger, "waiting", SONDE_I64("i", i),
                           SONDE_ERROR("error", "io", "bad", 5));
        in_thread(log_in_thread, f->log);
        die_with_handler();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    (void)close(crash_fd);
    const char *text = log_file_text(f, "crash");
    assert_int_equal(log_count_char(text, '\n'), 101);
    assert_null(strstr(text, "written"));
    assert_non_null(strstr(text, "ts=" LOG_TIME_6 " level=info logger=a msg=waiting i=99 "
                                 "error.class=io error.message=bad error.code=5\n"));
    assert_non_null(strstr(text, "logger=other msg=\"of a thread\" k=\"a\\nb\"\n"));
}

static void a_flush_takes_nothing_and_may_be_repeated(void **state) {
    struct log_fixture *f = *state;
    crash_fd = open(log_path(f, "crash"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    SONDE_LOG_INFO(sonde_logger_get(f->log, "a"), "waiting");
    sonde_log_crash_flush(crash_fd);
    sonde_log_crash_flush(crash_fd);
    sonde_log_crash_flush(-1);
    (void)close(crash_fd);
    assert_int_equal(log_count_char(log_file_text(f, "crash"), '\n'), 2);
    assert_int_equal(log_count_char(log_lines(f), '\n'), 1);
}

static void the_largest_line_is_saved_whole(void **state) {
    struct log_fixture *f = *state;
    static char message[SONDE_LOG_RECORD_BYTES_MAX];
    memset(message, 1, sizeof message - 1);
    crash_fd = open(log_path(f, "crash"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    log_open_callback(f, SONDE_LOG_FORMAT_JSON);
    SONDE_LOG_INFO(sonde_logger_get(f->log, "a"), message);
    sonde_log_crash_flush(crash_fd);
    (void)close(crash_fd);
    const char *text = log_file_text(f, "crash");
    assert_int_equal(log_count_char(text, '\n'), 1);
    assert_int_equal(log_count_char(text, '\\'), SONDE_LOG_RECORD_BYTES_MAX - 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crash_saves_what_waits_in_the_rings, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_flush_takes_nothing_and_may_be_repeated, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(the_largest_line_is_saved_whole, log_setup, log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
