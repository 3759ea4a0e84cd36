/*
 * Application events for POST /api/v1/events: written as JSON into a bounded list, sent in batches by
 * one thread. Events that find the list full, or that the server does not take, are counted in
 * studio_events_lost_total and the service goes on. Texts are the demo's own: nothing to escape.
 */
#include "studio.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EVENT_BYTES 640
#define EVENTS_MAX 256
#define BATCH_MAX 64
#define PERIOD_MS 500

static struct {
    pthread_mutex_t mu;
    pthread_cond_t is_wanted;
    char lines[EVENTS_MAX][EVENT_BYTES]; /* ring; this and the following guarded by mu */
    size_t first, count;
    bool is_closing;
    pthread_t thread;
    bool has_thread;
    struct sockaddr_in server;
    char app[NAME_SIZE];
    const char *token;
    sonde_counter *sent, *lost;
} events = {.mu = PTHREAD_MUTEX_INITIALIZER, .is_wanted = PTHREAD_COND_INITIALIZER};

/* Write an event; 0: too long. */
static size_t write_event(const struct event *event, char *line) {
    char preset[200] = "", error[ERROR_SIZE + 80] = "";
    if (event->preset != NULL)
        (void)snprintf(preset, sizeof preset,
                       ",\"items\":[{\"kind\":\"preset\",\"id\":\"%s\",\"name\":\"%s\","
                       "\"category\":\"%s\",\"count\":1}]",
                       event->preset->id, event->preset->name, event->preset->category);
    if (event->failure != NULL)
        (void)snprintf(error, sizeof error, ",\"error\":{\"message\":\"%s\",\"type\":\"%s\"}",
                       event->failure->text, event->failure->error_class);
    int len =
        snprintf(line, EVENT_BYTES,
                 "{\"app\":\"%s\",\"type\":\"%s\",\"user_id\":\"%s\",\"outcome\":\"%s\","
                 "\"duration_ms\":%.3f,\"quantity\":%u,\"credits\":%d%s%s}",
                 events.app, event->type, event->user, event->failure == NULL ? "ok" : "error",
                 1e3 * event->seconds, event->quantity, event->credits, preset, error);
    return len > 0 && len < EVENT_BYTES ? (size_t)len : 0;
}

void events_add(const struct event *event) {
    char line[EVENT_BYTES];
    size_t len = events.has_thread ? write_event(event, line) : 0;
    (void)pthread_mutex_lock(&events.mu);
    if (len > 0 && events.count < EVENTS_MAX)
        memcpy(events.lines[(events.first + events.count++) % EVENTS_MAX], line, len + 1);
    else if (events.has_thread)
        sonde_counter_inc(events.lost);
    (void)pthread_mutex_unlock(&events.mu);
}

/* Send all bytes and read the status of the answer; 0: no answer. */
static unsigned exchange(int fd, const char *head, size_t head_len, const char *body,
                         size_t body_len) {
    char answer[64];
    unsigned status = 0;
    if (send(fd, head, head_len, MSG_NOSIGNAL | MSG_MORE) != (ssize_t)head_len ||
        send(fd, body, body_len, MSG_NOSIGNAL) != (ssize_t)body_len)
        return 0;
    ssize_t n = recv(fd, answer, sizeof answer - 1, MSG_WAITALL);
    if (n <= 0)
        return 0;
    answer[n] = '\0';
    return sscanf(answer, "HTTP/1.1 %3u", &status) == 1 ? status : 0;
}

static bool post(const char *body, size_t len) {
    char head[512];
    const struct timeval timeout = {.tv_sec = 5};
    int head_len = snprintf(
        head, sizeof head,
        "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s%s%s"
        "Content-Type: application/json\r\nContent-Length: %zu\r\n"
        "Connection: close\r\n\r\n",
        ntohs(events.server.sin_port), events.token != NULL ? "Authorization: Bearer " : "",
        events.token != NULL ? events.token : "", events.token != NULL ? "\r\n" : "", len);
    if (head_len < 0 || (size_t)head_len >= sizeof head)
        return false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned status = 0;
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(fd, (const struct sockaddr *)&events.server, sizeof events.server) == 0)
            status = exchange(fd, head, (size_t)head_len, body, len);
        (void)close(fd);
    }
    return status >= 200 && status < 300;
}

/* Take a batch as a JSON array: how many events, and its length. */
static size_t take_locked(char *body, size_t *ret_len) {
    size_t taken = 0, len = 0;
    for (; taken < BATCH_MAX && events.count > 0; taken++, events.count--) {
        const char *line = events.lines[events.first];
        size_t n = strlen(line);
        body[len++] = taken == 0 ? '[' : ',';
        memcpy(body + len, line, n);
        len += n;
        events.first = (events.first + 1) % EVENTS_MAX;
    }
    body[len++] = ']';
    *ret_len = len;
    return taken;
}

static void wait_locked(void) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PERIOD_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&events.is_wanted, &events.mu, &until);
}

static void *send_all(void *unused) {
    static char body[BATCH_MAX * (EVENT_BYTES + 1) + 2];
    (void)unused;
    (void)pthread_mutex_lock(&events.mu);
    while (!events.is_closing || events.count > 0) {
        if (events.count < BATCH_MAX && !events.is_closing)
            wait_locked();
        if (events.count == 0)
            continue;
        size_t len, taken = take_locked(body, &len);
        (void)pthread_mutex_unlock(&events.mu);
        sonde_counter_add(post(body, len) ? events.sent : events.lost, taken);
        (void)pthread_mutex_lock(&events.mu);
    }
    (void)pthread_mutex_unlock(&events.mu);
    return NULL;
}

bool events_open(const char *url, const char *app) {
    sonde_metric sent = {.name = "studio_events_sent_total", .help = "Events that were stored."};
    sonde_metric lost = {.name = "studio_events_lost_total", .help = "Events that were not."};
    unsigned port = 0;
    if (url == NULL)
        return true;
    if (sscanf(url, "http://127.0.0.1:%5u", &port) != 1 || port == 0 || port > 65535)
        return false;
    events.server = (struct sockaddr_in){.sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    events.sent = sonde_counter_new(NULL, &sent, NULL);
    events.lost = sonde_counter_new(NULL, &lost, NULL);
    events.token = getenv("SONDE_TOKEN");
    (void)snprintf(events.app, sizeof events.app, "%s", app);
    events.has_thread = pthread_create(&events.thread, NULL, send_all, NULL) == 0;
    return events.has_thread;
}

void events_close(void) {
    if (!events.has_thread)
        return;
    (void)pthread_mutex_lock(&events.mu);
    events.is_closing = true;
    (void)pthread_cond_broadcast(&events.is_wanted);
    (void)pthread_mutex_unlock(&events.mu);
    (void)pthread_join(events.thread, NULL);
    events.has_thread = false;
}
