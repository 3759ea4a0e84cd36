/* Most frequent keys: exact while few, bounded when many, mergeable. */
#include "insight/topk.h"

#include "base/mem.h"
#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 400, EVENTS = 20000 };

static void add(struct sn_topk *topk, unsigned key, uint64_t count) {
    char text[16];
    (void)snprintf(text, sizeof text, "k%u", key);
    const struct sn_topk_entry entry = {
        .key = sn_str_from(text), .count = count, .extra = {1, (double)count}, .last_ms = 5};
    assert_int_equal(sn_topk_add(topk, &entry), SN_OK);
}

/* Skewed: low keys are frequent. */
static unsigned pick(struct sn_rng *rng) {
    uint64_t a = sn_rng_below(rng, KEYS), b = sn_rng_below(rng, KEYS), c = sn_rng_below(rng, KEYS);
    uint64_t low = a < b ? a : b;
    return (unsigned)(low < c ? low : c);
}

static void assert_bound(const struct sn_topk *topk, const uint64_t *truth, uint64_t total) {
    uint64_t seen[KEYS] = {0};
    for (size_t i = 0; i < topk->count; i++) {
        struct sn_str key = topk->entries[i].key;
        size_t number = 0;
        for (size_t j = 1; j < key.len; j++)
            number = 10 * number + (size_t)(key.ptr[j] - '0');
        seen[number] = topk->entries[i].count;
    }
    for (size_t i = 0; i < KEYS; i++) {
        assert_true(seen[i] <= truth[i]);
        assert_true(truth[i] - seen[i] <= topk->bound);
    }
    assert_true(topk->bound <= total / (topk->max + 1));
}

static void few_keys_are_exact(void **state) {
    (void)state;
    struct sn_topk topk;
    const struct sn_topk_entry *top[5];
    sn_topk_init(&topk, KEYS, 1);
    for (unsigned i = 0; i < KEYS; i++)
        for (int j = 0; j < 2; j++)
            add(&topk, i, i);
    assert_int_equal(topk.bound, 0);
    assert_int_equal(sn_topk_top(&topk, top, 5), 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(top[i]->count, 2 * (KEYS - 1 - i));
        assert_true(top[i]->extra[0] == 2);
    }
    sn_topk_release(&topk);
}

static void many_keys_stay_within_the_bound(void **state) {
    (void)state;
    struct sn_topk topk;
    struct sn_rng rng;
    uint64_t truth[KEYS] = {0};
    sn_topk_init(&topk, 50, 1);
    sn_rng_init(&rng, 1);
    for (int i = 0; i < EVENTS; i++) {
        unsigned key = pick(&rng);
        truth[key]++;
        add(&topk, key, 1);
    }
    assert_true(topk.bound > 0);
    assert_bound(&topk, truth, EVENTS);
    sn_topk_release(&topk);
}

static void merged_summaries_keep_the_bound(void **state) {
    (void)state;
    struct sn_topk sum;
    struct sn_rng rng;
    uint64_t truth[KEYS] = {0};
    sn_topk_init(&sum, 50, 1);
    sn_rng_init(&rng, 2);
    for (int part = 0; part < 10; part++) {
        struct sn_topk topk;
        sn_topk_init(&topk, 50, 7);
        for (int i = 0; i < EVENTS / 10; i++) {
            unsigned key = pick(&rng);
            truth[key]++;
            add(&topk, key, 1);
        }
        assert_int_equal(sn_topk_merge(&sum, &topk), SN_OK);
        sn_topk_release(&topk);
    }
    assert_bound(&sum, truth, EVENTS);
    sn_topk_release(&sum);
}

