/* Writes as bytes. */
#include "records/write_codec.h"
#include "records_support.h"

static void make(struct sn_engine_write *write, struct sn_record *records,
                 struct sn_app_event *events) {
    static const struct sn_app_event_item item = {SN_STR("k"), SN_STR("i"), SN_STR("n"),
                                                  SN_STR("c"), 2};
    records[0] = test_record("a", 0, 1.5);
    records[1] = test_record("b", 1, -2);
    records[1].metric_type = SN_STR("success_rate");
    records[1].metadata = SN_STR("{}");
    records[1].description = SN_STR("d");
    records[1].has_counts = true;
    records[1].ok_count = 1;
    records[1].total_count = 2;
    records[1].id = sn_record_id_random(5, 6, 7);
    events[0] = test_event("u", 0, "m");
    events[0].items = &item;
    events[0].item_count = 1;
    events[0].has_duration = true;
    events[0].duration_ms = 3;
    *write = (struct sn_engine_write){.batch_id = sn_record_id_random(1, 2, 3),
                                      .records = records,
                                      .record_count = 2,
                                      .events = events,
                                      .event_count = 1};
}

static void a_write_comes_back_from_its_bytes(void **state) {
    (void)state;
    struct sn_engine_write write, found;
    struct sn_record records[2];
    struct sn_app_event events[1];
    struct sn_buf buf;
    struct sn_arena arena;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    make(&write, records, events);
    sn_write_encode(&write, &buf);
    assert_int_equal(sn_write_decode(sn_buf_str(&buf), &arena, &found, NULL), SN_OK);
    assert_memory_equal(found.batch_id.bytes, write.batch_id.bytes, 16);
    assert_int_equal(found.record_count, 2);
    assert_true(sn_str_equal(found.records[1].metadata, SN_STR("{}")));
    assert_true(found.records[0].value == 1.5 && found.records[1].value == -2);
    assert_true(found.records[1].has_counts && found.records[1].total_count == 2);
    assert_memory_equal(found.records[1].id.bytes, records[1].id.bytes, 16);
    assert_int_equal(found.event_count, 1);
    assert_true(sn_str_equal(found.events[0].error_message, SN_STR("m")));
    assert_true(sn_str_equal(found.events[0].items[0].category, SN_STR("c")));
    assert_true(found.events[0].has_duration && found.events[0].duration_ms == 3);
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

static void bytes_that_are_cut_or_longer_are_corrupt(void **state) {
    (void)state;
    struct sn_engine_write write, found;
    struct sn_record records[2];
    struct sn_app_event events[1];
    struct sn_buf buf;
    struct sn_arena arena;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    make(&write, records, events);
    sn_write_encode(&write, &buf);
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(sn_write_decode(sn_str_make(buf.ptr, len), &arena, &found, NULL),
                         SN_ERR_CORRUPT);
    sn_buf_put_byte(&buf, 0);
    assert_int_equal(sn_write_decode(sn_buf_str(&buf), &arena, &found, NULL), SN_ERR_CORRUPT);
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_comes_back_from_its_bytes),
        cmocka_unit_test(bytes_that_are_cut_or_longer_are_corrupt),
    };
    return cmocka_run_group_tests_name("write_codec", tests, NULL, NULL);
}
