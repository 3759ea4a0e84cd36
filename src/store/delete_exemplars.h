/*
 * Deleting exemplars of series. They are taken out of the ring and out of the catalogue's rows at once: no
 * tombstone is needed for them.
 *
 *   begin (before the flush) -> flush -> find -> put (in the transaction) -> apply (it has committed)
 */
#ifndef SN_STORE_DELETE_EXEMPLARS_H
#define SN_STORE_DELETE_EXEMPLARS_H

#include "model/doors.h"
#include "store/store_priv.h"

/* One thread: the deletion's. */
struct sn_exemplar_deletion {
    struct sn_id_set ids; /* series whose exemplars go, ascending; owned */
    struct sn_range range;
    uint64_t end; /* numbers of the ring below this */
};

/* What the ring has now is what a deletion is about. Before the flush that puts it into the catalogue, so
 * that no log has it any more. */
void sn_exemplar_deletion_begin(struct sn_exemplar_deletion *deletion, struct sn_store *store);
void sn_exemplar_deletion_release(struct sn_exemplar_deletion *deletion);

/* The series of a selection; its range is that of the exemplars, whatever samples there are. As
 * sn_store_find_ids. */
sn_status sn_exemplar_deletion_find(struct sn_exemplar_deletion *deletion, struct sn_store *store,
                                    const struct sn_select *select, struct sn_err *err) SN_MUST_USE;

/* In a transaction: write the rows that have some of them anew. Flush lock held. SN_ERR_NO_MEMORY, and
 * those of the catalogue. */
sn_status sn_exemplar_deletion_put(struct sn_exemplar_deletion *deletion, struct sn_store *store,
                                   struct sn_err *err) SN_MUST_USE;

/* The transaction has committed: nobody finds them any more. Flush lock held. */
void sn_exemplar_deletion_apply(const struct sn_exemplar_deletion *deletion,
                                struct sn_store *store);

#endif
