/*
 * Canonical label bytes. Property: what decodes is valid, and encodes to the same bytes again;
 * narrower limits refuse, but never read behind the end.
 */
#include "model/labels.h"

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_limits(struct sn_str bytes, bool is_valid) {
    const struct sn_label_limits narrow = {
        .count_max = 2, .name_bytes_max = 3, .value_bytes_max = 3, .bytes_max = 16};
    struct sn_label_limits wide = sn_label_limits_fill((struct sn_label_limits){.count_max = 0});
    sn_status status = sn_labels_check_limits(bytes, &narrow, NULL);
    SN_CHECK(!is_valid || status == SN_OK || status == SN_ERR_LIMIT);
    SN_CHECK(!is_valid || sn_labels_check_limits(bytes, &wide, NULL) == SN_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_labels labels;
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, SN_LABELS_BYTES_MAX);
    if (sn_labels_decode(sn_str_make(data, len), &arena, &labels, NULL) == SN_OK) {
        SN_CHECK(sn_labels_validate(labels, NULL) == SN_OK);
        sn_labels_encode(labels, &buf);
        SN_CHECK(sn_buf_status(&buf, NULL) == SN_OK);
        SN_CHECK(sn_str_equal(sn_buf_str(&buf), sn_str_make(data, len)));
        SN_CHECK(sn_labels_hash(labels, 1) == sn_hash_bytes(data, len, 1));
    }
    check_limits(sn_str_make(data, len), buf.len > 0);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
    return 0;
}
