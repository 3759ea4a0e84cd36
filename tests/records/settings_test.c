/* Documents by key, in SQLite and in PostgreSQL: kept, replaced, listed, removed, limited. */
#include "records/settings.h"

#include "pg_proxy_support.h"

#include "base/clock.h"
#include "base/mem.h"

#include "base/os.h"
#include "records/pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct place {
    char dir[128];
    char path[160];
    struct sn_settings *settings;
    struct sn_arena arena;
};

static struct test_postgres server;

static void open_settings(struct place *place) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = server.is_running
                           ? sn_settings_open_postgres(server.url, &place->settings, &err)
                           : sn_settings_open(place->path, &place->settings, &err);
    if (status != SN_OK)
        fail_msg("%s", err.text);
}

static int set_up(void **state) {
    static struct place place;
    memset(&place, 0, sizeof place);
    const char *base = getenv("TMPDIR");
    (void)snprintf(place.dir, sizeof place.dir, "%s/sonde-settings-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(place.dir));
    (void)snprintf(place.path, sizeof place.path, "%s/records.db", place.dir);
    if (server.is_running)
        test_postgres_clear(&server);
    open_settings(&place);
    sn_arena_init(&place.arena, 0);
    *state = &place;
    return 0;
}

static int tear_down(void **state) {
    struct place *place = *state;
    sn_arena_release(&place->arena);
    place->settings = sn_settings_close(place->settings);
    assert_int_equal(sn_os_remove_tree(place->dir, NULL), SN_OK);
    return 0;
}

static void a_value_is_kept_over_a_restart_until_it_is_replaced_or_removed(void **state) {
    struct place *place = *state;
    struct sn_str value;
    const struct sn_str key = SN_STR("reset/a'b\0c");
    assert_int_equal(sn_settings_get(place->settings, key, &place->arena, &value, NULL),
                     SN_ERR_NOT_FOUND);
    assert_int_equal(sn_settings_put(place->settings, key, SN_STR("{\"a\":1}"), NULL), SN_OK);
    assert_int_equal(sn_settings_put(place->settings, key, SN_STR("{\"a\":2}"), NULL), SN_OK);
    place->settings = sn_settings_close(place->settings);
    open_settings(place);
    assert_int_equal(sn_settings_get(place->settings, key, &place->arena, &value, NULL), SN_OK);
    assert_true(sn_str_equal(value, SN_STR("{\"a\":2}")));
    assert_int_equal(sn_settings_remove(place->settings, key, NULL), SN_OK);
    assert_int_equal(sn_settings_remove(place->settings, key, NULL), SN_ERR_NOT_FOUND);
}

static void a_list_has_what_starts_with_the_prefix(void **state) {
    struct place *place = *state;
    struct sn_setting_list list;
    char key[32];
    for (int i = 0; i < 40; i++) {
        int len = snprintf(key, sizeof key, "alert/%02d", i);
        assert_int_equal(
            sn_settings_put(place->settings, sn_str_make(key, (size_t)len), SN_STR("1"), NULL),
            SN_OK);
    }
    assert_int_equal(sn_settings_put(place->settings, SN_STR("alert"), SN_STR("0"), NULL), SN_OK);
    assert_int_equal(sn_settings_put(place->settings, SN_STR("zz"), SN_STR("0"), NULL), SN_OK);
    assert_int_equal(
        sn_settings_list(place->settings, SN_STR("alert/"), &place->arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 40);
    assert_true(sn_str_equal(list.items[0].key, SN_STR("alert/00")));
    assert_true(sn_str_equal(list.items[39].key, SN_STR("alert/39")));
    assert_int_equal(sn_settings_list(place->settings, SN_STR(""), &place->arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 42);
    assert_int_equal(sn_settings_list(place->settings, SN_STR("x"), &place->arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 0);
}

static void lengths_are_limited(void **state) {
    struct place *place = *state;
    static char text[SN_SETTING_VALUE_BYTES_MAX + 1];
    memset(text, 't', sizeof text);
    const struct sn_str key = sn_str_make(text, SN_SETTING_KEY_BYTES_MAX);
    const struct sn_str value = sn_str_make(text, SN_SETTING_VALUE_BYTES_MAX);
    assert_int_equal(sn_settings_put(place->settings, key, value, NULL), SN_OK);
    assert_int_equal(sn_settings_put(place->settings, sn_str_make(text, key.len + 1), value, NULL),
                     SN_ERR_LIMIT);
    assert_int_equal(sn_settings_put(place->settings, key, sn_str_make(text, value.len + 1), NULL),
                     SN_ERR_LIMIT);
    assert_int_equal(sn_settings_put(place->settings, SN_STR(""), value, NULL), SN_ERR_LIMIT);
}

static void any_bytes_are_kept(void **state) {
    struct place *place = *state;
    struct sn_str value;
    struct sn_setting_list list;
    const struct sn_str key = SN_STR("\xff\0'); DROP TABLE sonde_setting; --");
    assert_int_equal(sn_settings_put(place->settings, key, SN_STR("\"\xc3\xa9\xff\""), NULL),
                     SN_OK);
    assert_int_equal(sn_settings_get(place->settings, key, &place->arena, &value, NULL), SN_OK);
    assert_true(sn_str_equal(value, SN_STR("\"\xc3\xa9\xff\"")));
    assert_int_equal(
        sn_settings_list(place->settings, sn_str_make("\xff", 1), &place->arena, &list, NULL),
        SN_OK);
    assert_int_equal(list.count, 1);
    assert_true(sn_str_equal(list.items[0].key, key));
}

static void there_is_a_limit_of_keys(void **state) {
    struct place *place = *state;
    struct sn_pg pg = {.conn = NULL};
    struct sn_err err = {.status = SN_OK};
    if (!server.is_running)
        return; /* its file is not for us to write to */
    assert_int_equal(sn_settings_put(place->settings, SN_STR("x"), SN_STR("0"), NULL), SN_OK);
    assert_int_equal(sn_pg_connect(&pg, server.url, NULL), SN_OK);
    if (sn_pg_run(&pg,
                  "INSERT INTO sonde_setting SELECT i::text::bytea, '0'"
                  " FROM generate_series(2, 10000) i",
                  NULL, NULL, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_pg_disconnect(&pg);
    assert_int_equal(sn_settings_put(place->settings, SN_STR("y"), SN_STR("1"), &err),
                     SN_ERR_LIMIT);
    assert_string_equal(err.text, "there are 10000 settings already, the limit");
    assert_int_equal(sn_settings_put(place->settings, SN_STR("x"), SN_STR("1"), NULL), SN_OK);
    assert_int_equal(sn_settings_remove(place->settings, SN_STR("7"), NULL), SN_OK);
    assert_int_equal(sn_settings_put(place->settings, SN_STR("y"), SN_STR("1"), NULL), SN_OK);
}

/* ---- failures ---- */

/* Put, replaced, read, listed, removed: the first failure. */
static sn_status play(struct sn_settings *settings, struct sn_arena *arena, struct sn_err *err) {
    struct sn_str value;
    struct sn_setting_list list;
    SN_TRY(sn_settings_put(settings, SN_STR("a"), SN_STR("1"), err));
    SN_TRY(sn_settings_put(settings, SN_STR("a"), SN_STR("2"), err));
    SN_TRY(sn_settings_get(settings, SN_STR("a"), arena, &value, err));
    assert_true(sn_str_equal(value, SN_STR("2")));
    SN_TRY(sn_settings_list(settings, SN_STR(""), arena, &list, err));
    assert_int_equal(list.count, 1);
    return sn_settings_remove(settings, SN_STR("a"), err);
}

/* What a failed play may have left is whole, and goes. */
static void tidy(struct sn_settings *settings) {
    struct sn_arena arena;
    struct sn_setting_list list;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_settings_list(settings, SN_STR(""), &arena, &list, NULL), SN_OK);
    assert_true(list.count <= 1);
    if (list.count == 1)
        assert_true(list.items[0].value.len == 1);
    sn_arena_release(&arena);
    sn_status status = sn_settings_remove(settings, SN_STR("a"), NULL);
    assert_int_equal(status, list.count == 1 ? SN_OK : SN_ERR_NOT_FOUND);
}

static void without_memory_nothing_is_half_done(void **state) {
    struct place *place = *state;
    bool is_over = false;
    for (uint64_t n = 1; !is_over; n++) {
        sn_arena_release(&place->arena); /* so that it has to ask for memory */
        sn_arena_init(&place->arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = play(place->settings, &place->arena, NULL);
        is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        tidy(place->settings);
    }
}

static void opening_without_memory_leaves_nothing(void **state) {
    struct place *place = *state;
    bool is_over = false;
    place->settings = sn_settings_close(place->settings);
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1; !is_over; n++) {
        sn_mem_fail_nth(n);
        sn_status status = server.is_running
                               ? sn_settings_open_postgres(server.url, &place->settings, NULL)
                               : sn_settings_open(place->path, &place->settings, NULL);
        is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        place->settings = sn_settings_close(place->settings);
        assert_int_equal(sn_mem_block_count(), before);
    }
}

/* For every n: the n-th piece of the conversation is lost with its connection. */
static void a_network_that_breaks_is_named_and_passes(void **state) {
    struct place *place = *state;
    struct test_proxy proxy;
    bool is_over = false;
    if (!server.is_running)
        return; /* SQLite has none */
    test_proxy_init(&proxy, &server);
    for (uint64_t n = 1; !is_over; n++) {
        struct sn_settings *settings = NULL;
        struct sn_err err = {.status = SN_OK};
        struct sn_str value;
        assert_int_equal(sn_settings_open_postgres(proxy.url, &settings, NULL), SN_OK);
        test_proxy_cut_at(&proxy, n);
        sn_status status = play(settings, &place->arena, &err);
        is_over = !atomic_load(&proxy.has_cut);
        test_proxy_cut_at(&proxy, 0);
        if (status != SN_OK && (is_over || status != SN_ERR_IO || err.text[0] == '\0'))
            fail_msg("%llu: %s: %s", (unsigned long long)n, sn_status_name(status), err.text);
        while (sn_settings_get(settings, SN_STR("x"), &place->arena, &value, NULL) == SN_ERR_IO)
            sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
        tidy(settings);
        settings = sn_settings_close(settings);
        sn_arena_reset(&place->arena);
    }
    test_proxy_release(&proxy);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_kept_over_a_restart_until_it_is_replaced_or_removed),
        TEST(a_list_has_what_starts_with_the_prefix),
        TEST(lengths_are_limited),
        TEST(any_bytes_are_kept),
        TEST(there_is_a_limit_of_keys),
        TEST(without_memory_nothing_is_half_done),
        TEST(opening_without_memory_leaves_nothing),
        TEST(a_network_that_breaks_is_named_and_passes),
    };
    return test_postgres_run_on_both(&server, "settings", tests, sizeof tests / sizeof tests[0]);
}
