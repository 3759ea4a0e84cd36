/*
 * What administrators do with the store: snapshots and imports of data of any age.
 *
 *   POST /api/v1/admin/tsdb/delete_series?match[]=&start=&end=    204
 *   POST /api/v1/admin/tsdb/clean_tombstones                      204
 *   POST /api/v1/admin/tsdb/snapshot               {"name":"20261127T221500123Z-5f0e8c21","path":"..."}
 *   POST /api/v1/admin/tsdb/delete_snapshot?name=
 *   POST /api/v1/import?format=jsonl|prometheus|openmetrics     answered as /api/v1/import/prometheus
 *
 * The names are Prometheus' where it has them. Answered by job workers: all of them wait for the disk.
 */
#include "api/dash.h"
#include "api/prom_priv.h"
#include "codec/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SNAPSHOT_KEY_SIZE = 40 };

/* Whether the store can do it: a server in front of a cluster cannot. */
static bool can(struct sn_http_request *request, bool is_there) {
    const struct sn_err err = {.status = SN_ERR_UNSUPPORTED,
                               .text = "this server has no store of its own"};
    if (!is_there)
        sn_api_respond_failure(request, err.status, &err);
    return is_there;
}

/* When the last copy of this server's data was made, kept for the page of administrators. */
static struct sn_str last_snapshot_key(const struct sn_api *api, char buf[SNAPSHOT_KEY_SIZE]) {
    const char *place = api->options.place;
    int len = snprintf(buf, SNAPSHOT_KEY_SIZE, "last_snapshot_ms"); /* fits */
    if (place != NULL)
        len = snprintf(buf, SNAPSHOT_KEY_SIZE, "last_snapshot_ms/%016" PRIx64,
                       sn_hash_bytes(place, strlen(place), 0)); /* fits */
    return sn_str_make(buf, (size_t)len);
}

/* Losing it changes what the page says, not the copy. */
static void remember_snapshot(struct sn_api *api) {
    char text[32], key[SNAPSHOT_KEY_SIZE];
    if (api->options.commands == NULL || api->options.commands->settings == NULL)
        return;
    (void)snprintf(text, sizeof text, "%lld",
                   (long long)sn_clock_wall_ms(api->options.clock)); /* fits */
    (void)!sn_settings_put(api->options.commands->settings, last_snapshot_key(api, key),
                           sn_str_from(text), NULL);
}

int64_t sn_api_last_snapshot_ms(struct sn_api *api, struct sn_arena *arena) {
    struct sn_str text;
    char key[SNAPSHOT_KEY_SIZE];
    int64_t time_ms = 0;
    bool is_known = api->options.commands != NULL && api->options.commands->settings != NULL &&
                    sn_settings_get(api->options.commands->settings, last_snapshot_key(api, key),
                                    arena, &text, NULL) == SN_OK &&
                    sn_int64_parse(text, &time_ms) == SN_OK;
    return is_known ? time_ms : 0;
}

void sn_api_post_snapshot(struct sn_api *api, struct sn_http_request *request) {
    const struct sn_admin *admin = &api->options.admin;
    struct sn_snapshot snapshot;
    struct sn_prom_call call;
    struct sn_err err = {0};
    if (!can(request, admin->snapshot != NULL))
        return;
    sn_prom_begin(&call, api, request);
    sn_status status = admin->snapshot(admin->ctx, &snapshot, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    remember_snapshot(api);
    sn_json_write_object_begin(&call.json);
    sn_json_write_key_string(&call.json, SN_STR("name"), sn_str_from(snapshot.name));
    sn_json_write_key_string(&call.json, SN_STR("path"), sn_str_from(snapshot.path));
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

void sn_api_post_delete_snapshot(struct sn_api *api, struct sn_http_request *request) {
    const struct sn_admin *admin = &api->options.admin;
    struct sn_prom_call call;
    struct sn_str name = SN_STR("");
    struct sn_err err = {0};
    if (!can(request, admin->delete_snapshot != NULL))
        return;
    (void)sn_http_request_param(request, SN_STR("name"), &name); /* none is no name */
    sn_prom_begin(&call, api, request);
    sn_status status = admin->delete_snapshot(admin->ctx, name, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    sn_json_write_null(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

/* ---- deleting ---- */

static void answer_nothing(struct sn_http_request *request) {
    const struct sn_http_response response = {.status = 204};
    sn_http_respond(request, &response);
}

static sn_status delete_selected(struct sn_api *api, const struct sn_prom_selectors *selectors,
                                 struct sn_range range, struct sn_err *err) {
    const struct sn_admin *admin = &api->options.admin;
    if (selectors->count == 0)
        return sn_err_set(err, SN_ERR_INVALID, "no match[] parameter provided");
    for (size_t i = 0; i < selectors->count; i++) {
        const struct sn_node *node = selectors->exprs[i].root;
        const struct sn_select select = {.matchers = node->vector.matchers,
                                         .matcher_count = node->vector.matcher_count,
                                         .range = range};
        SN_TRY(admin->delete_series(admin->ctx, &select, NULL, err));
        SN_TRY(sn_expr_regex_status(&selectors->exprs[i], err));
    }
    return SN_OK;
}

void sn_api_post_delete_series(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_selectors selectors = {0};
    struct sn_range range;
    struct sn_err err = {0};
    if (!can(request, api->options.admin.delete_series != NULL))
        return;
    sn_status status = sn_prom_range(request, &range, &err);
    if (status == SN_OK)
        status = sn_prom_selectors(request, sn_http_request_arena(request), &selectors, &err);
    if (status == SN_OK)
        status = delete_selected(api, &selectors, range, &err);
    sn_prom_selectors_release(&selectors);
    if (status == SN_OK)
        answer_nothing(request);
    else
        sn_api_respond_failure(request, status, &err);
}

void sn_api_post_clean_tombstones(struct sn_api *api, struct sn_http_request *request) {
    const struct sn_admin *admin = &api->options.admin;
    struct sn_err err = {0};
    if (!can(request, admin->clean_tombstones != NULL))
        return;
    sn_status status = admin->clean_tombstones(admin->ctx, &err);
    if (status == SN_OK)
        answer_nothing(request);
    else
        sn_api_respond_failure(request, status, &err);
}

/* ---- import ---- */

static sn_status take(struct sn_api *api, struct sn_http_request *request,
                      struct sn_ingest_result *ret_result, struct sn_err *err) {
    const struct sn_push_done nobody = {.fn = NULL};
    struct sn_ingest_options options = {.default_time_ms = sn_clock_wall_ms(api->options.clock)};
    struct sn_str body = sn_http_request_body(request);
    struct sn_str format = SN_STR("jsonl");
    (void)sn_http_request_param(request, SN_STR("format"), &format); /* none is JSON lines */
    if (sn_str_equal(format, SN_STR("jsonl")))
        return sn_ingest_json_lines(&api->backfill, body, &options, nobody, ret_result, err);
    options.is_openmetrics = sn_str_equal(format, SN_STR("openmetrics"));
    if (!options.is_openmetrics && !sn_str_equal(format, SN_STR("prometheus")))
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter format: \"%.*s\" is none of jsonl, prometheus, openmetrics",
                          (int)(format.len < 40 ? format.len : 40), format.ptr);
    return sn_ingest_text(&api->backfill, body, &options, nobody, ret_result, err);
}

void sn_api_post_import(struct sn_api *api, struct sn_http_request *request) {
    struct sn_ingest_result result;
    struct sn_err err = {0};
    if (!can(request, api->options.admin.backfill.push != NULL))
        return;
    sn_status status = take(api, request, &result, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        sn_api_respond_ingested(request, &result);
}
