/*
 * OTLP in JSON becomes OTLP in Protobuf, field by field, so that everything behind it reads one form.
 *
 * As the specification demands: names in lowerCamelCase, unknown ones skipped, 64-bit integers as
 * numbers or text, enums by number (names are taken as well), trace and span ids in hexadecimal, other
 * bytes in base64, NaN and infinities as text. null stands for a field that is not there.
 *
 * Pure. Any thread.
 */
#ifndef SN_WIRE_OTLP_JSON_H
#define SN_WIRE_OTLP_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

enum sn_otlp_signal {
    SN_OTLP_METRICS = 0,
    SN_OTLP_LOGS = 1,
};

/*
 * Append the Protobuf form of an Export...ServiceRequest.
 *
 *   arena      for what the JSON reader needs; holds text with escapes
 *   hash_seed  random
 *
 * SN_ERR_INVALID (with line and column), SN_ERR_LIMIT (depth, numbers, arena, buf), SN_ERR_NO_MEMORY.
 */
sn_status sn_otlp_from_json(enum sn_otlp_signal signal, struct sn_str json, uint64_t hash_seed,
                            struct sn_arena *arena, struct sn_buf *ret_protobuf,
                            struct sn_err *err) SN_MUST_USE;

#endif
