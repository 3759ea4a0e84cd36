/* Remote write over HTTP: what it answers, with which headers, and when. */
#include "api_support.h"

#include "base/limits.h"

#include <snappy-c.h>
#include <string.h>
#include <unistd.h>

#define WRITE "/api/v1/write"
#define TYPE_1 "Content-Type: application/x-protobuf\r\n"
#define TYPE_2 "Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\n"
#define SNAPPY "Content-Encoding: snappy\r\n"

/* up 1 @5 in both versions; in 2.0 twice. */
#define SAMPLE "\x12\x0b\x09\0\0\0\0\0\0\xf0\x3f\x10\x05"
#define BODY_1 SN_STR("\x0a\x1d\x0a\x0e\x0a\x08__name__\x12\x02up" SAMPLE)
#define BODY_2 SN_STR("\x22\x00\x22\x08__name__\x22\x02up\x2a\x1e\x0a\x02\x01\x02" SAMPLE SAMPLE)

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static int send_write(const struct test_server *server, const char *headers, struct sn_str plain) {
    char packed[256];
    size_t len = sizeof packed;
    assert_int_equal(snappy_compress(plain.ptr, plain.len, packed, &len), SNAPPY_OK);
    return client_send(server, "POST", WRITE, headers, sn_str_make(packed, len));
}

static void write_body(const struct test_server *server, const char *headers, struct sn_str plain,
                       struct reply *ret_reply) {
    client_receive(send_write(server, headers, plain), ret_reply);
}

static void assert_write_fails(const struct test_server *server, const char *headers,
                               struct sn_str plain, int status, const char *type,
                               const char *words) {
    struct reply reply;
    write_body(server, headers, plain, &reply);
    assert_error(&reply, status, type, words);
    reply_release(&reply);
}

static void version_1_is_taken_and_answered_with_nothing(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    write_body(server, TYPE_1 SNAPPY, BODY_1, &reply);
    assert_int_equal(reply.status, 204);
    assert_int_equal(reply.body_len, 0);
    assert_null(reply_header(&reply, "X-Prometheus-Remote-Write-Samples-Written"));
    assert_string_equal(server->store.text, "up 1 @5\n");
    reply_release(&reply);
}

static void version_2_is_told_what_was_written(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    write_body(server, TYPE_2 SNAPPY, BODY_2, &reply);
    assert_int_equal(reply.status, 204);
    assert_string_equal(reply_header(&reply, "X-Prometheus-Remote-Write-Samples-Written"), "2");
    assert_string_equal(reply_header(&reply, "X-Prometheus-Remote-Write-Histograms-Written"), "0");
    assert_string_equal(reply_header(&reply, "X-Prometheus-Remote-Write-Exemplars-Written"), "0");
    assert_string_equal(server->store.text, "up 1 @5\nup 1 @5\n");
    reply_release(&reply);
}

static void an_empty_request_is_fine_and_an_empty_body_is_not(void **state) {
    struct reply reply;
    write_body(*state, TYPE_1 SNAPPY, SN_STR(""), &reply);
    assert_int_equal(reply.status, 204);
    reply_release(&reply);
    assert_ask_fails(*state, "POST", WRITE, TYPE_1 SNAPPY "Content-Length: 0\r\n", "", 400,
                     "bad_data", "not a snappy block");
}

