/*
 * What scraping costs: 2,000 targets with 500 series each, every 15 s, fetched over loopback and
 * stored durably, as share of one core; and how fast a page of known series becomes a batch.
 *
 *   bench_app_scrape [targets] [series] [interval s]
 *
 * The targets are a process of its own, so that its CPU does not count. Each has an address of
 * 127.0.0.0/8 and so a connection of its own.
 */
#include "collect/scrape.h"

#include "base/mem.h"
#include "base/os.h"
#include "collect/scrape_page.h"
#include "ingest/ingest.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TARGETS_DEFAULT = 2000, SERIES_DEFAULT = 500, INTERVAL_DEFAULT_S = 15, PAGE_ROUNDS = 400 };

static void put_page(struct sn_buf *page, int series, int round) {
    for (int i = 0; i < series; i++) {
        if (i % 16 == 0)
            sn_buf_printf(page,
                          "# HELP node_metric_%d_total What somebody counted.\n"
                          "# TYPE node_metric_%d_total counter\n",
                          i / 16, i / 16);
        sn_buf_printf(page, "node_metric_%d_total{device=\"disk-%d\",mode=\"mode_%d\"} %d.%02d\n",
                      i / 16, i % 16, i % 7, round * (1 + i) % 1000000, (round * 7 + i) % 100);
    }
}

/* ---- targets ---- */

static void put_answer(struct sn_buf *answer, int series, int round) {
    struct sn_buf page = {.len = 0};
    put_page(&page, series, round);
    sn_buf_reset(answer);
    sn_buf_printf(answer,
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  page.len);
    sn_buf_put_str(answer, sn_buf_str(&page));
    sn_buf_release(&page);
}

static void serve_one(int fd, const struct sn_buf *answer) {
    char request[4096];
    size_t sent = 0;
    if (recv(fd, request, sizeof request, 0) <= 0) {
        (void)close(fd);
        return;
    }
    while (sent < answer->len) {
        ssize_t len = send(fd, answer->ptr + sent, answer->len - sent, MSG_NOSIGNAL);
        if (len <= 0)
            break;
        sent += (size_t)len;
    }
}

/* Ends with its parent. */
static void serve(int listener, int series) {
    struct sn_buf answer = {.len = 0};
    int epoll_fd = epoll_create1(0), count = 0, round = 0;
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll_fd, events, 64, 1000);
        if (getppid() == 1)
            _exit(0);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) {
                int on = 1, fd = accept(listener, NULL, NULL);
                event.data.fd = fd;
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
                continue;
            }
            if (count++ % 1000 == 0) /* values move now and then; making a page is not free */
                put_answer(&answer, series, ++round);
            serve_one(events[i].data.fd, &answer);
        }
    }
}

static pid_t start_targets(int series, int *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    *ret_port = ntohs(address.sin_port);
    pid_t child = fork();
    if (child == 0)
        serve(listener, series);
    (void)close(listener);
    return child;
}

/* ---- one page ---- */

static sn_status read_page(struct sn_scrape_page *page, const struct sn_scrape_job *job,
                           struct sn_scrape_cache *cache, struct sn_str body) {
    struct sn_label label = {SN_STR("instance"), SN_STR("a")};
    sn_scrape_page_begin(page, job, (struct sn_labels){&label, 1}, cache, 1000);
    sn_status status = sn_scrape_page_read(page, "text/plain", body, NULL);
    return status == SN_OK ? sn_scrape_page_end(page, true, NULL) : status;
}

