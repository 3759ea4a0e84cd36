/*
 * Recording and reading caches: the calls behind sonde/cache.h.
 *
 * What is counted lies in per-thread cells, as every counter. A lookup also looks whether a minute is
 * over, which is one reading of the processor's counter; once a second it asks the clock, so that
 * drift and sleep of the counter do not add up.
 */
#include "base/check.h"
#include "client/cache_priv.h"
#include "client/callback_priv.h"

#include "client/ticks_priv.h"

#define NS_PER_S INT64_C(1000000000)
#define QUIET_NS UINT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Instead of a cache that could not be made. Never ready. */
static struct sonde_cache nowhere;

/* Making. */

static bool init_locked(struct sn_instrument *instrument, const char *const *values) {
    struct sonde_cache *cache = (struct sonde_cache *)(void *)instrument;
    if (!sn_cache_metrics_locked(cache, values))
        return false;
    sonde_cache_thresholds defaults = sonde_cache_thresholds_default();
    sn_cache_thresholds_store(cache, &defaults);
    cache->clock = sn_clock_system();
    sn_window_init(&cache->window, sn_clock_mono_ns(cache->clock));
    return true;
}

static const char *const label_names[] = {"service", "cache"};

const struct sn_instrument_type sn_cache_type = {
    .metric = {.name = "sonde_cache_info",
               .help = "Caches that are measured.",
               .label_names = label_names,
               .label_count = 2,
               .series_max = SONDE_CACHES_MAX},
    .size = sizeof(struct sonde_cache),
    .init_locked = init_locked,
};

sonde_cache *sonde_cache_get(sonde_registry *registry, const char *service, const char *name) {
    const char *values[] = {service, name};
    sn_ticks_init();
    struct sn_instrument *instrument = sn_instrument_get(registry, &sn_cache_type, values);
    return instrument != NULL ? (sonde_cache *)(void *)instrument : &nowhere;
}

sonde_cache *sonde_cache_find(sonde_registry *registry, const char *service, const char *name) {
    const char *values[] = {service, name};
    return (sonde_cache *)(void *)sn_instrument_find(registry, &sn_cache_type, values);
}

/* Windows. */

static void sum_up(void *ctx, struct sn_sums *ret_sums) {
    const struct sonde_cache *cache = ctx;
    double seconds = sonde_histogram_sum(cache->response);
    *ret_sums = (struct sn_sums){{
        [SN_SUM_HITS] = sonde_counter_value(cache->hits),
        [SN_SUM_MISSES] = sonde_counter_value(cache->misses),
        [SN_SUM_TIMED] = sonde_histogram_count(cache->response),
        [SN_SUM_RESPONSE_NS] = seconds < 1e9 ? (uint64_t)(seconds * 1e9) : UINT64_MAX / 2,
    }};
}

/* Do without the clock until the minute ends, but not longer than QUIET_NS. */
static void set_quiet(struct sonde_cache *cache, const struct sn_tick_pair *now) {
#if SONDE_INLINE_RECORD && defined(__x86_64__)
    uint64_t scale = __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED);
    int64_t left_ns =
        atomic_load_explicit(&cache->window.end_ns, memory_order_relaxed) - now->mono_ns;
    if (scale == 0 || left_ns <= 0 || cache->clock != sn_clock_system())
        return;
    uint64_t quiet_ns = (uint64_t)left_ns < QUIET_NS ? (uint64_t)left_ns : QUIET_NS;
    /* Another thread may see one of the two before the other: then it asks a second too late. */
    atomic_store_explicit(&cache->quiet_ticks, (quiet_ns << 32) / scale, memory_order_relaxed);
    atomic_store_explicit(&cache->quiet_from, now->tick, memory_order_relaxed);
#else
    (void)cache;
    (void)now;
#endif
}

