/* Ingest of text pages: what reaches the sink, what is left out, counting, failures, threads. */
#include "ingest/ingest.h"

#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_SIZE = 1 << 14 };

/*
 * A sink that writes down what it is given. Answers at once, or later when told to. One thread,
 * except for the counters.
 */
struct fake_sink {
    sn_status push_status;
    sn_status done_status;
    bool is_answering_later;
    struct sn_push_done pending;
    struct sn_push_result result; /* of the next push; accepted_count is filled in */
    char text[TEXT_SIZE];         /* "labels value @time\n" */
    _Atomic uint64_t push_count;
    _Atomic uint64_t sample_count;
};

static void put(struct sn_buf *buf, const struct sn_batch *batch) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < batch->sample_count; i++) {
        const struct sn_batch_sample *sample = &batch->samples[i];
        struct sn_labels labels;
        assert_true(sample->series < batch->series_count);
        assert_int_equal(
            sn_labels_decode(batch->series[sample->series].labels, &arena, &labels, NULL), SN_OK);
        sn_labels_format(labels, buf);
        sn_buf_printf(buf, " %lld @%lld", (long long)sample->value, (long long)sample->time_ms);
        if (sample->start_time_ms != 0)
            sn_buf_printf(buf, " since %lld", (long long)sample->start_time_ms);
        sn_buf_put_byte(buf, '\n');
    }
    for (size_t i = 0; i < batch->metadata_count; i++) {
        const struct sn_metadata *m = &batch->metadata[i];
        sn_buf_printf(buf, "# %.*s %s %.*s\n", SN_STR_ARG(m->metric_name),
                      sn_metric_type_name(m->type), SN_STR_ARG(m->help));
    }
    sn_arena_release(&arena);
}

static void answer(struct fake_sink *fake) {
    struct sn_err err = {.status = SN_OK};
    if (fake->done_status != SN_OK) {
        (void)sn_err_set(&err, fake->done_status, "the disk said no");
    }
    struct sn_push_done done = fake->pending;
    fake->pending = (struct sn_push_done){.fn = NULL};
    done.fn(done.ctx, fake->done_status, &err);
}

static sn_status fake_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct fake_sink *fake = ctx;
    if (fake->push_status != SN_OK) {
        return sn_err_set(err, fake->push_status, "the queue is full");
    }
    struct sn_buf buf;
    sn_buf_init(&buf, TEXT_SIZE - 1);
    put(&buf, batch);
    memcpy(fake->text, buf.ptr != NULL ? (const char *)buf.ptr : "", buf.len);
    fake->text[buf.len] = '\0';
    sn_buf_release(&buf);
    fake->push_count++;
    fake->sample_count += batch->sample_count;
    fake->pending = done;
    *ret_result = fake->result;
    ret_result->accepted_count = batch->sample_count;
    for (int i = 0; i < SN_REJECT_COUNT; i++) {
        ret_result->accepted_count -= fake->result.rejected_count[i];
    }
    if (!fake->is_answering_later) {
        answer(fake);
    }
    return SN_OK;
}

struct fixture {
    struct fake_sink fake;
    struct sn_ingest ingest;
    struct sn_ingest_options options;
    struct sn_ingest_result result;
    struct sn_err err;
    int done_count;
    sn_status done_status;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return -1;
    }
    sn_ingest_init(&f->ingest, (struct sn_sink){.ctx = &f->fake, .push = fake_push});
    f->options.default_time_ms = 1000;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static void note_done(void *ctx, sn_status status, const struct sn_err *err) {
    struct fixture *f = ctx;
    (void)err;
    f->done_count++;
    f->done_status = status;
}

static sn_status ingest(struct fixture *f, struct sn_str body) {
    struct sn_push_done done = {.fn = note_done, .ctx = f};
    f->err = (struct sn_err){.status = SN_OK};
    return sn_ingest_text(&f->ingest, body, &f->options, done, &f->result, &f->err);
}

