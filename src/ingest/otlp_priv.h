/*
 * One OTLP request while it is read: what otlp.c (points) and otlp_labels.c (names) share.
 */
#ifndef SN_INGEST_OTLP_PRIV_H
#define SN_INGEST_OTLP_PRIV_H

#include "ingest/ingest_priv.h"
#include "ingest/otlp.h"

/* Labels of a point before its name: its own, job, instance, and one for le or quantile. */
enum { SN_OTLP_LABELS_MAX = SN_OTLP_ATTRIBUTES_MAX + 4 };

/* On the heap of its call: 30 KiB. */
struct sn_otlp_request {
    struct sn_ingest *ingest;
    struct sn_otlp_deltas *deltas;
    int64_t now_ms;
    struct sn_arena texts;   /* of the reader, resources and metrics: lives until the push */
    struct sn_arena scratch; /* of one point */
    struct sn_batch_builder builder;
    struct sn_ingest_otlp_result result;

    /* The resource. */
    size_t resource_number;
    struct sn_str job, instance;  /* empty: none */
    struct sn_labels target_info; /* count 0: none */
    int64_t target_time_ms;       /* of its newest point */

    /* The metric. */
    struct sn_otlp_metric metric;
    struct sn_str name;

    /* The point. */
    struct sn_label
        labels[SN_OTLP_LABELS_MAX]; /* [label_count], of all its series, without a name */
    size_t label_count;
    int64_t time_ms, start_ms;
    uint32_t series; /* that was added last */

    /* For one exemplar. */
    struct sn_otlp_attribute exemplar_attributes[SN_OTLP_ATTRIBUTES_MAX];
    struct sn_label exemplar_labels[SN_OTLP_LABELS_MAX];
};

/* The request comes to another resource: what it says about all its points. Failures of memory. */
sn_status sn_otlp_begin_resource(struct sn_otlp_request *request,
                                 const struct sn_otlp_attributes *resource,
                                 struct sn_err *err) SN_MUST_USE;

/* The last point of the resource was seen: push its target_info. */
sn_status sn_otlp_end_resource(struct sn_otlp_request *request, struct sn_err *err) SN_MUST_USE;

/* Name and metadata of a metric, unless it is the one of the last point. An empty name is none. */
sn_status sn_otlp_begin_metric(struct sn_otlp_request *request, const struct sn_otlp_metric *metric,
                               struct sn_err *err) SN_MUST_USE;

/* Labels of a point. SN_ERR_LIMIT with a sentence: too many. */
sn_status sn_otlp_begin_labels(struct sn_otlp_request *request,
                               const struct sn_otlp_attributes *attributes,
                               struct sn_err *err) SN_MUST_USE;

/*
 * Attributes as labels, appended to items[*count] for at most `max` in all. Those whose names become the
 * same are one label, with values joined by ';' in the order of their keys. Text is in `arena`.
 */
sn_status sn_otlp_make_labels(const struct sn_otlp_attributes *attributes, struct sn_arena *arena,
                              struct sn_label *items, size_t max, size_t *count,
                              struct sn_err *err) SN_MUST_USE;

/*
 * A series of the point: its labels, name + ending, and one more label unless its value is empty.
 *
 * SN_ERR_INVALID, SN_ERR_LIMIT with a sentence: labels that are not valid; SN_ERR_NO_MEMORY. The series is
 * request->series then.
 */
sn_status sn_otlp_add_series(struct sn_otlp_request *request, const char *ending,
                             struct sn_label more, struct sn_err *err) SN_MUST_USE;

/* Canonical labels of the point with the name of its metric, by which its stream of deltas is known; in
 * scratch. Statuses as above. */
sn_status sn_otlp_stream_key(struct sn_otlp_request *request, struct sn_str *ret_key,
                             struct sn_err *err) SN_MUST_USE;

#endif
