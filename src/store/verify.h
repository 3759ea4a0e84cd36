/*
 * Reading every byte of a data directory that no store has open: sonde.db, records.db, segments, log.
 * Nothing is changed.
 */
#ifndef SN_STORE_VERIFY_H
#define SN_STORE_VERIFY_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct sn_verify_report {
    uint64_t series_count;
    uint64_t segment_count;
    uint64_t sample_count; /* of the segments */
    uint64_t rollup_count; /* buckets in files of rollups, which are among the segments */
    uint64_t log_count;
    uint64_t log_sample_count;
    uint64_t bytes;        /* read */
    uint64_t damage_count; /* findings that mean lost or wrong data */
    uint64_t note_count;   /* findings that the next start puts in order by itself */
};

struct sn_verify_options {
    const char *dir;
    /* A finding in one sentence that begins with the name of the file. */
    void (*found)(void *ctx, bool is_damage, const char *sentence);
    /* After each piece of work; false: stop. May be NULL. */
    bool (*step)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
    void *ctx;
};

/*
 * SN_OK whatever was found; SN_ERR_NOT_FOUND (no sonde.db there), SN_ERR_BUSY (a store has it open; the
 * sentence names its pid), SN_ERR_UNSUPPORTED (newer format), SN_ERR_CORRUPT (sonde.db cannot be read at
 * all), SN_ERR_CLOSED (step said stop), SN_ERR_IO, SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 * Blocks on disk; memory: the label sets, and one log file at a time.
 */
sn_status sn_store_verify(const struct sn_verify_options *options,
                          struct sn_verify_report *ret_report, struct sn_err *err) SN_MUST_USE;

#endif
