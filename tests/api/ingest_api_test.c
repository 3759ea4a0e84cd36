/* POST /api/v1/import/prometheus: parameters, the answer, and that it waits for the disk. */
#include "api_support.h"

#include "base/limits.h"

#include <stdio.h>
#include <unistd.h>

#define IMPORT "/api/v1/import/prometheus"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void import(const struct test_server *server, const char *target, const char *body,
                   struct reply *ret_reply) {
    ask(server, "POST", target, FORM, body, ret_reply);
    assert_json(ret_reply);
}

static void assert_taken(struct test_server *server, const char *target, const char *body,
                         const char *text) {
    struct reply reply;
    import(server, target, body, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(server->store.text, text);
    reply_release(&reply);
}

/* ---- what is taken ---- */

static void a_page_is_pushed_and_counted(void **state) {
    struct reply reply;
    import(*state, IMPORT, "a{b=\"c\"} 1 1700000000500\nd 2\n", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"accepted\":2,\"rejected\":{}}}");
    struct test_server *server = *state;
    assert_string_equal(server->store.text, "a{b=\"c\"} 1 @1700000000500\nd 2 @1700000000000\n");
    reply_release(&reply);
}

static void parameters_set_time_and_labels(void **state) {
    assert_taken(*state, IMPORT "?timestamp=1600000000123", "a 1\n", "a 1 @1600000000123\n");
    assert_taken(*state, IMPORT "?extra_label=job=x&extra_label=z=%22a%3Db%22+c", "a 1\n",
                 "a{job=\"x\",z=\"\\\"a=b\\\" c\"} 1 @1700000000000\n");
    assert_taken(*state, IMPORT "?extra_label=job=", "a{job=\"y\"} 1\n",
                 "a{job=\"y\"} 1 @1700000000000\n");
    assert_taken(*state, IMPORT "?timestamp=0", "a 1\n", "a 1 @0\n");
}

static void a_body_that_looks_like_parameters_is_a_page(void **state) {
    assert_ask_fails(*state, "POST", IMPORT, FORM, "timestamp=5", 400, "bad_data", "line 1");
}

static void refused_samples_are_counted_beside_the_taken(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.duplicate_count = 1;
    import(server, IMPORT, "a 1\na 2\n", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"accepted\":1,\"rejected\":{"
                        "\"duplicate\":1},\"first_reject\":\"it is there already\"}}");
    reply_release(&reply);
}

static void a_page_of_which_nothing_was_taken_is_an_error(void **state) {
    struct test_server *server = *state;
    server->store.duplicate_count = 2;
    assert_ask_fails(server, "POST", IMPORT, "", "a 1\na 2\n", 400, "bad_data",
                     "it is there already");
}

static void an_empty_page_is_fine(void **state) {
    struct reply reply;
    import(*state, IMPORT, "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"accepted\":0"));
    reply_release(&reply);
}

/* ---- what is refused ---- */

static void a_malformed_page_is_refused_with_its_line(void **state) {
    struct test_server *server = *state;
    assert_ask_fails(server, "POST", IMPORT, "", "a 1\nb{ 2\n", 400, "bad_data", "line 2");
    assert_int_equal(server->store.push_count, 0);
}

