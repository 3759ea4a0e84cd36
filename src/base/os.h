/*
 * The system-call seam: the only way to files, sockets and the kernel, so that tests can make the
 * n-th call of a kind fail, and so that a grep shows who touches the outside.
 *
 * Each function is the system call of its name: same arguments, same result, errno set; EINTR is
 * retried inside (except poll-like waits and connect). The _all forms loop over short transfers.
 * In builds without SN_FAULTS there is nothing but the call.
 */
#ifndef SN_BASE_OS_H
#define SN_BASE_OS_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * Kinds of calls that a fault can name. SN_FAULT_ANY matches every kind but LOG, and calls without
 * a kind of their own (flock, chmod, getsockname). Calls that only give back (close, munmap, shutdown) and
 * waits never fail by order.
 */
enum sn_fault_kind {
    SN_FAULT_ANY,
    SN_FAULT_OPEN,
    SN_FAULT_READ,
    SN_FAULT_WRITE, /* write, pwrite, writev */
    SN_FAULT_FSYNC, /* fsync, fdatasync, sync of a directory */
    SN_FAULT_RENAME,
    SN_FAULT_UNLINK,
    SN_FAULT_TRUNCATE, /* ftruncate, fallocate */
    SN_FAULT_MMAP,
    SN_FAULT_STAT, /* stat, fstat, statvfs */
    SN_FAULT_MKDIR,
    SN_FAULT_DIR,    /* opendir */
    SN_FAULT_SOCKET, /* socket, bind, listen, accept, connect, setsockopt */
    SN_FAULT_SEND,
    SN_FAULT_RECV,
    SN_FAULT_POLL, /* epoll_create, epoll_ctl, eventfd, timerfd */
    SN_FAULT_RANDOM,
    SN_FAULT_LOG, /* writes of the server log: not matched by ANY, so that a log line more or less
                   * does not move the nth call of a test */
    SN_FAULT_KIND_COUNT,
};

/*
 * Arm a fault for the whole process: the nth call of `kind` from now (1 = next) fails with
 * errno_value; with `count` calls in a row failing (UINT64_MAX: for ever). nth 0 disarms that
 * kind. errno_value 0 on WRITE, READ, SEND and RECV makes the transfer short instead: half the
 * bytes, at least one. A call that is repeated because of EINTR counts again. Builds without
 * SN_FAULTS ignore it. Any thread.
 */
void sn_fault_arm(enum sn_fault_kind kind, uint64_t nth, uint64_t count, int errno_value);
void sn_fault_disarm_all(void);
uint64_t sn_fault_fired_count(void); /* how many calls were made to fail since the last arm */
uint64_t sn_fault_calls(enum sn_fault_kind kind); /* calls seen since start */

/*
 * Arm from text, for system tests of the real binary: "fsync:3:EIO", "write:1+:ENOSPC" (from the
 * first on), several separated by commas; "write:2:SHORT" for a short write. All or nothing is
 * armed. SN_ERR_INVALID with a sentence; SN_ERR_UNSUPPORTED in builds without SN_FAULTS.
 */
sn_status sn_fault_arm_text(struct sn_str text, struct sn_err *err) SN_MUST_USE;

/* Files. Every descriptor is opened with O_CLOEXEC. */
int sn_os_open(const char *path, int flags, mode_t mode);
int sn_os_close(int fd); /* never repeated: Linux has closed it, also when it says EINTR */
ssize_t sn_os_read(int fd, void *buf, size_t len);
ssize_t sn_os_pread(int fd, void *buf, size_t len, int64_t offset);
ssize_t sn_os_write(int fd, const void *buf, size_t len);
ssize_t sn_os_pwrite(int fd, const void *buf, size_t len, int64_t offset);
int sn_os_fsync(int fd);
int sn_os_fdatasync(int fd);
int sn_os_ftruncate(int fd, int64_t len);
int sn_os_fallocate(int fd, int mode, int64_t offset, int64_t len);
int sn_os_rename(const char *from, const char *to);
int sn_os_link(const char *from, const char *to); /* a fault of kind RENAME */
int sn_os_unlink(const char *path);
int sn_os_chmod(const char *path, mode_t mode);
int sn_os_mkdir(const char *path, mode_t mode);
int sn_os_stat(const char *path, struct stat *ret);
int sn_os_fstat(int fd, struct stat *ret);
int sn_os_statvfs(const char *path, struct statvfs *ret);
void *sn_os_mmap(void *addr, size_t len, int prot, int flags, int fd, int64_t offset);
int sn_os_munmap(void *addr, size_t len);
int sn_os_madvise(void *addr, size_t len, int advice);
int sn_os_flock(int fd, int operation);

/*
 * Lock one byte of a file for this open description of it (F_RDLCK, F_WRLCK, F_UNLCK), without
 * waiting: EAGAIN when another description holds it. The kernel gives it back when the last copy of
 * the descriptor is closed, however its process ends. sn_os_is_byte_locked: 1 when another
 * description holds a lock there, 0 when none, -1 and errno.
 */
