/*
 * A small media service that shows what Sonde sees of a program: HTTP, a cache, a queue with workers,
 * memory, failures, slow jobs, events. `./dev demo` runs it with a server and a load beside it.
 *
 *     demo [--port 8085] [--metrics 127.0.0.1:9465] [--events http://127.0.0.1:9464]
 *     demo --self-test        free ports, a few requests, compare the numbers, end
 *
 * The server scrapes /metrics; what scraping cannot tell (events of users, the queue's depth at each
 * moment) the demo sends itself.
 */
#include "studio.h"

#include <sonde/http_exporter.h>
#include <sonde/push.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    unsigned port;
    const char *metrics, *events;
    bool is_test;
};

static bool read_options(int argc, char **argv, struct options *ret) {
    *ret = (struct options){.port = 8085, .metrics = "127.0.0.1:9465"};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--self-test") == 0) {
            *ret = (struct options){.metrics = "127.0.0.1:0", .is_test = true};
            continue;
        }
        if (value == NULL)
            return false;
        if (strcmp(argv[i], "--port") == 0)
            ret->port = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--metrics") == 0)
            ret->metrics = value;
        else if (strcmp(argv[i], "--events") == 0)
            ret->events = value;
        else
            return false;
        i++;
    }
    return ret->port <= 65535;
}

/* Once a second until a signal: alerts of caches and memory, the depth of the queue. */
static void run_until_signal(const sigset_t *signals, sonde_collector *push) {
    const struct timespec second = {.tv_sec = 1};
    while (sigtimedwait(signals, NULL, &second) < 0) {
        double oldest_s;
        size_t waiting = jobs_waiting(&oldest_s);
        sonde_collector_record_queue_depth(push, "transcode", waiting, oldest_s);
        (void)sonde_cache_evaluate_all(NULL);
        (void)sonde_memory_evaluate_all(NULL);
    }
}

/* ---- self-test ---- */

/* Send a request to a port of this machine; the whole answer, cut at `size`, in `text`. */
static void ask(unsigned port, const char *line, const unsigned char *body, size_t len, char *text,
                size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    size_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int head = snprintf(text, size, "%s HTTP/1.0\r\nContent-Length: %zu\r\n\r\n", line, len);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, text, (size_t)head, MSG_NOSIGNAL) == head &&
        (len == 0 || send(fd, body, len, MSG_NOSIGNAL) == (ssize_t)len)) {
        ssize_t n;
        while (got + 1 < size && (n = recv(fd, text + got, size - 1 - got, 0)) > 0)
            got += (size_t)n;
    }
    text[got] = '\0';
    (void)close(fd);
}

/* The requests of the test, and what each must be answered with. */
static bool use(unsigned port) {
    static const struct {
        const char *line, *status;
        bool has_body;
    } requests[] = {
        {"POST /media?user=ann&title=lake", "201", true},
        {"POST /media?user=ann&title=forest", "201", true},
        {"POST /media?user=bob&title=broken", "400", false},
        {"POST /media?user=a%22b&title=quote", "400", true},
        {"GET /media/1/thumbnail", "200", false},
        {"GET /media/1/thumbnail", "200", false},
        {"GET /media/9/thumbnail", "404", false},
        {"GET /media/2", "200", false},
        {"GET /search?q=lake", "200", false},
        {"POST /media/1/transcode?user=ann&preset=fast-240p", "202", false},
        {"POST /media/1/transcode?user=ann&preset=fast-240p&notify=1", "202", false},
        {"POST /media/1/transcode?user=ann&preset=none", "400", false},
        {"DELETE /media/2", "204", false},
        {"GET /no-such-page", "404", false},
    };
    static unsigned char medium[MEDIUM_HEADER_BYTES + 16 * 8 * 3] = "SMD1\x10\0\x08\0\x03";
    static char text[4096];
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ask(port, requests[i].line, medium, requests[i].has_body ? sizeof medium : 0, text,
            sizeof text);
        if (strlen(text) < 12 || strncmp(text + 9, requests[i].status, 3) != 0) {
            (void)fprintf(stderr, "demo: %s: not %s but %.40s\n", requests[i].line,
                          requests[i].status, text);
            return false;
        }
    }
    return true;
}

