/* The head: appends, epochs, side samples. */
#include "store/head.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sn_range all_time = {INT64_MIN, INT64_MAX};

static struct sn_head_outcome append_started(struct sn_head *head, uint32_t id, int64_t time_ms,
                                             double value, int64_t start_ms) {
    struct sn_head_outcome outcome;
    struct sn_head_sample sample = {time_ms, value, start_ms};
    assert_int_equal(sn_head_reach(head, id), SN_OK);
    assert_int_equal(sn_head_append(head, id, sample, 100, &outcome), SN_OK);
    return outcome;
}

static enum sn_head_verdict append(struct sn_head *head, uint32_t id, int64_t time_ms,
                                   double value) {
    return append_started(head, id, time_ms, value, 0).verdict;
}

static size_t read_epoch(struct sn_head *head, uint32_t id, bool frozen,
                         struct sn_samples *samples) {
    struct sn_head_copy copy;
    sn_head_copy_init(&copy);
    samples->count = 0;
    if (frozen)
        assert_int_equal(sn_head_copy_frozen(head, id, &copy), SN_OK);
    else
        assert_int_equal(sn_head_copy_current(head, id, &copy), SN_OK);
    assert_int_equal(sn_head_copy_decode(&copy, all_time, samples), SN_OK);
    sn_head_copy_release(&copy);
    return samples->count;
}

static void drop(struct sn_head *head, uint32_t series_count) {
    sn_head_drop_begin(head);
    sn_head_drop_sweep(head, 0, series_count);
    struct sn_head_epoch dropped = sn_head_drop_end(head);
    sn_head_epoch_release(&dropped);
}

static void each_verdict_is_given_at_its_boundary(void **state) {
    (void)state;
    struct sn_head head;
    sn_head_init(&head);
    assert_int_equal(append(&head, 3, 1000, 1), SN_HEAD_APPENDED);
    assert_int_equal(append(&head, 3, 1000, 1), SN_HEAD_SAME);
    assert_int_equal(append(&head, 3, 1000, 2), SN_HEAD_DUPLICATE);
    assert_int_equal(append(&head, 3, 900, 2), SN_HEAD_OLDER);
    assert_int_equal(append(&head, 3, 899, 2), SN_HEAD_TOO_OLD);
    assert_int_equal(append(&head, 3, 1001, 2), SN_HEAD_APPENDED);
    struct sn_head_outcome outcome;
    struct sn_head_sample replayed = {1001, 9, 0};
    assert_int_equal(sn_head_append(&head, 3, replayed, SN_HEAD_REPLAY, &outcome), SN_OK);
    assert_int_equal(outcome.verdict, SN_HEAD_OLDER);
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(read_epoch(&head, 3, false, &samples), 3);
    assert_true(samples.value[2] == 9);
    assert_int_equal(read_epoch(&head, 2, false, &samples), 0);
    assert_int_equal(read_epoch(&head, 99999, false, &samples), 0);
    sn_samples_release(&samples);
    sn_head_release(&head);
}

