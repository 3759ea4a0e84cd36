/*
 * What the store costs: samples per second and core to a durable acknowledgement, against one row
 * per sample in SQLite in the same run; latency of acknowledgements, quiet and during a flush; bytes
 * on disk; memory per series.
 *
 *   bench_store_store [seconds per measurement (5); 0: bytes on disk only [series group]]
 *
 * SONDE_CORPUS=DIR  directory with ne1s.bin.zst (real node_exporter data) for bytes per sample
 * TMPDIR=DIR        where the data directories go: the disk that is measured
 *
 * Both begin with the same history, because a tree of rows is slower with one: new samples of many
 * series land on as many pages. The baseline is given the numbers of the series, the store is given their labels. CPU time is of
 * the whole process; what the generator of the samples takes is measured and subtracted from both.
 */
#include "base/mem.h"
#include "base/os.h"
#include "model/batch.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#define START_MS INT64_C(1700000000000)
#define STEP_MS 15000
#define HISTORY 60  /* samples that each series has before the measurement: a quarter of an hour */
#define SLICES 6    /* flushes that the real data comes in */
#define IN_FLIGHT 8 /* batches that wait for the disk at one time, as from eight agents */

static double seconds_of(clockid_t id) {
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
static double wall_s(void) {
    return seconds_of(CLOCK_MONOTONIC);
}
static double cpu_s(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "bench: %s\n", err ? err->text : sn_status_name(status));
    exit(1);
}

static size_t rss_bytes(void) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    must(sn_os_read_file("/proc/self/statm", &buf, NULL), NULL);
    sn_buf_put_byte(&buf, 0);
    char *end;
    (void)strtoull((char *)buf.ptr, &end, 10);
    size_t pages = strtoull(end, NULL, 10);
    sn_buf_release(&buf);
    return pages * sn_os_page_size();
}

/* ---- series and samples ---- */

struct world {
    struct sn_buf text; /* canonical labels, one behind the other */
    struct sn_batch_series *series;
    size_t series_count;
    struct sn_batch_sample *samples; /* [group] */
    size_t group;
    size_t next;   /* series of the next sample */
    int64_t round; /* samples that each series before `next` has */
};

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
    must(sn_labels_make(items, sizeof items / sizeof *items, &labels, NULL), NULL);
    sn_labels_encode(labels, text);
}

static void make_world(struct world *world, size_t series_count, size_t group) {
    *world = (struct world){.series_count = series_count, .group = group};
    size_t *ends = calloc(series_count, sizeof *ends);
    sn_buf_init(&world->text, 0);
    world->series = calloc(series_count, sizeof *world->series);
    world->samples = calloc(group, sizeof *world->samples);
    for (size_t i = 0; i < series_count; i++) {
        add_labels(&world->text, (unsigned)i);
        ends[i] = world->text.len;
    }
    must(sn_buf_status(&world->text, NULL), NULL);
    for (size_t i = 0; i < series_count; i++) {
        size_t start = i ? ends[i - 1] : 0;
        world->series[i].labels = sn_str_make(world->text.ptr + start, ends[i] - start);
    }
    free(ends);
}

static void free_world(struct world *world) {
    sn_buf_release(&world->text);
    free(world->series);
    free(world->samples);
}

/* A third counters, a third gauges with two decimals, a third constant. */
static double value_at(size_t series, int64_t round) {
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
static struct sn_batch next_batch(struct world *world) {
    if (world->next + world->group > world->series_count) {
        world->next = 0;
        world->round++;
    }
    for (size_t i = 0; i < world->group; i++)
        world->samples[i] =
            (struct sn_batch_sample){.time_ms = START_MS + world->round * STEP_MS,
                                     .value = value_at(world->next + i, world->round),
                                     .series = (uint32_t)i};
    struct sn_batch batch = {.series = world->series + world->next,
                             .series_count = world->group,
                             .samples = world->samples,
                             .sample_count = world->group};
    world->next += world->group;
    return batch;
}

static double generator_cost(struct world *world, size_t batches) {
    struct world copy = *world;
    double start = cpu_s();
    for (size_t i = 0; i < batches; i++)
        (void)next_batch(&copy);
    return cpu_s() - start;
}

/* ---- a running store ---- */

struct running {
    char dir[256];
    struct sn_store *store;
    struct sn_worker workers[SN_STORE_WORKERS_MAX];
    struct sn_thread threads[SN_STORE_WORKERS_MAX];
    size_t count;
};

static void make_dir(char dir[256]) {
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, 256, "%s/sonde-bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir)) {
        perror("bench: mkdtemp");
        exit(1);
    }
}

