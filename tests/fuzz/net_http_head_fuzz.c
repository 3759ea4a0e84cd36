/* Property: framing that is accepted is unambiguous, said once, and the lists in headers are read
 * inside their bytes. Input: lines of "name:value". */
#include "net/http_priv.h"

#include <stdlib.h>

#define FIELDS_MAX 64

static size_t count_of(const struct sn_http_fields *fields, struct sn_str name) {
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        count += sn_http_equal_nocase(fields->items[i].name, name);
    return count;
}

static void check_line(const struct sn_http_field *line) {
    if (sn_http_check_line(line->name, line->value, NULL) == SN_OK &&
        (line->name.len == 0 || (line->value.ptr[0] != '/' && line->value.len != 1)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sn_http_field items[FIELDS_MAX];
    struct sn_http_fields fields = {items, 0};
    struct sn_http_framing framing;
    struct sn_str rest = sn_str_make(data, size);
    struct sn_str line;
    while (rest.len > 0 && fields.count < FIELDS_MAX) {
        sn_str_cut(rest, '\n', &line, &rest);
        sn_str_cut(line, ':', &items[fields.count].name, &items[fields.count].value);
        (void)sn_http_accepts_gzip(items[fields.count].value);
        (void)sn_http_matches_etag(items[fields.count].value, SN_STR("\"x\""));
        check_line(&items[fields.count]);
        fields.count++;
    }
    (void)sn_http_body_encoding(&fields);
    if (sn_http_check_fields(&fields, true, &framing, NULL) != SN_OK)
        return 0;
    size_t lengths = count_of(&fields, SN_STR("content-length"));
    size_t transfers = count_of(&fields, SN_STR("transfer-encoding"));
    if (lengths + transfers > 1 || count_of(&fields, SN_STR("host")) != 1 ||
        framing.is_chunked != (transfers == 1) || (lengths == 0 && framing.content_length != 0))
        abort();
    return 0;
}
