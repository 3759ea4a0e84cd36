/*
 * Commands: questions about a registry, JSON in and JSON out. What a desktop program's front end
 * or a debugging console asks for, without any server.
 *
 *     char *json;
 *     const char *args = "{\"service\":\"cache\"}";
 *     if (sonde_command(NULL, "get_service_metrics", args, strlen(args), &json, NULL, NULL) == SONDE_OK)
 *         ...
 *     sonde_free(json);
 *
 * Arguments are an object; those in brackets may be left out. S, O, C stand for a service, an
 * operation and the counts of either, written as in SONDE_FORMAT_JSON (sonde/expose.h).
 *
 *   get_all_metrics {}                  the document of SONDE_FORMAT_JSON
 *   get_service_metrics {service}       S, with "time_ms" and "rate_window_seconds"
 *   export_metrics_prometheus {[format: "text" | "openmetrics"]}
 *                                       {"format","content_type","text"}; text is the default
 *   reset_service_metrics {service}     {"service","operations": how many,"reset_time_ms"}
 *   get_active_operations_count {[service]}
 *                                       {"active","services":[{"service","active"}]}
 *   get_error_statistics {[service]}    {"count","error_count","error_rate","services":[{"service",
 *                                       C,"operations":[those with errors: {"operation",C,
 *                                       "last_error"}]}]}
 *   get_slow_operations {[service],[limit: 1 to 1000, default 10]}
 *                                       {"operations":[{"service",O}]}, longest run first
 *   get_cache_performance_metrics {}    as sonde_cache_metrics_json
 *   get_cache_alerts {}                 as sonde_cache_alerts_json
 *   set_cache_alert_thresholds {service,cache,[min_hit_rate],[max_memory_usage_mb],
 *     [max_response_time_ms],[max_fragmentation],[clear_margin],[slow_operation_ms],
 *     [min_operations]}                 as sonde_cache_thresholds_json; what is left out stays
 *   get_memory_usage_metrics {}         as sonde_memory_metrics_json
 *
 * get_gpu_utilization_metrics, create_custom_alert and get_metrics_history need what only a sonde
 * server has: SONDE_ERR_UNSUPPORTED here.
 *
 * Reset is the reader's affair: all commands and the JSON snapshot count from it, while what is
 * exported to Prometheus goes on without a step back.
 */
#ifndef SONDE_COMMAND_H
#define SONDE_COMMAND_H

#include <stddef.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SONDE_COMMAND_ARGS_BYTES_MAX 65536

/*
 * Run a command.
 *
 *   registry   NULL: global
 *   name       one of the above
 *   json_args  [args_len] UTF-8, need not end with NUL; NULL with 0: {}
 *   ret_json   a NUL follows the last byte; release with sonde_free. Written on SONDE_OK only
 *   ret_len    without the NUL; may be NULL
 *   error      the sentence says where in the arguments something is wrong, and what was meant
 *
 * Returns SONDE_OK, SONDE_ERR_INVALID (no such command; arguments are not JSON, unknown, missing,
 * given twice or out of range), SONDE_ERR_NOT_FOUND (no such service or cache),
 * SONDE_ERR_LIMIT (arguments above SONDE_COMMAND_ARGS_BYTES_MAX), SONDE_ERR_NO_MEMORY,
 * SONDE_ERR_UNSUPPORTED.
 * Threads: any. Blocks: while another thread reads the same registry. Allocates.
 */
SONDE_API sonde_status sonde_command(sonde_registry *registry, const char *name,
                                     const char *json_args, size_t args_len, char **ret_json,
                                     size_t *ret_len, sonde_error *error);

#ifdef __cplusplus
}
#endif
#endif
