/* Tests of gzip, both ways. */
#include "http_support.h"

#include "base/mem.h"
#include "base/rng.h"
#include "net/http_priv.h"

static uint8_t plain[200000];

static int set_up(void **state) {
    struct sn_rng rng;
    (void)state;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)('a' + sn_rng_below(&rng, 4));
    return 0;
}

static void expect_inflated(struct sn_str packed, size_t limit, size_t len, sn_status status) {
    struct sn_buf out;
    struct sn_err err;
    sn_buf_init(&out, limit);
    assert_int_equal(sn_http_inflate(packed, &out, &err), status);
    if (status == SN_OK) {
        assert_int_equal(out.len, len);
        assert_memory_equal(out.ptr, plain, len);
    }
    sn_buf_release(&out);
}

static void what_is_deflated_inflates_again(void **state) {
    static const size_t lens[] = {100, 1024, 1025, 16384, 16385, 65536, 65537, 200000};
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct sn_buf packed;
        sn_buf_init(&packed, 0);
        assert_true(sn_http_deflate(sn_str_make(plain, lens[i]), 1, &packed));
        assert_true(packed.len < lens[i]);
        expect_inflated(sn_buf_str(&packed), 0, lens[i], SN_OK);
        expect_inflated(sn_buf_str(&packed), lens[i], lens[i], SN_OK);
        expect_inflated(sn_buf_str(&packed), lens[i] - 1, 0, SN_ERR_LIMIT);
        expect_inflated(sn_buf_str(&packed), 1, 0, SN_ERR_LIMIT);
        sn_buf_release(&packed);
    }
}

static void every_cut_and_every_flip_is_noticed(void **state) {
    struct sn_buf packed;
    (void)state;
    sn_buf_init(&packed, 0);
    assert_true(sn_http_deflate(sn_str_make(plain, 300), 1, &packed));
    for (size_t len = 0; len < packed.len; len++)
        expect_inflated(sn_str_make(packed.ptr, len), 1000, 0, SN_ERR_INVALID);
    packed.ptr[packed.len - 6] ^= 1; /* checksum */
    expect_inflated(sn_buf_str(&packed), 1000, 0, SN_ERR_INVALID);
    sn_buf_release(&packed);
}

static void several_members_are_one_body_and_rubbish_is_none(void **state) {
    struct sn_buf packed;
    (void)state;
    sn_buf_init(&packed, 0);
    assert_true(sn_http_deflate(sn_str_make(plain, 200), 1, &packed));
    struct sn_buf second;
    sn_buf_init(&second, 0);
    assert_true(sn_http_deflate(sn_str_make(plain + 200, 200), 1, &second));
    sn_buf_put_str(&packed, sn_buf_str(&second));
    expect_inflated(sn_buf_str(&packed), 1000, 400, SN_OK);
    expect_inflated(sn_buf_str(&packed), 400, 400, SN_OK);
    expect_inflated(sn_buf_str(&packed), 399, 0, SN_ERR_LIMIT);
    sn_buf_put_byte(&packed, 'x');
    expect_inflated(sn_buf_str(&packed), 1000, 0, SN_ERR_INVALID);
    sn_buf_release(&second);
    sn_buf_release(&packed);
}

static void what_does_not_get_smaller_is_not_deflated(void **state) {
    struct sn_rng rng;
    struct sn_buf packed;
    uint64_t noise[64];
    (void)state;
    sn_rng_init(&rng, 2);
    for (size_t i = 0; i < 64; i++)
        noise[i] = sn_rng_u64(&rng);
    sn_buf_init(&packed, 0);
    assert_false(sn_http_deflate(sn_str_make(noise, sizeof(noise)), 9, &packed));
    assert_false(sn_http_deflate(SN_STR(""), 9, &packed));
    assert_int_equal(packed.len, 0);
    sn_buf_release(&packed);
}

static void content_types_worth_compressing(void **state) {
    (void)state;
    assert_true(sn_http_is_compressible(SN_STR("application/json")));
    assert_true(sn_http_is_compressible(SN_STR("text/plain; version=0.0.4")));
    assert_true(sn_http_is_compressible(SN_STR("image/svg+xml")));
    assert_true(sn_http_is_compressible(SN_STR("application/openmetrics-text; version=1.0.0")));
    assert_false(sn_http_is_compressible(SN_STR("image/png; x=json")));
    assert_false(sn_http_is_compressible(SN_STR("application/x-protobuf")));
    assert_false(sn_http_is_compressible((struct sn_str){NULL, 0}));
}

static enum sn_http_encoding encoding_of(const char *value, const char *second) {
    struct sn_http_field items[] = {{SN_STR("content-Encoding"), sn_str_from(value)},
                                    {SN_STR("Content-Encoding"), sn_str_from(second)}};
    struct sn_http_fields fields = {items, value == NULL ? 0 : second == NULL ? 1 : 2};
    return sn_http_body_encoding(&fields);
}

static void encodings_are_named_once(void **state) {
    (void)state;
    assert_int_equal(encoding_of(NULL, NULL), SN_HTTP_IDENTITY);
    assert_int_equal(encoding_of("identity", NULL), SN_HTTP_IDENTITY);
    assert_int_equal(encoding_of("gzip", NULL), SN_HTTP_GZIP);
    assert_int_equal(encoding_of("X-Gzip", NULL), SN_HTTP_GZIP);
    assert_int_equal(encoding_of("Snappy", NULL), SN_HTTP_SNAPPY);
    assert_int_equal(encoding_of("zstd", NULL), SN_HTTP_ZSTD);
    assert_int_equal(encoding_of("br", NULL), SN_HTTP_ENCODING_UNKNOWN);
    assert_int_equal(encoding_of("gzip, gzip", NULL), SN_HTTP_ENCODING_UNKNOWN);
    assert_int_equal(encoding_of("gzip", "gzip"), SN_HTTP_ENCODING_UNKNOWN);
}

static void every_failing_allocation_is_survived(void **state) {
    struct sn_buf packed;
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    sn_buf_init(&packed, 0);
    assert_true(sn_http_deflate(sn_str_make(plain, sizeof(plain)), 1, &packed));
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_buf out;
        sn_buf_init(&out, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_http_inflate(sn_buf_str(&packed), &out, NULL);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_deflated_inflates_again),
        cmocka_unit_test(every_cut_and_every_flip_is_noticed),
        cmocka_unit_test(several_members_are_one_body_and_rubbish_is_none),
        cmocka_unit_test(what_does_not_get_smaller_is_not_deflated),
        cmocka_unit_test(content_types_worth_compressing),
        cmocka_unit_test(encodings_are_named_once),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
