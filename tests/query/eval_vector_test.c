#include "eval_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state) {
    *state = test_malloc(sizeof(struct eval_fixture));
    eval_fixture_init(*state);
    return 0;
}

static int teardown(void **state) {
    eval_fixture_release(*state);
    test_free(*state);
    return 0;
}

static struct sn_frame frame_of(struct eval_fixture *fixture, int64_t end_ms) {
    struct sn_frame frame;
    struct sn_range range = {0, end_ms};
    assert_int_equal(sn_frame_init(&fixture->eval, range, 1, &frame), SN_OK);
    return frame;
}

/* A row with one label and two values. */
static void add_row(struct eval_fixture *fixture, struct sn_frame *frame, struct sn_vector *vector,
                    const char *value, const double *values) {
    double *column;
    struct sn_labels labels = eval_fixture_labels(fixture, (const char *const[]){"a", value}, 1);
    assert_int_equal(sn_column_new(&fixture->eval, frame, &column), SN_OK);
    memcpy(column, values, frame->step_count * sizeof *column);
    assert_int_equal(sn_vector_add(&fixture->eval, vector, labels, column), SN_OK);
}

static void rows_that_follow_each_other_in_time_become_one(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame = frame_of(fixture, 1);
    struct sn_vector vector = {.count = 0};
    add_row(fixture, &frame, &vector, "x", (double[]){1, SN_ABSENT});
    add_row(fixture, &frame, &vector, "empty", (double[]){SN_ABSENT, SN_ABSENT});
    add_row(fixture, &frame, &vector, "y", (double[]){3, 4});
    add_row(fixture, &frame, &vector, "x", (double[]){SN_ABSENT, 2});
    assert_int_equal(sn_vector_finish(&fixture->eval, &frame, &vector), SN_OK);
    assert_int_equal(vector.count, 2);
    assert_true(vector.rows[0].value[0] == 1 && vector.rows[0].value[1] == 2);
    assert_true(vector.rows[1].value[0] == 3 && vector.rows[1].value[1] == 4);
}

static void two_values_of_one_set_at_one_step_are_refused(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame = frame_of(fixture, 1);
    struct sn_vector vector = {.count = 0};
    add_row(fixture, &frame, &vector, "x", (double[]){1, 2});
    add_row(fixture, &frame, &vector, "x", (double[]){SN_ABSENT, 2});
    assert_int_equal(sn_vector_finish(&fixture->eval, &frame, &vector), SN_ERR_INVALID);
    assert_string_equal(fixture->err.text, "vector cannot contain metrics with the same labelset");
}

static int compare_first(const void *ctx, const struct sn_row *a, const struct sn_row *b) {
    (void)ctx;
    return (a->value[0] > b->value[0]) - (a->value[0] < b->value[0]);
}

static void sorting_is_right_for_any_count_and_stable(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame = frame_of(fixture, 1);
    for (size_t count = 0; count < 40; count++) {
        struct sn_vector vector = {.count = 0};
        for (size_t i = 0; i < count; i++) {
            add_row(fixture, &frame, &vector, "x", (double[]){(double)(i * 7 % 5), (double)i});
        }
        assert_int_equal(sn_vector_sort(&fixture->eval, &vector, compare_first, NULL), SN_OK);
        for (size_t i = 1; i < count; i++) {
            const double *before = vector.rows[i - 1].value;
            const double *now = vector.rows[i].value;
            assert_true(before[0] < now[0] || (before[0] == now[0] && before[1] < now[1]));
        }
        fixture->eval.stats.point_count = 0;
        sn_vector_drop(&frame, &vector);
    }
}

static void columns_are_used_again(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame = frame_of(fixture, 1);
    double *first;
    double *second;
    assert_int_equal(sn_column_new(&fixture->eval, &frame, &first), SN_OK);
    sn_column_drop(&frame, first);
    sn_column_drop(&frame, NULL);
    assert_int_equal(sn_column_new(&fixture->eval, &frame, &second), SN_OK);
    assert_ptr_equal(first, second);
}

static void the_limit_of_points_holds_at_both_sides(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame = frame_of(fixture, 99);
    double *column;
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(sn_column_new(&fixture->eval, &frame, &column), SN_OK);
    }
    assert_int_equal(sn_column_new(&fixture->eval, &frame, &column), SN_ERR_LIMIT);
    assert_non_null(strstr(fixture->err.text, "too many points: the limit is 1000"));
}

static void the_limit_of_steps_holds_at_both_sides(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_frame frame;
    struct sn_range range = {0, 100};
    assert_int_equal(frame_of(fixture, 99).step_count, 100);
    assert_int_equal(sn_frame_init(&fixture->eval, range, 1, &frame), SN_ERR_LIMIT);
    assert_string_equal(fixture->err.text, "query has 101 steps: the limit is 100");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_that_follow_each_other_in_time_become_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(two_values_of_one_set_at_one_step_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sorting_is_right_for_any_count_and_stable, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_are_used_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_of_points_holds_at_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_of_steps_holds_at_both_sides, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
