/* GET /api/v1/admin/storage and /cardinality. */
#include "dash_support.h"

static void answer_storage(void *ctx, struct sn_storage *ret_storage) {
    (void)ctx;
    *ret_storage = (struct sn_storage){.series_count = 7,
                                       .segment_count = 2,
                                       .segment_bytes = 100,
                                       .segment_sample_count = 50,
                                       .rollup_bytes = 10,
                                       .log_bytes = 5,
                                       .time_min = 1000,
                                       .time_max = 2000};
}

static sn_status answer_cardinality(void *ctx, size_t row_max, struct sn_arena *arena,
                                    struct sn_cardinality *ret_cardinality, struct sn_err *err) {
    static struct sn_cardinality_row metrics[] = {{SN_STR("sonde_operations_total"), {NULL, 0}, 4},
                                                  {SN_STR("other"), {NULL, 0}, 1}};
    static struct sn_cardinality_row labels[] = {{SN_STR("service"), {NULL, 0}, 2}};
    static struct sn_cardinality_hour hours[] = {{3600000, 5}};
    (void)ctx;
    (void)row_max;
    (void)arena;
    (void)err;
    *ret_cardinality = (struct sn_cardinality){.series_count = 5,
                                               .label_pair_count = 6,
                                               .label_name_count = 3,
                                               .series_by_metric = {metrics, 2},
                                               .values_by_label = {labels, 1},
                                               .hours = hours,
                                               .hour_count = 1};
    return SN_OK;
}

static sn_status answer_snapshot(void *ctx, struct sn_snapshot *ret_snapshot, struct sn_err *err) {
    (void)ctx;
    (void)err;
    *ret_snapshot = (struct sn_snapshot){.name = "n", .path = "p"};
    return SN_OK;
}

static struct dash *start(void) {
    struct dash *dash = dash_new();
    dash_add_service(dash, "a", 1, 0);
    dash_add_service(dash, "b", 1, 0);
    dash_add_service(dash, "c", 1, 0); /* three services, two outcomes, one operation */
    for (int64_t ago_ms = 300000; ago_ms >= 0; ago_ms -= 15000)
        dash_add(dash, ago_ms, 100 * (300 - (double)ago_ms / 1e3), "sonde_store_samples_total",
                 "job", "x", NULL);
    dash_start(dash);
    dash->server->api->options.admin = (struct sn_admin){
        .storage = answer_storage, .cardinality = answer_cardinality, .snapshot = answer_snapshot};
    return dash;
}

static void the_store_tells_its_sizes(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/admin/storage");
    dash_has(dash, "{\"time\":1700000000,\"series\":7,\"segments\":2,\"bytes\":115,"
                   "\"segment_bytes\":100,\"rollup_bytes\":10,\"log_bytes\":5,\"head_bytes\":0,"
                   "\"samples\":50,\"bytes_per_sample\":2,\"oldest\":1,\"newest\":2,"
                   "\"samples_per_second\":100,\"retention\":\"15d\","
                   "\"retention_seconds\":1296000,\"last_backup_at\":null,\"records\":{\"engine\":"
                   "\"sqlite\",\"is_away\":false,\"queued\":0,\"last_error\":null},"
                   "\"started_at\":1699999940,\"version\":\"");
    dash_stop(dash);
}

static void a_snapshot_is_remembered(void **state) {
    (void)state;
    struct dash *dash = start();
    struct reply reply;
    ask(dash->server, "POST", "/api/v1/admin/tsdb/snapshot", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    (void)dash_get(dash, "/api/v1/admin/storage");
    dash_has(dash, "\"last_backup_at\":1700000000,");
    dash_stop(dash);
}

static void metrics_have_their_widest_label(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/admin/cardinality");
    dash_has(dash, "{\"series\":5,\"label_pairs\":6,\"label_names\":3,\"metrics\":[{\"name\":"
                   "\"sonde_operations_total\",\"series\":4,\"widest_label\":\"service\","
                   "\"widest_values\":3},{\"name\":\"other\",\"series\":1,\"widest_label\":\"\","
                   "\"widest_values\":0}]");
    dash_has(dash, "\"labels\":[{\"name\":\"service\",\"values\":2,\"series\":0,\"bytes\":0}],"
                   "\"created_by_hour\":[{\"at\":3600,\"count\":5}]}}");
    (void)dash_get(dash, "/api/v1/admin/cardinality?limit=1");
    dash_has_not(dash, "\"other\"");
    dash_refuses(dash, "/api/v1/admin/cardinality?limit=201", "parameter limit is 201");
    dash_stop(dash);
}

static void without_a_store_there_is_nothing_to_tell(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_ask_fails(server, "GET", "/api/v1/admin/storage", "", "", 501, "unsupported",
                     "no store of its own");
    assert_ask_fails(server, "GET", "/api/v1/admin/cardinality", "", "", 501, "unsupported",
                     "no store of its own");
    test_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_tells_its_sizes),
        cmocka_unit_test(a_snapshot_is_remembered),
        cmocka_unit_test(metrics_have_their_widest_label),
        cmocka_unit_test(without_a_store_there_is_nothing_to_tell),
    };
    return cmocka_run_group_tests_name("storage_api", tests, NULL, NULL);
}
