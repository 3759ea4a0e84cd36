/* Tests of the encodings that bodies come in: whole, cut, damaged, and larger than they look. */
#include "http_support.h"

#include "base/mem.h"
#include "base/rng.h"
#include "net/http_priv.h"

#include <snappy-c.h>
#include <zstd.h>

enum { PLAIN_BYTES = 200000 };
static uint8_t plain[PLAIN_BYTES];
static const enum sn_http_encoding encodings[] = {SN_HTTP_GZIP, SN_HTTP_SNAPPY, SN_HTTP_ZSTD};
enum { ENCODINGS = sizeof encodings / sizeof encodings[0] };

static int set_up(void **state) {
    struct sn_rng rng;
    (void)state;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < PLAIN_BYTES; i++)
        plain[i] = (uint8_t)('a' + sn_rng_below(&rng, 4));
    return 0;
}

/* Pack the first len bytes. */
static void pack(enum sn_http_encoding encoding, size_t len, struct sn_buf *ret_packed) {
    sn_buf_init(ret_packed, 0);
    if (encoding == SN_HTTP_GZIP) {
        assert_true(sn_http_deflate(sn_str_make(plain, len), 1, ret_packed));
        return;
    }
    size_t room =
        encoding == SN_HTTP_ZSTD ? ZSTD_compressBound(len) : snappy_max_compressed_length(len);
    uint8_t *at = sn_buf_reserve(ret_packed, room);
    assert_non_null(at);
    if (encoding == SN_HTTP_ZSTD)
        room = ZSTD_compress(at, room, plain, len, 1);
    else
        assert_int_equal(snappy_compress((const char *)plain, len, (char *)at, &room), SNAPPY_OK);
    ret_packed->len = room;
}

static void expect(enum sn_http_encoding encoding, struct sn_str packed, size_t limit, size_t len,
                   sn_status status) {
    struct sn_buf out;
    struct sn_err err = {.status = SN_OK};
    sn_buf_init(&out, limit);
    assert_int_equal(sn_http_unpack(encoding, packed, &out, &err), status);
    assert_int_equal(err.status, status);
    if (status == SN_OK) {
        assert_int_equal(out.len, len);
        assert_memory_equal(out.ptr, plain, len);
    }
    sn_buf_release(&out);
}

static void what_was_packed_is_unpacked_up_to_the_limit(void **state) {
    static const size_t lens[] = {100, 1024, 65536, 65537, PLAIN_BYTES};
    (void)state;
    for (size_t e = 0; e < ENCODINGS; e++) {
        enum sn_http_encoding encoding = encodings[e];
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            struct sn_buf packed;
            pack(encoding, lens[i], &packed);
            expect(encoding, sn_buf_str(&packed), 0, lens[i], SN_OK);
            expect(encoding, sn_buf_str(&packed), lens[i], lens[i], SN_OK);
            expect(encoding, sn_buf_str(&packed), lens[i] - 1, 0, SN_ERR_LIMIT);
            expect(encoding, sn_buf_str(&packed), 1, 0, SN_ERR_LIMIT);
            sn_buf_release(&packed);
        }
    }
}

static void every_cut_is_noticed(void **state) {
    (void)state;
    for (size_t e = 0; e < ENCODINGS; e++) {
        enum sn_http_encoding encoding = encodings[e];
        struct sn_buf packed;
        pack(encoding, 300, &packed);
        for (size_t len = 0; len < packed.len; len++)
            expect(encoding, sn_str_make(packed.ptr, len), 1000, 0, SN_ERR_INVALID);
        sn_buf_release(&packed);
    }
}

static void every_flipped_bit_is_survived(void **state) {
    (void)state;
    for (size_t e = 0; e < ENCODINGS; e++) {
        enum sn_http_encoding encoding = encodings[e];
        struct sn_buf packed;
        pack(encoding, 300, &packed);
        for (size_t bit = 0; bit < 8 * packed.len; bit++) {
            struct sn_buf out;
            sn_buf_init(&out, 1000);
            packed.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
            sn_status status = sn_http_unpack(encoding, sn_buf_str(&packed), &out, NULL);
            assert_true(status == SN_OK || status == SN_ERR_INVALID || status == SN_ERR_LIMIT);
            assert_true(out.len <= 1000);
            packed.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
            sn_buf_release(&out);
        }
        sn_buf_release(&packed);
    }
}

static void nothing_packed_is_an_empty_body(void **state) {
    (void)state;
    expect(SN_HTTP_SNAPPY, SN_STR("\0"), 100, 0, SN_OK);
    expect(SN_HTTP_ZSTD, SN_STR("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"), 100, 0, SN_OK);
    expect(SN_HTTP_SNAPPY, SN_STR(""), 100, 0, SN_ERR_INVALID);
    expect(SN_HTTP_ZSTD, SN_STR(""), 100, 0, SN_ERR_INVALID);
}

static void garbage_is_refused(void **state) {
    (void)state;
    for (size_t e = 0; e < ENCODINGS; e++) {
        enum sn_http_encoding encoding = encodings[e];
        expect(encoding, SN_STR("garbage"), 1000, 0, SN_ERR_INVALID);
        expect(encoding, SN_STR("\xff\xff\xff\xff\xff\xff\xff\xff"), 1000, 0, SN_ERR_INVALID);
    }
}

