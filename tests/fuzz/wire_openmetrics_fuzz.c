/*
 * Pages of OpenMetrics. Properties: every span lies inside the input; a failure names a place and
 * comes again; a page that is read to its end ends with "# EOF".
 */
#include "wire/openmetrics.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_inside(struct sn_str body, struct sn_str span) {
    SN_CHECK(span.len == 0 || (span.ptr >= body.ptr && span.len <= body.len &&
                               (size_t)(span.ptr - body.ptr) <= body.len - span.len));
}

static void check_labels(struct sn_str body, const struct sn_text_label *labels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        check_inside(body, labels[i].name.raw);
        check_inside(body, labels[i].value.raw);
        SN_CHECK(labels[i].name.raw.len > 0);
    }
}

static void check_entry(struct sn_str body, const struct sn_text_entry *entry) {
    check_inside(body, entry->metric_name.raw);
    check_inside(body, entry->help.raw);
    check_inside(body, entry->series);
    SN_CHECK(entry->metric_name.raw.len > 0);
    size_t count = entry->label_count < SN_LABELS_MAX ? entry->label_count : SN_LABELS_MAX;
    check_labels(body, entry->labels, count);
    if (entry->exemplar != NULL)
        check_labels(body, entry->exemplar->labels, entry->exemplar->label_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct sn_openmetrics_reader reader;
    struct sn_str body = sn_str_make(data, len);
    struct sn_text_entry entry;
    struct sn_err err = {.status = SN_OK}, again = {.status = SN_OK};
    sn_status status;
    sn_openmetrics_reader_init(&reader, body);
    while ((status = sn_openmetrics_reader_next(&reader, &entry, &err)) == SN_OK &&
           entry.kind != SN_TEXT_END)
        check_entry(body, &entry);
    if (status != SN_OK) {
        SN_CHECK(status == SN_ERR_INVALID && strncmp(err.text, "line ", 5) == 0);
        SN_CHECK(sn_openmetrics_reader_next(&reader, &entry, &again) == status);
        SN_CHECK(strcmp(err.text, again.text) == 0);
        return 0;
    }
    SN_CHECK(reader.is_ended && reader.text.at == reader.text.end);
    SN_CHECK(sn_str_ends_with(body, SN_STR("# EOF")) || sn_str_ends_with(body, SN_STR("# EOF\n")));
    return 0;
}
