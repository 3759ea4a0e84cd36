/*
 * Label sets of results: dropping names, keeping some, setting one; and tables of distinct sets.
 *
 * Text of labels is never copied: it lies in the arena of the query already. Only for src/query;
 * one thread per query.
 */
#include "query/eval_priv.h"

#define TABLE_SLOTS_MIN 16

bool sn_label_is_metric_identity(struct sn_str name) {
    return sn_str_equal(name, SN_LABEL_METRIC_NAME) || sn_str_equal(name, SN_STR("__type__")) ||
           sn_str_equal(name, SN_STR("__unit__"));
}

bool sn_names_contain(struct sn_names names, struct sn_str name) {
    for (size_t i = 0; i < names.count; i++) {
        if (sn_str_equal(names.items[i], name)) {
            return true;
        }
    }
    return false;
}

static size_t count_identity(struct sn_labels labels) {
    size_t count = 0;
    for (size_t i = 0; i < labels.count; i++) {
        count += sn_label_is_metric_identity(labels.items[i].name);
    }
    return count;
}

sn_status sn_labels_drop_name(struct sn_eval *eval, struct sn_labels labels,
                              struct sn_labels *ret_labels) {
    size_t dropped = count_identity(labels);
    if (dropped == 0) {
        *ret_labels = labels;
        return SN_OK;
    }
    /* The usual set starts with its name: the rest of the array is the result. */
    if (dropped == 1 && sn_label_is_metric_identity(labels.items[0].name)) {
        *ret_labels = (struct sn_labels){labels.items + 1, labels.count - 1};
        return SN_OK;
    }
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, labels.count - dropped, sizeof *labels.items, &memory));
    struct sn_label *items = memory;
    size_t count = 0;
    for (size_t i = 0; i < labels.count; i++) {
        if (!sn_label_is_metric_identity(labels.items[i].name)) {
            items[count++] = labels.items[i];
        }
    }
    *ret_labels = (struct sn_labels){items, count};
    return SN_OK;
}

sn_status sn_labels_set(struct sn_eval *eval, struct sn_labels labels, struct sn_label label,
                        struct sn_labels *ret_labels) {
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, labels.count + 1, sizeof *labels.items, &memory));
    struct sn_label *items = memory;
    size_t count = 0;
    size_t i = 0;
    while (i < labels.count && sn_str_compare(labels.items[i].name, label.name) < 0) {
        items[count++] = labels.items[i++];
    }
    if (label.value.len > 0) {
        items[count++] = label;
    }
    if (i < labels.count && sn_str_equal(labels.items[i].name, label.name)) {
        i++;
    }
    while (i < labels.count) {
        items[count++] = labels.items[i++];
    }
    *ret_labels = (struct sn_labels){items, count};
    return SN_OK;
}

/* The metric's identity never counts, but its type and unit do once names are ignored by hand. */
static bool is_ignored(struct sn_str name, struct sn_names names) {
    return names.count == 0 ? sn_label_is_metric_identity(name)
                            : sn_str_equal(name, SN_LABEL_METRIC_NAME);
}

struct sn_labels sn_labels_filter(struct sn_labels labels, struct sn_names names, bool keep,
                                  struct sn_label *items) {
    size_t count = 0;
    for (size_t i = 0; i < labels.count; i++) {
        struct sn_str name = labels.items[i].name;
        bool is_named = sn_names_contain(names, name);
        if (keep ? is_named : !is_named && !is_ignored(name, names)) {
            items[count++] = labels.items[i];
        }
    }
    return (struct sn_labels){items, count};
}

sn_status sn_labels_keep(struct sn_eval *eval, struct sn_labels labels,
                         struct sn_labels *ret_labels) {
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(eval, labels.count, sizeof *labels.items, &memory));
    if (labels.count > 0) {
        memcpy(memory, labels.items, labels.count * sizeof *labels.items);
    }
    *ret_labels = (struct sn_labels){memory, labels.count};
    return SN_OK;
}

/* ---- tables ---- */

static uint64_t hash_labels(struct sn_labels labels, uint64_t seed) {
    for (size_t i = 0; i < labels.count; i++) {
        seed = sn_hash_bytes(labels.items[i].name.ptr, labels.items[i].name.len, seed);
        seed = sn_hash_bytes(labels.items[i].value.ptr, labels.items[i].value.len, seed);
    }
    return seed;
}

/* The slot of the set, or the free slot where it belongs. */
static size_t find_slot(const struct sn_label_table *table, struct sn_labels labels,
                        uint64_t hash) {
    size_t slot = (size_t)hash & table->mask;
    while (table->slots[slot] != 0) {
        size_t number = table->slots[slot] - 1;
        if (table->hashes[number] == hash && sn_labels_equal(table->keys[number], labels)) {
            break;
        }
        slot = (slot + 1) & table->mask;
    }
    return slot;
}

static sn_status grow_slots(struct sn_eval *eval, struct sn_label_table *table) {
    size_t slot_count = table->slots == NULL ? TABLE_SLOTS_MIN : (table->mask + 1) * 2;
    uint32_t *slots = sn_arena_alloc_zero(eval->arena, slot_count, sizeof *slots);
    if (slots == NULL) {
        return sn_arena_failure(eval->arena, slot_count * sizeof *slots, eval->err);
    }
    table->slots = slots;
    table->mask = slot_count - 1;
    for (size_t i = 0; i < table->count; i++) {
        size_t slot = (size_t)table->hashes[i] & table->mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & table->mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    return SN_OK;
}

static sn_status reserve(struct sn_eval *eval, struct sn_label_table *table) {
    if (table->slots == NULL || table->count >= (table->mask + 1) / 2) {
        SN_TRY(grow_slots(eval, table));
    }
    size_t capacity = table->capacity;
    void *keys = table->keys;
    void *hashes = table->hashes;
    SN_TRY(sn_eval_grow(eval, &keys, table->count, &capacity, sizeof *table->keys));
    table->keys = keys;
    capacity = table->capacity;
    SN_TRY(sn_eval_grow(eval, &hashes, table->count, &capacity, sizeof *table->hashes));
    table->hashes = hashes;
    table->capacity = capacity;
    return SN_OK;
}

sn_status sn_label_table_put(struct sn_eval *eval, struct sn_label_table *table,
                             struct sn_labels labels, bool is_scratch, size_t *ret_number,
                             bool *ret_is_new) {
    SN_TRY(reserve(eval, table));
    uint64_t hash = hash_labels(labels, eval->seed);
    size_t slot = find_slot(table, labels, hash);
    *ret_is_new = table->slots[slot] == 0;
    if (!*ret_is_new) {
        *ret_number = table->slots[slot] - 1;
        return SN_OK;
    }
    if (table->count >= UINT32_MAX - 1) {
        return sn_err_set(eval->err, SN_ERR_LIMIT, "more than %u label sets", UINT32_MAX - 1);
    }
    if (is_scratch) {
        SN_TRY(sn_labels_keep(eval, labels, &labels));
    }
    table->keys[table->count] = labels;
    table->hashes[table->count] = hash;
    *ret_number = table->count++;
    table->slots[slot] = (uint32_t)table->count;
    return SN_OK;
}

size_t sn_label_table_find(const struct sn_eval *eval, const struct sn_label_table *table,
                           struct sn_labels labels) {
    if (table->slots == NULL) {
        return SIZE_MAX;
    }
    size_t slot = find_slot(table, labels, hash_labels(labels, eval->seed));
    return table->slots[slot] != 0 ? table->slots[slot] - 1 : SIZE_MAX;
}