/* What it claims to be costs no memory; what it becomes costs the limit. */
static void bombs_stop_at_the_limit(void **state) {
    (void)state;
    struct sn_buf out;
    sn_buf_init(&out, (size_t)32 << 20);
    /* 2^32 - 1 bytes, and 31 MiB, claimed by a body of a few. */
    assert_int_equal(sn_http_unpack(SN_HTTP_SNAPPY, SN_STR("\xff\xff\xff\xff\x0f\0a"), &out, NULL),
                     SN_ERR_LIMIT);
    assert_int_equal(sn_http_unpack(SN_HTTP_SNAPPY, SN_STR("\x80\x80\xc0\x0f\0a"), &out, NULL),
                     SN_ERR_INVALID);
    assert_int_equal(out.cap, 0);
    sn_buf_release(&out);
    /* 1 GiB of zeros in 32 KB of zstd, whose frame does not tell. */
    struct sn_buf packed;
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    static const uint8_t zeros[1 << 16];
    ZSTD_EndDirective more = ZSTD_e_continue;
    sn_buf_init(&packed, 0);
    for (int i = 0; i < 1 << 14; i++) {
        ZSTD_inBuffer in = {zeros, sizeof zeros, 0};
        more = i + 1 == 1 << 14 ? ZSTD_e_end : ZSTD_e_continue;
        ZSTD_outBuffer to = {sn_buf_reserve(&packed, 1 << 17), 1 << 17, 0};
        assert_false(ZSTD_isError(ZSTD_compressStream2(zstd, &to, &in, more)));
        packed.len += to.pos;
    }
    assert_true(packed.len < 200000);
    expect(SN_HTTP_ZSTD, sn_buf_str(&packed), (size_t)1 << 20, 0, SN_ERR_LIMIT);
    (void)ZSTD_freeCCtx(zstd);
    sn_buf_release(&packed);
}

static void several_zstd_frames_are_one_body(void **state) {
    struct sn_buf packed;
    (void)state;
    pack(SN_HTTP_ZSTD, 200, &packed);
    uint8_t *at = sn_buf_reserve(&packed, ZSTD_compressBound(300));
    packed.len += ZSTD_compress(at, ZSTD_compressBound(300), plain + 200, 300, 1);
    expect(SN_HTTP_ZSTD, sn_buf_str(&packed), 1000, 500, SN_OK);
    expect(SN_HTTP_ZSTD, sn_buf_str(&packed), 500, 500, SN_OK);
    expect(SN_HTTP_ZSTD, sn_buf_str(&packed), 499, 0, SN_ERR_LIMIT);
    sn_buf_put_byte(&packed, 'x');
    expect(SN_HTTP_ZSTD, sn_buf_str(&packed), 1000, 0, SN_ERR_INVALID);
    sn_buf_release(&packed);
}

static void a_zstd_window_above_8_mib_is_refused(void **state) {
    (void)state;
    /* Magic, a frame without size and its window's exponent, a last raw block of one byte. */
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3, 0x09, 0x00, 0x00, plain[0]};
    expect(SN_HTTP_ZSTD, sn_str_make(frame, sizeof frame), 1000, 1, SN_OK);
    frame[5] = (24 - 10) << 3;
    expect(SN_HTTP_ZSTD, sn_str_make(frame, sizeof frame), 1000, 0, SN_ERR_INVALID);
}

static void what_is_not_packed_is_unsupported(void **state) {
    (void)state;
    expect(SN_HTTP_IDENTITY, SN_STR("x"), 0, 0, SN_ERR_UNSUPPORTED);
    expect(SN_HTTP_ENCODING_UNKNOWN, SN_STR("x"), 0, 0, SN_ERR_UNSUPPORTED);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    for (size_t e = 0; e < ENCODINGS; e++) {
        enum sn_http_encoding encoding = encodings[e];
        struct sn_buf packed;
        pack(encoding, PLAIN_BYTES, &packed);
        int64_t blocks = sn_mem_block_count();
        for (uint64_t n = 1;; n++) {
            struct sn_buf out;
            sn_buf_init(&out, 0);
            sn_mem_fail_nth(n);
            sn_status status = sn_http_unpack(encoding, sn_buf_str(&packed), &out, NULL);
            bool is_fired = sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            sn_buf_release(&out);
            assert_int_equal(status, is_fired ? SN_ERR_NO_MEMORY : SN_OK);
            assert_int_equal(sn_mem_block_count(), blocks);
            if (!is_fired)
                break;
        }
        sn_buf_release(&packed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked_up_to_the_limit),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(every_flipped_bit_is_survived),
        cmocka_unit_test(nothing_packed_is_an_empty_body),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(bombs_stop_at_the_limit),
        cmocka_unit_test(several_zstd_frames_are_one_body),
        cmocka_unit_test(a_zstd_window_above_8_mib_is_refused),
        cmocka_unit_test(what_is_not_packed_is_unsupported),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
