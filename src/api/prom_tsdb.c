/*
 * /api/v1/status/tsdb: which metrics and labels make up the series.
 *
 * The store counts them from its index. Where there is only a reader: one walk, all labels of all series in one array, sorted by name and value. Equal ones are
 * neighbours then, and every list is a count of runs. Memory is that of one call: 16 bytes per label
 * and the labels themselves, so that a store with too many series is told so.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "base/limits.h"

#include <stdlib.h>

/* Rows of each list: Prometheus' default, and what a person may still want to read. */
#define ROWS_DEFAULT ((size_t)10)
#define ROWS_MAX ((size_t)1000)

struct row {
    struct sn_str name, value; /* value is empty where the name says all */
    uint64_t number;
};

/* The largest rows, in falling order; equal ones in order of arrival. */
struct top {
    struct row *rows; /* [max], in the arena */
    size_t count, max;
};

struct tsdb {
    struct top by_metric, values_by_name, bytes_by_name, by_pair;
    size_t series_count, pair_count;
    bool has_more; /* what only the store knows follows */
    struct sn_cardinality cardinality;
};

static void top_add(struct top *top, struct row row) {
    size_t place = top->count;
    while (place > 0 && top->rows[place - 1].number < row.number)
        place--;
    if (place == top->max)
        return;
    size_t kept = top->count < top->max ? top->count : top->max - 1;
    memmove(&top->rows[place + 1], &top->rows[place], (kept - place) * sizeof row);
    top->rows[place] = row;
    top->count = kept + 1;
}

static sn_status top_init(struct top *top, size_t max, struct sn_arena *arena, struct sn_err *err) {
    top->max = max;
    top->rows = sn_arena_alloc_zero(arena, max, sizeof *top->rows);
    return top->rows ? SN_OK : sn_arena_failure(arena, max * sizeof *top->rows, err);
}

static int compare_labels(const void *a, const void *b) {
    const struct sn_label *x = a, *y = b;
    int order = sn_str_compare(x->name, y->name);
    return order != 0 ? order : sn_str_compare(x->value, y->value);
}

/* All labels of the series, sorted. */
static sn_status gather(struct sn_arena *arena, const struct sn_series_list *list,
                        struct sn_label **ret_labels, size_t *ret_count, struct sn_err *err) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].labels.count;
    struct sn_label *labels = sn_arena_alloc(arena, count * sizeof *labels);
    if (labels == NULL)
        return sn_arena_failure(arena, count * sizeof *labels, err);
    struct sn_label *at = labels;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->items[i].labels.count; j++)
            *at++ = list->items[i].labels.items[j];
    if (count > 0)
        qsort(labels, count, sizeof *labels, compare_labels);
    *ret_labels = labels;
    *ret_count = count;
    return SN_OK;
}

/* One label=value, which `series_count` series have. */
static void count_pair(struct tsdb *tsdb, const struct sn_label *pair, size_t series_count) {
    struct row row = {pair->name, pair->value, series_count};
    tsdb->pair_count++;
    top_add(&tsdb->by_pair, row);
    if (sn_str_equal(pair->name, SN_LABEL_METRIC_NAME))
        top_add(&tsdb->by_metric, (struct row){pair->value, SN_STR(""), series_count});
}

/* Labels of one name, [count]. */
static void count_name(struct tsdb *tsdb, const struct sn_label *labels, size_t count) {
    uint64_t value_count = 0, bytes = 0;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count; end++)
            if (!sn_str_equal(labels[end].value, labels[start].value))
                break;
        count_pair(tsdb, &labels[start], end - start);
        value_count++;
        bytes += labels[start].value.len;
    }
    top_add(&tsdb->values_by_name, (struct row){labels[0].name, SN_STR(""), value_count});
    top_add(&tsdb->bytes_by_name, (struct row){labels[0].name, SN_STR(""), bytes});
}

static void count_all(struct tsdb *tsdb, const struct sn_label *labels, size_t count) {
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count; end++)
            if (!sn_str_equal(labels[end].name, labels[start].name))
                break;
        count_name(tsdb, labels + start, end - start);
    }
}

static sn_status read_limit(struct sn_prom_call *call, size_t *ret_limit, struct sn_err *err) {
    size_t limit = 0;
    SN_TRY(sn_prom_limit(call->request, &limit, err));
    if (limit > ROWS_MAX)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"limit\": at most %zu rows are given", ROWS_MAX);
    *ret_limit = limit > 0 ? limit : ROWS_DEFAULT;
    return SN_OK;
}

static sn_status init_tops(struct sn_prom_call *call, struct tsdb *tsdb, struct sn_err *err) {
    struct top *tops[] = {&tsdb->by_metric, &tsdb->values_by_name, &tsdb->bytes_by_name,
                          &tsdb->by_pair};
    size_t limit = 0;
    SN_TRY(read_limit(call, &limit, err));
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
        SN_TRY(top_init(tops[i], limit, &call->arena, err));
    return SN_OK;
}

static void take_list(struct top *top, const struct sn_cardinality_list *list) {
    for (size_t i = 0; i < list->count; i++)
        top_add(top, (struct row){list->rows[i].name, list->rows[i].value, list->rows[i].count});
}

static sn_status ask_store(struct sn_prom_call *call, struct tsdb *tsdb, struct sn_err *err) {
    const struct sn_admin *admin = &call->api->options.admin;
    struct sn_cardinality *found = &tsdb->cardinality;
    SN_TRY(admin->cardinality(admin->ctx, tsdb->by_metric.max, &call->arena, found, err));
    take_list(&tsdb->by_metric, &found->series_by_metric);
    take_list(&tsdb->values_by_name, &found->values_by_label);
    take_list(&tsdb->bytes_by_name, &found->bytes_by_label);
    take_list(&tsdb->by_pair, &found->series_by_pair);
    tsdb->series_count = found->series_count;
    tsdb->pair_count = found->label_pair_count;
    tsdb->has_more = true;
    return SN_OK;
}

