/*
 * What logging costs its caller, and how many lines the writer gets done.
 *
 *     bench_client_log                     print a table
 *     bench_client_log --lines N           lines for the writer [300000]
 *
 * Enqueue: slices of lines that fit into the ring, emptied between slices while the clock stands;
 * the best slice, the median and the mean. Writer: lines per second from rings that are full to a
 * function that throws them away, so that the disk is not measured; and to a file.
 */
#include "base/clock.h"
#include "client/log_priv.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#define SLICE_LINES 512
#define SLICES 2000
#define THREADS_MAX 2

static int swallow(void *ctx, const sonde_log_entry *entry) {
    *(uint64_t *)ctx += entry->len;
    return 0;
}

static uint64_t swallowed;

static sonde_log *open_log(sonde_log_format format, const char *path) {
    const sonde_log_sink sink = {
        .type = path != NULL ? SONDE_SINK_FILE : SONDE_SINK_CALLBACK,
        .format = format,
        .path = path,
        .write = swallow,
        .ctx = &swallowed,
    };
    sonde_log_options options = {.sinks = &sink, .sink_count = 1};
    sonde_error error;
    sonde_log *log = sn_log_system_open(&options, sn_clock_system(), false, &error);
    if (log == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return log;
}

static void log_lines(sonde_logger *logger, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        SONDE_LOG_INFO(logger, "request served", SONDE_STR("path", "/api/v1/users/42/items"),
                       SONDE_I64("status", 200), SONDE_U64("bytes", 5321 + i),
                       SONDE_F64("seconds", 0.00125));
}

static void log_bare(sonde_logger *logger, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        SONDE_LOG_INFO(logger, "request served");
}

static void log_below_level(sonde_logger *logger, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        SONDE_LOG_DEBUG(logger, "request served", SONDE_U64("n", i));
        __asm__ volatile("" ::: "memory");
    }
}

static const struct workload {
    const char *name;
    void (*run)(sonde_logger *logger, unsigned count);
} workloads[] = {{"4_fields", log_lines}, {"no_field", log_bare}, {"below_level", log_below_level}};

struct runner {
    const struct workload *workload;
    sonde_log *log;
    pthread_barrier_t *barrier;
    bool is_first;
    double ns[SLICES];
};

static void *run_slices(void *ctx) {
    struct runner *runner = ctx;
    sonde_logger *logger = sonde_logger_get(runner->log, "bench.http");
    for (unsigned i = 0; i < SLICES; i++) {
        (void)pthread_barrier_wait(runner->barrier);
        int64_t from = sn_clock_mono_ns(sn_clock_system());
        runner->workload->run(logger, SLICE_LINES);
        runner->ns[i] = (double)(sn_clock_mono_ns(sn_clock_system()) - from) / SLICE_LINES;
        (void)pthread_barrier_wait(runner->barrier);
        if (runner->is_first)
            (void)sonde_log_flush(runner->log, 10000);
    }
    return NULL;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct workload *workload, struct runner *runners, unsigned threads) {
    double sum = 0, p50 = 0, best = 0;
    for (unsigned t = 0; t < threads; t++) {
        qsort(runners[t].ns, SLICES, sizeof runners[t].ns[0], by_value);
        for (unsigned i = 0; i < SLICES; i++)
            sum += runners[t].ns[i] / (SLICES * threads);
        p50 += runners[t].ns[SLICES / 2] / threads;
        best += runners[t].ns[0] / threads;
    }
    sonde_log_stats stats;
    sonde_log_read(runners[0].log, &stats);
    printf("client.log_%s.%u_thread %*s best %6.2f  p50 %6.2f  mean %6.2f ns  dropped %" PRIu64
           "\n",
           workload->name, threads, (int)(14 - strlen(workload->name)), "", best, p50, sum,
           stats.dropped_full);
}

