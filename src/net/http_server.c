/*
 * Opening and closing a server: one listening socket and one libmicrohttpd daemon per worker.
 *
 * All sockets share one port by SO_REUSEPORT. That would let a second server of the same user
 * join in silently and take half of the connections, so the port is first bound by a socket
 * without the option, which fails when anybody listens there. Two servers that start in the same
 * instant can still both pass; the lock of the data directory is what keeps them apart then.
 */
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#define BACKLOG 1024 /* connections that wait while a worker is busy; capped by somaxconn */
#define HEADER_TIMEOUT_MS 10000
#define BODY_TIMEOUT_MS 30000
#define IDLE_TIMEOUT_MS 60000
#define SEND_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS 1500

#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

#define NO_MEMORY_BODY                                                                             \
    "{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"out of memory\"}"

/* ---- options ---- */

static void default_i64(int64_t *value, int64_t otherwise) {
    if (*value == 0)
        *value = otherwise;
}

static void default_size(size_t *value, size_t otherwise) {
    if (*value == 0)
        *value = otherwise;
}

static void default_count(unsigned *value, unsigned otherwise) {
    if (*value == 0)
        *value = otherwise;
}

static void set_options(struct sn_http_server *server, const struct sn_http_server_options *from) {
    struct sn_http_server_options *options = &server->options;
    *options = *from;
    options->listen = (struct sn_str){NULL, 0};
    if (options->clock == NULL)
        options->clock = sn_clock_system();
    default_count(&options->worker_count, (unsigned)sn_os_cpu_count());
    if (options->worker_count > SN_HTTP_WORKERS_MAX)
        options->worker_count = SN_HTTP_WORKERS_MAX;
    default_i64(&options->header_timeout_ms, HEADER_TIMEOUT_MS);
    default_i64(&options->body_timeout_ms, BODY_TIMEOUT_MS);
    default_i64(&options->idle_timeout_ms, IDLE_TIMEOUT_MS);
    default_i64(&options->send_timeout_ms, SEND_TIMEOUT_MS);
    default_i64(&options->stop_timeout_ms, STOP_TIMEOUT_MS);
    default_size(&options->body_bytes_max, SN_HTTP_BODY_BYTES_MAX);
    default_size(&options->inflated_bytes_max, SN_HTTP_BODY_BYTES_MAX);
    default_size(&options->bodies_bytes_max, SN_HTTP_BODIES_BYTES_MAX);
    default_size(&options->request_arena_bytes_max, SN_ARENA_LIMIT_DEFAULT);
    default_count(&options->connections_max, SN_HTTP_CONNECTIONS_MAX);
    default_count(&options->connections_per_ip_max, SN_HTTP_CONNECTIONS_PER_IP_MAX);
}

/* ---- sockets ---- */

static sn_status cannot_listen(const struct sn_address *address, int error, struct sn_err *err) {
    char text[SN_ADDRESS_TEXT_SIZE];
    sn_address_format(address, text);
    if (error == EADDRINUSE)
        return sn_err_set(err, SN_ERR_EXISTS, "cannot listen on %s: address already in use", text);
    return sn_err_set_errno(err, error, "cannot listen on %s", text);
}

static int set_on(int fd, int level, int name) {
    const int on = 1;
    return sn_os_setsockopt(fd, level, name, &on, sizeof(on));
}

/* A bound socket, or -1 with errno. */
static int bound_socket(const struct sn_address *address, bool is_shared) {
    const int off = 0;
    int fd =
        sn_os_socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set_on(fd, SOL_SOCKET, SO_REUSEADDR) == 0 &&
        (!is_shared || set_on(fd, SOL_SOCKET, SO_REUSEPORT) == 0) &&
        (address->socket.any.sa_family != AF_INET6 ||
         sn_os_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        sn_os_bind(fd, &address->socket.any, sn_address_socket_len(address)) == 0)
        return fd;
    int error = errno;
    (void)sn_os_close(fd);
    errno = error;
    return -1;
}

