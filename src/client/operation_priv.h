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

/*
 * In a registry with a shared file the last error lies in the thread's own cells instead, behind the
 * buckets: a version as above, the time, the words of both texts. Only the owner writes there, so it
 * needs no lock that a killed process could leave taken; the newest of all threads is the last.
 */
enum {
    SN_OPERATION_ERROR_VERSION = 0,
    SN_OPERATION_ERROR_WALL_MS = 1,
    SN_OPERATION_ERROR_CLASS = 2,
    SN_OPERATION_ERROR_MESSAGE = SN_OPERATION_ERROR_CLASS + SN_ERROR_CLASS_WORDS,
    SN_OPERATION_ERROR_CELLS = SN_OPERATION_ERROR_MESSAGE + SN_ERROR_MESSAGE_WORDS,
};

/* The last error of an operation, copied. */
struct sn_error_text {
    int64_t wall_ms;
    char error_class[SONDE_ERROR_CLASS_SIZE]; /* may hold bytes that are not UTF-8 */
    char message[SONDE_ERROR_MESSAGE_SIZE];   /* as error_class */
};

/*
 * What an operation had counted when it was reset last. Recording and exposition know nothing of it:
 * readers that show numbers since the reset subtract it.
 *
 * The shortest and the longest run cannot be subtracted. Their cells are set back to "none yet",
 * and what they held is kept here, so that the exposition still shows those since start.
 */
struct sn_operation_baseline {
    _Atomic uint64_t min_ns; /* of all runs before; 0: none. Read by any thread */
    _Atomic uint64_t max_ns;
    int64_t reset_wall_ms; /* 0: never. From here on guarded by the registry's read_mu */
    uint64_t outcomes[SONDE_OUTCOME_COUNT];
    uint64_t sum_ns;
};

/* What follows an operation's series. */
struct sn_operation_tail {
    struct sn_last_error last_error;
    struct sn_operation_baseline baseline;
    uint64_t
        noted[SN_MOMENT_SLOTS]; /* finished runs at the registry's moments; guarded by read_mu */
    uint64_t bucket_baseline[]; /* [bounds + 1], guarded by read_mu */
};

static inline size_t sn_operation_tail_size(size_t bound_count) {
    return sizeof(struct sn_operation_tail) + (bound_count + 1) * sizeof(uint64_t);
}

/* An operation's cells over all slabs. */
struct sn_operation_sums {
    uint64_t begun;
    uint64_t outcomes[SONDE_OUTCOME_COUNT];
    uint64_t sum_ns;
    uint64_t min_ns; /* since start; 0 while nothing finished */
    uint64_t max_ns;
    uint64_t last_tick;
    uint64_t last_ns; /* monotonic; 0: none */
};

/* Add up. begun is never below the outcomes. Any thread, O(slabs). */
void sn_operation_sum(struct sn_series *series, struct sn_operation_sums *ret_sums);

/* Put back an error that was read from a file. */
void sn_operation_put_error(struct sn_series *series, const struct sn_error_text *error);

/* Copy the error from a thread's cells of it. False: none. Any thread. */
bool sn_operation_cells_error(const uint64_t *cells, struct sn_error_text *ret_error);

/* Copy the last error. False: none yet, or its writer is at work for too long. Any thread. */
bool sn_operation_last_error(struct sn_series *series, struct sn_error_text *ret_error);

/* Keep the count of finished runs in a slot of the registry's moments. With read_mu. */
void sn_operation_note(struct sn_series *series, size_t slot);

/* From now on numbers since the reset start at 0. With read_mu. */
void sn_operation_reset(struct sn_series *series, int64_t wall_ms);

/*
 * Numbers since the last reset (since start when there was none).
 *
 *   ret_buckets  [bounds + 1] runs per bucket
 */
struct sn_operation_since {
    struct sn_operation_sums sums; /* begun is not among them: see active */
    uint64_t active;
    int64_t reset_wall_ms; /* 0: never */
};
void sn_operation_read_since(struct sn_series *series, struct sn_operation_since *ret_since,
                             uint64_t *ret_buckets); /* with read_mu */

/* Unix milliseconds of the last finish; 0: none. */
int64_t sn_operation_last_wall_ms(const struct sn_operation_sums *sums);

#endif
