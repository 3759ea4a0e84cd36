/*
 * What services and operations have done, as people and commands see it: since the last reset, with
 * rates and percentiles. Between sn_registry_read_begin and _end.
 */
#ifndef SN_CLIENT_REPORT_PRIV_H
#define SN_CLIENT_REPORT_PRIV_H

#include "client/operation_priv.h"
#include "client/quantile_priv.h"
#include "codec/json_write.h"

/* The moment of a report, and the window of its moving rates. */
struct sn_report_time {
    int64_t wall_ms;
    size_t slot; /* of the registry's moments */
    double window_s;
};

struct sn_report_time sn_report_time(const sonde_registry *registry);

/* A service, or one of its operations. */
struct sn_report_entry {
    struct sn_str service;
    struct sn_str operation;  /* ptr NULL: the service itself */
    struct sn_series *series; /* of the service or of the operation */
};

/* All services and operations by name, each service before its operations. */
struct sn_report_list {
    struct sn_report_entry *entries; /* [count] */
    size_t count;
};

/*
 * List them.
 *
 *   only  name of the one service wanted; ptr NULL: all
 *
 * Returns false without memory. Cost: O(operations * log), one allocation. Release with
 * sn_report_list_release.
 */
bool sn_report_list_init(struct sn_report_list *list, sonde_registry *registry, struct sn_str only);
void sn_report_list_release(struct sn_report_list *list);

/* Number behind the last entry of the service that entry `first` belongs to. */
size_t sn_report_list_end(const struct sn_report_list *list, size_t first);

enum { SN_REPORT_QUANTILES = 4 }; /* p50 p90 p95 p99 */

/* Counts of an operation, or added up over those of a service. Since the last reset. */
struct sn_report_counts {
    uint64_t outcomes[SONDE_OUTCOME_COUNT];
    uint64_t count; /* all outcomes */
    uint64_t active;
    double recent; /* finished within the window of the moving rate */
    int64_t since_wall_ms;
    int64_t reset_wall_ms; /* 0: never */
    int64_t last_wall_ms;  /* of the last finish; 0: none */
};

struct sn_operation_report {
    struct sn_report_counts counts;
    double sum_s;
    double min_s;
    double max_s;
    struct sn_quantile quantiles[SN_REPORT_QUANTILES]; /* seconds */
    bool has_error;                                    /* since the reset */
    struct sn_error_text error;
};

void sn_report_operation(const struct sn_report_entry *entry, const struct sn_report_time *time,
                         struct sn_operation_report *ret_report);

/* The counts of a service: entries first to end - 1. */
void sn_report_service(const struct sn_report_list *list, size_t first,
                       const struct sn_report_time *time, struct sn_report_counts *ret_counts);

/* Errors per finished operation; 0 when nothing finished. */
static inline double sn_report_error_rate(const struct sn_report_counts *counts) {
    return counts->count > 0 ? (double)counts->outcomes[SONDE_OUTCOME_ERROR] / (double)counts->count
                             : 0;
}

/* Parts of JSON documents: members of an object that is open. The shapes are in sonde/expose.h. */
void sn_report_write_counts(struct sn_json_writer *json, const struct sn_report_counts *counts,
                            const struct sn_report_time *time);
void sn_report_write_error(struct sn_json_writer *json, const struct sn_operation_report *report);
void sn_report_write_durations(struct sn_json_writer *json,
                               const struct sn_operation_report *report);

void sn_report_write_operation_members(struct sn_json_writer *json,
                                       const struct sn_report_entry *entry,
                                       const struct sn_report_time *time);

/* A service with its operations. */
void sn_report_write_service_members(struct sn_json_writer *json, const struct sn_report_list *list,
                                     size_t first, const struct sn_report_time *time);

#endif
