/* Tests of answers: gzip, headers, errors, no memory. */
#include "http_support.h"

#include "base/mem.h"
#include "net/http_priv.h"

#include <stdlib.h>
#include <unistd.h>

static char text[3000];
static _Atomic uint64_t failing_allocation; /* and all after it; 0: none */
static _Atomic bool is_failure_fired;

static void respond_buf(struct sn_http_request *request, bool is_overfull) {
    struct sn_buf body;
    sn_buf_init(&body, is_overfull ? 10 : 0);
    sn_buf_put(&body, text, sizeof(text));
    sn_http_respond(request, &(struct sn_http_response){.status = 200,
                                                        .content_type = "application/json",
                                                        .body_buf = &body});
    assert_null(body.ptr);
}

static void respond_text(struct sn_http_request *request, size_t len, const char *type) {
    sn_http_respond(request, &(struct sn_http_response){.status = 200,
                                                        .content_type = type,
                                                        .body = sn_str_make(text, len)});
}

static void respond_with_headers(struct sn_http_request *request) {
    const struct sn_http_header headers[] = {{"X-One", "1"}, {"X-Two", "two 2"}};
    sn_http_respond(request,
                    &(struct sn_http_response){
                        .status = 201, .headers = headers, .header_count = 2, .is_close = true});
}

static void respond_encoded(struct sn_http_request *request) {
    const struct sn_http_header header = {"content-encoding", "x-test"};
    sn_http_respond(request, &(struct sn_http_response){.status = 200,
                                                        .content_type = "text/plain",
                                                        .body = sn_str_make(text, sizeof(text)),
                                                        .headers = &header,
                                                        .header_count = 1});
}

static void handle(void *ctx, struct sn_http_request *request) {
    struct sn_str path = sn_http_request_path(request);
    (void)ctx;
    sn_mem_fail_from(atomic_load(&failing_allocation));
    if (sn_str_equal(path, SN_STR("/text")))
        respond_text(request, sizeof(text), "text/plain; charset=utf-8");
    else if (sn_str_equal(path, SN_STR("/small")))
        respond_text(request, 1024, "text/plain");
    else if (sn_str_equal(path, SN_STR("/more")))
        respond_text(request, 1025, "text/plain");
    else if (sn_str_equal(path, SN_STR("/image")))
        respond_text(request, sizeof(text), "image/png");
    else if (sn_str_equal(path, SN_STR("/buf")))
        respond_buf(request, false);
    else if (sn_str_equal(path, SN_STR("/overfull")))
        respond_buf(request, true);
    else if (sn_str_equal(path, SN_STR("/headers")))
        respond_with_headers(request);
    else if (sn_str_equal(path, SN_STR("/encoded")))
        respond_encoded(request);
    else if (sn_str_equal(path, SN_STR("/method")))
        sn_http_respond_not_allowed(request, "GET, HEAD");
    else if (sn_str_equal(path, SN_STR("/error")))
        sn_http_respond_error(request, 422, "execution", "a \"quoted\" thing\nfailed");
    else
        sn_http_respond_not_found(request);
    atomic_store(&is_failure_fired, sn_mem_fail_fired());
    sn_mem_fail_from(0);
}

static int set_up(void **state) {
    static struct test_server test;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 7);
    atomic_store(&failing_allocation, 0);
    test_server_init(&test, handle);
    test_server_start(&test);
    *state = &test;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void ask(void **state, const char *path, const char *headers, int status,
                struct client_answer *ret_answer) {
    char request[512];
    int fd = client_open(*state);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, headers);
    client_ask(fd, request, status, ret_answer);
    close(fd);
}

static void expect_plain(void **state, const char *path, const char *headers, size_t len) {
    struct client_answer answer;
    ask(state, path, headers, 200, &answer);
    assert_int_equal(answer.body_len, len);
    assert_memory_equal(answer.body, text, len);
    client_answer_release(&answer);
}

