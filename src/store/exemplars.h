/*
 * Exemplars: a ring of the newest ones of all series. When it is full the oldest goes.
 *
 *   slots:   ... [seq 41] [seq 42] [seq 43] ...      place = seq % limit
 *                    ^--------- previous of the same series
 *
 * Invariants:
 *   1. Every exemplar has a number (seq), which only goes up. Those that live are [oldest, next).
 *   2. Those of one series stand in ascending time and are chained from the newest to the oldest; a link
 *      to one that has gone ends the chain. One that was deleted is in no chain; its place stays empty
 *      until its turn comes.
 *   3. What is stored in the catalogue are those below `stored`.
 *
 * Threads: guarded by the owner's lock (SN_RANK_STORE_APPEND).
 */
#ifndef SN_STORE_EXEMPLARS_H
#define SN_STORE_EXEMPLARS_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "model/sample.h"
#include "store/blocks.h"
#include "store/log_record.h"

#include <stdbool.h>
#include <stdint.h>

/* 128 characters in all are allowed by OpenMetrics; canonical bytes need a little more. */
#define SN_EXEMPLAR_LABEL_BYTES_MAX 1024

struct sn_exemplar_slot {
    int64_t time_ms;
    double value;
    char *labels;      /* [label_len] canonical bytes, owned; NULL: it was deleted */
    uint64_t previous; /* seq + 1 of the one before it of the same series; 0: none */
    uint32_t series;
    uint32_t label_len;
};

struct sn_exemplars {
    struct sn_blocks slots;  /* struct sn_exemplar_slot */
    struct sn_blocks newest; /* uint64_t per series: seq + 1 of its newest; 0: none */
    uint64_t limit;          /* exemplars at one time; 0: none are kept */
    uint64_t next;           /* seq of the next one */
    uint64_t oldest;         /* seq of the oldest that lives; == next: none */
    uint64_t stored;         /* those below are in the catalogue */
    uint64_t deleted_count;  /* places in [oldest, next) that are empty */
};

void sn_exemplars_init(struct sn_exemplars *ring, uint64_t limit);
void sn_exemplars_release(struct sn_exemplars *ring);

enum sn_exemplar_verdict {
    SN_EXEMPLAR_ADDED = 0,
    SN_EXEMPLAR_SAME = 1,  /* it is there already */
    SN_EXEMPLAR_OLDER = 2, /* before the newest of its series: not taken */
};

/*
 * Take one: its labels, at most SN_EXEMPLAR_LABEL_BYTES_MAX, are copied. Limit is not 0.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (number of the series); then nothing has changed.
 */
sn_status sn_exemplars_add(struct sn_exemplars *ring, const struct sn_log_exemplar *exemplar,
                           enum sn_exemplar_verdict *ret_verdict) SN_MUST_USE;

/*
 * Delete those of a series that have a time in the range (both ends included) and a number below `end`.
 * Returns how many. O(exemplars of the series).
 */
size_t sn_exemplars_delete(struct sn_exemplars *ring, uint32_t series, struct sn_range range,
                           uint64_t end);

/* How many there are. */
uint64_t sn_exemplars_count(const struct sn_exemplars *ring);

/* Whether a number in [oldest, next) was not deleted. */
bool sn_exemplars_has(const struct sn_exemplars *ring, uint64_t seq);

/* The exemplar of a number that lives and was not deleted. Its labels are the ring's. */
struct sn_log_exemplar sn_exemplars_at(const struct sn_exemplars *ring, uint64_t seq);

/* seq + 1 of the newest exemplar of a series that lives, or of the one before; 0: none. */
uint64_t sn_exemplars_newest(const struct sn_exemplars *ring, uint32_t series);
uint64_t sn_exemplars_previous(const struct sn_exemplars *ring, uint64_t seq);

/*
 * The rows of the catalogue that hold exemplars: the numbers below `end` are in this row or an older
 * one, so it may go when they have gone. Guarded by the owner's flush lock.
 */
struct sn_exemplar_row {
    uint64_t id;
    uint64_t end;
};
struct sn_exemplar_rows {
    struct sn_exemplar_row *items; /* [capacity], owned, ascending */
    size_t count;
    size_t capacity;
};
void sn_exemplar_rows_release(struct sn_exemplar_rows *rows);
/* Room for one more. SN_ERR_NO_MEMORY. */
sn_status sn_exemplar_rows_reserve(struct sn_exemplar_rows *rows) SN_MUST_USE;
sn_status sn_exemplar_rows_add(struct sn_exemplar_rows *rows, uint64_t id,
                               uint64_t end) SN_MUST_USE;
/* The id of the first row that has something in [oldest, ...), or of the next row to be made. */
uint64_t sn_exemplar_rows_first(const struct sn_exemplar_rows *rows, uint64_t oldest);
uint64_t sn_exemplar_rows_next(const struct sn_exemplar_rows *rows);
/* Forget the rows below an id. */
void sn_exemplar_rows_drop(struct sn_exemplar_rows *rows, uint64_t id);

#endif
