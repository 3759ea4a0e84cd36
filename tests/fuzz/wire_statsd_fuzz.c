/*
 * Datagrams of StatsD. Properties: what the reader hands out lies inside the datagram, names are not
 * empty and hold neither ':' nor '|', rates are in (0, 1], and every line is handed out or refused once.
 */
#include "wire/statsd.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_inside(struct sn_str part, struct sn_str whole) {
    SN_CHECK(part.len == 0 ||
             (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_metric(const struct sn_statsd_entry *entry) {
    struct sn_str values = entry->values, tags = entry->tags, value, name;
    size_t count = 0;
    SN_CHECK(entry->name.len > 0 && entry->rate > 0 && entry->rate <= 1);
    SN_CHECK(sn_str_find_char(entry->name, ':') == SIZE_MAX);
    SN_CHECK(sn_str_find_char(entry->name, '|') == SIZE_MAX);
    check_inside(entry->name, entry->line);
    while (sn_statsd_next_value(&values, &value)) {
        double number;
        bool is_change;
        check_inside(value, entry->line);
        if (sn_statsd_number(value, &number, &is_change) == SN_OK) {
            SN_CHECK(number - number == 0); /* finite */
        }
        count++;
    }
    SN_CHECK(count > 0);
    while (sn_statsd_next_tag(&tags, &name, &value)) {
        check_inside(name, entry->line);
        check_inside(value, entry->line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_str datagram = sn_str_make(data, len);
    struct sn_statsd_reader reader;
    struct sn_statsd_entry entry;
    size_t lines = 1, found = 0;
    for (size_t i = 0; i < len; i++) {
        lines += data[i] == '\n';
    }
    sn_statsd_open(&reader, datagram);
    for (;; found++) {
        struct sn_err err;
        sn_status status = sn_statsd_next(&reader, &entry, &err);
        if (status == SN_OK && entry.kind == SN_STATSD_END) {
            break;
        }
        check_inside(entry.line, datagram);
        SN_CHECK(entry.line.len > 0);
        if (status == SN_OK && entry.kind == SN_STATSD_METRIC) {
            check_metric(&entry);
        }
    }
    SN_CHECK(found <= lines);
    return 0;
}
