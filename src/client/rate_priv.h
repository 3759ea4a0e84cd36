/*
 * A moving rate: events per second over the last SN_RATE_WINDOW_S whole seconds.
 *
 * One slot per second, of which the high half says which second and the low half how many events,
 * so that both change in one step. Any thread, no lock. Zeroed memory is an empty rate. Times are
 * monotonic nanoseconds; an event that comes a window late is dropped.
 */
#ifndef SN_CLIENT_RATE_PRIV_H
#define SN_CLIENT_RATE_PRIV_H

#include <stdatomic.h>
#include <stdint.h>

#define SN_RATE_WINDOW_S 10
#define SN_RATE_SLOTS 16 /* a power of two above the window and the second that runs */

struct sn_rate {
    _Atomic uint64_t slots[SN_RATE_SLOTS];
    _Atomic uint64_t first_s; /* second of the first event, plus 1; 0: none */
};

/* Count n events. More than 2^32 - 1 in one second stay at that. */
void sn_rate_add(struct sn_rate *rate, int64_t now_ns, uint32_t n);

/*
 * Events per second over the last whole seconds: as many as passed since the second of the first
 * event, at most the window. 0 in that first second.
 */
double sn_rate_read(const struct sn_rate *rate, int64_t now_ns);

#endif
