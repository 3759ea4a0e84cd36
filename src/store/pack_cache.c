/* The packs that were read last: see pack_cache.h. */
#include "store/pack_cache.h"

#include "base/mem.h"

void sn_pack_cache_init(struct sn_pack_cache *cache) {
    *cache = (struct sn_pack_cache){.bytes_max = SN_PACK_CACHE_BYTES_MAX};
    sn_mutex_init(&cache->mu, SN_RANK_STORE_SEGMENTS, "store pack cache");
}

void sn_pack_cache_release(struct sn_pack_cache *cache) {
    while (cache->oldest) {
        struct sn_cached_pack *pack = cache->oldest;
        cache->oldest = pack->newer;
        sn_cached_pack_unref(pack);
    }
    sn_mutex_release(&cache->mu);
}

void sn_cached_pack_unref(struct sn_cached_pack *pack) {
    if (pack && atomic_fetch_sub(&pack->refs, 1) == 1) {
        sn_pack_release(&pack->pack);
        sn_free(pack);
    }
}

static struct sn_cached_pack **bucket_of(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index) {
    /* Packs of one segment are numbered: neighbours go to neighbours. */
    return &cache->buckets[(segment_id * 769 + pack_index) % SN_PACK_CACHE_BUCKETS];
}

static struct sn_cached_pack *find_locked(struct sn_pack_cache *cache, uint64_t segment_id,
                                          uint32_t pack_index) {
    struct sn_cached_pack *pack = *bucket_of(cache, segment_id, pack_index);
    while (pack && (pack->segment_id != segment_id || pack->pack_index != pack_index))
        pack = pack->bucket_next;
    return pack;
}

/* ---- the list by use ---- */

static void unlink_locked(struct sn_pack_cache *cache, struct sn_cached_pack *pack) {
    *(pack->newer ? &pack->newer->older : &cache->newest) = pack->older;
    *(pack->older ? &pack->older->newer : &cache->oldest) = pack->newer;
}

static void link_newest_locked(struct sn_pack_cache *cache, struct sn_cached_pack *pack) {
    pack->newer = NULL;
    pack->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = pack;
    cache->newest = pack;
}

struct sn_cached_pack *sn_pack_cache_get(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index) {
    sn_mutex_lock(&cache->mu);
    struct sn_cached_pack *pack = find_locked(cache, segment_id, pack_index);
    if (pack) {
        unlink_locked(cache, pack);
        link_newest_locked(cache, pack);
        atomic_fetch_add(&pack->refs, 1);
    }
    sn_mutex_unlock(&cache->mu);
    return pack;
}

/* ---- adding and dropping ---- */

static void add_locked(struct sn_pack_cache *cache, struct sn_cached_pack *pack) {
    struct sn_cached_pack **bucket = bucket_of(cache, pack->segment_id, pack->pack_index);
    pack->bucket_next = *bucket;
    *bucket = pack;
    cache->bytes += pack->bytes;
    link_newest_locked(cache, pack);
}

static void remove_locked(struct sn_pack_cache *cache, struct sn_cached_pack *pack) {
    struct sn_cached_pack **at = bucket_of(cache, pack->segment_id, pack->pack_index);
    while (*at != pack)
        at = &(*at)->bucket_next;
    *at = pack->bucket_next;
    cache->bytes -= pack->bytes;
    unlink_locked(cache, pack);
}

/* Take the oldest ones out until there is room, but for the newest: a chain by `older`. */
static struct sn_cached_pack *shrink_locked(struct sn_pack_cache *cache) {
    struct sn_cached_pack *dropped = NULL;
    while (cache->bytes > cache->bytes_max && cache->oldest != cache->newest) {
        struct sn_cached_pack *pack = cache->oldest;
        remove_locked(cache, pack);
        pack->older = dropped;
        dropped = pack;
    }
    return dropped;
}

static size_t bytes_of(const struct sn_pack *pack) {
    return sizeof(struct sn_cached_pack) + pack->raw_len +
           pack->chunk_count * sizeof *pack->chunks +
           pack->time_block_count * sizeof *pack->time_blocks +
           pack->start_count * sizeof *pack->starts;
}

struct sn_cached_pack *sn_pack_cache_put(struct sn_pack_cache *cache, uint64_t segment_id,
                                         uint32_t pack_index, struct sn_pack *pack) {
    struct sn_cached_pack *cached = sn_alloc_zero(1, sizeof *cached);
    if (!cached)
        return NULL;
    cached->pack = *pack;
    cached->segment_id = segment_id;
    cached->pack_index = pack_index;
    cached->bytes = bytes_of(pack);
    *pack = (struct sn_pack){0};
    atomic_init(&cached->refs, 2); /* the cache's and the caller's */
    sn_mutex_lock(&cache->mu);
    /* Two readers may have read the same pack at the same time: the newer one takes its place. */
    struct sn_cached_pack *same = find_locked(cache, segment_id, pack_index);
    if (same)
        remove_locked(cache, same);
    add_locked(cache, cached);
    struct sn_cached_pack *dropped = shrink_locked(cache);
    sn_mutex_unlock(&cache->mu);
    sn_cached_pack_unref(same);
    while (dropped) {
        struct sn_cached_pack *next = dropped->older;
        sn_cached_pack_unref(dropped);
        dropped = next;
    }
    return cached;
}
