/*
 * The life of registries; the struct itself is in series_priv.h.
 */
#ifndef SN_CLIENT_REGISTRY_PRIV_H
#define SN_CLIENT_REGISTRY_PRIV_H

#include "client/series_priv.h"

/* NULL means the global registry, which is made ready on first use. Any thread. */
sonde_registry *sn_registry_or_global(sonde_registry *registry);

#endif
