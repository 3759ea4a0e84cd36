/*
 * The standard families: the calls behind sonde/standard.h.
 *
 * A family is registered by its first call and its pointer kept in the set. Two threads that come
 * at once both register and get the same family, so no lock is needed. Without memory nothing is
 * kept, and the next call tries again.
 */
#include "client/standard_priv.h"

#include "base/mem.h"
#include "sonde/counter.h"
#include "sonde/gauge.h"
#include "sonde/histogram.h"

#include <stdatomic.h>

enum family {
    HTTP_REQUESTS,
    HTTP_DURATION,
    ACTIVE_CONNECTIONS,
    DB_ACTIVE,
    DB_IDLE,
    CACHE_HITS,
    CACHE_MISSES,
    FAMILY_COUNT
};

struct sonde_standard {
    sonde_registry *registry; /* NULL: global */
    _Atomic(void *) families[FAMILY_COUNT];
};

static const char *const http_labels[] = {"method", "path", "status"};
static const char *const cache_labels[] = {"cache_type"};

static const sonde_metric metrics[FAMILY_COUNT] = {
    [HTTP_REQUESTS] = {.name = "http_requests_total",
                       .help = "HTTP requests answered, by method, route and status.",
                       .label_names = http_labels,
                       .label_count = 3},
    [HTTP_DURATION] = {.name = "http_request_duration_seconds",
                       .help = "Time from the beginning of an HTTP request to its end.",
                       .unit = "seconds",
                       .label_names = http_labels,
                       .label_count = 2},
    [ACTIVE_CONNECTIONS] = {.name = "active_connections",
                            .help = "Connections that clients have open."},
    [DB_ACTIVE] = {.name = "db_connections_active",
                   .help = "Database connections in use; idle ones are not counted."},
    [DB_IDLE] = {.name = "db_connections_idle",
                 .help = "Database connections that are open and not in use."},
    [CACHE_HITS] = {.name = "cache_hits_total",
                    .help = "Lookups that found what they looked for.",
                    .label_names = cache_labels,
                    .label_count = 1},
    [CACHE_MISSES] = {.name = "cache_misses_total",
                      .help = "Lookups that found nothing.",
                      .label_names = cache_labels,
                      .label_count = 1},
};

static sonde_standard global;

static void *family_make(sonde_registry *registry, enum family which, sonde_error *error) {
    const sonde_metric *metric = &metrics[which];
    switch (which) {
    case HTTP_REQUESTS:
    case CACHE_HITS:
    case CACHE_MISSES:
        return sonde_counter_family_new(registry, metric, error);
    case HTTP_DURATION:
        return sonde_histogram_family_new(registry, metric, error);
    case ACTIVE_CONNECTIONS:
    case DB_ACTIVE:
    case DB_IDLE:
    case FAMILY_COUNT: /* not asked for */
        break;
    }
    return sonde_gauge_new(registry, metric, error);
}

static void *family_get(sonde_standard *standard, enum family which) {
    if (standard == NULL)
        standard = &global;
    void *family = atomic_load_explicit(&standard->families[which], memory_order_acquire);
    if (family != NULL)
        return family;
    sonde_error error;
    family = family_make(standard->registry, which, &error);
    /* Release: who finds it sees it complete. */
    if (error.status != SONDE_ERR_NO_MEMORY)
        atomic_store_explicit(&standard->families[which], family, memory_order_release);
    return family;
}

sonde_standard *sonde_standard_new(sonde_registry *registry) {
    sonde_standard *standard = sn_alloc_zero(1, sizeof *standard);
    if (standard != NULL)
        standard->registry = registry;
    return standard;
}

sonde_standard *sonde_standard_free(sonde_standard *standard) {
    sn_free(standard);
    return NULL;
}

/* HTTP. */

const char *sn_http_method(const char *method) {
    /* Frequent ones first. */
    static const char *const known[] = {
        "GET",      "POST", "PUT",  "HEAD", "DELETE", "PATCH", "OPTIONS", "CONNECT",   "TRACE",
        "PROPFIND", "COPY", "MOVE", "LOCK", "UNLOCK", "MKCOL", "REPORT",  "PROPPATCH", "SEARCH",
    };
    for (size_t i = 0; method != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(method, known[i]) == 0)
            return known[i];
    }
    return SONDE_OTHER;
}

/* The label value of a status; buf has room for three digits. */
static const char *status_text(int status, char buf[4]) {
    if (status == 0)
        return "aborted";
    if (status < 100 || status > 999)
        return SONDE_OTHER;
    buf[0] = (char)('0' + status / 100);
    buf[1] = (char)('0' + status / 10 % 10);
    buf[2] = (char)('0' + status % 10);
    buf[3] = '\0';
    return buf;
}

void sonde_http_request_record_in(sonde_standard *standard, const char *method, const char *path,
                                  int status, double seconds) {
    char digits[4];
    const char *values[] = {sn_http_method(method), path, status_text(status, digits)};
    sonde_counter_family *requests = family_get(standard, HTTP_REQUESTS);
    sonde_counter_inc(sonde_counter_family_get(requests, values, 3));
    if (!(seconds >= 0))
        return;
    sonde_histogram_family *durations = family_get(standard, HTTP_DURATION);
    sonde_histogram_observe(sonde_histogram_family_get(durations, values, 2), seconds);
}

void sonde_http_request_record(const char *method, const char *path, int status, double seconds) {
    sonde_http_request_record_in(NULL, method, path, status, seconds);
}

/* Connections. */

void sonde_active_connections_add_in(sonde_standard *standard, int64_t n) {
    sonde_gauge_add(family_get(standard, ACTIVE_CONNECTIONS), n);
}

void sonde_active_connections_add(int64_t n) {
    sonde_active_connections_add_in(NULL, n);
}

void sonde_db_connections_set_in(sonde_standard *standard,
                                 const sonde_db_connections *connections) {
    if (connections == NULL)
        return;
    /* A pool that is read while it changes may show more idle connections than open ones. */
    uint64_t active =
        connections->open > connections->idle ? connections->open - connections->idle : 0;
    sonde_gauge_set(family_get(standard, DB_ACTIVE), (double)active);
    sonde_gauge_set(family_get(standard, DB_IDLE), (double)connections->idle);
}

void sonde_db_connections_set(const sonde_db_connections *connections) {
    sonde_db_connections_set_in(NULL, connections);
}

/* Caches. */

static void count_lookup(sonde_standard *standard, enum family which, const char *cache_type) {
    const char *values[] = {cache_type};
    sonde_counter_inc(sonde_counter_family_get(family_get(standard, which), values, 1));
}

void sonde_cache_hit_record_in(sonde_standard *standard, const char *cache_type) {
    count_lookup(standard, CACHE_HITS, cache_type);
}

void sonde_cache_miss_record_in(sonde_standard *standard, const char *cache_type) {
    count_lookup(standard, CACHE_MISSES, cache_type);
}

void sonde_cache_hit_record(const char *cache_type) {
    count_lookup(NULL, CACHE_HITS, cache_type);
}

void sonde_cache_miss_record(const char *cache_type) {
    count_lookup(NULL, CACHE_MISSES, cache_type);
}