static void parameters_are_checked(void **state) {
    static const struct {
        const char *query;
        const char *words;
    } cases[] = {
        {"?timestamp=now", "parameter timestamp: \\\"now\\\""},
        {"?timestamp=", "parameter timestamp: \\\"\\\""},
        {"?timestamp=-1", "parameter timestamp: \\\"-1\\\""},
        {"?timestamp=1.5", "parameter timestamp: \\\"1.5\\\""},
        {"?timestamp=253402300800000", "parameter timestamp: \\\"253402300800000\\\""},
        {"?extra_label=job", "parameter extra_label: \\\"job\\\" is not NAME=VALUE"},
        {"?extra_label==x", "label"},
        {"?extra_label=a=1&extra_label=a=2", "twice"},
        {"?extra_label=a=%ff", "UTF-8"},
        {"?tiemstamp=5", "unknown parameter \\\"tiemstamp\\\""},
        {"?extra_label=a=%zz", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[256];
        (void)snprintf(target, sizeof target, IMPORT "%s", cases[i].query);
        assert_ask_fails(*state, "POST", target, "", "a 1\n", 400, "bad_data", cases[i].words);
    }
}

static void extra_labels_are_limited(void **state) {
    struct sn_buf target;
    struct reply reply;
    sn_buf_init(&target, 0);
    sn_buf_put_text(&target, IMPORT "?");
    for (int i = 0; i <= SN_LABELS_MAX; i++)
        sn_buf_printf(&target, "%sextra_label=l%d=v", i > 0 ? "&" : "", i);
    sn_buf_put_byte(&target, 0);
    ask(*state, "POST", (const char *)target.ptr, "", "a 1\n", &reply);
    assert_error(&reply, 422, "limit", "more than 128 extra labels");
    reply_release(&reply);
    sn_buf_release(&target);
}

static void failures_of_the_sink_have_their_status(void **state) {
    static const struct {
        sn_status status;
        int http;
        const char *type;
    } cases[] = {
        {SN_ERR_BUSY, 429, "busy"},
        {SN_ERR_NO_SPACE, 503, "unavailable"},
        {SN_ERR_IO, 503, "unavailable"},
        {SN_ERR_CLOSED, 503, "unavailable"},
        {SN_ERR_NO_MEMORY, 503, "unavailable"},
        {SN_ERR_INTERNAL, 500, "internal"},
    };
    struct test_server *server = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        server->store.push_status = cases[i].status;
        assert_ask_fails(server, "POST", IMPORT, "", "a 1\n", cases[i].http, cases[i].type,
                         "the sink said no");
        server->store.push_status = SN_OK;
        server->store.done_status = cases[i].status;
        assert_ask_fails(server, "POST", IMPORT, "", "a 1\n", cases[i].http, cases[i].type,
                         "the disk said no");
        server->store.done_status = SN_OK;
    }
}

static void what_may_be_sent_again_says_when(void **state) {
    static const struct {
        sn_status status;
        const char *retry_after;
    } cases[] = {{SN_ERR_BUSY, "1"}, {SN_ERR_IO, "1"}, {SN_ERR_INTERNAL, NULL}};
    struct test_server *server = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply reply;
        server->store.push_status = cases[i].status;
        ask(server, "POST", IMPORT, "", "a 1\n", &reply);
        const char *found = reply_header(&reply, "Retry-After");
        assert_true((found == NULL) == (cases[i].retry_after == NULL));
        assert_true(found == NULL || strcmp(found, cases[i].retry_after) == 0);
        reply_release(&reply);
    }
    server->store.push_status = SN_OK;
}

/* ---- when it is answered ---- */

/*
 * The only HTTP worker has pushed the batch; it answers the next client, and the import still has
 * no answer.
 */
static int import_held_back(struct test_server *server) {
    struct reply reply;
    server->store.is_holding_done = true;
    int fd = client_send(server, "POST", IMPORT, "", SN_STR("a 1\n"));
    test_server_await_pushes(server, 1);
    ask(server, "GET", "/healthz", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    assert_false(client_has_answer(fd));
    return fd;
}

static void nothing_is_answered_before_it_is_durable(void **state) {
    struct reply reply;
    int fd = import_held_back(*state);
    test_server_release_done(*state);
    client_receive(fd, &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"accepted\":1"));
    reply_release(&reply);
}

static void what_was_lost_after_all_is_not_acknowledged(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.done_status = SN_ERR_IO;
    int fd = import_held_back(server);
    test_server_release_done(server);
    client_receive(fd, &reply);
    assert_error(&reply, 503, "unavailable", "the disk said no");
    reply_release(&reply);
}

static void a_client_that_left_does_no_harm(void **state) {
    struct reply reply;
    int fd = import_held_back(*state);
    assert_int_equal(close(fd), 0);
    ask(*state, "GET", "/healthz", "", "", &reply);
    reply_release(&reply);
    test_server_release_done(*state);
    ask(*state, "GET", "/healthz", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_page_is_pushed_and_counted),
        TEST(parameters_set_time_and_labels),
        TEST(a_body_that_looks_like_parameters_is_a_page),
        TEST(refused_samples_are_counted_beside_the_taken),
        TEST(a_page_of_which_nothing_was_taken_is_an_error),
        TEST(an_empty_page_is_fine),
        TEST(a_malformed_page_is_refused_with_its_line),
        TEST(parameters_are_checked),
        TEST(extra_labels_are_limited),
        TEST(failures_of_the_sink_have_their_status),
        TEST(what_may_be_sent_again_says_when),
        TEST(nothing_is_answered_before_it_is_durable),
        TEST(what_was_lost_after_all_is_not_acknowledged),
        TEST(a_client_that_left_does_no_harm),
    };
    return cmocka_run_group_tests_name("ingest_api", tests, NULL, NULL);
}
