/*
 * Remote write bodies of both versions; the first byte picks one. Properties: text lies inside the
 * body; points and metadata come after a series or from the request; a histogram that is handed out
 * can be validated; the end stays the end.
 */
#include "wire/remote_write.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_inside(struct sn_str body, struct sn_str text) {
    SN_CHECK(text.len == 0 || (text.ptr >= body.ptr && text.ptr + text.len <= body.ptr + body.len));
}

static void check_entry(struct sn_str body, const struct sn_remote_write_entry *entry) {
    for (size_t i = 0; i < entry->label_count && i < SN_LABELS_MAX; i++) {
        check_inside(body, entry->labels[i].name);
        check_inside(body, entry->labels[i].value);
    }
    check_inside(body, entry->metadata.metric_name);
    check_inside(body, entry->metadata.help);
    check_inside(body, entry->metadata.unit);
    SN_CHECK(entry->metadata.type <= SN_METRIC_STATESET);
    if (entry->histogram != NULL) {
        SN_CHECK(entry->kind == SN_REMOTE_WRITE_HISTOGRAM);
        sn_status status = sn_histogram_validate(entry->histogram, NULL);
        SN_CHECK(status == SN_OK || status == SN_ERR_INVALID || status == SN_ERR_LIMIT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct sn_remote_write_reader reader;
    struct sn_remote_write_entry entry;
    struct sn_arena arena;
    if (len == 0) {
        return 0;
    }
    enum sn_remote_write_version version = data[0] % 2 == 0 ? SN_REMOTE_WRITE_1 : SN_REMOTE_WRITE_2;
    struct sn_str body = sn_str_make(data + 1, len - 1);
    sn_arena_init(&arena, 0);
    sn_status status = sn_remote_write_open(&reader, body, version, &arena, NULL);
    for (bool is_end = false; status == SN_OK && !is_end;) {
        status = sn_remote_write_next(&reader, &entry, NULL);
        if (status == SN_OK) {
            check_entry(body, &entry);
            is_end = entry.kind == SN_REMOTE_WRITE_END;
        }
    }
    SN_CHECK(status == SN_OK || status == SN_ERR_INVALID);
    if (status == SN_OK) {
        SN_CHECK(sn_remote_write_next(&reader, &entry, NULL) == SN_OK);
        SN_CHECK(entry.kind == SN_REMOTE_WRITE_END);
    }
    sn_arena_release(&arena);
    return 0;
}
