/* The batch builder: contents, reuse, limits, failing allocations. */
#include "model/batch.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_str pair(const char *text) {
    return sn_str_from(text);
}

static sn_status add(struct sn_batch_builder *builder, const char *name, const char *host,
                     int64_t time_ms) {
    struct sn_str pairs[] = {pair("host"), pair(host)};
    return sn_batch_builder_add_pairs(builder, sn_str_from(name), pairs, 1, time_ms, 1.5, NULL);
}

static void samples_carry_the_canonical_labels(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    struct sn_arena arena;
    struct sn_labels labels;
    sn_batch_builder_init(&builder, 0);
    sn_arena_init(&arena, 0);
    assert_int_equal(add(&builder, "up", "b", 7), SN_OK);
    assert_int_equal(add(&builder, "up", "", 8), SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(batch.series_count, 2);
    assert_int_equal(batch.sample_count, 2);
    assert_int_equal(batch.samples[0].time_ms, 7);
    assert_true(batch.samples[0].value == 1.5);
    assert_int_equal(batch.samples[1].series, 1);
    assert_int_equal(sn_labels_decode(batch.series[0].labels, &arena, &labels, NULL), SN_OK);
    assert_true(sn_str_equal(sn_labels_get(labels, SN_STR("host")), SN_STR("b")));
    assert_int_equal(sn_labels_decode(batch.series[1].labels, &arena, &labels, NULL), SN_OK);
    assert_int_equal(labels.count, 1);
    sn_arena_release(&arena);
    sn_batch_builder_release(&builder);
}

static void consecutive_samples_of_a_series_share_its_entry(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    sn_batch_builder_init(&builder, 0);
    assert_int_equal(add(&builder, "up", "a", 1), SN_OK);
    assert_int_equal(add(&builder, "up", "a", 2), SN_OK);
    assert_int_equal(add(&builder, "up", "b", 2), SN_OK);
    assert_int_equal(add(&builder, "up", "a", 3), SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(batch.series_count, 3);
    assert_int_equal(batch.samples[1].series, 0);
    assert_int_equal(batch.samples[3].series, 2);
    sn_batch_builder_release(&builder);
}

static void a_builder_is_empty_after_reset_and_can_be_filled_again(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    sn_batch_builder_init(&builder, 0);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(sn_batch_builder_view(&builder).sample_count, 0);
        for (int i = 0; i < 1000; i++) {
            char host[24];
            (void)snprintf(host, sizeof host, "h%d", i);
            assert_int_equal(add(&builder, "up", host, i), SN_OK);
        }
        struct sn_batch batch = sn_batch_builder_view(&builder);
        assert_int_equal(batch.series_count, 1000);
        assert_int_equal(batch.samples[999].series, 999);
        assert_int_equal(batch.samples[500].time_ms, 500);
        sn_batch_builder_reset(&builder);
    }
    sn_batch_builder_release(&builder);
}

static void bad_pairs_are_refused(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    struct sn_str pairs[32];
    static char names[16][4];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        pairs[2 * i] = pair(names[i]);
        pairs[2 * i + 1] = pair("v");
    }
    sn_batch_builder_init(&builder, 0);
    struct sn_str up = SN_STR("up");
    assert_int_equal(sn_batch_builder_add_pairs(&builder, up, pairs, 15, 0, 0, NULL), SN_OK);
    assert_int_equal(sn_batch_builder_add_pairs(&builder, up, pairs, 16, 0, 0, NULL), SN_ERR_LIMIT);
    assert_int_equal(sn_batch_builder_add_pairs(&builder, SN_STR(""), pairs, 1, 0, 0, NULL),
                     SN_ERR_INVALID);
    pairs[2] = pairs[0];
    assert_int_equal(sn_batch_builder_add_pairs(&builder, up, pairs, 2, 0, 0, NULL),
                     SN_ERR_INVALID);
    assert_int_equal(sn_batch_builder_view(&builder).sample_count, 1);
    sn_batch_builder_release(&builder);
}

