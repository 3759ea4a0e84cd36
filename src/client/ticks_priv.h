/*
 * Time for trackers: the processor's counter when it can be trusted, else the kernel's clock.
 *
 * The counter is trusted when the processor says that it is invariant and the kernel itself uses it
 * as its clock source (which it gives up when it sees processors disagree). Its rate is measured
 * against the monotonic clock: first over 20 ms of ordinary running, without waiting for it, then
 * over ever longer times at each read of a registry. Durations become nanoseconds when they are
 * recorded, so a better rate never changes what was recorded before.
 *
 *     UNKNOWN --sn_ticks_init--> UNTRUSTED            (clock_gettime for good)
 *                            \-> MEASURING --20 ms--> READY --at each read--> READY
 */
#ifndef SN_CLIENT_TICKS_PRIV_H
#define SN_CLIENT_TICKS_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* One moment on both clocks. */
struct sn_tick_pair {
    uint64_t tick;
    int64_t mono_ns;
};

/* Find out whether the counter can be trusted, once. Opens one file. Any thread. */
void sn_ticks_init(void);

/* Both clocks now (tick 0 without a counter). Any thread. */
struct sn_tick_pair sn_ticks_now(void);

/*
 * Become READY when enough time has passed; when READY, improve the rate. Called by trackers that
 * find no rate and by readers. Any thread; a concurrent call does nothing.
 */
void sn_ticks_update(const struct sn_tick_pair *now);

/* Nanoseconds since `tick`, seen at `now`; 0 when the scale is not known or time went back. */
int64_t sn_ticks_age_ns(const struct sn_tick_pair *now, uint64_t tick);

/*
 * The rules, without clocks. sn_tick_rate: nanoseconds per tick * 2^32 between two moments; 0
 * when either clock stood still or went back. sn_tick_rate_next: the rate to use, given the one
 * in use and a new measurement: the new one, unless they differ by more than 1/1000. Then
 * one of the clocks stopped in between (suspend) and the measurement starts again
 * (*ret_restart). sn_tick_meter_update: both, for a meter that began at `base`; returns the rate to
 * use from `now` on, 0 while none is known.
 */
struct sn_tick_meter {
    struct sn_tick_pair base;
    uint64_t rate;
};
uint64_t sn_tick_meter_update(struct sn_tick_meter *meter, const struct sn_tick_pair *now);
uint64_t sn_tick_rate(const struct sn_tick_pair *from, const struct sn_tick_pair *to);
uint64_t sn_tick_rate_next(uint64_t rate, uint64_t measured, bool *ret_restart);

#endif