static void bench_page(int series) {
    struct sn_buf body = {.len = 0};
    struct sn_scrape_page *page = sn_alloc_zero(1, sizeof *page);
    struct sn_scrape_cache cache;
    const struct sn_scrape_job job = {.name = "a"};
    int64_t best_ns = INT64_MAX;
    put_page(&body, series, 3);
    sn_scrape_cache_init(&cache);
    sn_scrape_page_init(page, 1);
    for (int i = 0; i < PAGE_ROUNDS; i++) {
        int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
        if (read_page(page, &job, &cache, sn_buf_str(&body)) != SN_OK)
            abort();
        int64_t took_ns = sn_clock_mono_ns(sn_clock_system()) - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("page of known series to batch %5.0f MB/s %6.1f ns/sample\n",
           (double)body.len * 1e3 / (double)best_ns, (double)best_ns / series);
    sn_scrape_page_release(page);
    sn_scrape_cache_release(&cache);
    sn_free(page);
    sn_buf_release(&body);
}

/* ---- the whole ---- */

struct crew {
    struct sn_worker workers[32];
    struct sn_thread threads[32];
    size_t count;
};

static void crew_start(struct crew *crew) {
    for (size_t i = 0; i < crew->count; i++)
        if (sn_thread_start(&crew->threads[i], crew->workers[i].name, crew->workers[i].run,
                            crew->workers[i].ctx, NULL) != SN_OK)
            abort();
}

static void crew_stop(struct crew *crew) {
    for (size_t i = 0; i < crew->count; i++)
        crew->workers[i].stop(crew->workers[i].ctx);
    for (size_t i = 0; i < crew->count; i++)
        sn_thread_join(&crew->threads[i]);
}

static int64_t cpu_us(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        abort();
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void on_change(void *ctx, const char *what, const struct sn_err *err) {
    (void)ctx;
    if (err != NULL)
        fprintf(stderr, "%s: %s\n", what, err->text);
}

static void fill_job(struct sn_scrape_job *job, struct sn_target_group *group, int targets,
                     int port, int64_t interval_ms) {
    char *names = sn_alloc_zero((size_t)targets, 32);
    const char **items = sn_alloc_zero((size_t)targets, sizeof *items);
    if (names == NULL || items == NULL)
        abort();
    for (int i = 0; i < targets; i++) {
        (void)snprintf(names + 32 * i, 32, "127.%d.%d.1:%d", 1 + i / 250, i % 250, port);
        items[i] = names + 32 * i;
    }
    group->targets = (struct sn_text_list){items, (size_t)targets};
    *job = (struct sn_scrape_job){
        .name = "bench",
        .scheme = "http",
        .metrics_path = "/metrics",
        .rules = {.interval_ms = interval_ms,
                  .timeout_ms = 10000,
                  .protocols = {SN_SCRAPE_TEXT_0},
                  .protocol_count = 1},
        .groups = {group, 1},
    };
    if (job->rules.timeout_ms > interval_ms)
        job->rules.timeout_ms = interval_ms;
}

static void wait_s(int64_t seconds) {
    sn_clock_system()->sleep_ns(sn_clock_system()->ctx, seconds * INT64_C(1000000000));
}

/* Two intervals, after two to warm up: the first one makes the series. */
static void measure(struct sn_scrape *scrape, int64_t interval_s) {
    struct sn_scrape_stats before, after;
    wait_s(2 * interval_s);
    sn_scrape_stats(scrape, &before);
    int64_t cpu = cpu_us(), start_ns = sn_clock_mono_ns(sn_clock_system());
    wait_s(2 * interval_s);
    sn_scrape_stats(scrape, &after);
    double wall_s = (double)(sn_clock_mono_ns(sn_clock_system()) - start_ns) / 1e9;
    double cpu_s = (double)(cpu_us() - cpu) / 1e6;
    double scrapes = (double)(after.scrape_count - before.scrape_count);
    printf("%" PRIu64 " targets: %.0f scrapes/s, %.1f %% of a core, %.0f us of CPU per scrape, "
           "%" PRIu64 " failed, %" PRIu64 " samples lost\n",
           after.target_count, scrapes / wall_s, 100 * cpu_s / wall_s, cpu_s * 1e6 / scrapes,
           after.failed_scrape_count, after.lost_sample_count);
}

static void bench_scraping(int targets, int series, int64_t interval_s) {
    static struct crew store_crew, scrape_crew;
    char dir[] = "/tmp/sonde-bench-XXXXXX";
    struct sn_store *store = NULL;
    struct sn_scrape *scrape = NULL;
    struct sn_ingest ingest;
    struct sn_err err = {.status = SN_OK};
    struct sn_scrape_job job;
    struct sn_target_group group = {.labels = {NULL, 0}};
    int port = 0;
    if (mkdtemp(dir) == NULL)
        abort();
    pid_t child = start_targets(series, &port);
    fill_job(&job, &group, targets, port, interval_s * 1000);
    const struct sn_store_options store_options = {.dir = dir};
    if (sn_store_open(&store_options, &store, &err) != SN_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    store_crew.count = sn_store_workers(store, store_crew.workers, 32);
    crew_start(&store_crew);
    sn_ingest_init(&ingest, sn_store_sink(store));
    struct sn_ingest_door door = {&ingest, SN_INGEST_SCRAPE};
    const struct sn_scrape_config config = {.jobs = {&job, 1}};
    const struct sn_scrape_options options = {
        .config = &config, .sink = sn_ingest_door_sink(&door), .on_change = on_change};
    if (sn_scrape_open(&options, &scrape, &err) != SN_OK)
        abort();
    scrape_crew.count = sn_scrape_workers(scrape, scrape_crew.workers, 32);
    crew_start(&scrape_crew);
    measure(scrape, interval_s);
    crew_stop(&scrape_crew);
    (void)sn_scrape_close(scrape); /* NULL, always */
    crew_stop(&store_crew);
    (void)sn_store_close(store); /* NULL, always */
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    if (sn_os_remove_tree(dir, NULL) != SN_OK)
        fprintf(stderr, "%s is left behind\n", dir);
    sn_free((void *)(uintptr_t)group.targets.items[0]);
    sn_free((void *)(uintptr_t)group.targets.items);
}

int main(int argc, char **argv) {
    int targets = argc > 1 ? (int)strtol(argv[1], NULL, 10) : TARGETS_DEFAULT;
    int series = argc > 2 ? (int)strtol(argv[2], NULL, 10) : SERIES_DEFAULT;
    int64_t interval_s = argc > 3 ? strtol(argv[3], NULL, 10) : INTERVAL_DEFAULT_S;
    if (targets < 1 || targets > 60000 || series < 1 || interval_s < 1) {
        fprintf(stderr, "usage: bench_app_scrape [targets] [series] [interval s]\n");
        return EXIT_FAILURE;
    }
    (void)sn_os_raise_fd_limit(); /* one descriptor per target */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    bench_page(series);
    bench_scraping(targets, series, interval_s);
    return EXIT_SUCCESS;
}
