/*
 * What history costs on samples in memory: 100 series of a week at 15 s, and a page of twenty charts.
 * Beside it what four range queries (min, avg, max, count over each step) would cost.
 *
 *   bench_engine_history
 *
 * Each figure is the best of ROUNDS, in processor time of the one thread.
 */
#include "base/clock.h"
#include "engine/history.h"
#include "query/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5, SERIES_COUNT = 100, SAMPLE_COUNT = 40320 };
#define INTERVAL_MS INT64_C(15000)
#define END_MS INT64_C(1700000000000)
#define START_MS (END_MS - INTERVAL_MS * SAMPLE_COUNT)

struct table {
    struct sn_label labels[SERIES_COUNT][2];
    char names[SERIES_COUNT][8];
    double *values; /* [SAMPLE_COUNT] of all: counters that differ in nothing */
};

static sn_status table_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                              struct sn_series_list *ret_series, struct sn_err *err) {
    struct table *table = ctx;
    struct sn_series_list list = {sn_arena_alloc(arena, SERIES_COUNT * sizeof *list.items), 0};
    if (list.items == NULL)
        return sn_arena_failure(arena, SERIES_COUNT * sizeof *list.items, err);
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        struct sn_labels labels = {table->labels[i], 2};
        if (sn_matchers_pass(select->matchers, select->matcher_count, labels))
            list.items[list.count++] = (struct sn_read_series){i, labels};
    }
    *ret_series = list;
    return SN_OK;
}

static sn_status table_samples(void *ctx, uint64_t series_id, struct sn_range range,
                               struct sn_samples *samples, struct sn_err *err) {
    const struct table *table = ctx;
    (void)series_id;
    int64_t from = (range.start_ms - START_MS + INTERVAL_MS - 1) / INTERVAL_MS;
    int64_t until = (range.end_ms - START_MS) / INTERVAL_MS + 1;
    from = from > 0 ? from : 0;
    until = until < SAMPLE_COUNT ? until : SAMPLE_COUNT;
    if (until <= from)
        return SN_OK;
    if (sn_samples_reserve(samples, (size_t)(until - from)) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for samples");
    for (int64_t i = from; i < until; i++) {
        samples->time_ms[samples->count] = START_MS + i * INTERVAL_MS;
        samples->value[samples->count++] = table->values[i];
    }
    return SN_OK;
}

static void fill(struct table *table) {
    table->values = malloc(SAMPLE_COUNT * sizeof *table->values);
    if (table->values == NULL)
        exit(1);
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        table->values[i] = (double)(i * 7 + i % 13);
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        (void)snprintf(table->names[i], sizeof table->names[i], "h%03zu", i);
        table->labels[i][0] = (struct sn_label){SN_STR("__name__"), SN_STR("m")};
        table->labels[i][1] = (struct sn_label){SN_STR("host"), sn_str_from(table->names[i])};
    }
}

static double cpu_s(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void run_history(const struct sn_history_source *source, const char *expression,
                        struct sn_range range, struct sn_arena *arena) {
    struct sn_history history;
    struct sn_err err = {.status = SN_OK};
    const struct sn_history_query query = {
        .expression = sn_str_from(expression),
        .range = range,
        .step_ms = sn_history_nice_step_ms(range, 240),
    };
    sn_arena_reset(arena);
    must(sn_history_read(source, &query, arena, &history, &err), &err);
}

/* The same figures by PromQL alone. */
static void run_four(const struct sn_history_source *source, const char *expression,
                     struct sn_range range, struct sn_arena *arena) {
    static const char *const functions[] = {"min", "avg", "max", "count"};
    int64_t step_ms = sn_history_nice_step_ms(range, 240);
    for (size_t i = 0; i < 4; i++) {
        char text[128];
        struct sn_query_result result;
        struct sn_err err = {.status = SN_OK};
        (void)snprintf(text, sizeof text, "%s_over_time(%s[%llds])", functions[i], expression,
                       (long long)step_ms / 1000);
        const struct sn_query query = {sn_str_from(text), .range = range, .step_ms = step_ms};
        sn_arena_reset(arena);
        must(source->querier.query(source->querier.ctx, &query, arena, &result, &err), &err);
    }
}

typedef void (*run_function)(const struct sn_history_source *source, const char *expression,
                             struct sn_range range, struct sn_arena *arena);

static double best_ms(const struct sn_history_source *source, run_function run,
                      const char *expression, int64_t range_ms) {
    double best = 0;
    struct sn_arena arena;
    sn_arena_init(&arena, (size_t)1 << 30);
    for (int i = 0; i < ROUNDS; i++) {
        double start_s = cpu_s();
        run(source, expression, (struct sn_range){END_MS - range_ms, END_MS - 1}, &arena);
        double taken_ms = (cpu_s() - start_s) * 1e3;
        best = i == 0 || taken_ms < best ? taken_ms : best;
    }
    sn_arena_release(&arena);
    return best;
}

/* Twenty charts of six hours: ten of one series, five of all, five sums of rates. */
static void run_page(const struct sn_history_source *source, const char *expression,
                     struct sn_range range, struct sn_arena *arena) {
    (void)expression;
    for (int i = 0; i < 20; i++)
        run_history(source,
                    i < 10   ? "m{host=\"h007\"}"
                    : i < 15 ? "m"
                             : "sum(rate(m[1m]))",
                    range, arena);
}

static void show(const struct sn_history_source *source, const char *range_text, int64_t range_ms) {
    static const char *const expressions[] = {"m{host=\"h007\"}", "m", "rate(m[1m])",
                                              "sum(rate(m[1m]))"};
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        double ms = best_ms(source, run_history, expressions[i], range_ms);
        (void)printf("engine.history.%s %-18s %8.2f ms", range_text, expressions[i], ms);
        if (i < 2)
            (void)printf("   four queries %8.2f ms",
                         best_ms(source, run_four, expressions[i], range_ms));
        (void)printf("\n");
    }
}

int main(void) {
    static struct table table;
    struct sn_query_engine *engine = NULL;
    struct sn_err err = {.status = SN_OK};
    fill(&table);
    const struct sn_query_engine_options options = {
        .reader = {.ctx = &table, .select = table_select, .samples = table_samples},
        .clock = sn_clock_system(),
    };
    must(sn_query_engine_new(&options, &engine, &err), &err);
    const struct sn_history_source source = {.querier = sn_query_engine_querier(engine),
                                             .clock = sn_clock_system()};
    show(&source, "6h", INT64_C(6) * 3600000);
    show(&source, "24h", INT64_C(24) * 3600000);
    show(&source, "7d", INT64_C(168) * 3600000);
    (void)printf("engine.history.page %8.2f ms\n",
                 best_ms(&source, run_page, "", INT64_C(6) * 3600000));
    (void)sn_query_engine_free(engine); /* NULL, always */
    free(table.values);
    return 0;
}
