/*
 * Gauges: the calls behind sonde/gauge.h.
 *
 * A gauge has three shared cells (how it is used, its number, its number when mixed) and in every
 * slab two: whole steps and amounts added by that thread.
 *
 *     IS_SET ----add----> IS_ADDED ----set----> IS_MIXED
 *     number              number + all steps     mixed number only
 *
 * The mixed number has a cell of its own, written before the state changes: a reader that sees the
 * old state finds the old number, so there is no moment with a wrong sum. An add that found the old
 * state while a set ran counts as having come before it.
 *
 * Sets do not look at the state while the head's word lacks SONDE_GAUGE_ASKS. The first add puts it
 * there before it changes the state, so that whoever comes after an add looks. A set that read the
 * word before counts as having come before the add.
 */
#include "sonde/gauge.h"

#include "client/family_priv.h"

#include <math.h>

#define FAMILY(family) ((struct sn_family *)(void *)(family))

enum { USE, NUMBER, MIXED_NUMBER };

static uint64_t nowhere_cells[3];
static struct sn_series nowhere = {.head.gauge = {.shared = (uintptr_t)nowhere_cells}};

static sonde_gauge *gauge_of(struct sn_series *series) {
    return (sonde_gauge *)(void *)(series != NULL ? series : &nowhere);
}

static uint64_t *shared_of(const sonde_gauge *gauge) {
    return sn_series_shared((const struct sn_series *)(const void *)gauge);
}

sonde_gauge *sonde_gauge_new(sonde_registry *registry, const sonde_metric *metric,
                             sonde_error *error) {
    return gauge_of(sn_family_get_single(registry, metric, SN_KIND_GAUGE, error));
}

sonde_gauge_family *sonde_gauge_family_new(sonde_registry *registry, const sonde_metric *metric,
                                           sonde_error *error) {
    return (void *)sn_family_get(registry, metric, SN_KIND_GAUGE, error);
}

sonde_gauge *sonde_gauge_family_get(sonde_gauge_family *family, const char *const *values,
                                    size_t count) {
    return gauge_of(sn_series_get(FAMILY(family), values, count));
}

sonde_gauge *sonde_gauge_family_at(sonde_gauge_family *family, sonde_site *site,
                                   const char *const *values, size_t count) {
    return gauge_of(sn_series_get_at(FAMILY(family), site, values, count));
}

void sonde_gauge_set_call(sonde_gauge *gauge, double value) {
    uint64_t *shared = shared_of(gauge);
    uint64_t use = sn_cell_load(&shared[USE]);
    if (use == SONDE_GAUGE_IS_SET) {
        __atomic_store_n(&shared[NUMBER], sn_bits_of(value), __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&shared[MIXED_NUMBER], sn_bits_of(value), __ATOMIC_RELAXED);
    if (use == SONDE_GAUGE_IS_ADDED) /* release pairs with sonde_gauge_value: number before use */
        __atomic_store_n(&shared[USE], (uint64_t)SONDE_GAUGE_IS_MIXED, __ATOMIC_RELEASE);
}

static void add_shared(uint64_t *cell, double amount) {
    uint64_t old = sn_cell_load(cell);
    while (!__atomic_compare_exchange_n(cell, &old, sn_bits_of(sn_double_of(old) + amount), true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* Whether steps go to the thread's own cells; the first add of a gauge makes it so. */
static bool is_added(sonde_gauge *gauge) {
    uint64_t *shared = shared_of(gauge);
    /* Acquire pairs with the release below: who sees the first add sees that sets ask. */
    uint64_t use = __atomic_load_n(&shared[USE], __ATOMIC_ACQUIRE);
    if (use != SONDE_GAUGE_IS_SET)
        return use == SONDE_GAUGE_IS_ADDED;
    sonde_gauge_head *head = (sonde_gauge_head *)(void *)gauge;
    __atomic_store_n(&head->shared, (uintptr_t)shared | SONDE_GAUGE_ASKS, __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&shared[USE], &use, (uint64_t)SONDE_GAUGE_IS_ADDED, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    return use == SONDE_GAUGE_IS_ADDED;
}

void sonde_gauge_add_call(sonde_gauge *gauge, int64_t n) {
    if (is_added(gauge))
        sonde_cell_add(sonde_cells(gauge), (uint64_t)n);
    else
        add_shared(&shared_of(gauge)[MIXED_NUMBER], (double)n);
}

void sonde_gauge_add_double(sonde_gauge *gauge, double amount) {
    if (isnan(amount))
        sn_series_lost_value((const struct sn_series *)(const void *)gauge);
    else if (is_added(gauge))
        sonde_cell_add_double(sonde_cells(gauge) + 1, amount);
    else
        add_shared(&shared_of(gauge)[MIXED_NUMBER], amount);
}

double sonde_gauge_value(const sonde_gauge *gauge) {
    const uint64_t *shared = shared_of(gauge);
    const sonde_ref *ref = (const sonde_ref *)(const void *)gauge;
    /* Acquire pairs with sonde_gauge_set_call. */
    uint64_t use = __atomic_load_n(&shared[USE], __ATOMIC_ACQUIRE);
    if (use == SONDE_GAUGE_IS_MIXED)
        return sn_double_of(sn_cell_load(&shared[MIXED_NUMBER]));
    double number = sn_double_of(sn_cell_load(&shared[NUMBER]));
    if (use == SONDE_GAUGE_IS_SET)
        return number;
    int64_t steps = (int64_t)sn_cells_sum(ref, 0);
    return number + (double)steps + sn_cells_sum_double(ref, 1);
}
