/* What the benchmarks of the store share: see bench_support.h. */
#include "bench_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t id) {
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
double bench_wall_s(void) {
    return seconds_of(CLOCK_MONOTONIC);
}
double bench_cpu_s(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_thread_cpu_s(void) {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

void bench_must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "bench: %s\n", err ? err->text : sn_status_name(status));
    exit(1);
}

size_t bench_rss_bytes(void) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    bench_must(sn_os_read_file("/proc/self/statm", &buf, NULL), NULL);
    sn_buf_put_byte(&buf, 0);
    char *end;
    (void)strtoull((char *)buf.ptr, &end, 10);
    size_t pages = strtoull(end, NULL, 10);
    sn_buf_release(&buf);
    return pages * sn_os_page_size();
}

/* ---- series and samples ---- */

static void add_labels(struct sn_buf *text, unsigned i) {
    char metric[48];
    char instance[32];
    char device[16];
    unsigned target = i / 500;
    unsigned kind = i % 500;
    (void)snprintf(metric, sizeof metric, "node_metric_%03u_seconds_total", kind / 4);
    (void)snprintf(instance, sizeof instance, "10.%u.%u.%u:9100", target >> 16, target >> 8 & 255,
                   target & 255);
    (void)snprintf(device, sizeof device, "dev%u", kind % 4);
    struct sn_label items[] = {
        {SN_LABEL_METRIC_NAME, sn_str_from(metric)}, {SN_STR("instance"), sn_str_from(instance)},
        {SN_STR("device"), sn_str_from(device)},     {SN_STR("job"), SN_STR("node")},
        {SN_STR("cluster"), SN_STR("prod-eu-1")},    {SN_STR("region"), SN_STR("eu-west-1")},
        {SN_STR("team"), SN_STR("platform")}};
    struct sn_labels labels;
    bench_must(sn_labels_make(items, sizeof items / sizeof *items, &labels, NULL), NULL);
    sn_labels_encode(labels, text);
}

void bench_make_world(struct bench_world *world, size_t series_count, size_t group) {
    *world = (struct bench_world){.series_count = series_count, .group = group};
    size_t *ends = calloc(series_count, sizeof *ends);
    sn_buf_init(&world->text, 0);
    world->series = calloc(series_count, sizeof *world->series);
    world->samples = calloc(group, sizeof *world->samples);
    for (size_t i = 0; i < series_count; i++) {
        add_labels(&world->text, (unsigned)i);
        ends[i] = world->text.len;
    }
    bench_must(sn_buf_status(&world->text, NULL), NULL);
    for (size_t i = 0; i < series_count; i++) {
        size_t start = i ? ends[i - 1] : 0;
        world->series[i].labels = sn_str_make(world->text.ptr + start, ends[i] - start);
    }
    free(ends);
}

void bench_free_world(struct bench_world *world) {
    sn_buf_release(&world->text);
    free(world->series);
    free(world->samples);
}

/* A third counters, a third gauges with two decimals, a third constant. */
double bench_value_at(size_t series, int64_t round) {
    uint64_t mixed = ((uint64_t)round * 2654435761u + series * 40503u) >> 7;
    switch (series % 3) {
    case 0:
        return (double)(round * (int64_t)(series % 97 + 1));
    case 1:
        return (double)(mixed % 10000) / 100.0;
    default:
        return (double)(series % 1000);
    }
}

/* Samples of the next `group` series; a batch is one range of series. */
struct sn_batch bench_next_batch(struct bench_world *world) {
    if (world->next + world->group > world->series_count) {
        world->next = 0;
        world->round++;
    }
    for (size_t i = 0; i < world->group; i++)
        world->samples[i] =
            (struct sn_batch_sample){.time_ms = BENCH_START_MS + world->round * BENCH_STEP_MS,
                                     .value = bench_value_at(world->next + i, world->round),
                                     .series = (uint32_t)i};
    struct sn_batch batch = {.series = world->series + world->next,
                             .series_count = world->group,
                             .samples = world->samples,
                             .sample_count = world->group};
    world->next += world->group;
    return batch;
}

