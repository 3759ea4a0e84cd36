/*
 * The names of the objects that a JSON reader has open, to find one that is there twice. Part of
 * struct sn_json_reader; nobody else needs it.
 *
 * Invariants:
 *   1. Objects open and close like brackets: the innermost object's names are the last ones.
 *   2. The index may hold positions of objects that are closed. They do no harm: a position counts
 *      only when it lies in the innermost object's part and the name that is there now is equal.
 *      They are taken again where they are recognised, or else a name that occurs in each of many
 *      objects would make a chain of them.
 *   3. The cost per name is constant, whatever names are chosen (with a secret seed).
 * One thread. Memory only from the arena, none for documents whose open objects have few names.
 */
#ifndef SN_CODEC_JSON_NAMES_H
#define SN_CODEC_JSON_NAMES_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Room without memory from the arena: two or three nested objects as people write them. */
#define SN_JSON_NAMES_INLINE 32

/* Open at the same time; the index has up to 8 places for each, counted in 32 bits. */
#define SN_JSON_NAMES_MAX (1 << 28)

struct sn_json_name {
    const char *ptr;
    uint32_t len;
    uint32_t tag;  /* cheap digest: unequal tags mean unequal names */
    uint32_t hash; /* seeded; set when it comes into the index */
};

/* A place of the index. */
struct sn_json_place {
    uint32_t number; /* position in items plus 1; 0: free */
    uint32_t hash; /* of the name that was there; differs from the item's when that was replaced */
};

/* One object. */
struct sn_json_scope {
    uint32_t start;  /* position of its first name */
    bool is_indexed; /* its names are in the index */
};

/* Fields are private to json_names.c. */
struct sn_json_names {
    struct sn_json_name *items; /* of all open objects, outermost first */
    uint32_t count;
    uint32_t cap;
    struct sn_json_place *index; /* hash table with open addressing */
    uint32_t index_used;
    uint32_t index_cap; /* power of two, or 0 */
    uint64_t hash_seed;
    struct sn_arena *arena; /* borrowed */
    struct sn_json_name inline_items[SN_JSON_NAMES_INLINE];
};

/* No object, no name. Not copied afterwards: points into itself. */
void sn_json_names_init(struct sn_json_names *names, struct sn_arena *arena, uint64_t hash_seed);

/* Open an object inside of the innermost one. */
static inline struct sn_json_scope sn_json_names_open(const struct sn_json_names *names) {
    return (struct sn_json_scope){.start = names->count};
}

/* Close the innermost object and forget its names. */
static inline void sn_json_names_close(struct sn_json_names *names, struct sn_json_scope scope) {
    names->count = scope.start;
}

/*
 * Add a name to the innermost object.
 *
 *   scope   of the innermost object
 *   name    borrowed until the object is closed; at most 4 GiB - 1
 *   err     written when the status is SN_ERR_LIMIT or SN_ERR_NO_MEMORY
 *
 * Returns SN_OK, SN_ERR_EXISTS (it is there), SN_ERR_LIMIT (SN_JSON_NAMES_MAX, or the arena is
 * full), SN_ERR_NO_MEMORY.
 * Threads: the reader's. Blocks: never. Cost: O(name.len).
 */
sn_status sn_json_names_add(struct sn_json_names *names, struct sn_json_scope *scope,
                            struct sn_str name, struct sn_err *err) SN_MUST_USE;

#endif
