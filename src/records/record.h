/*
 * Records: individually addressable measurements, the rows of the table system_metrics.
 *
 * Text is UTF-8 without NUL, as both databases want it; limits are below. Everything here is pure.
 */
#ifndef SN_RECORDS_RECORD_H
#define SN_RECORDS_RECORD_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of one record: what people write by hand, with room; a batch stays below 32 MiB. */
#define SN_RECORD_TYPE_BYTES_MAX 64
#define SN_RECORD_NAME_BYTES_MAX 200
#define SN_RECORD_SERVICE_BYTES_MAX 200
#define SN_RECORD_UNIT_BYTES_MAX 64
#define SN_RECORD_DESCRIPTION_BYTES_MAX 2048
#define SN_RECORD_METADATA_BYTES_MAX 16384
#define SN_RECORD_BATCH_MAX 1000               /* records of one request */
#define SN_RECORD_PAGE_MAX 1000                /* records of one answer */
#define SN_RECORD_COUNT_MAX (INT64_C(1) << 53) /* ok and total: exact as a double */

/* A UUID of version 7: the record's time and what the engine needs to find it. */
struct sn_record_id {
    uint8_t bytes[16];
};

struct sn_record {
    struct sn_record_id id; /* given by the engine */
    int64_t time_ms;
    double value;              /* finite */
    struct sn_str metric_type; /* "processing_time", "success_rate", ... or another */
    struct sn_str name;
    struct sn_str service; /* empty: none */
    struct sn_str unit;    /* empty: none */
    struct sn_str description;
    struct sn_str metadata; /* the text of one JSON object; empty: none */
    bool has_counts;        /* a success rate as two counts; value is ok_count / total_count */
    int64_t ok_count;
    int64_t total_count;
};

/* Empty text and SN_TIME_MS_MIN..SN_TIME_MS_MAX pass everything. */
struct sn_record_filter {
    struct sn_str metric_type;
    struct sn_str name;
    struct sn_str service;
    int64_t start_ms; /* included */
    int64_t end_ms;   /* included */
};

/* Newest first: by time, then by id. */
struct sn_record_page {
    struct sn_record_filter filter;
    size_t limit; /* 1..SN_RECORD_PAGE_MAX */
    bool has_cursor;
    struct sn_record_id cursor; /* the last record of the page before */
};

struct sn_record_list {
    struct sn_record *items; /* [count] in the arena of the call, text too */
    size_t count;
    bool has_more;
};

/* Called for each record of a filter, in no particular order; stops with a failure of its own. */
struct sn_record_visitor {
    void *ctx;
    /* Of the record: time, value and the counts; no text, no id. */
    sn_status (*visit)(void *ctx, const struct sn_record *record, struct sn_err *err);
};

/*
 * Whether a record can be stored: limits, UTF-8, no NUL, finite value, time in range, counts.
 *
 * Returns SN_OK, SN_ERR_INVALID, SN_ERR_LIMIT; the sentence names the field, the value, the limit.
 * metadata is not parsed: whoever has read it as JSON knows.
 */
sn_status sn_record_check(const struct sn_record *record, struct sn_err *err) SN_MUST_USE;

/* One text field: at most `max` bytes of UTF-8 without NUL. The same statuses. */
sn_status sn_record_check_text(const char *field, struct sn_str text, size_t max,
                               struct sn_err *err) SN_MUST_USE;

#endif
