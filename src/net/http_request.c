/*
 * A request: its memory and what callers read from it.
 *
 * Everything that a caller sees is copied into the request's arena, because a request may outlive
 * its connection. Finished requests are kept by their worker for reuse, so that the first block
 * of the arena is not allocated every time.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "net/http_priv.h"

#define SPARES_MAX 32
#define SPARE_ARENA_BYTES_MAX (SN_ARENA_BLOCK_BYTES * 2)

static struct sn_http_request *take_spare(struct sn_http_worker *worker) {
    struct sn_http_request *request = worker->spares;
    if (request == NULL) {
        request = sn_alloc_zero(1, sizeof(*request));
        if (request != NULL)
            sn_arena_init(&request->arena, worker->server->options.request_arena_bytes_max);
        return request;
    }
    worker->spares = request->next_woken;
    worker->spare_count--;
    request->next_woken = NULL;
    return request;
}

struct sn_http_request *sn_http_request_new(struct sn_http_connection *connection,
                                            const char *uri) {
    struct sn_http_worker *worker = connection->worker;
    struct sn_http_request *request = take_spare(worker);
    if (request == NULL)
        return NULL;
    if (!sn_arena_copy(&request->arena, sn_str_from(uri), &request->target)) {
        sn_http_request_retire(request);
        return NULL;
    }
    request->worker = worker;
    request->connection = connection;
    request->peer = connection->peer;
    if (!sn_str_cut(request->target, '?', &request->path_raw, &request->query_raw))
        request->path_raw = request->target;
    return request;
}

bool sn_http_request_charge(struct sn_http_request *request, size_t more) {
    struct sn_http_server *server = request->worker->server;
    size_t max = server->options.bodies_bytes_max;
    size_t before = atomic_fetch_add_explicit(&server->body_bytes, more, memory_order_relaxed);
    if (more > max || before > max - more) {
        atomic_fetch_sub_explicit(&server->body_bytes, more, memory_order_relaxed);
        return false;
    }
    request->body_charge += more;
    return true;
}

/* Give back all but the arena's memory. */
static void release_parts(struct sn_http_request *request) {
    sn_buf_release(&request->body);
    if (request->response != NULL && !request->is_shared)
        MHD_destroy_response(request->response);
    if (request->body_charge > 0)
        atomic_fetch_sub_explicit(&request->worker->server->body_bytes, request->body_charge,
                                  memory_order_relaxed);
}

void sn_http_request_free(struct sn_http_request *request) {
    release_parts(request);
    sn_arena_release(&request->arena);
    sn_free(request);
}

void sn_http_request_retire(struct sn_http_request *request) {
    struct sn_http_worker *worker = request->worker;
    if (worker == NULL || worker->spare_count == SPARES_MAX ||
        request->arena.used > SPARE_ARENA_BYTES_MAX) {
        sn_http_request_free(request);
        return;
    }
    release_parts(request);
    struct sn_arena arena = request->arena;
    sn_arena_reset(&arena);
    memset(request, 0, sizeof(*request));
    request->arena = arena;
    request->next_woken = worker->spares;
    worker->spares = request;
    worker->spare_count++;
}

enum sn_http_method sn_http_request_method(const struct sn_http_request *request) {
    return request->method;
}

struct sn_str sn_http_request_method_text(const struct sn_http_request *request) {
    return request->method_text;
}

struct sn_str sn_http_request_path(const struct sn_http_request *request) {
    return request->path;
}

struct sn_str sn_http_request_path_raw(const struct sn_http_request *request) {
    return request->path_raw;
}

struct sn_str sn_http_request_query_raw(const struct sn_http_request *request) {
    return request->query_raw;
}

bool sn_http_request_param(const struct sn_http_request *request, struct sn_str name,
                           struct sn_str *ret_value) {
    for (size_t i = 0; i < request->params.count; i++) {
        if (sn_str_equal(request->params.items[i].name, name)) {
            *ret_value = request->params.items[i].value;
            return true;
        }
    }
    return false;
}

bool sn_http_request_param_next(const struct sn_http_request *request, size_t *cursor,
                                struct sn_str *ret_name, struct sn_str *ret_value) {
    if (*cursor >= request->params.count)
        return false;
    *ret_name = request->params.items[*cursor].name;
    *ret_value = request->params.items[*cursor].value;
    (*cursor)++;
    return true;
}

bool sn_http_request_header(const struct sn_http_request *request, struct sn_str name,
                            struct sn_str *ret_value) {
    const struct sn_http_field *field = sn_http_field_find(&request->headers, name);
    if (field != NULL)
        *ret_value = field->value;
    return field != NULL;
}

const struct sn_address *sn_http_request_peer(const struct sn_http_request *request) {
    return &request->peer;
}

struct sn_str sn_http_request_body(const struct sn_http_request *request) {
    return sn_buf_str(&request->body);
}

struct sn_arena *sn_http_request_arena(struct sn_http_request *request) {
    return &request->arena;
}

void sn_http_request_share(struct sn_http_request *request) {
    request->is_for_all_origins = true;
}

void sn_http_request_set_user(struct sn_http_request *request, void *user) {
    request->user = user;
}

void *sn_http_request_user(const struct sn_http_request *request) {
    return request->user;
}

bool sn_http_request_is_gone(const struct sn_http_request *request) {
    return atomic_load_explicit(&request->is_gone, memory_order_relaxed);
}
