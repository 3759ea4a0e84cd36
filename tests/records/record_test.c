/* What a record must be. */
#include "records_support.h"

#include "base/limits.h"

#include <math.h>

static char long_text[SN_RECORD_METADATA_BYTES_MAX + 2];

static void a_plain_record_is_fine(void **state) {
    (void)state;
    struct sn_record record = test_record("a", 0, 1);
    assert_int_equal(sn_record_check(&record, NULL), SN_OK);
    record.service = record.unit = SN_STR("");
    assert_int_equal(sn_record_check(&record, NULL), SN_OK);
}

static void type_and_name_are_needed(void **state) {
    (void)state;
    struct sn_record record = test_record("", 0, 1);
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record = test_record("a", 0, 1);
    record.metric_type = SN_STR("");
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
}

static void values_are_finite(void **state) {
    (void)state;
    struct sn_record record = test_record("a", 0, (double)NAN);
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record.value = (double)INFINITY;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
}

static void limits_hold_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    memset(long_text, 'x', sizeof long_text);
    struct sn_record record = test_record("a", 0, 1);
    const struct {
        struct sn_str *text;
        size_t max;
    } rows[] = {
        {&record.metric_type, SN_RECORD_TYPE_BYTES_MAX},
        {&record.name, SN_RECORD_NAME_BYTES_MAX},
        {&record.service, SN_RECORD_SERVICE_BYTES_MAX},
        {&record.unit, SN_RECORD_UNIT_BYTES_MAX},
        {&record.description, SN_RECORD_DESCRIPTION_BYTES_MAX},
        {&record.metadata, SN_RECORD_METADATA_BYTES_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        record = test_record("a", 0, 1);
        *rows[i].text = sn_str_make(long_text, rows[i].max);
        assert_int_equal(sn_record_check(&record, NULL), SN_OK);
        rows[i].text->len++;
        assert_int_equal(sn_record_check(&record, NULL), SN_ERR_LIMIT);
    }
    record = test_record("a", 0, 1);
    record.time_ms = SN_TIME_MS_MAX;
    assert_int_equal(sn_record_check(&record, NULL), SN_OK);
    record.time_ms++;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_LIMIT);
    record.time_ms = -1;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_LIMIT);
}

static void text_is_utf8_without_nul(void **state) {
    (void)state;
    struct sn_record record = test_record("\xff", 0, 1);
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record.name = SN_STR("a\0b");
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
}

static void counts_belong_to_success_rates_and_make_sense(void **state) {
    (void)state;
    struct sn_record record = test_record("a", 0, 1);
    record.has_counts = true;
    record.ok_count = record.total_count = 1;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record.metric_type = SN_STR("success_rate");
    assert_int_equal(sn_record_check(&record, NULL), SN_OK);
    record.ok_count = 2;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record.ok_count = -1;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
    record.ok_count = record.total_count = 0;
    assert_int_equal(sn_record_check(&record, NULL), SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_record_is_fine),
        cmocka_unit_test(type_and_name_are_needed),
        cmocka_unit_test(values_are_finite),
        cmocka_unit_test(limits_hold_at_both_sides_of_the_boundary),
        cmocka_unit_test(text_is_utf8_without_nul),
        cmocka_unit_test(counts_belong_to_success_rates_and_make_sense),
    };
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
