/*
 * Slows down guessing: counts failures by key (a client's address, a user's name) and says how long
 * the next try must wait. Bounded: a full table forgets the failures that are oldest.
 *
 *   failures      1..5   6     7     8    ... of one key within 15 minutes
 *   wait          none   1 s   2 s   4 s  ... at most wait_max of the kind
 *
 * A name waits a minute at most, so that a stranger cannot lock its owner out; an address a quarter
 * of an hour. Fields are guarded by the owner's lock. No heap memory, no clock: time is an argument.
 */
#ifndef SN_AUTH_THROTTLE_H
#define SN_AUTH_THROTTLE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SN_THROTTLE_FREE_FAILURES 5
#define SN_THROTTLE_WINDOW_NS (INT64_C(900) * 1000000000)
#define SN_THROTTLE_SLOTS 4096 /* a power of two; 24 bytes each */

struct sn_throttle_slot {
    uint64_t key; /* hash; 0: free */
    int64_t last_ns;
    uint32_t failure_count;
};

struct sn_throttle {
    struct sn_throttle_slot slots[SN_THROTTLE_SLOTS];
    uint64_t seed; /* so that nobody can choose keys that collide */
    int64_t wait_max_ns;
};

void sn_throttle_init(struct sn_throttle *throttle, uint64_t seed, int64_t wait_max_ns);

/* Nanoseconds until the key may try again; 0: now. now_ns: monotonic. */
int64_t sn_throttle_wait_ns(const struct sn_throttle *throttle, struct sn_str key, int64_t now_ns);

void sn_throttle_fail(struct sn_throttle *throttle, struct sn_str key, int64_t now_ns);
void sn_throttle_forget(struct sn_throttle *throttle, struct sn_str key); /* after a success */

#endif
