/*
 * Reading a registry: as text for a scraper, or sample by sample.
 *
 * A read never stops or resets the record path and holds no lock that a record could wait for.
 * Within one read the +Inf bucket of a histogram equals its _count, and from one read to the next
 * no counter and no bucket decreases. Reads of one registry run one after the other.
 */
#ifndef SONDE_EXPOSE_H
#define SONDE_EXPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sonde_format {
    SONDE_FORMAT_TEXT = 0, /* Prometheus text 0.0.4 */
    /*
     * OpenMetrics 1.0. A counter's family is called without _total, an info's without _info, and
     * when another family has that name they are shown under their full names with type unknown.
     * Counters and histograms say when they began (_created; not those of callbacks, which may have
     * counted before). The last error of an operation rides as exemplar, labels class and message,
     * on its sonde_operations_total{outcome="error"}, cut to the 128 characters that exemplars may
     * have. Histograms with negative bounds have no _sum and no _count, as the format demands.
     */
    SONDE_FORMAT_OPENMETRICS = 1,
    /*
     * A snapshot for programs and people, not for scrapers:
     *
     *   {"time_ms","rate_window_seconds",
     *    "services":[{"service","start_time_ms","uptime_seconds",COUNTS,
     *      "operations":[{"operation",COUNTS,
     *        "duration_seconds":{"total","min","max","average","p50","p90","p95","p99"},
     *        "percentile_bounds_seconds":{"p50":[low,high],...},
     *        "last_error":{"message","class","time_ms"}}]}],
     *    "families":[{"name","type","help","unit","series":[
     *      {"labels":{},"start_time_ms","value"} or
     *      {"labels":{},"start_time_ms","buckets":[{"le","count"}],"sum","count"}]}]}
     *
     * COUNTS are "count", "ok_count", "error_count", "aborted_count", "error_rate" (of count),
     * "active", "operations_per_second", "operations_per_second_since_start",
     * "last_operation_time_ms" and "reset_time_ms"; times, and last_error, are null when there is none.
     *
     * Services and operations are sorted by name and count since their last reset
     * (sonde/command.h). min, max and total are exact. A percentile is estimated in its bucket, whose
     * ends (narrowed by min and max) are its bounds: the true one lies between them.
     * operations_per_second is over the last rate_window_seconds, about 60 when the registry is read
     * at least every minute; longer when it is read less often, shorter after its start.
     * Buckets are cumulative. What JSON cannot write is "NaN", "+Inf", "-Inf".
     */
    SONDE_FORMAT_JSON = 2,
    /*
     * Prometheus' protobuf: MetricFamily messages, each behind its length. Bytes, no text. Names and
     * values as in text 0.0.4, with start times and exemplars; native histograms as such. A family is
     * made in memory before it is written.
     */
    SONDE_FORMAT_PROTOBUF = 3
} sonde_format;

/* The Content-Type of a format; NULL for an unknown one. Static text. */
SONDE_API const char *sonde_format_content_type(sonde_format format);

/*
 * Choose the format for a scraper: the one with the highest quality in its Accept header (RFC 9110), of
 * equals protobuf, then OpenMetrics. "Accept anything" is text, which people can read; protobuf is for
 * those that name it.
 *
 *   accept  the header's value; NULL or "": no header
 *
 * Returns SONDE_FORMAT_TEXT, OPENMETRICS or PROTOBUF; text when the header accepts none or is
 * nonsense. Threads: any. Blocks: never. Cost: O(length).
 */
SONDE_API sonde_format sonde_format_negotiate(const char *accept);

/* Takes the next piece of output (borrowed for the call). Not 0: stop. */
typedef int (*sonde_sink)(void *ctx, const char *bytes, size_t len);

/*
 * Write all metrics of a registry in pieces of about 64 KiB.
 *
 *   registry  NULL: global
 *   sink      called at least once, from this thread; must not read the same registry
 *
 * Returns SONDE_OK, SONDE_ERR_IO (the sink said stop), SONDE_ERR_NO_MEMORY, SONDE_ERR_UNSUPPORTED
 * (format). After an error the output so far is incomplete.
 * Threads: any. Blocks: while another thread reads the same registry. Cost: about 60 ns per line,
 * one allocation.
 */
SONDE_API sonde_status sonde_registry_write(sonde_registry *registry, sonde_format format,
                                            sonde_sink sink, void *ctx);

/* As sonde_registry_write, to a file descriptor (blocking, short writes continued). */
SONDE_API sonde_status sonde_registry_write_fd(sonde_registry *registry, sonde_format format,
                                               int fd);

/*
 * As sonde_registry_write, into memory.
 *
 *   ret_text  a NUL follows the last byte; release with sonde_free
 *   ret_len   without the NUL; may be NULL
 *
 * Also SONDE_ERR_LIMIT above 1 GiB.
 */
SONDE_API sonde_status sonde_registry_write_text(sonde_registry *registry, sonde_format format,
                                                 char **ret_text, size_t *ret_len);

/* Release what this library handed out to be released. NULL is fine. */
SONDE_API void sonde_free(void *ptr);

typedef enum sonde_type {
    SONDE_TYPE_COUNTER = 0,
    SONDE_TYPE_GAUGE = 1,
    SONDE_TYPE_HISTOGRAM = 2,
    SONDE_TYPE_INFO = 3
} sonde_type;

/* A family as a visitor sees it; borrowed for the call. */
typedef struct sonde_family_info {
    const char *name;
    const char *help; /* "" when none was given */
    const char *unit; /* "" when none was given */
    sonde_type type;
} sonde_family_info;

typedef struct sonde_label {
    const char *name;
    const char *value; /* value_len bytes of UTF-8, not escaped, not ended with NUL */
    size_t value_len;
} sonde_label;

/* One sample as a scraper would see it; borrowed for the call. */
typedef struct sonde_sample {
    const char *name;          /* with _bucket, _sum, _count */
    const sonde_label *labels; /* [label_count] in the order of registration; "le" is the last */
    size_t label_count;
    double value;
    int64_t created_wall_ms; /* when counting began, Unix milliseconds; 0: not known */
} sonde_sample;

/* Functions that get what a visit finds. Not 0: stop. */
typedef struct sonde_visitor {
    int (*family)(void *ctx, const sonde_family_info *family); /* NULL: not wanted */
    int (*sample)(void *ctx, const sonde_sample *sample);      /* after its family */
    void *ctx;
} sonde_visitor;

/*
 * Call visitor for every family and each of its samples.
 *
 * Returns SONDE_OK, SONDE_ERR_IO (a function said stop).
 * Threads: any; the functions must not read the same registry. Blocks: while another thread reads
 * the same registry. Cost: about 50 ns per sample beside the visitor, no allocation.
 */
SONDE_API sonde_status sonde_registry_visit(sonde_registry *registry, const sonde_visitor *visitor);

#ifdef __cplusplus
}
#endif
#endif
