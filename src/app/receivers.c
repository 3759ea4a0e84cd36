/*
 * Receivers beside HTTP. See receivers.h.
 */
#include "app/receivers.h"

#include "base/log.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 4096

/* One number. */
struct sn_receiver_row {
    const char *name;
    const char *help;
    uint64_t (*read)(const struct sn_receivers *receivers);
};

/* ---- groups of pushed metrics ---- */

static void on_push_trouble(void *ctx, const struct sn_err *err) {
    (void)ctx;
    if (err != NULL)
        sn_log_warn("pushgateway", "%s", err->text);
    else
        sn_log_info("pushgateway", "works again");
}

static sn_status open_push_groups(struct sn_receivers *receivers, const struct sn_config *config,
                                  struct sn_ingest *ingest, struct sn_err *err) {
    char directory[PATH_BYTES];
    int len = snprintf(directory, sizeof directory, "%s/push", config->data);
    if (len < 0 || (size_t)len >= sizeof directory)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    const struct sn_push_groups_options options = {
        .ingest = ingest,
        .directory = directory,
        .interval_ms = config->pushgateway_interval_ms,
        .on_trouble = on_push_trouble,
    };
    return sn_push_groups_open(&options, &receivers->push_groups, err);
}

static struct sn_push_groups_stats push_stats(const struct sn_receivers *receivers) {
    struct sn_push_groups_stats stats;
    sn_push_groups_stats(receivers->push_groups, &stats);
    return stats;
}

static uint64_t read_group_count(const struct sn_receivers *receivers) {
    return push_stats(receivers).group_count;
}

static uint64_t read_group_bytes(const struct sn_receivers *receivers) {
    return push_stats(receivers).group_bytes;
}

static uint64_t read_damaged_groups(const struct sn_receivers *receivers) {
    return push_stats(receivers).damaged_file_count;
}

/* ---- StatsD ---- */

static sn_status open_statsd(struct sn_receivers *receivers, const struct sn_config *config,
                             struct sn_ingest *ingest, struct sn_err *err) {
    bool has_listen = config->statsd_listen != NULL && config->statsd_listen[0] != '\0';
    bool has_socket = config->statsd_socket != NULL && config->statsd_socket[0] != '\0';
    if (!has_listen && !has_socket)
        return SN_OK;
    const struct sn_datagrams_options options = {
        .listen = has_listen ? sn_str_from(config->statsd_listen) : SN_STR(""),
        .socket_path = has_socket ? config->statsd_socket : NULL,
    };
    const struct sn_statsd_state_options state = {
        .ingest = ingest,
        .series_max = (size_t)config->statsd_series_max,
        .expire_ms = config->statsd_expire_ms,
    };
    SN_TRY(sn_datagrams_open(&options, &receivers->datagrams, err));
    SN_TRY(sn_statsd_state_new(&state, &receivers->statsd_state, err));
    receivers->statsd_worker.datagrams = receivers->datagrams;
    receivers->statsd_worker.state = receivers->statsd_state;
    receivers->statsd_worker.flush_interval_ms = config->statsd_flush_interval_ms;
    if (has_listen)
        sn_log_info("statsd", "listening on %s", sn_datagrams_address(receivers->datagrams));
    if (has_socket)
        sn_log_info("statsd", "listening on %s", config->statsd_socket);
    return SN_OK;
}

static struct sn_datagrams_stats datagram_stats(const struct sn_receivers *receivers) {
    struct sn_datagrams_stats stats = {.received_count = 0};
    if (receivers->datagrams != NULL)
        sn_datagrams_stats(receivers->datagrams, &stats);
    return stats;
}

static struct sn_statsd_state_stats statsd_stats(const struct sn_receivers *receivers) {
    struct sn_statsd_state_stats stats = {.line_count = 0};
    if (receivers->statsd_state != NULL)
        sn_statsd_state_stats(receivers->statsd_state, &stats);
    return stats;
}

static uint64_t read_datagrams(const struct sn_receivers *receivers) {
    return datagram_stats(receivers).received_count;
}

