/*
 * Lines as other log programs want them: RFC 5424 for syslog, KEY=value for journald. The contract
 * is in log_format_priv.h. Any thread.
 *
 * Fields become structured data there, so their names follow the rules of these protocols, and no
 * field can take the name of one that we write.
 */
#include "client/log_format_priv.h"

#include "codec/number.h"
#include "codec/varint.h"

/* ---- RFC 5424 ---- */

/* 32473 is set aside for documentation (RFC 5612): we have no number of our own. */
#define SD_ID "fields@32473"
#define SYSLOG_NAME_BYTES_MAX 32 /* MSGID, PARAM-NAME */
#define APP_NAME_BYTES_MAX 48
#define HOST_NAME_BYTES_MAX 255

static unsigned severity(sonde_level level) {
    switch (level) {
    case SONDE_LEVEL_DEBUG:
        return 7;
    case SONDE_LEVEL_INFO:
        return 6;
    case SONDE_LEVEL_WARN:
        return 4;
    case SONDE_LEVEL_ERROR:
    case SONDE_LEVEL_DEFAULT:
    case SONDE_LEVEL_OFF:
        break;
    }
    return 3;
}

static void put_number(struct sn_buf *buf, uint64_t number) {
    char text[SN_INTEGER_TEXT_SIZE];
    sn_buf_put(buf, text, sn_uint64_format(number, text));
}

/* Printable ASCII without blanks and what delimits names; "-" when there is none. */
static void put_name(struct sn_buf *buf, struct sn_str name, size_t bytes_max) {
    if (name.len == 0)
        sn_buf_put_byte(buf, '-');
    for (size_t i = 0; i < name.len && i < bytes_max; i++) {
        uint8_t byte = (uint8_t)name.ptr[i];
        bool is_good = byte > ' ' && byte < 0x7F && byte != '=' && byte != ']' && byte != '"';
        sn_buf_put_byte(buf, is_good ? byte : '_');
    }
}

/* The value of a PARAM: our escapes, and "\]"; a backslash stays one that is escaped. */
static void put_param_value(struct sn_buf *buf, struct sn_str text) {
    while (text.len > 0) {
        size_t end = sn_str_find_char(text, ']');
        size_t len = end < text.len ? end : text.len;
        sn_log_put_escaped(buf, sn_str_make(text.ptr, len), true);
        if (len < text.len) {
            sn_buf_put_text(buf, "\\]");
            len++;
        }
        text = sn_str_make(text.ptr + len, text.len - len);
    }
}

static void put_param(struct sn_buf *buf, struct sn_str key, const char *suffix,
                      struct sn_str text) {
    sn_buf_put_byte(buf, ' ');
    put_name(buf, key, SYSLOG_NAME_BYTES_MAX - strlen(suffix));
    sn_buf_put_text(buf, suffix);
    sn_buf_put_text(buf, "=\"");
    put_param_value(buf, text);
    sn_buf_put_byte(buf, '"');
}

static void syslog_field(struct sn_buf *buf, const struct sn_log_field *field) {
    char text[SN_LOG_VALUE_TEXT_SIZE];
    if (field->kind != SONDE_FIELD_ERROR) {
        put_param(buf, field->key, "", sn_log_value_text(field, text));
        return;
    }
    put_param(buf, field->key, ".class", field->extra);
    put_param(buf, field->key, ".message", field->text);
    put_param(buf, field->key, ".code",
              sn_str_make(text, sn_int64_format((int64_t)field->number, text)));
}

static void put_structured_data(const struct sn_log_view *view, struct sn_buf *buf) {
    struct sn_log_field field;
    const uint8_t *at = view->fields;
    unsigned count = 0;
    size_t start = buf->len;
    sn_buf_put_text(buf, "[" SD_ID);
    while (sn_log_field_next(view, &at, &field))
        syslog_field(buf, &field);
    while (sn_log_count_next(view, &count, &field))
        syslog_field(buf, &field);
    sn_buf_put_byte(buf, ']');
    if (buf->status == SN_OK && buf->len == start + sizeof("[" SD_ID "]") - 1) {
        buf->len = start; /* no field at all is written as "-" */
        sn_buf_put_byte(buf, '-');
    }
}

void sn_log_format_syslog(const struct sn_log_view *view, const struct sn_log_identity *identity,
                          struct sn_buf *buf) {
    char time[SN_LOG_TIME_TEXT_SIZE];
    sn_buf_put_byte(buf, '<');
    put_number(buf, identity->facility * 8 + severity(view->level));
    sn_buf_put_text(buf, ">1 ");
    sn_buf_put_str(buf, sn_log_time_text(view->time_ns, 6, time));
    sn_buf_put_byte(buf, ' ');
    put_name(buf, identity->host, HOST_NAME_BYTES_MAX);
    sn_buf_put_byte(buf, ' ');
    put_name(buf, identity->program, APP_NAME_BYTES_MAX);
    sn_buf_put_byte(buf, ' ');
    put_number(buf, (uint64_t)identity->pid);
    sn_buf_put_byte(buf, ' ');
    put_name(buf, view->logger, SYSLOG_NAME_BYTES_MAX);
    sn_buf_put_byte(buf, ' ');
    put_structured_data(view, buf);
    sn_buf_put_byte(buf, ' ');
    sn_log_put_escaped(buf, view->message, false);
}

