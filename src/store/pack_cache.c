/* The packs that were read last: see pack_cache.h. */
#include "store/pack_cache.h"

#include "base/mem.h"

void sn_pack_cache_init(struct sn_pack_cache *cache) {
    *cache = (struct sn_pack_cache){0};
    sn_mutex_init(&cache->mu, SN_RANK_STORE_SEGMENTS, "store pack cache");
}

void sn_pack_cache_release(struct sn_pack_cache *cache) {
    for (size_t i = 0; i < SN_PACK_CACHE_SLOTS; i++)
        sn_cached_pack_unref(cache->slots[i].pack);
    sn_mutex_release(&cache->mu);
}

void sn_cached_pack_unref(struct sn_cached_pack *pack) {
    if (pack && atomic_fetch_sub(&pack->refs, 1) == 1) {
        sn_pack_release(&pack->pack);
        sn_free(pack);
    }
}

static struct sn_pack_slot *find_locked(struct sn_pack_cache *cache, uint64_t segment_id,
                                        uint32_t pack_index) {
    for (size_t i = 0; i < SN_PACK_CACHE_SLOTS; i++) {
        struct sn_pack_slot *slot = &cache->slots[i];
        if (slot->pack && slot->segment_id == segment_id && slot->pack_index == pack_index)
            return slot;
    }
    return NULL;
}

struct sn_cached_pack *sn_pack_cache_get(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index) {
    struct sn_cached_pack *pack = NULL;
    sn_mutex_lock(&cache->mu);
    struct sn_pack_slot *slot = find_locked(cache, segment_id, pack_index);
    if (slot) {
        slot->used_at = ++cache->tick;
        pack = slot->pack;
        atomic_fetch_add(&pack->refs, 1);
    }
    sn_mutex_unlock(&cache->mu);
    return pack;
}

static struct sn_pack_slot *oldest_locked(struct sn_pack_cache *cache) {
    struct sn_pack_slot *oldest = &cache->slots[0];
    for (size_t i = 1; i < SN_PACK_CACHE_SLOTS && oldest->pack; i++) {
        if (!cache->slots[i].pack || cache->slots[i].used_at < oldest->used_at)
            oldest = &cache->slots[i];
    }
    return oldest;
}

struct sn_cached_pack *sn_pack_cache_put(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index, struct sn_pack *pack) {
    struct sn_cached_pack *cached = sn_alloc(sizeof *cached);
    if (!cached)
        return NULL;
    cached->pack = *pack;
    *pack = (struct sn_pack){0};
    atomic_init(&cached->refs, 2); /* the cache's and the caller's */
    sn_mutex_lock(&cache->mu);
    /* Two readers may have read the same pack at the same time: the newer one takes its slot. */
    struct sn_pack_slot *slot = find_locked(cache, segment_id, pack_index);
    if (!slot)
        slot = oldest_locked(cache);
    struct sn_cached_pack *dropped = slot->pack;
    *slot = (struct sn_pack_slot){.pack = cached,
                                  .segment_id = segment_id,
                                  .pack_index = pack_index,
                                  .used_at = ++cache->tick};
    sn_mutex_unlock(&cache->mu);
    sn_cached_pack_unref(dropped);
    return cached;
}
