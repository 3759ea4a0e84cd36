/*
 * Lookback, offset, @, ranges, subqueries: data/eval_select.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void selectors_look_where_prometheus_looks(void **state) {
    (void)state;
    promql_check_data("eval_select");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_look_where_prometheus_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
