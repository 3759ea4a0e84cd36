/* Type, help and unit of metrics. */
#include "store/metadata.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static sn_status put(struct sn_metadata_table *table, const char *name, const char *help,
                     bool is_stored, bool *ret_changed) {
    struct sn_metadata metadata = {.metric_name = sn_str_from(name),
                                   .type = SN_METRIC_GAUGE,
                                   .help = sn_str_from(help),
                                   .unit = SN_STR("s")};
    return sn_metadata_table_put(table, &metadata, is_stored, ret_changed);
}

static void the_newest_text_wins_and_only_changes_are_stored(void **state) {
    (void)state;
    struct sn_metadata_table table;
    struct sn_metadata found;
    struct sn_buf records;
    bool is_changed;
    sn_metadata_table_init(&table, 1);
    sn_buf_init(&records, 0);
    assert_int_equal(put(&table, "a", "one", true, &is_changed), SN_OK);
    assert_int_equal(put(&table, "b", "two", false, &is_changed), SN_OK);
    assert_true(is_changed);
    assert_int_equal(table.unstored_count, 1);
    assert_int_equal(put(&table, "b", "two", false, &is_changed), SN_OK);
    assert_false(is_changed);
    sn_metadata_table_begin_store(&table, &records);
    assert_true(records.len > 0);
    /* Changed while the transaction runs: still to be stored. */
    assert_int_equal(put(&table, "b", "three", false, &is_changed), SN_OK);
    sn_metadata_table_end_store(&table);
    assert_int_equal(table.unstored_count, 1);
    sn_metadata_table_begin_store(&table, &records);
    sn_metadata_table_end_store(&table);
    assert_int_equal(table.unstored_count, 0);
    assert_true(sn_metadata_table_find(&table, SN_STR("b"), &found));
    assert_true(sn_str_equal(found.help, SN_STR("three")));
    assert_true(sn_str_equal(found.unit, SN_STR("s")));
    assert_false(sn_metadata_table_find(&table, SN_STR("c"), &found));
    sn_buf_release(&records);
    sn_metadata_table_release(&table);
}

static void a_long_text_is_refused(void **state) {
    (void)state;
    struct sn_metadata_table table;
    bool is_changed;
    char *text = calloc(1, SN_METADATA_BYTES_MAX + 2);
    sn_metadata_table_init(&table, 1);
    memset(text, 'x', SN_METADATA_BYTES_MAX);
    assert_int_equal(put(&table, "a", text, false, &is_changed), SN_OK);
    text[SN_METADATA_BYTES_MAX] = 'x';
    assert_int_equal(put(&table, "b", text, false, &is_changed), SN_ERR_LIMIT);
    assert_int_equal(table.count, 1);
    free(text);
    sn_metadata_table_release(&table);
}

static void a_failed_put_changes_nothing(void **state) {
    (void)state;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_metadata_table table;
        struct sn_metadata found;
        bool is_changed;
        sn_metadata_table_init(&table, 1);
        sn_mem_fail_nth(n);
        sn_status status = put(&table, "a", "one", false, &is_changed);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(sn_metadata_table_find(&table, SN_STR("a"), &found) == (status == SN_OK));
        assert_int_equal(put(&table, "a", "two", false, &is_changed), SN_OK);
        assert_int_equal(table.unstored_count, 1);
        sn_metadata_table_release(&table);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_text_wins_and_only_changes_are_stored),
        cmocka_unit_test(a_long_text_is_refused),
        cmocka_unit_test(a_failed_put_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
