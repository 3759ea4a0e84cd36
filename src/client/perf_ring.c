/*
 * The last and the slowest operations of a performance tracker. See perf_ring_priv.h.
 */
#include "client/perf_ring_priv.h"

#include "base/mem.h"

_Static_assert(sizeof(sonde_perf_entry) % 8 == 0, "an entry is whole words");

/* The last ones. */

sn_status sn_perf_recent_init(struct sn_perf_recent *recent, size_t max) {
    recent->max = max;
    atomic_init(&recent->written, 0);
    recent->slots = sn_alloc_zero(max, sizeof *recent->slots);
    return recent->slots != NULL ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_perf_recent_release(struct sn_perf_recent *recent) {
    sn_free(recent->slots);
    recent->slots = NULL;
}

void sn_perf_recent_put(struct sn_perf_recent *recent, const sonde_perf_entry *entry) {
    uint64_t place = atomic_fetch_add_explicit(&recent->written, 1, memory_order_relaxed);
    struct sn_perf_slot *slot = &recent->slots[place % recent->max];
    /* Somebody who is a whole ring behind still writes here: one of the two entries is lost. */
    if (!sn_try_lock_take(&slot->writing))
        return;
    /* Odd already: a writer that a fork took away. */
    uint64_t odd = atomic_load_explicit(&slot->version, memory_order_relaxed) | 1;
    atomic_store_explicit(&slot->version, odd, memory_order_relaxed);
    for (size_t i = 0; i < SN_PERF_ENTRY_WORDS; i++) {
        uint64_t word;
        memcpy(&word, (const char *)entry + 8 * i, sizeof word);
        /* Release: the odd version is seen by who sees a new word. */
        atomic_store_explicit(&slot->words[i], word, memory_order_release);
    }
    atomic_store_explicit(&slot->version, odd + 1, memory_order_release);
    sn_try_lock_give(&slot->writing);
}

static bool slot_read(struct sn_perf_slot *slot, sonde_perf_entry *ret_entry) {
    uint64_t version = atomic_load_explicit(&slot->version, memory_order_acquire);
    if (version == 0 || version % 2 != 0)
        return false;
    for (size_t i = 0; i < SN_PERF_ENTRY_WORDS; i++) {
        /* Acquire: the version is read again after the last word. */
        uint64_t word = atomic_load_explicit(&slot->words[i], memory_order_acquire);
        memcpy((char *)ret_entry + 8 * i, &word, sizeof word);
    }
    return atomic_load_explicit(&slot->version, memory_order_relaxed) == version &&
           ret_entry->start_wall_ms != 0; /* 0: forgotten */
}

size_t sn_perf_recent_copy(struct sn_perf_recent *recent, sonde_perf_entry *ret_entries,
                           size_t entry_max) {
    uint64_t written = atomic_load_explicit(&recent->written, memory_order_relaxed);
    uint64_t have = written < recent->max ? written : recent->max;
    size_t count = 0;
    for (uint64_t i = 1; i <= have && count < entry_max; i++) {
        if (slot_read(&recent->slots[(written - i) % recent->max], &ret_entries[count]))
            count++;
    }
    return count;
}

void sn_perf_recent_clear(struct sn_perf_recent *recent) {
    static const sonde_perf_entry forgotten;
    for (size_t i = 0; i < recent->max; i++)
        sn_perf_recent_put(recent, &forgotten);
}

/* The slowest. */

sn_status sn_perf_slow_init(struct sn_perf_slow *slow, size_t max) {
    atomic_init(&slow->floor_ns, 0);
    slow->max = max;
    slow->count = 0;
    slow->entries = sn_alloc_zero(max, sizeof *slow->entries);
    return slow->entries != NULL ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_perf_slow_release(struct sn_perf_slow *slow) {
    sn_free(slow->entries);
    slow->entries = NULL;
}

static void swap(sonde_perf_entry *a, sonde_perf_entry *b) {
    sonde_perf_entry entry = *a;
    *a = *b;
    *b = entry;
}

static void sift_up(sonde_perf_entry *entries, size_t i) {
    while (i > 0 && entries[i].duration_ns < entries[(i - 1) / 2].duration_ns) {
        swap(&entries[i], &entries[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(sonde_perf_entry *entries, size_t count) {
    size_t i = 0;
    while (2 * i + 1 < count) {
        size_t child = 2 * i + 1;
        if (child + 1 < count && entries[child + 1].duration_ns < entries[child].duration_ns)
            child++;
        if (entries[i].duration_ns <= entries[child].duration_ns)
            return;
        swap(&entries[i], &entries[child]);
        i = child;
    }
}

static void put_locked(struct sn_perf_slow *slow, const sonde_perf_entry *entry)
    SN_REQUIRES(&sn_perf_mu) {
    if (slow->count < slow->max) {
        slow->entries[slow->count] = *entry;
        sift_up(slow->entries, slow->count++);
    } else if (entry->duration_ns > slow->entries[0].duration_ns) {
        slow->entries[0] = *entry;
        sift_down(slow->entries, slow->count);
    }
    /* Relaxed: who reads an old floor takes the lock for nothing. */
    if (slow->count == slow->max)
        atomic_store_explicit(&slow->floor_ns, slow->entries[0].duration_ns, memory_order_relaxed);
}

void sn_perf_slow_put(struct sn_perf_slow *slow, const sonde_perf_entry *entry) {
    uint64_t floor_ns = atomic_load_explicit(&slow->floor_ns, memory_order_relaxed);
    if (floor_ns > 0 && entry->duration_ns <= floor_ns)
        return;
    sn_mutex_lock(&sn_perf_mu);
    put_locked(slow, entry);
    sn_mutex_unlock(&sn_perf_mu);
}

/* Slowest first. */
static void sort(sonde_perf_entry *entries, size_t count) {
    while (count > 1) {
        count--;
        swap(&entries[0], &entries[count]);
        sift_down(entries, count);
    }
}

size_t sn_perf_slow_copy(struct sn_perf_slow *slow, sonde_perf_entry *ret_entries,
                         size_t entry_max) {
    sn_mutex_lock(&sn_perf_mu);
    sort(slow->entries, slow->count);
    size_t count = slow->count < entry_max ? slow->count : entry_max;
    if (count > 0)
        memcpy(ret_entries, slow->entries, count * sizeof *ret_entries);
    /* A list in ascending order is a heap. */
    for (size_t i = 0; i < slow->count / 2; i++)
        swap(&slow->entries[i], &slow->entries[slow->count - 1 - i]);
    sn_mutex_unlock(&sn_perf_mu);
    return count;
}

void sn_perf_slow_clear(struct sn_perf_slow *slow) {
    sn_mutex_lock(&sn_perf_mu);
    slow->count = 0;
    atomic_store_explicit(&slow->floor_ns, 0, memory_order_relaxed);
    sn_mutex_unlock(&sn_perf_mu);
}