static void start(struct running *running, size_t log_bytes_max) {
    struct sn_err err;
    make_dir(running->dir);
    struct sn_store_options options = {.dir = running->dir,
                                       .retention_ms = -1,
                                       .future_max_ms = -1,
                                       .log_bytes_max = log_bytes_max};
    must(sn_store_open(&options, &running->store, &err), &err);
    running->count = sn_store_workers(running->store, running->workers, SN_STORE_WORKERS_MAX);
    for (size_t i = 0; i < running->count; i++)
        must(sn_thread_start(&running->threads[i], running->workers[i].name,
                             running->workers[i].run, running->workers[i].ctx, &err),
             &err);
}

static void close_store(struct running *running) {
    for (size_t i = 0; i < running->count; i++)
        running->workers[i].stop(running->workers[i].ctx);
    for (size_t i = 0; i < running->count; i++)
        sn_thread_join(&running->threads[i]);
    running->store = sn_store_close(running->store);
}

static void stop(struct running *running) {
    if (running->store)
        close_store(running);
    must(sn_os_remove_tree(running->dir, NULL), NULL);
}

/* ---- durable samples per second ---- */

struct rate {
    double samples;
    double wall;
    double cpu; /* without the generator */
};

/* Lets IN_FLIGHT batches wait for the disk; waiting costs no CPU time. */
struct gate {
    struct sn_mutex mu;
    struct sn_cond cond;
    int in_flight;
    int failed;
};

static void init_gate(struct gate *gate) {
    *gate = (struct gate){0};
    sn_mutex_init(&gate->mu, SN_RANK_EVENT, "bench gate");
    sn_cond_init(&gate->cond);
}

static void open_gate(void *ctx, sn_status status, const struct sn_err *err) {
    struct gate *gate = ctx;
    (void)err;
    sn_mutex_lock(&gate->mu);
    gate->failed += status != SN_OK;
    gate->in_flight--;
    if (gate->in_flight <= IN_FLIGHT / 2) /* not a switch of threads for each of them */
        sn_cond_signal(&gate->cond);
    sn_mutex_unlock(&gate->mu);
}

static void wait_below(struct gate *gate, int limit) {
    sn_mutex_lock(&gate->mu);
    while (gate->in_flight >= limit)
        sn_cond_wait(&gate->cond, &gate->mu);
    if (gate->failed > 0)
        must(SN_ERR_IO, NULL);
    sn_mutex_unlock(&gate->mu);
}

static void enter_gate(struct gate *gate) {
    wait_below(gate, IN_FLIGHT);
    sn_mutex_lock(&gate->mu);
    gate->in_flight++;
    sn_mutex_unlock(&gate->mu);
}

static void drain(struct gate *gate) {
    wait_below(gate, 1);
}

static void push_async(struct running *running, struct world *world, struct gate *gate) {
    struct sn_batch batch = next_batch(world);
    struct sn_sink sink = sn_store_sink(running->store);
    struct sn_push_result result;
    struct sn_push_done done = {.fn = open_gate, .ctx = gate};
    struct sn_err err;
    enter_gate(gate);
    must(sink.push(sink.ctx, &batch, done, &result, &err), &err);
    if (result.accepted_count != batch.sample_count)
        must(SN_ERR_INTERNAL, &result.first_reject);
}

static struct rate measure_store(size_t series, size_t group, double seconds) {
    struct world world;
    struct running running;
    struct gate gate;
    struct rate rate = {0};
    init_gate(&gate);
    make_world(&world, series, group);
    start(&running, 0);
    while (world.round < HISTORY)
        push_async(&running, &world, &gate);
    drain(&gate);
    size_t batches = 0;
    double wall = wall_s();
    double cpu = cpu_s();
    while (wall_s() - wall < seconds) {
        push_async(&running, &world, &gate);
        batches++;
    }
    drain(&gate);
    rate.wall = wall_s() - wall;
    rate.cpu = cpu_s() - cpu - generator_cost(&world, batches);
    rate.samples = (double)(batches * group);
    stop(&running);
    free_world(&world);
    return rate;
}

