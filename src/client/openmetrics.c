/*
 * Pages in OpenMetrics 1.0.
 *
 * What differs from text 0.0.4: a counter's family is called without _total and an info's without
 * _info, units are told, counters and histograms say when they began (_created), the last error of
 * an operation rides as exemplar on its count of errors, le="1" is le="1.0", and # EOF ends the page.
 *
 * A counter or info whose short name is that of another family (see openmetrics_names_priv.h) is
 * shown under its full name with type unknown. A histogram with negative bounds has no _sum and no
 * _count: the specification forbids them. One thread per page.
 */
#include "base/check.h"
#include "client/openmetrics_names_priv.h"
#include "client/page_line_priv.h"
#include "codec/number.h"

#define EXEMPLAR_CHARS_MAX 128 /* of all label names and values together, by the specification */

_Static_assert(SN_LINE_NUMBER_BYTES > SN_INTEGER_TEXT_SIZE + 4, "a time and a line feed fit");

struct openmetrics {
    struct sn_page *page;
    const sonde_family_info *info; /* the family whose lines come */
    struct sn_str name;            /* how it is called here */
    bool is_plain;                 /* shown as unknown under its full name */
    struct sn_line_heads heads;
    struct sn_line_head created;
};

static const char *type_name(sonde_type type, bool is_plain) {
    if (is_plain)
        return "unknown";
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return "counter";
    case SONDE_TYPE_HISTOGRAM:
        return "histogram";
    case SONDE_TYPE_GAUGE:
        return "gauge";
    case SONDE_TYPE_INFO:
        return "info";
    }
    return "unknown";
}

static void put_metadata(struct openmetrics *om, const char *word, struct sn_str text) {
    struct sn_page *page = om->page;
    sn_page_put(page, "# ", 2);
    sn_page_put_text(page, word);
    sn_page_put(page, " ", 1);
    sn_page_put_str(page, om->name);
    sn_page_put(page, " ", 1);
    sn_page_put_escaped(page, text, SN_ESCAPE_LINES_AND_QUOTES);
    sn_page_put(page, "\n", 1);
}

static int put_family(void *ctx, const sonde_family_info *info, const struct sn_family *family) {
    struct openmetrics *om = ctx;
    om->info = info;
    om->is_plain = family != NULL && sn_family_is_plain(family);
    om->name = sn_openmetrics_stem(info->type, sn_str_from(info->name));
    if (om->is_plain)
        om->name = sn_str_from(info->name);
    sn_line_heads_set(&om->heads, sn_str_from(info->name), info->type);
    sn_line_head_set(&om->created, om->name, SN_STR("_created"));
    struct sn_str unit = sn_str_from(info->unit);
    put_metadata(om, "TYPE", sn_str_from(type_name(info->type, om->is_plain)));
    /* A name that goes on behind its unit must not tell it; infos have none. */
    if (unit.len > 0 && info->type != SONDE_TYPE_INFO && sn_str_ends_with(om->name, unit))
        put_metadata(om, "UNIT", unit);
    if (info->help[0] != '\0')
        put_metadata(om, "HELP", sn_str_from(info->help));
    return om->page->stop;
}

/* Unix milliseconds as seconds; at most SN_LINE_NUMBER_BYTES with a line feed. Returns the end. */
static char *format_time(char *at, int64_t wall_ms) {
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    at += sn_uint64_format(ms / 1000, at);
    *at++ = '.';
    *at++ = (char)('0' + ms % 1000 / 100);
    *at++ = (char)('0' + ms % 100 / 10);
    *at++ = (char)('0' + ms % 10);
    return at;
}

static void put_time(struct sn_page *page, int64_t wall_ms) {
    char text[SN_LINE_NUMBER_BYTES];
    sn_page_put(page, text, (size_t)(format_time(text, wall_ms) - text));
}

/* Exemplars. */

/*
 * One label of an exemplar, cut to *room characters. What is not UTF-8 becomes U+FFFD: error
 * messages come from anywhere. Returns whether there was something to show.
 */
