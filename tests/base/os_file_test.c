/* Tests of whole files and directories: small files, listings, mkdir -p, rm -r. */
#include "base/os.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int setup(void **state) {
    *state = make_temp_dir();
    return 0;
}

static int teardown(void **state) {
    remove_temp_dir(*state);
    return 0;
}

static void write_file(const char *path, size_t len) {
    char bytes[9000];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && len <= sizeof(bytes));
    memset(bytes, 'x', len);
    assert_int_equal(write(fd, bytes, len), len);
    (void)close(fd);
}

static int open_fd_count(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void a_file_is_appended_to_the_buffer(void **state) {
    struct sn_buf buf = {0};
    write_file(path_in(*state, "file"), 3);
    sn_buf_put_text(&buf, "ab");
    assert_int_equal(sn_os_read_file(path_in(*state, "file"), &buf, NULL), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("abxxx")));
    assert_int_equal(sn_os_read_file("/proc/self/stat", &buf, NULL), SN_OK);
    assert_true(buf.len > 20);
    sn_buf_release(&buf);
}

static void the_buffers_limit_holds_at_both_sides_of_the_boundary(void **state) {
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 9000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t limit = sizes[i]; limit <= sizes[i] + 2; limit++) {
            struct sn_buf buf;
            struct sn_err err = {0};
            if (limit < 2)
                continue;
            bool fits = sizes[i] + 1 <= limit;
            write_file(path_in(*state, "file"), sizes[i]);
            sn_buf_init(&buf, limit);
            sn_buf_put_byte(&buf, 'y');
            assert_int_equal(sn_os_read_file(path_in(*state, "file"), &buf, &err),
                             fits ? SN_OK : SN_ERR_LIMIT);
            assert_int_equal(buf.len, fits ? sizes[i] + 1 : 1);
            sn_buf_release(&buf);
        }
    }
}

