/* The table of powers of ten agrees with itself: each entry is ten times the one before. */
#include "codec/pow10_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

__extension__ typedef unsigned __int128 u128;

static u128 bits_of(int32_t exponent) {
    struct sn_pow10 bits = sn_pow10_bits(exponent);
    return (u128)bits.high << 64 | bits.low;
}

static void every_entry_has_its_highest_bit_set(void **state) {
    (void)state;
    for (int32_t e = SN_POW10_FIRST; e <= SN_POW10_LAST; e++) {
        assert_true(sn_pow10_bits(e).high >> 63 == 1);
    }
}

static void powers_that_fit_are_exact(void **state) {
    (void)state;
    u128 power = 1;
    for (int32_t e = 0; e <= 38; e++) {
        assert_true(bits_of(e) >> (127 - sn_pow10_log2(e)) == power);
        assert_true(bits_of(e) << sn_pow10_log2(e) << 1 == 0);
        power *= 10;
    }
}

/* Cutting loses less than 1 of the last place: 10 * bits[e] <= 16 * bits[e+1] / 2^k < that + 10. */
static void each_entry_is_ten_times_the_one_before(void **state) {
    (void)state;
    for (int32_t e = SN_POW10_FIRST; e < SN_POW10_LAST; e++) {
        int32_t shift = sn_pow10_log2(e + 1) - sn_pow10_log2(e);           /* 3 or 4 */
        u128 ten_times = bits_of(e) / 16 * 10 + bits_of(e) % 16 * 10 / 16; /* of 2^4 */
        u128 next = shift == 4 ? bits_of(e + 1) : bits_of(e + 1) / 2;
        assert_true(shift == 3 || shift == 4);
        assert_true(next >= ten_times && next - ten_times <= 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_has_its_highest_bit_set),
        cmocka_unit_test(powers_that_fit_are_exact),
        cmocka_unit_test(each_entry_is_ten_times_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
