/* Records of the log: round trips, and what is refused. */
#include "store/log_record.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void samples_come_back_bit_for_bit(void **state) {
    (void)state;
    enum { COUNT = SN_LOG_SAMPLES_MAX + 1000 };
    struct sn_rng rng;
    struct sn_log_writer writer;
    struct sn_log_reader reader;
    struct sn_buf out;
    uint32_t *series = calloc(COUNT, sizeof *series);
    int64_t *time_ms = calloc(COUNT, sizeof *time_ms);
    double *value = calloc(COUNT, sizeof *value);
    sn_rng_init(&rng, 9);
    sn_buf_init(&out, 0);
    assert_int_equal(sn_log_writer_init(&writer), SN_OK);
    assert_int_equal(sn_log_reader_init(&reader), SN_OK);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < COUNT; i++) {
            series[i] = turn == 0 ? (uint32_t)i : (uint32_t)sn_rng_u64(&rng);
            time_ms[i] = turn == 0 ? 1700000000000
                                   : (int64_t)sn_rng_below(&rng, (uint64_t)SN_TIME_MS_MAX + 1);
            value[i] = turn == 0 ? i : sn_double_from_bits(sn_rng_u64(&rng));
        }
        struct sn_log_samples samples = {
            .series = series, .time_ms = time_ms, .value = value, .count = COUNT};
        sn_buf_reset(&out);
        assert_int_equal(sn_log_put_samples(&writer, samples, &out), SN_OK);
        const uint8_t *at = out.ptr;
        struct sn_log_record record;
        size_t done = 0;
        while (sn_log_next(&at, out.ptr + out.len, &record, NULL) == SN_OK) {
            assert_int_equal(record.type, SN_LOG_SAMPLES);
            assert_int_equal(sn_log_read_samples(&reader, &record, NULL), SN_OK);
            assert_memory_equal(reader.series, series + done, reader.count * sizeof *series);
            assert_memory_equal(reader.time_ms, time_ms + done, reader.count * sizeof *time_ms);
            assert_memory_equal(reader.value, value + done, reader.count * sizeof *value);
            done += reader.count;
        }
        assert_int_equal(done, COUNT);
    }
    free(series);
    free(time_ms);
    free(value);
    sn_log_reader_release(&reader);
    sn_log_writer_release(&writer);
    sn_buf_release(&out);
}

static void start_times_come_back_where_they_stand(void **state) {
    (void)state;
    enum { COUNT = SN_LOG_SAMPLES_MAX + 10, STARTS = 5 };
    /* The ends of the first record, and of the second. */
    const uint32_t places[STARTS] = {0, 7, SN_LOG_SAMPLES_MAX - 1, SN_LOG_SAMPLES_MAX, COUNT - 1};
    struct sn_log_start starts[STARTS];
    struct sn_log_writer writer;
    struct sn_log_reader reader;
    struct sn_buf out;
    uint32_t *series = calloc(COUNT, sizeof *series);
    int64_t *time_ms = calloc(COUNT, sizeof *time_ms);
    double *value = calloc(COUNT, sizeof *value);
    for (uint32_t i = 0; i < STARTS; i++)
        starts[i] = (struct sn_log_start){.at = places[i], .start_ms = i == 1 ? 0 : 1700000000000};
    sn_buf_init(&out, 0);
    assert_int_equal(sn_log_writer_init(&writer), SN_OK);
    assert_int_equal(sn_log_reader_init(&reader), SN_OK);
    struct sn_log_samples samples = {.series = series,
                                     .time_ms = time_ms,
                                     .value = value,
                                     .count = COUNT,
                                     .starts = starts,
                                     .start_count = STARTS};
    assert_int_equal(sn_log_put_samples(&writer, samples, &out), SN_OK);
    const uint8_t *at = out.ptr;
    struct sn_log_record record;
    size_t done = 0;
    size_t found = 0;
    while (sn_log_next(&at, out.ptr + out.len, &record, NULL) == SN_OK) {
        assert_int_equal(sn_log_read_samples(&reader, &record, NULL), SN_OK);
        for (size_t i = 0; i < reader.start_count; i++, found++) {
            assert_int_equal(done + reader.starts[i].at, places[found]);
            assert_int_equal(reader.starts[i].start_ms, starts[found].start_ms);
        }
        done += reader.count;
    }
    assert_int_equal(done, COUNT);
    assert_int_equal(found, STARTS);
    free(series);
    free(time_ms);
    free(value);
    sn_log_reader_release(&reader);
    sn_log_writer_release(&writer);
    sn_buf_release(&out);
}

