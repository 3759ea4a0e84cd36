/*
 * The registration lock: one for all registries, so that fork has one to hold. It guards what is
 * made rarely and never taken away: families, children, chunk numbers. Neither recording nor
 * reading takes it.
 */
#ifndef SN_CLIENT_LOCK_PRIV_H
#define SN_CLIENT_LOCK_PRIV_H

#include "base/lock.h"

#include <stdatomic.h>

extern struct sn_mutex sn_client_mu;

static inline void sn_client_lock(void) SN_ACQUIRE(&sn_client_mu) {
    sn_mutex_lock(&sn_client_mu);
}

static inline void sn_client_unlock(void) SN_RELEASE(&sn_client_mu) {
    sn_mutex_unlock(&sn_client_mu);
}

/* The open and the slowest runs of all performance trackers: one lock, so that fork has one to hold. */
extern struct sn_mutex sn_perf_mu;

/*
 * A lock that nobody waits for: who finds it taken leaves the work to its owner. A child of fork may
 * take one whose owner it lost. Zeroed: free. Any thread.
 */
struct sn_try_lock {
    _Atomic uint64_t
        owner; /* 0: free; else 1 + how many forks lay before the process that took it */
};
bool sn_try_lock_take(struct sn_try_lock *lock);
void sn_try_lock_give(struct sn_try_lock *lock);

#endif
