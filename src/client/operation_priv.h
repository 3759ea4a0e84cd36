/*
 * Services and operations: what a reader takes from an operation's cells, and its last error.
 */
#ifndef SN_CLIENT_OPERATION_PRIV_H
#define SN_CLIENT_OPERATION_PRIV_H

#include "client/lock_priv.h"
#include "client/series_priv.h"
#include "client/ticks_priv.h"

#define SN_ERROR_CLASS_WORDS (SONDE_ERROR_CLASS_SIZE / 8)
#define SN_ERROR_MESSAGE_WORDS (SONDE_ERROR_MESSAGE_SIZE / 8)

/*
 * The tail of an operation's series. `version` is odd while somebody writes. Words are atomic, so
 * that a reader may look at any time; it believes what it read when the version stayed the same.
 */
struct sn_last_error {
    struct sn_try_lock writing;
    _Atomic uint64_t version;
    _Atomic int64_t wall_ms; /* 0: none */
    _Atomic uint64_t error_class[SN_ERROR_CLASS_WORDS];
    _Atomic uint64_t message[SN_ERROR_MESSAGE_WORDS];
};

/* An operation's cells over all slabs. */
struct sn_operation_sums {
    uint64_t begun;
    uint64_t outcomes[SONDE_OUTCOME_COUNT];
    uint64_t sum_ns;
    uint64_t min_ns; /* 0 while nothing finished */
    uint64_t max_ns;
    uint64_t last_tick;
    uint64_t last_ns; /* monotonic; 0: none */
};

/* Add up. begun is never below the outcomes. Any thread, O(slabs). */
void sn_operation_sum(const struct sn_series *series, struct sn_operation_sums *ret_sums);

/* Unix milliseconds of the last finish; 0: none. */
int64_t sn_operation_last_wall_ms(const struct sn_operation_sums *sums);

#endif
