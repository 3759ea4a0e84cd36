/* Reading records from SQLite: order, filters, pages, ids. */
#include "records_support.h"

#include "base/limits.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 500 };

/* 7 names, 3 services, times with many ties. */
static void fill(struct test_place *place, struct sn_record *records) {
    static const char *const names[] = {"n0", "n1", "n2", "n3", "n4", "n5", "n6"};
    static const char *const services[] = {"s0", "s1", "s2"};
    struct sn_rng rng;
    sn_rng_init(&rng, 5);
    for (size_t i = 0; i < COUNT; i++) {
        records[i] =
            test_record(names[sn_rng_below(&rng, 7)], (int64_t)sn_rng_below(&rng, 50), (double)i);
        records[i].service = sn_str_from(services[sn_rng_below(&rng, 3)]);
    }
    assert_int_equal(test_commit(place, records, COUNT), SN_OK);
}

static bool passes(const struct sn_record *record, const struct sn_record_filter *filter) {
    return (filter->name.len == 0 || sn_str_equal(filter->name, record->name)) &&
           (filter->service.len == 0 || sn_str_equal(filter->service, record->service)) &&
           (filter->metric_type.len == 0 ||
            sn_str_equal(filter->metric_type, record->metric_type)) &&
           record->time_ms >= filter->start_ms && record->time_ms <= filter->end_ms;
}

/* Walk all pages; each record that passes comes once, newest first. */
static void assert_pages(struct test_place *place, const struct sn_record *records,
                         struct sn_record_page page) {
    bool seen[COUNT] = {false};
    size_t count = 0, expected = 0;
    double last_value = (double)COUNT;
    int64_t last_ms = INT64_MAX;
    struct sn_record_list list;
    do {
        assert_int_equal(
            place->engine.ops->list(place->engine.ctx, &page, &place->arena, &list, NULL), SN_OK);
        assert_true(list.count <= page.limit);
        for (size_t i = 0; i < list.count; i++, count++) {
            const struct sn_record *item = &list.items[i];
            size_t number = (size_t)item->value;
            assert_true(passes(item, &page.filter));
            assert_false(seen[number]);
            seen[number] = true;
            assert_true(item->time_ms < last_ms ||
                        (item->time_ms == last_ms && item->value < last_value));
            last_ms = item->time_ms;
            last_value = item->value;
            assert_memory_equal(item->id.bytes, records[number].id.bytes, sizeof item->id.bytes);
        }
        if (list.has_more)
            page.cursor = list.items[list.count - 1].id;
        page.has_cursor = list.has_more;
    } while (list.has_more);
    for (size_t i = 0; i < COUNT; i++)
        expected += passes(&records[i], &page.filter);
    assert_int_equal(count, expected);
}

static void pages_hold_every_record_once_newest_first(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record *records = calloc(COUNT, sizeof *records);
    test_place_init(&place);
    test_place_open(&place);
    fill(&place, records);
    const size_t limits[] = {1, 7, 100, 1000};
    for (size_t i = 0; i < 4; i++) {
        struct sn_record_page page = test_page(limits[i]);
        if (i > 0)
            assert_pages(&place, records, page);
        page.filter.name = SN_STR("n3");
        assert_pages(&place, records, page);
        page.filter.service = SN_STR("s1");
        page.filter.metric_type = SN_STR("t");
        assert_pages(&place, records, page);
        page.filter =
            (struct sn_record_filter){.start_ms = TEST_NOW_MS + 10, .end_ms = TEST_NOW_MS + 20};
        assert_pages(&place, records, page);
        page.filter.name = SN_STR("none");
        assert_pages(&place, records, page);
    }
    test_place_release(&place);
    free(records);
}

static void a_cursor_that_was_made_up_is_refused(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record_list list;
    struct sn_record_page page = test_page(10);
    test_place_init(&place);
    test_place_open(&place);
    page.has_cursor = true;
    page.cursor = sn_record_id_random(TEST_NOW_MS, 1, 2);
    assert_int_equal(place.engine.ops->list(place.engine.ctx, &page, &place.arena, &list, NULL),
                     SN_ERR_INVALID);
    test_place_release(&place);
}

static void ids_that_are_guessed_find_nothing(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record record = test_record("a", 0, 1), found;
    struct sn_rng rng;
    test_place_init(&place);
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    sn_rng_init(&rng, 1);
    for (int i = 0; i < 1000; i++) {
        struct sn_record_id id =
            sn_record_id_random(record.time_ms, sn_rng_u64(&rng), sn_rng_u64(&rng));
        assert_int_equal(place.engine.ops->get(place.engine.ctx, &id, &place.arena, &found, NULL),
                         SN_ERR_NOT_FOUND);
    }
    test_place_release(&place);
}

static void a_full_arena_is_a_limit(void **state) {
    (void)state;
    struct test_place place;
    struct sn_arena small;
    struct sn_record_list list;
    struct sn_record_page page = test_page(1000);
    struct sn_err err;
    test_place_init(&place);
    test_place_open(&place);
    sn_arena_init(&small, 1024);
    assert_int_equal(place.engine.ops->list(place.engine.ctx, &page, &small, &list, &err),
                     SN_ERR_LIMIT);
    sn_arena_release(&small);
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_every_record_once_newest_first),
        cmocka_unit_test(a_cursor_that_was_made_up_is_refused),
        cmocka_unit_test(ids_that_are_guessed_find_nothing),
        cmocka_unit_test(a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests_name("lite_list", tests, NULL, NULL);
}
