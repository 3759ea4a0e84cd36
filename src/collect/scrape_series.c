/*
 * From the labels of a page to those of the store, once per series. After mutateSampleLabels and
 * verifyLabelLimits of Prometheus' scrape package.
 */
#include "collect/scrape_series_priv.h"

#include "base/check.h"
#include "codec/number.h"

#define CANONICAL_BYTES_MAX SN_LABELS_BYTES_MAX

/* ---- start times ---- */

uint64_t sn_scrape_series_group(struct sn_str canonical, uint64_t seed) {
    const uint8_t *at = (const uint8_t *)canonical.ptr, *end = at + canonical.len;
    uint64_t hash = seed;
    for (unsigned left = *at++; left > 0 && at < end; left--) {
        const uint8_t *start = at;
        size_t name_len = (size_t)(at[0] | at[1] << 8);
        struct sn_str name = sn_str_make(at + 2, name_len);
        at += 2 + name_len;
        at += 2 + (size_t)(at[0] | at[1] << 8);
        if (!sn_str_equal(name, SN_LABEL_METRIC_NAME) && !sn_str_equal(name, SN_STR("le")) &&
            !sn_str_equal(name, SN_STR("quantile")))
            hash = sn_hash_bytes(start, (size_t)(at - start), hash);
    }
    return hash;
}

/* ---- limits ---- */

static sn_status check_limits(const struct sn_scrape_page *page, struct sn_err *err) {
    const struct sn_scrape_rules *rules = &page->job->rules;
    const struct sn_label_draft *draft = &page->draft;
    if (rules->label_max > 0 && draft->count > (size_t)rules->label_max)
        return sn_err_set(err, SN_ERR_LIMIT, "label_limit exceeded (labels: %zu, limit: %lld)",
                          draft->count, (long long)rules->label_max);
    for (size_t i = 0; i < draft->count; i++) {
        struct sn_str name = draft->items[i].name, value = draft->items[i].value;
        int shown = name.len < 50 ? (int)name.len : 50;
        if (rules->label_name_bytes_max > 0 && name.len > (size_t)rules->label_name_bytes_max)
            return sn_err_set(err, SN_ERR_LIMIT,
                              "label_name_length_limit exceeded (label name: %.*s, length: %zu, "
                              "limit: %lld)",
                              shown, name.ptr, name.len, (long long)rules->label_name_bytes_max);
        if (rules->label_value_bytes_max > 0 && value.len > (size_t)rules->label_value_bytes_max)
            return sn_err_set(err, SN_ERR_LIMIT,
                              "label_value_length_limit exceeded (label name: %.*s, length: %zu, "
                              "limit: %lld)",
                              shown, name.ptr, value.len, (long long)rules->label_value_bytes_max);
    }
    return SN_OK;
}

/* ---- labels of page and target ---- */

/* The page wins: the target only adds what is not there. */
static sn_status honor(struct sn_scrape_page *page, struct sn_err *err) {
    for (size_t i = 0; i < page->target.count; i++) {
        const struct sn_label *label = &page->target.items[i];
        if (sn_label_draft_get(&page->draft, label->name).len == 0)
            SN_TRY(sn_label_draft_set(&page->draft, label->name, label->value, err));
    }
    return SN_OK;
}

/* Put a label of the page aside as exported_NAME, with as many prefixes as it takes. */
static sn_status set_exported(struct sn_scrape_page *page, struct sn_label label,
                              struct sn_err *err) {
    struct sn_str name = label.name;
    do {
        char *longer = sn_arena_printf(&page->scratch, "exported_%.*s", SN_STR_ARG(name));
        if (longer == NULL)
            return sn_arena_failure(&page->scratch, name.len, err);
        name = sn_str_make(longer, name.len + 9);
    } while (sn_label_draft_get(&page->draft, name).len > 0);
    return sn_label_draft_set(&page->draft, name, label.value, err);
}

/* The target wins: what the page calls the same is renamed, shorter names first. */
static sn_status rename_conflicts(struct sn_scrape_page *page, struct sn_err *err) {
    struct sn_label conflicts[SN_LABELS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < page->target.count; i++) {
        struct sn_label label = page->target.items[i];
        struct sn_str theirs = sn_label_draft_get(&page->draft, label.name);
        size_t at = count;
        if (theirs.len > 0) {
            for (count++; at > 0 && conflicts[at - 1].name.len > label.name.len; at--)
                conflicts[at] = conflicts[at - 1];
            conflicts[at] = (struct sn_label){label.name, theirs};
        }
        SN_TRY(sn_label_draft_set(&page->draft, label.name, label.value, err));
    }
    for (size_t i = 0; i < count; i++)
        SN_TRY(set_exported(page, conflicts[i], err));
    return SN_OK;
}

/* ---- a new series ---- */

