/*
 * From a page to a batch. See scrape_page.h. What a series becomes is in scrape_series.c.
 */
#include "collect/scrape_page.h"

#include "base/check.h"
#include "collect/scrape_series_priv.h"
#include "wire/metric_family.h"
#include "wire/openmetrics.h"

#define SCRATCH_BYTES_MAX ((size_t)64 << 20)

void sn_scrape_page_init(struct sn_scrape_page *page, uint64_t seed) {
    memset(page, 0, sizeof *page);
    page->seed = seed;
    sn_batch_builder_init(&page->batch, SN_SCRAPE_BATCH_BYTES_MAX);
    sn_arena_init(&page->scratch, SCRATCH_BYTES_MAX);
    page->draft.arena = &page->scratch;
}

void sn_scrape_page_release(struct sn_scrape_page *page) {
    sn_batch_builder_release(&page->batch);
    sn_arena_release(&page->scratch);
}

void sn_scrape_page_begin(struct sn_scrape_page *page, const struct sn_scrape_job *job,
                          struct sn_labels target, struct sn_scrape_cache *cache, int64_t time_ms) {
    page->job = job;
    page->target = target;
    page->cache = cache;
    page->time_ms = time_ms;
    page->metadata = (struct sn_metadata){.type = SN_METRIC_UNKNOWN};
    page->has_metadata = false;
    page->family_first_sample = 0;
    page->scraped_count = page->added_count = page->new_count = page->unusable_count = 0;
    sn_batch_builder_reset(&page->batch);
    sn_arena_reset(&page->scratch);
    sn_scrape_cache_begin(cache);
}

/* ---- metadata ---- */

static sn_status flush_metadata(struct sn_scrape_page *page, struct sn_err *err) {
    bool fits = page->metadata.metric_name.len <= SN_LABEL_VALUE_BYTES_MAX &&
                page->metadata.help.len <= SN_METADATA_BYTES_MAX &&
                page->metadata.unit.len <= SN_METADATA_BYTES_MAX;
    if (!page->has_metadata || !page->wants_metadata || !fits)
        return SN_OK;
    return sn_batch_builder_add_metadata(&page->batch, &page->metadata, err);
}

/* A family of this name begins, unless it is the one that is being read. */
static sn_status enter_family(struct sn_scrape_page *page, struct sn_str name, struct sn_err *err) {
    if (page->has_metadata && sn_str_equal(page->metadata.metric_name, name))
        return SN_OK;
    SN_TRY(flush_metadata(page, err));
    page->metadata = (struct sn_metadata){.metric_name = name};
    page->has_metadata = true;
    page->family_first_sample = page->batch.sample_count;
    return SN_OK;
}

static sn_status take_metadata(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                               struct sn_err *err) {
    struct sn_str name, text;
    SN_TRY(sn_text_resolve(entry->metric_name, &page->scratch, &name, err));
    SN_TRY(sn_text_resolve(entry->help, &page->scratch, &text, err));
    SN_TRY(enter_family(page, name, err));
    if (entry->kind == SN_TEXT_HELP)
        page->metadata.help = text;
    else if (entry->kind == SN_TEXT_UNIT)
        page->metadata.unit = text;
    else
        page->metadata.type = entry->type;
    return SN_OK;
}

/* ---- samples of text ---- */

/* Count a sample against the limits; *ret_is_usable: its time can be stored. */
static sn_status count_sample(struct sn_scrape_page *page, int64_t time_ms, bool *ret_is_usable,
                              struct sn_err *err) {
    page->added_count++;
    int64_t sample_max = page->job->rules.sample_max;
    if (sample_max > 0 && page->added_count > (uint64_t)sample_max)
        return sn_err_set(err, SN_ERR_LIMIT, "sample limit exceeded (limit: %lld)",
                          (long long)sample_max);
    *ret_is_usable = time_ms >= SN_TIME_MS_MIN && time_ms <= SN_TIME_MS_MAX;
    page->unusable_count += !*ret_is_usable;
    return SN_OK;
}

static void see(struct sn_scrape_page *page, struct sn_scrape_entry *entry, bool has_own_time) {
    entry->seen = page->cache->scrape;
    entry->is_tracked = !has_own_time || page->job->tracks_timestamps;
}

