/*
 * Services, operations and trackers: the calls behind sonde/service.h.
 *
 * A service is a series of an internal family (its only value is when it was made), an operation
 * one of another. Both families are made when a registry's first service is named.
 */
#include "client/operation_priv.h"

#include "base/clock.h"
#include "client/family_priv.h"
#include "client/lock_priv.h"
#include "client/registry_priv.h"
#include "client/words_priv.h"

#include <math.h>

static const double no_bounds[1] = {(double)INFINITY};
static const sonde_buckets no_buckets = {.bounds = no_bounds};
static struct sn_series nowhere = {.head.operation = {.buckets = &no_buckets}};

static sonde_operation *operation_of(struct sn_series *series) {
    return (sonde_operation *)(void *)(series != NULL ? series : &nowhere);
}

static struct sn_series *series_of(const void *handle) {
    return (struct sn_series *)(uintptr_t)handle;
}

static struct sn_operation_tail *tail_of(struct sn_series *series) {
    return sn_series_tail(series);
}

/* Registration. */

static struct sn_family *family_locked(sonde_registry *registry, enum sn_kind kind) {
    static const char *const labels[] = {"service", "operation"};
    sonde_metric metric = {
        .name = kind == SN_KIND_SERVICE ? "sonde_service_start_time_seconds" : "sonde_operation",
        .help = kind == SN_KIND_SERVICE ? "Unix time at which a service was first named." : NULL,
        .label_names = labels,
        .label_count = kind == SN_KIND_SERVICE ? 1 : 2,
    };
    if (kind == SN_KIND_OPERATION) {
        metric.bounds = registry->options.operation_bounds;
        metric.bound_count = registry->options.operation_bound_count;
    }
    struct sn_family *family;
    if (sn_family_get_locked(registry, &metric, kind, &family, NULL) == SONDE_OK)
        return family;
    sn_lost_add(registry->lost, SONDE_LOST_REGISTRATION);
    return NULL;
}

/* The registry's family of a kind, which must be kept at `slot`; NULL without memory. */
static struct sn_family *family_at(sonde_registry *registry, _Atomic(struct sn_family *) *slot,
                                   enum sn_kind kind) {
    struct sn_family *family = atomic_load_explicit(slot, memory_order_acquire);
    if (family != NULL)
        return family;
    sn_ticks_init();
    sn_client_lock();
    family = family_locked(registry, kind);
    /* Release: who finds it sees it complete. */
    atomic_store_explicit(slot, family, memory_order_release);
    sn_client_unlock();
    return family;
}

sonde_service *sonde_service_get(sonde_registry *registry, const char *name) {
    registry = sn_registry_or_global(registry);
    struct sn_family *family = family_at(registry, &registry->services, SN_KIND_SERVICE);
    struct sn_series *series = family != NULL ? sn_series_get(family, &name, 1) : NULL;
    return (sonde_service *)(void *)(series != NULL ? series : &nowhere);
}

sonde_operation *sonde_operation_get(sonde_service *service, const char *name) {
    const struct sn_series *owner = series_of(service);
    if (owner == NULL || owner->family == NULL)
        return operation_of(NULL);
    sonde_registry *registry = owner->family->registry;
    struct sn_family *family = family_at(registry, &registry->operations, SN_KIND_OPERATION);
    if (family == NULL)
        return operation_of(NULL);
    /* Values are compared as C strings; a series keeps them without an end. */
    char service_name[SONDE_LABEL_VALUE_BYTES_MAX + 1];
    struct sn_str value = sn_series_value(owner, 0);
    memcpy(service_name, value.ptr, value.len);
    service_name[value.len] = '\0';
    const char *values[] = {service_name, name};
    return operation_of(sn_series_get(family, values, 2));
}

int64_t sonde_service_start_wall_ms(const sonde_service *service) {
    return service != NULL ? series_of(service)->created_wall_ms : 0;
}

/* Trackers, where they are not inline. */

sonde_tracker sonde_track_begin_call(sonde_operation *operation) {
    sonde_tracker tracker = {operation, 0, 0};
    if (operation == NULL)
        return tracker;
#if defined(__x86_64__)
    if (__atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED) != 0)
        return sonde_track_begin(operation);
#endif
    struct sn_tick_pair now = sn_ticks_now();
    sn_ticks_update(&now);
    sonde_cell_add(sonde_cells(operation) + SONDE_OPERATION_BEGUN, 1);
    tracker.begin = (uint64_t)now.mono_ns;
    return tracker;
}

