/* /proc/meminfo and /proc/vmstat. */
#include "collect/host_memory.h"

#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void meminfo_has_the_names_of_node_exporter(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_meminfo, &capture, &none, NULL), SN_OK);
    assert_string_equal(capture_text(&capture),
                        "sonde_host_memory_used_percent{instance=\"i\",job=\"j\"} 25\n"
                        "sonde_host_swap_used_percent{instance=\"i\",job=\"j\"} 25\n"
                        "node_memory_MemTotal_bytes{instance=\"i\",job=\"j\"} 8192000000\n"
                        "node_memory_MemFree_bytes{instance=\"i\",job=\"j\"} 1024000000\n"
                        "node_memory_MemAvailable_bytes{instance=\"i\",job=\"j\"} 6144000000\n"
                        "node_memory_Active_anon_bytes{instance=\"i\",job=\"j\"} 12641280\n"
                        "node_memory_SwapTotal_bytes{instance=\"i\",job=\"j\"} 2048000000\n"
                        "node_memory_SwapFree_bytes{instance=\"i\",job=\"j\"} 1536000000\n"
                        "node_memory_HugePages_Total{instance=\"i\",job=\"j\"} 4\n");
    capture_release(&capture);
}

static void vmstat_gives_the_known_fields_only(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_vmstat, &capture, &none, NULL), SN_OK);
    assert_true(capture_has(&capture, "node_vmstat_pswpin{instance=\"i\",job=\"j\"} 33"));
    assert_true(capture_has(&capture, "node_vmstat_oom_kill{instance=\"i\",job=\"j\"} 7"));
    assert_null(strstr(capture_text(&capture), "nr_free_pages"));
    capture_release(&capture);
}

static void a_kernel_without_swap_is_fine_and_one_without_total_is_not(void **state) {
    (void)state;
    struct sn_memory_use use;
    struct sn_err err = {0};
    assert_int_equal(
        sn_memory_use_parse(SN_STR("MemTotal: 4 kB\nMemAvailable: 1 kB\n"), &use, &err), SN_OK);
    assert_int_equal(use.total_bytes, 4096);
    assert_int_equal(use.swap_total_bytes, 0);
    assert_true(sn_memory_used_percent(&use) == 75.0);
    assert_int_equal(sn_memory_use_parse(SN_STR("MemTotal: 4 kB\n"), &use, &err), SN_ERR_CORRUPT);
    assert_int_equal(
        sn_memory_use_parse(SN_STR("MemTotal: 4 kB\nMemAvailable: x kB\n"), &use, &err),
        SN_ERR_CORRUPT);
}

static void used_percent_survives_odd_numbers(void **state) {
    (void)state;
    struct sn_memory_use none = {0}, odd = {.total_bytes = 1, .available_bytes = 2};
    assert_true(sn_memory_used_percent(&none) == 0.0);
    assert_true(sn_memory_used_percent(&odd) == 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meminfo_has_the_names_of_node_exporter),
        cmocka_unit_test(vmstat_gives_the_known_fields_only),
        cmocka_unit_test(a_kernel_without_swap_is_fine_and_one_without_total_is_not),
        cmocka_unit_test(used_percent_survives_odd_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
