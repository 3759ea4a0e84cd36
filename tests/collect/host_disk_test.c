/* /proc/diskstats. */
#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void sectors_and_milliseconds_become_bytes_and_seconds(void **state) {
    (void)state;
    struct capture capture;
    void *none = NULL;
    capture_init(&capture);
    assert_int_equal(gather_fixture(&sn_source_diskstats, &capture, &none, NULL), SN_OK);
#define LINE(metric, value) metric "{device=\"vda\",instance=\"i\",job=\"j\"} " value "\n"
    assert_string_equal(
        capture_text(&capture),
        LINE("node_disk_reads_completed_total", "100") LINE("node_disk_reads_merged_total", "20")
            LINE("node_disk_read_bytes_total", "1024000")
                LINE("node_disk_read_time_seconds_total", "1.5")
                    LINE("node_disk_writes_completed_total", "300")
                        LINE("node_disk_writes_merged_total", "40")
                            LINE("node_disk_written_bytes_total", "2048000")
                                LINE("node_disk_write_time_seconds_total", "2.5")
                                    LINE("node_disk_io_now", "5")
                                        LINE("node_disk_io_time_seconds_total", "3")
                                            LINE("node_disk_io_time_weighted_seconds_total", "4"));
    capture_release(&capture); /* loop0, which never did anything, is not in it */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sectors_and_milliseconds_become_bytes_and_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
