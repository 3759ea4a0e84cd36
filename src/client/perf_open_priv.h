/*
 * Operations that were started and not ended yet, by id: a hash table of fixed size and a list in
 * order of start. Not locked: the owner does it.
 */
#ifndef SN_CLIENT_PERF_OPEN_PRIV_H
#define SN_CLIENT_PERF_OPEN_PRIV_H

#include "base/status.h"
#include "base/str.h"
#include "client/stopwatch_priv.h"
#include "sonde/perf.h"

#include <stdbool.h>

struct sn_perf_run {
    struct sn_stopwatch watch;
    uint64_t hash;
    uint32_t next; /* in the bucket, or in the list of free runs; numbers are index + 1, 0: none */
    uint32_t older;
    uint32_t newer;
    char id[SONDE_PERF_NAME_SIZE];
};

struct sn_perf_open {
    struct sn_perf_run *runs; /* [max] */
    uint32_t *buckets;        /* [mask + 1] */
    size_t max;
    size_t mask;
    size_t count;
    uint64_t seed;
    uint32_t spare; /* list of free runs */
    uint32_t oldest;
    uint32_t newest;
};

/* SN_OK, SN_ERR_NO_MEMORY. Release with sn_perf_open_release, also after an error. */
sn_status sn_perf_open_init(struct sn_perf_open *open, size_t max) SN_MUST_USE;
void sn_perf_open_release(struct sn_perf_open *open);

/*
 * Open a run. id has at most SONDE_PERF_NAME_SIZE - 1 bytes. Returns whether another run was given
 * up for it: the one of the same id, or the oldest when all max are open.
 */
bool sn_perf_open_put(struct sn_perf_open *open, struct sn_str id, struct sn_stopwatch watch);

/* Close a run. False: there is none with this id. */
bool sn_perf_open_take(struct sn_perf_open *open, struct sn_str id, struct sn_stopwatch *ret_watch);

#endif
