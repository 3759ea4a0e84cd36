/*
 * Numbers to text and back. The oracle is the C library with the locale "C" passed in: strtod_l
 * and printf's %e, both exact in glibc. SONDE_LONG=1 in the environment tests 10 M doubles.
 */
#include "codec/number.h"

#include "base/rng.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static locale_t c_locale;

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t round_count(uint64_t usual) {
    return getenv("SONDE_LONG") ? usual * 50 : usual;
}

static double parsed(const char *text) {
    double value = -12345;
    if (sn_double_parse(sn_str_from(text), &value) != SN_OK) {
        fail_msg("%s is refused", text);
    }
    return value;
}

static void assert_text(double value, enum sn_double_style style, const char *expected) {
    char text[SN_DOUBLE_TEXT_SIZE];
    size_t len = sn_double_format(value, style, text);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

/* ---- printing ---- */

static void api_style_is_that_of_the_prometheus_api(void **state) {
    (void)state;
    const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {10, "10"},
        {123456789, "123456789"},
        {1e6, "1000000"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {1e-6, "0.000001"},
        {1.5e-6, "0.0000015"},
        {9.999999e-7, "9.999999e-07"},
        {1e-7, "1e-07"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {999999999999999868928.0, "999999999999999900000"},
        {1e21, "1e+21"},
        {1.25e22, "1.25e+22"},
        {9007199254740991, "9007199254740991"},
        {9007199254740993.0, "9007199254740992"},
        {3.14159, "3.14159"},
        {-0.0000012345678901234567, "-0.0000012345678901234567"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {HUGE_VAL, "+Inf"},
        {-HUGE_VAL, "-Inf"},
        {(double)NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_text(rows[i].value, SN_DOUBLE_API, rows[i].text);
    }
}

static void text_style_is_that_of_client_golang(void **state) {
    (void)state;
    const struct {
        double value;
        const char *text;
        const char *openmetrics;
    } rows[] = {
        {0.0, "0", "0.0"},
        {-0.0, "-0", "-0.0"},
        {1, "1", "1.0"},
        {100000, "100000", "100000.0"},
        {999999, "999999", "999999.0"},
        {1e6, "1e+06", "1e+06"},
        {1234567, "1.234567e+06", "1.234567e+06"},
        {1234567.5, "1.2345675e+06", "1.2345675e+06"},
        {123456.5, "123456.5", "123456.5"},
        {0.0001, "0.0001", "0.0001"},
        {0.00001, "1e-05", "1e-05"},
        {0.00012345, "0.00012345", "0.00012345"},
        {1.458255915e9, "1.458255915e+09", "1.458255915e+09"},
        {HUGE_VAL, "+Inf", "+Inf"},
        {-HUGE_VAL, "-Inf", "-Inf"},
        {(double)NAN, "NaN", "NaN"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_text(rows[i].value, SN_DOUBLE_TEXT, rows[i].text);
        assert_text(rows[i].value, SN_DOUBLE_OPENMETRICS, rows[i].openmetrics);
    }
}

static void decimals_have_no_trailing_zeros(void **state) {
    (void)state;
    struct sn_decimal decimal = sn_double_to_decimal(-1500.0);
    assert_int_equal(decimal.digits, 15);
    assert_int_equal(decimal.exponent, 2);
    assert_true(decimal.is_negative);
    decimal = sn_double_to_decimal(0.25);
    assert_int_equal(decimal.digits, 25);
    assert_int_equal(decimal.exponent, -2);
    decimal = sn_double_to_decimal(-0.0);
    assert_int_equal(decimal.digits, 0);
    assert_true(decimal.is_negative);
}

/* A mixture of the shapes that doubles come in. */
static double random_double(struct sn_rng *rng) {
    uint64_t word = sn_rng_u64(rng);
    switch (sn_rng_below(rng, 6)) {
    case 0: /* near a power of two, where the interval is lopsided */
        return from_bits((word << 52 & UINT64_C(0x7ff0000000000000)) + (sn_rng_below(rng, 5) - 2));
    case 1: /* subnormal */
        return from_bits(word & UINT64_C(0x800fffffffffffff));
    case 2: /* a short decimal */
        return (double)(int64_t)sn_rng_below(rng, 1000000) / 1000;
    case 3: /* an integer of any size */
        return (double)(word >> sn_rng_below(rng, 64));
    default:
        return from_bits(word);
    }
}

static void what_is_printed_reads_back_to_the_same_bits(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (uint64_t i = 0; i < round_count(200000); i++) {
        double value = random_double(&rng);
        if (!isfinite(value)) {
            continue;
        }
        char text[SN_DOUBLE_TEXT_SIZE];
        size_t len = sn_double_format(value, (enum sn_double_style)(i % 3), text);
        double own = 0;
        assert_true(len < SN_DOUBLE_TEXT_SIZE && strlen(text) == len);
        assert_int_equal(sn_double_parse(sn_str_make(text, len), &own), SN_OK);
        if (bits_of(own) != bits_of(value) ||
            bits_of(strtod_l(text, NULL, c_locale)) != bits_of(value)) {
            fail_msg("%s from bits %016llx", text, (unsigned long long)bits_of(value));
        }
    }
}

/* The fewest digits with which printf's exact output reads back, in [17] bytes; the exponent. */
static size_t libc_shortest(double value, char digits[32], int *ret_exponent) {
    for (int count = 1; count <= 17; count++) {
        char text[40];
        (void)snprintf(text, sizeof(text), "%.*e", count - 1, value);
        if (bits_of(strtod_l(text, NULL, c_locale)) != bits_of(value)) {
            continue;
        }
        const char *at = text;
        size_t len = 0;
        for (; *at != 'e'; at++) {
            if (*at != '.') {
                digits[len++] = *at;
            }
        }
        digits[len] = '\0';
        *ret_exponent = (int)strtol(at + 1, NULL, 10);
        return len;
    }
    fail_msg("17 digits are always enough");
    return 0;
}

static void no_shorter_and_no_nearer_text_exists(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 2);
    locale_t before = uselocale(c_locale);
    for (uint64_t i = 0; i < round_count(10000); i++) {
        double value = fabs(random_double(&rng));
        if (!isfinite(value) || value == 0) {
            continue;
        }
        char expected[32];
        char actual[SN_INTEGER_TEXT_SIZE];
        int exponent;
        size_t expected_len = libc_shortest(value, expected, &exponent);
        struct sn_decimal decimal = sn_double_to_decimal(value);
        size_t len = sn_uint64_format(decimal.digits, actual);
        bool is_lopsided = (bits_of(value) & UINT64_C(0xfffffffffffff)) == 0;
        if (is_lopsided) {
            /* printf's nearest text may fall out of the short side while another one is inside. */
            assert_true(len <= expected_len);
            continue;
        }
        assert_string_equal(actual, expected);
        assert_int_equal(decimal.exponent + (int)len - 1, exponent);
    }
    uselocale(before);
}

/* ---- parsing ---- */

static void known_hard_texts_are_rounded_correctly(void **state) {
    (void)state;
    const struct {
        const char *text;
        uint64_t bits;
    } rows[] = {
        {"0", 0},
        {"-0", UINT64_C(1) << 63},
        {"-0e999999999999999999999999", UINT64_C(1) << 63},
        {"1e-400", 0},
        {"-1e-99999999999999999999", UINT64_C(1) << 63},
        {"2.4703282292062327e-324", 0},
        {"2.4703282292062328e-324", 1},
        {"4.9406564584124654e-324", 1},
        {"7.4109846876186981e-324", 1},
        {"7.4109846876186982e-324", 2},
        {"2.2250738585072011e-308", UINT64_C(0x000fffffffffffff)},
        {"2.2250738585072012e-308", UINT64_C(0x0010000000000000)},
        {"2.2250738585072014e-308", UINT64_C(0x0010000000000000)},
        {"1.7976931348623157e308", UINT64_C(0x7fefffffffffffff)},
        {"1.7976931348623158e308", UINT64_C(0x7fefffffffffffff)},
        /* Half way between two integers: to even, and up as soon as anything follows. */
        {"9007199254740993", UINT64_C(0x4340000000000000)},
        {"9007199254740993.0", UINT64_C(0x4340000000000000)},
        {"9007199254740993.00000000000000000000000000000000000001", UINT64_C(0x4340000000000001)},
        {"9007199254740992.99999999999999999999999999999999999999", UINT64_C(0x4340000000000000)},
        {"9007199254740995", UINT64_C(0x4340000000000002)},
        {"4503599627370496.5", UINT64_C(0x4330000000000000)},
        {"4503599627370497.5", UINT64_C(0x4330000000000002)},
        {"1125899906842624.125", UINT64_C(0x4310000000000000)},
        {"1125899906842624.375", UINT64_C(0x4310000000000002)},
        {"1090544144181609348671888949248", UINT64_C(0x462b8779f2474dfa)},
        {"6929495644600919.5", UINT64_C(0x43389e56ee5e7a58)},
        {"3.7455744005952583e15", UINT64_C(0x432a9d28ff412a75)},
        {"7.2057594037927933e16", UINT64_C(0x4370000000000000)},
        {"8.5e0000000000000000000000000000001", UINT64_C(0x4055400000000000)},
        {"0.000000000000000000000000000000000000000001e42", UINT64_C(0x3ff0000000000000)},
        {"123456789012345678901234567890", UINT64_C(0x45f8ee90ff6c373e)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (bits_of(parsed(rows[i].text)) != rows[i].bits) {
            fail_msg("%s gives %016llx", rows[i].text,
                     (unsigned long long)bits_of(parsed(rows[i].text)));
        }
        assert_true(bits_of(strtod_l(rows[i].text, NULL, c_locale)) == rows[i].bits);
    }
}

static void words_are_read_as_go_does(void **state) {
    (void)state;
    const char *const infinite[] = {"inf", "+Inf", "INF", "Infinity", "+infinity"};
    for (size_t i = 0; i < sizeof(infinite) / sizeof(infinite[0]); i++) {
        assert_true(parsed(infinite[i]) == HUGE_VAL);
    }
    assert_true(parsed("-Inf") == -HUGE_VAL);
    assert_true(parsed("-infinity") == -HUGE_VAL);
    assert_true(bits_of(parsed("NaN")) == UINT64_C(0x7ff8000000000001));
    assert_true(isnan(parsed("nan")));
}

static void other_forms_are_accepted_or_refused_as_go_does(void **state) {
    (void)state;
    double value = 77;
    const char *const bad[] = {"",      "+",    "-",     ".",        "e5",   "1e",    "1e+",
                               "1_000", "0x10", "0x1p3", " 1",       "1 ",   "1,5",   "--1",
                               "+-1",   "1.2.", "1..2",  "+nan",     "-nan", "infin", "in",
                               "nano",  "1f",   "1e5.5", "\xd9\xa1", "+e1",  ".e1",   "infinity "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (sn_double_parse(sn_str_from(bad[i]), &value) != SN_ERR_INVALID) {
            fail_msg("\"%s\" is not refused", bad[i]);
        }
    }
    assert_int_equal(sn_double_parse(sn_str_make("1\0", 2), &value), SN_ERR_INVALID);
    assert_int_equal(sn_double_parse((struct sn_str){NULL, 0}, &value), SN_ERR_INVALID);
    assert_true(value == 77);
    assert_true(parsed(".5") == 0.5);
    assert_true(parsed("5.") == 5);
    assert_true(parsed("+5.E-1") == 0.5);
    assert_true(parsed("007") == 7);
}

static void too_large_is_a_limit_and_not_infinity(void **state) {
    (void)state;
    double value = 77;
    /* Half way between the largest double and what would follow it: to even, which is too large. */
    static const char half[] =
        "1797693134862315807937289714053034150799341327100378269361737789804449"
        "6829276475094664901797758720709633028641669288791094655554785194040263"
        "0657488671505820681908902000708383676273854845817711531764475730270069"
        "8555713669596228429148198608349364752927190741684443655107043427115596"
        "99508093042880177904174497792";
    const char *const texts[] = {"1e309", "-1e309", "1.7976931348623159e+308",
                                 "1e99999999999999999", half};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(sn_double_parse(sn_str_from(texts[i]), &value), SN_ERR_LIMIT);
    }
    assert_true(value == 77);
    assert_int_equal(sn_double_parse(SN_STR("179769313486231580793728971405303416e273"), &value),
                     SN_ERR_LIMIT);
    assert_int_equal(sn_double_parse(SN_STR("179769313486231580793728971405303415e273"), &value),
                     SN_OK);
}

/* A decimal text of `count` random digits with a point and an exponent somewhere. */
static size_t random_text(struct sn_rng *rng, size_t count, char *text) {
    size_t len = 0;
    size_t point = sn_rng_below(rng, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (i == point) {
            text[len++] = '.';
        }
        text[len++] = (char)('0' + sn_rng_below(rng, 10));
    }
    if (sn_rng_below(rng, 4) != 0) {
        text[len++] = 'e';
        len += sn_int64_format((int64_t)sn_rng_below(rng, 660) - 340, text + len);
    }
    text[len] = '\0';
    return len;
}

static void assert_same_as_libc(const char *text, size_t len) {
    double expected = strtod_l(text, NULL, c_locale);
    double value = 0;
    sn_status status = sn_double_parse(sn_str_make(text, len), &value);
    if (isinf(expected) ? status != SN_ERR_LIMIT
                        : status != SN_OK || bits_of(value) != bits_of(expected)) {
        fail_msg("%s: status %d, %016llx, expected %016llx", text, (int)status,
                 (unsigned long long)bits_of(value), (unsigned long long)bits_of(expected));
    }
}

static void random_texts_parse_as_in_libc(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 3);
    for (uint64_t i = 0; i < round_count(200000); i++) {
        char text[128];
        size_t len = random_text(&rng, 1 + sn_rng_below(&rng, i % 8 ? 20 : 60), text);
        assert_same_as_libc(text, len);
    }
}

/* The exact decimal of a number half way between two doubles, then with one digit changed. */
static void texts_half_way_between_doubles_are_rounded_to_even(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 4);
    locale_t before = uselocale(c_locale);
    for (uint64_t i = 0; i < round_count(3000); i++) {
        char text[1600];
        uint64_t bits = sn_rng_u64(&rng) & UINT64_C(0x7fffffffffffffff);
        if (i % 3 == 0) {
            bits &= UINT64_C(0x003fffffffffffff); /* subnormal and just above: the most digits */
        }
        if (bits >= UINT64_C(0x7fe0000000000000)) {
            continue;
        }
        /* 80-bit floats hold the middle, and have a larger exponent range. */
        long double middle = ((long double)from_bits(bits) + (long double)from_bits(bits + 1)) / 2;
        int len = snprintf(text, sizeof(text) - 1, "%.800Le", middle);
        assert_true(len > 0);
        assert_same_as_libc(text, (size_t)len);
        double value = 0;
        assert_int_equal(sn_double_parse(sn_str_make(text, (size_t)len), &value), SN_OK);
        assert_true(bits_of(value) == bits + (bits & 1));
        char *last = strchr(text, 'e') - 1;
        *last = '1'; /* of 801 digits: one beyond what is looked at in full */
        assert_int_equal(sn_double_parse(sn_str_make(text, (size_t)len), &value), SN_OK);
        assert_true(bits_of(value) == bits + 1);
    }
    uselocale(before);
}

static void megabytes_of_digits_are_read(void **state) {
    (void)state;
    enum { zeros = 1 << 20 };
    static char text[zeros + 32];
    memcpy(text, "0.", 2);
    memset(text + 2, '0', zeros);
    memcpy(text + 2 + zeros, "15e1048576", 11);
    assert_true(parsed(text) == 0.15);
    memset(text, '9', zeros);
    memcpy(text + zeros, "e-1048576", 10);
    assert_true(parsed(text) == 1);
}

/* ---- integers ---- */

static void integers_are_printed_in_full(void **state) {
    (void)state;
    const struct {
        int64_t value;
        const char *text;
    } rows[] = {{0, "0"},
                {7, "7"},
                {-1, "-1"},
                {10, "10"},
                {99999999, "99999999"},
                {100000000, "100000000"},
                {-100000001, "-100000001"},
                {INT64_C(9999999999999999), "9999999999999999"},
                {INT64_C(10000000000000000), "10000000000000000"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    char text[SN_INTEGER_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(sn_int64_format(rows[i].value, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
    assert_int_equal(sn_uint64_format(UINT64_MAX, text), 20);
    assert_string_equal(text, "18446744073709551615");
}

static void random_integers_survive_the_round_trip(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 5);
    for (int i = 0; i < 100000; i++) {
        uint64_t value = sn_rng_u64(&rng) >> sn_rng_below(&rng, 64);
        char text[SN_INTEGER_TEXT_SIZE];
        char expected[SN_INTEGER_TEXT_SIZE];
        uint64_t back = 0;
        int64_t signed_back = 0;
        size_t len = sn_uint64_format(value, text);
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
        assert_string_equal(text, expected);
        assert_int_equal(sn_uint64_parse(sn_str_make(text, len), &back), SN_OK);
        assert_true(back == value);
        len = sn_int64_format((int64_t)value, text);
        assert_int_equal(sn_int64_parse(sn_str_make(text, len), &signed_back), SN_OK);
        assert_true(signed_back == (int64_t)value);
    }
}

static void integers_hold_at_both_sides_of_their_range(void **state) {
    (void)state;
    uint64_t u = 7;
    int64_t i = 7;
    assert_int_equal(sn_uint64_parse(SN_STR("18446744073709551615"), &u), SN_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(sn_uint64_parse(SN_STR("18446744073709551616"), &u), SN_ERR_LIMIT);
    assert_int_equal(sn_uint64_parse(SN_STR("99999999999999999999"), &u), SN_ERR_LIMIT);
    assert_int_equal(sn_uint64_parse(SN_STR("000000000000000000000000012"), &u), SN_OK);
    assert_true(u == 12);
    assert_int_equal(sn_int64_parse(SN_STR("9223372036854775807"), &i), SN_OK);
    assert_int_equal(sn_int64_parse(SN_STR("9223372036854775808"), &i), SN_ERR_LIMIT);
    assert_int_equal(sn_int64_parse(SN_STR("-9223372036854775808"), &i), SN_OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(sn_int64_parse(SN_STR("-9223372036854775809"), &i), SN_ERR_LIMIT);
    assert_int_equal(sn_int64_parse(SN_STR("+5"), &i), SN_OK);
    assert_true(i == 5);
}

static void other_texts_are_no_integers(void **state) {
    (void)state;
    const char *const bad[] = {"", "-", "+", "1.0", "1e3", " 1", "1 ", "0x1", "--1", "1_0"};
    uint64_t u = 7;
    int64_t i = 7;
    for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
        assert_int_equal(sn_int64_parse(sn_str_from(bad[n]), &i), SN_ERR_INVALID);
        assert_int_equal(sn_uint64_parse(sn_str_from(bad[n]), &u), SN_ERR_INVALID);
    }
    assert_int_equal(sn_uint64_parse(SN_STR("-1"), &u), SN_ERR_INVALID);
    assert_int_equal(sn_uint64_parse(SN_STR("+1"), &u), SN_ERR_INVALID);
    assert_int_equal(sn_uint64_parse(SN_STR("99999999999999999999x"), &u), SN_ERR_INVALID);
    assert_true(u == 7 && i == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_style_is_that_of_the_prometheus_api),
        cmocka_unit_test(text_style_is_that_of_client_golang),
        cmocka_unit_test(decimals_have_no_trailing_zeros),
        cmocka_unit_test(what_is_printed_reads_back_to_the_same_bits),
        cmocka_unit_test(no_shorter_and_no_nearer_text_exists),
        cmocka_unit_test(known_hard_texts_are_rounded_correctly),
        cmocka_unit_test(words_are_read_as_go_does),
        cmocka_unit_test(other_forms_are_accepted_or_refused_as_go_does),
        cmocka_unit_test(too_large_is_a_limit_and_not_infinity),
        cmocka_unit_test(random_texts_parse_as_in_libc),
        cmocka_unit_test(texts_half_way_between_doubles_are_rounded_to_even),
        cmocka_unit_test(megabytes_of_digits_are_read),
        cmocka_unit_test(integers_are_printed_in_full),
        cmocka_unit_test(random_integers_survive_the_round_trip),
        cmocka_unit_test(integers_hold_at_both_sides_of_their_range),
        cmocka_unit_test(other_texts_are_no_integers),
    };
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    freelocale(c_locale);
    return failures;
}
