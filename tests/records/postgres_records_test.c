/* Records in a real PostgreSQL: what every engine must do. */
#include "engine_suite_support.h"
#include "postgres_support.h"

#include "records/postgres.h"

#include <stdlib.h>

static struct test_postgres server;

static void open_place(struct test_place *place) {
    const struct sn_postgres_options options = {.url = server.url};
    test_postgres_clear(&server);
    test_place_init(place);
    assert_int_equal(sn_postgres_open(&options, &place->engine, NULL), SN_OK);
}

#define TEST(name)                                                                                 \
    static void name(void **state) {                                                               \
        struct test_place place;                                                                   \
        (void)state;                                                                               \
        open_place(&place);                                                                        \
        suite_##name(&place);                                                                      \
        test_place_release(&place);                                                                \
    }
TEST(pages_hold_every_record_once_newest_first)
TEST(records_come_back_whole)
TEST(values_are_scanned_with_their_counts)
TEST(records_are_purged_by_age_and_type)
TEST(sql_in_every_field_is_only_text)

static void a_batch_that_comes_twice_is_stored_once(void **state) {
    struct test_place place;
    (void)state;
    open_place(&place);
    struct sn_record record = test_record("a", 0, 1);
    struct sn_engine_write write = {.records = &record, .record_count = 1}, *writes = &write;
    place.engine.ops->identify(place.engine.ctx, &write);
    for (int i = 0; i < 3; i++)
        assert_int_equal(place.engine.ops->commit(place.engine.ctx, &writes, 1, NULL), SN_OK);
    struct sn_record_page page = test_page(10);
    struct sn_record_list list;
    assert_int_equal(place.engine.ops->list(place.engine.ctx, &page, &place.arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 1);
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_hold_every_record_once_newest_first),
        cmocka_unit_test(records_come_back_whole),
        cmocka_unit_test(values_are_scanned_with_their_counts),
        cmocka_unit_test(records_are_purged_by_age_and_type),
        cmocka_unit_test(sql_in_every_field_is_only_text),
        cmocka_unit_test(a_batch_that_comes_twice_is_stored_once),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres_records", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
