/* Groups of errors in SQLite. */
#include "records_support.h"

#include <stdlib.h>

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

static void add(struct test_place *place, const char *user_id, int64_t offset_ms,
                const char *message) {
    const struct sn_app_event event = test_event(user_id, offset_ms, message);
    struct sn_engine_write write = {.events = &event, .event_count = 1};
    assert_int_equal(test_commit_write(place, &write), SN_OK);
}

static struct sn_error_list list(struct test_place *place, struct sn_error_filter filter) {
    struct sn_error_list found;
    filter.limit = filter.limit > 0 ? filter.limit : 100;
    assert_int_equal(
        place->engine.ops->list_errors(place->engine.ctx, &filter, &place->arena, &found, NULL),
        SN_OK);
    return found;
}

static sn_status resolve(struct test_place *place, int64_t id, bool is_resolved,
                         int64_t offset_ms) {
    const struct sn_engine_error_change change = {id, is_resolved, TEST_NOW_MS + offset_ms};
    struct sn_engine_write write = {.error_change = &change};
    return test_commit_write(place, &write);
}

static void equal_errors_are_one_group(void **state) {
    add(*state, "u1", 5, "x");
    add(*state, "u2", 9, "x");
    add(*state, "u1", 1, "x");
    add(*state, "", 2, "x");
    add(*state, "u1", 7, "y");
    struct sn_error_list found = list(*state, (struct sn_error_filter){.limit = 0});
    assert_int_equal(found.count, 2);
    const struct sn_error_group *group = &found.items[0];
    assert_true(sn_str_equal(group->message, SN_STR("x")));
    assert_int_equal(group->count, 4);
    assert_int_equal(group->user_count, 2);
    assert_int_equal(group->first_ms, TEST_NOW_MS + 1);
    assert_int_equal(group->last_ms, TEST_NOW_MS + 9);
    assert_int_equal(found.items[1].count, 1);
}

static void a_resolved_group_opens_with_a_newer_error(void **state) {
    add(*state, "u1", 0, "x");
    assert_int_equal(resolve(*state, 1, true, 10), SN_OK);
    struct sn_error_list found = list(*state, (struct sn_error_filter){.state = SN_ERROR_RESOLVED});
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].resolved_ms, TEST_NOW_MS + 10);
    add(*state, "u1", 5, "x"); /* older than that */
    assert_int_equal(list(*state, (struct sn_error_filter){.state = SN_ERROR_OPEN}).count, 0);
    add(*state, "u1", 11, "x");
    found = list(*state, (struct sn_error_filter){.state = SN_ERROR_OPEN});
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].reopened_count, 1);
    assert_int_equal(found.items[0].count, 3);
    assert_int_equal(resolve(*state, 1, true, 20), SN_OK);
    assert_int_equal(resolve(*state, 1, false, 30), SN_OK);
    found = list(*state, (struct sn_error_filter){.id = 1});
    assert_int_equal(found.items[0].resolved_ms, 0);
    assert_int_equal(found.items[0].reopened_count, 2);
}

static void a_group_that_is_not_there_is_not_found(void **state) {
    assert_int_equal(resolve(*state, 99, true, 0), SN_ERR_NOT_FOUND);
    assert_int_equal(list(*state, (struct sn_error_filter){.id = 99}).count, 0);
}

static void lists_are_filtered_and_limited(void **state) {
    add(*state, "u", 0, "x");
    add(*state, "u", 1, "y");
    assert_int_equal(list(*state, (struct sn_error_filter){.app = SN_STR("a")}).count, 2);
    assert_int_equal(list(*state, (struct sn_error_filter){.app = SN_STR("b")}).count, 0);
    assert_int_equal(list(*state, (struct sn_error_filter){.error_class = SN_STR("C")}).count, 2);
    assert_int_equal(list(*state, (struct sn_error_filter){.error_class = SN_STR("' OR 1")}).count,
                     0);
    struct sn_error_list found = list(*state, (struct sn_error_filter){.limit = 1});
    assert_int_equal(found.count, 1);
    assert_true(sn_str_equal(found.items[0].message, SN_STR("y")));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_errors_are_one_group),
        TEST(a_resolved_group_opens_with_a_newer_error),
        TEST(a_group_that_is_not_there_is_not_found),
        TEST(lists_are_filtered_and_limited),
    };
    return cmocka_run_group_tests_name("lite_errors", tests, NULL, NULL);
}
