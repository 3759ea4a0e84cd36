/* Segment files: written, opened, read; the set of them; what is refused. */
#include "store/segment.h"
#include "store/segment_write.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"

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

static void every_series_reads_back(void **state) {
    struct fixture *fixture = *state;
    struct sn_samples samples;
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    struct sn_segment *segment = open_good(fixture);
    assert_true(segment->footer.pack_count > 3);
    sn_samples_init(&samples);
    for (uint32_t series = 0; series < SERIES; series++) {
        size_t expected = series % 7 ? 5 : SAMPLES;
        samples.count = 0;
        assert_int_equal(sn_segment_read(segment, &fixture->index, &fixture->cache, series,
                                         TEST_ALL_TIME, &samples, NULL),
                         SN_OK);
        assert_int_equal(samples.count, expected);
        for (size_t i = 0; i < expected; i++) {
            assert_int_equal(samples.time_ms[i], time_at((int)i));
            assert_true(samples.value[i] == value_at(series, (int)i));
        }
    }
    struct sn_range later = {time_at(SAMPLES), INT64_MAX};
    samples.count = 0;
    assert_int_equal(
        sn_segment_read(segment, &fixture->index, &fixture->cache, 0, later, &samples, NULL),
        SN_OK);
    assert_int_equal(samples.count, 0);
    sn_samples_release(&samples);
    sn_segment_unref(segment);
}

static void a_row_that_does_not_match_makes_the_segment_damaged(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    for (int field = 0; field < 5; field++) {
        struct sn_segment_row row = fixture->row;
        struct sn_segment *segment;
        row.bytes += field == 0;
        row.series_count += field == 1;
        row.sample_count += field == 2;
        row.time_min -= field == 3;
        row.time_max += field == 4;
        assert_int_equal(sn_segment_open(fixture->place.dir, &row, SERIES, &segment, NULL), SN_OK);
        assert_int_equal(segment->damage.status, SN_ERR_CORRUPT);
        assert_non_null(strstr(segment->damage.text, "00000005.seg"));
        sn_segment_unref(segment);
    }
    struct sn_segment *segment;
    assert_int_equal(sn_segment_open(fixture->place.dir, &fixture->row, 3, &segment, NULL), SN_OK);
    assert_int_equal(segment->damage.status, SN_ERR_CORRUPT); /* series the catalogue lacks */
    sn_segment_unref(segment);
}

static void a_failed_write_leaves_no_file(void **state) {
    struct fixture *fixture = *state;
    const enum sn_fault_kind kinds[] = {SN_FAULT_OPEN, SN_FAULT_WRITE, SN_FAULT_RENAME};
    for (int i = 0; i < 3; i++) {
        sn_fault_arm(kinds[i], 1, 1, EIO);
        assert_int_equal(write_segment(fixture, 5), SN_ERR_IO);
        sn_fault_disarm_all();
        assert_int_equal(test_count_files(&fixture->place, ""), 0);
    }
}

static void a_set_keeps_its_segments_for_whoever_holds_it(void **state) {
    struct fixture *fixture = *state;
    struct sn_segments segments;
    struct sn_samples samples;
    int64_t before = sn_mem_block_count();
    assert_int_equal(write_segment(fixture, 5), SN_OK);
    assert_int_equal(sn_segments_init(&segments), SN_OK);
    struct sn_segment *segment = open_good(fixture);
    sn_segments_publish(&segments, sn_segments_with(&segments, segment));
    sn_segment_unref(segment);
    struct sn_segment_set *held = sn_segments_ref(&segments);
    bool is_dropped[] = {false};
    struct sn_segment_set *kept = sn_segments_without(&segments, is_dropped, NULL);
    assert_int_equal(kept->count, 1);
    sn_segment_set_unref(kept);
    is_dropped[0] = true;
    kept = sn_segments_without(&segments, is_dropped, NULL);
    assert_int_equal(kept->count, 0);
    sn_segments_publish(&segments, kept);
    assert_int_equal(sn_os_unlink(test_path(&fixture->place, "00000005.seg")), 0);
    sn_samples_init(&samples);
    assert_int_equal(sn_segment_read(held->items[0], &fixture->index, &fixture->cache, 0,
                                     TEST_ALL_TIME, &samples, NULL),
                     SN_OK);
    assert_int_equal(samples.count, SAMPLES);
    sn_samples_release(&samples);
    sn_segment_set_unref(held);
    sn_segments_release(&segments);
    sn_pack_cache_release(&fixture->cache);
    assert_int_equal(sn_mem_block_count(), before);
    sn_pack_cache_init(&fixture->cache);
}

static struct sn_segment *open_numbered(struct fixture *fixture, uint64_t id) {
    assert_int_equal(write_segment(fixture, id), SN_OK);
    return open_good(fixture);
}

static void a_segment_takes_the_place_of_the_newest_that_it_replaces(void **state) {
    struct fixture *fixture = *state;
    struct sn_segments segments;
    assert_int_equal(sn_segments_init(&segments), SN_OK);
    for (uint64_t id = 1; id <= 4; id++) {
        struct sn_segment *segment = open_numbered(fixture, id);
        sn_segments_publish(&segments, sn_segments_with(&segments, segment));
        sn_segment_unref(segment);
    }
    struct sn_segment *merged = open_numbered(fixture, 9);
    const bool is_dropped[] = {true, false, true, false};
    sn_segments_publish(&segments, sn_segments_without(&segments, is_dropped, merged));
    sn_segment_unref(merged);
    assert_int_equal(segments.set->count, 3);
    assert_int_equal(segments.set->items[0]->id, 2);
    assert_int_equal(segments.set->items[1]->id, 9);
    assert_int_equal(segments.set->items[2]->id, 4);
    sn_segments_release(&segments);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_series_reads_back),
        CASE(a_row_that_does_not_match_makes_the_segment_damaged),
        CASE(a_failed_write_leaves_no_file),
        CASE(a_set_keeps_its_segments_for_whoever_holds_it),
        CASE(a_segment_takes_the_place_of_the_newest_that_it_replaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
