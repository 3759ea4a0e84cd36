/* Small charts: grids, values, what is kept. */
#include "board_support.h"

#include <math.h>

#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)
#define NOW BOARD_NOW_MS

static const float *read(struct test_board *test, enum sn_spark_kind kind,
                         const struct sn_spark_grid *grid, const char *name) {
    const float *values = NULL;
    struct sn_err err = {.status = SN_OK};
    const struct sn_str names[] = {sn_str_from(name)};
    if (sn_sparks_read(&test->sparks, kind, grid, names, 1, &test->arena, &values, &err) != SN_OK)
        fail_msg("%s", err.text);
    return values;
}

static void check_near(float value, double wanted) {
    if (!(fabs((double)value - wanted) <= 1e-5 * fabs(wanted)))
        fail_msg("wanted %.9g, got %.9g", wanted, (double)value);
}

static void a_grid_is_aligned_and_over(void **state) {
    (void)state;
    static const struct {
        int64_t range_ms, step_ms;
        size_t count;
    } rows[] = {{15 * MINUTE, 30000, 30},      {HOUR, 2 * MINUTE, 30},
                {6 * HOUR, 10 * MINUTE, 36},   {24 * HOUR, 30 * MINUTE, 48},
                {168 * HOUR, 6 * HOUR, 28},    {720 * HOUR, 24 * HOUR, 30},
                {8760 * HOUR, 192 * HOUR, 45}, {1000, 1000, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sn_spark_grid grid =
            sn_spark_grid_of((struct sn_range){NOW + 7 - rows[i].range_ms, NOW + 7});
        assert_int_equal(grid.step_ms, rows[i].step_ms);
        assert_int_equal(grid.count, rows[i].count);
        assert_int_equal(grid.start_ms % grid.step_ms, 0);
        int64_t end_ms = grid.start_ms + (int64_t)grid.count * grid.step_ms;
        assert_true(end_ms <= NOW + 7 && end_ms + grid.step_ms > NOW + 7);
    }
}

static void steps_have_their_rate_and_gaps(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    const struct sn_spark_grid grid = sn_spark_grid_of((struct sn_range){NOW - HOUR, NOW});
    test_board_run(test, "a", NOW - 40 * MINUTE, NOW - 20 * MINUTE, 3, 1);
    const float *values = read(test, SN_SPARK_RATE, &grid, "a");
    assert_true(isnan(values[9])); /* 42 to 40 minutes ago */
    check_near(values[12], 4);
    check_near(values[19], 4);
    assert_true(isnan(values[21]));
    assert_true(isnan(read(test, SN_SPARK_P95, &grid, "a")[12]));
    test_board_stop(test);
}

static void what_is_known_is_not_asked_again(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    const struct sn_spark_grid grid = sn_spark_grid_of((struct sn_range){NOW - HOUR, NOW});
    test_board_run(test, "a", NOW - HOUR, NOW, 3, 1);
    test_board_run(test, "b.c|d", NOW - HOUR, NOW, 5, 0);
    (void)read(test, SN_SPARK_RATE, &grid, "a");
    size_t before = test->select_count;
    check_near(read(test, SN_SPARK_RATE, &grid, "a")[20], 4);
    assert_int_equal(test->select_count, before);
    check_near(read(test, SN_SPARK_RATE, &grid, "b.c|d")[20], 5);
    assert_true(test->select_count > before);
    test_board_stop(test);
}

static void a_day_comes_from_stored_half_hours_where_there_are_some(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    const struct sn_spark_grid grid = sn_spark_grid_of((struct sn_range){NOW - 24 * HOUR, NOW});
    int64_t end_ms = grid.start_ms + 10 * grid.step_ms; /* of step 9 */
    test_board_add(test, end_ms, 20, "sonde_service_operations_per_second", "service", "a",
                   "outcome", "ok", "window", "30m", NULL);
    test_board_add(test, end_ms, 3, "sonde_service_operations_per_second", "service", "a",
                   "outcome", "error", "window", "30m", NULL);
    test_board_add(test, end_ms, 0.25, "sonde_service_duration_p95_seconds", "service", "a",
                   "window", "30m", NULL);
    test_board_run(test, "b", NOW - 3 * HOUR, NOW, 2, 0);
    const float *values = read(test, SN_SPARK_RATE, &grid, "a");
    check_near(values[9], 23);
    assert_true(isnan(values[8]) && isnan(values[10]));
    check_near(read(test, SN_SPARK_P95, &grid, "a")[9], 0.25);
    check_near(read(test, SN_SPARK_RATE, &grid, "b")[45], 2); /* nothing stored: from samples */
    test_board_stop(test);
}

static void a_failure_is_forgotten(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_err err = {.status = SN_OK};
    const float *values;
    const struct sn_str names[] = {SN_STR("a")};
    const struct sn_spark_grid grid = sn_spark_grid_of((struct sn_range){NOW - HOUR, NOW});
    test_board_run(test, "a", NOW - HOUR, NOW, 3, 1);
    test->select_status = SN_ERR_IO;
    assert_int_equal(
        sn_sparks_read(&test->sparks, SN_SPARK_RATE, &grid, names, 1, &test->arena, &values, &err),
        SN_ERR_IO);
    test->select_status = SN_OK;
    check_near(read(test, SN_SPARK_RATE, &grid, "a")[20], 4);
    test_board_stop(test);
}

static void the_oldest_grid_gives_way(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", NOW - HOUR, NOW, 3, 1);
    for (int64_t i = 0; i <= SN_SPARK_GRIDS; i++) {
        const struct sn_spark_grid grid =
            sn_spark_grid_of((struct sn_range){NOW - HOUR, NOW - i * 2 * MINUTE});
        check_near(read(test, SN_SPARK_RATE, &grid, "a")[5], 4);
    }
    const struct sn_spark_grid first = sn_spark_grid_of((struct sn_range){NOW - HOUR, NOW});
    size_t before = test->select_count;
    (void)read(test, SN_SPARK_RATE, &first, "a");
    assert_true(test->select_count > before);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_aligned_and_over),
        cmocka_unit_test(steps_have_their_rate_and_gaps),
        cmocka_unit_test(what_is_known_is_not_asked_again),
        cmocka_unit_test(a_day_comes_from_stored_half_hours_where_there_are_some),
        cmocka_unit_test(a_failure_is_forgotten),
        cmocka_unit_test(the_oldest_grid_gives_way),
    };
    return cmocka_run_group_tests_name("sparks", tests, NULL, NULL);
}
