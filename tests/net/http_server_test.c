/* Tests of opening and closing: addresses, ports in use, failures on the way. */
#include "http_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void answer_ok(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body = SN_STR("ok")});
}

static sn_status try_open(const char *listen, struct sn_http_server **ret_server,
                          struct sn_err *err) {
    struct sn_http_server_options options = {
        .listen = sn_str_from(listen), .worker_count = 3, .handle = answer_ok};
    return sn_http_server_open(&options, ret_server, err);
}

static void port_zero_becomes_a_real_port_for_all_workers(void **state) {
    struct sn_http_server *server;
    (void)state;
    assert_int_equal(try_open("127.0.0.1:0", &server, NULL), SN_OK);
    uint16_t port = sn_address_port(&server->address);
    assert_true(port != 0);
    for (size_t i = 0; i < 3; i++) {
        struct sn_address address;
        socklen_t len = sizeof(address.socket);
        assert_int_equal(getsockname(server->workers[i].listen_fd, &address.socket.any, &len), 0);
        assert_int_equal(sn_address_port(&address), port);
    }
    assert_int_equal(strncmp(sn_http_server_address(server), "127.0.0.1:", 10), 0);
    sn_http_server_close(server);
}

static void a_port_in_use_is_named(void **state) {
    struct sn_http_server *first;
    struct sn_http_server *second;
    struct sn_err err;
    char expected[128];
    char wildcard[64];
    (void)state;
    assert_int_equal(try_open("127.0.0.1:0", &first, NULL), SN_OK);
    assert_int_equal(try_open(sn_http_server_address(first), &second, &err), SN_ERR_EXISTS);
    (void)snprintf(expected, sizeof(expected), "cannot listen on %s: address already in use",
                   sn_http_server_address(first));
    assert_string_equal(err.text, expected);
    (void)snprintf(wildcard, sizeof(wildcard), "0.0.0.0:%u", sn_address_port(&first->address));
    assert_int_equal(try_open(wildcard, &second, &err), SN_ERR_EXISTS);
    sn_http_server_close(first);
}

