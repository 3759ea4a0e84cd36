/*
 * Pages of the text exposition format. Properties: every span lies inside the input; the lines of
 * entries ascend; a failure names a place and comes again; a series as written, with its value
 * replaced, reads as the same series.
 */
#include "wire/text.h"

#include "base/buf.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_inside(struct sn_str body, struct sn_str span) {
    SN_CHECK(span.len == 0 || (span.ptr >= body.ptr && span.len <= body.len &&
                               (size_t)(span.ptr - body.ptr) <= body.len - span.len));
}

/* `series` and " 1\n" as a page of its own gives the same names and labels. */
static void check_again(const struct sn_text_entry *entry) {
    static struct sn_text_reader reader;
    struct sn_text_entry again;
    struct sn_buf page;
    sn_buf_init(&page, 0);
    sn_buf_put_str(&page, entry->series);
    sn_buf_put_text(&page, " 1\n");
    SN_CHECK(page.status == SN_OK);
    sn_text_reader_init(&reader, sn_buf_str(&page));
    SN_CHECK(sn_text_reader_next(&reader, &again, NULL) == SN_OK);
    SN_CHECK(again.kind == SN_TEXT_SAMPLE && again.value == 1 && !again.has_time);
    SN_CHECK(again.label_count == entry->label_count);
    SN_CHECK(sn_str_equal(again.metric_name.raw, entry->metric_name.raw));
    for (size_t i = 0; i < entry->label_count && i < SN_LABELS_MAX; i++) {
        SN_CHECK(sn_str_equal(again.labels[i].name.raw, entry->labels[i].name.raw));
        SN_CHECK(sn_str_equal(again.labels[i].value.raw, entry->labels[i].value.raw));
    }
    sn_buf_release(&page);
}

static void check_sample(struct sn_str body, const struct sn_text_entry *entry) {
    struct sn_label items[1 + SN_LABELS_MAX];
    struct sn_arena arena;
    check_inside(body, entry->series);
    for (size_t i = 0; i < entry->label_count && i < SN_LABELS_MAX; i++) {
        check_inside(body, entry->labels[i].name.raw);
        check_inside(body, entry->labels[i].value.raw);
        SN_CHECK(entry->labels[i].name.raw.len > 0);
    }
    SN_CHECK(entry->time_ms >= 0);
    check_again(entry);
    if (entry->label_count <= SN_LABELS_MAX) {
        sn_arena_init(&arena, 0);
        SN_CHECK(sn_text_entry_labels(entry, &arena, items, NULL) == SN_OK);
        sn_arena_release(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct sn_text_reader reader;
    struct sn_str body = sn_str_make(data, len);
    struct sn_text_entry entry;
    struct sn_err err = {.status = SN_OK};
    const char *last = NULL;
    sn_status status;
    sn_text_reader_init(&reader, body);
    while ((status = sn_text_reader_next(&reader, &entry, &err)) == SN_OK &&
           entry.kind != SN_TEXT_END) {
        SN_CHECK(reader.entry > last && reader.at > reader.entry && reader.at <= reader.end);
        last = reader.entry;
        check_inside(body, entry.metric_name.raw);
        check_inside(body, entry.help.raw);
        SN_CHECK(entry.metric_name.raw.len > 0);
        if (entry.kind == SN_TEXT_SAMPLE) {
            check_sample(body, &entry);
        }
    }
    if (status != SN_OK) {
        struct sn_err again = {.status = SN_OK};
        SN_CHECK(status == SN_ERR_INVALID && strncmp(err.text, "line ", 5) == 0);
        SN_CHECK(sn_text_reader_next(&reader, &entry, &again) == status);
        SN_CHECK(strcmp(err.text, again.text) == 0);
    }
    return 0;
}
