/*
 * Canonical label bytes. Property: what decodes is valid, and encodes to the same bytes again.
 */
#include "model/labels.h"

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

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
    sn_buf_release(&buf);
    sn_arena_release(&arena);
    return 0;
}
