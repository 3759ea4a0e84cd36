/*
 * Ingest: the text protocol, and the accounting that all protocols share.
 *
 *     body -> page (reader, builder, what was rejected) -> batch -> counted push -> sink
 *
 * 1. Between parsing and the sink there is one door, push_counted: whoever pushes through it has
 *    its samples counted, once, when their fate is known.
 * 2. A flight is a batch whose fate is open. It is owned by the pushing call, which learns how many
 *    samples were taken, and by the sink, which learns whether they are durable; the last one
 *    counts and frees it.
 *
 * Any thread. No state but counters.
 */
#include "ingest/ingest.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/text.h"

#include <stdatomic.h>

enum { SAMPLE_LABELS_MAX = 1 + 2 * SN_LABELS_MAX }; /* name, those of the line, extra ones */

const char *sn_ingest_protocol_name(enum sn_ingest_protocol protocol) {
    switch (protocol) {
    case SN_INGEST_PROMETHEUS_TEXT:
        return "prometheus_text";
    case SN_INGEST_PROTOCOL_COUNT:
        break;
    }
    return "unknown";
}

const char *sn_ingest_reason_name(unsigned reason) {
    if (reason < SN_REJECT_COUNT) {
        return sn_reject_name((enum sn_reject)reason);
    }
    switch ((enum sn_ingest_reason)reason) {
    case SN_INGEST_LABEL_LIMIT:
        return "label_limit";
    case SN_INGEST_REQUEST_LIMIT:
        return "request_limit";
    case SN_INGEST_METADATA_LIMIT:
        return "metadata_limit";
    case SN_INGEST_NOT_STORED:
        return "not_stored";
    case SN_INGEST_REASON_COUNT:
        break;
    }
    return "unknown";
}

/* ---- counting ---- */

static void count(_Atomic uint64_t *counter, uint64_t more) {
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

struct flight {
    struct sn_ingest *ingest;
    enum sn_ingest_protocol protocol;
    struct sn_push_done done; /* of the caller */
    uint64_t accepted_count;  /* written by the pushing call */
    sn_status status;         /* written by the sink */
    atomic_int owner_count;
};

/* The other owner's writes are visible to the last one: the decrement is seq_cst. */
static void flight_unref(struct flight *flight) {
    if (atomic_fetch_sub(&flight->owner_count, 1) != 1) {
        return;
    }
    count(flight->status == SN_OK ? &flight->ingest->ingested_count[flight->protocol]
                                  : &flight->ingest->rejected_count[SN_INGEST_NOT_STORED],
          flight->accepted_count);
    sn_free(flight);
}

static void flight_done(void *ctx, sn_status status, const struct sn_err *err) {
    struct flight *flight = ctx;
    struct sn_push_done done = flight->done;
    flight->status = status;
    /* Count first where possible: whoever waits for `done` may read the counters next. */
    flight_unref(flight);
    if (done.fn != NULL) {
        done.fn(done.ctx, status, err);
    }
}

/* What push_counted needs to know; lives for one call of push. */
struct counted_door {
    struct sn_ingest *ingest;
    enum sn_ingest_protocol protocol;
};

/* A sink's push that counts. */
static sn_status push_counted(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                              struct sn_push_result *ret_result, struct sn_err *err) {
    const struct counted_door *door = ctx;
    struct sn_ingest *ingest = door->ingest;
    uint64_t pushed_count = batch->sample_count + batch->histogram_count;
    struct flight *flight = sn_alloc_zero(1, sizeof *flight);
    if (flight == NULL) {
        count(&ingest->rejected_count[SN_INGEST_NOT_STORED], pushed_count);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to push %llu samples",
                          (unsigned long long)pushed_count);
    }
    *flight = (struct flight){.ingest = ingest, .protocol = door->protocol, .done = done};
    atomic_init(&flight->owner_count, 2);
    struct sn_push_result result = {.accepted_count = 0};
    struct sn_push_done counted = {.fn = flight_done, .ctx = flight};
    sn_status status = ingest->sink.push(ingest->sink.ctx, batch, counted, &result, err);
    if (status != SN_OK) {
        sn_free(flight); /* `done` is not called: there is no other owner */
        count(&ingest->rejected_count[SN_INGEST_NOT_STORED], pushed_count);
        return status;
    }
    flight->accepted_count = result.accepted_count;
    flight_unref(flight);
    for (unsigned i = 0; i < SN_REJECT_COUNT; i++) {
        count(&ingest->rejected_count[i], result.rejected_count[i]);
    }
    *ret_result = result;
    return SN_OK;
}

