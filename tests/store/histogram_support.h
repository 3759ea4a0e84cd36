/* Histograms that tests make up, and how they are pushed and read. */
#ifndef SN_TESTS_STORE_HISTOGRAM_SUPPORT_H
#define SN_TESTS_STORE_HISTOGRAM_SUPPORT_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/histogram.h"
#include "store_support.h"

/* The i-th state of a growing exponential histogram; its buckets change now and then. */
struct sn_histogram test_histogram(struct sn_arena *arena, unsigned i);

/* Any valid histogram: fractional counts, custom bounds, NaN sums, no buckets at all. */
struct sn_histogram test_random_histogram(struct sn_arena *arena, struct sn_rng *rng);

sn_status test_push_histogram(struct test_store *test, const char *name, unsigned number,
                              int64_t time_ms, int64_t start_ms,
                              const struct sn_histogram *histogram,
                              struct sn_push_result *ret_result);

/* All histograms of one series; the caller releases. Asserts success. */
void test_read_histograms(struct test_store *test, const char *name, unsigned number,
                          struct sn_range range, struct sn_histograms *ret_histograms);

#endif
