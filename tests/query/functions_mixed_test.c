/*
 * Range functions on native histograms: data/functions_mixed.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void range_functions_on_histograms_answer_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_mixed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_functions_on_histograms_answer_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
