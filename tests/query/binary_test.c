/*
 * Operators on numbers and scalars: data/binary.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void operators_on_scalars_compute_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("binary");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_on_scalars_compute_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
