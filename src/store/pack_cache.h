/*
 * The packs that were read last, unpacked. Neighbouring series stand in one pack and queries ask
 * for neighbours one after the other; dashboards ask the same again and again.
 *
 * Threads: any. A pack is counted: it stays valid until its last unref, cached or not.
 */
#ifndef SN_STORE_PACK_CACHE_H
#define SN_STORE_PACK_CACHE_H

#include "base/lock.h"
#include "store/pack.h"

#include <stdatomic.h>

/*
 * Bytes of unpacked packs: what 20,000 series need for half a day at 15 s. Without it a question about
 * the last minutes of 1,000 series would read and unpack some 1,000 packs every time.
 */
#define SN_PACK_CACHE_BYTES_MAX ((size_t)64 << 20)

/* Chains of packs: four to eight in each when the cache is full of small packs. */
#define SN_PACK_CACHE_BUCKETS 1024

struct sn_cached_pack {
    struct sn_pack pack;
    atomic_uint refs;
    /* Guarded by the cache's mu. */
    uint64_t segment_id;
    uint32_t pack_index;
    size_t bytes;
    struct sn_cached_pack *bucket_next;
    struct sn_cached_pack *newer; /* used later than this one */
    struct sn_cached_pack *older;
};

struct sn_pack_cache {
    struct sn_mutex mu;
    /* Guarded by mu. */
    struct sn_cached_pack *buckets[SN_PACK_CACHE_BUCKETS];
    struct sn_cached_pack *newest;
    struct sn_cached_pack *oldest;
    size_t bytes;
    size_t bytes_max; /* SN_PACK_CACHE_BYTES_MAX after init */
};

void sn_pack_cache_init(struct sn_pack_cache *cache);
void sn_pack_cache_release(struct sn_pack_cache *cache);

/* The pack with one more reference, or NULL. */
struct sn_cached_pack *sn_pack_cache_get(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index);

/*
 * Take ownership of a pack and remember it, dropping those that were not used for the longest time.
 * Returns it with a reference for the caller; NULL: no memory, the pack is still the caller's.
 */
struct sn_cached_pack *sn_pack_cache_put(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index, struct sn_pack *pack);

void sn_cached_pack_unref(struct sn_cached_pack *pack);

#endif
