/* See board_support.h. One thread. */
#include "board_support.h"

#include "base/mem.h"

#include <stdlib.h>

/* ---- series ---- */

static struct memory_row *find(struct test_board *test, struct sn_labels labels) {
    for (size_t i = 0; i < test->count; i++)
        if (sn_labels_equal(test->rows[i]->labels, labels))
            return test->rows[i];
    assert_true(test->count < MEMORY_SERIES_MAX);
    struct memory_row *row = calloc(1, sizeof *row);
    assert_non_null(row);
    assert_int_equal(sn_labels_copy(labels, &test->texts, &row->labels), SN_OK);
    sn_samples_init(&row->samples);
    test->rows[test->count++] = row;
    return row;
}

static void append(struct memory_row *row, int64_t time_ms, double value) {
    struct sn_samples *samples = &row->samples;
    assert_int_equal(sn_samples_reserve(samples, samples->count + 1), SN_OK);
    size_t at = samples->count++;
    while (at > 0 && samples->time_ms[at - 1] > time_ms) {
        samples->time_ms[at] = samples->time_ms[at - 1];
        samples->value[at] = samples->value[at - 1];
        at--;
    }
    samples->time_ms[at] = time_ms;
    samples->value[at] = value;
}

void test_board_add(struct test_board *test, int64_t time_ms, double value, const char *metric,
                    ...) {
    struct sn_label items[8] = {{SN_LABEL_METRIC_NAME, sn_str_from(metric)}};
    size_t count = 1;
    va_list args;
    va_start(args, metric);
    for (const char *name = va_arg(args, const char *); name != NULL;
         name = va_arg(args, const char *))
        items[count++] = (struct sn_label){sn_str_from(name), sn_str_from(va_arg(args, char *))};
    va_end(args);
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(items, count, &labels, NULL), SN_OK);
    append(find(test, labels), time_ms, value);
}

void test_board_run(struct test_board *test, const char *service, int64_t from_ms, int64_t to_ms,
                    double ok_per_s, double errors_per_s) {
    for (int64_t at = from_ms + 15000; at <= to_ms; at += 15000) {
        double seconds = (double)at / 1e3;
        test_board_add(test, at, seconds * ok_per_s, "sonde_operations_total", "service", service,
                       "operation", "o", "outcome", "ok", NULL);
        test_board_add(test, at, seconds * errors_per_s, "sonde_operations_total", "service",
                       service, "operation", "o", "outcome", "error", NULL);
    }
}

size_t test_board_count(const struct test_board *test, const char *metric) {
    size_t count = 0;
    for (size_t i = 0; i < test->count; i++)
        if (sn_str_equal(sn_labels_get(test->rows[i]->labels, SN_LABEL_METRIC_NAME),
                         sn_str_from(metric)))
            count += test->rows[i]->samples.count;
    return count;
}

/* ---- doors ---- */

static sn_status select_series(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct test_board *test = ctx;
    struct sn_series_list list = {
        .items = sn_arena_alloc_zero(arena, test->count + 1, sizeof *list.items)};
    test->select_count++;
    if (test->select_status != SN_OK)
        return sn_err_set(err, test->select_status, "the reader said no");
    if (list.items == NULL)
        return sn_arena_failure(arena, test->count * sizeof *list.items, err);
    for (size_t i = 0; i < test->count; i++)
        if (sn_matchers_pass(select->matchers, select->matcher_count, test->rows[i]->labels))
            list.items[list.count++] = (struct sn_read_series){i, test->rows[i]->labels};
    *ret_series = list;
    return SN_OK;
}

static sn_status read_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    struct test_board *test = ctx;
    const struct sn_samples *stored = &test->rows[series_id]->samples;
    (void)err;
    SN_TRY(sn_samples_reserve(samples, samples->count + stored->count));
    for (size_t i = 0; i < stored->count; i++)
        if (sn_range_contains(range, stored->time_ms[i])) {
            samples->time_ms[samples->count] = stored->time_ms[i];
            samples->value[samples->count++] = stored->value[i];
        }
    return SN_OK;
}

