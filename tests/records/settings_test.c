/* Documents by key, in SQLite and in PostgreSQL: kept, replaced, listed, removed, limited. */
#include "records/settings.h"

#include "postgres_support.h"

#include "base/os.h"

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
    (void)snprintf(place.path, sizeof place.path, "%s/sonde.db", place.dir);
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

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_value_is_kept_over_a_restart_until_it_is_replaced_or_removed),
        TEST(a_list_has_what_starts_with_the_prefix),
        TEST(lengths_are_limited),
        TEST(any_bytes_are_kept),
    };
    int failed = cmocka_run_group_tests_name("settings", tests, NULL, NULL);
    if (!test_postgres_wanted(false))
        return failed;
    test_postgres_init(&server);
    failed += cmocka_run_group_tests_name("settings on PostgreSQL", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
