/* /proc/stat: seconds by mode and the busy percentage. */
#include "collect/host_cpu.h"

#include "base/mem.h"
#include "collect_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void seconds_are_ticks_by_cpu_and_mode(void **state) {
    (void)state;
    struct capture capture;
    void *source_state = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_cpu, &capture, &source_state, NULL), SN_OK);
    assert_true(capture_has(
        &capture, "node_cpu_seconds_total{cpu=\"0\",instance=\"i\",job=\"j\",mode=\"user\"} 60"));
    assert_true(capture_has(
        &capture, "node_cpu_seconds_total{cpu=\"1\",instance=\"i\",job=\"j\",mode=\"steal\"} 0.3"));
    assert_true(
        capture_has(&capture, "node_boot_time_seconds{instance=\"i\",job=\"j\"} 1700000000"));
    assert_true(capture_has(&capture, "node_intr_total{instance=\"i\",job=\"j\"} 123456"));
    assert_true(capture_has(&capture, "node_procs_running{instance=\"i\",job=\"j\"} 3"));
    sn_source_cpu.close(source_state);
    capture_release(&capture);
}

static void the_first_pass_has_no_percentage_and_the_second_has(void **state) {
    (void)state;
    struct capture capture;
    void *source_state = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_cpu, &capture, &source_state, NULL), SN_OK);
    assert_null(strstr(capture_text(&capture), "sonde_host_cpu_percent"));
    struct sn_cpu_ticks *previous = source_state;
    previous->mode[0] -= 25; /* user: 25 busy ticks ... */
    previous->mode[3] -= 75; /* ... and 75 idle ones since then */
    assert_int_equal(gather_fixture(&sn_source_cpu, &capture, &source_state, NULL), SN_OK);
    assert_true(capture_has(&capture, "sonde_host_cpu_percent{instance=\"i\",job=\"j\"} 25"));
    sn_source_cpu.close(source_state);
    capture_release(&capture);
}

static void busy_percent_is_between_0_and_100_whatever_happens(void **state) {
    (void)state;
    struct sn_cpu_ticks zero = {{0}}, busy = {{100, 0, 0, 0, 0, 0, 0, 0}},
                        idle = {{0, 0, 0, 60, 40, 0, 0, 0}};
    assert_true(sn_cpu_busy_percent(&zero, &zero) == 0.0);
    assert_true(sn_cpu_busy_percent(&zero, &busy) == 100.0);
    assert_true(sn_cpu_busy_percent(&zero, &idle) == 0.0);
    assert_true(sn_cpu_busy_percent(&busy, &zero) == 0.0); /* went back */
    assert_true(sn_cpu_busy_percent(&busy, &idle) == 0.0);
}

static void malformed_text_is_named(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "cpu", "cpu  1 2 3\n", "cpu  1 2 3 4 x 6 7 8\n", "intr 5\n", "cpu0 1 2 3 4 5 6 7 8\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sn_cpu_ticks ticks;
        struct sn_err err = {0};
        assert_int_equal(sn_cpu_ticks_parse(sn_str_from(texts[i]), &ticks, &err), SN_ERR_CORRUPT);
        assert_true(strncmp(err.text, "stat: ", 6) == 0);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct capture capture;
        void *source_state = NULL;
        int64_t blocks = sn_mem_block_count();
        capture_init(&capture);
        sn_mem_fail_nth(n);
        sn_status status = gather_fixture(&sn_source_cpu, &capture, &source_state, NULL);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_source_cpu.close(source_state);
        capture_release(&capture);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!fired) {
            assert_int_equal(status, SN_OK);
            break;
        }
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_ticks_by_cpu_and_mode),
        cmocka_unit_test(the_first_pass_has_no_percentage_and_the_second_has),
        cmocka_unit_test(busy_percent_is_between_0_and_100_whatever_happens),
        cmocka_unit_test(malformed_text_is_named),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
