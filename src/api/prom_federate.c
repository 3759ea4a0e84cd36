/*
 * GET /federate: the newest sample of the selected series as a page that Prometheus scrapes.
 *
 * As in Prometheus: samples older than five minutes and series that ended are left out, histograms
 * of the native kind cannot be written in this format, every sample has its time, and a label
 * "instance" is always there (empty when the series has none), so that the scraper does not put its
 * own in. Series get the external_labels whose names they lack. Names that the format cannot hold
 * have '_' for each character that it cannot.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "codec/number.h"

#include <stdlib.h>

#define LOOKBACK_MS INT64_C(300000)

struct line {
    struct sn_str metric;
    struct sn_labels labels;
    struct sn_sample sample;
};

static int compare_lines(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    int order = sn_str_compare(x->metric, y->metric);
    return order != 0 ? order : sn_labels_compare(x->labels, y->labels);
}

/* Newest samples of the series, sorted by metric. */
static sn_status read_lines(struct sn_prom_call *call, const struct sn_series_list *list,
                            struct sn_range range, struct line *lines, size_t *ret_count,
                            struct sn_err *err) {
    struct sn_reader reader = call->api->options.reader;
    struct sn_samples samples;
    sn_status status = SN_OK;
    size_t count = 0;
    sn_samples_init(&samples);
    for (size_t i = 0; i < list->count && status == SN_OK; i++) {
        samples.count = 0;
        status = reader.samples(reader.ctx, list->items[i].id, range, &samples, err);
        if (status != SN_OK || samples.count == 0 || sn_is_stale(samples.value[samples.count - 1]))
            continue;
        struct sn_labels labels = list->items[i].labels;
        lines[count++] = (struct line){
            sn_labels_get(labels, SN_LABEL_METRIC_NAME),
            labels,
            {samples.time_ms[samples.count - 1], samples.value[samples.count - 1]},
        };
    }
    sn_samples_release(&samples);
    if (count > 0)
        qsort(lines, count, sizeof *lines, compare_lines);
    *ret_count = count;
    return status;
}

/* ---- text ---- */

static bool is_name_byte(char c, bool is_metric) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c == ':' && is_metric);
}

static void put_name(struct sn_buf *buf, struct sn_str name, bool is_metric) {
    size_t step;
    for (size_t i = 0; i < name.len; i += step) {
        char c = name.ptr[i];
        bool is_fine = is_name_byte(c, is_metric) && !(i == 0 && c >= '0' && c <= '9');
        sn_buf_put_byte(buf, (uint8_t)(is_fine ? c : '_'));
        step = sn_str_utf8_char_len(sn_str_make(name.ptr + i, name.len - i));
        step = step ? step : 1;
    }
}

static void put_label(struct sn_buf *buf, const char *separator, struct sn_label label) {
    sn_buf_put_text(buf, separator);
    put_name(buf, label.name, false);
    sn_buf_put_byte(buf, '=');
    sn_text_put_quoted(buf, label.value);
}

static bool has_label(struct sn_labels labels, struct sn_str name) {
    return sn_labels_get(labels, name).ptr != NULL;
}

static void put_line(struct sn_buf *buf, const struct line *line, struct sn_labels external) {
    static const struct sn_label no_instance = {SN_STR("instance"), SN_STR("")};
    char value[SN_DOUBLE_TEXT_SIZE];
    const char *separator = "{";
    put_name(buf, line->metric, true);
    for (size_t i = 0; i < line->labels.count; i++) {
        if (sn_str_equal(line->labels.items[i].name, SN_LABEL_METRIC_NAME))
            continue;
        put_label(buf, separator, line->labels.items[i]);
        separator = ",";
    }
    for (size_t i = 0; i < external.count; i++) {
        if (has_label(line->labels, external.items[i].name))
            continue;
        put_label(buf, separator, external.items[i]);
        separator = ",";
    }
    if (!has_label(line->labels, no_instance.name) && !has_label(external, no_instance.name))
        put_label(buf, separator, no_instance);
    (void)sn_double_format(line->sample.value, SN_DOUBLE_TEXT, value); /* its length */
    sn_buf_printf(buf, "} %s %lld\n", value, (long long)line->sample.time_ms);
}

static void put_page(struct sn_buf *buf, const struct line *lines, size_t count,
                     struct sn_labels external) {
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !sn_str_equal(lines[i].metric, lines[i - 1].metric)) {
            sn_buf_put_text(buf, "# TYPE ");
            put_name(buf, lines[i].metric, true);
            sn_buf_put_text(buf, " untyped\n");
        }
        put_line(buf, &lines[i], external);
    }
}

/* ---- call ---- */

static sn_status federate(struct sn_prom_call *call, struct sn_prom_selectors *selectors,
                          struct sn_buf *page, struct sn_err *err) {
    const struct sn_api_options *options = &call->api->options;
    int64_t now_ms = sn_clock_wall_ms(options->clock);
    const struct sn_range range = {now_ms - LOOKBACK_MS + 1, now_ms};
    struct sn_series_list list;
    struct sn_labels external = {NULL, 0};
    size_t count;
    SN_TRY(sn_prom_selectors(call->request, &call->arena, selectors, err));
    SN_TRY(sn_prom_select_series(call, selectors, range, &list, err));
    struct line *lines = sn_arena_alloc(&call->arena, list.count * sizeof *lines);
    if (lines == NULL)
        return sn_arena_failure(&call->arena, list.count * sizeof *lines, err);
    SN_TRY(read_lines(call, &list, range, lines, &count, err));
    if (options->external_labels != NULL)
        SN_TRY(options->external_labels(options->ctx, &call->arena, &external, err));
    put_page(page, lines, count, external);
    return sn_buf_status(page, err);
}

void sn_api_prom_federate(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_prom_selectors selectors = {.count = 0};
    struct sn_buf page;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_buf_init(&page, SN_PROM_ANSWER_BYTES_MAX);
    sn_status status = federate(&call, &selectors, &page, &err);
    sn_prom_selectors_release(&selectors);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        sn_prom_end_text(&call, "text/plain; version=0.0.4; charset=utf-8", &page);
    sn_buf_release(&page);
}
