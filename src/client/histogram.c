/*
 * Histograms: the calls behind sonde/histogram.h. Cells: sum, then one count per bucket.
 */
#include "sonde/histogram.h"

#include "client/family_priv.h"

#include <math.h>

#define FAMILY(family) ((struct sn_family *)(void *)(family))

static const double no_bounds[1] = {(double)INFINITY};
static const sonde_buckets no_buckets = {.bounds = no_bounds};
static struct sn_series nowhere = {.head.histogram = {.buckets = &no_buckets}};

static sonde_histogram *histogram_of(struct sn_series *series) {
    return (sonde_histogram *)(void *)(series != NULL ? series : &nowhere);
}

static const sonde_histogram_head *head_of(const sonde_histogram *histogram) {
    return (const sonde_histogram_head *)(const void *)histogram;
}

sonde_histogram *sonde_histogram_new(sonde_registry *registry, const sonde_metric *metric,
                                     sonde_error *error) {
    return histogram_of(sn_family_get_single(registry, metric, SN_KIND_HISTOGRAM, error));
}

sonde_histogram_family *sonde_histogram_family_new(sonde_registry *registry,
                                                   const sonde_metric *metric, sonde_error *error) {
    return (void *)sn_family_get(registry, metric, SN_KIND_HISTOGRAM, error);
}

sonde_histogram *sonde_histogram_family_get(sonde_histogram_family *family,
                                            const char *const *values, size_t count) {
    return histogram_of(sn_series_get(FAMILY(family), values, count));
}

sonde_histogram *sonde_histogram_family_at(sonde_histogram_family *family, sonde_site *site,
                                           const char *const *values, size_t count) {
    return histogram_of(sn_series_get_at(FAMILY(family), site, values, count));
}

void sonde_histogram_observe_call(sonde_histogram *histogram, double value) {
    if (isnan(value))
        sn_series_lost_value((const struct sn_series *)(const void *)histogram);
    else
        sonde_histogram_observe(histogram, value);
}

uint64_t sonde_histogram_count(const sonde_histogram *histogram) {
    const sonde_histogram_head *head = head_of(histogram);
    uint64_t count = 0;
    for (uint32_t i = 0; i <= head->buckets->count; i++)
        count += sn_cells_sum(&head->ref, 1 + i);
    return count;
}

double sonde_histogram_sum(const sonde_histogram *histogram) {
    return sn_cells_sum_double(&head_of(histogram)->ref, 0);
}
