/* Tables of instant queries. */
#include "board_support.h"

#include "engine/metric_table.h"

#include <math.h>

#define NOW BOARD_NOW_MS

static sn_status read(struct test_board *test, struct sn_metric_table *ret_table) {
    static const struct sn_metric_column columns[] = {{"a", "sum by (s, t) (a)"},
                                                      {"b", "sum by (s, t) (b)"}};
    struct sn_err err;
    const struct sn_ask ask = {.querier = test->querier, .arena = &test->arena, .err = &err};
    const struct sn_metric_table_query query = {
        .columns = columns, .column_count = 2, .keys = {SN_STR("s"), SN_STR("t")}, .now_ms = NOW};
    return sn_metric_table_read(&ask, &query, ret_table);
}

static void columns_meet_in_rows(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_metric_table table;
    test_board_add(test, NOW, 1, "a", "s", "x", "t", "1", NULL);
    test_board_add(test, NOW, 2, "a", "s", "x", "t", "2", NULL);
    test_board_add(test, NOW, 3, "b", "s", "x", "t", "1", NULL);
    test_board_add(test, NOW, 4, "b", "s", "y", NULL);
    assert_int_equal(read(test, &table), SN_OK);
    assert_int_equal(table.count, 3);
    assert_false(table.is_cut);
    assert_true(sn_str_equal(table.rows[0].keys[1], SN_STR("2"))); /* the largest first */
    assert_true(isnan(table.rows[0].values[1]));
    assert_true(table.rows[1].values[0] == 1 && table.rows[1].values[1] == 3);
    assert_true(isnan(table.rows[2].values[0]) && table.rows[2].values[1] == 4);
    test->select_status = SN_ERR_IO;
    assert_int_equal(read(test, &table), SN_ERR_IO);
    test_board_stop(test);
}

/* So many series of one metric, whatever is asked. */
static size_t many;

static sn_status answer_many(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                             struct sn_query_result *ret_result, struct sn_err *err) {
    static const double one = 1;
    (void)ctx;
    (void)query;
    struct sn_result_series *series = sn_arena_alloc_zero(arena, many, sizeof *series);
    struct sn_label *labels = sn_arena_alloc_zero(arena, many, sizeof *labels);
    if (series == NULL || labels == NULL)
        return sn_arena_failure(arena, many, err);
    for (size_t i = 0; i < many; i++) {
        labels[i] = (struct sn_label){SN_STR("s"), sn_str_from(sn_arena_printf(arena, "%zu", i))};
        series[i] = (struct sn_result_series){.labels = {&labels[i], 1}, .value = &one, .count = 1};
    }
    *ret_result = (struct sn_query_result){.series = series, .series_count = many};
    return SN_OK;
}

static void the_limit_holds_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    static const struct sn_metric_column column = {"a", "a"};
    struct sn_metric_table table;
    for (size_t extra = 0; extra < 2; extra++) {
        struct sn_arena arena;
        struct sn_err err;
        sn_arena_init(&arena, 0);
        const struct sn_ask ask = {.querier = {NULL, answer_many}, .arena = &arena, .err = &err};
        const struct sn_metric_table_query query = {
            .columns = &column, .column_count = 1, .keys = {SN_STR("s")}, .now_ms = NOW};
        many = SN_METRIC_TABLE_ROWS_MAX + extra;
        assert_int_equal(sn_metric_table_read(&ask, &query, &table), SN_OK);
        assert_int_equal(table.count, SN_METRIC_TABLE_ROWS_MAX);
        assert_true(table.is_cut == (extra == 1));
        sn_arena_release(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_meet_in_rows),
        cmocka_unit_test(the_limit_holds_at_both_sides_of_the_boundary),
    };
    return cmocka_run_group_tests_name("metric_table", tests, NULL, NULL);
}
