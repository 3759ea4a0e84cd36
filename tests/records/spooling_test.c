/* An engine that survives its database, on top of one that tests switch off. */
#include "records/spooling.h"
#include "records_support.h"

#include <stdlib.h>

/* SQLite below, that can be away or refuse one record. */
struct fake {
    struct sn_engine lite;
    sn_status away;     /* answer of every commit; SN_OK: it works */
    const char *poison; /* a name of a record that is refused for good */
    size_t commit_count;
};

static void fake_identify(void *ctx, struct sn_engine_write *write) {
    (void)ctx;
    write->batch_id = sn_record_id_random(1, 2, (uint64_t)(uintptr_t)write);
}

static sn_status fake_commit(void *ctx, struct sn_engine_write *const *writes, size_t count,
                             struct sn_err *err) {
    struct fake *fake = ctx;
    fake->commit_count++;
    if (fake->away != SN_OK)
        return sn_err_set(err, fake->away, "away");
    for (size_t i = 0; i < count && fake->poison != NULL; i++)
        for (size_t j = 0; j < writes[i]->record_count; j++)
            if (sn_str_equal(writes[i]->records[j].name, sn_str_from(fake->poison)))
                return sn_err_set(err, SN_ERR_INTERNAL, "poison");
    return fake->lite.ops->commit(fake->lite.ctx, writes, count, err);
}

static sn_status fake_list(void *ctx, const struct sn_record_page *page, struct sn_arena *arena,
                           struct sn_record_list *ret_list, struct sn_err *err) {
    struct fake *fake = ctx;
    return fake->lite.ops->list(fake->lite.ctx, page, arena, ret_list, err);
}

static void fake_close(void *ctx) {
    struct fake *fake = ctx;
    fake->lite.ops->close(fake->lite.ctx);
}

static const struct sn_engine_ops fake_ops = {.name = "fake",
                                              .identify = fake_identify,
                                              .commit = fake_commit,
                                              .list = fake_list,
                                              .close = fake_close};

struct test_spooling {
    struct test_place place;
    struct fake fake;
};

static void open_engine(struct test_spooling *test) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_lite_options options = {.dir = test->place.dir};
    assert_int_equal(sn_lite_open(&options, &test->fake.lite, NULL), SN_OK);
    const struct sn_engine inner = {&test->fake, &fake_ops};
    if (sn_spooling_open(inner, test->place.dir, 0, &test->place.engine, &err) != SN_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state) {
    struct test_spooling *test = calloc(1, sizeof *test);
    test_place_init(&test->place);
    open_engine(test);
    *state = test;
    return 0;
}

static int tear_down(void **state) {
    struct test_spooling *test = *state;
    test_place_release(&test->place);
    free(test);
    return 0;
}

static void add(struct test_spooling *test, const char *name, int64_t offset_ms) {
    struct sn_record record = test_record(name, offset_ms, 1);
    assert_int_equal(test_commit(&test->place, &record, 1), SN_OK);
}

static size_t count_rows(struct test_spooling *test) {
    struct sn_record_page page = test_page(1000);
    struct sn_record_list list;
    assert_int_equal(test->place.engine.ops->list(test->place.engine.ctx, &page, &test->place.arena,
                                                  &list, NULL),
                     SN_OK);
    return list.count;
}

static struct sn_engine_state state_of(struct test_spooling *test) {
    struct sn_engine_state state;
    test->place.engine.ops->state(test->place.engine.ctx, &state);
    return state;
}

static sn_status tick(struct test_spooling *test) {
    int64_t next_ms;
    return test->place.engine.ops->tick(test->place.engine.ctx, &next_ms, NULL);
}

static void writes_wait_while_the_database_is_away(void **state) {
    struct test_spooling *test = *state;
    add(test, "a", 0);
    assert_false(state_of(test).is_away);
    test->fake.away = SN_ERR_IO;
    for (int i = 1; i <= 100; i++)
        add(test, "a", i);
    assert_int_equal(count_rows(test), 1);
    assert_true(state_of(test).is_away);
    assert_int_equal(state_of(test).spooled_count, 100);
    assert_true(state_of(test).spooled_bytes > 0);
    assert_int_equal(tick(test), SN_ERR_IO);
    test->fake.away = SN_OK;
    add(test, "a", 101); /* behind what waits */
    assert_int_equal(count_rows(test), 1);
    assert_int_equal(tick(test), SN_OK);
    assert_int_equal(count_rows(test), 102);
    assert_false(state_of(test).is_away);
    assert_int_equal(state_of(test).spooled_bytes, 0);
    add(test, "a", 102);
    assert_int_equal(count_rows(test), 103);
}

static void what_waits_survives_a_restart(void **state) {
    struct test_spooling *test = *state;
    test->fake.away = SN_ERR_TIMEOUT;
    add(test, "a", 0);
    test_place_close(&test->place);
    open_engine(test);
    assert_true(state_of(test).is_away);
    test->fake.away = SN_OK;
    assert_int_equal(tick(test), SN_OK);
    assert_int_equal(count_rows(test), 1);
}

static void what_is_refused_for_good_is_counted_and_blocks_nothing(void **state) {
    struct test_spooling *test = *state;
    test->fake.away = SN_ERR_IO;
    add(test, "a", 0);
    add(test, "bad", 1);
    add(test, "b", 2);
    test->fake.away = SN_OK;
    test->fake.poison = "bad";
    assert_int_equal(tick(test), SN_OK);
    assert_int_equal(count_rows(test), 2);
    assert_int_equal(state_of(test).lost_count, 1);
    struct sn_record record = test_record("bad", 3, 1);
    struct sn_engine_write write = {.records = &record, .record_count = 1}, *writes = &write;
    assert_int_equal(test->place.engine.ops->commit(test->place.engine.ctx, &writes, 1, NULL),
                     SN_ERR_INTERNAL);
}

static void changes_that_need_an_answer_fail(void **state) {
    struct test_spooling *test = *state;
    const struct sn_engine_error_change change = {1, true, 1};
    struct sn_engine_write write = {.error_change = &change};
    test->fake.away = SN_ERR_IO;
    assert_int_equal(test_commit_write(&test->place, &write), SN_ERR_IO);
    assert_int_equal(state_of(test).spooled_count, 0);
}

static void only_some_failures_mean_that_it_is_away(void **state) {
    (void)state;
    assert_true(sn_spooling_is_away(SN_ERR_IO));
    assert_true(sn_spooling_is_away(SN_ERR_TIMEOUT));
    assert_true(sn_spooling_is_away(SN_ERR_BUSY));
    assert_false(sn_spooling_is_away(SN_OK));
    assert_false(sn_spooling_is_away(SN_ERR_INTERNAL));
    assert_false(sn_spooling_is_away(SN_ERR_UNSUPPORTED));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(writes_wait_while_the_database_is_away),
        TEST(what_waits_survives_a_restart),
        TEST(what_is_refused_for_good_is_counted_and_blocks_nothing),
        TEST(changes_that_need_an_answer_fail),
        TEST(only_some_failures_mean_that_it_is_away),
    };
    return cmocka_run_group_tests_name("spooling", tests, NULL, NULL);
}
