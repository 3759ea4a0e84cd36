/*
 * What is scraped: targets, their metadata, jobs, and reading the configuration again.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "base/limits.h"

/* ---- targets ---- */

static void empty_list(struct sn_json_writer *json, const char *key) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    sn_json_write_array_end(json);
}

static void write_no_targets(struct sn_json_writer *json) {
    sn_json_write_object_begin(json);
    empty_list(json, "activeTargets");
    empty_list(json, "droppedTargets");
    sn_json_write_key(json, SN_STR("droppedTargetCounts"));
    sn_json_write_object_begin(json);
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
}

static sn_status read_query(const struct sn_http_request *request,
                            struct sn_api_target_query *ret_query, struct sn_err *err) {
    struct sn_str state = SN_STR("any");
    *ret_query = (struct sn_api_target_query){true, true, SN_STR("")};
    (void)sn_http_request_param(request, SN_STR("scrapePool"), &ret_query->pool); /* optional */
    if (!sn_http_request_param(request, SN_STR("state"), &state) || state.len == 0 ||
        sn_str_equal(state, SN_STR("any")))
        return SN_OK;
    ret_query->wants_active = sn_str_equal(state, SN_STR("active"));
    ret_query->wants_dropped = sn_str_equal(state, SN_STR("dropped"));
    if (ret_query->wants_active || ret_query->wants_dropped)
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID,
                      "invalid parameter \"state\": not one of any, active, dropped");
}

void sn_api_prom_targets(struct sn_api *api, struct sn_http_request *request) {
    const struct sn_api_options *options = &api->options;
    struct sn_prom_call call;
    struct sn_api_target_query query;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = read_query(request, &query, &err);
    if (status == SN_OK && options->targets != NULL)
        status = options->targets(options->ctx, &query, &call.json, &err);
    else if (status == SN_OK)
        write_no_targets(&call.json);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        sn_prom_end(&call, NULL, 0, NULL, 0);
}

void sn_api_prom_scrape_pools(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    if (api->options.scrape_pools != NULL) {
        api->options.scrape_pools(api->options.ctx, &call.json);
    } else {
        sn_json_write_object_begin(&call.json);
        empty_list(&call.json, "scrapePools");
        sn_json_write_object_end(&call.json);
    }
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

/* ---- metadata ---- */

/* Targets of one call, as they stand. */
struct target_list {
    struct sn_prom_call *call;
    struct sn_prom_selectors selectors; /* of match_target: one or none */
    struct sn_labels *items;
    size_t count, capacity;
    bool is_out_of_memory;
};

static bool add_target(void *ctx, struct sn_labels labels) {
    struct target_list *list = ctx;
    if (list->selectors.count > 0) {
        const struct sn_node *node = list->selectors.exprs[0].root;
        if (!sn_matchers_pass(node->vector.matchers, node->vector.matcher_count, labels))
            return true;
    }
    list->is_out_of_memory = sn_arena_grow(&list->call->arena, &list->items, list->count,
                                           &list->capacity, sizeof *list->items, NULL) != SN_OK;
    if (list->is_out_of_memory)
        return false;
    list->items[list->count++] = labels;
    return true;
}

/* Names of the metrics that the store has of a target. */
static sn_status list_metrics(struct sn_prom_call *call, struct sn_labels target,
                              struct sn_string_list *ret_names, struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_matcher matchers[SN_LABELS_MAX];
    for (size_t i = 0; i < target.count; i++)
        matchers[i] = (struct sn_matcher){
            .kind = SN_MATCH_EQUAL, .name = target.items[i].name, .value = target.items[i].value};
    const struct sn_select select = {.matchers = matchers,
                                     .matcher_count = target.count,
                                     .range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX},
                                     .series_max = SN_PROM_SERIES_MAX};
    return reader.label_values(reader.ctx, SN_LABEL_METRIC_NAME, &select, 0, &call->arena,
                               ret_names, err);
}

