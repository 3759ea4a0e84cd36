/*
 * A small HTTP service on libmicrohttpd, with its requests counted and timed and its metrics shown:
 *
 *     cc http_service.c $(pkg-config --cflags --libs sonde-http) -o http_service
 *     ./http_service &
 *     curl http://127.0.0.1:8080/users/7
 *     curl http://127.0.0.1:9465/metrics
 *
 * Four lines are Sonde's: an instrument (only to name the routes), a middleware around the handler,
 * its callbacks in MHD_start_daemon, and the exporter. With --self-test it picks free ports, asks
 * itself and ends.
 */
#include <sonde/http_exporter.h>
#include <sonde/microhttpd.h>
#include <sonde/standard.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *text) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(size_t)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* The service's own handler. It knows nothing of metrics but what it wants to say itself. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **req_cls) {
    (void)ctx, (void)version, (void)upload_data;
    if (*req_cls == NULL) { /* the first call of a request has its headers only */
        *req_cls = connection;
        return MHD_YES;
    }
    if (*upload_data_size > 0) { /* a body: not wanted */
        *upload_data_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    if (strncmp(url, "/users/", 7) == 0) {
        sonde_cache_miss_record("users");
        return answer(connection, MHD_HTTP_OK, "{\"name\":\"Ada\"}\n");
    }
    return answer(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

static struct MHD_Daemon *start_service(sonde_microhttpd *middleware, unsigned short port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
                            sonde_microhttpd_handle, middleware, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_ARRAY, sonde_microhttpd_items(middleware), MHD_OPTION_END);
}

/* Ask a server of this machine; the whole answer, cut at `size`, in `text`. */
static void ask(unsigned port, const char *path, char *text, size_t size) {
    struct sockaddr_in address;
    size_t len = 0;
    ssize_t n = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        int request = snprintf(text, size, "GET %s HTTP/1.0\r\n\r\n", path);
        if (send(fd, text, (size_t)request, MSG_NOSIGNAL) != request)
            n = 0;
        for (; n > 0 && len + 1 < size; len += n > 0 ? (size_t)n : 0)
            n = recv(fd, text + len, size - 1 - len, 0);
    }
    text[len] = '\0';
    (void)close(fd);
}

static int self_test(struct MHD_Daemon *service, const sonde_http_exporter *exporter) {
    static char page[65536];
    unsigned port = MHD_get_daemon_info(service, MHD_DAEMON_INFO_BIND_PORT)->port;
    ask(port, "/users/7", page, sizeof page);
    ask(port, "/users/8", page, sizeof page);
    ask(port, "/wp-admin/setup.php", page, sizeof page);
    /* A request is counted after its answer was sent: a page may come too early. */
    for (int i = 0; i < 1000; i++) {
        ask(sonde_http_exporter_port(exporter), "/metrics", page, sizeof page);
        if (strstr(page,
                   "http_requests_total{method=\"GET\",path=\"/users/:id\",status=\"200\"} 2") &&
            strstr(page, "http_requests_total{method=\"GET\",path=\":other\",status=\"404\"} 1") &&
            strstr(page, "cache_misses_total{cache_type=\"users\"} 2"))
            return 0;
        (void)usleep(10000);
    }
    (void)fprintf(stderr, "not the page that was expected:\n%s", page);
    return 1;
}

int main(int argc, char **argv) {
    int is_test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
    static const char *const routes[] = {"/users/:id"};
    sonde_http_options http_options = {.path = {.templates = routes, .template_count = 1}};
    sonde_http_exporter_options exporter_options = {.address = is_test ? "127.0.0.1:0" : NULL};
    sonde_error error;

    sonde_http *http = sonde_http_new(&http_options, NULL);
    sonde_microhttpd_options options = {.http = http, .handler = handle};
    sonde_microhttpd *middleware = sonde_microhttpd_new(&options, &error);
    struct MHD_Daemon *service =
        middleware != NULL ? start_service(middleware, is_test ? 0 : 8080) : NULL;
    if (service == NULL) {
        (void)fprintf(stderr, "cannot start the service\n");
        return 1;
    }
    /* Without its metrics the service still runs. */
    sonde_http_exporter *exporter = sonde_http_exporter_start(&exporter_options, &error);
    if (exporter == NULL)
        (void)fprintf(stderr, "no metrics: %s\n", error.text);

    int result = 0;
    if (is_test)
        result = self_test(service, exporter);
    else
        (void)pause(); /* until a signal ends the program */

    MHD_stop_daemon(service);
    (void)sonde_http_exporter_stop(exporter);
    (void)sonde_microhttpd_free(middleware);
    (void)sonde_http_free(http);
    return result;
}
