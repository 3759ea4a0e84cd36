/* The server's own numbers in the exposition of libsonde. */
#include "app/own_metrics.h"

#include "app/server.h"
#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sn_config config;
static struct sn_server server;

static int set_up(void **state) {
    static char data[256];
    char *dir = make_temp_dir();
    (void)snprintf(data, sizeof data, "%s/data", dir);
    sn_config_init(&config);
    config.listen = "127.0.0.1:0";
    config.data = data;
    config.http_threads = 1;
    config.collect_interval_ms = 3600000;
    *state = dir;
    return sn_server_start(&server, &config, NULL) == SN_OK ? 0 : -1;
}

static int tear_down(void **state) {
    sn_server_stop(&server);
    sn_config_release(&config);
    remove_temp_dir(*state);
    return 0;
}

static int append(void *ctx, const char *bytes, size_t len) {
    sn_buf_put(ctx, bytes, len);
    return 0;
}

/* The page, NUL-terminated, for free(). */
static char *exposition(void) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(sonde_registry_write(NULL, SONDE_FORMAT_TEXT, append, &buf), SONDE_OK);
    char *text = calloc(1, buf.len + 1);
    assert_non_null(text);
    memcpy(text, buf.ptr, buf.len);
    sn_buf_release(&buf);
    return text;
}

/* Value of a series as it is written, or -1. */
static double value_of(const char *page, const char *series) {
    char start[256];
    (void)snprintf(start, sizeof start, "\n%s ", series);
    const char *line = strstr(page, start);
    return line != NULL ? (double)strtoll(line + strlen(start), NULL, 10) : -1;
}

static void import(const char *page, sn_status expected) {
    const struct sn_ingest_options options = {.default_time_ms =
                                                  sn_clock_wall_ms(sn_clock_system())};
    struct sn_ingest_result result;
    assert_int_equal(
        sn_ingest_text_wait(&server.ingest, sn_str_from(page), &options, &result, NULL), expected);
}

static void values_follow_what_happens(void **state) {
    (void)state;
    char *before = exposition();
    import("a 1\nb 2\n", SN_OK);
    import("a 1\n}{", SN_ERR_INVALID);
    char *after = exposition();
    static const struct {
        const char *series;
        double more;
    } cases[] = {
        {"sonde_ingested_samples_total{protocol=\"prometheus_text\"}", 2},
        {"sonde_ingest_requests_total", 2},
        {"sonde_ingest_refused_requests_total", 1},
        {"sonde_http_requests_total{class=\"5xx\"}", 0},
        {"sonde_store_refusing_writes", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(value_of(before, cases[i].series) >= 0);
        assert_true(value_of(after, cases[i].series) ==
                    value_of(before, cases[i].series) + cases[i].more);
    }
    /* The collectors push as well, at their start. */
    assert_true(value_of(after, "sonde_store_samples_total") >=
                value_of(before, "sonde_store_samples_total") + 2);
    assert_true(value_of(after, "sonde_store_series") >= 2);
    free(before);
    free(after);
}

static void records_are_counted(void **state) {
    (void)state;
    struct sn_record record = {.metric_type = SN_STR("t"),
                               .name = SN_STR("n"),
                               .time_ms = sn_clock_wall_ms(sn_clock_system())};
    struct sn_records_push push = {.records = &record, .record_count = 1};
    char *before = exposition();
    assert_int_equal(sn_records_push_wait(server.records, &push, NULL), SN_OK);
    char *after = exposition();
    static const char *const grown[] = {"sonde_records_stored_total",
                                        "sonde_records_commits_total"};
    static const char *const still[] = {
        "sonde_records_refused_total",    "sonde_records_commit_failures_total",
        "sonde_records_queued",           "sonde_records_purged_total",
        "sonde_records_database_away",    "sonde_records_spool_bytes",
        "sonde_records_spool_lost_total", "sonde_records_spooled_writes_total"};
    for (size_t i = 0; i < sizeof grown / sizeof grown[0]; i++)
        assert_true(value_of(after, grown[i]) == value_of(before, grown[i]) + 1);
    for (size_t i = 0; i < sizeof still / sizeof still[0]; i++)
        assert_true(value_of(after, still[i]) == 0);
    free(before);
    free(after);
}

static void every_row_is_registered(void **state) {
    (void)state;
    for (size_t i = 0; i < server.own_metrics.count; i++)
        assert_non_null(server.own_metrics.metrics[i].callback);
    assert_true(server.own_metrics.count > 40);
    assert_int_equal(sonde_lost_count(NULL, SONDE_LOST_REGISTRATION), 0);
}

static void names_that_end_in_total_are_counters(void **state) {
    (void)state;
    char *page = exposition();
    assert_non_null(strstr(page, "# TYPE sonde_store_samples_total counter\n"));
    assert_non_null(strstr(page, "# TYPE sonde_store_series gauge\n"));
    assert_non_null(strstr(page, "# HELP sonde_store_series Series in the store.\n"));
    assert_null(strstr(page, "_total gauge\n"));
    free(page);
}

static void closed_metrics_are_not_shown(void **state) {
    (void)state;
    sn_own_metrics_close(&server.own_metrics);
    char *page = exposition();
    assert_true(value_of(page, "sonde_store_series") < 0);
    assert_null(strstr(page, "\nsonde_http_requests_total{"));
    free(page);
    sn_own_metrics_close(&server.own_metrics);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(values_follow_what_happens),   TEST(records_are_counted),
        TEST(every_row_is_registered),      TEST(names_that_end_in_total_are_counters),
        TEST(closed_metrics_are_not_shown),
    };
    return cmocka_run_group_tests_name("own_metrics", tests, NULL, NULL);
}