/* ---- journald ---- */

#define JOURNAL_NAME_BYTES_MAX 64

/* Our own fields, and what journald gives a meaning of its own. */
static bool is_journal_taken(struct sn_str name) {
    static const struct sn_str taken[] = {
        {"MESSAGE", 7},     {"MESSAGE_ID", 10}, {"PRIORITY", 8},    {"SONDE_LOGGER", 12},
        {"SONDE_TIME", 10}, {"MISSING", 7},     {"SUPPRESSED", 10}, {"TRUNCATED", 9},
        {"ERRNO", 5},       {"CODE_FILE", 9},   {"CODE_LINE", 9},   {"CODE_FUNC", 9},
    };
    if (sn_str_starts_with(name, SN_STR("SYSLOG_")))
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (sn_str_equal(name, taken[i]))
            return true;
    }
    return false;
}

static char journal_letter(char c) {
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    bool is_good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_good ? c : '_';
}

/* A to Z, 0 to 9 and "_", a letter first: journald drops the whole field otherwise. */
static size_t journal_name(struct sn_str key, struct sn_str suffix,
                           char ret_name[JOURNAL_NAME_BYTES_MAX]) {
    size_t room = JOURNAL_NAME_BYTES_MAX - suffix.len - 1; /* for the "_" of taken names */
    size_t len = 0;
    char first = key.len > 0 ? journal_letter(key.ptr[0]) : '_';
    if (first == '_' || (first >= '0' && first <= '9'))
        ret_name[len++] = 'X';
    for (size_t i = 0; i < key.len && len < room; i++)
        ret_name[len++] = journal_letter(key.ptr[i]);
    memcpy(ret_name + len, suffix.ptr, suffix.len);
    len += suffix.len;
    if (is_journal_taken(sn_str_make(ret_name, len)))
        ret_name[len++] = '_';
    return len;
}

/* The form with a length carries any bytes. The plain one is for values that are known. */
static void put_binary(struct sn_buf *buf, struct sn_str name, struct sn_str value) {
    sn_buf_put_str(buf, name);
    sn_buf_put_byte(buf, '\n');
    sn_buf_put_u64le(buf, value.len);
    sn_buf_put_str(buf, value);
    sn_buf_put_byte(buf, '\n');
}

static void put_entry(struct sn_buf *buf, struct sn_str key, const char *suffix,
                      struct sn_str value) {
    char name[JOURNAL_NAME_BYTES_MAX];
    size_t len = journal_name(key, sn_str_from(suffix), name);
    put_binary(buf, sn_str_make(name, len), value);
}

static void journald_field(struct sn_buf *buf, const struct sn_log_field *field) {
    char text[SN_LOG_VALUE_TEXT_SIZE];
    if (field->kind != SONDE_FIELD_ERROR) {
        put_entry(buf, field->key, "", sn_log_value_text(field, text));
        return;
    }
    put_entry(buf, field->key, "_CLASS", field->extra);
    put_entry(buf, field->key, "_MESSAGE", field->text);
    put_entry(buf, field->key, "_CODE",
              sn_str_make(text, sn_int64_format((int64_t)field->number, text)));
}

static void journald_count(struct sn_buf *buf, const char *name, uint64_t count) {
    if (count == 0)
        return;
    sn_buf_put_text(buf, name);
    put_number(buf, count);
    sn_buf_put_byte(buf, '\n');
}

void sn_log_format_journald(const struct sn_log_view *view, const struct sn_log_identity *identity,
                            struct sn_buf *buf) {
    char time[SN_LOG_TIME_TEXT_SIZE];
    struct sn_log_field field;
    put_binary(buf, SN_STR("MESSAGE"), view->message);
    sn_buf_put_text(buf, "PRIORITY=");
    put_number(buf, severity(view->level));
    sn_buf_put_text(buf, "\nSONDE_TIME=");
    sn_buf_put_str(buf, sn_log_time_text(view->time_ns, 9, time));
    sn_buf_put_byte(buf, '\n');
    put_binary(buf, SN_STR("SYSLOG_IDENTIFIER"), identity->program);
    if (view->logger.len > 0)
        put_binary(buf, SN_STR("SONDE_LOGGER"), view->logger);
    const uint8_t *at = view->fields;
    while (sn_log_field_next(view, &at, &field))
        journald_field(buf, &field);
    journald_count(buf, "MISSING=", view->missing);
    journald_count(buf, "SUPPRESSED=", view->suppressed);
    journald_count(buf, "TRUNCATED=", view->truncated);
}
