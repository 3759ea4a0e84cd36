/*
 * The system-call seam: one function per call. A fault by order takes the place of the call
 * itself, inside the loop that repeats after EINTR, so that EINTR can be ordered too. Any thread.
 */
#include "base/os_priv.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

/* The result of `call`, unless a fault is due. */
#define UNLESS_FAULT(kind, call) (sn_fault_hits(kind) ? -1 : (call))

/* The same, again as long as it ends by EINTR. */
#define REPEATED(kind, call)                                                                       \
    __extension__({                                                                                \
        __typeof__(call) repeated_result_;                                                         \
        do                                                                                         \
            repeated_result_ = UNLESS_FAULT(kind, call);                                           \
        while (repeated_result_ == -1 && errno == EINTR);                                          \
        repeated_result_;                                                                          \
    })

/* For transfers: `len` is a size_t variable of the caller, which a fault may make smaller. */
#define REPEATED_TRANSFER(kind, len, call)                                                         \
    __extension__({                                                                                \
        ssize_t repeated_result_;                                                                  \
        do                                                                                         \
            repeated_result_ = sn_fault_hits_transfer(kind, &(len)) ? -1 : (call);                 \
        while (repeated_result_ == -1 && errno == EINTR);                                          \
        repeated_result_;                                                                          \
    })

int sn_os_open(const char *path, int flags, mode_t mode) {
    return REPEATED(SN_FAULT_OPEN, open(path, flags | O_CLOEXEC, mode));
}

int sn_os_close(int fd) {
    int result = close(fd);
    return result == -1 && errno == EINTR ? 0 : result;
}

ssize_t sn_os_read(int fd, void *buf, size_t len) {
    return REPEATED_TRANSFER(SN_FAULT_READ, len, read(fd, buf, len));
}

ssize_t sn_os_pread(int fd, void *buf, size_t len, int64_t offset) {
    return REPEATED_TRANSFER(SN_FAULT_READ, len, pread(fd, buf, len, offset));
}

ssize_t sn_os_write(int fd, const void *buf, size_t len) {
    return REPEATED_TRANSFER(SN_FAULT_WRITE, len, write(fd, buf, len));
}

ssize_t sn_os_pwrite(int fd, const void *buf, size_t len, int64_t offset) {
    return REPEATED_TRANSFER(SN_FAULT_WRITE, len, pwrite(fd, buf, len, offset));
}

ssize_t sn_os_write_log(int fd, const void *buf, size_t len) {
    return REPEATED_TRANSFER(SN_FAULT_LOG, len, write(fd, buf, len));
}

int sn_os_fsync(int fd) {
    return REPEATED(SN_FAULT_FSYNC, fsync(fd));
}

int sn_os_fdatasync(int fd) {
    return REPEATED(SN_FAULT_FSYNC, fdatasync(fd));
}

int sn_os_ftruncate(int fd, int64_t len) {
    return REPEATED(SN_FAULT_TRUNCATE, ftruncate(fd, len));
}

int sn_os_fallocate(int fd, int mode, int64_t offset, int64_t len) {
    return REPEATED(SN_FAULT_TRUNCATE, fallocate(fd, mode, offset, len));
}

int sn_os_link(const char *from, const char *to) {
    return UNLESS_FAULT(SN_FAULT_RENAME, link(from, to));
}

int sn_os_rename(const char *from, const char *to) {
    return UNLESS_FAULT(SN_FAULT_RENAME, rename(from, to));
}

int sn_os_unlink(const char *path) {
    return UNLESS_FAULT(SN_FAULT_UNLINK, unlink(path));
}

int sn_os_mkdir(const char *path, mode_t mode) {
    return UNLESS_FAULT(SN_FAULT_MKDIR, mkdir(path, mode));
}

int sn_os_stat(const char *path, struct stat *ret) {
    return UNLESS_FAULT(SN_FAULT_STAT, stat(path, ret));
}

int sn_os_fstat(int fd, struct stat *ret) {
    return UNLESS_FAULT(SN_FAULT_STAT, fstat(fd, ret));
}

int sn_os_statvfs(const char *path, struct statvfs *ret) {
    return REPEATED(SN_FAULT_STAT, statvfs(path, ret));
}

void *sn_os_mmap(void *addr, size_t len, int prot, int flags, int fd, int64_t offset) {
    if (sn_fault_hits(SN_FAULT_MMAP))
        return MAP_FAILED;
    return mmap(addr, len, prot, flags, fd, offset);
}

int sn_os_munmap(void *addr, size_t len) {
    return munmap(addr, len);
}

int sn_os_madvise(void *addr, size_t len, int advice) {
    return madvise(addr, len, advice);
}

int sn_os_chmod(const char *path, mode_t mode) {
    return UNLESS_FAULT(SN_FAULT_ANY, chmod(path, mode));
}

int sn_os_flock(int fd, int operation) {
    return REPEATED(SN_FAULT_ANY, flock(fd, operation));
}

