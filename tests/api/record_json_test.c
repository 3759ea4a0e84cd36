/* Records as JSON, both ways. */
#include "api/record_json.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

struct reading {
    struct sn_arena arena;
    struct sn_record_reading result;
    sn_status status;
    struct sn_err err;
};

static struct reading read_text(const char *text, bool is_batch) {
    struct reading reading = {.status = SN_OK};
    sn_arena_init(&reading.arena, 0);
    const struct sn_record_json_options options = {
        .arena = &reading.arena, .now_ms = NOW_MS, .hash_seed = 1, .is_batch = is_batch};
    reading.status =
        sn_record_json_read(sn_str_from(text), &options, &reading.result, &reading.err);
    return reading;
}

static void assert_text(struct sn_str text, const char *expected) {
    assert_true(sn_str_equal(text, sn_str_from(expected)));
}

static void a_record_has_all_its_fields(void **state) {
    (void)state;
    struct reading reading = read_text(
        "{\"timestamp\":\"2026-11-21T10:11:12.345Z\",\"metric_type\":\"processing_time\","
        "\"name\":\"download\",\"value\":1.5,\"unit\":\"seconds\",\"service\":\"crawler\","
        "\"description\":\"d\\u00e9\",\"metadata\":{\"a\": [1, {\"b\": null}]}}",
        false);
    assert_int_equal(reading.status, SN_OK);
    assert_int_equal(reading.result.invalid_count, 0);
    const struct sn_record *record = &reading.result.records[0];
    assert_int_equal(record->time_ms, INT64_C(1795255872345));
    assert_text(record->metric_type, "processing_time");
    assert_text(record->name, "download");
    assert_true(record->value == 1.5);
    assert_text(record->unit, "seconds");
    assert_text(record->service, "crawler");
    assert_text(record->description, "d\xc3\xa9");
    assert_text(record->metadata, "{\"a\": [1, {\"b\": null}]}");
    sn_arena_release(&reading.arena);
}

static void times_are_text_or_numbers_or_now(void **state) {
    (void)state;
    struct reading reading = read_text(
        "[{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1},"
        "{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1,\"timestamp\":1600000000.25},"
        "{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1,\"timestamp\":null,\"unit\":null,"
        "\"metadata\":null}]",
        true);
    assert_int_equal(reading.status, SN_OK);
    assert_int_equal(reading.result.count, 3);
    assert_int_equal(reading.result.invalid_count, 0);
    assert_int_equal(reading.result.records[0].time_ms, NOW_MS);
    assert_int_equal(reading.result.records[1].time_ms, INT64_C(1600000000250));
    assert_int_equal(reading.result.records[2].time_ms, NOW_MS);
    sn_arena_release(&reading.arena);
}

static void two_counts_are_a_rate(void **state) {
    (void)state;
    struct reading reading = read_text(
        "{\"metrics\":[{\"metric_type\":\"success_rate\",\"name\":\"n\",\"ok\":9,\"total\":10}]}",
        true);
    assert_int_equal(reading.status, SN_OK);
    assert_int_equal(reading.result.invalid_count, 0);
    assert_true(reading.result.records[0].has_counts);
    assert_true(reading.result.records[0].value == 0.9);
    sn_arena_release(&reading.arena);
}

static void each_item_that_is_wrong_is_told(void **state) {
    (void)state;
    static const struct {
        const char *item, *words;
    } rows[] = {
        {"3", "must be an object"},
        {"{}", "value is missing"},
        {"{\"metric_type\":1}", "metric_type must be text"},
        {"{\"value\":\"1\"}", "value must be a number"},
        {"{\"value\":1e999}", "a double can hold"},
        {"{\"value\":1,\"name\":\"n\"}", "metric_type is missing"},
        {"{\"value\":1,\"metric_type\":\"t\"}", "name is missing"},
        {"{\"value\":1,\"timestamp\":\"soon\"}", "timestamp must be"},
        {"{\"value\":1,\"timestamp\":[]}", "timestamp must be"},
        {"{\"value\":1,\"metadata\":[]}", "metadata must be an object"},
        {"{\"value\":1,\"metadata\":{\"a\":\"\\u0000\"}}", "NUL"},
        {"{\"value\":1,\"name\":\"a\\u0000\",\"metric_type\":\"t\"}", "NUL"},
        {"{\"value\":1,\"ok\":1}", "total must be there"},
        {"{\"value\":1,\"total\":1}", "ok must be there"},
        {"{\"ok\":1.5,\"total\":2}", "ok must be a whole number"},
        {"{\"ok\":\"1\",\"total\":2}", "ok must be a whole number"},
        {"{\"ok\":3,\"total\":2,\"metric_type\":\"success_rate\",\"name\":\"n\"}", "ok is 3"},
        {"{\"ok\":0,\"total\":0,\"metric_type\":\"success_rate\",\"name\":\"n\"}", "total is 0"},
        {"{\"value\":1,\"valeu\":1}", "unknown field \"valeu\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "[{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1},%s]",
                       rows[i].item);
        struct reading reading = read_text(text, true);
        assert_int_equal(reading.status, SN_OK);
        assert_int_equal(reading.result.count, 2);
        assert_int_equal(reading.result.invalid_count, 1);
        assert_int_equal(reading.result.errors[0].index, 1);
        if (strstr(reading.result.errors[0].text, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].item, reading.result.errors[0].text);
        sn_arena_release(&reading.arena);
    }
}