static struct sn_ingest_counters counters(struct fixture *f) {
    return sn_ingest_read_counters(&f->ingest);
}

static uint64_t ingested(struct fixture *f) {
    return counters(f).ingested_count[SN_INGEST_PROMETHEUS_TEXT];
}

/* ---- what reaches the sink ---- */

static void samples_and_metadata_reach_the_sink(void **state) {
    struct fixture *f = *state;
    struct sn_str body =
        SN_STR("# HELP a what\\nit is\n# TYPE a counter\na{b=\"x\\\"y\"} 1 5\na 2\n"
               "# TYPE c gauge\n{\"c.d\"} 3\n");
    assert_int_equal(ingest(f, body), SN_OK);
    assert_string_equal(f->fake.text, "a{b=\"x\\\"y\"} 1 @5\na 2 @1000\n{\"c.d\"} 3 @1000\n"
                                      "# a counter what\nit is\n# c gauge \n");
    assert_int_equal(f->result.accepted_count, 3);
    assert_int_equal(f->result.first_reject.status, SN_OK);
    assert_int_equal(f->done_count, 1);
    assert_int_equal(f->done_status, SN_OK);
    assert_int_equal(ingested(f), 3);
    assert_int_equal(counters(f).request_count, 1);
    assert_int_equal(counters(f).refused_request_count, 0);
}

static void starts_reach_the_sink_unless_they_lie_behind_the_sample(void **state) {
    struct fixture *f = *state;
    struct sn_str body = SN_STR("# SONDE_START 400\na 1 500\nb 2 500\n"
                                "# SONDE_START 501\nc 3 500\n# SONDE_START 500\nd 4 500\n");
    assert_int_equal(ingest(f, body), SN_OK);
    assert_string_equal(f->fake.text, "a 1 @500 since 400\nb 2 @500\nc 3 @500\n"
                                      "d 4 @500 since 500\n");
}

static void an_empty_page_is_a_batch_of_nothing(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ingest(f, SN_STR("")), SN_OK);
    assert_int_equal(f->result.accepted_count, 0);
    assert_int_equal(f->done_count, 1);
}

static void extra_labels_are_added_and_win(void **state) {
    struct fixture *f = *state;
    struct sn_label extra[] = {{SN_STR("instance"), SN_STR("host")}, {SN_STR("job"), SN_STR("j")}};
    f->options.extra_labels = (struct sn_labels){extra, 2};
    assert_int_equal(ingest(f, SN_STR("a{job=\"own\",z=\"1\"} 1\n")), SN_OK);
    assert_string_equal(f->fake.text, "a{instance=\"host\",job=\"j\",z=\"1\"} 1 @1000\n");
}

static void timestamps_can_be_ignored(void **state) {
    struct fixture *f = *state;
    f->options.is_ignoring_timestamps = true;
    assert_int_equal(ingest(f, SN_STR("a 1 5\na 2\n")), SN_OK);
    assert_string_equal(f->fake.text, "a 1 @1000\na 2 @1000\n");
}

static void the_clock_may_stand_in_1970_or_2100(void **state) {
    struct fixture *f = *state;
    f->options.default_time_ms = 0;
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_OK);
    assert_string_equal(f->fake.text, "a 1 @0\n");
    f->options.default_time_ms = INT64_C(4102444800000);
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_OK);
    assert_string_equal(f->fake.text, "a 1 @4102444800000\n");
}

static void duplicates_are_left_to_the_sink(void **state) {
    struct fixture *f = *state;
    f->fake.result.rejected_count[SN_REJECT_DUPLICATE] = 1;
    (void)sn_err_set(&f->fake.result.first_reject, SN_ERR_EXISTS, "a is there already");
    assert_int_equal(ingest(f, SN_STR("a 1 5\na 2 5\n")), SN_OK);
    assert_string_equal(f->fake.text, "a 1 @5\na 2 @5\n");
    assert_int_equal(f->result.accepted_count, 1);
    assert_int_equal(f->result.rejected_count[SN_REJECT_DUPLICATE], 1);
    assert_string_equal(f->result.first_reject.text, "a is there already");
    assert_int_equal(counters(f).rejected_count[SN_REJECT_DUPLICATE], 1);
    assert_int_equal(ingested(f), 1);
}

