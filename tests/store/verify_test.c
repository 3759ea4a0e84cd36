/* Verifying a data directory: every damage is named, a good one is not complained about. */
#include "store/verify.h"

#include "base/os.h"
#include "histogram_support.h"
#include "store_support.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct findings {
    char text[8192];
    size_t damage_count;
    size_t note_count;
    size_t step_count;
    size_t steps_max; /* stop after so many; 0: never */
};

static void found(void *ctx, bool is_damage, const char *sentence) {
    struct findings *findings = ctx;
    size_t len = strlen(findings->text);
    (void)snprintf(findings->text + len, sizeof findings->text - len, "%s\n", sentence);
    findings->damage_count += is_damage;
    findings->note_count += !is_damage;
}

static bool step(void *ctx, uint64_t done_bytes, uint64_t total_bytes) {
    struct findings *findings = ctx;
    (void)total_bytes;
    assert_true(done_bytes > 0 || findings->step_count == 0);
    findings->step_count++;
    return findings->steps_max == 0 || findings->step_count < findings->steps_max;
}

static sn_status verify(struct test_store *test, struct findings *findings,
                        struct sn_verify_report *ret_report) {
    struct sn_verify_report ignored;
    size_t steps_max = findings->steps_max;
    *findings = (struct findings){.steps_max = steps_max};
    const struct sn_verify_options options = {
        .dir = test->dir, .found = found, .step = step, .ctx = findings};
    return sn_store_verify(&options, ret_report ? ret_report : &ignored, NULL);
}

/* Two segments and a log. */
static void fill(struct test_store *test) {
    test_store_init_in_memory(test);
    test_store_open(test);
    for (unsigned i = 0; i < 20; i++)
        test_push_series(test, i, 0, 10);
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (unsigned i = 0; i < 20; i++) { /* beside the floats of the series */
        struct sn_histogram histogram = test_histogram(&arena, i);
        int64_t time_ms = TEST_NOW_MS + i * 1000 + 500;
        assert_int_equal(test_push_histogram(test, "m", 3, time_ms, 0, &histogram, NULL), SN_OK);
    }
    sn_arena_release(&arena);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    for (unsigned i = 10; i < 30; i++)
        test_push_series(test, i, 10, 15);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    for (unsigned i = 20; i < 40; i++)
        test_push_series(test, i, 15, 20);
    test_store_close(test);
}

static void a_good_directory_is_counted(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    struct sn_verify_report report;
    fill(&test);
    assert_int_equal(verify(&test, &findings, &report), SN_OK);
    assert_string_equal(findings.text, "");
    assert_int_equal(report.damage_count + report.note_count, 0);
    assert_int_equal(report.series_count, 30);
    assert_int_equal(report.segment_count, 2);
    assert_int_equal(report.sample_count, 320);
    assert_int_equal(report.log_sample_count, 100);
    assert_true(report.bytes > 1000);
    findings.steps_max = 1;
    assert_int_equal(verify(&test, &findings, &report), SN_ERR_CLOSED);
    test_store_open(&test); /* it has changed nothing */
    test_check_series(&test, 5, 10);
    findings.steps_max = 0;
    assert_int_equal(verify(&test, &findings, &report), SN_ERR_BUSY);
    test_store_release(&test);
}