static struct flock byte_lock(int type, int64_t byte) {
    return (struct flock){.l_type = (short)type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

int sn_os_lock_byte(int fd, int type, int64_t byte) {
    struct flock lock = byte_lock(type, byte);
    return REPEATED(SN_FAULT_ANY, fcntl(fd, F_OFD_SETLK, &lock));
}

int sn_os_is_byte_locked(int fd, int64_t byte) {
    struct flock lock = byte_lock(F_WRLCK, byte);
    if (fcntl(fd, F_OFD_GETLK, &lock) == -1)
        return -1;
    return lock.l_type != F_UNLCK;
}

int sn_os_sync_dir(const char *path) {
    int fd = sn_os_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd == -1)
        return -1;
    int result = sn_os_fsync(fd);
    int errno_value = errno;
    (void)sn_os_close(fd); /* nothing was written through it */
    errno = errno_value;
    return result;
}

/* How far a loop over short transfers has come: true while it must go on. */
static bool advance(ssize_t moved, size_t *done) {
    if (moved == 0)
        errno = EIO; /* a write that takes nothing and says no error would repeat for ever */
    if (moved <= 0)
        return false;
    *done += (size_t)moved;
    return true;
}

int sn_os_write_all(int fd, const void *buf, size_t len) {
    const uint8_t *bytes = buf;
    size_t done = 0;
    while (done < len) {
        if (!advance(sn_os_write(fd, bytes + done, len - done), &done))
            return -1;
    }
    return 0;
}

int sn_os_pwrite_all(int fd, const void *buf, size_t len, int64_t offset) {
    const uint8_t *bytes = buf;
    size_t done = 0;
    while (done < len) {
        ssize_t moved = sn_os_pwrite(fd, bytes + done, len - done, offset + (int64_t)done);
        if (!advance(moved, &done))
            return -1;
    }
    return 0;
}

ssize_t sn_os_pread_all(int fd, void *buf, size_t len, int64_t offset) {
    uint8_t *bytes = buf;
    size_t done = 0;
    while (done < len) {
        ssize_t moved = sn_os_pread(fd, bytes + done, len - done, offset + (int64_t)done);
        if (moved < 0)
            return -1;
        if (moved == 0)
            break;
        done += (size_t)moved;
    }
    return (ssize_t)done;
}

int sn_os_socket(int domain, int type, int protocol) {
    return UNLESS_FAULT(SN_FAULT_SOCKET, socket(domain, type | SOCK_CLOEXEC, protocol));
}

int sn_os_bind(int fd, const struct sockaddr *addr, socklen_t len) {
    return UNLESS_FAULT(SN_FAULT_SOCKET, bind(fd, addr, len));
}

int sn_os_listen(int fd, int backlog) {
    return UNLESS_FAULT(SN_FAULT_SOCKET, listen(fd, backlog));
}

int sn_os_accept(int fd, struct sockaddr *addr, socklen_t *len) {
    return REPEATED(SN_FAULT_SOCKET, accept4(fd, addr, len, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int sn_os_connect(int fd, const struct sockaddr *addr, socklen_t len) {
    /* Not repeated: after EINTR the connection goes on in the background, see connect(2). */
    return UNLESS_FAULT(SN_FAULT_SOCKET, connect(fd, addr, len));
}

int sn_os_setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    return UNLESS_FAULT(SN_FAULT_SOCKET, setsockopt(fd, level, name, value, len));
}

int sn_os_getsockopt(int fd, int level, int name, void *ret_value, socklen_t *len) {
    return UNLESS_FAULT(SN_FAULT_ANY, getsockopt(fd, level, name, ret_value, len));
}

int sn_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len) {
    return UNLESS_FAULT(SN_FAULT_ANY, getsockname(fd, addr, len));
}

int sn_os_shutdown(int fd, int how) {
    return shutdown(fd, how);
}

ssize_t sn_os_send(int fd, const void *buf, size_t len, int flags) {
    return REPEATED_TRANSFER(SN_FAULT_SEND, len, send(fd, buf, len, flags | MSG_NOSIGNAL));
}

ssize_t sn_os_recv(int fd, void *buf, size_t len, int flags) {
    return REPEATED_TRANSFER(SN_FAULT_RECV, len, recv(fd, buf, len, flags));
}

int sn_os_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    return (int)REPEATED(SN_FAULT_RECV, recvmmsg(fd, messages, count, flags, NULL));
}

int sn_os_poll(struct pollfd *fds, size_t count, int timeout_ms) {
    return poll(fds, (nfds_t)count, timeout_ms);
}

int sn_os_epoll_create(void) {
    return UNLESS_FAULT(SN_FAULT_POLL, epoll_create1(EPOLL_CLOEXEC));
}

int sn_os_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event) {
    return UNLESS_FAULT(SN_FAULT_POLL, epoll_ctl(epoll_fd, operation, fd, event));
}

int sn_os_epoll_wait(int epoll_fd, struct epoll_event *events, int count, int timeout_ms) {
    return epoll_wait(epoll_fd, events, count, timeout_ms);
}

int sn_os_eventfd_ring(int fd) {
    return REPEATED(SN_FAULT_POLL, eventfd_write(fd, 1));
}

int sn_os_eventfd(unsigned initial) {
    return UNLESS_FAULT(SN_FAULT_POLL, eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK));
}

ssize_t sn_os_getrandom(void *buf, size_t len) {
    return REPEATED(SN_FAULT_RANDOM, getrandom(buf, len, GRND_NONBLOCK));
}

uint64_t sn_os_raise_fd_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

int sn_os_pid(void) {
    return getpid();
}

int sn_os_cpu_count(void) {
    /* What this process may use: in a container that is less than what is online. */
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
    if (count < 1)
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

size_t sn_os_page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}
