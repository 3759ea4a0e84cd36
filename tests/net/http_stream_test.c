/* Tests of answers that grow while they are sent. */
#include "http_support.h"

#include "base/mem.h"
#include "net/http_priv.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* A producer with a lock of its own, as a hub of events has one. */
struct source {
    struct sn_mutex mu;
    struct sn_http_request *request; /* NULL once closed */
    size_t ready;                    /* bytes that may be pulled */
    size_t pulled;
    size_t end_at; /* total after which the stream ends; 0: never */
    bool is_failing;
    bool is_endless;
    bool is_compressible;
    uint64_t fail_nth; /* allocation of the answer that fails; 0: none */
    int closed_count;
    bool is_complete;
};

static struct source source;

static enum sn_http_stream_step pull(void *ctx, uint8_t *buf, size_t room, size_t *ret_len) {
    struct source *from = ctx;
    enum sn_http_stream_step step = SN_HTTP_STREAM_WAIT;
    sn_mutex_lock(&from->mu);
    if (from->is_failing) {
        step = SN_HTTP_STREAM_FAIL;
    } else if (from->end_at > 0 && from->pulled == from->end_at) {
        step = SN_HTTP_STREAM_END;
    } else if (from->ready > 0) {
        size_t len = from->ready < room ? from->ready : room;
        for (size_t i = 0; i < len; i++)
            buf[i] = (uint8_t)('a' + (from->pulled + i) % 26);
        from->ready -= len;
        from->pulled += len;
        *ret_len = len;
        step = SN_HTTP_STREAM_DATA;
    }
    sn_mutex_unlock(&from->mu);
    return step;
}

static void closed(void *ctx, bool is_complete) {
    struct source *from = ctx;
    sn_mutex_lock(&from->mu);
    from->request = NULL;
    from->closed_count++;
    from->is_complete = is_complete;
    sn_mutex_unlock(&from->mu);
}

static void handle(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    if (sn_str_equal(sn_http_request_path(request), SN_STR("/plain"))) {
        sn_http_respond(request, &(struct sn_http_response){.status = 200, .body = SN_STR("ok")});
        return;
    }
    sn_mutex_lock(&source.mu);
    source.request = request;
    sn_mutex_unlock(&source.mu);
    if (sn_str_equal(sn_http_request_path(request), SN_STR("/later")))
        return;
    sn_mem_fail_nth(source.fail_nth);
    sn_http_respond_stream(request,
                           &(struct sn_http_stream){.status = 200,
                                                    .content_type = "text/event-stream",
                                                    .pull = pull,
                                                    .closed = closed,
                                                    .ctx = &source,
                                                    .is_endless = source.is_endless,
                                                    .is_compressible = source.is_compressible});
    sn_mem_fail_nth(0);
}

static int set_up(void **state) {
    static struct test_server test;
    memset(&source, 0, sizeof(source));
    sn_mutex_init(&source.mu, SN_RANK_INGEST, "test source");
    test_server_init(&test, handle);
    test_server_start(&test);
    *state = &test;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    sn_mutex_release(&source.mu);
    return 0;
}

/* Make bytes ready and wake, as a hub does: under its lock, if the stream is still there. */
static bool publish(size_t bytes) {
    sn_mutex_lock(&source.mu);
    bool is_open = source.request != NULL;
    source.ready += bytes;
    if (is_open)
        sn_http_stream_wake(source.request);
    sn_mutex_unlock(&source.mu);
    return is_open;
}

static size_t pulled_bytes(void) {
    sn_mutex_lock(&source.mu);
    size_t pulled = source.pulled;
    sn_mutex_unlock(&source.mu);
    return pulled;
}

static bool wait_closed(void) {
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    int count = 0;
    while (count == 0 && test_now_ms() < until_ms) {
        sn_mutex_lock(&source.mu);
        count = source.closed_count;
        sn_mutex_unlock(&source.mu);
        test_sleep_ms(1);
    }
    return count == 1;
}

static void wait_open(void) {
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while (!publish(0)) {
        assert_true(test_now_ms() < until_ms);
        test_sleep_ms(1);
    }
}

