/* Passwords: what is allowed, and that only the right one passes. */
#include "auth/password.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void only_the_right_password_passes(void **state) {
    (void)state;
    char hash[SN_PASSWORD_HASH_SIZE], again[SN_PASSWORD_HASH_SIZE];
    assert_int_equal(sn_password_hash(SN_STR("correct horse"), hash, NULL), SN_OK);
    assert_memory_equal(hash, "$argon2id$v=19$m=32768,t=2,p=1$", 31);
    assert_int_equal(sn_password_hash(SN_STR("correct horse"), again, NULL), SN_OK);
    assert_string_not_equal(hash, again); /* another salt */
    assert_true(sn_password_verify(SN_STR("correct horse"), hash));
    assert_true(sn_password_verify(SN_STR("correct horse"), again));
    assert_false(sn_password_verify(SN_STR("correct horsf"), hash));
    assert_false(sn_password_verify(SN_STR("correct hors"), hash));
    assert_false(sn_password_verify(SN_STR(""), hash));
    assert_false(sn_password_verify(SN_STR("correct horse"), "no hash"));
    assert_false(sn_password_verify(SN_STR("correct horse"), ""));
}

static void nobody_has_no_password_but_costs_the_same(void **state) {
    (void)state;
    char hash[SN_PASSWORD_HASH_SIZE];
    const struct sn_clock *clock = sn_clock_system();
    assert_int_equal(sn_password_hash(SN_STR("correct horse"), hash, NULL), SN_OK);
    int64_t best_known_ns = INT64_MAX, best_unknown_ns = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        int64_t start_ns = sn_clock_mono_ns(clock);
        assert_false(sn_password_verify(SN_STR("wrong password"), hash));
        int64_t middle_ns = sn_clock_mono_ns(clock);
        assert_false(sn_password_verify(SN_STR("wrong password"), NULL));
        int64_t end_ns = sn_clock_mono_ns(clock);
        if (middle_ns - start_ns < best_known_ns)
            best_known_ns = middle_ns - start_ns;
        if (end_ns - middle_ns < best_unknown_ns)
            best_unknown_ns = end_ns - middle_ns;
    }
    /* A hash that is not well-formed would be refused at once: a thousand times faster. */
    assert_true(best_unknown_ns > best_known_ns / 8);
}

static void bounds_of_the_length_hold(void **state) {
    (void)state;
    char text[SN_PASSWORD_BYTES_MAX + 1];
    struct sn_err err = {.status = SN_OK};
    memset(text, 'x', sizeof text);
    const struct sn_str name = SN_STR("ann");
    assert_int_equal(sn_password_check(sn_str_make(text, SN_PASSWORD_BYTES_MIN - 1), name, &err),
                     SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "10 to 256"));
    assert_int_equal(sn_password_check(sn_str_make(text, SN_PASSWORD_BYTES_MIN), name, &err),
                     SN_OK);
    assert_int_equal(sn_password_check(sn_str_make(text, SN_PASSWORD_BYTES_MAX), name, &err),
                     SN_OK);
    assert_int_equal(sn_password_check(sn_str_make(text, SN_PASSWORD_BYTES_MAX + 1), name, &err),
                     SN_ERR_INVALID);
    assert_false(sn_password_verify(sn_str_make(text, SN_PASSWORD_BYTES_MAX + 1), NULL));
}

static void text_that_nobody_can_type_is_refused(void **state) {
    (void)state;
    const struct sn_str name = SN_STR("administrator");
    assert_int_equal(sn_password_check(SN_STR("administrator"), name, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_password_check(SN_STR("0123456789\n"), name, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_password_check(SN_STR("0123456789\x7f"), name, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_password_check(SN_STR("0123456789\xff"), name, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_password_check(SN_STR("пароль администратора"), name, NULL), SN_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_right_password_passes),
        cmocka_unit_test(nobody_has_no_password_but_costs_the_same),
        cmocka_unit_test(bounds_of_the_length_hold),
        cmocka_unit_test(text_that_nobody_can_type_is_refused),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
