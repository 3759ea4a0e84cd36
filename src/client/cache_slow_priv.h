/*
 * The slowest operations of a cache in the last day.
 *
 * A new one takes the place of one that is older than a day, else of the least slow one, if it is
 * slower. Any thread; nobody waits: of two writers at the same moment one gives up.
 */
#ifndef SN_CLIENT_CACHE_SLOW_PRIV_H
#define SN_CLIENT_CACHE_SLOW_PRIV_H

#include "sonde/cache.h"

#include <stdatomic.h>

#define SN_SLOW_TEXT_WORDS (SONDE_CACHE_SLOW_TEXT_SIZE / 8)

struct sn_slow_slot {
    _Atomic uint64_t duration_ns; /* 0: empty */
    _Atomic uint64_t end_wall_ms;
    _Atomic uint64_t operation[SN_SLOW_TEXT_WORDS];
    _Atomic uint64_t detail[SN_SLOW_TEXT_WORDS];
};

/* Zeroed memory is an empty list. */
struct sn_slow_list {
    _Atomic uint64_t version; /* see words_priv.h */
    struct sn_slow_slot slots[SONDE_CACHE_SLOW_MAX];
};

/* Keep an operation that ended at wall_ms, if it is among the slowest. Cost: about 100 ns. */
void sn_slow_put(struct sn_slow_list *list, const sonde_cache_run *run, int64_t wall_ms);

/* Copy those of the day before wall_ms, slowest first; ret_entries [SONDE_CACHE_SLOW_MAX]. */
size_t sn_slow_read(const struct sn_slow_list *list, int64_t wall_ms,
                    sonde_cache_slow_entry *ret_entries);

#endif
