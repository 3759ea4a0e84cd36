/*
 * The SQLite engine when the disk fails: the n-th system call that SQLite makes for a commit or a read
 * goes wrong, for every n. What was acknowledged is there after a restart, a write is there whole or
 * not at all, and the engine works again as soon as the disk does.
 */
#include "records_support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One thread. */
static uint64_t fail_at; /* calls until the one that fails; 0: none */
static int fail_errno;
static bool has_fired;

static bool fails_now(void) {
    if (fail_at == 0 || --fail_at > 0)
        return false;
    has_fired = true;
    errno = fail_errno;
    return true;
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t len, off_t offset) {
    return fails_now() ? -1 : pwrite(fd, bytes, len, offset);
}

static ssize_t faulty_pread(int fd, void *bytes, size_t len, off_t offset) {
    return fails_now() ? -1 : pread(fd, bytes, len, offset);
}

static int faulty_ftruncate(int fd, off_t len) {
    return fails_now() ? -1 : ftruncate(fd, len);
}

/* SQLite has no seam for these: the program's own goes before that of libc. */
__attribute__((visibility("default"))) int fdatasync(int fd) {
    return fails_now() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int fsync(int fd) {
    return fails_now() ? -1 : (int)syscall(SYS_fsync, fd);
}

static void install(void) {
    static const struct {
        const char *name;
        void (*function)(void);
    } calls[] = {{"pwrite", (void (*)(void))faulty_pwrite},
                 {"pwrite64", (void (*)(void))faulty_pwrite},
                 {"pread", (void (*)(void))faulty_pread},
                 {"pread64", (void (*)(void))faulty_pread},
                 {"ftruncate", (void (*)(void))faulty_ftruncate}};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    assert_non_null(vfs);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        (void)vfs->xSetSystemCall(vfs, calls[i].name, calls[i].function); /* some are not there */
}

static void arm(uint64_t n, int number) {
    fail_at = n;
    fail_errno = number;
    has_fired = false;
}

static size_t count_records(struct test_place *place) {
    struct sn_record_page page = test_page(1000);
    struct sn_record_list list;
    struct sn_err err = {.status = SN_OK};
    sn_arena_reset(&place->arena);
    if (place->engine.ops->list(place->engine.ctx, &page, &place->arena, &list, &err) != SN_OK)
        fail_msg("%s", err.text);
    return list.count;
}

static sn_status find_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    (void)event;
    (void)err;
    ++*(size_t *)ctx;
    return SN_OK;
}

static size_t count_events(struct test_place *place) {
    size_t count = 0;
    const struct sn_app_event_visitor visitor = {.visit = find_event, .ctx = &count};
    const struct sn_range_ms range = {0, TEST_NOW_MS + SN_HOUR_MS};
    assert_int_equal(
        place->engine.ops->scan_events(place->engine.ctx, SN_STR("a"), range, &visitor, NULL),
        SN_OK);
    return count;
}

static void assert_sound(const struct test_place *place) {
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    (void)snprintf(path, sizeof path, "%s/records.db", place->dir);
    assert_int_equal(sn_sqlite_open(path, &db, NULL), SN_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ok");
    (void)sqlite3_finalize(statement);
    (void)sn_sqlite_close(db);
}

/* For every n: the n-th call of a commit fails with that error. Returns how many n there were. */
static uint64_t fail_every_call_of_a_commit(int number) {
    struct test_place place;
    size_t acknowledged = 0;
    uint64_t n = 0;
    test_place_init(&place);
    test_place_open(&place);
    for (bool is_over = false; !is_over;) {
        arm(++n, number);
        sn_status status = test_commit_all_kinds(&place);
        is_over = !has_fired;
        arm(0, 0);
        assert_true(!is_over || status == SN_OK);
        acknowledged += status == SN_OK;
        size_t count = count_records(&place);
        assert_int_equal(count % 2, 0);
        assert_true(count / 2 >= acknowledged);
        assert_int_equal(test_commit_all_kinds(&place), SN_OK); /* the disk is well again */
        acknowledged++;
        test_place_close(&place);
        assert_sound(&place);
        test_place_open(&place);
        count = count_records(&place);
        assert_int_equal(count % 2, 0);
        assert_true(count / 2 >= acknowledged);
        assert_int_equal(count_events(&place), count / 2);
    }
    test_place_release(&place);
    return n;
}

static void a_disk_that_fails_loses_nothing_acknowledged(void **state) {
    (void)state;
    assert_true(fail_every_call_of_a_commit(EIO) > 3);
}

static void a_full_disk_loses_nothing_acknowledged(void **state) {
    (void)state;
    assert_true(fail_every_call_of_a_commit(ENOSPC) > 3);
}

static void a_read_that_fails_says_so_and_the_next_one_works(void **state) {
    struct test_place place;
    struct sn_record_page page = test_page(1000);
    struct sn_record_list list;
    uint64_t n = 0;
    (void)state;
    test_place_init(&place);
    test_place_open(&place);
    for (int i = 0; i < 20; i++)
        assert_int_equal(test_commit_all_kinds(&place), SN_OK);
    for (bool is_over = false; !is_over;) {
        test_place_close(&place); /* nothing in SQLite's cache */
        test_place_open(&place);
        arm(++n, EIO);
        sn_arena_reset(&place.arena);
        sn_status status =
            place.engine.ops->list(place.engine.ctx, &page, &place.arena, &list, NULL);
        is_over = !has_fired;
        arm(0, 0);
        /* SQLite takes EIO for a sign of a damaged file system in some places. */
        if (status == SN_OK)
            assert_int_equal(list.count, 40);
        else
            assert_true(!is_over && (status == SN_ERR_IO || status == SN_ERR_CORRUPT));
        assert_int_equal(count_records(&place), 40);
    }
    assert_true(n > 1);
    test_place_release(&place);
}

static void a_database_that_cannot_be_made_is_a_failure_without_remains(void **state) {
    uint64_t n = 0;
    (void)state;
    for (bool is_over = false; !is_over;) {
        struct test_place place;
        test_place_init(&place);
        const struct sn_lite_options options = {.dir = place.dir};
        int64_t before = sn_mem_block_count();
        arm(++n, EIO);
        sn_status status = sn_lite_open(&options, &place.engine, NULL);
        is_over = !has_fired;
        arm(0, 0);
        if (status == SN_OK)
            test_place_close(&place);
        assert_true(status == SN_OK || !is_over);
        assert_int_equal(sn_mem_block_count(), before);
        test_place_open(&place); /* what was left behind is no hindrance */
        assert_int_equal(test_commit_all_kinds(&place), SN_OK);
        assert_int_equal(count_records(&place), 2);
        test_place_release(&place);
    }
    assert_true(n > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_fails_loses_nothing_acknowledged),
        cmocka_unit_test(a_full_disk_loses_nothing_acknowledged),
        cmocka_unit_test(a_read_that_fails_says_so_and_the_next_one_works),
        cmocka_unit_test(a_database_that_cannot_be_made_is_a_failure_without_remains),
    };
    install();
    return cmocka_run_group_tests_name("lite_faults", tests, NULL, NULL);
}
