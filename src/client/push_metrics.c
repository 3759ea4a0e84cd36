/*
 * A push client's own numbers in a registry: what went, and what was dropped and why. Read when
 * somebody looks; nothing is counted twice. Any thread.
 */
#include "client/push_priv.h"

#define QUEUE_BYTES SN_PUSH_NUMBER_COUNT /* not counted but looked up */

static const struct {
    unsigned number;
    const char *name;
    const char *help;
    const char *reason; /* NULL: no such label */
} metrics[SN_PUSH_METRIC_COUNT] = {
#define DROPPED "sonde_push_dropped_total", "Samples that reached no server."
    {SN_PUSH_SENT, "sonde_push_sent_total", "Samples that a server took.", NULL},
    {SN_PUSH_DROPPED_OVERFLOW, DROPPED, "overflow"},
    {SN_PUSH_DROPPED_REFUSED, DROPPED, "refused"},
    {SN_PUSH_DROPPED_REJECTED, DROPPED, "rejected"},
    {SN_PUSH_DROPPED_INVALID, DROPPED, "invalid"},
    {SN_PUSH_DROPPED_TOO_LONG, DROPPED, "too_long"},
    {SN_PUSH_DROPPED_RATE, DROPPED, "rate"},
    {SN_PUSH_DROPPED_CLOSED, DROPPED, "closed"},
    {SN_PUSH_BATCHES, "sonde_push_batches_total", "Requests that a server took.", NULL},
    {SN_PUSH_FAILURES, "sonde_push_failures_total", "Requests that failed and are repeated.", NULL},
    {QUEUE_BYTES, "sonde_push_queue_bytes", "Bytes of the buffer that are in use.", NULL},
#undef DROPPED
};

static double read_metric(void *ctx) {
    const struct sn_push_metric *metric = ctx;
    unsigned number = metrics[metric->which].number;
    sonde_collector_stats stats;
    if (number < SN_PUSH_NUMBER_COUNT)
        return (double)sn_push_number(metric->collector, (enum sn_push_number)number);
    sonde_collector_read(metric->collector, &stats);
    return (double)stats.queued_bytes;
}

static sonde_callback *show_one(struct sn_push_metric *metric, sonde_registry *registry,
                                sonde_error *error) {
    static const char *const labels[] = {"service", "reason"};
    const char *reason = metrics[metric->which].reason;
    const char *const values[] = {metric->collector->service, reason};
    const sonde_callback_options options = {
        .metric = {.name = metrics[metric->which].name,
                   .help = metrics[metric->which].help,
                   .label_names = labels,
                   .label_count = reason != NULL ? 2 : 1},
        .label_values = values,
        .type = metrics[metric->which].number == QUEUE_BYTES ? SONDE_CALLBACK_GAUGE
                                                             : SONDE_CALLBACK_COUNTER,
        .read = read_metric,
        .ctx = metric,
    };
    return sonde_callback_new(registry, &options, error);
}

sonde_status sn_push_metrics_show(sonde_collector *collector, sonde_registry *registry,
                                  sonde_error *error) {
    sonde_error own = {.status = SONDE_OK};
    for (unsigned which = 0; which < SN_PUSH_METRIC_COUNT; which++) {
        struct sn_push_metric *metric = &collector->metrics[which];
        *metric = (struct sn_push_metric){.collector = collector, .which = which};
        metric->callback = show_one(metric, registry, &own);
        if (metric->callback == NULL)
            break;
        collector->metric_count++;
    }
    if (error != NULL)
        *error = own;
    return own.status;
}

void sn_push_metrics_hide(sonde_collector *collector) {
    for (size_t i = 0; i < collector->metric_count; i++)
        collector->metrics[i].callback = sonde_callback_free(collector->metrics[i].callback);
    collector->metric_count = 0;
}
