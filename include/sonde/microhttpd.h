/*
 * Middleware for servers on libmicrohttpd (library libsonde-http): every request is counted and
 * timed as sonde/http.h says, every connection counted in active_connections. Three lines:
 *
 *     sonde_microhttpd_options options = {.handler = my_handler, .handler_ctx = my_ctx};
 *     sonde_microhttpd *middleware = sonde_microhttpd_new(&options, NULL);
 *     MHD_start_daemon(flags, port, NULL, NULL, sonde_microhttpd_handle, middleware,
 *                      MHD_OPTION_ARRAY, sonde_microhttpd_items(middleware), ..., MHD_OPTION_END);
 *
 * The host's handler is called with the very arguments that libmicrohttpd gave, its req_cls is its
 * own. What the middleware remembers hangs on the connection, so MHD_CONNECTION_INFO_SOCKET_CONTEXT
 * is taken: a host that wants a socket context of its own gets it in its connection callback.
 *
 * A request that ends without its answer sent (client gone, timeout, error, shutdown) is counted
 * as status="aborted". Requests that libmicrohttpd refuses before any handler sees them are not
 * counted. Without memory for a connection its requests are counted under method SONDE_OTHER.
 */
#ifndef SONDE_MICROHTTPD_H
#define SONDE_MICROHTTPD_H

#include <microhttpd.h>

#include "sonde/http.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_microhttpd sonde_microhttpd;

/* Zero-initialise and fill in; only `handler` is needed. Contexts are kept. */
typedef struct sonde_microhttpd_options {
    sonde_http *http; /* NULL: all defaults; must live longer than the daemon */
    MHD_AccessHandlerCallback handler;
    void *handler_ctx;
    MHD_RequestCompletedCallback completed; /* called after counting; NULL: none */
    void *completed_ctx;
    MHD_NotifyConnectionCallback connection; /* NULL: none */
    void *connection_ctx;
} sonde_microhttpd_options;

/*
 * Make a middleware; one for each daemon, or one for several of the same kind.
 *
 *   error  NO_MEMORY, INVALID (no handler)
 *
 * Returns NULL after an error. Threads: any. Blocks: never. Cost: one allocation.
 */
SONDE_API sonde_microhttpd *sonde_microhttpd_new(const sonde_microhttpd_options *options,
                                                 sonde_error *error);

/* Release a middleware whose daemons were stopped. NULL is fine. Returns NULL. */
SONDE_API sonde_microhttpd *sonde_microhttpd_free(sonde_microhttpd *middleware);

/* The access handler for MHD_start_daemon, with the middleware as its cls. */
SONDE_API enum MHD_Result sonde_microhttpd_handle(void *cls, struct MHD_Connection *connection,
                                                  const char *url, const char *method,
                                                  const char *version, const char *upload_data,
                                                  size_t *upload_data_size, void **req_cls);

/*
 * The callbacks for MHD_OPTION_ARRAY: NOTIFY_COMPLETED and NOTIFY_CONNECTION, so the host must not
 * give these two itself. Borrowed from the middleware; never NULL.
 */
SONDE_API struct MHD_OptionItem *sonde_microhttpd_items(sonde_microhttpd *middleware);

/*
 * Name the route of the request that a connection is handling; see sonde_http_route.
 * Threads: the one that handles the connection. Blocks: never.
 */
SONDE_API void sonde_microhttpd_route(struct MHD_Connection *connection, const char *route);

#ifdef __cplusplus
}
#endif
#endif
