/* Events and errors in a real PostgreSQL: what every engine must do. */
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
TEST(events_come_back_whole)
TEST(hours_are_marked_until_their_summary_fits)
TEST(errors_group_resolve_and_reopen)
TEST(events_are_purged_by_whole_hours)
TEST(a_write_that_lacks_memory_leaves_nothing)
TEST(a_read_that_lacks_memory_says_so)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_back_whole),
        cmocka_unit_test(hours_are_marked_until_their_summary_fits),
        cmocka_unit_test(errors_group_resolve_and_reopen),
        cmocka_unit_test(events_are_purged_by_whole_hours),
        cmocka_unit_test(a_write_that_lacks_memory_leaves_nothing),
        cmocka_unit_test(a_read_that_lacks_memory_says_so),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres_events", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
