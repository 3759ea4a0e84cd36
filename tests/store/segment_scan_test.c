/* Scans of one segment: the same samples as single reads, in any order, over any range. */
#include "store/segment_scan.h"
#include "store/segment_write.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERIES = 400, SAMPLES = 700 };

/* A directory, an index whose metric order is the reverse of the ids, and one written segment. */
struct fixture {
    struct test_store place;
    struct sn_series_index index;
    struct sn_pack_cache cache;
    struct sn_segment_row row;
};

static int64_t time_at(int i) {
    return TEST_NOW_MS + i * 1000;
}

static double value_at(uint32_t series, int i) {
    uint32_t mixed = (series * 2654435761u ^ (uint32_t)i * 40503u) * 2246822519u;
    return (double)(mixed >> 12) / 4;
}

static sn_status write_segment(struct fixture *fixture, uint64_t id) {
    struct sn_segment_writer *writer = calloc(1, sizeof *writer);
    struct sn_segment_writer_options options = {
        .dir = fixture->place.dir, .id = id, .clock = sn_clock_system()};
    struct sn_samples samples;
    sn_samples_init(&samples);
    sn_status status = sn_segment_writer_open(writer, &options, NULL);
    if (status == SN_OK)
        status = sn_samples_reserve(&samples, SAMPLES);
    bool is_open = status == SN_OK;
    for (uint32_t k = 0; k < SERIES && status == SN_OK; k++) {
        uint32_t series = SERIES - 1 - k;
        samples.count = 0;
        for (int i = 0; i < (series % 7 ? 5 : SAMPLES); i++) {
            samples.time_ms[samples.count] = time_at(i);
            samples.value[samples.count++] = value_at(series, i);
        }
        status = sn_segment_writer_add(writer, series, &samples, NULL);
    }
    if (status == SN_OK)
        status = sn_segment_writer_finish(writer, fixture->place.dir, NULL);
    fixture->row = sn_segment_writer_row(writer, id);
    if (is_open || writer->builder.chunks)
        sn_segment_writer_release(writer);
    sn_samples_release(&samples);
    free(writer);
    return status;
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sn_buf buf;
    test_store_init(&fixture->place);
    sn_series_index_init(&fixture->index, SERIES, 1);
    sn_pack_cache_init(&fixture->cache);
    sn_buf_init(&buf, 0);
    for (uint32_t i = 0; i < SERIES; i++) {
        char name[16];
        uint32_t id;
        (void)snprintf(name, sizeof name, "m%04u", SERIES - i);
        test_labels(&buf, name, 1);
        assert_int_equal(sn_series_index_add(&fixture->index, sn_buf_str(&buf), i, &id, NULL),
                         SN_OK);
    }
    sn_buf_release(&buf);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    sn_fault_disarm_all();
    sn_pack_cache_release(&fixture->cache);
    sn_series_index_release(&fixture->index);
    test_store_release(&fixture->place);
    free(fixture);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct sn_segment *open_good(struct fixture *fixture) {
    struct sn_segment *segment;
    assert_int_equal(sn_segment_open(fixture->place.dir, &fixture->row, SERIES, &segment, NULL),
                     SN_OK);
    assert_int_equal(segment->damage.status, SN_OK);
    return segment;
}

static void check(struct fixture *fixture, struct sn_segment *segment,
                  struct sn_segment_place *place, uint32_t series, struct sn_range range) {
    struct sn_samples expected;
    struct sn_samples got;
    struct sn_segment_wish wish = {&fixture->index, &fixture->cache, series, range};
    sn_samples_init(&expected);
    sn_samples_init(&got);
    assert_int_equal(
        sn_segment_read(segment, &fixture->index, &fixture->cache, series, range, &expected, NULL),
        SN_OK);
    assert_int_equal(sn_segment_scan(segment, place, &wish, &got, NULL), SN_OK);
    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++) {
        assert_int_equal(got.time_ms[i], expected.time_ms[i]);
        assert_int_equal(sn_double_bits(got.value[i]), sn_double_bits(expected.value[i]));
    }
    sn_samples_release(&expected);
    sn_samples_release(&got);
}

static void any_order_of_series_gives_the_samples_of_single_reads(void **state) {
    struct fixture *fixture = *state;
    struct sn_segment_place *place = calloc(1, sizeof *place);
    struct sn_rng rng;
    sn_rng_init(&rng, 7);
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    struct sn_segment *segment = open_good(fixture);
    for (uint32_t i = 0; i < SERIES; i++)
        check(fixture, segment, place, SERIES - 1 - i, TEST_ALL_TIME); /* the order of the file */
    for (uint32_t i = 0; i < SERIES; i++)
        check(fixture, segment, place, i, TEST_ALL_TIME);
    for (int i = 0; i < 2000; i++) {
        int64_t start = time_at((int)sn_rng_below(&rng, SAMPLES));
        struct sn_range range = {start, start + (int64_t)sn_rng_below(&rng, 400000)};
        check(fixture, segment, place, (uint32_t)sn_rng_below(&rng, SERIES), range);
    }
    sn_segment_place_release(place);
    sn_segment_unref(segment);
    free(place);
}

static void samples_that_are_there_already_stay(void **state) {
    struct fixture *fixture = *state;
    struct sn_segment_place *place = calloc(1, sizeof *place);
    struct sn_segment_wish wish = {&fixture->index, &fixture->cache, 7, TEST_ALL_TIME};
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    struct sn_segment *segment = open_good(fixture);
    for (size_t round = 1; round <= 3; round++) {
        assert_int_equal(sn_segment_scan(segment, place, &wish, &samples, NULL), SN_OK);
        assert_int_equal(samples.count, round * SAMPLES);
    }
    sn_segment_place_release(place);
    sn_segment_unref(segment);
    sn_samples_release(&samples);
    free(place);
}

static void a_damaged_segment_fails_for_its_time_only(void **state) {
    struct fixture *fixture = *state;
    struct sn_segment_place *place = calloc(1, sizeof *place);
    struct sn_segment_wish wish = {&fixture->index, &fixture->cache, 7, TEST_ALL_TIME};
    struct sn_samples samples;
    struct sn_segment *segment;
    sn_samples_init(&samples);
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    fixture->row.bytes++;
    assert_int_equal(sn_segment_open(fixture->place.dir, &fixture->row, SERIES, &segment, NULL),
                     SN_OK);
    assert_int_equal(sn_segment_scan(segment, place, &wish, &samples, NULL), SN_ERR_CORRUPT);
    wish.range = (struct sn_range){0, TEST_NOW_MS - 1};
    assert_int_equal(sn_segment_scan(segment, place, &wish, &samples, NULL), SN_OK);
    assert_int_equal(samples.count, 0);
    sn_segment_place_release(place);
    sn_segment_unref(segment);
    free(place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(any_order_of_series_gives_the_samples_of_single_reads),
        CASE(samples_that_are_there_already_stay),
        CASE(a_damaged_segment_fails_for_its_time_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
