/* Tests of the system-call seam: each function does what the call of its name does. */
#include "base/os.h"

#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
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

static bool is_cloexec(int fd) {
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static bool is_nonblocking(int fd) {
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void files_are_read_and_written(void **state) {
    int fd = open_file(*state);
    char buf[8] = "";
    assert_true(is_cloexec(fd));
    assert_int_equal(sn_os_write(fd, "abcdef", 6), 6);
    assert_int_equal(sn_os_pwrite(fd, "XY", 2, 1), 2);
    assert_int_equal(sn_os_pread(fd, buf, 3, 1), 3);
    assert_string_equal(buf, "XYd");
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    assert_int_equal(sn_os_read(fd, buf, 8), 2);
    assert_int_equal(sn_os_read(fd, buf, 8), 0);
    assert_int_equal(sn_os_fsync(fd) | sn_os_fdatasync(fd), 0);
    assert_int_equal(sn_os_close(fd), 0);
    assert_int_equal(sn_os_close(fd), -1);
    assert_int_equal(errno, EBADF);
}

static void sizes_and_names_change(void **state) {
    const char *dir = *state;
    int fd = open_file(dir);
    struct stat info;
    assert_int_equal(sn_os_ftruncate(fd, 100), 0);
    assert_int_equal(sn_os_fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 100);
    if (sn_os_fallocate(fd, 0, 0, 5000) == 0) { /* not every file system can */
        assert_int_equal(sn_os_fstat(fd, &info), 0);
        assert_int_equal(info.st_size, 5000);
    }
    assert_int_equal(sn_os_rename(path_in(dir, "file"), path_in(dir, "other")), 0);
    assert_int_equal(sn_os_sync_dir(dir), 0);
    assert_int_equal(sn_os_sync_dir(path_in(dir, "none")), -1);
    assert_int_equal(sn_os_stat(path_in(dir, "file"), &info), -1);
    assert_int_equal(sn_os_stat(path_in(dir, "other"), &info), 0);
    assert_int_equal(sn_os_unlink(path_in(dir, "other")), 0);
    assert_int_equal(sn_os_mkdir(path_in(dir, "sub"), 0700), 0);
    assert_int_equal(sn_os_mkdir(path_in(dir, "sub"), 0700), -1);
    (void)sn_os_close(fd);
}

static void mappings_locks_and_file_systems(void **state) {
    const char *dir = *state;
    int fd = open_file(dir);
    int other = open_file(dir);
    struct statvfs info;
    assert_int_equal(sn_os_write(fd, "mapped", 6), 6);
    char *at = sn_os_mmap(NULL, 6, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(at != MAP_FAILED);
    assert_memory_equal(at, "mapped", 6);
    assert_int_equal(sn_os_madvise(at, 6, MADV_RANDOM), 0);
    assert_int_equal(sn_os_munmap(at, 6), 0);
    assert_int_equal(sn_os_flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(sn_os_flock(other, LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_int_equal(sn_os_statvfs(dir, &info), 0);
    assert_true(info.f_bsize > 0);
    (void)sn_os_close(fd);
    (void)sn_os_close(other);
}

static void whole_transfers_survive_short_and_interrupted_ones(void **state) {
    int fd = open_file(*state);
    char bytes[1000];
    char back[1100];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    sn_fault_arm(SN_FAULT_WRITE, 1, 5, 0);
    assert_int_equal(sn_os_write_all(fd, bytes, 500), 0);
    sn_fault_arm(SN_FAULT_WRITE, 2, 3, EINTR);
    sn_fault_arm(SN_FAULT_ANY, 1, 4, 0);
    assert_int_equal(sn_os_pwrite_all(fd, bytes + 500, 500, 500), 0);
    sn_fault_disarm_all();
    sn_fault_arm(SN_FAULT_READ, 1, 6, 0);
    assert_int_equal(sn_os_pread_all(fd, back, sizeof(back), 0), 1000);
    assert_memory_equal(back, bytes, 1000);
    assert_int_equal(sn_os_pread_all(fd, back, 10, 995), 5);
    assert_int_equal(sn_os_pread_all(fd, back, 10, 1000), 0);
    assert_int_equal(sn_os_write_all(fd, NULL, 0), 0);
    (void)sn_os_close(fd);
}

static void whole_transfers_report_errors(void **state) {
    if (!HAS_FAULTS)
        skip();
    int fd = open_file(*state);
    char buf[8];
    sn_fault_arm(SN_FAULT_WRITE, 1, 1, ENOSPC);
    assert_int_equal(sn_os_write_all(fd, "x", 1), -1);
    assert_int_equal(errno, ENOSPC);
    sn_fault_arm(SN_FAULT_WRITE, 1, 1, EDQUOT);
    assert_int_equal(sn_os_pwrite_all(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EDQUOT);
    sn_fault_arm(SN_FAULT_READ, 1, 1, EIO);
    assert_int_equal(sn_os_pread_all(fd, buf, 1, 0), -1);
    assert_int_equal(errno, EIO);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(sn_os_sync_dir(*state), -1);
    assert_int_equal(errno, EIO);
    (void)sn_os_close(fd);
}

/* Listen on a free port of the loopback address. */
static int listen_somewhere(struct sockaddr_in *ret_addr) {
    socklen_t len = sizeof(*ret_addr);
    int yes = 1;
    int fd = sn_os_socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && is_cloexec(fd));
    *ret_addr = (struct sockaddr_in){.sin_family = AF_INET};
    ret_addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(sn_os_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
    assert_int_equal(sn_os_bind(fd, (const struct sockaddr *)ret_addr, len), 0);
    assert_int_equal(sn_os_listen(fd, 1), 0);
    assert_int_equal(sn_os_getsockname(fd, (struct sockaddr *)ret_addr, &len), 0);
    return fd;
}

static void sockets_connect_and_carry_bytes(void **state) {
    (void)state;
    struct sockaddr_in addr;
    char buf[8] = "";
    int listener = listen_somewhere(&addr);
    int client = sn_os_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(sn_os_connect(client, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    int server = sn_os_accept(listener, NULL, NULL);
    assert_true(server >= 0 && is_cloexec(server) && is_nonblocking(server));
    assert_int_equal(sn_os_recv(server, buf, 8, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(sn_os_send(client, "hello", 5, 0), 5);
    struct pollfd wait = {.fd = server, .events = POLLIN};
    assert_int_equal(sn_os_poll(&wait, 1, 5000), 1);
    assert_int_equal(sn_os_recv(server, buf, 8, 0), 5);
    assert_string_equal(buf, "hello");
    assert_int_equal(sn_os_shutdown(client, SHUT_RDWR), 0);
    assert_int_equal(sn_os_send(client, "x", 1, 0), -1); /* and no SIGPIPE */
    assert_int_equal(errno, EPIPE);
    (void)sn_os_close(client);
    (void)sn_os_close(server);
    (void)sn_os_close(listener);
}

static void several_datagrams_are_received_at_once(void **state) {
    (void)state;
    int sockets[2];
    char bytes[3][8];
    struct iovec parts[3] = {{bytes[0], 8}, {bytes[1], 8}, {bytes[2], 8}};
    struct mmsghdr messages[3] = {{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}},
                                  {.msg_hdr = {.msg_iov = &parts[2], .msg_iovlen = 1}}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets), 0);
    assert_int_equal(sn_os_recvmmsg(sockets[1], messages, 3, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(sn_os_send(sockets[0], "one", 3, 0), 3);
    assert_int_equal(sn_os_send(sockets[0], "four", 4, 0), 4);
    assert_int_equal(sn_os_recvmmsg(sockets[1], messages, 3, MSG_DONTWAIT), 2);
    assert_int_equal(messages[0].msg_len, 3);
    assert_memory_equal(bytes[1], "four", 4);
    (void)sn_os_close(sockets[0]);
    (void)sn_os_close(sockets[1]);
}

static void epoll_sees_an_eventfd(void **state) {
    (void)state;
    int epoll_fd = sn_os_epoll_create();
    int event_fd = sn_os_eventfd(0);
    struct epoll_event event = {.events = EPOLLIN};
    assert_true(is_cloexec(epoll_fd) && is_cloexec(event_fd) && is_nonblocking(event_fd));
    assert_int_equal(sn_os_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event), 0);
    assert_int_equal(sn_os_epoll_wait(epoll_fd, &event, 1, 0), 0);
    assert_int_equal(sn_os_eventfd_ring(event_fd), 0);
    assert_int_equal(sn_os_epoll_wait(epoll_fd, &event, 1, 5000), 1);
    (void)sn_os_close(event_fd);
    (void)sn_os_close(epoll_fd);
}

static void process_facts_are_plausible(void **state) {
    (void)state;
    uint64_t number = 0;
    assert_int_equal(sn_os_pid(), getpid());
    assert_in_range(sn_os_cpu_count(), 1, 100000);
    assert_true(sn_os_page_size() >= 4096);
    assert_int_equal(sn_os_getrandom(&number, sizeof(number)), sizeof(number));
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void the_descriptor_limit_rises_to_the_hard_one(void **state) {
    (void)state;
    uint64_t limit = sn_os_raise_fd_limit();
    assert_true(limit > 0);
    assert_int_equal(sn_os_raise_fd_limit(), limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        UNIT(files_are_read_and_written),
        UNIT(sizes_and_names_change),
        UNIT(mappings_locks_and_file_systems),
        UNIT(whole_transfers_survive_short_and_interrupted_ones),
        UNIT(whole_transfers_report_errors),
        cmocka_unit_test(sockets_connect_and_carry_bytes),
        cmocka_unit_test(several_datagrams_are_received_at_once),
        cmocka_unit_test(epoll_sees_an_eventfd),
        cmocka_unit_test(process_facts_are_plausible),
        cmocka_unit_test(the_descriptor_limit_rises_to_the_hard_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
