/*
 * The three line formats. See log_format_priv.h. Any thread.
 */
#include "client/log_format_priv.h"

#include "base/clock.h"
#include "codec/json_write.h"
#include "codec/number.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define REPLACEMENT SN_STR("\xef\xbf\xbd") /* U+FFFD */

static const char digits[] = "0123456789abcdef";

/* ---- values ---- */

/* Write a number below 10^count with leading zeros. */
static void put_decimals(char *at, uint64_t number, unsigned count) {
    for (unsigned i = count; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
}

/* Quotient and remainder of ns, rounded down: the remainder is never negative. */
static int64_t split(int64_t ns, int64_t unit, int64_t *ret_rest) {
    int64_t rest = ns % unit;
    int64_t whole = ns / unit;
    *ret_rest = rest < 0 ? rest + unit : rest;
    return rest < 0 ? whole - 1 : whole;
}

struct sn_str sn_log_time_text(int64_t time_ns, unsigned decimals,
                               char ret_text[SN_LOG_TIME_TEXT_SIZE]) {
    enum { MS_END = sizeof("2026-11-21T10:11:12.345") - 1 };
    int64_t rest_ns;
    char text[SN_TIME_TEXT_SIZE];
    sn_time_format(split(time_ns, NS_PER_MS, &rest_ns), text);
    memcpy(ret_text, text, MS_END);
    put_decimals(ret_text + MS_END, (uint64_t)rest_ns, 6);
    size_t len = MS_END - 3 + decimals;
    ret_text[len] = 'Z';
    return sn_str_make(ret_text, len + 1);
}

struct sn_str sn_log_seconds_text(int64_t ns, char ret_text[SN_LOG_VALUE_TEXT_SIZE]) {
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    ret_text[0] = '-';
    size_t len = 1 + sn_uint64_format(magnitude / NS_PER_S, ret_text + 1);
    ret_text[len] = '.';
    put_decimals(ret_text + len + 1, magnitude % NS_PER_S, 9);
    len += 10;
    while (ret_text[len - 1] == '0')
        len--;
    len -= ret_text[len - 1] == '.';
    size_t start = ns < 0 ? 0 : 1;
    return sn_str_make(ret_text + start, len - start);
}

static struct sn_str double_text(uint64_t bits, char text[SN_LOG_VALUE_TEXT_SIZE]) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return sn_str_make(text, sn_double_format(value, SN_DOUBLE_API, text));
}

struct sn_str sn_log_value_text(const struct sn_log_field *field,
                                char text[SN_LOG_VALUE_TEXT_SIZE]) {
    switch (field->kind) {
    case SONDE_FIELD_I64:
        return sn_str_make(text, sn_int64_format((int64_t)field->number, text));
    case SONDE_FIELD_U64:
        return sn_str_make(text, sn_uint64_format(field->number, text));
    case SONDE_FIELD_F64:
        return double_text(field->number, text);
    case SONDE_FIELD_BOOL:
        return field->number != 0 ? SN_STR("true") : SN_STR("false");
    case SONDE_FIELD_DURATION:
        return sn_log_seconds_text((int64_t)field->number, text);
    case SONDE_FIELD_TIME:
        return sn_log_time_text((int64_t)field->number, 9, text);
    case SONDE_FIELD_NULL:
        return SN_STR("null");
    case SONDE_FIELD_TEXT:
    case SONDE_FIELD_ERROR:
    case SONDE_FIELD_END:
        return field->text;
    }
    return field->text;
}

struct sn_str sn_log_level_text(sonde_level level) {
    switch (level) {
    case SONDE_LEVEL_DEBUG:
        return SN_STR("debug");
    case SONDE_LEVEL_INFO:
        return SN_STR("info");
    case SONDE_LEVEL_WARN:
        return SN_STR("warn");
    case SONDE_LEVEL_ERROR:
        return SN_STR("error");
    case SONDE_LEVEL_DEFAULT:
    case SONDE_LEVEL_OFF:
        break;
    }
    return SN_STR("?");
}

bool sn_log_count_next(const struct sn_log_view *view, unsigned *at,
                       struct sn_log_field *ret_field) {
    const struct {
        struct sn_str key;
        uint64_t count;
    } counts[] = {
        {SN_STR("missing"), view->missing},
        {SN_STR("suppressed"), view->suppressed},
        {SN_STR("truncated"), view->truncated},
    };
    while (*at < sizeof counts / sizeof counts[0]) {
        unsigned i = (*at)++;
        if (counts[i].count == 0)
            continue;
        *ret_field = (struct sn_log_field){
            .key = counts[i].key, .kind = SONDE_FIELD_U64, .number = counts[i].count};
        return true;
    }
    return false;
}

