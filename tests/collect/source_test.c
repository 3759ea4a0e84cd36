/* Helpers of the sources: label values from outside, files that cannot be read. */
#include "collect/source.h"

#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static sn_status add_hostile(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    return sn_gather_add_labelled(gather, "m", SN_STR("device"), SN_STR("a\xff\"b\n"), 1, err);
}

static void label_values_become_utf8(void **state) {
    (void)state;
    static const struct sn_source source = {.name = "hostile", .collect = add_hostile};
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&source, &capture, &none, NULL), SN_OK);
    assert_string_equal(capture_text(&capture),
                        "m{device=\"a?\\\"b\\n\",instance=\"i\",job=\"j\"} 1\n");
    capture_release(&capture);
}

static sn_status read_missing(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text;
    return sn_gather_read_proc(gather, "no_such_file", &text, err);
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    static const struct sn_source source = {.name = "missing", .collect = read_missing};
    struct capture capture;
    struct sn_err err = {0};
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&source, &capture, &none, &err), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "fixtures/proc/no_such_file"));
    capture_release(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_values_become_utf8),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
