/* Tests of the loop: many connections, deadlines, answers from other threads, stopping. */
#include "http_support.h"

#include "net/http_priv.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void answer_ok(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body = SN_STR("ok")});
}

/* ---- many connections ---- */

/*
 * All connections send, then all are read, so that every one of them is ready at the same moment:
 * what makes the library's own loop hang at multiples of 128.
 */
static void run_rounds(struct test_server *test, int connection_count, int round_count) {
    int *fds = calloc((size_t)connection_count, sizeof(*fds));
    for (int i = 0; i < connection_count; i++)
        fds[i] = client_open(test);
    for (int round = 0; round < round_count; round++) {
        for (int i = 0; i < connection_count; i++)
            client_say(fds[i], GET("/a"));
        for (int i = 0; i < connection_count; i++) {
            struct client_answer answer;
            client_read(fds[i], false, &answer);
            assert_int_equal(answer.status, 200);
            client_answer_release(&answer);
        }
    }
    for (int i = 0; i < connection_count; i++)
        close(fds[i]);
    free(fds);
}

static void connections_in_multiples_of_128_do_not_stall(void **state) {
    static const int counts[] = {127, 128, 129, 256};
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct test_server test;
        test_server_init(&test, answer_ok);
        test_server_start(&test);
        int64_t start_ms = test_now_ms();
        run_rounds(&test, counts[i], 20);
        if (test_now_ms() - start_ms > 10000) /* 0.2 s without sanitizers */
            fail_msg("%d connections took %d ms", counts[i], (int)(test_now_ms() - start_ms));
        assert_int_equal(test_stats(&test).requests_by_class[2], counts[i] * 20);
        test_server_stop(&test);
    }
}

static void several_workers_share_the_port(void **state) {
    struct test_server test;
    (void)state;
    test_server_init(&test, answer_ok);
    test.options.worker_count = 4;
    test_server_start(&test);
    assert_int_equal(test.worker_count, 4);
    run_rounds(&test, 128, 10);
    assert_int_equal(test_stats(&test).requests_by_class[2], 1280);
    for (size_t i = 0; i < 4; i++) {
        const struct sn_http_worker *worker = test.workers[i].ctx;
        assert_true(atomic_load(&worker->counters[SN_HTTP_COUNT_CONNECTIONS]) > 0);
    }
    test_server_stop(&test);
}

/* ---- deadlines ---- */

/* Send byte by byte every 20 ms until the server closes; returns after how many milliseconds. */
static int64_t drip(int fd, const char *before, const char *bytes) {
    int64_t start_ms = test_now_ms();
    client_say(fd, before);
    for (size_t i = 0; test_now_ms() - start_ms < TEST_PATIENCE_MS; i++) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        char byte;
        client_send(fd, &bytes[i % strlen(bytes)], 1);
        if (poll(&poll_fd, 1, 20) > 0 && recv(fd, &byte, 1, 0) <= 0)
            break;
    }
    return test_now_ms() - start_ms;
}

static void start_impatient(struct test_server *test) {
    test_server_init(test, answer_ok);
    test->options.header_timeout_ms = 200;
    test->options.body_timeout_ms = 300;
    test->options.idle_timeout_ms = 250;
    test_server_start(test);
}

static void expect_timeouts(const struct test_server *test, uint64_t header, uint64_t body,
                            uint64_t idle) {
    struct sn_http_stats stats = test_stats(test);
    assert_int_equal(stats.timeouts_header, header);
    assert_int_equal(stats.timeouts_body, body);
    assert_int_equal(stats.timeouts_idle, idle);
}

static void silent_connections_are_closed(void **state) {
    struct test_server test;
    (void)state;
    start_impatient(&test);
    int64_t start_ms = test_now_ms();
    int fd = client_open(&test);
    assert_true(client_sees_close(fd));
    assert_in_range(test_now_ms() - start_ms, 190, 5000);
    close(fd);
    expect_timeouts(&test, 1, 0, 0);
    test_server_stop(&test);
}

static void slow_headers_are_closed_however_they_drip(void **state) {
    struct test_server test;
    (void)state;
    start_impatient(&test);
    int fd = client_open(&test);
    assert_in_range(drip(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "y"), 190, 5000);
    close(fd);
    fd = client_open(&test);
    assert_in_range(drip(fd, "", "GET/"), 190, 5000);
    close(fd);
    expect_timeouts(&test, 2, 0, 0);
    test_server_stop(&test);
}

