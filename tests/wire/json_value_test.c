/* Values in JSON lines: every bit comes back, also those that JSON has no number for. */
#include "wire/json_value_priv.h"

#include "model/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void write_text(double value, struct sn_buf *buf) {
    struct sn_json_writer json;
    sn_buf_init(buf, 0);
    sn_json_write_init(&json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_value_write(&json, value);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
}

static sn_status read_text(struct sn_str text, uint64_t *ret_bits) {
    struct sn_json_reader json;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_json_read_init(&json, text, &(struct sn_json_options){.arena = &arena});
    *ret_bits = sn_double_bits(sn_json_value_read(&json));
    sn_status status = sn_json_read_finish(&json, NULL);
    sn_arena_release(&arena);
    return status;
}

static void values_have_their_texts(void **state) {
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0, "0"},
        {UINT64_C(0x8000000000000000), "-0"},
        {UINT64_C(0x3fe0000000000000), "0.5"},
        {UINT64_C(0x7ff0000000000000), "\"+Inf\""},
        {UINT64_C(0xfff0000000000000), "\"-Inf\""},
        {UINT64_C(0x7ff8000000000001), "\"NaN\""},
        {SN_STALE_NAN_BITS, "\"stale\""},
        {UINT64_C(0xfff8000000000000), "\"nan:fff8000000000000\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_buf buf;
        uint64_t bits;
        write_text(sn_double_from_bits(cases[i].bits), &buf);
        assert_true(sn_str_equal(sn_buf_str(&buf), sn_str_from(cases[i].text)));
        assert_int_equal(read_text(sn_buf_str(&buf), &bits), SN_OK);
        assert_int_equal(bits, cases[i].bits);
        sn_buf_release(&buf);
    }
}

static void what_is_no_value_is_refused(void **state) {
    (void)state;
    uint64_t bits;
    assert_int_equal(read_text(SN_STR("null"), &bits), SN_OK);
    assert_int_equal(bits, UINT64_C(0x7ff8000000000001));
    static const char *const bad[] = {
        "\"\"", "\"1\"", "\"nan:\"", "\"nan:3ff0000000000000\"", "\"nan:7ff800000000000g\"",
        "[]",   "true"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_text(sn_str_from(bad[i]), &bits), SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_texts),
        cmocka_unit_test(what_is_no_value_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
