/*
 * Datagrams. See datagrams.h.
 *
 * A socket that gave a full batch is asked again without poll: under load there is one system call
 * for BATCH datagrams. Where they come one after another, only just too slowly for that, the thread
 * rests for a moment so that some gather: waking up for each costs five times as much as reading it.
 */
#include "net/datagrams.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/address.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = 2,
    BATCH = 32,
    BATCHES_PER_RECEIVE = 8,
    RECEIVE_BYTES_DEFAULT = 8 << 20,
    SOCKET_MODE = 0666,
    DENSE_COUNT = 4, /* so many at one wake-up: more are about to come */
};

/* 1 M datagrams/s make 500 in this time; the kernel's queue has room for some thousand. */
#define REST_NS INT64_C(500000)

struct socket {
    int fd;
    _Atomic uint64_t dropped; /* its lowest 32 bits are what the kernel said last */
    bool is_busy;             /* the last batch was full */
};

struct sn_datagrams {
    struct socket sockets[SOCKETS_MAX];
    size_t socket_count;
    int wake_fd;
    char *socket_path; /* NULL: none that is ours */
    char address[SN_ADDRESS_TEXT_SIZE];
    bool is_dense; /* the last receive got DENSE_COUNT or more */
    /* Relaxed, one writer. */
    _Atomic uint64_t received_count, too_long_count;
    /* For one batch. */
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t *bytes; /* [BATCH * SN_DATAGRAM_BYTES_MAX], owned */
};

/* ---- opening ---- */

/* As much room as the kernel allows; more than its usual limit needs CAP_NET_ADMIN. */
static void set_receive_bytes(int fd, int bytes) {
    if (sn_os_setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
        (void)sn_os_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes,
                               sizeof bytes); /* its default then */
    }
}

