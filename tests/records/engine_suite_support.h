/*
 * What every engine must do, for both databases. Each function gets an open engine without data.
 */
#ifndef SN_TESTS_ENGINE_SUITE_SUPPORT_H
#define SN_TESTS_ENGINE_SUITE_SUPPORT_H

#include "records_support.h"

void suite_pages_hold_every_record_once_newest_first(struct test_place *place);
void suite_records_come_back_whole(struct test_place *place);
void suite_values_are_scanned_with_their_counts(struct test_place *place);
void suite_records_are_purged_by_age_and_type(struct test_place *place);
void suite_sql_in_every_field_is_only_text(struct test_place *place);
void suite_events_come_back_whole(struct test_place *place);
void suite_hours_are_marked_until_their_summary_fits(struct test_place *place);
void suite_errors_group_resolve_and_reopen(struct test_place *place);
void suite_events_are_purged_by_whole_hours(struct test_place *place);
void suite_a_write_that_lacks_memory_leaves_nothing(struct test_place *place);
void suite_a_read_that_lacks_memory_says_so(struct test_place *place);

#endif
