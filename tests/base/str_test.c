/* Tests of borrowed text. */
#include "base/str.h"

#include "base/rng.h"
#include "base_support.h"

#include <limits.h>
#include <stdlib.h>

static const struct sn_str none = {NULL, 0};

static void comparison_is_by_bytes_and_prefixes_come_first(void **state) {
    (void)state;
    assert_true(sn_str_compare(SN_STR("a"), SN_STR("b")) < 0);
    assert_true(sn_str_compare(SN_STR("b"), SN_STR("a")) > 0);
    assert_true(sn_str_compare(SN_STR("a"), SN_STR("ab")) < 0);
    assert_true(sn_str_compare(SN_STR("ab"), SN_STR("a")) > 0);
    assert_true(sn_str_compare(SN_STR("\x7F"), SN_STR("\x80")) < 0);
    assert_int_equal(sn_str_compare(SN_STR("ab"), SN_STR("ab")), 0);
    assert_int_equal(sn_str_compare(none, SN_STR("")), 0);
    assert_true(sn_str_compare(none, SN_STR("a")) < 0);
}

static void equality_needs_length_and_bytes(void **state) {
    (void)state;
    assert_true(sn_str_equal(SN_STR("a\0b"), SN_STR("a\0b")));
    assert_false(sn_str_equal(SN_STR("a\0b"), SN_STR("a\0c")));
    assert_false(sn_str_equal(SN_STR("a"), SN_STR("a\0")));
    assert_true(sn_str_equal(none, SN_STR("")));
    assert_int_equal(sn_str_from(NULL).len, 0);
    assert_int_equal(sn_str_from("abc").len, 3);
}

static void starts_and_ends(void **state) {
    (void)state;
    assert_true(sn_str_starts_with(SN_STR("label"), SN_STR("lab")));
    assert_true(sn_str_starts_with(SN_STR("label"), none));
    assert_true(sn_str_starts_with(none, none));
    assert_false(sn_str_starts_with(SN_STR("la"), SN_STR("lab")));
    assert_true(sn_str_ends_with(SN_STR("label"), SN_STR("bel")));
    assert_true(sn_str_ends_with(none, none));
    assert_true(sn_str_ends_with(SN_STR("x"), SN_STR("")));
    assert_false(sn_str_ends_with(SN_STR("el"), SN_STR("bel")));
    assert_false(sn_str_ends_with(SN_STR("label"), SN_STR("lab")));
}

static void trim_removes_blanks_on_both_sides_only(void **state) {
    (void)state;
    assert_true(sn_str_equal(sn_str_trim(SN_STR(" \t\r\na b\n ")), SN_STR("a b")));
    assert_true(sn_str_equal(sn_str_trim(SN_STR("\vx")), SN_STR("\vx")));
    assert_int_equal(sn_str_trim(SN_STR(" \n ")).len, 0);
    assert_int_equal(sn_str_trim(none).len, 0);
}

static void cut_splits_at_the_first_separator(void **state) {
    (void)state;
    struct sn_str head;
    struct sn_str tail;
    assert_true(sn_str_cut(SN_STR("a=b=c"), '=', &head, &tail));
    assert_true(sn_str_equal(head, SN_STR("a")) && sn_str_equal(tail, SN_STR("b=c")));
    assert_true(sn_str_cut(SN_STR("="), '=', &head, &tail));
    assert_true(head.len == 0 && tail.len == 0);
    assert_false(sn_str_cut(SN_STR("abc"), '=', &head, &tail));
    assert_true(sn_str_equal(head, SN_STR("abc")) && tail.len == 0);
    assert_false(sn_str_cut(none, '=', &head, &tail));
    assert_true(head.len == 0 && tail.len == 0);
    assert_int_equal(sn_str_find_char(SN_STR("abc"), 'c'), 2);
    assert_true(sn_str_find_char(none, 'c') == SIZE_MAX);
}

static void cut_may_write_over_its_input(void **state) {
    (void)state;
    struct sn_str head;
    struct sn_str rest = SN_STR("a,b");
    assert_true(sn_str_cut(rest, ',', &head, &rest));
    assert_true(sn_str_equal(rest, SN_STR("b")));
}