/* The family of a series: the name itself, or without the suffix of its parts. */
static bool find_metadata(struct sn_prom_call *call, struct sn_str name,
                          struct sn_metadata *ret_metadata) {
    static const char *const suffixes[] = {"_bucket", "_count", "_sum", "_total"};
    struct sn_reader reader = call->api->options.reader;
    if (reader.metadata(reader.ctx, name, &call->arena, ret_metadata))
        return true;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        struct sn_str suffix = sn_str_from(suffixes[i]);
        if (sn_str_ends_with(name, suffix) &&
            reader.metadata(reader.ctx, sn_str_make(name.ptr, name.len - suffix.len), &call->arena,
                            ret_metadata))
            return true;
    }
    return false;
}

static void write_row(struct sn_prom_call *call, struct sn_labels target, struct sn_str metric,
                      const struct sn_metadata *metadata) {
    struct sn_json_writer *json = &call->json;
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("target"));
    sn_prom_write_labels(json, target);
    if (metric.len == 0)
        sn_json_write_key_string(json, SN_STR("metric"), metadata->metric_name);
    sn_json_write_key_string(json, SN_STR("type"),
                             sn_str_from(sn_metric_type_name(metadata->type)));
    sn_json_write_key_string(json, SN_STR("help"), metadata->help);
    sn_json_write_key_string(json, SN_STR("unit"), metadata->unit);
    sn_json_write_object_end(json);
}

/* Rows of one target; the parts of one family stand together in the list and give one row. */
static sn_status write_target(struct sn_prom_call *call, struct sn_labels target,
                              struct sn_str metric, size_t limit, size_t *written,
                              struct sn_err *err) {
    struct sn_string_list names = {NULL, 0, false};
    struct sn_str last = SN_STR("");
    SN_TRY(list_metrics(call, target, &names, err));
    for (size_t i = 0; i < names.count && (limit == 0 || *written < limit); i++) {
        struct sn_metadata metadata;
        if (!find_metadata(call, names.items[i], &metadata) ||
            sn_str_equal(metadata.metric_name, last) ||
            (metric.len > 0 && !sn_str_equal(metadata.metric_name, metric)))
            continue;
        last = metadata.metric_name;
        write_row(call, target, metric, &metadata);
        (*written)++;
    }
    return SN_OK;
}

static sn_status list_targets(struct target_list *list, struct sn_err *err) {
    const struct sn_api_options *options = &list->call->api->options;
    struct sn_str selector;
    if (sn_http_request_param(list->call->request, SN_STR("match_target"), &selector) &&
        selector.len > 0)
        SN_TRY(sn_prom_one_selector(selector, &list->call->arena, &list->selectors, err));
    if (options->each_target == NULL)
        return SN_OK;
    SN_TRY(options->each_target(options->ctx, &list->call->arena, add_target, list, err));
    return list->is_out_of_memory ? sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the targets")
                                  : SN_OK;
}

static sn_status write_metadata(struct sn_prom_call *call, struct sn_err *err) {
    struct target_list list = {.call = call};
    struct sn_str metric = SN_STR("");
    size_t limit = 0, written = 0;
    SN_TRY(sn_prom_limit(call->request, &limit, err));
    (void)sn_http_request_param(call->request, SN_STR("metric"), &metric); /* optional */
    sn_status status = list_targets(&list, err);
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < list.count && status == SN_OK; i++)
        status = write_target(call, list.items[i], metric, limit, &written, err);
    sn_json_write_array_end(&call->json);
    sn_prom_selectors_release(&list.selectors);
    return status;
}

void sn_api_prom_targets_metadata(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = write_metadata(&call, &err);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        sn_prom_end(&call, NULL, 0, NULL, 0);
}

/* ---- reload ---- */

void sn_api_post_reload(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    sn_status status = api->options.reload != NULL
                           ? api->options.reload(api->options.ctx, &err)
                           : sn_err_set(&err, SN_ERR_UNSUPPORTED, "nothing can be reloaded");
    if (status != SN_OK) {
        sn_api_respond_failure(request, status, &err);
        return;
    }
    sn_http_respond(request, &(struct sn_http_response){.status = 200});
}
