/*
 * Ids of records: UUIDs of version 7. On SQLite an id is derived from the row, so that it costs no
 * column and no index:
 *
 *   48 bits   the record's time, Unix milliseconds
 *    4 bits   7
 *   12 bits   tag, upper part
 *    2 bits   variant (binary 10)
 *   40 bits   row number
 *   22 bits   tag, lower part
 *
 * The tag depends on time, row number and three secrets of the database, so that an id that was
 * made up, or comes from another database, hits nothing. It is no signature: who has seen some ids
 * can work out others, and reading them needs a role anyway. It is arithmetic that SQL can do, so
 * that the view system_metrics works in any client.
 */
#ifndef SN_RECORDS_RECORD_ID_H
#define SN_RECORDS_RECORD_ID_H

#include "records/record.h"

#define SN_RECORD_ID_TEXT_SIZE 37 /* 8-4-4-4-12 digits and NUL */

#define SN_RECORD_ROW_MAX ((INT64_C(1) << 40) - 1)

/* Secrets below 2^34. */
struct sn_record_id_key {
    int64_t a;
    int64_t b;
    int64_t c;
};

/* row: 0..SN_RECORD_ROW_MAX; time_ms: SN_TIME_MS_MIN..SN_TIME_MS_MAX. */
struct sn_record_id sn_record_id_make(const struct sn_record_id_key *key, int64_t time_ms,
                                      int64_t row);

/* The other way: false when the id was not made with this key. */
bool sn_record_id_open(const struct sn_record_id_key *key, const struct sn_record_id *id,
                       int64_t *ret_time_ms, int64_t *ret_row);

/* The time of any UUID of version 7. */
int64_t sn_record_id_time_ms(const struct sn_record_id *id);

/* With random bits in place of row and tag, from two random words. */
struct sn_record_id sn_record_id_random(int64_t time_ms, uint64_t random_high, uint64_t random_low);

/* Lower-case text with hyphens, NUL-terminated. */
void sn_record_id_format(const struct sn_record_id *id, char ret_text[SN_RECORD_ID_TEXT_SIZE]);

/* 36 characters, digits of either case. SN_ERR_INVALID with a sentence. */
sn_status sn_record_id_parse(struct sn_str text, struct sn_record_id *ret_id,
                             struct sn_err *err) SN_MUST_USE;

#endif
