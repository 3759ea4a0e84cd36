/*
 * The registration lock: one for all registries, so that fork has one to hold. It guards what is
 * made rarely and never taken away: families, children, chunk numbers. Neither recording nor
 * reading takes it.
 */
#ifndef SN_CLIENT_LOCK_PRIV_H
#define SN_CLIENT_LOCK_PRIV_H

#include "base/lock.h"

extern struct sn_mutex sn_client_mu;

static inline void sn_client_lock(void) SN_ACQUIRE(&sn_client_mu) {
    sn_mutex_lock(&sn_client_mu);
}

static inline void sn_client_unlock(void) SN_RELEASE(&sn_client_mu) {
    sn_mutex_unlock(&sn_client_mu);
}

#endif
