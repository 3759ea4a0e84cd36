/*
 * Middleware for libmicrohttpd: the calls behind sonde/microhttpd.h.
 *
 * A connection handles one request at a time, so the state of a request is that of its connection:
 * made when it is accepted, found by its socket context, and no allocation per request.
 *
 * Nothing is touched after the host's handler returned: it may have suspended the connection and
 * given it to another thread. The status is read when the request is completed.
 *
 *     accepted --handle (first call)--> request open --completed--> request ended --> ... closed
 */
#include "sonde/microhttpd.h"

#include "base/mem.h"
#include "clienthttp/error_priv.h"

#define ITEM_COUNT 3

struct sonde_microhttpd {
    sonde_microhttpd_options options;
    struct MHD_OptionItem items[ITEM_COUNT];
};

/* One for each connection; the thread that handles the connection only. */
struct connection_state {
    sonde_http_request request;
    void *host_context;
};

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode code);
static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code);

sonde_microhttpd *sonde_microhttpd_new(const sonde_microhttpd_options *options,
                                       sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sonde_microhttpd *middleware = NULL;
    if (options == NULL || options->handler == NULL) {
        (void)sn_err_set(&err, SN_ERR_INVALID, "a middleware has no handler");
    } else {
        middleware = sn_alloc_zero(1, sizeof *middleware);
        if (middleware == NULL)
            (void)sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for a middleware");
    }
    sn_clienthttp_error(error, &err);
    if (middleware == NULL)
        return NULL;
    middleware->options = *options;
    middleware->items[0] =
        (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, middleware};
    middleware->items[1] =
        (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, middleware};
    middleware->items[2] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return middleware;
}

sonde_microhttpd *sonde_microhttpd_free(sonde_microhttpd *middleware) {
    sn_free(middleware);
    return NULL;
}

struct MHD_OptionItem *sonde_microhttpd_items(sonde_microhttpd *middleware) {
    static struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};
    return middleware != NULL ? middleware->items : &none;
}

/* NULL: there was no memory when the connection was accepted. */
static struct connection_state *state_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

enum MHD_Result sonde_microhttpd_handle(void *cls, struct MHD_Connection *connection,
                                        const char *url, const char *method, const char *version,
                                        const char *upload_data, size_t *upload_data_size,
                                        void **req_cls) {
    const sonde_microhttpd_options *options = &((sonde_microhttpd *)cls)->options;
    struct connection_state *state = state_of(connection);
    if (state != NULL && state->request.http == NULL)
        sonde_http_begin(&state->request, options->http, method, url);
    return options->handler(options->handler_ctx, connection, url, method, version, upload_data,
                            upload_data_size, req_cls);
}

/* The status of the answer that was sent. */
static int sent_status(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info != NULL ? (int)(info->http_status & 0xffff) : 0;
}

static void end(sonde_http_request *request, int status, enum MHD_RequestTerminationCode code) {
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        sonde_http_end(request, status);
    else
        sonde_http_abort(request);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode code) {
    const sonde_microhttpd_options *options = &((sonde_microhttpd *)cls)->options;
    struct connection_state *state = state_of(connection);
    int status = sent_status(connection);
    if (state != NULL) {
        end(&state->request, status, code);
    } else {
        sonde_http_request request;
        sonde_http_begin(&request, options->http, NULL, NULL);
        end(&request, status, code);
    }
    if (options->completed != NULL)
        options->completed(options->completed_ctx, connection, req_cls, code);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    const sonde_microhttpd_options *options = &((sonde_microhttpd *)cls)->options;
    bool is_new = code == MHD_CONNECTION_NOTIFY_STARTED;
    if (is_new)
        *socket_context = sn_alloc_zero(1, sizeof(struct connection_state));
    struct connection_state *state = *socket_context;
    sonde_http_connections_add(options->http, is_new ? 1 : -1);
    void *no_context = NULL;
    if (options->connection != NULL)
        options->connection(options->connection_ctx, connection,
                            state != NULL ? &state->host_context : &no_context, code);
    if (!is_new) {
        if (state != NULL)
            sonde_http_abort(&state->request);
        sn_free(state);
        *socket_context = NULL;
    }
}

void sonde_microhttpd_route(struct MHD_Connection *connection, const char *route) {
    struct connection_state *state = state_of(connection);
    if (state != NULL)
        sonde_http_route(&state->request, route);
}