int sn_os_lock_byte(int fd, int type, int64_t byte);
int sn_os_is_byte_locked(int fd, int64_t byte);

/* fsync of the directory itself, so that a rename or a new file survives power loss. */
int sn_os_sync_dir(const char *path);

/* write for the server log, which must not disturb faults armed for the work it reports. */
ssize_t sn_os_write_log(int fd, const void *buf, size_t len);

/* All bytes or -1 with errno; a pread that ends early returns the bytes it got. */
int sn_os_write_all(int fd, const void *buf, size_t len);
int sn_os_pwrite_all(int fd, const void *buf, size_t len, int64_t offset);
ssize_t sn_os_pread_all(int fd, void *buf, size_t len, int64_t offset);

/*
 * Whole small file (such as one of /proc) into buf (appended), at most buf's limit. On failure buf
 * holds what it held before. SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_LIMIT, SN_ERR_IO,
 * SN_ERR_NO_MEMORY, with sentence.
 */
sn_status sn_os_read_file(const char *path, struct sn_buf *buf, struct sn_err *err) SN_MUST_USE;

/*
 * Names in a directory, without "." and "..", in the kernel's order: visit returns false to stop
 * early. SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_IO, SN_ERR_NO_MEMORY.
 */
sn_status sn_os_list_dir(const char *path, bool (*visit)(void *ctx, const char *name), void *ctx,
                         struct sn_err *err) SN_MUST_USE;

/*
 * Copy a file byte by byte to a name that must not exist, mode 0640, and force it to disk. On failure
 * nothing is left.
 *
 *   step   called after each piece of at most 1 MiB; false: stop. NULL is fine
 *
 * SN_ERR_CLOSED (step said stop), SN_ERR_NOT_FOUND, SN_ERR_EXISTS, SN_ERR_DENIED, SN_ERR_IO,
 * SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY.
 */
sn_status sn_os_copy_file(const char *from, const char *to, bool (*step)(void *ctx, size_t bytes),
                          void *ctx, struct sn_err *err) SN_MUST_USE;

/* mkdir -p with mode 0750 for what is missing. SN_ERR_LIMIT: longer than PATH_MAX; as mkdir. */
sn_status sn_os_make_dirs(const char *path, struct sn_err *err) SN_MUST_USE;

/*
 * Remove a directory tree, or a file. For tests and orphaned temporary data; never follows links.
 * Nothing there is SN_OK. SN_ERR_LIMIT: deeper than SN_TREE_DEPTH_MAX; SN_ERR_DENIED, SN_ERR_IO.
 */
sn_status sn_os_remove_tree(const char *path, struct sn_err *err) SN_MUST_USE;

/* Sockets and waiting. */
int sn_os_socket(int domain, int type, int protocol); /* adds SOCK_CLOEXEC */
int sn_os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int sn_os_listen(int fd, int backlog);
int sn_os_accept(int fd, struct sockaddr *addr, socklen_t *len); /* accept4, CLOEXEC|NONBLOCK */
int sn_os_connect(int fd, const struct sockaddr *addr, socklen_t len);
int sn_os_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int sn_os_getsockopt(int fd, int level, int name, void *ret_value, socklen_t *len);
int sn_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int sn_os_shutdown(int fd, int how);
ssize_t sn_os_send(int fd, const void *buf, size_t len, int flags); /* adds MSG_NOSIGNAL */
ssize_t sn_os_recv(int fd, void *buf, size_t len, int flags);
/* Datagrams that wait, at most `count`; how many, or -1. Not repeated for EINTR once some are there. */
struct mmsghdr;
int sn_os_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
struct epoll_event;
struct pollfd;
int sn_os_poll(struct pollfd *fds, size_t count, int timeout_ms);
int sn_os_epoll_create(void);
int sn_os_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int sn_os_epoll_wait(int epoll_fd, struct epoll_event *events, int count, int timeout_ms);
int sn_os_eventfd(unsigned initial); /* CLOEXEC|NONBLOCK */
/* Add one to an eventfd; EAGAIN: it is at its maximum. A fault of kind POLL, so that one for every
 * write, meant for the disk, does not silence the server. */
int sn_os_eventfd_ring(int fd);

/* Random bytes of the kernel, without waiting for its pool to fill (then -1 and EAGAIN). */
ssize_t sn_os_getrandom(void *buf, size_t len);

/* Process facts. */
/* Raise the soft limit of open descriptors to the hard one: a store has one per segment. Returns the
 * limit that holds now, 0 when it cannot be told. */
uint64_t sn_os_raise_fd_limit(void);
int sn_os_pid(void);
int sn_os_cpu_count(void); /* online CPUs, at least 1 */
size_t sn_os_page_size(void);

#endif
