/*
 * The exporter: the calls behind sonde/http_exporter.h.
 *
 * libmicrohttpd runs it, in a thread of its own, because a library cannot ask its host for one. It
 * uses poll and few connections: the loop of version 0.9.75 hangs when 128 connections are ready.
 * Nothing but a page's memory outlives the call of the handler that answers a request.
 *
 *     start --> listening thread --stop--> gone
 */
#include "sonde/http_exporter.h"

#include "base/mem.h"
#include "base/os.h"
#include "clienthttp/address_priv.h"
#include "clienthttp/encoding_priv.h"
#include "clienthttp/error_priv.h"
#include "clienthttp/page_priv.h"

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdatomic.h>

#define ADDRESS_DEFAULT "127.0.0.1:9465"
#define PATH_DEFAULT "/metrics"
#define PATH_BYTES_MAX 255
#define PAGE_BYTES_DEFAULT ((size_t)256 << 20) /* three times a page of a million lines */
#define CONNECTIONS_DEFAULT 8
#define IDLE_TIMEOUT_DEFAULT_S 30
#define PAGES_MAX 2 /* in memory at a time: slow readers must not pile them up */
#define CONNECTION_MEMORY ((size_t)16 << 10)

struct sonde_http_exporter {
    struct MHD_Daemon *daemon;
    sonde_registry *registry;
    size_t page_bytes_max;
    unsigned port;
    _Atomic unsigned page_count;
    char path[PATH_BYTES_MAX + 1];
};

/* A page on its way; owned by its response. */
struct page {
    sonde_http_exporter *exporter;
    struct sn_buf buf;
};

/* Answers. */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct MHD_Response *response) {
    if (response == NULL)
        return MHD_NO; /* no memory: the connection is closed */
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text) {
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (response != NULL && status == MHD_HTTP_SERVICE_UNAVAILABLE)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (response != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      "text/plain; charset=utf-8");
    return answer(connection, status, response);
}

static void page_free(void *ctx) {
    struct page *page = ctx;
    atomic_fetch_sub(&page->exporter->page_count, 1);
    sn_buf_release(&page->buf);
    sn_free(page);
}

/* NULL: no memory, or too many pages. */
static struct page *page_new(sonde_http_exporter *exporter) {
    struct page *page = sn_alloc_zero(1, sizeof *page);
    if (page == NULL)
        return NULL;
    page->exporter = exporter;
    sn_buf_init(&page->buf, exporter->page_bytes_max);
    if (atomic_fetch_add(&exporter->page_count, 1) < PAGES_MAX)
        return page;
    page_free(page);
    return NULL;
}

/* NULL: no such header. */
static const char *header(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct MHD_Response *page_response(struct page *page,
                                          const struct sn_page_options *options) {
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        page->buf.len, page->buf.ptr, page_free, page);
    if (response == NULL) {
        page_free(page);
        return NULL;
    }
    const char *type = sonde_format_content_type(options->format);
    bool is_complete =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding") ==
            MHD_YES &&
        (!options->use_gzip ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip") == MHD_YES);
    if (is_complete)
        return response;
    MHD_destroy_response(response); /* a compressed page must not be taken for a plain one */
    return NULL;
}

static enum MHD_Result answer_page(sonde_http_exporter *exporter,
                                   struct MHD_Connection *connection) {
    struct sn_page_options options = {
        .registry = exporter->registry,
        .format = sonde_format_negotiate(header(connection, MHD_HTTP_HEADER_ACCEPT)),
        .use_gzip =
            sn_encoding_has_gzip(sn_str_from(header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING))),
    };
    struct page *page = page_new(exporter);
    if (page == NULL)
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "busy, try again\n");
    sn_status status = sn_page_render(&options, &page->buf);
    if (status != SN_OK) {
        page_free(page);
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                           status == SN_ERR_LIMIT ? "the page is above page_bytes_max\n"
                                                  : "no memory for the page\n");
    }
    return answer(connection, MHD_HTTP_OK, page_response(page, &options));
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **req_cls) {
    sonde_http_exporter *exporter = cls;
    (void)version;
    (void)upload_data;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (*req_cls == NULL) {
        /* An answer in the first call would close the connection; it is right for a body only. */
        *req_cls = exporter;
        return MHD_YES;
    }
    if (*upload_data_size > 0)
        return MHD_NO; /* a GET with a body: closed */
    if (strcmp(url, exporter->path) != 0)
        return answer_text(connection, MHD_HTTP_NOT_FOUND, "not found\n");
    return answer_page(exporter, connection);
}

