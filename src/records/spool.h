/*
 * The spool: writes that are acknowledged and wait until the database is back. A file of entries,
 * appended with fsync, read from the front, emptied when all is read.
 *
 *   entry = u32le length, u32le crc32c of the bytes, bytes
 *
 * Invariants:
 *   1. append returns SN_OK only after fsync.
 *   2. What was read is read again after a restart, unless the spool had become empty: whoever
 *      stores entries knows them by their batch id.
 *   3. An entry that is damaged, and what follows it, is cut off when the spool is opened, and
 *      counted.
 * One thread.
 */
#ifndef SN_RECORDS_SPOOL_H
#define SN_RECORDS_SPOOL_H

#include "base/buf.h"

#include <stdbool.h>

#define SN_SPOOL_BYTES_MAX (INT64_C(1) << 30) /* default: some 5 million records */
#define SN_SPOOL_ENTRY_BYTES_MAX ((size_t)64 << 20)

struct sn_spool {
    int fd; /* -1: closed */
    int64_t bytes_max;
    int64_t read_at;        /* offset of the next entry */
    int64_t end;            /* offset of the next append */
    uint64_t dropped_bytes; /* cut off when it was opened */
};

/* Open or create DIR/records.spool. bytes_max 0: SN_SPOOL_BYTES_MAX. SN_ERR_IO, SN_ERR_NO_SPACE,
 * SN_ERR_DENIED, SN_ERR_LIMIT (path), SN_ERR_NO_MEMORY. Blocks on disk: reads all of it. */
sn_status sn_spool_open(struct sn_spool *spool, const char *dir, int64_t bytes_max,
                        struct sn_err *err) SN_MUST_USE;
void sn_spool_close(struct sn_spool *spool);

static inline bool sn_spool_is_empty(const struct sn_spool *spool) {
    return spool->read_at == spool->end;
}

/* Append an entry; durable with sync only. SN_ERR_LIMIT (bytes_max), SN_ERR_IO, SN_ERR_NO_SPACE;
 * then nothing was appended. */
sn_status sn_spool_append(struct sn_spool *spool, struct sn_str bytes,
                          struct sn_err *err) SN_MUST_USE;
/* fsync. After a failure the entries since `mark` (spool->end of then) are taken back. */
sn_status sn_spool_sync(struct sn_spool *spool, int64_t mark, struct sn_err *err) SN_MUST_USE;

/* The next entry into buf (reset first), without moving on. SN_ERR_NOT_FOUND (empty),
 * SN_ERR_CORRUPT, SN_ERR_IO, SN_ERR_NO_MEMORY. */
sn_status sn_spool_peek(struct sn_spool *spool, struct sn_buf *buf, struct sn_err *err) SN_MUST_USE;
/* Move on behind the entry of that many bytes; the last one empties the file. */
sn_status sn_spool_advance(struct sn_spool *spool, size_t entry_len,
                           struct sn_err *err) SN_MUST_USE;

#endif