static void series_and_metadata_come_back(void **state) {
    (void)state;
    struct sn_buf out;
    struct sn_log_record record;
    struct sn_log_series_cursor cursor;
    struct sn_metadata metadata = {.metric_name = SN_STR("m"),
                                   .type = SN_METRIC_STATESET,
                                   .help = SN_STR("help"),
                                   .unit = SN_STR("")};
    struct sn_metadata found;
    sn_buf_init(&out, 0);
    struct sn_log_series_record begun = sn_log_begin_series(&out, 41);
    sn_log_put_series(&out, SN_STR("one"));
    sn_log_put_series(&out, SN_STR("three"));
    sn_log_end_series(&out, begun, 2);
    sn_log_put_metadata(&out, &metadata);
    const uint8_t *at = out.ptr;
    assert_int_equal(sn_log_next(&at, out.ptr + out.len, &record, NULL), SN_OK);
    assert_int_equal(sn_log_read_series(&record, &cursor, NULL), SN_OK);
    uint32_t id;
    struct sn_str labels;
    assert_int_equal(sn_log_next_series(&cursor, &id, &labels), SN_OK);
    assert_int_equal(id, 41);
    assert_int_equal(sn_log_next_series(&cursor, &id, &labels), SN_OK);
    assert_int_equal(id, 42);
    assert_true(sn_str_equal(labels, SN_STR("three")));
    assert_int_equal(sn_log_next_series(&cursor, &id, &labels), SN_ERR_NOT_FOUND);
    assert_int_equal(sn_log_next(&at, out.ptr + out.len, &record, NULL), SN_OK);
    assert_int_equal(sn_log_read_metadata(&record, &found, NULL), SN_OK);
    assert_int_equal(found.type, SN_METRIC_STATESET);
    assert_true(sn_str_equal(found.help, metadata.help));
    assert_int_equal(sn_log_next(&at, out.ptr + out.len, &record, NULL), SN_ERR_NOT_FOUND);
    sn_buf_release(&out);
}

static void every_flipped_bit_and_every_cut_is_seen(void **state) {
    (void)state;
    struct sn_buf out;
    struct sn_log_record record;
    struct sn_metadata metadata = {.metric_name = SN_STR("m"), .help = SN_STR("help")};
    sn_buf_init(&out, 0);
    sn_log_put_metadata(&out, &metadata);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        struct sn_err err;
        const uint8_t *at = out.ptr;
        out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sn_log_next(&at, out.ptr + out.len, &record, &err), SN_ERR_CORRUPT);
        assert_ptr_equal(at, out.ptr);
        out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 1; len < out.len; len++) {
        const uint8_t *at = out.ptr;
        assert_int_equal(sn_log_next(&at, out.ptr + len, &record, NULL), SN_ERR_CORRUPT);
    }
    sn_buf_release(&out);
}

static void a_newer_header_is_unsupported_and_a_damaged_one_corrupt(void **state) {
    (void)state;
    struct sn_buf out;
    struct sn_err err;
    sn_buf_init(&out, 0);
    sn_log_put_header(&out);
    assert_int_equal(out.len, SN_LOG_HEADER_BYTES);
    assert_int_equal(sn_log_check_header(out.ptr, out.len, &err), SN_OK);
    assert_int_equal(sn_log_check_header(out.ptr, out.len - 1, &err), SN_ERR_CORRUPT);
    for (size_t i = 0; i < out.len; i++) {
        out.ptr[i] ^= 1;
        assert_int_equal(sn_log_check_header(out.ptr, out.len, &err), SN_ERR_CORRUPT);
        out.ptr[i] ^= 1;
    }
    out.ptr[8] = SN_LOG_FORMAT_VERSION + 1;
    sn_store_u32le(out.ptr + 12, sn_crc32c(0, out.ptr, 12));
    assert_int_equal(sn_log_check_header(out.ptr, out.len, &err), SN_ERR_UNSUPPORTED);
    sn_buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back_bit_for_bit),
        cmocka_unit_test(start_times_come_back_where_they_stand),
        cmocka_unit_test(series_and_metadata_come_back),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_seen),
        cmocka_unit_test(a_newer_header_is_unsupported_and_a_damaged_one_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
