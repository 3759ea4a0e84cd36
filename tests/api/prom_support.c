/* The table and the engines of prom_support.h. */
#include "prom_support.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LABELS_MAX = 3, STEP_MS = 15000, AGE_MS = 600000 };

struct table_series {
    struct sn_label labels[LABELS_MAX]; /* sorted */
    size_t label_count;
    double value;
    bool is_gone, is_past;
};

#define NAME(text)                                                                                 \
    { SN_STR("__name__"), SN_STR(text) }
#define INSTANCE(text)                                                                             \
    { SN_STR("instance"), SN_STR(text) }
#define JOB(text)                                                                                  \
    { SN_STR("job"), SN_STR(text) }

/* Sorted by labels. */
static const struct table_series table[] = {
    {{NAME("gone"), JOB("x")}, 2, 3, .is_gone = true},
    {{NAME("hits"), INSTANCE("a")}, 2, 7, .is_gone = false},
    {{NAME("past"), JOB("x")}, 2, 4, .is_past = true},
    {{NAME("temp"), INSTANCE("a"), JOB("x")}, 3, 1.5, .is_gone = false},
    {{NAME("temp"), INSTANCE("b"), JOB("x")}, 3, 2.5, .is_gone = false},
    {{NAME("wide.name"), {SN_STR("a.b"), SN_STR("c/d")}, JOB("y")}, 3, HUGE_VAL, .is_gone = false},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static struct sn_labels labels_of(size_t i) {
    return (struct sn_labels){table[i].labels, table[i].label_count};
}

static bool is_selected(const struct sn_select *select, size_t i) {
    const struct sn_range lifetime = {NOW_MS - AGE_MS, table[i].is_past ? NOW_MS - AGE_MS : NOW_MS};
    return sn_range_overlaps(select->range, lifetime) &&
           sn_matchers_pass(select->matchers, select->matcher_count, labels_of(i));
}

static sn_status table_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                              struct sn_series_list *ret_series, struct sn_err *err) {
    (void)ctx;
    struct sn_series_list list = {sn_arena_alloc(arena, TABLE_COUNT * sizeof *list.items), 0};
    if (list.items == NULL)
        return sn_arena_failure(arena, TABLE_COUNT * sizeof *list.items, err);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (is_selected(select, i))
            list.items[list.count++] = (struct sn_read_series){i, labels_of(i)};
    *ret_series = list;
    return SN_OK;
}

static sn_status table_samples(void *ctx, uint64_t series_id, struct sn_range range,
                               struct sn_samples *samples, struct sn_err *err) {
    (void)ctx;
    const struct table_series *series = &table[series_id];
    if (sn_samples_reserve(samples, AGE_MS / STEP_MS + 1) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for samples");
    for (int64_t time_ms = NOW_MS - AGE_MS; time_ms <= NOW_MS; time_ms += STEP_MS) {
        if (!sn_range_contains(range, time_ms))
            continue;
        bool is_stale = series->is_gone && time_ms == NOW_MS;
        samples->time_ms[samples->count] = time_ms;
        samples->value[samples->count++] =
            is_stale ? sn_double_from_bits(SN_STALE_NAN_BITS) : series->value;
        if (series->is_past)
            break;
    }
    return SN_OK;
}

static int compare_strings(const void *a, const void *b) {
    return sn_str_compare(*(const struct sn_str *)a, *(const struct sn_str *)b);
}

/* Names of labels (label empty), or values of one. */
static sn_status table_strings(struct sn_str label, const struct sn_select *select,
                               struct sn_arena *arena, struct sn_string_list *ret_list) {
    struct sn_str *items = sn_arena_alloc_zero(arena, TABLE_COUNT * LABELS_MAX, sizeof *items);
    size_t count = 0, kept = 0;
    if (items == NULL)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        for (size_t j = 0; j < table[i].label_count && is_selected(select, i); j++) {
            const struct sn_label *at = &table[i].labels[j];
            if (label.len == 0 || sn_str_equal(at->name, label))
                items[count++] = label.len == 0 ? at->name : at->value;
        }
    qsort(items, count, sizeof *items, compare_strings);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !sn_str_equal(items[i], items[kept - 1]))
            items[kept++] = items[i];
    *ret_list = (struct sn_string_list){items, kept, false};
    return SN_OK;
}

static sn_status table_label_names(void *ctx, const struct sn_select *select, size_t count_max,
                                   struct sn_arena *arena, struct sn_string_list *ret_names,
                                   struct sn_err *err) {
    (void)ctx;
    (void)count_max;
    (void)err;
    return table_strings(SN_STR(""), select, arena, ret_names);
}

