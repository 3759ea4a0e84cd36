/* Tests of the life of registries. */
#include "client/registry_priv.h"

#include "client_support.h"

#include <sys/wait.h>
#include <unistd.h>

static void null_is_the_global_registry(void **state) {
    (void)state;
    sonde_counter *counter = sonde_counter_new(NULL, &(sonde_metric){.name = "g_total"}, NULL);
    sonde_counter_inc(counter);
    assert_ptr_equal(sn_registry_or_global(NULL), sonde_registry_global());
    assert_true(has_line(sonde_registry_global(), "g_total 1"));
    assert_true(has_line(NULL, "g_total 1"));
    assert_null(sonde_registry_free(sonde_registry_global()));
    assert_true(has_line(NULL, "g_total 1"));
}

static void registries_are_apart(void **state) {
    (void)state;
    sonde_registry *one = new_registry(), *two = new_registry();
    sonde_counter_inc(sonde_counter_new(one, &(sonde_metric){.name = "c_total"}, NULL));
    sonde_gauge_set(sonde_gauge_new(two, &(sonde_metric){.name = "c_total"}, NULL), 7);
    assert_true(has_line(one, "c_total 1"));
    assert_true(has_line(two, "c_total 7"));
    (void)sonde_registry_free(one);
    assert_true(has_line(two, "c_total 7"));
    (void)sonde_registry_free(two);
    assert_null(sonde_registry_free(NULL));
}

static void wrong_operation_bounds_are_told_at_once(void **state) {
    (void)state;
    const double falling[] = {2, 1};
    sonde_registry_options options = {.operation_bounds = falling, .operation_bound_count = 2};
    sonde_error error;
    assert_null(sonde_registry_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    options.operation_bounds = NULL;
    assert_null(sonde_registry_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    const double bounds[] = {1, 2};
    sonde_registry_options options = {.operation_bounds = bounds, .operation_bound_count = 2};
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        sonde_error error;
        sn_mem_fail_nth(n);
        sonde_registry *registry = sonde_registry_new(&options, &error);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(error.status, fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        assert_int_equal(registry == NULL, fired);
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

static void unknown_reasons_have_lost_nothing(void **state) {
    (void)state;
    assert_int_equal(sonde_lost_count(NULL, SONDE_LOST_REASON_COUNT), 0);
}

/* Registration, recording and reading in the child of a fork. */
static int run_child(sonde_registry *registry) {
    sonde_counter *counter = sonde_counter_new(registry, &(sonde_metric){.name = "c_total"}, NULL);
    sonde_counter_inc(counter);
    sonde_counter_inc(sonde_counter_new(registry, &(sonde_metric){.name = "new_total"}, NULL));
    bool is_right = sonde_counter_value(counter) == 2 && has_line(registry, "new_total 1");
    return is_right ? 0 : 1;
}

static void a_child_of_fork_goes_on_by_itself(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_counter *counter = sonde_counter_new(registry, &(sonde_metric){.name = "c_total"}, NULL);
    sonde_counter_inc(counter);
    pid_t pid = fork();
    if (pid == 0)
        leave_child(run_child(registry));
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(sonde_counter_value(counter), 1);
    assert_false(has_line(registry, "new_total 1"));
    (void)sonde_registry_free(registry);
}

static void *count_and_end(void *counter) {
    sonde_counter_inc(counter);
    return NULL;
}

/* The leak checker judges at exit: what the global registry and ended threads hold is reachable. */
static void a_program_may_just_end(void **state) {
    (void)state;
    sonde_counter *counter =
        sonde_counter_new(NULL, &(sonde_metric){.name = "left_at_exit_total"}, NULL);
    sonde_counter_inc(counter);
    in_thread(count_and_end, counter);
    assert_int_equal(sonde_counter_value(counter), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_the_global_registry),
        cmocka_unit_test(registries_are_apart),
        cmocka_unit_test(wrong_operation_bounds_are_told_at_once),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(unknown_reasons_have_lost_nothing),
        cmocka_unit_test(a_child_of_fork_goes_on_by_itself),
        cmocka_unit_test(a_program_may_just_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
