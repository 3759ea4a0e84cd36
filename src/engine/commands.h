/*
 * The commands: one question or change each, JSON in and JSON out, answered from what is stored for
 * any process that reports it. The same names and arguments as sonde_command of libsonde
 * (sonde/command.h), which answers those that need no history inside one process.
 *
 *   get_all_metrics {}                  {"time_ms","rate_window_seconds","services":[S]}
 *   get_service_metrics {service}       S with "time_ms" and "rate_window_seconds"
 *   export_metrics_prometheus {[match]} {"format":"text","content_type","text"}: the newest sample of
 *                                       every series that the selector takes; all without one
 *   reset_service_metrics {service}     {"service","operations","reset_time_ms"}; a view of readers:
 *                                       stored counters go on
 *   get_active_operations_count {[service]}   {"active","services":[{"service","active"}]}
 *   get_error_statistics {[service]}    {"count","error_count","error_rate","services":[...]}
 *   get_slow_operations {[service],[limit 1..1000, 10]}   {"operations":[{"service",O}]}
 *   get_cache_performance_metrics {}    {"caches":[...]} from sonde_cache_*
 *   set_cache_alert_thresholds {[service],[cache],thresholds}   without names: for all caches
 *   get_cache_alerts {}                 {"alerts":[...]}: those that hold now
 *   get_gpu_utilization_metrics {}      {"gpus":[],"message"} until a collector finds one
 *   get_memory_usage_metrics {}         {"services":[...]} from sonde_memory_*
 *   create_custom_alert {name,expr,[for],[severity],[description]}   {"id",...}: kept as a rule
 *   get_metrics_history {query,[hours|days|start,end],[step]}   points, min, max, avg, p95, trend
 *
 * S and O are written by engine/operations.h. Unknown arguments are refused by name.
 *
 * Threads: any. Blocks: on queries and, for changes, on disk.
 */
#ifndef SN_ENGINE_COMMANDS_H
#define SN_ENGINE_COMMANDS_H

#include "base/clock.h"
#include "engine/operations.h"
#include "records/settings.h"

#define SN_COMMAND_ARGS_BYTES_MAX 65536
#define SN_COMMAND_ARENA_BYTES ((size_t)64 << 20)

/* Everything is borrowed and outlives the calls. */
struct sn_commands {
    struct sn_querier querier;
    struct sn_reader reader; /* select may be NULL: no messages of errors, no types in exports */
    struct sn_settings *settings;
    const struct sn_clock *clock;
};

/*
 * Run a command.
 *
 *   args      JSON object, or empty
 *   arena     for the work; nothing of the answer is in it
 *   ret_json  initialised by the caller; the answer is appended
 *
 * Returns SN_OK, SN_ERR_NOT_FOUND (no such command, service or cache), SN_ERR_INVALID (arguments;
 * the sentence says which), SN_ERR_LIMIT, and the statuses of queries and settings.
 */
sn_status sn_commands_run(const struct sn_commands *commands, struct sn_str name,
                          struct sn_str args, struct sn_arena *arena, struct sn_buf *ret_json,
                          struct sn_err *err) SN_MUST_USE;

/*
 * The table of operations as the commands tell it: since the resets that they made.
 *
 *   service  ptr NULL: all
 *
 * SN_ERR_NOT_FOUND (no such service), and the statuses of sn_operations_read.
 */
sn_status sn_commands_read_operations(const struct sn_commands *commands, struct sn_str service,
                                      struct sn_arena *arena, struct sn_operations *ret_table,
                                      struct sn_err *err) SN_MUST_USE;

/* Thresholds of a cache, as set_cache_alert_thresholds keeps them. */
struct sn_cache_thresholds {
    double min_hit_rate, max_memory_usage_mb, max_response_time_ms, max_fragmentation;
};

/* Of one cache, or, with empty names, of all that have none of their own. SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT, and the statuses of settings. */
sn_status sn_commands_read_cache_thresholds(const struct sn_commands *commands,
                                            struct sn_str service, struct sn_str cache,
                                            struct sn_arena *arena,
                                            struct sn_cache_thresholds *ret_thresholds,
                                            struct sn_err *err) SN_MUST_USE;

/* Whether a command changes something; false also for unknown names. */
bool sn_commands_is_change(struct sn_str name);

/* Name of the i-th command, NULL behind the last. */
const char *sn_commands_name(size_t i);

#endif
