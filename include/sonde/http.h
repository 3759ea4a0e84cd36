/*
 * Requests of any HTTP server: a call when one begins, a call when it ends. Recorded are
 * http_requests_total{method,path,status} and http_request_duration_seconds{method,path} of
 * sonde/standard.h. Servers on libmicrohttpd have it easier with sonde/microhttpd.h.
 *
 *     SONDE_HTTP_REQUEST(request, NULL, method, url);  // leaving the scope: status="aborted"
 *     ...
 *     sonde_http_end(&request, 200);
 *
 * The path becomes a route by the rules of sonde/path.h. Clients can still invent routes, so an
 * instrument knows at most path_max of them: the first answer other than 400, 404, 405, 410 and
 * 414 makes a path known, or the program names it (sonde_http_route). Requests to unknown paths
 * are counted under path=":other". So a scanner asking for 10,000 pages that do not exist makes
 * one series.
 */
#ifndef SONDE_HTTP_H
#define SONDE_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "sonde/path.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SONDE_HTTP_PATHS_MAX 100000

typedef struct sonde_http sonde_http;

/* Zero-initialise and fill in. */
typedef struct sonde_http_options {
    sonde_registry *registry; /* NULL: global; must live longer than the instrument */
    sonde_path_options path;  /* copied */
    size_t path_max;          /* distinct routes, 1 to SONDE_HTTP_PATHS_MAX [500] */
} sonde_http_options;

/*
 * Make an instrument.
 *
 *   options  NULL: all defaults
 *   error    NO_MEMORY, LIMIT, INVALID (paths, as sonde_path_rules_new)
 *
 * Returns NULL after an error; every call understands NULL as an instrument with all defaults,
 * made on first use.
 * Threads: any. Blocks: never. Cost: four allocations.
 */
SONDE_API sonde_http *sonde_http_new(const sonde_http_options *options, sonde_error *error);

/* Release an instrument without open requests; its series stay. NULL is fine. Returns NULL. */
SONDE_API sonde_http *sonde_http_free(sonde_http *http);

/* One request. Owned by the caller, no heap; one thread at a time. Zeroed: ended. */
typedef struct sonde_http_request {
    sonde_http *http; /* NULL: ended */
    const char *method;
    uint64_t begin;
    uint64_t scale;
    uint32_t is_named; /* by the program: known at once */
    char path[SONDE_PATH_SIZE];
} sonde_http_request;

/*
 * Begin a request.
 *
 *   ret_request  always written
 *   method       as sonde_http_request_record
 *   path         as the client sent it; not kept
 *
 * Threads: any. Blocks: never (NULL http: the first time). Cost: about 70 ns, no allocation.
 */
SONDE_API void sonde_http_begin(sonde_http_request *ret_request, sonde_http *http,
                                const char *method, const char *path);

/*
 * Name the route of an open request, when the program knows it better than the rules: it is
 * shown as given, cut at SONDE_PATH_SIZE - 1 bytes. Threads: the request's. Blocks: never.
 */
SONDE_API void sonde_http_route(sonde_http_request *request, const char *route);

/*
 * End a request that was answered with a status (100 to 999). An ended one: nothing happens.
 * Threads: any, one at a time. Blocks: as sonde_counter_family_get. Cost: about 80 ns, no
 * allocation for labels seen before.
 */
SONDE_API void sonde_http_end(sonde_http_request *request, int status);

/* End a request that got no answer: status="aborted". An ended one: nothing happens. */
SONDE_API void sonde_http_abort(sonde_http_request *request);

/* Connections that clients have open: add 1 and -1 to active_connections of http's registry. */
SONDE_API void sonde_http_connections_add(sonde_http *http, int64_t n);

#if defined(__GNUC__)
/* Declare `name` as a request that counts as aborted when it leaves its scope unended. Other
 * compilers call sonde_http_abort on every way out. */
#define SONDE_HTTP_REQUEST(name, http, method, path)                                               \
    __attribute__((cleanup(sonde_http_abort))) sonde_http_request name;                            \
    sonde_http_begin(&(name), (http), (method), (path))
#endif

#ifdef __cplusplus
}
#endif
#endif