void sonde_track_end_call(sonde_tracker *tracker, sonde_outcome outcome) {
    const sonde_operation_head *head = (const void *)tracker->operation;
    if (head == NULL)
        return;
    if (tracker->scale != 0) {
        sonde_track_end(tracker, outcome);
        return;
    }
    uint64_t now = (uint64_t)sn_clock_mono_ns(sn_clock_system());
    uint64_t ns = now > tracker->begin ? now - tracker->begin : 0;
    uint64_t *cells = sonde_cells(head);
    tracker->operation = NULL;
    __atomic_store_n(cells + SONDE_OPERATION_LAST_NS, now, __ATOMIC_RELAXED);
    sonde_operation_record(cells, head->buckets, ns, outcome);
}

/* Last errors. */

static void remember(struct sn_last_error *last, const sonde_failure *failure, int64_t wall_ms) {
    /* Who is writing has a message of this very moment: that one is as good. */
    if (!sn_try_lock_take(&last->writing))
        return;
    /* Odd already, if a fork lost the last writer at work. */
    uint64_t version = atomic_load_explicit(&last->version, memory_order_relaxed) | 1;
    atomic_store_explicit(&last->version, version, memory_order_relaxed);
    atomic_store_explicit(&last->wall_ms, wall_ms, memory_order_release);
    sn_words_put(last->error_class, SONDE_ERROR_CLASS_SIZE, failure->error_class);
    sn_words_put(last->message, SONDE_ERROR_MESSAGE_SIZE, failure->message);
    atomic_store_explicit(&last->version, version + 1, memory_order_release);
    sn_try_lock_give(&last->writing);
}

static size_t error_cells_at(const struct sn_series *series) {
    return SONDE_OPERATION_BUCKETS + (size_t)series->family->buckets->count + 1;
}

static void remember_in_file(struct sn_series *series, const sonde_failure *failure,
                             int64_t wall_ms) {
    _Atomic uint64_t *words =
        (_Atomic uint64_t *)(sonde_cells(&series->head.ref) + error_cells_at(series));
    /* Odd already, if the last owner was killed at work. */
    uint64_t version =
        atomic_load_explicit(&words[SN_OPERATION_ERROR_VERSION], memory_order_relaxed) | 1;
    atomic_store_explicit(&words[SN_OPERATION_ERROR_VERSION], version, memory_order_relaxed);
    sn_word_put(&words[SN_OPERATION_ERROR_WALL_MS], (uint64_t)wall_ms);
    sn_words_put(&words[SN_OPERATION_ERROR_CLASS], SONDE_ERROR_CLASS_SIZE, failure->error_class);
    sn_words_put(&words[SN_OPERATION_ERROR_MESSAGE], SONDE_ERROR_MESSAGE_SIZE, failure->message);
    sn_word_put(&words[SN_OPERATION_ERROR_VERSION], version + 1);
}

void sn_operation_put_error(struct sn_series *series, const struct sn_error_text *error) {
    sonde_failure failure = {error->error_class, error->message};
    remember(&tail_of(series)->last_error, &failure, error->wall_ms);
}

void sonde_track_fail_as(sonde_tracker *tracker, const sonde_failure *failure) {
    struct sn_series *series = series_of(tracker->operation);
    if (series == NULL)
        return;
    int64_t wall_ms = sn_clock_wall_ms(sn_clock_system());
    if (series->family != NULL && failure != NULL && series->family->shared_number != 0)
        remember_in_file(series, failure, wall_ms);
    else if (series->family != NULL && failure != NULL)
        remember(&tail_of(series)->last_error, failure, wall_ms);
    sonde_track_end(tracker, SONDE_OUTCOME_ERROR);
}

void sonde_track_fail(sonde_tracker *tracker, const char *message) {
    sonde_track_fail_as(tracker, &(sonde_failure){.message = message});
}

bool sn_operation_cells_error(const uint64_t *cells, struct sn_error_text *ret_error) {
    const _Atomic uint64_t *words = (const _Atomic uint64_t *)cells;
    for (int i = 0; i < SN_VERSION_TRIES; i++) {
        uint64_t version = sn_word_get(&words[SN_OPERATION_ERROR_VERSION]);
        if (version == 0)
            return false;
        ret_error->wall_ms = (int64_t)sn_word_get(&words[SN_OPERATION_ERROR_WALL_MS]);
        sn_words_get(&words[SN_OPERATION_ERROR_CLASS], SONDE_ERROR_CLASS_SIZE,
                     ret_error->error_class);
        sn_words_get(&words[SN_OPERATION_ERROR_MESSAGE], SONDE_ERROR_MESSAGE_SIZE,
                     ret_error->message);
        if (version % 2 == 0 && sn_word_get(&words[SN_OPERATION_ERROR_VERSION]) == version)
            return true;
    }
    return true; /* its writer was killed at work: words of two messages are better than none */
}

static bool last_error_in_file(struct sn_series *series, struct sn_error_text *ret_error) {
    bool is_found = false;
    struct sn_error_text error;
    struct sn_cell_walk walk = {0};
    for (const uint64_t *cells; (cells = sn_cells_next(&series->head.ref, &walk)) != NULL;) {
        if (sn_operation_cells_error(cells + error_cells_at(series), &error) &&
            (!is_found || error.wall_ms > ret_error->wall_ms)) {
            *ret_error = error;
            is_found = true;
        }
    }
    return is_found;
}

