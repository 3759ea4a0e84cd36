/*
 * See push_response_priv.h. Lines end with CR LF or LF; a line that is folded, or whose name has
 * blanks, makes the answer corrupt: what it means is a matter of opinion.
 */
#include "client/push_response_priv.h"

#include "codec/number.h"

#define RETRY_AFTER_S_MAX 86400

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool equals_nocase(struct sn_str text, struct sn_str word) {
    for (size_t i = 0; i < word.len && i < text.len; i++)
        if (lower(text.ptr[i]) != word.ptr[i])
            return false;
    return text.len == word.len;
}

/* The length of the head with its empty line; 0: not complete. */
static size_t find_end(struct sn_str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != '\n')
            continue;
        if (i + 1 < bytes.len && bytes.ptr[i + 1] == '\n')
            return i + 2;
        if (i + 2 < bytes.len && bytes.ptr[i + 1] == '\r' && bytes.ptr[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static struct sn_str next_line(struct sn_str *rest) {
    struct sn_str line;
    (void)sn_str_cut(*rest, '\n', &line, rest); /* the head ends with a line feed */
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static sn_status parse_status(struct sn_str line, struct sn_push_head *head, struct sn_err *err) {
    static const size_t version_len = 8; /* HTTP/1.x */
    uint64_t status = 0;
    bool is_good = line.len >= version_len + 4 && memcmp(line.ptr, "HTTP/1.", 7) == 0 &&
                   (line.ptr[7] == '0' || line.ptr[7] == '1') && line.ptr[version_len] == ' ' &&
                   (line.len == version_len + 4 || line.ptr[version_len + 4] == ' ');
    if (!is_good || sn_uint64_parse(sn_str_make(line.ptr + version_len + 1, 3), &status) != SN_OK ||
        status < 100 || status > 599)
        return sn_err_set(err, SN_ERR_CORRUPT, "the answer does not start as HTTP/1 does");
    head->status = (unsigned)status;
    head->is_kept = line.ptr[7] == '1';
    return SN_OK;
}

static sn_status parse_length(struct sn_str value, struct sn_push_head *head, struct sn_err *err) {
    uint64_t len;
    if (sn_uint64_parse(value, &len) != SN_OK || (head->has_body_len && head->body_len != len))
        return sn_err_set(err, SN_ERR_CORRUPT, "Content-Length of the answer makes no sense");
    head->has_body_len = true;
    head->body_len = len;
    return SN_OK;
}

static sn_status parse_field(struct sn_str line, struct sn_push_head *head, bool *is_coded,
                             struct sn_err *err) {
    struct sn_str name, value;
    bool has_colon = sn_str_cut(line, ':', &name, &value);
    if (!has_colon || name.len == 0 || sn_str_trim(name).len != name.len)
        return sn_err_set(err, SN_ERR_CORRUPT, "the answer has a line that is no header");
    value = sn_str_trim(value);
    if (equals_nocase(name, SN_STR("content-length")))
        return parse_length(value, head, err);
    if (equals_nocase(name, SN_STR("transfer-encoding")))
        *is_coded = true;
    if (equals_nocase(name, SN_STR("connection")))
        head->is_kept = head->is_kept && equals_nocase(value, SN_STR("keep-alive"));
    uint64_t seconds;
    /* The other form, a date, is not worth its parser: the back-off goes on by itself. */
    if (equals_nocase(name, SN_STR("retry-after")) && sn_uint64_parse(value, &seconds) == SN_OK)
        head->retry_after_s =
            seconds < RETRY_AFTER_S_MAX ? (unsigned)seconds : (unsigned)RETRY_AFTER_S_MAX;
    return SN_OK;
}

/* What follows the head (RFC 9112, 6.3). Coded bodies are not read: the status says it all. */
static void settle_body(struct sn_push_head *head, bool is_coded) {
    bool is_empty = head->status < 200 || head->status == 204 || head->status == 304;
    if (is_empty) {
        head->has_body_len = true;
        head->body_len = 0;
    } else if (is_coded || !head->has_body_len) {
        head->has_body_len = false;
        head->body_len = 0;
        head->is_kept = false;
    }
}

sn_status sn_push_head_parse(struct sn_str bytes, struct sn_push_head *ret_head,
                             struct sn_err *err) {
    struct sn_push_head head = {.status = 0};
    struct sn_str first = {bytes.ptr,
                           bytes.len < SN_PUSH_HEAD_BYTES_MAX ? bytes.len : SN_PUSH_HEAD_BYTES_MAX};
    bool is_coded = false;
    head.head_len = find_end(first);
    if (head.head_len == 0 && bytes.len >= SN_PUSH_HEAD_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the head of the answer is longer than %zu bytes",
                          SN_PUSH_HEAD_BYTES_MAX);
    if (head.head_len == 0)
        return SN_ERR_BUSY;
    struct sn_str rest = {bytes.ptr, head.head_len};
    SN_TRY(parse_status(next_line(&rest), &head, err));
    for (struct sn_str line = next_line(&rest); line.len > 0; line = next_line(&rest))
        SN_TRY(parse_field(line, &head, &is_coded, err));
    settle_body(&head, is_coded);
    *ret_head = head;
    return SN_OK;
}

sn_status sn_push_accepted_parse(struct sn_str body, uint64_t *ret_count) {
    static const char key[] = "\"accepted\":";
    const char *at = body.len > 0 ? memmem(body.ptr, body.len, key, sizeof key - 1) : NULL;
    if (at == NULL)
        return SN_ERR_NOT_FOUND;
    struct sn_str rest = {at + sizeof key - 1, (size_t)(body.ptr + body.len - at) - sizeof key + 1};
    size_t digits = 0;
    while (rest.len > 0 && rest.ptr[0] == ' ') {
        rest.ptr++;
        rest.len--;
    }
    while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
        digits++;
    return sn_uint64_parse(sn_str_make(rest.ptr, digits), ret_count) == SN_OK ? SN_OK
                                                                              : SN_ERR_NOT_FOUND;
}
