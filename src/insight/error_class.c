/*
 * Classes and groups of errors. See error_class.h.
 */
#include "insight/error_class.h"

const struct sn_error_rule sn_error_rules_default[] = {
    {SN_STR("FLUX_API_ERROR"), SN_STR("flux")},
    {SN_STR("CONTROLNET_ERROR"), SN_STR("controlnet|control net")},
    {SN_STR("CREDIT_ERROR"), SN_STR("credit|quota|balance|payment")},
    {SN_STR("STORAGE_ERROR"),
     SN_STR("storage|s3|bucket|disk|no space|upload failed|file not found|blob")},
    {SN_STR("TIMEOUT_ERROR"), SN_STR("timeout|timed out|deadline")},
    {SN_STR("NETWORK_ERROR"),
     SN_STR("network|connection|connect|dns|socket|econn|unreachable|resolve|tls|ssl")},
    {SN_STR("VALIDATION_ERROR"),
     SN_STR("validation|invalid|required|missing|malformed|must be|not allowed")},
};
const size_t sn_error_rule_default_count =
    sizeof sn_error_rules_default / sizeof sn_error_rules_default[0];

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_at(struct sn_str text, size_t at, struct sn_str word) {
    for (size_t i = 0; i < word.len; i++)
        if (lower(text.ptr[at + i]) != lower(word.ptr[i]))
            return false;
    return true;
}

static bool has_word(struct sn_str text, struct sn_str word) {
    for (size_t at = 0; word.len > 0 && at + word.len <= text.len; at++)
        if (is_at(text, at, word))
            return true;
    return false;
}

static bool passes(const struct sn_error_rule *rule, struct sn_str message, struct sn_str type) {
    struct sn_str rest = rule->words, word;
    bool has_more = true;
    while (has_more) {
        has_more = sn_str_cut(rest, '|', &word, &rest);
        if (has_word(message, word) || has_word(type, word))
            return true;
    }
    return false;
}

struct sn_str sn_error_class_of(const struct sn_error_rules *rules, struct sn_str message,
                                struct sn_str type) {
    for (size_t i = 0; i < rules->count; i++)
        if (passes(&rules->items[i], message, type))
            return rules->items[i].error_class;
    for (size_t i = 0; i < sn_error_rule_default_count; i++)
        if (passes(&sn_error_rules_default[i], message, type))
            return sn_error_rules_default[i].error_class;
    return SN_STR("UNKNOWN_ERROR");
}

/* ---- groups ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' ||
           ((unsigned char)c & 0x80) != 0;
}

static bool is_hex(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes of a run of hexadecimal digits and hyphens that looks like an id: 8 digits, one decimal. */
static size_t id_len(struct sn_str text, size_t at) {
    size_t len = 0, digits = 0, decimals = 0;
    if (text.len - at > 2 && text.ptr[at] == '0' && lower(text.ptr[at + 1]) == 'x')
        len = digits = 2;
    for (; at + len < text.len && (is_hex(text.ptr[at + len]) || text.ptr[at + len] == '-');
         len++) {
        digits += text.ptr[at + len] != '-';
        decimals += is_digit(text.ptr[at + len]);
    }
    bool ends_here = at + len == text.len || !is_word(text.ptr[at + len]);
    return digits >= 8 && decimals > 0 && ends_here ? len : 0;
}

static size_t number_len(struct sn_str text, size_t at) {
    size_t len = 0;
    while (at + len < text.len &&
           (is_digit(text.ptr[at + len]) ||
            (len > 0 && (text.ptr[at + len] == '.' || text.ptr[at + len] == ',') &&
             at + len + 1 < text.len && is_digit(text.ptr[at + len + 1]))))
        len++;
    return len;
}

/* From a quote to its twin, which must not be far; 0: there is none. */
static size_t quoted_len(struct sn_str text, size_t at) {
    char quote = text.ptr[at];
    if (quote != '"' && quote != '\'' && quote != '`')
        return 0;
    for (size_t len = 1; at + len < text.len; len++)
        if (text.ptr[at + len] == quote)
            return len + 1;
    return 0;
}

/* What stands at a place: how many bytes, and what becomes of them. */
static size_t replace(struct sn_str text, size_t at, struct sn_str *ret_with) {
    bool starts_word = at == 0 || !is_word(text.ptr[at - 1]);
    size_t len = starts_word ? quoted_len(text, at) : 0;
    *ret_with = SN_STR("\"...\"");
    if (len == 0 && starts_word && (len = id_len(text, at)) > 0)
        *ret_with = SN_STR("0x");
    if (len == 0 && (len = number_len(text, at)) > 0)
        *ret_with = SN_STR("0");
    if (len == 0) {
        while (at + len < text.len && is_blank(text.ptr[at + len]))
            len++;
        *ret_with = SN_STR(" ");
    }
    return len;
}

void sn_error_normalize(struct sn_str message, struct sn_buf *buf) {
    struct sn_str text = sn_str_trim(message);
    size_t used = 0;
    for (size_t at = 0; at < text.len;) {
        struct sn_str with;
        size_t len = replace(text, at, &with);
        if (len == 0) { /* an ordinary character, or a byte that is none */
            size_t bytes = sn_str_utf8_char_len(sn_str_make(text.ptr + at, text.len - at));
            len = bytes > 0 ? bytes : 1;
            with = sn_str_make(text.ptr + at, len);
        }
        if (used + with.len > SN_ERROR_GROUP_BYTES_MAX)
            return;
        sn_buf_put_str(buf, with);
        used += with.len;
        at += len;
    }
}