double bench_generator_cost(struct bench_world *world, size_t batches) {
    struct bench_world copy = *world;
    double start = bench_cpu_s();
    for (size_t i = 0; i < batches; i++)
        (void)bench_next_batch(&copy);
    return bench_cpu_s() - start;
}

/* ---- a running store ---- */

void bench_make_dir(char dir[256]) {
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, 256, "%s/sonde-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir)) {
        perror("bench: mkdtemp");
        exit(1);
    }
}

void bench_open(struct bench_running *running, size_t log_bytes_max) {
    struct sn_err err;
    struct sn_store_options options = {.dir = running->dir,
                                       .retention_ms = -1,
                                       .future_max_ms = -1,
                                       .log_bytes_max = log_bytes_max};
    bench_must(sn_store_open(&options, &running->store, &err), &err);
    running->count = sn_store_workers(running->store, running->workers, SN_STORE_WORKERS_MAX);
    for (size_t i = 0; i < running->count; i++)
        bench_must(sn_thread_start(&running->threads[i], running->workers[i].name,
                                   running->workers[i].run, running->workers[i].ctx, &err),
                   &err);
}

void bench_start(struct bench_running *running, size_t log_bytes_max) {
    bench_make_dir(running->dir);
    bench_open(running, log_bytes_max);
}

void bench_close(struct bench_running *running) {
    for (size_t i = 0; i < running->count; i++)
        running->workers[i].stop(running->workers[i].ctx);
    for (size_t i = 0; i < running->count; i++)
        sn_thread_join(&running->threads[i]);
    running->store = sn_store_close(running->store);
}

void bench_stop(struct bench_running *running) {
    if (running->store)
        bench_close(running);
    bench_must(sn_os_remove_tree(running->dir, NULL), NULL);
}

/* ---- batches on their way ---- */

void bench_init_gate(struct bench_gate *gate) {
    *gate = (struct bench_gate){0};
    sn_mutex_init(&gate->mu, SN_RANK_EVENT, "bench gate");
    sn_cond_init(&gate->cond);
}

void bench_open_gate(void *ctx, sn_status status, const struct sn_err *err) {
    struct bench_gate *gate = ctx;
    (void)err;
    sn_mutex_lock(&gate->mu);
    gate->failed += status != SN_OK;
    gate->in_flight--;
    if (gate->in_flight <= BENCH_IN_FLIGHT / 2) /* not a switch of threads for each of them */
        sn_cond_signal(&gate->cond);
    sn_mutex_unlock(&gate->mu);
}

static void wait_below(struct bench_gate *gate, int limit) {
    sn_mutex_lock(&gate->mu);
    while (gate->in_flight >= limit)
        sn_cond_wait(&gate->cond, &gate->mu);
    if (gate->failed > 0)
        bench_must(SN_ERR_IO, NULL);
    sn_mutex_unlock(&gate->mu);
}

void bench_enter_gate(struct bench_gate *gate) {
    wait_below(gate, BENCH_IN_FLIGHT);
    sn_mutex_lock(&gate->mu);
    gate->in_flight++;
    sn_mutex_unlock(&gate->mu);
}

void bench_drain(struct bench_gate *gate) {
    wait_below(gate, 1);
}

void bench_push(struct bench_running *running, struct bench_world *world, struct bench_gate *gate) {
    struct sn_batch batch = bench_next_batch(world);
    struct sn_sink sink = sn_store_sink(running->store);
    struct sn_push_result result;
    struct sn_push_done done = {.fn = bench_open_gate, .ctx = gate};
    struct sn_err err;
    bench_enter_gate(gate);
    bench_must(sink.push(sink.ctx, &batch, done, &result, &err), &err);
    if (result.accepted_count != batch.sample_count)
        bench_must(SN_ERR_INTERNAL, &result.first_reject);
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_print_latencies(const char *what, double *latencies, size_t count) {
    qsort(latencies, count, sizeof *latencies, compare_doubles);
    double p99 = latencies[count * 99 / 100];
    printf("  %-22s p50 %7.3f ms  p99 %7.3f ms  max %7.3f ms  (%zu groups)\n", what,
           latencies[count / 2] * 1e3, p99 * 1e3, latencies[count - 1] * 1e3, count);
    return p99;
}
