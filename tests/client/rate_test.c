/* Tests of moving rates. */
#include "client/rate_priv.h"

#include "client_support.h"

#include <pthread.h>

#define SECOND INT64_C(1000000000)

static void an_empty_rate_is_zero(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    assert_true(sn_rate_read(&rate, 0) == 0);
    assert_true(sn_rate_read(&rate, 1000 * SECOND) == 0);
}

static void the_second_that_runs_does_not_count(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    sn_rate_add(&rate, 5 * SECOND, 30);
    assert_true(sn_rate_read(&rate, 5 * SECOND + SECOND - 1) == 0);
    assert_true(sn_rate_read(&rate, 6 * SECOND) == 30);
    sn_rate_add(&rate, 6 * SECOND, 10);
    assert_true(sn_rate_read(&rate, 6 * SECOND + 1) == 30);
    assert_true(sn_rate_read(&rate, 7 * SECOND) == 20);
}

static void old_seconds_leave_the_window(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    for (int s = 100; s < 160; s++) {
        for (int frame = 0; frame < 25; frame++)
            sn_rate_add(&rate, s * SECOND + frame, 1);
        assert_true(sn_rate_read(&rate, s * SECOND) == (s > 100 ? 25 : 0));
    }
    assert_true(sn_rate_read(&rate, 165 * SECOND) == 12.5);
    assert_true(sn_rate_read(&rate, 169 * SECOND) == 2.5);
    assert_true(sn_rate_read(&rate, 170 * SECOND) == 0);
}

static void a_late_event_does_not_bring_an_old_second_back(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    sn_rate_add(&rate, 0, 1);
    sn_rate_add(&rate, SN_RATE_SLOTS * SECOND, 7);
    sn_rate_add(&rate, 0, 100);
    assert_true(sn_rate_read(&rate, (SN_RATE_SLOTS + 1) * SECOND) == 0.7);
}

static void a_second_holds_at_most_32_bits(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    sn_rate_add(&rate, 0, UINT32_MAX - 1);
    sn_rate_add(&rate, 0, 1);
    assert_true(sn_rate_read(&rate, SECOND) == UINT32_MAX);
    sn_rate_add(&rate, 0, 1);
    assert_true(sn_rate_read(&rate, SECOND) == UINT32_MAX);
}

static void *add_many(void *rate) {
    for (int i = 0; i < 20000; i++)
        sn_rate_add(rate, (i / 5000) * SECOND, 1);
    return NULL;
}

static void threads_lose_nothing(void **state) {
    (void)state;
    struct sn_rate rate = {0};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &rate), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(sn_rate_read(&rate, 4 * SECOND) == 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_rate_is_zero),
        cmocka_unit_test(the_second_that_runs_does_not_count),
        cmocka_unit_test(old_seconds_leave_the_window),
        cmocka_unit_test(a_late_event_does_not_bring_an_old_second_back),
        cmocka_unit_test(a_second_holds_at_most_32_bits),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
