/*
 * Forgetting series that have no sample any more: see series_gc.c. The flush worker does it after retention
 * has dropped something.
 */
#ifndef SN_STORE_SERIES_GC_H
#define SN_STORE_SERIES_GC_H

#include "base/status.h"
#include "store/store.h"

/*
 * Remove the series that no segment, file of rollups, log, exemplar or push has. Any thread; blocks on disk,
 * and shortly on pushes that have begun before.
 *
 *   ret_count  how many; may be NULL
 *
 * SN_ERR_NO_MEMORY, SN_ERR_NO_SPACE, SN_ERR_IO: some may be removed; the catalogue follows with the next
 * flush. With an older segment that does not tell its series, or a backfill under way, none are.
 */
sn_status sn_store_collect_series(struct sn_store *store, size_t *ret_count,
                                  struct sn_err *err) SN_MUST_USE;

#endif
