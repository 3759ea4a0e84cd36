/*
 * The service's HTTP interface on libmicrohttpd, two threads:
 *
 *     POST   /media?user=U&title=T              a medium          201 {"id": 7}
 *     GET    /media/7                            its bytes
 *     GET    /media/7/thumbnail                  32 x 32 gray pixels
 *     POST   /media/7/transcode?user=U&preset=P[&notify=PORT]     202 {"job": 3}
 *     DELETE /media/7
 *     GET    /search?q=TEXT                      {"count": 12}
 *
 * Requests are counted by the middleware (http_requests_total ...), and each route is an operation of
 * the service "media-api".
 */
#include "studio.h"

#include <sonde/microhttpd.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum route {
    ROUTE_UPLOAD,
    ROUTE_DOWNLOAD,
    ROUTE_THUMBNAIL,
    ROUTE_TRANSCODE,
    ROUTE_DELETE,
    ROUTE_SEARCH,
    ROUTE_COUNT
};

static const struct {
    const char *method, *prefix, *suffix, *operation, *template;
} routes[ROUTE_COUNT] = {
    [ROUTE_UPLOAD] = {"POST", "/media", NULL, "upload", "/media"},
    [ROUTE_DOWNLOAD] = {"GET", "/media/", "", "download", "/media/:id"},
    [ROUTE_THUMBNAIL] = {"GET", "/media/", "/thumbnail", "thumbnail", "/media/:id/thumbnail"},
    [ROUTE_TRANSCODE] = {"POST", "/media/", "/transcode", "transcode", "/media/:id/transcode"},
    [ROUTE_DELETE] = {"DELETE", "/media/", "", "delete", "/media/:id"},
    [ROUTE_SEARCH] = {"GET", "/search", NULL, "search", "/search"},
};

struct request {
    struct MHD_Connection *connection;
    uint64_t id;
    double start_s;
    size_t len;
    unsigned char *body; /* NULL until the first byte */
    bool is_too_long;
};

/* What will be sent. */
struct answer {
    unsigned status;
    char text[ERROR_SIZE + 64];
    void *bytes; /* instead of text; freed when sent */
    size_t len;
};

static struct {
    struct MHD_Daemon *daemon;
    sonde_http *http;
    sonde_microhttpd *middleware;
    sonde_operation *operations[ROUTE_COUNT];
} api;

/* Letters, digits, '-' and '_' only, and not empty: may stand in JSON as it is. */
static const char *argument(const struct request *request, const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    size_t len = value != NULL ? strlen(value) : 0;
    return len > 0 && len < NAME_SIZE && strspn(value, letters) == len ? value : NULL;
}

static bool missing(struct failure *failure, const char *name) {
    return fail(failure, 400, "VALIDATION_ERROR", "invalid parameter %s", name);
}

static void tell(const struct request *request, const char *type, const char *user,
                 const struct failure *failure) {
    struct event event = {.type = type,
                          .user = user,
                          .seconds = seconds_now() - request->start_s,
                          .quantity = failure == NULL ? 1 : 0,
                          .failure = failure};
    events_add(&event);
}

static bool upload(struct request *request, struct answer *answer, struct failure *failure) {
    const char *user = argument(request, "user"), *title = argument(request, "title");
    uint64_t id = 0;
    if (user == NULL || title == NULL)
        return missing(failure, user == NULL ? "user" : "title");
    bool is_good = request->is_too_long
                       ? fail(failure, 413, "VALIDATION_ERROR", "invalid medium: above %zu bytes",
                              MEDIUM_BYTES_MAX)
                       : library_put(request->body, request->len, title, &id, failure);
    tell(request, "upload", user, is_good ? NULL : failure);
    if (is_good) {
        answer->status = 201;
        (void)snprintf(answer->text, sizeof answer->text, "{\"id\":%llu}\n",
                       (unsigned long long)id);
    }
    return is_good;
}

static bool download(struct request *request, struct answer *answer, struct failure *failure) {
    struct medium medium;
    if (!library_get(request->id, &medium, failure))
        return false;
    answer->bytes = medium.bytes;
    answer->len = medium.len;
    return true;
}

static bool thumbnail(struct request *request, struct answer *answer, struct failure *failure) {
    answer->bytes = malloc(THUMB_BYTES);
    answer->len = THUMB_BYTES;
    if (answer->bytes == NULL)
        return fail(failure, 503, "STORAGE_ERROR", "no memory for a thumbnail");
    return thumbs_get(request->id, answer->bytes, failure);
}

static bool transcode(struct request *request, struct answer *answer, struct failure *failure) {
    struct order order = {.medium_id = request->id};
    const char *user = argument(request, "user"), *preset = argument(request, "preset");
    const char *port = argument(request, "notify");
    uint64_t job = 0;
    order.preset = preset != NULL ? preset_find(preset) : NULL;
    order.notify_port = port != NULL ? (uint16_t)strtoul(port, NULL, 10) : 0;
    if (user == NULL || order.preset == NULL)
        return missing(failure, user == NULL ? "user" : "preset");
    (void)snprintf(order.user, sizeof order.user, "%s", user);
    bool is_good = credits_take(user, order.preset->credits, failure);
    if (is_good && !jobs_add(&order, &job, failure)) {
        credits_give(user, order.preset->credits);
        is_good = false;
    }
    if (!is_good) { /* a job that was taken tells itself how it went */
        tell(request, "transcode", user, failure);
        return false;
    }
    answer->status = 202;
    (void)snprintf(answer->text, sizeof answer->text, "{\"job\":%llu}\n", (unsigned long long)job);
    return true;
}