static void a_file_that_cannot_be_read_says_why(void **state) {
    struct sn_buf buf = {0};
    struct sn_err err = {0};
    assert_int_equal(sn_os_read_file(path_in(*state, "none"), &buf, &err), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/none: No such file or directory"));
    assert_int_equal(sn_os_read_file(*state, &buf, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "Is a directory"));
    sn_buf_release(&buf);
}

/* Make the n-th call or allocation of an operation fail, n = 1, 2, ... until it passes. */
static void fail_each_step(sn_status (*operation)(const char *dir), const char *dir,
                           void (*prepare)(const char *dir)) {
    int64_t blocks = sn_mem_block_count();
    int fds = open_fd_count();
    for (int is_call = 0; is_call < 2; is_call++) {
        bool has_fired = true;
        for (uint64_t n = 1; has_fired; n++) {
            prepare(dir);
            if (is_call)
                sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
            else
                sn_mem_fail_nth(n);
            sn_status status = operation(dir);
            has_fired = is_call ? sn_fault_fired_count() > 0 : sn_mem_fail_fired() != 0;
            sn_fault_disarm_all();
            sn_mem_fail_nth(0);
            sn_status expected = is_call ? SN_ERR_IO : SN_ERR_NO_MEMORY;
            assert_int_equal(status, has_fired ? expected : SN_OK);
            assert_int_equal(sn_mem_block_count(), blocks);
            assert_int_equal(open_fd_count(), fds);
        }
    }
}

static void prepare_file(const char *dir) {
    write_file(path_in(dir, "file"), 9000);
}

static sn_status read_and_release(const char *dir) {
    struct sn_buf buf = {0};
    sn_status status = sn_os_read_file(path_in(dir, "file"), &buf, NULL);
    assert_int_equal(buf.len, status == SN_OK ? 9000 : 0);
    sn_buf_release(&buf);
    return status;
}

static void every_step_of_reading_may_fail(void **state) {
    if (!HAS_FAULTS)
        skip();
    fail_each_step(read_and_release, *state, prepare_file);
}

struct names {
    int count;
    int stop_after;
    unsigned seen; /* bit per name "0" to "9" */
};

static bool visit(void *ctx, const char *name) {
    struct names *names = ctx;
    assert_int_equal(strlen(name), 1);
    names->seen |= 1U << (name[0] - '0');
    errno = EBADF; /* must not look like an error of the listing */
    return ++names->count != names->stop_after;
}

static void a_listing_has_every_name_once(void **state) {
    struct names names = {0};
    for (int i = 0; i < 10; i++)
        write_file(path_in(*state, (char[]){(char)('0' + i), '\0'}), 0);
    assert_int_equal(sn_os_list_dir(*state, visit, &names, NULL), SN_OK);
    assert_int_equal(names.count, 10);
    assert_int_equal(names.seen, 1023);
    names = (struct names){.stop_after = 4};
    assert_int_equal(sn_os_list_dir(*state, visit, &names, NULL), SN_OK);
    assert_int_equal(names.count, 4);
}

static void a_listing_of_what_is_no_directory_fails(void **state) {
    struct sn_err err = {0};
    struct names names = {0};
    assert_int_equal(sn_os_list_dir(path_in(*state, "none"), visit, &names, &err),
                     SN_ERR_NOT_FOUND);
    write_file(path_in(*state, "1"), 0);
    assert_int_equal(sn_os_list_dir(path_in(*state, "1"), visit, &names, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "Not a directory"));
}

static void missing_directories_are_made(void **state) {
    struct stat info;
    assert_int_equal(sn_os_make_dirs(path_in(*state, "a/b//c/"), NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs(path_in(*state, "a/b/c"), NULL), SN_OK);
    assert_int_equal(sn_os_stat(path_in(*state, "a/b/c"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 07027, 0);
    assert_int_equal(sn_os_make_dirs("/", NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs(".", NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs("", NULL), SN_ERR_NOT_FOUND);
}

static void a_file_in_the_way_of_a_directory_is_named(void **state) {
    struct sn_err err = {0};
    write_file(path_in(*state, "file"), 0);
    assert_int_equal(sn_os_make_dirs(path_in(*state, "file"), &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "/file: Not a directory"));
    assert_int_equal(sn_os_make_dirs(path_in(*state, "file/sub"), &err), SN_ERR_IO);
}

static void paths_longer_than_the_limit_are_refused(void **state) {
    (void)state;
    static char path[PATH_MAX + 1];
    for (size_t i = 0; i < PATH_MAX; i++)
        path[i] = i % 2 ? '/' : '.';
    assert_int_equal(sn_os_make_dirs(path, NULL), SN_ERR_LIMIT);
    path[PATH_MAX - 1] = '\0';
    assert_int_equal(sn_os_make_dirs(path, NULL), SN_OK);
}

static void prepare_nothing(const char *dir) {
    assert_int_equal(sn_os_remove_tree(path_in(dir, "a"), NULL), SN_OK);
}

static sn_status make_three(const char *dir) {
    return sn_os_make_dirs(path_in(dir, "a/b/c"), NULL);
}

static void a_failing_mkdir_is_reported(void **state) {
    if (!HAS_FAULTS)
        skip();
    for (uint64_t n = 1; n <= 5; n++) {
        prepare_nothing(*state);
        assert_int_equal(sn_os_make_dirs(path_in(*state, "a"), NULL), SN_OK);
        sn_fault_arm(SN_FAULT_MKDIR, n, UINT64_MAX, ENOSPC);
        sn_status status = make_three(*state);
        bool must_fail = sn_fault_fired_count() > 0 && n > 0;
        sn_fault_disarm_all();
        struct stat info;
        bool is_made = sn_os_stat(path_in(*state, "a/b/c"), &info) == 0;
        assert_int_equal(status == SN_OK, is_made);
        if (must_fail)
            assert_int_equal(status, SN_ERR_NO_SPACE);
    }
}

static void prepare_tree(const char *dir) {
    assert_int_equal(sn_os_make_dirs(path_in(dir, "tree/a/b"), NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs(path_in(dir, "kept"), NULL), SN_OK);
    write_file(path_in(dir, "kept/file"), 1);
    write_file(path_in(dir, "tree/a/file"), 1);
    (void)unlink(path_in(dir, "tree/a/link"));
    (void)unlink(path_in(dir, "tree/dangling"));
    assert_int_equal(symlink("../../kept", path_in(dir, "tree/a/link")), 0);
    assert_int_equal(symlink("nowhere", path_in(dir, "tree/dangling")), 0);
}

static sn_status remove_the_tree(const char *dir) {
    return sn_os_remove_tree(path_in(dir, "tree"), NULL);
}

static void a_tree_is_removed_and_links_are_not_followed(void **state) {
    struct stat info;
    prepare_tree(*state);
    assert_int_equal(remove_the_tree(*state), SN_OK);
    assert_int_equal(sn_os_stat(path_in(*state, "tree"), &info), -1);
    assert_int_equal(sn_os_stat(path_in(*state, "kept/file"), &info), 0);
    assert_int_equal(remove_the_tree(*state), SN_OK); /* nothing there */
    assert_int_equal(symlink("kept", path_in(*state, "tree")), 0);
    assert_int_equal(remove_the_tree(*state), SN_OK); /* the link itself */
    assert_int_equal(sn_os_stat(path_in(*state, "kept/file"), &info), 0);
    assert_int_equal(sn_os_remove_tree(path_in(*state, "kept/file"), NULL), SN_OK);
}

static void a_tree_that_is_too_deep_is_refused(void **state) {
    char path[1024];
    int len = snprintf(path, sizeof(path), "%s/tree", (const char *)*state);
    struct sn_err err = {0};
    for (int depth = 1; depth <= SN_TREE_DEPTH_MAX + 1; depth++) {
        assert_int_equal(sn_os_make_dirs(path, NULL), SN_OK);
        assert_int_equal(sn_os_remove_tree(path_in(*state, "tree"), &err),
                         depth <= SN_TREE_DEPTH_MAX ? SN_OK : SN_ERR_LIMIT);
        len += snprintf(path + len, sizeof(path) - (size_t)len, "/d");
    }
    assert_int_equal(sn_os_remove_tree(path_in(*state, "tree/d"), NULL), SN_OK);
}

static void a_failing_unlink_is_reported_and_can_be_repeated(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fds = open_fd_count();
    static const enum sn_fault_kind kinds[] = {SN_FAULT_OPEN, SN_FAULT_DIR};
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t n = 1; n <= 3; n++) { /* tree, a, b */
            prepare_tree(*state);
            sn_fault_arm(kinds[i], n, 1, EMFILE);
            assert_int_equal(remove_the_tree(*state), SN_ERR_IO);
            assert_int_equal(open_fd_count(), fds);
            sn_fault_disarm_all();
            assert_int_equal(remove_the_tree(*state), SN_OK);
        }
    }
    prepare_tree(*state);
    sn_fault_arm(SN_FAULT_UNLINK, 1, UINT64_MAX, EROFS);
    assert_int_equal(remove_the_tree(*state), SN_ERR_IO);
    assert_int_equal(open_fd_count(), fds);
}

static void make_big_file(const char *path) {
    char piece[1000];
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    for (int i = 0; i < 2500; i++) {
        memset(piece, i, sizeof(piece));
        assert_int_equal(sn_os_write_all(fd, piece, sizeof(piece)), 0);
    }
    assert_int_equal(sn_os_close(fd), 0);
}

static bool count_pieces(void *ctx, size_t bytes) {
    size_t *left = ctx;
    assert_true(bytes > 0);
    return (*left)-- > 1;
}

static void a_file_is_copied_whole_or_not_at_all(void **state) {
    char from[512], to[512];
    (void)snprintf(from, sizeof(from), "%s", path_in(*state, "from"));
    (void)snprintf(to, sizeof(to), "%s", path_in(*state, "to"));
    make_big_file(from);
    struct sn_buf a, b;
    struct stat info;
    struct sn_err err;
    size_t pieces = 2;
    assert_int_equal(sn_os_copy_file(from, to, count_pieces, &pieces, &err), SN_ERR_CLOSED);
    assert_int_not_equal(sn_os_stat(to, &info), 0);
    pieces = 100;
    assert_int_equal(sn_os_copy_file(from, to, count_pieces, &pieces, &err), SN_OK);
    assert_int_equal(pieces, 97); /* 2.5 MB in pieces of 1 MiB */
    sn_buf_init(&a, 0);
    sn_buf_init(&b, 0);
    assert_int_equal(sn_os_read_file(from, &a, NULL), SN_OK);
    assert_int_equal(sn_os_read_file(to, &b, NULL), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&a), sn_buf_str(&b)));
    sn_buf_release(&a);
    sn_buf_release(&b);
    assert_int_equal(sn_os_copy_file(from, to, NULL, NULL, &err), SN_ERR_EXISTS);
    assert_int_equal(sn_os_stat(to, &info), 0); /* it was not ours to remove */
    assert_int_equal(sn_os_copy_file(path_in(*state, "nothing"), "x", NULL, NULL, &err),
                     SN_ERR_NOT_FOUND);
}

static void every_step_of_copying_may_fail(void **state) {
    if (!HAS_FAULTS)
        skip();
    char from[512], to[512];
    struct stat info;
    (void)snprintf(from, sizeof(from), "%s", path_in(*state, "from"));
    (void)snprintf(to, sizeof(to), "%s", path_in(*state, "to"));
    make_big_file(from);
    int fds = open_fd_count();
    uint64_t failures = 0;
    for (bool fired = true; fired;) {
        sn_fault_arm(SN_FAULT_ANY, ++failures, 1, EIO);
        sn_status status = sn_os_copy_file(from, to, NULL, NULL, NULL);
        fired = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        assert_int_equal(status, fired ? SN_ERR_IO : SN_OK);
        assert_true((sn_os_stat(to, &info) == 0) == (status == SN_OK));
        assert_int_equal(open_fd_count(), fds);
    }
    assert_true(failures > 6);
    assert_int_equal(sn_os_link(to, path_in(*state, "linked")), 0);
    sn_fault_arm(SN_FAULT_RENAME, 1, 1, EXDEV);
    assert_int_equal(sn_os_link(to, path_in(*state, "again")), -1);
    assert_int_equal(errno, EXDEV);
    sn_fault_disarm_all();
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNIT(a_file_is_appended_to_the_buffer),
        UNIT(the_buffers_limit_holds_at_both_sides_of_the_boundary),
        UNIT(a_file_that_cannot_be_read_says_why),
        UNIT(every_step_of_reading_may_fail),
        UNIT(a_listing_has_every_name_once),
        UNIT(a_listing_of_what_is_no_directory_fails),
        UNIT(missing_directories_are_made),
        UNIT(a_file_in_the_way_of_a_directory_is_named),
        UNIT(paths_longer_than_the_limit_are_refused),
        UNIT(a_failing_mkdir_is_reported),
        UNIT(a_tree_is_removed_and_links_are_not_followed),
        UNIT(a_tree_that_is_too_deep_is_refused),
        UNIT(a_failing_unlink_is_reported_and_can_be_repeated),
        UNIT(a_file_is_copied_whole_or_not_at_all),
        UNIT(every_step_of_copying_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
