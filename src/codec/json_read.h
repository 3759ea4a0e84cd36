/*
 * A strict JSON reader that is pulled: the caller asks for what it expects, in document order.
 *
 *   struct sn_json_reader json;
 *   struct sn_str key, name = {0};
 *   double value = 0;
 *   sn_json_read_init(&json, body, &(struct sn_json_options){.arena = &arena});
 *   if (sn_json_read_object(&json)) {
 *       while (sn_json_read_key(&json, &key)) {
 *           if (sn_str_equal(key, SN_STR("name")))
 *               name = sn_json_read_string(&json);
 *           else if (sn_str_equal(key, SN_STR("value")))
 *               value = sn_json_read_double(&json);
 *           else
 *               sn_json_read_skip(&json);
 *       }
 *   }
 *   return sn_json_read_finish(&json, err);
 *
 * Invariants:
 *   1. The first failure is remembered and ends all loops: later calls do nothing and yield false,
 *      0 or an empty string. sn_json_read_finish reports it, with byte, line and column, what was
 *      expected and what was found. Results count only after it returned SN_OK.
 *   2. What is accepted is RFC 8259 and nothing more: valid UTF-8, paired surrogates, no trailing
 *      commas, no comments, no NaN, one value, nothing behind it but blanks. A name that occurs
 *      twice in an object is refused, also inside of skipped values.
 *   3. The text and the arena outlive all strings that were read. Strings without escapes point
 *      into the text, others into the arena. The arena is used for nothing else, except for
 *      documents that have objects with many names: up to 120 bytes for each name that is open.
 *   4. Every value must be consumed: between two keys, exactly one value is read or skipped.
 *      Reading out of turn is a bug of the caller (SN_NEVER) and ends in SN_ERR_INTERNAL.
 * One thread per reader. No allocation outside of the arena.
 */
#ifndef SN_CODEC_JSON_READ_H
#define SN_CODEC_JSON_READ_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/str.h"
#include "codec/json_names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sn_json_kind {
    SN_JSON_NOTHING, /* no value comes here, or the reader has failed */
    SN_JSON_NULL,
    SN_JSON_BOOL,
    SN_JSON_NUMBER,
    SN_JSON_STRING,
    SN_JSON_ARRAY,
    SN_JSON_OBJECT,
};

struct sn_json_options {
    struct sn_arena *arena; /* borrowed; required */
    uint32_t depth_max;     /* nested containers, 0: SN_JSON_DEPTH_MAX, which is also the most */
    uint64_t hash_seed;     /* random for text from outside: nobody can choose colliding names */
};

/* Fields are private to json_read.c. Points into itself: not to be copied or moved. 2 KiB. */
struct sn_json_reader {
    const char *at;
    const char *mark; /* start of the name or value that was read last */
    const char *start;
    const char *end;
    struct sn_arena *arena;
    uint32_t depth;
    uint32_t depth_max;
    uint8_t expect;
    sn_status status;
    struct {
        bool is_object;
        struct sn_json_scope scope;
    } levels[SN_JSON_DEPTH_MAX + 1];
    struct sn_json_names names;
    struct sn_err err;
};

/*
 * Start reading a document.
 *
 *   text      borrowed until the last use of the reader and of its strings; at most 4 GiB - 1
 *   options   copied; options->arena is kept
 *
 * Threads: any. Blocks: never. Cost: O(1).
 */
void sn_json_read_init(struct sn_json_reader *reader, struct sn_str text,
                       const struct sn_json_options *options);

/* What comes next where a value is expected. Consumes blanks only. */
enum sn_json_kind sn_json_read_peek(struct sn_json_reader *reader);

/*
 * Enter an object; its names follow by sn_json_read_key. False: the reader has failed, also because
 * the value is of another kind.
 */
bool sn_json_read_object(struct sn_json_reader *reader);

/*
 * Read the next name of the innermost object; its value must be read next. False after the last
 * one (the object has been left) and after a failure.
 *
 *   ret_key   borrowed from text or arena; set to {NULL, 0} when false is returned
 */
bool sn_json_read_key(struct sn_json_reader *reader, struct sn_str *ret_key);

/* Enter an array; `while (sn_json_read_element(json))` then reads one value each round. */
bool sn_json_read_array(struct sn_json_reader *reader);
bool sn_json_read_element(struct sn_json_reader *reader);

/*
 * Read one value. Another kind is SN_ERR_INVALID; a number that the type cannot hold is
 * SN_ERR_LIMIT when out of range and SN_ERR_INVALID when it is not whole. "1.0" and "1e3" are
 * whole numbers. Integers are exact; with a point or an exponent they may have 19 digits.
 */
struct sn_str sn_json_read_string(struct sn_json_reader *reader); /* may contain NUL bytes */
double sn_json_read_double(struct sn_json_reader *reader);
int64_t sn_json_read_int64(struct sn_json_reader *reader);
uint64_t sn_json_read_uint64(struct sn_json_reader *reader);
bool sn_json_read_bool(struct sn_json_reader *reader);
void sn_json_read_null(struct sn_json_reader *reader);

/* If the next value is null consume it and return true, else leave it. For optional fields. */
bool sn_json_read_null_if(struct sn_json_reader *reader);

/* Read a number of any size as its text: "12345678901234567890123". Borrowed from the text. */
struct sn_str sn_json_read_number_text(struct sn_json_reader *reader);

/* Pass over one value, checking it in full; sn_json_read_raw also returns its text, borrowed. */
void sn_json_read_skip(struct sn_json_reader *reader);
struct sn_str sn_json_read_raw(struct sn_json_reader *reader);

/*
 * Refuse the document for a reason of the caller's ("step must be above 0"), with the position of
 * the name or value that was read last. Does nothing after an earlier failure.
 */
void sn_json_read_fail(struct sn_json_reader *reader, sn_status status, const char *format, ...)
    SN_PRINTF(3, 4);

/* Whether something failed. For loops that do more than read. */
static inline bool sn_json_read_failed(const struct sn_json_reader *reader) {
    return reader->status != SN_OK;
}

/*
 * End reading: check that one value was read and only blanks follow.
 *
 * Returns SN_OK, or the first failure with its sentence in err:
 *   SN_ERR_INVALID     not JSON, another kind than asked for, a name twice, text behind the value
 *   SN_ERR_LIMIT       too deep, number out of range, text of 4 GiB, arena full
 *   SN_ERR_NO_MEMORY   the arena could not grow
 *   SN_ERR_INTERNAL    read out of turn
 */
sn_status sn_json_read_finish(struct sn_json_reader *reader, struct sn_err *err) SN_MUST_USE;

#endif
