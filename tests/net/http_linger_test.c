/* Tests of throwing away what a refused client still sends. */
#include "http_support.h"

#include "base/os.h"
#include "net/http_priv.h"

#include <sys/epoll.h>
#include <unistd.h>

static struct sn_http_worker worker;
static int pair[2];

static int set_up(void **state) {
    (void)state;
    memset(&worker, 0, sizeof(worker));
    worker.epoll_fd = sn_os_epoll_create();
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int tear_down(void **state) {
    (void)state;
    sn_http_linger_end_all(&worker);
    close(pair[0]);
    close(pair[1]);
    return close(worker.epoll_fd);
}

/* What the worker's epoll reports, or NULL. */
static struct sn_http_watch *ready(void) {
    struct epoll_event event;
    return sn_os_epoll_wait(worker.epoll_fd, &event, 1, 0) == 1 ? event.data.ptr : NULL;
}

static void bytes_are_thrown_away_until_the_client_closes(void **state) {
    char byte;
    (void)state;
    sn_http_linger_begin(&worker, pair[0]);
    close(pair[0]); /* as the library does: the duplicate keeps the socket alive */
    pair[0] = dup(0);
    assert_int_equal(send(pair[1], "abc", 3, MSG_NOSIGNAL), 3);
    assert_int_equal(ready()->kind, SN_HTTP_WATCH_LINGER);
    sn_http_linger_read(&worker, ready());
    assert_null(ready());
    assert_int_equal(worker.linger_count, 1);
    shutdown(pair[1], SHUT_WR);
    sn_http_linger_read(&worker, ready());
    assert_int_equal(worker.linger_count, 0);
    assert_int_equal(recv(pair[1], &byte, 1, 0), 0);
}

static void they_end_after_a_second_oldest_first(void **state) {
    (void)state;
    assert_int_equal(sn_http_linger_deadline_ns(&worker), INT64_MAX);
    sn_http_linger_begin(&worker, pair[0]);
    worker.now_ns = 500000000;
    sn_http_linger_begin(&worker, pair[0]);
    assert_int_equal(sn_http_linger_deadline_ns(&worker), 1000000000);
    worker.now_ns = 999999999;
    sn_http_linger_sweep(&worker);
    assert_int_equal(worker.linger_count, 2);
    worker.now_ns = 1000000000;
    sn_http_linger_sweep(&worker);
    assert_int_equal(worker.linger_count, 1);
    assert_int_equal(sn_http_linger_deadline_ns(&worker), 1500000000);
}

static void there_are_at_most_64_and_none_while_stopping(void **state) {
    (void)state;
    for (int i = 0; i < 70; i++)
        sn_http_linger_begin(&worker, pair[0]);
    assert_int_equal(worker.linger_count, 64);
    sn_http_linger_end_all(&worker);
    worker.is_draining = true;
    sn_http_linger_begin(&worker, pair[0]);
    assert_int_equal(worker.linger_count, 0);
}

static void without_descriptors_there_is_no_lingering(void **state) {
    (void)state;
    sn_http_linger_begin(&worker, -1);
    assert_int_equal(worker.linger_count, 0);
}

#define PAIRED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIRED(bytes_are_thrown_away_until_the_client_closes),
        PAIRED(they_end_after_a_second_oldest_first),
        PAIRED(there_are_at_most_64_and_none_while_stopping),
        PAIRED(without_descriptors_there_is_no_lingering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