/* ---- a page of text ---- */

/* One request while it is read. On the stack of its thread. */
struct page {
    const struct sn_ingest_options *options;
    size_t samples_max;
    struct sn_text_reader reader;
    struct sn_arena texts; /* text that had escapes; lives until the batch is pushed */
    struct sn_batch_builder builder;
    struct sn_metadata metadata; /* of the metric whose HELP or TYPE came last */
    bool has_metadata;
    struct sn_ingest_result result;
};

static void page_init(struct page *page, struct sn_str body,
                      const struct sn_ingest_options *options) {
    page->options = options;
    page->samples_max = options->samples_max > 0 ? options->samples_max : SN_INGEST_SAMPLES_MAX;
    page->has_metadata = false;
    memset(&page->result, 0, sizeof page->result);
    sn_text_reader_init(&page->reader, body);
    sn_arena_init(&page->texts, SN_ARENA_LIMIT_DEFAULT);
    sn_batch_builder_init(&page->builder, SN_INGEST_MEMORY_MAX);
}

static void page_release(struct page *page) {
    sn_batch_builder_release(&page->builder);
    sn_arena_release(&page->texts);
}

/* Count something that is left out; the first sentence is kept, with its line. */
static void page_reject(struct page *page, unsigned reason, const char *sentence) {
    page->result.rejected_count[reason]++;
    if (page->result.first_reject.status == SN_OK) {
        (void)sn_err_set(&page->result.first_reject, SN_ERR_LIMIT, "line %zu: %s",
                         sn_text_reader_line(&page->reader), sentence);
    }
}

/* Add a label that wins against one of the same name; the new count. */
static size_t put_extra_label(struct sn_label *items, size_t count, struct sn_label extra) {
    for (size_t i = 0; i < count; i++) {
        if (sn_str_equal(items[i].name, extra.name)) {
            items[i] = extra;
            return count;
        }
    }
    items[count] = extra;
    return count + 1;
}

/* Labels of a sample, extra ones included; none when a limit says to leave the sample out. */
static sn_status make_labels(struct page *page, const struct sn_text_entry *entry,
                             struct sn_label items[SAMPLE_LABELS_MAX], struct sn_labels *ret_labels,
                             struct sn_err *err) {
    struct sn_labels extra = page->options->extra_labels;
    size_t count = 1 + entry->label_count;
    SN_TRY(sn_text_entry_labels(entry, &page->texts, items, err));
    for (size_t i = 0; i < extra.count; i++) {
        count = put_extra_label(items, count, extra.items[i]);
    }
    struct sn_err why = {.status = SN_OK};
    sn_status status = sn_labels_make(items, count, ret_labels, &why);
    if (status == SN_ERR_LIMIT) {
        page_reject(page, SN_INGEST_LABEL_LIMIT, why.text);
        ret_labels->count = 0;
        return SN_OK;
    }
    if (status != SN_OK) {
        return sn_err_set(err, status, "line %zu: %s", sn_text_reader_line(&page->reader),
                          why.text);
    }
    return SN_OK;
}

