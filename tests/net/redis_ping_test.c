/* PING against sockets of our own; the real server is in tests/system/records_test.py. */
#include "net/redis_ping.h"

#include "base/lock.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fake {
    int fd;
    const char *answer; /* NULL: none */
    char target[32];
    struct sn_thread thread;
};

static void serve(void *ctx) {
    struct fake *fake = ctx;
    char bytes[256];
    int fd = accept(fake->fd, NULL, NULL);
    if (fd < 0)
        return;
    if (recv(fd, bytes, sizeof bytes, 0) > 0 && fake->answer != NULL)
        (void)send(fd, fake->answer, strlen(fake->answer), MSG_NOSIGNAL);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) /* until the client goes */
        continue;
    (void)close(fd);
}

static sn_status ping(const char *answer, int64_t timeout_ms, struct sn_err *err) {
    struct fake fake = {.answer = answer, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    assert_int_equal(bind(fake.fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fake.fd, 1), 0);
    assert_int_equal(getsockname(fake.fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(fake.target, sizeof fake.target, "127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(sn_thread_start(&fake.thread, "redis", serve, &fake, NULL), SN_OK);
    sn_status status = sn_redis_ping(fake.target, timeout_ms, err);
    sn_thread_join(&fake.thread);
    (void)close(fake.fd);
    return status;
}

static void answers_are_told_apart(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(ping("+PONG\r\n", 10000, &err), SN_OK);
    assert_int_equal(ping("-NOAUTH Authentication required.\r\n", 10000, &err), SN_ERR_DENIED);
    assert_non_null(strstr(err.text, "NOAUTH"));
    assert_int_equal(ping("-LOADING\r\n", 10000, &err), SN_ERR_IO);
    assert_int_equal(ping("HTTP/1.1 400\r\n", 10000, &err), SN_ERR_IO);
    assert_int_equal(ping(NULL, 50, &err), SN_ERR_TIMEOUT);
}

static void nobody_there_is_a_failure(void **state) {
    (void)state;
    struct sn_err err;
    assert_int_equal(sn_redis_ping("127.0.0.1:1", 1000, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "127.0.0.1:1"));
}

static void what_is_no_address_is_refused(void **state) {
    (void)state;
    const char *const targets[] = {"", ":6379", "h:", "h:0", "h:65536", "h:x"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        assert_int_equal(sn_redis_ping(targets[i], 1000, NULL), SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(nobody_there_is_a_failure),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests_name("redis_ping", tests, NULL, NULL);
}
