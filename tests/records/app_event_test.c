/* What an event must be, and its items as bytes. */
#include "records/app_event.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char long_text[SN_EVENT_METADATA_BYTES_MAX + 2];

static struct sn_app_event plain(void) {
    return (struct sn_app_event){.app = SN_STR("a"), .type = SN_STR("t")};
}

static void app_and_type_are_needed(void **state) {
    (void)state;
    struct sn_app_event event = plain();
    assert_int_equal(sn_app_event_check(&event, NULL), SN_OK);
    event.app = SN_STR("");
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    event = plain();
    event.type = SN_STR("");
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
}

static void limits_hold_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    memset(long_text, 'x', sizeof long_text);
    struct sn_app_event event = plain();
    const struct {
        struct sn_str *text;
        size_t max;
    } rows[] = {
        {&event.app, SN_EVENT_NAME_BYTES_MAX},
        {&event.type, SN_EVENT_NAME_BYTES_MAX},
        {&event.user_id, SN_EVENT_NAME_BYTES_MAX},
        {&event.error_type, SN_EVENT_NAME_BYTES_MAX},
        {&event.error_message, SN_EVENT_MESSAGE_BYTES_MAX},
        {&event.metadata, SN_EVENT_METADATA_BYTES_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        event = plain();
        *rows[i].text = sn_str_make(long_text, rows[i].max);
        assert_int_equal(sn_app_event_check(&event, NULL), SN_OK);
        rows[i].text->len++;
        assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_LIMIT);
    }
}

static void numbers_make_sense(void **state) {
    (void)state;
    struct sn_app_event event = plain();
    event.time_ms = -1;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_LIMIT);
    event = plain();
    event.has_duration = true;
    event.duration_ms = -1;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    event = plain();
    event.quantity = (double)INFINITY;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    event = plain();
    event.credits = (double)NAN;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    event = plain();
    event.credits = -5;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_OK);
}

static void items_are_checked_too(void **state) {
    (void)state;
    struct sn_app_event_item items[SN_EVENT_ITEMS_MAX + 1];
    for (size_t i = 0; i <= SN_EVENT_ITEMS_MAX; i++)
        items[i] = (struct sn_app_event_item){.kind = SN_STR("k"), .id = SN_STR("i"), .count = 1};
    struct sn_app_event event = plain();
    event.items = items;
    event.item_count = SN_EVENT_ITEMS_MAX;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_OK);
    event.item_count++;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_LIMIT);
    event.item_count = 1;
    items[0].count = 0;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    items[0].count = SN_EVENT_COUNT_MAX;
    assert_int_equal(sn_app_event_check(&event, NULL), SN_OK);
    items[0].id = SN_STR("");
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
    items[0].id = SN_STR("\xff");
    assert_int_equal(sn_app_event_check(&event, NULL), SN_ERR_INVALID);
}

static void items_come_back_from_their_bytes(void **state) {
    (void)state;
    const struct sn_app_event_item items[] = {
        {SN_STR("pose"), SN_STR("p1"), SN_STR("Warrior"), SN_STR("standing"), 3},
        {SN_STR("k"), SN_STR("i"), SN_STR(""), SN_STR(""), SN_EVENT_COUNT_MAX}};
    const struct sn_app_event_item *found;
    size_t count;
    struct sn_buf buf;
    struct sn_arena arena;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    sn_app_event_items_encode(items, 2, &buf);
    assert_int_equal(sn_app_event_items_decode(sn_buf_str(&buf), &arena, &found, &count, NULL),
                     SN_OK);
    assert_int_equal(count, 2);
    assert_true(sn_str_equal(found[0].name, items[0].name));
    assert_true(sn_str_equal(found[0].category, items[0].category));
    assert_int_equal(found[1].count, SN_EVENT_COUNT_MAX);
    for (size_t len = 1; len < buf.len; len++) { /* cut anywhere but between two items */
        sn_status status =
            sn_app_event_items_decode(sn_str_make(buf.ptr, len), &arena, &found, &count, NULL);
        assert_true(status == SN_ERR_CORRUPT || count == 1);
    }
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void outcomes_have_names(void **state) {
    (void)state;
    assert_string_equal(sn_outcome_name(SN_OUTCOME_OK), "ok");
    assert_string_equal(sn_outcome_name(SN_OUTCOME_ERROR), "error");
    assert_string_equal(sn_outcome_name(SN_OUTCOME_ABORTED), "aborted");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(app_and_type_are_needed),
        cmocka_unit_test(limits_hold_at_both_sides_of_the_boundary),
        cmocka_unit_test(numbers_make_sense),
        cmocka_unit_test(items_are_checked_too),
        cmocka_unit_test(items_come_back_from_their_bytes),
        cmocka_unit_test(outcomes_have_names),
    };
    return cmocka_run_group_tests_name("app_event", tests, NULL, NULL);
}