static void the_port_is_free_again_after_close(void **state) {
    struct test_server test;
    struct sn_http_server *again;
    struct sn_err err = {0};
    char address[SN_ADDRESS_TEXT_SIZE];
    (void)state;
    test_server_init(&test, answer_ok);
    test_server_start(&test);
    (void)snprintf(address, sizeof(address), "%s", sn_http_server_address(test.server));
    /* The server closes first: its side of the connection stays in TIME_WAIT. */
    int fd = client_open(&test);
    struct client_answer answer;
    client_ask(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    client_answer_release(&answer);
    test_server_stop(&test);
    assert_true(client_sees_close(fd));
    close(fd);
    if (try_open(address, &again, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_http_server_close(again);
}

static void bad_addresses_are_refused_with_a_sentence(void **state) {
    struct sn_http_server *server;
    struct sn_err err;
    (void)state;
    assert_int_equal(try_open("nonsense", &server, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "'nonsense' is not an address"));
    assert_int_equal(try_open("192.0.2.1:0", &server, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "cannot listen on 192.0.2.1:0: "));
}

static void ipv6_listens_too(void **state) {
    struct test_server test;
    struct sn_err err;
    (void)state;
    test_server_init(&test, answer_ok);
    test.options.listen = SN_STR("[::]:0");
    if (sn_http_server_open(&test.options, &test.server, &err) != SN_OK)
        skip(); /* a machine without IPv6 */
    sn_http_server_close(test.server);
    test_server_start(&test);
    struct sn_address v4;
    char text[64];
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", sn_address_port(&test.address));
    assert_int_equal(sn_address_parse(SN_STR("[::1]:0"), &test.address, NULL), SN_OK);
    assert_int_equal(sn_address_parse(sn_str_from(text), &v4, NULL), SN_OK);
    sn_address_set_port(&test.address, sn_address_port(&v4));
    client_expect(&test, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    test.address = v4;
    client_expect(&test, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    test_server_stop(&test);
}

static int open_fd_count(void) {
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    int64_t blocks = sn_mem_block_count();
    int fds = open_fd_count();
    for (uint64_t n = 1;; n++) {
        struct sn_http_server *server = NULL;
        sn_mem_fail_nth(n);
        sn_status status = try_open("127.0.0.1:0", &server, NULL);
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_fired ? SN_ERR_NO_MEMORY : SN_OK);
        if (status == SN_OK)
            sn_http_server_close(server);
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_int_equal(open_fd_count(), fds);
        if (!is_fired)
            break;
    }
}

/* Whether the n-th call of a kind was made to fail. */
static bool open_with_fault(enum sn_fault_kind kind, uint64_t n) {
    struct sn_http_server *server = NULL;
    struct sn_err err = {0};
    sn_fault_arm(kind, n, 1, EMFILE);
    sn_status status = try_open("127.0.0.1:0", &server, &err);
    bool is_fired = sn_fault_fired_count() > 0;
    sn_fault_disarm_all();
    assert_int_equal(status, is_fired ? SN_ERR_IO : SN_OK);
    if (is_fired)
        assert_non_null(strstr(err.text, "Too many open files"));
    else
        sn_http_server_close(server);
    return is_fired;
}

static void every_failing_system_call_is_survived(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    int64_t blocks = sn_mem_block_count();
    int fds = open_fd_count();
    for (uint64_t n = 1; open_with_fault(SN_FAULT_SOCKET, n); n++) {
    }
    for (uint64_t n = 1; open_with_fault(SN_FAULT_POLL, n); n++) {
    }
    assert_int_equal(sn_mem_block_count(), blocks);
    assert_int_equal(open_fd_count(), fds);
}

static void serving_leaves_nothing_behind(void **state) {
    struct test_server test;
    (void)state;
    int64_t blocks = sn_mem_block_count();
    int fds = open_fd_count();
    test_server_init(&test, answer_ok);
    test_server_start(&test);
    for (int i = 0; i < 10; i++)
        client_expect(&test, "GET /?a=b HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    test_server_stop(&test);
    assert_int_equal(sn_mem_block_count(), blocks);
    assert_int_equal(open_fd_count(), fds);
}

static void connections_of_one_address_have_a_limit(void **state) {
    struct test_server test;
    struct client_answer answer;
    int fds[4];
    (void)state;
    test_server_init(&test, answer_ok);
    test.options.connections_per_ip_max = 3;
    test_server_start(&test);
    for (int i = 0; i < 4; i++) {
        fds[i] = client_open(&test);
        if (i < 3) {
            client_ask(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
            client_answer_release(&answer);
        }
    }
    assert_true(client_sees_close(fds[3]));
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    test_server_stop(&test);
}

static void connections_beyond_the_limit_wait_for_a_place(void **state) {
    struct test_server test;
    struct client_answer answer;
    (void)state;
    test_server_init(&test, answer_ok);
    test.options.connections_max = 1;
    test_server_start(&test);
    int first = client_open(&test);
    client_ask(first, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    client_answer_release(&answer);
    int second = client_open(&test);
    client_say(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    test_sleep_ms(50);
    assert_int_equal(test_stats(&test).connections_total, 1);
    close(first);
    client_read(second, false, &answer);
    assert_int_equal(answer.status, 200);
    client_answer_release(&answer);
    close(second);
    test_server_stop(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_zero_becomes_a_real_port_for_all_workers),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(the_port_is_free_again_after_close),
        cmocka_unit_test(bad_addresses_are_refused_with_a_sentence),
        cmocka_unit_test(ipv6_listens_too),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(every_failing_system_call_is_survived),
        cmocka_unit_test(serving_leaves_nothing_behind),
        cmocka_unit_test(connections_of_one_address_have_a_limit),
        cmocka_unit_test(connections_beyond_the_limit_wait_for_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
