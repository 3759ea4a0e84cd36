/*
 * The last day of all applications, and the day before it: events summed up hour by hour. Made for
 * the tiles of the overview and its list of errors.
 *
 * A day is the running hour and the 23 before it.
 */
#ifndef SN_ENGINE_DAY_H
#define SN_ENGINE_DAY_H

#include "engine/usage.h"

#define SN_DAY_HOURS 24
#define SN_DAY_CLASSES_MAX 50 /* error classes that are told apart; the most frequent ones */

struct sn_day_class {
    struct sn_str name;
    uint64_t count;
    uint64_t hours[SN_DAY_HOURS]; /* oldest first */
    int64_t first_ms;             /* ever, as far as groups of errors tell; else in the day */
    int64_t last_ms;
};

struct sn_day {
    struct sn_usage_totals today, before;
    struct sn_day_class *classes; /* [class_count], the most frequent first */
    size_t class_count;
};

/*
 * Sum up.
 *
 *   records  NULL: an empty day
 *   ret_day  in the arena; written on SN_OK only
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and the statuses of the records. Blocks on the database.
 */
sn_status sn_day_read(struct sn_records *records, int64_t now_ms, struct sn_arena *arena,
                      struct sn_day *ret_day, struct sn_err *err) SN_MUST_USE;

/* Copy to an arena. */
sn_status sn_day_copy(const struct sn_day *day, struct sn_arena *arena, struct sn_day *ret_copy,
                      struct sn_err *err) SN_MUST_USE;

#endif
