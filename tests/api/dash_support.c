/* See dash_support.h. One thread but for the server's, which only read. */
#include "dash_support.h"

#include <stdio.h>
#include <stdlib.h>

static struct dash_series *find(struct dash *dash, struct sn_labels labels) {
    for (size_t i = dash->count; i > 0; i--) /* the newest is asked for most */
        if (sn_labels_equal(dash->series[i - 1]->labels, labels))
            return dash->series[i - 1];
    assert_true(dash->count < DASH_SERIES_MAX);
    struct dash_series *series = calloc(1, sizeof *series);
    assert_non_null(series);
    assert_int_equal(sn_labels_copy(labels, &dash->texts, &series->labels), SN_OK);
    sn_samples_init(&series->samples);
    dash->series[dash->count++] = series;
    return series;
}

void dash_add(struct dash *dash, int64_t ago_ms, double value, const char *metric, ...) {
    struct sn_label items[DASH_LABELS_MAX] = {{SN_LABEL_METRIC_NAME, sn_str_from(metric)}};
    size_t count = 1;
    va_list args;
    va_start(args, metric);
    for (const char *name = va_arg(args, const char *); name != NULL;
         name = va_arg(args, const char *)) {
        assert_true(count < DASH_LABELS_MAX);
        items[count++] = (struct sn_label){sn_str_from(name), sn_str_from(va_arg(args, char *))};
    }
    va_end(args);
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(items, count, &labels, NULL), SN_OK);
    struct sn_samples *samples = &find(dash, labels)->samples;
    assert_int_equal(sn_samples_reserve(samples, 1), SN_OK);
    samples->time_ms[samples->count] = NOW_MS - ago_ms;
    samples->value[samples->count++] = value;
}

void dash_add_service(struct dash *dash, const char *name, double ok_per_s, double errors_per_s) {
    for (int64_t ago_ms = 600000; ago_ms >= 0; ago_ms -= 15000) {
        double seconds = 600 - (double)ago_ms / 1e3;
        dash_add(dash, ago_ms, seconds * ok_per_s, "sonde_operations_total", "service", name,
                 "operation", "o", "outcome", "ok", NULL);
        dash_add(dash, ago_ms, seconds * errors_per_s, "sonde_operations_total", "service", name,
                 "operation", "o", "outcome", "error", NULL);
    }
}

/* ---- doors ---- */

static sn_status select_series(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct dash *dash = ctx;
    struct sn_series_list list = {
        .items = sn_arena_alloc_zero(arena, dash->count + 1, sizeof *list.items)};
    if (list.items == NULL)
        return sn_arena_failure(arena, dash->count * sizeof *list.items, err);
    for (size_t i = 0; i < dash->count; i++)
        if (sn_matchers_pass(select->matchers, select->matcher_count, dash->series[i]->labels))
            list.items[list.count++] = (struct sn_read_series){i, dash->series[i]->labels};
    *ret_series = list;
    return SN_OK;
}

static sn_status read_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    const struct dash *dash = ctx;
    const struct sn_samples *stored = &dash->series[series_id]->samples;
    (void)err;
    SN_TRY(sn_samples_reserve(samples, stored->count));
    for (size_t i = 0; i < stored->count; i++)
        if (sn_range_contains(range, stored->time_ms[i])) {
            samples->time_ms[samples->count] = stored->time_ms[i];
            samples->value[samples->count++] = stored->value[i];
        }
    return SN_OK;
}

static int by_text(const void *left, const void *right) {
    const struct sn_str *a = left, *b = right;
    return sn_str_compare(*a, *b);
}

/* Ascending, each of them once. */
static void sort_once(struct sn_string_list *list) {
    size_t count = 0;
    if (list->count > 0)
        qsort(list->items, list->count, sizeof list->items[0], by_text);
    for (size_t i = 0; i < list->count; i++)
        if (count == 0 || !sn_str_equal(list->items[count - 1], list->items[i]))
            list->items[count++] = list->items[i];
    list->count = count;
}

