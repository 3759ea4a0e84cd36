/* The server's own libsonde metrics as samples. */
#include "collect_support.h"

#include <sonde/sonde.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_metric_of_the_global_registry_is_collected(void **state) {
    (void)state;
    static const char *const names[] = {"kind"};
    static const char *const values[] = {"a\"b"};
    const sonde_metric metric = {
        .name = "test_things_total", .help = "Things.", .label_names = names, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(NULL, &metric, NULL);
    sonde_counter_add(sonde_counter_family_get(family, values, 1), 7);
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_self, &capture, &none, NULL), SN_OK);
    assert_true(
        capture_has(&capture, "test_things_total{instance=\"i\",job=\"j\",kind=\"a\\\"b\"} 7"));
    capture_release(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_of_the_global_registry_is_collected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
