/*
 * The packs that were read last, unpacked. Neighbouring series stand in one pack and queries ask
 * for neighbours one after the other, so most reads find their pack here.
 *
 * Threads: any. A pack is counted: it stays valid until its last unref, cached or not.
 */
#ifndef SN_STORE_PACK_CACHE_H
#define SN_STORE_PACK_CACHE_H

#include "base/lock.h"
#include "store/pack.h"

#include <stdatomic.h>

/* 128 packs of about 32 to 100 KiB unpacked: 4 to 12 MiB, enough for eight queries over sixteen
 * segments. */
#define SN_PACK_CACHE_SLOTS 128

struct sn_cached_pack {
    struct sn_pack pack;
    atomic_uint refs;
};

struct sn_pack_slot {
    struct sn_cached_pack *pack; /* NULL: free */
    uint64_t segment_id;
    uint32_t pack_index;
    uint64_t used_at; /* value of tick when it was used last */
};

struct sn_pack_cache {
    struct sn_mutex mu;
    struct sn_pack_slot slots[SN_PACK_CACHE_SLOTS]; /* guarded by mu */
    uint64_t tick;
};

void sn_pack_cache_init(struct sn_pack_cache *cache);
void sn_pack_cache_release(struct sn_pack_cache *cache);

/* The pack with one more reference, or NULL. */
struct sn_cached_pack *sn_pack_cache_get(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index);

/*
 * Take ownership of a pack and remember it, dropping the one that was not used for the longest
 * time. Returns it with a reference for the caller; NULL: no memory, the pack is still the caller's.
 */
struct sn_cached_pack *sn_pack_cache_put(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index, struct sn_pack *pack);

void sn_cached_pack_unref(struct sn_cached_pack *pack);

#endif
