/*
 * Making and finding instruments. See instrument_priv.h. Any thread.
 */
#include "client/instrument_priv.h"

#include "client/callback_priv.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/registry_priv.h"

struct sn_series *sn_instrument_series_locked(sonde_registry *registry, const sonde_metric *metric,
                                              enum sn_kind kind, const char *const *values) {
    struct sn_family *family;
    struct sn_series *series;
    if (sn_family_get_locked(registry, metric, kind, &family, NULL) != SONDE_OK ||
        sn_series_get_exact_locked(family, values, &series, NULL) != SONDE_OK)
        return NULL;
    return series;
}

bool sn_instrument_callback_locked(sonde_registry *registry, const sonde_callback_options *options,
                                   struct sn_series **ret_in_file) {
    enum sn_kind kind =
        options->type == SONDE_CALLBACK_COUNTER ? SN_KIND_CALLBACK_COUNTER : SN_KIND_CALLBACK_GAUGE;
    struct sn_series *series =
        sn_instrument_series_locked(registry, &options->metric, kind, options->label_values);
    if (series == NULL)
        return false;
    if (ret_in_file != NULL)
        *ret_in_file = sn_callback_is_in_file(series) ? series : NULL;
    struct sn_callback *callback = sn_series_tail(series);
    double (*present)(void *) = atomic_load_explicit(&callback->read, memory_order_relaxed);
    if (present != NULL)
        return present == options->read && callback->ctx == options->ctx;
    callback->ctx = options->ctx;
    /* Release pairs with sn_callback_read. */
    atomic_store_explicit(&callback->read, options->read, memory_order_release);
    return true;
}

/* The family whose series have room for instruments; NULL: no memory, or the host took its name. */
static struct sn_family *family_locked(sonde_registry *registry,
                                       const struct sn_instrument_type *type) {
    struct sn_family *family;
    if (sn_family_get_locked(registry, &type->metric, SN_KIND_INFO, &family, NULL) != SONDE_OK)
        return NULL;
    if (family->tail_size == 0 && family->table_count == 0)
        family->tail_size = type->size;
    return family->tail_size == type->size ? family : NULL;
}

static bool make_ready(struct sn_instrument *instrument, struct sn_series *series,
                       const struct sn_instrument_type *type, const char *const *values) {
    static const char *const others[] = {SONDE_OTHER, SONDE_OTHER};
    _Static_assert(sizeof others / sizeof others[0] == 2, "instruments have one or two labels");
    bool is_other = series == atomic_load_explicit(&series->family->other, memory_order_acquire);
    sn_client_lock();
    bool is_ready = atomic_load_explicit(&instrument->is_ready, memory_order_relaxed);
    if (!is_ready) {
        instrument->series = series;
        is_ready = type->init_locked(instrument, is_other ? others : values);
        atomic_store_explicit(&instrument->is_ready, is_ready, memory_order_release);
    }
    sn_client_unlock();
    return is_ready;
}

static struct sn_instrument *refuse(sonde_registry *registry) {
    sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    return NULL;
}

struct sn_instrument *sn_instrument_get(sonde_registry *registry,
                                        const struct sn_instrument_type *type,
                                        const char *const *values) {
    registry = sn_registry_or_global(registry);
    sn_client_lock();
    struct sn_family *family = family_locked(registry, type);
    sn_client_unlock();
    if (family == NULL)
        return refuse(registry);
    struct sn_series *series = sn_series_get(family, values, type->metric.label_count);
    if (series == NULL) /* counted there */
        return NULL;
    struct sn_instrument *instrument = sn_series_tail(series);
    if (sn_instrument_is_ready(instrument) || make_ready(instrument, series, type, values))
        return instrument;
    return refuse(registry);
}

static struct sn_series *first_of(sonde_registry *registry, const struct sn_instrument_type *type) {
    struct sn_str name = sn_str_from(type->metric.name);
    struct sn_series *first = NULL;
    registry = sn_registry_or_global(registry);
    sn_client_lock(); /* tail_size changes under it */
    for (struct sn_family *family = atomic_load(&registry->first); family != NULL;
         family = atomic_load(&family->next)) {
        if (sn_str_equal(sn_str_from(family->name), name) && family->tail_size == type->size)
            first = atomic_load_explicit(&family->first, memory_order_acquire);
    }
    sn_client_unlock();
    return first;
}

struct sn_instrument *sn_instrument_next(sonde_registry *registry,
                                         const struct sn_instrument_type *type,
                                         const struct sn_instrument *previous) {
    struct sn_series *series =
        previous != NULL ? atomic_load_explicit(&previous->series->next, memory_order_acquire)
                         : first_of(registry, type);
    for (; series != NULL; series = atomic_load_explicit(&series->next, memory_order_acquire)) {
        struct sn_instrument *instrument = sn_series_tail(series);
        if (sn_instrument_is_ready(instrument))
            return instrument;
    }
    return NULL;
}

static bool has_values(const struct sn_instrument *instrument, const char *const *values) {
    const struct sn_series *series = instrument->series;
    for (size_t i = 0; i < series->family->label_count; i++) {
        if (!sn_str_equal(sn_series_value(series, i), sn_str_from(values[i])))
            return false;
    }
    return true;
}

struct sn_instrument *sn_instrument_find(sonde_registry *registry,
                                         const struct sn_instrument_type *type,
                                         const char *const *values) {
    struct sn_instrument *at = NULL;
    while ((at = sn_instrument_next(registry, type, at)) != NULL) {
        if (has_values(at, values))
            return at;
    }
    return NULL;
}
