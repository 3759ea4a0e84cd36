/* Tests of answers: what is read, what is refused, what is not complete, limits at n and n + 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/push_response_priv.h"

#include <stdlib.h>

static sn_status parse(const char *text, struct sn_push_head *ret_head) {
    struct sn_err err = {SN_OK, ""};
    sn_status status = sn_push_head_parse(sn_str_from(text), ret_head, &err);
    assert_int_equal(status != SN_OK && status != SN_ERR_BUSY, err.text[0] != '\0');
    return status;
}

static void heads_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct sn_push_head head; /* head_len: 0 stands for all */
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", {200, 38, true, 5, true, 0}},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", {200, 38, true, 5, false, 0}},
        {"HTTP/1.1 200\ncontent-LENGTH:5\n\n", {200, 0, true, 5, true, 0}},
        {"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n", {204, 0, true, 0, true, 0}},
        {"HTTP/1.1 100 Continue\r\n\r\n", {100, 0, true, 0, true, 0}},
        {"HTTP/1.1 200 OK\r\n\r\n", {200, 0, false, 0, false, 0}},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         {200, 0, false, 0, false, 0}},
        {"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
         {200, 0, true, 0, false, 0}},
        {"HTTP/1.1 503 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
         {503, 0, true, 0, true, 120}},
        {"HTTP/1.1 503 x\r\nRetry-After: 86401\r\nContent-Length: 0\r\n\r\n",
         {503, 0, true, 0, true, 86400}},
        {"HTTP/1.1 503 x\r\nRetry-After: Sun, 22 Nov\r\nContent-Length: 0\r\n\r\n",
         {503, 0, true, 0, true, 0}},
        {"HTTP/1.1 599 x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
         {599, 0, true, 1, true, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_push_head head;
        const struct sn_push_head *expected = &cases[i].head;
        assert_int_equal(parse(cases[i].text, &head), SN_OK);
        assert_int_equal(head.status, expected->status);
        assert_int_equal(head.head_len,
                         expected->head_len != 0 ? expected->head_len : strlen(cases[i].text));
        assert_int_equal(head.has_body_len, expected->has_body_len);
        assert_int_equal(head.body_len, expected->body_len);
        assert_int_equal(head.is_kept, expected->is_kept);
        assert_int_equal(head.retry_after_s, expected->retry_after_s);
    }
}

static void every_beginning_of_a_head_waits_for_more(void **state) {
    (void)state;
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    struct sn_push_head head;
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_int_equal(sn_push_head_parse(sn_str_make(text, len), &head, NULL), SN_ERR_BUSY);
}

static void what_is_no_http_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "\n\n",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 600 x\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 2000 x\r\n\r\n",
        "HTTP/1.1 20x OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    };
    struct sn_push_head head;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(parse(texts[i], &head), SN_ERR_CORRUPT);
}

static void the_head_is_limited_at_n_and_n_plus_1(void **state) {
    (void)state;
    static const char start[] = "HTTP/1.1 200 OK\r\nx:";
    char *text = malloc(SN_PUSH_HEAD_BYTES_MAX + 1);
    struct sn_push_head head;
    for (size_t more = 0; more < 2; more++) {
        size_t len = SN_PUSH_HEAD_BYTES_MAX + more;
        memset(text, 'y', len);
        memcpy(text, start, sizeof start - 1);
        memcpy(text + len - 4, "\r\n\r\n", 4);
        assert_int_equal(sn_push_head_parse(sn_str_make(text, len), &head, NULL),
                         more == 0 ? SN_OK : SN_ERR_LIMIT);
    }
    free(text);
}

static void the_count_is_found_in_the_body(void **state) {
    (void)state;
    uint64_t count = 0;
    assert_int_equal(sn_push_accepted_parse(SN_STR("{\"data\":{\"accepted\":12,"), &count), SN_OK);
    assert_int_equal(count, 12);
    assert_int_equal(sn_push_accepted_parse(SN_STR("\"accepted\":  7"), &count), SN_OK);
    assert_int_equal(count, 7);
    static const char *const none[] = {"", "{}", "\"accepted\":", "\"accepted\":-1",
                                       "\"accepted\":99999999999999999999"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(sn_push_accepted_parse(sn_str_from(none[i]), &count), SN_ERR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read),
        cmocka_unit_test(every_beginning_of_a_head_waits_for_more),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(the_head_is_limited_at_n_and_n_plus_1),
        cmocka_unit_test(the_count_is_found_in_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
