/* Tests of the moments between which rates are told, on a clock by hand. */
#include "client/moments_priv.h"

#include "base/clock.h"
#include "client_support.h"

#define S INT64_C(1000000000)

static struct sn_moments begun_at(int64_t mono_ns) {
    struct sn_moments moments = {.count = 1};
    moments.mono_ns[0] = mono_ns;
    return moments;
}

static void the_first_moment_is_the_beginning(void **state) {
    (void)state;
    struct sn_moments moments;
    double window;
    sn_moments_init(&moments, sn_clock_system());
    assert_int_equal(moments.count, 1);
    assert_true(moments.first_wall_ms > 0);
    assert_int_equal(sn_moments_find(&moments, moments.mono_ns[0] + 7 * S, &window), 0);
    assert_true(window == 7);
}

static void moments_keep_their_distance(void **state) {
    (void)state;
    struct sn_moments moments = begun_at(S);
    assert_false(sn_moments_are_due(&moments, (1 + SN_MOMENT_STEP_S) * S - 1));
    assert_true(sn_moments_are_due(&moments, (1 + SN_MOMENT_STEP_S) * S));
    assert_false(sn_moments_are_due(&moments, 0)); /* a clock that went back */
}

static void the_window_is_close_to_a_minute(void **state) {
    (void)state;
    struct sn_moments moments = begun_at(0);
    double window;
    for (int64_t now = 0; now < 1000; now++) {
        if (sn_moments_are_due(&moments, now * S))
            (void)sn_moments_next(&moments, now * S);
        (void)sn_moments_find(&moments, now * S, &window);
        double wanted = now < SN_MOMENT_WINDOW_S ? (double)now : SN_MOMENT_WINDOW_S;
        assert_true(window >= wanted - 3 && window <= wanted + 3);
    }
}

static void after_a_long_silence_the_window_is_long(void **state) {
    (void)state;
    struct sn_moments moments = begun_at(0);
    double window;
    size_t slot = sn_moments_next(&moments, 600 * S);
    assert_int_equal(sn_moments_find(&moments, 601 * S, &window), slot);
    assert_true(window == 1);
    assert_int_equal(sn_moments_find(&moments, 1200 * S, &window), slot);
    assert_true(window == 600);
}

static void no_time_is_no_window(void **state) {
    (void)state;
    struct sn_moments moments = begun_at(5 * S);
    double window;
    (void)sn_moments_find(&moments, 5 * S, &window);
    assert_true(window == 0);
    (void)sn_moments_find(&moments, S, &window);
    assert_true(window == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_moment_is_the_beginning),
        cmocka_unit_test(moments_keep_their_distance),
        cmocka_unit_test(the_window_is_close_to_a_minute),
        cmocka_unit_test(after_a_long_silence_the_window_is_long),
        cmocka_unit_test(no_time_is_no_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
