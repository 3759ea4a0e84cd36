/*
 * Literals, parentheses, unary operators, types of results: data/eval.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void every_kind_of_value_is_an_answer(void **state) {
    (void)state;
    promql_check_data("eval");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
