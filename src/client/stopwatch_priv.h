/*
 * How long something takes, by the clock that trackers use (see ticks_priv.h). One thread at a
 * time; the end may be read in another thread than the start.
 */
#ifndef SN_CLIENT_STOPWATCH_PRIV_H
#define SN_CLIENT_STOPWATCH_PRIV_H

#include "base/clock.h"
#include "client/ticks_priv.h"
#include "sonde/service.h"

struct sn_stopwatch {
    uint64_t begin; /* ticks, or nanoseconds when scale is 0 */
    uint64_t scale; /* nanoseconds per tick * 2^32 */
};

/* Start. The library's clock is ready some 20 ms after the first sn_ticks_init. About 8 ns. */
static inline struct sn_stopwatch sn_stopwatch_start(void) {
#if SONDE_INLINE_RECORD && defined(__x86_64__)
    uint64_t scale = __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED);
    if (scale != 0)
        return (struct sn_stopwatch){sonde_tick(), scale};
#endif
    struct sn_tick_pair now = sn_ticks_now();
    sn_ticks_update(&now);
    return (struct sn_stopwatch){(uint64_t)now.mono_ns, 0};
}

/* Nanoseconds since the start; 0 when the clock went back. */
static inline uint64_t sn_stopwatch_ns(struct sn_stopwatch watch) {
#if SONDE_INLINE_RECORD && defined(__x86_64__)
    if (watch.scale != 0) {
        uint64_t tick = sonde_tick();
        uint64_t ticks = tick > watch.begin ? tick - watch.begin : 0;
        return (uint64_t)((__extension__(unsigned __int128) ticks * watch.scale) >> 32);
    }
#endif
    uint64_t now = (uint64_t)sn_clock_mono_ns(sn_clock_system());
    return now > watch.begin ? now - watch.begin : 0;
}

#endif
