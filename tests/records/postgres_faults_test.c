/*
 * The PostgreSQL engine over a network that breaks: each piece of the conversation of a commit, of a
 * read and of a first use is lost once. The failure is named, a write that is tried again is there
 * once, and the engine works again.
 */
#include "pg_proxy_support.h"
#include "records_support.h"

#include "records/postgres.h"

static struct test_postgres server;

struct faults {
    struct test_proxy proxy;
    struct test_place place;  /* through the proxy */
    struct test_place direct; /* not */
};

static void open_engine(struct test_place *place, const char *url) {
    const struct sn_postgres_options options = {.url = url};
    assert_int_equal(sn_postgres_open(&options, &place->engine, NULL), SN_OK);
}

static void init(struct faults *faults) {
    test_postgres_clear(&server);
    test_proxy_init(&faults->proxy, &server);
    test_place_init(&faults->place);
    test_place_init(&faults->direct);
    open_engine(&faults->place, faults->proxy.url);
    open_engine(&faults->direct, server.url);
}

static void release(struct faults *faults) {
    test_place_release(&faults->place);
    test_place_release(&faults->direct);
    test_proxy_release(&faults->proxy);
}

static sn_status list(struct test_place *place, size_t *ret_count, struct sn_err *err) {
    const struct sn_record_page page = test_page(1000);
    struct sn_record_list found;
    sn_arena_reset(&place->arena);
    SN_TRY(place->engine.ops->list(place->engine.ctx, &page, &place->arena, &found, err));
    *ret_count = found.count;
    return SN_OK;
}

static sn_status count_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    (void)event;
    (void)err;
    ++*(size_t *)ctx;
    return SN_OK;
}

static void assert_stored(struct faults *faults, size_t writes) {
    struct test_place *place = &faults->direct;
    const struct sn_error_filter filter = {.limit = 10};
    const struct sn_range_ms range = {0, TEST_NOW_MS + SN_HOUR_MS};
    struct sn_error_list errors;
    size_t records = 0, events = 0;
    const struct sn_app_event_visitor visitor = {&events, count_event};
    assert_int_equal(list(place, &records, NULL), SN_OK);
    assert_int_equal(records, 2 * writes);
    assert_int_equal(
        place->engine.ops->scan_events(place->engine.ctx, SN_STR("a"), range, &visitor, NULL),
        SN_OK);
    assert_int_equal(events, writes);
    assert_int_equal(
        place->engine.ops->list_errors(place->engine.ctx, &filter, &place->arena, &errors, NULL),
        SN_OK);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.items[0].count, writes);
}

/* Commit until it is acknowledged, as the spool does; the first time with a fault. Returns whether there
 * was one. */
static bool commit_with_cut_at(struct faults *faults, uint64_t n) {
    const struct sn_engine *engine = &faults->place.engine;
    struct sn_record records[2] = {test_record("a", 0, 1), test_record("b", 1, 2)};
    struct sn_app_event event = test_event("u", 0, "it failed");
    struct sn_engine_write write = {
        .records = records, .record_count = 2, .events = &event, .event_count = 1};
    struct sn_engine_write *writes = &write;
    struct sn_err err = {.status = SN_OK};
    engine->ops->identify(engine->ctx, &write);
    test_proxy_cut_at(&faults->proxy, n);
    sn_status status = engine->ops->commit(engine->ctx, &writes, 1, &err);
    bool has_cut = atomic_load(&faults->proxy.has_cut);
    test_proxy_cut_at(&faults->proxy, 0);
    if (status != SN_OK && (!has_cut || status != SN_ERR_IO || err.text[0] == '\0'))
        fail_msg("%llu: %s: %s", (unsigned long long)n, sn_status_name(status), err.text);
    if (status != SN_OK) /* the network is back: the next time it works */
        assert_int_equal(engine->ops->commit(engine->ctx, &writes, 1, NULL), SN_OK);
    assert_int_equal(write.status, SN_OK);
    return has_cut;
}

static void a_write_is_stored_once_wherever_the_network_breaks(void **state) {
    struct faults faults;
    uint64_t n = 1;
    (void)state;
    init(&faults);
    while (commit_with_cut_at(&faults, n)) {
        assert_stored(&faults, (size_t)n);
        n++;
    }
    assert_true(n > 10);
    release(&faults);
}

/* The same with the connection and the schema to be made: each time in an empty database. */
static void a_first_use_that_breaks_is_made_up_for(void **state) {
    struct faults faults;
    (void)state;
    init(&faults);
    for (uint64_t n = 1;; n += 3) { /* each takes a while; both directions come */
        test_postgres_clear(&server);
        test_place_close(&faults.place);
        open_engine(&faults.place, faults.proxy.url);
        bool has_cut = commit_with_cut_at(&faults, n);
        test_place_close(&faults.direct);
        open_engine(&faults.direct, server.url);
        assert_stored(&faults, 1);
        if (!has_cut)
            break;
    }
    release(&faults);
}

static void a_read_over_a_broken_network_works_or_says_so(void **state) {
    struct faults faults;
    (void)state;
    init(&faults);
    assert_false(commit_with_cut_at(&faults, 0));
    for (uint64_t n = 1;; n++) {
        struct sn_err err = {.status = SN_OK};
        size_t count = 0;
        assert_int_equal(list(&faults.place, &count, NULL), SN_OK); /* connected */
        test_proxy_cut_at(&faults.proxy, n);
        sn_status status = list(&faults.place, &count, &err);
        bool has_cut = atomic_load(&faults.proxy.has_cut);
        test_proxy_cut_at(&faults.proxy, 0);
        if (status != SN_OK)
            fail_msg("%llu: %s", (unsigned long long)n, err.text); /* one loss is made up for */
        assert_int_equal(count, 2);
        if (!has_cut)
            break;
    }
    release(&faults);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_stored_once_wherever_the_network_breaks),
        cmocka_unit_test(a_first_use_that_breaks_is_made_up_for),
        cmocka_unit_test(a_read_over_a_broken_network_works_or_says_so),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres_faults", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
