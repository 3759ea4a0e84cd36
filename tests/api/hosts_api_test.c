/* GET /api/v1/hosts. */
#include "dash_support.h"

static void hosts_and_filesystems_are_listed(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_add(dash, 0, 100, "node_memory_MemTotal_bytes", "instance", "h", NULL);
    dash_add(dash, 0, 4, "node_memory_MemAvailable_bytes", "instance", "h", NULL);
    dash_add(dash, 0, 1699999000, "node_boot_time_seconds", "instance", "h", NULL);
    dash_add(dash, 0, 1000, "node_filesystem_size_bytes", "instance", "h", "mountpoint", "/",
             "device", "/dev/sda", "fstype", "ext4", NULL);
    dash_add(dash, 0, 250, "node_filesystem_avail_bytes", "instance", "h", "mountpoint", "/",
             "device", "/dev/sda", "fstype", "ext4", NULL);
    dash_start(dash);
    (void)dash_get(dash, "/api/v1/hosts");
    dash_has(dash, "{\"time\":1700000000,\"total\":1,\"rows\":[{\"name\":\"h\",\"status\":"
                   "\"critical\",\"cpu_ratio\":null,\"memory_ratio\":0.96,"
                   "\"memory_used_bytes\":96,\"memory_total_bytes\":100,\"disk_ratio\":0.75,"
                   "\"disk_mountpoint\":\"/\",\"load1\":null,");
    dash_has(dash, "\"uptime_seconds\":1000,\"seen_at\":1700000000}]");
    dash_has(dash, "\"disks\":[{\"host\":\"h\",\"mountpoint\":\"/\",\"device\":\"/dev/sda\","
                   "\"fstype\":\"ext4\",\"used_ratio\":0.75,\"available_bytes\":250,"
                   "\"size_bytes\":1000}]}}");
    dash_refuses(dash, "/api/v1/hosts?x=1", "unknown parameter");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hosts_and_filesystems_are_listed)};
    return cmocka_run_group_tests_name("hosts_api", tests, NULL, NULL);
}
