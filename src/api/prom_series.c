/*
 * /api/v1/series, labels, label/{name}/values, metadata: what is stored.
 */
#include "api/dash.h"
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "base/limits.h"

#include <stdlib.h>

/* Nearly every living series has a sample in so long a time. */
#define LIKELY_MS INT64_C(300000)

static const struct sn_str cut_warning = SN_STR("results truncated due to limit");

/* What all of these calls read. */
struct filter {
    struct sn_prom_selectors selectors;
    struct sn_range range;
    size_t limit;
};

static sn_status read_filter(struct sn_prom_call *call, struct filter *filter, struct sn_err *err) {
    SN_TRY(sn_prom_range(call->request, &filter->range, err));
    SN_TRY(sn_prom_limit(call->request, &filter->limit, err));
    return sn_prom_selectors(call->request, &call->arena, &filter->selectors, err);
}

/* Everything when there are no selectors. */
static struct sn_select select_of(const struct sn_prom_selectors *selectors, struct sn_range range,
                                  size_t index) {
    struct sn_select select = {.range = range, .series_max = SN_PROM_SERIES_MAX};
    if (index < selectors->count) {
        const struct sn_node *node = selectors->exprs[index].root;
        select.matchers = node->vector.matchers;
        select.matcher_count = node->vector.matcher_count;
    }
    return select;
}

/* A regex that gave up would hide series: ask after each selection. */
static sn_status check_regex(const struct sn_prom_selectors *selectors, size_t index,
                             struct sn_err *err) {
    return index < selectors->count ? sn_expr_regex_status(&selectors->exprs[index], err) : SN_OK;
}

/* ---- series ---- */

static int compare_series(const void *a, const void *b) {
    const struct sn_read_series *x = a, *y = b;
    return sn_labels_compare(x->labels, y->labels);
}

/* Put what a selector found behind what others did. */
static sn_status append(struct sn_arena *arena, struct sn_series_list *all,
                        const struct sn_series_list *part, struct sn_err *err) {
    if (all->count == 0) {
        *all = *part;
        return SN_OK;
    }
    size_t count = all->count + part->count;
    struct sn_read_series *items = sn_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return sn_arena_failure(arena, count * sizeof *items, err);
    memcpy(items, all->items, all->count * sizeof *items);
    if (part->count > 0)
        memcpy(items + all->count, part->items, part->count * sizeof *items);
    *all = (struct sn_series_list){items, count};
    return SN_OK;
}

/* Sort, and keep one of those that several selectors found. */
static void sort_once(struct sn_series_list *list) {
    size_t kept = 0;
    qsort(list->items, list->count, sizeof *list->items, compare_series);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[i].id != list->items[kept - 1].id)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

sn_status sn_prom_select_series(struct sn_prom_call *call,
                                const struct sn_prom_selectors *selectors, struct sn_range range,
                                struct sn_series_list *ret_list, struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_series_list all = {0};
    for (size_t i = 0; i < selectors->count; i++) {
        struct sn_series_list part = {0};
        struct sn_select select = select_of(selectors, range, i);
        SN_TRY(reader.select(reader.ctx, &select, &call->arena, &part, err));
        SN_TRY(check_regex(selectors, i, err));
        SN_TRY(append(&call->arena, &all, &part, err));
    }
    if (selectors->count > 1 && all.count > 0) /* One selector's are sorted and unique. */
        sort_once(&all);
    *ret_list = all;
    return SN_OK;
}

/* The piece of a range where most series have a sample: its end, or now. */
static struct sn_range likely_part(struct sn_range range, int64_t now_ms) {
    struct sn_range part = {now_ms - LIKELY_MS, now_ms};
    if (range.end_ms < now_ms)
        part = (struct sn_range){range.end_ms - LIKELY_MS, range.end_ms};
    if (part.start_ms < range.start_ms)
        part.start_ms = range.start_ms;
    return part;
}

/* Whether a series has a sample in the likely part or, if not, in all of the range. */
static sn_status has_sample(const struct sn_scan scans[2], uint64_t id, struct sn_samples *scratch,
                            bool *ret_has, struct sn_err *err) {
    bool has = sn_scan_surely_has(&scans[0], id) || sn_scan_surely_has(&scans[1], id);
    for (size_t i = 0; i < 2 && !has; i++)
        SN_TRY(sn_scan_has(&scans[i], id, scratch, &has, err));
    *ret_has = has;
    return SN_OK;
}