static void slow_bodies_are_closed_however_they_drip(void **state) {
    struct test_server test;
    (void)state;
    start_impatient(&test);
    int fd = client_open(&test);
    assert_in_range(drip(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", "x"),
                    290, 5000);
    close(fd);
    fd = client_open(&test);
    assert_in_range(
        drip(fd, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        290, 5000);
    close(fd);
    expect_timeouts(&test, 0, 2, 0);
    test_server_stop(&test);
}

static void idle_connections_are_closed_and_slow_second_requests_too(void **state) {
    struct test_server test;
    struct client_answer answer;
    (void)state;
    start_impatient(&test);
    int fd = client_open(&test);
    client_ask(fd, GET("/"), 200, &answer);
    client_answer_release(&answer);
    assert_true(client_sees_close(fd));
    close(fd);
    expect_timeouts(&test, 0, 0, 1);
    fd = client_open(&test);
    client_ask(fd, GET("/"), 200, &answer);
    client_answer_release(&answer);
    assert_in_range(drip(fd, "GET / HTTP/1.1\r\nX: ", "y"), 190, 5000);
    close(fd);
    expect_timeouts(&test, 1, 0, 1);
    test_server_stop(&test);
}

static bool has_header_timeout(const struct sn_http_stats *stats) {
    return stats->timeouts_header == 1;
}

static void deadlines_follow_the_given_clock(void **state) {
    struct test_server test;
    struct sn_fake_clock fake;
    (void)state;
    sn_fake_clock_init(&fake, 1000000000, 0);
    test_server_init(&test, answer_ok);
    test.options.clock = &fake.clock;
    test_server_start(&test);
    int fd = client_open(&test);
    client_say(fd, "GET / HTTP/1.1\r\n");
    test_sleep_ms(20);
    sn_fake_clock_advance_ms(&fake, 9000);
    test_sleep_ms(300); /* longer than the loop sleeps while a deadline is set */
    expect_timeouts(&test, 0, 0, 0);
    sn_fake_clock_advance_ms(&fake, 1001);
    assert_true(test_wait_stats(&test, has_header_timeout));
    assert_true(client_sees_close(fd));
    close(fd);
    test_server_stop(&test);
}

#define BIG_BYTES ((size_t)32 << 20)

static void answer_big(void *ctx, struct sn_http_request *request) {
    struct sn_buf body;
    (void)ctx;
    sn_buf_init(&body, 0);
    uint8_t *at = sn_buf_reserve(&body, BIG_BYTES);
    assert_non_null(at);
    memset(at, 'x', BIG_BYTES);
    body.len = BIG_BYTES;
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body_buf = &body});
}

static bool client_is_gone(const struct sn_http_stats *stats) {
    return stats->clients_gone == 1 && stats->connections_now == 0;
}

static void clients_that_take_nothing_are_cut_off(void **state) {
    struct test_server test;
    (void)state;
    test_server_init(&test, answer_big);
    test.options.send_timeout_ms = 300;
    test_server_start(&test);
    int fd = client_open(&test);
    client_say(fd, GET("/"));
    assert_true(test_wait_stats(&test, client_is_gone));
    close(fd);
    test_server_stop(&test);
}

/* ---- answers from other threads, under load ---- */

#define POOL_THREADS 3
#define QUEUE_SIZE 256

static struct {
    struct sn_mutex mu;
    struct sn_cond cond;
    struct sn_http_request *items[QUEUE_SIZE];
    size_t count;
    bool is_closed;
} queue;

static void queue_init(void) {
    sn_mutex_init(&queue.mu, SN_RANK_INGEST, "test queue");
    sn_cond_init(&queue.cond);
    queue.count = 0;
    queue.is_closed = false;
}

static void push_to_pool(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    sn_mutex_lock(&queue.mu);
    assert_true(queue.count < QUEUE_SIZE);
    queue.items[queue.count++] = request;
    sn_cond_signal(&queue.cond);
    sn_mutex_unlock(&queue.mu);
}

static void answer_from_pool(void *ctx) {
    (void)ctx;
    sn_mutex_lock(&queue.mu);
    for (;;) {
        while (queue.count == 0 && !queue.is_closed)
            sn_cond_wait(&queue.cond, &queue.mu);
        if (queue.count == 0)
            break;
        struct sn_http_request *request = queue.items[--queue.count];
        sn_mutex_unlock(&queue.mu);
        answer_ok(NULL, request);
        sn_mutex_lock(&queue.mu);
    }
    sn_mutex_unlock(&queue.mu);
}

static void no_wake_is_lost(void **state) {
    struct test_server test;
    struct sn_thread threads[POOL_THREADS];
    (void)state;
    memset(threads, 0, sizeof(threads));
    queue_init();
    test_server_init(&test, push_to_pool);
    test.options.worker_count = 2;
    test_server_start(&test);
    for (int i = 0; i < POOL_THREADS; i++)
        assert_int_equal(sn_thread_start(&threads[i], "pool", answer_from_pool, NULL, NULL), SN_OK);
    run_rounds(&test, 128, 20);
    assert_int_equal(test_stats(&test).requests_by_class[2], 128 * 20);
    sn_mutex_lock(&queue.mu);
    queue.is_closed = true;
    sn_cond_broadcast(&queue.cond);
    sn_mutex_unlock(&queue.mu);
    for (int i = 0; i < POOL_THREADS; i++)
        sn_thread_join(&threads[i]);
    test_server_stop(&test);
    sn_cond_release(&queue.cond);
    sn_mutex_release(&queue.mu);
}

