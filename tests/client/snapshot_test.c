/* Tests of the JSON snapshot: a whole one, valid under fire, failures. */
#include "client_support.h"

#include "base/arena.h"
#include "codec/json_read.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static char *snapshot_of(sonde_registry *registry) {
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(sonde_registry_write_text(registry, SONDE_FORMAT_JSON, &text, &len), SONDE_OK);
    assert_int_equal(strlen(text), len);
    return text;
}

/* Valid JSON, names in no object twice. */
static void assert_json(const char *text) {
    struct sn_arena arena;
    struct sn_json_reader json;
    struct sn_err err = {SN_OK, ""};
    sn_arena_init(&arena, 16 << 20);
    sn_json_read_init(&json, sn_str_from(text), &(struct sn_json_options){.arena = &arena});
    sn_json_read_skip(&json);
    if (sn_json_read_finish(&json, &err) != SN_OK)
        fail_msg("%s in %s", err.text, text);
    sn_arena_release(&arena);
}

/* The value of every member called `name` becomes T. */
static void hide(char *text, const char *name) {
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    for (char *at = text; (at = strstr(at, quoted)) != NULL;) {
        at += strlen(quoted);
        size_t len = strcspn(at, ",}");
        *at++ = 'T';
        memmove(at, at + len - 1, strlen(at + len - 1) + 1);
    }
}

