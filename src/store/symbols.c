/* Names and pairs, each stored once: see symbols.h. */
#include "store/symbols.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/varint.h"

enum {
    TEXT_SHIFT = 18,      /* 256 KiB blocks: far above the longest value, so little is wasted */
    TEXT_TABLE = 1 << 14, /* 4 GiB: offsets have 32 bits */
    ITEM_SHIFT = 12,
    ITEM_TABLE = 1 << 15, /* 134 million pairs */
    SLOTS_FIRST = 1024,
    NAMES_MAX = 1 << 20, /* label names are written by people and programs, not generated */
};
_Static_assert(2 * SN_SYMBOL_LENGTH_BYTES + SN_LABEL_NAME_BYTES_MAX + SN_LABEL_VALUE_BYTES_MAX <=
                   1 << TEXT_SHIFT,
               "a pair fits into one block");

void sn_symbols_init(struct sn_symbols *symbols, uint64_t seed) {
    *symbols = (struct sn_symbols){.seed = seed};
    sn_blocks_init(&symbols->text, 1, TEXT_SHIFT, TEXT_TABLE);
    sn_blocks_init(&symbols->names, sizeof(struct sn_symbol_name), ITEM_SHIFT, ITEM_TABLE);
    sn_blocks_init(&symbols->pairs, sizeof(struct sn_symbol_pair), ITEM_SHIFT, ITEM_TABLE);
    sn_map_init(&symbols->name_ids, NAMES_MAX, seed);
}

void sn_symbols_release(struct sn_symbols *symbols) {
    for (uint32_t i = 0; i < symbols->name_count; i++)
        sn_free(sn_symbols_name(symbols, i)->pairs);
    for (uint32_t i = 0; i < symbols->pair_count; i++)
        sn_postings_release(&sn_symbols_pair(symbols, i)->postings);
    sn_blocks_release(&symbols->text);
    sn_blocks_release(&symbols->names);
    sn_blocks_release(&symbols->pairs);
    sn_map_release(&symbols->name_ids);
    sn_free(symbols->slots);
    symbols->slots = NULL;
}

/* Make room for len bytes in one block. On failure nothing has changed. */
static sn_status take_text(struct sn_symbols *symbols, size_t len, uint32_t *ret_at) {
    size_t block_bytes = (size_t)1 << TEXT_SHIFT;
    size_t at = symbols->text_next;
    if (at % block_bytes + len > block_bytes)
        at = (at / block_bytes + 1) * block_bytes;
    if (at + len > UINT32_MAX)
        return SN_ERR_LIMIT;
    SN_TRY(sn_blocks_reach(&symbols->text, at + len));
    symbols->text_next = (uint32_t)(at + len);
    *ret_at = (uint32_t)at;
    return SN_OK;
}

