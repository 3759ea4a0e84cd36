/* GET /api/v1/stream over HTTP: events arrive, mistakes are told before, and streams end. */
#include "api_support.h"

#include "api/stream_hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 65536, SLOW_CLIENTS = 200 };

/* A stream that is open, and what came of it so far. */
struct stream {
    int fd;
    size_t len;
    char text[TEXT_BYTES];
};

static struct stream *open_stream(const struct test_server *server, const char *target,
                                  const char *headers) {
    struct stream *stream = calloc(1, sizeof *stream);
    assert_non_null(stream);
    stream->fd = client_send(server, "GET", target, headers, SN_STR(""));
    return stream;
}

/* Read until the text is there. */
static void await_text(struct stream *stream, const char *words) {
    while (strstr(stream->text, words) == NULL) {
        ssize_t got = recv(stream->fd, stream->text + stream->len, TEXT_BYTES - 1 - stream->len, 0);
        if (got <= 0)
            fail_msg("no \"%s\" in %s", words, stream->text);
        stream->len += (size_t)got;
    }
}

static bool ends(struct stream *stream) {
    ssize_t got;
    while ((got = recv(stream->fd, stream->text, sizeof stream->text, 0)) > 0) {
    }
    return got == 0;
}

static void close_stream(struct stream *stream) {
    (void)close(stream->fd);
    free(stream);
}

static struct sn_stream_stats stats_of(const struct test_server *server) {
    struct sn_stream_stats stats;
    sn_api_stream_stats(server->api, &stats);
    return stats;
}

static void await_clients(const struct test_server *server, uint64_t count) {
    while (stats_of(server).clients_now != count)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void topics_arrive_as_events(void **state) {
    struct test_server *server = *state;
    struct stream *stream =
        open_stream(server,
                    "/api/v1/stream?topics=tick,history&q.a=up&q.b=rate(up%5B1m%5D)&step=1s"
                    "&columns=avg",
                    "");
    await_text(stream, "event: tick\ndata: {\"t\":1700000000,\"step\":1}\n\n");
    await_text(stream, "id: 1700000000000\nevent: history\ndata: {\"start\":1699999998,"
                       "\"end\":1700000000,\"step\":1,\"t\":[1699999998,1699999999,1700000000],"
                       "\"results\":{\"a\":{\"series\":[{\"labels\":{\"__name__\":\"up\"},"
                       "\"avg\":[null,1,null]}]},\"b\":{\"series\":[]");
    assert_non_null(strstr(stream->text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(stream->text, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(stream->text, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(stream->text, "retry: 2000\n\n"));
    close_stream(stream);
    await_clients(server, 0);
}

static void a_client_that_comes_back_goes_on_where_it_was(void **state) {
    struct test_server *server = *state;
    struct stream *stream = open_stream(server, "/api/v1/stream?topics=history&q.a=up&step=1s",
                                        "Last-Event-ID: 1699999990000\r\n");
    await_text(stream, "\"start\":1699999989,");
    close_stream(stream);
    stream = open_stream(server, "/api/v1/stream?topics=history&q.a=up&step=1s",
                         "Last-Event-ID: of another server\r\n");
    await_text(stream, "\"start\":1699999998,");
    close_stream(stream);
    await_clients(server, 0);
}

static void mistakes_are_told_before_the_stream(void **state) {
    static const struct {
        const char *target, *words;
    } cases[] = {
        {"/api/v1/stream", "topics is missing"},
        {"/api/v1/stream?topics=logs", "none of tick, overview, history"},
        {"/api/v1/stream?topics=history&q.a=rat(up)", "parameter q.a: 1:1: parse error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_ask_fails(*state, "GET", cases[i].target, "", "", 400, "bad_data", cases[i].words);
    assert_int_equal(stats_of(*state).clients_total, 0);
}

static void head_has_no_events(void **state) {
    struct reply reply;
    ask(*state, "HEAD", "/api/v1/stream?topics=tick", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    reply_release(&reply);
    await_clients(*state, 0);
}

/* They keep their sockets open and read nothing. */
static void two_hundred_clients_that_do_not_read_hold_nobody_up(void **state) {
    struct test_server *server = *state;
    static int fds[SLOW_CLIENTS];
    for (size_t i = 0; i < SLOW_CLIENTS; i++)
        fds[i] =
            client_send(server, "GET", "/api/v1/stream?topics=tick,history&q.a=up", "", SN_STR(""));
    await_clients(server, SLOW_CLIENTS);
    assert_int_equal(stats_of(server).channels_now, 2);
    struct stream *stream = open_stream(server, "/api/v1/stream?topics=tick,history&q.a=up", "");
    await_text(stream, "event: history");
    for (int i = 1; i <= 3; i++) {
        char words[64];
        sn_fake_clock_advance_ms(&server->clock, 1000);
        (void)snprintf(words, sizeof words, "id: %lld\n", (long long)(NOW_MS + i * 1000));
        await_text(stream, words);
        assert_true(stats_of(server).bytes_now < 65536);
    }
    for (size_t i = 0; i < SLOW_CLIENTS; i++)
        (void)close(fds[i]);
    close_stream(stream);
    await_clients(server, 0);
    while (stats_of(server).channels_now > 0) /* an event is being written: it goes with it */
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(stats_of(server).bytes_now, 0);
}

static void streams_end_when_the_server_stops(void **state) {
    struct test_server *server = *state;
    struct stream *stream = open_stream(server, "/api/v1/stream?topics=tick", "");
    await_text(stream, "event: tick");
    server->workers[0].stop(server->workers[0].ctx); /* that of HTTP */
    assert_true(ends(stream));
    close_stream(stream);
    await_clients(server, 0);
}

static void a_stream_needs_a_reader(void **state) {
    struct reply reply;
    ask(*state, "GET", "/api/v1/stream?topics=tick", "", "", &reply);
    assert_error(&reply, 401, "unauthorized", "not signed in");
    reply_release(&reply);
    ask(*state, "POST", "/api/auth/login", "",
        "{\"name\":\"ann\",\"password\":\"" TEST_PASSWORD "\"}", &reply);
    const char *token = strstr(reply.body, "\"token\":\"");
    assert_non_null(token);
    char header[128];
    (void)snprintf(header, sizeof header, "Authorization: Bearer %.47s\r\n", token + 9);
    reply_release(&reply);
    struct stream *streams[SN_STREAM_CLIENTS_PER_USER_MAX];
    for (size_t i = 0; i < SN_STREAM_CLIENTS_PER_USER_MAX; i++) {
        streams[i] = open_stream(*state, "/api/v1/stream?topics=tick", header);
        await_text(streams[i], "event: tick");
    }
    assert_ask_fails(*state, "GET", "/api/v1/stream?topics=tick", header, "", 429, "busy",
                     "you have 32 streams open");
    for (size_t i = 0; i < SN_STREAM_CLIENTS_PER_USER_MAX; i++)
        close_stream(streams[i]);
    await_clients(*state, 0);
}

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int set_up_accounts(void **state) {
    *state = test_server_start_accounts();
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(topics_arrive_as_events),
        TEST(a_client_that_comes_back_goes_on_where_it_was),
        TEST(mistakes_are_told_before_the_stream),
        TEST(head_has_no_events),
        TEST(two_hundred_clients_that_do_not_read_hold_nobody_up),
        TEST(streams_end_when_the_server_stops),
        cmocka_unit_test_setup_teardown(a_stream_needs_a_reader, set_up_accounts, tear_down),
    };
    return cmocka_run_group_tests_name("stream_api", tests, NULL, NULL);
}
