/*
 * Watching a service that already exists: a small cache (get, put, delete) stays as it is, and a
 * wrapper around it counts, times and logs every call.
 *
 *     cache_wrapper                some calls, then the page that a scraper would get
 *     cache_wrapper --self-test    the same, and compare the numbers with what was done
 *
 * Build it with: cc cache_wrapper.c $(pkg-config --cflags --libs sonde)
 */
#include <sonde/cache.h>
#include <sonde/log.h>
#include <sonde/sonde.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The service as it was: 64 places for texts, found by a hash of the key. It knows no metrics. */

#define STORE_SLOTS 64
#define KEY_SIZE 32
#define VALUE_SIZE 96

struct slot {
    char key[KEY_SIZE]; /* "": empty */
    char value[VALUE_SIZE];
};

struct store {
    struct slot slots[STORE_SLOTS];
};

static struct slot *store_slot(struct store *store, const char *key) {
    unsigned hash = 5381;
    for (const char *at = key; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char)*at;
    return &store->slots[hash % STORE_SLOTS];
}

/* The value, or NULL. */
static const char *store_get(struct store *store, const char *key) {
    struct slot *slot = store_slot(store, key);
    return strcmp(slot->key, key) == 0 ? slot->value : NULL;
}

/* 0: stored; 1: stored, and another key lost its place; -1: empty or too long. */
static int store_put(struct store *store, const char *key, const char *value) {
    struct slot *slot = store_slot(store, key);
    if (key[0] == '\0' || strlen(key) >= KEY_SIZE || strlen(value) >= VALUE_SIZE)
        return -1;
    int is_evicting = slot->key[0] != '\0' && strcmp(slot->key, key) != 0;
    (void)snprintf(slot->key, KEY_SIZE, "%s", key);
    (void)snprintf(slot->value, VALUE_SIZE, "%s", value);
    return is_evicting;
}

/* Whether the key was there. */
static int store_delete(struct store *store, const char *key) {
    struct slot *slot = store_slot(store, key);
    if (key[0] == '\0' || strcmp(slot->key, key) != 0)
        return 0;
    slot->key[0] = '\0';
    return 1;
}

/* The wrapper: the same three calls. Handles are looked up once and kept. */

struct watched_store {
    struct store store;
    sonde_operation *get;
    sonde_operation *put;
    sonde_operation *delete_;
    sonde_cache *cache;
    sonde_logger *logger;
};

static void watch(struct watched_store *watched, sonde_registry *registry, sonde_log *log) {
    sonde_service *service = sonde_service_get(registry, "session_cache");
    memset(&watched->store, 0, sizeof watched->store);
    watched->get = sonde_operation_get(service, "get");
    watched->put = sonde_operation_get(service, "put");
    watched->delete_ = sonde_operation_get(service, "delete");
    watched->cache = sonde_cache_get(registry, "session_cache", "sessions");
    watched->logger = sonde_logger_get(log, "session_cache");
}

static const char *watched_get(struct watched_store *watched, const char *key) {
    SONDE_TRACK(track, watched->get);
    sonde_cache_timer timer = sonde_cache_begin(watched->cache, "get");
    const char *value = store_get(&watched->store, key);
    sonde_cache_end(&timer, value != NULL ? SONDE_CACHE_HIT : SONDE_CACHE_MISS, key);
    SONDE_LOG_DEBUG(watched->logger, "get", SONDE_STR("key", key),
                    SONDE_BOOL("hit", value != NULL));
    sonde_track_complete(&track); /* a miss is an answer, not a failure */
    return value;
}

static int watched_put(struct watched_store *watched, const char *key, const char *value) {
    SONDE_TRACK(track, watched->put);
    sonde_cache_timer timer = sonde_cache_begin(watched->cache, "put");
    int is_new = store_get(&watched->store, key) == NULL;
    int result = store_put(&watched->store, key, value);
    sonde_cache_end(&timer, SONDE_CACHE_DONE, key);
    if (result < 0) {
        SONDE_LOG_WARN(watched->logger, "put refused", SONDE_STR("key", key),
                       SONDE_U64("value_bytes", strlen(value)));
        sonde_track_fail(&track, "key or value is empty or too long");
        return result;
    }
    if (result == 1) {
        sonde_cache_evict(watched->cache, 1);
    } else if (is_new) {
        sonde_cache_add_entries(watched->cache, 1);
        sonde_cache_add_used_bytes(watched->cache, (int64_t)sizeof(struct slot));
    }
    SONDE_LOG_DEBUG(watched->logger, "put", SONDE_STR("key", key),
                    SONDE_BOOL("evicted", result == 1));
    sonde_track_complete(&track);
    return result;
}

