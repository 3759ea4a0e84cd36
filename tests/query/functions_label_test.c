/*
 * label_replace, label_join, sort_by_label: data/functions_label.test.
 */
#include "promql_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void labels_change_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("functions_label");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_change_as_in_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
