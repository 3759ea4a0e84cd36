/* Tests of what is told of services and operations: sorting, sums, rates, reset. */
#include "client/report_priv.h"

#include "client/read_priv.h"
#include "client_support.h"

static sonde_operation *operation(sonde_registry *registry, const char *service, const char *name) {
    return sonde_operation_get(sonde_service_get(registry, service), name);
}

static void record(sonde_operation *op, uint64_t ns, sonde_outcome outcome) {
    const sonde_operation_head *head = (const void *)op;
    uint64_t *cells = sonde_cells(head);
    sonde_cell_add(cells + SONDE_OPERATION_BEGUN, 1);
    sonde_operation_record(cells, head->buckets, ns, outcome);
}

static void services_come_before_their_operations(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_report_list list;
    (void)operation(registry, "b", "z");
    (void)operation(registry, "a", "y");
    (void)operation(registry, "b", "x");
    (void)sonde_service_get(registry, "c");
    assert_true(sn_report_list_init(&list, registry, (struct sn_str){NULL, 0}));
    static const char *const expected[][2] = {{"a", NULL}, {"a", "y"}, {"b", NULL},
                                              {"b", "x"},  {"b", "z"}, {"c", NULL}};
    assert_int_equal(list.count, 6);
    for (size_t i = 0; i < list.count; i++) {
        assert_true(sn_str_equal(list.entries[i].service, sn_str_from(expected[i][0])));
        assert_int_equal(list.entries[i].operation.ptr == NULL, expected[i][1] == NULL);
        if (expected[i][1] != NULL)
            assert_true(sn_str_equal(list.entries[i].operation, sn_str_from(expected[i][1])));
    }
    assert_int_equal(sn_report_list_end(&list, 0), 2);
    assert_int_equal(sn_report_list_end(&list, 5), 6);
    sn_report_list_release(&list);
    assert_true(sn_report_list_init(&list, registry, SN_STR("b")));
    assert_int_equal(list.count, 3);
    sn_report_list_release(&list);
    assert_true(sn_report_list_init(&list, registry, SN_STR("d")));
    assert_int_equal(list.count, 0);
    sn_report_list_release(&list);
    (void)sonde_registry_free(registry);
}

static void a_service_is_the_sum_of_its_operations(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_report_list list;
    struct sn_report_counts counts;
    struct sn_report_time time = {.wall_ms = INT64_C(1) << 41, .slot = 0, .window_s = 10};
    record(operation(registry, "s", "a"), 1000, SONDE_OUTCOME_OK);
    record(operation(registry, "s", "b"), 1000, SONDE_OUTCOME_ERROR);
    record(operation(registry, "s", "b"), 1000, SONDE_OUTCOME_ABORTED);
    record(operation(registry, "t", "b"), 1000, SONDE_OUTCOME_OK);
    sonde_tracker open = sonde_track_begin(operation(registry, "s", "a"));
    assert_true(sn_report_list_init(&list, registry, SN_STR("s")));
    sn_report_service(&list, 0, &time, &counts);
    assert_int_equal(counts.count, 3);
    assert_int_equal(counts.outcomes[SONDE_OUTCOME_ERROR], 1);
    assert_int_equal(counts.active, 1);
    assert_true(counts.recent == 3);
    assert_true(sn_report_error_rate(&counts) == 1.0 / 3);
    sn_report_list_release(&list);
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

static void rates_look_at_the_noted_moment_and_not_at_the_reset(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *op = operation(registry, "s", "o");
    struct sn_series *series = (struct sn_series *)(void *)op;
    struct sn_report_entry entry = {SN_STR("s"), SN_STR("o"), series};
    struct sn_report_time time = {.wall_ms = 1, .slot = 3, .window_s = 60};
    struct sn_operation_report report;
    for (int i = 0; i < 5; i++)
        record(op, 1000, SONDE_OUTCOME_OK);
    sn_operation_note(series, 3);
    for (int i = 0; i < 7; i++)
        record(op, 1000, SONDE_OUTCOME_OK);
    sn_operation_reset(series, 1);
    record(op, 4000, SONDE_OUTCOME_OK);
    sn_report_operation(&entry, &time, &report);
    assert_int_equal(report.counts.count, 1);
    assert_true(report.counts.recent == 8);
    assert_true(report.min_s == 4e-6 && report.max_s == 4e-6 && report.sum_s == 4e-6);
    assert_true(report.quantiles[0].value == 4e-6 && report.quantiles[3].value == 4e-6);
    (void)sonde_registry_free(registry);
}

static void errors_before_a_reset_are_forgotten(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *op = operation(registry, "s", "o");
    struct sn_series *series = (struct sn_series *)(void *)op;
    struct sn_report_entry entry = {SN_STR("s"), SN_STR("o"), series};
    struct sn_report_time time = {.wall_ms = 1, .window_s = 60};
    struct sn_operation_report report;
    sonde_tracker tracker = sonde_track_begin(op);
    sonde_track_fail(&tracker, "gone");
    sn_report_operation(&entry, &time, &report);
    assert_true(report.has_error);
    assert_string_equal(report.error.message, "gone");
    sn_operation_reset(series, report.error.wall_ms + 1);
    sn_report_operation(&entry, &time, &report);
    assert_false(report.has_error);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_come_before_their_operations),
        cmocka_unit_test(a_service_is_the_sum_of_its_operations),
        cmocka_unit_test(rates_look_at_the_noted_moment_and_not_at_the_reset),
        cmocka_unit_test(errors_before_a_reset_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
