/*
 * Looks at request lines and header fields, decides nothing about sockets. Pure.
 *
 * The checks exist because libmicrohttpd 0.9.75 takes the first Content-Length of several, prefers
 * Transfer-Encoding without a word, keeps blanks in names and joins folded lines: behind a proxy
 * that decides otherwise, one request becomes two.
 */
#include "net/http_priv.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sn_http_equal_nocase(struct sn_str a, struct sn_str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    }
    return true;
}

const struct sn_http_field *sn_http_field_find(const struct sn_http_fields *fields,
                                               struct sn_str name) {
    for (size_t i = 0; i < fields->count; i++) {
        if (sn_http_equal_nocase(fields->items[i].name, name))
            return &fields->items[i];
    }
    return NULL;
}

/* tchar of RFC 9110. */
static bool is_token(struct sn_str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_alnum = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* Anything but control characters; bytes above 127 are allowed, as everywhere. */
static bool is_field_value(struct sn_str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

static bool parse_length(struct sn_str text, uint64_t *ret_length) {
    uint64_t length = 0;
    if (text.len == 0 || text.len > 18)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        length = length * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret_length = length;
    return true;
}

/* How often the three fields occur that say where a request ends and whom it is for. */
struct framing_fields {
    const struct sn_http_field *length;
    const struct sn_http_field *transfer;
    const struct sn_http_field *host;
};

static sn_status take_once(const struct sn_http_field *field, const struct sn_http_field **slot,
                           struct sn_err *err) {
    if (*slot != NULL)
        return sn_err_set(err, SN_ERR_INVALID, "header %.*s is repeated", SN_STR_ARG(field->name));
    *slot = field;
    return SN_OK;
}

static sn_status scan_field(const struct sn_http_field *field, struct framing_fields *found,
                            struct sn_err *err) {
    if (!is_token(field->name))
        return sn_err_set(err, SN_ERR_INVALID, "a header name holds bytes that are not allowed");
    if (!is_field_value(field->value))
        return sn_err_set(err, SN_ERR_INVALID, "header %.*s holds control characters",
                          SN_STR_ARG(field->name));
    if (sn_http_equal_nocase(field->name, SN_STR("content-length")))
        return take_once(field, &found->length, err);
    if (sn_http_equal_nocase(field->name, SN_STR("transfer-encoding")))
        return take_once(field, &found->transfer, err);
    if (sn_http_equal_nocase(field->name, SN_STR("host")))
        return take_once(field, &found->host, err);
    return SN_OK;
}

static sn_status judge_framing(const struct framing_fields *found, bool is_http_1_1,
                               struct sn_http_framing *ret_framing, struct sn_err *err) {
    struct sn_http_framing framing = {0};
    if (is_http_1_1 && found->host == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "header Host is missing");
    if (found->length != NULL && found->transfer != NULL)
        return sn_err_set(err, SN_ERR_INVALID,
                          "Content-Length and Transfer-Encoding exclude each other");
    if (found->length != NULL && !parse_length(found->length->value, &framing.content_length))
        return sn_err_set(err, SN_ERR_INVALID, "Content-Length '%.*s' is not a number of bytes",
                          SN_STR_ARG(found->length->value));
    if (found->transfer != NULL) {
        framing.is_chunked = sn_http_equal_nocase(found->transfer->value, SN_STR("chunked"));
        if (!framing.is_chunked || !is_http_1_1)
            return sn_err_set(err, SN_ERR_INVALID, "Transfer-Encoding '%.*s' is not supported",
                              SN_STR_ARG(found->transfer->value));
    }
    *ret_framing = framing;
    return SN_OK;
}

sn_status sn_http_check_fields(const struct sn_http_fields *fields, bool is_http_1_1,
                               struct sn_http_framing *ret_framing, struct sn_err *err) {
    struct framing_fields found = {0};
    for (size_t i = 0; i < fields->count; i++)
        SN_TRY(scan_field(&fields->items[i], &found, err));
    return judge_framing(&found, is_http_1_1, ret_framing, err);
}

sn_status sn_http_check_line(struct sn_str method, struct sn_str target, struct sn_err *err) {
    if (!is_token(method))
        return sn_err_set(err, SN_ERR_INVALID, "the request method is not a word");
    for (size_t i = 0; i < target.len; i++) {
        if (target.ptr[i] <= ' ' || target.ptr[i] > '~')
            return sn_err_set(err, SN_ERR_INVALID,
                              "the request target holds bytes that must be escaped");
    }
    if (!sn_str_starts_with(target, SN_STR("/")) && !sn_str_equal(target, SN_STR("*")))
        return sn_err_set(err, SN_ERR_INVALID, "the request target is not a path");
    return SN_OK;
}

/* Whether the parameters of a list element are "q=0", "q=0.0" and so on. */
static bool is_q_zero(struct sn_str params) {
    params = sn_str_trim(params);
    if (params.len < 3 || lower(params.ptr[0]) != 'q' || params.ptr[1] != '=')
        return false;
    for (size_t i = 2; i < params.len; i++) {
        if (params.ptr[i] != '0' && params.ptr[i] != '.')
            return false;
    }
    return true;
}

bool sn_http_accepts_gzip(struct sn_str accept_encoding) {
    bool accepts_any = false;
    while (accept_encoding.len > 0) {
        struct sn_str element;
        struct sn_str name;
        struct sn_str params;
        sn_str_cut(accept_encoding, ',', &element, &accept_encoding);
        sn_str_cut(element, ';', &name, &params);
        name = sn_str_trim(name);
        if (sn_http_equal_nocase(name, SN_STR("gzip")))
            return !is_q_zero(params);
        if (sn_str_equal(name, SN_STR("*")))
            accepts_any = !is_q_zero(params);
    }
    return accepts_any;
}

bool sn_http_matches_etag(struct sn_str if_none_match, struct sn_str etag) {
    while (if_none_match.len > 0) {
        struct sn_str element;
        sn_str_cut(if_none_match, ',', &element, &if_none_match);
        element = sn_str_trim(element);
        if (sn_str_starts_with(element, SN_STR("W/")))
            element = sn_str_make(element.ptr + 2, element.len - 2);
        if (sn_str_equal(element, SN_STR("*")) || sn_str_equal(element, etag))
            return true;
    }
    return false;
}