static void expect_gzip(void **state, const char *path, const char *headers, size_t len) {
    struct client_answer answer;
    struct sn_buf plain;
    ask(state, path, headers, 200, &answer);
    assert_non_null(client_header(&answer, "Content-Encoding"));
    assert_string_equal(client_header(&answer, "Content-Encoding"), "gzip");
    assert_string_equal(client_header(&answer, "Vary"), "Accept-Encoding");
    assert_true(answer.body_len < len / 4);
    sn_buf_init(&plain, 0);
    assert_int_equal(sn_http_inflate(sn_str_make(answer.body, answer.body_len), &plain, NULL),
                     SN_OK);
    assert_int_equal(plain.len, len);
    assert_memory_equal(plain.ptr, text, len);
    sn_buf_release(&plain);
    client_answer_release(&answer);
}

static void large_texts_are_gzipped_for_those_who_accept_it(void **state) {
    expect_gzip(state, "/text", "Accept-Encoding: gzip\r\n", sizeof(text));
    expect_gzip(state, "/buf", "accept-encoding: br, gzip;q=0.5\r\n", sizeof(text));
    expect_gzip(state, "/more", "Accept-Encoding: *\r\n", 1025);
    expect_plain(state, "/text", "", sizeof(text));
    expect_plain(state, "/buf", "Accept-Encoding: gzip;q=0\r\n", sizeof(text));
    expect_plain(state, "/small", "Accept-Encoding: gzip\r\n", 1024);
    expect_plain(state, "/image", "Accept-Encoding: gzip\r\n", sizeof(text));
    expect_plain(state, "/encoded", "Accept-Encoding: gzip\r\n", sizeof(text));
}

static void headers_and_closing_are_as_told(void **state) {
    struct client_answer answer;
    ask(state, "/headers", "", 201, &answer);
    assert_string_equal(client_header(&answer, "X-One"), "1");
    assert_string_equal(client_header(&answer, "X-Two"), "two 2");
    assert_string_equal(client_header(&answer, "Connection"), "close");
    assert_null(client_header(&answer, "Content-Type"));
    assert_int_equal(answer.body_len, 0);
    client_answer_release(&answer);
}

static void errors_are_json_with_escapes(void **state) {
    struct client_answer answer;
    ask(state, "/error", "", 422, &answer);
    assert_string_equal(client_header(&answer, "Content-Type"), "application/json");
    assert_string_equal(answer.body, "{\"status\":\"error\",\"errorType\":\"execution\","
                                     "\"error\":\"a \\\"quoted\\\" thing\\nfailed\"}");
    client_answer_release(&answer);
}

static void unknown_paths_and_methods_are_404_and_405(void **state) {
    struct client_answer answer;
    ask(state, "/nothing", "", 404, &answer);
    assert_non_null(strstr(answer.body, "\"errorType\":\"not_found\""));
    client_answer_release(&answer);
    ask(state, "/method", "", 405, &answer);
    assert_string_equal(client_header(&answer, "Allow"), "GET, HEAD");
    client_answer_release(&answer);
}

static void an_answer_that_was_not_completed_is_500(void **state) {
    struct client_answer answer;
    ask(state, "/overfull", "", 500, &answer);
    client_answer_release(&answer);
}

static void without_memory_the_client_still_gets_an_answer(void **state) {
#ifndef SN_FAULTS
    skip();
#endif
    static const char *const paths[] = {"/text", "/buf", "/error"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        bool is_refused = false;
        for (uint64_t n = 1;; n++) {
            struct client_answer answer;
            char request[128];
            int fd = client_open(*state);
            atomic_store(&failing_allocation, n);
            (void)snprintf(request, sizeof(request),
                           "GET %s HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", paths[i]);
            client_say(fd, request);
            client_read(fd, false, &answer);
            /* A failing gzip is no reason to refuse; an error may lose its words. */
            assert_true(answer.status >= 500 || answer.status == 200 || answer.status == 422);
            is_refused |= answer.status >= 500 || answer.body_len == 0;
            client_answer_release(&answer);
            close(fd);
            if (!atomic_load(&is_failure_fired))
                break;
        }
        assert_true(is_refused);
    }
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(large_texts_are_gzipped_for_those_who_accept_it),
        SERVED(headers_and_closing_are_as_told),
        SERVED(errors_are_json_with_escapes),
        SERVED(unknown_paths_and_methods_are_404_and_405),
        SERVED(an_answer_that_was_not_completed_is_500),
        SERVED(without_memory_the_client_still_gets_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
