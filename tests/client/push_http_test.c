/* Tests of the HTTP client of push clients against a scripted server, and of its URLs. */
#include "push_support.h"

#include "base/os.h"

#include <errno.h>
#include <stdio.h>

#define NS_PER_MS INT64_C(1000000)

static void urls_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *host, *port, *place, *path;
    } cases[] = {
        {"http://a", "a", "80", "a:80", "/api/v1/import/prometheus"},
        {"http://a:9464/", "a", "9464", "a:9464", "/api/v1/import/prometheus"},
        {"http://127.0.0.1:1/x/y/", "127.0.0.1", "1", "127.0.0.1:1",
         "/x/y/api/v1/import/prometheus"},
        {"http://[::1]:65535", "::1", "65535", "[::1]:65535", "/api/v1/import/prometheus"},
        {"http://[::1]", "::1", "80", "[::1]:80", "/api/v1/import/prometheus"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_push_url url;
        assert_int_equal(sn_push_url_parse(cases[i].text, &url, NULL), SN_OK);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.port, cases[i].port);
        assert_string_equal(url.place, cases[i].place);
        assert_string_equal(url.path, cases[i].path);
    }
}

static void urls_that_are_wrong_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "a:80",
        "ftp://a",
        "http://",
        "http://:80",
        "http://a:0",
        "http://a:65536",
        "http://a:x",
        "http://u:p@a",
        "http://[::1",
        "http://[::1]x",
        "http://::1",
        "http://a?b",
        "http://a/#b",
        "http://a b",
        "http://a\r\nb",
    };
    struct sn_push_url url;
    struct sn_err err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(sn_push_url_parse(texts[i], &url, &err), SN_ERR_INVALID);
    assert_int_equal(sn_push_url_parse("https://a", &url, &err), SN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "https"));
    char text[600] = "http://a/";
    memset(text + 9, 'x', sizeof text - 10);
    assert_int_equal(sn_push_url_parse(text, &url, &err), SN_ERR_INVALID);
    text[8] = 'x';
    assert_int_equal(sn_push_url_parse(text, &url, &err), SN_ERR_INVALID);
}

static struct sn_push_http http;

static void open_http(const struct push_server *server, const char *token) {
    struct sn_push_url url;
    assert_int_equal(sn_push_url_parse(server->url, &url, NULL), SN_OK);
    assert_int_equal(sn_push_http_init(&http, &url, token, NULL), SN_OK);
    http.connect_timeout_ns = http.timeout_ns = 5000 * NS_PER_MS;
}

static struct sn_push_answer post_ok(const char *body) {
    struct sn_push_answer answer;
    struct sn_err err;
    sn_status status = sn_push_http_post(&http, sn_str_from(body), &answer, &err);
    if (status != SN_OK)
        fail_msg("%s", err.text);
    return answer;
}

static sn_status post_fails(struct sn_err *err) {
    struct sn_push_answer answer;
    sn_status status = sn_push_http_post(&http, SN_STR("a 1\n"), &answer, err);
    assert_true(status != SN_OK && err->text[0] != '\0');
    assert_int_equal(http.fd, -1);
    return status;
}

static void end(struct push_server *server) {
    sn_push_http_release(&http);
    push_server_free(server);
}

static void requests_share_a_connection(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_OK_SLOWLY};
    struct push_server *server = push_server_start(script, 1);
    open_http(server, "s3cret");
    for (int i = 0; i < 3; i++)
        assert_int_equal(post_ok("a 1\nb 2\n").accepted, 2);
    assert_int_equal(atomic_load(&server->connection_count), 1);
    assert_non_null(strstr(server->head, "POST /api/v1/import/prometheus HTTP/1.1\r\n"));
    assert_non_null(strstr(server->head, "\r\nHost: 127.0.0.1:"));
    assert_non_null(strstr(server->head, "\r\nContent-Length: 8\r\n"));
    assert_non_null(strstr(server->head, "\r\nAuthorization: Bearer s3cret\r\n"));
    assert_string_equal(server->stored, "a 1\nb 2\na 1\nb 2\na 1\nb 2\n");
    end(server);
}

static void a_connection_that_died_idle_is_replaced(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_OK, PUSH_OK_THEN_CLOSE, PUSH_OK_LENGTHLESS};
    struct push_server *server = push_server_start(script, 3);
    open_http(server, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(post_ok("a 1\n").status, 200);
    assert_int_equal(push_count_lines(server->stored), 5);
    assert_int_equal(atomic_load(&server->connection_count), 3);
    end(server);
}

static void every_status_is_an_answer(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_204, PUSH_400, PUSH_429,
                                              PUSH_503, PUSH_302, PUSH_408};
    static const unsigned statuses[] = {204, 400, 429, 503, 302, 408};
    struct push_server *server = push_server_start(script, 6);
    open_http(server, NULL);
    for (size_t i = 0; i < 6; i++) {
        struct sn_push_answer answer = post_ok("a 1\n");
        assert_int_equal(answer.status, statuses[i]);
        assert_int_equal(answer.retry_after_s, statuses[i] == 429 ? 7 : 0);
        assert_false(answer.has_accepted);
    }
    end(server);
}

