/*
 * When a reader looked at the counts of a registry: a ring of moments, so that a rate over about the
 * last minute can be told without any work on the record path.
 *
 * Every read that comes SN_MOMENT_STEP_S after the last moment notes a new one; each operation keeps
 * its count of that moment under the same number. The first one is the registry's beginning, when
 * all counts were 0. Guarded by the registry's read_mu.
 */
#ifndef SN_CLIENT_MOMENTS_PRIV_H
#define SN_CLIENT_MOMENTS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_MOMENT_SLOTS 16
#define SN_MOMENT_STEP_S 5 /* with the slots: 80 s, more than the minute that is asked for */
#define SN_MOMENT_WINDOW_S 60

struct sn_clock;

struct sn_moments {
    int64_t mono_ns[SN_MOMENT_SLOTS];
    size_t count; /* of moments ever noted; moment i is in slot i % SN_MOMENT_SLOTS */
    int64_t first_wall_ms;
};

void sn_moments_init(struct sn_moments *moments, const struct sn_clock *clock);

/* Whether enough time has passed since the last moment. */
bool sn_moments_are_due(const struct sn_moments *moments, int64_t now_ns);

/* Note a moment. Returns the slot for the counts of this moment. */
size_t sn_moments_next(struct sn_moments *moments, int64_t now_ns);

/*
 * The moment whose age is closest to SN_MOMENT_WINDOW_S.
 *
 *   ret_window_s  its age in seconds; 0: no time has passed
 *
 * Returns its slot.
 */
size_t sn_moments_find(const struct sn_moments *moments, int64_t now_ns, double *ret_window_s);

#endif