static uint8_t *put_text(uint8_t *at, struct sn_str text) {
    if (text.len)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static sn_status store_name(struct sn_symbols *symbols, struct sn_str name, uint32_t *ret_at) {
    SN_TRY(take_text(symbols, name.len, ret_at));
    (void)put_text(sn_blocks_at(&symbols->text, *ret_at), name);
    return SN_OK;
}

static sn_status store_pair(struct sn_symbols *symbols, struct sn_str name, struct sn_str value,
                            uint32_t *ret_at) {
    SN_TRY(take_text(symbols, (size_t)2 * SN_SYMBOL_LENGTH_BYTES + name.len + value.len, ret_at));
    uint8_t *at = sn_blocks_at(&symbols->text, *ret_at);
    sn_store_u16le(at, (uint16_t)name.len);
    at = put_text(at + SN_SYMBOL_LENGTH_BYTES, name);
    sn_store_u16le(at, (uint16_t)value.len);
    (void)put_text(at + SN_SYMBOL_LENGTH_BYTES, value);
    return SN_OK;
}

bool sn_symbols_find_name(const struct sn_symbols *symbols, struct sn_str name,
                          uint32_t *ret_name) {
    uint64_t id;
    if (!sn_map_get(&symbols->name_ids, name, &id))
        return false;
    *ret_name = (uint32_t)id;
    return true;
}

static sn_status intern_name(struct sn_symbols *symbols, struct sn_str text, uint32_t *ret_name) {
    if (sn_symbols_find_name(symbols, text, ret_name))
        return SN_OK;
    uint32_t id = symbols->name_count;
    uint32_t at;
    SN_TRY(sn_blocks_reach(&symbols->names, id));
    SN_TRY(store_name(symbols, text, &at));
    SN_TRY(sn_map_put(&symbols->name_ids, text, id));
    *sn_symbols_name(symbols, id) =
        (struct sn_symbol_name){.text = at, .text_len = (uint32_t)text.len};
    symbols->name_count++;
    *ret_name = id;
    return SN_OK;
}

static uint32_t hash_pair(const struct sn_symbols *symbols, uint32_t name, struct sn_str value) {
    return (uint32_t)sn_hash_bytes(value.ptr, value.len, symbols->seed + name);
}

/* Slot of the pair, or the free slot where it belongs. There is always a free one. */
static size_t find_slot(const struct sn_symbols *symbols, uint32_t hash, uint32_t name,
                        struct sn_str value) {
    size_t mask = symbols->slot_count - 1;
    size_t slot = hash & mask;
    for (; symbols->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct sn_symbol_pair *pair = sn_symbols_pair(symbols, symbols->slots[slot] - 1);
        if (pair->hash == hash && pair->name == name &&
            sn_str_equal(sn_symbols_value(symbols, pair), value))
            break;
    }
    return slot;
}

bool sn_symbols_find_pair(const struct sn_symbols *symbols, struct sn_str name, struct sn_str value,
                          uint32_t *ret_pair) {
    uint32_t name_id;
    if (symbols->slot_count == 0 || !sn_symbols_find_name(symbols, name, &name_id))
        return false;
    uint32_t hash = hash_pair(symbols, name_id, value);
    size_t slot = find_slot(symbols, hash, name_id, value);
    if (symbols->slots[slot] == 0)
        return false;
    *ret_pair = symbols->slots[slot] - 1;
    return true;
}

/* Room for one more pair at 70 % load. */
static sn_status grow_slots(struct sn_symbols *symbols) {
    if ((symbols->pair_count + 1) * (uint64_t)10 <= symbols->slot_count * (uint64_t)7)
        return SN_OK;
    size_t count = symbols->slot_count ? symbols->slot_count * 2 : SLOTS_FIRST;
    uint32_t *slots = sn_alloc_zero(count, sizeof *slots);
    if (!slots)
        return SN_ERR_NO_MEMORY;
    for (uint32_t id = 0; id < symbols->pair_count; id++) {
        size_t slot = sn_symbols_pair(symbols, id)->hash & (count - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (count - 1);
        slots[slot] = id + 1;
    }
    sn_free(symbols->slots);
    symbols->slots = slots;
    symbols->slot_count = count;
    return SN_OK;
}

static sn_status grow_name(struct sn_symbol_name *name) {
    if (name->pair_count < name->pair_capacity)
        return SN_OK;
    uint32_t capacity = name->pair_capacity + name->pair_capacity / 2 + 2;
    uint32_t *pairs = sn_realloc_array(name->pairs, capacity, sizeof *pairs);
    if (!pairs)
        return SN_ERR_NO_MEMORY;
    name->pairs = pairs;
    name->pair_capacity = capacity;
    return SN_OK;
}

static sn_status add_pair(struct sn_symbols *symbols, uint32_t name_id, struct sn_str value,
                          uint32_t hash, uint32_t *ret_pair) {
    uint32_t id = symbols->pair_count;
    struct sn_symbol_name *name = sn_symbols_name(symbols, name_id);
    uint32_t at;
    SN_TRY(grow_name(name));
    SN_TRY(grow_slots(symbols));
    SN_TRY(sn_blocks_reach(&symbols->pairs, id));
    SN_TRY(store_pair(symbols, sn_symbols_name_text(symbols, name_id), value, &at));
    *sn_symbols_pair(symbols, id) = (struct sn_symbol_pair){.text = at,
                                                            .name = name_id,
                                                            .name_len = (uint16_t)name->text_len,
                                                            .value_len = (uint16_t)value.len,
                                                            .hash = hash};
    name->pairs[name->pair_count++] = id;
    symbols->slots[find_slot(symbols, hash, name_id, value)] = id + 1;
    symbols->pair_count++;
    *ret_pair = id;
    return SN_OK;
}

sn_status sn_symbols_intern(struct sn_symbols *symbols, struct sn_str name, struct sn_str value,
                            uint32_t *ret_pair) {
    uint32_t name_id;
    SN_TRY(intern_name(symbols, name, &name_id));
    uint32_t hash = hash_pair(symbols, name_id, value);
    if (symbols->slot_count != 0) {
        size_t slot = find_slot(symbols, hash, name_id, value);
        if (symbols->slots[slot] != 0) {
            *ret_pair = symbols->slots[slot] - 1;
            return SN_OK;
        }
    }
    return add_pair(symbols, name_id, value, hash, ret_pair);
}
