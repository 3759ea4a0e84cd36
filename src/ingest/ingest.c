/*
 * Ingest: the text protocol. The accounting is in account.c.
 *
 * Any thread. No state but counters.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "ingest/ingest_priv.h"
#include "wire/openmetrics.h"

/* One request while it is read. */
struct page {
    const struct sn_ingest_options *options;
    size_t samples_max;
    struct sn_openmetrics_reader reader; /* of the text format only its `text` is used */
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
    if (options->is_openmetrics)
        sn_openmetrics_reader_init(&page->reader, body);
    else
        sn_text_reader_init(&page->reader.text, body);
    sn_arena_init(&page->texts, SN_ARENA_LIMIT_DEFAULT);
    sn_batch_builder_init(&page->builder, SN_INGEST_MEMORY_MAX);
}

static void page_release(struct page *page) {
    sn_batch_builder_release(&page->builder);
    sn_arena_release(&page->texts);
}

/* Count something that is left out; the first sentence is kept, with its line. */
static void page_reject(struct page *page, unsigned reason, const char *sentence) {
    page->result.lost_count += reason != SN_INGEST_METADATA_LIMIT;
    sn_ingest_reject(&page->result, reason, "line", sn_text_reader_line(&page->reader.text),
                     sentence);
}

/* Labels of a sample, extra ones included; none when a limit says to leave the sample out. */
static sn_status make_labels(struct page *page, const struct sn_text_entry *entry,
                             struct sn_label items[SN_INGEST_LABELS_MAX],
                             struct sn_labels *ret_labels, struct sn_err *err) {
    size_t count = 1 + entry->label_count;
    SN_TRY(sn_text_entry_labels(entry, &page->texts, items, err));
    count = sn_ingest_put_labels(items, count, page->options->extra_labels);
    struct sn_err why = {.status = SN_OK};
    sn_status status = sn_labels_make(items, count, ret_labels, &why);
    if (status == SN_ERR_LIMIT) {
        page_reject(page, SN_INGEST_LABEL_LIMIT, why.text);
        ret_labels->count = 0;
        return SN_OK;
    }
    if (status != SN_OK) {
        return sn_err_set(err, status, "line %zu: %s", sn_text_reader_line(&page->reader.text),
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
    struct sn_label items[SN_INGEST_LABELS_MAX];
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
    SN_TRY(sn_batch_builder_add(&page->builder, labels, time_ms, entry->value, err));
    if (entry->start_ms != 0 && entry->start_ms <= time_ms) {
        sn_batch_builder_set_sample_start(&page->builder, entry->start_ms);
    }
    return SN_OK;
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

static sn_status next_entry(struct page *page, struct sn_text_entry *ret_entry,
                            struct sn_err *err) {
    if (page->options->is_openmetrics)
        return sn_openmetrics_reader_next(&page->reader, ret_entry, err);
    return sn_text_reader_next(&page->reader.text, ret_entry, err);
}

/* Read everything; after a failure the page is of no use. */
static sn_status read_page(struct page *page, struct sn_err *err) {
    for (;;) {
        struct sn_text_entry entry;
        SN_TRY(next_entry(page, &entry, err));
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
        case SN_TEXT_UNIT: /* OpenMetrics only */
            break;
        }
    }
}

/* done NULL: wait. */
static sn_status take_page(struct sn_ingest *ingest, struct sn_str body,
                           const struct sn_ingest_options *options, const struct sn_push_done *done,
                           struct sn_ingest_result *ret_result, struct sn_err *err) {
    SN_TRY(sn_ingest_check_request(body, options, err));
    /* The readers keep the labels of a line: too much for the stack. */
    SN_CLEANUP(sn_free_ptr) struct page *page = sn_alloc(sizeof *page);
    if (page == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read a page");
    }
    page_init(page, body, options);
    sn_status status = read_page(page, err);
    if (status == SN_OK) {
        struct sn_batch batch = sn_batch_builder_view(&page->builder);
        status =
            sn_ingest_push(ingest, SN_INGEST_PROMETHEUS_TEXT, &batch, done, &page->result, err);
    }
    if (status == SN_OK) {
        *ret_result = page->result;
    }
    page_release(page);
    return status;
}

static sn_status take_counted(struct sn_ingest *ingest, struct sn_str body,
                              const struct sn_ingest_options *options,
                              const struct sn_push_done *done, struct sn_ingest_result *ret_result,
                              struct sn_err *err) {
    sn_status status = take_page(ingest, body, options, done, ret_result, err);
    sn_ingest_count_request(ingest, status);
    return status;
}

/* ---- public ---- */

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
