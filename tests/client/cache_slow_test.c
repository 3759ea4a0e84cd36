/* Tests of the list of slow operations. */
#include "client/cache_slow_priv.h"

#include "client/words_priv.h"
#include "client_support.h"

#include <stdio.h>

#define NOW INT64_C(1700000000000)
#define DAY_MS INT64_C(86400000)

static sonde_cache_slow_entry entries[SONDE_CACHE_SLOW_MAX];

static void put(struct sn_slow_list *list, uint64_t duration_ns, int64_t wall_ms) {
    sonde_cache_run run = {.operation = "get", .detail = "key", .duration_ns = duration_ns};
    sn_slow_put(list, &run, wall_ms);
}

static void an_empty_list_reads_as_nothing(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    assert_int_equal(sn_slow_read(&list, NOW, entries), 0);
}

static void the_slowest_stay_and_come_first(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    for (uint64_t i = 1; i <= SONDE_CACHE_SLOW_MAX; i++)
        put(&list, i * 7 % 17, NOW); /* 1 to 16 in some order */
    assert_int_equal(sn_slow_read(&list, NOW, entries), SONDE_CACHE_SLOW_MAX);
    for (uint64_t i = 0; i < SONDE_CACHE_SLOW_MAX; i++)
        assert_int_equal(entries[i].duration_ns, SONDE_CACHE_SLOW_MAX - i);
    put(&list, 1, NOW); /* one more than there is room for, not slower than the least */
    assert_int_equal(sn_slow_read(&list, NOW, entries), SONDE_CACHE_SLOW_MAX);
    assert_int_equal(entries[15].duration_ns, 1);
    put(&list, 100, NOW);
    assert_int_equal(sn_slow_read(&list, NOW, entries), SONDE_CACHE_SLOW_MAX);
    assert_int_equal(entries[0].duration_ns, 100);
    assert_int_equal(entries[15].duration_ns, 2);
}

static void what_is_a_day_old_makes_room(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    for (int i = 0; i < SONDE_CACHE_SLOW_MAX; i++)
        put(&list, 1000, NOW);
    assert_int_equal(sn_slow_read(&list, NOW + DAY_MS - 1, entries), SONDE_CACHE_SLOW_MAX);
    assert_int_equal(sn_slow_read(&list, NOW + DAY_MS, entries), 0);
    put(&list, 1, NOW + DAY_MS);
    assert_int_equal(sn_slow_read(&list, NOW + DAY_MS, entries), 1);
    assert_int_equal(entries[0].duration_ns, 1);
    assert_int_equal(entries[0].end_wall_ms, NOW + DAY_MS);
}

static void texts_are_cut_between_characters(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    char exact[64], longer[66];
    memset(exact, 'a', 63);
    exact[63] = '\0';
    memset(longer, 'b', 62);
    memcpy(longer + 62, "\xe2\x82\xac", 4); /* a character of bytes 62 to 64 */
    sonde_cache_run run = {.operation = exact, .detail = longer, .duration_ns = 0};
    sn_slow_put(&list, &run, NOW);
    assert_int_equal(sn_slow_read(&list, NOW, entries), 1);
    assert_string_equal(entries[0].operation, exact);
    assert_int_equal(strlen(entries[0].detail), 62);
    assert_int_equal(entries[0].duration_ns, 1);
}

static void missing_texts_are_empty(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    sn_slow_put(&list, &(sonde_cache_run){.duration_ns = 5}, NOW);
    assert_int_equal(sn_slow_read(&list, NOW, entries), 1);
    assert_string_equal(entries[0].operation, "");
    assert_string_equal(entries[0].detail, "");
}

static void a_list_that_never_rests_reads_as_empty(void **state) {
    (void)state;
    struct sn_slow_list list = {0};
    put(&list, 5, NOW);
    assert_true(sn_version_begin(&list.version));
    put(&list, 6, NOW); /* gives up */
    assert_int_equal(sn_slow_read(&list, NOW, entries), 0);
    sn_version_end(&list.version);
    assert_int_equal(sn_slow_read(&list, NOW, entries), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_reads_as_nothing),
        cmocka_unit_test(the_slowest_stay_and_come_first),
        cmocka_unit_test(what_is_a_day_old_makes_room),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(missing_texts_are_empty),
        cmocka_unit_test(a_list_that_never_rests_reads_as_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
