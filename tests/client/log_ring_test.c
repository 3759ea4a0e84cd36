/*
 * Tests of the ring: order over the wrap, the exact boundary of full, take-over, broken memory.
 */
#include "log_support.h"

#include "base/rng.h"

#define CAPACITY 65536u

static uint8_t memory[CAPACITY] __attribute__((aligned(64)));
static struct sn_log_ring ring;

static int setup(void **state) {
    (void)state;
    memset(&ring, 0, sizeof ring);
    sn_log_ring_init(&ring, memory, CAPACITY);
    return 0;
}

static bool push(size_t size, uint64_t number) {
    struct sn_log_record *record = sn_log_ring_reserve(&ring, size);
    if (record == NULL)
        return false;
    *record = (struct sn_log_record){.size = (uint32_t)size, .stamp = number};
    sn_log_ring_publish(&ring);
    return true;
}

/* The next record's number, which is given back at once; UINT64_MAX: nothing waits. */
static uint64_t pop(void) {
    size_t room = 0;
    (void)sn_log_ring_look(&ring);
    const struct sn_log_record *record = sn_log_ring_peek(&ring, &room);
    if (record == NULL)
        return UINT64_MAX;
    uint64_t number = record->stamp;
    assert_int_equal(room, record->size);
    sn_log_ring_advance(&ring, record->size);
    sn_log_ring_commit(&ring);
    return number;
}

static void a_ring_takes_exactly_its_capacity(void **state) {
    (void)state;
    for (uint64_t i = 0; i < CAPACITY / 64; i++)
        assert_true(push(64, i));
    assert_false(push(48, 0));
    assert_int_equal(pop(), 0);
    assert_false(push(72, 0));
    assert_true(push(64, CAPACITY / 64));
    assert_false(push(48, 0));
    for (uint64_t i = 1; i <= CAPACITY / 64; i++)
        assert_int_equal(pop(), i);
    assert_int_equal(pop(), UINT64_MAX);
    assert_int_equal(sn_log_load(&ring.pushed), CAPACITY / 64 + 1);
    assert_int_equal(sn_log_load(&ring.popped), CAPACITY / 64 + 1);
}

static void records_of_any_size_come_in_order_over_the_wrap(void **state) {
    (void)state;
    struct sn_rng rng;
    uint64_t pushed = 0, popped = 0;
    sn_rng_init(&rng, 7);
    while (pushed < 100000) {
        for (uint64_t n = sn_rng_below(&rng, 40); n > 0; n--)
            pushed += push(48 + 8 * sn_rng_below(&rng, 500), pushed);
        for (uint64_t n = sn_rng_below(&rng, 40); n > 0; n--) {
            uint64_t number = pop();
            if (number == UINT64_MAX)
                break;
            assert_int_equal(number, popped++);
        }
    }
}

static void a_record_of_a_quarter_fits_into_every_empty_ring(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(push(48 + 8 * (i % 7), i));
        assert_int_equal(pop(), i);
        assert_true(push(CAPACITY / 4, i));
        assert_int_equal(pop(), i);
    }
}

static void room_comes_back_with_the_commit_not_before(void **state) {
    (void)state;
    size_t room = 0;
    for (uint64_t i = 0; i < 4; i++)
        assert_true(push(CAPACITY / 4, i));
    (void)sn_log_ring_look(&ring);
    assert_non_null(sn_log_ring_peek(&ring, &room));
    sn_log_ring_advance(&ring, CAPACITY / 4);
    assert_false(push(48, 9));
    sn_log_ring_commit(&ring);
    assert_true(push(48, 9));
}

static void an_owner_leaves_its_records_to_the_next(void **state) {
    (void)state;
    assert_true(sn_log_ring_claim(&ring));
    assert_false(sn_log_ring_claim(&ring));
    assert_true(push(64, 1));
    sn_log_ring_give_back(&ring);
    assert_true(sn_log_ring_claim(&ring));
    assert_true(push(64, 2));
    assert_int_equal(pop(), 1);
    assert_int_equal(pop(), 2);
}

static void discarded_records_are_gone(void **state) {
    (void)state;
    assert_true(push(64, 1));
    sn_log_ring_discard(&ring);
    assert_int_equal(pop(), UINT64_MAX);
    assert_true(push(64, 2));
    assert_int_equal(pop(), 2);
}

static void count_and_sum(void *ctx, const struct sn_log_record *record, size_t room) {
    uint64_t *sums = ctx;
    assert_int_equal(room, record->size);
    sums[0]++;
    sums[1] += record->stamp;
}

static void a_walk_sees_what_waits_and_takes_nothing(void **state) {
    (void)state;
    uint64_t sums[2] = {0, 0};
    for (uint64_t i = 0; i < 1000; i++) {
        (void)push(1000, i);
        (void)pop();
    }
    for (uint64_t i = 1; i <= 60; i++)
        assert_true(push(1000, i));
    sn_log_ring_walk(&ring, count_and_sum, sums);
    assert_int_equal(sums[0], 60);
    assert_int_equal(sums[1], 60 * 61 / 2);
    assert_int_equal(pop(), 1);
}

static void a_walk_over_broken_memory_ends(void **state) {
    (void)state;
    uint64_t sums[2] = {0, 0};
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(push(64, i));
    memset(memory + 64, 0xFF, 64);
    sn_log_ring_walk(&ring, count_and_sum, sums);
    assert_int_equal(sums[0], 1);
    memset(memory + 64, 0, 64);
    sn_log_ring_walk(&ring, count_and_sum, sums);
    assert_int_equal(sums[0], 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_ring_takes_exactly_its_capacity, setup),
        cmocka_unit_test_setup(records_of_any_size_come_in_order_over_the_wrap, setup),
        cmocka_unit_test_setup(a_record_of_a_quarter_fits_into_every_empty_ring, setup),
        cmocka_unit_test_setup(room_comes_back_with_the_commit_not_before, setup),
        cmocka_unit_test_setup(an_owner_leaves_its_records_to_the_next, setup),
        cmocka_unit_test_setup(discarded_records_are_gone, setup),
        cmocka_unit_test_setup(a_walk_sees_what_waits_and_takes_nothing, setup),
        cmocka_unit_test_setup(a_walk_over_broken_memory_ends, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
