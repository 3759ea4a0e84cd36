/*
 * What a registry could not record, by reason. Relaxed atomics, any thread.
 */
#ifndef SN_CLIENT_LOST_PRIV_H
#define SN_CLIENT_LOST_PRIV_H

#include "sonde/registry.h"

#include <stdatomic.h>

struct sn_lost {
    _Atomic uint64_t count[SONDE_LOST_REASON_COUNT];
};

static inline void sn_lost_add(struct sn_lost *lost, sonde_lost_reason reason) {
    atomic_fetch_add_explicit(&lost->count[reason], 1, memory_order_relaxed);
}

#endif
