/* Tests of writing pages: pieces, sinks, descriptors, formats, failures. */
#include "client_support.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Long values make lines that end at every place of a piece. */
static void fill(sonde_registry *registry, unsigned children) {
    static const char *const labels[] = {"v"};
    char value[SONDE_LABEL_VALUE_BYTES_MAX + 1];
    sonde_metric metric = {.name = "c_total", .label_names = labels, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    for (unsigned i = 0; i < children; i++) {
        size_t len = 1 + i * 131 % SONDE_LABEL_VALUE_BYTES_MAX;
        memset(value, 'a' + (int)(i % 26), len);
        value[len] = '\0';
        const char *values[] = {value};
        sonde_counter_inc(sonde_counter_family_get(family, values, 1));
    }
}

struct pieces {
    size_t count;
    size_t len;
    size_t stop_after;
    char bytes[1 << 20];
};

static int take_piece(void *ctx, const char *bytes, size_t len) {
    struct pieces *pieces = ctx;
    assert_true(pieces->len + len <= sizeof pieces->bytes);
    memcpy(pieces->bytes + pieces->len, bytes, len);
    pieces->len += len;
    pieces->count++;
    return pieces->count == pieces->stop_after;
}

static void pieces_make_up_the_page(void **state) {
    (void)state;
    static struct pieces pieces;
    sonde_registry *registry = new_registry();
    fill(registry, 100);
    char *page = page_of(registry);
    assert_int_equal(sonde_registry_write(registry, SONDE_FORMAT_TEXT, take_piece, &pieces),
                     SONDE_OK);
    assert_true(pieces.count > 2);
    assert_int_equal(pieces.len, strlen(page));
    assert_memory_equal(pieces.bytes, page, pieces.len);
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

static void a_sink_can_stop(void **state) {
    (void)state;
    static struct pieces pieces;
    sonde_registry *registry = new_registry();
    fill(registry, 100);
    for (size_t n = 1; n <= 3; n++) {
        pieces = (struct pieces){.stop_after = n};
        assert_int_equal(sonde_registry_write(registry, SONDE_FORMAT_TEXT, take_piece, &pieces),
                         SONDE_ERR_IO);
        assert_int_equal(pieces.count, n);
    }
    (void)sonde_registry_free(registry);
}

static void a_page_goes_to_a_descriptor(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *page = page_of(registry), text[2048];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(sonde_registry_write_fd(registry, SONDE_FORMAT_TEXT, fds[1]), SONDE_OK);
    assert_int_equal(close(fds[1]), 0);
    ssize_t len = read(fds[0], text, sizeof text);
    assert_int_equal(len, strlen(page));
    assert_memory_equal(text, page, (size_t)len);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(sonde_registry_write_fd(registry, SONDE_FORMAT_TEXT, -1), SONDE_ERR_IO);
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

static void failing_writes_are_told(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    sn_fault_arm(SN_FAULT_WRITE, 1, 1, ENOSPC);
    assert_int_equal(sonde_registry_write_fd(registry, SONDE_FORMAT_TEXT, fd), SONDE_ERR_IO);
    sn_fault_disarm_all();
    assert_int_equal(close(fd), 0);
    (void)sonde_registry_free(registry);
}

static void unknown_formats_are_unsupported(void **state) {
    (void)state;
    char *text = NULL;
    assert_string_equal(sonde_format_content_type(SONDE_FORMAT_TEXT),
                        "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(sonde_format_content_type(SONDE_FORMAT_OPENMETRICS),
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_null(sonde_format_content_type((sonde_format)99));
    assert_int_equal(sonde_registry_write_text(NULL, (sonde_format)99, &text, NULL),
                     SONDE_ERR_UNSUPPORTED);
    assert_null(text);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    fill(registry, 100);
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        char *text = NULL;
        sn_mem_fail_nth(n);
        sonde_status status = sonde_registry_write_text(registry, SONDE_FORMAT_TEXT, &text, NULL);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        sonde_free(text);
    }
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_up_the_page),
        cmocka_unit_test(a_sink_can_stop),
        cmocka_unit_test(a_page_goes_to_a_descriptor),
        cmocka_unit_test(failing_writes_are_told),
        cmocka_unit_test(unknown_formats_are_unsupported),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