/* Whether a sample is within the limits that can be told before its labels are made. */
static bool sample_is_within_limits(struct page *page, const struct sn_text_entry *entry,
                                    int64_t time_ms) {
    if (time_ms > SN_TIME_MS_MAX) {
        page_reject(page, SN_REJECT_TOO_NEW, "the timestamp is beyond the year 9999");
        return false;
    }
    if (entry->label_count > SN_LABELS_MAX) {
        page_reject(page, SN_INGEST_LABEL_LIMIT, "the series has more labels than a series may");
        return false;
    }
    if (page->builder.sample_count >= page->samples_max) {
        page_reject(page, SN_INGEST_REQUEST_LIMIT, "the request has more samples than one may");
        return false;
    }
    return true;
}

static sn_status add_sample(struct page *page, const struct sn_text_entry *entry,
                            struct sn_err *err) {
    struct sn_label items[SAMPLE_LABELS_MAX];
    struct sn_labels labels = {NULL, 0};
    bool has_own_time = entry->has_time && !page->options->is_ignoring_timestamps;
    int64_t time_ms = has_own_time ? entry->time_ms : page->options->default_time_ms;
    if (!sample_is_within_limits(page, entry, time_ms)) {
        return SN_OK;
    }
    SN_TRY(make_labels(page, entry, items, &labels, err));
    if (labels.count == 0) {
        return SN_OK;
    }
    return sn_batch_builder_add(&page->builder, labels, time_ms, entry->value, err);
}

/* Hand over what HELP and TYPE said about the last metric. */
static sn_status flush_metadata(struct page *page, struct sn_err *err) {
    if (!page->has_metadata) {
        return SN_OK;
    }
    page->has_metadata = false;
    return sn_batch_builder_add_metadata(&page->builder, &page->metadata, err);
}

/* HELP and TYPE of one metric stand together and become one entry. */
static sn_status add_metadata(struct page *page, const struct sn_text_entry *entry,
                              struct sn_err *err) {
    struct sn_str name;
    struct sn_str help;
    SN_TRY(sn_text_resolve(entry->metric_name, &page->texts, &name, err));
    SN_TRY(sn_text_resolve(entry->help, &page->texts, &help, err));
    if (name.len > SN_LABEL_VALUE_BYTES_MAX || help.len > SN_METADATA_BYTES_MAX) {
        page_reject(page, SN_INGEST_METADATA_LIMIT, "help or name of a metric is too long");
        return SN_OK;
    }
    if (!page->has_metadata || !sn_str_equal(page->metadata.metric_name, name)) {
        SN_TRY(flush_metadata(page, err));
        page->metadata = (struct sn_metadata){.metric_name = name};
        page->has_metadata = true;
    }
    if (entry->kind == SN_TEXT_HELP) {
        page->metadata.help = help;
    } else {
        page->metadata.type = entry->type;
    }
    return SN_OK;
}

/* Read everything; after a failure the page is of no use. */
static sn_status read_page(struct page *page, struct sn_err *err) {
    for (;;) {
        struct sn_text_entry entry;
        SN_TRY(sn_text_reader_next(&page->reader, &entry, err));
        switch (entry.kind) {
        case SN_TEXT_END:
            return flush_metadata(page, err);
        case SN_TEXT_SAMPLE:
            SN_TRY(add_sample(page, &entry, err));
            break;
        case SN_TEXT_HELP:
        case SN_TEXT_TYPE:
            SN_TRY(add_metadata(page, &entry, err));
            break;
        }
    }
}

/* The page's own result and the sink's become one. */
static void add_push_result(struct sn_ingest_result *result, const struct sn_push_result *pushed) {
    result->accepted_count = pushed->accepted_count;
    for (unsigned i = 0; i < SN_REJECT_COUNT; i++) {
        result->rejected_count[i] += pushed->rejected_count[i];
    }
    if (result->first_reject.status == SN_OK) {
        result->first_reject = pushed->first_reject;
    }
}

