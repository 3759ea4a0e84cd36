/*
 * The metrics of caches. What is counted are counters and a histogram; everything else is asked for
 * at each read.
 */
#include "client/cache_priv.h"

#include <stddef.h>

static const char *const labels[] = {"service", "cache"};
static const char *const window_labels[] = {"service", "cache", "window"};
static const char *const alert_labels[] = {"service", "cache", "alert"};
static const char *const window_names[] = {"hour", "day", "start"};

/* A cache answers in microseconds, one behind a network in milliseconds. */
static const double bounds[] = {1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3,
                                5e-3, 0.01, 0.05, 0.1,  0.5,  1};

/* Callbacks: may run while the cache is not ready yet. */

static double read_entries(void *ctx) {
    const struct sonde_cache *cache = ctx;
    return (double)sn_cache_count_of(&cache->entries);
}

static double read_used(void *ctx) {
    const struct sonde_cache *cache = ctx;
    return (double)sn_cache_count_of(&cache->used_bytes);
}

static double read_peak(void *ctx) {
    const struct sonde_cache *cache = ctx;
    return (double)sn_cache_count_of(&cache->used_peak_bytes);
}

static double read_fragmentation(void *ctx) {
    return sn_cache_fragmentation(ctx);
}

static double read_hit_ratio(void *ctx) {
    static const uint64_t minutes[] = {SN_WINDOW_HOUR, SN_WINDOW_MINUTES, 0};
    const struct sn_cache_part *part = ctx;
    sonde_cache_window window = {.hits = 0};
    if (sn_cache_is_ready(part->cache))
        sn_cache_window_read(part->cache, minutes[part->index], &window);
    return window.hit_rate;
}

static double read_alert(void *ctx) {
    const struct sn_cache_part *part = ctx;
    if (!sn_cache_is_ready(part->cache))
        return 0;
    return sn_cache_judge(part->cache, (sonde_cache_alert_kind)part->index) ? 1 : 0;
}

/* Registration, with the lock. */

/* One more than the limit, for SONDE_OTHER. */
static sonde_metric metric_of(const char *name, const char *help) {
    return (sonde_metric){.name = name,
                          .help = help,
                          .label_names = labels,
                          .label_count = 2,
                          .series_max = SONDE_CACHES_MAX + 1};
}

static bool add_counter(struct sonde_cache *cache, const sonde_metric *metric,
                        const char *const *values, sonde_counter **ret_counter) {
    struct sn_series *series = sn_instrument_series_locked(
        cache->instrument.series->family->registry, metric, SN_KIND_COUNTER, values);
    *ret_counter = (sonde_counter *)(void *)series;
    return series != NULL;
}

static bool add_counters(struct sonde_cache *cache, const char *const *values) {
    sonde_metric hits = metric_of("sonde_cache_hits_total", "Lookups that found something.");
    sonde_metric misses = metric_of("sonde_cache_misses_total", "Lookups that found nothing.");
    sonde_metric evictions =
        metric_of("sonde_cache_evictions_total", "Entries thrown out for want of room.");
    sonde_metric slow = metric_of("sonde_cache_slow_operations_total",
                                  "Operations that took slow_operation_ms or longer.");
    return add_counter(cache, &hits, values, &cache->hits) &&
           add_counter(cache, &misses, values, &cache->misses) &&
           add_counter(cache, &evictions, values, &cache->evictions) &&
           add_counter(cache, &slow, values, &cache->slow_operations);
}

static bool add_histogram(struct sonde_cache *cache, const char *const *values) {
    sonde_metric metric =
        metric_of("sonde_cache_response_seconds", "How long timed operations took.");
    metric.unit = "seconds";
    metric.bounds = bounds;
    metric.bound_count = sizeof bounds / sizeof bounds[0];
    struct sn_series *series = sn_instrument_series_locked(
        cache->instrument.series->family->registry, &metric, SN_KIND_HISTOGRAM, values);
    cache->response = (sonde_histogram *)(void *)series;
    return series != NULL;
}

