/* Ingest of remote write: what reaches the sink, what is left out and why, counting, failures. */
#include "ingest/ingest.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a sink that writes down what it is given, and takes no exemplars ---- */

struct fixture {
    struct sn_ingest ingest;
    struct sn_ingest_options options;
    struct sn_ingest_result result;
    struct sn_err err;
    sn_status push_status;
    size_t push_count;
    bool is_quiet; /* does not write down: no allocations of its own */
    struct sn_buf text;
    struct sn_buf body; /* the request in the making */
};

static void print_series(struct fixture *f, const struct sn_batch *batch, uint32_t series) {
    struct sn_arena arena;
    struct sn_labels labels;
    sn_arena_init(&arena, 0);
    assert_true(series < batch->series_count);
    assert_int_equal(sn_labels_decode(batch->series[series].labels, &arena, &labels, NULL), SN_OK);
    sn_labels_format(labels, &f->text);
    if (batch->series[series].start_time_ms != 0) {
        sn_buf_printf(&f->text, " since %lld", (long long)batch->series[series].start_time_ms);
    }
    sn_arena_release(&arena);
}

static void print_time(struct fixture *f, int64_t time_ms, int64_t start_time_ms) {
    sn_buf_printf(&f->text, " @%lld", (long long)time_ms);
    if (start_time_ms != 0) {
        sn_buf_printf(&f->text, " since %lld", (long long)start_time_ms);
    }
    sn_buf_put_byte(&f->text, '\n');
}

static void print_batch(struct fixture *f, const struct sn_batch *batch) {
    for (size_t i = 0; i < batch->sample_count; i++) {
        print_series(f, batch, batch->samples[i].series);
        sn_buf_printf(&f->text, " %llx",
                      (unsigned long long)sn_double_bits(batch->samples[i].value));
        print_time(f, batch->samples[i].time_ms, batch->samples[i].start_time_ms);
    }
    for (size_t i = 0; i < batch->histogram_count; i++) {
        print_series(f, batch, batch->histograms[i].series);
        sn_buf_printf(&f->text, " histogram of %lld",
                      (long long)batch->histograms[i].histogram.count);
        print_time(f, batch->histograms[i].time_ms, batch->histograms[i].start_time_ms);
    }
    for (size_t i = 0; i < batch->exemplar_count; i++) {
        print_series(f, batch, batch->exemplars[i].series);
        sn_buf_put_text(&f->text, " exemplar ");
        sn_labels_format(batch->exemplars[i].exemplar.labels, &f->text);
        sn_buf_put_byte(&f->text, '\n');
    }
    for (size_t i = 0; i < batch->metadata_count; i++) {
        const struct sn_metadata *m = &batch->metadata[i];
        sn_buf_printf(&f->text, "# %.*s %s %.*s %.*s\n", SN_STR_ARG(m->metric_name),
                      sn_metric_type_name(m->type), SN_STR_ARG(m->help), SN_STR_ARG(m->unit));
    }
}

static sn_status fake_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct fixture *f = ctx;
    if (f->push_status != SN_OK) {
        return sn_err_set(err, f->push_status, "the queue is full");
    }
    f->push_count++;
    sn_buf_reset(&f->text);
    if (!f->is_quiet) {
        print_batch(f, batch);
    }
    *ret_result =
        (struct sn_push_result){.accepted_count = batch->sample_count + batch->histogram_count,
                                .accepted_histogram_count = batch->histogram_count};
    ret_result->rejected_count[SN_REJECT_UNSUPPORTED] = batch->exemplar_count;
    if (done.fn != NULL) {
        done.fn(done.ctx, SN_OK, NULL);
    }
    return SN_OK;
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return -1;
    }
    sn_ingest_init(&f->ingest, (struct sn_sink){.ctx = f, .push = fake_push});
    sn_buf_init(&f->text, 0);
    sn_buf_init(&f->body, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    sn_buf_release(&f->text);
    sn_buf_release(&f->body);
    free(f);
    return 0;
}

/* ---- requests ---- */

static void put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    sn_buf_put(buf, bytes, (size_t)(sn_varint_put(bytes, value) - bytes));
}

static void put_number(struct sn_buf *buf, uint32_t number, uint64_t value) {
    put_varint(buf, number << 3 | SN_PROTOBUF_VARINT);
    put_varint(buf, value);
}

