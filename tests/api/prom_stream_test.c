/* Large results, which are sent in pieces: the same bytes as at once, and nothing is kept behind. */
#include "api/prom_priv.h"

#include "base/mem.h"
#include "prom_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { SERIES = 40, POINTS = 300, HISTOGRAMS = 9 };

static struct scripted_engine script;
static struct test_server *server;

/* A matrix of series with values, with histograms, with both and without labels. */
static struct sn_result_series series[SERIES];
static struct sn_label labels[SERIES];
static char names[SERIES][16];
static int64_t time_ms[POINTS], histogram_time_ms[HISTOGRAMS];
static double value[POINTS];
static struct sn_histogram histograms[HISTOGRAMS];
static const struct sn_str texts[] = {SN_STR("first \"note\""), SN_STR("second")};
static struct sn_query_result result;

static void make_result(void) {
    static const double counts[] = {1, 2, 3};
    static const struct sn_bucket_span span = {0, 3};
    for (size_t i = 0; i < POINTS; i++) {
        time_ms[i] = NOW_MS + (int64_t)i * 15500;
        value[i] = (double)i / 8;
    }
    for (size_t i = 0; i < HISTOGRAMS; i++) {
        histogram_time_ms[i] = NOW_MS + (int64_t)i * 15000;
        histograms[i] = (struct sn_histogram){.count = 6,
                                              .sum = (double)i,
                                              .positive_spans = &span,
                                              .positive_counts = counts,
                                              .positive_span_count = 1,
                                              .positive_bucket_count = 3};
    }
    for (size_t i = 0; i < SERIES; i++) {
        int len = snprintf(names[i], sizeof names[i], "s%zu", i);
        labels[i] = (struct sn_label){SN_STR("__name__"), sn_str_make(names[i], (size_t)len)};
        series[i] = (struct sn_result_series){.labels = {&labels[i], i % 5 > 0},
                                              .time_ms = time_ms,
                                              .value = value,
                                              .count = i % 4 == 3 ? 0 : POINTS - i % 3,
                                              .histogram_time_ms = histogram_time_ms,
                                              .histograms = histograms,
                                              .histogram_count = i % 4 >= 2 ? HISTOGRAMS : 0};
    }
    result = (struct sn_query_result){.kind = SN_RESULT_MATRIX,
                                      .series = series,
                                      .series_count = SERIES,
                                      .warnings = texts,
                                      .warning_count = 2,
                                      .infos = texts,
                                      .info_count = 1};
}

