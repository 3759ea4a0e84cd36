/*
 * Operators between vectors: data/binary_match.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void vectors_match_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("binary_match");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_match_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
