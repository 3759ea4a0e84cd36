/*
 * Thresholds of caches and the alerts that they raise.
 */
#include "client/cache_priv.h"

#include "client/error_priv.h"
#include "client/lock_priv.h"

#include <math.h>

#define RESPONSE_MINUTES 5 /* long enough for an average, short enough to clear soon */
#define BYTES_PER_MB 1048576.0
#define NS_PER_MS 1e6

const char *sonde_cache_alert_name(sonde_cache_alert_kind kind) {
    switch (kind) {
    case SONDE_CACHE_ALERT_HIT_RATE:
        return "hit_rate";
    case SONDE_CACHE_ALERT_MEMORY:
        return "memory_usage";
    case SONDE_CACHE_ALERT_RESPONSE_TIME:
        return "response_time";
    case SONDE_CACHE_ALERT_FRAGMENTATION:
        return "fragmentation";
    case SONDE_CACHE_ALERT_COUNT:
        break;
    }
    return NULL;
}

/* Thresholds. */

sonde_cache_thresholds sonde_cache_thresholds_default(void) {
    return (sonde_cache_thresholds){
        .min_hit_rate = 0.8,
        .max_memory_usage_mb = 512,
        .max_response_time_ms = 100,
        .max_fragmentation = 0.3,
        .clear_margin = 0.05,
        .slow_operation_ms = 100,
        .min_operations = 100,
    };
}

static double get(const _Atomic double *number) {
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void put(_Atomic double *number, double value) {
    atomic_store_explicit(number, value, memory_order_relaxed);
}

sonde_cache_thresholds sonde_cache_thresholds_read(const sonde_cache *cache) {
    if (!sn_cache_is_ready(cache))
        return sonde_cache_thresholds_default();
    return (sonde_cache_thresholds){
        .min_hit_rate = get(&cache->min_hit_rate),
        .max_memory_usage_mb = get(&cache->max_memory_usage_mb),
        .max_response_time_ms = get(&cache->max_response_time_ms),
        .max_fragmentation = get(&cache->max_fragmentation),
        .clear_margin = get(&cache->clear_margin),
        .slow_operation_ms = get(&cache->slow_operation_ms),
        .min_operations = atomic_load_explicit(&cache->min_operations, memory_order_relaxed),
    };
}

void sn_cache_thresholds_store(struct sonde_cache *cache,
                               const sonde_cache_thresholds *thresholds) {
    put(&cache->min_hit_rate, thresholds->min_hit_rate);
    put(&cache->max_memory_usage_mb, thresholds->max_memory_usage_mb);
    put(&cache->max_response_time_ms, thresholds->max_response_time_ms);
    put(&cache->max_fragmentation, thresholds->max_fragmentation);
    put(&cache->clear_margin, thresholds->clear_margin);
    put(&cache->slow_operation_ms, thresholds->slow_operation_ms);
    atomic_store_explicit(&cache->min_operations, thresholds->min_operations, memory_order_relaxed);
    double slow_ns = thresholds->slow_operation_ms * NS_PER_MS;
    atomic_store_explicit(&cache->slow_ns, slow_ns < 1e18 ? (uint64_t)slow_ns : UINT64_MAX,
                          memory_order_relaxed);
}

static sn_status check_ratio(const char *name, double value, double max, struct sn_err *err) {
    if (value >= 0 && value <= max)
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID, "threshold %s is not between 0 and %s", name,
                      max < 1 ? "0.5" : "1");
}

static sn_status check_above(const char *name, double value, struct sn_err *err) {
    if (value > 0 && isfinite(value))
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID, "threshold %s is not a number above 0", name);
}

static sn_status check(const sonde_cache_thresholds *thresholds, struct sn_err *err) {
    SN_TRY(check_ratio("min_hit_rate", thresholds->min_hit_rate, 1, err));
    SN_TRY(check_above("max_memory_usage_mb", thresholds->max_memory_usage_mb, err));
    SN_TRY(check_above("max_response_time_ms", thresholds->max_response_time_ms, err));
    SN_TRY(check_ratio("max_fragmentation", thresholds->max_fragmentation, 1, err));
    SN_TRY(check_ratio("clear_margin", thresholds->clear_margin, 0.5, err));
    if (thresholds->slow_operation_ms >= 0 && isfinite(thresholds->slow_operation_ms))
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID, "threshold slow_operation_ms is not a number from 0 on");
}

sonde_status sonde_cache_thresholds_set(sonde_cache *cache,
                                        const sonde_cache_thresholds *thresholds,
                                        sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sn_status status;
    if (!sn_cache_is_ready(cache) || thresholds == NULL)
        status = sn_err_set(&err, SN_ERR_INVALID, "no cache to set thresholds of, or none given");
    else if ((status = check(thresholds, &err)) == SN_OK)
        sn_cache_thresholds_store(cache, thresholds);
    return sn_public_error(error, (sonde_status)status, &err);
}

/* Judging. */

