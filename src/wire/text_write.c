/* Lines of the text formats. See text_write.h. */
#include "wire/text_write.h"

#include "codec/number.h"

static void put_escaped(struct sn_buf *buf, struct sn_str text, bool has_quotes) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            sn_buf_put_text(buf, "\\n");
        else if (c == '\\' || (c == '"' && has_quotes)) {
            sn_buf_put_byte(buf, '\\');
            sn_buf_put_byte(buf, (uint8_t)c);
        } else {
            sn_buf_put_byte(buf, (uint8_t)c);
        }
    }
}

static void put_label(struct sn_buf *buf, struct sn_label label, bool is_first) {
    sn_buf_put_text(buf, is_first ? "{" : ",");
    if (sn_label_name_is_plain(label.name))
        sn_buf_put_str(buf, label.name);
    else
        sn_text_put_quoted(buf, label.name);
    sn_buf_put_byte(buf, '=');
    sn_text_put_quoted(buf, label.value);
}

void sn_text_write_series(struct sn_labels labels, struct sn_buf *buf) {
    struct sn_str name = sn_labels_get(labels, SN_LABEL_METRIC_NAME);
    bool is_first = true;
    if (sn_metric_name_is_plain(name)) {
        sn_buf_put_str(buf, name);
    } else if (name.len > 0) { /* {"a name",label="value"} */
        sn_buf_put_byte(buf, '{');
        sn_text_put_quoted(buf, name);
        is_first = false;
    }
    for (size_t i = 0; i < labels.count; i++) {
        if (sn_str_equal(labels.items[i].name, SN_LABEL_METRIC_NAME))
            continue;
        put_label(buf, labels.items[i], is_first);
        is_first = false;
    }
    if (!is_first)
        sn_buf_put_byte(buf, '}');
}

void sn_text_write_sample(enum sn_text_format format, int64_t time_ms, double value,
                          struct sn_buf *buf) {
    char text[SN_DOUBLE_TEXT_SIZE];
    bool is_open = format == SN_TEXT_OPENMETRICS;
    sn_buf_put_byte(buf, ' ');
    size_t len = sn_double_format(value, is_open ? SN_DOUBLE_OPENMETRICS : SN_DOUBLE_TEXT, text);
    sn_buf_put(buf, text, len);
    if (is_open)
        sn_buf_printf(buf, " %lld.%03lld\n", (long long)(time_ms / 1000),
                      (long long)(time_ms % 1000));
    else
        sn_buf_printf(buf, " %lld\n", (long long)time_ms);
}

static void put_head(struct sn_buf *buf, const char *kind, struct sn_str name) {
    sn_buf_printf(buf, "# %s ", kind);
    if (sn_metric_name_is_plain(name))
        sn_buf_put_str(buf, name);
    else
        sn_text_put_quoted(buf, name);
    sn_buf_put_byte(buf, ' ');
}

void sn_text_write_metadata(enum sn_text_format format, const struct sn_metadata *metadata,
                            struct sn_buf *buf) {
    struct sn_str name = metadata->metric_name;
    bool is_open = format == SN_TEXT_OPENMETRICS;
    bool is_counter = metadata->type == SN_METRIC_COUNTER;
    /* An OpenMetrics counter x has samples x_total; one that is not named so is unknown to it. */
    if (is_open && is_counter && sn_str_ends_with(name, SN_STR("_total")))
        name.len -= 6;
    put_head(buf, "TYPE", name);
    if (is_open && is_counter && name.len == metadata->metric_name.len)
        sn_buf_put_text(buf, "unknown\n");
    else if (!is_open && metadata->type == SN_METRIC_UNKNOWN)
        sn_buf_put_text(buf, "untyped\n");
    else
        sn_buf_printf(buf, "%s\n", sn_metric_type_name(metadata->type));
    if (metadata->help.len == 0)
        return;
    put_head(buf, "HELP", name);
    put_escaped(buf, metadata->help, is_open);
    sn_buf_put_byte(buf, '\n');
}
