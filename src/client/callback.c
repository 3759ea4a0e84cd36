/*
 * Callbacks and infos: series that nobody records in.
 *
 * Callbacks are registered under the registration lock and released under the registry's read
 * lock, which a reader holds while it calls them: so no callback runs after its release.
 */
#include "client/callback_priv.h"

#include "client/error_priv.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/registry_priv.h"

static sonde_status add_locked(sonde_registry *registry, const sonde_callback_options *options,
                               struct sn_series **ret_series, struct sn_err *err) {
    struct sn_family *family;
    struct sn_series *series = NULL;
    enum sn_kind kind =
        options->type == SONDE_CALLBACK_COUNTER ? SN_KIND_CALLBACK_COUNTER : SN_KIND_CALLBACK_GAUGE;
    sonde_status status = sn_family_get_locked(registry, &options->metric, kind, &family, err);
    if (status == SONDE_OK && options->metric.label_count > 0 && options->label_values == NULL)
        status = (sonde_status)sn_err_set(err, SN_ERR_INVALID, "callback %s has no label values",
                                          options->metric.name);
    if (status == SONDE_OK)
        status = sn_series_get_exact_locked(family, options->label_values, &series, err);
    if (status != SONDE_OK)
        return status;
    struct sn_callback *callback = sn_series_tail(series);
    if (atomic_load(&callback->read) != NULL)
        return (sonde_status)sn_err_set(err, SN_ERR_EXISTS,
                                        "metric %s has a callback with these label values",
                                        options->metric.name);
    callback->ctx = options->ctx;
    /* Release pairs with sn_callback_read. */
    atomic_store_explicit(&callback->read, options->read, memory_order_release);
    *ret_series = series;
    return SONDE_OK;
}

sonde_callback *sonde_callback_new(sonde_registry *registry, const sonde_callback_options *options,
                                   sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    struct sn_series *series = NULL;
    sonde_status status = SONDE_OK;
    registry = sn_registry_or_global(registry);
    if (options == NULL || options->read == NULL) {
        status = (sonde_status)sn_err_set(&err, SN_ERR_INVALID, "a callback has no function");
    } else {
        sn_client_lock();
        status = add_locked(registry, options, &series, &err);
        sn_client_unlock();
    }
    if (status != SONDE_OK)
        sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    (void)sn_public_error(error, status, &err);
    return (sonde_callback *)(void *)series;
}

sonde_callback *sonde_callback_free(sonde_callback *callback) {
    struct sn_series *series = (struct sn_series *)(void *)callback;
    if (series == NULL)
        return NULL;
    sonde_registry *registry = series->family->registry;
    struct sn_callback *tail = sn_series_tail(series);
    sn_mutex_lock(&registry->read_mu);
    atomic_store(&tail->read, NULL);
    if (sn_callback_is_in_file(series))
        __atomic_store_n(&sn_series_shared(series)[SN_CALLBACK_IS_KNOWN], 0, __ATOMIC_RELAXED);
    sn_mutex_unlock(&registry->read_mu);
    return NULL;
}

static void keep_in_file(uint64_t *cells, double value) {
    __atomic_store_n(&cells[SN_CALLBACK_NUMBER], sn_bits_of(value), __ATOMIC_RELAXED);
    /* Release: who sees that there is a number sees it. */
    __atomic_store_n(&cells[SN_CALLBACK_IS_KNOWN], 1, __ATOMIC_RELEASE);
}

bool sn_callback_read(struct sn_series *series, double *ret_value) {
    struct sn_callback *callback = sn_series_tail(series);
    double (*read)(void *) = atomic_load_explicit(&callback->read, memory_order_acquire);
    if (read == NULL)
        return false;
    *ret_value = read(callback->ctx);
    if (sn_callback_is_in_file(series))
        keep_in_file(sn_series_shared(series), *ret_value);
    return true;
}

static double read_last(void *ctx) {
    return ((const struct sn_callback *)ctx)->last;
}

void sn_callback_load(struct sn_series *series, const uint64_t *cells) {
    struct sn_callback *callback = sn_series_tail(series);
    if (cells[SN_CALLBACK_IS_KNOWN] == 0)
        return;
    callback->last = sn_double_of(cells[SN_CALLBACK_NUMBER]);
    callback->ctx = callback;
    atomic_store(&callback->read, read_last);
}

static sonde_status set_info_locked(sonde_registry *registry, const sonde_metric *metric,
                                    const char *const *values, struct sn_err *err) {
    struct sn_family *family;
    struct sn_series *series = NULL;
    sonde_status status = sn_family_get_locked(registry, metric, SN_KIND_INFO, &family, err);
    if (status == SONDE_OK && metric->label_count > 0 && values == NULL)
        status = (sonde_status)sn_err_set(err, SN_ERR_INVALID, "info %s has no label values",
                                          metric->name);
    if (status == SONDE_OK)
        status = sn_series_get_exact_locked(family, values, &series, err);
    return status;
}

sonde_status sonde_info_set(sonde_registry *registry, const sonde_metric *metric,
                            const char *const *values, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    registry = sn_registry_or_global(registry);
    sn_client_lock();
    sonde_status status = set_info_locked(registry, metric, values, &err);
    sn_client_unlock();
    if (status != SONDE_OK)
        sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    return sn_public_error(error, status, &err);
}
