/* Parameters in binary form, and what a connection does without a server. */
#include "records/pg.h"
#include "records_support.h"

static void numbers_are_big_endian_and_times_count_from_2000(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        0,   0, 0, 0, 0, 0, 1, 2, 0, /* 258 */
        0,   0, 0, 0, 0, 0, 0, 0, 0, /* 2000-01-01 */
        'a', 0,                      /* text */
        0,                           /* no bytes */
    };
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, 258);
    sn_pg_put_time(&params, INT64_C(946684800000));
    sn_pg_put_text(&params, SN_STR("a"));
    sn_pg_put_optional(&params, SN_STR(""));
    assert_int_equal(params.count, 4);
    assert_int_equal(params.buf.len, sizeof expected);
    assert_memory_equal(params.buf.ptr, expected, sizeof expected);
    assert_true(params.nulls[3] && !params.nulls[2]);
    assert_int_equal(params.lens[0], 8);
    assert_int_equal(params.types[1], SN_PG_TIMESTAMPTZ);
    sn_pg_params_release(&params);
}

static void an_array_has_its_head_and_its_elements(void **state) {
    (void)state;
    static const uint8_t expected[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0,   0,   25,   0,    0,    0,
                                       2, 0, 0, 0, 1, 0, 0, 0, 2, 'x', 'y', 0xff, 0xff, 0xff, 0xff};
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_array_begin(&params, SN_PG_TEXT, SN_PG_TEXT_ARRAY);
    sn_pg_add_bytes(&params, SN_STR("xy"));
    sn_pg_add_null(&params);
    sn_pg_array_end(&params);
    assert_int_equal(params.lens[0], sizeof expected);
    assert_memory_equal(params.buf.ptr, expected, sizeof expected);
    sn_pg_params_release(&params);
}

static void a_failed_allocation_is_kept_until_it_is_run(void **state) {
    (void)state;
    struct sn_pg_params params;
    struct sn_pg pg = {.conn = NULL};
    sn_pg_params_init(&params);
    sn_mem_fail_nth(1);
    sn_pg_array_begin(&params, SN_PG_TEXT, SN_PG_TEXT_ARRAY);
    sn_pg_array_end(&params);
    assert_true(sn_mem_fail_fired());
    sn_mem_fail_nth(0);
    assert_int_equal(sn_pg_run(&pg, "SELECT 1", &params, NULL, NULL), SN_ERR_NO_MEMORY);
    sn_pg_params_release(&params);
}

static void a_server_that_is_not_there_is_away(void **state) {
    (void)state;
    struct sn_pg pg = {.conn = NULL};
    struct sn_err err;
    assert_int_equal(
        sn_pg_connect(&pg, "postgresql://u:secret@/d?host=/nonexistent/directory", &err),
        SN_ERR_IO);
    assert_null(pg.conn);
    assert_null(strstr(err.text, "secret"));
    assert_null(strchr(err.text, '\n'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian_and_times_count_from_2000),
        cmocka_unit_test(an_array_has_its_head_and_its_elements),
        cmocka_unit_test(a_failed_allocation_is_kept_until_it_is_run),
        cmocka_unit_test(a_server_that_is_not_there_is_away),
    };
    return cmocka_run_group_tests_name("pg", tests, NULL, NULL);
}