static void an_answer_before_the_end_of_the_body_is_heard(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_413_EARLY};
    struct push_server *server = push_server_start(script, 1);
    struct sn_push_answer answer;
    struct sn_err err;
    static char body[8 << 20];
    memset(body, '\n', sizeof body);
    open_http(server, NULL);
    /* The system may throw the answer away with the connection; but nothing else may happen. */
    sn_status status = sn_push_http_post(&http, sn_str_make(body, sizeof body), &answer, &err);
    assert_true(status == SN_ERR_IO || (status == SN_OK && answer.status == 413));
    end(server);
}

static void bad_answers_are_errors(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_CLOSE, PUSH_TRUNCATED, PUSH_GARBAGE,
                                              PUSH_ENDLESS_HEAD};
    static const sn_status expected[] = {SN_ERR_IO, SN_ERR_IO, SN_ERR_CORRUPT, SN_ERR_LIMIT};
    struct push_server *server = push_server_start(script, 4);
    struct sn_err err;
    open_http(server, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(post_fails(&err), expected[i]);
    assert_int_equal(post_ok("a 1\n").status, 200);
    end(server);
}

static void who_hangs_is_left(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_HANG, PUSH_HANG};
    struct push_server *server = push_server_start(script, 2);
    struct sn_err err;
    open_http(server, NULL);
    http.timeout_ns = 60 * NS_PER_MS;
    assert_int_equal(post_fails(&err), SN_ERR_TIMEOUT);
    atomic_store(&http.abort_ns, 0);
    assert_int_equal(post_fails(&err), SN_ERR_CLOSED);
    end(server);
}

static void nobody_there_is_an_error_that_names_the_place(void **state) {
    (void)state;
    struct push_server *server = push_server_start(NULL, 0);
    struct sn_err err;
    open_http(server, NULL);
    push_server_stop(server);
    assert_int_equal(post_fails(&err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "127.0.0.1:"));
    sn_push_http_release(&http);
    (void)snprintf(server->url, sizeof server->url, "http://no.such.host.invalid");
    open_http(server, NULL);
    assert_int_equal(post_fails(&err), SN_ERR_NOT_FOUND);
    end(server);
}

static void tokens_that_could_forge_a_header_are_refused(void **state) {
    (void)state;
    struct sn_push_url url;
    static char token[SN_PUSH_TOKEN_BYTES_MAX + 2];
    assert_int_equal(sn_push_url_parse("http://a", &url, NULL), SN_OK);
    assert_int_equal(sn_push_http_init(&http, &url, "a\r\nb", NULL), SN_ERR_INVALID);
    memset(token, 'x', sizeof token - 2);
    assert_int_equal(sn_push_http_init(&http, &url, token, NULL), SN_OK);
    sn_push_http_release(&http);
    token[SN_PUSH_TOKEN_BYTES_MAX] = 'x';
    assert_int_equal(sn_push_http_init(&http, &url, token, NULL), SN_ERR_INVALID);
}

#ifdef SN_FAULTS
static void every_call_that_fails_is_an_error_and_leaves_no_socket(void **state) {
    (void)state;
    static const enum sn_fault_kind kinds[] = {SN_FAULT_SOCKET, SN_FAULT_SEND, SN_FAULT_RECV};
    struct push_server *server = push_server_start(NULL, 0);
    open_http(server, NULL);
    for (size_t k = 0; k < 3; k++) {
        for (uint64_t n = 1;; n++) {
            struct sn_push_answer answer;
            struct sn_err err;
            sn_push_http_disconnect(&http);
            sn_fault_arm(kinds[k], n, 1, EIO);
            sn_status status = sn_push_http_post(&http, SN_STR("a 1\n"), &answer, &err);
            bool has_fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            assert_true(status == SN_OK || http.fd == -1);
            assert_true(has_fired || status == SN_OK);
            if (!has_fired)
                break;
        }
        sn_push_http_disconnect(&http);
        sn_fault_arm(kinds[k], 1, UINT64_MAX, 0); /* short transfers */
        if (kinds[k] != SN_FAULT_SOCKET)
            assert_int_equal(post_ok("abc 1\n").status, 200);
        sn_fault_disarm_all();
    }
    end(server);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(urls_that_are_wrong_are_refused),
        cmocka_unit_test(requests_share_a_connection),
        cmocka_unit_test(a_connection_that_died_idle_is_replaced),
        cmocka_unit_test(every_status_is_an_answer),
        cmocka_unit_test(an_answer_before_the_end_of_the_body_is_heard),
        cmocka_unit_test(bad_answers_are_errors),
        cmocka_unit_test(who_hangs_is_left),
        cmocka_unit_test(nobody_there_is_an_error_that_names_the_place),
        cmocka_unit_test(tokens_that_could_forge_a_header_are_refused),
#ifdef SN_FAULTS
        cmocka_unit_test(every_call_that_fails_is_an_error_and_leaves_no_socket),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
