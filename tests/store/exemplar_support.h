/*
 * Exemplars of a store of a test, as short text.
 */
#ifndef SN_TESTS_EXEMPLAR_SUPPORT_H
#define SN_TESTS_EXEMPLAR_SUPPORT_H

#include "store_support.h"

/* An exemplar of series m{number} with trace_id = t<value>; with a sample unless it stands alone. */
void test_push_exemplar(struct test_store *test, unsigned number, int64_t offset_ms, int value,
                        bool with_sample, struct sn_push_result *ret_result);

/* All exemplars of metric m in the range as "n:value@offset " in the order of the answer. */
sn_status test_list_exemplars(struct test_store *test, struct sn_range range, struct sn_buf *text);

/* Assert the text of those in a range of offsets from TEST_NOW_MS. */
void test_assert_exemplars(struct test_store *test, int64_t from_ms, int64_t to_ms,
                           const char *expected);

#endif
