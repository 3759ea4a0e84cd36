/*
 * Requests per second and CPU time per request of the HTTP server, with 64 keep-alive connections.
 *
 *   bench_net_http [seconds per line]
 *
 * The load comes from the same process, two threads of epoll loops over raw sockets, one request
 * in flight per connection. Server CPU is the workers' own (their threads' clocks), so the
 * generator does not count, though it competes for the processors.
 */
#include "base/lock.h"
#include "base/os.h"
#include "net/http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define CLIENT_THREADS 2
#define WORKERS_MAX 2
#define POST_BYTES 10000

#define ANSWER "{\"status\":\"success\",\"data\":[]}"

static atomic_bool is_stopping;
static struct sn_address address;

/* ---- server ---- */

static struct sn_mutex queue_mu;
static struct sn_cond queue_cond;
static struct sn_http_request *queue[CONNECTIONS * 2];
static size_t queue_count;
static bool is_queue_closed;

static void respond_ok(struct sn_http_request *request) {
    sn_http_respond(request, &(struct sn_http_response){.status = 200,
                                                        .content_type = "application/json",
                                                        .body = SN_STR(ANSWER)});
}

static void handle(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    if (!sn_str_equal(sn_http_request_path(request), SN_STR("/later"))) {
        respond_ok(request);
        return;
    }
    sn_mutex_lock(&queue_mu);
    queue[queue_count++] = request;
    sn_cond_signal(&queue_cond);
    sn_mutex_unlock(&queue_mu);
}

static void answer_from_queue(void *ctx) {
    (void)ctx;
    sn_mutex_lock(&queue_mu);
    while (!is_queue_closed || queue_count > 0) {
        if (queue_count == 0) {
            sn_cond_wait(&queue_cond, &queue_mu);
            continue;
        }
        struct sn_http_request *request = queue[--queue_count];
        sn_mutex_unlock(&queue_mu);
        respond_ok(request);
        sn_mutex_lock(&queue_mu);
    }
    sn_mutex_unlock(&queue_mu);
}

/* ---- clients ---- */

struct load {
    const char *request;
    size_t request_len;
    uint64_t done;
};

static int connect_client(int epoll_fd) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || connect(fd, &address.socket.any, sn_address_socket_len(&address)) != 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void send_request(const struct load *load, int fd) {
    if (send(fd, load->request, load->request_len, MSG_NOSIGNAL) != (ssize_t)load->request_len) {
        perror("send");
        exit(1);
    }
}

/* Answers are a few hundred bytes and come in one piece over loopback. */
static void take_answer(struct load *load, int fd) {
    char buf[4096];
    ssize_t got = recv(fd, buf, sizeof(buf), 0);
    if (got < 12 || memcmp(buf, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "unexpected answer: %.*s\n", got > 0 ? (int)got : 0, buf);
        exit(1);
    }
    load->done++;
}

static void run_load(void *ctx) {
    struct load *load = ctx;
    struct epoll_event events[CONNECTIONS];
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int fds[CONNECTIONS / CLIENT_THREADS];
    for (size_t i = 0; i < CONNECTIONS / CLIENT_THREADS; i++) {
        fds[i] = connect_client(epoll_fd);
        send_request(load, fds[i]);
    }
    while (!atomic_load_explicit(&is_stopping, memory_order_relaxed)) {
        int count = epoll_wait(epoll_fd, events, CONNECTIONS, 100);
        for (int i = 0; i < count; i++) {
            take_answer(load, events[i].data.fd);
            send_request(load, events[i].data.fd);
        }
    }
    for (size_t i = 0; i < CONNECTIONS / CLIENT_THREADS; i++)
        close(fds[i]);
    close(epoll_fd);
}

/* ---- one line ---- */

