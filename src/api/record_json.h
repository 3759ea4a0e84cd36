/*
 * Records as JSON, both ways. Pure.
 *
 *   {"timestamp": "2026-11-21T10:11:12.345Z" or Unix seconds, "metric_type": "processing_time",
 *    "name": "download", "value": 1.5, "unit": "seconds", "service": "crawler",
 *    "description": "...", "metadata": {...}, "ok": 9, "total": 10}
 *
 * metric_type, name and value are needed; timestamp is now by default. A success_rate may have ok
 * and total in place of value. Unknown fields are refused, so that a typo does not lose data.
 */
#ifndef SN_API_RECORD_JSON_H
#define SN_API_RECORD_JSON_H

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "records/record.h"

#define SN_RECORD_ERRORS_MAX 100 /* told of one batch; the others are counted */

struct sn_record_error {
    size_t index;
    const char *text; /* in the arena */
};

struct sn_record_reading {
    struct sn_record *records; /* [count] in the arena, text in the body or the arena */
    size_t count;
    struct sn_record_error *errors; /* [error_count] of those that are not valid */
    size_t error_count;
    size_t invalid_count; /* records that are not valid; 0: all can be stored */
};

struct sn_record_json_options {
    struct sn_arena *arena;
    int64_t now_ms; /* time of records without one */
    uint64_t hash_seed;
    bool is_batch; /* an array of records, or {"metrics": [...]}; else one record */
};

/*
 * Read a body. SN_OK, also when records are not valid: see invalid_count. SN_ERR_INVALID (not JSON,
 * or another shape), SN_ERR_LIMIT (depth, SN_RECORD_BATCH_MAX), SN_ERR_NO_MEMORY.
 */
sn_status sn_record_json_read(struct sn_str body, const struct sn_record_json_options *options,
                              struct sn_record_reading *ret_reading,
                              struct sn_err *err) SN_MUST_USE;

/* One record as an object. */
void sn_record_json_write(struct sn_json_writer *json, const struct sn_record *record);

/*
 * A time in JSON: text of RFC 3339 or a number of Unix seconds; consumes the value. false: neither.
 */
bool sn_record_json_time(struct sn_json_reader *json, int64_t *ret_time_ms, struct sn_err *err);

/* Whether the text of a JSON value holds the escape of NUL, which databases cannot store. */
bool sn_json_has_nul(struct sn_str json);

#endif