/* Push what was read; wait until it is durable when done is NULL. */
static sn_status push_page(struct sn_ingest *ingest, const struct page *page,
                           const struct sn_push_done *done, struct sn_push_result *ret_pushed,
                           struct sn_err *err) {
    struct counted_door door = {.ingest = ingest, .protocol = SN_INGEST_PROMETHEUS_TEXT};
    struct sn_batch batch = sn_batch_builder_view(&page->builder);
    if (done != NULL) {
        return push_counted(&door, &batch, *done, ret_pushed, err);
    }
    struct sn_sink sink = {.ctx = &door, .push = push_counted};
    return sn_sink_push_wait(sink, &batch, ret_pushed, err);
}

static sn_status check_request(struct sn_str body, const struct sn_ingest_options *options,
                               struct sn_err *err) {
    if (body.len > SN_HTTP_BODY_BYTES_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "a page has %zu bytes, the limit is %zu", body.len,
                          SN_HTTP_BODY_BYTES_MAX);
    }
    if (options->default_time_ms < SN_TIME_MS_MIN || options->default_time_ms > SN_TIME_MS_MAX) {
        return sn_err_set(err, SN_ERR_INVALID, "default time %lld ms is not in 1970 to 9999",
                          (long long)options->default_time_ms);
    }
    return sn_labels_validate(options->extra_labels, err);
}

/* done NULL: wait. */
static sn_status take_page(struct sn_ingest *ingest, struct sn_str body,
                           const struct sn_ingest_options *options, const struct sn_push_done *done,
                           struct sn_ingest_result *ret_result, struct sn_err *err) {
    struct page page;
    struct sn_push_result pushed = {.accepted_count = 0};
    SN_TRY(check_request(body, options, err));
    page_init(&page, body, options);
    sn_status status = read_page(&page, err);
    if (status == SN_OK) {
        status = push_page(ingest, &page, done, &pushed, err);
    }
    if (status == SN_OK) {
        for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
            count(&ingest->rejected_count[i], page.result.rejected_count[i]);
        }
        add_push_result(&page.result, &pushed);
        *ret_result = page.result;
    }
    page_release(&page);
    return status;
}

static sn_status take_counted(struct sn_ingest *ingest, struct sn_str body,
                              const struct sn_ingest_options *options,
                              const struct sn_push_done *done, struct sn_ingest_result *ret_result,
                              struct sn_err *err) {
    sn_status status = take_page(ingest, body, options, done, ret_result, err);
    count(&ingest->request_count, 1);
    count(&ingest->refused_request_count, status != SN_OK);
    return status;
}

/* ---- public ---- */

void sn_ingest_init(struct sn_ingest *ingest, struct sn_sink sink) {
    memset(ingest, 0, sizeof *ingest);
    ingest->sink = sink;
}

sn_status sn_ingest_text(struct sn_ingest *ingest, struct sn_str body,
                         const struct sn_ingest_options *options, struct sn_push_done done,
                         struct sn_ingest_result *ret_result, struct sn_err *err) {
    return take_counted(ingest, body, options, &done, ret_result, err);
}

sn_status sn_ingest_text_wait(struct sn_ingest *ingest, struct sn_str body,
                              const struct sn_ingest_options *options,
                              struct sn_ingest_result *ret_result, struct sn_err *err) {
    return take_counted(ingest, body, options, NULL, ret_result, err);
}

static uint64_t load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct sn_ingest_counters sn_ingest_read_counters(const struct sn_ingest *ingest) {
    struct sn_ingest_counters counters = {
        .request_count = load(&ingest->request_count),
        .refused_request_count = load(&ingest->refused_request_count),
    };
    for (unsigned i = 0; i < SN_INGEST_PROTOCOL_COUNT; i++) {
        counters.ingested_count[i] = load(&ingest->ingested_count[i]);
    }
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
        counters.rejected_count[i] = load(&ingest->rejected_count[i]);
    }
    return counters;
}
