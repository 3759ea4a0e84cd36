/*
 * The rules of alerts. See alert_priv.h. Any thread, no locks, no clocks.
 */
#include "client/alert_priv.h"

enum sn_verdict sn_alert_judge_max(double value, double limit, double margin) {
    if (value > limit)
        return SN_VERDICT_RAISE;
    return value <= limit * (1 - margin) ? SN_VERDICT_CLEAR : SN_VERDICT_KEEP;
}

enum sn_verdict sn_alert_judge_min(double value, double limit, double margin) {
    if (value < limit)
        return SN_VERDICT_RAISE;
    double clear = limit * (1 + margin);
    double half_way = (limit + 1) / 2;
    return value >= (clear < half_way ? clear : half_way) ? SN_VERDICT_CLEAR : SN_VERDICT_KEEP;
}

bool sn_alert_update(struct sn_alert *alert, const struct sn_finding *finding) {
    atomic_store_explicit(&alert->value, finding->value, memory_order_relaxed);
    atomic_store_explicit(&alert->threshold, finding->threshold, memory_order_relaxed);
    if (finding->verdict == SN_VERDICT_KEEP)
        return atomic_load_explicit(&alert->is_active, memory_order_relaxed);
    bool is_active = finding->verdict == SN_VERDICT_RAISE;
    bool before = !is_active;
    if (atomic_compare_exchange_strong_explicit(&alert->is_active, &before, is_active,
                                                memory_order_relaxed, memory_order_relaxed))
        atomic_store_explicit(&alert->since_wall_ms, finding->wall_ms, memory_order_relaxed);
    return is_active;
}

bool sn_alert_take_change(struct sn_alert *alert, bool *ret_is_active) {
    bool is_active = atomic_load_explicit(&alert->is_active, memory_order_relaxed);
    bool is_told = !is_active;
    if (!atomic_compare_exchange_strong_explicit(&alert->is_told, &is_told, is_active,
                                                 memory_order_relaxed, memory_order_relaxed))
        return false;
    *ret_is_active = is_active;
    return true;
}
