/*
 * A million series: memory, restart, flush, acknowledgements beside a flush, reading one metric cold.
 *
 *   bench_store_million [series (1000000)]
 *
 * TMPDIR=DIR  where the data directory goes: the disk that is measured
 */
#include "bench_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUP = 10000, SMALL_GROUP = 1000, ROUNDS = 60, LATENCIES_MAX = 100000 };
#define NO_FLUSH ((size_t)1 << 40) /* when we say so */
#define FULL_LOG ((size_t)64 << 20)

/* ---- memory ---- */

static void print_memory(const struct bench_running *running, size_t series, size_t base,
                         int64_t rounds) {
    struct sn_store_stats stats;
    sn_store_stats(running->store, &stats);
    printf(
        "memory with %2lld samples per series: %4zu bytes per series (head %3.0f), log %.0f MB\n",
        (long long)rounds, (bench_rss_bytes() - base) / series,
        (double)stats.head_bytes / (double)series, (double)stats.log_bytes / 1e6);
    (void)fflush(stdout);
}

static void push_until(struct bench_running *running, struct bench_world *world,
                       struct bench_gate *gate, int64_t round) {
    while (world->round < round)
        bench_push(running, world, gate);
    bench_drain(gate);
}

/* ---- restart ---- */

static void measure_restart(struct bench_running *running) {
    struct sn_store_stats stats;
    bench_close(running);
    double wall = bench_wall_s();
    double cpu = bench_cpu_s();
    bench_open(running, NO_FLUSH);
    wall = bench_wall_s() - wall;
    cpu = bench_cpu_s() - cpu;
    sn_store_stats(running->store, &stats);
    printf("restart: %.2f s (%.2f s CPU) with %llu series and a log of %.0f MB, %.1f M samples\n",
           wall, cpu, (unsigned long long)stats.recovery.series_count,
           (double)stats.log_bytes / 1e6, (double)stats.recovery.log_sample_count / 1e6);
    (void)fflush(stdout);
}

/* ---- flush ---- */

static void measure_flush(struct bench_running *running) {
    struct sn_store_stats stats;
    struct sn_err err;
    double cpu = bench_thread_cpu_s();
    double wall = bench_wall_s();
    bench_must(sn_store_flush(running->store, &err), &err);
    cpu = bench_thread_cpu_s() - cpu;
    wall = bench_wall_s() - wall;
    sn_store_stats(running->store, &stats);
    printf("flush: %.2f s CPU, %.2f s with its pauses, %.3f bytes per sample\n", cpu, wall,
           (double)stats.segment_bytes / (double)stats.segment_sample_count);
    (void)fflush(stdout);
}

struct flusher {
    struct sn_store *store;
    atomic_bool is_done;
};

static void run_flush(void *ctx) {
    struct flusher *flusher = ctx;
    struct sn_err err;
    bench_must(sn_store_flush(flusher->store, &err), &err);
    atomic_store(&flusher->is_done, true);
}

/* Groups of 1,000 one at a time, for so long or while a flush runs. */
static size_t time_pushes(struct bench_running *running, struct bench_world *world, double seconds,
                          const struct flusher *flusher, double *latencies) {
    size_t count = 0;
    double begin = bench_wall_s();
    while (count < LATENCIES_MAX &&
           (flusher ? !atomic_load(&flusher->is_done) : bench_wall_s() - begin < seconds)) {
        struct sn_batch batch = bench_next_batch(world);
        struct sn_push_result result;
        struct sn_err err;
        double before = bench_wall_s();
        bench_must(sn_sink_push_wait(sn_store_sink(running->store), &batch, &result, &err), &err);
        latencies[count++] = bench_wall_s() - before;
    }
    return count;
}

