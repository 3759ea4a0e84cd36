/*
 * The list of slow operations. See cache_slow_priv.h.
 */
#include "client/cache_slow_priv.h"

#include "client/words_priv.h"

#define DAY_MS INT64_C(86400000)

static bool is_current(const struct sn_slow_slot *slot, int64_t wall_ms) {
    return sn_word_get(&slot->duration_ns) > 0 &&
           wall_ms - (int64_t)sn_word_get(&slot->end_wall_ms) < DAY_MS;
}

/* The place for an operation; NULL: it is not slow enough. */
static struct sn_slow_slot *place_for(struct sn_slow_list *list, uint64_t duration_ns,
                                      int64_t wall_ms) {
    struct sn_slow_slot *least = &list->slots[0];
    for (size_t i = 0; i < SONDE_CACHE_SLOW_MAX; i++) {
        struct sn_slow_slot *slot = &list->slots[i];
        if (!is_current(slot, wall_ms))
            return slot;
        if (sn_word_get(&slot->duration_ns) < sn_word_get(&least->duration_ns))
            least = slot;
    }
    return sn_word_get(&least->duration_ns) < duration_ns ? least : NULL;
}

void sn_slow_put(struct sn_slow_list *list, const sonde_cache_run *run, int64_t wall_ms) {
    if (!sn_version_begin(&list->version))
        return;
    uint64_t duration_ns = run->duration_ns > 0 ? run->duration_ns : 1; /* 0 means empty */
    struct sn_slow_slot *slot = place_for(list, duration_ns, wall_ms);
    if (slot != NULL) {
        sn_word_put(&slot->duration_ns, duration_ns);
        sn_word_put(&slot->end_wall_ms, (uint64_t)wall_ms);
        sn_words_put(slot->operation, SONDE_CACHE_SLOW_TEXT_SIZE, run->operation);
        sn_words_put(slot->detail, SONDE_CACHE_SLOW_TEXT_SIZE, run->detail);
    }
    sn_version_end(&list->version);
}

static void insert(sonde_cache_slow_entry *entries, size_t count,
                   const sonde_cache_slow_entry *entry) {
    size_t at = count;
    for (; at > 0 && entries[at - 1].duration_ns < entry->duration_ns; at--)
        entries[at] = entries[at - 1];
    entries[at] = *entry;
}

static size_t read_once(const struct sn_slow_list *list, int64_t wall_ms,
                        sonde_cache_slow_entry *ret_entries) {
    size_t count = 0;
    for (size_t i = 0; i < SONDE_CACHE_SLOW_MAX; i++) {
        const struct sn_slow_slot *slot = &list->slots[i];
        if (!is_current(slot, wall_ms))
            continue;
        sonde_cache_slow_entry entry = {
            .end_wall_ms = (int64_t)sn_word_get(&slot->end_wall_ms),
            .duration_ns = sn_word_get(&slot->duration_ns),
        };
        sn_words_get(slot->operation, SONDE_CACHE_SLOW_TEXT_SIZE, entry.operation);
        sn_words_get(slot->detail, SONDE_CACHE_SLOW_TEXT_SIZE, entry.detail);
        insert(ret_entries, count++, &entry);
    }
    return count;
}

/* A few tries; a list that never rests reads as empty. */
size_t sn_slow_read(const struct sn_slow_list *list, int64_t wall_ms,
                    sonde_cache_slow_entry *ret_entries) {
    for (int i = 0; i < SN_VERSION_TRIES; i++) {
        uint64_t version = atomic_load_explicit(&list->version, memory_order_acquire);
        if (version % 2 != 0)
            continue;
        size_t count = read_once(list, wall_ms, ret_entries);
        if (atomic_load_explicit(&list->version, memory_order_relaxed) == version)
            return count;
    }
    return 0;
}
