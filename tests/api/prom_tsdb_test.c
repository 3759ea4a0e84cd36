/* Counts of series by metric and label. */
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

static void the_largest_come_first(void **state) {
    (void)state;
    assert_data(server, "/api/v1/status/tsdb?limit=2",
                "{\"headStats\":{\"numSeries\":6,\"numLabelPairs\":10},"
                "\"seriesCountByMetricName\":[{\"name\":\"temp\",\"value\":2},"
                "{\"name\":\"gone\",\"value\":1}],"
                "\"labelValueCountByLabelName\":[{\"name\":\"__name__\",\"value\":5},"
                "{\"name\":\"instance\",\"value\":2}],"
                "\"memoryInBytesByLabelName\":[{\"name\":\"__name__\",\"value\":25},"
                "{\"name\":\"a.b\",\"value\":3}],"
                "\"seriesCountByLabelValuePair\":[{\"name\":\"job=x\",\"value\":4},"
                "{\"name\":\"__name__=temp\",\"value\":2}]}");
}

static void ten_rows_are_the_default(void **state) {
    (void)state;
    struct reply all, ten;
    ask(server, "GET", "/api/v1/status/tsdb", "", "", &all);
    ask(server, "GET", "/api/v1/status/tsdb?limit=10", "", "", &ten);
    assert_int_equal(all.status, 200);
    assert_string_equal(all.body, ten.body);
    reply_release(&all);
    reply_release(&ten);
}

static void rows_are_limited(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "GET", "/api/v1/status/tsdb?limit=1000", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    assert_bad(server, "/api/v1/status/tsdb?limit=1001", "at most 1000 rows");
    assert_bad(server, "/api/v1/status/tsdb?limit=x", "invalid parameter \\\"limit\\\"");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_largest_come_first),
        TEST(ten_rows_are_the_default),
        TEST(rows_are_limited),
    };
    return cmocka_run_group_tests_name("prom_tsdb", tests, NULL, NULL);
}
