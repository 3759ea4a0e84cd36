/* Tests of the exporter. */
#include "sonde/http_exporter.h"

#include "clienthttp_support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct fixture {
    sonde_registry *registry;
    sonde_http_exporter *exporter;
    unsigned port;
};

static struct fixture start(sonde_http_exporter_options options) {
    struct fixture f;
    sonde_error error;
    f.registry = sonde_registry_new(NULL, NULL);
    sonde_counter_inc(
        sonde_counter_new(f.registry, &(sonde_metric){.name = "scraped_total"}, NULL));
    options.registry = f.registry;
    if (options.address == NULL)
        options.address = "127.0.0.1:0";
    f.exporter = sonde_http_exporter_start(&options, &error);
    assert_string_equal(error.text, "");
    assert_non_null(f.exporter);
    f.port = sonde_http_exporter_port(f.exporter);
    assert_in_range(f.port, 1, 65535);
    return f;
}

static void stop(struct fixture *f) {
    assert_null(sonde_http_exporter_stop(f->exporter));
    (void)sonde_registry_free(f->registry);
}

static void assert_answer(char *answer, const char *status, const char *text) {
    assert_int_equal(strncmp(answer, status, strlen(status)), 0);
    assert_non_null(strstr(answer, text));
    test_free(answer);
}

static void a_scraper_gets_the_page(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    char *answer = get(f.port, "/metrics", "");
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "Vary: Accept, Accept-Encoding\r\n"));
    assert_null(strstr(answer, "Content-Encoding"));
    assert_non_null(strstr(body_of(answer), "scraped_total 1\n"));
    assert_answer(answer, "HTTP/1.1 200 ", "\r\n");
    assert_answer(get(f.port, "/metrics?x=1", ""), "HTTP/1.1 200 ", "scraped_total 1\n");
    stop(&f);
}

static void a_scraper_of_open_metrics_gets_that(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    char *answer = get(f.port, "/metrics",
                       "Accept: application/openmetrics-text;version=1.0.0;q=0.6,"
                       "text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n");
    assert_non_null(strstr(answer, "Content-Type: application/openmetrics-text; version=1.0.0"));
    assert_answer(answer, "HTTP/1.1 200 ", "# EOF\n");
    stop(&f);
}

static void head_has_no_body(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    char *answer =
        exchange(f.port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", NULL);
    assert_string_equal(body_of(answer), "");
    assert_answer(answer, "HTTP/1.1 200 ", "Content-Length: ");
    stop(&f);
}

static void a_page_is_compressed_when_that_is_accepted(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    char *answer = get(f.port, "/metrics", "Accept-Encoding: gzip\r\n");
    assert_int_equal((unsigned char)body_of(answer)[0], 0x1f);
    assert_int_equal((unsigned char)body_of(answer)[1], 0x8b);
    assert_answer(answer, "HTTP/1.1 200 ", "Content-Encoding: gzip\r\n");
    stop(&f);
}

static void other_paths_and_methods_are_refused(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){.path = "/own"});
    assert_answer(get(f.port, "/metrics", ""), "HTTP/1.1 404 ", "not found\n");
    assert_answer(get(f.port, "/own/", ""), "HTTP/1.1 404 ", "not found\n");
    assert_answer(get(f.port, "/own", ""), "HTTP/1.1 200 ", "scraped_total 1\n");
    assert_answer(
        exchange(f.port, "POST /own HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", NULL),
        "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n");
    assert_answer(
        exchange(f.port, "GET /own HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", NULL),
        "", "");
    assert_answer(exchange(f.port, "nonsense\r\n\r\n", NULL), "", "");
    stop(&f);
}

static void a_connection_serves_several_scrapes(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    int fd = connect_to(f.port);
    send_text(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *answers = read_all(fd, NULL);
    const char *first = strstr(answers, "scraped_total 1\n");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "scraped_total 1\n"));
    test_free(answers);
    stop(&f);
}

static void a_page_above_its_limit_is_503(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){.page_bytes_max = 10});
    assert_answer(get(f.port, "/metrics", ""), "HTTP/1.1 503 ", "above page_bytes_max\n");
    stop(&f);
}