/* ---- what is refused, and what is left out ---- */

static void bad_pages_are_refused_as_a_whole_with_their_line(void **state) {
    struct fixture *f = *state;
    const struct {
        struct sn_str body;
        const char *text;
    } cases[] = {
        {SN_STR("a 1\nb{c=\"d\" 2\n"), "line 2, column 9: expected a label name or '}', found '2'"},
        {SN_STR("a 1\n\0"),
         "line 2, column 1: expected a metric name, '{' or '#', found byte 0x00"},
        {SN_STR("\x89PNG\r\n\x1a\n"),
         "line 1, column 1: expected a metric name, '{' or '#', found byte 0x89"},
        {SN_STR("a 1\nb{c=\"\xc3\x28\"} 1\n"), "line 2, column 6: text in quotes is not UTF-8"},
        {SN_STR("a 1\na{b=\"1\",b=\"1\"} 1\n"), "line 2, column 9: this label name is there twice"},
        {SN_STR("a 1\na{\"\\n\"=\"1\",\"\n\"=\"1\"} 1\n"), "line 2: label \"\n\" is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ingest(f, cases[i].body), SN_ERR_INVALID);
        assert_string_equal(f->err.text, cases[i].text);
    }
    assert_int_equal(f->fake.push_count, 0);
    assert_int_equal(f->done_count, 0);
    assert_int_equal(counters(f).refused_request_count, sizeof cases / sizeof cases[0]);
    assert_int_equal(ingested(f), 0);
}

static void every_cut_of_a_page_is_taken_or_refused(void **state) {
    struct fixture *f = *state;
    static const char body[] =
        "# HELP a x\n# TYPE a gauge\na{b=\"c\\n\"} 1 5\n{\"d.e\",f=\"g\"} 2\n";
    for (size_t len = 0; len < sizeof body; len++) {
        char *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, body, len);
        sn_status status = ingest(f, sn_str_make(exact, len));
        assert_true(status == SN_OK || (status == SN_ERR_INVALID && f->err.text[0] != '\0'));
        free(exact);
    }
}

static void options_are_checked(void **state) {
    struct fixture *f = *state;
    f->options.default_time_ms = SN_TIME_MS_MAX + 1;
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_ERR_INVALID);
    f->options.default_time_ms = -1;
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_ERR_INVALID);
    f->options.default_time_ms = SN_TIME_MS_MAX;
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_OK);
    struct sn_label unsorted[] = {{SN_STR("b"), SN_STR("1")}, {SN_STR("a"), SN_STR("1")}};
    f->options.extra_labels = (struct sn_labels){unsorted, 2};
    assert_int_equal(ingest(f, SN_STR("a 1\n")), SN_ERR_INVALID);
}

static void a_body_beyond_the_limit_is_not_looked_at(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ingest(f, sn_str_make("", SN_HTTP_BODY_BYTES_MAX + 1)), SN_ERR_LIMIT);
    assert_string_equal(f->err.text, "a body has 33554433 bytes, the limit is 33554432");
}

/* Append `name` of `len` bytes. */
static void put_long(struct sn_buf *buf, size_t len) {
    for (size_t i = 0; i < len; i++) {
        sn_buf_put_byte(buf, 'x');
    }
}

static void assert_left_out(struct fixture *f, struct sn_buf *page, unsigned reason,
                            const char *text) {
    sn_buf_put_text(page, "ok 1\n");
    assert_int_equal(sn_buf_status(page, NULL), SN_OK);
    uint64_t before = counters(f).rejected_count[reason];
    assert_int_equal(ingest(f, sn_buf_str(page)), SN_OK);
    assert_string_equal(f->fake.text, "ok 1 @1000\n");
    assert_int_equal(f->result.accepted_count, 1);
    assert_int_equal(f->result.rejected_count[reason], 1);
    assert_int_equal(counters(f).rejected_count[reason], before + 1);
    assert_string_equal(f->result.first_reject.text, text);
    sn_buf_reset(page);
}

