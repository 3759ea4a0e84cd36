/*
 * The metrics of memory instruments, and of the heap of the process.
 */
#include "client/memory_priv.h"

static const char *const labels[] = {"service"};
static const char *const alert_labels[] = {"service", "alert"};

/* Pauses of collectors: from a young generation to stop-the-world. */
static const double pause_bounds[] = {1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1, 5};

/* Callbacks: may run while the instrument is not ready yet. */

static double read_bytes(void *ctx) {
    const struct sonde_memory *memory = ctx;
    return (double)sn_memory_bytes(&memory->bytes);
}

static double read_peak(void *ctx) {
    const struct sonde_memory *memory = ctx;
    return (double)sn_memory_bytes(&memory->peak_bytes);
}

static double read_pause_max(void *ctx) {
    const struct sonde_memory *memory = ctx;
    return atomic_load_explicit(&memory->pause_max, memory_order_relaxed);
}

static double read_alert(void *ctx) {
    const struct sn_memory_part *part = ctx;
    if (!sn_memory_is_ready(part->memory))
        return 0;
    return sn_memory_judge(part->memory, (sonde_memory_alert_kind)part->kind) ? 1 : 0;
}

static sonde_memory_heap recent_heap(void) {
    sonde_memory_heap heap;
    sn_memory_heap_recent(sn_clock_mono_ns(sn_clock_system()), &heap);
    return heap;
}

static double read_heap_used(void *ctx) {
    (void)ctx;
    return (double)recent_heap().used_bytes;
}

static double read_heap_reserved(void *ctx) {
    (void)ctx;
    return (double)recent_heap().reserved_bytes;
}

static double read_heap_fragmentation(void *ctx) {
    (void)ctx;
    return recent_heap().fragmentation;
}

/* Registration, with the lock. */

/* One more than the limit, for SONDE_OTHER. */
static sonde_metric metric_of(const char *name, const char *help) {
    return (sonde_metric){.name = name,
                          .help = help,
                          .label_names = labels,
                          .label_count = 1,
                          .series_max = SONDE_MEMORIES_MAX + 1};
}

static sonde_registry *registry_of(const struct sonde_memory *memory) {
    return memory->instrument.series->family->registry;
}

static bool add_counter(struct sonde_memory *memory, const sonde_metric *metric,
                        const char *const *values, sonde_counter **ret_counter) {
    struct sn_series *series =
        sn_instrument_series_locked(registry_of(memory), metric, SN_KIND_COUNTER, values);
    *ret_counter = (sonde_counter *)(void *)series;
    return series != NULL;
}

static bool add_counters(struct sonde_memory *memory, const char *const *values) {
    sonde_metric allocations = metric_of("sonde_memory_allocations_total", "Allocations.");
    sonde_metric frees = metric_of("sonde_memory_frees_total", "Memory given back, times.");
    sonde_metric allocated =
        metric_of("sonde_memory_allocated_bytes_total", "Bytes of all allocations.");
    sonde_metric reclaimed =
        metric_of("sonde_memory_gc_reclaimed_bytes_total", "Bytes that the collector found.");
    allocated.unit = reclaimed.unit = "bytes";
    return add_counter(memory, &allocations, values, &memory->allocations) &&
           add_counter(memory, &frees, values, &memory->frees) &&
           add_counter(memory, &allocated, values, &memory->allocated_bytes) &&
           add_counter(memory, &reclaimed, values, &memory->reclaimed_bytes);
}

static bool add_histogram(struct sonde_memory *memory, const char *const *values) {
    sonde_metric metric =
        metric_of("sonde_memory_gc_pause_seconds", "Pauses of the garbage collector.");
    metric.unit = "seconds";
    metric.bounds = pause_bounds;
    metric.bound_count = sizeof pause_bounds / sizeof pause_bounds[0];
    struct sn_series *series =
        sn_instrument_series_locked(registry_of(memory), &metric, SN_KIND_HISTOGRAM, values);
    memory->pause = (sonde_histogram *)(void *)series;
    return series != NULL;
}

static bool add_gauge(struct sonde_memory *memory, unsigned which, const sonde_metric *metric,
                      const char *const *values, double (*read)(void *ctx)) {
    sonde_callback_options options = {
        .metric = *metric, .label_values = values, .read = read, .ctx = memory};
    return sn_instrument_callback_locked(registry_of(memory), &options, &memory->held[which]);
}

static bool add_gauges(struct sonde_memory *memory, const char *const *values) {
    sonde_metric bytes = metric_of("sonde_memory_bytes", "Memory held now.");
    sonde_metric peak = metric_of("sonde_memory_peak_bytes", "Most memory held so far.");
    sonde_metric pause = metric_of("sonde_memory_gc_pause_max_seconds", "The longest pause.");
    bytes.unit = peak.unit = "bytes";
    pause.unit = "seconds";
    return add_gauge(memory, SN_MEMORY_BYTES, &bytes, values, read_bytes) &&
           add_gauge(memory, SN_MEMORY_PEAK, &peak, values, read_peak) &&
           add_gauge(memory, SN_MEMORY_PAUSE_MAX, &pause, values, read_pause_max);
}

/* Set once: after a registration that failed half-way, a reader may look at a part already. */
static bool add_alerts(struct sonde_memory *memory, const char *const *values) {
    for (unsigned i = 0; i < SONDE_MEMORY_ALERT_COUNT; i++) {
        const char *const both[] = {values[0], sonde_memory_alert_name((sonde_memory_alert_kind)i)};
        if (memory->alert_parts[i].memory == NULL)
            memory->alert_parts[i] = (struct sn_memory_part){memory, i};
        sonde_callback_options options = {
            .metric = {.name = "sonde_memory_alert_active",
                       .help = "Whether a service is beyond a limit.",
                       .label_names = alert_labels,
                       .label_count = 2,
                       .series_max = (size_t)(SONDE_MEMORIES_MAX + 1) * SONDE_MEMORY_ALERT_COUNT},
            .label_values = both,
            .read = read_alert,
            .ctx = &memory->alert_parts[i],
        };
        if (!sn_instrument_callback_locked(registry_of(memory), &options, NULL))
            return false;
    }
    return true;
}

/* Once per registry; later calls find what is there. */
static bool add_heap(sonde_registry *registry) {
    const sonde_callback_options heap[] = {
        {.metric = {.name = "sonde_memory_heap_used_bytes",
                    .help = "Memory that the allocator of the process has handed out.",
                    .unit = "bytes"},
         .read = read_heap_used},
        {.metric = {.name = "sonde_memory_heap_reserved_bytes",
                    .help = "Memory that the allocator of the process has taken for that.",
                    .unit = "bytes"},
         .read = read_heap_reserved},
        {.metric = {.name = "sonde_memory_heap_fragmentation_ratio",
                    .help = "Reserved memory that is not handed out, 0 to 1.",
                    .unit = "ratio"},
         .read = read_heap_fragmentation},
    };
    bool is_added = true;
    for (size_t i = 0; i < sizeof heap / sizeof heap[0]; i++)
        is_added = is_added && sn_instrument_callback_locked(registry, &heap[i], NULL);
    return is_added;
}

bool sn_memory_metrics_locked(struct sonde_memory *memory, const char *const *values) {
    return add_heap(registry_of(memory)) && add_counters(memory, values) &&
           add_histogram(memory, values) && add_gauges(memory, values) &&
           add_alerts(memory, values);
}