/* Fails when somebody else listens on the port. */
static sn_status probe(const struct sn_address *address, struct sn_err *err) {
    if (sn_address_port(address) == 0)
        return SN_OK;
    int fd = bound_socket(address, false);
    if (fd < 0)
        return cannot_listen(address, errno, err);
    (void)sn_os_close(fd);
    return SN_OK;
}

/* Accepted sockets inherit the option: a client that takes nothing for so long is cut off. */
static int set_send_timeout(int fd, int64_t timeout_ms) {
    const unsigned value = timeout_ms > INT32_MAX ? INT32_MAX : (unsigned)timeout_ms;
    return sn_os_setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof(value));
}

/* Make *address the one that was really bound: the first socket of port 0 decides for all. */
static int read_address(int fd, struct sn_address *address) {
    socklen_t len = sizeof(address->socket);
    return sn_os_getsockname(fd, &address->socket.any, &len);
}

static sn_status open_listener(struct sn_http_worker *worker, struct sn_address *address,
                               struct sn_err *err) {
    worker->listen_fd = bound_socket(address, true);
    if (worker->listen_fd < 0 ||
        set_send_timeout(worker->listen_fd, worker->server->options.send_timeout_ms) != 0 ||
        sn_os_listen(worker->listen_fd, BACKLOG) != 0 ||
        read_address(worker->listen_fd, address) != 0)
        return cannot_listen(address, errno, err);
    return SN_OK;
}

/* ---- workers ---- */

static void log_line(void *cls, const char *format, va_list args) SN_PRINTF(2, 0);

static void log_line(void *cls, const char *format, va_list args) {
    char line[256];
    (void)cls;
    (void)vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    sn_log_debug("http", "%s", line);
}

/* Escapes are undone by http_params.c: the library would stop at an escaped NUL. */
static size_t keep_escapes(void *cls, struct MHD_Connection *mhd, char *text) {
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static unsigned share(unsigned whole, size_t worker_count) {
    return (unsigned)((whole + worker_count - 1) / worker_count);
}

/* What TLS adds, up to the terminator; plain text adds nothing. The library takes the texts without
 * const, and does not change them. */
static void fill_tls(const struct sn_http_server_options *options, struct MHD_OptionItem items[4]) {
    size_t count = 0;
    if (options->tls_certificate != NULL) {
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                 (void *)(uintptr_t)options->tls_certificate};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                                 (void *)(uintptr_t)options->tls_key};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
                                                 (void *)(uintptr_t)TLS_PRIORITIES};
    }
    items[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static sn_status start_daemon(struct sn_http_worker *worker, struct sn_err *err) {
    const struct sn_http_server *server = worker->server;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[4];
    fill_tls(&server->options, tls);
    if (server->options.tls_certificate != NULL)
        flags |= MHD_USE_TLS;
    errno = 0;
    if (server->address.socket.any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    worker->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, sn_http_on_request, worker,                     //
                         MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL,                           //
                         MHD_OPTION_LISTEN_SOCKET, worker->listen_fd,                          //
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SN_HTTP_HEADER_BYTES_MAX, //
                         MHD_OPTION_CONNECTION_LIMIT,                                          //
                         share(server->options.connections_max, server->worker_count),         //
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT,                                   //
                         share(server->options.connections_per_ip_max, server->worker_count),  //
                         MHD_OPTION_NOTIFY_CONNECTION, sn_http_on_connection, worker,          //
                         MHD_OPTION_NOTIFY_COMPLETED, sn_http_on_completed, worker,            //
                         MHD_OPTION_URI_LOG_CALLBACK, sn_http_on_target, worker,               //
                         MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,                     //
                         MHD_OPTION_ARRAY, tls,                                                //
                         MHD_OPTION_END);
    if (worker->daemon == NULL && errno == 0 && server->options.tls_certificate != NULL)
        return sn_err_set(err, SN_ERR_IO,
                          "cannot start an HTTP worker: TLS cannot use the certificate or its key");
    if (worker->daemon == NULL)
        return sn_err_set_errno(err, errno, "cannot start an HTTP worker");
    return SN_OK;
}

static int watch(struct sn_http_worker *worker, struct sn_http_watch *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    return sn_os_epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, what->fd, &event);
}

