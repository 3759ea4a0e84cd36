/* Events from JSON. */
#include "api/event_json.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

struct reading {
    struct sn_arena arena;
    struct sn_event_reading result;
    sn_status status;
    struct sn_err err;
};

static struct reading read_text(const char *text) {
    struct reading reading = {.status = SN_OK};
    sn_arena_init(&reading.arena, 0);
    const struct sn_event_json_options options = {
        .arena = &reading.arena,
        .now_ms = NOW_MS,
        .times = {NOW_MS - 1000000, NOW_MS + 1000},
        .hash_seed = 1,
    };
    reading.status = sn_event_json_read(sn_str_from(text), &options, &reading.result, &reading.err);
    return reading;
}

static void assert_text(struct sn_str text, const char *expected) {
    assert_true(sn_str_equal(text, sn_str_from(expected)));
}

static void an_event_has_all_its_fields(void **state) {
    (void)state;
    struct reading reading =
        read_text("{\"app\":\"a\",\"type\":\"t\",\"user_id\":\"u\",\"outcome\":\"aborted\","
                  "\"duration_ms\":1.5,\"quantity\":4,\"credits\":-2,\"timestamp\":1699999999.5,"
                  "\"metadata\":{\"x\":1},\"items\":[{\"kind\":\"k\",\"id\":\"i\",\"name\":\"n\","
                  "\"category\":\"c\",\"count\":3}],\"error\":{\"message\":\"job 7 timed out\","
                  "\"type\":\"E\"}}");
    assert_int_equal(reading.status, SN_OK);
    assert_int_equal(reading.result.invalid_count, 0);
    const struct sn_app_event *event = &reading.result.events[0];
    assert_text(event->app, "a");
    assert_text(event->user_id, "u");
    assert_int_equal(event->outcome, SN_OUTCOME_ABORTED);
    assert_true(event->has_duration && event->duration_ms == 1.5);
    assert_true(event->quantity == 4 && event->credits == -2);
    assert_int_equal(event->time_ms, NOW_MS - 500);
    assert_text(event->metadata, "{\"x\":1}");
    assert_int_equal(event->item_count, 1);
    assert_text(event->items[0].category, "c");
    assert_int_equal(event->items[0].count, 3);
    assert_text(event->error_class, "TIMEOUT_ERROR");
    assert_text(event->error_group, "job 0 timed out");
    sn_arena_release(&reading.arena);
}

static void what_is_left_out_has_a_default(void **state) {
    (void)state;
    struct reading reading = read_text(
        "{\"events\":[{\"app\":\"a\",\"type\":\"t\",\"items\":[{\"kind\":\"k\",\"id\":\"i\"},"
        "{\"kind\":\"k\",\"id\":\"j\",\"count\":2}]},"
        "{\"app\":\"a\",\"type\":\"t\",\"error\":{}},"
        "{\"app\":\"a\",\"type\":\"t\",\"outcome\":\"error\",\"duration_ms\":null}]}");
    assert_int_equal(reading.status, SN_OK);
    assert_int_equal(reading.result.count, 3);
    assert_int_equal(reading.result.invalid_count, 0);
    const struct sn_app_event *events = reading.result.events;
    assert_true(events[0].quantity == 3 && events[0].outcome == SN_OUTCOME_OK);
    assert_int_equal(events[0].time_ms, NOW_MS);
    assert_int_equal(events[0].error_class.len, 0);
    assert_int_equal(events[1].outcome, SN_OUTCOME_ERROR);
    assert_text(events[1].error_class, "UNKNOWN_ERROR");
    assert_text(events[2].error_class, "UNKNOWN_ERROR");
    assert_false(events[2].has_duration);
    sn_arena_release(&reading.arena);
}