static void sql(sqlite3 *db, const char *text) {
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "bench: %s: %s\n", text, sqlite3_errmsg(db));
        exit(1);
    }
}

static void insert_row(sqlite3 *db, sqlite3_stmt *insert, size_t series, int64_t time_ms,
                       double value) {
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)series);
    sqlite3_bind_int64(insert, 2, time_ms);
    sqlite3_bind_double(insert, 3, value);
    if (sqlite3_step(insert) != SQLITE_DONE) {
        (void)fprintf(stderr, "bench: insert: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_reset(insert);
}

/* In the order of the key, in one transaction: the fastest way to the same history. */
static void insert_history(sqlite3 *db, sqlite3_stmt *insert, struct world *world) {
    sql(db, "BEGIN");
    for (size_t series = 0; series < world->series_count; series++) {
        for (int64_t round = 0; round < HISTORY; round++)
            insert_row(db, insert, series, START_MS + round * STEP_MS, value_at(series, round));
    }
    sql(db, "COMMIT");
    sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    world->round = HISTORY;
}

static void insert_batch(sqlite3 *db, sqlite3_stmt *insert, struct world *world) {
    struct sn_batch batch = next_batch(world);
    size_t first = (size_t)(batch.series - world->series);
    sql(db, "BEGIN");
    for (size_t i = 0; i < batch.sample_count; i++)
        insert_row(db, insert, first + batch.samples[i].series, batch.samples[i].time_ms,
                   batch.samples[i].value);
    sql(db, "COMMIT");
}

static struct rate measure_sqlite(size_t series, size_t group, double seconds) {
    struct world world;
    struct rate rate = {0};
    char dir[256];
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *insert;
    make_world(&world, series, group);
    make_dir(dir);
    (void)snprintf(path, sizeof path, "%s/rows.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
            "CREATE TABLE sample(series INTEGER, time_ms INTEGER, value REAL,"
            " PRIMARY KEY(series, time_ms)) WITHOUT ROWID");
    if (sqlite3_prepare_v2(db, "INSERT INTO sample VALUES(?, ?, ?)", -1, &insert, NULL) !=
        SQLITE_OK)
        exit(1);
    insert_history(db, insert, &world);
    size_t batches = 0;
    double wall = wall_s();
    double cpu = cpu_s();
    while (wall_s() - wall < seconds) {
        insert_batch(db, insert, &world);
        batches++;
    }
    rate.wall = wall_s() - wall;
    rate.cpu = cpu_s() - cpu - generator_cost(&world, batches);
    rate.samples = (double)(batches * group);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(db);
    must(sn_os_remove_tree(dir, NULL), NULL);
    free_world(&world);
    return rate;
}

static void compare(size_t series, size_t group, double seconds) {
    struct rate store = measure_store(series, group, seconds);
    struct rate rows = measure_sqlite(series, group, seconds);
    double store_core = store.samples / store.cpu;
    double rows_core = rows.samples / rows.cpu;
    printf("%8zu %7zu %14.2f %14.2f %10.1f %12.2f %12.2f %8.1f\n", series, group, store_core / 1e6,
           rows_core / 1e6, store_core / rows_core, store.samples / store.wall / 1e6,
           rows.samples / rows.wall / 1e6,
           (store.samples / store.wall) / (rows.samples / rows.wall));
    (void)fflush(stdout);
}

/* ---- latency of acknowledgements ---- */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct flusher {
    struct sn_store *store;
    atomic_bool is_done;
};

static void run_flush(void *ctx) {
    struct flusher *flusher = ctx;
    struct sn_err err;
    must(sn_store_flush(flusher->store, &err), &err);
    atomic_store(&flusher->is_done, true);
}

enum { LATENCIES_MAX = 100000 };

static void print_latencies(const char *what, double *latencies, size_t count) {
    qsort(latencies, count, sizeof *latencies, compare_doubles);
    printf("  %-22s p50 %7.3f ms  p99 %7.3f ms  max %7.3f ms  (%zu groups)\n", what,
           latencies[count / 2] * 1e3, latencies[count * 99 / 100] * 1e3,
           latencies[count - 1] * 1e3, count);
}

static size_t time_pushes(struct running *running, struct world *world, double seconds,
                          const struct flusher *flusher, double *latencies) {
    size_t count = 0;
    double begin = wall_s();
    while (count < LATENCIES_MAX &&
           (flusher ? !atomic_load(&flusher->is_done) : wall_s() - begin < seconds)) {
        struct sn_batch batch = next_batch(world);
        struct sn_push_result result;
        struct sn_err err;
        double before = wall_s();
        must(sn_sink_push_wait(sn_store_sink(running->store), &batch, &result, &err), &err);
        latencies[count++] = wall_s() - before;
    }
    return count;
}

static void measure_latency(double seconds) {
    struct world world;
    struct running running;
    struct gate gate;
    struct sn_store_stats stats;
    double *latencies = calloc(LATENCIES_MAX, sizeof *latencies);
    size_t before = rss_bytes();
    init_gate(&gate);
    make_world(&world, 100000, 1000);
    size_t generator = rss_bytes() - before;
    start(&running, (size_t)1 << 40); /* flush when we say so */
    while (world.round < 1)
        push_async(&running, &world, &gate);
    drain(&gate);
    printf("memory with 100,000 series, 1 sample each: %zu bytes per series\n",
           (rss_bytes() - before - generator) / 100000);
    while (world.round < 60)
        push_async(&running, &world, &gate);
    drain(&gate);
    sn_store_stats(running.store, &stats);
    printf("memory with 60 samples each: %zu bytes per series (head %.2f bytes per sample)\n",
           (rss_bytes() - before - generator) / 100000, (double)stats.head_bytes / 6e6);
    printf("log: %.2f bytes per sample\n", (double)stats.log_bytes / 6e6);
    printf("acknowledgement of groups of 1,000, one at a time, 100,000 series:\n");
    size_t count = time_pushes(&running, &world, seconds, NULL, latencies);
    print_latencies("quiet", latencies, count);
    struct flusher flusher = {.store = running.store};
    struct sn_thread thread;
    must(sn_thread_start(&thread, "flusher", run_flush, &flusher, NULL), NULL);
    count = time_pushes(&running, &world, seconds, &flusher, latencies);
    sn_thread_join(&thread);
    print_latencies("during a flush", latencies, count);
    sn_store_stats(running.store, &stats);
    printf("flush: %.2f s, %.1f MB, %.3f bytes per sample\n",
           (double)stats.flush_last_duration_ns * 1e-9, (double)stats.segment_bytes / 1e6,
           (double)stats.segment_bytes / (double)stats.segment_sample_count);
    stop(&running);
    free_world(&world);
    free(latencies);
}

/* ---- bytes of real data ---- */

struct corpus {
    unsigned char *bytes;
    size_t len;
};

static bool load_corpus(struct corpus *corpus, const char *name) {
    const char *dir = getenv("SONDE_CORPUS");
    char path[512];
    struct sn_buf packed;
    if (!dir)
        return false;
    (void)snprintf(path, sizeof path, "%s/%s.bin.zst", dir, name);
    sn_buf_init(&packed, 0);
    if (sn_os_read_file(path, &packed, NULL) != SN_OK)
        return false;
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR)
        len = (unsigned long long)1 << 30;
    corpus->bytes = malloc(len);
    corpus->len = ZSTD_decompress(corpus->bytes, len, packed.ptr, packed.len);
    sn_buf_release(&packed);
    return corpus->bytes && !ZSTD_isError(corpus->len);
}

