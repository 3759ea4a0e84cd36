/*
 * Binary operators on native histograms: data/binary_histogram.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void binary_operators_on_histograms_answer_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("binary_histogram");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_operators_on_histograms_answer_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
