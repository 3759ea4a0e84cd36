/*
 * sum, avg, count, min, max, group, stddev, stdvar: data/aggregate.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void groups_add_up_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("aggregate");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_add_up_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
