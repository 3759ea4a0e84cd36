/*
 * Moving rates. See rate_priv.h.
 */
#include "client/rate_priv.h"

#define COUNT_MASK UINT64_C(0xffffffff)

/* Seconds since the clock's zero point, plus 1: 0 is an empty slot. 32 bits last 136 years. */
static uint64_t second_of(int64_t now_ns) {
    return (uint64_t)(now_ns / 1000000000) + 1;
}

void sn_rate_add(struct sn_rate *rate, int64_t now_ns, uint32_t n) {
    uint64_t second = second_of(now_ns);
    uint64_t none = 0;
    /* Relaxed everywhere: a slot is one number and says all there is to know. */
    if (atomic_load_explicit(&rate->first_s, memory_order_relaxed) == 0)
        atomic_compare_exchange_strong_explicit(&rate->first_s, &none, second, memory_order_relaxed,
                                                memory_order_relaxed);
    _Atomic uint64_t *slot = &rate->slots[second % SN_RATE_SLOTS];
    uint64_t old = atomic_load_explicit(slot, memory_order_relaxed);
    uint64_t new;
    do {
        if (old >> 32 > second)
            return; /* the thread slept for more than all slots */
        uint64_t count = (old >> 32 == second ? old & COUNT_MASK : 0) + n;
        new = second << 32 | (count < COUNT_MASK ? count : COUNT_MASK);
    } while (!atomic_compare_exchange_weak_explicit(slot, &old, new, memory_order_relaxed,
                                                    memory_order_relaxed));
}

double sn_rate_read(const struct sn_rate *rate, int64_t now_ns) {
    uint64_t second = second_of(now_ns);
    uint64_t first = atomic_load_explicit(&rate->first_s, memory_order_relaxed);
    if (first == 0 || second <= first)
        return 0;
    uint64_t window = second - first < SN_RATE_WINDOW_S ? second - first : SN_RATE_WINDOW_S;
    uint64_t count = 0;
    for (uint64_t s = second - window; s < second; s++) {
        uint64_t slot = atomic_load_explicit(&rate->slots[s % SN_RATE_SLOTS], memory_order_relaxed);
        count += slot >> 32 == s ? slot & COUNT_MASK : 0;
    }
    return (double)count / (double)window;
}
