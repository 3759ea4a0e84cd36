/* Tokens and setup codes: shape, hashes, what is refused. */
#include "auth/secret.h"

#include "base/os.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_new_token_hashes_to_what_it_says(void **state) {
    (void)state;
    static const struct {
        enum sn_secret_kind kind;
        const char *prefix;
    } kinds[] = {{SN_SECRET_SESSION, "sns_"}, {SN_SECRET_TOKEN, "snt_"}};
    for (size_t i = 0; i < 2; i++) {
        struct sn_secret a, b;
        struct sn_secret_hash hash;
        assert_int_equal(sn_secret_new(kinds[i].kind, &a, NULL), SN_OK);
        assert_int_equal(sn_secret_new(kinds[i].kind, &b, NULL), SN_OK);
        assert_int_equal(strlen(a.text), SN_SECRET_TEXT_SIZE - 1);
        assert_memory_equal(a.text, kinds[i].prefix, 4);
        assert_true(sn_secret_hash(sn_str_from(a.text), &hash));
        assert_true(sn_secret_hash_equal(&hash, &a.hash));
        assert_false(sn_secret_hash_equal(&hash, &b.hash));
    }
}

static void text_of_another_shape_is_no_token(void **state) {
    (void)state;
    struct sn_secret secret;
    struct sn_secret_hash hash;
    assert_int_equal(sn_secret_new(SN_SECRET_TOKEN, &secret, NULL), SN_OK);
    struct sn_str text = sn_str_from(secret.text);
    assert_false(sn_secret_hash(SN_STR(""), &hash));
    assert_false(sn_secret_hash(sn_str_make(text.ptr, text.len - 1), &hash));
    assert_false(sn_secret_hash(sn_str_make(text.ptr, text.len + 1), &hash));
    static const char bad[] = "!+/= \0";
    for (size_t i = 0; i < text.len; i++)
        for (size_t b = 0; b < sizeof bad; b++) {
            char changed[SN_SECRET_TEXT_SIZE];
            memcpy(changed, text.ptr, sizeof changed);
            changed[i] = bad[b];
            assert_false(sn_secret_hash(sn_str_make(changed, text.len), &hash));
        }
}

static void a_setup_code_may_be_typed_carelessly(void **state) {
    (void)state;
    char code[SN_SETUP_CODE_TEXT_SIZE], typed[40];
    struct sn_secret_hash hash, other;
    assert_int_equal(sn_setup_code_new(code, &hash, NULL), SN_OK);
    assert_int_equal(strlen(code), SN_SETUP_CODE_TEXT_SIZE - 1);
    assert_int_equal(code[4], '-');
    assert_int_equal(code[9], '-');
    size_t len = 0;
    for (const char *at = code; *at != '\0'; at++) {
        char c = *at == '0' ? 'o' : *at == '1' ? 'L' : *at;
        typed[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        typed[len++] = ' ';
    }
    assert_true(sn_setup_code_hash(sn_str_from(code), &other));
    assert_true(sn_secret_hash_equal(&hash, &other));
    assert_true(sn_setup_code_hash(sn_str_make(typed, len), &other));
    assert_true(sn_secret_hash_equal(&hash, &other));
}

static void what_is_no_code_is_refused(void **state) {
    (void)state;
    struct sn_secret_hash hash;
    static const struct sn_str texts[] = {
        SN_STR(""),
        SN_STR("7KQ2-M9XD-41T"),
        SN_STR("7KQ2-M9XD-41TBB"),
        SN_STR("7KQ2-M9XD-41T!"),
        SN_STR("7KQ2-M9XD-41TU"),
        SN_STR("7KQ2-M9XD-41T\0"),
        SN_STR("----"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(sn_setup_code_hash(texts[i], &hash));
    assert_true(sn_setup_code_hash(SN_STR("7KQ2M9XD41TB"), &hash));
}

static void without_entropy_there_is_no_secret(void **state) {
    (void)state;
    struct sn_secret secret;
    char code[SN_SETUP_CODE_TEXT_SIZE];
    struct sn_secret_hash hash;
    struct sn_err err = {.status = SN_OK};
    sn_fault_arm(SN_FAULT_RANDOM, 1, 2, EAGAIN);
    assert_int_equal(sn_secret_new(SN_SECRET_TOKEN, &secret, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "entropy"));
    assert_int_equal(sn_setup_code_new(code, &hash, &err), SN_ERR_IO);
    sn_fault_disarm_all();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_token_hashes_to_what_it_says),
        cmocka_unit_test(text_of_another_shape_is_no_token),
        cmocka_unit_test(a_setup_code_may_be_typed_carelessly),
        cmocka_unit_test(what_is_no_code_is_refused),
        cmocka_unit_test(without_entropy_there_is_no_secret),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
