/* See ingest_support.h. */
#include "ingest_support.h"

#include "base/arena.h"
#include "model/histogram.h"

#include <stdio.h>
#include <stdlib.h>

void book_init(struct book *book) {
    *book = (struct book){.push_count = 0};
    sn_buf_init(&book->text, 0);
}

void book_release(struct book *book) {
    sn_buf_release(&book->text);
}

static void put_series(struct book *book, const struct sn_batch *batch, uint32_t series) {
    struct sn_arena arena;
    struct sn_labels labels;
    sn_arena_init(&arena, 0);
    assert_true(series < batch->series_count);
    assert_int_equal(sn_labels_decode(batch->series[series].labels, &arena, &labels, NULL), SN_OK);
    sn_labels_format(labels, &book->text);
    sn_arena_release(&arena);
}

static void put_double(struct book *book, double value) {
    char text[64];
    if (sn_is_stale(value)) {
        sn_buf_put_text(&book->text, "stale");
        return;
    }
    (void)snprintf(text, sizeof text, "%.10g", value);
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == ',' ? '.' : *at; /* some runs have a decimal comma */
    }
    sn_buf_put_text(&book->text, text);
}

static void put_tail(struct book *book, int64_t series_start_ms, int64_t start_ms,
                     int64_t time_ms) {
    sn_buf_printf(&book->text, " @%lld", (long long)time_ms);
    if (start_ms != 0 || series_start_ms != 0) {
        sn_buf_printf(&book->text, " start=%lld",
                      (long long)(start_ms != 0 ? start_ms : series_start_ms));
    }
    sn_buf_put_text(&book->text, "\n");
}

static void put_side(struct book *book, const char *name, const struct sn_bucket_span *spans,
                     uint32_t span_count, const double *counts) {
    size_t at = 0;
    for (uint32_t i = 0; i < span_count; i++) {
        sn_buf_printf(&book->text, " %s[%d,%u]", name, spans[i].offset, spans[i].length);
        for (uint32_t j = 0; j < spans[i].length; j++) {
            sn_buf_put_text(&book->text, j == 0 ? ":" : ",");
            put_double(book, counts[at++]);
        }
    }
}

static void put_histogram(struct book *book, const struct sn_batch *batch,
                          const struct sn_batch_histogram *item) {
    const struct sn_histogram *histogram = &item->histogram;
    put_series(book, batch, item->series);
    sn_buf_printf(&book->text, " schema=%d hint=%d count=", histogram->schema,
                  (int)histogram->reset_hint);
    put_double(book, histogram->count);
    sn_buf_put_text(&book->text, " sum=");
    put_double(book, histogram->sum);
    sn_buf_put_text(&book->text, " zero=");
    put_double(book, histogram->zero_count);
    put_side(book, "+", histogram->positive_spans, histogram->positive_span_count,
             histogram->positive_counts);
    put_side(book, "-", histogram->negative_spans, histogram->negative_span_count,
             histogram->negative_counts);
    put_tail(book, batch->series[item->series].start_time_ms, item->start_time_ms, item->time_ms);
}

static void put_exemplar(struct book *book, const struct sn_batch *batch,
                         const struct sn_batch_exemplar *item) {
    put_series(book, batch, item->series);
    sn_buf_put_text(&book->text, " # ");
    sn_labels_format(item->exemplar.labels, &book->text);
    sn_buf_put_text(&book->text, " ");
    put_double(book, item->exemplar.value);
    sn_buf_printf(&book->text, " @%lld\n", (long long)item->exemplar.time_ms);
}

static void put_batch(struct book *book, const struct sn_batch *batch) {
    for (size_t i = 0; i < batch->sample_count; i++) {
        const struct sn_batch_sample *sample = &batch->samples[i];
        put_series(book, batch, sample->series);
        sn_buf_put_text(&book->text, " ");
        put_double(book, sample->value);
        put_tail(book, batch->series[sample->series].start_time_ms, sample->start_time_ms,
                 sample->time_ms);
    }
    for (size_t i = 0; i < batch->histogram_count; i++) {
        put_histogram(book, batch, &batch->histograms[i]);
    }
    for (size_t i = 0; i < batch->exemplar_count; i++) {
        put_exemplar(book, batch, &batch->exemplars[i]);
    }
    for (size_t i = 0; i < batch->metadata_count; i++) {
        const struct sn_metadata *metadata = &batch->metadata[i];
        sn_buf_printf(&book->text, "# %.*s %s [%.*s] %.*s\n", SN_STR_ARG(metadata->metric_name),
                      sn_metric_type_name(metadata->type), SN_STR_ARG(metadata->unit),
                      SN_STR_ARG(metadata->help));
    }
}

static sn_status book_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                           struct sn_push_result *ret_result, struct sn_err *err) {
    struct book *book = ctx;
    if (book->push_status != SN_OK) {
        return sn_err_set(err, book->push_status, "the sink said no");
    }
    book->push_count++;
    if (!book->is_closed) {
        put_batch(book, batch);
    }
    struct sn_push_result result = {
        .accepted_count = batch->sample_count + batch->histogram_count - book->refused_count,
        .accepted_histogram_count = batch->histogram_count,
        .accepted_exemplar_count = batch->exemplar_count,
    };
    result.rejected_count[SN_REJECT_DUPLICATE] = book->refused_count;
    if (book->refused_count > 0) {
        (void)sn_err_set(&result.first_reject, SN_ERR_INVALID, "it is there already");
    }
    *ret_result = result;
    struct sn_err why = {.status = SN_OK};
    if (book->done_status != SN_OK) {
        (void)sn_err_set(&why, book->done_status, "the disk said no");
    }
    if (done.fn != NULL) {
        done.fn(done.ctx, book->done_status, &why);
    }
    return SN_OK;
}

struct sn_sink book_sink(struct book *book) {
    return (struct sn_sink){.ctx = book, .push = book_push};
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *book_read(struct book *book) {
    static char sorted[1 << 16];
    static char copy[1 << 16];
    char *lines[1024];
    size_t count = 0, len = 0;
    assert_int_equal(book->text.status, SN_OK);
    assert_true(book->text.len < sizeof copy);
    memcpy(copy, book->text.len > 0 ? (const char *)book->text.ptr : "", book->text.len);
    copy[book->text.len] = '\0';
    for (char *at = copy; *at != '\0'; count++) {
        assert_true(count < 1024);
        lines[count] = at;
        at = strchr(at, '\n');
        assert_non_null(at);
        *at++ = '\0';
    }
    qsort(lines, count, sizeof lines[0], compare_lines);
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(sorted + len, sizeof sorted - len, "%s\n", lines[i]);
    }
    sorted[len] = '\0';
    sn_buf_reset(&book->text);
    return sorted;
}
