/* The page for federation. */
#include "api/prom_priv.h"

#include "prom_support.h"

static struct test_server *server;

static int set_up(void **state) {
    (void)state;
    server = prom_server_start(NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

static void assert_page(const char *query, const char *text) {
    struct sn_buf target;
    struct reply reply;
    sn_buf_init(&target, 0);
    sn_buf_printf(&target, "/federate%s", query);
    sn_buf_put_byte(&target, '\0');
    ask(server, "GET", (const char *)target.ptr, "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(reply.body, text);
    reply_release(&reply);
    sn_buf_release(&target);
}

static void each_series_is_a_line_with_its_time(void **state) {
    (void)state;
    assert_page("?match[]=temp&match[]=hits&match[]=%7Binstance=%22a%22%7D",
                "# TYPE hits untyped\n"
                "hits{instance=\"a\"} 7 1700000000000\n"
                "# TYPE temp untyped\n"
                "temp{instance=\"a\",job=\"x\"} 1.5 1700000000000\n"
                "temp{instance=\"b\",job=\"x\"} 2.5 1700000000000\n");
}

static void names_are_made_plain_and_instance_is_never_missing(void **state) {
    (void)state;
    assert_page("?match[]=%7B%22wide.name%22%7D",
                "# TYPE wide_name untyped\n"
                "wide_name{a_b=\"c/d\",job=\"y\",instance=\"\"} +Inf 1700000000000\n");
}

static void external_labels_fill_what_a_series_lacks(void **state) {
    (void)state;
    static const struct sn_label labels[] = {{SN_STR("instance"), SN_STR("central")},
                                             {SN_STR("job"), SN_STR("z")},
                                             {SN_STR("zone"), SN_STR("e\"u")}};
    server->external_labels = (struct sn_labels){labels, 3};
    assert_page("?match[]=temp&match[]=hits&match[]=%7B%22wide.name%22%7D",
                "# TYPE hits untyped\n"
                "hits{instance=\"a\",job=\"z\",zone=\"e\\\"u\"} 7 1700000000000\n"
                "# TYPE temp untyped\n"
                "temp{instance=\"a\",job=\"x\",zone=\"e\\\"u\"} 1.5 1700000000000\n"
                "temp{instance=\"b\",job=\"x\",zone=\"e\\\"u\"} 2.5 1700000000000\n"
                "# TYPE wide_name untyped\n"
                "wide_name{a_b=\"c/d\",job=\"y\",instance=\"central\",zone=\"e\\\"u\"} +Inf "
                "1700000000000\n");
}

static void series_that_ended_or_are_old_are_left_out(void **state) {
    (void)state;
    assert_page("?match[]=gone&match[]=past", "");
}

static void nothing_selected_is_an_empty_page(void **state) {
    (void)state;
    assert_page("", "");
}

static void bad_selectors_are_refused(void **state) {
    (void)state;
    assert_bad(server, "/federate?match[]=%7B", "invalid parameter \\\"match[]\\\"");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_series_is_a_line_with_its_time),
        TEST(names_are_made_plain_and_instance_is_never_missing),
        TEST(external_labels_fill_what_a_series_lacks),
        TEST(series_that_ended_or_are_old_are_left_out),
        TEST(nothing_selected_is_an_empty_page),
        TEST(bad_selectors_are_refused),
    };
    return cmocka_run_group_tests_name("prom_federate", tests, NULL, NULL);
}
