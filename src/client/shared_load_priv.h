/*
 * Reading the bytes of a shared file into a registry.
 */
#ifndef SN_CLIENT_SHARED_LOAD_PRIV_H
#define SN_CLIENT_SHARED_LOAD_PRIV_H

#include "client/shared_sync_priv.h"

/*
 * Register what the catalogue names and take over the numbers of all pages.
 *
 *   image     [len] the bytes of a file, from anywhere; 8-byte aligned
 *   path      for sentences
 *   registry  new, empty, without a file, limits as high as sn_shared_load_options says
 *
 * Returns SN_OK, or INVALID, UNSUPPORTED, CORRUPT, LIMIT, NO_MEMORY with a sentence; then the registry
 * is only good for being released. Takes the registration lock now and then.
 */
sn_status sn_shared_load_image(const unsigned char *image, size_t len, const char *path,
                               sonde_registry *registry, struct sn_err *err) SN_MUST_USE;

extern const sonde_registry_options sn_shared_load_options;

#endif
