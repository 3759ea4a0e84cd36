/*
 * Registration of families: names, shapes, and the conflicts between them.
 */
#ifndef SN_CLIENT_FAMILY_PRIV_H
#define SN_CLIENT_FAMILY_PRIV_H

#include "client/series_priv.h"

/*
 * Register a family, or find the one that has this name and shape (kind, label names, bounds).
 *
 *   registry  NULL: global
 *   metric    checked here, everything that is kept is copied
 *
 * Returns the family. After an error the one that records nothing (sn_family_nowhere), with the
 * sentence in error (may be NULL) and a count in SONDE_LOST_REGISTRATION: NO_MEMORY, LIMIT,
 * INVALID, EXISTS. Threads: any; takes the registration lock.
 */
struct sn_family *sn_family_get(sonde_registry *registry, const sonde_metric *metric,
                                enum sn_kind kind, sonde_error *error);

/* As sn_family_get, for metrics without labels: the one series, or NULL after an error. */
struct sn_series *sn_family_get_single(sonde_registry *registry, const sonde_metric *metric,
                                       enum sn_kind kind, sonde_error *error);

/* As sn_family_get, with the registration lock held and nothing counted. */
sonde_status sn_family_get_locked(sonde_registry *registry, const sonde_metric *metric,
                                  enum sn_kind kind, struct sn_family **ret_family,
                                  struct sn_err *err);

/* As sn_family_get_locked, for a family that is in the registry's file: not written there again. */
sonde_status sn_family_import_locked(sonde_registry *registry, const sonde_metric *metric,
                                     enum sn_kind kind, struct sn_family **ret_family,
                                     struct sn_err *err);

/* The family of failed registrations: its lookups find nothing. Static. */
struct sn_family *sn_family_nowhere(void);

/* Release a family with its series. NULL is fine; returns NULL. */
struct sn_family *sn_family_free(struct sn_family *family);

#endif