static bool delete_(struct request *request, struct answer *answer, struct failure *failure) {
    answer->status = 204;
    thumbs_forget(request->id);
    return library_delete(request->id, failure);
}

static bool search(struct request *request, struct answer *answer, struct failure *failure) {
    const char *text = argument(request, "q");
    if (text == NULL)
        return missing(failure, "q");
    (void)snprintf(answer->text, sizeof answer->text, "{\"count\":%zu}\n", library_search(text));
    return true;
}

static bool (*const handlers[ROUTE_COUNT])(struct request *, struct answer *, struct failure *) = {
    [ROUTE_UPLOAD] = upload,       [ROUTE_DOWNLOAD] = download, [ROUTE_THUMBNAIL] = thumbnail,
    [ROUTE_TRANSCODE] = transcode, [ROUTE_DELETE] = delete_,    [ROUTE_SEARCH] = search,
};

static enum route find_route(const char *method, const char *url, uint64_t *ret_id) {
    for (unsigned i = 0; i < ROUTE_COUNT; i++) {
        size_t len = strlen(routes[i].prefix);
        char *end;
        if (strcmp(method, routes[i].method) != 0 || strncmp(url, routes[i].prefix, len) != 0)
            continue;
        if (routes[i].suffix == NULL && url[len] == '\0')
            return (enum route)i;
        if (routes[i].suffix == NULL || url[len] < '1' || url[len] > '9')
            continue;
        *ret_id = strtoull(url + len, &end, 10);
        if (strcmp(end, routes[i].suffix) == 0)
            return (enum route)i;
    }
    return ROUTE_COUNT;
}

static enum MHD_Result respond(struct MHD_Connection *connection, const struct answer *answer) {
    struct MHD_Response *response =
        answer->bytes != NULL
            ? MHD_create_response_from_buffer(answer->len, answer->bytes, MHD_RESPMEM_MUST_FREE)
            : MHD_create_response_from_buffer(strlen(answer->text), (void *)(size_t)answer->text,
                                              MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result serve(struct request *request, const char *method, const char *url) {
    struct answer answer = {.status = 200};
    struct failure failure = {.error_class = ""};
    enum route route = find_route(method, url, &request->id);
    bool is_good;
    if (route == ROUTE_COUNT) {
        is_good = fail(&failure, 404, "", "no such path");
    } else {
        SONDE_TRACK(track, api.operations[route]);
        sonde_microhttpd_route(request->connection, routes[route].template);
        is_good = handlers[route](request, &answer, &failure);
        /* What a client asked wrongly is not the service's failure, but a broken upload is shown. */
        track_end(&track, is_good || failure.status == 404 || failure.status == 402, &failure);
    }
    if (!is_good) {
        free(answer.bytes);
        answer = (struct answer){.status = failure.status};
        (void)snprintf(answer.text, sizeof answer.text, "{\"error\":\"%s\"}\n", failure.text);
    }
    return respond(request->connection, &answer);
}

static void take_body(struct request *request, const char *data, size_t len) {
    if (request->body == NULL)
        request->body = malloc(MEDIUM_BYTES_MAX);
    if (request->body == NULL || request->len + len > MEDIUM_BYTES_MAX) {
        request->is_too_long = true;
        return;
    }
    memcpy(request->body + request->len, data, len);
    request->len += len;
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **req_cls) {
    (void)unused, (void)version;
    struct request *request = *req_cls;
    if (request == NULL) { /* the first call has the headers only */
        request = calloc(1, sizeof *request);
        *req_cls = request;
        if (request == NULL)
            return MHD_NO;
        request->connection = connection;
        request->start_s = seconds_now();
        return MHD_YES;
    }
    if (*upload_data_size > 0) {
        take_body(request, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    return serve(request, method, url);
}

static void completed(void *unused, struct MHD_Connection *connection, void **req_cls,
                      enum MHD_RequestTerminationCode code) {
    (void)unused, (void)connection, (void)code;
    struct request *request = *req_cls;
    if (request != NULL) {
        free(request->body);
        free(request);
        *req_cls = NULL;
    }
}

unsigned api_open(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sonde_http_options http_options = {.path_max = 50};
    sonde_service *service = sonde_service_get(NULL, "media-api");
    for (unsigned i = 0; i < ROUTE_COUNT; i++)
        api.operations[i] = sonde_operation_get(service, routes[i].operation);
    api.http = sonde_http_new(&http_options, NULL);
    sonde_microhttpd_options options = {
        .http = api.http, .handler = handle, .completed = completed};
    api.middleware = sonde_microhttpd_new(&options, NULL);
    if (api.middleware == NULL)
        return 0;
    api.daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, sonde_microhttpd_handle,
        api.middleware, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE, 2U,
        MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_CONNECTION_LIMIT, 64U, MHD_OPTION_ARRAY,
        sonde_microhttpd_items(api.middleware), MHD_OPTION_END);
    return api.daemon != NULL ? MHD_get_daemon_info(api.daemon, MHD_DAEMON_INFO_BIND_PORT)->port
                              : 0;
}

void api_close(void) {
    if (api.daemon != NULL)
        MHD_stop_daemon(api.daemon);
    (void)sonde_microhttpd_free(api.middleware);
    (void)sonde_http_free(api.http);
}
