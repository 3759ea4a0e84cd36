/*
 * The life of registries; the struct itself is in series_priv.h.
 */
#ifndef SN_CLIENT_REGISTRY_PRIV_H
#define SN_CLIENT_REGISTRY_PRIV_H

#include "client/series_priv.h"

/* NULL means the global registry, which is made ready on first use. Any thread. */
sonde_registry *sn_registry_or_global(sonde_registry *registry);

/* A mark of the calling thread: different in every thread, the same after a fork. */
const void *sn_registry_reader(void);

/*
 * In a child of fork, which holds the registration lock: readers that the parent had in other threads
 * are gone, so reading is free again. What such a reader was writing are numbers of rates and resets:
 * half of them are new. A callback that forks goes on as the reader it is.
 */
void sn_registry_after_fork_child(void);

#endif
