/* The line of long work. */
#include "app/progress.h"

#include "app_support.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static void check_line(const struct sn_progress *progress, int64_t now_ns, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_progress_format(progress, now_ns, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void the_line_is_the_one_of_the_design(void **state) {
    (void)state;
    struct sn_progress progress = {.verb = "import",
                                   .unit = "samples",
                                   .is_utf8 = true,
                                   .count = 12400000,
                                   .done_bytes = 412000000,
                                   .total_bytes = 640000000};
    check_line(&progress, 11 * SECOND + SECOND / 4,
               "import  ████████░░░░ 64 %  12.4 M samples  1.1 M/s  412 MB of 640 MB  0:06 left");
    progress.is_utf8 = false;
    progress.done_bytes = 0;
    check_line(&progress, 1, "import  ------------ 0 %  12.4 M samples  12400 T/s  0 B of 640 MB");
    progress.done_bytes = 640000000;
    check_line(&progress, SECOND,
               "import  ############ 100 %  12.4 M samples  12.4 M/s  640 MB of 640 MB");
}

static void without_a_total_there_is_no_bar(void **state) {
    (void)state;
    struct sn_progress progress = {.verb = "export", .unit = "samples"};
    check_line(&progress, 0, "export  0 samples  0/s  0 B  0:00");
    progress.count = 999;
    progress.done_bytes = 1000;
    check_line(&progress, 3661 * SECOND, "export  999 samples  0/s  1.0 kB  1:01:01");
    progress.unit = NULL;
    check_line(&progress, 61 * SECOND, "export  1.0 kB  1:01");
}

static void the_end_is_a_summary(void **state) {
    (void)state;
    struct sn_progress progress = {
        .verb = "import", .unit = "samples", .count = 12400000, .done_bytes = 640000000};
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_progress_summarise(&progress, 58 * SECOND, &buf);
    assert_true(
        sn_str_equal(sn_buf_str(&buf), SN_STR("import: 12.4 M samples, 640 MB in 0:58, 213 k/s")));
    sn_buf_reset(&buf);
    progress.unit = NULL;
    sn_progress_summarise(&progress, 10 * SECOND, &buf);
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("import: 640 MB in 0:10, 64.0 MB/s")));
    sn_buf_release(&buf);
}

static void elsewhere_a_plain_line_comes_every_ten_seconds(void **state) {
    (void)state;
    struct sn_fake_clock clock;
    struct sn_progress progress;
    struct capture capture;
    sn_fake_clock_init(&clock, SECOND, 0);
    sn_progress_init(&progress, "backup", NULL, false);
    progress.clock = &clock.clock;
    progress.start_ns = progress.shown_ns = SECOND;
    progress.is_terminal = false;
    capture_begin(&capture, 2);
    for (int i = 0; i < 25; i++) {
        sn_fake_clock_advance_ms(&clock, 1000);
        sn_progress_step(&progress);
    }
    sn_progress_end(&progress);
    char *text = capture_end(&capture);
    assert_string_equal(text, "backup  0 B  0:10\nbackup  0 B  0:20\nbackup: 0 B in 0:25, 0 B/s\n");
    free(text);
}

static void a_terminal_has_one_line_and_quiet_none(void **state) {
    (void)state;
    struct sn_fake_clock clock;
    struct sn_progress progress;
    struct capture capture;
    sn_fake_clock_init(&clock, SECOND, 0);
    sn_progress_init(&progress, "backup", NULL, false);
    progress.clock = &clock.clock;
    progress.start_ns = progress.shown_ns = SECOND;
    progress.is_terminal = true;
    capture_begin(&capture, 2);
    sn_fake_clock_advance_ms(&clock, 249);
    sn_progress_step(&progress);
    sn_fake_clock_advance_ms(&clock, 1);
    sn_progress_step(&progress);
    sn_progress_clear(&progress);
    sn_progress_clear(&progress);
    progress.is_quiet = true;
    sn_fake_clock_advance_ms(&clock, 20000);
    sn_progress_step(&progress);
    sn_progress_end(&progress);
    char *text = capture_end(&capture);
    assert_string_equal(text, "\rbackup  0 B  0:00\x1b[K\r\x1b[K");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_the_one_of_the_design),
        cmocka_unit_test(without_a_total_there_is_no_bar),
        cmocka_unit_test(the_end_is_a_summary),
        cmocka_unit_test(elsewhere_a_plain_line_comes_every_ten_seconds),
        cmocka_unit_test(a_terminal_has_one_line_and_quiet_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
