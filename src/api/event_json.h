/*
 * Events of applications from JSON. Pure.
 *
 *   {"app": "pose-generator", "type": "generation", "user_id": "u1", "outcome": "ok",
 *    "duration_ms": 1500, "quantity": 4, "credits": 4, "timestamp": ..., "metadata": {...},
 *    "items": [{"kind": "pose", "id": "p1", "name": "Warrior", "category": "standing", "count": 1}],
 *    "error": {"message": "FLUX API timed out after 30 s", "type": "TimeoutError"}}
 *
 * app and type are needed. outcome is ok, error or aborted; without it: error when there is an
 * error, else ok. quantity without a value is the sum of the items' counts. Unknown fields are
 * refused.
 */
#ifndef SN_API_EVENT_JSON_H
#define SN_API_EVENT_JSON_H

#include "api/record_json.h"
#include "insight/error_class.h"
#include "records/records.h"

struct sn_event_reading {
    struct sn_app_event *events; /* [count] in the arena, text in the body or the arena */
    size_t count;
    struct sn_record_error *errors; /* [error_count] of those that are not valid */
    size_t error_count;
    size_t invalid_count; /* events that are not valid; 0: all can be stored */
};

struct sn_event_json_options {
    struct sn_arena *arena;
    int64_t now_ms;           /* time of events without one */
    struct sn_range_ms times; /* that are taken */
    uint64_t hash_seed;
    struct sn_error_rules rules; /* classes of errors, before the defaults */
};

/*
 * Read one event, an array of them, or {"events": [...]}. SN_OK, also when events are not valid: see
 * invalid_count. SN_ERR_INVALID (not JSON, or another shape), SN_ERR_LIMIT (depth,
 * SN_EVENT_BATCH_MAX), SN_ERR_NO_MEMORY.
 */
sn_status sn_event_json_read(struct sn_str body, const struct sn_event_json_options *options,
                             struct sn_event_reading *ret_reading, struct sn_err *err) SN_MUST_USE;

#endif
