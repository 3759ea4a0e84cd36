/*
 * The board of a thousand services on a real store: what a refresh costs in the background, and what
 * a reader of the overview waits for.
 *
 *   bench_engine_board [SERVICES [OPERATIONS]]    default 1,000 and 2, with ten minutes of samples
 *   TMPDIR=DIR                                    where the store goes
 */
#include "base/os.h"
#include "engine/board.h"
#include "engine/sparks.h"
#include "query/engine.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVICES_DEFAULT = 1000, OPERATIONS_DEFAULT = 2, SAMPLES = 41, ROUNDS = 5, SHOWN = 60 };
enum { WORKERS_MAX = 8, STEP_MS = 15000 };
#define NOW_MS (INT64_C(944444) * SN_BOARD_SLOT_MS + 600000)

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double now_ms(void) {
    return (double)sn_clock_mono_ns(sn_clock_system()) / 1e6;
}

static void add(struct sn_batch_builder *batch, const char *metric, const struct sn_str *pairs,
                int64_t time_ms, double value) {
    struct sn_err err;
    must(sn_batch_builder_add_pairs(batch, sn_str_from(metric), pairs, 3, time_ms, value, &err),
         &err);
}

/* All series of one operation at one time. */
static void add_operation(struct sn_batch_builder *batch, struct sn_str service,
                          struct sn_str operation, int64_t time_ms, double count) {
    static const char *const bounds[] = {"0.001", "0.005", "0.01", "0.025", "0.05", "0.1",
                                         "0.25",  "0.5",   "1",    "2.5",   "5",    "+Inf"};
    static const char *const outcomes[] = {"ok", "error", "aborted"};
    struct sn_str pairs[] = {SN_STR("service"), service,           SN_STR("operation"),
                             operation,         SN_STR("outcome"), SN_STR("")};
    for (size_t i = 0; i < 3; i++) {
        pairs[5] = sn_str_from(outcomes[i]);
        add(batch, "sonde_operations_total", pairs, time_ms, count / (double)(1 + 20 * i));
    }
    pairs[4] = SN_STR("le");
    for (size_t i = 0; i < 12; i++) {
        pairs[5] = sn_str_from(bounds[i]);
        add(batch, "sonde_operation_duration_seconds_bucket", pairs, time_ms,
            count * (double)(i + 1) / 12);
    }
    pairs[5] = SN_STR("");
    add(batch, "sonde_operations_active", pairs, time_ms, 3);
}

static void fill(struct sn_sink sink, size_t services, size_t operations) {
    struct sn_batch_builder batch;
    struct sn_push_result result;
    struct sn_err err;
    char service[32], operation[32];
    sn_batch_builder_init(&batch, (size_t)1 << 30);
    for (int64_t i = 0; i < SAMPLES; i++) {
        sn_batch_builder_reset(&batch);
        for (size_t s = 0; s < services; s++)
            for (size_t o = 0; o < operations; o++) {
                (void)snprintf(service, sizeof service, "service-%04zu", s);
                (void)snprintf(operation, sizeof operation, "operation-%zu", o);
                add_operation(&batch, sn_str_from(service), sn_str_from(operation),
                              NOW_MS - (SAMPLES - 1 - i) * STEP_MS, (double)(i * 15));
            }
        struct sn_batch view = sn_batch_builder_view(&batch);
        must(sn_sink_push_wait(sink, &view, &result, &err), &err);
    }
    sn_batch_builder_release(&batch);
}

static void measure(struct sn_board *board, struct sn_sparks *sparks) {
    struct sn_err err;
    double best = 1e9, start;
    for (int i = 0; i < ROUNDS; i++) {
        start = now_ms();
        must(sn_board_refresh(board, &err), &err);
        double taken = now_ms() - start;
        best = taken < best ? taken : best;
        if (i == 0)
            printf("refresh, the first                %9.1f ms\n", taken);
    }
    printf("refresh, best of %d                %9.1f ms\n", ROUNDS, best);
    const struct sn_spark_grid grid =
        sn_spark_grid_of((struct sn_range){NOW_MS - INT64_C(21600000), NOW_MS});
    for (int i = 0; i < 2; i++) {
        struct sn_arena arena;
        struct sn_board_view view;
        struct sn_str names[SHOWN];
        const float *values;
        sn_arena_init(&arena, 0);
        start = now_ms();
        must(sn_board_read(board, &arena, &view, &err), &err);
        double copied = now_ms() - start;
        size_t shown = view.service_count < SHOWN ? view.service_count : SHOWN;
        for (size_t n = 0; n < shown; n++)
            names[n] = view.services[n].name;
        start = now_ms();
        must(sn_sparks_read(sparks, SN_SPARK_RATE, &grid, names, shown, &arena, &values, &err),
             &err);
        printf("overview, %s: copy %.2f ms, %zu charts %.2f ms\n",
               i == 0 ? "first of a step" : "then           ", copied, shown, now_ms() - start);
        sn_arena_release(&arena);
    }
}

static void run(struct sn_store *store, const struct sn_clock *clock, size_t services,
                size_t operations) {
    struct sn_query_engine *engine = NULL;
    struct sn_err err;
    struct sn_board board;
    struct sn_sparks sparks;
    const struct sn_query_engine_options options = {.reader = sn_store_reader(store),
                                                    .clock = sn_clock_system()};
    must(sn_query_engine_new(&options, &engine, &err), &err);
    fill(sn_store_sink(store), services, operations);
    const struct sn_board_options of_board = {.querier = sn_query_engine_querier(engine),
                                              .reader = sn_store_reader(store),
                                              .sink = sn_store_sink(store),
                                              .clock = clock};
    sn_board_init(&board, &of_board);
    sn_sparks_init(&sparks, of_board.querier);
    printf("%zu services of %zu operations, %zu series\n", services, operations,
           services * operations * 16);
    measure(&board, &sparks);
    sn_board_release(&board);
    sn_sparks_release(&sparks);
    (void)sn_query_engine_free(engine); /* NULL, always */
}

int main(int argc, char **argv) {
    const char *root = getenv("TMPDIR");
    char dir[128];
    struct sn_fake_clock clock;
    struct sn_store *store = NULL;
    struct sn_worker workers[WORKERS_MAX];
    struct sn_thread threads[WORKERS_MAX];
    struct sn_err err = {.status = SN_OK};
    size_t services = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : SERVICES_DEFAULT;
    size_t operations = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : OPERATIONS_DEFAULT;
    (void)snprintf(dir, sizeof dir, "%s/sonde_bench_XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(dir) == NULL || services == 0 || operations == 0)
        return 1;
    sn_fake_clock_init(&clock, 0, NOW_MS);
    const struct sn_store_options options = {.dir = dir, .clock = &clock.clock};
    must(sn_store_open(&options, &store, &err), &err);
    size_t count = sn_store_workers(store, workers, WORKERS_MAX);
    memset(threads, 0, sizeof threads);
    for (size_t i = 0; i < count; i++)
        must(sn_thread_start(&threads[i], workers[i].name, workers[i].run, workers[i].ctx, &err),
             &err);
    run(store, &clock.clock, services, operations);
    for (size_t i = 0; i < count; i++) {
        workers[i].stop(workers[i].ctx);
        sn_thread_join(&threads[i]);
    }
    (void)sn_store_close(store); /* NULL, always */
    must(sn_os_remove_tree(dir, &err), &err);
    return 0;
}
