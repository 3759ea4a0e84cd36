/*
 * Health indicators: a value against two thresholds. Pure.
 */
#ifndef SN_INSIGHT_INDICATOR_H
#define SN_INSIGHT_INDICATOR_H

#include <stdbool.h>
#include <stddef.h>

enum sn_indicator_kind {
    SN_INDICATOR_SUCCESS_RATE = 0, /* percent */
    SN_INDICATOR_AVERAGE_TIME = 1, /* seconds per item */
    SN_INDICATOR_QUEUE_DEPTH = 2,
    SN_INDICATOR_REFUND_RATE = 3, /* percent */
    SN_INDICATOR_COUNT = 4,
};
/* "success_rate", "average_time_seconds", "queue_depth", "refund_rate" */
const char *sn_indicator_name(enum sn_indicator_kind kind);

enum sn_health {
    SN_HEALTH_UNKNOWN = 0,
    SN_HEALTH_GOOD = 1,
    SN_HEALTH_WARNING = 2,
    SN_HEALTH_CRITICAL = 3
};
const char *sn_health_name(enum sn_health health); /* "unknown", "good", "warning", "critical" */

/*
 * For a success rate good is above `good` and critical below `critical`; for the others good is
 * below `good` and critical above `critical`. In between, and on the thresholds, is warning.
 */
struct sn_indicator_limits {
    double good;
    double critical;
};
/* 95/90, 30/60, 100/500, 5/10 */
struct sn_indicator_limits sn_indicator_default(enum sn_indicator_kind kind);

/* NaN is unknown. */
enum sn_health sn_indicator_judge(enum sn_indicator_kind kind, struct sn_indicator_limits limits,
                                  double value);

/* Part of a whole; NaN where there is no whole. */
double sn_ratio(double part, double whole);

/* The worst of both; unknown says nothing. */
enum sn_health sn_health_worst(enum sn_health a, enum sn_health b);

#endif
