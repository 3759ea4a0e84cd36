/*
 * topk, bottomk, limitk, limit_ratio, quantile, count_values: data/aggregate_choose.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void groups_choose_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("aggregate_choose");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_choose_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
