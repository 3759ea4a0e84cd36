/* Events and summaries of hours in SQLite. */
#include "records_support.h"

#include <stdlib.h>

struct seen {
    size_t count;
    struct sn_app_event last; /* without texts */
    char user_id[16];
    size_t item_count;
    int64_t hours[8];
    bool has_summary[8];
};

static sn_status see_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->count++;
    seen->last = *event;
    seen->item_count = event->item_count;
    if (event->user_id.len > 0)
        memcpy(seen->user_id, event->user_id.ptr, event->user_id.len);
    return SN_OK;
}

static sn_status see_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                          struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    assert_true(sn_str_equal(app, SN_STR("a")));
    assert_true(seen->count < 8);
    seen->hours[seen->count] = hour;
    seen->has_summary[seen->count++] = summary.ptr != NULL;
    return SN_OK;
}

static struct seen scan(struct test_place *place, int64_t start_ms, int64_t end_ms) {
    struct seen seen = {0};
    const struct sn_app_event_visitor visitor = {&seen, see_event};
    const struct sn_range_ms range = {TEST_NOW_MS + start_ms, TEST_NOW_MS + end_ms};
    assert_int_equal(
        place->engine.ops->scan_events(place->engine.ctx, SN_STR("a"), range, &visitor, NULL),
        SN_OK);
    return seen;
}

static struct seen scan_hours(struct test_place *place, const char *app) {
    struct seen seen = {0};
    const struct sn_usage_visitor visitor = {&seen, see_hour};
    const struct sn_range_ms range = {0, TEST_NOW_MS + 100 * SN_HOUR_MS};
    assert_int_equal(
        place->engine.ops->scan_usage(place->engine.ctx, sn_str_from(app), range, &visitor, NULL),
        SN_OK);
    return seen;
}

static void add(struct test_place *place, const struct sn_app_event *events, size_t count) {
    struct sn_engine_write write = {.events = events, .event_count = count};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
}

static int set_up(void **state) {
    struct test_place *place = calloc(1, sizeof *place);
    test_place_init(place);
    test_place_open(place);
    *state = place;
    return 0;
}

static int tear_down(void **state) {
    test_place_release(*state);
    free(*state);
    return 0;
}

static void an_event_comes_back_with_all_its_fields(void **state) {
    static const struct sn_app_event_item item = {SN_STR("k"), SN_STR("i"), SN_STR("n"),
                                                  SN_STR("c"), 2};
    struct sn_app_event event = test_event("u1", 0, NULL);
    event.has_duration = true;
    event.duration_ms = 1.5;
    event.quantity = 2;
    event.credits = -3;
    event.items = &item;
    event.item_count = 1;
    event.outcome = SN_OUTCOME_ABORTED;
    add(*state, &event, 1);
    struct seen seen = scan(*state, 0, 1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.user_id, "u1");
    assert_true(seen.last.has_duration && seen.last.duration_ms == 1.5);
    assert_true(seen.last.quantity == 2 && seen.last.credits == -3);
    assert_int_equal(seen.last.outcome, SN_OUTCOME_ABORTED);
    assert_int_equal(seen.item_count, 1);
    assert_int_equal(scan(*state, 1, 100).count, 0);
    assert_int_equal(scan(*state, -100, 0).count, 0);
}

static void an_hour_is_marked_until_its_summary_fits(void **state) {
    const int64_t hour = TEST_NOW_MS / SN_HOUR_MS;
    const struct sn_app_event events[] = {test_event("u", 0, NULL), test_event("u", 1, NULL)};
    add(*state, events, 2);
    struct seen seen = scan_hours(*state, "a");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.hours[0], hour);
    assert_false(seen.has_summary[0]);
    assert_int_equal(scan_hours(*state, "").count, 1);

    struct sn_engine_usage usage = {SN_STR("a"), hour, SN_STR("sum"), 1};
    struct sn_engine_write write = {.usage = &usage};
    assert_int_equal(test_commit_write(*state, &write), SN_ERR_BUSY);
    usage.event_count = 2;
    write = (struct sn_engine_write){.usage = &usage};
    assert_int_equal(test_commit_write(*state, &write), SN_OK);
    seen = scan_hours(*state, "a");
    assert_int_equal(seen.count, 1);
    assert_true(seen.has_summary[0]);
    assert_int_equal(scan_hours(*state, "").count, 0);

    add(*state, events, 1); /* late */
    seen = scan_hours(*state, "a");
    assert_int_equal(seen.count, 1);
    assert_false(seen.has_summary[0]);
}

static void purge_deletes_whole_hours_and_keeps_summaries(void **state) {
    struct test_place *place = *state;
    const int64_t hour = TEST_NOW_MS / SN_HOUR_MS;
    const struct sn_app_event events[] = {test_event("u", 0, "m"),
                                          test_event("u", 2 * SN_HOUR_MS, NULL)};
    size_t count = 0;
    add(place, events, 2);
    const struct sn_engine_usage usage = {SN_STR("a"), hour, SN_STR("sum"), 1};
    struct sn_engine_write write = {.usage = &usage};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
    const struct sn_engine_purge purge = {
        .is_events = true, .before_ms = (hour + 1) * SN_HOUR_MS + 5, .row_max = 10};
    assert_int_equal(place->engine.ops->purge(place->engine.ctx, &purge, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    struct seen seen = scan_hours(place, "a");
    assert_int_equal(seen.count, 2);
    const struct sn_error_filter filter = {.limit = 10};
    struct sn_error_list list;
    assert_int_equal(
        place->engine.ops->list_errors(place->engine.ctx, &filter, &place->arena, &list, NULL),
        SN_OK);
    assert_int_equal(list.count, 0);
}

static void sql_in_every_field_is_only_text(void **state) {
    static const char evil[] = "'); DROP TABLE event; --";
    struct sn_app_event event = test_event(evil, 0, evil);
    event.app = event.type = event.error_type = sn_str_from(evil);
    struct sn_app_event plain = test_event("u", 0, NULL);
    add(*state, &event, 1);
    add(*state, &plain, 1);
    assert_int_equal(scan(*state, 0, 1).count, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_event_comes_back_with_all_its_fields),
        TEST(an_hour_is_marked_until_its_summary_fits),
        TEST(purge_deletes_whole_hours_and_keeps_summaries),
        TEST(sql_in_every_field_is_only_text),
    };
    return cmocka_run_group_tests_name("lite_events", tests, NULL, NULL);
}
