/*
 * Dispatch: from a request to its route, with access check, metrics and job queue. See api.h.
 */
#include "api/api.h"

#include "api/access.h"
#include "api/stream_hub.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/number.h"

#define JOB_WORKERS_DEFAULT 2

/* ---- life ---- */

sn_status sn_api_open(const struct sn_api_options *options, struct sn_api **ret_api,
                      struct sn_err *err) {
    struct sn_api *api = sn_alloc_zero(1, sizeof *api);
    if (api == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the HTTP interface");
    api->options = *options;
    api->hash_seed = sn_rng_system_seed();
    api->stream_points_min = SN_API_STREAM_POINTS_MIN;
    if (api->options.job_worker_count == 0)
        api->options.job_worker_count = JOB_WORKERS_DEFAULT;
    sn_jobs_init(&api->jobs);
    sn_prom_watch_init(&api->watch);
    sn_otlp_deltas_init(&api->deltas, 0);
    sn_ingest_init_beside(&api->backfill, options->admin.backfill, options->ingest);
    sn_status status = sn_api_page_open(api, err);
    if (status == SN_OK)
        status = sn_api_stream_open(api, err);
    if (status != SN_OK) {
        (void)sn_api_close(api); /* NULL, always */
        return status;
    }
    *ret_api = api;
    return SN_OK;
}

struct sn_api *sn_api_close(struct sn_api *api) {
    if (api == NULL)
        return NULL;
    sn_api_page_close(api);
    api->streams = sn_stream_hub_close(api->streams);
    sn_prom_watch_release(&api->watch);
    sn_otlp_deltas_release(&api->deltas);
    sn_jobs_release(&api->jobs);
    sn_free(api);
    return NULL;
}

size_t sn_api_workers(struct sn_api *api, struct sn_worker *ret_workers, size_t max) {
    size_t count = 0;
    if (count < max)
        ret_workers[count++] = sn_prom_watch_worker(&api->watch);
    if (count < max)
        ret_workers[count++] = sn_stream_hub_worker(api->streams);
    for (unsigned i = 0; i < api->options.job_worker_count && count < max; i++)
        ret_workers[count++] = sn_jobs_worker(&api->jobs);
    return count;
}

/* ---- answers ---- */

static int http_status_of(sn_status status, const char **ret_type) {
    static const struct {
        sn_status status;
        int http;
        const char *type;
    } rows[] = {
        {SN_ERR_INVALID, 400, "bad_data"},      {SN_ERR_EXISTS, 409, "conflict"},
        {SN_ERR_LIMIT, 422, "limit"},           {SN_ERR_NOT_FOUND, 404, "not_found"},
        {SN_ERR_DENIED, 403, "forbidden"},      {SN_ERR_BUSY, 429, "busy"},
        {SN_ERR_TIMEOUT, 503, "timeout"},       {SN_ERR_NO_SPACE, 503, "unavailable"},
        {SN_ERR_IO, 503, "unavailable"},        {SN_ERR_CLOSED, 503, "unavailable"},
        {SN_ERR_NO_MEMORY, 503, "unavailable"}, {SN_ERR_UNSUPPORTED, 501, "unsupported"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status) {
            *ret_type = rows[i].type;
            return rows[i].http;
        }
    *ret_type = "internal";
    return 500;
}

const char *sn_api_error_type(sn_status status) {
    const char *type;
    (void)http_status_of(status, &type); /* the name alone */
    return type;
}

void sn_api_respond_sentence(struct sn_http_request *request, sn_status status,
                             const char *sentence) {
    const char *type;
    int http = http_status_of(status, &type);
    sn_http_respond_error(request, http, type,
                          sentence[0] != '\0' ? sentence : sn_status_name(status));
}

void sn_api_respond_failure(struct sn_http_request *request, sn_status status,
                            const struct sn_err *err) {
    sn_api_respond_sentence(request, status, err->text);
}

void sn_api_respond_json_status(struct sn_http_request *request, int http_status,
                                struct sn_json_writer *json, struct sn_buf *buf) {
    struct sn_err err = {0};
    sn_status status = sn_json_write_finish(json, &err);
    if (status != SN_OK) {
        sn_api_respond_failure(request, status, &err);
        return;
    }
    const struct sn_http_response response = {
        .status = http_status,
        .content_type = "application/json",
        .body_buf = buf,
    };
    sn_http_respond(request, &response);
}

void sn_api_respond_json(struct sn_http_request *request, struct sn_json_writer *json,
                         struct sn_buf *buf) {
    sn_api_respond_json_status(request, 200, json, buf);
}

void sn_api_respond_written(struct sn_api *api, struct sn_http_request *request,
                            sn_api_write write) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_err err = {0};
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_status status = write(api, request, &json, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        sn_api_respond_json(request, &json, &buf);
    sn_buf_release(&buf);
}

sn_status sn_api_path_piece(struct sn_http_request *request, size_t number,
                            struct sn_str *ret_piece, struct sn_err *err) {
    struct sn_str rest = sn_http_request_path_raw(request), piece = {NULL, 0};
    for (size_t i = 0; i <= number; i++)
        if (!sn_str_cut(rest, '/', &piece, &rest) && i < number)
            return sn_err_set(err, SN_ERR_NOT_FOUND, "the path has no piece %zu", number);
    return sn_http_decode(sn_http_request_arena(request), piece, false, ret_piece, err);
}

sn_status sn_api_path_id(struct sn_http_request *request, size_t number, int64_t *ret_id,
                         struct sn_err *err) {
    struct sn_str piece;
    int64_t id;
    SN_TRY(sn_api_path_piece(request, number, &piece, err));
    if (sn_int64_parse(piece, &id) != SN_OK || id < 1)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "\"%.*s\" is not an id",
                          (int)(piece.len < 80 ? piece.len : 80), piece.ptr ? piece.ptr : "");
    *ret_id = id;
    return SN_OK;
}

/* ---- what routes of records share ---- */

sn_status sn_api_check_records(const struct sn_api *api, struct sn_err *err) {
    if (api->options.records != NULL)
        return SN_OK;
    return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server keeps no records");
}

const struct sn_app *sn_api_find_app(const struct sn_api *api, struct sn_str name) {
    for (size_t i = 0; i < api->options.app_count; i++)
        if (sn_str_equal(sn_str_from(api->options.apps[i].name), name))
            return &api->options.apps[i];
    return NULL;
}

void sn_api_write_key_time(struct sn_json_writer *json, struct sn_str key, int64_t time_ms) {
    char text[SN_TIME_TEXT_SIZE];
    sn_time_format(time_ms, text);
    sn_json_write_key_string(json, key, sn_str_from(text));
}

/* ---- dispatch ---- */

static bool is_allowed_method(const struct sn_api_route *route,
                              const struct sn_http_request *request) {
    return (route->methods & SN_API_METHOD(sn_http_request_method(request))) != 0;
}

static struct sn_str header_or_empty(const struct sn_http_request *request, struct sn_str name) {
    struct sn_str value;
    return sn_http_request_header(request, name, &value) ? value : SN_STR("");
}

sn_status sn_api_principal(const struct sn_api *api, const struct sn_http_request *request,
                           struct sn_principal *ret_principal, struct sn_err *err) {
    if (api->options.access == SN_API_ACCESS_OPEN) {
        *ret_principal = (struct sn_principal){
            .name = "open access",
            .role = SN_ACCOUNT_ADMIN,
            .scopes = SN_SCOPE_INGEST | SN_SCOPE_READ | SN_SCOPE_ADMIN,
        };
        return SN_OK;
    }
    char buf[SN_ACCESS_SECRET_SIZE];
    struct sn_str header = header_or_empty(request, SN_STR("Authorization"));
    if (header.len == 0 || api->options.auth == NULL)
        return sn_err_set(err, SN_ERR_DENIED, "not signed in");
    return sn_auth_check(api->options.auth, sn_access_secret(header, buf), ret_principal, err);
}

/* SN_OK, or the answer has been given. */
static sn_status check_access(const struct sn_api *api, const struct sn_api_route *route,
                              struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_principal principal = {0};
    bool is_open = api->options.access == SN_API_ACCESS_OPEN;
    bool has_credentials = !is_open && header_or_empty(request, SN_STR("Authorization")).len > 0;
    /* Credentials that are not valid are refused also where none would be needed. */
    if (route->role != SN_API_PUBLIC && has_credentials &&
        sn_api_principal(api, request, &principal, &err) != SN_OK) {
        if (err.status == SN_ERR_DENIED)
            sn_http_respond_unauthorized(request, err.text);
        else
            sn_api_respond_failure(request, err.status, &err);
        return err.status;
    }
    enum sn_http_method method = sn_http_request_method(request);
    const struct sn_access_facts facts = {
        .access = api->options.access,
        .ingest_access = api->options.ingest_access,
        .role = route->role,
        .is_loopback = sn_address_is_loopback(sn_http_request_peer(request)),
        .is_write = method != SN_HTTP_GET && method != SN_HTTP_HEAD,
        .is_signed_in = has_credentials && principal.scopes != 0,
        .scopes = principal.scopes,
        .host = header_or_empty(request, SN_STR("Host")),
        .origin = header_or_empty(request, SN_STR("Origin")),
    };
    sn_status status = sn_access_check(&facts, &err);
    if (status != SN_OK && (is_open || facts.is_signed_in))
        sn_http_respond_error(request, 403, "forbidden", err.text);
    else if (status != SN_OK)
        sn_http_respond_unauthorized(request, err.text);
    return status;
}

/* The request carries its row from on_route to its handler, as 1 + index: the slot is not const. */
static void remember_route(struct sn_http_request *request, const struct sn_api_route *route) {
    uintptr_t number = route != NULL ? (uintptr_t)(route - sn_api_routes) + 1 : 0;
    sn_http_request_set_user(request, (void *)number);
}

/* The row of a request that on_route let through. */
static const struct sn_api_route *route_of(const struct sn_http_request *request) {
    return &sn_api_routes[(uintptr_t)sn_http_request_user(request) - 1];
}

/* What a request that may go on is told: how large its body may be, who may read the answer. */
static void admit(const struct sn_api *api, const struct sn_api_route *route,
                  struct sn_http_request *request, struct sn_http_body_rules *rules) {
    bool is_open = api->options.access == SN_API_ACCESS_OPEN;
    if (route->is_shareable && is_open && api->options.shares_queries)
        sn_http_request_share(request);
    if ((route->methods & SN_API_WITH_BODY) == 0)
        rules->bytes_max = 0; /* A GET with a body is a mistake or an attack. */
    else if (route->body_bytes_max > 0)
        rules->bytes_max = rules->inflated_bytes_max = route->body_bytes_max;
    else if (route->screen != NULL)
        route->screen(request);
}

/* Headers are complete: everything that can be refused without the body is refused here. */
static void on_route(void *ctx, struct sn_http_request *request, struct sn_http_body_rules *rules) {
    struct sn_api *api = ctx;
    const struct sn_api_route *route =
        sn_api_find_route(sn_http_request_path_raw(request), sn_http_request_method(request));
    remember_route(request, route);
    if (route == NULL)
        sn_http_respond_not_found(request);
    else if (!is_allowed_method(route, request))
        sn_http_respond_not_allowed(request, route->allow);
    else if (check_access(api, route, request) != SN_OK)
        return; /* It has been answered. */
    else
        admit(api, route, request, rules);
}

static void run_job(void *ctx, void *item) {
    struct sn_http_request *request = item;
    route_of(request)->handle(ctx, request);
}

static void on_handle(void *ctx, struct sn_http_request *request) {
    struct sn_api *api = ctx;
    if (SN_NEVER(sn_http_request_user(request) == NULL)) {
        sn_http_respond_not_found(request);
        return;
    }
    const struct sn_api_route *route = route_of(request);
    if (!route->is_slow) {
        route->handle(api, request);
        return;
    }
    struct sn_err err = {0};
    const struct sn_job job = {run_job, api, request};
    sn_status status = sn_jobs_put(&api->jobs, job, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

void sn_api_attach(struct sn_api *api, struct sn_http_server_options *options) {
    static const struct sn_http_header headers[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Strict-Transport-Security", "max-age=31536000"}, /* TLS only */
    };
    options->headers = headers;
    options->header_count = api->options.is_tls ? 2 : 1;
    options->route = on_route;
    options->handle = on_handle;
    options->ctx = api;
}
