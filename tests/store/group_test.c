/* The queue of groups. */
#include "store/group.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct sn_group_queue *queue, uint64_t epoch, size_t count, uint32_t series) {
    struct sn_group *group;
    assert_int_equal(sn_group_queue_open(queue, epoch, count, &group), SN_OK);
    for (size_t i = 0; i < count; i++)
        sn_group_add_sample(queue, group, series, (int64_t)i, 1);
}

static void pushes_share_a_group_until_it_is_taken_or_the_epoch_changes(void **state) {
    (void)state;
    struct sn_group_queue queue;
    sn_group_queue_init(&queue);
    assert_null(sn_group_queue_take(&queue));
    add(&queue, 1, 3, 5);
    add(&queue, 1, 2, 9);
    assert_int_equal(queue.count, 1);
    struct sn_group *taken = sn_group_queue_take(&queue);
    assert_int_equal(taken->count, 5);
    assert_int_equal(taken->series_end, 10);
    add(&queue, 1, 1, 1);
    add(&queue, 1, 1, 1);
    assert_int_equal(queue.count, 2);
    add(&queue, 2, 1, 1);
    assert_int_equal(queue.count, 3);
    sn_group_queue_pop(&queue);
    taken = sn_group_queue_take(&queue);
    assert_int_equal(taken->count, 2);
    assert_int_equal(taken->epoch, 1);
    sn_group_queue_pop(&queue);
    taken = sn_group_queue_take(&queue);
    assert_int_equal(taken->epoch, 2);
    sn_group_queue_pop(&queue);
    assert_int_equal(queue.sample_count, 0);
    sn_group_queue_release(&queue);
}

static void a_full_ring_is_busy(void **state) {
    (void)state;
    struct sn_group_queue queue;
    struct sn_group *group;
    sn_group_queue_init(&queue);
    for (uint64_t epoch = 0; epoch < SN_GROUPS_MAX; epoch++)
        add(&queue, epoch, 1, 1);
    assert_int_equal(sn_group_queue_open(&queue, SN_GROUPS_MAX, 1, &group), SN_ERR_BUSY);
    assert_non_null(sn_group_queue_take(&queue));
    sn_group_queue_pop(&queue);
    assert_int_equal(sn_group_queue_open(&queue, SN_GROUPS_MAX, 1, &group), SN_OK);
    sn_group_queue_release(&queue);
}

static void a_batch_above_all_limits_goes_alone(void **state) {
    (void)state;
    struct sn_group_queue queue;
    struct sn_group *group;
    sn_group_queue_init(&queue);
    assert_int_equal(sn_group_queue_open(&queue, 1, SN_QUEUE_SAMPLES_MAX + 1, &group), SN_OK);
    sn_group_add_sample(&queue, group, 1, 1, 1);
    assert_int_equal(sn_group_queue_open(&queue, 1, SN_QUEUE_SAMPLES_MAX, &group), SN_ERR_BUSY);
    sn_group_queue_release(&queue);
}

static void without_memory_the_queue_is_unchanged(void **state) {
    (void)state;
    struct sn_group *group;
    for (uint64_t n = 1; n <= 4; n++) {
        struct sn_group_queue queue;
        sn_group_queue_init(&queue);
        sn_mem_fail_nth(n);
        assert_int_equal(sn_group_queue_open(&queue, 1, 10, &group), SN_ERR_NO_MEMORY);
        sn_mem_fail_nth(0);
        assert_int_equal(queue.count, 0);
        assert_int_equal(sn_group_queue_open(&queue, 1, 10, &group), SN_OK);
        sn_group_queue_release(&queue);
    }
}

static void count_call(void *ctx, sn_status status, const struct sn_err *err) {
    (void)err;
    assert_int_equal(status, SN_ERR_IO);
    ++*(int *)ctx;
}

static void every_waiter_is_called_once(void **state) {
    (void)state;
    struct sn_group_queue queue;
    struct sn_group *group;
    int calls = 0;
    sn_group_queue_init(&queue);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(sn_group_queue_open(&queue, 1, 1, &group), SN_OK);
        sn_group_add_waiter(group, (struct sn_push_done){.fn = count_call, .ctx = &calls});
    }
    group = sn_group_queue_take(&queue);
    sn_group_finish(group, SN_ERR_IO, NULL);
    sn_group_finish(group, SN_ERR_IO, NULL);
    assert_int_equal(calls, 100);
    sn_group_queue_pop(&queue);
    sn_group_queue_release(&queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_share_a_group_until_it_is_taken_or_the_epoch_changes),
        cmocka_unit_test(a_full_ring_is_busy),
        cmocka_unit_test(a_batch_above_all_limits_goes_alone),
        cmocka_unit_test(without_memory_the_queue_is_unchanged),
        cmocka_unit_test(every_waiter_is_called_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