static int watched_delete(struct watched_store *watched, const char *key) {
    SONDE_TRACK(track, watched->delete_);
    sonde_cache_timer timer = sonde_cache_begin(watched->cache, "delete");
    int was_there = store_delete(&watched->store, key);
    sonde_cache_end(&timer, SONDE_CACHE_DONE, key);
    if (was_there) {
        sonde_cache_add_entries(watched->cache, -1);
        sonde_cache_add_used_bytes(watched->cache, -(int64_t)sizeof(struct slot));
    }
    SONDE_LOG_DEBUG(watched->logger, "delete", SONDE_STR("key", key),
                    SONDE_BOOL("was_there", was_there));
    sonde_track_complete(&track);
    return was_there;
}

/* What the program does with it: 8 puts of which 1 is refused, 150 gets of which 105 hit, 2 deletes
 * of which 1 finds its key. */
static void use(struct watched_store *watched) {
    char key[KEY_SIZE], too_long[VALUE_SIZE + 1];
    memset(too_long, 'x', VALUE_SIZE);
    too_long[VALUE_SIZE] = '\0';
    for (int i = 0; i < 7; i++) {
        (void)snprintf(key, sizeof key, "session:%d", i);
        (void)watched_put(watched, key, "logged in");
    }
    (void)watched_put(watched, "session:7", too_long);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(key, sizeof key, "session:%d", i % 10);
        (void)watched_get(watched, key);
    }
    (void)watched_delete(watched, "session:3");
    (void)watched_delete(watched, "session:3");
}

static void tell_alert(void *ctx, sonde_cache *cache, const sonde_cache_alert *alert) {
    struct watched_store *watched = ctx;
    (void)cache;
    SONDE_LOG_WARN(watched->logger, alert->is_active ? "cache alert" : "cache alert is over",
                   SONDE_STR("alert", sonde_cache_alert_name(alert->kind)),
                   SONDE_F64("value", alert->value), SONDE_F64("threshold", alert->threshold));
}

/* Self-test. */

static int expect(const char *what, uint64_t is, uint64_t should_be) {
    if (is == should_be)
        return 0;
    fprintf(stderr, "cache_wrapper: %s is %llu instead of %llu\n", what, (unsigned long long)is,
            (unsigned long long)should_be);
    return 1;
}

static int check_operation(const char *name, const sonde_operation *operation, uint64_t ok,
                           uint64_t failed) {
    sonde_operation_stats stats;
    sonde_operation_read(operation, &stats);
    return expect(name, stats.outcome_count[SONDE_OUTCOME_OK], ok) +
           expect(name, stats.outcome_count[SONDE_OUTCOME_ERROR], failed) +
           expect(name, stats.outcome_count[SONDE_OUTCOME_ABORTED], 0);
}

static int check(struct watched_store *watched, sonde_log *log) {
    sonde_cache_stats stats;
    sonde_log_stats lines;
    sonde_cache_read(watched->cache, &stats);
    int wrong = expect("hits", stats.start.hits, 105) + expect("misses", stats.start.misses, 45) +
                expect("hits of the hour", stats.hour.hits, 105) +
                expect("timed operations", stats.day.timed, 160) +
                expect("entries", stats.entries, 6) + expect("evictions", stats.evictions, 0) +
                expect("memory", stats.used_bytes, 6 * sizeof(struct slot)) +
                expect("peak", stats.used_peak_bytes, 7 * sizeof(struct slot));
    wrong += check_operation("get", watched->get, 150, 0);
    wrong += check_operation("put", watched->put, 7, 1);
    wrong += check_operation("delete", watched->delete_, 2, 0);
    /* 105 of 150 is below the threshold of 0.8, and nothing else is wrong. */
    wrong += expect("active alerts", sonde_cache_evaluate(watched->cache), 1);
    if (!sonde_log_flush(log, 5000))
        wrong += expect("flush of the log", 0, 1);
    sonde_log_read(log, &lines); /* every call, and the alert */
    return wrong + expect("log lines", lines.written, 161);
}

static int take_line(void *ctx, const sonde_log_entry *entry) {
    (void)ctx;
    (void)entry;
    return 0;
}

int main(int argc, char **argv) {
    int is_test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
    sonde_log_sink quiet = {.type = SONDE_SINK_CALLBACK, .write = take_line};
    sonde_log_options options = {.level = SONDE_LEVEL_DEBUG};
    static struct watched_store watched;
    if (is_test) {
        options.sinks = &quiet;
        options.sink_count = 1;
    }
    sonde_log *log = sonde_log_open(&options, NULL);
    watch(&watched, NULL, log);
    sonde_cache_on_alert(watched.cache, tell_alert, &watched);
    use(&watched);
    int wrong = 0;
    if (is_test)
        wrong = check(&watched, log);
    else
        (void)sonde_cache_evaluate(watched.cache);
    (void)sonde_log_free(log);
    if (!is_test && sonde_registry_write_fd(NULL, SONDE_FORMAT_TEXT, 1) != SONDE_OK)
        wrong = 1;
    return wrong == 0 ? 0 : 1;
}
