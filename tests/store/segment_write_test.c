/* Writing a segment: its name, its pauses, its bytes. */
#include "store/segment_write.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_have_eight_digits_and_paths_a_limit(void **state) {
    (void)state;
    char path[SN_PATH_BYTES_MAX];
    char *dir = calloc(1, SN_PATH_BYTES_MAX);
    assert_true(sn_segment_path(path, "d", 7));
    assert_string_equal(path, "d/00000007.seg");
    memset(dir, 'x', SN_PATH_BYTES_MAX - 14);
    assert_true(sn_segment_path(path, dir, 7));
    dir[SN_PATH_BYTES_MAX - 14] = 'x';
    assert_false(sn_segment_path(path, dir, 7));
    free(dir);
}

/* The same samples give the same file: a flush may be repeated over its own leftovers. */
static void writing_is_paced_and_the_same_every_time(void **state) {
    (void)state;
    enum { SAMPLES = 600000 };
    struct test_store place;
    struct sn_samples samples;
    struct sn_segment_writer *writer = calloc(1, sizeof *writer);
    struct sn_buf images[2];
    test_store_init(&place);
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_reserve(&samples, SAMPLES), SN_OK);
    for (uint64_t i = 0; i < SAMPLES; i++) {
        samples.time_ms[i] = TEST_NOW_MS + (int64_t)i;
        samples.value[i] = sn_double_from_bits(i * 0x9e3779b97f4a7c15u);
    }
    samples.count = SAMPLES;
    for (int turn = 0; turn < 2; turn++) {
        int64_t before = sn_clock_mono_ns(&place.clock.clock);
        struct sn_segment_writer_options options = {
            .dir = place.dir, .id = 1, .clock = &place.clock.clock, .pause_ns = 1000};
        assert_int_equal(sn_segment_writer_open(writer, &options, NULL), SN_OK);
        assert_int_equal(sn_segment_writer_add(writer, 0, &samples, NULL), SN_OK);
        assert_int_equal(sn_segment_writer_finish(writer, place.dir, NULL), SN_OK);
        assert_int_equal(sn_clock_mono_ns(&place.clock.clock) - before,
                         (int64_t)(writer->bytes / ((size_t)2 << 20)) * 1000);
        assert_int_equal(writer->footer.sample_count, SAMPLES);
        assert_int_equal(writer->footer.series_count, 1);
        sn_segment_writer_release(writer);
        sn_buf_init(&images[turn], 0);
        assert_int_equal(sn_os_read_file(test_path(&place, "00000001.seg"), &images[turn], NULL),
                         SN_OK);
    }
    assert_true(sn_str_equal(sn_buf_str(&images[0]), sn_buf_str(&images[1])));
    sn_buf_release(&images[0]);
    sn_buf_release(&images[1]);
    sn_samples_release(&samples);
    free(writer);
    test_store_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_eight_digits_and_paths_a_limit),
        cmocka_unit_test(writing_is_paced_and_the_same_every_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