/* Bind a new socket. On failure errno tells why. */
static int bound_socket(const struct sockaddr *address, socklen_t len, int receive_bytes) {
    int fd = sn_os_socket(address->sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (sn_os_bind(fd, address, len) == 0) {
        set_receive_bytes(fd, receive_bytes);
        return fd;
    }
    int error = errno;
    (void)sn_os_close(fd);
    errno = error;
    return -1;
}

static void keep_socket(struct sn_datagrams *datagrams, int fd) {
    datagrams->sockets[datagrams->socket_count++].fd = fd;
}

static sn_status cannot_listen(const char *where, int error, struct sn_err *err) {
    if (error == EADDRINUSE) {
        return sn_err_set(err, SN_ERR_EXISTS, "cannot receive on %s: address already in use",
                          where);
    }
    return sn_err_set_errno(err, error, "cannot receive on %s", where);
}

static sn_status open_udp(struct sn_datagrams *datagrams,
                          const struct sn_datagrams_options *options, int receive_bytes,
                          struct sn_err *err) {
    struct sn_address address;
    SN_TRY(sn_address_parse(options->listen, &address, err));
    sn_address_format(&address, datagrams->address);
    int fd = bound_socket(&address.socket.any, sn_address_socket_len(&address), receive_bytes);
    if (fd < 0) {
        return cannot_listen(datagrams->address, errno, err);
    }
    keep_socket(datagrams, fd);
    socklen_t len = sizeof address.socket;
    if (sn_os_getsockname(fd, &address.socket.any, &len) != 0) {
        return cannot_listen(datagrams->address, errno, err);
    }
    sn_address_format(&address, datagrams->address);
    return SN_OK;
}

/* Whether it is a socket and nobody receives there any more. Never a file, whatever it is. */
static bool is_left_over(const struct sockaddr_un *address) {
    struct stat info;
    if (sn_os_stat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    int fd = sn_os_socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) {
        return false;
    }
    bool is_refused = sn_os_connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                      errno == ECONNREFUSED;
    (void)sn_os_close(fd);
    return is_refused;
}

static sn_status open_unix(struct sn_datagrams *datagrams,
                           const struct sn_datagrams_options *options, int receive_bytes,
                           struct sn_err *err) {
    const char *path = options->socket_path;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "the path of a unix socket has %zu bytes, at most %zu "
                          "are possible",
                          strlen(path), sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    if (is_left_over(&address)) {
        (void)sn_os_unlink(path); /* bind tells when it is still there */
    }
    int fd = bound_socket((const struct sockaddr *)&address, sizeof address, receive_bytes);
    if (fd < 0) {
        return cannot_listen(path, errno, err);
    }
    keep_socket(datagrams, fd);
    datagrams->socket_path = sn_strdup(path);
    if (datagrams->socket_path == NULL) {
        (void)sn_os_unlink(path); /* nobody else will */
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to receive datagrams");
    }
    return sn_os_chmod(path, SOCKET_MODE) == 0
               ? SN_OK
               : sn_err_set_errno(err, errno, "cannot make %s writable", path);
}

static sn_status open_all(struct sn_datagrams *datagrams,
                          const struct sn_datagrams_options *options, struct sn_err *err) {
    int receive_bytes = options->receive_bytes > 0 ? options->receive_bytes : RECEIVE_BYTES_DEFAULT;
    datagrams->bytes = sn_alloc((size_t)BATCH * SN_DATAGRAM_BYTES_MAX);
    if (datagrams->bytes == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to receive datagrams");
    }
    datagrams->wake_fd = sn_os_eventfd(0);
    if (datagrams->wake_fd < 0) {
        return sn_err_set_errno(err, errno, "cannot make an eventfd");
    }
    if (options->listen.len > 0) {
        SN_TRY(open_udp(datagrams, options, receive_bytes, err));
    }
    return options->socket_path != NULL ? open_unix(datagrams, options, receive_bytes, err) : SN_OK;
}

sn_status sn_datagrams_open(const struct sn_datagrams_options *options,
                            struct sn_datagrams **ret_datagrams, struct sn_err *err) {
    struct sn_datagrams *datagrams = sn_alloc_zero(1, sizeof *datagrams);
    if (datagrams == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to receive datagrams");
    }
    datagrams->wake_fd = -1;
    sn_status status = open_all(datagrams, options, err);
    if (status != SN_OK) {
        (void)sn_datagrams_close(datagrams); /* NULL, always */
        return status;
    }
    *ret_datagrams = datagrams;
    return SN_OK;
}

struct sn_datagrams *sn_datagrams_close(struct sn_datagrams *datagrams) {
    if (datagrams == NULL) {
        return NULL;
    }
    if (datagrams->socket_path != NULL) {
        (void)sn_os_unlink(datagrams->socket_path); /* the next one replaces it */
        sn_free(datagrams->socket_path);
    }
    for (size_t i = 0; i < datagrams->socket_count; i++) {
        (void)sn_os_close(datagrams->sockets[i].fd);
    }
    if (datagrams->wake_fd >= 0) {
        (void)sn_os_close(datagrams->wake_fd);
    }
    sn_free(datagrams->bytes);
    sn_free(datagrams);
    return NULL;
}

const char *sn_datagrams_address(const struct sn_datagrams *datagrams) {
    return datagrams->address;
}

/* ---- receiving ---- */

static void add_relaxed(_Atomic uint64_t *counter, uint64_t more) {
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + more, memory_order_relaxed); /* one writer */
}

static void prepare_batch(struct sn_datagrams *datagrams) {
    for (size_t i = 0; i < BATCH; i++) {
        datagrams->parts[i] =
            (struct iovec){datagrams->bytes + i * SN_DATAGRAM_BYTES_MAX, SN_DATAGRAM_BYTES_MAX};
        datagrams->messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &datagrams->parts[i],
            .msg_iovlen = 1,
        };
    }
}

/* One batch of one socket; how many there were. */
static size_t receive_batch(struct sn_datagrams *datagrams, struct socket *socket,
                            void (*take)(void *ctx, struct sn_str datagram), void *ctx) {
    prepare_batch(datagrams);
    int got = sn_os_recvmmsg(socket->fd, datagrams->messages, BATCH, MSG_DONTWAIT);
    size_t count =
        got > 0 ? (size_t)got : 0; /* errors of a socket are told by poll, again and again */
    for (size_t i = 0; i < count; i++) {
        struct mmsghdr *message = &datagrams->messages[i];
        if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
            add_relaxed(&datagrams->too_long_count, 1);
        } else {
            take(ctx, sn_str_make(datagrams->parts[i].iov_base, message->msg_len));
        }
    }
    if (count > 0) {
        add_relaxed(&datagrams->received_count, count);
    }
    socket->is_busy = count == BATCH;
    return count;
}

