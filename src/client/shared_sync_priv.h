/*
 * Registries whose cells lie in a shared file: what other processes have registered there is brought
 * in, what this one registers is written down, and what a dead process left unfinished is put in order.
 */
#ifndef SN_CLIENT_SHARED_SYNC_PRIV_H
#define SN_CLIENT_SHARED_SYNC_PRIV_H

#include "client/shared_priv.h"
#include "client/shared_record_priv.h"

/*
 * Let a new, empty registry count into a file.
 *
 * Returns SN_OK, or as sn_shared_open, or SN_ERR_LIMIT (processes). Takes the registration lock.
 */
sn_status sn_shared_begin(sonde_registry *registry, const char *path, size_t bytes,
                          struct sn_err *err) SN_MUST_USE;

/* Whether families of this kind and name are in the file. Infos of instruments are not: their series
 * are objects of one process. */
bool sn_shared_takes(enum sn_kind kind, const char *name);

/*
 * Take the catalogue lock and bring in what is new: the prelude of every registration. False, counted
 * by the caller: the file is held by somebody else. Pair with sn_shared_end_locked. With the
 * registration lock.
 */
bool sn_shared_begin_locked(sonde_registry *registry);
void sn_shared_end_locked(sonde_registry *registry);

/* Write down a family or a series of this process; false: no room or no memory. With both locks. */
bool sn_shared_add_family(struct sn_family *family);
bool sn_shared_add_series(struct sn_series *series);

/* The prelude of every read: bring in what is new, bury the dead. Takes the registration lock. */
void sn_shared_refresh(sonde_registry *registry);

/* In a child of fork, which holds the registration lock: enter all files as a new process. */
void sn_shared_after_fork_child(void);

#endif
