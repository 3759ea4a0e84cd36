/*
 * /api/v1/series, labels, label/{name}/values, metadata: what is stored.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"

#include <stdlib.h>

/* Series of one answer when no limit is given; more is an error that names it. */
#define SERIES_MAX ((size_t)1000000)

static const struct sn_str cut_warning = SN_STR("results truncated due to limit");

/* What all of these calls read. */
struct filter {
    struct sn_prom_selectors selectors;
    struct sn_range range;
    size_t limit;
};

static sn_status read_filter(struct sn_prom_call *call, struct filter *filter, struct sn_err *err) {
    SN_TRY(sn_prom_range(call->request, &filter->range, err));
    SN_TRY(sn_prom_limit(call->request, &filter->limit, err));
    return sn_prom_selectors(call->request, &call->arena, &filter->selectors, err);
}

static struct sn_select select_of(const struct filter *filter, size_t index) {
    struct sn_select select = {.range = filter->range, .series_max = SERIES_MAX};
    if (index < filter->selectors.count) {
        const struct sn_node *node = filter->selectors.exprs[index].root;
        select.matchers = node->vector.matchers;
        select.matcher_count = node->vector.matcher_count;
    }
    return select;
}

/* A regex that gave up would hide series: ask after each selection. */
static sn_status check_regex(const struct filter *filter, size_t index, struct sn_err *err) {
    if (index >= filter->selectors.count)
        return SN_OK;
    return sn_expr_regex_status(&filter->selectors.exprs[index], err);
}

/* ---- series ---- */

static int compare_series(const void *a, const void *b) {
    const struct sn_read_series *x = a, *y = b;
    return sn_labels_compare(x->labels, y->labels);
}

/* Series of all selectors, sorted, each once. */
static sn_status select_all(struct sn_prom_call *call, const struct filter *filter,
                            struct sn_series_list *ret_list, struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_series_list all = {0};
    for (size_t i = 0; i < filter->selectors.count; i++) {
        struct sn_series_list part;
        struct sn_select select = select_of(filter, i);
        SN_TRY(reader.select(reader.ctx, &select, &call->arena, &part, err));
        SN_TRY(check_regex(filter, i, err));
        size_t count = all.count + part.count;
        struct sn_read_series *items = sn_arena_alloc(&call->arena, count * sizeof *items);
        if (items == NULL)
            return sn_arena_failure(&call->arena, count * sizeof *items, err);
        if (all.count > 0)
            memcpy(items, all.items, all.count * sizeof *items);
        if (part.count > 0)
            memcpy(items + all.count, part.items, part.count * sizeof *items);
        all = (struct sn_series_list){items, count};
    }
    if (all.count > 0)
        qsort(all.items, all.count, sizeof *all.items, compare_series);
    *ret_list = all;
    return SN_OK;
}

/* Write series that differ from their neighbour; returns whether the limit cut some off. */
static bool write_series(struct sn_json_writer *json, const struct sn_series_list *list,
                         size_t limit) {
    size_t written = 0;
    bool is_cut = false;
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list->count && !is_cut; i++) {
        if (i > 0 && list->items[i].id == list->items[i - 1].id)
            continue;
        is_cut = limit > 0 && written == limit;
        if (!is_cut)
            sn_prom_write_labels(json, list->items[i].labels);
        written++;
    }
    sn_json_write_array_end(json);
    return is_cut;
}

static sn_status find_series(struct sn_prom_call *call, struct filter *filter,
                             struct sn_series_list *ret_list, struct sn_err *err) {
    SN_TRY(read_filter(call, filter, err));
    if (filter->selectors.count == 0)
        return sn_err_set(err, SN_ERR_INVALID, "no match[] parameter provided");
    return select_all(call, filter, ret_list, err);
}

void sn_api_prom_series(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct filter filter = {0};
    struct sn_series_list list = {0};
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = find_series(&call, &filter, &list, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
    } else {
        bool is_cut = write_series(&call.json, &list, filter.limit);
        sn_prom_end(&call, &cut_warning, is_cut, NULL, 0);
    }
    sn_prom_selectors_release(&filter.selectors);
}

/* ---- names and values ---- */

static int compare_strings(const void *a, const void *b) {
    const struct sn_str *x = a, *y = b;
    return sn_str_compare(*x, *y);
}

/* Add a sorted list to a sorted list; each text once. */
static sn_status unite(struct sn_arena *arena, struct sn_string_list *all,
                       const struct sn_string_list *part, struct sn_err *err) {
    size_t count = all->count + part->count, kept = 0;
    struct sn_str *items = sn_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return sn_arena_failure(arena, count * sizeof *items, err);
    for (size_t i = 0; i < all->count; i++)
        items[i] = all->items[i];
    for (size_t i = 0; i < part->count; i++)
        items[all->count + i] = part->items[i];
    qsort(items, count, sizeof *items, compare_strings);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !sn_str_equal(items[i], items[kept - 1]))
            items[kept++] = items[i];
    all->items = items;
    all->count = kept;
    return SN_OK;
}