static void what_is_no_json_is_refused_as_a_whole(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "[",
                                        "[1,]",
                                        "{\"metrics\":{}}",
                                        "{\"other\":[]}",
                                        "[] []",
                                        "[{\"value\":1,\"value\":2}]",
                                        "\"x\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading reading = read_text(texts[i], true);
        assert_int_equal(reading.status, SN_ERR_INVALID);
        assert_true(reading.err.text[0] != '\0');
        sn_arena_release(&reading.arena);
    }
}

static void deep_json_is_a_limit(void **state) {
    (void)state;
    char text[512] = "[{\"metadata\":{\"a\":";
    size_t len = strlen(text);
    memset(text + len, '[', 200);
    struct reading reading = read_text(text, true);
    assert_int_equal(reading.status, SN_ERR_LIMIT);
    sn_arena_release(&reading.arena);
}

static void a_batch_has_a_limit_at_both_sides(void **state) {
    (void)state;
    static char text[2 * SN_RECORD_BATCH_MAX + 16];
    for (size_t count = SN_RECORD_BATCH_MAX; count <= SN_RECORD_BATCH_MAX + 1; count++) {
        size_t len = 0;
        text[len++] = '[';
        for (size_t i = 0; i < count; i++) {
            text[len++] = '1';
            text[len++] = i + 1 < count ? ',' : ']';
        }
        text[len] = '\0';
        struct reading reading = read_text(text, true);
        assert_int_equal(reading.status, count > SN_RECORD_BATCH_MAX ? SN_ERR_LIMIT : SN_OK);
        if (reading.status == SN_OK) {
            assert_int_equal(reading.result.invalid_count, SN_RECORD_BATCH_MAX);
            assert_int_equal(reading.result.error_count, SN_RECORD_ERRORS_MAX);
        }
        sn_arena_release(&reading.arena);
    }
}

static void what_is_written_reads_back(void **state) {
    (void)state;
    static const char text[] =
        "{\"metric_type\":\"success_rate\",\"name\":\"n\\\"\",\"ok\":1,\"total\":3,"
        "\"service\":\"s\",\"unit\":\"u\",\"description\":\"d\",\"metadata\":{\"a\":1}}";
    struct reading reading = read_text(text, false);
    struct sn_buf buf;
    struct sn_json_writer json;
    assert_int_equal(reading.status, SN_OK);
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_record_json_write(&json, &reading.result.records[0]);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal(
        (const char *)buf.ptr,
        "{\"id\":\"00000000-0000-0000-0000-000000000000\","
        "\"timestamp\":\"2023-11-14T22:13:20.000Z\",\"metric_type\":\"success_rate\","
        "\"name\":\"n\\\"\",\"value\":0.3333333333333333,\"unit\":\"u\",\"service\":\"s\","
        "\"description\":\"d\",\"ok\":1,\"total\":3,\"metadata\":{\"a\":1}}");
    sn_buf_release(&buf);
    sn_arena_release(&reading.arena);
}

static void only_real_escapes_of_nul_are_found(void **state) {
    (void)state;
    assert_true(sn_json_has_nul(SN_STR("\"\\u0000\"")));
    assert_true(sn_json_has_nul(SN_STR("\"\\\\\\u0000\"")));
    assert_false(sn_json_has_nul(SN_STR("\"\\\\u0000\"")));
    assert_false(sn_json_has_nul(SN_STR("\"\\u0001\"")));
    assert_false(sn_json_has_nul(SN_STR("\\u000")));
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        struct reading reading =
            read_text("[{\"metric_type\":\"t\",\"name\":\"n\\u00e9\",\"value\":1},2]", true);
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
        cmocka_unit_test(a_record_has_all_its_fields),
        cmocka_unit_test(times_are_text_or_numbers_or_now),
        cmocka_unit_test(two_counts_are_a_rate),
        cmocka_unit_test(each_item_that_is_wrong_is_told),
        cmocka_unit_test(what_is_no_json_is_refused_as_a_whole),
        cmocka_unit_test(deep_json_is_a_limit),
        cmocka_unit_test(a_batch_has_a_limit_at_both_sides),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(only_real_escapes_of_nul_are_found),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests_name("record_json", tests, NULL, NULL);
}
