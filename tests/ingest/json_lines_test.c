/* Ingest of JSON lines. */
#include "ingest/ingest.h"

#include "base/mem.h"
#include "ingest_support.h"

#include <stdlib.h>
#include <string.h>

#define UP                                                                                         \
    "{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"values\":[1,2],\"timestamps\":[1000,2000]}\n"

static const struct sn_push_done nobody;

static sn_status take(struct sn_ingest *ingest, const char *body, size_t samples_max,
                      struct sn_ingest_result *result, struct sn_err *err) {
    const struct sn_ingest_options options = {.samples_max = samples_max};
    return sn_ingest_json_lines(ingest, sn_str_from(body), &options, nobody, result, err);
}

static void lines_reach_the_sink(void **state) {
    (void)state;
    struct book book;
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    book_init(&book);
    sn_ingest_init(&ingest, book_sink(&book));
    assert_int_equal(take(&ingest,
                          UP "\n  \n{\"metric\":{\"__name__\":\"c\"},\"values\":[5],"
                             "\"timestamps\":[3000],\"starts\":[7]}",
                          0, &result, NULL),
                     SN_OK);
    assert_int_equal(result.accepted_count, 3);
    assert_string_equal(book_read(&book), "c 5 @3000 start=7\nup{job=\"x\"} 1 @1000\n"
                                          "up{job=\"x\"} 2 @2000\n");
    assert_int_equal(sn_ingest_read_counters(&ingest).ingested_count[SN_INGEST_JSON_LINES], 3);
    assert_string_equal(sn_ingest_protocol_name(SN_INGEST_JSON_LINES), "json_lines");
    book_release(&book);
}

static sn_status see_starts(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                            struct sn_push_result *ret_result, struct sn_err *err) {
    int64_t *starts = ctx;
    (void)err;
    for (size_t i = 0; i < batch->sample_count; i++)
        starts[i] = batch->samples[i].start_time_ms;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static void start_times_belong_to_their_samples(void **state) {
    (void)state;
    int64_t starts[3] = {-1, -1, -1};
    struct sn_sink sink = {.ctx = starts, .push = see_starts};
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    sn_ingest_init(&ingest, sink);
    assert_int_equal(take(&ingest,
                          "{\"metric\":{\"__name__\":\"c\"},\"values\":[5,6,7],"
                          "\"timestamps\":[3000,3001,3002],\"starts\":[7,0,9]}",
                          0, &result, NULL),
                     SN_OK);
    assert_int_equal(starts[0], 7);
    assert_int_equal(starts[1], 0);
    assert_int_equal(starts[2], 9);
}

#define HISTOGRAM_LINE(count)                                                                      \
    "{\"metric\":{\"__name__\":\"h\"},\"histograms\":[{\"schema\":1,\"count\":2,\"sum\":3,"        \
    "\"positive_spans\":[[0,1]],\"positive_counts\":[" count                                       \
    "]},{\"schema\":1,\"count\":0,\"sum\":0}],\"timestamps\":[1000,2000],\"starts\":[7,0]}\n"

static sn_status see_histograms(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                                struct sn_push_result *ret_result, struct sn_err *err) {
    struct sn_batch_histogram *seen = ctx;
    (void)err;
    memcpy(seen, batch->histograms, batch->histogram_count * sizeof *seen);
    *ret_result = (struct sn_push_result){.accepted_count = batch->histogram_count,
                                          .accepted_histogram_count = batch->histogram_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static void histograms_reach_the_sink(void **state) {
    (void)state;
    struct sn_batch_histogram seen[2];
    struct sn_sink sink = {.ctx = seen, .push = see_histograms};
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    sn_ingest_init(&ingest, sink);
    assert_int_equal(take(&ingest, HISTOGRAM_LINE("2"), 0, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_histogram_count, 2);
    assert_int_equal(seen[0].time_ms, 1000);
    assert_int_equal(seen[0].start_time_ms, 7);
    assert_int_equal(seen[0].histogram.positive_bucket_count, 1);
    assert_int_equal(seen[1].time_ms, 2000);
    assert_int_equal(seen[1].start_time_ms, 0);
}

static void histograms_that_cannot_be_are_left_out_and_counted(void **state) {
    (void)state;
    struct book book;
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    book_init(&book);
    sn_ingest_init(&ingest, book_sink(&book));
    assert_int_equal(take(&ingest, UP HISTOGRAM_LINE("-1"), 0, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, 3);
    assert_int_equal(result.lost_count, 1);
    assert_int_equal(result.rejected_count[SN_INGEST_INVALID_HISTOGRAM], 1);
    assert_string_equal(result.first_reject.text,
                        "line 2: positive bucket 0 has a negative or NaN count");
    assert_int_equal(take(&ingest, HISTOGRAM_LINE("1") UP, 3, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, 2);
    assert_int_equal(result.rejected_count[SN_INGEST_REQUEST_LIMIT], 2);
    book_release(&book);
}

static void a_malformed_line_refuses_the_body_and_is_named(void **state) {
    (void)state;
    struct book book;
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    struct sn_err err;
    book_init(&book);
    sn_ingest_init(&ingest, book_sink(&book));
    assert_int_equal(take(&ingest, UP "\n{\"metric\":", 0, &result, &err), SN_ERR_INVALID);
    assert_int_equal(strncmp(err.text, "line 3: ", 8), 0);
    assert_int_equal(book.push_count, 0);
    book_release(&book);
}

static void series_that_cannot_be_are_left_out_and_counted(void **state) {
    (void)state;
    struct book book;
    struct sn_ingest ingest;
    struct sn_ingest_result result;
    book_init(&book);
    sn_ingest_init(&ingest, book_sink(&book));
    assert_int_equal(take(&ingest,
                          "{\"metric\":{\"a\":\"b\"},\"values\":[1,2],\"timestamps\":[1,2]}\n" UP,
                          0, &result, NULL),
                     SN_OK);
    assert_int_equal(result.accepted_count, 2);
    assert_int_equal(result.lost_count, 2);
    assert_int_equal(result.rejected_count[SN_INGEST_INVALID_LABELS], 2);
    assert_string_equal(result.first_reject.text, "line 1: the series has no __name__");
    assert_int_equal(take(&ingest, UP UP, 3, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, 2);
    assert_int_equal(result.rejected_count[SN_INGEST_REQUEST_LIMIT], 2);
    book_release(&book);
}

static void memory_that_is_missing_is_a_status(void **state) {
    (void)state;
    struct book book;
    bool fired = true;
    book_init(&book);
    book.is_closed = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_ingest ingest;
        struct sn_ingest_result result;
        sn_ingest_init(&ingest, book_sink(&book));
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = take(&ingest, UP HISTOGRAM_LINE("2"), 0, &result, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_mem_block_count(), before);
    }
    book_release(&book);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_reach_the_sink),
        cmocka_unit_test(start_times_belong_to_their_samples),
        cmocka_unit_test(histograms_reach_the_sink),
        cmocka_unit_test(histograms_that_cannot_be_are_left_out_and_counted),
        cmocka_unit_test(a_malformed_line_refuses_the_body_and_is_named),
        cmocka_unit_test(series_that_cannot_be_are_left_out_and_counted),
        cmocka_unit_test(memory_that_is_missing_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