static sn_status keep_those_with_samples(const struct sn_scan scans[2], struct sn_series_list *list,
                                         struct sn_err *err) {
    struct sn_samples samples;
    sn_status status = SN_OK;
    size_t kept = 0;
    sn_samples_init(&samples);
    for (size_t i = 0; i < list->count && status == SN_OK; i++) {
        bool has = false;
        status = has_sample(scans, list->items[i].id, &samples, &has, err);
        if (has)
            list->items[kept++] = list->items[i];
    }
    sn_samples_release(&samples);
    list->count = kept;
    return status;
}

/* Keep series with a sample in the range: a selection is only as fine as the store's blocks. */
static sn_status keep_living(struct sn_prom_call *call, struct sn_range range,
                             struct sn_series_list *list, struct sn_err *err) {
    const struct sn_reader *reader = &call->api->options.reader;
    int64_t now_ms = sn_clock_wall_ms(call->api->options.clock);
    struct sn_scan scans[2] = {{.ctx = NULL}, {.ctx = NULL}};
    if (range.start_ms <= SN_TIME_MS_MIN && range.end_ms >= now_ms)
        return SN_OK; /* Every series has one. */
    sn_status status = sn_scan_open(reader, likely_part(range, now_ms), &scans[0], err);
    if (status == SN_OK)
        status = sn_scan_open(reader, range, &scans[1], err);
    if (status == SN_OK)
        status = keep_those_with_samples(scans, list, err);
    sn_scan_close(&scans[0]);
    sn_scan_close(&scans[1]);
    return status;
}

static bool write_series(struct sn_json_writer *json, const struct sn_series_list *list,
                         size_t limit) {
    bool is_cut = limit > 0 && list->count > limit;
    size_t count = is_cut ? limit : list->count;
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_prom_write_labels(json, list->items[i].labels);
    sn_json_write_array_end(json);
    return is_cut;
}

static sn_status find_series(struct sn_prom_call *call, struct filter *filter,
                             struct sn_series_list *ret_list, struct sn_err *err) {
    SN_TRY(read_filter(call, filter, err));
    if (filter->selectors.count == 0)
        return sn_err_set(err, SN_ERR_INVALID, "no match[] parameter provided");
    SN_TRY(sn_prom_select_series(call, &filter->selectors, filter->range, ret_list, err));
    return keep_living(call, filter->range, ret_list, err);
}

void sn_api_prom_series(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct filter filter = {0};
    struct sn_series_list list = {0};
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = find_series(&call, &filter, &list, &err);
    sn_prom_selectors_release(&filter.selectors); /* They lie in the arena, which ends below. */
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
    } else {
        bool is_cut = write_series(&call.json, &list, filter.limit);
        sn_prom_end(&call, &cut_warning, is_cut, NULL, 0);
    }
}

/* ---- names and values ---- */

static int compare_strings(const void *a, const void *b) {
    const struct sn_str *x = a, *y = b;
    return sn_str_compare(*x, *y);
}

/* Add a sorted list to a sorted list; each text once. */
static sn_status unite(struct sn_arena *arena, struct sn_string_list *all,
                       const struct sn_string_list *part, struct sn_err *err) {
    size_t count = all->count + part->count, kept = 0;
    if (all->count == 0) {
        *all = *part;
        return SN_OK;
    }
    struct sn_str *items = sn_arena_alloc(arena, count * sizeof *items);
    if (items == NULL)
        return sn_arena_failure(arena, count * sizeof *items, err);
    for (size_t i = 0; i < all->count; i++)
        items[i] = all->items[i];
    for (size_t i = 0; i < part->count; i++)
        items[all->count + i] = part->items[i];
    qsort(items, count, sizeof *items, compare_strings);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !sn_str_equal(items[i], items[kept - 1]))
            items[kept++] = items[i];
    all->items = items;
    all->count = kept;
    return SN_OK;
}

