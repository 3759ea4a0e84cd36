/* Tests of the buffer of push clients: order, bounds at n and n + 1, batches that fail while old
 * samples go, and that everything adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "client/push_ring_priv.h"

#include <stdio.h>

#define CAP (SN_PUSH_ITEM_BYTES + SN_PUSH_LINE_BYTES_MAX)

static struct sn_buf new_batch(size_t size) {
    struct sn_buf batch;
    sn_buf_init(&batch, size);
    assert_non_null(sn_buf_reserve(&batch, size));
    return batch;
}

static struct sn_push_ring new_ring(size_t count_max) {
    struct sn_push_ring ring;
    assert_int_equal(sn_push_ring_init(&ring, CAP, count_max, NULL), SN_OK);
    return ring;
}

static void lines_come_out_in_order_with_their_times(void **state) {
    (void)state;
    struct sn_push_ring ring = new_ring(10);
    struct sn_buf batch = new_batch(CAP);
    assert_int_equal(sn_push_ring_put(&ring, 5, SN_STR("a 1")), 0);
    assert_int_equal(sn_push_ring_put(&ring, INT64_MIN, SN_STR("b 2")), 0);
    sn_push_ring_begin(&ring);
    assert_int_equal(sn_push_ring_take(&ring, &batch, 10), 2);
    assert_true(sn_str_equal(sn_buf_str(&batch), SN_STR("a 1 5\nb 2 -9223372036854775808\n")));
    sn_push_ring_done(&ring);
    assert_int_equal(ring.count, 0);
    assert_int_equal(ring.used, 0);
    sn_buf_release(&batch);
    sn_push_ring_release(&ring);
}

static void beyond_the_count_the_oldest_goes(void **state) {
    (void)state;
    struct sn_push_ring ring = new_ring(2);
    struct sn_buf batch = new_batch(CAP);
    assert_int_equal(sn_push_ring_put(&ring, 1, SN_STR("a")), 0);
    assert_int_equal(sn_push_ring_put(&ring, 2, SN_STR("b")), 0);
    assert_int_equal(sn_push_ring_put(&ring, 3, SN_STR("c")), 1);
    sn_push_ring_begin(&ring);
    assert_int_equal(sn_push_ring_take(&ring, &batch, 10), 2);
    assert_true(sn_str_equal(sn_buf_str(&batch), SN_STR("b 2\nc 3\n")));
    sn_buf_release(&batch);
    sn_push_ring_release(&ring);
}

static void the_bytes_are_bounded_at_n_and_n_plus_1(void **state) {
    (void)state;
    static char text[SN_PUSH_LINE_BYTES_MAX];
    struct sn_push_ring ring = new_ring(1000);
    memset(text, 'x', sizeof text);
    size_t half = CAP / 2 - SN_PUSH_ITEM_BYTES;
    assert_int_equal(sn_push_ring_put(&ring, 1, sn_str_make(text, half)), 0);
    assert_int_equal(sn_push_ring_put(&ring, 2, sn_str_make(text, half)), 0);
    assert_int_equal(ring.used, CAP);
    assert_int_equal(sn_push_ring_put(&ring, 3, sn_str_make(text, 1)), 1);
    assert_int_equal(sn_push_ring_put(&ring, 4, sn_str_make(text, sizeof text)), 2);
    assert_int_equal(ring.used, CAP);
    assert_int_equal(ring.count, 1);
    sn_push_ring_release(&ring);
}

static void a_batch_stops_before_what_does_not_fit(void **state) {
    (void)state;
    struct sn_push_ring ring = new_ring(10);
    struct sn_buf batch = new_batch(2 * SN_PUSH_TIME_BYTES_MAX);
    for (int i = 0; i < 5; i++)
        (void)sn_push_ring_put(&ring, 1234567890123, SN_STR("abcdefghi"));
    sn_push_ring_begin(&ring);
    size_t taken = sn_push_ring_take(&ring, &batch, 10);
    assert_int_equal(taken, 1);
    assert_int_equal(sn_push_ring_take(&ring, &batch, 10), 0);
    sn_push_ring_done(&ring);
    assert_int_equal(ring.count, 4);
    sn_buf_release(&batch);
    sn_push_ring_release(&ring);
}

static void what_goes_while_it_is_on_its_way_is_lost_only_if_the_batch_fails(void **state) {
    (void)state;
    for (int is_failing = 0; is_failing < 2; is_failing++) {
        struct sn_push_ring ring = new_ring(3);
        struct sn_buf batch = new_batch(CAP);
        for (int i = 0; i < 3; i++)
            (void)sn_push_ring_put(&ring, i, SN_STR("a"));
        sn_push_ring_begin(&ring);
        assert_int_equal(sn_push_ring_take(&ring, &batch, 2), 2);
        assert_int_equal(sn_push_ring_put(&ring, 3, SN_STR("b")), 0);
        assert_int_equal(sn_push_ring_put(&ring, 4, SN_STR("b")), 0);
        assert_int_equal(ring.open_count, 2);
        /* The next oldest is in no batch. */
        assert_int_equal(sn_push_ring_put(&ring, 5, SN_STR("b")), 1);
        if (is_failing)
            assert_int_equal(sn_push_ring_undo(&ring), 2);
        else
            sn_push_ring_done(&ring);
        assert_int_equal(ring.count, 3);
        sn_buf_reset(&batch);
        sn_push_ring_begin(&ring);
        assert_int_equal(sn_push_ring_take(&ring, &batch, 10), 3);
        assert_true(sn_str_equal(sn_buf_str(&batch), SN_STR("b 3\nb 4\nb 5\n")));
        sn_buf_release(&batch);
        sn_push_ring_release(&ring);
    }
}

