/*
 * Random expressions over small random data. The input is the query's text, a NUL, and bytes that
 * make the samples. Properties: no crash, no leak, limits hold, no label set twice, values at steps
 * of the query and in order, and a second run gives the same.
 */
#include "query/engine.h"

#include "base/check.h"
#include "base/mem.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SERIES_COUNT = 6, SAMPLE_COUNT = 24, LABEL_COUNT = 3 };

#define INTERVAL_MS INT64_C(60000)

struct fuzz_reader {
    struct sn_label items[SERIES_COUNT][LABEL_COUNT];
    int64_t time_ms[SERIES_COUNT][SAMPLE_COUNT];
    double value[SERIES_COUNT][SAMPLE_COUNT];
    size_t count[SERIES_COUNT];
};

static double value_of(uint8_t byte, double before) {
    switch (byte & 7) {
    case 0:
        return (double)NAN;
    case 1:
        return byte & 8 ? (double)INFINITY : -(double)INFINITY;
    case 2:
        return sn_double_from_bits(SN_STALE_NAN_BITS);
    case 3:
        return byte & 8 ? 1e300 : -1e300;
    case 4:
        return 0;
    default:
        return before + byte / 8 - 7;
    }
}

static void fill_reader(struct fuzz_reader *reader, const uint8_t *data, size_t len) {
    static const char *const names[] = {"a_total", "a_total", "b", "b", "h_bucket", "h_bucket"};
    static const char *const les[] = {"1", "2", "1", "+Inf", "1", "+Inf"};
    static const char *const hosts[] = {"x", "y", "x", "y", "x", "x"};
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        double before = 0;
        reader->items[i][0] = (struct sn_label){SN_LABEL_METRIC_NAME, sn_str_from(names[i])};
        reader->items[i][1] = (struct sn_label){SN_STR("host"), sn_str_from(hosts[i])};
        reader->items[i][2] = (struct sn_label){SN_STR("le"), sn_str_from(les[i])};
        reader->count[i] = 0;
        for (size_t k = 0; k < SAMPLE_COUNT; k++) {
            uint8_t byte = len > 0 ? data[(i * SAMPLE_COUNT + k) % len] : 37;
            if (byte % 11 == 0) {
                continue; /* a gap */
            }
            size_t at = reader->count[i]++;
            before = value_of(byte, before);
            reader->time_ms[i][at] = (int64_t)k * INTERVAL_MS + byte;
            reader->value[i][at] = before;
        }
    }
}

static sn_status fuzz_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                             struct sn_series_list *ret_series, struct sn_err *err) {
    struct fuzz_reader *reader = ctx;
    struct sn_read_series *items = sn_arena_alloc(arena, SERIES_COUNT * sizeof *items);
    size_t count = 0;
    if (items == NULL) {
        return sn_arena_failure(arena, SERIES_COUNT * sizeof *items, err);
    }
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        struct sn_labels labels = {reader->items[i], LABEL_COUNT};
        if (sn_matchers_pass(select->matchers, select->matcher_count, labels)) {
            items[count++] = (struct sn_read_series){i, labels};
        }
    }
    *ret_series = (struct sn_series_list){items, count};
    return SN_OK;
}

static sn_status fuzz_samples(void *ctx, uint64_t id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    struct fuzz_reader *reader = ctx;
    if (sn_samples_reserve(samples, SAMPLE_COUNT) != SN_OK) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for samples");
    }
    for (size_t i = 0; i < reader->count[id]; i++) {
        if (sn_range_contains(range, reader->time_ms[id][i])) {
            samples->time_ms[samples->count] = reader->time_ms[id][i];
            samples->value[samples->count++] = reader->value[id][i];
        }
    }
    return SN_OK;
}

static void check_series(const struct sn_query *query, const struct sn_result_series *series) {
    SN_CHECK(series->count > 0);
    for (size_t i = 0; i < series->count; i++) {
        SN_CHECK(!sn_is_stale(series->value[i]));
        SN_CHECK(i == 0 || series->time_ms[i - 1] < series->time_ms[i]);
        SN_CHECK(query->step_ms == 0 ||
                 (sn_range_contains(query->range, series->time_ms[i]) &&
                  (series->time_ms[i] - query->range.start_ms) % query->step_ms == 0));
    }
}