static sn_status add_exemplar(struct sn_scrape_page *page, uint32_t series,
                              const struct sn_text_exemplar *from, int64_t time_ms,
                              struct sn_err *err) {
    struct sn_label items[SN_OPENMETRICS_EXEMPLAR_LABELS_MAX];
    struct sn_exemplar exemplar = {.value = from->value,
                                   .time_ms = from->has_time ? from->time_ms : time_ms};
    for (size_t i = 0; i < from->label_count; i++) {
        SN_TRY(sn_text_resolve(from->labels[i].name, &page->scratch, &items[i].name, err));
        SN_TRY(sn_text_resolve(from->labels[i].value, &page->scratch, &items[i].value, err));
    }
    SN_TRY(sn_labels_make(items, from->label_count, &exemplar.labels, err));
    if (exemplar.time_ms < SN_TIME_MS_MIN || exemplar.time_ms > SN_TIME_MS_MAX)
        return SN_OK; /* a hint, not a measurement */
    return sn_batch_builder_add_exemplar(&page->batch, series, &exemplar, err);
}

/* x_created of a family x that counts: since when, for all its series with these labels. */
static bool is_created(const struct sn_scrape_page *page, const struct sn_text_entry *entry) {
    static const struct sn_str suffix = {"_created", 8};
    struct sn_str name = entry->metric_name.raw, family = page->metadata.metric_name;
    bool counts = page->metadata.type == SN_METRIC_COUNTER ||
                  page->metadata.type == SN_METRIC_HISTOGRAM ||
                  page->metadata.type == SN_METRIC_SUMMARY;
    return page->has_metadata && counts && sn_str_ends_with(name, suffix) &&
           sn_str_equal(sn_str_make(name.ptr, name.len - suffix.len), family);
}

