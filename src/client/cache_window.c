/*
 * Rolling windows. See cache_window_priv.h.
 */
#include "client/cache_window_priv.h"

#include "client/words_priv.h"

#define MINUTE_NS INT64_C(60000000000)

static void set_minute(struct sn_window *window, uint64_t minute) {
    int64_t begin_ns = (int64_t)minute * MINUTE_NS - window->shift_ns;
    sn_word_put(&window->minute, minute);
    atomic_store_explicit(&window->begin_ns, begin_ns, memory_order_release);
    atomic_store_explicit(&window->end_ns, begin_ns + MINUTE_NS, memory_order_release);
}

void sn_window_init(struct sn_window *window, int64_t now_ns) {
    window->shift_ns = -now_ns;
    set_minute(window, 0);
}

static uint64_t grown_by(uint64_t now, uint64_t base) {
    return now > base ? now - base : 0;
}

/* As the writer. */
static void note(struct sn_window *window, uint64_t minute, const struct sn_sums *sums) {
    struct sn_window_minute *past = &window->past[minute % SN_WINDOW_MINUTES];
    sn_word_put(&past->minute, minute);
    for (size_t i = 0; i < SN_SUM_COUNT; i++) {
        sn_word_put(&past->grown[i], grown_by(sums->of[i], sn_word_get(&window->base[i])));
        sn_word_put(&window->base[i], sums->of[i]);
    }
}

void sn_window_roll(struct sn_window *window, int64_t now_ns,
                    void (*sums)(void *ctx, struct sn_sums *ret_sums), void *ctx) {
    if (!sn_window_is_due(window, now_ns) || !sn_version_begin(&window->version))
        return;
    uint64_t minute = sn_word_get(&window->minute);
    int64_t begin_ns = atomic_load_explicit(&window->begin_ns, memory_order_relaxed);
    if (now_ns < begin_ns) {
        window->shift_ns += begin_ns - now_ns;
        set_minute(window, minute);
    } else if (now_ns - begin_ns >= MINUTE_NS) { /* else somebody was faster */
        struct sn_sums now;
        sums(ctx, &now);
        note(window, minute, &now);
        set_minute(window, (uint64_t)((now_ns + window->shift_ns) / MINUTE_NS));
    }
    sn_version_end(&window->version);
}

static void read_once(const struct sn_window *window, const struct sn_sums *now, uint64_t minutes,
                      struct sn_sums *ret_grown) {
    uint64_t minute = sn_word_get(&window->minute);
    for (size_t i = 0; i < SN_SUM_COUNT; i++)
        ret_grown->of[i] = grown_by(now->of[i], sn_word_get(&window->base[i]));
    for (uint64_t back = 1; back < minutes && back <= minute; back++) {
        const struct sn_window_minute *past = &window->past[(minute - back) % SN_WINDOW_MINUTES];
        if (sn_word_get(&past->minute) != minute - back) /* nobody came in that minute */
            continue;
        for (size_t i = 0; i < SN_SUM_COUNT; i++)
            ret_grown->of[i] += sn_word_get(&past->grown[i]);
    }
}

/* A few tries: minutes end rarely. What is left after them may lack or repeat one minute. */
void sn_window_read(const struct sn_window *window, const struct sn_sums *now, uint64_t minutes,
                    struct sn_sums *ret_grown) {
    for (int i = 0; i < SN_VERSION_TRIES; i++) {
        uint64_t version = atomic_load_explicit(&window->version, memory_order_acquire);
        read_once(window, now, minutes, ret_grown);
        if (version % 2 == 0 &&
            atomic_load_explicit(&window->version, memory_order_relaxed) == version)
            return;
    }
}