/* One series of the corpus: u16 name length, name, u32 n, i64 times, f64 values. */
struct corpus_series {
    struct sn_str name;
    uint32_t count;
    const unsigned char *times;
    const unsigned char *values;
};

static struct corpus_series next_series(const unsigned char **at) {
    struct corpus_series series;
    uint16_t name_len;
    memcpy(&name_len, *at, 2);
    series.name = sn_str_make(*at + 2, name_len);
    memcpy(&series.count, *at + 2 + name_len, 4);
    series.times = *at + 6 + name_len;
    series.values = series.times + (size_t)series.count * 8;
    *at = series.values + (size_t)series.count * 8;
    return series;
}

static void encode_name(struct sn_str name, struct sn_buf *buf) {
    struct sn_str metric;
    struct sn_str rest;
    (void)sn_str_cut(name, '{', &metric, &rest);
    struct sn_label items[] = {{SN_LABEL_METRIC_NAME, metric}, {SN_STR("labels"), rest}};
    struct sn_labels labels;
    must(sn_labels_make(items, 2, &labels, NULL), NULL);
    sn_labels_encode(labels, buf);
}

/* The samples of one slice of the series' time. Returns how many were taken. */
static size_t push_slice(struct running *running, struct gate *gate,
                         const struct corpus_series *from, uint32_t slice) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    encode_name(from->name, &buf);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    size_t first = (size_t)from->count * slice / SLICES;
    size_t count = (size_t)from->count * (slice + 1) / SLICES - first;
    struct sn_batch_sample *samples = calloc(count + 1, sizeof *samples);
    for (size_t i = 0; i < count; i++) {
        memcpy(&samples[i].time_ms, from->times + (first + i) * 8, 8);
        memcpy(&samples[i].value, from->values + (first + i) * 8, 8);
    }
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = count};
    struct sn_sink sink = sn_store_sink(running->store);
    struct sn_push_result result;
    struct sn_err err;
    struct sn_push_done done = {.fn = open_gate, .ctx = gate};
    enter_gate(gate);
    must(sink.push(sink.ctx, &batch, done, &result, &err), &err);
    sn_buf_release(&buf);
    free(samples);
    return result.accepted_count;
}

