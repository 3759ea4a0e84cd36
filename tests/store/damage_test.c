/*
 * Flipped, zeroed and missing bytes in log and segments, at random places: what is read afterwards is
 * right or a named error, never a wrong value, never a crash; a log gives a prefix.
 */
#include "store_support.h"

#include "base/os.h"
#include "base/rng.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERIES = 60, ROUNDS = 30, PLACES = 500 };

static double value_of(unsigned series, int64_t round) {
    return (double)((round * 7919 + series * 104729) % 100003) / 8.0;
}

static void push_all(struct test_store *test) {
    struct sn_buf labels[SERIES];
    struct sn_batch_series series[SERIES];
    struct sn_batch_sample samples[SERIES];
    for (unsigned i = 0; i < SERIES; i++) {
        sn_buf_init(&labels[i], 0);
        test_labels(&labels[i], "m", i);
        series[i] = (struct sn_batch_series){.labels = sn_buf_str(&labels[i])};
    }
    for (int64_t round = 0; round < ROUNDS; round++) {
        struct sn_push_result result;
        for (unsigned i = 0; i < SERIES; i++)
            samples[i] = (struct sn_batch_sample){
                .time_ms = TEST_NOW_MS + round * 1000, .value = value_of(i, round), .series = i};
        struct sn_batch batch = {
            .series = series, .series_count = SERIES, .samples = samples, .sample_count = SERIES};
        assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL),
                         SN_OK);
    }
    for (unsigned i = 0; i < SERIES; i++)
        sn_buf_release(&labels[i]);
}

struct image {
    uint8_t *bytes;
    size_t len;
};

static struct image read_image(const char *path) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_os_read_file(path, &buf, NULL), SN_OK);
    return (struct image){.bytes = buf.ptr, .len = buf.len};
}

static void write_image(const char *path, const uint8_t *bytes, size_t len) {
    int fd = sn_os_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(sn_os_write_all(fd, bytes, len), 0);
    assert_int_equal(sn_os_close(fd), 0);
}

/* Flip a bit, zero a stretch, fill a stretch with noise, or cut the end off. Returns the length. */
static size_t damage(uint8_t *bytes, size_t len, unsigned kind, struct sn_rng *rng) {
    size_t at = sn_rng_below(rng, len);
    size_t stretch = 1 + sn_rng_below(rng, 64);
    if (stretch > len - at)
        stretch = len - at;
    switch (kind % 4) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << sn_rng_below(rng, 8));
        return len;
    case 1:
        memset(bytes + at, 0, stretch);
        return len;
    case 2:
        for (size_t i = 0; i < stretch; i++)
            bytes[at + i] = (uint8_t)sn_rng_u64(rng);
        return len;
    default:
        return at;
    }
}

/* Reads every series; returns how many samples there are. Errors must name what is damaged. */
static size_t read_all(struct test_store *test, bool errors_allowed, bool must_be_prefix) {
    size_t total = 0;
    size_t errors = 0;
    for (unsigned i = 0; i < SERIES; i++) {
        struct sn_samples samples;
        struct sn_err err = {.status = SN_OK};
        sn_samples_init(&samples);
        sn_status status = test_try_read(test, "m", i, TEST_ALL_TIME, &samples, &err);
        errors += status != SN_OK;
        if (status != SN_OK) {
            assert_int_equal(status, SN_ERR_CORRUPT);
            assert_non_null(strstr(err.text, ".seg"));
            assert_int_equal(samples.count, 0);
        }
        for (size_t k = 0; k < samples.count; k++) {
            int64_t round = (samples.time_ms[k] - TEST_NOW_MS) / 1000;
            assert_true(round >= 0 && round < ROUNDS);
            assert_true(samples.value[k] == value_of(i, round));
            assert_true(!must_be_prefix || round == (int64_t)k);
        }
        total += samples.count;
        sn_samples_release(&samples);
    }
    assert_true(errors_allowed || errors == 0);
    return total;
}

