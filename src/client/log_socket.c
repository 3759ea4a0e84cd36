/*
 * Sinks that send datagrams to a local socket: syslog and journald. See log_sink_priv.h.
 *
 * The daemon may not run yet, or be restarted: then lines are lost and counted, and the sink
 * connects again once a second. A receiver that is slow is waited for once, and not for long:
 * the other sinks wait with us.
 */
#include "client/log_sink_priv.h"

#include "base/os.h"

#include <errno.h>
#include <poll.h>
#include <sys/un.h>

#define SLOW_WAIT_MS 100

static bool connect_socket(struct sn_log_sink *sink) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, sink->options.path, strlen(sink->options.path));
    int fd = sn_os_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    if (sn_os_connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)sn_os_close(fd);
        return false;
    }
    sink->fd = fd;
    return true;
}

static void socket_close(struct sn_log_sink *sink) {
    int fd = sink->fd;
    sink->fd = -1;
    if (fd >= 0)
        (void)sn_os_close(fd);
}

static void socket_reopen(struct sn_log_sink *sink) {
    socket_close(sink);
    sink->retry_mono_ns = INT64_MIN;
}

static sn_status socket_open(struct sn_log_sink *sink, struct sn_err *err) {
    struct sockaddr_un address;
    if (strlen(sink->options.path) >= sizeof address.sun_path)
        return sn_err_set(err, SN_ERR_INVALID, "socket path %s is longer than %zu bytes",
                          sink->options.path, sizeof address.sun_path - 1);
    sink->retry_mono_ns = INT64_MIN;
    return SN_OK;
}

/* True when the datagram is out. */
static bool send_once(struct sn_log_sink *sink, const uint8_t *bytes, size_t len) {
    if (sink->fd < 0 && !(sn_log_sink_may_retry(sink) && connect_socket(sink)))
        return false;
    ssize_t sent = sn_os_send(sink->fd, bytes, len, 0);
    if (sent < 0 && errno == EAGAIN && !sink->is_slow) {
        (void)sn_os_poll(&(struct pollfd){.fd = sink->fd, .events = POLLOUT}, 1, SLOW_WAIT_MS);
        sent = sn_os_send(sink->fd, bytes, len, 0);
    }
    sink->is_slow = sent < 0 && errno == EAGAIN;
    return sent >= 0;
}

/* Whether the other side is another one now: a daemon that was started again. */
static bool is_gone(int errno_value) {
    return errno_value == ECONNREFUSED || errno_value == ENOTCONN || errno_value == ECONNRESET ||
           errno_value == EPIPE || errno_value == ENOENT;
}

static void socket_put(struct sn_log_sink *sink, const struct sn_log_view *view, size_t start) {
    (void)view;
    const uint8_t *bytes = sink->out.ptr + start;
    size_t len = sink->out.len - start;
    bool was_open = sink->fd >= 0;
    bool is_sent = send_once(sink, bytes, len);
    if (!is_sent && was_open && is_gone(errno)) {
        socket_reopen(sink);
        is_sent = send_once(sink, bytes, len);
    }
    if (!is_sent)
        sn_log_sink_lost(sink, 1);
    sink->out.len = start;
    sink->out_lines = 0;
}

static void socket_nothing(struct sn_log_sink *sink) {
    (void)sink;
}

const struct sn_log_sink_class sn_log_socket_class = {
    .open = socket_open,
    .put = socket_put,
    .flush = socket_nothing,
    .reopen = socket_reopen,
    .close = socket_close,
};
