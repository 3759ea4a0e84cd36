/* UUIDs of records. */
#include "records/record_id.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct sn_record_id_key key = {INT64_C(17179869183), INT64_C(12345678901), 99};

static void an_id_opens_to_what_it_was_made_of(void **state) {
    (void)state;
    const int64_t times[] = {SN_TIME_MS_MIN, INT64_C(1700000000123), SN_TIME_MS_MAX};
    const int64_t rows[] = {0, 1, 65521, SN_RECORD_ROW_MAX};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++) {
            int64_t time_ms = -1, row = -1;
            struct sn_record_id id = sn_record_id_make(&key, times[i], rows[j]);
            assert_true(sn_record_id_open(&key, &id, &time_ms, &row));
            assert_int_equal(time_ms, times[i]);
            assert_int_equal(row, rows[j]);
            assert_int_equal(sn_record_id_time_ms(&id), times[i]);
        }
}

static void an_id_of_another_key_or_changed_does_not_open(void **state) {
    (void)state;
    int64_t time_ms, row;
    const struct sn_record_id_key other = {5, 6, 7};
    struct sn_record_id id = sn_record_id_make(&key, INT64_C(1700000000123), 42);
    assert_false(sn_record_id_open(&other, &id, &time_ms, &row));
    for (size_t bit = 0; bit < 128; bit++) {
        struct sn_record_id changed = id;
        changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(sn_record_id_open(&key, &changed, &time_ms, &row));
    }
}

static void text_is_that_of_a_uuid_of_version_7(void **state) {
    (void)state;
    char text[SN_RECORD_ID_TEXT_SIZE];
    struct sn_record_id id = sn_record_id_make(&key, INT64_C(1700000000123), 42), again;
    sn_record_id_format(&id, text);
    assert_int_equal(strlen(text), 36);
    assert_int_equal(text[14], '7');
    assert_non_null(strchr("89ab", text[19]));
    assert_int_equal(sn_record_id_parse(sn_str_from(text), &again, NULL), SN_OK);
    assert_memory_equal(again.bytes, id.bytes, sizeof id.bytes);
    text[0] = 'A';
    assert_int_equal(sn_record_id_parse(sn_str_from(text), &again, NULL), SN_OK);
    assert_int_equal(again.bytes[0] >> 4, 10);
}

static void random_ids_keep_version_and_variant(void **state) {
    (void)state;
    struct sn_record_id id = sn_record_id_random(INT64_C(1700000000123), UINT64_MAX, UINT64_MAX);
    assert_int_equal(id.bytes[6] >> 4, 7);
    assert_int_equal(id.bytes[8] >> 6, 2);
    assert_int_equal(sn_record_id_time_ms(&id), INT64_C(1700000000123));
}

static void what_is_no_uuid_is_refused(void **state) {
    (void)state;
    struct sn_record_id id;
    const char *const texts[] = {"",
                                 "x",
                                 "018bcfe5-687b-7000-8000-00000000000",
                                 "018bcfe5-687b-7000-8000-0000000000000",
                                 "018bcfe5-687b-7000-8000_000000000000",
                                 "018bcfe5-687b-7000-8000-00000000000g",
                                 "' OR 1=1 --' OR 1=1 --' OR 1=1 --xxx"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(sn_record_id_parse(sn_str_from(texts[i]), &id, NULL), SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_opens_to_what_it_was_made_of),
        cmocka_unit_test(an_id_of_another_key_or_changed_does_not_open),
        cmocka_unit_test(text_is_that_of_a_uuid_of_version_7),
        cmocka_unit_test(random_ids_keep_version_and_variant),
        cmocka_unit_test(what_is_no_uuid_is_refused),
    };
    return cmocka_run_group_tests_name("record_id", tests, NULL, NULL);
}
