/*
 * Ingest: what arrives in a protocol becomes a batch and goes to a sink; everything that does not
 * is counted by its reason.
 *
 * 1. A body that is not well-formed is refused as a whole, with its line; nothing of it is pushed.
 * 2. A sample that is well-formed and hits a limit is left out and counted; the rest is pushed.
 * 3. Counters count a sample once: as ingested when it is durable, or as rejected for one reason.
 */
#ifndef SN_INGEST_INGEST_H
#define SN_INGEST_INGEST_H

#include "base/status.h"
#include "base/str.h"
#include "model/doors.h"
#include "model/labels.h"
#include "wire/remote_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples of one request: 1 M with the labels of a full body need about 150 MiB while it runs. */
#define SN_INGEST_SAMPLES_MAX ((size_t)1000000)

/* Memory of one request: the batch of SN_INGEST_SAMPLES_MAX samples and some metadata. */
#define SN_INGEST_MEMORY_MAX ((size_t)256 << 20)

enum sn_ingest_protocol {
    SN_INGEST_PROMETHEUS_TEXT = 0,
    SN_INGEST_REMOTE_WRITE = 1,
    SN_INGEST_PUSHGATEWAY = 2, /* each sampling of a pushed group counts */
    SN_INGEST_STATSD = 3,
    SN_INGEST_OTLP = 4,
    SN_INGEST_JSON_LINES = 5,
    SN_INGEST_SCRAPE = 6, /* what this server fetched */
    SN_INGEST_PROTOCOL_COUNT = 7,
};
/* "prometheus_text", "remote_write", "pushgateway", "statsd", "otlp", "json_lines", "scrape" */
const char *sn_ingest_protocol_name(enum sn_ingest_protocol protocol);

/* Why a sample was not stored. The reasons of the sink (enum sn_reject) come first. */
enum sn_ingest_reason {
    SN_INGEST_LABEL_LIMIT = SN_REJECT_LABEL_LIMIT, /* found here, before the sink sees them */
    SN_INGEST_REQUEST_LIMIT = SN_REJECT_COUNT, /* beyond the samples that one request may have */
    SN_INGEST_METADATA_LIMIT,    /* help or name too long; counts metadata, not samples */
    SN_INGEST_NOT_STORED,        /* the sink did not take the batch, or lost it */
    SN_INGEST_INVALID_LABELS,    /* no metric name, a name twice, not UTF-8 */
    SN_INGEST_INVALID_HISTOGRAM, /* buckets that contradict each other, or too many */
    SN_INGEST_MALFORMED,         /* a StatsD line that is none, an OTLP point that means nothing */
    SN_INGEST_LOG_RECORD,        /* log records: there is no store for them */
    SN_INGEST_TYPE_CONFLICT,     /* the series is there with another type */
    SN_INGEST_REASON_COUNT,
};
/* "out_of_order", "label_limit", ...; reason is an enum sn_reject or an enum sn_ingest_reason. */
const char *sn_ingest_reason_name(unsigned reason);

/* Any thread, after init and before release. */
struct sn_ingest {
    struct sn_sink sink;        /* constant */
    struct sn_ingest *counters; /* constant: whose counters count, as a rule its own */
    /* Relaxed atomics: a reader may see one counter newer than another. */
    _Atomic uint64_t ingested_count[SN_INGEST_PROTOCOL_COUNT];
    _Atomic uint64_t rejected_count[SN_INGEST_REASON_COUNT];
    _Atomic uint64_t request_count;
    _Atomic uint64_t refused_request_count;
};

/* What happened since init. */
struct sn_ingest_counters {
    uint64_t ingested_count[SN_INGEST_PROTOCOL_COUNT]; /* samples that are durable */
    uint64_t rejected_count[SN_INGEST_REASON_COUNT];   /* samples that are not, by reason */
    uint64_t request_count;
    uint64_t refused_request_count; /* requests that failed as a whole */
};

struct sn_ingest_options {
    struct sn_labels extra_labels; /* of every series; they win against those of the body */
    int64_t default_time_ms;       /* of samples without a timestamp */
    bool is_ignoring_timestamps;   /* all samples get default_time_ms */
    bool is_openmetrics;           /* of sn_ingest_text: the page is OpenMetrics, to "# EOF" */
    size_t samples_max;            /* of this request; 0: SN_INGEST_SAMPLES_MAX */
};

