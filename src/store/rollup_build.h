/*
 * Making rollups of days that have passed: see rollup_build.c. The flush worker does it, before
 * retention drops what they are made of.
 */
#ifndef SN_STORE_ROLLUP_BUILD_H
#define SN_STORE_ROLLUP_BUILD_H

#include "base/status.h"
#include "store/store.h"

/*
 * Make what is missing, and now and then again what is out of date. Any thread, one at a time; blocks
 * on disk.
 *
 *   ret_count  windows that were made; may be NULL
 *
 * SN_ERR_CLOSED (the worker is to stop), SN_ERR_BUSY (a compaction is under way), SN_ERR_NO_SPACE,
 * SN_ERR_IO, SN_ERR_NO_MEMORY: what was made before counts.
 */
sn_status sn_store_roll_up(struct sn_store *store, size_t *ret_count,
                           struct sn_err *err) SN_MUST_USE;

#endif