static void times_and_the_newest_note_are_kept(void **state) {
    (void)state;
    struct sn_topk topk;
    const struct sn_topk_entry *top[2];
    sn_topk_init(&topk, 10, 1);
    struct sn_topk_entry entry = {
        .key = SN_STR("a"), .note = SN_STR("new"), .count = 1, .first_ms = 10, .last_ms = 20};
    assert_int_equal(sn_topk_add(&topk, &entry), SN_OK);
    entry = (struct sn_topk_entry){
        .key = SN_STR("a"), .note = SN_STR("old"), .count = 1, .first_ms = 5, .last_ms = 15};
    assert_int_equal(sn_topk_add(&topk, &entry), SN_OK);
    assert_int_equal(sn_topk_top(&topk, top, 2), 1);
    assert_true(sn_str_equal(top[0]->note, SN_STR("new")));
    assert_int_equal(top[0]->first_ms, 5);
    assert_int_equal(top[0]->last_ms, 20);
    sn_topk_release(&topk);
}

static void equal_counts_are_in_the_order_of_keys(void **state) {
    (void)state;
    struct sn_topk topk;
    const struct sn_topk_entry *top[3];
    sn_topk_init(&topk, 10, 1);
    for (unsigned i = 9; i > 0; i--)
        add(&topk, i, 7);
    assert_int_equal(sn_topk_top(&topk, top, 3), 3);
    assert_true(sn_str_equal(top[0]->key, SN_STR("k1")));
    assert_true(sn_str_equal(top[2]->key, SN_STR("k3")));
    assert_int_equal(sn_topk_top(&topk, top, 0), 0);
    sn_topk_release(&topk);
}

static void sums_stop_at_the_largest(void **state) {
    (void)state;
    struct sn_topk topk;
    const struct sn_topk_entry most = {
        .key = SN_STR("k"), .count = SN_TOPK_COUNT_MAX - 1, .extra = {DBL_MAX, -DBL_MAX, 1}};
    sn_topk_init(&topk, 4, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sn_topk_add(&topk, &most), SN_OK);
    assert_int_equal(topk.entries[0].count, SN_TOPK_COUNT_MAX);
    assert_true(isfinite(topk.entries[0].extra[0]) && topk.entries[0].extra[0] >= DBL_MAX);
    assert_true(isfinite(topk.entries[0].extra[1]) && topk.entries[0].extra[1] <= -DBL_MAX);
    assert_true(topk.entries[0].extra[2] > 2.5);
    sn_topk_raise_bound(&topk, SN_TOPK_COUNT_MAX);
    sn_topk_raise_bound(&topk, 7);
    assert_int_equal(topk.bound, SN_TOPK_COUNT_MAX);
    sn_topk_release(&topk);
}

static void long_keys_are_cut(void **state) {
    (void)state;
    static char text[SN_TOPK_KEY_BYTES_MAX + 1];
    struct sn_topk topk;
    sn_topk_init(&topk, 10, 1);
    memset(text, 'x', sizeof text);
    struct sn_topk_entry entry = {.key = sn_str_make(text, sizeof text), .count = 1};
    assert_int_equal(sn_topk_add(&topk, &entry), SN_OK);
    assert_int_equal(sn_topk_add(&topk, &entry), SN_OK);
    assert_int_equal(topk.count, 1);
    assert_int_equal(topk.entries[0].key.len, SN_TOPK_KEY_BYTES_MAX);
    sn_topk_release(&topk);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_topk topk;
        sn_status status = SN_OK;
        sn_topk_init(&topk, 4, 1);
        sn_mem_fail_nth(n);
        for (int i = 0; i < 30 && status == SN_OK; i++) {
            char text[2] = {(char)('a' + i % 20), '\0'};
            struct sn_topk_entry entry = {.key = sn_str_from(text), .count = 1};
            status = sn_topk_add(&topk, &entry);
        }
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_topk_release(&topk);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        assert_int_equal(sn_mem_block_count(), before);
        if (is_over)
            return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_keys_are_exact),
        cmocka_unit_test(many_keys_stay_within_the_bound),
        cmocka_unit_test(merged_summaries_keep_the_bound),
        cmocka_unit_test(times_and_the_newest_note_are_kept),
        cmocka_unit_test(equal_counts_are_in_the_order_of_keys),
        cmocka_unit_test(sums_stop_at_the_largest),
        cmocka_unit_test(long_keys_are_cut),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests_name("topk", tests, NULL, NULL);
}
