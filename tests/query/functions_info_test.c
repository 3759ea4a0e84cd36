/*
 * info(): data/functions_info.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void info_series_enrich_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_info");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_series_enrich_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
