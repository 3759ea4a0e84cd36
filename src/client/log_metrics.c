/*
 * The log's own numbers in a registry: what was written, and what was dropped and why. Read when
 * somebody looks; nothing is counted twice. Any thread.
 */
#include "client/log_priv.h"

static const struct {
    const char *reason; /* NULL: sonde_log_written_total */
} metrics[SN_LOG_METRIC_COUNT] = {
    {NULL}, {"ring_full"}, {"threads"}, {"closed"}, {"reentrant"}, {"sink"},
};

static double read_metric(void *ctx) {
    const struct sn_log_metric *metric = ctx;
    sonde_log_stats stats;
    sonde_log_read(metric->log, &stats);
    const uint64_t numbers[SN_LOG_METRIC_COUNT] = {
        stats.written,        stats.dropped_full,      stats.dropped_threads,
        stats.dropped_closed, stats.dropped_reentrant, stats.sink_lost,
    };
    return (double)numbers[metric->which];
}

static sonde_callback *show_one(struct sn_log_metric *metric, sonde_registry *registry,
                                sonde_error *error) {
    static const char *const written_labels[] = {"log"};
    static const char *const dropped_labels[] = {"log", "reason"};
    const char *reason = metrics[metric->which].reason;
    const char *const values[] = {metric->log->program, reason};
    sonde_callback_options options = {
        .metric = {.name = "sonde_log_written_total",
                   .help = "Log lines handed to the sinks.",
                   .label_names = written_labels,
                   .label_count = 1},
        .label_values = values,
        .type = SONDE_CALLBACK_COUNTER,
        .read = read_metric,
        .ctx = metric,
    };
    if (reason != NULL)
        options.metric = (sonde_metric){.name = "sonde_log_dropped_total",
                                        .help = "Log lines that reached no sink, or not all.",
                                        .label_names = dropped_labels,
                                        .label_count = 2};
    return sonde_callback_new(registry, &options, error);
}

sonde_status sn_log_metrics_show(sonde_log *log, sonde_registry *registry, sonde_error *error) {
    sonde_error own = {.status = SONDE_OK};
    for (unsigned which = 0; which < SN_LOG_METRIC_COUNT; which++) {
        struct sn_log_metric *metric = &log->metrics[which];
        *metric = (struct sn_log_metric){.log = log, .which = which};
        metric->callback = show_one(metric, registry, &own);
        if (metric->callback == NULL)
            break;
        log->metric_count++;
    }
    if (error != NULL)
        *error = own;
    return own.status;
}

void sn_log_metrics_hide(sonde_log *log) {
    for (size_t i = 0; i < log->metric_count; i++)
        log->metrics[i].callback = sonde_callback_free(log->metrics[i].callback);
    log->metric_count = 0;
}
