/* external_labels: the environment in them, and what is no label. */
#include "app/external_labels.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_err err;

static sn_status complete(struct sn_pair *pairs, size_t count, struct sn_arena *arena) {
    struct sn_pair_list list = {pairs, count};
    err = (struct sn_err){.status = SN_OK};
    return sn_external_labels_complete(&list, "p.yml", arena, &err);
}

static void assert_value(const char *given, const char *wanted) {
    struct sn_pair pair = {"a", given};
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(complete(&pair, 1, &arena), SN_OK);
    assert_string_equal(pair.value, wanted);
    sn_arena_release(&arena);
}

static void variables_are_put_in(void **state) {
    (void)state;
    assert_int_equal(setenv("SONDE_TEST_ZONE", "eu-1", 1), 0);
    assert_int_equal(unsetenv("SONDE_TEST_NONE"), 0);
    assert_value("plain", "plain");
    assert_value("", "");
    assert_value("$SONDE_TEST_ZONE", "eu-1");
    assert_value("x-${SONDE_TEST_ZONE}-y", "x-eu-1-y");
    assert_value("$SONDE_TEST_ZONE.$SONDE_TEST_ZONE", "eu-1.eu-1");
    assert_value("<$SONDE_TEST_NONE>", "<>");
    assert_value("$$HOME costs 5$$", "$HOME costs 5$");
    assert_value("${SONDE_TEST_ZONE", "SONDE_TEST_ZONE"); /* as in Go: the two bytes go */
    assert_value("${}", "");
    assert_value("5$", "5$");
    assert_value("$ 5", "$ 5");
    assert_value("$1x", "x");
}

static void assert_refused(struct sn_pair *pairs, size_t count, sn_status status,
                           const char *message) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(complete(pairs, count, &arena), status);
    assert_string_equal(err.text, message);
    sn_arena_release(&arena);
}

static void what_is_no_label_is_refused(void **state) {
    (void)state;
    static struct sn_pair many[SN_LABELS_MAX + 1];
    assert_refused(
        (struct sn_pair[]){{"", "x"}}, 1, SN_ERR_INVALID,
        "p.yml: external_labels: \"\" is not a label: name and value are UTF-8, the name "
        "is not empty");
    assert_refused(
        (struct sn_pair[]){{"a", "\xff"}}, 1, SN_ERR_INVALID,
        "p.yml: external_labels: \"a\" is not a label: name and value are UTF-8, the name "
        "is not empty");
    assert_refused((struct sn_pair[]){{"a", "1"}, {"b", "1"}, {"a", "2"}}, 3, SN_ERR_INVALID,
                   "p.yml: external_labels: \"a\" is there twice");
    assert_refused(many, SN_LABELS_MAX + 1, SN_ERR_LIMIT,
                   "p.yml: external_labels: 129 labels, the limit is 128");
}

static void no_memory_is_said(void **state) {
    (void)state;
    uint64_t n = 0;
    for (bool has_fired = true; has_fired;) {
        struct sn_pair pair = {"a", "$SONDE_TEST_ZONE"};
        struct sn_arena arena;
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(++n);
        sn_status status = complete(&pair, 1, &arena);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_arena_release(&arena);
    }
    assert_true(n > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(what_is_no_label_is_refused),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
