/*
 * What a selection costs among a million series: matchers to ids, and the whole of select (sorted,
 * with labels). The series look like those of a cluster: 250 metrics on 500 instances of 16 jobs, with
 * 8 values of a label of their own.
 */
#include "base/os.h"
#include "model/batch.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { METRICS = 250, INSTANCES = 500, VALUES = 8, JOBS = 16, ROUNDS = 7 };

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double cpu_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    fprintf(stderr, "index_bench: %s\n", err ? err->text : sn_status_name(status));
    exit(1);
}

static void add_series(struct sn_batch_builder *builder, int metric, int instance, int value) {
    char texts[4][32];
    snprintf(texts[0], sizeof texts[0], "metric_%03d_total", metric);
    snprintf(texts[1], sizeof texts[1], "host-%04d:9100", instance);
    snprintf(texts[2], sizeof texts[2], "job-%02d", instance % JOBS);
    snprintf(texts[3], sizeof texts[3], "value-%d", value);
    struct sn_str pairs[] = {SN_STR("instance"),    sn_str_from(texts[1]), SN_STR("job"),
                             sn_str_from(texts[2]), SN_STR("mode"),        sn_str_from(texts[3])};
    must(sn_batch_builder_add_pairs(builder, sn_str_from(texts[0]), pairs, 3,
                                    sn_clock_wall_ms(sn_clock_system()), value, NULL),
         NULL);
}

static void fill(struct sn_store *store) {
    struct sn_err err;
    for (int metric = 0; metric < METRICS; metric++) {
        struct sn_batch_builder builder;
        struct sn_push_result result;
        sn_batch_builder_init(&builder, 0);
        for (int instance = 0; instance < INSTANCES; instance++) {
            for (int value = 0; value < VALUES; value++)
                add_series(&builder, metric, instance, value);
        }
        struct sn_batch batch = sn_batch_builder_view(&builder);
        must(sn_sink_push_wait(sn_store_sink(store), &batch, &result, &err), &err);
        sn_batch_builder_release(&builder);
    }
}

/* Patterns for the bench: a prefix. */
static bool has_prefix(const void *compiled, struct sn_str text) {
    return sn_str_starts_with(text, sn_str_from(compiled));
}

struct selection {
    const char *name;
    struct sn_matcher matchers[3];
    size_t count;
};

#define EQUAL(label, text)                                                                         \
    { SN_MATCH_EQUAL, SN_STR(label), SN_STR(text), NULL, NULL }
#define PREFIX(kind, label, text)                                                                  \
    { kind, SN_STR(label), SN_STR(text ".*"), has_prefix, text }

static const struct selection selections[] = {
    {"job=\"job-00\"", {EQUAL("job", "job-00")}, 1},
    {"job=\"job-00\",mode=\"value-3\"", {EQUAL("job", "job-00"), EQUAL("mode", "value-3")}, 2},
    {"__name__=\"metric_007_total\"", {EQUAL("__name__", "metric_007_total")}, 1},
    {"__name__=\"metric_007_total\",mode!=\"value-3\"",
     {EQUAL("__name__", "metric_007_total"),
      {SN_MATCH_NOT_EQUAL, SN_STR("mode"), SN_STR("value-3"), NULL, NULL}},
     2},
    {"__name__=~\"metric_00.*\"", {PREFIX(SN_MATCH_REGEX, "__name__", "metric_00")}, 1},
    {"job=\"job-00\",instance=~\"host-00.*\"",
     {EQUAL("job", "job-00"), PREFIX(SN_MATCH_REGEX, "instance", "host-00")},
     2},
    {"job=\"job-00\",instance!~\"host-00.*\"",
     {EQUAL("job", "job-00"), PREFIX(SN_MATCH_NOT_REGEX, "instance", "host-00")},
     2},
};

/* Best of some rounds. series_max 1 stops select behind the matchers: that is the first column. */
static void measure(struct sn_reader reader, const struct selection *selection, int64_t now) {
    double best[3] = {1e9, 1e9, 1e9};
    size_t found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < 3; kind++) {
            struct sn_select select = {.matchers = selection->matchers,
                                       .matcher_count = selection->count,
                                       .range = {0, INT64_MAX},
                                       .series_max = kind == 0 ? 1 : 0};
            struct sn_arena arena;
            struct sn_series_list list = {0};
            if (kind == 2) /* a short range: series without samples in it are looked for */
                select.range = (struct sn_range){now - 300000, now};
            sn_arena_init(&arena, (size_t)1 << 30);
            double start = cpu_ms();
            sn_status status = reader.select(reader.ctx, &select, &arena, &list, NULL);
            double took = cpu_ms() - start;
            if (status == SN_OK)
                found = list.count;
            best[kind] = took < best[kind] ? took : best[kind];
            sn_arena_release(&arena);
        }
    }
    printf("%-48s %8zu %10.3f %10.3f %10.3f\n", selection->name, found, best[0], best[1], best[2]);
}

int main(void) {
    char dir[] = "/tmp/sonde-index-XXXXXX";
    struct sn_err err;
    struct sn_store *store;
    struct sn_worker workers[SN_STORE_WORKERS_MAX];
    struct sn_thread threads[SN_STORE_WORKERS_MAX];
    if (!mkdtemp(dir))
        return 1;
    const struct sn_store_options options = {.dir = dir, .log_bytes_max = (size_t)1 << 30};
    must(sn_store_open(&options, &store, &err), &err);
    size_t count = sn_store_workers(store, workers, SN_STORE_WORKERS_MAX);
    for (size_t i = 0; i < count; i++)
        must(sn_thread_start(&threads[i], workers[i].name, workers[i].run, workers[i].ctx, NULL),
             NULL);
    fill(store);
    double start = now_ms();
    must(sn_store_flush(store, &err), &err);
    struct sn_reader reader = sn_store_reader(store);
    struct sn_admin admin = sn_store_admin(store);
    struct sn_arena arena;
    struct sn_cardinality cardinality;
    printf("%d series, flushed in %.0f ms; ms of CPU, best of %d\n", METRICS * INSTANCES * VALUES,
           now_ms() - start, ROUNDS);
    printf("%-48s %8s %10s %10s %10s\n", "selection", "series", "matchers", "select", "of 5 min");
    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++)
        measure(reader, &selections[i], sn_clock_wall_ms(sn_clock_system()));
    sn_arena_init(&arena, 0);
    start = cpu_ms();
    must(admin.cardinality(admin.ctx, 10, &arena, &cardinality, &err), &err);
    printf("cardinality of all of them: %.3f ms\n", cpu_ms() - start);
    sn_arena_release(&arena);
    for (size_t i = 0; i < count; i++)
        workers[i].stop(workers[i].ctx);
    for (size_t i = 0; i < count; i++)
        sn_thread_join(&threads[i]);
    sn_store_close(store);
    must(sn_os_remove_tree(dir, &err), &err);
    return 0;
}
