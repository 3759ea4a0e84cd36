/* Tests of the random numbers. */
#include "base/rng.h"

#include "base/os.h"
#include "base_support.h"

#include <errno.h>

/* From the authors' reference: state 1 2 3 4. */
static void the_sequence_is_that_of_the_reference(void **state) {
    (void)state;
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    struct sn_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(sn_rng_u64(&rng) == expected[i]);
}

/* splitmix64 of 1234567, from its reference. */
static void the_seed_is_spread_as_in_the_reference(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 1234567);
    assert_true(rng.state[0] == UINT64_C(6457827717110365317));
    assert_true(rng.state[1] == UINT64_C(3203168211198807973));
    sn_rng_init(&rng, 0);
    assert_true((rng.state[0] | rng.state[1] | rng.state[2] | rng.state[3]) != 0);
}

static void the_same_seed_gives_the_same_sequence(void **state) {
    (void)state;
    struct sn_rng a;
    struct sn_rng b;
    struct sn_rng c;
    sn_rng_init(&a, 5);
    sn_rng_init(&b, 5);
    sn_rng_init(&c, 6);
    for (int i = 0; i < 100; i++) {
        uint64_t number = sn_rng_u64(&a);
        assert_true(number == sn_rng_u64(&b));
        assert_true(number != sn_rng_u64(&c));
    }
}

static void below_stays_below_and_is_even(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 7);
    unsigned counts[6] = {0};
    for (int i = 0; i < 60000; i++)
        counts[sn_rng_below(&rng, 6)]++;
    for (size_t i = 0; i < 6; i++)
        assert_in_range(counts[i], 9400, 10600);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sn_rng_below(&rng, 1), 0);
        assert_true(sn_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
    }
}

/* Without rejection the first of these three thirds would come up twice as often as the last. */
static void below_has_no_bias_for_bounds_near_the_range(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 8);
    uint64_t bound = UINT64_MAX / 4 * 3;
    unsigned thirds[3] = {0};
    for (int i = 0; i < 30000; i++)
        thirds[sn_rng_below(&rng, bound) / (bound / 3 + 1)]++;
    for (size_t i = 0; i < 3; i++)
        assert_in_range(thirds[i], 9500, 10500);
}

static void unit_lies_in_its_interval(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 9);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double x = sn_rng_unit(&rng);
        assert_true(x >= 0 && x < 1);
        sum += x;
    }
    assert_true(sum > 4800 && sum < 5200);
}

static void system_seeds_differ(void **state) {
    (void)state;
    assert_true(sn_rng_system_seed() != sn_rng_system_seed());
}

static void without_entropy_the_clocks_give_a_seed(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    sn_fault_arm(SN_FAULT_RANDOM, 1, UINT64_MAX, EAGAIN);
    uint64_t a = sn_rng_system_seed();
    uint64_t b = sn_rng_system_seed();
    assert_int_equal(sn_fault_fired_count(), 2);
    sn_fault_disarm_all();
    assert_true(a != 0 && a != b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_is_that_of_the_reference),
        cmocka_unit_test(the_seed_is_spread_as_in_the_reference),
        cmocka_unit_test(the_same_seed_gives_the_same_sequence),
        cmocka_unit_test(below_stays_below_and_is_even),
        cmocka_unit_test(below_has_no_bias_for_bounds_near_the_range),
        cmocka_unit_test(unit_lies_in_its_interval),
        cmocka_unit_test(system_seeds_differ),
        cmocka_unit_test(without_entropy_the_clocks_give_a_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
