/*
 * Counters: the calls behind sonde/counter.h. One cell each, added up over all slabs.
 */
#include "sonde/counter.h"

#include "client/family_priv.h"

#define FAMILY(family) ((struct sn_family *)(void *)(family))

static struct sn_series nowhere;

static sonde_counter *counter_of(struct sn_series *series) {
    return (sonde_counter *)(void *)(series != NULL ? series : &nowhere);
}

static sonde_float_counter *float_counter_of(struct sn_series *series) {
    return (sonde_float_counter *)(void *)(series != NULL ? series : &nowhere);
}

sonde_counter *sonde_counter_new(sonde_registry *registry, const sonde_metric *metric,
                                 sonde_error *error) {
    return counter_of(sn_family_get_single(registry, metric, SN_KIND_COUNTER, error));
}

sonde_counter_family *sonde_counter_family_new(sonde_registry *registry, const sonde_metric *metric,
                                               sonde_error *error) {
    return (void *)sn_family_get(registry, metric, SN_KIND_COUNTER, error);
}

sonde_counter *sonde_counter_family_get(sonde_counter_family *family, const char *const *values,
                                        size_t count) {
    return counter_of(sn_series_get(FAMILY(family), values, count));
}

sonde_counter *sonde_counter_family_at(sonde_counter_family *family, sonde_site *site,
                                       const char *const *values, size_t count) {
    return counter_of(sn_series_get_at(FAMILY(family), site, values, count));
}

void sonde_counter_add_call(sonde_counter *counter, uint64_t n) {
    sonde_cell_add(sonde_cells(counter), n);
}

void sonde_counter_inc_call(sonde_counter *counter) {
    sonde_cell_add(sonde_cells(counter), 1);
}

uint64_t sonde_counter_value(const sonde_counter *counter) {
    return sn_cells_sum((const sonde_ref *)(const void *)counter, 0);
}

sonde_float_counter *sonde_float_counter_new(sonde_registry *registry, const sonde_metric *metric,
                                             sonde_error *error) {
    return float_counter_of(sn_family_get_single(registry, metric, SN_KIND_FLOAT_COUNTER, error));
}

sonde_float_counter_family *sonde_float_counter_family_new(sonde_registry *registry,
                                                           const sonde_metric *metric,
                                                           sonde_error *error) {
    return (void *)sn_family_get(registry, metric, SN_KIND_FLOAT_COUNTER, error);
}

sonde_float_counter *sonde_float_counter_family_get(sonde_float_counter_family *family,
                                                    const char *const *values, size_t count) {
    return float_counter_of(sn_series_get(FAMILY(family), values, count));
}

void sonde_float_counter_add(sonde_float_counter *counter, double amount) {
    if (!(amount >= 0)) {
        sn_series_lost_value((const struct sn_series *)(const void *)counter);
        return;
    }
    sonde_cell_add_double(sonde_cells(counter), amount);
}

double sonde_float_counter_value(const sonde_float_counter *counter) {
    return sn_cells_sum_double((const sonde_ref *)(const void *)counter, 0);
}
