/* Tests of pages in memory. */
#include "clienthttp/page_priv.h"

#include "clienthttp_support.h"

#define ZLIB_CONST
#include <zlib.h>

static sonde_registry *registry_with(size_t series) {
    static const char *const labels[] = {"n"};
    sonde_registry *registry = sonde_registry_new(NULL, NULL);
    sonde_metric metric = {.name = "x_total", .label_names = labels, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    for (size_t i = 0; i < series; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%zu", i * 2654435761u);
        const char *values[] = {text};
        sonde_counter_add(sonde_counter_family_get(family, values, 1), i * i * i);
    }
    return registry;
}

static sn_status render(sonde_registry *registry, bool use_gzip, size_t limit, struct sn_buf *buf) {
    sn_buf_init(buf, limit);
    return sn_page_render(&(struct sn_page_options){.registry = registry, .use_gzip = use_gzip},
                          buf);
}

static void a_compressed_page_is_the_plain_one(void **state) {
    (void)state;
    sonde_registry *registry = registry_with(9000);
    struct sn_buf plain, compressed;
    assert_int_equal(render(registry, false, 0, &plain), SN_OK);
    assert_int_equal(render(registry, true, 0, &compressed), SN_OK);
    assert_true(compressed.len < plain.len / 2);
    unsigned char *text = test_malloc(plain.len + 1);
    z_stream zlib = {.next_in = compressed.ptr,
                     .avail_in = (uInt)compressed.len,
                     .next_out = text,
                     .avail_out = (uInt)plain.len + 1};
    assert_int_equal(inflateInit2(&zlib, 15 + 16), Z_OK);
    assert_int_equal(inflate(&zlib, Z_FINISH), Z_STREAM_END);
    assert_int_equal(zlib.total_out, plain.len);
    assert_memory_equal(text, plain.ptr, plain.len);
    assert_int_equal(inflateEnd(&zlib), Z_OK);
    test_free(text);
    sn_buf_release(&plain);
    sn_buf_release(&compressed);
    (void)sonde_registry_free(registry);
}

static void the_limit_holds_at_both_sides(void **state) {
    (void)state;
    sonde_registry *registry = registry_with(3000);
    for (int use_gzip = 0; use_gzip < 2; use_gzip++) {
        struct sn_buf buf;
        assert_int_equal(render(registry, use_gzip, 0, &buf), SN_OK);
        size_t len = buf.len;
        sn_buf_release(&buf);
        assert_int_equal(render(registry, use_gzip, len + 1, &buf), SN_OK);
        assert_int_equal(buf.len, len);
        sn_buf_release(&buf);
        assert_int_equal(render(registry, use_gzip, len - 1, &buf), SN_ERR_LIMIT);
        sn_buf_release(&buf);
    }
    (void)sonde_registry_free(registry);
}

static void a_format_that_is_not_known_is_unsupported(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    struct sn_page_options options = {.format = (sonde_format)77};
    assert_int_equal(sn_page_render(&options, &buf), SN_ERR_UNSUPPORTED);
    options.use_gzip = true;
    assert_int_equal(sn_page_render(&options, &buf), SN_ERR_UNSUPPORTED);
    sn_buf_release(&buf);
}

static void without_memory_there_is_an_error_and_no_leak(void **state) {
    (void)state;
    sonde_registry *registry = registry_with(3000);
    for (int use_gzip = 0; use_gzip < 2; use_gzip++) {
        int64_t before = sn_mem_block_count();
        for (uint64_t n = 1;; n++) {
            struct sn_buf buf;
            sn_mem_fail_nth(n);
            sn_status status = render(registry, use_gzip, 0, &buf);
            int fired = sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            sn_buf_release(&buf);
            assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
            assert_int_equal(sn_mem_block_count(), before);
            if (!fired)
                break;
        }
    }
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compressed_page_is_the_plain_one),
        cmocka_unit_test(the_limit_holds_at_both_sides),
        cmocka_unit_test(a_format_that_is_not_known_is_unsupported),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
