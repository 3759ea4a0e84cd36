/* The envelope: which failure is which HTTP status, warnings, gzip, no memory. */
#include "api/prom_priv.h"

#include "base/mem.h"
#include "prom_support.h"

#include <math.h>

static struct scripted_engine script;
static struct test_server *server;

static int set_up(void **state) {
    (void)state;
    memset(&script, 0, sizeof script);
    server = prom_server_start(&script);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

static void failures_of_the_engine_have_their_status(void **state) {
    (void)state;
    static const struct {
        sn_status status;
        int http;
        const char *type;
    } rows[] = {
        {SN_ERR_INVALID, 422, "execution"}, {SN_ERR_LIMIT, 422, "execution"},
        {SN_ERR_TIMEOUT, 503, "timeout"},   {SN_ERR_CLOSED, 503, "canceled"},
        {SN_ERR_BUSY, 429, "busy"},         {SN_ERR_NO_MEMORY, 503, "unavailable"},
        {SN_ERR_CORRUPT, 500, "internal"},  {SN_ERR_IO, 503, "unavailable"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script.status = rows[i].status;
        assert_ask_fails(server, "GET", "/api/v1/query?query=1", "", "", rows[i].http, rows[i].type,
                         "the engine said no");
    }
}

static void warnings_and_infos_follow_the_data(void **state) {
    (void)state;
    static const struct sn_str warnings[] = {SN_STR("w1"), SN_STR("w2")}, infos[] = {SN_STR("i")};
    const struct sn_query_result result = {
        .kind = SN_RESULT_SCALAR,
        .scalar = {NOW_MS, 1},
        .warnings = warnings,
        .warning_count = 2,
        .infos = infos,
        .info_count = 1,
    };
    script.result = &result;
    struct reply reply;
    ask(server, "GET", "/api/v1/query?query=1", "", "", &reply);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":["
                        "1700000000,\"1\"]},\"warnings\":[\"w1\",\"w2\"],\"infos\":[\"i\"]}");
    reply_release(&reply);
}

static void large_answers_are_compressed_when_asked_for(void **state) {
    (void)state;
    const char *target = "/api/v1/query_range?query=temp&start=1699999400&end=" NOW "&step=1";
    struct reply plain, packed;
    ask(server, "GET", target, "", "", &plain);
    ask(server, "GET", target, "Accept-Encoding: gzip\r\n", "", &packed);
    assert_int_equal(plain.status, 200);
    assert_int_equal(packed.status, 200);
    assert_null(reply_header(&plain, "Content-Encoding"));
    assert_string_equal(reply_header(&packed, "Content-Encoding"), "gzip");
    assert_true(packed.body_len < plain.body_len / 4);
    assert_memory_equal(packed.body, "\x1f\x8b", 2);
    reply_release(&plain);
    reply_release(&packed);
}

static void without_memory_every_answer_is_an_error_and_nothing_leaks(void **state) {
    (void)state;
    int http = 0;
    for (script.fail_nth = 1; http != 200; script.fail_nth++) {
        struct reply reply;
        ask(server, "GET", "/api/v1/query?query=sum(temp)&limit=1", "", "", &reply);
        sn_mem_fail_nth(0);
        http = reply.status;
        if (http != 200)
            assert_int_equal(http, 503);
        assert_true(script.fail_nth < 200);
        reply_release(&reply);
    }
    assert_true(script.fail_nth > 3);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(failures_of_the_engine_have_their_status),
        TEST(warnings_and_infos_follow_the_data),
        TEST(large_answers_are_compressed_when_asked_for),
        TEST(without_memory_every_answer_is_an_error_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("prom_call", tests, NULL, NULL);
}