/* Names of labels (label empty), or values of one, over all selectors (none: everything). */
static sn_status list_strings(struct sn_prom_call *call, const struct filter *filter,
                              struct sn_str label, struct sn_string_list *ret_list,
                              struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_string_list all = {0};
    size_t rounds = filter->selectors.count ? filter->selectors.count : 1;
    for (size_t i = 0; i < rounds; i++) {
        struct sn_string_list part = {0};
        struct sn_select select = select_of(&filter->selectors, filter->range, i);
        sn_status status =
            label.len == 0
                ? reader.label_names(reader.ctx, &select, 0, &call->arena, &part, err)
                : reader.label_values(reader.ctx, label, &select, 0, &call->arena, &part, err);
        if (status != SN_OK)
            return status;
        SN_TRY(check_regex(&filter->selectors, i, err));
        SN_TRY(unite(&call->arena, &all, &part, err));
    }
    *ret_list = all;
    return SN_OK;
}

/*
 * Not Prometheus': `q`, for editors that complete what is typed: only texts that have it in them, in
 * any case, those that start with it first.
 */
static sn_status choose(struct sn_prom_call *call, struct sn_string_list *list,
                        struct sn_err *err) {
    struct sn_str q;
    size_t count = 0;
    if (!sn_http_request_param(call->request, SN_STR("q"), &q) || q.len == 0)
        return SN_OK;
    struct sn_str *items = sn_arena_alloc_zero(&call->arena, list->count + 1, sizeof *items);
    if (items == NULL)
        return sn_arena_failure(&call->arena, list->count * sizeof *items, err);
    for (int wants_start = 1; wants_start >= 0; wants_start--)
        for (size_t i = 0; i < list->count; i++) {
            struct sn_str text = list->items[i];
            bool starts = text.len >= q.len && sn_dash_has_text(sn_str_make(text.ptr, q.len), q);
            if (starts == wants_start && sn_dash_has_text(text, q))
                items[count++] = text;
        }
    list->items = items;
    list->count = count;
    return SN_OK;
}

static void answer_strings(struct sn_prom_call *call, struct sn_str label) {
    struct filter filter = {0};
    struct sn_string_list list = {0};
    struct sn_err err = {0};
    sn_status status = read_filter(call, &filter, &err);
    if (status == SN_OK)
        status = list_strings(call, &filter, label, &list, &err);
    if (status == SN_OK)
        status = choose(call, &list, &err);
    sn_prom_selectors_release(&filter.selectors); /* They lie in the arena, which ends below. */
    if (status != SN_OK) {
        sn_prom_fail(call, false, status, &err);
        return;
    }
    bool is_cut = filter.limit > 0 && list.count > filter.limit;
    size_t count = is_cut ? filter.limit : list.count;
    sn_json_write_array_begin(&call->json);
    for (size_t i = 0; i < count; i++)
        sn_json_write_string(&call->json, list.items[i]);
    sn_json_write_array_end(&call->json);
    sn_prom_end(call, &cut_warning, is_cut, NULL, 0);
}

void sn_api_prom_labels(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    answer_strings(&call, SN_STR(""));
}

