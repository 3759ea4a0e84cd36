/*
 * Failures by key in a small hash table without chains. See throttle.h.
 */
#include "auth/throttle.h"

enum {
    PROBES = 8,         /* slots that a key may lie in */
    DOUBLINGS_MAX = 20, /* 2^20 s is above every maximum: keeps the shift in range */
};
#define WAIT_FIRST_NS INT64_C(1000000000)

void sn_throttle_init(struct sn_throttle *throttle, uint64_t seed, int64_t wait_max_ns) {
    memset(throttle, 0, sizeof *throttle);
    throttle->seed = seed;
    throttle->wait_max_ns = wait_max_ns;
}

static uint64_t hash_of(const struct sn_throttle *throttle, struct sn_str key) {
    uint64_t hash = sn_hash_bytes(key.ptr, key.len, throttle->seed);
    return hash != 0 ? hash : 1;
}

static bool is_over(const struct sn_throttle_slot *slot, int64_t now_ns) {
    return slot->key == 0 || now_ns - slot->last_ns > SN_THROTTLE_WINDOW_NS;
}

/* Index of the key's slot, or SN_THROTTLE_SLOTS. */
static size_t find(const struct sn_throttle *throttle, uint64_t hash) {
    for (size_t i = 0; i < PROBES; i++) {
        size_t at = (hash + i) & (SN_THROTTLE_SLOTS - 1);
        if (throttle->slots[at].key == hash)
            return at;
    }
    return SN_THROTTLE_SLOTS;
}

int64_t sn_throttle_wait_ns(const struct sn_throttle *throttle, struct sn_str key, int64_t now_ns) {
    size_t at = find(throttle, hash_of(throttle, key));
    if (at == SN_THROTTLE_SLOTS)
        return 0;
    const struct sn_throttle_slot *slot = &throttle->slots[at];
    if (is_over(slot, now_ns) || slot->failure_count <= SN_THROTTLE_FREE_FAILURES)
        return 0;
    uint32_t doublings = slot->failure_count - SN_THROTTLE_FREE_FAILURES - 1;
    int64_t wait_ns = WAIT_FIRST_NS << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
    if (wait_ns > throttle->wait_max_ns)
        wait_ns = throttle->wait_max_ns;
    int64_t left_ns = slot->last_ns + wait_ns - now_ns;
    return left_ns > 0 ? left_ns : 0;
}

void sn_throttle_fail(struct sn_throttle *throttle, struct sn_str key, int64_t now_ns) {
    uint64_t hash = hash_of(throttle, key);
    size_t at = find(throttle, hash);
    if (at == SN_THROTTLE_SLOTS) {
        /* A free slot, one whose time is over, or the oldest: in this order by age. */
        at = hash & (SN_THROTTLE_SLOTS - 1);
        for (size_t i = 1; i < PROBES && !is_over(&throttle->slots[at], now_ns); i++) {
            size_t other = (hash + i) & (SN_THROTTLE_SLOTS - 1);
            if (is_over(&throttle->slots[other], now_ns) ||
                throttle->slots[other].last_ns < throttle->slots[at].last_ns)
                at = other;
        }
        throttle->slots[at] = (struct sn_throttle_slot){.key = hash};
    }
    struct sn_throttle_slot *slot = &throttle->slots[at];
    if (is_over(slot, now_ns))
        slot->failure_count = 0;
    slot->last_ns = now_ns;
    if (slot->failure_count < UINT32_MAX)
        slot->failure_count++;
}

void sn_throttle_forget(struct sn_throttle *throttle, struct sn_str key) {
    size_t at = find(throttle, hash_of(throttle, key));
    if (at != SN_THROTTLE_SLOTS)
        throttle->slots[at] = (struct sn_throttle_slot){0};
}
