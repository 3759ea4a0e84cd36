/*
 * Hits, misses and response times by minute, for the last hour and the last day.
 *
 * Nothing is counted here: the sums since the start are counted elsewhere, per thread. When a minute
 * is over, whoever notices first (a lookup, or a reader) notes how much the sums grew in it. So a
 * lookup pays for one look at the clock and nothing else, and an idle cache costs nothing.
 *
 *     past[minute % 1440]: { minute, what the sums grew by }     base: the sums when `minute` began
 *
 * Minutes are numbered from 0 at the start, on a time line of its own: `shift_ns` is added to the
 * clock. When the clock goes back, the shift makes the current minute begin again.
 *
 * Any thread. `version` is odd while somebody notes (see words_priv.h); others go on without.
 */
#ifndef SN_CLIENT_CACHE_WINDOW_PRIV_H
#define SN_CLIENT_CACHE_WINDOW_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SN_WINDOW_MINUTES 1440 /* a day, the current minute included */
#define SN_WINDOW_HOUR 60

enum sn_sum { SN_SUM_HITS, SN_SUM_MISSES, SN_SUM_TIMED, SN_SUM_RESPONSE_NS, SN_SUM_COUNT };

struct sn_sums {
    uint64_t of[SN_SUM_COUNT];
};

struct sn_window_minute {
    _Atomic uint64_t minute;
    _Atomic uint64_t grown[SN_SUM_COUNT];
};

struct sn_window {
    _Atomic uint64_t version;
    _Atomic uint64_t minute;
    _Atomic int64_t begin_ns; /* of the current minute, monotonic clock */
    _Atomic int64_t end_ns;
    int64_t shift_ns; /* the writer's */
    _Atomic uint64_t base[SN_SUM_COUNT];
    struct sn_window_minute past[SN_WINDOW_MINUTES];
};

/* Start minute 0 now, with zeroed memory and sums. */
void sn_window_init(struct sn_window *window, int64_t now_ns);

/* Whether the current minute is over, or the clock went back behind its beginning. */
static inline bool sn_window_is_due(const struct sn_window *window, int64_t now_ns) {
    return now_ns >= atomic_load_explicit(&window->end_ns, memory_order_relaxed) ||
           now_ns < atomic_load_explicit(&window->begin_ns, memory_order_relaxed);
}

/*
 * End the current minute if it is due and begin that of now_ns. `sums` adds up since the start; it
 * is called once when there is something to do and nobody else does it. Cost: O(1).
 */
void sn_window_roll(struct sn_window *window, int64_t now_ns,
                    void (*sums)(void *ctx, struct sn_sums *ret_sums), void *ctx);

/*
 * What the sums grew by in the current minute and the minutes - 1 before it (1 to
 * SN_WINDOW_MINUTES), given the sums now. Call sn_window_roll first. Cost: O(minutes).
 */
void sn_window_read(const struct sn_window *window, const struct sn_sums *now, uint64_t minutes,
                    struct sn_sums *ret_grown);

#endif