static int set_up(void **state) {
    (void)state;
    make_result();
    script = (struct scripted_engine){.result = &result};
    server = prom_server_start(&script);
    server->api->stream_points_min = 8192;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

/* The whole answer, written at once. */
static void write_at_once(struct sn_buf *buf, size_t limit, bool has_stats) {
    struct sn_json_writer json;
    sn_buf_init(buf, 0);
    sn_json_write_init(&json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(&json, SN_STR("data"));
    sn_prom_write_result(&json, &result, limit, has_stats);
    sn_prom_write_end(&json, result.warnings, result.warning_count, result.infos,
                      result.info_count);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(buf, '\0');
}

/* closed() runs when the last byte is on its way, perhaps a moment after we have read it. */
static void assert_nothing_is_kept(void) {
    for (int i = 0; i < 2000 && atomic_load(&server->api->streamed_bytes) > 0; i++)
        (void)usleep(5000);
    assert_int_equal(atomic_load(&server->api->streamed_bytes), 0);
}

#define QUERY "/api/v1/query_range?query=x&start=0&end=1&step=1"

static void pieces_make_what_is_written_at_once(void **state) {
    (void)state;
    struct reply reply;
    struct sn_buf wanted;
    write_at_once(&wanted, 0, true);
    ask(server, "GET", QUERY "&stats=all", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Transfer-Encoding"), "chunked");
    assert_string_equal(reply_header(&reply, "Content-Type"), "application/json");
    assert_string_equal(reply_header(&reply, "Vary"), "Accept-Encoding");
    assert_false(reply.is_cut);
    assert_string_equal(reply.body, (const char *)wanted.ptr);
    assert_json(&reply);
    reply_release(&reply);
    sn_buf_release(&wanted);
    assert_nothing_is_kept();
}

static void a_limit_cuts_a_large_result(void **state) {
    (void)state;
    static const struct sn_str warnings[] = {SN_STR("results truncated due to limit"),
                                             SN_STR("first \"note\""), SN_STR("second")};
    struct reply reply;
    struct sn_buf wanted;
    ask(server, "GET", QUERY "&limit=39", "", "", &reply);
    result.warnings = warnings;
    result.warning_count = 3;
    write_at_once(&wanted, 39, false);
    assert_string_equal(reply.body, (const char *)wanted.ptr);
    reply_release(&reply);
    sn_buf_release(&wanted);
}

static void a_large_vector_is_sent_in_pieces_as_well(void **state) {
    (void)state;
    static struct sn_result_series many[2000];
    struct reply reply;
    struct sn_buf wanted;
    for (size_t i = 0; i < 2000; i++)
        many[i] = (struct sn_result_series){
            .labels = series[i % SERIES].labels, .time_ms = time_ms, .value = value, .count = 1};
    result =
        (struct sn_query_result){.kind = SN_RESULT_VECTOR, .series = many, .series_count = 2000};
    write_at_once(&wanted, 0, false);
    ask(server, "GET", "/api/v1/query?query=x", "", "", &reply);
    assert_string_equal(reply_header(&reply, "Transfer-Encoding"), "chunked");
    assert_string_equal(reply.body, (const char *)wanted.ptr);
    reply_release(&reply);
    sn_buf_release(&wanted);
}

static void a_small_result_is_answered_at_once(void **state) {
    (void)state;
    struct reply reply;
    server->api->stream_points_min = SN_API_STREAM_POINTS_MIN;
    ask(server, "GET", QUERY, "", "", &reply);
    assert_null(reply_header(&reply, "Transfer-Encoding"));
    assert_non_null(reply_header(&reply, "Content-Length"));
    assert_json(&reply);
    reply_release(&reply);
}

static void a_client_that_accepts_gzip_gets_it(void **state) {
    (void)state;
    struct reply reply;
    struct sn_buf wanted;
    z_stream zlib = {.avail_in = 0};
    write_at_once(&wanted, 0, false);
    ask(server, "GET", QUERY, "Accept-Encoding: gzip\r\n", "", &reply);
    assert_string_equal(reply_header(&reply, "Content-Encoding"), "gzip");
    assert_true(reply.body_len < wanted.len / 4);
    char *plain = calloc(1, wanted.len + 1);
    assert_non_null(plain);
    assert_int_equal(inflateInit2(&zlib, 15 + 16), Z_OK);
    zlib.next_in = (Bytef *)reply.body;
    zlib.avail_in = (uInt)reply.body_len;
    zlib.next_out = (Bytef *)plain;
    zlib.avail_out = (uInt)wanted.len;
    assert_int_equal(inflate(&zlib, Z_FINISH), Z_STREAM_END);
    (void)inflateEnd(&zlib);
    assert_string_equal(plain, (const char *)wanted.ptr);
    free(plain);
    sn_buf_release(&wanted);
    reply_release(&reply);
}

static void head_is_answered_without_the_result(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "HEAD", QUERY, "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    reply_release(&reply);
    assert_nothing_is_kept();
}

static void what_all_results_hold_together_is_limited(void **state) {
    (void)state;
    struct reply reply;
    /* What is charged is the arena of the call, so let the real engine fill one. */
    script.result = NULL;
    atomic_store(&server->api->streamed_bytes, SN_PROM_STREAMED_BYTES_MAX);
    const char *target = "/api/v1/query_range?query=vector(time())&start=0&end=9000&step=1";
    assert_ask_fails(server, "GET", target, "", "", 429, "busy",
                     "2147483648 are being sent to other clients; together the limit is");
    assert_int_equal(atomic_load(&server->api->streamed_bytes), SN_PROM_STREAMED_BYTES_MAX);
    atomic_store(&server->api->streamed_bytes, 0);
    ask(server, "GET", target, "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "[4711,\"4711\"],[4712,\"4712\"]"));
    assert_json(&reply);
    reply_release(&reply);
    assert_nothing_is_kept();
}

/* 40 MB, more than the sockets take. */
static void a_client_that_leaves_frees_its_result(void **state) {
    (void)state;
    static struct sn_result_series many[5000];
    char first[100];
    struct reply reply;
    ask(server, "GET", QUERY, "", "", &reply); /* what the server keeps for the next one */
    reply_release(&reply);
    assert_nothing_is_kept();
    for (size_t i = 0; i < 5000; i++)
        many[i] = series[i % 2];
    result.series = many;
    result.series_count = 5000;
    int64_t blocks = sn_mem_block_count();
    int fd = client_send(server, "GET", QUERY, "", SN_STR(""));
    assert_true(recv(fd, first, sizeof first, 0) > 0);
    (void)close(fd);
    for (int i = 0; i < 2000 && sn_mem_block_count() > blocks; i++)
        (void)usleep(5000);
    assert_true(sn_mem_block_count() <= blocks);
    assert_nothing_is_kept();
}

/* Cut, so that nobody takes it for whole; or refused; or whole. */
static void without_memory_nothing_wrong_is_said(void **state) {
    (void)state;
    struct sn_buf wanted;
    bool has_failed = true;
    write_at_once(&wanted, 0, false);
    for (uint64_t nth = 1; has_failed && nth < 100; nth++) {
        struct reply reply;
        script.fail_nth = nth;
        ask(server, "GET", QUERY, "Accept-Encoding: identity\r\n", "", &reply);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_true(reply.status == 503 || reply.status == 500 || reply.status == 200);
        bool is_whole = reply.status == 200 && !reply.is_cut;
        assert_true(has_failed || is_whole);
        if (is_whole)
            assert_string_equal(reply.body, (const char *)wanted.ptr);
        reply_release(&reply);
        assert_nothing_is_kept();
    }
    assert_false(has_failed);
    sn_buf_release(&wanted);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pieces_make_what_is_written_at_once),
        TEST(a_limit_cuts_a_large_result),
        TEST(a_large_vector_is_sent_in_pieces_as_well),
        TEST(a_small_result_is_answered_at_once),
        TEST(a_client_that_accepts_gzip_gets_it),
        TEST(head_is_answered_without_the_result),
        TEST(what_all_results_hold_together_is_limited),
        TEST(a_client_that_leaves_frees_its_result),
        TEST(without_memory_nothing_wrong_is_said),
    };
    return cmocka_run_group_tests_name("prom_stream", tests, NULL, NULL);
}
