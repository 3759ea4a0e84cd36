/*
 * Health indicators. See indicator.h.
 */
#include "insight/indicator.h"

#include <math.h>

const char *sn_indicator_name(enum sn_indicator_kind kind) {
    switch (kind) {
    case SN_INDICATOR_SUCCESS_RATE:
        return "success_rate";
    case SN_INDICATOR_AVERAGE_TIME:
        return "average_time_seconds";
    case SN_INDICATOR_QUEUE_DEPTH:
        return "queue_depth";
    case SN_INDICATOR_REFUND_RATE:
        return "refund_rate";
    case SN_INDICATOR_COUNT:
        break;
    }
    return "unknown";
}

const char *sn_health_name(enum sn_health health) {
    switch (health) {
    case SN_HEALTH_UNKNOWN:
        return "unknown";
    case SN_HEALTH_GOOD:
        return "good";
    case SN_HEALTH_WARNING:
        return "warning";
    case SN_HEALTH_CRITICAL:
        return "critical";
    }
    return "unknown";
}

struct sn_indicator_limits sn_indicator_default(enum sn_indicator_kind kind) {
    static const struct sn_indicator_limits defaults[SN_INDICATOR_COUNT] = {
        [SN_INDICATOR_SUCCESS_RATE] = {.good = 95, .critical = 90},
        [SN_INDICATOR_AVERAGE_TIME] = {.good = 30, .critical = 60},
        [SN_INDICATOR_QUEUE_DEPTH] = {.good = 100, .critical = 500},
        [SN_INDICATOR_REFUND_RATE] = {.good = 5, .critical = 10},
    };
    return defaults[kind < SN_INDICATOR_COUNT ? kind : SN_INDICATOR_SUCCESS_RATE];
}

enum sn_health sn_indicator_judge(enum sn_indicator_kind kind, struct sn_indicator_limits limits,
                                  double value) {
    if (isnan(value))
        return SN_HEALTH_UNKNOWN;
    bool is_rising = kind == SN_INDICATOR_SUCCESS_RATE; /* more is better */
    if (is_rising ? value > limits.good : value < limits.good)
        return SN_HEALTH_GOOD;
    if (is_rising ? value < limits.critical : value > limits.critical)
        return SN_HEALTH_CRITICAL;
    return SN_HEALTH_WARNING;
}

enum sn_health sn_health_worst(enum sn_health a, enum sn_health b) {
    return a > b ? a : b;
}

double sn_ratio(double part, double whole) {
    return whole > 0 ? part / whole : (double)NAN;
}
