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
 */
#include "sonde/gauge.h"

#include "client/family_priv.h"

#include <math.h>

#define FAMILY(family) ((struct sn_family *)(void *)(family))

enum { USE, NUMBER, MIXED_NUMBER };

static uint64_t nowhere_cells[3];
static struct sn_series nowhere = {.head.gauge = {.shared = nowhere_cells}};

static sonde_gauge *gauge_of(struct sn_series *series) {
    return (sonde_gauge *)(void *)(series != NULL ? series : &nowhere);
}

static const sonde_gauge_head *head_of(const sonde_gauge *gauge) {
    return (const sonde_gauge_head *)(const void *)gauge;
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
    uint64_t *shared = head_of(gauge)->shared;
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
static bool is_added(uint64_t *shared) {
    uint64_t use = SONDE_GAUGE_IS_SET;
    if (__atomic_compare_exchange_n(&shared[USE], &use, (uint64_t)SONDE_GAUGE_IS_ADDED, false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
        return true;
    return use == SONDE_GAUGE_IS_ADDED;
}

void sonde_gauge_add_call(sonde_gauge *gauge, int64_t n) {
    uint64_t *shared = head_of(gauge)->shared;
    if (sn_cell_load(&shared[USE]) == SONDE_GAUGE_IS_ADDED || is_added(shared))
        sonde_cell_add(sonde_cells(gauge), (uint64_t)n);
    else
        add_shared(&shared[MIXED_NUMBER], (double)n);
}

void sonde_gauge_add_double(sonde_gauge *gauge, double amount) {
    uint64_t *shared = head_of(gauge)->shared;
    if (isnan(amount))
        sn_series_lost_value((const struct sn_series *)(const void *)gauge);
    else if (is_added(shared))
        sonde_cell_add_double(sonde_cells(gauge) + 1, amount);
    else
        add_shared(&shared[MIXED_NUMBER], amount);
}

double sonde_gauge_value(const sonde_gauge *gauge) {
    const sonde_gauge_head *head = head_of(gauge);
    /* Acquire pairs with sonde_gauge_set_call. */
    uint64_t use = __atomic_load_n(&head->shared[USE], __ATOMIC_ACQUIRE);
    if (use == SONDE_GAUGE_IS_MIXED)
        return sn_double_of(sn_cell_load(&head->shared[MIXED_NUMBER]));
    double number = sn_double_of(sn_cell_load(&head->shared[NUMBER]));
    if (use == SONDE_GAUGE_IS_SET)
        return number;
    int64_t steps = (int64_t)sn_cells_sum(&head->ref, 0);
    return number + (double)steps + sn_cells_sum_double(&head->ref, 1);
}