static void a_damaged_log_gives_a_prefix(void **state) {
    (void)state;
    struct test_store test;
    struct sn_rng rng;
    char path[512];
    size_t fewer = 0;
    sn_rng_init(&rng, 20260101);
    test_store_init_in_memory(&test);
    test_store_open(&test);
    push_all(&test);
    (void)snprintf(path, sizeof path, "%s", test_only_file(&test, "wal", ".log"));
    test_store_close(&test);
    struct image good = read_image(path);
    uint8_t *bytes = malloc(good.len);
    for (unsigned i = 0; i < PLACES; i++) {
        struct sn_store_stats stats;
        memcpy(bytes, good.bytes, good.len);
        size_t len = damage(bytes, good.len, i, &rng);
        bool is_changed = len != good.len || memcmp(bytes, good.bytes, len) != 0;
        assert_int_equal(sn_os_remove_tree(test.dir, NULL), SN_OK);
        assert_int_equal(sn_os_make_dirs(test_path(&test, "wal"), NULL), SN_OK);
        write_image(test_path(&test, "wal/00000001.log"), bytes, len);
        assert_int_equal(sn_store_open(&test.options, &test.store, NULL), SN_OK);
        size_t count = read_all(&test, false, true);
        sn_store_stats(test.store, &stats);
        assert_true(is_changed || count == SERIES * ROUNDS);
        assert_true(count == stats.recovery.log_sample_count);
        /* Cut at the border of a record there is nothing to see; else damage is counted. */
        if (is_changed && len == good.len && count < SERIES * ROUNDS) {
            assert_int_equal(stats.recovery.log_damaged_count, 1);
            assert_true(stats.recovery.log_bytes_dropped > 0);
            assert_non_null(strstr(stats.recovery.first_damage.text, "00000001.log"));
        }
        fewer += count < SERIES * ROUNDS;
        test.store = sn_store_close(test.store);
        /* What was cut off stays cut off, and is not damage any more. */
        assert_int_equal(sn_store_open(&test.options, &test.store, NULL), SN_OK);
        assert_int_equal(read_all(&test, false, true), count);
        test.store = sn_store_close(test.store);
    }
    assert_true(fewer > PLACES / 2);
    free(bytes);
    sn_buf_release(&(struct sn_buf){.ptr = good.bytes, .cap = good.len});
    test_store_release(&test);
}

static void a_damaged_segment_is_right_or_a_named_error(void **state) {
    (void)state;
    struct test_store test;
    struct sn_rng rng;
    size_t failed = 0;
    sn_rng_init(&rng, 20260102);
    test_store_init_in_memory(&test);
    test_store_open(&test);
    push_all(&test);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    test_store_close(&test);
    struct image good = read_image(test_path(&test, "seg/00000001.seg"));
    uint8_t *bytes = malloc(good.len);
    for (unsigned i = 0; i < PLACES; i++) {
        memcpy(bytes, good.bytes, good.len);
        size_t len = damage(bytes, good.len, i, &rng);
        bool is_changed = len != good.len || memcmp(bytes, good.bytes, len) != 0;
        write_image(test_path(&test, "seg/00000001.seg"), bytes, len);
        assert_int_equal(sn_store_open(&test.options, &test.store, NULL), SN_OK);
        size_t count = read_all(&test, is_changed, true);
        assert_true(is_changed || count == SERIES * ROUNDS);
        failed += count < SERIES * ROUNDS;
        test.store = sn_store_close(test.store);
    }
    assert_true(failed > PLACES / 2);
    free(bytes);
    sn_buf_release(&(struct sn_buf){.ptr = good.bytes, .cap = good.len});
    test_store_release(&test);
}

static void a_segment_of_another_store_is_not_taken_for_ours(void **state) {
    (void)state;
    struct test_store ours;
    struct test_store other;
    test_store_init_in_memory(&ours);
    test_store_init_in_memory(&other);
    test_store_open(&ours);
    test_store_open(&other);
    push_all(&ours);
    assert_int_equal(test_push_one(&other, "m", 1, TEST_NOW_MS, 3, NULL), SN_OK);
    assert_int_equal(sn_store_flush(ours.store, NULL), SN_OK);
    assert_int_equal(sn_store_flush(other.store, NULL), SN_OK);
    test_store_close(&ours);
    test_store_close(&other);
    struct image foreign = read_image(test_path(&other, "seg/00000001.seg"));
    write_image(test_path(&ours, "seg/00000001.seg"), foreign.bytes, foreign.len);
    test_store_open(&ours);
    assert_int_equal(read_all(&ours, true, true), 0);
    sn_buf_release(&(struct sn_buf){.ptr = foreign.bytes, .cap = foreign.len});
    test_store_release(&ours);
    test_store_release(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_log_gives_a_prefix),
        cmocka_unit_test(a_damaged_segment_is_right_or_a_named_error),
        cmocka_unit_test(a_segment_of_another_store_is_not_taken_for_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
