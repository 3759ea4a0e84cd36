/* The files of the log. */
#include "store/log.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "store/log_record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void each_epoch_has_its_files_and_frees_them(void **state) {
    (void)state;
    struct test_store place;
    struct sn_log log;
    test_store_init(&place);
    sn_log_files_init(&log, place.dir);
    for (uint64_t epoch = 1; epoch <= 3; epoch++) {
        assert_int_equal(sn_log_append(&log, epoch, SN_STR("abc"), true, NULL), SN_OK);
        assert_int_equal(sn_log_append(&log, epoch, SN_STR("de"), false, NULL), SN_OK);
    }
    struct sn_log_totals totals = sn_log_totals(&log);
    assert_int_equal(totals.file_count, 3);
    assert_int_equal(totals.bytes, 3 * (SN_LOG_HEADER_BYTES + 5));
    assert_int_equal(totals.sync_count, 3);
    assert_int_equal(test_count_files(&place, ""), 3);
    assert_int_equal(sn_log_last_of_epoch(&log, 0), 0);
    assert_int_equal(sn_log_last_of_epoch(&log, 2), 2);
    sn_log_delete_through(&log, 2);
    assert_int_equal(test_count_files(&place, ""), 1);
    assert_int_equal(sn_log_totals(&log).file_count, 1);
    sn_log_files_release(&log);
    test_store_release(&place);
}

static void a_file_that_failed_is_never_used_again(void **state) {
    (void)state;
    struct test_store place;
    struct sn_log log;
    struct sn_err err;
    test_store_init(&place);
    sn_log_files_init(&log, place.dir);
    assert_int_equal(sn_log_append(&log, 1, SN_STR("abc"), true, NULL), SN_OK);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(sn_log_append(&log, 1, SN_STR("abc"), true, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "00000001.log"));
    sn_fault_disarm_all();
    assert_int_equal(sn_log_append(&log, 1, SN_STR("abc"), true, NULL), SN_OK);
    assert_int_equal(log.number, 2);
    assert_int_equal(test_count_files(&place, ""), 2); /* the first one holds acknowledged bytes */
    sn_log_files_release(&log);
    test_store_release(&place);
}

static void a_file_that_holds_nothing_acknowledged_is_deleted(void **state) {
    (void)state;
    struct test_store place;
    struct sn_log log;
    struct sn_err err;
    test_store_init(&place);
    sn_log_files_init(&log, place.dir);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        sn_fault_arm(SN_FAULT_FSYNC, nth, 1, EIO); /* of the directory, then of the file */
        assert_int_equal(sn_log_append(&log, 1, SN_STR("abc"), true, &err), SN_ERR_IO);
        sn_fault_disarm_all();
        assert_int_equal(test_count_files(&place, ""), 0);
        assert_int_equal(sn_log_totals(&log).file_count, 0);
    }
    sn_fault_arm(SN_FAULT_WRITE, 1, 1, ENOSPC);
    assert_int_equal(sn_log_probe(&log, 1, &err), SN_ERR_NO_SPACE);
    sn_fault_disarm_all();
    assert_int_equal(sn_log_probe(&log, 1, &err), SN_OK);
    assert_int_equal(test_count_files(&place, ""), 1);
    sn_log_files_release(&log);
    test_store_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_epoch_has_its_files_and_frees_them),
        cmocka_unit_test(a_file_that_failed_is_never_used_again),
        cmocka_unit_test(a_file_that_holds_nothing_acknowledged_is_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