static void expect_alphabet(const struct client_answer *answer, size_t len) {
    assert_int_equal(answer->body_len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(answer->body[i], 'a' + (int)(i % 26));
}

static void a_stream_arrives_in_chunks_and_ends(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    source.ready = 1000000;
    source.end_at = 1000000;
    client_ask(fd, GET("/"), 200, &answer);
    assert_true(answer.is_chunked);
    assert_false(answer.is_cut_short);
    assert_string_equal(client_header(&answer, "Content-Type"), "text/event-stream");
    expect_alphabet(&answer, 1000000);
    client_answer_release(&answer);
    assert_true(wait_closed());
    assert_true(source.is_complete);
    client_ask(fd, GET("/plain"), 200, &answer); /* the connection lives on */
    client_answer_release(&answer);
    close(fd);
}

#define GET_GZIP "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"

static void a_compressible_stream_is_gzipped_for_who_accepts_it(void **state) {
    struct client_answer answer;
    struct sn_buf plain;
    int fd = client_open(*state);
    source.is_compressible = true;
    source.ready = 1000000;
    source.end_at = 1000000;
    client_ask(fd, GET_GZIP, 200, &answer);
    assert_string_equal(client_header(&answer, "Content-Encoding"), "gzip");
    assert_string_equal(client_header(&answer, "Vary"), "Accept-Encoding");
    assert_in_range(answer.body_len, 1, 20000);
    sn_buf_init(&plain, 0);
    assert_int_equal(sn_http_inflate(sn_str_make(answer.body, answer.body_len), &plain, NULL),
                     SN_OK);
    client_answer_release(&answer);
    answer.body = (char *)plain.ptr;
    answer.body_len = plain.len;
    expect_alphabet(&answer, 1000000);
    sn_buf_release(&plain);
    assert_true(wait_closed());
    assert_true(source.is_complete);
    source.pulled = 0;
    source.ready = 1000000;
    client_ask(fd, GET("/"), 200, &answer);
    assert_null(client_header(&answer, "Content-Encoding"));
    assert_string_equal(client_header(&answer, "Vary"), "Accept-Encoding");
    expect_alphabet(&answer, 1000000);
    client_answer_release(&answer);
    close(fd);
}

/* Nothing is held back until a block is full. HTTP/1.0: no chunks between the bytes. */
static void what_is_published_can_be_unpacked_at_once(void **state) {
    z_stream zlib = {.avail_in = 0};
    uint8_t packed[4096];
    uint8_t plain[64];
    int fd = client_open(*state);
    source.is_compressible = true;
    client_say(fd, "GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    wait_open();
    assert_true(publish(10));
    assert_int_equal(inflateInit2(&zlib, 15 + 16), Z_OK);
    for (size_t len = 0; zlib.total_out < 10;) {
        ssize_t got = recv(fd, packed + len, sizeof packed - len, 0);
        assert_true(got > 0);
        len += (size_t)got;
        uint8_t *end = memmem(packed, len, "\r\n\r\n", 4);
        if (end == NULL)
            continue;
        (void)inflateReset(&zlib); /* from the start, with all that is there now */
        zlib.next_out = plain;
        zlib.avail_out = sizeof plain;
        zlib.next_in = end + 4;
        zlib.avail_in = (uInt)(packed + len - (end + 4));
        (void)inflate(&zlib, Z_SYNC_FLUSH);
    }
    assert_memory_equal(plain, "abcdefghij", 10);
    (void)inflateEnd(&zlib);
    close(fd);
    assert_true(wait_closed());
}

static void what_is_published_arrives_at_once(void **state) {
    char line[8];
    int fd = client_open(*state);
    client_say(fd, GET("/"));
    wait_open();
    for (int i = 0; i < 200; i++) {
        assert_true(publish(5));
        /* "5\r\nabcde\r\n" after the head; only the count of letters is looked at here. */
        int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
        while (pulled_bytes() < (size_t)(i + 1) * 5)
            assert_true(test_now_ms() < until_ms);
    }
    assert_int_equal(recv(fd, line, sizeof(line), 0), sizeof(line));
    close(fd);
    assert_true(wait_closed());
    assert_false(source.is_complete);
}

static void a_client_that_leaves_a_waiting_stream_is_noticed(void **state) {
    int fd = client_open(*state);
    client_say(fd, GET("/"));
    wait_open();
    publish(10);
    close(fd);
    assert_true(wait_closed());
    assert_false(source.is_complete);
    assert_false(publish(1));
}

static void a_client_that_leaves_a_flowing_stream_is_noticed(void **state) {
    int fd = client_open(*state);
    source.ready = SIZE_MAX / 2;
    client_say(fd, GET("/"));
    char buf[1000];
    assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
    close(fd);
    assert_true(wait_closed());
    assert_false(source.is_complete);
}

static void a_client_that_does_not_read_stops_the_producer(void **state) {
    int fd = client_open(*state);
    source.ready = SIZE_MAX / 2;
    client_say(fd, GET("/"));
    wait_open();
    /* Until the socket buffers are full: when nothing was pulled for a while. */
    size_t before;
    size_t after = pulled_bytes();
    do {
        before = after;
        test_sleep_ms(100);
        after = pulled_bytes();
    } while (after != before || after == 0);
    assert_in_range(after, 1, (size_t)64 << 20); /* what the kernel holds, not what we could give */
    close(fd);
    assert_true(wait_closed());
}

static void expect_cut(const struct test_server *test, const char *request) {
    struct client_answer answer;
    int fd = client_open(test);
    source.ready = 100;
    client_say(fd, request);
    wait_open();
    sn_mutex_lock(&source.mu);
    source.is_failing = true;
    sn_mutex_unlock(&source.mu);
    publish(0);
    client_read(fd, false, &answer);
    assert_true(answer.is_cut_short);
    client_answer_release(&answer);
    close(fd);
    assert_true(wait_closed());
    assert_false(source.is_complete);
}

static void a_failing_stream_is_cut_short(void **state) {
    expect_cut(*state, GET("/"));
}

static void a_failing_stream_is_cut_short_in_gzip(void **state) {
    source.is_compressible = true;
    expect_cut(*state, GET_GZIP);
}

static void without_memory_for_gzip_a_stream_goes_as_it_is(void **state) {
    struct client_answer answer;
    source.is_compressible = true;
    source.end_at = 5000;
    for (source.fail_nth = 1;; source.fail_nth++) {
        int fd = client_open(*state);
        source.pulled = 0;
        source.ready = 5000;
        client_ask(fd, GET_GZIP, 200, &answer);
        close(fd);
        if (client_header(&answer, "Content-Encoding") != NULL)
            break;
        expect_alphabet(&answer, 5000);
        client_answer_release(&answer);
    }
    client_answer_release(&answer);
    assert_true(source.fail_nth > 2); /* our own and zlib's */
}

static void head_of_a_stream_pulls_nothing(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    source.ready = 100;
    client_ask(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    client_answer_release(&answer);
    assert_true(wait_closed());
    assert_true(source.is_complete);
    assert_int_equal(source.pulled, 0);
    /* Nothing is left behind it that the next answer would begin with. */
    client_ask(fd, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    client_answer_release(&answer);
    close(fd);
}

static void http_1_0_gets_a_stream_without_chunks(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    source.ready = 100000;
    source.end_at = 100000;
    client_ask(fd, "GET / HTTP/1.0\r\n\r\n", 200, &answer);
    assert_false(answer.is_chunked);
    expect_alphabet(&answer, 100000);
    client_answer_release(&answer);
    assert_true(wait_closed());
    close(fd);
}

static void a_stream_may_begin_in_another_thread(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    source.end_at = 50;
    client_say(fd, GET("/later"));
    wait_open();
    sn_http_respond_stream(
        source.request,
        &(struct sn_http_stream){.status = 200, .pull = pull, .closed = closed, .ctx = &source});
    publish(50);
    client_read(fd, false, &answer);
    expect_alphabet(&answer, 50);
    client_answer_release(&answer);
    close(fd);
    assert_true(wait_closed());
}

/* Also what a hub does that adds a request before it answers it. */
static void wakes_before_the_answer_do_no_harm(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    source.end_at = 50;
    client_say(fd, GET("/later"));
    wait_open();
    for (int i = 0; i < 50; i++) {
        assert_true(publish(1));
        test_sleep_ms(1);
    }
    sn_http_respond_stream(
        source.request,
        &(struct sn_http_stream){.status = 200, .pull = pull, .closed = closed, .ctx = &source});
    client_read(fd, false, &answer);
    expect_alphabet(&answer, 50);
    client_answer_release(&answer);
    close(fd);
    assert_true(wait_closed());
}

static void endless_streams_end_when_the_server_stops(void **state) {
    struct client_answer answer;
    struct test_server *test = *state;
    int fd = client_open(test);
    source.is_endless = true;
    source.ready = 10;
    client_say(fd, GET("/"));
    int64_t start_ms = test_now_ms();
    while (pulled_bytes() < 10)
        assert_true(test_now_ms() - start_ms < TEST_PATIENCE_MS);
    test_server_ask_stop(test);
    client_read(fd, false, &answer);
    assert_false(answer.is_cut_short);
    client_answer_release(&answer);
    assert_true(wait_closed());
    assert_true(source.is_complete);
    close(fd);
}

static void other_streams_are_cut_at_the_deadline_of_a_stop(void **state) {
    struct client_answer answer;
    struct test_server test;
    (void)state;
    memset(&source, 0, sizeof(source));
    sn_mutex_init(&source.mu, SN_RANK_INGEST, "test source");
    test_server_init(&test, handle);
    test.options.stop_timeout_ms = 100;
    test_server_start(&test);
    int fd = client_open(&test);
    client_say(fd, GET("/"));
    wait_open();
    test_server_stop(&test);
    client_read(fd, false, &answer);
    assert_true(answer.is_cut_short);
    client_answer_release(&answer);
    assert_int_equal(source.closed_count, 1);
    close(fd);
    sn_mutex_release(&source.mu);
}

/* Wakes from several threads while the stream is read and closed: for ThreadSanitizer. */
static void publish_until_closed(void *ctx) {
    (void)ctx;
    while (publish(100)) {
    }
}

static void many_threads_may_wake_one_stream(void **state) {
    struct sn_thread threads[3] = {0};
    char buf[4096];
    int fd = client_open(*state);
    client_say(fd, GET("/"));
    wait_open();
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sn_thread_start(&threads[i], "hub", publish_until_closed, NULL, NULL),
                         SN_OK);
    for (size_t got = 0; got < 1000000;) {
        ssize_t len = recv(fd, buf, sizeof(buf), 0);
        assert_true(len > 0);
        got += (size_t)len;
    }
    close(fd);
    for (size_t i = 0; i < 3; i++)
        sn_thread_join(&threads[i]);
    assert_true(wait_closed());
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(a_stream_arrives_in_chunks_and_ends),
        SERVED(a_compressible_stream_is_gzipped_for_who_accepts_it),
        SERVED(what_is_published_can_be_unpacked_at_once),
        SERVED(what_is_published_arrives_at_once),
        SERVED(a_client_that_leaves_a_waiting_stream_is_noticed),
        SERVED(a_client_that_leaves_a_flowing_stream_is_noticed),
        SERVED(a_client_that_does_not_read_stops_the_producer),
        SERVED(a_failing_stream_is_cut_short),
        SERVED(a_failing_stream_is_cut_short_in_gzip),
        SERVED(without_memory_for_gzip_a_stream_goes_as_it_is),
        SERVED(head_of_a_stream_pulls_nothing),
        SERVED(http_1_0_gets_a_stream_without_chunks),
        SERVED(a_stream_may_begin_in_another_thread),
        SERVED(wakes_before_the_answer_do_no_harm),
        SERVED(endless_streams_end_when_the_server_stops),
        cmocka_unit_test(other_streams_are_cut_at_the_deadline_of_a_stop),
        SERVED(many_threads_may_wake_one_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