static bool put_exemplar_label(struct sn_page *page, struct sn_str name, const char *text,
                               size_t *room) {
    struct sn_str rest = sn_str_from(text);
    if (rest.len == 0 || *room <= name.len)
        return false;
    *room -= name.len;
    sn_page_put_str(page, name);
    sn_page_put(page, "=\"", 2);
    for (; rest.len > 0 && *room > 0; (*room)--) {
        size_t len = sn_str_utf8_char_len(rest);
        if (len > 0)
            sn_page_put_escaped(page, sn_str_make(rest.ptr, len), SN_ESCAPE_LINES_AND_QUOTES);
        else
            sn_page_put(page, "\xef\xbf\xbd", 3);
        len = len > 0 ? len : 1;
        rest = sn_str_make(rest.ptr + len, rest.len - len);
    }
    sn_page_put(page, "\"", 1);
    return true;
}

static void put_exemplar(struct sn_page *page, const struct sn_error_text *error) {
    size_t room = EXEMPLAR_CHARS_MAX;
    struct sn_str message = SN_STR("message");
    sn_page_put_text(page, " # {");
    bool has_class = put_exemplar_label(page, SN_STR("class"), error->error_class, &room);
    if (error->message[0] != '\0' && room > message.len) {
        sn_page_put(page, ",", has_class);
        (void)put_exemplar_label(page, message, error->message, &room);
    }
    sn_page_put_text(page, "} 1.0 ");
    put_time(page, error->wall_ms);
}

/* Lines. */

static void put_created(struct openmetrics *om, const struct sn_line *line) {
    if (line->created_wall_ms == 0)
        return;
    /* Its only label that is a number belongs to buckets; here it is an outcome or nothing. */
    char *at = sn_page_begin_line(om->page, &om->created, line, SN_LINE_OPENMETRICS);
    at = format_time(at, line->created_wall_ms);
    *at++ = '\n';
    sn_page_set_end(om->page, at);
}

static bool has_created(const struct openmetrics *om, const struct sn_line *line) {
    if (om->is_plain)
        return false;
    return om->info->type == SONDE_TYPE_COUNTER ||
           (om->info->type == SONDE_TYPE_HISTOGRAM && line->suffix == SN_SUFFIX_COUNTER);
}

static bool is_forbidden(const struct openmetrics *om, const struct sn_line *line) {
    const sonde_buckets *buckets =
        om->info->type == SONDE_TYPE_HISTOGRAM ? line->series->family->buckets : NULL;
    return buckets != NULL && buckets->low < 0 && line->suffix != SN_SUFFIX_BUCKET;
}

static void put_sample(struct openmetrics *om, const struct sn_line *line) {
    struct sn_page *page = om->page;
    char *at = sn_page_begin_line(page, &om->heads.of[line->suffix], line, SN_LINE_OPENMETRICS);
    at += line->is_integer ? sn_uint64_format(line->integer, at)
                           : sn_double_format(line->number, SN_DOUBLE_OPENMETRICS, at);
    if (SN_UNLIKELY(line->last_error != NULL && line->integer > 0)) {
        sn_page_set_end(page, at);
        put_exemplar(page, line->last_error);
        sn_page_put(page, "\n", 1);
        return;
    }
    *at++ = '\n';
    sn_page_set_end(page, at);
}

static int put_line(void *ctx, const struct sn_line *line) {
    struct openmetrics *om = ctx;
    if (!is_forbidden(om, line))
        put_sample(om, line);
    if (has_created(om, line))
        put_created(om, line);
    return om->page->stop;
}

sonde_status sn_openmetrics_write(sonde_registry *registry, struct sn_page *page) {
    struct openmetrics om = {.page = page};
    struct sn_line_sink lines = {
        .family = put_family, .line = put_line, .ctx = &om, .wants_errors = true};
    sonde_status status = sn_registry_read(registry, &lines);
    sn_page_put_text(page, "# EOF\n");
    return status;
}
