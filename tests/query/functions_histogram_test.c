/*
 * Quantiles and fractions of classic histograms: data/functions_histogram.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void classic_histograms_answer_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_histogram");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic_histograms_answer_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