static void flip(const char *path, int64_t offset) {
    uint8_t byte;
    int fd = sn_os_open(path, O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(sn_os_pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    assert_int_equal(sn_os_pwrite_all(fd, &byte, 1, offset), 0);
    assert_int_equal(sn_os_close(fd), 0);
}

static int64_t size_of(const char *path) {
    struct stat info;
    assert_int_equal(sn_os_stat(path, &info), 0);
    return info.st_size;
}

static void every_flipped_byte_of_a_segment_is_named(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    fill(&test);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", test_path(&test, "seg/00000001.seg"));
    int64_t size = size_of(path);
    for (int64_t at = 0; at < size; at += 1 + size / 200) {
        flip(path, at);
        assert_int_equal(verify(&test, &findings, NULL), SN_OK);
        assert_true(findings.damage_count >= 1);
        assert_non_null(strstr(findings.text, "seg/00000001.seg: "));
        flip(path, at);
    }
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_int_equal(findings.damage_count, 0);
    test_store_release(&test);
}

static void what_a_start_puts_in_order_is_a_note(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    fill(&test);
    char path[512];
    (void)snprintf(path, sizeof path, "%s", test_only_file(&test, "wal", ".log"));
    flip(path, size_of(path) - 1);
    int fd = sn_os_open(test_path(&test, "seg/00000077.seg"), O_RDWR | O_CREAT, 0640);
    assert_int_equal(sn_os_close(fd), 0);
    fd = sn_os_open(test_path(&test, "seg/readme.txt"), O_RDWR | O_CREAT, 0640);
    assert_int_equal(sn_os_close(fd), 0);
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_int_equal(findings.damage_count, 0);
    assert_int_equal(findings.note_count, 3);
    assert_non_null(strstr(findings.text, "wal/00000003.log: ends at byte"));
    assert_non_null(strstr(findings.text, "seg/00000077.seg: has no row"));
    assert_non_null(strstr(findings.text, "seg/readme.txt: is none of ours"));
    test_store_release(&test);
}

static void missing_files_and_directories_are_named(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    fill(&test);
    assert_int_equal(sn_os_unlink(test_path(&test, "seg/00000002.seg")), 0);
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_int_equal(findings.damage_count, 1);
    assert_non_null(strstr(findings.text, "seg/00000002.seg: "));
    assert_int_equal(sn_os_remove_tree(test_path(&test, "seg"), NULL), SN_OK);
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_int_equal(findings.damage_count, 3);
    assert_non_null(strstr(findings.text, "seg: is missing"));
    assert_int_equal(sn_os_unlink(test_path(&test, "sonde.db")), 0);
    assert_int_equal(verify(&test, &findings, NULL), SN_ERR_NOT_FOUND);
    test_store_release(&test);
}

static void make_guest(struct test_store *test) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(test_path(test, "records.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(7)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_database_beside_the_catalogue_is_read_too(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    char junk[5000];
    fill(&test);
    make_guest(&test);
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_int_equal(findings.damage_count, 0);
    memset(junk, 'x', sizeof junk);
    int fd = sn_os_open(test_path(&test, "records.db"), O_WRONLY, 0);
    assert_int_equal(lseek(fd, 4096, SEEK_SET), 4096);
    assert_int_equal(sn_os_write_all(fd, junk, 4096), 0); /* the table, not the schema */
    assert_int_equal(sn_os_close(fd), 0);
    assert_int_equal(verify(&test, &findings, NULL), SN_OK);
    assert_true(findings.damage_count > 0);
    assert_non_null(strstr(findings.text, "records.db: "));
    assert_null(strstr(findings.text, "seg/")); /* the rest is told apart */
    test_store_release(&test);
}

static void every_read_may_fail(void **state) {
    (void)state;
    struct test_store test;
    struct findings findings = {.steps_max = 0};
    fill(&test);
    make_guest(&test);
    static const enum sn_fault_kind kinds[] = {SN_FAULT_OPEN, SN_FAULT_READ, SN_FAULT_DIR,
                                               SN_FAULT_STAT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired; n++) {
            sn_fault_arm(kinds[i], n, 1, EIO);
            sn_status status = verify(&test, &findings, NULL);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            /* Found, or told as a failure: never a clean bill. */
            assert_true(fired ? status != SN_OK || findings.damage_count > 0 : status == SN_OK);
        }
    }
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_directory_is_counted),
        cmocka_unit_test(every_flipped_byte_of_a_segment_is_named),
        cmocka_unit_test(what_a_start_puts_in_order_is_a_note),
        cmocka_unit_test(missing_files_and_directories_are_named),
        cmocka_unit_test(the_database_beside_the_catalogue_is_read_too),
        cmocka_unit_test(every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
