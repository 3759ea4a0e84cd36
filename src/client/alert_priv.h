/*
 * Alerts of instruments: a value against a limit, with a gap between raising and clearing.
 *
 *                 value on the wrong side of the limit
 *       CLEARED ----------------------------------------> ACTIVE
 *          ^                                                |
 *          '-- value beyond the limit by the margin, or nothing to judge --'
 *
 * Fields are relaxed atomics: any thread may evaluate. A change is made by one thread and told by
 * one thread, which need not be the same.
 */
#ifndef SN_CLIENT_ALERT_PRIV_H
#define SN_CLIENT_ALERT_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sn_alert {
    _Atomic bool is_active;
    _Atomic bool is_told; /* what the host was last told */
    _Atomic double value;
    _Atomic double threshold;
    _Atomic int64_t since_wall_ms;
};

enum sn_verdict { SN_VERDICT_KEEP, SN_VERDICT_RAISE, SN_VERDICT_CLEAR };

/* A value that must not be above its limit: cleared at limit * (1 - margin) and below. */
enum sn_verdict sn_alert_judge_max(double value, double limit, double margin);

/*
 * A ratio that must not be below its limit: cleared at limit * (1 + margin) and above, but at most
 * half-way between limit and 1.
 */
enum sn_verdict sn_alert_judge_min(double value, double limit, double margin);

/* What was found. */
struct sn_finding {
    enum sn_verdict verdict;
    double value;
    double threshold;
    int64_t wall_ms;
};

/* Take a finding. Returns whether the alert is active now. */
bool sn_alert_update(struct sn_alert *alert, const struct sn_finding *finding);

/* Whether there is a change that nobody was told; true once for each. */
bool sn_alert_take_change(struct sn_alert *alert, bool *ret_is_active);

#endif
