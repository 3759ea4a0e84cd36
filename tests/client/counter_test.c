/* Tests of counters. */
#include "client_support.h"

#include <math.h>

static void what_is_counted_is_shown(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "jobs_total", .help = "Jobs."};
    sonde_error error;
    sonde_counter *jobs = sonde_counter_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_OK);
    assert_true(has_line(registry, "jobs_total 0"));
    sonde_counter_inc(jobs);
    sonde_counter_add(jobs, 40);
    sonde_counter_inc_call(jobs);
    sonde_counter_add_call(jobs, UINT64_C(1) << 60);
    assert_int_equal(sonde_counter_value(jobs), (UINT64_C(1) << 60) + 42);
    assert_true(has_line(registry, "jobs_total 1152921504606847018"));
    (void)sonde_registry_free(registry);
}

static void *inc_thousand(void *ctx) {
    for (int i = 0; i < 1000; i++)
        sonde_counter_inc(ctx);
    return NULL;
}

static void ended_threads_leave_their_counts(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter *jobs = sonde_counter_new(registry, &(sonde_metric){.name = "j_total"}, NULL);
    for (int i = 0; i < 20; i++)
        in_thread(inc_thousand, jobs);
    assert_int_equal(sonde_counter_value(jobs), 20000);
    (void)sonde_registry_free(registry);
}

static void amounts_add_up_and_never_fall(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "cpu_seconds_total", .unit = "seconds"};
    sonde_float_counter *cpu = sonde_float_counter_new(registry, &metric, NULL);
    sonde_float_counter_add(cpu, 0.5);
    sonde_float_counter_add(cpu, 0);
    sonde_float_counter_add(cpu, 1.25);
    sonde_float_counter_add(cpu, -1);
    sonde_float_counter_add(cpu, (double)NAN);
    assert_true(sonde_float_counter_value(cpu) == 1.75);
    assert_true(has_line(registry, "cpu_seconds_total 1.75"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 2);
    (void)sonde_registry_free(registry);
}

static void a_handle_that_records_nothing_is_safe(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    sonde_metric metric = {.name = "no suffix"};
    sonde_counter *counter = sonde_counter_new(registry, &metric, &error);
    sonde_float_counter *amount = sonde_float_counter_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    sonde_counter_inc(counter);
    sonde_float_counter_add(amount, 1);
    sonde_float_counter_add(amount, -1);
    assert_int_equal(sonde_counter_value(counter), 0);
    assert_true(sonde_float_counter_value(amount) == 0);
    const char *values[] = {"a"};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    sonde_counter_inc(SONDE_COUNTER_AT(family, "a", "b"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 3);
    (void)sonde_registry_free(registry);
}

static void recording_does_not_allocate(void **state) {
    (void)state;
    static const char *const labels[] = {"a", "b"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "c_total", .label_names = labels, .label_count = 2};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    sonde_counter_inc(SONDE_COUNTER_AT(family, "1", "2"));
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++)
        sonde_counter_inc(SONDE_COUNTER_AT(family, "1", "2"));
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_true(has_line(registry, "c_total{a=\"1\",b=\"2\"} 1001"));
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_is_shown),
        cmocka_unit_test(ended_threads_leave_their_counts),
        cmocka_unit_test(amounts_add_up_and_never_fall),
        cmocka_unit_test(a_handle_that_records_nothing_is_safe),
        cmocka_unit_test(recording_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
