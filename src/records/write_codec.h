/*
 * A write as bytes, for the spool: docs/FORMATS.md.
 */
#ifndef SN_RECORDS_WRITE_CODEC_H
#define SN_RECORDS_WRITE_CODEC_H

#include "records/engine.h"

/* Append the records and events of a write, and its batch id. */
void sn_write_encode(const struct sn_engine_write *write, struct sn_buf *buf);

/*
 * Read a write. Foreign bytes: every record and event passes its check. Arrays are in the arena,
 * text points into the bytes. SN_ERR_CORRUPT, SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 */
sn_status sn_write_decode(struct sn_str bytes, struct sn_arena *arena,
                          struct sn_engine_write *ret_write, struct sn_err *err) SN_MUST_USE;

#endif
