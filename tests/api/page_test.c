/* The dashboard: its files, their headers, and what a browser keeps of them. */
#include "api_support.h"

#include "base/mem.h"

#include <stdio.h>

enum { PAGE, SCRIPT, STYLE, FILE_COUNT };

/* Names of script and style carry a hash: the page knows them. */
static struct {
    char path[64];
    const char *content_type;
    const char *words;
    const char *cache_control;
} files[FILE_COUNT] = {
    {"/", "text/html; charset=utf-8", "<div id=\"app\">", "no-cache"},
    {"", "text/javascript; charset=utf-8", "api/v1/history", "public, max-age=31536000, immutable"},
    {"", "text/css; charset=utf-8", "{", "public, max-age=31536000, immutable"},
};

/* Find the name after a word, up to the quote, in the page. */
static void take_name(const char *page, const char *word, int file) {
    const char *at = strstr(page, word);
    assert_non_null(at);
    at += strlen(word);
    (void)snprintf(files[file].path, sizeof files[file].path, "/%.*s", (int)strcspn(at, "\""), at);
}

static int set_up(void **state) {
    struct reply page;
    *state = test_server_start(SN_API_ACCESS_REQUIRED);
    ask(*state, "GET", "/", "", "", &page);
    take_name(page.body, "script src=\"", SCRIPT);
    take_name(page.body, "rel=\"stylesheet\" href=\"", STYLE);
    reply_release(&page);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void every_file_is_served_to_anybody(void **state) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reply reply;
        ask(*state, "GET", files[i].path, "Host: elsewhere.example\r\n", "", &reply);
        assert_int_equal(reply.status, 200);
        assert_string_equal(reply_header(&reply, "Content-Type"), files[i].content_type);
        assert_string_equal(reply_header(&reply, "Cache-Control"), files[i].cache_control);
        assert_non_null(strstr(reply.body, files[i].words));
        reply_release(&reply);
    }
}

static void every_file_carries_the_security_headers(void **state) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reply reply;
        ask(*state, "GET", files[i].path, "", "", &reply);
        const char *policy = reply_header(&reply, "Content-Security-Policy");
        assert_non_null(policy);
        assert_string_equal(policy, "default-src 'none'; script-src 'self'; style-src 'self'; "
                                    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                                    "form-action 'self'; frame-ancestors 'none'");
        assert_string_equal(reply_header(&reply, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(reply_header(&reply, "Referrer-Policy"), "no-referrer");
        reply_release(&reply);
    }
}

/* The policy forbids them; a page that needs them would be blank. */
static void the_page_has_no_inline_script_or_style(void **state) {
    struct reply reply;
    ask(*state, "GET", "/", "", "", &reply);
    assert_null(strstr(reply.body, "<script>"));
    assert_null(strstr(reply.body, "<style"));
    assert_null(strstr(reply.body, " style="));
    assert_null(strstr(reply.body, " onload="));
    assert_null(strstr(reply.body, "http://"));
    assert_null(strstr(reply.body, "https://"));
    reply_release(&reply);
}

static void a_file_that_is_known_is_not_sent_again(void **state) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reply reply;
        char header[256];
        ask(*state, "GET", files[i].path, "", "", &reply);
        const char *etag = reply_header(&reply, "ETag");
        assert_non_null(etag);
        (void)snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
        reply_release(&reply);
        ask(*state, "GET", files[i].path, header, "", &reply);
        assert_int_equal(reply.status, 304);
        assert_int_equal(reply.body_len, 0);
        assert_non_null(reply_header(&reply, "Content-Security-Policy"));
        reply_release(&reply);
        ask(*state, "GET", files[i].path, "If-None-Match: \"other\"\r\n", "", &reply);
        assert_int_equal(reply.status, 200);
        reply_release(&reply);
    }
}

static void head_has_the_headers_of_get_and_no_body(void **state) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct reply get, head;
        char length[32];
        ask(*state, "GET", files[i].path, "", "", &get);
        ask(*state, "HEAD", files[i].path, "", "", &head);
        (void)snprintf(length, sizeof length, "%zu", get.body_len);
        assert_int_equal(head.status, 200);
        assert_int_equal(head.body_len, 0);
        assert_string_equal(reply_header(&head, "Content-Length"), length);
        assert_string_equal(reply_header(&head, "Content-Type"), files[i].content_type);
        reply_release(&get);
        reply_release(&head);
    }
}

static void a_browser_gets_it_compressed(void **state) {
    struct reply plain, small;
    ask(*state, "GET", files[SCRIPT].path, "", "", &plain);
    ask(*state, "GET", files[SCRIPT].path, "Accept-Encoding: gzip\r\n", "", &small);
    assert_null(reply_header(&plain, "Content-Encoding"));
    assert_string_equal(reply_header(&small, "Content-Encoding"), "gzip");
    assert_true(small.body_len < plain.body_len);
    assert_memory_equal(small.body, "\x1f\x8b", 2);
    reply_release(&plain);
    reply_release(&small);
}

static void other_names_are_not_found(void **state) {
    static const char *const paths[] = {"/assets/app.js", "/assets/app-0000000000.js", "/assets/x",
                                        "/assets/app.css.gz"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct reply reply;
        ask(*state, "GET", paths[i], "", "", &reply);
        assert_int_equal(reply.status, 404);
        reply_release(&reply);
    }
}

static void without_memory_the_api_does_not_open_and_leaves_nothing(void **state) {
    (void)state;
#ifdef SN_FAULTS
    const struct sn_api_options options = {.clock = sn_clock_system()};
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        int64_t blocks = sn_mem_block_count();
        struct sn_api *api = NULL;
        struct sn_err err = {.status = SN_OK};
        sn_mem_fail_nth(n);
        sn_status status = sn_api_open(&options, &api, &err);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        if (status != SN_OK) {
            assert_int_equal(status, SN_ERR_NO_MEMORY);
            assert_null(api);
            assert_true(err.text[0] != '\0');
        } else {
            assert_null(sn_api_close(api));
        }
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_true(n < 200);
    }
#endif
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_file_is_served_to_anybody),
        TEST(every_file_carries_the_security_headers),
        TEST(the_page_has_no_inline_script_or_style),
        TEST(a_file_that_is_known_is_not_sent_again),
        TEST(head_has_the_headers_of_get_and_no_body),
        TEST(a_browser_gets_it_compressed),
        TEST(other_names_are_not_found),
        cmocka_unit_test(without_memory_the_api_does_not_open_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
