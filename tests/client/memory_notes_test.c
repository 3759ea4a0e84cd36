/* Tests of rates from notes. */
#include "client/memory_notes_priv.h"

#include "client/words_priv.h"
#include "client_support.h"

#define SECOND INT64_C(1000000000)

static struct sn_rates rates_at(const struct sn_notes *notes, int64_t second, uint64_t n) {
    return sn_notes_rates(notes, &(struct sn_note){second * SECOND, n, 2 * n, 3 * n});
}

static void put(struct sn_notes *notes, int64_t second, uint64_t n) {
    sn_notes_put(notes, &(struct sn_note){second * SECOND, n, 2 * n, 3 * n});
}

static void rates_need_ten_seconds(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    assert_true(rates_at(&notes, 100, 1).growth == 0);
    put(&notes, 100, 0);
    assert_true(rates_at(&notes, 109, 90).growth == 0);
    struct sn_rates rates = rates_at(&notes, 110, 100);
    assert_true(rates.growth == 10 && rates.allocations == 20 && rates.frees == 30);
}

static void growth_may_be_negative(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    put(&notes, 0, 1000);
    assert_true(rates_at(&notes, 100, 0).growth == -10);
}

static void notes_are_ten_seconds_apart(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    put(&notes, 0, 0);
    put(&notes, 9, 9);
    assert_int_equal(notes.count, 1);
    put(&notes, 10, 10);
    assert_int_equal(notes.count, 2);
}

static void rates_are_those_of_ten_minutes(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    for (int64_t second = 0; second <= 2000; second += 10)
        put(&notes, second, second < 1000 ? 0 : (uint64_t)(second - 1000));
    assert_true(rates_at(&notes, 2000, 1000).growth == 1);
    assert_true(rates_at(&notes, 2000, 400).growth == 0); /* as 600 seconds ago */
}

static void after_a_long_silence_the_last_note_counts(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    put(&notes, 0, 0);
    put(&notes, 10, 100);
    assert_true(rates_at(&notes, 10 + 3600, 100 + 7200).growth == 2);
}

static void a_clock_that_goes_back_forgets(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    put(&notes, 1000, 10);
    put(&notes, 1010, 20);
    put(&notes, 500, 30);
    assert_int_equal(notes.count, 1);
    assert_true(rates_at(&notes, 510, 40).growth == 1);
    assert_true(rates_at(&notes, 400, 40).growth == 0);
}

static void while_somebody_notes_others_go_on(void **state) {
    (void)state;
    struct sn_notes notes = {0};
    put(&notes, 0, 0);
    assert_true(sn_version_begin(&notes.version));
    put(&notes, 10, 10);
    assert_int_equal(notes.count, 1);
    assert_true(rates_at(&notes, 10, 10).growth == 0);
    sn_version_end(&notes.version);
    assert_true(rates_at(&notes, 10, 10).growth == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_need_ten_seconds),
        cmocka_unit_test(growth_may_be_negative),
        cmocka_unit_test(notes_are_ten_seconds_apart),
        cmocka_unit_test(rates_are_those_of_ten_minutes),
        cmocka_unit_test(after_a_long_silence_the_last_note_counts),
        cmocka_unit_test(a_clock_that_goes_back_forgets),
        cmocka_unit_test(while_somebody_notes_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