static void samples_beyond_a_limit_are_left_out_by_reason(void **state) {
    struct fixture *f = *state;
    struct sn_buf page;
    sn_buf_init(&page, 0);
    put_long(&page, 65536);
    sn_buf_put_text(&page, " 1\n");
    assert_left_out(f, &page, SN_INGEST_LABEL_LIMIT,
                    "line 1: value of label \"__name__\" has 65536 bytes, the limit is 8192");
    sn_buf_put_text(&page, "\na{b=\"");
    put_long(&page, SN_LABEL_VALUE_BYTES_MAX + 1);
    sn_buf_put_text(&page, "\"} 1\n");
    assert_left_out(f, &page, SN_INGEST_LABEL_LIMIT,
                    "line 2: value of label \"b\" has 8193 bytes, the limit is 8192");
    sn_buf_put_text(&page, "a 1 253402300800000\n");
    assert_left_out(f, &page, SN_REJECT_TOO_NEW, "line 1: the timestamp is beyond the year 9999");
    sn_buf_put_text(&page, "# HELP a ");
    put_long(&page, SN_METADATA_BYTES_MAX + 1);
    sn_buf_put_byte(&page, '\n');
    assert_left_out(f, &page, SN_INGEST_METADATA_LIMIT,
                    "line 1: help or name of a metric is too long");
    sn_buf_release(&page);
}

static void a_million_labels_leave_one_sample_out(void **state) {
    struct fixture *f = *state;
    struct sn_buf page;
    sn_buf_init(&page, 0);
    sn_buf_put_text(&page, "a{");
    for (int i = 0; i < 1000000; i++) {
        sn_buf_printf(&page, "n%d=\"v\",", i);
    }
    sn_buf_put_text(&page, "} 1\n");
    assert_left_out(f, &page, SN_INGEST_LABEL_LIMIT,
                    "line 1: the series has more labels than a series may");
    sn_buf_release(&page);
}

/* 127 labels and the name are a full set; one more is one too many, from either side. */
static void the_label_count_limit_holds_at_both_sides(void **state) {
    struct fixture *f = *state;
    struct sn_label extra = {SN_STR("extra"), SN_STR("1")};
    struct sn_buf page;
    sn_buf_init(&page, 0);
    for (int count = 126; count <= 128; count++) {
        sn_buf_reset(&page);
        sn_buf_put_text(&page, "a{");
        for (int i = 0; i < count; i++) {
            sn_buf_printf(&page, "n%d=\"v\",", i);
        }
        sn_buf_put_text(&page, "} 1\n");
        f->options.extra_labels = (struct sn_labels){NULL, 0};
        assert_int_equal(ingest(f, sn_buf_str(&page)), SN_OK);
        assert_int_equal(f->result.accepted_count, count <= 127);
        f->options.extra_labels = (struct sn_labels){&extra, 1};
        assert_int_equal(ingest(f, sn_buf_str(&page)), SN_OK);
        assert_int_equal(f->result.accepted_count, count <= 126);
    }
    sn_buf_release(&page);
}

static void the_request_limit_holds_at_both_sides(void **state) {
    struct fixture *f = *state;
    f->options.samples_max = 2;
    assert_int_equal(ingest(f, SN_STR("a 1\nb 1\n")), SN_OK);
    assert_int_equal(f->result.rejected_count[SN_INGEST_REQUEST_LIMIT], 0);
    assert_int_equal(ingest(f, SN_STR("a 1\nb 1\nc 1\nd 1\n")), SN_OK);
    assert_int_equal(f->result.accepted_count, 2);
    assert_int_equal(f->result.rejected_count[SN_INGEST_REQUEST_LIMIT], 2);
    assert_string_equal(f->result.first_reject.text,
                        "line 3: the request has more samples than one may");
}

/* ---- the sink's answers ---- */

