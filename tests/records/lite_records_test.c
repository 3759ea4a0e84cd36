/* Writing and deleting records in SQLite. */
#include "records_support.h"

#include "base/limits.h"

#include <stdio.h>

static size_t count_all(struct test_place *place) {
    struct sn_record_page page = test_page(SN_RECORD_PAGE_MAX);
    struct sn_record_list list;
    assert_int_equal(place->engine.ops->list(place->engine.ctx, &page, &place->arena, &list, NULL),
                     SN_OK);
    return list.count;
}

static void a_write_without_room_for_its_names_leaves_nothing(void **state) {
    (void)state;
    struct test_place place;
    test_place_init(&place);
    const struct sn_lite_options options = {.dir = place.dir, .dimensions_max = 2};
    assert_int_equal(sn_lite_open(&options, &place.engine, NULL), SN_OK);
    struct sn_record first[] = {test_record("a", 0, 1), test_record("a", 1, 1)};
    struct sn_record second[] = {test_record("a", 2, 1), test_record("b", 0, 1),
                                 test_record("c", 0, 1)};
    struct sn_record third[] = {test_record("a", 3, 1)};
    struct sn_engine_write writes[] = {{.records = first, .record_count = 2},
                                       {.records = second, .record_count = 3},
                                       {.records = third, .record_count = 1}};
    struct sn_engine_write *const all[] = {&writes[0], &writes[1], &writes[2]};
    assert_int_equal(place.engine.ops->commit(place.engine.ctx, all, 3, NULL), SN_OK);
    assert_int_equal(writes[0].status, SN_OK);
    assert_int_equal(writes[1].status, SN_ERR_LIMIT);
    assert_non_null(strstr(writes[1].err.text, "records[2]"));
    assert_int_equal(writes[2].status, SN_OK);
    assert_int_equal(count_all(&place), 3);
    test_place_release(&place);
}

static void row_numbers_are_never_used_again(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record record = test_record("a", 0, 1), again = test_record("a", 0, 1);
    size_t count = 0;
    test_place_init(&place);
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    const struct sn_engine_purge purge = {.before_ms = TEST_NOW_MS + 1, .row_max = 10};
    assert_int_equal(place.engine.ops->purge(place.engine.ctx, &purge, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    test_place_close(&place);
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &again, 1), SN_OK);
    assert_memory_not_equal(again.id.bytes, record.id.bytes, sizeof again.id.bytes);
    test_place_release(&place);
}

static void purge_deletes_by_age_type_and_number(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record records[20];
    size_t count = 0;
    test_place_init(&place);
    test_place_open(&place);
    for (int i = 0; i < 20; i++) {
        records[i] = test_record("a", i, 1);
        if (i % 2 == 0)
            records[i].metric_type = SN_STR("even");
    }
    assert_int_equal(test_commit(&place, records, 20), SN_OK);
    struct sn_engine_purge purge = {
        .before_ms = TEST_NOW_MS + 10, .metric_type = SN_STR("even"), .row_max = 3};
    assert_int_equal(place.engine.ops->purge(place.engine.ctx, &purge, &count, NULL), SN_OK);
    assert_int_equal(count, 3);
    assert_int_equal(place.engine.ops->purge(place.engine.ctx, &purge, &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(count_all(&place), 15);
    const struct sn_str even = SN_STR("even");
    purge = (struct sn_engine_purge){
        .before_ms = TEST_NOW_MS + 100, .excepts = &even, .except_count = 1, .row_max = 100};
    assert_int_equal(place.engine.ops->purge(place.engine.ctx, &purge, &count, NULL), SN_OK);
    assert_int_equal(count, 10);
    assert_int_equal(count_all(&place), 5);
    test_place_release(&place);
}

static void sql_in_every_field_is_only_text(void **state) {
    (void)state;
    static const char evil[] = "'); DROP TABLE record; --\"`\\";
    struct test_place place;
    struct sn_record found;
    struct sn_record record = {.metric_type = sn_str_from(evil),
                               .name = sn_str_from(evil),
                               .service = sn_str_from(evil),
                               .unit = sn_str_from(evil),
                               .description = sn_str_from(evil),
                               .metadata = SN_STR("{\"a\":\"'); DROP TABLE record; --\"}"),
                               .time_ms = TEST_NOW_MS};
    test_place_init(&place);
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    assert_int_equal(
        place.engine.ops->get(place.engine.ctx, &record.id, &place.arena, &found, NULL), SN_OK);
    const struct sn_str texts[] = {found.metric_type, found.name, found.service, found.unit,
                                   found.description};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(sn_str_equal(texts[i], sn_str_from(evil)));
    assert_true(sn_str_equal(found.metadata, record.metadata));
    struct sn_record_page page = test_page(10);
    page.filter.name = SN_STR("' OR 1=1 --");
    struct sn_record_list list;
    assert_int_equal(place.engine.ops->list(place.engine.ctx, &page, &place.arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 0);
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_without_room_for_its_names_leaves_nothing),
        cmocka_unit_test(row_numbers_are_never_used_again),
        cmocka_unit_test(purge_deletes_by_age_type_and_number),
        cmocka_unit_test(sql_in_every_field_is_only_text),
    };
    return cmocka_run_group_tests_name("lite_records", tests, NULL, NULL);
}