static bool add_callback(struct sonde_cache *cache, const sonde_callback_options *options,
                         struct sn_series **ret_in_file) {
    return sn_instrument_callback_locked(cache->instrument.series->family->registry, options,
                                         ret_in_file);
}

static bool add_gauges(struct sonde_cache *cache, const char *const *values) {
    const struct {
        const char *name;
        const char *help;
        const char *unit;
        double (*read)(void *ctx);
        struct sn_series **in_file;
    } gauges[] = {
        {"sonde_cache_entries", "Entries held now.", NULL, read_entries,
         &cache->held[SN_CACHE_ENTRIES]},
        {"sonde_cache_memory_bytes", "Memory used now.", "bytes", read_used,
         &cache->held[SN_CACHE_USED]},
        {"sonde_cache_memory_peak_bytes", "Most memory used so far.", "bytes", read_peak,
         &cache->held[SN_CACHE_PEAK]},
        {"sonde_cache_fragmentation_ratio", "Reserved memory that is not used, 0 to 1.", "ratio",
         read_fragmentation, &cache->computed[0]},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        sonde_callback_options options = {.metric = metric_of(gauges[i].name, gauges[i].help),
                                          .label_values = values,
                                          .read = gauges[i].read,
                                          .ctx = cache};
        options.metric.unit = gauges[i].unit;
        if (!add_callback(cache, &options, gauges[i].in_file))
            return false;
    }
    return true;
}

/* Once: after a registration that failed half-way, a reader may look at it already. */
static void set_part(struct sn_cache_part *part, struct sonde_cache *cache, unsigned index) {
    if (part->cache == NULL)
        *part = (struct sn_cache_part){cache, index};
}

static bool add_hit_ratios(struct sonde_cache *cache, const char *const *values) {
    for (unsigned i = 0; i < SN_CACHE_WINDOW_COUNT; i++) {
        const char *const all[] = {values[0], values[1], window_names[i]};
        set_part(&cache->windows[i], cache, i);
        sonde_callback_options options = {
            .metric = {.name = "sonde_cache_hit_ratio",
                       .help = "Hits per lookup, 0 to 1.",
                       .unit = "ratio",
                       .label_names = window_labels,
                       .label_count = 3,
                       .series_max = (size_t)(SONDE_CACHES_MAX + 1) * SN_CACHE_WINDOW_COUNT},
            .label_values = all,
            .read = read_hit_ratio,
            .ctx = &cache->windows[i],
        };
        if (!add_callback(cache, &options, &cache->computed[1 + i]))
            return false;
    }
    return true;
}

static bool add_alerts(struct sonde_cache *cache, const char *const *values) {
    for (unsigned i = 0; i < SONDE_CACHE_ALERT_COUNT; i++) {
        const char *const all[] = {values[0], values[1],
                                   sonde_cache_alert_name((sonde_cache_alert_kind)i)};
        set_part(&cache->alert_parts[i], cache, i);
        sonde_callback_options options = {
            .metric = {.name = "sonde_cache_alert_active",
                       .help = "Whether a cache is on the wrong side of a threshold.",
                       .label_names = alert_labels,
                       .label_count = 3,
                       .series_max = (size_t)(SONDE_CACHES_MAX + 1) * SONDE_CACHE_ALERT_COUNT},
            .label_values = all,
            .read = read_alert,
            .ctx = &cache->alert_parts[i],
        };
        if (!add_callback(cache, &options, &cache->computed[1 + SN_CACHE_WINDOW_COUNT + i]))
            return false;
    }
    return true;
}

bool sn_cache_metrics_locked(struct sonde_cache *cache, const char *const *values) {
    return add_counters(cache, values) && add_histogram(cache, values) &&
           add_gauges(cache, values) && add_hit_ratios(cache, values) && add_alerts(cache, values);
}