static sn_status table_label_values(void *ctx, struct sn_str label, const struct sn_select *select,
                                    size_t count_max, struct sn_arena *arena,
                                    struct sn_string_list *ret_values, struct sn_err *err) {
    (void)ctx;
    (void)count_max;
    (void)err;
    return table_strings(label, select, arena, ret_values);
}

static bool table_metadata(void *ctx, struct sn_str metric_name, struct sn_arena *arena,
                           struct sn_metadata *ret_metadata) {
    (void)ctx;
    (void)arena;
    *ret_metadata =
        (struct sn_metadata){metric_name, SN_METRIC_COUNTER, SN_STR("Hits."), SN_STR("")};
    return sn_str_equal(metric_name, SN_STR("hits"));
}

/* Two exemplars of hits. */
static sn_status table_exemplars(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                                 struct sn_exemplar_list *ret_exemplars, struct sn_err *err) {
    static const struct sn_label trace = {{"trace_id", 8}, {"abc", 3}};
    static const struct sn_exemplar exemplars[] = {
        {{NULL, 0}, 0.5, NOW_MS - 60000}, {{(struct sn_label *)(uintptr_t)&trace, 1}, 2, NOW_MS}};
    (void)ctx;
    struct sn_exemplar_series *series = sn_arena_alloc(arena, TABLE_COUNT * sizeof *series);
    size_t count = 0;
    if (series == NULL)
        return sn_arena_failure(arena, TABLE_COUNT * sizeof *series, err);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        struct sn_str name = sn_labels_get(labels_of(i), SN_LABEL_METRIC_NAME);
        if (is_selected(select, i) && sn_str_equal(name, SN_STR("hits")))
            series[count++] = (struct sn_exemplar_series){labels_of(i), exemplars, 2};
    }
    *ret_exemplars = (struct sn_exemplar_list){series, count};
    return SN_OK;
}

struct sn_reader table_reader(void) {
    return (struct sn_reader){
        .select = table_select,
        .samples = table_samples,
        .exemplars = table_exemplars,
        .label_names = table_label_names,
        .label_values = table_label_values,
        .metadata = table_metadata,
    };
}

/* ---- engines ---- */

static struct sn_query_engine *engine;

static void nap(void) {
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static sn_status scripted_query(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                                struct sn_query_result *ret_result, struct sn_err *err) {
    struct scripted_engine *script = ctx;
    script->last = *query;
    atomic_store(&script->is_entered, true);
    while (script->waits_for_cancel && !atomic_load(query->is_cancelled))
        nap();
    atomic_store(&script->was_cancelled, atomic_load(query->is_cancelled));
    if (script->status != SN_OK)
        return sn_err_set(err, script->status, "the engine said no");
    sn_mem_fail_nth(script->fail_nth);
    if (script->result == NULL) {
        struct sn_querier real = sn_query_engine_querier(engine);
        return real.query(real.ctx, query, arena, ret_result, err);
    }
    *ret_result = *script->result;
    return SN_OK;
}

struct test_server *prom_server_start(struct scripted_engine *script) {
    const struct sn_query_engine_options options = {
        .reader = table_reader(),
        .clock = sn_clock_system(),
    };
    assert_int_equal(sn_query_engine_new(&options, &engine, NULL), SN_OK);
    struct sn_querier querier = {script, scripted_query};
    if (script == NULL)
        querier = sn_query_engine_querier(engine);
    return test_server_start_promql(table_reader(), querier);
}

void prom_server_stop(struct test_server *server) {
    test_server_stop(server);
    engine = sn_query_engine_free(engine);
}

/* ---- answers ---- */

static void check_data(const struct reply *reply, const char *target, const char *data) {
    char start[8192];
    (void)snprintf(start, sizeof start, "{\"status\":\"success\",\"data\":%s}", data);
    if (reply->status != 200 || strcmp(reply->body, start) != 0)
        fail_msg("%s: wanted %s, got %d: %s", target, start, reply->status, reply->body);
    assert_json(reply);
}

void assert_data(const struct test_server *server, const char *target, const char *data) {
    struct reply reply;
    ask(server, "GET", target, "", "", &reply);
    check_data(&reply, target, data);
    reply_release(&reply);
}

void assert_form_data(const struct test_server *server, const char *target, const char *form,
                      const char *data) {
    struct reply reply;
    ask(server, "POST", target, FORM, form, &reply);
    check_data(&reply, form, data);
    reply_release(&reply);
}

void assert_bad(const struct test_server *server, const char *target, const char *text) {
    assert_ask_fails(server, "GET", target, "", "", 400, "bad_data", text);
}
