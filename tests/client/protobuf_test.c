/* Pages in protobuf, read back field by field. A real Prometheus reads them in native_scrape_test.py. */
#include "client_support.h"

#include "codec/protobuf.h"

#include <math.h>

/* The next message of the page; empty after the last. */
static struct sn_str next_family(struct sn_str *page) {
    uint64_t len = 0;
    const uint8_t *end = (const uint8_t *)page->ptr + page->len;
    if (page->len == 0)
        return sn_str_make("", 0);
    const uint8_t *at = sn_varint_get((const uint8_t *)page->ptr, end, &len);
    assert_non_null(at);
    assert_true(len <= (uint64_t)(end - at));
    *page = sn_str_make(at + len, (size_t)(end - at - len));
    return sn_str_make(at, (size_t)len);
}

/* The n-th field of this number, 0 the first. */
static bool find(struct sn_str message, uint32_t number, size_t n,
                 struct sn_protobuf_field *ret_field) {
    struct sn_protobuf_reader reader;
    sn_protobuf_open(&reader, message);
    while (sn_protobuf_next(&reader, ret_field)) {
        if (ret_field->number == number && n-- == 0)
            return true;
    }
    assert_false(sn_protobuf_is_broken(&reader));
    return false;
}

static struct sn_str part(struct sn_str message, uint32_t number, size_t n) {
    struct sn_protobuf_field field = {.number = 0};
    assert_true(find(message, number, n, &field));
    assert_int_equal(field.type, SN_PROTOBUF_BYTES);
    return field.bytes;
}

static double number_in(struct sn_str message, uint32_t number) {
    struct sn_protobuf_field field = {.number = 0};
    assert_true(find(message, number, 0, &field));
    return field.type == SN_PROTOBUF_FIXED64 ? sn_protobuf_double(&field) : (double)field.bits;
}

static bool has(struct sn_str message, uint32_t number, size_t n) {
    struct sn_protobuf_field field;
    return find(message, number, n, &field);
}

static bool text_is(struct sn_str text, const char *expected) {
    return sn_str_equal(text, sn_str_from(expected));
}

static char *write_page(sonde_registry *registry, struct sn_str *ret_page) {
    char *bytes = NULL;
    size_t len = 0;
    assert_int_equal(sonde_registry_write_text(registry, SONDE_FORMAT_PROTOBUF, &bytes, &len),
                     SONDE_OK);
    *ret_page = sn_str_make(bytes, len);
    return bytes;
}

static struct sn_str family_called(struct sn_str page, const char *name) {
    struct sn_str family;
    while ((family = next_family(&page)).len > 0) {
        if (text_is(part(family, 1, 0), name))
            return family;
    }
    fail_msg("no family %s", name);
    return family;
}

static void counters_and_gauges_have_labels_and_start_times(void **state) {
    (void)state;
    static const char *const labels[] = {"path", "code"};
    const char *const values[] = {"/\"a\"\n", ""};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {
        .name = "jobs_total", .help = "Jobs.\nAll.", .label_names = labels, .label_count = 2};
    sonde_counter_family *jobs = sonde_counter_family_new(registry, &metric, NULL);
    sonde_counter_add(sonde_counter_family_get(jobs, values, 2), 300);
    sonde_gauge_set(
        sonde_gauge_new(registry, &(sonde_metric){.name = "room_celsius", .unit = "celsius"}, NULL),
        -21.5);
    struct sn_str page;
    char *bytes = write_page(registry, &page);
    struct sn_str family = family_called(page, "jobs_total");
    assert_true(text_is(part(family, 2, 0), "Jobs.\nAll."));
    assert_true(number_in(family, 3) == 0);
    struct sn_str one = part(family, 4, 0);
    assert_false(has(family, 4, 1));
    assert_true(text_is(part(part(one, 1, 0), 1, 0), "path"));
    assert_true(text_is(part(part(one, 1, 0), 2, 0), "/\"a\"\n"));
    assert_true(text_is(part(part(one, 1, 1), 1, 0), "code"));
    assert_true(number_in(part(one, 3, 0), 1) == 300);
    assert_true(number_in(part(part(one, 3, 0), 3, 0), 1) > 1.7e9);
    family = family_called(page, "room_celsius");
    assert_true(number_in(family, 3) == 1);
    assert_true(text_is(part(family, 5, 0), "celsius"));
    assert_true(number_in(part(part(family, 4, 0), 2, 0), 1) == -21.5);
    (void)family_called(page, "sonde_lost_total");
    sonde_free(bytes);
    (void)sonde_registry_free(registry);
}

static void classic_histograms_are_cumulative(void **state) {
    (void)state;
    static const double bounds[] = {0.5, 2};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "h_seconds", .bounds = bounds, .bound_count = 2};
    sonde_histogram *histogram = sonde_histogram_new(registry, &metric, NULL);
    sonde_histogram_observe(histogram, 0.25);
    sonde_histogram_observe(histogram, 1);
    sonde_histogram_observe(histogram, 8);
    struct sn_str page;
    char *bytes = write_page(registry, &page);
    struct sn_str family = family_called(page, "h_seconds");
    assert_true(number_in(family, 3) == 4);
    struct sn_str h = part(part(family, 4, 0), 7, 0);
    assert_true(number_in(h, 1) == 3);
    assert_true(number_in(h, 2) == 9.25);
    assert_true(number_in(part(h, 3, 0), 1) == 1 && number_in(part(h, 3, 0), 2) == 0.5);
    assert_true(number_in(part(h, 3, 1), 1) == 2 && number_in(part(h, 3, 1), 2) == 2);
    assert_false(has(h, 3, 2));
    sonde_free(bytes);
    (void)sonde_registry_free(registry);
}