static uint64_t read_dropped_datagrams(const struct sn_receivers *receivers) {
    return datagram_stats(receivers).dropped_count;
}

static uint64_t read_long_datagrams(const struct sn_receivers *receivers) {
    return datagram_stats(receivers).too_long_count;
}

static uint64_t read_lines(const struct sn_receivers *receivers) {
    return statsd_stats(receivers).line_count;
}

static uint64_t read_statsd_series(const struct sn_receivers *receivers) {
    return statsd_stats(receivers).series_count;
}

/* ---- metrics ---- */

static const struct sn_receiver_row rows[] = {
    {"sonde_push_groups", "Groups of pushed metrics.", read_group_count},
    {"sonde_push_group_bytes", "Memory and file bytes of groups of pushed metrics.",
     read_group_bytes},
    {"sonde_push_group_damaged_files",
     "Files of pushed metrics that could not be read at the start.", read_damaged_groups},
    {"sonde_statsd_datagrams_total", "StatsD datagrams received.", read_datagrams},
    {"sonde_statsd_dropped_datagrams_total",
     "StatsD datagrams that the kernel dropped because its queue was full.",
     read_dropped_datagrams},
    {"sonde_statsd_too_long_datagrams_total", "StatsD datagrams that were too long to be read.",
     read_long_datagrams},
    {"sonde_statsd_lines_total", "StatsD lines received, whatever became of them.", read_lines},
    {"sonde_statsd_series", "StatsD names with their tags that are sampled.", read_statsd_series},
};
_Static_assert(sizeof rows / sizeof rows[0] <= SN_RECEIVER_METRICS_MAX, "room for every row");

static double read_row(void *ctx) {
    const struct sn_receiver_metric *metric = ctx;
    return (double)metric->row->read(metric->owner);
}

static bool is_counter(const char *name) {
    return sn_str_ends_with(sn_str_from(name), SN_STR("_total"));
}

/* What cannot be registered is counted by libsonde and missing, nothing worse. */
static void open_metrics(struct sn_receivers *receivers) {
    receivers->metric_count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < receivers->metric_count; i++) {
        struct sn_receiver_metric *metric = &receivers->metrics[i];
        metric->owner = receivers;
        metric->row = &rows[i];
        const sonde_callback_options options = {
            .metric = {.name = rows[i].name, .help = rows[i].help},
            .type = is_counter(rows[i].name) ? SONDE_CALLBACK_COUNTER : SONDE_CALLBACK_GAUGE,
            .read = read_row,
            .ctx = metric,
        };
        metric->callback = sonde_callback_new(NULL, &options, NULL);
    }
}

/* ---- life ---- */

sn_status sn_receivers_open(struct sn_receivers *receivers, const struct sn_config *config,
                            struct sn_ingest *ingest, struct sn_err *err) {
    memset(receivers, 0, sizeof *receivers);
    SN_TRY(open_push_groups(receivers, config, ingest, err));
    SN_TRY(open_statsd(receivers, config, ingest, err));
    open_metrics(receivers);
    return SN_OK;
}

void sn_receivers_close(struct sn_receivers *receivers) {
    for (size_t i = 0; i < receivers->metric_count; i++)
        receivers->metrics[i].callback = sonde_callback_free(receivers->metrics[i].callback);
    receivers->push_groups = sn_push_groups_close(receivers->push_groups);
    receivers->statsd_state = sn_statsd_state_free(receivers->statsd_state);
    receivers->datagrams = sn_datagrams_close(receivers->datagrams);
    memset(receivers, 0, sizeof *receivers);
}

sn_status sn_receivers_start(struct sn_receivers *receivers, struct sn_err *err) {
    struct sn_crew *crew = &receivers->crew;
    crew->count = 0;
    crew->workers[crew->count++] = sn_push_groups_worker(receivers->push_groups);
    if (receivers->datagrams != NULL)
        crew->workers[crew->count++] = sn_statsd_worker(&receivers->statsd_worker);
    return sn_crew_start(crew, err);
}

void sn_receivers_stop(struct sn_receivers *receivers) {
    sn_crew_stop(&receivers->crew);
    sn_crew_join(&receivers->crew);
}