static void content_types_are_negotiated(void **state) {
    static const struct {
        const char *type;
        int status;
    } cases[] = {
        {"", 204}, /* senders before 2016 */
        {"Content-Type: Application/X-Protobuf\r\n", 204},
        {"Content-Type: application/x-protobuf; proto=prometheus.WriteRequest\r\n", 204},
        {"Content-Type: application/x-protobuf; charset=x; PROTO=\"prometheus.WriteRequest\"\r\n",
         204},
        {"Content-Type: application/x-protobuf;proto=prometheus.WriteRequest2\r\n", 415},
        {"Content-Type: application/x-protobuf;proto=\r\n", 415},
        {"Content-Type: application/json\r\n", 415},
        {"Content-Type: application/x-protobuffer\r\n", 415},
        {"Content-Type: application/x-www-form-urlencoded\r\n", 415},
        {TYPE_2, 400}, /* the body is of 1.0 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply reply;
        char headers[256];
        (void)snprintf(headers, sizeof headers, "%s" SNAPPY, cases[i].type);
        write_body(*state, headers, BODY_1, &reply);
        assert_int_equal(reply.status, cases[i].status);
        reply_release(&reply);
    }
}

static void other_encodings_are_refused(void **state) {
    assert_write_fails(*state, TYPE_1 "Content-Encoding: gzip\r\n", BODY_1, 415, "unsupported",
                       "snappy or zstd");
    assert_write_fails(*state, TYPE_1 "Content-Encoding: identity\r\n", BODY_1, 415, "unsupported",
                       "snappy or zstd");
    assert_write_fails(*state, TYPE_1, BODY_1, 415, "unsupported", "snappy or zstd");
    assert_write_fails(*state, TYPE_1 "Content-Encoding: zstd\r\n", BODY_1, 400, "bad_data",
                       "not valid zstd");
}

static void malformed_bodies_are_refused(void **state) {
    struct test_server *server = *state;
    assert_write_fails(server, TYPE_1 SNAPPY, SN_STR("\xff\xff\xff\xff"), 400, "bad_data",
                       "not a Protobuf message");
    assert_write_fails(server, TYPE_2 SNAPPY, SN_STR("\x2a\x04\x0a\x02\x07\x08"), 400, "bad_data",
                       "series 1: its labels are malformed");
    assert_ask_fails(server, "POST", WRITE, TYPE_1 SNAPPY, "garbage", 400, "bad_data",
                     "snappy block");
    assert_int_equal(server->store.push_count, 0);
}

static void a_snappy_bomb_is_too_large(void **state) {
    struct reply reply;
    int fd = client_send(*state, "POST", WRITE, TYPE_1 SNAPPY, SN_STR("\xff\xff\xff\xff\x0f\0a"));
    client_receive(fd, &reply);
    assert_error(&reply, 413, "too_large", "more than 33554432 bytes");
    reply_release(&reply);
}

static void rejected_samples_are_counted_in_the_sentence(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.duplicate_count = 1;
    write_body(server, TYPE_2 SNAPPY, BODY_2, &reply);
    assert_error(&reply, 400, "bad_data",
                 "accepted 1, rejected 1 (1 duplicate): it is there already");
    assert_string_equal(reply_header(&reply, "X-Prometheus-Remote-Write-Samples-Written"), "1");
    reply_release(&reply);
}

static void a_series_that_is_left_out_is_named(void **state) {
    struct test_server *server = *state;
    assert_write_fails(server, TYPE_1 SNAPPY, SN_STR("\x0a\x0d" SAMPLE), 400, "bad_data",
                       "accepted 0, rejected 1 (1 invalid_labels): series 1: it has no metric "
                       "name");
}

static void failures_that_pass_are_503_and_say_when_to_come_back(void **state) {
    static const struct {
        sn_status status;
        int http;
        const char *type;
    } cases[] = {
        {SN_ERR_BUSY, 503, "unavailable"},      {SN_ERR_NO_SPACE, 503, "unavailable"},
        {SN_ERR_IO, 503, "unavailable"},        {SN_ERR_CLOSED, 503, "unavailable"},
        {SN_ERR_NO_MEMORY, 503, "unavailable"}, {SN_ERR_TIMEOUT, 503, "unavailable"},
        {SN_ERR_INTERNAL, 500, "internal"},
    };
    struct test_server *server = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int later = 0; later < 2; later++) {
            struct reply reply;
            server->store.push_status = later ? SN_OK : cases[i].status;
            server->store.done_status = later ? cases[i].status : SN_OK;
            write_body(server, TYPE_1 SNAPPY, BODY_1, &reply);
            assert_error(&reply, cases[i].http, cases[i].type,
                         later ? "the disk said no" : "the sink said no");
            assert_int_equal(reply_header(&reply, "Retry-After") != NULL, cases[i].http == 503);
            reply_release(&reply);
        }
    }
}

static void nothing_is_answered_before_it_is_durable(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.is_holding_done = true;
    int fd = send_write(server, TYPE_1 SNAPPY, BODY_1);
    test_server_await_pushes(server, 1);
    ask(server, "GET", "/healthz", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    assert_false(client_has_answer(fd));
    test_server_release_done(server);
    client_receive(fd, &reply);
    assert_int_equal(reply.status, 204);
    reply_release(&reply);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(version_1_is_taken_and_answered_with_nothing),
        TEST(version_2_is_told_what_was_written),
        TEST(an_empty_request_is_fine_and_an_empty_body_is_not),
        TEST(content_types_are_negotiated),
        TEST(other_encodings_are_refused),
        TEST(malformed_bodies_are_refused),
        TEST(a_snappy_bomb_is_too_large),
        TEST(rejected_samples_are_counted_in_the_sentence),
        TEST(a_series_that_is_left_out_is_named),
        TEST(failures_that_pass_are_503_and_say_when_to_come_back),
        TEST(nothing_is_answered_before_it_is_durable),
    };
    return cmocka_run_group_tests_name("write_api", tests, NULL, NULL);
}
