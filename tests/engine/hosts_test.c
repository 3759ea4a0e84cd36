/* Machines: what is asked of node_exporter's names, who is worst. */
#include "board_support.h"

#include <math.h>
#include <stdio.h>

#define NOW BOARD_NOW_MS

static void check_near(double value, double wanted) {
    if (!(fabs(value - wanted) <= 1e-6 * fabs(wanted) + 1e-12))
        fail_msg("wanted %.17g, got %.17g", wanted, value);
}

static void add_host(struct test_board *test, const char *name, double memory_used,
                     double disk_used) {
    for (int64_t at = NOW - 120000; at <= NOW; at += 15000) {
        test_board_add(test, at, 0.75 * (double)at / 1e3, "node_cpu_seconds_total", "instance",
                       name, "cpu", "0", "mode", "idle", NULL);
        test_board_add(test, at, 100 * (double)at / 1e3, "node_network_receive_bytes_total",
                       "instance", name, "device", "eth0", NULL);
        test_board_add(test, at, 1e6 * (double)at / 1e3, "node_network_receive_bytes_total",
                       "instance", name, "device", "lo", NULL);
    }
    test_board_add(test, NOW, 1000, "node_memory_MemTotal_bytes", "instance", name, NULL);
    test_board_add(test, NOW, 1000 * (1 - memory_used), "node_memory_MemAvailable_bytes",
                   "instance", name, NULL);
    test_board_add(test, NOW, 1.25, "node_load1", "instance", name, NULL);
    test_board_add(test, NOW, (double)NOW / 1e3 - 60, "node_boot_time_seconds", "instance", name,
                   NULL);
    static const char *const mounts[] = {"/", "/data", "/run"};
    for (size_t i = 0; i < 3; i++) {
        const char *fstype = i == 2 ? "tmpfs" : "ext4";
        test_board_add(test, NOW, 100, "node_filesystem_size_bytes", "instance", name, "mountpoint",
                       mounts[i], "device", "/dev/x", "fstype", fstype, NULL);
        test_board_add(test, NOW, i == 1 ? 100 * (1 - disk_used) : 99,
                       "node_filesystem_avail_bytes", "instance", name, "mountpoint", mounts[i],
                       "device", "/dev/x", "fstype", fstype, NULL);
    }
}

static void the_worst_host_is_first(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    add_host(test, "idle", 0.1, 0.1);
    add_host(test, "full", 0.2, 0.96);
    add_host(test, "warm", 0.91, 0.3);
    test_board_look(test);
    const struct sn_hosts *hosts = &test->view.hosts;
    assert_int_equal(hosts->count, 3);
    assert_true(sn_str_equal(hosts->items[0].name, SN_STR("full")));
    assert_int_equal(hosts->items[0].status, SN_HEALTH_CRITICAL);
    assert_true(sn_str_equal(hosts->items[0].disk_mountpoint, SN_STR("/data")));
    check_near(hosts->items[0].disk_ratio, 0.96);
    assert_int_equal(hosts->items[1].status, SN_HEALTH_WARNING);
    check_near(hosts->items[1].memory_ratio, 0.91);
    check_near(hosts->items[1].memory_used, 910);
    assert_int_equal(hosts->items[2].status, SN_HEALTH_GOOD);
    check_near(hosts->items[2].cpu_ratio, 0.25);
    check_near(hosts->items[2].received, 100); /* without the loopback */
    assert_true(isnan(hosts->items[2].sent));
    check_near(hosts->items[2].load1, 1.25);
    check_near(hosts->items[2].cpu_count, 1);
    assert_int_equal(hosts->items[2].seen_ms, NOW);
    test_board_stop(test);
}

static void every_filesystem_that_holds_data_is_there(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    add_host(test, "b", 0.1, 0.5);
    add_host(test, "a", 0.1, 0.7);
    test_board_look(test);
    const struct sn_hosts *hosts = &test->view.hosts;
    assert_int_equal(hosts->disk_count, 4);
    assert_true(sn_str_equal(hosts->disks[0].host, SN_STR("a")));
    assert_true(sn_str_equal(hosts->disks[0].mountpoint, SN_STR("/data")));
    check_near(hosts->disks[0].used_ratio, 0.7);
    check_near(hosts->disks[0].available, 30);
    assert_true(sn_str_equal(hosts->disks[1].mountpoint, SN_STR("/")));
    assert_true(sn_str_equal(hosts->disks[2].host, SN_STR("b")));
    test_board_stop(test);
}

static void beyond_the_limit_hosts_are_counted(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    static char names[SN_HOSTS_MAX + 1][16];
    for (size_t i = 0; i < SN_HOSTS_MAX + 1; i++) {
        (void)snprintf(names[i], sizeof names[i], "h%zu", i);
        test_board_add(test, NOW, 1, "node_memory_MemTotal_bytes", "instance", names[i], NULL);
    }
    test_board_look(test);
    assert_int_equal(test->view.hosts.count, SN_HOSTS_MAX);
    assert_int_equal(test->view.hosts.total, SN_HOSTS_MAX + 1);
    assert_int_equal(test->view.hosts.items[0].status, SN_HEALTH_UNKNOWN);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_host_is_first),
        cmocka_unit_test(every_filesystem_that_holds_data_is_there),
        cmocka_unit_test(beyond_the_limit_hosts_are_counted),
    };
    return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
