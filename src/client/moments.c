/*
 * Moments at which counts were noted. See moments_priv.h. With the registry's read_mu.
 */
#include "client/moments_priv.h"

#include "base/clock.h"

#define NS_PER_S INT64_C(1000000000)

void sn_moments_init(struct sn_moments *moments, const struct sn_clock *clock) {
    *moments = (struct sn_moments){.count = 1, .first_wall_ms = sn_clock_wall_ms(clock)};
    moments->mono_ns[0] = sn_clock_mono_ns(clock);
}

static int64_t age_ns(const struct sn_moments *moments, size_t slot, int64_t now_ns) {
    int64_t age = now_ns - moments->mono_ns[slot];
    return age > 0 ? age : 0;
}

bool sn_moments_are_due(const struct sn_moments *moments, int64_t now_ns) {
    size_t last = (moments->count - 1) % SN_MOMENT_SLOTS;
    return age_ns(moments, last, now_ns) >= SN_MOMENT_STEP_S * NS_PER_S;
}

size_t sn_moments_next(struct sn_moments *moments, int64_t now_ns) {
    size_t slot = moments->count++ % SN_MOMENT_SLOTS;
    moments->mono_ns[slot] = now_ns;
    return slot;
}

size_t sn_moments_find(const struct sn_moments *moments, int64_t now_ns, double *ret_window_s) {
    size_t used = moments->count < SN_MOMENT_SLOTS ? moments->count : SN_MOMENT_SLOTS;
    size_t best = 0;
    int64_t best_distance = INT64_MAX;
    for (size_t slot = 0; slot < used; slot++) {
        int64_t distance = age_ns(moments, slot, now_ns) - SN_MOMENT_WINDOW_S * NS_PER_S;
        distance = distance < 0 ? -distance : distance;
        if (distance < best_distance) {
            best = slot;
            best_distance = distance;
        }
    }
    *ret_window_s = (double)age_ns(moments, best, now_ns) / 1e9;
    return best;
}