static sn_status open_epoll(struct sn_http_worker *worker, struct sn_err *err) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    worker->daemon_watch = (struct sn_http_watch){SN_HTTP_WATCH_DAEMON, info->epoll_fd};
    worker->event_watch.kind = SN_HTTP_WATCH_EVENT;
    worker->event_watch.fd = sn_os_eventfd(0);
    worker->epoll_fd = worker->event_watch.fd < 0 ? -1 : sn_os_epoll_create();
    if (worker->epoll_fd < 0 || watch(worker, &worker->daemon_watch) != 0 ||
        watch(worker, &worker->event_watch) != 0)
        return sn_err_set_errno(err, errno, "cannot set up the events of an HTTP worker");
    return SN_OK;
}

static sn_status worker_open(struct sn_http_worker *worker, struct sn_err *err) {
    SN_TRY(open_listener(worker, &worker->server->address, err));
    SN_TRY(start_daemon(worker, err));
    return open_epoll(worker, err);
}

static void close_fd(int fd) {
    if (fd >= 0)
        (void)sn_os_close(fd);
}

static void worker_close(struct sn_http_worker *worker) {
    if (worker->daemon != NULL)
        MHD_stop_daemon(worker->daemon); /* closes the listening socket */
    else
        close_fd(worker->listen_fd);
    while (worker->spares != NULL) {
        struct sn_http_request *spare = worker->spares;
        worker->spares = spare->next_woken;
        sn_http_request_free(spare);
    }
    close_fd(worker->epoll_fd);
    close_fd(worker->event_watch.fd);
}