static void measure_latency(struct bench_running *running, struct bench_world *world) {
    double *latencies = calloc(LATENCIES_MAX, sizeof *latencies);
    struct flusher flusher = {.store = running->store};
    struct sn_thread thread;
    world->group = SMALL_GROUP;
    printf("acknowledgement of groups of %d, one at a time:\n", SMALL_GROUP);
    size_t count = time_pushes(running, world, 5, NULL, latencies);
    double quiet = bench_print_latencies("quiet", latencies, count);
    bench_must(sn_thread_start(&thread, "flusher", run_flush, &flusher, NULL), NULL);
    count = time_pushes(running, world, 0, &flusher, latencies);
    sn_thread_join(&thread);
    double busy = bench_print_latencies("during a flush of all", latencies, count);
    printf("  p99 during the flush: %.1f times the quiet one\n", busy / quiet);
    (void)fflush(stdout);
    free(latencies);
}

/* ---- reading cold ---- */

static bool forget_file(void *ctx, const char *name) {
    char path[600];
    (void)snprintf(path, sizeof path, "%s/seg/%s", (const char *)ctx, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return true;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
    return true;
}

static void measure_read(struct bench_running *running) {
    struct sn_matcher matchers[] = {
        {.kind = SN_MATCH_EQUAL,
         .name = SN_LABEL_METRIC_NAME,
         .value = SN_STR("node_metric_077_seconds_total")},
        {.kind = SN_MATCH_EQUAL, .name = SN_STR("device"), .value = SN_STR("dev1")}};
    struct sn_range range = {BENCH_START_MS, INT64_MAX};
    struct sn_select select = {.matchers = matchers, .matcher_count = 2, .range = range};
    struct sn_reader reader = sn_store_reader(running->store);
    struct sn_series_list list;
    struct sn_samples samples;
    struct sn_arena arena;
    struct sn_scan scan;
    struct sn_err err;
    size_t total = 0;
    char seg[300];
    (void)snprintf(seg, sizeof seg, "%s/seg", running->dir);
    bench_must(sn_os_list_dir(seg, forget_file, running->dir, &err), &err);
    sn_arena_init(&arena, 0);
    sn_samples_init(&samples);
    double wall = bench_wall_s();
    bench_must(reader.select(reader.ctx, &select, &arena, &list, &err), &err);
    double selected = bench_wall_s() - wall;
    bench_must(sn_scan_open(&reader, range, &scan, &err), &err);
    for (size_t i = 0; i < list.count && i < 1600; i++) {
        sn_samples_reset(&samples);
        bench_must(sn_scan_samples(&scan, list.items[i].id, &samples, &err), &err);
        total += samples.count;
    }
    wall = bench_wall_s() - wall;
    sn_scan_close(&scan);
    printf("read cold: 1,600 series of one metric, %zu samples: %.1f ms, of which selecting %zu "
           "series %.1f ms\n",
           total, wall * 1e3, list.count, selected * 1e3);
    sn_samples_release(&samples);
    sn_arena_release(&arena);
}

int main(int argc, char **argv) {
    size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    struct bench_world world;
    struct bench_running running;
    struct bench_gate gate;
    struct sn_store_stats stats;
    struct sn_err err;
    bool is_restarted = false;
    bench_init_gate(&gate);
    bench_make_world(&world, series, GROUP);
    size_t base = bench_rss_bytes();
    bench_start(&running, NO_FLUSH);
    for (int64_t round = 1; round <= ROUNDS; round++) {
        push_until(&running, &world, &gate, round);
        sn_store_stats(running.store, &stats);
        if (!is_restarted && stats.log_bytes >= FULL_LOG) {
            print_memory(&running, series, base, round);
            measure_restart(&running);
            print_memory(&running, series, base, round);
            is_restarted = true;
        }
        if (round == 1 || round == 10 || round == ROUNDS)
            print_memory(&running, series, base, round);
    }
    measure_flush(&running);
    push_until(&running, &world, &gate, ROUNDS + 4);
    measure_latency(&running, &world);
    bench_must(sn_store_flush(running.store, &err), &err);
    bench_close(&running);
    bench_open(&running, FULL_LOG); /* compaction leaves so much room for the log */
    bench_must(sn_store_compact(running.store, NULL, &err), &err);
    measure_read(&running);
    bench_stop(&running);
    bench_free_world(&world);
    return 0;
}
