#include "text_support.h"

#include "codec/number.h"

#include <stdlib.h>

const char *text_source_dir(void) {
    const char *dir = getenv("SONDE_SOURCE");
    return dir != NULL ? dir : ".";
}

static void render_name(struct sn_str name, struct sn_buf *buf) {
    struct sn_label item = {SN_LABEL_METRIC_NAME, name};
    sn_labels_format((struct sn_labels){&item, 1}, buf);
}

static sn_status render_metadata(const struct sn_text_entry *entry, struct sn_arena *arena,
                                 struct sn_buf *buf, struct sn_err *err) {
    struct sn_str name;
    struct sn_str help;
    SN_TRY(sn_text_resolve(entry->metric_name, arena, &name, err));
    SN_TRY(sn_text_resolve(entry->help, arena, &help, err));
    sn_buf_put_text(buf, entry->kind == SN_TEXT_HELP ? "HELP " : "TYPE ");
    render_name(name, buf);
    sn_buf_put_byte(buf, ' ');
    if (entry->kind == SN_TEXT_HELP) {
        sn_buf_put_str(buf, help);
    } else {
        sn_buf_put_text(buf, sn_metric_type_name(entry->type));
    }
    return SN_OK;
}

static sn_status render_sample(const struct sn_text_entry *entry, struct sn_arena *arena,
                               struct sn_buf *buf, struct sn_err *err) {
    struct sn_label items[1 + SN_LABELS_MAX];
    struct sn_labels labels;
    char number[SN_DOUBLE_TEXT_SIZE];
    if (entry->label_count > SN_LABELS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT, "%zu labels", entry->label_count);
    }
    SN_TRY(sn_text_entry_labels(entry, arena, items, err));
    SN_TRY(sn_labels_make(items, 1 + entry->label_count, &labels, err));
    sn_labels_format(labels, buf);
    sn_double_format(entry->value, SN_DOUBLE_TEXT, number);
    sn_buf_printf(buf, " %s", number);
    if (entry->has_time) {
        sn_buf_printf(buf, " @%lld", (long long)entry->time_ms);
    }
    return SN_OK;
}

static sn_status render_all(struct sn_text_reader *reader, struct sn_arena *arena,
                            struct sn_buf *buf, struct sn_err *err) {
    for (;;) {
        struct sn_text_entry entry;
        SN_TRY(sn_text_reader_next(reader, &entry, err));
        if (entry.kind == SN_TEXT_END) {
            return SN_OK;
        }
        sn_buf_put_text(buf, buf->len > 0 ? " ; " : "");
        SN_TRY(entry.kind == SN_TEXT_SAMPLE ? render_sample(&entry, arena, buf, err)
                                            : render_metadata(&entry, arena, buf, err));
    }
}

sn_status text_render(struct sn_str page, struct sn_buf *buf, struct sn_err *err) {
    struct sn_text_reader reader;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_text_reader_init(&reader, page);
    sn_status status = render_all(&reader, &arena, buf, err);
    sn_arena_release(&arena);
    return status;
}
