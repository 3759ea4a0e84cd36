/*
 * Sorting many new series into metric order. The texts of a million series are compared twenty million
 * times by a comparing sort, which takes seconds; the label pairs that they are made of are few, so those
 * are sorted, and the series by the numbers of their pairs, position by position (radix sort).
 */
#ifndef SN_STORE_SERIES_SORT_H
#define SN_STORE_SERIES_SORT_H

#include "base/status.h"
#include "store/series_index.h"

#include <stdint.h>

/*
 * Sort series into the order of sn_series_index_compare_metric.
 *
 *   pair_count  pairs of the index, learned after the series
 *   ids         [count]
 *
 * Without the lock. SN_ERR_NO_MEMORY: the ids are as before.
 * Cost: about 20 ns per label of a series, and sorting the different pairs; 16 bytes per series for a
 * while.
 */
sn_status sn_series_sort(const struct sn_series_index *index, uint32_t pair_count, uint32_t *ids,
                         size_t count) SN_MUST_USE;

#endif