static void bench_enqueue(const struct workload *workload, unsigned threads) {
    static struct runner runners[THREADS_MAX];
    pthread_t handles[THREADS_MAX];
    pthread_barrier_t barrier;
    sonde_log *log = open_log(SONDE_LOG_FORMAT_LOGFMT, NULL);
    (void)pthread_barrier_init(&barrier, NULL, threads);
    for (unsigned t = 0; t < threads; t++) {
        runners[t].workload = workload;
        runners[t].log = log;
        runners[t].barrier = &barrier;
        runners[t].is_first = t == 0;
        if (pthread_create(&handles[t], NULL, run_slices, &runners[t]) != 0)
            exit(1);
    }
    for (unsigned t = 0; t < threads; t++)
        (void)pthread_join(handles[t], NULL);
    (void)pthread_barrier_destroy(&barrier);
    report(workload, runners, threads);
    (void)sonde_log_free(log);
}

static void bench_writer(const char *name, sonde_log_format format, const char *path,
                         unsigned lines) {
    sonde_log *log = open_log(format, path);
    sonde_logger *logger = sonde_logger_get(log, "bench.http");
    int64_t spent_ns = 0;
    for (unsigned done = 0; done < lines; done += SLICE_LINES) {
        log_lines(logger, SLICE_LINES);
        int64_t from = sn_clock_mono_ns(sn_clock_system());
        (void)sonde_log_flush(log, 10000);
        spent_ns += sn_clock_mono_ns(sn_clock_system()) - from;
    }
    sonde_log_stats stats;
    sonde_log_read(log, &stats);
    printf("client.log_writer.%-20s %8.0f lines/s  %6.0f ns/line  dropped %" PRIu64
           "  lost %" PRIu64 "\n",
           name, (double)stats.written * 1e9 / (double)spent_ns,
           (double)spent_ns / (double)stats.written, stats.dropped_full, stats.sink_lost);
    (void)sonde_log_free(log);
}

/* The whole machine: one thread logs as fast as it can, the writer writes what it gets. */
static void bench_flood(unsigned lines) {
    const sonde_log_sink sink = {.type = SONDE_SINK_CALLBACK, .write = swallow, .ctx = &swallowed};
    sonde_log *log = sonde_log_open(&(sonde_log_options){.sinks = &sink, .sink_count = 1}, NULL);
    int64_t from = sn_clock_mono_ns(sn_clock_system());
    log_lines(sonde_logger_get(log, "bench.http"), lines);
    double ns = (double)(sn_clock_mono_ns(sn_clock_system()) - from) / lines;
    (void)sonde_log_close(log, 10000);
    sonde_log_stats stats;
    sonde_log_read(log, &stats);
    printf("client.log_flood                   %6.2f ns/line submitted, %" PRIu64
           " of %u written, %" PRIu64 " dropped\n",
           ns, stats.written, lines, stats.dropped_full);
    (void)sonde_log_free(log);
}

int main(int argc, char **argv) {
    unsigned lines = 300000;
    char path[] = "/tmp/sonde-log-bench-XXXXXX";
    if (argc == 3 && strcmp(argv[1], "--lines") == 0)
        lines = (unsigned)strtoul(argv[2], NULL, 10);
    int fd = mkstemp(path);
    if (fd < 0 || lines == 0)
        return 1;
    (void)close(fd);
    /* Let the processor's counter be calibrated, as it is in a program that runs. */
    sonde_log *log = open_log(SONDE_LOG_FORMAT_JSON, NULL);
    sn_clock_system()->sleep_ns(NULL, 30000000);
    (void)sonde_log_free(log);
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        for (unsigned threads = 1; threads <= THREADS_MAX; threads++)
            bench_enqueue(&workloads[i], threads);
    }
    bench_writer("json", SONDE_LOG_FORMAT_JSON, NULL, lines);
    bench_writer("logfmt", SONDE_LOG_FORMAT_LOGFMT, NULL, lines);
    bench_writer("console", SONDE_LOG_FORMAT_CONSOLE, NULL, lines);
    bench_writer("json_file", SONDE_LOG_FORMAT_JSON, path, lines);
    bench_flood(lines);
    (void)unlink(path);
    return 0;
}
