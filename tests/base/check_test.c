/* Tests of the four strengths of saying what must hold. */
#include "base/check.h"

#include "base_support.h"

static void violate_check(void) {
    SN_CHECK(1 + 1 == 3);
}

static void violate_never(void) {
    volatile bool is_true = true; /* unknown to the compiler */
    (void)SN_NEVER(is_true);
}

static void a_violated_check_aborts_and_says_where(void **state) {
    (void)state;
    assert_true(dies_saying(violate_check, "check_test.c:7: check failed"));
    assert_true(dies_saying(violate_check, "1 + 1 == 3"));
}

static void a_check_that_holds_does_nothing(void **state) {
    (void)state;
    SN_CHECK(1 + 1 == 2);
}

static void never_aborts_in_builds_with_faults_and_counts_in_others(void **state) {
    (void)state;
    volatile bool is_true = true;
    assert_false(SN_NEVER(!is_true));
    assert_int_equal(sn_never_count(), 0);
    if (HAS_FAULTS) {
        assert_true(dies_saying(violate_never, "believed impossible"));
        return;
    }
    assert_true(SN_NEVER(is_true));
    assert_int_equal(sn_never_count(), 1);
}

static void sometimes_counts_the_true_cases(void **state) {
    (void)state;
    uint64_t before = sn_sometimes_count();
    for (int i = 0; i < 10; i++)
        assert_int_equal(SN_SOMETIMES(i % 5 == 0), i % 5 == 0);
    assert_int_equal(sn_sometimes_count() - before, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_violated_check_aborts_and_says_where),
        cmocka_unit_test(a_check_that_holds_does_nothing),
        cmocka_unit_test(never_aborts_in_builds_with_faults_and_counts_in_others),
        cmocka_unit_test(sometimes_counts_the_true_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