/* Random puts and batches; every line carries its number, so that order and sums can be checked. */
static void everything_adds_up_whatever_happens(void **state) {
    (void)state;
    struct sn_push_ring ring = new_ring(40);
    struct sn_buf batch = new_batch(4096);
    struct sn_rng rng;
    uint64_t put = 0, lost = 0, sent = 0, last = 0;
    sn_rng_init(&rng, 1);
    for (int round = 0; round < 20000; round++) {
        for (uint64_t n = sn_rng_below(&rng, 30); n > 0; n--) {
            static char text[512];
            size_t pad = (size_t)sn_rng_below(&rng, 400);
            memset(text, 'x', pad);
            lost += sn_push_ring_put(&ring, (int64_t)++put, sn_str_make(text, pad));
        }
        sn_buf_reset(&batch);
        sn_push_ring_begin(&ring);
        size_t taken = sn_push_ring_take(&ring, &batch, 7);
        for (uint64_t n = sn_rng_below(&rng, 20); n > 0; n--)
            lost += sn_push_ring_put(&ring, (int64_t)++put, SN_STR("y"));
        taken += sn_push_ring_take(&ring, &batch, 7);
        if (sn_rng_below(&rng, 3) > 0) {
            sn_push_ring_done(&ring);
            sent += taken;
            assert_true(ring.first >= last);
            last = ring.first;
        } else {
            lost += sn_push_ring_undo(&ring);
        }
        assert_int_equal(put, lost + sent + ring.count);
    }
    assert_int_equal(sn_push_ring_clear(&ring), put - lost - sent);
    assert_true(sent > 1000);
    sn_buf_release(&batch);
    sn_push_ring_release(&ring);
}

static void reset_forgets_all(void **state) {
    (void)state;
    struct sn_push_ring ring = new_ring(3);
    (void)sn_push_ring_put(&ring, 1, SN_STR("a"));
    sn_push_ring_reset(&ring);
    assert_int_equal(ring.count, 0);
    assert_int_equal(sn_push_ring_put(&ring, 1, SN_STR("a")), 0);
    sn_push_ring_release(&ring);
}

#ifdef SN_FAULTS
static void without_memory_there_is_no_ring(void **state) {
    (void)state;
    struct sn_push_ring ring;
    sn_mem_fail_nth(1);
    assert_int_equal(sn_push_ring_init(&ring, CAP, 1, NULL), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_in_order_with_their_times),
        cmocka_unit_test(beyond_the_count_the_oldest_goes),
        cmocka_unit_test(the_bytes_are_bounded_at_n_and_n_plus_1),
        cmocka_unit_test(a_batch_stops_before_what_does_not_fit),
        cmocka_unit_test(what_goes_while_it_is_on_its_way_is_lost_only_if_the_batch_fails),
        cmocka_unit_test(everything_adds_up_whatever_happens),
        cmocka_unit_test(reset_forgets_all),
#ifdef SN_FAULTS
        cmocka_unit_test(without_memory_there_is_no_ring),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