static void assert_spans(struct sn_str h, const int64_t (*spans)[2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct sn_str span = part(h, 12, i);
        assert_true(sn_zigzag_decode((uint64_t)number_in(span, 1)) == spans[i][0]);
        assert_true(number_in(span, 2) == (double)spans[i][1]);
    }
    assert_false(has(h, 12, count));
}

static void native_histograms_are_spans_and_deltas(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {
        .name = "n_seconds", .native_resolution = 2, .native_low = 0.25, .native_high = 64};
    sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, NULL);
    /* Buckets end at 2^(i/2): i = 2 (2), 3 (2.83), then 6 (8), far away 11 (45.3), and above. */
    static const double values[] = {0.1, 0, 2, 2, 2, 2.5, 8, 40, 40, 1000};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sonde_native_histogram_observe(histogram, values[i]);
    struct sn_str page;
    char *bytes = write_page(registry, &page);
    struct sn_str h = part(part(family_called(page, "n_seconds"), 4, 0), 7, 0);
    assert_true(number_in(h, 1) == 10);
    assert_true(fabs(number_in(h, 2) - 1096.6) < 1e-9);
    assert_true(number_in(h, 5) == 2);    /* schema 1, zigzag */
    assert_true(number_in(h, 6) == 0.25); /* zero threshold */
    assert_true(number_in(h, 7) == 2);
    static const int64_t spans[][2] = {{2, 5}, {4, 1}, {2049 - 12, 1}};
    assert_spans(h, spans, 3);
    static const int64_t deltas[] = {3, -2, -1, 0, 1, 1, -1};
    for (size_t i = 0; i < 7; i++) {
        struct sn_protobuf_field field;
        assert_true(find(h, 13, i, &field));
        assert_true(sn_zigzag_decode(field.bits) == deltas[i]);
    }
    assert_false(has(h, 13, 7));
    assert_false(has(h, 3, 0)); /* no classic buckets beside it */
    sonde_free(bytes);
    (void)sonde_registry_free(registry);
}

static void an_empty_native_histogram_can_be_told_from_a_classic_one(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_native_histogram_new(registry, &(sonde_metric){.name = "n_seconds"}, NULL);
    struct sn_str page;
    char *bytes = write_page(registry, &page);
    struct sn_str h = part(part(family_called(page, "n_seconds"), 4, 0), 7, 0);
    assert_true(number_in(h, 1) == 0);
    assert_true(number_in(h, 6) == 0x1p-20);
    assert_false(has(h, 12, 0));
    sonde_free(bytes);
    (void)sonde_registry_free(registry);
}

static void the_last_error_rides_as_exemplar(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_tracker tracker =
        sonde_track_begin(sonde_operation_get(sonde_service_get(registry, "s"), "o"));
    sonde_track_fail_as(&tracker, &(sonde_failure){"io", "broken \xff here"});
    struct sn_str page;
    char *bytes = write_page(registry, &page);
    struct sn_str error = part(family_called(page, "sonde_operations_total"), 4, 1);
    assert_true(text_is(part(part(error, 1, 2), 2, 0), "error"));
    struct sn_str exemplar = part(part(error, 3, 0), 2, 0);
    assert_true(text_is(part(part(exemplar, 1, 0), 2, 0), "io"));
    assert_true(text_is(part(part(exemplar, 1, 1), 2, 0), "broken ")); /* up to what is no UTF-8 */
    assert_true(number_in(exemplar, 2) == 1);
    sonde_free(bytes);
    (void)sonde_registry_free(registry);
}

static int stop_at_once(void *ctx, const char *bytes, size_t len) {
    (void)bytes;
    (void)len;
    return ++*(int *)ctx;
}

static void failures_are_told(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    int calls = 0;
    assert_int_equal(sonde_registry_write(registry, SONDE_FORMAT_PROTOBUF, stop_at_once, &calls),
                     SONDE_ERR_IO);
    assert_int_equal(calls, 1);
#if SN_FAULTS
    for (uint64_t nth = 1;; nth++) {
        char *bytes = NULL;
        sn_mem_fail_nth(nth);
        sonde_status status =
            sonde_registry_write_text(registry, SONDE_FORMAT_PROTOBUF, &bytes, NULL);
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sonde_free(bytes);
        assert_int_equal(status, is_over ? SONDE_OK : SONDE_ERR_NO_MEMORY);
        if (is_over)
            break;
    }
#endif
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_have_labels_and_start_times),
        cmocka_unit_test(classic_histograms_are_cumulative),
        cmocka_unit_test(native_histograms_are_spans_and_deltas),
        cmocka_unit_test(an_empty_native_histogram_can_be_told_from_a_classic_one),
        cmocka_unit_test(the_last_error_rides_as_exemplar),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
