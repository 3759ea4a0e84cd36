/*
 * Hash map with linear probing and backward-shift deletion: no tombstones, so a lookup never gets
 * slower by what was removed.
 *
 * Invariants:
 *   1. A slot with key NULL is empty; between an entry and its home slot there is no empty slot.
 *   2. count * 4 <= capacity * 3, so every probe ends.
 */
#include "base/map.h"

#include "base/check.h"
#include "base/mem.h"

#define CAPACITY_FIRST ((size_t)8)

struct sn_map_slot {
    char *key; /* owned copy; NULL: empty slot */
    size_t key_len;
    uint64_t hash;
    uint64_t value;
};

void sn_map_init(struct sn_map *map, size_t count_max, uint64_t seed) {
    *map = (struct sn_map){.count_max = count_max, .seed = seed};
}

void sn_map_release(struct sn_map *map) {
    for (size_t i = 0; i < map->capacity; i++)
        sn_free(map->slots[i].key);
    sn_free(map->slots);
    sn_map_init(map, map->count_max, map->seed);
}

static bool slot_holds(const struct sn_map_slot *slot, uint64_t hash, struct sn_str key) {
    return slot->hash == hash && sn_str_equal(sn_str_make(slot->key, slot->key_len), key);
}

/* The slot of the key, or the empty slot where it would go. Capacity is not 0. */
static struct sn_map_slot *find(const struct sn_map *map, uint64_t hash, struct sn_str key) {
    size_t mask = map->capacity - 1;
    size_t at = hash & mask;
    while (map->slots[at].key != NULL && !slot_holds(&map->slots[at], hash, key))
        at = (at + 1) & mask;
    return &map->slots[at];
}

static uint64_t hash_of(const struct sn_map *map, struct sn_str key) {
    return sn_hash_bytes(key.ptr, key.len, map->seed);
}

static struct sn_map_slot *find_existing(const struct sn_map *map, uint64_t hash,
                                         struct sn_str key) {
    if (map->count == 0)
        return NULL;
    struct sn_map_slot *slot = find(map, hash, key);
    return slot->key ? slot : NULL;
}

bool sn_map_get(const struct sn_map *map, struct sn_str key, uint64_t *ret_value) {
    const struct sn_map_slot *slot = find_existing(map, hash_of(map, key), key);
    if (slot == NULL)
        return false;
    *ret_value = slot->value;
    return true;
}

/* Move all entries to a table of `capacity` slots. False: no memory, nothing changed. */
static bool resize(struct sn_map *map, size_t capacity) {
    struct sn_map_slot *slots = sn_alloc_zero(capacity, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct sn_map_slot *slot = &map->slots[i];
        size_t at = slot->hash & (capacity - 1);
        if (slot->key == NULL)
            continue;
        while (slots[at].key != NULL)
            at = (at + 1) & (capacity - 1);
        slots[at] = *slot;
    }
    sn_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

static bool make_room(struct sn_map *map) {
    if ((map->count + 1) * 4 <= map->capacity * 3)
        return true;
    return resize(map, map->capacity ? map->capacity * 2 : CAPACITY_FIRST);
}

sn_status sn_map_put(struct sn_map *map, struct sn_str key, uint64_t value) {
    uint64_t hash = hash_of(map, key);
    struct sn_map_slot *slot = find_existing(map, hash, key);
    if (slot != NULL) {
        slot->value = value;
        return SN_OK;
    }
    if (map->count >= map->count_max)
        return SN_ERR_LIMIT;
    /* The copy comes last, so that a failure has nothing to undo. */
    char *copy = make_room(map) ? sn_strndup(key.ptr, key.len) : NULL;
    if (copy == NULL)
        return SN_ERR_NO_MEMORY;
    *find(map, hash, key) = (struct sn_map_slot){copy, key.len, hash, value};
    map->count++;
    return SN_OK;
}

/* Close the gap at `hole` by moving back the entries that it separates from their home slots. */
static void close_gap(struct sn_map *map, size_t hole) {
    size_t mask = map->capacity - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].key != NULL; at = (at + 1) & mask) {
        size_t from_home = (at - map->slots[at].hash) & mask;
        if (from_home >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct sn_map_slot){.key = NULL};
}

bool sn_map_remove(struct sn_map *map, struct sn_str key) {
    struct sn_map_slot *slot = find_existing(map, hash_of(map, key), key);
    if (slot == NULL)
        return false;
    sn_free(slot->key);
    close_gap(map, (size_t)(slot - map->slots));
    map->count--;
    return true;
}

bool sn_map_next(const struct sn_map *map, size_t *cursor, struct sn_str *ret_key,
                 uint64_t *ret_value) {
    while (*cursor < map->capacity) {
        const struct sn_map_slot *slot = &map->slots[(*cursor)++];
        if (slot->key == NULL)
            continue;
        *ret_key = sn_str_make(slot->key, slot->key_len);
        *ret_value = slot->value;
        return true;
    }
    return false;
}