/* A few tries: a writer needs some 50 ns. What a busy one leaves is the words of two messages. */
bool sn_operation_last_error(struct sn_series *series, struct sn_error_text *ret_error) {
    struct sn_last_error *last = &tail_of(series)->last_error;
    if (series->family->shared_number != 0)
        return last_error_in_file(series, ret_error);
    for (int i = 0; i < 1000; i++) {
        uint64_t version = atomic_load_explicit(&last->version, memory_order_acquire);
        if (version == 0)
            return false;
        if (version % 2 != 0)
            continue;
        ret_error->wall_ms = atomic_load_explicit(&last->wall_ms, memory_order_acquire);
        sn_words_get(last->error_class, SONDE_ERROR_CLASS_SIZE, ret_error->error_class);
        sn_words_get(last->message, SONDE_ERROR_MESSAGE_SIZE, ret_error->message);
        if (atomic_load_explicit(&last->version, memory_order_relaxed) == version)
            return true;
    }
    return false;
}

/* Reading. */

/* What counts as the shortest of two, of which 0 is none. */
static uint64_t shorter(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint64_t longer(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void add_slab(const uint64_t *cells, struct sn_operation_sums *sums) {
    for (size_t i = 0; i < SONDE_OUTCOME_COUNT; i++)
        sums->outcomes[i] += __atomic_load_n(&cells[SONDE_OPERATION_OUTCOME + i], __ATOMIC_ACQUIRE);
    sums->sum_ns += sn_cell_load(&cells[SONDE_OPERATION_SUM_NS]);
    uint64_t inverted_min = sn_cell_load(&cells[SONDE_OPERATION_MIN_NS]);
    if (inverted_min != 0)
        sums->min_ns = shorter(sums->min_ns, ~inverted_min);
    sums->max_ns = longer(sums->max_ns, sn_cell_load(&cells[SONDE_OPERATION_MAX_NS]));
    sums->last_tick = longer(sums->last_tick, sn_cell_load(&cells[SONDE_OPERATION_LAST_TICK]));
    sums->last_ns = longer(sums->last_ns, sn_cell_load(&cells[SONDE_OPERATION_LAST_NS]));
}

static uint64_t finished(const struct sn_operation_sums *sums) {
    return sums->outcomes[0] + sums->outcomes[1] + sums->outcomes[2];
}

/* The cells alone: the shortest and the longest run are those since the last reset. */
static void sum_cells(const struct sn_series *series, struct sn_operation_sums *ret_sums) {
    struct sn_operation_sums sums = {0};
    const sonde_ref *ref = &series->head.ref;
    struct sn_cell_walk walk = {0};
    for (const uint64_t *cells; (cells = sn_cells_next(ref, &walk)) != NULL;)
        add_slab(cells, &sums);
    /* After all outcomes: a run that is in them has begun. */
    sums.begun = longer(sn_cells_sum(ref, SONDE_OPERATION_BEGUN), finished(&sums));
    *ret_sums = sums;
}

void sn_operation_sum(struct sn_series *series, struct sn_operation_sums *ret_sums) {
    const struct sn_operation_baseline *baseline = &tail_of(series)->baseline;
    sum_cells(series, ret_sums);
    /* Acquire, after the cells: who finds a cell set back finds here what it held. */
    uint64_t min_ns = atomic_load_explicit(&baseline->min_ns, memory_order_acquire);
    uint64_t max_ns = atomic_load_explicit(&baseline->max_ns, memory_order_acquire);
    ret_sums->min_ns = shorter(ret_sums->min_ns, min_ns);
    ret_sums->max_ns = longer(ret_sums->max_ns, max_ns);
}

void sn_operation_note(struct sn_series *series, size_t slot) {
    struct sn_operation_sums sums;
    sum_cells(series, &sums);
    tail_of(series)->noted[slot] = finished(&sums);
}

/* Reset. */

static void keep_extremes(struct sn_operation_baseline *baseline,
                          const struct sn_operation_sums *sums) {
    uint64_t min_ns = atomic_load_explicit(&baseline->min_ns, memory_order_relaxed);
    uint64_t max_ns = atomic_load_explicit(&baseline->max_ns, memory_order_relaxed);
    atomic_store_explicit(&baseline->min_ns, shorter(min_ns, sums->min_ns), memory_order_release);
    atomic_store_explicit(&baseline->max_ns, longer(max_ns, sums->max_ns), memory_order_release);
}

/*
 * Set the shortest and longest run of a slab to "none yet". The only cells that a reader writes:
 * their owner never stores what it read there, only the duration of its own last run, so an
 * exchange loses nothing. A run that is being recorded at this moment may count as one before.
 */
static void take_extremes(uint64_t *cells, struct sn_operation_sums *sums) {
    uint64_t inverted_min =
        __atomic_exchange_n(&cells[SONDE_OPERATION_MIN_NS], 0, __ATOMIC_ACQ_REL);
    if (inverted_min != 0)
        sums->min_ns = shorter(sums->min_ns, ~inverted_min);
    sums->max_ns = longer(sums->max_ns,
                          __atomic_exchange_n(&cells[SONDE_OPERATION_MAX_NS], 0, __ATOMIC_ACQ_REL));
}

void sn_operation_reset(struct sn_series *series, int64_t wall_ms) {
    struct sn_operation_tail *tail = tail_of(series);
    struct sn_operation_baseline *baseline = &tail->baseline;
    struct sn_operation_sums sums;
    for (uint32_t i = 0; i <= series->family->buckets->count; i++)
        tail->bucket_baseline[i] = sn_cells_sum(&series->head.ref, SONDE_OPERATION_BUCKETS + i);
    sum_cells(series, &sums);
    memcpy(baseline->outcomes, sums.outcomes, sizeof baseline->outcomes);
    baseline->sum_ns = sums.sum_ns;
    baseline->reset_wall_ms = wall_ms;
    /* Other processes that read the same cells do not know what is kept here. */
    if (series->family->shared_number != 0)
        return;
    /* Kept before they are taken away: the exposition never shows them missing. */
    keep_extremes(baseline, &sums);
    struct sn_operation_sums taken = {0};
    struct sn_cell_walk walk = {0};
    for (const uint64_t *cells; (cells = sn_cells_next(&series->head.ref, &walk)) != NULL;)
        take_extremes((uint64_t *)(uintptr_t)cells, &taken);
    keep_extremes(baseline, &taken);
}

static uint64_t since(uint64_t now, uint64_t before) {
    return now > before ? now - before : 0;
}

void sn_operation_read_since(struct sn_series *series, struct sn_operation_since *ret_since,
                             uint64_t *ret_buckets) {
    const struct sn_operation_tail *tail = tail_of(series);
    const struct sn_operation_baseline *baseline = &tail->baseline;
    struct sn_operation_since result = {.reset_wall_ms = baseline->reset_wall_ms};
    sum_cells(series, &result.sums);
    result.active = result.sums.begun - finished(&result.sums);
    for (size_t i = 0; i < SONDE_OUTCOME_COUNT; i++)
        result.sums.outcomes[i] = since(result.sums.outcomes[i], baseline->outcomes[i]);
    result.sums.sum_ns = since(result.sums.sum_ns, baseline->sum_ns);
    for (uint32_t i = 0; i <= series->family->buckets->count; i++) {
        uint64_t count = sn_cells_sum(&series->head.ref, SONDE_OPERATION_BUCKETS + i);
        ret_buckets[i] = since(count, tail->bucket_baseline[i]);
    }
    *ret_since = result;
}

int64_t sn_operation_last_wall_ms(const struct sn_operation_sums *sums) {
    if (sums->last_tick == 0 && sums->last_ns == 0)
        return 0;
    struct sn_tick_pair now = sn_ticks_now();
    int64_t age_ns = INT64_MAX;
    if (sums->last_tick != 0)
        age_ns = sn_ticks_age_ns(&now, sums->last_tick);
    if (sums->last_ns != 0 && now.mono_ns - (int64_t)sums->last_ns < age_ns)
        age_ns = now.mono_ns - (int64_t)sums->last_ns;
    return sn_clock_wall_ms(sn_clock_system()) - age_ns / 1000000;
}

void sonde_operation_read(const sonde_operation *operation, sonde_operation_stats *ret_stats) {
    sonde_operation_stats stats = {0};
    struct sn_series *series = series_of(operation);
    struct sn_operation_sums sums = {0};
    struct sn_error_text error;
    if (series != NULL && series->family != NULL) {
        sn_operation_sum(series, &sums);
        if (sn_operation_last_error(series, &error)) {
            stats.last_error_wall_ms = error.wall_ms;
            memcpy(stats.last_error_class, error.error_class, sizeof error.error_class);
            memcpy(stats.last_error_message, error.message, sizeof error.message);
        }
    }
    memcpy(stats.outcome_count, sums.outcomes, sizeof sums.outcomes);
    stats.count = finished(&sums);
    stats.active = (int64_t)(sums.begun - stats.count);
    stats.duration_sum_s = (double)sums.sum_ns / 1e9;
    stats.duration_min_s = (double)sums.min_ns / 1e9;
    stats.duration_max_s = (double)sums.max_ns / 1e9;
    stats.last_wall_ms = sn_operation_last_wall_ms(&sums);
    *ret_stats = stats;
}
