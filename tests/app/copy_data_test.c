/* Copying a data directory: whole, going on, bringing up to date. */
#include "app/copy_data.h"

#include "app_support.h"
#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pieces_left;

static bool goes_on(void) {
    return pieces_left-- != 0;
}

static const char *path_in(const char *dir, const char *name) {
    static char path[2][1024];
    static int turn;
    turn = !turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static bool is_there(const char *dir, const char *name) {
    struct stat info;
    return sn_os_stat(path_in(dir, name), &info) == 0;
}

static void make_segment(const char *dir, const char *name, char fill) {
    char text[200];
    memset(text, fill, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    free(make_file(dir, name, text));
}

struct place {
    char *dir;
    char from[512], to[512];
    struct sn_progress progress;
};

static int setup(void **state) {
    struct place *place = calloc(1, sizeof *place);
    place->dir = make_temp_dir();
    (void)snprintf(place->from, sizeof place->from, "%s/from", place->dir);
    (void)snprintf(place->to, sizeof place->to, "%s/to", place->dir);
    assert_int_equal(sn_os_make_dirs(path_in(place->from, "seg"), NULL), SN_OK);
    make_segment(place->from, "seg/00000001.seg", 'a');
    make_segment(place->from, "seg/00000002.seg", 'b');
    make_segment(place->from, "sonde.db", 'd');
    make_segment(place->from, "records.db", 'r');
    sn_progress_init(&place->progress, "backup", NULL, true);
    pieces_left = -1;
    *state = place;
    return 0;
}

static int teardown(void **state) {
    struct place *place = *state;
    remove_temp_dir(place->dir);
    free(place);
    return 0;
}

static sn_status copy(struct place *place, struct sn_err *err) {
    place->progress.done_bytes = place->progress.total_bytes = 0;
    return sn_copy_data(place->from, place->to, goes_on, &place->progress, err);
}

static void everything_is_copied_and_counted(void **state) {
    struct place *place = *state;
    assert_int_equal(copy(place, NULL), SN_OK);
    assert_true(is_there(place->to, "seg/00000001.seg"));
    assert_true(is_there(place->to, "seg/00000002.seg"));
    assert_true(is_there(place->to, "sonde.db"));
    assert_true(is_there(place->to, "records.db"));
    assert_true(is_there(place->to, "wal"));
    assert_int_equal(place->progress.done_bytes, 4 * 199);
    assert_int_equal(place->progress.total_bytes, 4 * 199);
}

static void a_second_copy_brings_it_up_to_date(void **state) {
    struct place *place = *state;
    struct sn_buf file;
    assert_int_equal(copy(place, NULL), SN_OK);
    assert_int_equal(sn_os_unlink(path_in(place->from, "seg/00000001.seg")), 0);
    make_segment(place->from, "seg/00000002.seg", 'x'); /* the number was used again */
    make_segment(place->from, "seg/00000003.seg", 'c');
    free(make_file(place->to, "sonde.db-wal", "old"));
    free(make_file(place->to, "records.db-wal", "old"));
    assert_int_equal(copy(place, NULL), SN_OK);
    assert_false(is_there(place->to, "seg/00000001.seg"));
    assert_true(is_there(place->to, "seg/00000003.seg"));
    assert_false(is_there(place->to, "sonde.db-wal"));
    assert_false(is_there(place->to, "records.db-wal"));
    sn_buf_init(&file, 0);
    assert_int_equal(sn_os_read_file(path_in(place->to, "seg/00000002.seg"), &file, NULL), SN_OK);
    assert_int_equal(file.ptr[0], 'x');
    sn_buf_release(&file);
}

static void a_copy_that_was_stopped_goes_on(void **state) {
    struct place *place = *state;
    struct sn_err err;
    pieces_left = 1;
    assert_int_equal(copy(place, &err), SN_ERR_CLOSED);
    assert_false(is_there(place->to, "sonde.db"));
    assert_true(is_there(place->to, "seg/00000001.seg") != is_there(place->to, "seg/00000002.seg"));
    pieces_left = 2; /* one segment and records.db are left, and then sonde.db */
    assert_int_equal(copy(place, &err), SN_ERR_CLOSED);
    assert_true(is_there(place->to, "records.db"));
    assert_false(is_there(place->to, "sonde.db"));
    pieces_left = 2; /* both are copied again: nothing tells whether they are the same */
    assert_int_equal(copy(place, &err), SN_OK);
    assert_int_equal(place->progress.done_bytes, 4 * 199);
    assert_true(is_there(place->to, "sonde.db"));
}

/* Its accounts would be those of somebody else. */
static void a_copy_of_an_older_directory_has_no_records_db(void **state) {
    struct place *place = *state;
    assert_int_equal(copy(place, NULL), SN_OK);
    free(make_file(place->to, "records.db-wal", "old"));
    assert_int_equal(sn_os_unlink(path_in(place->from, "records.db")), 0);
    assert_int_equal(copy(place, NULL), SN_OK);
    assert_int_equal(place->progress.total_bytes, 3 * 199);
    assert_true(is_there(place->to, "sonde.db"));
    assert_false(is_there(place->to, "records.db"));
    assert_false(is_there(place->to, "records.db-wal"));
}

static void every_call_may_fail_and_a_repetition_works(void **state) {
    struct place *place = *state;
    static const enum sn_fault_kind kinds[] = {SN_FAULT_OPEN,  SN_FAULT_READ,   SN_FAULT_WRITE,
                                               SN_FAULT_FSYNC, SN_FAULT_RENAME, SN_FAULT_DIR,
                                               SN_FAULT_STAT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired; n++) {
            struct sn_err err = {.status = SN_OK};
            assert_int_equal(sn_os_remove_tree(place->to, NULL), SN_OK);
            sn_fault_arm(kinds[i], n, 1, ENOSPC);
            sn_status status = copy(place, &err);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            /* What cannot be looked at is copied again: that is no failure. */
            assert_true(status == SN_OK || fired);
            if (status != SN_OK)
                assert_true(err.text[0] != '\0');
            assert_int_equal(copy(place, NULL), SN_OK);
            assert_true(is_there(place->to, "sonde.db"));
        }
    }
}

static void nothing_to_copy_is_an_error(void **state) {
    struct place *place = *state;
    struct sn_err err;
    (void)snprintf(place->from, sizeof place->from, "%s/nothing", place->dir);
    assert_int_equal(copy(place, &err), SN_ERR_NOT_FOUND);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(everything_is_copied_and_counted),
        TEST(a_second_copy_brings_it_up_to_date),
        TEST(a_copy_of_an_older_directory_has_no_records_db),
        TEST(a_copy_that_was_stopped_goes_on),
        TEST(every_call_may_fail_and_a_repetition_works),
        TEST(nothing_to_copy_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
