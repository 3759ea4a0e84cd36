/*
 * The server's own numbers as metrics: store, records, HTTP server and ingest read through
 * libsonde callbacks.
 */
#ifndef SN_APP_OWN_METRICS_H
#define SN_APP_OWN_METRICS_H

#include "ingest/ingest.h"
#include "net/http.h"
#include "records/records.h"
#include "store/store.h"

#include <sonde/sonde.h>

#define SN_OWN_METRICS_MAX 128

/* Main thread. Everything is borrowed and outlives it. */
struct sn_own_metrics {
    struct sn_store *store;
    struct sn_http_server *http;
    struct sn_ingest *ingest;
    struct sn_api *api;
    struct sn_records *records;
    struct sn_own_metric {
        struct sn_own_metrics *owner;
        const struct sn_own_metric_row *row;
        sonde_callback *callback;
    } metrics[SN_OWN_METRICS_MAX];
    size_t count;
};

/*
 * Register the callbacks in libsonde's global registry. What cannot be registered is counted by
 * libsonde (sonde_lost_total) and missing, nothing worse.
 */
struct sn_own_metrics_parts {
    struct sn_store *store;
    struct sn_http_server *http;
    struct sn_ingest *ingest;
    struct sn_api *api;
    struct sn_records *records;
};
void sn_own_metrics_open(struct sn_own_metrics *metrics, const struct sn_own_metrics_parts *parts);

/* Before what it reads is closed. */
void sn_own_metrics_close(struct sn_own_metrics *metrics);

#endif