/* Once a second, for those who read the file. */
static void refresh_computed(struct sonde_cache *cache, int64_t now_s) {
    if (atomic_load_explicit(&cache->file_s, memory_order_relaxed) == now_s)
        return;
    atomic_store_explicit(&cache->file_s, now_s, memory_order_relaxed);
    for (size_t i = 0; i < SN_CACHE_COMPUTED_COUNT; i++)
        sn_callback_refresh(cache->computed[i]);
}

static __attribute__((noinline)) void ask_clock(struct sonde_cache *cache) {
    struct sn_tick_pair now = {0, 0};
    if (cache->clock == sn_clock_system()) {
        now = sn_ticks_now();
        sn_ticks_update(&now);
    } else {
        now.mono_ns = sn_clock_mono_ns(cache->clock);
    }
    sn_window_roll(&cache->window, now.mono_ns, sum_up, cache);
    set_quiet(cache, &now);
    if (SN_UNLIKELY(cache->computed[0] != NULL))
        refresh_computed(cache, now.mono_ns / NS_PER_S);
}

static void refresh_held(struct sonde_cache *cache) {
    for (size_t i = 0; i < SN_CACHE_HELD_COUNT; i++)
        sn_callback_refresh(cache->held[i]);
}

/* Before something is counted: end the minute that is over. */
static inline void look_at(struct sonde_cache *cache, uint64_t tick) {
    uint64_t from = atomic_load_explicit(&cache->quiet_from, memory_order_relaxed);
    uint64_t ticks = atomic_load_explicit(&cache->quiet_ticks, memory_order_relaxed);
    /* A counter behind `from` (another processor's) is far above it, and the clock is asked. */
    if (__builtin_expect(tick - from >= ticks, 0))
        ask_clock(cache);
}

#if SONDE_INLINE_RECORD && defined(__x86_64__)
static inline uint64_t tick_now(void) {
    return sonde_tick();
}
static inline uint64_t tick_scale(const struct sonde_cache *cache) {
    return atomic_load_explicit(&cache->quiet_ticks, memory_order_relaxed) != 0
               ? __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED)
               : 0;
}
#else
static inline uint64_t tick_now(void) {
    return 0;
}
static inline uint64_t tick_scale(const struct sonde_cache *cache) {
    (void)cache;
    return 0;
}
#endif

/* Recording. */

void sonde_cache_hit(sonde_cache *cache) {
    if (!sn_cache_is_ready(cache))
        return;
    look_at(cache, tick_now());
    sonde_counter_inc(cache->hits);
}

void sonde_cache_miss(sonde_cache *cache) {
    if (!sn_cache_is_ready(cache))
        return;
    look_at(cache, tick_now());
    sonde_counter_inc(cache->misses);
}

void sonde_cache_evict(sonde_cache *cache, uint64_t n) {
    if (sn_cache_is_ready(cache))
        sonde_counter_add(cache->evictions, n);
}

static __attribute__((noinline)) void keep_slow(struct sonde_cache *cache,
                                                const sonde_cache_run *run) {
    sonde_counter_inc(cache->slow_operations);
    sn_slow_put(&cache->slow, run, sn_clock_wall_ms(cache->clock));
}

/* As sonde_histogram_observe, for numbers that are mostly below the first bound: the branch is guessed
 * right, and the processor does not wait for the clock to look into the table. */
static inline void observe(sonde_histogram *histogram, double seconds) {
#if SONDE_INLINE_RECORD
    const sonde_buckets *buckets = ((const sonde_histogram_head *)(const void *)histogram)->buckets;
    uint64_t *cells = sonde_cells(histogram);
    size_t bucket = seconds <= buckets->low ? 0 : sonde_bucket_of(buckets, seconds);
    sonde_cell_add(cells + 1 + bucket, 1);
    sonde_cell_add_double(cells, seconds);
#else
    sonde_histogram_observe(histogram, seconds);
#endif
}

/* Of a ready cache whose minute was looked at. Numbers, no struct: a copy of one that was just
 * written costs 10 ns of waiting for the stores. */
