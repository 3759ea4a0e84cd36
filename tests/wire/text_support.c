#include "text_support.h"

#include "codec/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

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
    sn_buf_put_text(buf, entry->kind == SN_TEXT_HELP   ? "HELP "
                         : entry->kind == SN_TEXT_UNIT ? "UNIT "
                                                       : "TYPE ");
    render_name(name, buf);
    sn_buf_put_byte(buf, ' ');
    if (entry->kind != SN_TEXT_TYPE) {
        sn_buf_put_str(buf, help);
    } else {
        sn_buf_put_text(buf, sn_metric_type_name(entry->type));
    }
    return SN_OK;
}

static sn_status render_exemplar(const struct sn_text_exemplar *exemplar, struct sn_arena *arena,
                                 struct sn_buf *buf, struct sn_err *err) {
    struct sn_label items[SN_LABELS_MAX];
    struct sn_labels labels;
    char number[SN_DOUBLE_TEXT_SIZE];
    for (size_t i = 0; i < exemplar->label_count; i++) {
        SN_TRY(sn_text_resolve(exemplar->labels[i].name, arena, &items[i].name, err));
        SN_TRY(sn_text_resolve(exemplar->labels[i].value, arena, &items[i].value, err));
    }
    SN_TRY(sn_labels_make(items, exemplar->label_count, &labels, err));
    sn_buf_put_text(buf, " # ");
    sn_labels_format(labels, buf);
    sn_double_format(exemplar->value, SN_DOUBLE_TEXT, number);
    sn_buf_printf(buf, " %s", number);
    if (exemplar->has_time) {
        sn_buf_printf(buf, " @%lld", (long long)exemplar->time_ms);
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
    return entry->exemplar != NULL ? render_exemplar(entry->exemplar, arena, buf, err) : SN_OK;
}

void text_any_reader_init(struct text_any_reader *reader, bool is_openmetrics, struct sn_str page) {
    reader->is_openmetrics = is_openmetrics;
    sn_openmetrics_reader_init(&reader->reader, page);
}

sn_status text_any_reader_next(struct text_any_reader *reader, struct sn_text_entry *ret_entry,
                               struct sn_err *err) {
    return reader->is_openmetrics ? sn_openmetrics_reader_next(&reader->reader, ret_entry, err)
                                  : sn_text_reader_next(&reader->reader.text, ret_entry, err);
}

static sn_status render_all(struct text_any_reader *reader, struct sn_arena *arena,
                            struct sn_buf *buf, struct sn_err *err) {
    for (;;) {
        struct sn_text_entry entry;
        SN_TRY(text_any_reader_next(reader, &entry, err));
        if (entry.kind == SN_TEXT_END) {
            return SN_OK;
        }
        sn_buf_put_text(buf, buf->len > 0 ? " ; " : "");
        SN_TRY(entry.kind == SN_TEXT_SAMPLE ? render_sample(&entry, arena, buf, err)
                                            : render_metadata(&entry, arena, buf, err));
    }
}

sn_status text_render_any(bool is_openmetrics, struct sn_str page, struct sn_buf *buf,
                          struct sn_err *err) {
    struct text_any_reader reader;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    text_any_reader_init(&reader, is_openmetrics, page);
    sn_status status = render_all(&reader, &arena, buf, err);
    sn_arena_release(&arena);
    return status;
}

sn_status text_render(struct sn_str page, struct sn_buf *buf, struct sn_err *err) {
    return text_render_any(false, page, buf, err);
}

/* ---- data files ---- */

static int hex_digit(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Turn the escapes of the data file into bytes, in place; the length. */
static size_t decode_page(char *text, size_t len) {
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\\') {
            c = text[++i];
            if (c == 'x') {
                c = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
                i += 2;
            } else {
                c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            }
        }
        text[out++] = c;
    }
    return out;
}

static void run_case(bool is_openmetrics, struct sn_str page, bool is_good, const char *expected,
                     int line) {
    struct sn_buf buf;
    struct sn_err err = {.status = SN_OK};
    sn_buf_init(&buf, 0);
    sn_status status = text_render_any(is_openmetrics, page, &buf, &err);
    sn_buf_put_byte(&buf, '\0');
    const char *said = status == SN_OK ? (const char *)buf.ptr : err.text;
    if ((status == SN_OK) != is_good || strcmp(said, expected) != 0) {
        fail_msg("line %d: expected\n%s\nbut it is\n%s", line, expected, said);
    }
    sn_buf_release(&buf);
}

int text_run_data_file(bool is_openmetrics, const char *name) {
    char path[4096];
    char line[4096];
    int number = 0;
    int count = 0;
    (void)snprintf(path, sizeof path, "%s/tests/wire/data/%s", text_source_dir(), name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || strncmp(line, "# ", 2) == 0 || strcmp(line, "#") == 0) {
            continue;
        }
        char *good = strstr(line, " => ");
        char *bad = strstr(line, " !> ");
        char *arrow = good != NULL ? good : bad;
        assert_non_null(arrow);
        size_t len = decode_page(line, (size_t)(arrow - line));
        run_case(is_openmetrics, sn_str_make(line, len), good != NULL, arrow + 4, number);
        count++;
    }
    (void)fclose(file);
    return count;
}