static const char *const expected[] = {
    "sonde_operations_total{service=\"media-api\",operation=\"upload\",outcome=\"ok\"} 2",
    "sonde_operations_total{service=\"media-api\",operation=\"upload\",outcome=\"error\"} 2",
    "sonde_operations_total{service=\"media-api\",operation=\"transcode\",outcome=\"ok\"} 2",
    "sonde_operations_total{service=\"storage\",operation=\"put\",outcome=\"error\"} 1",
    "sonde_operations_total{service=\"thumbnailer\",operation=\"resize\",outcome=\"ok\"} 1",
    "sonde_operations_total{service=\"transcoder\",operation=\"transcode\",outcome=\"ok\"} 1",
    "sonde_operations_total{service=\"transcoder\",operation=\"notify\",outcome=\"error\"} 1",
    "sonde_cache_hits_total{service=\"thumb-cache\",cache=\"thumbnails\"} 1",
    "sonde_cache_misses_total{service=\"thumb-cache\",cache=\"thumbnails\"} 2",
    "sonde_memory_bytes{service=\"storage\"} 394",
    "encoder_frames_total{encoder=\"studio\"} 6",
    "http_requests_total{method=\"GET\",path=\"/media/:id/thumbnail\",status=\"200\"} 2",
    "studio_events_lost_total 5",
};

/* The first line that is not on the page; NULL: all are. */
static const char *find_missing(const char *page) {
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const char *at = strstr(page, expected[i]);
        if (at == NULL || at[strlen(expected[i])] != '\n')
            return expected[i];
    }
    return NULL;
}

static bool self_test(unsigned port, unsigned metrics_port) {
    static char page[1 << 18];
    const char *missing = "";
    if (!use(port))
        return false;
    /* Jobs, events and the count of a request come after the answer. */
    for (int i = 0; i < 1000 && missing != NULL; i++) {
        ask(metrics_port, "GET /metrics", NULL, 0, page, sizeof page);
        missing = jobs_done() == 2 ? find_missing(page) : "two jobs that are done";
        (void)usleep(10000);
    }
    if (missing != NULL)
        (void)fprintf(stderr, "demo: the page has no %s\n%s", missing, page);
    return missing == NULL;
}

/* ---- start and stop ---- */

static bool open_parts(const struct options *options) {
    thumbs_open((size_t)256 << 10);
    return events_open(options->is_test ? "http://127.0.0.1:1" : options->events, "media-studio") &&
           library_open((size_t)24 << 20) && jobs_open(2, 400);
}

static int run(const struct options *options, const sigset_t *signals) {
    sonde_error error = {.status = SONDE_OK};
    sonde_http_exporter_options exporter_options = {.address = options->metrics};
    sonde_collector_options push_options = {
        .url = options->events, .service = "transcoder", .token = getenv("SONDE_TOKEN")};
    unsigned port = open_parts(options) ? api_open((uint16_t)options->port) : 0;
    sonde_http_exporter *exporter =
        port != 0 ? sonde_http_exporter_start(&exporter_options, &error) : NULL;
    bool is_good = exporter != NULL;
    if (!is_good) {
        (void)fprintf(stderr, "demo: cannot start%s%s\n", error.status != SONDE_OK ? ": " : "",
                      error.status != SONDE_OK ? error.text : "");
    } else if (options->is_test) {
        is_good = self_test(port, sonde_http_exporter_port(exporter));
    } else {
        sonde_collector *push =
            options->events != NULL ? sonde_collector_new(&push_options, NULL) : NULL;
        (void)printf(
            "media service on http://127.0.0.1:%u, metrics on http://127.0.0.1:%u/metrics\n", port,
            sonde_http_exporter_port(exporter));
        (void)fflush(stdout);
        run_until_signal(signals, push);
        (void)sonde_collector_close(push, 1000);
        (void)sonde_collector_free(push);
    }
    api_close();
    jobs_close();
    events_close();
    (void)sonde_http_exporter_stop(exporter);
    thumbs_close();
    library_close();
    return is_good ? 0 : 1;
}

int main(int argc, char **argv) {
    struct options options;
    sigset_t signals;
    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "usage: demo [--port N] [--metrics ADDRESS] [--events URL]\n"
                              "       demo --self-test\n");
        return 2;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return run(&options, &signals);
}