/* Names of our own part of a line: a field of such a name gets a "_" behind. */
static bool is_taken(struct sn_str key) {
    static const struct sn_str ours[] = {
        {"ts", 2},      {"level", 5},       {"logger", 6},    {"msg", 3},
        {"missing", 7}, {"suppressed", 10}, {"truncated", 9},
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (sn_str_equal(key, ours[i]))
            return true;
    }
    return false;
}

/* ---- JSON ---- */

/* The key, with "_" behind it when it is ours. */
static void json_key(struct sn_json_writer *json, struct sn_str key) {
    char longer[16];
    if (is_taken(key)) {
        memcpy(longer, key.ptr, key.len);
        longer[key.len] = '_';
        key = sn_str_make(longer, key.len + 1);
    }
    sn_json_write_key(json, key);
}

static void json_error(struct sn_json_writer *json, const struct sn_log_field *field) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("class"), field->extra);
    sn_json_write_key_string(json, SN_STR("message"), field->text);
    sn_json_write_key_int64(json, SN_STR("code"), (int64_t)field->number);
    sn_json_write_object_end(json);
}

static void json_value(struct sn_json_writer *json, const struct sn_log_field *field) {
    char text[SN_LOG_VALUE_TEXT_SIZE];
    double value;
    switch (field->kind) {
    case SONDE_FIELD_TEXT:
    case SONDE_FIELD_TIME:
        sn_json_write_string(json, sn_log_value_text(field, text));
        return;
    case SONDE_FIELD_F64:
        memcpy(&value, &field->number, sizeof value);
        sn_json_write_double(json, value);
        return;
    case SONDE_FIELD_ERROR:
        json_error(json, field);
        return;
    case SONDE_FIELD_I64:
    case SONDE_FIELD_U64:
    case SONDE_FIELD_BOOL:
    case SONDE_FIELD_DURATION:
    case SONDE_FIELD_NULL:
        sn_json_write_raw(json, sn_log_value_text(field, text));
        return;
    case SONDE_FIELD_END:
        break;
    }
    sn_json_write_null(json);
}

void sn_log_format_json(const struct sn_log_view *view, struct sn_buf *buf) {
    char time[SN_LOG_TIME_TEXT_SIZE];
    struct sn_json_writer json;
    struct sn_log_field field;
    sn_json_write_init(&json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("ts"), sn_log_time_text(view->time_ns, 6, time));
    sn_json_write_key_string(&json, SN_STR("level"), sn_log_level_text(view->level));
    if (view->logger.len > 0)
        sn_json_write_key_string(&json, SN_STR("logger"), view->logger);
    sn_json_write_key_string(&json, SN_STR("msg"), view->message);
    const uint8_t *at = view->fields;
    while (sn_log_field_next(view, &at, &field)) {
        json_key(&json, field.key);
        json_value(&json, &field);
    }
    unsigned count = 0;
    while (sn_log_count_next(view, &count, &field))
        sn_json_write_key_uint64(&json, field.key, field.number);
    sn_json_write_object_end(&json);
    if (sn_json_write_finish(&json, NULL) == SN_OK)
        sn_buf_put_byte(buf, '\n');
}

/* ---- text that people read ---- */

static void put_short_escape(struct sn_buf *buf, char letter) {
    const char escape[2] = {'\\', letter};
    sn_buf_put(buf, escape, sizeof escape);
}

/* One control character, ASCII or U+0080 to U+009F. */
static void put_control(struct sn_buf *buf, uint8_t code) {
    switch (code) {
    case '\n':
        put_short_escape(buf, 'n');
        return;
    case '\r':
        put_short_escape(buf, 'r');
        return;
    case '\t':
        put_short_escape(buf, 't');
        return;
    default:
        sn_buf_put(buf, (const char[]){'\\', 'u', '0', '0', digits[code >> 4], digits[code & 15]},
                   6);
        return;
    }
}

static bool is_plain(uint8_t byte, bool is_quoted) {
    return byte >= 0x20 && byte < 0x7F && byte != '\\' && !(is_quoted && byte == '"');
}