/* Starting. */

/* Bind once by ourselves: libmicrohttpd says only that it failed. */
static sn_status probe(const union sn_exporter_address *address, const char *text,
                       struct sn_err *err) {
    const int on = 1;
    int fd = sn_os_socket(address->any.sa_family, SOCK_STREAM, 0);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0 && (sn_os_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                    sn_os_bind(fd, &address->any, sn_exporter_address_len(address)) != 0))
        error = errno;
    if (fd >= 0)
        (void)sn_os_close(fd);
    return error == 0 ? SN_OK : sn_err_set_errno(err, error, "cannot listen on %s", text);
}

/* The new thread inherits the mask: the host's signals are for the host's threads. */
static struct MHD_Daemon *start_daemon(sonde_http_exporter *exporter,
                                       const sonde_http_exporter_options *options,
                                       const union sn_exporter_address *address) {
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD;
    if (address->any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    unsigned connections =
        options->connection_max > 0 ? options->connection_max : CONNECTIONS_DEFAULT;
    unsigned timeout_s =
        options->idle_timeout_s > 0 ? options->idle_timeout_s : IDLE_TIMEOUT_DEFAULT_S;
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, exporter, MHD_OPTION_SOCK_ADDR, &address->any,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return daemon;
}

static sn_status keep_options(sonde_http_exporter *exporter,
                              const sonde_http_exporter_options *options, struct sn_err *err) {
    struct sn_str path = sn_str_from(options->path != NULL ? options->path : PATH_DEFAULT);
    if (path.len == 0 || path.ptr[0] != '/' || path.len > PATH_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID,
                          "\"%.64s\" is no path: want /... of at most %d bytes", path.ptr,
                          PATH_BYTES_MAX);
    memcpy(exporter->path, path.ptr, path.len);
    if (options->connection_max > SONDE_EXPORTER_CONNECTIONS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "connection_max is %u, the limit is %d",
                          options->connection_max, SONDE_EXPORTER_CONNECTIONS_MAX);
    exporter->registry = options->registry;
    exporter->page_bytes_max =
        options->page_bytes_max > 0 ? options->page_bytes_max : PAGE_BYTES_DEFAULT;
    return SN_OK;
}

static sn_status exporter_start(sonde_http_exporter *exporter,
                                const sonde_http_exporter_options *options, struct sn_err *err) {
    const char *text = options->address != NULL ? options->address : ADDRESS_DEFAULT;
    union sn_exporter_address address;
    SN_TRY(keep_options(exporter, options, err));
    SN_TRY(sn_exporter_address_parse(text, &address, err));
    SN_TRY(probe(&address, text, err));
    exporter->daemon = start_daemon(exporter, options, &address);
    if (exporter->daemon == NULL)
        return sn_err_set(err, SN_ERR_IO, "cannot start the exporter on %s", text);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(exporter->daemon, MHD_DAEMON_INFO_BIND_PORT);
    exporter->port = info != NULL ? info->port : 0;
    return SN_OK;
}

sonde_http_exporter *sonde_http_exporter_start(const sonde_http_exporter_options *options,
                                               sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_http_exporter *exporter = sn_alloc_zero(1, sizeof *exporter);
    sn_status status = SN_ERR_NO_MEMORY;
    if (exporter == NULL)
        (void)sn_err_set(&err, status, "no memory for an exporter");
    else
        status = exporter_start(
            exporter, options != NULL ? options : &(sonde_http_exporter_options){0}, &err);
    sn_clienthttp_error(error, &err);
    return status == SN_OK ? exporter : sonde_http_exporter_stop(exporter);
}

sonde_http_exporter *sonde_http_exporter_stop(sonde_http_exporter *exporter) {
    if (exporter == NULL)
        return NULL;
    if (exporter->daemon != NULL)
        MHD_stop_daemon(exporter->daemon);
    sn_free(exporter);
    return NULL;
}

unsigned sonde_http_exporter_port(const sonde_http_exporter *exporter) {
    return exporter != NULL ? exporter->port : 0;
}