struct sn_ingest_result {
    uint64_t accepted_count;           /* samples and histograms that the sink took */
    uint64_t accepted_histogram_count; /* those of them that are histograms */
    uint64_t accepted_exemplar_count;  /* not part of accepted_count */
    uint64_t lost_count;               /* samples and histograms that were not taken */
    /* By reason: the lost ones, and beside them exemplars and metadata that were left out. */
    uint64_t rejected_count[SN_INGEST_REASON_COUNT];
    struct sn_err first_reject; /* a sentence about the first one, with its line or series */
};

/*
 *   sink   copied; what it stands for lives longer than every push (its done has been called)
 */
void sn_ingest_init(struct sn_ingest *ingest, struct sn_sink sink);

/* One into another sink whose samples are counted with those of `other`, which lives longer; NULL: by
 * itself. */
void sn_ingest_init_beside(struct sn_ingest *ingest, struct sn_sink sink, struct sn_ingest *other);

/*
 * Take a page of the text exposition format (wire/text.h).
 *
 *   body     borrowed for the call
 *   options  borrowed for the call; default_time_ms is within SN_TIME_MS_MIN..SN_TIME_MS_MAX
 *   done     as in sn_sink.push: called once, exactly when SN_OK is returned; fn may be NULL
 *   ret_result  written on SN_OK only
 *
 * Returns SN_OK; SN_ERR_INVALID (syntax, with line and column, or an option); SN_ERR_LIMIT (the
 * body or its memory is too large); SN_ERR_NO_MEMORY; and the failures of the sink's push. After
 * a failure nothing has been stored.
 * Threads: any, at the same time. Blocks: as the sink's push does.
 * Cost: O(body); one arena of at most SN_INGEST_MEMORY_MAX.
 */
sn_status sn_ingest_text(struct sn_ingest *ingest, struct sn_str body,
                         const struct sn_ingest_options *options, struct sn_push_done done,
                         struct sn_ingest_result *ret_result, struct sn_err *err) SN_MUST_USE;

/* As sn_ingest_text, and wait until it is durable. Blocks on disk. Also the statuses of done. */
sn_status sn_ingest_text_wait(struct sn_ingest *ingest, struct sn_str body,
                              const struct sn_ingest_options *options,
                              struct sn_ingest_result *ret_result, struct sn_err *err) SN_MUST_USE;

/*
 * Take samples as JSON lines (wire/json_series.h); of the options extra_labels and samples_max count.
 * A line that is malformed refuses the body; a series whose labels are not valid is left out.
 * Statuses, threads and cost as sn_ingest_text.
 */
sn_status sn_ingest_json_lines(struct sn_ingest *ingest, struct sn_str body,
                               const struct sn_ingest_options *options, struct sn_push_done done,
                               struct sn_ingest_result *ret_result, struct sn_err *err) SN_MUST_USE;

/*
 * Take a request of Prometheus remote write (wire/remote_write.h), already decompressed.
 *
 *   options  as above, of which only extra_labels and samples_max are used: every sample has a time
 *
 * A series whose labels are not valid is left out with its samples, and the rest is pushed: senders
 * put what has nothing to do with each other into one request and do not repeat a refused one.
 * Exemplars and histograms go to the sink, which may reject them.
 *
 * Statuses, threads and cost as sn_ingest_text; SN_ERR_INVALID is a body that is not well-formed.
 */
sn_status sn_ingest_remote_write(struct sn_ingest *ingest, struct sn_str body,
                                 enum sn_remote_write_version version,
                                 const struct sn_ingest_options *options, struct sn_push_done done,
                                 struct sn_ingest_result *ret_result,
                                 struct sn_err *err) SN_MUST_USE;

/* Count samples that are left out before they become part of a request. reason: as above. */
void sn_ingest_count_rejected(struct sn_ingest *ingest, unsigned reason, uint64_t sample_count);

/*
 * A sink that counts: for what makes batches of its own, such as scraping. The door and the ingest
 * live longer than every push through it.
 */
struct sn_ingest_door {
    struct sn_ingest *ingest;
    enum sn_ingest_protocol protocol;
};
struct sn_sink sn_ingest_door_sink(struct sn_ingest_door *door);

/* Threads: any. Cost: some relaxed loads. */
struct sn_ingest_counters sn_ingest_read_counters(const struct sn_ingest *ingest);

#endif