/* The names of all labels, or the values of one. */
static sn_status list_texts(const struct dash *dash, const struct sn_str *label,
                            const struct sn_select *select, struct sn_arena *arena,
                            struct sn_string_list *ret_texts, struct sn_err *err) {
    size_t max = dash->count * DASH_LABELS_MAX + 1;
    struct sn_string_list list = {.items = sn_arena_alloc_zero(arena, max, sizeof *list.items)};
    if (list.items == NULL)
        return sn_arena_failure(arena, max * sizeof *list.items, err);
    for (size_t i = 0; i < dash->count; i++) {
        struct sn_labels labels = dash->series[i]->labels;
        if (!sn_matchers_pass(select->matchers, select->matcher_count, labels))
            continue;
        for (size_t k = 0; k < labels.count; k++)
            if (label == NULL || sn_str_equal(labels.items[k].name, *label))
                list.items[list.count++] =
                    label == NULL ? labels.items[k].name : labels.items[k].value;
    }
    sort_once(&list);
    *ret_texts = list;
    return SN_OK;
}

static sn_status label_names(void *ctx, const struct sn_select *select, size_t count_max,
                             struct sn_arena *arena, struct sn_string_list *ret_names,
                             struct sn_err *err) {
    (void)count_max;
    return list_texts(ctx, NULL, select, arena, ret_names, err);
}

static sn_status label_values(void *ctx, struct sn_str label, const struct sn_select *select,
                              size_t count_max, struct sn_arena *arena,
                              struct sn_string_list *ret_values, struct sn_err *err) {
    (void)count_max;
    return list_texts(ctx, &label, select, arena, ret_values, err);
}

/* ---- life ---- */

struct dash *dash_new(void) {
    struct dash *dash = calloc(1, sizeof *dash);
    assert_non_null(dash);
    sn_arena_init(&dash->texts, 0);
    return dash;
}

void dash_start(struct dash *dash) {
    const struct sn_reader reader = {.ctx = dash,
                                     .select = select_series,
                                     .samples = read_samples,
                                     .label_names = label_names,
                                     .label_values = label_values};
    const struct sn_query_engine_options options = {.reader = reader, .clock = sn_clock_system()};
    assert_int_equal(sn_query_engine_new(&options, &dash->engine, NULL), SN_OK);
    dash->server = test_server_start_board(reader, sn_query_engine_querier(dash->engine));
}

void dash_stop(struct dash *dash) {
    reply_release(&dash->reply);
    test_server_stop(dash->server);
    assert_null(sn_query_engine_free(dash->engine));
    for (size_t i = 0; i < dash->count; i++) {
        sn_samples_release(&dash->series[i]->samples);
        free(dash->series[i]);
    }
    sn_arena_release(&dash->texts);
    free(dash);
}

/* ---- looking ---- */

const char *dash_get(struct dash *dash, const char *target) {
    static const char start[] = "{\"status\":\"success\",\"data\":";
    reply_release(&dash->reply);
    ask(dash->server, "GET", target, "", "", &dash->reply);
    if (dash->reply.status != 200 || strncmp(dash->reply.body, start, sizeof start - 1) != 0)
        fail_msg("%s: %d %s", target, dash->reply.status, dash->reply.body);
    assert_json(&dash->reply);
    return dash->reply.body;
}

void dash_has(const struct dash *dash, const char *text) {
    if (strstr(dash->reply.body, text) == NULL)
        fail_msg("no %s in %s", text, dash->reply.body);
}

void dash_has_not(const struct dash *dash, const char *text) {
    if (strstr(dash->reply.body, text) != NULL)
        fail_msg("%s in %s", text, dash->reply.body);
}

void dash_refuses(struct dash *dash, const char *target, const char *words) {
    assert_ask_fails(dash->server, "GET", target, "", "", 400, "bad_data", words);
}
