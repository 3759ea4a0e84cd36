/*
 * Metrics that most services have, under the names that dashboards expect, one line each:
 *
 *     sonde_http_request_record("GET", "/users/:id", 200, 0.012);
 *     sonde_cache_hit_record("sessions");
 *     sonde_active_connections_add(1);
 *     sonde_db_connections_set(&(sonde_db_connections){.open = 10, .idle = 7});
 *
 *     http_requests_total{method,path,status}       db_connections_active (idle ones not counted)
 *     http_request_duration_seconds{method,path}    db_connections_idle
 *     active_connections                            cache_hits_total{cache_type}
 *                                                   cache_misses_total{cache_type}
 *
 * A family appears with its first call. The calls above use the global registry; for another one
 * make a sonde_standard of it and use the calls that end in _in. They all may be called from any
 * thread, never block after a family's first call, and record nothing without memory.
 *
 * A path must be a route: see sonde/path.h, and sonde/http.h, which does it for you.
 */
#ifndef SONDE_STANDARD_H
#define SONDE_STANDARD_H

#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The standard families of one registry. */
typedef struct sonde_standard sonde_standard;

/*
 * Make the standard families of a registry reachable. Several of one registry share its series.
 *
 *   registry  NULL: global; must live longer
 *
 * Returns NULL without memory; every call understands NULL as the global registry's.
 * Threads: any. Blocks: never. Cost: one allocation.
 */
SONDE_API sonde_standard *sonde_standard_new(sonde_registry *registry);

/* Release one that nobody uses any more; its series stay. NULL is fine. Returns NULL. */
SONDE_API sonde_standard *sonde_standard_free(sonde_standard *standard);

/*
 * Count one HTTP request and its duration.
 *
 *   method   a registered one (RFC 9110, PATCH, WebDAV's); any other is SONDE_OTHER, because
 *            clients may invent them
 *   path     a route; NULL: ""
 *   status   100 to 999; 0: aborted, shown as status="aborted"; others SONDE_OTHER
 *   seconds  negative or NaN: the request is counted, its duration is not
 *
 * Cost: about 50 ns, no allocation for labels seen before.
 */
SONDE_API void sonde_http_request_record(const char *method, const char *path, int status,
                                         double seconds);
SONDE_API void sonde_http_request_record_in(sonde_standard *standard, const char *method,
                                            const char *path, int status, double seconds);

/* Connections that clients have open: add 1 and -1. Cost: about 4 ns. */
SONDE_API void sonde_active_connections_add(int64_t n);
SONDE_API void sonde_active_connections_add_in(sonde_standard *standard, int64_t n);

/* A connection pool as pools tell it. Shown: active = open - idle (not below 0), and idle. */
typedef struct sonde_db_connections {
    uint64_t open; /* idle ones included */
    uint64_t idle;
} sonde_db_connections;

/* Set both gauges; NULL does nothing. Cost: about 4 ns. */
SONDE_API void sonde_db_connections_set(const sonde_db_connections *connections);
SONDE_API void sonde_db_connections_set_in(sonde_standard *standard,
                                           const sonde_db_connections *connections);

/*
 * Count a lookup in a cache of this type ("sessions", "redis"). For one that is to be watched more
 * closely see sonde/cache.h. Cost: about 15 ns.
 */
SONDE_API void sonde_cache_hit_record(const char *cache_type);
SONDE_API void sonde_cache_miss_record(const char *cache_type);
SONDE_API void sonde_cache_hit_record_in(sonde_standard *standard, const char *cache_type);
SONDE_API void sonde_cache_miss_record_in(sonde_standard *standard, const char *cache_type);

#ifdef __cplusplus
}
#endif
#endif
