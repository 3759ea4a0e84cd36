/* Names and pairs, each stored once. */
#include "store/symbols.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void equal_pairs_have_one_number_and_others_do_not(void **state) {
    (void)state;
    enum { COUNT = 4000 };
    struct sn_symbols symbols;
    uint32_t pair;
    sn_symbols_init(&symbols, 1);
    assert_false(sn_symbols_find_pair(&symbols, SN_STR("a"), SN_STR("b"), &pair));
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            char value[16];
            (void)snprintf(value, sizeof value, "v%u", i / 2);
            struct sn_str name = i % 2 ? SN_STR("odd") : SN_STR("even");
            assert_int_equal(sn_symbols_intern(&symbols, name, sn_str_from(value), &pair), SN_OK);
            assert_int_equal(pair, i);
            const struct sn_symbol_pair *entry = sn_symbols_pair(&symbols, pair);
            assert_true(sn_str_equal(sn_symbols_value(&symbols, entry), sn_str_from(value)));
            assert_true(sn_str_equal(sn_symbols_name_text(&symbols, entry->name), name));
            assert_true(sn_symbols_find_pair(&symbols, name, sn_str_from(value), &pair));
            assert_int_equal(pair, i);
        }
    }
    assert_int_equal(symbols.name_count, 2);
    assert_int_equal(sn_symbols_name(&symbols, 0)->pair_count, COUNT / 2);
    sn_symbols_release(&symbols);
}

/* Text that does not fit into the rest of a block goes into the next one. */
static void the_longest_texts_stay_whole(void **state) {
    (void)state;
    struct sn_symbols symbols;
    char *text = malloc(SN_LABEL_VALUE_BYTES_MAX);
    sn_symbols_init(&symbols, 1);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t pair;
        memset(text, (int)i, SN_LABEL_VALUE_BYTES_MAX);
        struct sn_str value = sn_str_make(text, SN_LABEL_VALUE_BYTES_MAX - i % 3);
        assert_int_equal(sn_symbols_intern(&symbols, SN_STR("n"), value, &pair), SN_OK);
    }
    for (uint32_t i = 0; i < 200; i++) {
        memset(text, (int)i, SN_LABEL_VALUE_BYTES_MAX);
        struct sn_str value = sn_str_make(text, SN_LABEL_VALUE_BYTES_MAX - i % 3);
        assert_true(sn_str_equal(sn_symbols_value(&symbols, sn_symbols_pair(&symbols, i)), value));
    }
    free(text);
    sn_symbols_release(&symbols);
}

static void a_failed_intern_can_be_repeated(void **state) {
    (void)state;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_symbols symbols;
        uint32_t pair;
        sn_symbols_init(&symbols, 1);
        sn_mem_fail_nth(n);
        sn_status status = sn_symbols_intern(&symbols, SN_STR("a"), SN_STR("b"), &pair);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_symbols_intern(&symbols, SN_STR("a"), SN_STR("b"), &pair), SN_OK);
        assert_int_equal(pair, 0);
        assert_int_equal(symbols.pair_count, 1);
        sn_symbols_release(&symbols);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_pairs_have_one_number_and_others_do_not),
        cmocka_unit_test(the_longest_texts_stay_whole),
        cmocka_unit_test(a_failed_intern_can_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
