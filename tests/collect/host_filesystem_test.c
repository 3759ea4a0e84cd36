/* mountinfo, statvfs and df's percentage. */
#include "collect/host_filesystem.h"

#include "base/os.h"
#include "collect_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static sn_status parse(const char *line, struct sn_arena *arena, struct sn_mount *ret_mount) {
    return sn_mount_parse(sn_str_from(line), arena, ret_mount, NULL);
}

static void lines_are_read_whatever_number_of_optional_fields(void **state) {
    (void)state;
    static const char *const lines[] = {
        "28 27 254:1 / /a\\040b rw - xfs /dev/vdb rw",
        "28 27 254:1 / /a\\040b rw,relatime shared:1 - xfs /dev/vdb rw",
        "28 27 254:1 / /a\\040b rw,relatime shared:1 master:2 propagate_from:3 - xfs /dev/vdb rw",
    };
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct sn_mount mount;
        assert_int_equal(parse(lines[i], &arena, &mount), SN_OK);
        assert_string_equal(mount.mountpoint.ptr, "/a b");
        assert_true(sn_str_equal(mount.fstype, SN_STR("xfs")));
        assert_true(sn_str_equal(mount.device, SN_STR("/dev/vdb")));
    }
    sn_arena_release(&arena);
}

static void lines_of_another_form_are_refused(void **state) {
    (void)state;
    static const char *const lines[] = {"", "1 2 3", "28 27 254:1 / /a rw - xfs",
                                        "28 27 254:1 / /a rw shared:1 xfs /dev/vdb rw"};
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct sn_mount mount;
        assert_int_equal(parse(lines[i], &arena, &mount), SN_ERR_CORRUPT);
    }
    sn_arena_release(&arena);
}

static void a_backslash_that_is_no_octal_escape_stays(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_mount mount;
    sn_arena_init(&arena, 0);
    assert_int_equal(parse("1 2 3:4 / /a\\9\\04 rw - xfs d\\", &arena, &mount), SN_OK);
    assert_string_equal(mount.mountpoint.ptr, "/a\\9\\04");
    assert_string_equal(mount.device.ptr, "d\\");
    sn_arena_release(&arena);
}

static void kernel_interfaces_are_not_storage(void **state) {
    (void)state;
    struct sn_mount mount = {SN_STR("d"), SN_STR("/"), SN_STR("ext4")};
    assert_true(sn_mount_is_storage(&mount));
    mount.mountpoint = SN_STR("/sys/fs/cgroup");
    mount.fstype = SN_STR("cgroup2");
    assert_false(sn_mount_is_storage(&mount));
    mount.fstype = SN_STR("tmpfs");
    mount.mountpoint = SN_STR("/run");
    assert_true(sn_mount_is_storage(&mount));
    mount.mountpoint = SN_STR("/dev/shm");
    assert_false(sn_mount_is_storage(&mount));
    mount.mountpoint = SN_STR("/");
    mount.fstype = SN_STR("overlay"); /* of a container */
    assert_true(sn_mount_is_storage(&mount));
}

static void a_root_that_is_not_listed_is_asked_all_the_same(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    fixture_proc("proc_chroot");
    assert_int_equal(gather_fixture(&sn_source_filesystem, &capture, &none, NULL), SN_OK);
    fixture_proc("proc");
    assert_non_null(strstr(capture_text(&capture),
                           "sonde_host_disk_used_percent{device=\"unknown\",fstype=\"unknown\","
                           "instance=\"i\",job=\"j\",mountpoint=\"/\"} "));
    capture_release(&capture);
}

static void used_percent_is_that_of_df(void **state) {
    (void)state;
    assert_true(sn_filesystem_used_percent(100, 50, 25) == 100.0 * 50 / 75);
    assert_true(sn_filesystem_used_percent(100, 100, 90) == 0.0);
    assert_true(sn_filesystem_used_percent(100, 0, 0) == 100.0);
    assert_true(sn_filesystem_used_percent(0, 0, 0) == 0.0);
    assert_true(sn_filesystem_used_percent(1, 2, 0) == 0.0);
}

static void a_mount_that_cannot_be_asked_is_an_error_of_its_own(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_filesystem, &capture, &none, NULL), SN_OK);
    assert_true(capture_has(&capture,
                            "node_filesystem_device_error{device=\"/dev/vdb\",fstype=\"xfs\","
                            "instance=\"i\",job=\"j\",mountpoint=\"/no/such/mount point\"} 1"));
    assert_true(capture_has(&capture,
                            "node_filesystem_device_error{device=\"/dev/vda\",fstype=\"ext4\","
                            "instance=\"i\",job=\"j\",mountpoint=\"/\"} 0"));
    assert_non_null(strstr(capture_text(&capture), "sonde_host_disk_used_percent{"));
    assert_null(strstr(capture_text(&capture), "fstype=\"proc\""));
    capture_release(&capture);
}

static void only_the_topmost_mount_of_a_place_counts(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_filesystem, &capture, &none, NULL), SN_OK);
    assert_non_null(strstr(capture_text(&capture), "device=\"covering\""));
    assert_null(strstr(capture_text(&capture), "device=\"tmpfs\""));
    capture_release(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_whatever_number_of_optional_fields),
        cmocka_unit_test(lines_of_another_form_are_refused),
        cmocka_unit_test(a_backslash_that_is_no_octal_escape_stays),
        cmocka_unit_test(kernel_interfaces_are_not_storage),
        cmocka_unit_test(a_root_that_is_not_listed_is_asked_all_the_same),
        cmocka_unit_test(used_percent_is_that_of_df),
        cmocka_unit_test(a_mount_that_cannot_be_asked_is_an_error_of_its_own),
        cmocka_unit_test(only_the_topmost_mount_of_a_place_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
