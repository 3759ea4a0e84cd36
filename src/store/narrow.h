/*
 * Leaving out series that have no sample in a time range, by what segments and head say without
 * reading a sample: a segment knows its series and its times, the head the newest time of each series.
 * What it leaves in may have none all the same.
 */
#ifndef SN_STORE_NARROW_H
#define SN_STORE_NARROW_H

#include "model/sample.h"
#include "store/postings.h"
#include "store/store.h"

/* Keep the ids of series that may have a sample in the range. Blocks on short mutexes.
 * SN_ERR_NO_MEMORY: unchanged. Cost: 10 to 30 ns per id and segment of the range. */
sn_status sn_store_narrow(struct sn_store *store, struct sn_range range,
                          struct sn_id_set *ids) SN_MUST_USE;

#endif
