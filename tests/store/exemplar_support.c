/* See exemplar_support.h. */
#include "exemplar_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void test_push_exemplar(struct test_store *test, unsigned number, int64_t offset_ms, int value,
                        bool with_sample, struct sn_push_result *ret_result) {
    struct sn_buf buf;
    char trace[32];
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", number);
    (void)snprintf(trace, sizeof trace, "t%d", value);
    struct sn_label label = {SN_STR("trace_id"), sn_str_from(trace)};
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS + offset_ms, .value = value};
    struct sn_batch_exemplar exemplar = {
        .exemplar = {.labels = {&label, 1}, .value = value, .time_ms = TEST_NOW_MS + offset_ms}};
    struct sn_batch batch = {.series = &series,
                             .series_count = 1,
                             .samples = &sample,
                             .sample_count = with_sample ? 1 : 0,
                             .exemplars = &exemplar,
                             .exemplar_count = 1};
    struct sn_push_result ignored;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch,
                                       ret_result ? ret_result : &ignored, NULL),
                     SN_OK);
    sn_buf_release(&buf);
}

sn_status test_list_exemplars(struct test_store *test, struct sn_range range, struct sn_buf *text) {
    struct sn_matcher matcher = {
        .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")};
    struct sn_select select = {.matchers = &matcher, .matcher_count = 1, .range = range};
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_exemplar_list found = {0};
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_buf_reset(text);
    sn_status status = reader.exemplars(reader.ctx, &select, &arena, &found, NULL);
    for (size_t i = 0; i < found.count; i++) {
        const struct sn_exemplar_series *series = &found.items[i];
        struct sn_str number = sn_labels_get(series->labels, SN_STR("n"));
        assert_true(series->count > 0);
        for (size_t k = 0; k < series->count; k++) {
            const struct sn_exemplar *exemplar = &series->exemplars[k];
            char trace[32];
            int len = snprintf(trace, sizeof trace, "t%d", (int)exemplar->value);
            assert_true(sn_str_equal(sn_labels_get(exemplar->labels, SN_STR("trace_id")),
                                     sn_str_make(trace, (size_t)len)));
            sn_buf_printf(text, "%.*s:%d@%lld ", SN_STR_ARG(number), (int)exemplar->value,
                          (long long)(exemplar->time_ms - TEST_NOW_MS));
        }
    }
    sn_arena_release(&arena);
    return status;
}

void test_assert_exemplars(struct test_store *test, int64_t from_ms, int64_t to_ms,
                           const char *expected) {
    struct sn_buf text;
    sn_buf_init(&text, 0);
    struct sn_range range = {TEST_NOW_MS + from_ms, TEST_NOW_MS + to_ms};
    assert_int_equal(test_list_exemplars(test, range, &text), SN_OK);
    sn_buf_put_byte(&text, 0);
    assert_string_equal((const char *)text.ptr, expected);
    sn_buf_release(&text);
}
