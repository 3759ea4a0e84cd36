/* /proc/self/stat. */
#include "collect/process.h"

#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_name_with_blanks_and_parentheses_is_no_trap(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_process, &capture, &none, NULL), SN_OK);
    assert_true(capture_has(&capture, "process_cpu_seconds_total{instance=\"i\",job=\"j\"} 2"));
    assert_true(
        capture_has(&capture, "process_virtual_memory_bytes{instance=\"i\",job=\"j\"} 123456789"));
    assert_true(capture_has(&capture, "process_threads{instance=\"i\",job=\"j\"} 12"));
    assert_true(capture_has(&capture, "process_open_fds{instance=\"i\",job=\"j\"} 3"));
    assert_true(
        capture_has(&capture, "process_start_time_seconds{instance=\"i\",job=\"j\"} 1700001000"));
    capture_release(&capture);
}

static void malformed_text_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "1 (a) S 1 2", "1 no name S",
        "1 (a) S 1 1 1 0 -1 4194560 1 0 2 0 x 50 0 0 20 0 12 0 100000 1 2 3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sn_process_use use;
        assert_int_equal(sn_process_use_parse(sn_str_from(texts[i]), 4096, &use, NULL),
                         SN_ERR_CORRUPT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_with_blanks_and_parentheses_is_no_trap),
        cmocka_unit_test(malformed_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
