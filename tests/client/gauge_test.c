/* Tests of gauges: set only, added only, and both. */
#include "client_support.h"

#include <math.h>
#include <pthread.h>

static sonde_gauge *new_gauge(sonde_registry *registry) {
    return sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, NULL);
}

static void *add_ten(void *ctx) {
    for (int i = 0; i < 10; i++)
        sonde_gauge_inc(ctx);
    return NULL;
}

static void the_last_set_value_is_shown(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_gauge *gauge = new_gauge(registry);
    assert_true(has_line(registry, "g 0"));
    sonde_gauge_set(gauge, 1.5);
    sonde_gauge_set_call(gauge, -2.5);
    assert_true(has_line(registry, "g -2.5"));
    sonde_gauge_set(gauge, (double)INFINITY);
    assert_true(has_line(registry, "g +Inf"));
    sonde_gauge_set(gauge, (double)NAN);
    assert_true(has_line(registry, "g NaN"));
    (void)sonde_registry_free(registry);
}

static void steps_of_all_threads_add_up(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_gauge *gauge = new_gauge(registry);
    for (int i = 0; i < 5; i++)
        in_thread(add_ten, gauge);
    sonde_gauge_dec(gauge);
    sonde_gauge_add(gauge, -100);
    sonde_gauge_add_double(gauge, 0.25);
    assert_true(sonde_gauge_value(gauge) == -50.75);
    (void)sonde_registry_free(registry);
}

static void steps_count_from_what_was_set_before(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_gauge *gauge = new_gauge(registry);
    sonde_gauge_set(gauge, 100);
    in_thread(add_ten, gauge);
    assert_true(sonde_gauge_value(gauge) == 110);
    (void)sonde_registry_free(registry);
}

static void a_set_after_steps_forgets_them(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_gauge *gauge = new_gauge(registry);
    in_thread(add_ten, gauge);
    sonde_gauge_set(gauge, 3);
    assert_true(sonde_gauge_value(gauge) == 3);
    in_thread(add_ten, gauge);
    sonde_gauge_dec(gauge);
    sonde_gauge_add_double(gauge, 0.5);
    assert_true(sonde_gauge_value(gauge) == 12.5);
    sonde_gauge_set(gauge, 4);
    assert_true(sonde_gauge_value(gauge) == 4);
    (void)sonde_registry_free(registry);
}

/* Two threads that meet at the first add of gauge after gauge. */
enum { RACES = 3000 };

struct race {
    sonde_gauge *gauges[RACES];
    pthread_barrier_t start;
};

static void *add_one_to_each(void *ctx) {
    struct race *race = ctx;
    for (int i = 0; i < RACES; i++) {
        (void)pthread_barrier_wait(&race->start);
        sonde_gauge_inc(race->gauges[i]);
    }
    return NULL;
}

static void a_set_forgets_the_adds_before_it_whoever_was_first(void **state) {
    (void)state;
    static const char *const labels[] = {"number"};
    static struct race race;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "g", .label_names = labels, .label_count = 1};
    sonde_gauge_family *family = sonde_gauge_family_new(registry, &metric, NULL);
    for (int i = 0; i < RACES; i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", i);
        race.gauges[i] = sonde_gauge_family_get(family, (const char *[]){number}, 1);
        sonde_gauge_set(race.gauges[i], 10);
    }
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&race.start, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, add_one_to_each, &race), 0);
    for (int i = 0; i < RACES; i++) {
        (void)pthread_barrier_wait(&race.start);
        sonde_gauge_inc(race.gauges[i]);
        sonde_gauge_set(race.gauges[i], 100);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < RACES; i++) { /* the other thread's step came before the set or after */
        double value = sonde_gauge_value(race.gauges[i]);
        assert_true(value == 100 || value == 101);
    }
    assert_int_equal(pthread_barrier_destroy(&race.start), 0);
    (void)sonde_registry_free(registry);
}

static void a_step_that_is_not_a_number_is_dropped(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_gauge *gauge = new_gauge(registry);
    sonde_gauge_add_double(gauge, (double)NAN);
    assert_true(sonde_gauge_value(gauge) == 0);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 1);
    (void)sonde_registry_free(registry);
}

static void children_are_apart(void **state) {
    (void)state;
    static const char *const labels[] = {"queue"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "depth", .label_names = labels, .label_count = 1};
    sonde_gauge_family *family = sonde_gauge_family_new(registry, &metric, NULL);
    const char *values[] = {"in"};
    sonde_gauge_set(sonde_gauge_family_get(family, values, 1), 3);
    for (int i = 0; i < 2; i++)
        sonde_gauge_inc(SONDE_GAUGE_AT(family, "out"));
    assert_true(has_line(registry, "depth{queue=\"in\"} 3"));
    assert_true(has_line(registry, "depth{queue=\"out\"} 2"));
    (void)sonde_registry_free(registry);
}

static void a_handle_that_records_nothing_is_safe(void **state) {
    (void)state;
    sonde_gauge *gauge = sonde_gauge_new(NULL, &(sonde_metric){.name = "1"}, NULL);
    sonde_gauge_set(gauge, 1);
    sonde_gauge_inc(gauge);
    sonde_gauge_add_double(gauge, (double)NAN);
    sonde_gauge_set(gauge, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_set_value_is_shown),
        cmocka_unit_test(steps_of_all_threads_add_up),
        cmocka_unit_test(steps_count_from_what_was_set_before),
        cmocka_unit_test(a_set_after_steps_forgets_them),
        cmocka_unit_test(a_set_forgets_the_adds_before_it_whoever_was_first),
        cmocka_unit_test(a_step_that_is_not_a_number_is_dropped),
        cmocka_unit_test(children_are_apart),
        cmocka_unit_test(a_handle_that_records_nothing_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