static sn_status open_workers(struct sn_http_server *server, struct sn_err *err) {
    size_t count = server->options.worker_count;
    server->workers = sn_alloc_aligned(64, count * sizeof(*server->workers));
    if (server->workers == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu HTTP workers", count);
    server->worker_count = count;
    for (size_t i = 0; i < count; i++) {
        struct sn_http_worker *worker = &server->workers[i];
        worker->server = server;
        worker->listen_fd = -1;
        worker->epoll_fd = -1;
        worker->event_watch.fd = -1;
        (void)snprintf(worker->name, sizeof(worker->name), "http-%u",
                       (unsigned)i % SN_HTTP_WORKERS_MAX);
    }
    for (size_t i = 0; i < count; i++)
        SN_TRY(worker_open(&server->workers[i], err));
    return SN_OK;
}

/* ---- public ---- */

static sn_status make_no_memory(struct sn_http_server *server, struct sn_err *err) {
    static char body[] = NO_MEMORY_BODY;
    server->no_memory =
        MHD_create_response_from_buffer(sizeof(body) - 1, body, MHD_RESPMEM_PERSISTENT);
    if (server->no_memory == NULL ||
        MHD_add_response_header(server->no_memory, "Content-Type", "application/json") != MHD_YES ||
        MHD_add_response_header(server->no_memory, "Retry-After", "1") != MHD_YES)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the HTTP server");
    return SN_OK;
}

static sn_status fill_server(struct sn_http_server *server, struct sn_err *err) {
    SN_TRY(make_no_memory(server, err));
    SN_TRY(probe(&server->address, err));
    SN_TRY(open_workers(server, err));
    sn_address_format(&server->address, server->address_text);
    return SN_OK;
}

sn_status sn_http_server_open(const struct sn_http_server_options *options,
                              struct sn_http_server **ret_server, struct sn_err *err) {
    struct sn_address address;
    SN_TRY(sn_address_parse(options->listen, &address, err));
    struct sn_http_server *server = sn_alloc_zero(1, sizeof(*server));
    if (server == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the HTTP server");
    server->address = address;
    set_options(server, options);
    sn_status status = fill_server(server, err);
    if (status != SN_OK) {
        sn_http_server_close(server);
        return status;
    }
    *ret_server = server;
    return SN_OK;
}

void sn_http_server_close(struct sn_http_server *server) {
    /* A request that nobody answered still points here: leak rather than crash. */
    if (server == NULL || SN_NEVER(atomic_load(&server->held_count) != 0))
        return;
    for (size_t i = 0; i < server->worker_count; i++)
        worker_close(&server->workers[i]);
    sn_free(server->workers);
    if (server->no_memory != NULL)
        MHD_destroy_response(server->no_memory);
    sn_free(server);
}

size_t sn_http_server_workers(struct sn_http_server *server, struct sn_worker *ret_workers,
                              size_t max) {
    for (size_t i = 0; i < server->worker_count && i < max; i++) {
        ret_workers[i] = (struct sn_worker){
            .name = server->workers[i].name,
            .run = sn_http_worker_run,
            .stop = sn_http_worker_stop,
            .ctx = &server->workers[i],
        };
    }
    return server->worker_count;
}

const char *sn_http_server_address(const struct sn_http_server *server) {
    return server->address_text;
}

/* ---- statistics ---- */

void sn_http_count(struct sn_http_worker *worker, enum sn_http_counter counter, uint64_t more) {
    atomic_fetch_add_explicit(&worker->counters[counter], more, memory_order_relaxed);
}

static uint64_t sum(const struct sn_http_server *server, unsigned counter) {
    uint64_t total = 0;
    for (size_t i = 0; i < server->worker_count; i++)
        total += atomic_load_explicit(&server->workers[i].counters[counter], memory_order_relaxed);
    return total;
}

/* Ended is read first: a relaxed reader must not see more ends than beginnings, or nearly so. */
static uint64_t difference(const struct sn_http_server *server, unsigned begun, unsigned ended) {
    uint64_t ends = sum(server, ended);
    uint64_t begins = sum(server, begun);
    return begins > ends ? begins - ends : 0;
}

void sn_http_server_stats(const struct sn_http_server *server, struct sn_http_stats *ret_stats) {
    for (unsigned class = 0; class < 6; class ++)
        ret_stats->requests_by_class[class] = sum(server, SN_HTTP_COUNT_CLASS_0 + class);
    ret_stats->connections_total = sum(server, SN_HTTP_COUNT_CONNECTIONS);
    ret_stats->connections_now =
        difference(server, SN_HTTP_COUNT_CONNECTIONS, SN_HTTP_COUNT_CONNECTIONS_CLOSED);
    ret_stats->requests_now =
        difference(server, SN_HTTP_COUNT_REQUESTS_BEGUN, SN_HTTP_COUNT_REQUESTS_ENDED);
    ret_stats->body_bytes_in = sum(server, SN_HTTP_COUNT_BYTES_IN);
    ret_stats->body_bytes_out = sum(server, SN_HTTP_COUNT_BYTES_OUT);
    ret_stats->refused_malformed = sum(server, SN_HTTP_COUNT_MALFORMED);
    ret_stats->refused_too_large = sum(server, SN_HTTP_COUNT_TOO_LARGE);
    ret_stats->refused_encoding = sum(server, SN_HTTP_COUNT_ENCODING);
    ret_stats->refused_overload = sum(server, SN_HTTP_COUNT_OVERLOAD);
    ret_stats->timeouts_header = sum(server, SN_HTTP_COUNT_TIMEOUT_HEADER);
    ret_stats->timeouts_body = sum(server, SN_HTTP_COUNT_TIMEOUT_BODY);
    ret_stats->timeouts_idle = sum(server, SN_HTTP_COUNT_TIMEOUT_IDLE);
    ret_stats->clients_gone = sum(server, SN_HTTP_COUNT_GONE);
}
