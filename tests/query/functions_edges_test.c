/*
 * Anchored and smoothed ranges of native histograms: data/functions_edges.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void anchored_and_smoothed_histograms_answer_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_edges");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchored_and_smoothed_histograms_answer_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
