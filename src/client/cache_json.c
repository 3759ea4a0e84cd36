/*
 * Caches as JSON: the answers of the commands about caches. The shapes are in sonde/cache.h.
 */
#include "client/cache_priv.h"
#include "client/instrument_json_priv.h"

#define NS_PER_MS 1e6

static void write_names(struct sn_json_writer *json, const struct sonde_cache *cache) {
    sn_instrument_json_label(json, SN_STR("service"), &cache->instrument, 0);
    sn_instrument_json_label(json, SN_STR("cache"), &cache->instrument, 1);
}

static void write_lookups(struct sn_json_writer *json, const sonde_cache_window *window) {
    sn_json_write_key_uint64(json, SN_STR("hits"), window->hits);
    sn_json_write_key_uint64(json, SN_STR("misses"), window->misses);
    sn_json_write_key_double(json, SN_STR("hit_rate"), window->hit_rate);
}

static void write_times(struct sn_json_writer *json, const sonde_cache_window *window) {
    sn_json_write_key_uint64(json, SN_STR("operations"), window->timed);
    sn_json_write_key_double(json, SN_STR("response_time_avg_ms"), window->response_avg_ms);
}

static void write_window(struct sn_json_writer *json, struct sn_str key,
                         const sonde_cache_window *window) {
    sn_json_write_key(json, key);
    sn_json_write_object_begin(json);
    write_lookups(json, window);
    write_times(json, window);
    sn_json_write_object_end(json);
}

static void write_usage(struct sn_json_writer *json, const sonde_cache_stats *stats) {
    sn_json_write_key_uint64(json, SN_STR("evictions"), stats->evictions);
    sn_json_write_key_uint64(json, SN_STR("entries"), stats->entries);
    sn_json_write_key_uint64(json, SN_STR("memory_usage_bytes"), stats->used_bytes);
    sn_json_write_key_uint64(json, SN_STR("memory_peak_bytes"), stats->used_peak_bytes);
    sn_json_write_key_uint64(json, SN_STR("memory_reserved_bytes"), stats->reserved_bytes);
    sn_json_write_key_double(json, SN_STR("fragmentation"), stats->fragmentation);
}

static void write_slow(struct sn_json_writer *json, struct sonde_cache *cache) {
    sonde_cache_slow_entry entries[SONDE_CACHE_SLOW_MAX];
    size_t count = sonde_cache_slow(cache, entries);
    sn_json_write_key(json, SN_STR("slow_operations"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        sn_json_write_object_begin(json);
        sn_json_write_key_string(json, SN_STR("operation"), sn_str_from(entries[i].operation));
        sn_json_write_key_string(json, SN_STR("detail"), sn_str_from(entries[i].detail));
        sn_json_write_key_int64(json, SN_STR("end_time_ms"), entries[i].end_wall_ms);
        sn_json_write_key_double(json, SN_STR("duration_ms"),
                                 (double)entries[i].duration_ns / NS_PER_MS);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void write_thresholds(struct sn_json_writer *json, const struct sonde_cache *cache) {
    sonde_cache_thresholds thresholds = sonde_cache_thresholds_read(cache);
    sn_json_write_key(json, SN_STR("thresholds"));
    sn_json_write_object_begin(json);
    sn_json_write_key_double(json, SN_STR("min_hit_rate"), thresholds.min_hit_rate);
    sn_json_write_key_double(json, SN_STR("max_memory_usage_mb"), thresholds.max_memory_usage_mb);
    sn_json_write_key_double(json, SN_STR("max_response_time_ms"), thresholds.max_response_time_ms);
    sn_json_write_key_double(json, SN_STR("max_fragmentation"), thresholds.max_fragmentation);
    sn_json_write_key_double(json, SN_STR("clear_margin"), thresholds.clear_margin);
    sn_json_write_key_double(json, SN_STR("slow_operation_ms"), thresholds.slow_operation_ms);
    sn_json_write_key_uint64(json, SN_STR("min_operations"), thresholds.min_operations);
    sn_json_write_object_end(json);
}

static void write_cache(struct sn_json_writer *json, struct sonde_cache *cache) {
    sonde_cache_stats stats;
    sonde_cache_read(cache, &stats);
    sn_json_write_object_begin(json);
    write_names(json, cache);
    sn_json_write_key_int64(json, SN_STR("start_time_ms"), stats.start_wall_ms);
    write_lookups(json, &stats.start);
    write_window(json, SN_STR("hour"), &stats.hour);
    write_window(json, SN_STR("day"), &stats.day);
    write_times(json, &stats.start);
    write_usage(json, &stats);
    sn_json_write_key_uint64(json, SN_STR("slow_operation_count"), stats.slow_operations);
    write_slow(json, cache);
    write_thresholds(json, cache);
    sn_json_write_object_end(json);
}

static void write_alerts(struct sn_json_writer *json, struct sonde_cache *cache) {
    sonde_cache_alert alerts[SONDE_CACHE_ALERT_COUNT];
    (void)sonde_cache_evaluate(cache);
    size_t count = sonde_cache_alerts(cache, alerts);
    for (size_t i = 0; i < count; i++) {
        struct sn_alert_shown shown = {sonde_cache_alert_name(alerts[i].kind), alerts[i].value,
                                       alerts[i].threshold, alerts[i].since_wall_ms};
        sn_json_write_object_begin(json);
        write_names(json, cache);
        sn_instrument_json_alert(json, &shown);
        sn_json_write_object_end(json);
    }
}

/* {"KEY":[what write gives for every cache]} */
static sonde_status write_all(sonde_registry *registry, struct sn_str key,
                              void (*write)(struct sn_json_writer *, struct sonde_cache *),
                              char **ret_text, size_t *ret_len) {
    struct sn_json_writer json;
    struct sn_buf buf;
    struct sn_instrument *at = NULL;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, key);
    sn_json_write_array_begin(&json);
    while ((at = sn_instrument_next(registry, &sn_cache_type, at)) != NULL)
        write(&json, (struct sonde_cache *)(void *)at);
    sn_json_write_array_end(&json);
    sn_json_write_object_end(&json);
    return sn_instrument_json_end(&json, &buf, ret_text, ret_len);
}

sonde_status sonde_cache_metrics_json(sonde_registry *registry, char **ret_text, size_t *ret_len) {
    return write_all(registry, SN_STR("caches"), write_cache, ret_text, ret_len);
}

sonde_status sonde_cache_alerts_json(sonde_registry *registry, char **ret_text, size_t *ret_len) {
    return write_all(registry, SN_STR("alerts"), write_alerts, ret_text, ret_len);
}

sonde_status sonde_cache_thresholds_json(const sonde_cache *cache, char **ret_text,
                                         size_t *ret_len) {
    struct sn_json_writer json;
    struct sn_buf buf;
    if (!sn_cache_is_ready(cache))
        return SONDE_ERR_INVALID;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    write_names(&json, cache);
    write_thresholds(&json, cache);
    sn_json_write_object_end(&json);
    return sn_instrument_json_end(&json, &buf, ret_text, ret_len);
}
