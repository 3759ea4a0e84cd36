/* loadavg, pressure, uname, time. */
#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_gives(const struct sn_source *source, const char *expected) {
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(source, &capture, &none, NULL), SN_OK);
    assert_string_equal(capture_text(&capture), expected);
    capture_release(&capture);
}

static void load_has_three_averages(void **state) {
    (void)state;
    assert_gives(&sn_source_loadavg, "node_load1{instance=\"i\",job=\"j\"} 0.52\n"
                                     "node_load5{instance=\"i\",job=\"j\"} 1.25\n"
                                     "node_load15{instance=\"i\",job=\"j\"} 2\n");
}

static void pressure_totals_are_seconds(void **state) {
    (void)state;
    assert_gives(&sn_source_pressure,
                 "node_pressure_cpu_waiting_seconds_total{instance=\"i\",job=\"j\"} 10.193834\n"
                 "node_pressure_io_waiting_seconds_total{instance=\"i\",job=\"j\"} 2.5\n"
                 "node_pressure_io_stalled_seconds_total{instance=\"i\",job=\"j\"} 1.5\n"
                 "node_pressure_memory_waiting_seconds_total{instance=\"i\",job=\"j\"} 0.00025\n"
                 "node_pressure_memory_stalled_seconds_total{instance=\"i\",job=\"j\"} 0\n");
}

static void uname_is_an_info_metric(void **state) {
    (void)state;
    assert_gives(&sn_source_uname,
                 "node_uname_info{instance=\"i\",job=\"j\",nodename=\"fixture\",release=\"6.1.0-"
                 "test\",sysname=\"Linux\",version=\"#1 SMP Debian\"} 1\n");
}

static void time_is_the_clocks_and_uptime_the_kernels(void **state) {
    (void)state;
    assert_gives(&sn_source_time, "sonde_host_uptime_seconds{instance=\"i\",job=\"j\"} 12345.67\n"
                                  "node_time_seconds{instance=\"i\",job=\"j\"} 1700000123.456\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_has_three_averages),
        cmocka_unit_test(pressure_totals_are_seconds),
        cmocka_unit_test(uname_is_an_info_metric),
        cmocka_unit_test(time_is_the_clocks_and_uptime_the_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
