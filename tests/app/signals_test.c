/* Signals as messages. Each test sends its signals before it waits: they are blocked, so they stay. */
#include "app/signals.h"

#include "app_support.h"
#include "base/lock.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void blocked_signals_arrive_as_messages(void **state) {
    (void)state;
    static const struct {
        int number;
        enum sn_signal message;
    } cases[] = {{SIGTERM, SN_SIGNAL_STOP}, {SIGINT, SN_SIGNAL_STOP}, {SIGHUP, SN_SIGNAL_RELOAD}};
    assert_int_equal(sn_signals_block(NULL), SN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(kill(getpid(), cases[i].number), 0);
        assert_int_equal(sn_signals_wait(), cases[i].message);
    }
}

static void a_broken_pipe_is_no_end(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(sn_signals_block(NULL), SN_OK);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(write(fds[1], "x", 1), -1);
    assert_int_equal(close(fds[1]), 0);
}

static void do_nothing(void *ctx) {
    (void)ctx;
}

static void threads_do_not_take_them_away(void **state) {
    (void)state;
    struct sn_thread thread;
    memset(&thread, 0, sizeof thread);
    assert_int_equal(sn_signals_block(NULL), SN_OK);
    assert_int_equal(sn_thread_start(&thread, "idle", do_nothing, NULL, NULL), SN_OK);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(sn_signals_wait(), SN_SIGNAL_RELOAD);
    sn_thread_join(&thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocked_signals_arrive_as_messages),
        cmocka_unit_test(a_broken_pipe_is_no_end),
        cmocka_unit_test(threads_do_not_take_them_away),
    };
    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
