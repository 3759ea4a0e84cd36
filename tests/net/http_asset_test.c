/* Tests of files that never change. */
#include "http_support.h"

#include "base/mem.h"
#include "net/http_priv.h"

#include <unistd.h>

static char page[5000];
static struct sn_http_asset *text_asset;
static struct sn_http_asset *image_asset;
static struct sn_http_asset *packed_asset;
static struct sn_buf packed;

static void handle(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    if (sn_str_equal(sn_http_request_path(request), SN_STR("/image")))
        sn_http_respond_asset(request, image_asset);
    else if (sn_str_equal(sn_http_request_path(request), SN_STR("/packed")))
        sn_http_respond_asset(request, packed_asset);
    else
        sn_http_respond_asset(request, text_asset);
}

static int set_up(void **state) {
    static struct test_server test;
    static const struct sn_http_header header = {"X-Frame-Options", "DENY"};
    memset(page, 'x', sizeof(page));
    text_asset = sn_http_asset_new(
        &(struct sn_http_asset_options){.content_type = "text/html; charset=utf-8",
                                        .body = sn_str_make(page, sizeof(page)),
                                        .headers = &header,
                                        .header_count = 1});
    image_asset = sn_http_asset_new(
        &(struct sn_http_asset_options){.content_type = "image/png",
                                        .body = sn_str_make(page, sizeof(page)),
                                        .cache_control = "max-age=31536000, immutable"});
    sn_buf_init(&packed, sizeof(page));
    assert_true(sn_http_deflate(sn_str_make(page, sizeof(page)), 9, &packed));
    packed_asset = sn_http_asset_new(
        &(struct sn_http_asset_options){.content_type = "text/html; charset=utf-8",
                                        .body = sn_str_make(packed.ptr, packed.len),
                                        .is_gzip = true});
    assert_non_null(text_asset);
    assert_non_null(image_asset);
    assert_non_null(packed_asset);
    test_server_init(&test, handle);
    test.options.worker_count = 2;
    test_server_start(&test);
    *state = &test;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    text_asset = sn_http_asset_free(text_asset);
    image_asset = sn_http_asset_free(image_asset);
    packed_asset = sn_http_asset_free(packed_asset);
    sn_buf_release(&packed);
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

static void plain_and_gzip_forms_are_chosen_by_the_client(void **state) {
    struct client_answer answer;
    ask(state, "/", "", 200, &answer);
    assert_int_equal(answer.body_len, sizeof(page));
    assert_string_equal(client_header(&answer, "Cache-Control"), "no-cache");
    assert_string_equal(client_header(&answer, "X-Frame-Options"), "DENY");
    assert_null(client_header(&answer, "Content-Encoding"));
    client_answer_release(&answer);
    ask(state, "/", "Accept-Encoding: gzip\r\n", 200, &answer);
    assert_true(answer.body_len < 100);
    assert_string_equal(client_header(&answer, "Content-Encoding"), "gzip");
    assert_string_equal(client_header(&answer, "Vary"), "Accept-Encoding");
    client_answer_release(&answer);
    ask(state, "/image", "Accept-Encoding: gzip\r\n", 200, &answer);
    assert_int_equal(answer.body_len, sizeof(page));
    assert_string_equal(client_header(&answer, "Cache-Control"), "max-age=31536000, immutable");
    client_answer_release(&answer);
}

static void a_packed_file_is_sent_as_it_is_or_unpacked(void **state) {
    struct client_answer answer;
    ask(state, "/packed", "", 200, &answer);
    assert_int_equal(answer.body_len, sizeof(page));
    assert_memory_equal(answer.body, page, sizeof(page));
    assert_null(client_header(&answer, "Content-Encoding"));
    char etag[64];
    (void)snprintf(etag, sizeof(etag), "%s", client_header(&answer, "ETag"));
    client_answer_release(&answer);
    ask(state, "/packed", "Accept-Encoding: gzip\r\n", 200, &answer);
    assert_int_equal(answer.body_len, packed.len);
    assert_memory_equal(answer.body, packed.ptr, packed.len);
    assert_string_equal(client_header(&answer, "Content-Encoding"), "gzip");
    assert_string_equal(client_header(&answer, "ETag"), etag);
    client_answer_release(&answer);
    /* The same content packed or not: the same name of the content. */
    ask(state, "/", "", 200, &answer);
    assert_string_equal(client_header(&answer, "ETag"), etag);
    client_answer_release(&answer);
}

static void what_does_not_unpack_is_no_asset(void **state) {
    (void)state;
    struct sn_http_asset_options options = {.content_type = "text/html", .is_gzip = true};
    options.body = sn_str_make(page, 100);
    assert_null(sn_http_asset_new(&options));
    options.body = sn_str_make(packed.ptr, packed.len - 1);
    assert_null(sn_http_asset_new(&options));
}

static void a_known_etag_gets_304(void **state) {
    struct client_answer answer;
    char header[128];
    ask(state, "/", "", 200, &answer);
    (void)snprintf(header, sizeof(header), "If-None-Match: \"x\", %s\r\n",
                   client_header(&answer, "ETag"));
    client_answer_release(&answer);
    ask(state, "/", header, 304, &answer);
    assert_non_null(client_header(&answer, "ETag"));
    client_answer_release(&answer);
    ask(state, "/", "If-None-Match: \"x\"\r\n", 200, &answer);
    client_answer_release(&answer);
}

static void head_has_the_length_of_the_file(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    assert_string_equal(client_header(&answer, "Content-Length"), "5000");
    client_answer_release(&answer);
    close(fd);
}

static void many_connections_share_one_asset(void **state) {
    int fds[32];
    for (int i = 0; i < 32; i++)
        fds[i] = client_open(*state);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 32; i++)
            client_say(fds[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        for (int i = 0; i < 32; i++) {
            struct client_answer answer;
            client_read(fds[i], false, &answer);
            assert_int_equal(answer.body_len, sizeof(page));
            client_answer_release(&answer);
        }
    }
    for (int i = 0; i < 32; i++)
        close(fds[i]);
}

static void fail_each_allocation(const struct sn_http_asset_options *options) {
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        struct sn_http_asset *asset = sn_http_asset_new(options);
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(asset != NULL || is_fired); /* without gzip it is still an asset */
        sn_http_asset_free(asset);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!is_fired)
            break;
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    fail_each_allocation(&(struct sn_http_asset_options){.content_type = "text/html",
                                                         .body = sn_str_make(page, sizeof(page))});
    fail_each_allocation(&(struct sn_http_asset_options){
        .content_type = "text/html", .body = sn_str_make(packed.ptr, packed.len), .is_gzip = true});
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(plain_and_gzip_forms_are_chosen_by_the_client),
        SERVED(a_packed_file_is_sent_as_it_is_or_unpacked),
        SERVED(what_does_not_unpack_is_no_asset),
        SERVED(a_known_etag_gets_304),
        SERVED(head_has_the_length_of_the_file),
        SERVED(many_connections_share_one_asset),
        SERVED(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