static void a_sink_that_is_busy_is_reported_and_counted(void **state) {
    struct fixture *f = *state;
    int64_t blocks = sn_mem_block_count();
    f->fake.push_status = SN_ERR_BUSY;
    assert_int_equal(ingest(f, SN_STR("a 1\nb 1\n")), SN_ERR_BUSY);
    assert_string_equal(f->err.text, "the queue is full");
    assert_int_equal(f->done_count, 0);
    assert_int_equal(counters(f).rejected_count[SN_INGEST_NOT_STORED], 2);
    assert_int_equal(ingested(f), 0);
    assert_int_equal(sn_mem_block_count(), blocks);
}

static void samples_count_when_they_are_durable_and_not_before(void **state) {
    struct fixture *f = *state;
    f->fake.is_answering_later = true;
    assert_int_equal(ingest(f, SN_STR("a 1\nb 1\n")), SN_OK);
    assert_int_equal(f->done_count, 0);
    assert_int_equal(ingested(f), 0);
    answer(&f->fake);
    assert_int_equal(f->done_count, 1);
    assert_int_equal(ingested(f), 2);
}

static void samples_that_the_disk_loses_are_not_counted_as_ingested(void **state) {
    struct fixture *f = *state;
    for (int later = 0; later < 2; later++) {
        f->fake.is_answering_later = later != 0;
        f->fake.done_status = SN_ERR_IO;
        assert_int_equal(ingest(f, SN_STR("a 1\nb 1\n")), SN_OK);
        if (later) {
            answer(&f->fake);
        }
        assert_int_equal(f->done_status, SN_ERR_IO);
        assert_int_equal(ingested(f), 0);
        assert_int_equal(counters(f).rejected_count[SN_INGEST_NOT_STORED], 2 * (later + 1));
    }
}

static void nobody_needs_to_wait_for_done(void **state) {
    struct fixture *f = *state;
    struct sn_push_done nobody = {.fn = NULL};
    assert_int_equal(
        sn_ingest_text(&f->ingest, SN_STR("a 1\n"), &f->options, nobody, &f->result, NULL), SN_OK);
    assert_int_equal(ingested(f), 1);
}

static void waiting_returns_what_the_disk_said(void **state) {
    struct fixture *f = *state;
    struct sn_str body = SN_STR("a 1\nb 1\n");
    assert_int_equal(sn_ingest_text_wait(&f->ingest, body, &f->options, &f->result, &f->err),
                     SN_OK);
    assert_int_equal(f->result.accepted_count, 2);
    f->fake.done_status = SN_ERR_NO_SPACE;
    assert_int_equal(sn_ingest_text_wait(&f->ingest, body, &f->options, &f->result, &f->err),
                     SN_ERR_NO_SPACE);
    assert_string_equal(f->err.text, "the disk said no");
    assert_int_equal(ingested(f), 2);
    assert_int_equal(counters(f).rejected_count[SN_INGEST_NOT_STORED], 2);
    assert_int_equal(counters(f).refused_request_count, 1);
}

/* ---- memory and threads ---- */

/* Takes everything and allocates nothing, from any thread. */
static sn_status taking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                             struct sn_push_result *ret_result, struct sn_err *err) {
    struct fake_sink *fake = ctx;
    (void)err;
    fake->sample_count += batch->sample_count;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

/* Fail every allocation in turn; how many there are. */
static uint64_t fail_each_allocation(struct fixture *f, bool is_waiting) {
    struct sn_str body = SN_STR("# HELP \"a\\\"\" x\\n\na{b=\"\\n\"} 1\n{\"c\\\\\"} 2\n");
    struct sn_push_done done = {.fn = note_done, .ctx = f};
    int64_t blocks = sn_mem_block_count();
    for (uint64_t nth = 1;; nth++) {
        uint64_t pushed = f->fake.sample_count;
        sn_mem_fail_nth(nth);
        sn_status status =
            is_waiting ? sn_ingest_text_wait(&f->ingest, body, &f->options, &f->result, &f->err)
                       : sn_ingest_text(&f->ingest, body, &f->options, done, &f->result, &f->err);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(f->fake.sample_count - pushed, has_failed ? 0 : 2);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!has_failed) {
            return nth - 1;
        }
    }
}

