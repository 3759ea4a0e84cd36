/* GET /api/v1/admin/sources. */
#include "dash_support.h"

static sn_status answer_targets(void *ctx, const struct sn_api_target_query *query,
                                struct sn_json_writer *json, struct sn_err *err) {
    (void)ctx;
    (void)err;
    assert_true(query->wants_active && !query->wants_dropped);
    sn_json_write_raw(
        json,
        SN_STR("{\"activeTargets\":[{\"discoveredLabels\":{\"__address__\":\"x\"},\"labels\":{"
               "\"instance\":\"h:1\",\"job\":\"j\"},\"scrapePool\":\"j\",\"scrapeUrl\":"
               "\"http://h:1/metrics\",\"lastError\":\"connection refused\",\"lastScrape\":"
               "\"2023-11-14T22:13:00.000Z\",\"lastScrapeDuration\":0.25,\"health\":\"down\"},"
               "{\"labels\":{\"instance\":\"h:2\"},\"scrapePool\":\"j\",\"scrapeUrl\":\"u2\","
               "\"lastError\":\"\",\"lastScrape\":\"0001-01-01T00:00:00Z\",\"health\":"
               "\"unknown\"}],\"droppedTargets\":[]}"));
    return SN_OK;
}

static void every_kind_of_source_has_its_rows(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_add(dash, 0, 12, "scrape_samples_post_metric_relabeling", "job", "j", "instance", "h:1",
             NULL);
    dash_add(dash, 0, 1, "sonde_collector_up", "collector", "cpu", NULL);
    dash_add(dash, 0, 0, "sonde_collector_up", "collector", "disk", NULL);
    dash_add(dash, 0, 0.5, "sonde_collector_duration_seconds", "collector", "cpu", NULL);
    dash_add(dash, 75000, 3, "sonde_ingested_samples_total", "protocol", "otlp", NULL);
    dash_add(dash, 60000, 4, "sonde_ingested_samples_total", "protocol", "otlp", NULL);
    dash_add(dash, 0, 4, "sonde_ingested_samples_total", "protocol", "otlp", NULL);
    dash_add(dash, 0, 0, "sonde_ingested_samples_total", "protocol", "statsd", NULL);
    dash_add(dash, 0, 9, "sonde_ingested_samples_total", "protocol", "scrape", NULL);
    dash_start(dash);
    dash->server->api->options.targets = answer_targets;
    (void)dash_get(dash, "/api/v1/admin/sources");
    dash_has(dash, "{\"time\":1700000000,\"rows\":[{\"name\":\"http://h:1/metrics\",\"kind\":"
                   "\"scrape\",\"status\":\"critical\",\"job\":\"j\",\"duration_seconds\":0.25,"
                   "\"samples\":12,\"last_at\":1699999980,\"last_error\":\"connection refused\"},"
                   "{\"name\":\"u2\",\"kind\":\"scrape\",\"status\":\"unknown\",\"job\":\"j\","
                   "\"duration_seconds\":0,\"samples\":null,\"last_at\":null,\"last_error\":null},"
                   "{\"name\":\"otlp\",\"kind\":\"push\",\"status\":\"good\",\"job\":\"\","
                   "\"duration_seconds\":null,\"samples\":4,\"last_at\":1699999980,");
    dash_has(dash, "{\"name\":\"cpu\",\"kind\":\"collector\",\"status\":\"good\",\"job\":\"\","
                   "\"duration_seconds\":0.5,\"samples\":null,\"last_at\":1700000000,"
                   "\"last_error\":null}");
    dash_has(dash, "{\"name\":\"disk\",\"kind\":\"collector\",\"status\":\"critical\"");
    dash_has_not(dash, "\"statsd\"");
    dash_stop(dash);
}

static void without_targets_the_others_are_there(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    dash->server->api->options.targets = NULL;
    (void)dash_get(dash, "/api/v1/admin/sources");
    dash_has(dash, "\"rows\":[]}");
    dash_refuses(dash, "/api/v1/admin/sources?x=1", "unknown parameter");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_source_has_its_rows),
        cmocka_unit_test(without_targets_the_others_are_there),
    };
    return cmocka_run_group_tests_name("sources_api", tests, NULL, NULL);
}