/* Encode any number below 2^21 in `len` bytes, legal or not. */
static struct sn_str encode(uint32_t code, size_t len, char *buf) {
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        buf[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    buf[0] = (char)(len == 1 ? code : leads[len] | code);
    return sn_str_make(buf, len);
}

static size_t right_len(uint32_t code) {
    if (code >= 0xD800 && code <= 0xDFFF)
        return 0;
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : code < 0x110000 ? 4 : 0;
}

static void utf8_takes_every_character_in_its_shortest_form_only(void **state) {
    (void)state;
    static const uint32_t bits[] = {0, 7, 11, 16, 21};
    char buf[4];
    for (size_t len = 1; len <= 4; len++) {
        for (uint32_t code = 0; code < 1U << bits[len]; code++) {
            struct sn_str s = encode(code, len, buf);
            bool is_good = right_len(code) == len;
            if (sn_str_is_utf8(s) != is_good || sn_str_utf8_char_len(s) != (is_good ? len : 0))
                fail_msg("U+%X in %zu bytes", code, len);
        }
    }
}

static void utf8_refuses_all_broken_sequences(void **state) {
    (void)state;
    static const char *const broken[] = {
        "\x80",         "\xBF",
        "\xC2",         "\xC2x",
        "\xE2\x82",     "\xE2\x82x",
        "\xF0\x9F\x98", "\xF0\x9F\x98x",
        "\xF8\x88\x80", "\xFE",
        "\xFF",         "\xC0\x80",
        "\xED\xA0\x80", "\xF5\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_false(sn_str_is_utf8(sn_str_from(broken[i])));
}

static void utf8_finds_a_bad_byte_at_every_place(void **state) {
    (void)state;
    for (size_t len = 1; len < 40; len++) {
        char *text = malloc(len); /* exact size: a read beyond it is seen by ASan */
        assert_non_null(text);
        memset(text, 'a', len);
        assert_true(sn_str_is_utf8(sn_str_make(text, len)));
        for (size_t i = 0; i < len; i++) {
            text[i] = '\x80';
            assert_false(sn_str_is_utf8(sn_str_make(text, len)));
            text[i] = 'a';
        }
        free(text);
    }
    assert_true(sn_str_is_utf8(none));
    assert_true(sn_str_is_utf8(SN_STR("aaaaaaaa\xC3\xA4 und \xE2\x82\xAC so weiter")));
}

static void distance_counts_edits_and_neighbours_swapped(void **state) {
    (void)state;
    assert_int_equal(sn_str_distance(SN_STR("listen"), SN_STR("listen"), 3), 0);
    assert_int_equal(sn_str_distance(SN_STR("listen"), SN_STR("lisen"), 3), 1);
    assert_int_equal(sn_str_distance(SN_STR("listen"), SN_STR("listeen"), 3), 1);
    assert_int_equal(sn_str_distance(SN_STR("listen"), SN_STR("lixten"), 3), 1);
    assert_int_equal(sn_str_distance(SN_STR("listen"), SN_STR("lsiten"), 3), 1);
    assert_int_equal(sn_str_distance(SN_STR("ca"), SN_STR("abc"), 9), 3); /* not 2: aligned */
    assert_int_equal(sn_str_distance(none, SN_STR("abc"), 9), 3);
    assert_int_equal(sn_str_distance(SN_STR("abc"), none, 9), 3);
    assert_int_equal(sn_str_distance(none, none, 0), 0);
}

static void distance_is_capped_at_one_more_than_the_most(void **state) {
    (void)state;
    assert_int_equal(sn_str_distance(SN_STR("abcdef"), SN_STR("uvwxyz"), 2), 3);
    assert_int_equal(sn_str_distance(SN_STR("abc"), SN_STR("abcdef"), 2), 3);
    assert_int_equal(sn_str_distance(SN_STR("abc"), SN_STR("abcdef"), 3), 3);
    assert_int_equal(sn_str_distance(SN_STR("a"), SN_STR("b"), 0), 1);
}

static void distance_knows_words_of_64_bytes_and_no_longer_ones(void **state) {
    (void)state;
    char word[65];
    memset(word, 'w', sizeof(word));
    struct sn_str longest = sn_str_make(word, 64);
    assert_int_equal(sn_str_distance(longest, longest, 2), 0);
    assert_int_equal(sn_str_distance(longest, none, 64), 64);
    assert_int_equal(sn_str_distance(sn_str_make(word, 65), sn_str_make(word, 65), 2), 3);
    assert_int_equal(sn_str_distance(longest, none, UINT_MAX), 64);
    assert_true(sn_str_distance(sn_str_make(word, 65), none, UINT_MAX) == UINT_MAX);
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* The definition, without tables: slow and plain. */
static size_t plain_distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    if (a_len == 0 || b_len == 0)
        return a_len + b_len;
    size_t best =
        min3(plain_distance(a, a_len - 1, b, b_len) + 1, plain_distance(a, a_len, b, b_len - 1) + 1,
             plain_distance(a, a_len - 1, b, b_len - 1) + (a[a_len - 1] != b[b_len - 1]));
    if (a_len > 1 && b_len > 1 && a[a_len - 1] == b[b_len - 2] && a[a_len - 2] == b[b_len - 1]) {
        size_t swapped = plain_distance(a, a_len - 2, b, b_len - 2) + 1;
        best = swapped < best ? swapped : best;
    }
    return best;
}

static void distance_agrees_with_its_definition_for_every_cap(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (int round = 0; round < 2000; round++) {
        char a[6];
        char b[6];
        size_t a_len = sn_rng_below(&rng, 7);
        size_t b_len = sn_rng_below(&rng, 7);
        for (size_t i = 0; i < 6; i++) {
            a[i] = (char)('a' + sn_rng_below(&rng, 3));
            b[i] = (char)('a' + sn_rng_below(&rng, 3));
        }
        size_t expected = plain_distance(a, a_len, b, b_len);
        for (unsigned max = 0; max < 8; max++) {
            unsigned got = sn_str_distance(sn_str_make(a, a_len), sn_str_make(b, b_len), max);
            assert_int_equal(got, expected <= max ? expected : max + 1);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_is_by_bytes_and_prefixes_come_first),
        cmocka_unit_test(equality_needs_length_and_bytes),
        cmocka_unit_test(starts_and_ends),
        cmocka_unit_test(trim_removes_blanks_on_both_sides_only),
        cmocka_unit_test(cut_splits_at_the_first_separator),
        cmocka_unit_test(cut_may_write_over_its_input),
        cmocka_unit_test(utf8_takes_every_character_in_its_shortest_form_only),
        cmocka_unit_test(utf8_refuses_all_broken_sequences),
        cmocka_unit_test(utf8_finds_a_bad_byte_at_every_place),
        cmocka_unit_test(distance_counts_edits_and_neighbours_swapped),
        cmocka_unit_test(distance_is_capped_at_one_more_than_the_most),
        cmocka_unit_test(distance_knows_words_of_64_bytes_and_no_longer_ones),
        cmocka_unit_test(distance_agrees_with_its_definition_for_every_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
