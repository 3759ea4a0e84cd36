/* What is stored: series, names and values of labels, metadata. */
#include "api/prom_priv.h"

#include "prom_support.h"

#define SPAN "start=1699999400&end=" NOW
#define HITS "{\"__name__\":\"hits\",\"instance\":\"a\"}"
#define TEMP_A "{\"__name__\":\"temp\",\"instance\":\"a\",\"job\":\"x\"}"
#define TEMP_B "{\"__name__\":\"temp\",\"instance\":\"b\",\"job\":\"x\"}"

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

static void series_of_several_selectors_come_once_and_sorted(void **state) {
    (void)state;
    assert_data(server, "/api/v1/series?match[]=temp&" SPAN, "[" TEMP_A "," TEMP_B "]");
    assert_data(server, "/api/v1/series?match[]=%7Binstance=~%22a|b%22%7D&match[]=temp&" SPAN,
                "[" HITS "," TEMP_A "," TEMP_B "]");
    assert_form_data(server, "/api/v1/series", "match[]=temp&match[]=hits",
                     "[" HITS "," TEMP_A "," TEMP_B "]");
    assert_data(server, "/api/v1/series?match[]=nothing", "[]");
}

static void series_without_samples_in_the_range_are_not_there(void **state) {
    (void)state;
    assert_data(server, "/api/v1/series?match[]=past&start=1699999500", "[]");
    assert_data(server, "/api/v1/series?match[]=past&end=1699999500",
                "[{\"__name__\":\"past\",\"job\":\"x\"}]");
}

/* The answer is `data` and a warning. */
static void assert_cut(const char *target, const char *data) {
    struct reply reply;
    ask(server, "GET", target, "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, data));
    assert_non_null(strstr(reply.body, ",\"warnings\":[\"results truncated due to limit\"]}"));
    assert_json(&reply);
    reply_release(&reply);
}

static void limits_cut_and_warn(void **state) {
    (void)state;
    assert_cut("/api/v1/series?match[]=temp&limit=1", "\"data\":[" TEMP_A "]");
    assert_data(server, "/api/v1/series?match[]=temp&limit=2", "[" TEMP_A "," TEMP_B "]");
    assert_cut("/api/v1/labels?limit=1", "\"data\":[\"__name__\"]");
    assert_cut("/api/v1/label/instance/values?limit=1", "\"data\":[\"a\"]");
}

static void names_of_labels_are_sorted(void **state) {
    (void)state;
    const char *all = "[\"__name__\",\"a.b\",\"instance\",\"job\"]";
    assert_data(server, "/api/v1/labels", all);
    assert_form_data(server, "/api/v1/labels", "start=1699999400", all);
    assert_data(server, "/api/v1/labels?match[]=hits", "[\"__name__\",\"instance\"]");
    assert_data(server, "/api/v1/labels?match[]=hits&match[]=past",
                "[\"__name__\",\"instance\",\"job\"]");
}

static void values_of_a_label_are_sorted(void **state) {
    (void)state;
    assert_data(server, "/api/v1/label/instance/values", "[\"a\",\"b\"]");
    assert_data(server, "/api/v1/label/__name__/values?match[]=temp&match[]=hits",
                "[\"hits\",\"temp\"]");
    assert_data(server, "/api/v1/label/nothing/values", "[]");
}

static void names_of_labels_may_be_escaped(void **state) {
    (void)state;
    assert_data(server, "/api/v1/label/a.b/values", "[\"c/d\"]");
    assert_data(server, "/api/v1/label/a%2Eb/values", "[\"c/d\"]");
    assert_data(server, "/api/v1/label/a%2Fb/values", "[]");
    assert_data(server, "/api/v1/label/U__a_2e_b/values", "[\"c/d\"]");
    assert_bad(server, "/api/v1/label/%FF/values", "invalid label name: \\\"%FF\\\"");
}

static void metadata_is_told_where_it_is_known(void **state) {
    (void)state;
    const char *hits = "{\"hits\":[{\"type\":\"counter\",\"help\":\"Hits.\",\"unit\":\"\"}]}";
    assert_data(server, "/api/v1/metadata", hits);
    assert_data(server, "/api/v1/metadata?limit=1", hits);
    assert_data(server, "/api/v1/metadata?metric=hits", hits);
    assert_data(server, "/api/v1/metadata?metric=temp", "{}");
    assert_bad(server, "/api/v1/metadata?limit=x", "invalid parameter \\\"limit\\\"");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(series_of_several_selectors_come_once_and_sorted),
        TEST(series_without_samples_in_the_range_are_not_there),
        TEST(limits_cut_and_warn),
        TEST(names_of_labels_are_sorted),
        TEST(values_of_a_label_are_sorted),
        TEST(names_of_labels_may_be_escaped),
        TEST(metadata_is_told_where_it_is_known),
    };
    return cmocka_run_group_tests_name("prom_series", tests, NULL, NULL);
}