/* ---- stopping ---- */

static _Atomic(struct sn_http_request *) held;

static void hold(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    atomic_store(&held, request);
}

static struct sn_http_request *take_held(void) {
    struct sn_http_request *request;
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while ((request = atomic_exchange(&held, NULL)) == NULL) {
        assert_true(test_now_ms() < until_ms);
        test_sleep_ms(1);
    }
    return request;
}

static void stopping_with_idle_connections_takes_no_time(void **state) {
    struct test_server test;
    struct client_answer answer;
    (void)state;
    test_server_init(&test, answer_ok);
    test_server_start(&test);
    int idle = client_open(&test);
    client_ask(idle, GET("/"), 200, &answer);
    client_answer_release(&answer);
    int silent = client_open(&test);
    int64_t start_ms = test_now_ms();
    test_server_stop(&test);
    assert_in_range(test_now_ms() - start_ms, 0, 1000);
    assert_true(client_sees_close(idle));
    assert_true(client_sees_close(silent));
    close(idle);
    close(silent);
}

static void stopping_finishes_what_is_in_flight(void **state) {
    struct test_server test;
    struct client_answer answer;
    (void)state;
    test_server_init(&test, hold);
    test_server_start(&test);
    int waiting = client_open(&test);
    client_say(waiting, GET("/"));
    struct sn_http_request *request = take_held();
    int posting = client_open(&test);
    client_ask(posting,
               "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
               "Content-Length: 2\r\n\r\n",
               100, &answer);
    client_answer_release(&answer);
    test_server_ask_stop(&test);
    client_say(posting, "hi");
    struct sn_http_request *posted = take_held();
    answer_ok(NULL, request);
    answer_ok(NULL, posted);
    client_read(waiting, false, &answer);
    assert_string_equal(answer.body, "ok");
    client_answer_release(&answer);
    client_read(posting, false, &answer);
    assert_string_equal(answer.body, "ok");
    client_answer_release(&answer);
    int64_t start_ms = test_now_ms();
    test_server_stop(&test);
    assert_in_range(test_now_ms() - start_ms, 0, 1000);
    assert_true(client_sees_close(waiting));
    close(waiting);
    close(posting);
}

static void stopping_keeps_its_budget_when_a_handler_does_not_answer(void **state) {
    struct test_server test;
    (void)state;
    test_server_init(&test, hold);
    test.options.stop_timeout_ms = 200;
    test_server_start(&test);
    int fd = client_open(&test);
    client_say(fd, GET("/"));
    struct sn_http_request *request = take_held();
    int slow = client_open(&test);
    client_say(slow, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    test_sleep_ms(20);
    int64_t start_ms = test_now_ms();
    test_server_ask_stop(&test);
    sn_thread_join(&test.threads[0]);
    assert_in_range(test_now_ms() - start_ms, 190, 1500);
    assert_true(sn_http_request_is_gone(request));
    assert_true(sn_str_equal(sn_http_request_path(request), SN_STR("/"))); /* still readable */
    answer_ok(NULL, request);                                              /* and still due */
    assert_true(client_sees_close(fd));
    test_server_stop(&test);
    close(fd);
    close(slow);
}

static void a_worker_may_be_stopped_before_it_runs(void **state) {
    struct sn_http_server *server;
    struct sn_worker worker;
    (void)state;
    assert_int_equal(
        sn_http_server_open(&(struct sn_http_server_options){.listen = SN_STR("127.0.0.1:0"),
                                                             .worker_count = 1,
                                                             .handle = answer_ok},
                            &server, NULL),
        SN_OK);
    assert_int_equal(sn_http_server_workers(server, &worker, 1), 1);
    worker.stop(worker.ctx);
    worker.run(worker.ctx);
    sn_http_server_close(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_in_multiples_of_128_do_not_stall),
        cmocka_unit_test(several_workers_share_the_port),
        cmocka_unit_test(silent_connections_are_closed),
        cmocka_unit_test(slow_headers_are_closed_however_they_drip),
        cmocka_unit_test(slow_bodies_are_closed_however_they_drip),
        cmocka_unit_test(idle_connections_are_closed_and_slow_second_requests_too),
        cmocka_unit_test(deadlines_follow_the_given_clock),
        cmocka_unit_test(clients_that_take_nothing_are_cut_off),
        cmocka_unit_test(no_wake_is_lost),
        cmocka_unit_test(stopping_with_idle_connections_takes_no_time),
        cmocka_unit_test(stopping_finishes_what_is_in_flight),
        cmocka_unit_test(stopping_keeps_its_budget_when_a_handler_does_not_answer),
        cmocka_unit_test(a_worker_may_be_stopped_before_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
