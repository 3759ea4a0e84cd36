/*
 * Hash map from bytes to a 64-bit value: open addressing, linear probing, at most 3/4 full.
 *
 * Keys are copied into the map. The seed must differ per process for keys that outsiders choose.
 * One thread, or guarded by its owner's lock.
 */
#ifndef SN_BASE_MAP_H
#define SN_BASE_MAP_H

#include "base/status.h"
#include "base/str.h"

struct sn_map_slot;

struct sn_map {
    struct sn_map_slot *slots; /* [capacity], owned */
    size_t capacity;           /* 0 or a power of two */
    size_t count;
    size_t count_max; /* most entries allowed */
    uint64_t seed;
};

void sn_map_init(struct sn_map *map, size_t count_max, uint64_t seed);
void sn_map_release(struct sn_map *map);

/* Value of a key. Returns whether it is there; *ret_value is written only then. O(1). */
bool sn_map_get(const struct sn_map *map, struct sn_str key, uint64_t *ret_value);

/*
 * Insert or replace. SN_ERR_LIMIT beyond count_max, SN_ERR_NO_MEMORY; on failure the map is
 * unchanged.
 */
sn_status sn_map_put(struct sn_map *map, struct sn_str key, uint64_t value) SN_MUST_USE;

/* Remove a key; returns whether it was there. */
bool sn_map_remove(struct sn_map *map, struct sn_str key);

/*
 * Walk all entries in no particular order: start with *cursor = 0, stop at false. The map must not
 * change in between. *ret_key borrows from the map.
 */
bool sn_map_next(const struct sn_map *map, size_t *cursor, struct sn_str *ret_key,
                 uint64_t *ret_value);

#endif