static void put_double(struct sn_buf *buf, uint32_t number, uint64_t bits) {
    put_varint(buf, number << 3 | SN_PROTOBUF_FIXED64);
    sn_buf_put_u64le(buf, bits);
}

static void put_bytes(struct sn_buf *buf, uint32_t number, struct sn_str bytes) {
    put_varint(buf, number << 3 | SN_PROTOBUF_BYTES);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

/* Put a message that was built in `message`, which is empty afterwards. */
static void put_message(struct sn_buf *buf, uint32_t number, struct sn_buf *message) {
    put_bytes(buf, number, sn_buf_str(message));
    sn_buf_release(message);
    sn_buf_init(message, 0);
}

static void put_label(struct sn_buf *series, const char *name, const char *value) {
    struct sn_buf label;
    sn_buf_init(&label, 0);
    put_bytes(&label, 1, sn_str_from(name));
    put_bytes(&label, 2, sn_str_from(value));
    put_message(series, 1, &label);
}

static void put_sample(struct sn_buf *series, int64_t time_ms, uint64_t bits) {
    struct sn_buf sample;
    sn_buf_init(&sample, 0);
    put_double(&sample, 1, bits);
    put_number(&sample, 2, (uint64_t)time_ms);
    put_message(series, 2, &sample);
}

/* A histogram of two in one bucket, with so many counts. */
static void put_histogram(struct sn_buf *series, int bucket_count) {
    struct sn_buf histogram;
    sn_buf_init(&histogram, 0);
    put_number(&histogram, 1, 2);
    put_bytes(&histogram, 11, SN_STR("\x08\x00\x10\x01"));
    for (int i = 0; i < bucket_count; i++) {
        put_number(&histogram, 12, i == 0 ? sn_zigzag_encode(2) : 0);
    }
    put_number(&histogram, 15, 9);
    put_message(series, 4, &histogram);
}

/* name{}: a series without samples. */
static struct sn_buf series_of(const char *name) {
    struct sn_buf series;
    sn_buf_init(&series, 0);
    put_label(&series, "__name__", name);
    return series;
}

/* Put the series "ok" with one sample: what stands beside what is left out. */
static void put_ok(struct fixture *f) {
    struct sn_buf series = series_of("ok");
    put_sample(&series, 5, 0);
    put_message(&f->body, 1, &series);
    sn_buf_release(&series);
}
#define OK_TEXT "ok 0 @5\n"

static sn_status take(struct fixture *f, struct sn_str body, enum sn_remote_write_version version) {
    f->err = (struct sn_err){.status = SN_OK};
    return sn_ingest_remote_write(&f->ingest, body, version, &f->options,
                                  (struct sn_push_done){.fn = NULL}, &f->result, &f->err);
}

/* Take the request that was put together; it is empty afterwards. */
static void expect(struct fixture *f, const char *text) {
    assert_int_equal(sn_buf_status(&f->body, NULL), SN_OK);
    assert_int_equal(take(f, sn_buf_str(&f->body), SN_REMOTE_WRITE_1), SN_OK);
    sn_buf_put_byte(&f->text, 0);
    assert_string_equal((const char *)f->text.ptr, text);
    sn_buf_reset(&f->body);
}

static uint64_t rejected(struct fixture *f, unsigned reason) {
    return sn_ingest_read_counters(&f->ingest).rejected_count[reason];
}

/* One sample was lost for this reason, with this sentence; the series "ok" was taken. */
static void expect_lost(struct fixture *f, unsigned reason, const char *sentence) {
    uint64_t before = rejected(f, reason);
    put_ok(f);
    expect(f, OK_TEXT);
    assert_string_equal(f->result.first_reject.text, sentence);
    assert_int_equal(f->result.accepted_count, 1);
    assert_int_equal(f->result.lost_count, 1);
    assert_int_equal(f->result.rejected_count[reason], 1);
    assert_int_equal(rejected(f, reason), before + 1);
}

/* ---- what reaches the sink ---- */

static void samples_reach_the_sink_bit_by_bit(void **state) {
    struct fixture *f = *state;
    struct sn_buf series = series_of("up");
    put_label(&series, "job", "a");
    put_sample(&series, 5, SN_STALE_NAN_BITS);
    put_sample(&series, 6, UINT64_C(0x7ff8000000000001));
    put_message(&f->body, 1, &series);
    sn_buf_release(&series);
    expect(f, "up{job=\"a\"} 7ff0000000000002 @5\nup{job=\"a\"} 7ff8000000000001 @6\n");
    assert_int_equal(f->result.accepted_count, 2);
    assert_int_equal(f->result.lost_count, 0);
    assert_int_equal(sn_ingest_read_counters(&f->ingest).ingested_count[SN_INGEST_REMOTE_WRITE], 2);
}

static void labels_in_any_order_are_sorted_and_empty_ones_dropped(void **state) {
    struct fixture *f = *state;
    struct sn_buf series;
    sn_buf_init(&series, 0);
    put_label(&series, "z", "1");
    put_label(&series, "empty", "");
    put_label(&series, "a", "2");
    put_label(&series, "__name__", "up");
    put_sample(&series, 5, 0);
    put_message(&f->body, 1, &series);
    sn_buf_release(&series);
    expect(f, "up{a=\"2\",z=\"1\"} 0 @5\n");
}

static void extra_labels_are_added_and_win(void **state) {
    struct fixture *f = *state;
    struct sn_label extra[] = {{SN_STR("instance"), SN_STR("h")}, {SN_STR("job"), SN_STR("j")}};
    f->options.extra_labels = (struct sn_labels){extra, 2};
    struct sn_buf series = series_of("up");
    put_label(&series, "job", "own");
    put_sample(&series, 5, 0);
    put_message(&f->body, 1, &series);
    sn_buf_release(&series);
    expect(f, "up{instance=\"h\",job=\"j\"} 0 @5\n");
}

static void metadata_reach_the_sink_once_while_they_repeat(void **state) {
    struct fixture *f = *state;
    static const char body[] =
        "\x22\x00\x22\x08__name__\x22\x01"
        "a\x22\x01h\x22\x01u" /* symbols */
        "\x2a\x19\x0a\x02\x01\x02\x12\x0b\x09\0\0\0\0\0\0\0\0\x18\x03\x2a\x06\x08\x01\x18\x03\x20\x04"
        "\x2a\x0e\x0a\x02\x01\x02\x12\x00\x2a\x06\x08\x01\x18\x03\x20\x04"
        "\x2a\x06\x0a\x02\x01\x02\x2a\x00"; /* metadata that say nothing */
    assert_int_equal(take(f, sn_str_make(body, sizeof body - 1), SN_REMOTE_WRITE_2), SN_OK);
    sn_buf_put_byte(&f->text, 0);
    assert_string_equal((const char *)f->text.ptr, "a 0 @0 since 3\na 0 @0\n# a counter h u\n");
}

static void histograms_are_counted_apart_and_exemplars_are_no_loss(void **state) {
    struct fixture *f = *state;
    struct sn_buf series = series_of("up");
    put_histogram(&series, 1);
    put_bytes(&series, 3,
              SN_STR("\x0a\x06\x0a\x01t\x12\x01"
                     "1"));
    put_message(&f->body, 1, &series);
    sn_buf_release(&series);
    expect(f, "up histogram of 2 @9\nup exemplar {t=\"1\"}\n");
    assert_int_equal(f->result.accepted_count, 1);
    assert_int_equal(f->result.accepted_histogram_count, 1);
    assert_int_equal(f->result.lost_count, 0);
    assert_int_equal(f->result.rejected_count[SN_REJECT_UNSUPPORTED], 1);
}

static void an_empty_request_is_a_batch_of_nothing(void **state) {
    struct fixture *f = *state;
    expect(f, "");
    assert_int_equal(f->push_count, 1);
    assert_int_equal(f->result.lost_count, 0);
}

/* ---- what is left out ---- */

static void a_series_with_bad_labels_is_left_out_alone(void **state) {
    struct fixture *f = *state;
    char long_value[SN_LABEL_VALUE_BYTES_MAX + 2];
    memset(long_value, 'x', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    const struct {
        const char *name, *value;
        unsigned reason;
        const char *sentence;
    } cases[] = {
        {"a", "1", SN_INGEST_INVALID_LABELS, "series 1: it has no metric name"},
        {"__name__", "", SN_INGEST_INVALID_LABELS, "series 1: it has no metric name"},
        {"", "1", SN_INGEST_INVALID_LABELS, "series 1: a label has an empty name"},
        {"__name__", "\xff", SN_INGEST_INVALID_LABELS,
         "series 1: value of label \"__name__\" is not UTF-8"},
        {"__name__", long_value, SN_INGEST_LABEL_LIMIT,
         "series 1: value of label \"__name__\" has 8193 bytes, the limit is 8192"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf series;
        sn_buf_init(&series, 0);
        put_label(&series, cases[i].name, cases[i].value);
        put_sample(&series, 5, 0);
        put_message(&f->body, 1, &series);
        sn_buf_release(&series);
        expect_lost(f, cases[i].reason, cases[i].sentence);
    }
    struct sn_buf twice = series_of("up");
    put_label(&twice, "__name__", "down");
    put_histogram(&twice, 1);
    put_bytes(&twice, 3, SN_STR("")); /* its exemplar goes unnoticed */
    put_message(&f->body, 1, &twice);
    sn_buf_release(&twice);
    expect_lost(f, SN_INGEST_INVALID_LABELS, "series 1: label \"__name__\" is there twice");
}

static void the_label_count_limit_holds_at_both_sides(void **state) {
    struct fixture *f = *state;
    for (int count = SN_LABELS_MAX; count <= SN_LABELS_MAX + 1; count++) {
        struct sn_buf series = series_of("up");
        for (int i = 1; i < count; i++) {
            char name[16];
            (void)snprintf(name, sizeof name, "n%d", i);
            put_label(&series, name, "v");
        }
        put_sample(&series, 5, 0);
        put_message(&f->body, 1, &series);
        sn_buf_release(&series);
        assert_int_equal(take(f, sn_buf_str(&f->body), SN_REMOTE_WRITE_1), SN_OK);
        assert_int_equal(f->result.accepted_count, count == SN_LABELS_MAX);
        sn_buf_reset(&f->body);
    }
    assert_string_equal(f->result.first_reject.text,
                        "series 1: it has 129 labels, the limit is 128");
    assert_int_equal(f->result.rejected_count[SN_INGEST_LABEL_LIMIT], 1);
}

static void times_outside_of_1970_to_9999_are_left_out(void **state) {
    struct fixture *f = *state;
    const struct {
        int64_t time_ms;
        unsigned reason;
        const char *sentence;
    } cases[] = {
        {-1, SN_REJECT_TOO_OLD, "series 1: the timestamp is before 1970"},
        {INT64_MIN, SN_REJECT_TOO_OLD, "series 1: the timestamp is before 1970"},
        {SN_TIME_MS_MAX + 1, SN_REJECT_TOO_NEW, "series 1: the timestamp is beyond the year 9999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf series = series_of("up");
        put_sample(&series, cases[i].time_ms, 0);
        put_message(&f->body, 1, &series);
        sn_buf_release(&series);
        expect_lost(f, cases[i].reason, cases[i].sentence);
    }
}

static void histograms_that_make_no_sense_are_left_out(void **state) {
    struct fixture *f = *state;
    static const int counts[] = {2, SN_HISTOGRAM_BUCKETS_MAX + 1};
    for (size_t i = 0; i < 2; i++) {
        struct sn_buf series = series_of("up");
        put_histogram(&series, counts[i]);
        put_message(&f->body, 1, &series);
        sn_buf_release(&series);
        put_ok(f);
        expect(f, OK_TEXT);
        assert_int_equal(f->result.rejected_count[SN_INGEST_INVALID_HISTOGRAM], 1);
        assert_int_equal(f->result.lost_count, 1);
        assert_true(f->result.first_reject.text[0] != '\0');
    }
}

static void the_request_limit_holds_at_both_sides(void **state) {
    struct fixture *f = *state;
    f->options.samples_max = 2;
    put_ok(f);
    put_ok(f);
    expect(f, OK_TEXT OK_TEXT);
    assert_int_equal(f->result.lost_count, 0);
    put_ok(f);
    put_ok(f);
    put_ok(f);
    expect(f, OK_TEXT OK_TEXT);
    assert_int_equal(f->result.rejected_count[SN_INGEST_REQUEST_LIMIT], 1);
    assert_string_equal(f->result.first_reject.text,
                        "series 3: the request has more samples than one may");
}

static void exemplars_and_metadata_beyond_a_limit_are_counted_and_no_loss(void **state) {
    struct fixture *f = *state;
    char help[SN_METADATA_BYTES_MAX + 2];
    memset(help, 'x', sizeof help - 1);
    help[sizeof help - 1] = '\0';
    struct sn_buf series = series_of("ok");
    struct sn_buf message;
    put_sample(&series, 5, 0);
    sn_buf_init(&message, 0);
    for (int i = 0; i <= SN_LABELS_MAX; i++) {
        put_label(&message, "a", "b");
    }
    put_message(&series, 3, &message);
    put_label(&message, "a", "b");
    put_label(&message, "a", "b");
    put_message(&series, 3, &message);
    put_message(&f->body, 1, &series);
    put_bytes(&message, 2, SN_STR("ok"));
    put_bytes(&message, 4, sn_str_from(help));
    put_message(&f->body, 3, &message);
    put_bytes(&message, 4, SN_STR("help of nothing"));
    put_message(&f->body, 3, &message);
    sn_buf_release(&series);
    sn_buf_release(&message);
    expect(f, OK_TEXT);
    assert_int_equal(f->result.lost_count, 0);
    assert_int_equal(f->result.rejected_count[SN_INGEST_LABEL_LIMIT], 1);
    assert_int_equal(f->result.rejected_count[SN_INGEST_INVALID_LABELS], 1);
    assert_int_equal(f->result.rejected_count[SN_INGEST_METADATA_LIMIT], 1);
}

/* ---- what is refused ---- */

static void what_is_malformed_is_refused_as_a_whole(void **state) {
    struct fixture *f = *state;
    put_ok(f);
    sn_buf_put(&f->body, "\x0a\x02\x12\x05", 4);
    assert_int_equal(take(f, sn_buf_str(&f->body), SN_REMOTE_WRITE_1), SN_ERR_INVALID);
    assert_string_equal(f->err.text, "series 2: it is not a Protobuf message");
    assert_int_equal(take(f, SN_STR("garbage"), SN_REMOTE_WRITE_2), SN_ERR_INVALID);
    assert_int_equal(take(f, sn_str_make("", SN_HTTP_BODY_BYTES_MAX + 1), SN_REMOTE_WRITE_1),
                     SN_ERR_LIMIT);
    assert_int_equal(f->push_count, 0);
    struct sn_ingest_counters counters = sn_ingest_read_counters(&f->ingest);
    assert_int_equal(counters.request_count, 3);
    assert_int_equal(counters.refused_request_count, 3);
}

static void a_sink_that_is_busy_is_reported_and_counted(void **state) {
    struct fixture *f = *state;
    f->push_status = SN_ERR_BUSY;
    put_ok(f);
    assert_int_equal(take(f, sn_buf_str(&f->body), SN_REMOTE_WRITE_1), SN_ERR_BUSY);
    assert_string_equal(f->err.text, "the queue is full");
    assert_int_equal(rejected(f, SN_INGEST_NOT_STORED), 1);
}

static void every_failing_allocation_is_survived(void **state) {
    struct fixture *f = *state;
#ifndef SN_FAULTS
    skip();
#endif
    struct sn_str body = SN_STR("\x22\x00\x22\x08__name__\x22\x01"
                                "a\x2a\x0a\x0a\x02\x01\x02\x12\x00\x1a\x00\x22\x00");
    f->is_quiet = true;
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        sn_status status = take(f, body, SN_REMOTE_WRITE_2);
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!is_fired) {
            assert_int_equal(status, SN_OK);
            break;
        }
        assert_true(status == SN_ERR_NO_MEMORY || status == SN_OK);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(samples_reach_the_sink_bit_by_bit),
        TEST(labels_in_any_order_are_sorted_and_empty_ones_dropped),
        TEST(extra_labels_are_added_and_win),
        TEST(metadata_reach_the_sink_once_while_they_repeat),
        TEST(histograms_are_counted_apart_and_exemplars_are_no_loss),
        TEST(an_empty_request_is_a_batch_of_nothing),
        TEST(a_series_with_bad_labels_is_left_out_alone),
        TEST(the_label_count_limit_holds_at_both_sides),
        TEST(times_outside_of_1970_to_9999_are_left_out),
        TEST(histograms_that_make_no_sense_are_left_out),
        TEST(the_request_limit_holds_at_both_sides),
        TEST(exemplars_and_metadata_beyond_a_limit_are_counted_and_no_loss),
        TEST(what_is_malformed_is_refused_as_a_whole),
        TEST(a_sink_that_is_busy_is_reported_and_counted),
        TEST(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("remote_write", tests, NULL, NULL);
}