/* Random bits: 10 bytes per sample, so that the chunks of a series form a chain. */
static void a_long_series_is_a_chain_that_decodes_in_order(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct sn_head head;
    struct sn_samples samples;
    sn_head_init(&head);
    sn_samples_init(&samples);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(append(&head, 0, i, sn_double_from_bits((uint64_t)i * 0x9e3779b97f4a7c15)),
                         SN_HEAD_APPENDED);
    assert_int_equal(read_epoch(&head, 0, false, &samples), COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(samples.time_ms[i], i);
        assert_int_equal(sn_double_bits(samples.value[i]), (uint64_t)i * 0x9e3779b97f4a7c15);
    }
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void constant_series_are_cut_at_the_samples_of_a_chunk(void **state) {
    (void)state;
    enum { COUNT = SN_HEAD_CHUNK_SAMPLES_MAX * 2 + 5 };
    struct sn_head head;
    struct sn_samples samples;
    sn_head_init(&head);
    sn_samples_init(&samples);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(append(&head, 0, i, 1.5), SN_HEAD_APPENDED);
    assert_int_equal(read_epoch(&head, 0, false, &samples), COUNT);
    assert_int_equal(samples.time_ms[COUNT - 1], COUNT - 1);
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void a_copy_of_a_range_is_the_range_of_a_copy(void **state) {
    (void)state;
    enum { COUNT = SN_OPEN_CHUNK_SAMPLES_MAX * 5 + 5 };
    struct sn_head head;
    struct sn_samples samples;
    struct sn_head_copy copy;
    sn_head_init(&head);
    sn_samples_init(&samples);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(append(&head, 0, i, i % 3), SN_HEAD_APPENDED);
    for (int start = -10; start < COUNT + 10; start += 17) {
        for (int len = 0; len < COUNT; len += len < 8 ? 1 : 97) {
            struct sn_range range = {start, start + len};
            int first = start < 0 ? 0 : start;
            int last = start + len < COUNT ? start + len : COUNT - 1;
            sn_head_copy_init(&copy);
            copy.range = range;
            samples.count = 0;
            assert_int_equal(sn_head_copy_current(&head, 0, &copy), SN_OK);
            assert_true(copy.part_count <= (size_t)len / SN_OPEN_CHUNK_SAMPLES_MAX + 2);
            assert_int_equal(sn_head_copy_decode(&copy, range, &samples), SN_OK);
            assert_int_equal(samples.count, last < first ? 0 : last - first + 1);
            for (size_t i = 0; i < samples.count; i++)
                assert_int_equal(samples.time_ms[i], first + (int)i);
            sn_head_copy_release(&copy);
        }
    }
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void epochs_keep_their_samples_apart(void **state) {
    (void)state;
    struct sn_head head;
    struct sn_samples samples;
    sn_head_init(&head);
    sn_samples_init(&samples);
    for (int epoch = 0; epoch < 300; epoch++) { /* more than an 8-bit number of epochs */
        int64_t start = epoch * 1000;
        append(&head, 0, start + 500, epoch);
        append(&head, 0, start + 450, epoch);
        if (epoch % 7 == 0)
            append(&head, 1, start, epoch);
        sn_head_freeze(&head);
        assert_int_equal(read_epoch(&head, 0, false, &samples), 0);
        assert_int_equal(read_epoch(&head, 0, true, &samples), 2);
        assert_int_equal(samples.time_ms[0], start + 450);
        append(&head, 0, start + 600, -epoch);
        assert_int_equal(read_epoch(&head, 0, true, &samples), 2);
        assert_int_equal(read_epoch(&head, 1, true, &samples), epoch % 7 == 0);
        drop(&head, 2);
        assert_int_equal(read_epoch(&head, 0, true, &samples), 0);
        assert_int_equal(read_epoch(&head, 1, false, &samples), 0);
        assert_int_equal(read_epoch(&head, 0, false, &samples), 1);
        sn_head_freeze(&head);
        drop(&head, 2);
    }
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void the_flush_reads_what_readers_read(void **state) {
    (void)state;
    struct sn_head head;
    struct sn_samples samples;
    struct sn_head_copy scratch;
    struct sn_chunk_ref chunks[4];
    const uint32_t ids[] = {0, 1, 2, 70000};
    sn_head_init(&head);
    sn_samples_init(&samples);
    sn_head_copy_init(&scratch);
    append(&head, 0, 10, 1);
    append(&head, 1, 10, 2);
    append(&head, 1, 5, 3);
    append(&head, 2, 10, 4);
    sn_head_freeze(&head);
    append(&head, 1, 20, 5);
    sn_head_frozen_chunks(&head, ids, 4, chunks);
    const size_t expected[] = {1, 2, 1, 0};
    for (int i = 0; i < 4; i++) {
        samples.count = 0;
        assert_int_equal(sn_head_frozen_samples(&head, ids[i], chunks[i], &scratch, &samples),
                         SN_OK);
        assert_int_equal(samples.count, expected[i]);
    }
    sn_head_copy_release(&scratch);
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void a_failed_append_changes_nothing(void **state) {
    (void)state;
    struct sn_samples samples;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_head head;
        struct sn_head_outcome outcome;
        sn_samples_init(&samples);
        sn_head_init(&head);
        sn_status status = SN_OK;
        size_t taken = 0;
        sn_mem_fail_nth(n);
        if (sn_head_reach(&head, 0) == SN_OK) {
            for (int i = 0; i < 200 && status == SN_OK; i++) {
                struct sn_head_sample sample = {i % 50 == 49 ? i - 10 : i, (double)i * 1e300,
                                                i / 30 * 7};
                status = sn_head_append(&head, 0, sample, 100, &outcome);
                taken += status == SN_OK && i % 50 != 49;
            }
            fired = sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            assert_int_equal(read_epoch(&head, 0, false, &samples), taken);
        }
        sn_mem_fail_nth(0);
        sn_head_release(&head);
        sn_samples_release(&samples);
    }
}

static void start_times_follow_their_samples(void **state) {
    (void)state;
    struct sn_head head;
    struct sn_samples samples;
    sn_head_init(&head);
    sn_samples_init(&samples);
    /* New: the first start, another, none; not new: the same again. */
    assert_false(append_started(&head, 2, 1000, 1, 0).is_new_start);
    assert_true(append_started(&head, 2, 1010, 2, 500).is_new_start);
    assert_false(append_started(&head, 2, 1020, 3, 500).is_new_start);
    assert_true(append_started(&head, 2, 1030, 1, 1025).is_new_start);
    assert_true(append_started(&head, 2, 1015, 9, 500).is_new_start);  /* older: its own start */
    assert_true(append_started(&head, 2, 1040, 2, 1025).is_new_start); /* and back */
    assert_false(append_started(&head, 2, 1050, 3, 1025).is_new_start);
    assert_true(append_started(&head, 2, 1060, 1, 0).is_new_start);
    const int64_t expected[] = {0, 500, 500, 500, 1025, 1025, 1025, 0};
    assert_int_equal(read_epoch(&head, 2, false, &samples), 8);
    assert_true(samples.has_start);
    assert_memory_equal(samples.start_ms, expected, sizeof expected);
    sn_head_freeze(&head);
    assert_true(append_started(&head, 2, 1070, 1, 1025).is_new_start);
    assert_int_equal(read_epoch(&head, 2, true, &samples), 8);
    assert_memory_equal(samples.start_ms, expected, sizeof expected);
    assert_int_equal(read_epoch(&head, 2, false, &samples), 1);
    assert_int_equal(samples.start_ms[0], 1025);
    sn_samples_release(&samples);
    sn_head_release(&head);
}

static void a_start_that_ends_with_its_epoch_is_said_to_end(void **state) {
    (void)state;
    struct sn_head head;
    sn_head_init(&head);
    assert_true(append_started(&head, 0, 1000, 1, 500).is_new_start);
    sn_head_freeze(&head);
    assert_true(append_started(&head, 0, 1010, 1, 0).is_new_start);
    sn_head_release(&head);
}

static void long_chains_keep_their_start(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct sn_head head;
    struct sn_samples samples;
    sn_head_init(&head);
    sn_samples_init(&samples);
    for (int i = 0; i < COUNT; i++) /* values without a pattern: several chunks */
        (void)append_started(&head, 0, 1000 + i, (double)((i * 7919) % 104729) * 1.1e300, 500);
    assert_int_equal(read_epoch(&head, 0, false, &samples), COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(samples.start_ms[i], 500);
        assert_true(samples.value[i] == (double)((i * 7919) % 104729) * 1.1e300);
    }
    sn_samples_release(&samples);
    sn_head_release(&head);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_times_follow_their_samples),
        cmocka_unit_test(a_start_that_ends_with_its_epoch_is_said_to_end),
        cmocka_unit_test(long_chains_keep_their_start),
        cmocka_unit_test(each_verdict_is_given_at_its_boundary),
        cmocka_unit_test(a_long_series_is_a_chain_that_decodes_in_order),
        cmocka_unit_test(constant_series_are_cut_at_the_samples_of_a_chunk),
        cmocka_unit_test(a_copy_of_a_range_is_the_range_of_a_copy),
        cmocka_unit_test(epochs_keep_their_samples_apart),
        cmocka_unit_test(the_flush_reads_what_readers_read),
        cmocka_unit_test(a_failed_append_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
