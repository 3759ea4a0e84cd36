/*
 * Histograms of series: data/eval_histogram.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void histograms_of_series_are_read_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("eval_histogram");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_of_series_are_read_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
