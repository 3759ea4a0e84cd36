/* StatsD and DogStatsD: see statsd.h. */
#include "wire/statsd.h"

#include "base/check.h"
#include "codec/number.h"

#include <math.h>

enum { SHOWN_BYTES_MAX = 60 };

void sn_statsd_open(struct sn_statsd_reader *reader, struct sn_str datagram) {
    reader->at = datagram.len > 0 ? datagram.ptr : "";
    reader->end = reader->at + datagram.len;
}

/* Bytes of a line for a sentence: printable, and not too many. */
struct shown {
    char text[SHOWN_BYTES_MAX + 4];
};

static const char *show(struct sn_str line, struct shown *shown) {
    size_t len = line.len < SHOWN_BYTES_MAX ? line.len : SHOWN_BYTES_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = line.ptr[i];
        shown->text[i] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    memcpy(shown->text + len, line.len > len ? "..." : "", line.len > len ? 4 : 1);
    return shown->text;
}

static sn_status malformed(const struct sn_statsd_entry *entry, const char *what,
                           struct sn_err *err) {
    struct shown shown;
    return sn_err_set(err, SN_ERR_INVALID, "StatsD line \"%s\": %s", show(entry->line, &shown),
                      what);
}

/* Next line, without its end; false: none is left. */
static bool next_line(struct sn_statsd_reader *reader, struct sn_str *ret_line) {
    while (reader->at != reader->end) {
        size_t left = (size_t)(reader->end - reader->at);
        const char *newline = memchr(reader->at, '\n', left);
        size_t len = newline != NULL ? (size_t)(newline - reader->at) : left;
        struct sn_str line = sn_str_make(reader->at, len);
        reader->at += newline != NULL ? len + 1 : len;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len > 0) {
            *ret_line = line;
            return true;
        }
    }
    return false;
}

static bool read_type(struct sn_str text, enum sn_statsd_type *ret_type) {
    if (text.len == 2 && text.ptr[0] == 'm' && text.ptr[1] == 's') {
        *ret_type = SN_STATSD_TIMER;
        return true;
    }
    if (text.len != 1) {
        return false;
    }
    switch (text.ptr[0]) {
    case 'c':
        *ret_type = SN_STATSD_COUNTER;
        return true;
    case 'g':
        *ret_type = SN_STATSD_GAUGE;
        return true;
    case 'h':
        *ret_type = SN_STATSD_HISTOGRAM;
        return true;
    case 'd':
        *ret_type = SN_STATSD_DISTRIBUTION;
        return true;
    case 's':
        *ret_type = SN_STATSD_SET;
        return true;
    default:
        return false;
    }
}

/* One of the sections behind the type. */
static sn_status read_section(struct sn_statsd_entry *entry, struct sn_str section,
                              struct sn_err *err) {
    if (section.len == 0) {
        return malformed(entry, "a section is empty", err);
    }
    if (section.ptr[0] == '#') {
        entry->tags = sn_str_make(section.ptr + 1, section.len - 1);
        return SN_OK;
    }
    if (section.ptr[0] != '@') {
        return SN_OK;
    }
    if (sn_double_parse(sn_str_make(section.ptr + 1, section.len - 1), &entry->rate) != SN_OK ||
        !(entry->rate > 0 && entry->rate <= 1)) {
        return malformed(entry, "the sample rate is not a number above 0 and at most 1", err);
    }
    return SN_OK;
}

static sn_status read_metric(struct sn_statsd_entry *entry, struct sn_err *err) {
    struct sn_str head, rest, type;
    if (!sn_str_cut(entry->line, '|', &head, &rest)) {
        return malformed(entry, "there is no type", err);
    }
    if (!sn_str_cut(head, ':', &entry->name, &entry->values) || entry->name.len == 0) {
        return malformed(entry, "there is no name and value before the type", err);
    }
    bool has_more = sn_str_cut(rest, '|', &type, &rest);
    if (!read_type(type, &entry->type)) {
        return malformed(entry, "the type is not one of c, g, ms, h, d, s", err);
    }
    while (has_more) {
        struct sn_str section;
        has_more = sn_str_cut(rest, '|', &section, &rest);
        SN_TRY(read_section(entry, section, err));
    }
    return SN_OK;
}

sn_status sn_statsd_next(struct sn_statsd_reader *reader, struct sn_statsd_entry *ret_entry,
                         struct sn_err *err) {
    *ret_entry = (struct sn_statsd_entry){.kind = SN_STATSD_END, .rate = 1};
    if (!next_line(reader, &ret_entry->line)) {
        return SN_OK;
    }
    struct sn_str line = ret_entry->line;
    if (SN_UNLIKELY(line.ptr[0] == '_')) {
        if (sn_str_starts_with(line, SN_STR("_e{"))) {
            ret_entry->kind = SN_STATSD_EVENT;
            return SN_OK;
        }
        if (sn_str_starts_with(line, SN_STR("_sc|"))) {
            ret_entry->kind = SN_STATSD_SERVICE_CHECK;
            return SN_OK;
        }
    }
    ret_entry->kind = SN_STATSD_METRIC;
    return read_metric(ret_entry, err);
}

bool sn_statsd_next_value(struct sn_str *values, struct sn_str *ret_value) {
    if (values->ptr == NULL) {
        return false;
    }
    if (!sn_str_cut(*values, ':', ret_value, values)) {
        values->ptr = NULL;
        values->len = 0;
    }
    return true;
}

sn_status sn_statsd_number(struct sn_str value, double *ret_number, bool *ret_is_change) {
    double number;
    if (sn_double_parse(value, &number) != SN_OK || !isfinite(number)) {
        return SN_ERR_INVALID;
    }
    *ret_number = number;
    *ret_is_change = value.ptr[0] == '+' || value.ptr[0] == '-';
    return SN_OK;
}

bool sn_statsd_next_tag(struct sn_str *tags, struct sn_str *ret_name, struct sn_str *ret_value) {
    while (tags->len > 0) {
        struct sn_str tag;
        (void)sn_str_cut(*tags, ',', &tag, tags); /* the last tag has no ',' behind it */
        if (tag.len > 0) {
            (void)sn_str_cut(tag, ':', ret_name, ret_value); /* no ':': an empty value */
            return true;
        }
    }
    return false;
}
