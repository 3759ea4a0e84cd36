/*
 * A JSON writer on top of a buffer. Commas, escaping and UTF-8 are its business, nesting is
 * checked.
 *
 *   struct sn_json_writer json;
 *   sn_json_write_init(&json, &buf, 0);
 *   sn_json_write_object_begin(&json);
 *   sn_json_write_key(&json, SN_STR("value"));
 *   sn_json_write_double(&json, 0.5);
 *   sn_json_write_object_end(&json);
 *   return sn_json_write_finish(&json, err);
 *
 * Invariants:
 *   1. What a sequence of calls that ends in SN_OK has appended is one valid JSON document.
 *   2. A failure (no memory, ceiling of the buffer, more than SN_JSON_DEPTH_MAX containers) is kept
 *      in the buffer's status; later calls do nothing.
 *   3. Calls out of turn (a value without a key, an end without a begin, two documents) are bugs of
 *      the caller: SN_NEVER, and SN_ERR_INTERNAL in the buffer.
 *   4. Repeated keys are not looked for.
 * One thread per writer. Nothing to release.
 */
#ifndef SN_CODEC_JSON_WRITE_H
#define SN_CODEC_JSON_WRITE_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* NaN and the infinities become "NaN", "+Inf", "-Inf" in quotes; without the flag they are null. */
#define SN_JSON_NON_FINITE_TEXT 1u

/* Fields are private to json_write.c. */
struct sn_json_writer {
    struct sn_buf *buf; /* borrowed */
    uint64_t is_object; /* bit d: the container at depth d+1 is an object */
    uint64_t has_items; /* bit d: it has an item already, so a comma comes next */
    uint32_t depth;
    uint32_t flags;
    bool has_key; /* a key was written and waits for its value */
    bool is_done; /* the document is complete */
};

/*
 * Start a document that is appended to buf; what buf holds already stays.
 *
 *   buf     kept, borrowed until the last call
 *   flags   0 or SN_JSON_NON_FINITE_TEXT
 */
void sn_json_write_init(struct sn_json_writer *writer, struct sn_buf *buf, uint32_t flags);

void sn_json_write_object_begin(struct sn_json_writer *writer);
void sn_json_write_object_end(struct sn_json_writer *writer);
void sn_json_write_array_begin(struct sn_json_writer *writer);
void sn_json_write_array_end(struct sn_json_writer *writer);

/* The name of the next member. Bytes that are not UTF-8 become U+FFFD, as in strings. */
void sn_json_write_key(struct sn_json_writer *writer, struct sn_str key);

/*
 * One value each. In strings '"', '\' and control characters are escaped, and every maximal piece
 * of bytes that is not UTF-8 becomes one U+FFFD, so that the output is always valid.
 */
void sn_json_write_string(struct sn_json_writer *writer, struct sn_str text);
void sn_json_write_double(struct sn_json_writer *writer,
                          double value); /* shortest, SN_DOUBLE_API */
void sn_json_write_int64(struct sn_json_writer *writer, int64_t value);
void sn_json_write_uint64(struct sn_json_writer *writer, uint64_t value);
void sn_json_write_bool(struct sn_json_writer *writer, bool value);
void sn_json_write_null(struct sn_json_writer *writer);

/* A double in quotes ("0.5", "+Inf"): how Prometheus writes the value of a sample. */
void sn_json_write_double_text(struct sn_json_writer *writer, double value);

/* Unix milliseconds as seconds with up to three decimals (1700000000.5), as Prometheus does. */
void sn_json_write_time(struct sn_json_writer *writer, int64_t time_ms);

/* Text that is one valid JSON value already, from sn_json_read_raw or another writer; not checked. */
void sn_json_write_raw(struct sn_json_writer *writer, struct sn_str json);

/* Shorthands for key and value. */
void sn_json_write_key_string(struct sn_json_writer *writer, struct sn_str key, struct sn_str text);
void sn_json_write_key_double(struct sn_json_writer *writer, struct sn_str key, double value);
void sn_json_write_key_int64(struct sn_json_writer *writer, struct sn_str key, int64_t value);
void sn_json_write_key_uint64(struct sn_json_writer *writer, struct sn_str key, uint64_t value);
void sn_json_write_key_bool(struct sn_json_writer *writer, struct sn_str key, bool value);

/*
 * End the document.
 *
 * Returns SN_OK, SN_ERR_LIMIT (depth, or the buffer's ceiling), SN_ERR_NO_MEMORY, SN_ERR_INTERNAL
 * (calls out of turn, or an unfinished document).
 */
sn_status sn_json_write_finish(struct sn_json_writer *writer, struct sn_err *err) SN_MUST_USE;

#endif
