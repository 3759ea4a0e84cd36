/* Lines of the text formats, which our own readers understand. */
#include "wire/text_write.h"

#include "wire/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sn_labels labels_of(struct sn_label *items, size_t count) {
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(items, count, &labels, NULL), SN_OK);
    return labels;
}

static void check_series(struct sn_label *items, size_t count, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_text_write_series(labels_of(items, count), &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void names_that_are_not_plain_are_quoted(void **state) {
    (void)state;
    struct sn_label plain[] = {{SN_STR("__name__"), SN_STR("up")}, {SN_STR("a"), SN_STR("x")}};
    struct sn_label alone[] = {{SN_STR("__name__"), SN_STR("up")}};
    struct sn_label odd[] = {{SN_STR("__name__"), SN_STR("a b")},
                             {SN_STR("c.d"), SN_STR("q\"b\\n\n")}};
    struct sn_label nameless[] = {{SN_STR("a"), SN_STR("x")}, {SN_STR("b"), SN_STR("y")}};
    check_series(plain, 2, "up{a=\"x\"}");
    check_series(alone, 1, "up");
    check_series(odd, 2, "{\"a b\",\"c.d\"=\"q\\\"b\\\\n\\n\"}");
    check_series(nameless, 2, "{a=\"x\",b=\"y\"}");
}

static void check_sample(enum sn_text_format format, double value, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_text_write_sample(format, 1700000000007, value, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void times_are_of_the_format(void **state) {
    (void)state;
    check_sample(SN_TEXT_PROMETHEUS, 1, " 1 1700000000007\n");
    check_sample(SN_TEXT_OPENMETRICS, 1, " 1.0 1700000000.007\n");
    check_sample(SN_TEXT_PROMETHEUS, sn_double_from_bits(UINT64_C(0x7ff0000000000000)),
                 " +Inf 1700000000007\n");
}

static void check_metadata(enum sn_text_format format, struct sn_metadata metadata,
                           const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_text_write_metadata(format, &metadata, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void metadata_is_of_the_format(void **state) {
    (void)state;
    struct sn_metadata metadata = {
        .metric_name = SN_STR("a_total"), .type = SN_METRIC_COUNTER, .help = SN_STR("b\\\n\"")};
    check_metadata(SN_TEXT_PROMETHEUS, metadata,
                   "# TYPE a_total counter\n# HELP a_total b\\\\\\n\"\n");
    check_metadata(SN_TEXT_OPENMETRICS, metadata, "# TYPE a counter\n# HELP a b\\\\\\n\\\"\n");
    metadata = (struct sn_metadata){.metric_name = SN_STR("a"), .type = SN_METRIC_COUNTER};
    check_metadata(SN_TEXT_OPENMETRICS, metadata, "# TYPE a unknown\n");
    metadata.type = SN_METRIC_UNKNOWN;
    check_metadata(SN_TEXT_PROMETHEUS, metadata, "# TYPE a untyped\n");
    metadata = (struct sn_metadata){.metric_name = SN_STR("a b"), .type = SN_METRIC_GAUGE};
    check_metadata(SN_TEXT_PROMETHEUS, metadata, "# TYPE \"a b\" gauge\n");
}

static void our_reader_understands_it(void **state) {
    (void)state;
    static struct sn_openmetrics_reader reader;
    struct sn_label odd[] = {{SN_STR("__name__"), SN_STR("a b")},
                             {SN_STR("c.d"), SN_STR("q\"b\\n\n")}};
    struct sn_metadata metadata = {.metric_name = SN_STR("a b"), .type = SN_METRIC_GAUGE};
    struct sn_text_entry entry;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_text_write_metadata(SN_TEXT_OPENMETRICS, &metadata, &buf);
    sn_text_write_series(labels_of(odd, 2), &buf);
    sn_text_write_sample(SN_TEXT_OPENMETRICS, 1700000000007, -0.5, &buf);
    sn_buf_put_text(&buf, "# EOF\n");
    sn_openmetrics_reader_init(&reader, sn_buf_str(&buf));
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.type, SN_METRIC_GAUGE);
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_SAMPLE);
    assert_true(entry.value == -0.5 && entry.time_ms == 1700000000007);
    struct sn_label items[2];
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_text_entry_labels(&entry, &arena, items, NULL), SN_OK);
    assert_true(sn_labels_equal(labels_of(items, 2), labels_of(odd, 2)));
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_END);
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_not_plain_are_quoted),
        cmocka_unit_test(times_are_of_the_format),
        cmocka_unit_test(metadata_is_of_the_format),
        cmocka_unit_test(our_reader_understands_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
