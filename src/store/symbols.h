/*
 * Symbols: every label name and every label pair (name, value) is stored once and has a number.
 *
 * Invariants:
 *   1. Text never moves and is never freed while the table lives: a struct sn_str from here is good
 *      without a lock (text lives in sn_blocks).
 *   2. Pair ids are dense, 0..pair_count-1; a pair knows its name and its postings.
 *   3. Two pair ids are equal exactly when name and value are.
 *   4. The text of a pair is stored as it stands in canonical label bytes (model/labels.h), so that a
 *      series is compared and encoded pair by pair with one memcmp or memcpy each.
 * Threads: guarded by the owner's lock; text and the name of a pair may be read without it by
 * whoever learned the id through that lock.
 */
#ifndef SN_STORE_SYMBOLS_H
#define SN_STORE_SYMBOLS_H

#include "base/map.h"
#include "base/status.h"
#include "base/str.h"
#include "store/blocks.h"
#include "store/postings.h"

#define SN_SYMBOL_LENGTH_BYTES 2 /* of a length in canonical bytes */

struct sn_symbol_pair {
    struct sn_postings postings; /* series that carry the pair */
    uint32_t text;               /* where u16le name_len, name, u16le value_len, value stand */
    uint32_t name;               /* name id */
    uint16_t name_len;
    uint16_t value_len;
    uint32_t hash; /* of name and value: lets the table grow without reading text */
};

struct sn_symbol_name {
    uint32_t *pairs; /* [pair_capacity], owned: all pairs of this name, in order of their ids */
    uint32_t pair_count;
    uint32_t pair_capacity;
    uint32_t text;
    uint32_t text_len;
};

struct sn_symbols {
    struct sn_blocks text;  /* bytes */
    struct sn_blocks names; /* struct sn_symbol_name */
    struct sn_blocks pairs; /* struct sn_symbol_pair */
    struct sn_map name_ids; /* text of a name -> its id */
    uint32_t *slots;        /* [slot_count], owned: pair id + 1, 0 is free; linear probing */
    size_t slot_count;      /* 0 or a power of two */
    uint32_t text_next;     /* first free byte */
    uint32_t name_count;
    uint32_t pair_count;
    uint64_t seed;
};

void sn_symbols_init(struct sn_symbols *symbols, uint64_t seed);
void sn_symbols_release(struct sn_symbols *symbols);

/*
 * Number of a pair, which is added when it is new. The pair may stay behind when the caller fails
 * later: it has no postings then and is in nobody's way.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (4 GiB of text, 2^32 pairs).
 */
sn_status sn_symbols_intern(struct sn_symbols *symbols, struct sn_str name, struct sn_str value,
                            uint32_t *ret_pair) SN_MUST_USE;

/* Number of a pair or of a name; false when it does not exist. */
bool sn_symbols_find_pair(const struct sn_symbols *symbols, struct sn_str name, struct sn_str value,
                          uint32_t *ret_pair);
bool sn_symbols_find_name(const struct sn_symbols *symbols, struct sn_str name, uint32_t *ret_name);

static inline struct sn_symbol_pair *sn_symbols_pair(const struct sn_symbols *symbols,
                                                     uint32_t id) {
    return sn_blocks_at(&symbols->pairs, id);
}

static inline struct sn_symbol_name *sn_symbols_name(const struct sn_symbols *symbols,
                                                     uint32_t id) {
    return sn_blocks_at(&symbols->names, id);
}

static inline struct sn_str sn_symbols_name_text(const struct sn_symbols *symbols, uint32_t id) {
    const struct sn_symbol_name *name = sn_symbols_name(symbols, id);
    return sn_str_make(sn_blocks_at(&symbols->text, name->text), name->text_len);
}

/* The canonical bytes of a pair. */
static inline struct sn_str sn_symbols_canonical(const struct sn_symbols *symbols,
                                                 const struct sn_symbol_pair *pair) {
    return sn_str_make(sn_blocks_at(&symbols->text, pair->text),
                       (size_t)2 * SN_SYMBOL_LENGTH_BYTES + pair->name_len + pair->value_len);
}

static inline struct sn_str sn_symbols_value(const struct sn_symbols *symbols,
                                             const struct sn_symbol_pair *pair) {
    struct sn_str canonical = sn_symbols_canonical(symbols, pair);
    return sn_str_make(canonical.ptr + canonical.len - pair->value_len, pair->value_len);
}

#endif