static void metadata_is_copied_and_limited(void **state) {
    (void)state;
    char help[] = "the help";
    char *long_help = calloc(1, SN_METADATA_BYTES_MAX + 1);
    assert_non_null(long_help);
    struct sn_batch_builder builder;
    sn_batch_builder_init(&builder, 0);
    struct sn_metadata metadata = {SN_STR("up"), SN_METRIC_GAUGE, sn_str_from(help), SN_STR("")};
    assert_int_equal(sn_batch_builder_add_metadata(&builder, &metadata, NULL), SN_OK);
    memset(help, 'x', 3);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(batch.metadata_count, 1);
    assert_true(sn_str_equal(batch.metadata[0].help, SN_STR("the help")));
    metadata.help = sn_str_make(long_help, SN_METADATA_BYTES_MAX);
    assert_int_equal(sn_batch_builder_add_metadata(&builder, &metadata, NULL), SN_OK);
    metadata.help.len++;
    assert_int_equal(sn_batch_builder_add_metadata(&builder, &metadata, NULL), SN_ERR_LIMIT);
    metadata.help.len = 0;
    metadata.metric_name.len = 0;
    assert_int_equal(sn_batch_builder_add_metadata(&builder, &metadata, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_batch_builder_view(&builder).metadata_count, 2);
    sn_batch_builder_release(&builder);
    free(long_help);
}

static void the_memory_limit_is_a_status(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    struct sn_err err = {.status = SN_OK};
    sn_batch_builder_init(&builder, (size_t)256 << 10);
    sn_status status = SN_OK;
    size_t count = 0;
    while (status == SN_OK && count < 1000000) {
        char host[24];
        (void)snprintf(host, sizeof host, "h%zu", count);
        struct sn_str pairs[] = {pair("host"), pair(host)};
        status = sn_batch_builder_add_pairs(&builder, SN_STR("up"), pairs, 1, 0, 0, &err);
        count += status == SN_OK;
    }
    assert_int_equal(status, SN_ERR_LIMIT);
    assert_int_equal(sn_batch_builder_view(&builder).sample_count, count);
    assert_int_equal(sn_batch_builder_view(&builder).series_count, count);
    sn_batch_builder_release(&builder);
}

/* Fill with everything; the first failure ends it. */
static sn_status fill(struct sn_batch_builder *builder) {
    struct sn_metadata metadata = {SN_STR("up"), SN_METRIC_GAUGE, SN_STR("help"), SN_STR("s")};
    SN_TRY(sn_batch_builder_add_metadata(builder, &metadata, NULL));
    for (int i = 0; i < 5000; i++) {
        char host[24];
        (void)snprintf(host, sizeof host, "h%d", i);
        SN_TRY(add(builder, "up", host, i));
    }
    return SN_OK;
}

static void every_failing_allocation_is_reported_and_leaks_nothing(void **state) {
    (void)state;
    int64_t blocks = sn_mem_block_count();
    bool has_failed = true;
    for (uint64_t nth = 1; has_failed; nth++) {
        struct sn_batch_builder builder;
        sn_batch_builder_init(&builder, 0);
        sn_mem_fail_nth(nth);
        sn_status status = fill(&builder);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        struct sn_batch batch = sn_batch_builder_view(&builder);
        assert_int_equal(batch.series_count, batch.sample_count);
        sn_batch_builder_release(&builder);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
}

static struct sn_labels labels_of(struct sn_label *label, const char *name) {
    *label = (struct sn_label){SN_LABEL_METRIC_NAME, sn_str_from(name)};
    return (struct sn_labels){label, 1};
}

/* A series with one of everything; its pieces are gone when this returns. */
static sn_status add_everything(struct sn_batch_builder *builder) {
    struct sn_label label;
    char trace[] = "abc";
    struct sn_label trace_id = {SN_STR("trace_id"), sn_str_from(trace)};
    struct sn_exemplar exemplar = {.labels = {&trace_id, 1}, .value = 3, .time_ms = 4};
    struct sn_bucket_span span = {.offset = 1, .length = 1};
    double count = 2;
    struct sn_histogram histogram = {.count = 2,
                                     .positive_spans = &span,
                                     .positive_counts = &count,
                                     .positive_span_count = 1,
                                     .positive_bucket_count = 1};
    uint32_t series;
    SN_TRY(sn_batch_builder_add_series(builder, labels_of(&label, "a"), &series, NULL));
    sn_batch_builder_set_start(builder, series, 77);
    SN_TRY(sn_batch_builder_add_sample(builder, series, (struct sn_sample){1, 2}, NULL));
    sn_batch_builder_set_sample_start(builder, 78);
    SN_TRY(sn_batch_builder_add_histogram(builder, series, 5, &histogram, NULL));
    sn_batch_builder_set_histogram_start(builder, 79);
    SN_TRY(sn_batch_builder_add_exemplar(builder, series, &exemplar, NULL));
    memset(trace, 'x', 3);
    count = 0;
    return SN_OK;
}

static void a_series_is_named_once_and_filled_by_its_index(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    struct sn_label label;
    uint32_t series[3];
    sn_batch_builder_init(&builder, 0);
    assert_int_equal(
        sn_batch_builder_add_series(&builder, labels_of(&label, "a"), &series[0], NULL), SN_OK);
    assert_int_equal(
        sn_batch_builder_add_series(&builder, labels_of(&label, "b"), &series[1], NULL), SN_OK);
    assert_int_equal(
        sn_batch_builder_add_series(&builder, labels_of(&label, "b"), &series[2], NULL), SN_OK);
    assert_int_equal(series[1], series[2]);
    assert_int_equal(
        sn_batch_builder_add_sample(&builder, series[0], (struct sn_sample){9, 1}, NULL), SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(batch.series_count, 2);
    assert_int_equal(batch.sample_count, 1);
    assert_int_equal(batch.samples[0].series, 0);
    assert_int_equal(batch.samples[0].time_ms, 9);
    sn_batch_builder_release(&builder);
}

static void histograms_exemplars_and_starts_are_copied(void **state) {
    (void)state;
    struct sn_batch_builder builder;
    sn_batch_builder_init(&builder, 0);
    assert_int_equal(add_everything(&builder), SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    assert_int_equal(batch.series[0].start_time_ms, 77);
    assert_int_equal(batch.samples[0].start_time_ms, 78);
    assert_int_equal(batch.histograms[0].start_time_ms, 79);
    assert_int_equal(batch.histogram_count, 1);
    assert_int_equal(batch.histograms[0].time_ms, 5);
    assert_true(batch.histograms[0].histogram.positive_counts[0] == 2);
    assert_int_equal(batch.exemplar_count, 1);
    struct sn_str trace_id = sn_labels_get(batch.exemplars[0].exemplar.labels, SN_STR("trace_id"));
    assert_true(sn_str_equal(trace_id, SN_STR("abc")));
    sn_batch_builder_reset(&builder);
    assert_int_equal(sn_batch_builder_view(&builder).histogram_count, 0);
    assert_int_equal(sn_batch_builder_view(&builder).exemplar_count, 0);
    sn_batch_builder_release(&builder);
}

static void everything_survives_every_failing_allocation(void **state) {
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    for (uint64_t n = 1;; n++) {
        struct sn_batch_builder builder;
        sn_batch_builder_init(&builder, 0);
        sn_mem_fail_nth(n);
        sn_status status = add_everything(&builder);
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_batch_builder_release(&builder);
        if (!is_fired) {
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_named_once_and_filled_by_its_index),
        cmocka_unit_test(histograms_exemplars_and_starts_are_copied),
        cmocka_unit_test(everything_survives_every_failing_allocation),
        cmocka_unit_test(samples_carry_the_canonical_labels),
        cmocka_unit_test(consecutive_samples_of_a_series_share_its_entry),
        cmocka_unit_test(a_builder_is_empty_after_reset_and_can_be_filled_again),
        cmocka_unit_test(bad_pairs_are_refused),
        cmocka_unit_test(metadata_is_copied_and_limited),
        cmocka_unit_test(the_memory_limit_is_a_status),
        cmocka_unit_test(every_failing_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
