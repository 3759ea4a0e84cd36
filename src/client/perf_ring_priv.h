/*
 * What a performance tracker keeps: the last operations, and the slowest.
 */
#ifndef SN_CLIENT_PERF_RING_PRIV_H
#define SN_CLIENT_PERF_RING_PRIV_H

#include "client/lock_priv.h"
#include "sonde/perf.h"

#include <stdatomic.h>

#define SN_PERF_ENTRY_WORDS (sizeof(sonde_perf_entry) / 8)

/*
 * The last entries. Any thread, no lock: a writer takes the next place with one addition; a reader
 * believes a place whose version was even and stayed the same.
 */
struct sn_perf_slot {
    struct sn_try_lock writing;
    _Atomic uint64_t version; /* odd while somebody writes; 0: empty */
    _Atomic uint64_t words[SN_PERF_ENTRY_WORDS];
};

struct sn_perf_recent {
    size_t max;
    _Atomic uint64_t written;   /* entries ever */
    struct sn_perf_slot *slots; /* [max] */
};

/* SN_OK, SN_ERR_NO_MEMORY. Release with sn_perf_recent_release, also after an error. */
sn_status sn_perf_recent_init(struct sn_perf_recent *recent, size_t max) SN_MUST_USE;
void sn_perf_recent_release(struct sn_perf_recent *recent);
void sn_perf_recent_put(struct sn_perf_recent *recent, const sonde_perf_entry *entry);
size_t sn_perf_recent_copy(struct sn_perf_recent *recent, sonde_perf_entry *ret_entries,
                           size_t entry_max);
void sn_perf_recent_clear(struct sn_perf_recent *recent);

/*
 * The slowest entries, as a heap with the fastest of them on top. Any thread: one comparison with
 * `floor_ns` keeps the others away, the rest is guarded by sn_perf_mu.
 */
struct sn_perf_slow {
    _Atomic uint64_t floor_ns; /* an entry must be slower than this */
    size_t max;
    size_t count;
    sonde_perf_entry *entries; /* [max] */
};

sn_status sn_perf_slow_init(struct sn_perf_slow *slow, size_t max) SN_MUST_USE;
void sn_perf_slow_release(struct sn_perf_slow *slow);
void sn_perf_slow_put(struct sn_perf_slow *slow, const sonde_perf_entry *entry);
size_t sn_perf_slow_copy(struct sn_perf_slow *slow, sonde_perf_entry *ret_entries,
                         size_t entry_max);
void sn_perf_slow_clear(struct sn_perf_slow *slow);

#endif
