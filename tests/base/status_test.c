/* Tests of status codes and error sentences. */
#include "base/status.h"

#include "base/check.h"
#include "base_support.h"

#include <errno.h>
#include <string.h>

static const sn_status all_statuses[] = {
    SN_OK,         SN_ERR_NO_MEMORY, SN_ERR_LIMIT,    SN_ERR_INVALID, SN_ERR_NOT_FOUND,
    SN_ERR_EXISTS, SN_ERR_IO,        SN_ERR_NO_SPACE, SN_ERR_CORRUPT, SN_ERR_UNSUPPORTED,
    SN_ERR_BUSY,   SN_ERR_TIMEOUT,   SN_ERR_CLOSED,   SN_ERR_DENIED,  SN_ERR_INTERNAL,
};
#define STATUS_COUNT (sizeof(all_statuses) / sizeof(all_statuses[0]))

static void set_fills_status_and_sentence(void **state) {
    (void)state;
    struct sn_err err = {0};
    assert_int_equal(sn_err_set(&err, SN_ERR_LIMIT, "%d of %s", 7, "eight"), SN_ERR_LIMIT);
    assert_int_equal(err.status, SN_ERR_LIMIT);
    assert_string_equal(err.text, "7 of eight");
}

static void set_without_an_error_struct_returns_the_status(void **state) {
    (void)state;
    assert_int_equal(sn_err_set(NULL, SN_ERR_BUSY, "x"), SN_ERR_BUSY);
    assert_int_equal(sn_err_set_errno(NULL, ENOSPC, "x"), SN_ERR_NO_SPACE);
    sn_err_prefix(NULL, "nothing to do");
}

static void a_sentence_that_just_fits_is_whole_and_one_more_is_cut(void **state) {
    (void)state;
    struct sn_err err = {0};
    char long_text[SN_ERR_TEXT_SIZE + 1];
    memset(long_text, 'x', sizeof(long_text));
    long_text[SN_ERR_TEXT_SIZE - 1] = '\0';
    (void)sn_err_set(&err, SN_ERR_IO, "%s", long_text);
    assert_string_equal(err.text, long_text);

    long_text[SN_ERR_TEXT_SIZE - 1] = 'x';
    long_text[SN_ERR_TEXT_SIZE] = '\0';
    (void)sn_err_set(&err, SN_ERR_IO, "%s", long_text);
    assert_int_equal(strlen(err.text), SN_ERR_TEXT_SIZE - 1);
    assert_string_equal(err.text + SN_ERR_TEXT_SIZE - 5, "x...");
}

static void a_cut_never_leaves_half_a_character(void **state) {
    (void)state;
    struct sn_err err = {0};
    char text[2 * SN_ERR_TEXT_SIZE];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = 0; i < 150; i++)
            memcpy(text + shift + 3 * i, "\xE2\x82\xAC", 4);
        (void)sn_err_set(&err, SN_ERR_IO, "%s", text);
        size_t len = strlen(err.text);
        assert_true(len > SN_ERR_TEXT_SIZE - 8);
        assert_int_equal((len - 3 - shift) % 3, 0);
        assert_string_equal(err.text + len - 4, "\xAC...");
    }
}

static void errno_picks_the_status_and_appends_its_text(void **state) {
    (void)state;
    static const struct {
        int errno_value;
        sn_status status;
    } cases[] = {
        {ENOSPC, SN_ERR_NO_SPACE},  {EDQUOT, SN_ERR_NO_SPACE},  {EFBIG, SN_ERR_NO_SPACE},
        {ENOMEM, SN_ERR_NO_MEMORY}, {ENOENT, SN_ERR_NOT_FOUND}, {EEXIST, SN_ERR_EXISTS},
        {EACCES, SN_ERR_DENIED},    {EPERM, SN_ERR_DENIED},     {EIO, SN_ERR_IO},
        {EINVAL, SN_ERR_IO},
    };
    struct sn_err err = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(sn_err_set_errno(&err, cases[i].errno_value, "x"), cases[i].status);
        assert_int_equal(err.status, cases[i].status);
    }
    (void)sn_err_set_errno(&err, ENOSPC, "cannot write %s", "a");
    assert_string_equal(err.text, "cannot write a: No space left on device");
    (void)sn_err_set_errno(&err, 99999, "cannot");
    assert_string_equal(err.text, "cannot: error number 99999");
}

static void prefix_goes_in_front_and_keeps_the_status(void **state) {
    (void)state;
    struct sn_err err = {0};
    (void)sn_err_set(&err, SN_ERR_INVALID, "bad");
    sn_err_prefix(&err, "line %d", 3);
    assert_string_equal(err.text, "line 3: bad");
    assert_int_equal(err.status, SN_ERR_INVALID);
    for (int i = 0; i < 100; i++)
        sn_err_prefix(&err, "again");
    assert_int_equal(strlen(err.text), SN_ERR_TEXT_SIZE - 1);
    assert_string_equal(err.text + SN_ERR_TEXT_SIZE - 4, "...");
}

static void arguments_may_point_into_the_error_itself(void **state) {
    (void)state;
    struct sn_err err = {0};
    (void)sn_err_set(&err, SN_ERR_IO, "inner");
    (void)sn_err_set(&err, SN_ERR_CORRUPT, "outer, because %s", err.text);
    assert_string_equal(err.text, "outer, because inner");
}

static void set_to_ok(void) {
    struct sn_err err;
    (void)sn_err_set(&err, SN_OK, "not a failure");
}

static void success_is_not_a_failure(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    assert_true(dies_saying(set_to_ok, "status >= SN_OK"));
}

static void every_status_has_its_own_name(void **state) {
    (void)state;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        assert_int_equal(all_statuses[i], -(int)i);
        assert_string_not_equal(sn_status_name(all_statuses[i]), "unknown");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(sn_status_name(all_statuses[i]),
                                    sn_status_name(all_statuses[j]));
    }
    assert_string_equal(sn_status_name(SN_ERR_NO_MEMORY), "no_memory");
    assert_string_equal(sn_status_name((sn_status) - (int)STATUS_COUNT), "unknown");
}

static sn_status steps_done(sn_status first, int *steps) {
    SN_TRY(first);
    ++*steps;
    return SN_OK;
}

static void try_returns_failures_only(void **state) {
    (void)state;
    int steps = 0;
    assert_int_equal(steps_done(SN_ERR_CLOSED, &steps), SN_ERR_CLOSED);
    assert_int_equal(steps, 0);
    assert_int_equal(steps_done(SN_OK, &steps), SN_OK);
    assert_int_equal(steps, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_status_and_sentence),
        cmocka_unit_test(set_without_an_error_struct_returns_the_status),
        cmocka_unit_test(a_sentence_that_just_fits_is_whole_and_one_more_is_cut),
        cmocka_unit_test(a_cut_never_leaves_half_a_character),
        cmocka_unit_test(errno_picks_the_status_and_appends_its_text),
        cmocka_unit_test(prefix_goes_in_front_and_keeps_the_status),
        cmocka_unit_test(arguments_may_point_into_the_error_itself),
        cmocka_unit_test(success_is_not_a_failure),
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(try_returns_failures_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
