/*
 * Counters whose start is known: data/functions_start.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void counters_with_start_times_lose_nothing(void **state) {
    (void)state;
    promql_check_data("functions_start");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_with_start_times_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
