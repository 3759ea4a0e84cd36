/*
 * Limits of services' memory and the alerts that they raise.
 */
#include "client/memory_priv.h"

#include "client/error_priv.h"
#include "client/lock_priv.h"

#include <math.h>

const char *sonde_memory_alert_name(sonde_memory_alert_kind kind) {
    switch (kind) {
    case SONDE_MEMORY_ALERT_LIMIT:
        return "limit";
    case SONDE_MEMORY_ALERT_GROWTH:
        return "growth";
    case SONDE_MEMORY_ALERT_COUNT:
        break;
    }
    return NULL;
}

/* Thresholds. */

static double get(const _Atomic double *number) {
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void put(_Atomic double *number, double value) {
    atomic_store_explicit(number, value, memory_order_relaxed);
}

sonde_memory_thresholds sonde_memory_thresholds_read(const sonde_memory *memory) {
    if (!sn_memory_is_ready(memory))
        return (sonde_memory_thresholds){.clear_margin = 0.05};
    return (sonde_memory_thresholds){
        .max_bytes = get(&memory->max_bytes),
        .max_growth_per_second = get(&memory->max_growth_per_second),
        .clear_margin = get(&memory->clear_margin),
    };
}

void sn_memory_thresholds_store(struct sonde_memory *memory,
                                const sonde_memory_thresholds *thresholds) {
    put(&memory->max_bytes, thresholds->max_bytes);
    put(&memory->max_growth_per_second, thresholds->max_growth_per_second);
    put(&memory->clear_margin, thresholds->clear_margin);
}

static sn_status check_number(const char *name, double value, struct sn_err *err) {
    if (value >= 0 && isfinite(value))
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID, "threshold %s is not a number from 0 on", name);
}

static sn_status check(const sonde_memory_thresholds *thresholds, struct sn_err *err) {
    SN_TRY(check_number("max_bytes", thresholds->max_bytes, err));
    SN_TRY(check_number("max_growth_per_second", thresholds->max_growth_per_second, err));
    if (thresholds->clear_margin >= 0 && thresholds->clear_margin <= 0.5)
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID, "threshold clear_margin is not between 0 and 0.5");
}

sonde_status sonde_memory_thresholds_set(sonde_memory *memory,
                                         const sonde_memory_thresholds *thresholds,
                                         sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sn_status status;
    if (!sn_memory_is_ready(memory) || thresholds == NULL)
        status = sn_err_set(&err, SN_ERR_INVALID, "no service to set thresholds of, or none given");
    else if ((status = check(thresholds, &err)) == SN_OK)
        sn_memory_thresholds_store(memory, thresholds);
    return sn_public_error(error, (sonde_status)status, &err);
}

/* Judging. */

static double value_of(struct sonde_memory *memory, sonde_memory_alert_kind kind) {
    if (kind == SONDE_MEMORY_ALERT_GROWTH)
        return sn_memory_rates(memory).growth;
    return (double)sn_memory_bytes(&memory->bytes);
}

bool sn_memory_judge(struct sonde_memory *memory, sonde_memory_alert_kind kind) {
    double limit = get(kind == SONDE_MEMORY_ALERT_GROWTH ? &memory->max_growth_per_second
                                                         : &memory->max_bytes);
    double value = value_of(memory, kind);
    struct sn_finding finding = {
        .verdict = limit > 0 ? sn_alert_judge_max(value, limit, get(&memory->clear_margin))
                             : SN_VERDICT_CLEAR,
        .value = value,
        .threshold = limit,
        .wall_ms = sn_clock_wall_ms(memory->clock),
    };
    return sn_alert_update(&memory->alerts[kind], &finding);
}

static sonde_memory_alert alert_of(const struct sonde_memory *memory,
                                   sonde_memory_alert_kind kind) {
    const struct sn_alert *alert = &memory->alerts[kind];
    return (sonde_memory_alert){
        .kind = kind,
        .is_active = atomic_load_explicit(&alert->is_active, memory_order_relaxed),
        .value = get(&alert->value),
        .threshold = get(&alert->threshold),
        .since_wall_ms = atomic_load_explicit(&alert->since_wall_ms, memory_order_relaxed),
    };
}

/* Telling. */

void sonde_memory_on_alert(sonde_memory *memory, sonde_memory_alert_callback callback, void *ctx) {
    if (!sn_memory_is_ready(memory))
        return;
    sn_client_lock();
    memory->on_alert = callback;
    memory->on_alert_ctx = ctx;
    sn_client_unlock();
}

static void tell(struct sonde_memory *memory, sonde_memory_alert_kind kind, bool is_active) {
    sn_client_lock();
    sonde_memory_alert_callback callback = memory->on_alert;
    void *ctx = memory->on_alert_ctx;
    sn_client_unlock();
    if (callback == NULL)
        return;
    sonde_memory_alert alert = alert_of(memory, kind);
    alert.is_active = is_active;
    callback(ctx, memory, &alert);
}

size_t sonde_memory_evaluate(sonde_memory *memory) {
    size_t active_count = 0;
    if (!sn_memory_is_ready(memory))
        return 0;
    for (int i = 0; i < SONDE_MEMORY_ALERT_COUNT; i++) {
        sonde_memory_alert_kind kind = (sonde_memory_alert_kind)i;
        bool is_active;
        active_count += sn_memory_judge(memory, kind) ? 1 : 0;
        if (sn_alert_take_change(&memory->alerts[kind], &is_active))
            tell(memory, kind, is_active);
    }
    return active_count;
}

size_t sonde_memory_evaluate_all(sonde_registry *registry) {
    size_t active_count = 0;
    struct sn_instrument *at = NULL;
    while ((at = sn_instrument_next(registry, &sn_memory_type, at)) != NULL)
        active_count += sonde_memory_evaluate((sonde_memory *)(void *)at);
    return active_count;
}

size_t sonde_memory_alerts(const sonde_memory *memory, sonde_memory_alert *ret_alerts) {
    size_t count = 0;
    for (int i = 0; i < SONDE_MEMORY_ALERT_COUNT && sn_memory_is_ready(memory); i++) {
        sonde_memory_alert alert = alert_of(memory, (sonde_memory_alert_kind)i);
        if (alert.is_active)
            ret_alerts[count++] = alert;
    }
    return count;
}