/* What is not plain ASCII: one character. Returns its bytes. */
static size_t put_special(struct sn_buf *buf, struct sn_str text) {
    uint8_t first = (uint8_t)text.ptr[0];
    size_t len = sn_str_utf8_char_len(text);
    if (len == 0) {
        sn_buf_put_str(buf, REPLACEMENT);
        return 1;
    }
    if (first == '"' || first == '\\')
        put_short_escape(buf, (char)first);
    else if (len == 1)
        put_control(buf, first);
    else if (first == 0xC2 && (uint8_t)text.ptr[1] < 0xA0)
        put_control(buf, (uint8_t)text.ptr[1]);
    else
        sn_buf_put(buf, text.ptr, len);
    return len;
}

void sn_log_put_escaped(struct sn_buf *buf, struct sn_str text, bool is_quoted) {
    while (text.len > 0 && buf->status == SN_OK) {
        size_t len = 0;
        while (len < text.len && is_plain((uint8_t)text.ptr[len], is_quoted))
            len++;
        sn_buf_put(buf, text.ptr, len);
        text = sn_str_make(text.ptr + len, text.len - len);
        if (text.len == 0)
            break;
        len = put_special(buf, text);
        text = sn_str_make(text.ptr + len, text.len - len);
    }
}

/* Whether a text can stand as a logfmt value without quotes. */
static bool is_bare(struct sn_str text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '=' || byte == '\\')
            return false;
    }
    return text.len > 0;
}

static void put_value(struct sn_buf *buf, struct sn_str text) {
    if (is_bare(text)) {
        sn_buf_put_str(buf, text);
        return;
    }
    sn_buf_put_byte(buf, '"');
    sn_log_put_escaped(buf, text, true);
    sn_buf_put_byte(buf, '"');
}

static bool is_key_byte(uint8_t byte) {
    return byte > ' ' && byte < 0x7F && byte != '"' && byte != '=' && byte != '\\';
}

/* A key is printable ASCII without quotes and '='; whatever else it has becomes '_'. */
static void put_key(struct sn_buf *buf, struct sn_str key) {
    size_t len = 0;
    while (len < key.len && is_key_byte((uint8_t)key.ptr[len]))
        len++;
    sn_buf_put(buf, key.ptr, len);
    for (size_t i = len; i < key.len; i++)
        sn_buf_put_byte(buf, is_key_byte((uint8_t)key.ptr[i]) ? (uint8_t)key.ptr[i] : '_');
    if (key.len == 0 || is_taken(key))
        sn_buf_put_byte(buf, '_');
}

static void logfmt_error(struct sn_buf *buf, const struct sn_log_field *field) {
    char text[SN_INTEGER_TEXT_SIZE];
    put_key(buf, field->key);
    sn_buf_put_text(buf, ".class=");
    put_value(buf, field->extra);
    sn_buf_put_byte(buf, ' ');
    put_key(buf, field->key);
    sn_buf_put_text(buf, ".message=");
    put_value(buf, field->text);
    sn_buf_put_byte(buf, ' ');
    put_key(buf, field->key);
    sn_buf_put_text(buf, ".code=");
    sn_buf_put(buf, text, sn_int64_format((int64_t)field->number, text));
}

static void logfmt_field(struct sn_buf *buf, const struct sn_log_field *field) {
    char text[SN_LOG_VALUE_TEXT_SIZE];
    sn_buf_put_byte(buf, ' ');
    if (field->kind == SONDE_FIELD_ERROR) {
        logfmt_error(buf, field);
        return;
    }
    put_key(buf, field->key);
    sn_buf_put_byte(buf, '=');
    put_value(buf, sn_log_value_text(field, text));
    if (field->kind == SONDE_FIELD_DURATION)
        sn_buf_put_byte(buf, 's');
}

/* The counts of a line have our own names, which no field may have. */
static void put_counts(const struct sn_log_view *view, struct sn_buf *buf) {
    char text[SN_INTEGER_TEXT_SIZE];
    struct sn_log_field field;
    unsigned at = 0;
    while (sn_log_count_next(view, &at, &field)) {
        sn_buf_put_byte(buf, ' ');
        sn_buf_put_str(buf, field.key);
        sn_buf_put_byte(buf, '=');
        sn_buf_put(buf, text, sn_uint64_format(field.number, text));
    }
}

void sn_log_format_logfmt(const struct sn_log_view *view, struct sn_buf *buf) {
    char time[SN_LOG_TIME_TEXT_SIZE];
    struct sn_log_field field;
    sn_buf_put_text(buf, "ts=");
    sn_buf_put_str(buf, sn_log_time_text(view->time_ns, 6, time));
    sn_buf_put_text(buf, " level=");
    sn_buf_put_str(buf, sn_log_level_text(view->level));
    if (view->logger.len > 0) {
        sn_buf_put_text(buf, " logger=");
        put_value(buf, view->logger);
    }
    sn_buf_put_text(buf, " msg=");
    put_value(buf, view->message);
    const uint8_t *at = view->fields;
    while (sn_log_field_next(view, &at, &field))
        logfmt_field(buf, &field);
    put_counts(view, buf);
    sn_buf_put_byte(buf, '\n');
}

