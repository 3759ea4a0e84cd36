/* Tests of open runs. */
#include "client/perf_open_priv.h"

#include "client_support.h"

static bool put(struct sn_perf_open *open, const char *id, uint64_t begin) {
    return sn_perf_open_put(open, sn_str_from(id), (struct sn_stopwatch){begin, 0});
}

/* When the run of this id began; 0: it is not open. */
static uint64_t take(struct sn_perf_open *open, const char *id) {
    struct sn_stopwatch watch;
    return sn_perf_open_take(open, sn_str_from(id), &watch) ? watch.begin : 0;
}

static void runs_are_found_by_id_in_any_order(void **state) {
    (void)state;
    struct sn_perf_open open;
    assert_int_equal(sn_perf_open_init(&open, 100), SN_OK);
    char id[16];
    for (uint64_t i = 1; i <= 100; i++) {
        (void)snprintf(id, sizeof id, "run-%d", (int)i);
        assert_false(put(&open, id, i));
    }
    assert_int_equal(open.count, 100);
    for (uint64_t i = 1; i <= 100; i++) {
        uint64_t which = i * 37 % 101;
        (void)snprintf(id, sizeof id, "run-%d", (int)which);
        assert_int_equal(take(&open, id), which);
        assert_int_equal(take(&open, id), 0);
    }
    assert_int_equal(open.count, 0);
    sn_perf_open_release(&open);
}

static void the_oldest_is_given_up_when_all_are_open(void **state) {
    (void)state;
    struct sn_perf_open open;
    assert_int_equal(sn_perf_open_init(&open, 3), SN_OK);
    assert_false(put(&open, "a", 1));
    assert_false(put(&open, "b", 2));
    assert_false(put(&open, "c", 3));
    assert_true(put(&open, "d", 4));
    assert_int_equal(take(&open, "a"), 0);
    assert_int_equal(take(&open, "c"), 3);
    assert_false(put(&open, "e", 5));
    assert_true(put(&open, "f", 6));
    assert_int_equal(take(&open, "b"), 0);
    assert_int_equal(take(&open, "d"), 4);
    assert_int_equal(take(&open, "e"), 5);
    assert_int_equal(take(&open, "f"), 6);
    sn_perf_open_release(&open);
}

static void an_open_id_starts_again(void **state) {
    (void)state;
    struct sn_perf_open open;
    assert_int_equal(sn_perf_open_init(&open, 1), SN_OK);
    assert_false(put(&open, "a", 1));
    assert_true(put(&open, "a", 2));
    assert_int_equal(open.count, 1);
    assert_int_equal(take(&open, "a"), 2);
    sn_perf_open_release(&open);
}

static void random_use_agrees_with_a_plain_list(void **state) {
    (void)state;
    enum { IDS = 40, MAX = 16 };
    struct sn_perf_open open;
    uint64_t began[IDS] = {0}; /* 0: not open */
    size_t count = 0;
    uint64_t bits = 88172645463325252u;
    assert_int_equal(sn_perf_open_init(&open, MAX), SN_OK);
    for (uint64_t step = 1; step <= 20000; step++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        size_t which = bits % IDS;
        char id[8];
        (void)snprintf(id, sizeof id, "%d", (int)which);
        if ((bits >> 32) % 2 == 0) {
            assert_int_equal(take(&open, id), began[which]);
            count -= began[which] != 0;
            began[which] = 0;
            continue;
        }
        size_t oldest = which;
        for (size_t i = 0; i < IDS && began[which] == 0 && count == MAX; i++) {
            if (began[i] != 0 && (began[oldest] == 0 || began[i] < began[oldest]))
                oldest = i;
        }
        bool gives_up = began[oldest] != 0;
        assert_int_equal(put(&open, id, step), gives_up);
        count -= gives_up;
        began[oldest] = 0;
        began[which] = step;
        count++;
        assert_int_equal(open.count, count);
    }
    sn_perf_open_release(&open);
}

static void without_memory_nothing_is_left(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1; n <= 2; n++) {
        struct sn_perf_open open;
        sn_mem_fail_nth(n);
        assert_int_equal(sn_perf_open_init(&open, 4), SN_ERR_NO_MEMORY);
        sn_perf_open_release(&open);
    }
    sn_mem_fail_nth(0);
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found_by_id_in_any_order),
        cmocka_unit_test(the_oldest_is_given_up_when_all_are_open),
        cmocka_unit_test(an_open_id_starts_again),
        cmocka_unit_test(random_use_agrees_with_a_plain_list),
        cmocka_unit_test(without_memory_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
