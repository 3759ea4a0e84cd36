/*
 * What receives measurements beside the routes of HTTP: groups of pushed metrics, and
 * StatsD. Their threads, and their numbers as metrics.
 */
#ifndef SN_APP_RECEIVERS_H
#define SN_APP_RECEIVERS_H

#include "app/config.h"
#include "app/crew.h"
#include "app/statsd_worker.h"
#include "ingest/push_groups.h"

#include <sonde/sonde.h>

#define SN_RECEIVER_METRICS_MAX 32

/* Main thread. Zeroed memory has nothing open. */
struct sn_receivers {
    struct sn_push_groups *push_groups;
    struct sn_datagrams *datagrams;       /* NULL: no StatsD */
    struct sn_statsd_state *statsd_state; /* the same */
    struct sn_statsd_worker statsd_worker;
    struct sn_crew crew;
    struct sn_receiver_metric {
        struct sn_receivers *owner;
        const struct sn_receiver_row *row;
        sonde_callback *callback;
    } metrics[SN_RECEIVER_METRICS_MAX];
    size_t metric_count;
};

/* Make them; `config` is borrowed for the call, `ingest` outlives them. Statuses of the modules; what
 * was opened is left for sn_receivers_close. */
sn_status sn_receivers_open(struct sn_receivers *receivers, const struct sn_config *config,
                            struct sn_ingest *ingest, struct sn_err *err) SN_MUST_USE;
void sn_receivers_close(struct sn_receivers *receivers);

sn_status sn_receivers_start(struct sn_receivers *receivers, struct sn_err *err) SN_MUST_USE;
void sn_receivers_stop(struct sn_receivers *receivers); /* and wait for their end */

#endif