static inline void record(struct sonde_cache *cache, sonde_cache_result result,
                          uint64_t duration_ns) {
    if (result == SONDE_CACHE_HIT)
        sonde_counter_inc(cache->hits);
    else if (result == SONDE_CACHE_MISS)
        sonde_counter_inc(cache->misses);
    observe(cache->response, (double)(int64_t)duration_ns * 1e-9);
}

static inline bool is_slow(const struct sonde_cache *cache, uint64_t duration_ns) {
    uint64_t slow_ns = atomic_load_explicit(&cache->slow_ns, memory_order_relaxed);
    return __builtin_expect(duration_ns >= slow_ns, 0);
}

/* 292 years, so that an absurd duration does not become a negative one. */
static uint64_t sane_ns(uint64_t duration_ns) {
    return duration_ns <= INT64_MAX ? duration_ns : INT64_MAX;
}

void sonde_cache_record(sonde_cache *cache, const sonde_cache_run *run) {
    if (!sn_cache_is_ready(cache) || run == NULL)
        return;
    uint64_t duration_ns = sane_ns(run->duration_ns);
    look_at(cache, tick_now());
    record(cache, run->result, duration_ns);
    if (is_slow(cache, duration_ns))
        keep_slow(cache, run);
}

sonde_cache_timer sonde_cache_begin(sonde_cache *cache, const char *operation) {
    sonde_cache_timer timer = {NULL, operation, 0, 0};
    if (!sn_cache_is_ready(cache))
        return timer;
    timer.cache = cache;
    timer.scale = tick_scale(cache);
    timer.begin = timer.scale != 0 ? tick_now() : (uint64_t)sn_clock_mono_ns(cache->clock);
    return timer;
}

static uint64_t ns_since(const sonde_cache_timer *timer, uint64_t tick) {
    uint64_t now = timer->scale != 0 ? tick : (uint64_t)sn_clock_mono_ns(timer->cache->clock);
    /* A clock that went back is no time at all. */
    uint64_t passed = now > timer->begin ? now - timer->begin : 0;
    if (timer->scale == 0)
        return sane_ns(passed);
    __extension__ unsigned __int128 scaled = (unsigned __int128)passed * timer->scale;
    return sane_ns((uint64_t)(scaled >> 32));
}

void sonde_cache_end(sonde_cache_timer *timer, sonde_cache_result result, const char *detail) {
    if (timer == NULL || timer->cache == NULL)
        return;
    struct sonde_cache *cache = timer->cache;
    uint64_t tick = tick_now();
    uint64_t duration_ns = ns_since(timer, tick);
    timer->cache = NULL;
    look_at(cache, tick);
    record(cache, result, duration_ns);
    if (is_slow(cache, duration_ns)) {
        sonde_cache_run run = {timer->operation, detail, duration_ns, result};
        keep_slow(cache, &run);
    }
}

/* What it holds. */

static int64_t clamp(uint64_t number) {
    return number <= INT64_MAX ? (int64_t)number : INT64_MAX;
}