/* Wait until something is there, or a wake; whether something is there. */
static bool wait_for_some(struct sn_datagrams *datagrams, int timeout_ms) {
    struct pollfd fds[SOCKETS_MAX + 1];
    size_t count = datagrams->socket_count;
    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = datagrams->sockets[i].fd, .events = POLLIN};
    }
    fds[count] = (struct pollfd){.fd = datagrams->wake_fd, .events = POLLIN};
    if (sn_os_poll(fds, count + 1, timeout_ms) <= 0) {
        return false;
    }
    if (fds[count].revents != 0) {
        uint64_t rings;
        (void)sn_os_read(datagrams->wake_fd, &rings, sizeof rings); /* back to silence */
    }
    bool is_there = false;
    for (size_t i = 0; i < count; i++) {
        is_there = is_there || fds[i].revents != 0;
    }
    return is_there; /* also beside a wake: whoever stops takes what has arrived */
}

static bool is_any_busy(const struct sn_datagrams *datagrams) {
    for (size_t i = 0; i < datagrams->socket_count; i++) {
        if (datagrams->sockets[i].is_busy) {
            return true;
        }
    }
    return false;
}

size_t sn_datagrams_receive(struct sn_datagrams *datagrams, int timeout_ms,
                            void (*take)(void *ctx, struct sn_str datagram), void *ctx) {
    size_t count = 0;
    if (datagrams->is_dense && !is_any_busy(datagrams) && timeout_ms > 0) {
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, REST_NS);
    }
    datagrams->is_dense = false;
    if (!is_any_busy(datagrams) && !wait_for_some(datagrams, timeout_ms)) {
        return 0;
    }
    for (int round = 0; round < BATCHES_PER_RECEIVE; round++) {
        for (size_t i = 0; i < datagrams->socket_count; i++) {
            struct socket *socket = &datagrams->sockets[i];
            if (round == 0 || socket->is_busy) {
                count += receive_batch(datagrams, socket, take, ctx);
            }
        }
        if (!is_any_busy(datagrams)) {
            break;
        }
    }
    datagrams->is_dense = count >= DENSE_COUNT;
    return count;
}

void sn_datagrams_wake(struct sn_datagrams *datagrams) {
    (void)sn_os_eventfd_ring(datagrams->wake_fd); /* EAGAIN: it rings already */
}

/* How many the kernel has dropped since the socket is there. With each datagram (SO_RXQ_OVFL) it would
 * not tell of those behind the last one. */
static uint64_t dropped_by(struct socket *socket) {
    uint32_t numbers[SK_MEMINFO_VARS];
    socklen_t len = sizeof numbers;
    uint64_t dropped = atomic_load(&socket->dropped);
    if (sn_os_getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, numbers, &len) != 0 ||
        len < sizeof numbers) {
        return dropped; /* the next one tells */
    }
    /* The counter of the kernel wraps, so the difference is meant modulo 2^32. */
    uint64_t now = (UINT64_C(1) << 32) + numbers[SK_MEMINFO_DROPS];
    uint64_t sum = dropped + (uint32_t)(now - (dropped & UINT32_MAX));
    /* Somebody else was quicker: what he found is as new. */
    return atomic_compare_exchange_strong(&socket->dropped, &dropped, sum) ? sum : dropped;
}

void sn_datagrams_stats(struct sn_datagrams *datagrams, struct sn_datagrams_stats *ret_stats) {
    *ret_stats = (struct sn_datagrams_stats){
        .received_count = atomic_load_explicit(&datagrams->received_count, memory_order_relaxed),
        .too_long_count = atomic_load_explicit(&datagrams->too_long_count, memory_order_relaxed),
    };
    for (size_t i = 0; i < datagrams->socket_count; i++) {
        ret_stats->dropped_count += dropped_by(&datagrams->sockets[i]);
    }
}
