/*
 * Pages in Prometheus' text format 0.0.4.
 *
 * Labels are rendered when a series is made (series.c), so a line is a few copies and a number.
 * One thread per page.
 */
#include "client/page_priv.h"

#include "codec/number.h"

#define NUMBER_BYTES 32

_Static_assert(NUMBER_BYTES >= SN_DOUBLE_TEXT_SIZE, "a number fits");
_Static_assert(NUMBER_BYTES >= SN_INTEGER_TEXT_SIZE, "a number fits");

static const char *type_name(sonde_type type) {
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return "counter";
    case SONDE_TYPE_HISTOGRAM:
        return "histogram";
    case SONDE_TYPE_GAUGE:
    case SONDE_TYPE_INFO: /* the format has no infos */
        return "gauge";
    }
    return "untyped";
}

static int put_family(void *ctx, const sonde_family_info *info, const struct sn_family *family) {
    struct sn_page *page = ctx;
    (void)family;
    if (info->help[0] != '\0') {
        sn_page_put_text(page, "# HELP ");
        sn_page_put_text(page, info->name);
        sn_page_put_text(page, " ");
        sn_page_put_escaped(page, sn_str_from(info->help), SN_ESCAPE_LINES);
        sn_page_put_text(page, "\n");
    }
    sn_page_put_text(page, "# TYPE ");
    sn_page_put_text(page, info->name);
    sn_page_put_text(page, " ");
    sn_page_put_text(page, type_name(info->type));
    sn_page_put_text(page, "\n");
    return page->stop;
}

static void put_labels(struct sn_page *page, const struct sn_line *line) {
    size_t len = line->series != NULL ? line->series->text_len : 0;
    if (len == 0 && line->extra_name == NULL)
        return;
    sn_page_put(page, "{", 1);
    if (len > 0)
        sn_page_put(page, sn_series_text(line->series), len);
    if (line->extra_name != NULL) {
        sn_page_put(page, ",", len > 0);
        sn_page_put_text(page, line->extra_name);
        sn_page_put(page, "=\"", 2);
        sn_page_put_text(page, line->extra_value);
        sn_page_put(page, "\"", 1);
    }
    sn_page_put(page, "}", 1);
}

static int put_line(void *ctx, const struct sn_line *line) {
    struct sn_page *page = ctx;
    sn_page_put_str(page, line->name);
    sn_page_put_str(page, line->suffix);
    put_labels(page, line);
    char number[NUMBER_BYTES];
    size_t len = line->is_integer ? sn_uint64_format(line->integer, number)
                                  : sn_double_format(line->number, SN_DOUBLE_TEXT, number);
    number[len] = '\n'; /* where its NUL was */
    sn_page_put(page, " ", 1);
    sn_page_put(page, number, len + 1);
    return page->stop;
}

sonde_status sn_text_write(sonde_registry *registry, struct sn_page *page) {
    struct sn_line_sink lines = {.family = put_family, .line = put_line, .ctx = page};
    return sn_registry_read(registry, &lines);
}
