/*
 * A native histogram in JSON lines (json_series.h):
 *
 *   {"schema":3,"count":12,"sum":18.4,"zero_threshold":1e-128,"zero_count":2,
 *    "positive_spans":[[0,2],[1,1]],"positive_counts":[3,5,2],
 *    "negative_spans":[],"negative_counts":[],"custom_bounds":[],"counter_reset_hint":"gauge"}
 *
 * schema, count and sum are always there; what is 0, empty or "unknown" is left out. A span is
 * [offset, length] as in model/histogram.h, counts are absolute. Every bit of a number comes back.
 *
 * Pure. Any thread.
 */
#ifndef SN_WIRE_JSON_HISTOGRAM_PRIV_H
#define SN_WIRE_JSON_HISTOGRAM_PRIV_H

#include "base/arena.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "model/histogram.h"

/* A number has at most 24 characters, a span 25, each with a comma: 2,048 of both sides and bounds. */
#define SN_JSON_HISTOGRAM_BYTES_MAX ((size_t)256 << 10)

/* Room for the arrays of one histogram while it is read; from the arena when it is first needed. */
struct sn_json_histogram_room {
    struct sn_arena *arena;
    double *numbers;              /* [SN_HISTOGRAM_BUCKETS_MAX] */
    struct sn_bucket_span *spans; /* [SN_HISTOGRAM_BUCKETS_MAX] */
};

/* One value; the writer has SN_JSON_NON_FINITE_TEXT. At most SN_JSON_HISTOGRAM_BYTES_MAX when it is valid. */
void sn_json_histogram_write(struct sn_json_writer *json, const struct sn_histogram *histogram);

/*
 * One value. It may be none that is valid: for sn_histogram_validate. Its arrays are the arena's and as long
 * as they need to be. What is malformed, and arrays above SN_HISTOGRAM_BUCKETS_MAX, fail in the reader.
 */
void sn_json_histogram_read(struct sn_json_reader *json, struct sn_json_histogram_room *room,
                            struct sn_histogram *ret_histogram);

#endif
