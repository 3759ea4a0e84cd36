/*
 * Pages in Prometheus' text format 0.0.4.
 *
 * Lines are put together in page_line.c. One thread per page.
 */
#include "client/page_line_priv.h"

struct text {
    struct sn_page *page;
    struct sn_line_heads heads; /* of the family whose lines come */
};

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
    struct text *text = ctx;
    struct sn_page *page = text->page;
    (void)family;
    sn_line_heads_set(&text->heads, sn_str_from(info->name), info->type);
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

static int put_line(void *ctx, const struct sn_line *line) {
    struct text *text = ctx;
    char *at = sn_page_begin_line(text->page, &text->heads.of[line->suffix], line, SN_LINE_TEXT);
    at += line->is_integer ? sn_uint64_format(line->integer, at)
                           : sn_double_format(line->number, SN_DOUBLE_TEXT, at);
    *at++ = '\n';
    sn_page_set_end(text->page, at);
    return text->page->stop;
}

sonde_status sn_text_write(sonde_registry *registry, struct sn_page *page) {
    struct text text = {.page = page};
    struct sn_line_sink lines = {.family = put_family, .line = put_line, .ctx = &text};
    return sn_registry_read(registry, &lines);
}
