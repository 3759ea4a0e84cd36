/*
 * A line as it lies in a ring: one record, all lengths in front, written by the caller in one go
 * and read by the writer in place.
 *
 *     head (40 bytes) | message, padded to 8 | field | field | ...
 *     field: head (16 bytes) | key | text | extra, padded to 8
 *
 * Records never leave the process. They are checked when they are read all the same: a crash
 * flush reads them while others write.
 */
#ifndef SN_CLIENT_LOG_RECORD_PRIV_H
#define SN_CLIENT_LOG_RECORD_PRIV_H

#include "base/str.h"
#include "sonde/log.h"

#define SN_LOG_RECORD_TICK 1u /* stamp is the processor's counter, else monotonic nanoseconds */
#define SN_LOG_RECORD_SKIP 2u /* no record: the rest of the ring before it starts again */

struct sn_log_record {
    uint32_t size; /* all of it, a multiple of 8 */
    uint16_t logger;
    uint8_t level;
    uint8_t flags;
    uint64_t stamp;
    uint64_t dropped; /* lines that the ring had dropped when this one came */
    uint32_t message_len;
    uint32_t truncated; /* bytes that did not fit */
    uint32_t suppressed;
    uint32_t field_count;
};
_Static_assert(sizeof(struct sn_log_record) == 40, "the head is a multiple of 8");
_Static_assert(offsetof(struct sn_log_record, stamp) == 8, "a skip is written in 8 bytes");

/*
 * Bytes that a line takes. SIZE_MAX: it is beyond a limit and must be cut first, or it has a
 * level or a kind that does not exist.
 */
size_t sn_log_record_size(const sonde_log_line *line);

/* Room for a line that was cut. */
struct sn_log_cut {
    sonde_log_line line;
    sonde_field fields[SONDE_LOG_FIELDS_MAX];
    uint32_t truncated; /* bytes of message, keys and values that are not in line */
};

/*
 * Make a line that fits from one that does not. The message gets at most half of the record; then
 * fields are taken in order, texts are cut between characters, what does not fit is left out.
 * Fields of unknown kinds are left out, an unknown level becomes ERROR.
 */
void sn_log_cut(const sonde_log_line *line, struct sn_log_cut *ret_cut);

/* Write a line whose size is not SIZE_MAX; fills in all but logger, flags, stamp and dropped. */
void sn_log_record_put(struct sn_log_record *record, size_t size, const sonde_log_line *line);

/* A field as it is read. Texts point into the record. */
struct sn_log_field {
    struct sn_str key;
    struct sn_str text;
    struct sn_str extra;
    uint64_t number;
    sonde_field_kind kind;
};

/* A line as the formats see it. Texts point into the record. */
struct sn_log_view {
    int64_t time_ns; /* Unix nanoseconds */
    struct sn_str logger;
    struct sn_str message;
    sonde_level level;
    uint32_t truncated;
    uint32_t suppressed;
    uint64_t missing;      /* not 0: this line tells of lines that are not there */
    const uint8_t *fields; /* up to fields_end */
    const uint8_t *fields_end;
};

/*
 * Look at the record in `room` bytes: message, fields, level and counts of *ret_view; the rest is
 * zero. False: these bytes are no record.
 */
bool sn_log_record_view(const void *record, size_t room, struct sn_log_view *ret_view);

/* Walk over fields: *at starts as view->fields. False: no more, or no field there. */
bool sn_log_field_next(const struct sn_log_view *view, const uint8_t **at,
                       struct sn_log_field *ret_field);

#endif