static sn_status label_values(void *ctx, struct sn_str label, const struct sn_select *select,
                              size_t count_max, struct sn_arena *arena,
                              struct sn_string_list *ret_values, struct sn_err *err) {
    struct test_board *test = ctx;
    (void)select;
    (void)count_max;
    struct sn_string_list list = {
        .items = sn_arena_alloc_zero(arena, test->count + 1, sizeof *list.items)};
    if (list.items == NULL)
        return sn_arena_failure(arena, test->count * sizeof *list.items, err);
    for (size_t i = 0; i < test->count; i++)
        list.items[list.count++] = sn_labels_get(test->rows[i]->labels, label);
    *ret_values = list;
    return SN_OK;
}

static sn_status push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                      struct sn_push_result *ret_result, struct sn_err *err) {
    struct test_board *test = ctx;
    struct sn_arena arena;
    test->push_count++;
    if (test->push_status != SN_OK)
        return sn_err_set(err, test->push_status, "the sink said no");
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->sample_count; i++) {
        struct sn_labels labels;
        const struct sn_batch_sample *sample = &batch->samples[i];
        assert_int_equal(
            sn_labels_decode(batch->series[sample->series].labels, &arena, &labels, NULL), SN_OK);
        append(find(test, labels), sample->time_ms, sample->value);
    }
    sn_arena_release(&arena);
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

/* ---- life ---- */

static struct sn_reader reader_of(struct test_board *test) {
    return (struct sn_reader){.ctx = test,
                              .select = select_series,
                              .samples = read_samples,
                              .label_values = label_values};
}

struct test_board *test_board_start(struct sn_records *records,
                                    const struct sn_board_limits *limits, size_t limit_count) {
    struct test_board *test = calloc(1, sizeof *test);
    assert_non_null(test);
    sn_fake_clock_init(&test->clock, 0, BOARD_NOW_MS);
    sn_arena_init(&test->texts, 0);
    sn_arena_init(&test->arena, 0);
    const struct sn_query_engine_options options = {.reader = reader_of(test),
                                                    .clock = &test->clock.clock};
    assert_int_equal(sn_query_engine_new(&options, &test->engine, NULL), SN_OK);
    test->querier = sn_query_engine_querier(test->engine);
    const struct sn_board_options board = {
        .querier = test->querier,
        .reader = options.reader,
        .sink = {test, push},
        .records = records,
        .clock = &test->clock.clock,
        .limits = limits,
        .limit_count = limit_count,
    };
    sn_board_init(&test->board, &board);
    sn_sparks_init(&test->sparks, test->querier);
    return test;
}

void test_board_restart(struct test_board *test) {
    struct sn_board_options options = test->board.options;
    sn_board_release(&test->board);
    sn_board_init(&test->board, &options);
}

void test_board_stop(struct test_board *test) {
    sn_board_release(&test->board);
    sn_sparks_release(&test->sparks);
    assert_null(sn_query_engine_free(test->engine));
    for (size_t i = 0; i < test->count; i++) {
        sn_samples_release(&test->rows[i]->samples);
        free(test->rows[i]);
    }
    sn_arena_release(&test->texts);
    sn_arena_release(&test->arena);
    free(test);
}

/* ---- looking ---- */

void test_board_look(struct test_board *test) {
    struct sn_err err = {.status = SN_OK};
    if (sn_board_refresh(&test->board, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_arena_reset(&test->arena);
    assert_int_equal(sn_board_read(&test->board, &test->arena, &test->view, &err), SN_OK);
}

const struct sn_board_service *test_board_service(struct test_board *test, const char *name) {
    const struct sn_board_service *service = sn_board_find(&test->view, sn_str_from(name));
    if (service == NULL)
        fail_msg("there is no service %s", name);
    return service;
}

const char *test_board_strip(struct test_board *test, const char *name) {
    static char text[SN_BOARD_SLOTS + 1];
    const struct sn_board_service *service = test_board_service(test, name);
    for (size_t i = 0; i < SN_BOARD_SLOTS; i++)
        text[i] = "-gwc"[service->strip[i] & 3];
    return text;
}
