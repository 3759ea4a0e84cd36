/*
 * Recording and reading memory: the calls behind sonde/memory.h.
 */
#include "client/callback_priv.h"
#include "client/memory_priv.h"

/* Instead of an instrument that could not be made. Never ready. */
static struct sonde_memory nowhere;

/* Making. */

static const char *const label_names[] = {"service"};

/* What a service holds at this moment of its clock. */
static struct sn_note note_of(const struct sonde_memory *memory) {
    return (struct sn_note){
        .at_ns = sn_clock_mono_ns(memory->clock),
        .bytes = sn_memory_bytes(&memory->bytes),
        .allocations = sonde_counter_value(memory->allocations),
        .frees = sonde_counter_value(memory->frees),
    };
}

static bool init_locked(struct sn_instrument *instrument, const char *const *values) {
    struct sonde_memory *memory = (struct sonde_memory *)(void *)instrument;
    if (!sn_memory_metrics_locked(memory, values))
        return false;
    sonde_memory_thresholds defaults = sonde_memory_thresholds_read(NULL);
    sn_memory_thresholds_store(memory, &defaults);
    memory->clock = sn_clock_system();
    struct sn_note first = note_of(memory);
    sn_notes_put(&memory->notes, &first);
    return true;
}

const struct sn_instrument_type sn_memory_type = {
    .metric = {.name = "sonde_memory_info",
               .help = "Services whose memory is measured.",
               .label_names = label_names,
               .label_count = 1,
               .series_max = SONDE_MEMORIES_MAX},
    .size = sizeof(struct sonde_memory),
    .init_locked = init_locked,
};

sonde_memory *sonde_memory_get(sonde_registry *registry, const char *service) {
    struct sn_instrument *instrument = sn_instrument_get(registry, &sn_memory_type, &service);
    return instrument != NULL ? (sonde_memory *)(void *)instrument : &nowhere;
}

sonde_memory *sonde_memory_find(sonde_registry *registry, const char *service) {
    return (sonde_memory *)(void *)sn_instrument_find(registry, &sn_memory_type, &service);
}

/* Recording. */

static void raise_peak(struct sonde_memory *memory, int64_t bytes) {
    int64_t old = atomic_load_explicit(&memory->peak_bytes, memory_order_relaxed);
    while (bytes > old &&
           !atomic_compare_exchange_weak_explicit(&memory->peak_bytes, &old, bytes,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

static void refresh_bytes(struct sonde_memory *memory) {
    sn_callback_refresh(memory->held[SN_MEMORY_BYTES]);
    sn_callback_refresh(memory->held[SN_MEMORY_PEAK]);
}

void sonde_memory_alloc(sonde_memory *memory, size_t bytes) {
    if (!sn_memory_is_ready(memory))
        return;
    sonde_counter_inc(memory->allocations);
    sonde_counter_add(memory->allocated_bytes, bytes);
    int64_t old = atomic_fetch_add_explicit(&memory->bytes, (int64_t)bytes, memory_order_relaxed);
    raise_peak(memory, (int64_t)((uint64_t)old + bytes));
    refresh_bytes(memory);
}

void sonde_memory_free(sonde_memory *memory, size_t bytes) {
    if (!sn_memory_is_ready(memory))
        return;
    sonde_counter_inc(memory->frees);
    atomic_fetch_sub_explicit(&memory->bytes, (int64_t)bytes, memory_order_relaxed);
    sn_callback_refresh(memory->held[SN_MEMORY_BYTES]);
}

void sonde_memory_set(sonde_memory *memory, uint64_t bytes) {
    if (!sn_memory_is_ready(memory))
        return;
    int64_t value = bytes <= INT64_MAX ? (int64_t)bytes : INT64_MAX;
    atomic_store_explicit(&memory->bytes, value, memory_order_relaxed);
    raise_peak(memory, value);
    refresh_bytes(memory);
}

void sonde_memory_collected(sonde_memory *memory, const sonde_memory_collection *collection) {
    if (!sn_memory_is_ready(memory) || collection == NULL)
        return;
    double seconds = collection->pause_seconds;
    if (!(seconds >= 0)) {
        sn_series_lost_value(memory->instrument.series);
        return;
    }
    sonde_histogram_observe(memory->pause, seconds);
    sonde_counter_add(memory->reclaimed_bytes, collection->reclaimed_bytes);
    double old = atomic_load_explicit(&memory->pause_max, memory_order_relaxed);
    while (seconds > old &&
           !atomic_compare_exchange_weak_explicit(&memory->pause_max, &old, seconds,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
    sn_callback_refresh(memory->held[SN_MEMORY_PAUSE_MAX]);
}

/* Reading. */

uint64_t sn_memory_bytes(const _Atomic int64_t *number) {
    int64_t value = atomic_load_explicit(number, memory_order_relaxed);
    return value > 0 ? (uint64_t)value : 0;
}

struct sn_rates sn_memory_rates(struct sonde_memory *memory) {
    struct sn_note now = note_of(memory);
    sn_notes_put(&memory->notes, &now);
    return sn_notes_rates(&memory->notes, &now);
}

void sonde_memory_read(sonde_memory *memory, sonde_memory_stats *ret_stats) {
    *ret_stats = (sonde_memory_stats){.bytes = 0};
    if (!sn_memory_is_ready(memory))
        return;
    struct sn_rates rates = sn_memory_rates(memory);
    *ret_stats = (sonde_memory_stats){
        .bytes = sn_memory_bytes(&memory->bytes),
        .peak_bytes = sn_memory_bytes(&memory->peak_bytes),
        .allocations = sonde_counter_value(memory->allocations),
        .frees = sonde_counter_value(memory->frees),
        .allocated_bytes = sonde_counter_value(memory->allocated_bytes),
        .allocations_per_second = rates.allocations,
        .frees_per_second = rates.frees,
        .growth_per_second = rates.growth,
        .collections = sonde_histogram_count(memory->pause),
        .pause_sum_seconds = sonde_histogram_sum(memory->pause),
        .pause_max_seconds = atomic_load_explicit(&memory->pause_max, memory_order_relaxed),
        .reclaimed_bytes = sonde_counter_value(memory->reclaimed_bytes),
    };
}

void sn_memory_set_clock(struct sonde_memory *memory, const struct sn_clock *clock) {
    memory->clock = clock;
    atomic_store(&memory->notes.count, 0);
    struct sn_note first = note_of(memory);
    sn_notes_put(&memory->notes, &first);
}