static struct sn_finding judge_hit_rate(struct sonde_cache *cache, double margin) {
    sonde_cache_window hour;
    sn_cache_window_read(cache, SN_WINDOW_HOUR, &hour);
    double limit = get(&cache->min_hit_rate);
    uint64_t enough = atomic_load_explicit(&cache->min_operations, memory_order_relaxed);
    bool is_worth = hour.hits + hour.misses >= enough && hour.hits + hour.misses > 0;
    return (struct sn_finding){
        .verdict = is_worth ? sn_alert_judge_min(hour.hit_rate, limit, margin) : SN_VERDICT_CLEAR,
        .value = hour.hit_rate,
        .threshold = limit,
    };
}

static struct sn_finding judge_response(struct sonde_cache *cache, double margin) {
    sonde_cache_window last;
    sn_cache_window_read(cache, RESPONSE_MINUTES, &last);
    double limit = get(&cache->max_response_time_ms);
    return (struct sn_finding){
        .verdict = sn_alert_judge_max(last.response_avg_ms, limit, margin),
        .value = last.response_avg_ms,
        .threshold = limit,
    };
}

static struct sn_finding judge_max(double value, double limit, double margin) {
    return (struct sn_finding){
        .verdict = sn_alert_judge_max(value, limit, margin), .value = value, .threshold = limit};
}

static struct sn_finding find(struct sonde_cache *cache, sonde_cache_alert_kind kind) {
    double margin = get(&cache->clear_margin);
    switch (kind) {
    case SONDE_CACHE_ALERT_HIT_RATE:
        return judge_hit_rate(cache, margin);
    case SONDE_CACHE_ALERT_MEMORY:
        return judge_max((double)sn_cache_count_of(&cache->used_bytes) / BYTES_PER_MB,
                         get(&cache->max_memory_usage_mb), margin);
    case SONDE_CACHE_ALERT_RESPONSE_TIME:
        return judge_response(cache, margin);
    case SONDE_CACHE_ALERT_FRAGMENTATION:
        return judge_max(sn_cache_fragmentation(cache), get(&cache->max_fragmentation), margin);
    case SONDE_CACHE_ALERT_COUNT:
        break;
    }
    return (struct sn_finding){.verdict = SN_VERDICT_CLEAR};
}

bool sn_cache_judge(struct sonde_cache *cache, sonde_cache_alert_kind kind) {
    struct sn_finding finding = find(cache, kind);
    finding.wall_ms = sn_clock_wall_ms(cache->clock);
    return sn_alert_update(&cache->alerts[kind], &finding);
}

static sonde_cache_alert alert_of(const struct sonde_cache *cache, sonde_cache_alert_kind kind) {
    const struct sn_alert *alert = &cache->alerts[kind];
    return (sonde_cache_alert){
        .kind = kind,
        .is_active = atomic_load_explicit(&alert->is_active, memory_order_relaxed),
        .value = get(&alert->value),
        .threshold = get(&alert->threshold),
        .since_wall_ms = atomic_load_explicit(&alert->since_wall_ms, memory_order_relaxed),
    };
}

/* Telling. */

void sonde_cache_on_alert(sonde_cache *cache, sonde_cache_alert_callback callback, void *ctx) {
    if (!sn_cache_is_ready(cache))
        return;
    sn_client_lock();
    cache->on_alert = callback;
    cache->on_alert_ctx = ctx;
    sn_client_unlock();
}

static void tell(struct sonde_cache *cache, sonde_cache_alert_kind kind, bool is_active) {
    sn_client_lock();
    sonde_cache_alert_callback callback = cache->on_alert;
    void *ctx = cache->on_alert_ctx;
    sn_client_unlock();
    if (callback == NULL)
        return;
    sonde_cache_alert alert = alert_of(cache, kind);
    alert.is_active = is_active;
    callback(ctx, cache, &alert);
}

size_t sonde_cache_evaluate(sonde_cache *cache) {
    size_t active_count = 0;
    if (!sn_cache_is_ready(cache))
        return 0;
    for (int i = 0; i < SONDE_CACHE_ALERT_COUNT; i++) {
        sonde_cache_alert_kind kind = (sonde_cache_alert_kind)i;
        bool is_active;
        active_count += sn_cache_judge(cache, kind) ? 1 : 0;
        if (sn_alert_take_change(&cache->alerts[kind], &is_active))
            tell(cache, kind, is_active);
    }
    return active_count;
}

size_t sonde_cache_evaluate_all(sonde_registry *registry) {
    size_t active_count = 0;
    struct sn_instrument *at = NULL;
    while ((at = sn_instrument_next(registry, &sn_cache_type, at)) != NULL)
        active_count += sonde_cache_evaluate((sonde_cache *)(void *)at);
    return active_count;
}

size_t sonde_cache_alerts(const sonde_cache *cache, sonde_cache_alert *ret_alerts) {
    size_t count = 0;
    for (int i = 0; i < SONDE_CACHE_ALERT_COUNT && sn_cache_is_ready(cache); i++) {
        sonde_cache_alert alert = alert_of(cache, (sonde_cache_alert_kind)i);
        if (alert.is_active)
            ret_alerts[count++] = alert;
    }
    return count;
}
