/* Header, directory and footer of a segment: round trips, and what is refused. */
#include "store/segment_format.h"

#include "codec/crc32c.h"
#include "codec/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    FILE_BYTES = SN_SEGMENT_HEADER_BYTES + 500 + SN_SEGMENT_ENTRY_BYTES + SN_SEGMENT_FOOTER_BYTES
};

static struct sn_segment_footer make_footer(void) {
    return (struct sn_segment_footer){.id = 9,
                                      .directory_offset = SN_SEGMENT_HEADER_BYTES + 500,
                                      .pack_count = 1,
                                      .series_count = 2,
                                      .chunk_count = 3,
                                      .sample_count = 4,
                                      .time_min = 5,
                                      .time_max = 6,
                                      .directory_crc = 7};
}

static void a_footer_comes_back_and_every_changed_bit_is_seen(void **state) {
    (void)state;
    uint8_t bytes[SN_SEGMENT_FOOTER_BYTES];
    struct sn_segment_footer footer = make_footer();
    struct sn_segment_footer got;
    sn_segment_put_footer(&footer, bytes);
    assert_int_equal(sn_segment_get_footer(bytes, FILE_BYTES, &got, NULL), SN_OK);
    assert_memory_equal(&got, &footer, offsetof(struct sn_segment_footer, directory_crc) + 4);
    assert_int_equal(got.series_bytes, 0);
    assert_int_equal(sn_segment_get_footer(bytes, FILE_BYTES + 7, &got, NULL), SN_OK);
    assert_int_equal(got.series_bytes, 7); /* between directory and footer */
    assert_int_equal(sn_segment_get_footer(bytes, FILE_BYTES - 1, &got, NULL), SN_ERR_CORRUPT);
    assert_int_equal(sn_segment_get_footer(bytes, 10, &got, NULL), SN_ERR_CORRUPT);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sn_segment_get_footer(bytes, FILE_BYTES, &got, NULL), SN_ERR_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_directory_must_cover_the_packs(void **state) {
    (void)state;
    uint8_t bytes[SN_SEGMENT_ENTRY_BYTES];
    struct sn_segment_entry good = {.offset = SN_SEGMENT_HEADER_BYTES,
                                    .len = 500,
                                    .first_series = 3,
                                    .time_min = 5,
                                    .time_max = 6};
    for (int field = 0; field < 5; field++) {
        struct sn_segment_footer footer = make_footer();
        struct sn_segment_entry entry = good;
        struct sn_segment_entry got;
        entry.offset += field == 1;
        entry.len -= field == 2;
        entry.time_min -= field == 3;
        entry.time_max += field == 4;
        sn_segment_put_entry(&entry, bytes);
        footer.directory_crc = sn_crc32c(0, bytes, sizeof bytes);
        assert_int_equal(sn_segment_get_directory(bytes, &footer, &got, NULL),
                         field == 0 ? SN_OK : SN_ERR_CORRUPT);
        footer.directory_crc++;
        assert_int_equal(sn_segment_get_directory(bytes, &footer, &got, NULL), SN_ERR_CORRUPT);
    }
}

static void check_series(const uint32_t *ids, size_t count) {
    struct sn_bitmap *got = NULL;
    struct sn_segment_footer footer = make_footer();
    struct sn_buf buf;
    uint32_t end = count ? ids[count - 1] + 1 : 1;
    size_t word_count = (end - 1) / 64 + 1;
    uint64_t *words = calloc(word_count, sizeof *words);
    assert_non_null(words);
    for (size_t i = 0; i < count; i++)
        words[ids[i] / 64] |= UINT64_C(1) << (ids[i] % 64);
    sn_buf_init(&buf, 0);
    sn_segment_put_series(words, word_count, &buf);
    free(words);
    assert_int_equal(buf.status, SN_OK);
    footer.series_bytes = buf.len;
    footer.series_count = count;
    assert_int_equal(sn_segment_get_series(buf.ptr, &footer, end, &got, NULL), SN_OK);
    assert_int_equal(sn_bitmap_count(got), count);
    for (size_t i = 0; i < count; i++)
        assert_true(sn_bitmap_contains(got, ids[i]));
    sn_bitmap_free(got);
    if (count > 0)
        assert_int_equal(sn_segment_get_series(buf.ptr, &footer, end - 1, &got, NULL),
                         SN_ERR_CORRUPT);
    footer.series_count++;
    assert_int_equal(sn_segment_get_series(buf.ptr, &footer, end, &got, NULL), SN_ERR_CORRUPT);
    footer.series_count--;
    for (size_t bit = 0; bit < buf.len * 8; bit++) {
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(sn_segment_get_series(buf.ptr, &footer, end, &got, NULL), SN_ERR_CORRUPT);
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    footer.series_bytes = 3;
    assert_int_equal(sn_segment_get_series(buf.ptr, &footer, end, &got, NULL), SN_ERR_CORRUPT);
    sn_buf_release(&buf);
}

static void a_list_of_series_comes_back_and_every_changed_bit_is_seen(void **state) {
    (void)state;
    const uint32_t ids[] = {0,  1,  2,   7,   9,      10,       62,      63,
                            64, 65, 127, 128, 100000, 70000000, 70000001};
    for (size_t count = 0; count <= sizeof ids / sizeof *ids; count++)
        check_series(ids, count);
}

/* The checksum is right, the runs are not: beyond the ids, unfinished, endless. */
static void runs_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const uint8_t bad[][8] = {
        {10, 0}, {0, 10},   {5, 5},       {3},
        {0x80},  {1, 0x80}, {1, 1, 9, 0}, {0xff, 0xff, 0xff, 0xff, 0x7f, 0}};
    static const size_t lens[] = {2, 2, 2, 1, 1, 2, 4, 6};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct sn_segment_footer footer = make_footer();
        struct sn_bitmap *got = NULL;
        uint8_t bytes[16];
        memcpy(bytes + 4, bad[i], lens[i]);
        sn_store_u32le(bytes, sn_crc32c(0, bytes + 4, lens[i]));
        footer.series_bytes = 4 + lens[i];
        assert_int_equal(sn_segment_get_series(bytes, &footer, 10, &got, NULL), SN_ERR_CORRUPT);
        assert_null(got);
    }
}

static void a_newer_header_is_unsupported_and_a_damaged_one_corrupt(void **state) {
    (void)state;
    uint8_t bytes[SN_SEGMENT_HEADER_BYTES];
    sn_segment_put_header(bytes);
    assert_int_equal(sn_segment_check_header(bytes, NULL), SN_OK);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_equal(sn_segment_check_header(bytes, NULL), SN_ERR_CORRUPT);
        bytes[i] ^= 1;
    }
    bytes[8] = SN_SEGMENT_FORMAT_VERSION + 1;
    sn_store_u32le(bytes + 12, sn_crc32c(0, bytes, 12));
    assert_int_equal(sn_segment_check_header(bytes, NULL), SN_ERR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_footer_comes_back_and_every_changed_bit_is_seen),
        cmocka_unit_test(a_directory_must_cover_the_packs),
        cmocka_unit_test(a_list_of_series_comes_back_and_every_changed_bit_is_seen),
        cmocka_unit_test(runs_that_cannot_be_are_refused),
        cmocka_unit_test(a_newer_header_is_unsupported_and_a_damaged_one_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
