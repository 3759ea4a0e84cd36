/*
 * See push_line_priv.h. Any thread, each with its own line.
 */
#include "client/push_line_priv.h"

#include "codec/number.h"

static void put(struct sn_push_line *line, const char *bytes, size_t len) {
    if (line->status != SN_OK)
        return;
    if (len > line->cap - line->len) {
        line->status = SN_ERR_LIMIT;
        return;
    }
    memcpy(line->ptr + line->len, bytes, len);
    line->len += len;
}

static void fail(struct sn_push_line *line) {
    if (line->status == SN_OK)
        line->status = SN_ERR_INVALID;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char name_byte(char c, bool may_colon) {
    bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
                   (c == ':' && may_colon);
    return c != '\0' && is_good ? c : '_';
}

/* Returns 0 when no name can be made of the text, else the length in ret_name. */
static size_t make_name(const char *text, bool may_colon, char *ret_name) {
    size_t len = text != NULL ? strnlen(text, SN_PUSH_NAME_BYTES_MAX + 1) : 0;
    size_t used = 0;
    if (len == 0 || len > SN_PUSH_NAME_BYTES_MAX)
        return 0;
    if (is_digit(text[0]))
        ret_name[used++] = '_';
    for (size_t i = 0; i < len; i++)
        ret_name[used++] = name_byte(text[i], may_colon);
    ret_name[used] = '\0';
    return used;
}

void sn_push_line_start(struct sn_push_line *line, int64_t start_ms) {
    char number[SN_INTEGER_TEXT_SIZE];
    size_t len = sn_int64_format(start_ms, number);
    put(line, "# SONDE_START ", strlen("# SONDE_START "));
    put(line, number, len);
    put(line, "\n", 1);
}

void sn_push_line_name(struct sn_push_line *line, const char *name, const char *suffix) {
    char clean[SN_PUSH_NAME_BYTES_MAX + 2];
    size_t len = make_name(name, true, clean);
    if (len == 0)
        fail(line);
    put(line, clean, len);
    put(line, suffix, strlen(suffix));
}

void sn_push_line_raw_name(struct sn_push_line *line, struct sn_str name) {
    put(line, name.ptr, name.len);
}

sn_status sn_push_label_name(const char *key, char *ret_name) {
    return make_name(key, false, ret_name) > 0 ? SN_OK : SN_ERR_INVALID;
}

static void put_escaped(struct sn_push_line *line, struct sn_str text) {
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '\\' && c != '"' && c != '\n')
            continue;
        const char escape[2] = {'\\', c == '\n' ? 'n' : c};
        put(line, text.ptr + from, i - from);
        put(line, escape, sizeof escape);
        from = i + 1;
    }
    if (text.len > from)
        put(line, text.ptr + from, text.len - from);
}

void sn_push_line_label(struct sn_push_line *line, const char *name, struct sn_str value) {
    if (!sn_str_is_utf8(value))
        fail(line);
    put(line, line->label_count++ == 0 ? "{" : ",", 1);
    put(line, name, strlen(name));
    put(line, "=\"", 2);
    put_escaped(line, value);
    put(line, "\"", 1);
}

void sn_push_line_value(struct sn_push_line *line, double value) {
    char number[SN_DOUBLE_TEXT_SIZE];
    size_t len = sn_double_format(value, SN_DOUBLE_TEXT, number);
    if (line->label_count > 0)
        put(line, "}", 1);
    put(line, " ", 1);
    put(line, number, len);
}
