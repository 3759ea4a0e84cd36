/*
 * rate, deriv, *_over_time: data/functions_range.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void functions_of_ranges_answer_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_range");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_ranges_answer_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