static void connections_beyond_the_limit_wait(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){.connection_max = 2});
    int first = connect_to(f.port);
    int second = connect_to(f.port);
    send_text(first, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
    send_text(second, "GET /metrics HTTP/1.1\r\nHost: x\r\n");
    int third = connect_to(f.port);
    send_text(third, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char byte;
    struct pollfd wait = {third, POLLIN, 0};
    assert_int_equal(poll(&wait, 1, 50), 0);
    assert_int_equal(recv(third, &byte, 1, MSG_DONTWAIT), -1);
    send_text(first, "Connection: close\r\n\r\n");
    assert_answer(read_all(first, NULL), "HTTP/1.1 200 ", "scraped_total 1\n");
    assert_answer(read_all(third, NULL), "HTTP/1.1 200 ", "scraped_total 1\n");
    assert_int_equal(close(second), 0);
    stop(&f);
}

static void what_cannot_start_says_why(void **state) {
    (void)state;
    sonde_error error;
    char address[32];
    struct fixture f = start((sonde_http_exporter_options){0});
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", f.port);
    sonde_http_exporter_options options = {.address = address};
    assert_null(sonde_http_exporter_start(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_IO);
    assert_non_null(strstr(error.text, "cannot listen on 127.0.0.1:"));
    options = (sonde_http_exporter_options){.address = "everywhere"};
    assert_null(sonde_http_exporter_start(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    options = (sonde_http_exporter_options){.address = "127.0.0.1:0", .path = "metrics"};
    assert_null(sonde_http_exporter_start(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    char path[258];
    memset(path, '/', sizeof path);
    path[257] = '\0';
    options.path = path + 1;
    assert_null(sonde_http_exporter_start(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    options = (sonde_http_exporter_options){.address = "127.0.0.1:0", .connection_max = 101};
    assert_null(sonde_http_exporter_start(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    assert_null(sonde_http_exporter_start(&options, NULL));
    assert_int_equal(sonde_http_exporter_port(NULL), 0);
    assert_null(sonde_http_exporter_stop(NULL));
    stop(&f);
}

static void failing_calls_leave_nothing_open(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    int fd = dup(0);
    assert_int_equal(close(fd), 0);
    for (uint64_t n = 1; n <= 3; n++) {
        sonde_error error;
        sonde_http_exporter_options options = {.address = "127.0.0.1:0"};
        sn_fault_arm(SN_FAULT_SOCKET, n, 1, EMFILE);
        assert_null(sonde_http_exporter_start(&options, &error));
        sn_fault_disarm_all();
        assert_int_equal(error.status, SONDE_ERR_IO);
    }
    sn_mem_fail_nth(1);
    sonde_error error;
    assert_null(sonde_http_exporter_start(NULL, &error));
    sn_mem_fail_nth(0);
    assert_int_equal(error.status, SONDE_ERR_NO_MEMORY);
    assert_int_equal(sn_mem_block_count(), before);
    int next = dup(0);
    assert_int_equal(next, fd);
    assert_int_equal(close(next), 0);
}

static void the_signals_of_the_host_stay_with_its_threads(void **state) {
    (void)state;
    sigset_t before, after;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    struct fixture f = start((sonde_http_exporter_options){0});
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int signal = 1; signal < 32; signal++)
        assert_int_equal(sigismember(&before, signal), sigismember(&after, signal));
    stop(&f);
}

static void stopping_does_not_wait_for_silent_clients(void **state) {
    (void)state;
    struct fixture f = start((sonde_http_exporter_options){0});
    int silent = connect_to(f.port);
    send_text(silent, "GET /met");
    test_free(get(f.port, "/metrics", ""));
    stop(&f);
    test_free(read_all(silent, NULL));
}

static void the_other_family_works_where_there_is_one(void **state) {
    (void)state;
    sonde_http_exporter_options options = {.address = "[::1]:0"};
    sonde_http_exporter *exporter = sonde_http_exporter_start(&options, NULL);
    if (exporter == NULL)
        skip(); /* a machine without IPv6 */
    assert_in_range(sonde_http_exporter_port(exporter), 1, 65535);
    (void)sonde_http_exporter_stop(exporter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scraper_gets_the_page),
        cmocka_unit_test(a_scraper_of_open_metrics_gets_that),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(a_page_is_compressed_when_that_is_accepted),
        cmocka_unit_test(other_paths_and_methods_are_refused),
        cmocka_unit_test(a_connection_serves_several_scrapes),
        cmocka_unit_test(a_page_above_its_limit_is_503),
        cmocka_unit_test(connections_beyond_the_limit_wait),
        cmocka_unit_test(what_cannot_start_says_why),
        cmocka_unit_test(failing_calls_leave_nothing_open),
        cmocka_unit_test(the_signals_of_the_host_stay_with_its_threads),
        cmocka_unit_test(stopping_does_not_wait_for_silent_clients),
        cmocka_unit_test(the_other_family_works_where_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