/* Hexadecimal code of a character. */
static bool parse_code(struct sn_str digits, uint32_t *ret_code) {
    uint32_t code = 0;
    if (digits.len > 6)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        if (c >= '0' && c <= '9')
            code = code * 16 + (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            code = code * 16 + (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    *ret_code = code;
    return code <= 0x10ffff;
}

/* At most 4 bytes, never more than "_" and the digits; the caller checks what comes out. */
static size_t put_utf8(uint32_t code, char *ret_text) {
    if (code < 0x80) {
        ret_text[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        ret_text[i] = (char)(0x80 | (code & 0x3f));
    ret_text[0] = (char)(first[len] | code); /* What is left of it has no more bits than fit. */
    return len;
}

/*
 * Undo Prometheus' way to write any name with letters, digits and '_' only: "U__" in front, "__" is
 * '_', "_2e_" the character of that code. Whatever is not written so stays as it is.
 */
static bool unescape(struct sn_str name, char *ret_text, size_t *ret_len) {
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] != '_') {
            ret_text[len++] = name.ptr[i];
            continue;
        }
        struct sn_str digits, rest;
        if (!sn_str_cut(sn_str_make(name.ptr + i + 1, name.len - i - 1), '_', &digits, &rest))
            return false;
        uint32_t code = '_';
        if (digits.len > 0 && !parse_code(digits, &code))
            return false;
        len += put_utf8(code, ret_text + len);
        i += digits.len + 1;
    }
    *ret_len = len;
    return true;
}

static sn_status unescape_name(struct sn_arena *arena, struct sn_str *name, struct sn_err *err) {
    static const struct sn_str mark = SN_STR("U__");
    if (!sn_str_starts_with(*name, mark))
        return SN_OK;
    char *text = sn_arena_alloc(arena, name->len); /* It only becomes shorter. */
    if (text == NULL)
        return sn_arena_failure(arena, name->len, err);
    size_t len;
    if (unescape(sn_str_make(name->ptr + mark.len, name->len - mark.len), text, &len))
        *name = sn_str_make(text, len);
    return SN_OK;
}

/* The piece between "/label/" and "/values" of the path as sent, with escapes undone. */
static sn_status label_of_path(struct sn_prom_call *call, struct sn_str *ret_label,
                               struct sn_err *err) {
    static const struct sn_str before = SN_STR("/api/v1/label/");
    struct sn_str raw = sn_http_request_path_raw(call->request), tail;
    struct sn_str rest = sn_str_make(raw.ptr + before.len, raw.len - before.len), piece;
    (void)sn_str_cut(rest, '/', &piece, &tail); /* The route has matched: there is a slash. */
    SN_TRY(sn_http_decode(&call->arena, piece, false, ret_label, err));
    SN_TRY(unescape_name(&call->arena, ret_label, err));
    if (ret_label->len == 0 || !sn_str_is_utf8(*ret_label))
        return sn_err_set(err, SN_ERR_INVALID, "invalid label name: \"%.*s\"",
                          (int)(piece.len < 80 ? piece.len : 80), piece.ptr);
    return SN_OK;
}

void sn_api_prom_label_values(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_str label;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = label_of_path(&call, &label, &err);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        answer_strings(&call, label);
}

/* ---- metadata ---- */

/* Returns whether anything is known about the metric. */
static bool write_metadata(struct sn_prom_call *call, struct sn_str metric) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_metadata metadata;
    if (!reader.metadata(reader.ctx, metric, &call->arena, &metadata))
        return false;
    sn_json_write_key(&call->json, metric);
    sn_json_write_array_begin(&call->json);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("type"),
                             sn_str_from(sn_metric_type_name(metadata.type)));
    sn_json_write_key_string(&call->json, SN_STR("help"), metadata.help);
    sn_json_write_key_string(&call->json, SN_STR("unit"), metadata.unit);
    sn_json_write_object_end(&call->json);
    sn_json_write_array_end(&call->json);
    return true;
}

/* The metric asked for, or the names of all metrics. */
static sn_status metadata_names(struct sn_prom_call *call, struct sn_string_list *ret_names,
                                struct sn_err *err) {
    struct sn_str *metric = sn_arena_alloc(&call->arena, sizeof *metric);
    if (metric == NULL)
        return sn_arena_failure(&call->arena, sizeof *metric, err);
    if (sn_http_request_param(call->request, SN_STR("metric"), metric) && metric->len > 0) {
        *ret_names = (struct sn_string_list){metric, 1, false};
        return SN_OK;
    }
    const struct filter everything = {.range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX}};
    return list_strings(call, &everything, SN_LABEL_METRIC_NAME, ret_names, err);
}

void sn_api_prom_metadata(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_string_list names = {0};
    struct sn_err err = {0};
    size_t limit = 0;
    sn_prom_begin(&call, api, request);
    sn_status status = sn_prom_limit(request, &limit, &err);
    if (status == SN_OK)
        status = metadata_names(&call, &names, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    sn_json_write_object_begin(&call.json);
    size_t written = 0; /* Metrics without metadata do not count. */
    for (size_t i = 0; i < names.count && (limit == 0 || written < limit); i++)
        written += write_metadata(&call, names.items[i]);
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}