static void check_result(const struct sn_query *query, const struct sn_query_result *result) {
    for (size_t i = 0; i < result->series_count; i++) {
        check_series(query, &result->series[i]);
        for (size_t k = 0; k < i; k++) {
            SN_CHECK(!sn_labels_equal(result->series[i].labels, result->series[k].labels));
        }
    }
}

static void print_result(const struct sn_query_result *result, struct sn_buf *buf) {
    for (size_t i = 0; i < result->series_count; i++) {
        const struct sn_result_series *series = &result->series[i];
        sn_labels_format(series->labels, buf);
        sn_buf_put(buf, series->time_ms, series->count * sizeof(int64_t));
        sn_buf_put(buf, series->value, series->count * sizeof(double));
    }
    for (size_t i = 0; i < result->warning_count; i++) {
        sn_buf_put_str(buf, result->warnings[i]);
    }
    for (size_t i = 0; i < result->info_count; i++) {
        sn_buf_put_str(buf, result->infos[i]);
    }
}

static void run_twice(struct sn_query_engine *engine, const struct sn_query *query) {
    struct sn_querier querier = sn_query_engine_querier(engine);
    struct sn_buf texts[2] = {{.limit = 0}, {.limit = 0}};
    sn_status statuses[2];
    for (size_t i = 0; i < 2; i++) {
        struct sn_query_result result = {.series_count = 0};
        struct sn_arena arena;
        struct sn_err err = {.status = SN_OK};
        sn_arena_init(&arena, (size_t)8 << 20);
        statuses[i] = querier.query(querier.ctx, query, &arena, &result, &err);
        SN_CHECK(statuses[i] != SN_ERR_INTERNAL && statuses[i] != SN_ERR_BUSY);
        SN_CHECK(arena.used <= arena.limit);
        if (statuses[i] == SN_OK) {
            check_result(query, &result);
            print_result(&result, &texts[i]);
        } else {
            sn_buf_put_text(&texts[i], err.text);
        }
        sn_arena_release(&arena);
    }
    SN_CHECK(statuses[0] == statuses[1]);
    SN_CHECK(statuses[0] == SN_ERR_LIMIT || /* its sentence tells sizes of the moment */
             sn_str_equal(sn_buf_str(&texts[0]), sn_buf_str(&texts[1])));
    sn_buf_release(&texts[0]);
    sn_buf_release(&texts[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct fuzz_reader reader;
    struct sn_fake_clock clock;
    struct sn_query_engine *engine;
    struct sn_str text;
    struct sn_str samples;
    (void)sn_str_cut(sn_str_make(data, len), '\0', &text, &samples);
    if (text.len > 512) {
        return 0; /* long texts are the parser's affair */
    }
    fill_reader(&reader, (const uint8_t *)samples.ptr, samples.len);
    sn_fake_clock_init(&clock, 0, 0);
    struct sn_query_engine_options options = {
        .reader = {.ctx = &reader, .select = fuzz_select, .samples = fuzz_samples},
        .clock = &clock.clock,
        .features = {true, true, true, true},
        .limits = {.samples_max = 100000, .points_max = 200000, .steps_max = 2000}};
    int64_t blocks = sn_mem_block_count();
    if (sn_query_engine_new(&options, &engine, NULL) == SN_OK) {
        struct sn_query instant = {.expression = text,
                                   .range = {10 * INTERVAL_MS, 10 * INTERVAL_MS}};
        struct sn_query range = {.expression = text,
                                 .range = {-INTERVAL_MS, 30 * INTERVAL_MS},
                                 .step_ms = 2 * INTERVAL_MS + 1};
        run_twice(engine, &instant);
        run_twice(engine, &range);
        engine = sn_query_engine_free(engine);
    }
    SN_CHECK(sn_mem_block_count() == blocks);
    return 0;
}