/* Names of labels (label empty), or values of one, over all selectors (none: everything). */
static sn_status list_strings(struct sn_prom_call *call, const struct filter *filter,
                              struct sn_str label, struct sn_string_list *ret_list,
                              struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_string_list all = {0};
    size_t rounds = filter->selectors.count ? filter->selectors.count : 1;
    for (size_t i = 0; i < rounds; i++) {
        struct sn_string_list part = {0};
        struct sn_select select = select_of(filter, i);
        sn_status status =
            label.len == 0
                ? reader.label_names(reader.ctx, &select, 0, &call->arena, &part, err)
                : reader.label_values(reader.ctx, label, &select, 0, &call->arena, &part, err);
        if (status != SN_OK)
            return status;
        SN_TRY(check_regex(filter, i, err));
        SN_TRY(unite(&call->arena, &all, &part, err));
    }
    *ret_list = all;
    return SN_OK;
}

static void answer_strings(struct sn_prom_call *call, struct sn_str label) {
    struct filter filter = {0};
    struct sn_string_list list = {0};
    struct sn_err err = {0};
    sn_status status = read_filter(call, &filter, &err);
    if (status == SN_OK)
        status = list_strings(call, &filter, label, &list, &err);
    if (status != SN_OK) {
        sn_prom_fail(call, false, status, &err);
    } else {
        bool is_cut = filter.limit > 0 && list.count > filter.limit;
        size_t count = is_cut ? filter.limit : list.count;
        sn_json_write_array_begin(&call->json);
        for (size_t i = 0; i < count; i++)
            sn_json_write_string(&call->json, list.items[i]);
        sn_json_write_array_end(&call->json);
        sn_prom_end(call, &cut_warning, is_cut, NULL, 0);
    }
    sn_prom_selectors_release(&filter.selectors);
}

void sn_api_prom_labels(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    answer_strings(&call, SN_STR(""));
}

/* The piece between "/label/" and "/values" of the path as sent, with escapes undone. */
static sn_status label_of_path(struct sn_prom_call *call, struct sn_str *ret_label,
                               struct sn_err *err) {
    static const struct sn_str before = SN_STR("/api/v1/label/");
    struct sn_str raw = sn_http_request_path_raw(call->request), tail;
    struct sn_str rest = sn_str_make(raw.ptr + before.len, raw.len - before.len), piece;
    (void)sn_str_cut(rest, '/', &piece, &tail); /* The route has matched: there is a slash. */
    SN_TRY(sn_http_decode(&call->arena, piece, false, ret_label, err));
    if (ret_label->len == 0 || !sn_str_is_utf8(*ret_label))
        return sn_err_set(err, SN_ERR_INVALID, "invalid label name: \"%.*s\"",
                          (int)(piece.len < 80 ? piece.len : 80), piece.ptr);
    return SN_OK;
}

void sn_api_prom_label_values(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_str label;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = label_of_path(&call, &label, &err);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        answer_strings(&call, label);
}

/* ---- metadata ---- */

/* Returns whether anything is known about the metric. */
static bool write_metadata(struct sn_prom_call *call, struct sn_str metric) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_metadata metadata;
    if (!reader.metadata(reader.ctx, metric, &call->arena, &metadata))
        return false;
    sn_json_write_key(&call->json, metric);
    sn_json_write_array_begin(&call->json);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("type"),
                             sn_str_from(sn_metric_type_name(metadata.type)));
    sn_json_write_key_string(&call->json, SN_STR("help"), metadata.help);
    sn_json_write_key_string(&call->json, SN_STR("unit"), metadata.unit);
    sn_json_write_object_end(&call->json);
    sn_json_write_array_end(&call->json);
    return true;
}

/* The metric asked for, or the names of all metrics. */
static sn_status metadata_names(struct sn_prom_call *call, struct sn_string_list *ret_names,
                                struct sn_err *err) {
    struct sn_str *metric = sn_arena_alloc(&call->arena, sizeof *metric);
    if (metric == NULL)
        return sn_arena_failure(&call->arena, sizeof *metric, err);
    if (sn_http_request_param(call->request, SN_STR("metric"), metric) && metric->len > 0) {
        *ret_names = (struct sn_string_list){metric, 1, false};
        return SN_OK;
    }
    const struct filter everything = {.range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX}};
    return list_strings(call, &everything, SN_LABEL_METRIC_NAME, ret_names, err);
}

void sn_api_prom_metadata(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_string_list names = {0};
    struct sn_err err = {0};
    size_t limit = 0;
    sn_prom_begin(&call, api, request);
    sn_status status = sn_prom_limit(request, &limit, &err);
    if (status == SN_OK)
        status = metadata_names(&call, &names, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    sn_json_write_object_begin(&call.json);
    size_t written = 0; /* Metrics without metadata do not count. */
    for (size_t i = 0; i < names.count && (limit == 0 || written < limit); i++)
        written += write_metadata(&call, names.items[i]);
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}
