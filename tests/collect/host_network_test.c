/* /proc/net/dev. */
#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void sixteen_counters_of_every_interface(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_netdev, &capture, &none, NULL), SN_OK);
    assert_true(capture_has(
        &capture,
        "node_network_receive_bytes_total{device=\"eth0\",instance=\"i\",job=\"j\"} 123456789"));
    assert_true(capture_has(
        &capture,
        "node_network_receive_multicast_total{device=\"eth0\",instance=\"i\",job=\"j\"} 6"));
    assert_true(capture_has(
        &capture,
        "node_network_transmit_bytes_total{device=\"eth0\",instance=\"i\",job=\"j\"} 987654321"));
    assert_true(capture_has(
        &capture,
        "node_network_transmit_compressed_total{device=\"eth0\",instance=\"i\",job=\"j\"} 12"));
    size_t lines = 0;
    for (const char *at = capture_text(&capture); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 32);
    capture_release(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_counters_of_every_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
