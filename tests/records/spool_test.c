/* The spool: durable, in order, cut where it is damaged, bounded. */
#include "records/spool.h"
#include "records_support.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void open_spool(struct sn_spool *spool, const struct test_place *place) {
    struct sn_err err = {.status = SN_OK};
    if (sn_spool_open(spool, place->dir, 0, &err) != SN_OK)
        fail_msg("%s", err.text);
}

static void add(struct sn_spool *spool, const char *text) {
    int64_t mark = spool->end;
    assert_int_equal(sn_spool_append(spool, sn_str_from(text), NULL), SN_OK);
    assert_int_equal(sn_spool_sync(spool, mark, NULL), SN_OK);
}

static void assert_next(struct sn_spool *spool, const char *text) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_spool_peek(spool, &buf, NULL), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&buf), sn_str_from(text)));
    assert_int_equal(sn_spool_advance(spool, buf.len, NULL), SN_OK);
    sn_buf_release(&buf);
}

static void entries_come_back_in_order_also_after_a_restart(void **state) {
    (void)state;
    struct test_place place;
    struct sn_spool spool;
    struct sn_buf buf;
    test_place_init(&place);
    sn_buf_init(&buf, 0);
    open_spool(&spool, &place);
    assert_true(sn_spool_is_empty(&spool));
    assert_int_equal(sn_spool_peek(&spool, &buf, NULL), SN_ERR_NOT_FOUND);
    add(&spool, "one");
    add(&spool, "");
    add(&spool, "three");
    assert_next(&spool, "one");
    sn_spool_close(&spool);
    open_spool(&spool, &place); /* not empty: all of it is read again */
    assert_next(&spool, "one");
    assert_next(&spool, "");
    assert_next(&spool, "three");
    assert_true(sn_spool_is_empty(&spool));
    assert_int_equal(spool.end, 0);
    add(&spool, "four");
    assert_next(&spool, "four");
    sn_spool_close(&spool);
    open_spool(&spool, &place);
    assert_true(sn_spool_is_empty(&spool));
    sn_spool_close(&spool);
    sn_buf_release(&buf);
    test_place_release(&place);
}

static void what_is_damaged_is_cut_off_and_counted(void **state) {
    (void)state;
    struct test_place place;
    struct sn_spool spool;
    char path[128];
    test_place_init(&place);
    open_spool(&spool, &place);
    add(&spool, "one");
    add(&spool, "two");
    int64_t second = 8 + 3;
    sn_spool_close(&spool);
    (void)snprintf(path, sizeof path, "%s/records.spool", place.dir);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "X", 1, second + 8), 1);
    (void)close(fd);
    open_spool(&spool, &place);
    assert_int_equal(spool.end, second);
    assert_int_equal(spool.dropped_bytes, 11);
    assert_next(&spool, "one");
    sn_spool_close(&spool);
    test_place_release(&place);
}

static void the_limit_holds_at_both_sides(void **state) {
    (void)state;
    struct test_place place;
    struct sn_spool spool;
    test_place_init(&place);
    assert_int_equal(sn_spool_open(&spool, place.dir, 20, NULL), SN_OK);
    assert_int_equal(sn_spool_append(&spool, SN_STR("123456789012"), NULL), SN_OK);
    assert_int_equal(sn_spool_append(&spool, SN_STR(""), NULL), SN_ERR_LIMIT);
    assert_int_equal(spool.end, 20);
    sn_spool_close(&spool);
    test_place_release(&place);
}

static void a_failed_write_or_sync_takes_the_entry_back(void **state) {
    (void)state;
    struct test_place place;
    struct sn_spool spool;
    test_place_init(&place);
    open_spool(&spool, &place);
    add(&spool, "one");
    int64_t mark = spool.end;
    sn_fault_arm(SN_FAULT_WRITE, 2, 1, ENOSPC);
    assert_int_equal(sn_spool_append(&spool, SN_STR("two"), NULL), SN_ERR_NO_SPACE);
    assert_int_equal(spool.end, mark);
    assert_int_equal(sn_spool_append(&spool, SN_STR("two"), NULL), SN_OK);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(sn_spool_sync(&spool, mark, NULL), SN_ERR_IO);
    sn_fault_disarm_all();
    assert_int_equal(spool.end, mark);
    add(&spool, "three");
    sn_spool_close(&spool);
    open_spool(&spool, &place);
    assert_next(&spool, "one");
    assert_next(&spool, "three");
    sn_spool_close(&spool);
    test_place_release(&place);
}

static void every_failed_call_of_open_is_reported(void **state) {
    (void)state;
    struct test_place place;
    struct sn_spool spool;
    test_place_init(&place);
    open_spool(&spool, &place);
    add(&spool, "one");
    sn_spool_close(&spool);
    for (uint64_t n = 1;; n++) {
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        sn_status status = sn_spool_open(&spool, place.dir, 0, NULL);
        bool is_over = sn_fault_fired_count() == 0;
        sn_fault_disarm_all();
        if (is_over) {
            assert_int_equal(status, SN_OK);
            sn_spool_close(&spool);
            break;
        }
        assert_int_equal(status, SN_ERR_IO);
        assert_int_equal(spool.fd, -1);
    }
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_back_in_order_also_after_a_restart),
        cmocka_unit_test(what_is_damaged_is_cut_off_and_counted),
        cmocka_unit_test(the_limit_holds_at_both_sides),
        cmocka_unit_test(a_failed_write_or_sync_takes_the_entry_back),
        cmocka_unit_test(every_failed_call_of_open_is_reported),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