static void each_event_that_is_wrong_is_told(void **state) {
    (void)state;
    static const struct {
        const char *fields, *words;
    } rows[] = {
        {"\"app\":1", "app must be text"},
        {"\"x\":1", "unknown field \"x\""},
        {"\"outcome\":\"fine\"", "outcome must be"},
        {"\"outcome\":1", "outcome must be"},
        {"\"duration_ms\":\"1\"", "duration_ms must be a number"},
        {"\"duration_ms\":-1", "duration_ms must be finite"},
        {"\"duration_ms\":1e999", "a double can hold"},
        {"\"quantity\":-1", "quantity"},
        {"\"items\":{}", "items must be an array"},
        {"\"items\":[1]", "items must be"},
        {"\"items\":[{\"kind\":\"k\"}]", "kind and id"},
        {"\"items\":[{\"kind\":\"k\",\"id\":\"i\",\"count\":0}]", "whole number"},
        {"\"items\":[{\"kind\":\"k\",\"id\":\"i\",\"count\":1.5}]", "whole number"},
        {"\"items\":[{\"kind\":\"k\",\"id\":\"i\",\"y\":1}]", "unknown field \"items.y\""},
        {"\"error\":\"x\"", "error must be an object"},
        {"\"error\":{\"text\":\"x\"}", "unknown field \"error.text\""},
        {"\"metadata\":[]", "metadata must be an object"},
        {"\"timestamp\":\"x\"", "timestamp must be"},
        {"\"timestamp\":1", "older than events are kept"},
        {"\"timestamp\":1800000000", "in the future"},
        {"\"user_id\":\"\\u0000\"", "NUL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        bool is_app = strstr(rows[i].fields, "\"app\"") != NULL;
        (void)snprintf(text, sizeof text, "[{%s\"type\":\"t\",%s}]", is_app ? "" : "\"app\":\"a\",",
                       rows[i].fields);
        struct reading reading = read_text(text);
        assert_int_equal(reading.status, SN_OK);
        assert_int_equal(reading.result.invalid_count, 1);
        if (strstr(reading.result.errors[0].text, rows[i].words) == NULL)
            fail_msg("%s: %s", text, reading.result.errors[0].text);
        sn_arena_release(&reading.arena);
    }
    struct reading reading = read_text("[5,{\"type\":\"t\"}]");
    assert_int_equal(reading.result.invalid_count, 2);
    sn_arena_release(&reading.arena);
}

static void what_is_no_json_is_refused_as_a_whole(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "[", "{\"events\":5}", "{\"events\":[],\"x\":1}", "{\"app\":\"a\"", "[] 1", "[{]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading reading = read_text(texts[i]);
        assert_int_equal(reading.status, SN_ERR_INVALID);
        sn_arena_release(&reading.arena);
    }
}

static void a_batch_has_a_limit_at_both_sides(void **state) {
    (void)state;
    static char text[2 * SN_EVENT_BATCH_MAX + 16];
    for (size_t count = SN_EVENT_BATCH_MAX; count <= SN_EVENT_BATCH_MAX + 1; count++) {
        size_t len = 0;
        text[len++] = '[';
        for (size_t i = 0; i < count; i++) {
            text[len++] = '1';
            text[len++] = i + 1 < count ? ',' : ']';
        }
        text[len] = '\0';
        struct reading reading = read_text(text);
        assert_int_equal(reading.status, count > SN_EVENT_BATCH_MAX ? SN_ERR_LIMIT : SN_OK);
        sn_arena_release(&reading.arena);
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        struct reading reading =
            read_text("[{\"app\":\"a\\u00e9\",\"type\":\"t\",\"error\":{\"message\":\"m\"}},2]");
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(reading.status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        sn_arena_release(&reading.arena);
        if (is_over)
            return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_all_its_fields),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(each_event_that_is_wrong_is_told),
        cmocka_unit_test(what_is_no_json_is_refused_as_a_whole),
        cmocka_unit_test(a_batch_has_a_limit_at_both_sides),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests_name("event_json", tests, NULL, NULL);
}