static int64_t thread_cpu_ns(pthread_t thread) {
    clockid_t clock;
    struct timespec now;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t cpu_of(const struct sn_thread *threads, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += thread_cpu_ns(threads[i].thread);
    return total;
}

static void must(sn_status status, const struct sn_err *err) {
    if (status != SN_OK) {
        fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

static void measure(const char *name, const char *request, size_t len, double seconds,
                    const struct sn_thread *workers, size_t worker_count) {
    struct sn_thread threads[CLIENT_THREADS] = {0};
    struct load loads[CLIENT_THREADS] = {0};
    struct sn_err err = {0};
    uint64_t done = 0;
    atomic_store(&is_stopping, false);
    int64_t cpu_ns = cpu_of(workers, worker_count);
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    for (size_t i = 0; i < CLIENT_THREADS; i++) {
        loads[i] = (struct load){request, len, 0};
        must(sn_thread_start(&threads[i], "load", run_load, &loads[i], &err), &err);
    }
    usleep((useconds_t)(seconds * 1e6));
    atomic_store(&is_stopping, true);
    for (size_t i = 0; i < CLIENT_THREADS; i++) {
        sn_thread_join(&threads[i]);
        done += loads[i].done;
    }
    double wall_s = (double)(sn_clock_mono_ns(sn_clock_system()) - start_ns) / 1e9;
    double cpu_us = (double)(cpu_of(workers, worker_count) - cpu_ns) / 1e3;
    printf("%-28s %9.0f requests/s  %6.2f us server CPU/request\n", name, (double)done / wall_s,
           cpu_us / (double)done);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? (double)strtol(argv[1], NULL, 10) : 2;
    static char post[POST_BYTES + 200];
    static const char get[] = "GET /api/v1/query?query=up&time=1700000000 HTTP/1.1\r\nHost: "
                              "localhost:9464\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
    static const char later[] = "GET /later HTTP/1.1\r\nHost: localhost:9464\r\n\r\n";
    struct sn_http_server *server;
    struct sn_worker workers[WORKERS_MAX];
    struct sn_thread threads[WORKERS_MAX] = {0};
    struct sn_thread answerer = {0};
    struct sn_err err = {0};
    struct sn_http_server_options options = {
        .listen = SN_STR("127.0.0.1:0"), .worker_count = WORKERS_MAX, .handle = handle};

    sn_mutex_init(&queue_mu, SN_RANK_INGEST, "bench queue");
    sn_cond_init(&queue_cond);
    must(sn_http_server_open(&options, &server, &err), &err);
    must(sn_address_parse(sn_str_from(sn_http_server_address(server)), &address, &err), &err);
    size_t count = sn_http_server_workers(server, workers, WORKERS_MAX);
    for (size_t i = 0; i < count; i++)
        must(sn_thread_start(&threads[i], workers[i].name, workers[i].run, workers[i].ctx, &err),
             &err);
    must(sn_thread_start(&answerer, "answerer", answer_from_queue, NULL, &err), &err);

    int head = snprintf(post, sizeof(post),
                        "POST /api/v1/write HTTP/1.1\r\nHost: localhost:9464\r\nContent-Type: "
                        "application/octet-stream\r\nContent-Length: %d\r\n\r\n",
                        POST_BYTES);
    memset(post + head, 'x', POST_BYTES);
    measure("GET small", get, sizeof(get) - 1, seconds, threads, count);
    measure("POST 10 kB", post, (size_t)head + POST_BYTES, seconds, threads, count);
    measure("GET answered by a thread", later, sizeof(later) - 1, seconds, threads, count);

    for (size_t i = 0; i < count; i++)
        workers[i].stop(workers[i].ctx);
    for (size_t i = 0; i < count; i++)
        sn_thread_join(&threads[i]);
    sn_mutex_lock(&queue_mu);
    is_queue_closed = true;
    sn_cond_signal(&queue_cond);
    sn_mutex_unlock(&queue_mu);
    sn_thread_join(&answerer);
    sn_http_server_close(server);
    return 0;
}
