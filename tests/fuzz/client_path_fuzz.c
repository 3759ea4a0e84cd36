/*
 * Paths. Input: size of the buffer, which rules, then the path. Properties: the output is
 * printable ASCII inside of the buffer; normalising it again changes nothing; by the default rules
 * no segment of it is an id (without its extension neither).
 */
#include "base/check.h"
#include "client/path_priv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const templates[] = {
    "/a/:x", "/:y/b", "/static/:file", "/static/*", "/api/{v}/items/:id", "/1/2/3", "/:only",
};

static sonde_path_rules *make_rules(uint8_t kind) {
    sonde_path_options options = {.templates = templates,
                                  .template_count = sizeof templates / sizeof templates[0],
                                  .segment_max = 1 + (kind >> 2) % 8,
                                  .templates_only = (kind & 2) != 0};
    if (options.segment_max < 4)
        options.template_count = 0;
    sonde_path_rules *rules = sonde_path_rules_new(&options, NULL);
    SN_CHECK(rules != NULL);
    return rules;
}

static void check_segment(struct sn_str segment) {
    if (segment.len == 0 || segment.ptr[0] == ':')
        return;
    SN_CHECK(!sn_path_is_id(segment) || segment.len <= SONDE_PATH_SEGMENT_BYTES_MAX + 6);
    for (size_t i = 0; i < segment.len; i++)
        SN_CHECK(segment.ptr[i] != '@' && segment.ptr[i] != '?' && segment.ptr[i] != '#');
    bool has_dot = sn_str_find_char(segment, '.') != SIZE_MAX;
    SN_CHECK(has_dot || !sn_path_is_id(segment));
}

static void check_output(const char *out, size_t len, size_t size, bool is_default) {
    SN_CHECK(len < size && strlen(out) == len);
    for (size_t i = 0; i < len; i++)
        SN_CHECK(out[i] > ' ' && out[i] < 0x7f);
    struct sn_str segment, rest = sn_str_make(out, len);
    while (is_default && rest.len > 0) {
        (void)sn_str_cut(rest, '/', &segment, &rest);
        check_segment(segment);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len < 2)
        return 0;
    size_t size = 1 + data[0];
    bool is_default = (data[1] & 1) == 0;
    sonde_path_rules *rules = is_default ? NULL : make_rules(data[1]);
    char *path = malloc(len - 1);
    char *out = malloc(size);
    char *again = malloc(size);
    SN_CHECK(path != NULL && out != NULL && again != NULL);
    memcpy(path, data + 2, len - 2);
    size_t out_len = sonde_path_normalise(rules, path, len - 2, out, size);
    check_output(out, out_len, size, is_default);
    size_t again_len = sonde_path_normalise(rules, out, out_len, again, size);
    SN_CHECK(again_len == out_len && memcmp(again, out, out_len) == 0);
    free(path);
    free(out);
    free(again);
    (void)sonde_path_rules_free(rules);
    return 0;
}
