/* Tests of finding instruments: limits, names that are taken, no memory, threads. */
#include "client/instrument_priv.h"

#include "client/lock_priv.h"
#include "client/registry_priv.h"
#include "client_support.h"

#include <pthread.h>
#include <stdio.h>

#define LIMIT 3

struct thing {
    struct sn_instrument instrument;
    int inits;
    char name[16];
};

static bool may_init = true;
static double number = 4;

static double read_number(void *ctx) {
    return *(double *)ctx;
}

static bool init_locked(struct sn_instrument *instrument, const char *const *values) {
    static const char *const labels[] = {"thing"};
    struct thing *thing = (struct thing *)(void *)instrument;
    sonde_registry *registry = instrument->series->family->registry;
    sonde_callback_options options = {
        .metric = {.name = "thing_number", .label_names = labels, .label_count = 1},
        .label_values = values,
        .read = read_number,
        .ctx = &number,
    };
    thing->inits++;
    (void)snprintf(thing->name, sizeof thing->name, "%s", values[0]);
    return sn_instrument_callback_locked(registry, &options, NULL) && may_init;
}

static const char *const labels[] = {"thing"};
static const struct sn_instrument_type type = {
    .metric = {.name = "thing_info", .label_names = labels, .label_count = 1, .series_max = LIMIT},
    .size = sizeof(struct thing),
    .init_locked = init_locked,
};

static struct thing *get(sonde_registry *registry, const char *name) {
    return (struct thing *)(void *)sn_instrument_get(registry, &type, &name);
}

static size_t count_of(sonde_registry *registry) {
    size_t count = 0;
    struct sn_instrument *at = NULL;
    while ((at = sn_instrument_next(registry, &type, at)) != NULL)
        count++;
    return count;
}

static void the_same_name_is_the_same_instrument(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    assert_int_equal(count_of(registry), 0);
    struct thing *a = get(registry, "a");
    assert_non_null(a);
    assert_ptr_equal(get(registry, "a"), a);
    assert_int_equal(a->inits, 1);
    assert_true(has_line(registry, "thing_info{thing=\"a\"} 1"));
    assert_true(has_line(registry, "thing_number{thing=\"a\"} 4"));
    assert_ptr_not_equal(get(registry, "b"), a);
    assert_int_equal(count_of(registry), 2);
    (void)sonde_registry_free(registry);
}

static void registries_are_apart(void **state) {
    (void)state;
    sonde_registry *one = new_registry();
    sonde_registry *two = new_registry();
    assert_ptr_not_equal(get(one, "a"), get(two, "a"));
    (void)sonde_registry_free(one);
    assert_int_equal(count_of(two), 1);
    (void)sonde_registry_free(two);
}

static void beyond_the_limit_all_share_one(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < LIMIT; i++)
        assert_string_equal(get(registry, names[i])->name, names[i]);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 0);
    struct thing *other = get(registry, "d");
    assert_string_equal(other->name, SONDE_OTHER);
    assert_ptr_equal(get(registry, "e"), other);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 2);
    assert_ptr_equal(get(registry, "\xff"), other);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_LABEL_VALUE), 1);
    (void)sonde_registry_free(registry);
}

static void a_name_that_the_host_took_is_refused(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    const char *value = "host";
    assert_int_equal(sonde_info_set(registry, &type.metric, &value, NULL), SONDE_OK);
    assert_null(get(registry, "a"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 1);
    assert_int_equal(count_of(registry), 0);
    (void)sonde_registry_free(registry);
    registry = new_registry();
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "thing_number"}, NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "thing_info"}, NULL);
    assert_null(get(registry, "a"));
    (void)sonde_registry_free(registry);
}

static void a_host_that_adds_to_the_info_makes_no_instrument(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    const char *value = "host";
    assert_non_null(get(registry, "a"));
    assert_int_equal(sonde_info_set(registry, &type.metric, &value, NULL), SONDE_OK);
    assert_int_equal(count_of(registry), 1);
    assert_non_null(get(registry, "host"));
    assert_int_equal(count_of(registry), 2);
    (void)sonde_registry_free(registry);
}

static void what_failed_is_tried_again(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    may_init = false;
    assert_null(get(registry, "a"));
    assert_null(get(registry, "a"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 2);
    assert_int_equal(count_of(registry), 0);
    may_init = true;
    assert_int_equal(get(registry, "a")->inits, 3);
    (void)sonde_registry_free(registry);
}

static void another_function_for_a_callback_is_refused(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    double other = 1;
    const char *value = "a";
    sonde_callback_options options = {
        .metric = {.name = "thing_number", .label_names = labels, .label_count = 1},
        .label_values = &value,
        .read = read_number,
        .ctx = &other,
    };
    assert_non_null(sonde_callback_new(registry, &options, NULL));
    assert_null(get(registry, "a"));
    assert_non_null(get(registry, "b"));
    (void)sonde_registry_free(registry);
}

static void without_memory_nothing_happens(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        sonde_registry *registry = new_registry();
        sn_mem_fail_nth(n);
        struct thing *thing = get(registry, "a");
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_true(thing != NULL || has_fired);
        assert_non_null(get(registry, "a"));
        assert_int_equal(count_of(registry), 1);
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

static void *get_all(void *registry) {
    for (int round = 0; round < 100; round++) {
        const char name[] = {(char)('a' + round % LIMIT), '\0'};
        assert_non_null(get(registry, name));
        (void)count_of(registry);
    }
    return NULL;
}

static void threads_find_the_same_instruments(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_all, registry), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(count_of(registry), LIMIT);
    assert_int_equal(get(registry, "a")->inits, 1);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_name_is_the_same_instrument),
        cmocka_unit_test(registries_are_apart),
        cmocka_unit_test(beyond_the_limit_all_share_one),
        cmocka_unit_test(a_name_that_the_host_took_is_refused),
        cmocka_unit_test(a_host_that_adds_to_the_info_makes_no_instrument),
        cmocka_unit_test(what_failed_is_tried_again),
        cmocka_unit_test(another_function_for_a_callback_is_refused),
        cmocka_unit_test(without_memory_nothing_happens),
        cmocka_unit_test(threads_find_the_same_instruments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
