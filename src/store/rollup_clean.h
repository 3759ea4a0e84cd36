/*
 * Taking deleted ranges out of files of rollups: a part of clean_tombstones, see rollup_clean.c.
 */
#ifndef SN_STORE_ROLLUP_CLEAN_H
#define SN_STORE_ROLLUP_CLEAN_H

#include "base/status.h"
#include "store/store.h"

/* After this no file has anything of a deleted range. Between enter and leave of a compaction. Blocks on
 * disk. SN_ERR_BUSY (something was deleted meanwhile), SN_ERR_CORRUPT, SN_ERR_IO, SN_ERR_NO_SPACE,
 * SN_ERR_NO_MEMORY, SN_ERR_CLOSED. */
sn_status sn_store_clean_rollups(struct sn_store *store, struct sn_err *err) SN_MUST_USE;

#endif
