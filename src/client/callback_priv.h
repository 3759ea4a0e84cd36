/*
 * Series whose value the host is asked for.
 */
#ifndef SN_CLIENT_CALLBACK_PRIV_H
#define SN_CLIENT_CALLBACK_PRIV_H

#include "client/series_priv.h"

/* The tail of a callback's series. A released callback leaves its series, with read NULL. */
struct sn_callback {
    double (*_Atomic read)(void *ctx);
    void *ctx; /* written before read */
};

/* Ask the host for a value. False: released. With the registry's read_mu held. */
bool sn_callback_read(struct sn_series *series, double *ret_value);

#endif
