/* /api/v1/query_exemplars on the table of prom_support.h. */
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

#define HITS                                                                                       \
    "{\"seriesLabels\":{\"__name__\":\"hits\",\"instance\":\"a\"},\"exemplars\":["                 \
    "{\"labels\":{},\"value\":\"0.5\",\"timestamp\":1699999940},"                                  \
    "{\"labels\":{\"trace_id\":\"abc\"},\"value\":\"2\",\"timestamp\":1700000000}]}"

static void exemplars_of_a_series_come_with_its_labels(void **state) {
    (void)state;
    assert_data(server, "/api/v1/query_exemplars?query=hits&start=1699999000&end=1700000001",
                "[" HITS "]");
    assert_form_data(server, "/api/v1/query_exemplars",
                     "query=hits&start=1699999000&end=1700000001", "[" HITS "]");
    assert_data(server, "/api/v1/query_exemplars?query=temp&start=1699999000&end=1700000001", "[]");
}

static void every_selector_of_a_query_is_asked(void **state) {
    (void)state;
    assert_data(server,
                "/api/v1/query_exemplars?query=-sum(rate(hits[5m]))%2B"
                "topk(scalar(hits),max_over_time(hits[5m:1m]))&start=1699999000&end=1700000001",
                "[" HITS "," HITS "," HITS "]");
    assert_data(server, "/api/v1/query_exemplars?query=1%2B1&start=1699999000&end=1700000001",
                "[]");
    assert_data(server, "/api/v1/query_exemplars?query=%22text%22&start=1699999000&end=1700000001",
                "[]");
}

static void mistakes_are_told(void **state) {
    (void)state;
    assert_bad(server, "/api/v1/query_exemplars?query=sum(&start=1699999000&end=1700000001",
               "parse error");
    assert_bad(server, "/api/v1/query_exemplars?query=x&start=2&end=1", "end timestamp");
    assert_bad(server, "/api/v1/query_exemplars?start=1699999000&end=1700000001",
               "invalid parameter \\\"query\\\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exemplars_of_a_series_come_with_its_labels, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_selector_of_a_query_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
