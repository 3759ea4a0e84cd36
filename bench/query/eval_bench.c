/*
 * What queries cost on samples in memory: a day of counters at 15 s.
 *
 *   bench_query_eval [series_count [text that the expression contains]]
 *
 * Each figure is the best of ROUNDS, in processor time of the one thread: the machine may be busy.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "query/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5, SAMPLE_COUNT = 5760, LABEL_COUNT = 4 };

#define INTERVAL_MS INT64_C(15000)
#define START_MS INT64_C(1700000000000)

struct bench_series {
    struct sn_label items[LABEL_COUNT];
    char text[64];
    double *value;
};

struct bench_reader {
    struct bench_series *series;
    size_t count;
    int64_t *time_ms;
};

static void fill_series(struct bench_series *series, size_t number, struct sn_rng *rng) {
    int len = snprintf(series->text, sizeof series->text, "%06zu|host%03zu", number, number % 100);
    double total = 0;
    series->items[0] = (struct sn_label){SN_LABEL_METRIC_NAME, SN_STR("requests_total")};
    series->items[1] = (struct sn_label){SN_STR("code"), SN_STR("200")};
    series->items[2] =
        (struct sn_label){SN_STR("host"), sn_str_make(series->text + 7, (size_t)len - 7)};
    series->items[3] = (struct sn_label){SN_STR("id"), sn_str_make(series->text, 6)};
    series->value = malloc(SAMPLE_COUNT * sizeof *series->value);
    for (size_t i = 0; series->value != NULL && i < SAMPLE_COUNT; i++) {
        total += (double)sn_rng_below(rng, 100);
        series->value[i] = total;
    }
}

static void reader_init(struct bench_reader *reader, size_t count) {
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    *reader = (struct bench_reader){.count = count};
    reader->series = calloc(count, sizeof *reader->series);
    reader->time_ms = malloc(SAMPLE_COUNT * sizeof *reader->time_ms);
    if (reader->series == NULL || reader->time_ms == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        /* Scrapes jitter by some milliseconds. */
        reader->time_ms[i] = START_MS + (int64_t)i * INTERVAL_MS + (int64_t)sn_rng_below(&rng, 20);
    }
    for (size_t i = 0; i < count; i++) {
        fill_series(&reader->series[i], i, &rng);
    }
}

static void reader_release(struct bench_reader *reader) {
    for (size_t i = 0; i < reader->count; i++) {
        free(reader->series[i].value);
    }
    free(reader->series);
    free(reader->time_ms);
}

static sn_status bench_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                              struct sn_series_list *ret_series, struct sn_err *err) {
    struct bench_reader *reader = ctx;
    struct sn_read_series *items = sn_arena_alloc(arena, reader->count * sizeof *items);
    size_t count = 0;
    if (items == NULL) {
        return sn_arena_failure(arena, reader->count * sizeof *items, err);
    }
    for (size_t i = 0; i < reader->count; i++) {
        struct sn_labels labels = {reader->series[i].items, LABEL_COUNT};
        if (sn_matchers_pass(select->matchers, select->matcher_count, labels)) {
            items[count++] = (struct sn_read_series){i, labels};
        }
    }
    *ret_series = (struct sn_series_list){items, count};
    return SN_OK;
}

static size_t first_at(const struct bench_reader *reader, int64_t time_ms) {
    size_t low = 0;
    size_t high = SAMPLE_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (reader->time_ms[middle] < time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static sn_status bench_samples(void *ctx, uint64_t series_id, struct sn_range range,
                               struct sn_samples *samples, struct sn_err *err) {
    struct bench_reader *reader = ctx;
    size_t from = first_at(reader, range.start_ms);
    size_t count = first_at(reader, range.end_ms + 1) - from;
    if (sn_samples_reserve(samples, count) != SN_OK) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu samples", count);
    }
    memcpy(samples->time_ms + samples->count, reader->time_ms + from, count * sizeof(int64_t));
    memcpy(samples->value + samples->count, reader->series[series_id].value + from,
           count * sizeof(double));
    samples->count += count;
    return SN_OK;
}

struct bench_case {
    const char *expression;
    int64_t hours; /* 0: instant */
};

static const struct bench_case cases[] = {
    {"requests_total{id=\"000007\"}", 0},
    {"requests_total", 0},
    {"sum by (host) (rate(requests_total[5m]))", 0},
    {"rate(requests_total{id=\"000007\"}[5m])", 24},
    {"rate(requests_total{host=\"host007\"}[5m])", 24},
    {"rate(requests_total[5m])", 24},
    {"sum by (host) (rate(requests_total[5m]))", 24},
    {"sum(requests_total)", 24},
    {"topk(5, rate(requests_total[5m]))", 24},
    {"max_over_time(requests_total[1h])", 24},
    {"avg_over_time(requests_total[1h])", 24},
    {"rate(requests_total[5m]) / on (id) requests_total", 24},
    {"requests_total * 2 > 5", 24},
};

static int64_t cpu_ns(void) {
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void run_case(struct sn_querier querier, const struct bench_case *item) {
    struct sn_query query = {.expression = sn_str_from(item->expression)};
    struct sn_query_result result = {.series_count = 0};
    int64_t best_ns = INT64_MAX;
    query.range.end_ms = START_MS + (SAMPLE_COUNT - 1) * INTERVAL_MS;
    query.range.start_ms = query.range.end_ms - item->hours * 3600000;
    query.step_ms = item->hours > 0 ? 60000 : 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct sn_arena arena;
        struct sn_err err = {.status = SN_OK};
        sn_arena_init(&arena, (size_t)4 << 30);
        int64_t start_ns = cpu_ns();
        if (querier.query(querier.ctx, &query, &arena, &result, &err) != SN_OK) {
            (void)printf("%s: %s\n", item->expression, err.text);
            sn_arena_release(&arena);
            return;
        }
        int64_t took_ns = cpu_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        sn_arena_release(&arena);
    }
    (void)printf("%-52s %3lldh %9.3f ms %6.2f ns/sample %6.2f ns/value %7.1f MiB\n",
                 item->expression, (long long)item->hours, (double)best_ns / 1e6,
                 (double)best_ns / (double)result.stats.sample_count,
                 (double)best_ns / (double)result.stats.point_count,
                 (double)result.stats.memory_bytes / 1048576);
}

int main(int argc, char **argv) {
    struct bench_reader reader;
    struct sn_query_engine *engine;
    struct sn_err err = {.status = SN_OK};
    size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 10000;
    reader_init(&reader, count);
    struct sn_query_engine_options options = {
        .reader = {.ctx = &reader, .select = bench_select, .samples = bench_samples},
        .clock = sn_clock_system(),
        .limits = {.memory_bytes_max = (size_t)4 << 30}};
    if (sn_query_engine_new(&options, &engine, &err) != SN_OK) {
        (void)printf("%s\n", err.text);
        return 1;
    }
    (void)printf("%zu series, %d samples each\n", count, SAMPLE_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc <= 2 || strstr(cases[i].expression, argv[2]) != NULL) {
            run_case(sn_query_engine_querier(engine), &cases[i]);
        }
    }
    engine = sn_query_engine_free(engine);
    reader_release(&reader);
    return 0;
}
