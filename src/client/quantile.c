/*
 * Percentiles from buckets. See quantile_priv.h.
 */
#include "client/quantile_priv.h"

#include <math.h>

static double total_of(const struct sn_distribution *values) {
    uint64_t total = 0;
    for (uint32_t i = 0; i <= values->buckets->count; i++)
        total += values->counts[i];
    return (double)total;
}

/* The ends of bucket i, as narrow as they are known. */
static struct sn_quantile ends_of(const struct sn_distribution *values, uint32_t i) {
    double low = i > 0 ? values->buckets->bounds[i - 1] : fmin(values->min, 0);
    double high = values->buckets->bounds[i];
    if (values->max > 0) {
        low = fmax(low, values->min);
        high = fmin(high, values->max);
    }
    if (isinf(high) || high < low) /* a value is counted whose maximum is not stored yet */
        high = low;
    return (struct sn_quantile){low, low, high};
}

struct sn_quantile sn_quantile_find(const struct sn_distribution *values, double part) {
    double rank = part * total_of(values), below = 0;
    struct sn_quantile result = {0, 0, 0};
    for (uint32_t i = 0; i <= values->buckets->count; i++) {
        double count = (double)values->counts[i];
        if (count == 0)
            continue;
        result = ends_of(values, i);
        if (below + count >= rank) {
            result.value = result.low + (result.high - result.low) * fmax(rank - below, 0) / count;
            return result;
        }
        below += count;
    }
    return result;
}