static void raise_peak(_Atomic int64_t *peak, int64_t value) {
    int64_t old = atomic_load_explicit(peak, memory_order_relaxed);
    while (value > old && !atomic_compare_exchange_weak_explicit(
                              peak, &old, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

void sonde_cache_set_usage(sonde_cache *cache, const sonde_cache_usage *usage) {
    if (!sn_cache_is_ready(cache) || usage == NULL)
        return;
    int64_t used = clamp(usage->used_bytes);
    atomic_store_explicit(&cache->entries, clamp(usage->entries), memory_order_relaxed);
    atomic_store_explicit(&cache->used_bytes, used, memory_order_relaxed);
    atomic_store_explicit(&cache->reserved_bytes, clamp(usage->reserved_bytes),
                          memory_order_relaxed);
    raise_peak(&cache->used_peak_bytes, used);
    refresh_held(cache);
}

void sonde_cache_add_entries(sonde_cache *cache, int64_t n) {
    if (!sn_cache_is_ready(cache))
        return;
    atomic_fetch_add_explicit(&cache->entries, n, memory_order_relaxed);
    sn_callback_refresh(cache->held[SN_CACHE_ENTRIES]);
}

void sonde_cache_add_used_bytes(sonde_cache *cache, int64_t bytes) {
    if (!sn_cache_is_ready(cache))
        return;
    int64_t old = atomic_fetch_add_explicit(&cache->used_bytes, bytes, memory_order_relaxed);
    raise_peak(&cache->used_peak_bytes, (int64_t)((uint64_t)old + (uint64_t)bytes));
    refresh_held(cache);
}

uint64_t sn_cache_count_of(const _Atomic int64_t *number) {
    int64_t value = atomic_load_explicit(number, memory_order_relaxed);
    return value > 0 ? (uint64_t)value : 0;
}

double sn_cache_fragmentation(const struct sonde_cache *cache) {
    double used = (double)sn_cache_count_of(&cache->used_bytes);
    double reserved = (double)sn_cache_count_of(&cache->reserved_bytes);
    return reserved > used ? 1 - used / reserved : 0;
}

/* Reading. */

static sonde_cache_window window_of(const struct sn_sums *sums) {
    sonde_cache_window window = {
        .hits = sums->of[SN_SUM_HITS],
        .misses = sums->of[SN_SUM_MISSES],
        .timed = sums->of[SN_SUM_TIMED],
    };
    uint64_t lookups = window.hits + window.misses;
    if (lookups > 0)
        window.hit_rate = (double)window.hits / (double)lookups;
    if (window.timed > 0)
        window.response_avg_ms =
            (double)sums->of[SN_SUM_RESPONSE_NS] / (double)window.timed / (double)NS_PER_MS;
    return window;
}

void sn_cache_window_read(struct sonde_cache *cache, uint64_t minutes,
                          sonde_cache_window *ret_window) {
    struct sn_sums sums;
    sn_window_roll(&cache->window, sn_clock_mono_ns(cache->clock), sum_up, cache);
    sum_up(cache, &sums);
    if (minutes > 0) {
        struct sn_sums now = sums;
        sn_window_read(&cache->window, &now, minutes, &sums);
    }
    *ret_window = window_of(&sums);
}

void sonde_cache_read(sonde_cache *cache, sonde_cache_stats *ret_stats) {
    *ret_stats = (sonde_cache_stats){.entries = 0};
    if (!sn_cache_is_ready(cache))
        return;
    sn_cache_window_read(cache, SN_WINDOW_HOUR, &ret_stats->hour);
    sn_cache_window_read(cache, SN_WINDOW_MINUTES, &ret_stats->day);
    sn_cache_window_read(cache, 0, &ret_stats->start);
    ret_stats->evictions = sonde_counter_value(cache->evictions);
    ret_stats->slow_operations = sonde_counter_value(cache->slow_operations);
    ret_stats->entries = sn_cache_count_of(&cache->entries);
    ret_stats->used_bytes = sn_cache_count_of(&cache->used_bytes);
    ret_stats->used_peak_bytes = sn_cache_count_of(&cache->used_peak_bytes);
    uint64_t reserved = sn_cache_count_of(&cache->reserved_bytes);
    ret_stats->reserved_bytes = reserved != 0 ? reserved : ret_stats->used_bytes;
    ret_stats->fragmentation = sn_cache_fragmentation(cache);
    ret_stats->start_wall_ms = cache->instrument.series->created_wall_ms;
}

size_t sonde_cache_slow(sonde_cache *cache, sonde_cache_slow_entry *ret_entries) {
    if (!sn_cache_is_ready(cache))
        return 0;
    return sn_slow_read(&cache->slow, sn_clock_wall_ms(cache->clock), ret_entries);
}

void sn_cache_set_clock(struct sonde_cache *cache, const struct sn_clock *clock) {
    cache->clock = clock;
    atomic_store(&cache->quiet_ticks, 0);
    sn_window_init(&cache->window, sn_clock_mono_ns(clock));
}