static sn_status read_tsdb(struct sn_prom_call *call, struct tsdb *tsdb, struct sn_err *err) {
    /* Every metric has a name. */
    static const struct sn_matcher any = {
        .kind = SN_MATCH_NOT_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("")};
    const struct sn_select select = {
        .matchers = &any,
        .matcher_count = 1,
        .range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX},
        .series_max = SN_PROM_SERIES_MAX,
    };
    struct sn_reader reader = call->api->options.reader;
    struct sn_series_list list;
    struct sn_label *labels = NULL;
    size_t label_count = 0;
    SN_TRY(init_tops(call, tsdb, err));
    if (call->api->options.admin.cardinality)
        return ask_store(call, tsdb, err);
    SN_TRY(reader.select(reader.ctx, &select, &call->arena, &list, err));
    SN_TRY(gather(&call->arena, &list, &labels, &label_count, err));
    tsdb->series_count = list.count;
    count_all(tsdb, labels, label_count);
    return SN_OK;
}

static void write_row(struct sn_prom_call *call, const struct row *row) {
    struct sn_str name = row->name;
    if (row->value.len > 0)
        name = sn_str_from(sn_arena_printf(&call->arena, "%.*s=%.*s", SN_STR_ARG(row->name),
                                           SN_STR_ARG(row->value)));
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("name"), name);
    sn_json_write_key_uint64(&call->json, SN_STR("value"), row->number);
    sn_json_write_object_end(&call->json);
}

static void write_top(struct sn_prom_call *call, const char *key, const struct top *top) {
    sn_json_write_key(&call->json, sn_str_from(key));
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < top->count; i++)
        write_row(call, &top->rows[i]);
    sn_json_write_array_end(&call->json);
}

static void write_hours(struct sn_prom_call *call, const struct sn_cardinality *cardinality) {
    sn_json_write_key(&call->json, SN_STR("seriesCreatedByHour"));
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < cardinality->hour_count; i++) {
        char time[SN_TIME_TEXT_SIZE];
        sn_time_format(cardinality->hours[i].time_ms, time);
        sn_json_write_object_begin(&call->json);
        sn_json_write_key_string(&call->json, SN_STR("name"), sn_str_from(time));
        sn_json_write_key_uint64(&call->json, SN_STR("value"), cardinality->hours[i].created_count);
        sn_json_write_object_end(&call->json);
    }
    sn_json_write_array_end(&call->json);
}

static void write_storage(struct sn_prom_call *call) {
    const struct sn_admin *admin = &call->api->options.admin;
    struct sn_storage storage;
    struct sn_json_writer *json = &call->json;
    admin->storage(admin->ctx, &storage);
    double samples = (double)storage.segment_sample_count;
    sn_json_write_key(json, SN_STR("storage"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("series"), storage.series_count);
    sn_json_write_key_uint64(json, SN_STR("segments"), storage.segment_count);
    sn_json_write_key_uint64(json, SN_STR("segmentBytes"), storage.segment_bytes);
    sn_json_write_key_uint64(json, SN_STR("segmentSamples"), storage.segment_sample_count);
    sn_json_write_key(json, SN_STR("bytesPerSample"));
    sn_json_write_double(json, samples > 0 ? (double)storage.segment_bytes / samples : 0);
    sn_json_write_key_uint64(json, SN_STR("rollupBytes"), storage.rollup_bytes);
    sn_json_write_key_uint64(json, SN_STR("logBytes"), storage.log_bytes);
    sn_json_write_key_uint64(json, SN_STR("logFiles"), storage.log_file_count);
    sn_json_write_key_uint64(json, SN_STR("headBytes"), storage.head_bytes);
    sn_json_write_key_uint64(json, SN_STR("tombstones"), storage.tombstone_count);
    sn_json_write_object_end(json);
}

/* What Prometheus does not tell. */
static void write_more(struct sn_prom_call *call, const struct tsdb *tsdb, size_t max) {
    struct top by_label = {.max = 0};
    if (!tsdb->has_more || top_init(&by_label, max, &call->arena, NULL) != SN_OK)
        return; /* the answer is whole without it */
    take_list(&by_label, &tsdb->cardinality.series_by_label);
    write_top(call, "seriesCountByLabelName", &by_label);
    write_hours(call, &tsdb->cardinality);
    if (call->api->options.admin.storage)
        write_storage(call);
}

void sn_api_prom_tsdb(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct tsdb tsdb = {.series_count = 0};
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = read_tsdb(&call, &tsdb, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    sn_json_write_object_begin(&call.json);
    sn_json_write_key(&call.json, SN_STR("headStats"));
    sn_json_write_object_begin(&call.json);
    sn_json_write_key_uint64(&call.json, SN_STR("numSeries"), tsdb.series_count);
    sn_json_write_key_uint64(&call.json, SN_STR("numLabelPairs"), tsdb.pair_count);
    sn_json_write_object_end(&call.json);
    write_top(&call, "seriesCountByMetricName", &tsdb.by_metric);
    write_top(&call, "labelValueCountByLabelName", &tsdb.values_by_name);
    write_top(&call, "memoryInBytesByLabelName", &tsdb.bytes_by_name);
    write_top(&call, "seriesCountByLabelValuePair", &tsdb.by_pair);
    write_more(&call, &tsdb, tsdb.by_metric.max);
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}
