/*
 * Calibrating the processor's counter. See ticks_priv.h. Any thread, no locks: who finds the
 * calibration in other hands leaves it to them.
 */
#include "client/ticks_priv.h"

#include "base/clock.h"
#include "base/os.h"
#include "client/lock_priv.h"
#include "sonde/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define NS_PER_MS INT64_C(1000000)
#define MEASURE_NS (20 * NS_PER_MS) /* 50 ns of doubt at both ends: 5 ppm */
#define CLOCK_SOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum tick_state { TICKS_UNKNOWN, TICKS_UNTRUSTED, TICKS_MEASURING, TICKS_READY };

static _Atomic int tick_state;
static struct sn_tick_meter meter; /* written before MEASURING, then by the holder of `updating` */
static struct sn_try_lock updating;

#if defined(__x86_64__) && SONDE_INLINE_RECORD
uint64_t sonde_tick_scale;

static uint64_t read_tick(void) {
    return sonde_tick();
}

static bool is_invariant(void) {
    /* Not __get_cpuid: the one of clang 14 trips its own sanitizer. */
    unsigned a, b, c, d;
    __cpuid(0x80000000u, a, b, c, d);
    if (a < 0x80000007u)
        return false;
    __cpuid(0x80000007u, a, b, c, d);
    return (d & (1u << 8)) != 0;
}
#else
static uint64_t sonde_tick_scale;

static uint64_t read_tick(void) {
    return 0;
}

static bool is_invariant(void) {
    return false;
}
#endif

static bool kernel_trusts(void) {
    struct sn_buf text;
    sn_buf_init(&text, 64);
    bool is_tsc = sn_os_read_file(CLOCK_SOURCE_FILE, &text, NULL) == SN_OK &&
                  sn_str_equal(sn_str_trim(sn_buf_str(&text)), SN_STR("tsc"));
    sn_buf_release(&text);
    return is_tsc;
}

struct sn_tick_pair sn_ticks_now(void) {
    int64_t mono_ns = sn_clock_mono_ns(sn_clock_system());
    return (struct sn_tick_pair){read_tick(), mono_ns};
}

static void init_once(void) {
    if (!is_invariant() || !kernel_trusts()) {
        atomic_store(&tick_state, TICKS_UNTRUSTED);
        return;
    }
    meter.base = sn_ticks_now();
    atomic_store(&tick_state, TICKS_MEASURING);
}

void sn_ticks_init(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_once);
}

uint64_t sn_tick_rate(const struct sn_tick_pair *from, const struct sn_tick_pair *to) {
    if (to->tick <= from->tick || to->mono_ns <= from->mono_ns)
        return 0;
    double ns = (double)(to->mono_ns - from->mono_ns);
    double ticks = (double)(to->tick - from->tick);
    double rate = ns / ticks * 4294967296.0;
    return rate < 1e18 ? (uint64_t)rate : 0;
}

uint64_t sn_tick_rate_next(uint64_t rate, uint64_t measured, bool *ret_restart) {
    uint64_t difference = rate > measured ? rate - measured : measured - rate;
    *ret_restart = difference > rate / 1000;
    return *ret_restart ? rate : measured;
}

uint64_t sn_tick_meter_update(struct sn_tick_meter *of, const struct sn_tick_pair *now) {
    if (now->mono_ns - of->base.mono_ns < MEASURE_NS)
        return of->rate;
    uint64_t measured = sn_tick_rate(&of->base, now);
    bool restart = measured == 0;
    if (of->rate != 0)
        measured = sn_tick_rate_next(of->rate, measured, &restart);
    if (restart)
        of->base = *now;
    if (measured != 0)
        of->rate = measured;
    return of->rate;
}

/* With `updating` held. */
static void update_held(const struct sn_tick_pair *now) {
    int state = atomic_load(&tick_state);
    if (state != TICKS_MEASURING && state != TICKS_READY)
        return;
    uint64_t rate = sn_tick_meter_update(&meter, now);
    if (rate == 0)
        return;
    __atomic_store_n(&sonde_tick_scale, rate, __ATOMIC_RELAXED);
    atomic_store(&tick_state, TICKS_READY);
}

void sn_ticks_update(const struct sn_tick_pair *now) {
    if (!sn_try_lock_take(&updating))
        return;
    update_held(now);
    sn_try_lock_give(&updating);
}

int64_t sn_ticks_age_ns(const struct sn_tick_pair *now, uint64_t tick) {
    uint64_t rate = __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED);
    if (rate == 0 || tick >= now->tick)
        return 0;
    unsigned __int128 ns = (unsigned __int128)(now->tick - tick) * rate >> 32;
    return ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

const char *sonde_clock_source(void) {
    return atomic_load(&tick_state) == TICKS_READY ? "tsc" : "clock_gettime";
}
