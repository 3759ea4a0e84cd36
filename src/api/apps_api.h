/*
 * What a server knows about applications beside their events: thresholds and checks.
 */
#ifndef SN_API_APPS_API_H
#define SN_API_APPS_API_H

#include "insight/error_class.h"
#include "insight/indicator.h"

#include <stdint.h>

/* What a health check asks. */
enum sn_app_check_kind {
    SN_APP_CHECK_HTTP = 0,  /* target: a URL; healthy: status 2xx or 3xx */
    SN_APP_CHECK_REDIS = 1, /* target: host:port; healthy: PONG */
};

struct sn_app_check {
    const char *name;
    enum sn_app_check_kind kind;
    const char *target;
    int64_t timeout_ms;
};

struct sn_app {
    const char *name;
    struct sn_indicator_limits limits[SN_INDICATOR_COUNT];
    const struct sn_app_check *checks; /* [check_count] */
    size_t check_count;
};

#endif
