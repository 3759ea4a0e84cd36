/*
 * Names of open JSON objects. Few names are compared one by one by their tags, which beats any
 * table; from INDEX_FROM on an object's names are found by hash.
 * One thread. Memory only from the arena: what has been outgrown stays there until the arena goes.
 */
#include "codec/json_names.h"

#include "base/check.h"

enum {
    INDEX_FROM = 16,
    INDEX_FIRST = 256, /* places of the first index */
};

void sn_json_names_init(struct sn_json_names *names, struct sn_arena *arena, uint64_t hash_seed) {
    /* Not by an initialiser: that would clear half a kilobyte for each document. */
    names->items = names->inline_items;
    names->count = 0;
    names->cap = SN_JSON_NAMES_INLINE;
    names->index = NULL;
    names->index_used = 0;
    names->index_cap = 0;
    names->hash_seed = hash_seed;
    names->arena = arena;
}

/* A digest that a handful of instructions gives; good enough to tell a few names apart. */
static uint32_t tag_of(struct sn_str name) {
    uint64_t first = 0;
    uint64_t last = 0;
    if (name.len >= 8) {
        memcpy(&first, name.ptr, 8);
        memcpy(&last, name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        memcpy(&first, name.ptr, 4);
        memcpy(&last, name.ptr + name.len - 4, 4);
    } else if (name.len > 0) {
        first = (unsigned char)name.ptr[0];
        last = (uint64_t)(unsigned char)name.ptr[name.len - 1] << 8 |
               (unsigned char)name.ptr[name.len / 2];
    }
    uint64_t mixed = (first ^ (last << 31 | last >> 33)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32);
}

static bool is_same(const struct sn_json_name *a, const struct sn_json_name *b) {
    return a->tag == b->tag && a->len == b->len && memcmp(a->ptr, b->ptr, a->len) == 0;
}

/* Whether a place points to a name that is gone, seen from the name at `position`, the last one. */
static bool is_stale(const struct sn_json_names *names, struct sn_json_place place,
                     uint32_t position) {
    return place.number > position || names->items[place.number - 1].hash != place.hash;
}

/*
 * Look in the index for the name that is at `position`, among those from `start` to there. When
 * it is not there note the position. Returns whether it was there. The index has a free place.
 */
static bool index_add(struct sn_json_names *names, uint32_t start, uint32_t position) {
    struct sn_json_name *name = &names->items[position];
    uint32_t mask = names->index_cap - 1;
    uint32_t hash = (uint32_t)sn_hash_bytes(name->ptr, name->len, names->hash_seed);
    struct sn_json_place *target = NULL;
    name->hash = hash;
    uint32_t i = hash & mask;
    for (; names->index[i].number != 0; i = (i + 1) & mask) {
        struct sn_json_place *place = &names->index[i];
        if (is_stale(names, *place, position)) {
            target = target ? target : place;
        } else if (place->number > start && place->hash == hash &&
                   is_same(&names->items[place->number - 1], name)) {
            return true;
        }
    }
    if (target == NULL) {
        target = &names->index[i];
        names->index_used++;
    }
    *target = (struct sn_json_place){.number = position + 1, .hash = hash};
    return false;
}

/* Make the index hold all names that are open, each in a place of its own, with room to spare. */
static sn_status index_rebuild(struct sn_json_names *names, struct sn_err *err) {
    uint32_t cap = names->index_cap ? names->index_cap : INDEX_FIRST;
    while (cap / 4 < names->count) {
        cap *= 2;
    }
    size_t bytes = cap * sizeof(names->index[0]);
    if (cap != names->index_cap) {
        struct sn_json_place *index = sn_arena_alloc(names->arena, bytes);
        if (index == NULL) {
            return sn_arena_failure(names->arena, bytes, err);
        }
        names->index = index;
        names->index_cap = cap;
    }
    memset(names->index, 0, bytes);
    names->index_used = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        (void)index_add(names, i, i); /* new by definition: nothing lies from i to i */
    }
    return SN_OK;
}

/*
 * Make room in the index and bring the object's earlier names into it when it is used first. After
 * a rebuild a quarter of the places must fill up before the next one: constant cost per name.
 */
static sn_status index_prepare(struct sn_json_names *names, struct sn_json_scope *scope,
                               struct sn_err *err) {
    uint32_t first = scope->is_indexed ? names->count : scope->start;
    if (names->index_used + (names->count - first) >= names->index_cap / 2) {
        SN_TRY(index_rebuild(names, err));
        first = names->count;
    }
    for (; first < names->count; first++) {
        (void)index_add(names, scope->start, first);
    }
    scope->is_indexed = true;
    return SN_OK;
}

static sn_status grow(struct sn_json_names *names, struct sn_err *err) {
    size_t bytes = names->cap * sizeof(names->items[0]);
    if (names->cap >= SN_JSON_NAMES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d names in open objects",
                          SN_JSON_NAMES_MAX);
    }
    struct sn_json_name *items = sn_arena_alloc(names->arena, 2 * bytes);
    if (items == NULL) {
        return sn_arena_failure(names->arena, 2 * bytes, err);
    }
    memcpy(items, names->items, bytes);
    names->items = items;
    names->cap *= 2;
    return SN_OK;
}

sn_status sn_json_names_add(struct sn_json_names *names, struct sn_json_scope *scope,
                            struct sn_str name, struct sn_err *err) {
    if (SN_UNLIKELY(names->count == names->cap)) {
        SN_TRY(grow(names, err));
    }
    uint32_t position = names->count;
    struct sn_json_name *item = &names->items[position];
    *item = (struct sn_json_name){.ptr = name.ptr, .len = (uint32_t)name.len, .tag = tag_of(name)};
    if (SN_LIKELY(position - scope->start < INDEX_FROM)) {
        for (uint32_t i = scope->start; i < position; i++) {
            if (SN_UNLIKELY(is_same(&names->items[i], item))) {
                return SN_ERR_EXISTS;
            }
        }
    } else {
        SN_TRY(index_prepare(names, scope, err));
        if (index_add(names, scope->start, position)) {
            return SN_ERR_EXISTS;
        }
    }
    names->count++;
    return SN_OK;
}
