/* Tests of faults by order: counting, ranges, every kind of call, and the text form. */
#include "base/os.h"

#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int setup(void **state) {
    *state = make_temp_dir();
    return 0;
}

static int teardown(void **state) {
    remove_temp_dir(*state);
    return 0;
}

static int open_file(const char *dir) {
    int fd = sn_os_open(path_in(dir, "file"), O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void exactly_the_ordered_calls_fail(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    for (uint64_t nth = 1; nth <= 4; nth++) {
        for (uint64_t count = 1; count <= 3; count++) {
            sn_fault_arm(SN_FAULT_FSYNC, nth, count, EIO);
            for (uint64_t i = 1; i <= 8; i++) {
                bool must_fail = i >= nth && i < nth + count;
                errno = 0;
                assert_int_equal(sn_os_fsync(fd), must_fail ? -1 : 0);
                assert_int_equal(errno, must_fail ? EIO : 0);
            }
            assert_int_equal(sn_fault_fired_count(), count);
        }
    }
    (void)sn_os_close(fd);
}

static void for_ever_lasts_until_disarmed(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    sn_fault_arm(SN_FAULT_FSYNC, 2, UINT64_MAX, EIO);
    assert_int_equal(sn_os_fsync(fd), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(sn_os_fdatasync(fd), -1);
    sn_fault_arm(SN_FAULT_FSYNC, 0, 0, 0);
    assert_int_equal(sn_os_fsync(fd), 0);
    sn_fault_arm(SN_FAULT_FSYNC, 1, UINT64_MAX, EIO);
    sn_fault_disarm_all();
    assert_int_equal(sn_os_fsync(fd), 0);
    sn_fault_arm(SN_FAULT_FSYNC, UINT64_MAX, 1, EIO); /* further off than can be counted */
    assert_int_equal(sn_os_fsync(fd), 0);
    (void)sn_os_close(fd);
}

static void any_counts_calls_of_all_kinds(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    struct stat info;
    uint64_t before = sn_fault_calls(SN_FAULT_ANY);
    sn_fault_arm(SN_FAULT_ANY, 3, 1, EACCES);
    assert_int_equal(sn_os_fsync(fd), 0);
    assert_int_equal(sn_os_write(fd, "x", 1), 1);
    assert_int_equal(sn_os_write_log(fd, "x", 1), 1); /* the log is not counted */
    assert_int_equal(sn_os_fstat(fd, &info), -1);
    assert_int_equal(errno, EACCES);
    assert_int_equal(sn_os_fstat(fd, &info), 0);
    assert_int_equal(sn_fault_calls(SN_FAULT_ANY) - before, 4);
    (void)sn_os_close(fd);
}

/* One call of each kind, or -1. Calls that succeed leave nothing behind. */
static int call(enum sn_fault_kind kind, const char *dir, int fd) {
    char byte = 'x';
    struct stat info;
    int sockets[2];
    int result = -1;
    switch (kind) {
    case SN_FAULT_ANY:
    case SN_FAULT_OPEN:
        result = sn_os_open(dir, O_RDONLY, 0);
        break;
    case SN_FAULT_READ:
        return (int)sn_os_pread(fd, &byte, 1, 0);
    case SN_FAULT_WRITE:
        return (int)sn_os_pwrite(fd, &byte, 1, 0);
    case SN_FAULT_FSYNC:
        return sn_os_sync_dir(dir);
    case SN_FAULT_RENAME:
        return sn_os_rename(path_in(dir, "file"), path_in(dir, "file"));
    case SN_FAULT_UNLINK:
        return sn_os_unlink(path_in(dir, "none")) == -1 && errno == ENOENT ? 0 : -1;
    case SN_FAULT_TRUNCATE:
        return sn_os_ftruncate(fd, 10);
    case SN_FAULT_MMAP: {
        void *at = sn_os_mmap(NULL, 10, PROT_READ, MAP_PRIVATE, fd, 0);
        return at == MAP_FAILED ? -1 : sn_os_munmap(at, 10);
    }
    case SN_FAULT_STAT:
        return sn_os_stat(dir, &info);
    case SN_FAULT_MKDIR:
        return sn_os_mkdir(dir, 0700) == -1 && errno == EEXIST ? 0 : -1;
    case SN_FAULT_DIR:
        return sn_os_list_dir(path_in(dir, "none"), NULL, NULL, NULL) == SN_ERR_NOT_FOUND ? 0 : -1;
    case SN_FAULT_SOCKET:
        result = sn_os_socket(AF_INET, SOCK_STREAM, 0);
        break;
    case SN_FAULT_SEND:
    case SN_FAULT_RECV:
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
        result = (int)sn_os_send(sockets[0], &byte, 1, 0);
        if (result == 1)
            result = (int)sn_os_recv(sockets[1], &byte, 1, 0);
        (void)close(sockets[0]);
        (void)close(sockets[1]);
        return result;
    case SN_FAULT_POLL:
        result = sn_os_epoll_create();
        break;
    case SN_FAULT_RANDOM:
        return (int)sn_os_getrandom(&byte, 1);
    case SN_FAULT_LOG:
        return (int)sn_os_write_log(fd, &byte, 1);
    case SN_FAULT_KIND_COUNT:
        return -1;
    }
    return result >= 0 ? sn_os_close(result) : result;
}

static void every_kind_can_fail_and_then_works(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    assert_int_equal(sn_os_write(fd, "0123456789", 10), 10);
    for (int kind = 0; kind < SN_FAULT_KIND_COUNT; kind++) {
        uint64_t calls = sn_fault_calls((enum sn_fault_kind)kind);
        sn_fault_arm((enum sn_fault_kind)kind, 1, 1, EMFILE);
        assert_int_equal(call((enum sn_fault_kind)kind, *state, fd), -1);
        if (kind != SN_FAULT_DIR && kind != SN_FAULT_SEND && kind != SN_FAULT_RECV)
            assert_int_equal(errno, EMFILE);
        assert_int_equal(sn_fault_fired_count(), 1);
        assert_true(sn_fault_calls((enum sn_fault_kind)kind) > calls);
        if (call((enum sn_fault_kind)kind, *state, fd) < 0)
            fail_msg("kind %d does not work after its fault", kind);
    }
    (void)sn_os_close(fd);
}

static void eintr_is_repeated_where_that_is_right(void **state) {
    if (!HAS_FAULTS)
        skip();
    static const enum sn_fault_kind kinds[] = {
        SN_FAULT_OPEN,     SN_FAULT_READ, SN_FAULT_WRITE,  SN_FAULT_FSYNC,
        SN_FAULT_TRUNCATE, SN_FAULT_SEND, SN_FAULT_RANDOM, SN_FAULT_LOG,
    };
    int fd = open_file(*state);
    assert_int_equal(sn_os_write(fd, "0123456789", 10), 10);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        sn_fault_arm(kinds[i], 1, 3, EINTR);
        assert_true(call(kinds[i], *state, fd) >= 0);
        assert_int_equal(sn_fault_fired_count(), 3);
    }
    sn_fault_arm(SN_FAULT_SOCKET, 1, 1, EINTR);
    assert_int_equal(sn_os_connect(-1, NULL, 0), -1);
    assert_int_equal(errno, EINTR);
    (void)sn_os_close(fd);
}

static void transfers_can_be_short(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    char buf[8];
    int sockets[2];
    sn_fault_arm(SN_FAULT_WRITE, 1, 3, 0);
    assert_int_equal(sn_os_write(fd, "01234567", 8), 4);
    assert_int_equal(sn_os_write(fd, "4567", 3), 1);
    assert_int_equal(sn_os_write(fd, "5", 1), 1); /* never nothing at all */
    assert_int_equal(sn_fault_fired_count(), 3);
    sn_fault_arm(SN_FAULT_READ, 1, 1, 0);
    assert_int_equal(sn_os_pread(fd, buf, 6, 0), 3);
    assert_int_equal(sn_os_pread(fd, buf, 6, 0), 6);
    assert_memory_equal(buf, "012345", 6);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    sn_fault_arm(SN_FAULT_SEND, 1, 1, 0);
    assert_int_equal(sn_os_send(sockets[0], buf, 6, 0), 3);
    sn_fault_arm(SN_FAULT_RECV, 1, 1, 0);
    assert_int_equal(sn_os_recv(sockets[1], buf, 3, 0), 1);
    (void)close(sockets[0]);
    (void)close(sockets[1]);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, 0); /* cannot be short: it fails */
    assert_int_equal(sn_os_fsync(fd), -1);
    assert_int_equal(errno, EIO);
    (void)sn_os_close(fd);
}

static void the_text_arms_what_it_says(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    struct sn_err err = {0};
    assert_int_equal(sn_fault_arm_text(SN_STR("fsync:2:EIO,write:1+:ENOSPC,read:1:SHORT"), &err),
                     SN_OK);
    assert_int_equal(sn_os_fsync(fd), 0);
    assert_int_equal(sn_os_fsync(fd), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(sn_os_fsync(fd), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sn_os_write(fd, "x", 1), -1);
        assert_int_equal(errno, ENOSPC);
    }
    (void)sn_os_close(fd);
}

static void the_text_knows_every_kind_and_error(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    static const char *const kinds[] = {"any",    "open",     "read", "write", "fsync",  "rename",
                                        "unlink", "truncate", "mmap", "stat",  "mkdir",  "dir",
                                        "socket", "send",     "recv", "poll",  "random", "log"};
    static const char *const errors[] = {"EIO",   "ENOSPC",    "EACCES",    "EMFILE",
                                         "EINTR", "EAGAIN",    "ENOMEM",    "EDQUOT",
                                         "EROFS", "ETIMEDOUT", "ECONNRESET"};
    assert_int_equal(sizeof(kinds) / sizeof(kinds[0]), SN_FAULT_KIND_COUNT);
    for (size_t k = 0; k < SN_FAULT_KIND_COUNT; k++) {
        for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
            char text[64];
            int len = snprintf(text, sizeof(text), "%s:999999999:%s", kinds[k], errors[e]);
            assert_int_equal(sn_fault_arm_text(sn_str_make(text, (size_t)len), NULL), SN_OK);
        }
    }
}

