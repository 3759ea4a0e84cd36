/* Tests of limits and alerts of services' memory. */
#include "client/memory_priv.h"

#include "client_support.h"

#include <math.h>

static struct sn_fake_clock fake;

struct told {
    int raised[SONDE_MEMORY_ALERT_COUNT];
    int cleared[SONDE_MEMORY_ALERT_COUNT];
    sonde_memory_alert last;
};

static void note(void *ctx, sonde_memory *memory, const sonde_memory_alert *alert) {
    struct told *told = ctx;
    assert_non_null(memory);
    (alert->is_active ? told->raised : told->cleared)[alert->kind]++;
    told->last = *alert;
}

static sonde_memory *new_memory(sonde_registry *registry, struct told *told, double max_bytes,
                                double max_growth) {
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sonde_memory_thresholds thresholds = sonde_memory_thresholds_read(memory);
    thresholds.max_bytes = max_bytes;
    thresholds.max_growth_per_second = max_growth;
    sn_fake_clock_init(&fake, 1000, INT64_C(1700000000000));
    sn_memory_set_clock(memory, &fake.clock);
    assert_int_equal(sonde_memory_thresholds_set(memory, &thresholds, NULL), SONDE_OK);
    sonde_memory_on_alert(memory, note, told);
    return memory;
}

static size_t with_bytes(sonde_memory *memory, uint64_t bytes) {
    sonde_memory_set(memory, bytes);
    return sonde_memory_evaluate(memory);
}

static void without_limits_there_are_no_alerts(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "images");
    assert_int_equal(with_bytes(memory, UINT64_MAX), 0);
    (void)sonde_registry_free(registry);
}

static void a_limit_is_judged_at_both_sides_and_told_once(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry, &told, 1000, 0);
    assert_int_equal(with_bytes(memory, 1000), 0);
    assert_int_equal(with_bytes(memory, 1001), 1);
    assert_int_equal(with_bytes(memory, 951), 1);
    assert_int_equal(with_bytes(memory, 1001), 1);
    assert_int_equal(told.raised[SONDE_MEMORY_ALERT_LIMIT], 1);
    assert_int_equal(with_bytes(memory, 950), 0);
    assert_int_equal(told.cleared[SONDE_MEMORY_ALERT_LIMIT], 1);
    assert_true(told.last.threshold == 1000 && told.last.value == 950);
    assert_int_equal(told.last.since_wall_ms, INT64_C(1700000000000));
    (void)sonde_registry_free(registry);
}

static void growth_is_judged_over_time(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry, &told, 0, 100);
    sn_fake_clock_advance_ms(&fake, 9999);
    assert_int_equal(with_bytes(memory, 1000000), 0); /* too early to tell */
    sn_fake_clock_advance_ms(&fake, 1);
    assert_int_equal(sonde_memory_evaluate(memory), 1);
    assert_true(told.last.value == 100000);
    sn_fake_clock_advance_ms(&fake, 3600000);
    assert_int_equal(sonde_memory_evaluate(memory), 0);
    assert_int_equal(told.raised[SONDE_MEMORY_ALERT_GROWTH], 1);
    assert_int_equal(told.cleared[SONDE_MEMORY_ALERT_GROWTH], 1);
    (void)sonde_registry_free(registry);
}

static void taking_a_limit_away_clears_its_alert(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry, &told, 1000, 0);
    sonde_memory_alert alerts[SONDE_MEMORY_ALERT_COUNT];
    assert_int_equal(with_bytes(memory, 2000), 1);
    assert_int_equal(sonde_memory_alerts(memory, alerts), 1);
    assert_true(alerts[0].value == 2000);
    sonde_memory_thresholds none = {0};
    assert_int_equal(sonde_memory_thresholds_set(memory, &none, NULL), SONDE_OK);
    assert_int_equal(sonde_memory_evaluate_all(registry), 0);
    assert_int_equal(sonde_memory_alerts(memory, alerts), 0);
    (void)sonde_registry_free(registry);
}

static void refuse(sonde_memory *memory, sonde_memory_thresholds thresholds, const char *name) {
    sonde_error error;
    assert_int_equal(sonde_memory_thresholds_set(memory, &thresholds, &error), SONDE_ERR_INVALID);
    assert_non_null(strstr(error.text, name));
    assert_true(sonde_memory_thresholds_read(memory).clear_margin == 0.05);
}

static void thresholds_out_of_range_change_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sonde_memory_thresholds bad = {.max_bytes = -1};
    refuse(memory, bad, "max_bytes");
    bad.max_bytes = 1;
    bad.max_growth_per_second = (double)NAN;
    refuse(memory, bad, "max_growth_per_second");
    bad.max_growth_per_second = (double)INFINITY;
    refuse(memory, bad, "max_growth_per_second");
    bad.max_growth_per_second = 1;
    bad.clear_margin = 0.6;
    refuse(memory, bad, "clear_margin");
    bad.clear_margin = 0.5;
    assert_int_equal(sonde_memory_thresholds_set(memory, &bad, NULL), SONDE_OK);
    assert_int_equal(sonde_memory_thresholds_set(memory, NULL, NULL), SONDE_ERR_INVALID);
    assert_int_equal(sonde_memory_thresholds_set(NULL, &bad, NULL), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void no_instrument_and_no_callback_are_fine(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_memory_alert alerts[SONDE_MEMORY_ALERT_COUNT];
    sonde_memory_on_alert(NULL, note, NULL);
    assert_int_equal(sonde_memory_evaluate(NULL), 0);
    assert_int_equal(sonde_memory_alerts(NULL, alerts), 0);
    assert_null(sonde_memory_alert_name(SONDE_MEMORY_ALERT_COUNT));
    sonde_memory *memory = new_memory(registry, &told, 1, 0);
    sonde_memory_on_alert(memory, NULL, NULL);
    assert_int_equal(with_bytes(memory, 2), 1);
    assert_int_equal(told.raised[SONDE_MEMORY_ALERT_LIMIT], 0);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_there_are_no_alerts),
        cmocka_unit_test(a_limit_is_judged_at_both_sides_and_told_once),
        cmocka_unit_test(growth_is_judged_over_time),
        cmocka_unit_test(taking_a_limit_away_clears_its_alert),
        cmocka_unit_test(thresholds_out_of_range_change_nothing),
        cmocka_unit_test(no_instrument_and_no_callback_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
