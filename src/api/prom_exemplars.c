/*
 * /api/v1/query_exemplars: the exemplars of all series that the selectors of a query select.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"

/* Series with exemplars of one answer; more is an error that names it. */
#define SERIES_MAX ((size_t)100000)

struct exemplar_call {
    struct sn_prom_call call;
    struct sn_range range;
    struct sn_expr expr;
};

static sn_status read_params(struct exemplar_call *all, struct sn_err *err) {
    struct sn_str text;
    SN_TRY(sn_prom_range(all->call.request, &all->range, err));
    SN_TRY(sn_prom_query_text(all->call.request, &text, err));
    return sn_prom_parse_query(&all->call, text, &all->expr, err);
}

static void write_exemplar(struct sn_json_writer *json, const struct sn_exemplar *exemplar) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("labels"));
    sn_prom_write_labels(json, exemplar->labels);
    sn_json_write_key(json, SN_STR("value"));
    sn_json_write_double_text(json, exemplar->value);
    sn_json_write_key(json, SN_STR("timestamp"));
    sn_json_write_time(json, exemplar->time_ms);
    sn_json_write_object_end(json);
}

static void write_list(struct sn_json_writer *json, const struct sn_exemplar_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct sn_exemplar_series *series = &list->items[i];
        sn_json_write_object_begin(json);
        sn_json_write_key(json, SN_STR("seriesLabels"));
        sn_prom_write_labels(json, series->labels);
        sn_json_write_key(json, SN_STR("exemplars"));
        sn_json_write_array_begin(json);
        for (size_t k = 0; k < series->count; k++)
            write_exemplar(json, &series->exemplars[k]);
        sn_json_write_array_end(json);
        sn_json_write_object_end(json);
    }
}

/* One selector after the other: as in Prometheus a series that two of them select comes twice. */
static sn_status write_selector(struct exemplar_call *all, const struct sn_node *selector,
                                struct sn_err *err) {
    const struct sn_reader *reader = &all->call.api->options.reader;
    struct sn_exemplar_list list = {.count = 0};
    struct sn_select select = {.matchers = selector->vector.matchers,
                               .matcher_count = selector->vector.matcher_count,
                               .range = all->range,
                               .series_max = SERIES_MAX};
    if (reader->exemplars == NULL)
        return SN_OK;
    SN_TRY(reader->exemplars(reader->ctx, &select, &all->call.arena, &list, err));
    write_list(&all->call.json, &list);
    return SN_OK;
}

static sn_status write_node(struct exemplar_call *all, const struct sn_node *node,
                            struct sn_err *err) {
    switch (node->kind) {
    case SN_NODE_PAREN:
        return write_node(all, node->paren, err);
    case SN_NODE_UNARY:
        return write_node(all, node->unary.child, err);
    case SN_NODE_BINARY:
        SN_TRY(write_node(all, node->binary.left, err));
        return write_node(all, node->binary.right, err);
    case SN_NODE_AGGREGATE:
        if (node->aggregate.param != NULL)
            SN_TRY(write_node(all, node->aggregate.param, err));
        return write_node(all, node->aggregate.child, err);
    case SN_NODE_CALL:
        for (size_t i = 0; i < node->call.count; i++)
            SN_TRY(write_node(all, node->call.args[i], err));
        return SN_OK;
    case SN_NODE_MATRIX:
        return write_selector(all, node->matrix.vector, err);
    case SN_NODE_SUBQUERY:
        return write_node(all, node->subquery.child, err);
    case SN_NODE_VECTOR:
        return write_selector(all, node, err);
    case SN_NODE_NUMBER:
    case SN_NODE_STRING:
    case SN_NODE_DURATION_OP:
        break;
    }
    return SN_OK;
}

static sn_status run(struct exemplar_call *all, struct sn_err *err) {
    SN_TRY(sn_expr_compile(&all->expr, err));
    sn_json_write_array_begin(&all->call.json);
    sn_status status = write_node(all, all->expr.root, err);
    sn_json_write_array_end(&all->call.json);
    if (status == SN_OK)
        status = sn_expr_regex_status(&all->expr, err);
    sn_expr_release(&all->expr);
    return status;
}

void sn_api_prom_query_exemplars(struct sn_api *api, struct sn_http_request *request) {
    struct exemplar_call all;
    struct sn_err err = {0};
    sn_prom_begin(&all.call, api, request);
    sn_status status = read_params(&all, &err);
    if (status != SN_OK) {
        sn_prom_fail(&all.call, false, status, &err);
        return;
    }
    status = run(&all, &err);
    if (status != SN_OK)
        sn_prom_fail(&all.call, true, status, &err);
    else
        sn_prom_end(&all.call, NULL, 0, NULL, 0);
}