static void every_failing_allocation_is_reported_and_pushes_nothing(void **state) {
    struct fixture *f = *state;
    f->ingest.sink.push = taking_push;
    uint64_t failures = fail_each_allocation(f, false) + fail_each_allocation(f, true);
    assert_int_equal(ingested(f), 4);
    assert_int_equal(counters(f).refused_request_count, failures);
}

static void push_many(void *ctx) {
    struct sn_ingest *shared = ctx;
    struct sn_ingest_options options = {.default_time_ms = 1};
    for (int i = 0; i < 200; i++) {
        struct sn_ingest_result result;
        struct sn_str body = i % 4 == 0 ? SN_STR("bad\n") : SN_STR("a{b=\"\\n\"} 1\nc 2\n");
        sn_status status = sn_ingest_text_wait(shared, body, &options, &result, NULL);
        SN_CHECK(status == (i % 4 == 0 ? SN_ERR_INVALID : SN_OK));
    }
}

static void many_threads_may_ingest_at_the_same_time(void **state) {
    struct fixture *f = *state;
    struct sn_thread threads[4] = {{.is_running = false}};
    f->ingest.sink.push = taking_push;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(sn_thread_start(&threads[i], "ingest", push_many, &f->ingest, NULL),
                         SN_OK);
    }
    for (int i = 0; i < 4; i++) {
        sn_thread_join(&threads[i]);
    }
    assert_int_equal(f->fake.sample_count, 4 * 150 * 2);
    assert_int_equal(ingested(f), 4 * 150 * 2);
    assert_int_equal(counters(f).request_count, 800);
    assert_int_equal(counters(f).refused_request_count, 200);
}

static void every_reason_and_protocol_has_a_name(void **state) {
    (void)state;
    assert_string_equal(sn_ingest_reason_name(SN_REJECT_DUPLICATE), "duplicate");
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_LABEL_LIMIT), "label_limit");
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_REQUEST_LIMIT), "request_limit");
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_METADATA_LIMIT), "metadata_limit");
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_NOT_STORED), "not_stored");
    assert_string_equal(sn_ingest_reason_name(SN_INGEST_REASON_COUNT), "unknown");
    assert_string_equal(sn_ingest_protocol_name(SN_INGEST_PROMETHEUS_TEXT), "prometheus_text");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(samples_and_metadata_reach_the_sink),
        TEST(starts_reach_the_sink_unless_they_lie_behind_the_sample),
        TEST(an_empty_page_is_a_batch_of_nothing),
        TEST(extra_labels_are_added_and_win),
        TEST(timestamps_can_be_ignored),
        TEST(the_clock_may_stand_in_1970_or_2100),
        TEST(duplicates_are_left_to_the_sink),
        TEST(bad_pages_are_refused_as_a_whole_with_their_line),
        TEST(every_cut_of_a_page_is_taken_or_refused),
        TEST(options_are_checked),
        TEST(a_body_beyond_the_limit_is_not_looked_at),
        TEST(samples_beyond_a_limit_are_left_out_by_reason),
        TEST(a_million_labels_leave_one_sample_out),
        TEST(the_label_count_limit_holds_at_both_sides),
        TEST(the_request_limit_holds_at_both_sides),
        TEST(a_sink_that_is_busy_is_reported_and_counted),
        TEST(samples_count_when_they_are_durable_and_not_before),
        TEST(samples_that_the_disk_loses_are_not_counted_as_ingested),
        TEST(nobody_needs_to_wait_for_done),
        TEST(waiting_returns_what_the_disk_said),
        TEST(every_failing_allocation_is_reported_and_pushes_nothing),
        TEST(many_threads_may_ingest_at_the_same_time),
        TEST(every_reason_and_protocol_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