/* Seconds as milliseconds; false: no time that can be stored. */
static bool start_from(double seconds, int64_t *ret_ms) {
    if (!(seconds > 0 && seconds < (double)(SN_TIME_MS_MAX / 1000)))
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

static sn_status take_created(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                              struct sn_err *err) {
    struct sn_scrape_entry *created;
    int64_t start_ms;
    uint64_t new_count = page->new_count;
    SN_TRY(sn_scrape_series_of_text(page, entry, &created, err));
    page->new_count = new_count; /* It is in the cache, and no series. */
    created->seen = page->cache->scrape;
    created->is_tracked = false;
    if (!start_from(entry->value, &start_ms))
        return SN_OK;
    uint64_t group = created->group;
    for (size_t i = page->family_first_sample; i < page->batch.sample_count; i++) {
        uint32_t series = page->batch.samples[i].series;
        if (sn_scrape_series_group(page->batch.series[series].labels, page->seed) == group)
            sn_batch_builder_set_start(&page->batch, series, start_ms);
    }
    return SN_OK;
}

static sn_status take_sample(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                             struct sn_err *err) {
    struct sn_scrape_entry *known;
    bool has_own_time = entry->has_time && !page->job->ignores_timestamps, is_usable = false;
    int64_t time_ms = has_own_time ? entry->time_ms : page->time_ms;
    uint32_t series;
    page->scraped_count++;
    SN_TRY(sn_scrape_series_of_text(page, entry, &known, err));
    see(page, known, has_own_time);
    if (known->is_dropped)
        return SN_OK;
    SN_TRY(count_sample(page, time_ms, &is_usable, err));
    if (!is_usable)
        return SN_OK;
    SN_TRY(sn_batch_builder_add_canonical(&page->batch, sn_scrape_cache_labels(page->cache, known),
                                          &series, err));
    const struct sn_sample sample = {time_ms, entry->value};
    SN_TRY(sn_batch_builder_add_sample(&page->batch, series, sample, err));
    return entry->exemplar == NULL ? SN_OK
                                   : add_exemplar(page, series, entry->exemplar, time_ms, err);
}

static sn_status take_entry(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                            bool is_openmetrics, struct sn_err *err) {
    switch (entry->kind) {
    case SN_TEXT_END:
        return flush_metadata(page, err);
    case SN_TEXT_SAMPLE:
        return is_openmetrics && is_created(page, entry) ? take_created(page, entry, err)
                                                         : take_sample(page, entry, err);
    case SN_TEXT_HELP:
    case SN_TEXT_TYPE:
    case SN_TEXT_UNIT:
        return take_metadata(page, entry, err);
    }
    return SN_OK;
}

/* Both texts. The readers' sentences have a line; those about a series get one. */
static sn_status read_text(struct sn_scrape_page *page, struct sn_str body, bool is_openmetrics,
                           struct sn_err *err) {
    struct sn_openmetrics_reader reader;
    struct sn_text_entry entry;
    sn_openmetrics_reader_init(&reader, body);
    do {
        SN_TRY(is_openmetrics ? sn_openmetrics_reader_next(&reader, &entry, err)
                              : sn_text_reader_next(&reader.text, &entry, err));
        sn_status status = take_entry(page, &entry, is_openmetrics, err);
        if (SN_UNLIKELY(status != SN_OK)) {
            sn_err_prefix(err, "line %zu", sn_text_reader_line(&reader.text));
            return status;
        }
    } while (entry.kind != SN_TEXT_END);
    return SN_OK;
}

/* ---- protobuf ---- */

static sn_status on_family(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    struct sn_scrape_page *page = ctx;
    page->metadata = *metadata;
    page->has_metadata = true;
    SN_TRY(flush_metadata(page, err));
    page->has_metadata = false; /* its texts end with the family */
    return SN_OK;
}

static sn_status add_point(struct sn_scrape_page *page, uint32_t series,
                           const struct sn_family_point *point, int64_t time_ms,
                           struct sn_err *err) {
    if (point->histogram != NULL)
        SN_TRY(
            sn_batch_builder_add_histogram(&page->batch, series, time_ms, point->histogram, err));
    else
        SN_TRY(sn_batch_builder_add_sample(&page->batch, series,
                                           (struct sn_sample){time_ms, point->value}, err));
    if (point->start_time_ms > 0)
        sn_batch_builder_set_start(&page->batch, series, point->start_time_ms);
    for (size_t i = 0; i < point->exemplar_count; i++) {
        struct sn_exemplar exemplar = point->exemplars[i];
        if (exemplar.time_ms == 0)
            exemplar.time_ms = time_ms;
        SN_TRY(sn_batch_builder_add_exemplar(&page->batch, series, &exemplar, err));
    }
    return SN_OK;
}

static sn_status check_buckets(const struct sn_scrape_page *page,
                               const struct sn_family_point *point, struct sn_err *err) {
    int64_t limit = page->job->native_bucket_max;
    if (limit == 0 || point->histogram == NULL)
        return SN_OK;
    int64_t count = (int64_t)point->histogram->positive_bucket_count +
                    (int64_t)point->histogram->negative_bucket_count;
    return count <= limit
               ? SN_OK
               : sn_err_set(err, SN_ERR_LIMIT, "histogram bucket limit exceeded (limit: %lld)",
                            (long long)limit);
}

static sn_status on_point(void *ctx, const struct sn_family_point *point, struct sn_err *err) {
    struct sn_scrape_page *page = ctx;
    struct sn_scrape_entry *known;
    bool has_own_time = point->time_ms != 0 && !page->job->ignores_timestamps, is_usable = false;
    int64_t time_ms = has_own_time ? point->time_ms : page->time_ms;
    uint32_t series;
    page->scraped_count++;
    SN_TRY(check_buckets(page, point, err));
    SN_TRY(sn_scrape_series_of_point(page, point, &known, err));
    see(page, known, has_own_time);
    if (known->is_dropped)
        return SN_OK;
    SN_TRY(count_sample(page, time_ms, &is_usable, err));
    if (!is_usable)
        return SN_OK;
    SN_TRY(sn_batch_builder_add_canonical(&page->batch, sn_scrape_cache_labels(page->cache, known),
                                          &series, err));
    return add_point(page, series, point, time_ms, err);
}

static sn_status read_families(struct sn_scrape_page *page, struct sn_str body,
                               struct sn_err *err) {
    const struct sn_family_visitor visitor = {
        .ctx = page,
        .family = on_family,
        .point = on_point,
        .wants_native = page->job->rules.wants_native == 2,
        .wants_classic_too = page->job->rules.wants_classic_too == 2,
    };
    struct sn_arena arena;
    sn_arena_init(&arena, SCRATCH_BYTES_MAX);
    sn_status status = sn_metric_families_read(body, &visitor, &arena, err);
    sn_arena_release(&arena);
    return status;
}

/* ---- which format ---- */

/* The type of "type/subtype; name=value", in any case, without its parameters. */
static bool is_type(const char *content_type, const char *wanted) {
    size_t len = strlen(wanted);
    for (size_t i = 0; i < len; i++) {
        char c = content_type[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if (c != wanted[i])
            return false;
    }
    char next = content_type[len];
    return next == '\0' || next == ';' || next == ' ';
}

static enum sn_scrape_protocol protocol_of(const struct sn_scrape_page *page,
                                           const char *content_type) {
    if (content_type != NULL && is_type(content_type, "application/openmetrics-text"))
        return SN_SCRAPE_OPENMETRICS_1;
    if (content_type != NULL && is_type(content_type, "text/plain"))
        return SN_SCRAPE_TEXT_0;
    if (content_type != NULL && is_type(content_type, "application/vnd.google.protobuf"))
        return SN_SCRAPE_PROTOBUF;
    return page->job->fallback_protocol;
}

sn_status sn_scrape_page_read(struct sn_scrape_page *page, const char *content_type,
                              struct sn_str body, struct sn_err *err) {
    struct sn_err local = {.status = SN_OK};
    err = err != NULL ? err : &local; /* a sentence that gets its line in front */
    switch (protocol_of(page, content_type)) {
    case SN_SCRAPE_OPENMETRICS_0:
    case SN_SCRAPE_OPENMETRICS_1:
        return read_text(page, body, true, err);
    case SN_SCRAPE_TEXT_0:
    case SN_SCRAPE_TEXT_1:
        return read_text(page, body, false, err);
    case SN_SCRAPE_PROTOBUF:
        return read_families(page, body, err);
    case SN_SCRAPE_NO_PROTOCOL:
    case SN_SCRAPE_PROTOCOL_COUNT:
        break;
    }
    if (content_type == NULL || content_type[0] == '\0')
        return sn_err_set(err, SN_ERR_INVALID,
                          "non-compliant scrape target sending blank Content-Type and no "
                          "fallback_scrape_protocol specified for target");
    return sn_err_set(err, SN_ERR_INVALID,
                      "received unsupported Content-Type \"%.80s\" and no "
                      "fallback_scrape_protocol specified for target",
                      content_type);
}

/* ---- the end ---- */

static sn_status add_marker(void *ctx, struct sn_str labels, struct sn_err *err) {
    struct sn_scrape_page *page = ctx;
    uint32_t series;
    const struct sn_sample marker = {page->time_ms, sn_double_from_bits(SN_STALE_NAN_BITS)};
    SN_TRY(sn_batch_builder_add_canonical(&page->batch, labels, &series, err));
    return sn_batch_builder_add_sample(&page->batch, series, marker, err);
}

sn_status sn_scrape_page_end(struct sn_scrape_page *page, bool is_good, struct sn_err *err) {
    if (!is_good)
        sn_batch_builder_reset(&page->batch);
    sn_status status = sn_scrape_cache_each_gone(page->cache, is_good, add_marker, page, err);
    sn_scrape_cache_commit(page->cache, is_good);
    return status;
}

sn_status sn_scrape_page_report(struct sn_scrape_page *page, struct sn_str name, double value,
                                struct sn_err *err) {
    struct sn_label items[SN_LABELS_MAX + 1];
    struct sn_labels labels;
    if (page->target.count > 0)
        memcpy(items, page->target.items, page->target.count * sizeof items[0]);
    items[page->target.count] = (struct sn_label){SN_LABEL_METRIC_NAME, name};
    SN_TRY(sn_labels_make(items, page->target.count + 1, &labels, err));
    return sn_batch_builder_add(&page->batch, labels, page->time_ms, value, err);
}
