/* Rollups of a store under test, beside what its samples sum up to. */
#ifndef SN_TESTS_ROLLUP_SUPPORT_H
#define SN_TESTS_ROLLUP_SUPPORT_H

#include "store_support.h"

#include "model/rollup.h"

#define TEST_HOUR_MS SN_ROLLUP_WIDE_MS
#define TEST_DAY_MS INT64_C(86400000)
/* Midnight, a few hours before TEST_NOW_MS. */
#define TEST_DAY_START_MS (TEST_NOW_MS / TEST_DAY_MS * TEST_DAY_MS)

#define TEST_ALL_ENDS ((struct sn_range){.start_ms = 0, .end_ms = INT64_MAX})

/* For cmocka, with test_store_tear_down: a store that is not open yet, at noon, which keeps samples for
 * ten days and takes them up to twenty days late. */
int test_rollups_set_up(void **state);

/* Let eleven days pass and apply the retention; while the store is closed, so that no worker does it
 * beside us. */
void test_expire(struct test_store *test);

/* Id of series m{n}, which must be there. */
uint64_t test_series_id(struct test_store *test, unsigned number);

/* Push samples of series name{n} from `from` (included) to `to`, `step_ms` apart; values are of a counter
 * that falls now and then when `number` is even, of a gauge when it is odd. */
void test_push_span(struct test_store *test, const char *name, unsigned number,
                    struct sn_range span, int64_t step_ms);

/* All rollups of a series within a range of ends; the caller releases. Asserts success. */
void test_read_rollups(struct test_store *test, uint64_t id, struct sn_range ends, int64_t width_ms,
                       struct sn_rollups *ret_rollups);

/* What the samples that can be read sum up to. */
void test_sum_up(struct test_store *test, uint64_t id, struct sn_range ends, int64_t width_ms,
                 struct sn_rollups *ret_rollups);

void test_assert_same_rollup(const struct sn_rollup *a, const struct sn_rollup *b);
void test_assert_same_rollups(const struct sn_rollups *a, const struct sn_rollups *b);

/* Assert that rollups of both tiers are what the samples sum up to, over several ranges. */
void test_check_rollups(struct test_store *test, uint64_t id);

#endif