/* ---- console ---- */

static struct sn_str level_padded(sonde_level level) {
    switch (level) {
    case SONDE_LEVEL_DEBUG:
        return SN_STR("DEBUG");
    case SONDE_LEVEL_INFO:
        return SN_STR("INFO ");
    case SONDE_LEVEL_WARN:
        return SN_STR("WARN ");
    case SONDE_LEVEL_ERROR:
        return SN_STR("ERROR");
    case SONDE_LEVEL_DEFAULT:
    case SONDE_LEVEL_OFF:
        break;
    }
    return SN_STR("?    ");
}

static const char *level_color(sonde_level level) {
    switch (level) {
    case SONDE_LEVEL_DEBUG:
        return "\033[90m";
    case SONDE_LEVEL_INFO:
        return "\033[32m";
    case SONDE_LEVEL_WARN:
        return "\033[33m";
    case SONDE_LEVEL_ERROR:
        return "\033[31m";
    case SONDE_LEVEL_DEFAULT:
    case SONDE_LEVEL_OFF:
        break;
    }
    return "\033[35m";
}

static void put_color(struct sn_buf *buf, bool is_colored, const char *color) {
    if (is_colored)
        sn_buf_put_text(buf, color);
}

/* A duration in the unit that leaves one to three digits before the point: "1.5ms". */
static void put_duration(struct sn_buf *buf, int64_t ns) {
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{UINT64_C(1000000000), "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    char text[SN_DOUBLE_TEXT_SIZE];
    uint64_t magnitude = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    size_t i = 0;
    while (i < 3 && magnitude < units[i].ns)
        i++;
    uint64_t thousandths =
        magnitude / units[i].ns * 1000 + magnitude % units[i].ns * 1000 / units[i].ns;
    if (ns < 0)
        sn_buf_put_byte(buf, '-');
    sn_buf_put(buf, text, sn_double_format((double)thousandths / 1000, SN_DOUBLE_API, text));
    sn_buf_put_text(buf, units[i].name);
}

/* class: "message" (code) */
static void console_error(struct sn_buf *buf, const struct sn_log_field *field) {
    char text[SN_INTEGER_TEXT_SIZE];
    put_value(buf, field->extra);
    sn_buf_put_text(buf, ": ");
    put_value(buf, field->text);
    sn_buf_put_text(buf, " (");
    sn_buf_put(buf, text, sn_int64_format((int64_t)field->number, text));
    sn_buf_put_byte(buf, ')');
}

static void console_field(struct sn_buf *buf, const struct sn_log_field *field, bool is_colored) {
    char text[SN_LOG_VALUE_TEXT_SIZE];
    sn_buf_put_byte(buf, ' ');
    put_color(buf, is_colored, "\033[36m");
    put_key(buf, field->key);
    put_color(buf, is_colored, "\033[0m");
    sn_buf_put_byte(buf, '=');
    if (field->kind == SONDE_FIELD_ERROR)
        console_error(buf, field);
    else if (field->kind == SONDE_FIELD_DURATION)
        put_duration(buf, (int64_t)field->number);
    else
        put_value(buf, sn_log_value_text(field, text));
}

void sn_log_format_console(const struct sn_log_view *view, struct sn_buf *buf, bool is_colored) {
    char time[SN_LOG_TIME_TEXT_SIZE];
    struct sn_log_field field;
    sn_buf_put_str(buf, sn_log_time_text(view->time_ns, 3, time));
    sn_buf_put_byte(buf, ' ');
    put_color(buf, is_colored, level_color(view->level));
    sn_buf_put_str(buf, level_padded(view->level));
    put_color(buf, is_colored, "\033[0m");
    sn_buf_put_byte(buf, ' ');
    if (view->logger.len > 0) {
        sn_log_put_escaped(buf, view->logger, false);
        sn_buf_put_text(buf, ": ");
    }
    sn_log_put_escaped(buf, view->message, false);
    const uint8_t *at = view->fields;
    while (sn_log_field_next(view, &at, &field))
        console_field(buf, &field, is_colored);
    put_counts(view, buf);
    sn_buf_put_byte(buf, '\n');
}
