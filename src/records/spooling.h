/*
 * An engine on top of another one whose database may be away for a while: what cannot be written is
 * acknowledged when it is in the spool, and written when the database is back. Reads go through.
 *
 *   commit --> spool empty: inner commit --away--> spool (fsync), acknowledged
 *         `--> spool not empty: behind what waits there
 *   tick   --> spool to inner commit, entry by entry; a batch that is there already is stored once
 */
#ifndef SN_RECORDS_SPOOLING_H
#define SN_RECORDS_SPOOLING_H

#include "records/engine.h"

/*
 *   inner  taken over, also by a failure; has identify
 *   dir    of the file records.spool
 *   bytes_max  0: SN_SPOOL_BYTES_MAX; beyond it commits fail
 *
 * Statuses of sn_spool_open, SN_ERR_NO_MEMORY.
 */
sn_status sn_spooling_open(struct sn_engine inner, const char *dir, int64_t bytes_max,
                           struct sn_engine *ret_engine, struct sn_err *err) SN_MUST_USE;

/* Whether a failure means that the database is away, not that it refuses what it was given. */
bool sn_spooling_is_away(sn_status status);

#endif
