/*
 * Requests of any HTTP server: the calls behind sonde/http.h.
 *
 * Known routes are a set of 64-bit hashes in a table of fixed size, at most half full: looking up
 * and adding take no lock. Two routes with one hash count as one route that is known, which is
 * harmless: the label is the path itself.
 */
#include "sonde/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/cut_priv.h"
#include "client/error_priv.h"
#include "client/standard_priv.h"
#include "client/stopwatch_priv.h"

#include <pthread.h>
#include <stdatomic.h>

#define PATH_MAX_DEFAULT 500
#define DEFAULT_SLOTS 1024 /* a power of two, at least twice PATH_MAX_DEFAULT */

struct sonde_http {
    sonde_standard *standard; /* owned; NULL: global */
    sonde_path_rules *rules;  /* owned; NULL: default rules */
    uint64_t seed;
    size_t path_max;
    _Atomic size_t path_count;
    size_t mask;
    _Atomic uint64_t *slots; /* [mask + 1] hashes, 0: free */
};

/* The instrument that NULL stands for: static storage, so that it exists without memory. */
static _Atomic uint64_t default_slots[DEFAULT_SLOTS];
static sonde_http default_http = {
    .path_max = PATH_MAX_DEFAULT, .mask = DEFAULT_SLOTS - 1, .slots = default_slots};

static void default_init(void) {
    sn_ticks_init();
    default_http.seed = (uint64_t)sn_clock_mono_ns(sn_clock_system());
}

static sonde_http *http_or_default(sonde_http *http) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (http != NULL)
        return http;
    (void)pthread_once(&once, default_init);
    return &default_http;
}

/* Making. */

static sn_status http_init(sonde_http *http, const sonde_http_options *options,
                           struct sn_err *err) {
    http->path_max = options->path_max > 0 ? options->path_max : PATH_MAX_DEFAULT;
    if (http->path_max > SONDE_HTTP_PATHS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "path_max is %zu, the limit is %d", http->path_max,
                          SONDE_HTTP_PATHS_MAX);
    size_t slots = 2;
    while (slots < 2 * http->path_max)
        slots *= 2;
    http->mask = slots - 1;
    http->slots = sn_alloc_zero(slots, sizeof *http->slots);
    http->standard = sonde_standard_new(options->registry);
    if (http->slots == NULL || http->standard == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu paths", http->path_max);
    sonde_error error;
    http->rules = sonde_path_rules_new(&options->path, &error);
    if (http->rules == NULL)
        return sn_err_set(err, (sn_status)error.status, "%s", error.text);
    sn_ticks_init();
    http->seed = (uint64_t)sn_clock_mono_ns(sn_clock_system());
    return SN_OK;
}

sonde_http *sonde_http_new(const sonde_http_options *options, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sn_status status = SN_OK;
    sonde_http *http = sn_alloc_zero(1, sizeof *http);
    if (http == NULL)
        status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for an HTTP instrument");
    else
        status = http_init(http, options != NULL ? options : &(sonde_http_options){0}, &err);
    (void)sn_public_error(error, (sonde_status)status, &err);
    return status == SN_OK ? http : sonde_http_free(http);
}

sonde_http *sonde_http_free(sonde_http *http) {
    if (http == NULL)
        return NULL;
    (void)sonde_standard_free(http->standard);
    (void)sonde_path_rules_free(http->rules);
    sn_free((void *)(uintptr_t)http->slots);
    sn_free(http);
    return NULL;
}

/* Known routes. */

/* The slot with this hash, or the free one where it belongs. Half of all slots are free. */
static _Atomic uint64_t *slot_of(sonde_http *http, uint64_t hash) {
    size_t i = (size_t)hash & http->mask;
    for (;; i = (i + 1) & http->mask) {
        uint64_t found = atomic_load_explicit(&http->slots[i], memory_order_relaxed);
        if (found == hash || found == 0)
            return &http->slots[i];
    }
}

/* Make a route known. False: there is no room for another one. */
static bool learn(sonde_http *http, uint64_t hash) {
    if (atomic_fetch_add_explicit(&http->path_count, 1, memory_order_relaxed) < http->path_max) {
        for (;;) {
            uint64_t found = 0;
            /* Relaxed: a hash stands for itself, nothing is published with it. */
            if (atomic_compare_exchange_strong_explicit(slot_of(http, hash), &found, hash,
                                                        memory_order_relaxed, memory_order_relaxed))
                return true;
            if (found == hash)
                break;
        }
        atomic_fetch_sub_explicit(&http->path_count, 1, memory_order_relaxed);
        return true;
    }
    atomic_fetch_sub_explicit(&http->path_count, 1, memory_order_relaxed);
    return false;
}

/* Answers that any path may get, whether it is a route or not. */
static bool is_refusal(int status) {
    return status == 0 || status == 400 || status == 404 || status == 405 || status == 410 ||
           status == 414;
}

/* What a request's path is shown as. */
static const char *path_shown(const sonde_http_request *request, int status) {
    if (request->is_named)
        return request->path;
    sonde_http *http = request->http;
    uint64_t hash = sn_hash_bytes(request->path, strlen(request->path), http->seed);
    hash = hash != 0 ? hash : 1;
    if (atomic_load_explicit(slot_of(http, hash), memory_order_relaxed) == hash)
        return request->path;
    bool is_known = !is_refusal(status) && learn(http, hash);
    return is_known ? request->path : SONDE_PATH_OTHER;
}

/* Requests. */

void sonde_http_begin(sonde_http_request *ret_request, sonde_http *http, const char *method,
                      const char *path) {
    http = http_or_default(http);
    ret_request->http = http;
    ret_request->method = sn_http_method(method);
    ret_request->is_named = 0;
    (void)sonde_path_normalise(http->rules, path, path != NULL ? strlen(path) : 0,
                               ret_request->path, sizeof ret_request->path);
    struct sn_stopwatch watch = sn_stopwatch_start();
    ret_request->begin = watch.begin;
    ret_request->scale = watch.scale;
}

void sonde_http_route(sonde_http_request *request, const char *route) {
    if (request->http == NULL)
        return;
    sn_cut(request->path, sizeof request->path, route);
    request->is_named = 1;
}

static void end(sonde_http_request *request, int status) {
    if (request->http == NULL)
        return;
    struct sn_stopwatch watch = {request->begin, request->scale};
    double seconds = (double)(int64_t)sn_stopwatch_ns(watch) / 1e9;
    sonde_http_request_record_in(request->http->standard, request->method,
                                 path_shown(request, status), status, seconds);
    request->http = NULL;
}

void sonde_http_end(sonde_http_request *request, int status) {
    end(request, status != 0 ? status : -1); /* 0 is how an aborted request is told */
}

void sonde_http_abort(sonde_http_request *request) {
    end(request, 0);
}

void sonde_http_connections_add(sonde_http *http, int64_t n) {
    sonde_active_connections_add_in(http_or_default(http)->standard, n);
}
