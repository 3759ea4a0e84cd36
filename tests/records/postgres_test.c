/* Records on a real PostgreSQL that goes away under load and comes back. */
#include "postgres_support.h"
#include "records_support.h"

#include "records/postgres.h"

#include <stdlib.h>

static struct test_postgres server;

struct load {
    struct sn_records *records;
    atomic_bool is_over;
    atomic_size_t acknowledged;
    atomic_size_t refused;
};

/* Pushes one record after the other, and one event with it, until it is told to stop. */
static void push_often(void *ctx) {
    struct load *load = ctx;
    for (int64_t i = 0; !atomic_load(&load->is_over); i++) {
        struct sn_record record = test_record("load", i, 1);
        struct sn_app_event event = test_event("u", i, i % 5 == 0 ? "bad" : NULL);
        struct sn_records_push push = {
            .records = &record, .record_count = 1, .events = &event, .event_count = 1};
        if (sn_records_push_wait(load->records, &push, NULL) == SN_OK)
            atomic_fetch_add(&load->acknowledged, 1);
        else
            atomic_fetch_add(&load->refused, 1);
    }
}

static void await_more(struct load *load, size_t more) {
    size_t before = atomic_load(&load->acknowledged);
    while (atomic_load(&load->acknowledged) < before + more)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
}

static sn_status count_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    size_t *count = ctx;
    (void)event;
    (void)err;
    (*count)++;
    return SN_OK;
}

static size_t count_records(struct sn_records *records) {
    struct sn_window_list list;
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, 0);
    const struct sn_record_filter filter = {
        .name = SN_STR("load"), .start_ms = TEST_NOW_MS, .end_ms = TEST_NOW_MS + 3600000};
    if (sn_records_windows(records, &filter, 7200000, &arena, &list, &err) != SN_OK)
        fail_msg("%s", err.text);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        count += list.items[i].count;
    sn_arena_release(&arena);
    return count;
}

static void assert_all_there(struct sn_records *records, size_t acknowledged) {
    struct sn_arena arena;
    struct sn_error_list errors;
    size_t events = 0;
    assert_int_equal(count_records(records), acknowledged);
    const struct sn_app_event_visitor visitor = {&events, count_event};
    const struct sn_range_ms range = {TEST_NOW_MS, TEST_NOW_MS + 3600000};
    assert_int_equal(sn_records_scan_events(records, SN_STR("a"), range, &visitor, NULL), SN_OK);
    assert_int_equal(events, acknowledged);
    sn_arena_init(&arena, 0);
    const struct sn_error_filter filter = {.limit = 10};
    assert_int_equal(sn_records_list_errors(records, &filter, &arena, &errors, NULL), SN_OK);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.items[0].count, (acknowledged + 4) / 5);
    sn_arena_release(&arena);
}

static void await_drained(struct sn_records *records) {
    struct sn_engine_state state;
    int64_t deadline_ns = sn_clock_mono_ns(sn_clock_system()) + INT64_C(60000000000);
    do {
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
        sn_records_state(records, &state);
        if (sn_clock_mono_ns(sn_clock_system()) > deadline_ns)
            fail_msg("%llu bytes wait: %s", (unsigned long long)state.spooled_bytes,
                     state.last_error.text);
    } while (state.is_away || state.spooled_bytes > 0);
    assert_int_equal(state.lost_count, 0);
}

/* Reads fail while the server is away, quickly, and say so. */
static void assert_reads_fail(struct sn_records *records) {
    struct sn_arena arena;
    struct sn_record_list list;
    struct sn_record_page page = test_page(10);
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_records_list(records, &page, &arena, &list, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "the database is away"));
    assert_int_equal(sn_records_ping(records, NULL), SN_ERR_IO);
    sn_arena_release(&arena);
}

static void nothing_acknowledged_is_lost_by_an_outage(void **state) {
    (void)state;
    struct test_place place;
    struct load load = {.records = NULL};
    struct sn_thread writer = {.is_running = false}, pusher = {.is_running = false};
    struct sn_engine_state seen;
    test_place_init(&place);
    const struct sn_records_options options = {.dir = place.dir, .database_url = server.url};
    assert_int_equal(sn_records_open(&options, &load.records, NULL), SN_OK);
    assert_string_equal(sn_records_engine_name(load.records), "postgres");
    struct sn_worker worker = sn_records_worker(load.records);
    assert_int_equal(sn_thread_start(&writer, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    assert_int_equal(sn_thread_start(&pusher, "pusher", push_often, &load, NULL), SN_OK);
    await_more(&load, 20);
    test_postgres_stop(&server); /* as by a crash */
    await_more(&load, 20);       /* goes on */
    sn_records_state(load.records, &seen);
    assert_true(seen.is_away && seen.spooled_bytes > 0);
    assert_reads_fail(load.records);
    test_postgres_start(&server);
    await_more(&load, 20);
    atomic_store(&load.is_over, true);
    sn_thread_join(&pusher);
    await_drained(load.records);
    assert_int_equal(atomic_load(&load.refused), 0);
    assert_all_there(load.records, atomic_load(&load.acknowledged));
    worker.stop(worker.ctx);
    sn_thread_join(&writer);
    load.records = sn_records_close(load.records);
    test_place_release(&place);
}

static void a_bad_url_is_refused_without_its_password(void **state) {
    (void)state;
    struct sn_engine engine;
    struct sn_err err = {.status = SN_OK};
    const char *const urls[] = {"mysql://u:secret@h/d", "postgres://u:secret@h:port:x/d%zz"};
    for (size_t i = 0; i < 2; i++) {
        const struct sn_postgres_options options = {.url = urls[i]};
        assert_int_equal(sn_postgres_open(&options, &engine, &err), SN_ERR_INVALID);
        assert_null(strstr(err.text, "secret"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_an_outage),
        cmocka_unit_test(a_bad_url_is_refused_without_its_password),
    };
    if (!test_postgres_wanted(true))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
