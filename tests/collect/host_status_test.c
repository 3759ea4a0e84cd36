/* The document about the host. */
#include "collect/host_status.h"

#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_document_has_every_part(void **state) {
    (void)state;
    struct sn_host_status status;
    struct sn_fake_clock clock;
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_fake_clock_init(&clock, 1, FIXED_TIME_MS);
    assert_int_equal(sn_host_status_init(&status, fixture_roots(), &clock.clock, NULL), SN_OK);
    status.previous.mode[0] -= 30; /* 30 busy ticks of 100 since then */
    status.previous.mode[3] -= 70;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    assert_int_equal(sn_host_status_write(&status, &json, NULL), SN_OK);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, 0);
    const char *text = (const char *)buf.ptr;
    static const char *const parts[] = {
        "{\"timestamp\":\"2023-11-14T22:15:23.456Z\",\"hostname\":\"fixture\",\"uptime_seconds\":"
        "12345.67,\"cpu\":{\"percent\":30,\"count\":",
        "\"load1\":0.52,\"load5\":1.25,\"load15\":2}",
        "\"memory\":{\"total_bytes\":8192000000,\"available_bytes\":6144000000,\"used_bytes\":"
        "2048000000,\"percent\":25}",
        "\"swap\":{\"total_bytes\":2048000000,\"used_bytes\":512000000}",
        "\"disks\":[{\"device\":\"/dev/vda\",\"mountpoint\":\"/\",\"fstype\":\"ext4\"",
        "\"process\":{\"pid\":",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(text, parts[i]) == NULL)
            fail_msg("no %s in %s", parts[i], text);
    sn_buf_release(&buf);
    sn_host_status_release(&status);
}

static void calls_in_quick_succession_get_the_same_percentage(void **state) {
    (void)state;
    struct sn_host_status status;
    assert_int_equal(sn_host_status_init(&status, fixture_roots(), NULL, NULL), SN_OK);
    status.cpu_percent = 12.5; /* of an earlier call; the fixture's counters stand still */
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    assert_int_equal(sn_host_status_write(&status, &json, NULL), SN_OK);
    sn_buf_put_byte(&buf, 0);
    assert_non_null(strstr((const char *)buf.ptr, "\"percent\":12.5,"));
    sn_buf_release(&buf);
    sn_host_status_release(&status);
}

static void a_missing_proc_is_said(void **state) {
    (void)state;
    struct sn_host_status status;
    struct sn_err err = {0};
    const struct sn_collect_roots nowhere = {"/nonexistent", "/nonexistent"};
    assert_int_equal(sn_host_status_init(&status, nowhere, NULL, &err), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/stat"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_has_every_part),
        cmocka_unit_test(calls_in_quick_succession_get_the_same_percentage),
        cmocka_unit_test(a_missing_proc_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
