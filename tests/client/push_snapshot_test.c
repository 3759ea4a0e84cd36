/* Tests of registries that are pushed: what becomes of samples, when one is taken, when not. */
#include "push_support.h"

#include "client_support.h"

static void snapshots_go_out_whole_and_one_at_a_time(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_OK, PUSH_503, PUSH_OK};
    struct push_server *server = push_server_start(script, 3);
    struct sn_fake_clock fake;
    sonde_registry *registry = new_registry();
    const char *const names[] = {"service", "x"};
    const char *const values[] = {"own", "\"\n"};
    const sonde_metric jobs = {.name = "jobs_total"};
    const sonde_metric parts = {.name = "parts", .label_names = names, .label_count = 2};
    const sonde_collector_options options = {
        .service = "s", .instance = "i", .url = server->url, .backoff_min_ms = 100};
    sonde_collector_stats stats;
    sonde_counter *done = sonde_counter_new(registry, &jobs, NULL);
    sonde_gauge_set(
        sonde_gauge_family_get(sonde_gauge_family_new(registry, &parts, NULL), values, 2), 2.5);
    sn_fake_clock_init(&fake, 0, 1000);
    sonde_collector *push = sn_push_open(&options, &fake.clock, false, NULL);
    sonde_collector_push_registry(push, registry, 10000);
    sonde_counter_inc(done);
    assert_true(sn_push_round(push));
    assert_non_null(strstr(server->stored, "jobs_total{service=\"s\",instance=\"i\"} 1 1000\n"));
    const char *gauge =
        strstr(server->stored, "parts{instance=\"i\",service=\"own\",x=\"\\\"\\n\"} 2.5 1000\n");
    assert_non_null(gauge);
    /* A counter counts since a moment, which stands before it; a gauge does not. */
    assert_ptr_equal(strstr(server->stored, "# SONDE_START 1"), server->stored);
    assert_memory_equal(strchr(server->stored, '\n'), "\njobs_total{", strlen("\njobs_total{"));
    assert_memory_not_equal(gauge - strlen("# SONDE_START 1795255872345\n"), "# SONDE_START", 13);

    /* The next one fails; while it waits, none is taken. */
    sn_fake_clock_advance_ms(&fake, 9999);
    assert_true(sn_push_round(push));
    assert_int_equal(atomic_load(&server->request_count), 1);
    sn_fake_clock_advance_ms(&fake, 1);
    assert_false(sn_push_round(push));
    push->rest_until_ns = INT64_MAX;
    sn_fake_clock_advance_ms(&fake, 10000);
    assert_true(sn_push_round(push));
    sonde_collector_read(push, &stats);
    assert_int_equal(stats.snapshots, 2);
    assert_int_equal(stats.snapshots_skipped, 1);
    push->rest_until_ns = 0;
    assert_true(sn_push_round(push));
    assert_non_null(strstr(server->stored, "jobs_total{service=\"s\",instance=\"i\"} 1 11000\n"));

    /* Closing sends the last state, under a time of its own. */
    sonde_counter_inc(done);
    sn_fake_clock_advance_ms(&fake, -10000);
    assert_true(sonde_collector_close(push, 5000));
    assert_non_null(strstr(server->stored, "jobs_total{service=\"s\",instance=\"i\"} 2 11001\n"));
    (void)sonde_collector_free(push);
    (void)sonde_registry_free(registry);
    push_server_free(server);
}

static void a_registry_that_is_taken_away_is_not_read(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_fake_clock fake;
    const sonde_collector_options options = {.service = "s", .url = "http://127.0.0.1:1"};
    sonde_collector_stats stats;
    sn_fake_clock_init(&fake, 0, 1000);
    sonde_collector *push = sn_push_open(&options, &fake.clock, false, NULL);
    sonde_collector_push_registry(push, registry, 1);
    sonde_collector_push_registry(push, registry, 0);
    (void)sonde_registry_free(registry);
    (void)sn_push_round(push);
    sonde_collector_read(push, &stats);
    assert_int_equal(stats.snapshots, 0);
    sonde_collector_push_registry(NULL, NULL, 1);
    (void)sonde_collector_free(push);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_go_out_whole_and_one_at_a_time),
        cmocka_unit_test(a_registry_that_is_taken_away_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
