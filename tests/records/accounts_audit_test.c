/* The audit log: newest first, page by page, bounded texts. */
#include "accounts_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct test_accounts *test, int64_t time_ms, struct sn_str detail) {
    const struct sn_audit_row row = {.time_ms = time_ms,
                                     .actor = SN_STR("root"),
                                     .peer = SN_STR("192.0.2.1"),
                                     .action = SN_STR("user-add"),
                                     .detail = detail};
    assert_int_equal(sn_accounts_add_audit(test->accounts, &row, NULL), SN_OK);
}

static void pages_go_from_new_to_old(void **state) {
    struct test_accounts *test = *state;
    struct sn_audit_list list;
    for (int64_t i = 0; i < 25; i++)
        add(test, TEST_NOW_MS + i, SN_STR("x"));
    assert_int_equal(sn_accounts_list_audit(test->accounts, 0, 20, &test->arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 20);
    assert_int_equal(list.items[0].time_ms, TEST_NOW_MS + 24);
    assert_true(sn_str_equal(list.items[0].actor, SN_STR("root")));
    assert_true(sn_str_equal(list.items[0].peer, SN_STR("192.0.2.1")));
    assert_int_equal(
        sn_accounts_list_audit(test->accounts, list.items[19].id, 20, &test->arena, &list, NULL),
        SN_OK);
    assert_int_equal(list.count, 5);
    assert_int_equal(list.items[4].time_ms, TEST_NOW_MS);
}

static void long_texts_are_cut(void **state) {
    struct test_accounts *test = *state;
    static char text[5000];
    struct sn_audit_list list;
    memset(text, 't', sizeof text);
    add(test, TEST_NOW_MS, sn_str_make(text, sizeof text));
    add(test, TEST_NOW_MS, sn_str_make(NULL, 0));
    assert_int_equal(sn_accounts_list_audit(test->accounts, 0, 20, &test->arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.items[0].detail.len, 0);
    assert_int_equal(list.items[1].detail.len, 1024);
}

static void what_is_no_text_is_kept_as_well_as_can_be(void **state) {
    struct test_accounts *test = *state;
    static char text[1026];
    struct sn_audit_list list;
    memset(text, 't', sizeof text);
    memcpy(text + 1023, "\xc3\xa9", 2); /* the limit goes through it */
    add(test, TEST_NOW_MS, SN_STR("\xc3\xa9'); DROP TABLE sonde_audit; --"));
    add(test, TEST_NOW_MS, SN_STR("a\0b\xff"));
    add(test, TEST_NOW_MS, sn_str_make(text, sizeof text));
    assert_int_equal(sn_accounts_list_audit(test->accounts, 0, 20, &test->arena, &list, NULL),
                     SN_OK);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].detail.len, 1023);
    assert_int_equal(list.items[1].detail.ptr[0], 'a');
    assert_true(
        sn_str_equal(list.items[2].detail, SN_STR("\xc3\xa9'); DROP TABLE sonde_audit; --")));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_accounts_set_up, test_accounts_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(pages_go_from_new_to_old),
        TEST(long_texts_are_cut),
        TEST(what_is_no_text_is_kept_as_well_as_can_be),
    };
    return test_accounts_run("accounts_audit", tests, sizeof tests / sizeof tests[0]);
}