static char *hidden_snapshot(sonde_registry *registry) {
    static const char *const names[] = {"time_ms",
                                        "rate_window_seconds",
                                        "start_time_ms",
                                        "uptime_seconds",
                                        "operations_per_second",
                                        "operations_per_second_since_start",
                                        "last_operation_time_ms"};
    char *text = snapshot_of(registry);
    assert_json(text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        hide(text, names[i]);
    return text;
}

static void record(sonde_operation *operation, uint64_t ns) {
    const sonde_operation_head *head = (const void *)operation;
    uint64_t *cells = sonde_cells(head);
    sonde_cell_add(cells + SONDE_OPERATION_BEGUN, 1);
    sonde_operation_record(cells, head->buckets, ns, SONDE_OUTCOME_OK);
}

#define LOST                                                                                       \
    "{\"name\":\"sonde_lost_total\",\"type\":\"counter\","                                         \
    "\"help\":\"What the library could not record as asked, by reason.\",\"unit\":\"\","           \
    "\"series\":["                                                                                 \
    "{\"labels\":{\"reason\":\"no_memory\"},\"start_time_ms\":T,\"value\":0},"                     \
    "{\"labels\":{\"reason\":\"series_limit\"},\"start_time_ms\":T,\"value\":0},"                  \
    "{\"labels\":{\"reason\":\"label_value\"},\"start_time_ms\":T,\"value\":0},"                   \
    "{\"labels\":{\"reason\":\"value\"},\"start_time_ms\":T,\"value\":0},"                         \
    "{\"labels\":{\"reason\":\"registration\"},\"start_time_ms\":T,\"value\":0}]}]}"

static void services_with_their_operations(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *get = sonde_operation_get(sonde_service_get(registry, "cache"), "get");
    record(get, 2000000000);
    record(get, 4000000000);
    char *text = hidden_snapshot(registry);
#define COUNTS                                                                                     \
    "\"count\":2,\"ok_count\":2,\"error_count\":0,\"aborted_count\":0,\"error_rate\":0,"           \
    "\"active\":0,\"operations_per_second\":T,\"operations_per_second_since_start\":T,"            \
    "\"last_operation_time_ms\":T,\"reset_time_ms\":null,"
    assert_string_equal(
        text, "{\"time_ms\":T,\"rate_window_seconds\":T,\"services\":[{\"service\":\"cache\","
              "\"start_time_ms\":T,\"uptime_seconds\":T," COUNTS
              "\"operations\":[{\"operation\":\"get\"," COUNTS
              "\"duration_seconds\":{\"total\":6,\"min\":2,\"max\":4,\"average\":3,"
              "\"p50\":2.5,\"p90\":3.7,\"p95\":3.85,\"p99\":3.97},"
              "\"percentile_bounds_seconds\":{\"p50\":[2,2.5],\"p90\":[2.5,4],"
              "\"p95\":[2.5,4],\"p99\":[2.5,4]},\"last_error\":null}]}],\"families\":[" LOST);
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void all_other_families(void **state) {
    (void)state;
    static const char *const labels[] = {"v"}, *const values[] = {"\"\n"};
    const double bounds[] = {0.5, 1000000};
    sonde_registry *registry = new_registry();
    sonde_metric counter = {
        .name = "c_total", .help = "Help.", .label_names = labels, .label_count = 1};
    sonde_metric histogram = {
        .name = "h_seconds", .unit = "seconds", .bounds = bounds, .bound_count = 2};
    sonde_counter_family *family = sonde_counter_family_new(registry, &counter, NULL);
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    sonde_histogram_observe(sonde_histogram_new(registry, &histogram, NULL), 2);
    sonde_gauge_set(sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, NULL), (double)NAN);
    char *text = hidden_snapshot(registry);
    assert_string_equal(
        text, "{\"time_ms\":T,\"rate_window_seconds\":T,\"services\":[],\"families\":["
              "{\"name\":\"c_total\",\"type\":\"counter\",\"help\":\"Help.\",\"unit\":\"\","
              "\"series\":[{\"labels\":{\"v\":\"\\\"\\n\"},\"start_time_ms\":T,\"value\":1}]},"
              "{\"name\":\"h_seconds\",\"type\":\"histogram\",\"help\":\"\",\"unit\":\"seconds\","
              "\"series\":[{\"labels\":{},\"start_time_ms\":T,\"buckets\":["
              "{\"le\":0.5,\"count\":0},{\"le\":1e+06,\"count\":1},{\"le\":\"+Inf\",\"count\":1}],"
              "\"sum\":2,\"count\":1}]},"
              "{\"name\":\"g\",\"type\":\"gauge\",\"help\":\"\",\"unit\":\"\","
              "\"series\":[{\"labels\":{},\"start_time_ms\":T,\"value\":\"NaN\"}]}," LOST);
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void the_last_error_is_told_and_mended(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *get = sonde_operation_get(sonde_service_get(registry, "cache"), "get");
    sonde_tracker tracker = sonde_track_begin(get);
    sonde_track_fail_as(&tracker, &(sonde_failure){"io", "bad \"\xff\""});
    char *text = snapshot_of(registry);
    assert_json(text);
    assert_non_null(strstr(text, "\"last_error\":{\"message\":\"bad \\\"\xef\xbf\xbd\\\"\","
                                 "\"class\":\"io\",\"time_ms\":"));
    assert_non_null(strstr(text, "\"error_count\":1"));
    assert_non_null(strstr(text, "\"error_rate\":1,"));
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static int stop_at_once(void *ctx, const char *bytes, size_t len) {
    (void)bytes;
    (void)len;
    ++*(int *)ctx;
    return 1;
}

static void a_sink_can_stop(void **state) {
    (void)state;
    static const char *const labels[] = {"v"};
    char value[1000];
    int count = 0;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "c_total", .label_names = labels, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    for (int i = 0; i < 300; i++) {
        memset(value, 'a', sizeof value);
        (void)snprintf(value + sizeof value - 8, 8, "%d", i);
        sonde_counter_inc(SONDE_COUNTER_AT(family, value));
    }
    assert_int_equal(sonde_registry_write(registry, SONDE_FORMAT_JSON, stop_at_once, &count),
                     SONDE_ERR_IO);
    assert_int_equal(count, 1);
    (void)sonde_registry_free(registry);
}

static atomic_bool is_over;

/* Services, operations, errors and children, while snapshots are taken: run under TSan as well. */
static void *hammer(void *registry) {
    char name[16];
    for (int i = 0; !atomic_load(&is_over); i++) {
        (void)snprintf(name, sizeof name, "%d", i % 50);
        sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, name), name);
        sonde_tracker tracker = sonde_track_begin(operation);
        if (i % 3 == 0)
            sonde_track_fail(&tracker, name);
        else
            sonde_track_complete(&tracker);
    }
    return NULL;
}

static void snapshots_are_whole_while_others_record(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    pthread_t threads[2];
    atomic_store(&is_over, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, registry), 0);
    for (int i = 0; i < 50; i++) {
        char *text = snapshot_of(registry);
        assert_json(text);
        sonde_free(text);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)sonde_registry_free(registry);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_operation_get(sonde_service_get(registry, "cache"), "get");
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        char *text = NULL;
        sn_mem_fail_nth(n);
        sonde_status status = sonde_registry_write_text(registry, SONDE_FORMAT_JSON, &text, NULL);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        sonde_free(text);
    }
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_with_their_operations),
        cmocka_unit_test(all_other_families),
        cmocka_unit_test(the_last_error_is_told_and_mended),
        cmocka_unit_test(a_sink_can_stop),
        cmocka_unit_test(snapshots_are_whole_while_others_record),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