/* le of histograms and quantile of summaries as OpenMetrics writes them: "1" and "1.0" are one. */
static sn_status normalise(struct sn_scrape_page *page, struct sn_label *label,
                           struct sn_err *err) {
    bool is_bound =
        (page->metadata.type == SN_METRIC_HISTOGRAM && sn_str_equal(label->name, SN_STR("le"))) ||
        (page->metadata.type == SN_METRIC_SUMMARY && sn_str_equal(label->name, SN_STR("quantile")));
    double number;
    if (!is_bound || !page->has_metadata || sn_double_parse(label->value, &number) != SN_OK)
        return SN_OK;
    char text[SN_DOUBLE_TEXT_SIZE];
    size_t len = sn_double_format(number, SN_DOUBLE_OPENMETRICS, text);
    if (!sn_arena_copy(&page->scratch, sn_str_make(text, len), &label->value))
        return sn_arena_failure(&page->scratch, len, err);
    return SN_OK;
}

/* The draft, which holds the labels of the page, becomes an entry. */
static sn_status add_entry(struct sn_scrape_page *page, uint64_t key,
                           struct sn_scrape_entry **ret_entry, struct sn_err *err) {
    bool is_kept = true;
    struct sn_labels labels;
    SN_TRY(page->job->honors_labels ? honor(page, err) : rename_conflicts(page, err));
    SN_TRY(sn_relabel(&page->job->metric_rules, &page->draft, &is_kept, err));
    if (!is_kept || page->draft.count == 0) {
        SN_TRY(sn_scrape_cache_add(page->cache, key, SN_STR(""), ret_entry, err));
        (*ret_entry)->is_dropped = true;
        return SN_OK;
    }
    SN_TRY(check_limits(page, err));
    if (sn_label_draft_get(&page->draft, SN_LABEL_METRIC_NAME).len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "missing metric name (__name__ label)");
    SN_TRY(sn_labels_make(page->draft.items, page->draft.count, &labels, err));
    struct sn_buf canonical;
    sn_buf_init(&canonical, CANONICAL_BYTES_MAX);
    sn_labels_encode(labels, &canonical);
    sn_status status = sn_buf_status(&canonical, err);
    if (status == SN_OK)
        status = sn_scrape_cache_add(page->cache, key, sn_buf_str(&canonical), ret_entry, err);
    if (status == SN_OK) {
        (*ret_entry)->group = sn_scrape_series_group(sn_buf_str(&canonical), page->seed);
        page->new_count++;
    }
    sn_buf_release(&canonical);
    return status;
}

static sn_status too_many_labels(size_t count, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_LIMIT, "a series has %zu labels, the limit is %d", count,
                      SN_LABELS_MAX);
}

static sn_status set_draft(struct sn_scrape_page *page, struct sn_label *items, size_t count,
                           struct sn_err *err) {
    struct sn_labels valid;
    /* Names that are there twice by two spellings, texts that are not UTF-8. */
    SN_TRY(sn_labels_make(items, count, &valid, err));
    page->draft.count = 0;
    for (size_t i = 0; i < valid.count; i++) {
        struct sn_label label = valid.items[i];
        SN_TRY(normalise(page, &label, err));
        SN_TRY(sn_label_draft_set(&page->draft, label.name, label.value, err));
    }
    return SN_OK;
}

sn_status sn_scrape_series_of_text(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                                   struct sn_scrape_entry **ret_entry, struct sn_err *err) {
    /* The type is part of the key: it decides how le and quantile are written. */
    uint64_t key = sn_hash_bytes(entry->series.ptr, entry->series.len,
                                 page->seed + (uint64_t)page->metadata.type);
    struct sn_scrape_entry *known = sn_scrape_cache_find(page->cache, key);
    if (SN_LIKELY(known != NULL)) {
        *ret_entry = known;
        return SN_OK;
    }
    struct sn_label items[1 + SN_LABELS_MAX];
    if (entry->label_count > SN_LABELS_MAX)
        return too_many_labels(entry->label_count, err);
    SN_TRY(sn_text_entry_labels(entry, &page->scratch, items, err));
    SN_TRY(set_draft(page, items, 1 + entry->label_count, err));
    return add_entry(page, key, ret_entry, err);
}

/* Hash of labels in the order of the message, which does not change from scrape to scrape. */
static uint64_t point_key(const struct sn_scrape_page *page, const struct sn_family_point *point) {
    uint64_t hash = page->seed;
    for (size_t i = 0; i < point->label_count; i++) {
        hash = sn_hash_bytes(point->labels[i].name.ptr, point->labels[i].name.len, hash);
        hash = sn_hash_bytes(point->labels[i].value.ptr, point->labels[i].value.len, hash);
    }
    return hash;
}

sn_status sn_scrape_series_of_point(struct sn_scrape_page *page,
                                    const struct sn_family_point *point,
                                    struct sn_scrape_entry **ret_entry, struct sn_err *err) {
    uint64_t key = point_key(page, point);
    struct sn_scrape_entry *known = sn_scrape_cache_find(page->cache, key);
    if (SN_LIKELY(known != NULL)) {
        *ret_entry = known;
        return SN_OK;
    }
    if (point->label_count > SN_LABELS_MAX)
        return too_many_labels(point->label_count, err);
    SN_TRY(set_draft(page, point->labels, point->label_count, err));
    return add_entry(page, key, ret_entry, err);
}