static void a_wrong_text_is_refused_and_arms_nothing(void **state) {
    if (!HAS_FAULTS)
        skip();
    static const char *const wrong[] = {
        "",
        "write",
        "write:1",
        "write::EIO",
        "write:0:EIO",
        "write:+:EIO",
        "write:1++:EIO",
        "write:-1:EIO",
        "write:1x:EIO",
        "write:1:",
        "write:1:EWHAT",
        "write:1:EIO:",
        "wrote:1:EIO",
        "fsync:1:SHORT",
        "write:1:EIO,",
        "write:1:EIO,,fsync:1:EIO",
        " write:1:EIO",
        "write:1234567890123456789:EIO",
    };
    int fd = open_file(*state);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sn_err err = {0};
        assert_int_equal(sn_fault_arm_text(sn_str_from(wrong[i]), &err), SN_ERR_INVALID);
        assert_true(strlen(err.text) > 10);
        assert_int_equal(sn_os_write(fd, "x", 1), 1);
    }
    (void)sn_os_close(fd);
}

static void builds_without_faults_say_so(void **state) {
    (void)state;
    if (HAS_FAULTS)
        skip();
    assert_int_equal(sn_fault_arm_text(SN_STR("write:1:EIO"), NULL), SN_ERR_UNSUPPORTED);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        UNIT(exactly_the_ordered_calls_fail),
        UNIT(for_ever_lasts_until_disarmed),
        UNIT(any_counts_calls_of_all_kinds),
        UNIT(every_kind_can_fail_and_then_works),
        UNIT(eintr_is_repeated_where_that_is_right),
        UNIT(transfers_can_be_short),
        UNIT(the_text_arms_what_it_says),
        UNIT(the_text_knows_every_kind_and_error),
        UNIT(a_wrong_text_is_refused_and_arms_nothing),
        UNIT(builds_without_faults_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