/* Slice after slice, each flushed into a segment of its own. */
static size_t push_corpus(struct running *running, const struct corpus *corpus) {
    struct gate gate;
    struct sn_err err;
    uint32_t series_count;
    size_t samples = 0;
    init_gate(&gate);
    memcpy(&series_count, corpus->bytes, 4);
    for (uint32_t slice = 0; slice < SLICES; slice++) {
        const unsigned char *at = corpus->bytes + 4;
        for (uint32_t i = 0; i < series_count; i++) {
            struct corpus_series series = next_series(&at);
            samples += push_slice(running, &gate, &series, slice);
        }
        drain(&gate);
        must(sn_store_flush(running->store, &err), &err);
    }
    return samples;
}

static size_t file_bytes(const char *dir, const char *name) {
    char path[512];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static double segment_cost(struct running *running, size_t samples) {
    struct sn_store_stats stats;
    sn_store_stats(running->store, &stats);
    return (double)stats.segment_bytes / (double)samples;
}

static void measure_corpus(const char *name) {
    struct corpus corpus;
    struct running running;
    struct sn_store_stats stats;
    struct sn_err err;
    if (!load_corpus(&corpus, name)) {
        printf("%-14s not there (set SONDE_CORPUS)\n", name);
        return;
    }
    start(&running, (size_t)1 << 30);
    size_t samples = push_corpus(&running, &corpus);
    double before = segment_cost(&running, samples);
    double cpu = cpu_s();
    must(sn_store_compact(running.store, NULL, &err), &err);
    cpu = cpu_s() - cpu;
    sn_store_stats(running.store, &stats);
    double after = segment_cost(&running, samples);
    close_store(&running); /* a log of SQLite's that is as long as it ever was is no cost */
    size_t database = file_bytes(running.dir, "sonde.db") + file_bytes(running.dir, "sonde.db-wal");
    printf(
        "%-14s %8zu samples  %d flushes %.3f bytes per sample, compacted %.3f (%.0f ms CPU), with "
        "sonde.db %.3f\n",
        name, samples, SLICES, before, after, cpu * 1e3,
        (double)(stats.segment_bytes + database) / (double)samples);
    stop(&running);
    free(corpus.bytes);
}

static void measure_corpora(void) {
    static const char *const corpora[] = {"ne1s", "ne15s", "t_prometheus", "t_netdata"};
    for (size_t i = 0; i < 4; i++)
        measure_corpus(corpora[i]);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? (double)strtoul(argv[1], NULL, 10) : 5;
    if (argc == 2 && seconds == 0) { /* bytes on disk only */
        measure_corpora();
        return 0;
    }
    if (argc > 3) { /* one comparison only, for a profiler */
        compare(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), seconds);
        return 0;
    }
    static const size_t series[] = {10000, 100000};
    static const size_t groups[] = {1000, 10000};
    measure_latency(seconds > 0 ? seconds : 5); /* first: memory is measured on a fresh heap */
    printf(
        "millions of samples per second, fsync before each acknowledgement, %d samples of history\n",
        HISTORY);
    printf("%8s %7s %14s %14s %10s %12s %12s %8s\n", "series", "group", "store /core",
           "SQLite /core", "ratio", "store wall", "SQLite wall", "ratio");
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++)
            compare(series[i], groups[j], seconds > 0 ? seconds : 5);
    }
    measure_corpora();
    return 0;
}
