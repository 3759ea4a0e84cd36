/*
 * Blocks of series, and label bytes in them, from anywhere. Property: what is accepted lies inside of the
 * block; label bytes that decode are written again as they were.
 */
#include "store/series_block.h"

#include "base/check.h"
#include "model/labels.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_labels(struct sn_str bytes) {
    struct sn_arena arena;
    struct sn_labels labels;
    struct sn_buf again;
    sn_arena_init(&arena, 0);
    sn_buf_init(&again, 0);
    if (sn_labels_decode(bytes, &arena, &labels, NULL) == SN_OK) {
        sn_labels_encode(labels, &again);
        SN_CHECK(sn_str_equal(sn_buf_str(&again), bytes));
    }
    sn_buf_release(&again);
    sn_arena_release(&arena);
}

static void check_raw(const uint8_t *at, const uint8_t *end) {
    struct sn_str labels;
    while (sn_series_block_next(&at, end, &labels)) {
        SN_CHECK((const uint8_t *)labels.ptr + labels.len == at && at <= end);
        check_labels(labels);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_buf raw;
    struct sn_buf packed;
    sn_buf_init(&raw, 0);
    sn_buf_init(&packed, 0);
    if (sn_series_block_unpack(sn_str_make(data, len), &raw, NULL) == SN_OK)
        check_raw(raw.ptr, raw.ptr + raw.len);
    check_raw(data, data + len); /* without the compression, which mutations do not get through */
    check_labels(sn_str_make(data, len));
    if (len > 0 && len < SN_SERIES_BLOCK_BYTES) {
        SN_CHECK(sn_series_block_pack(sn_str_make(data, len), &packed) == SN_OK);
        SN_CHECK(sn_series_block_unpack(sn_buf_str(&packed), &raw, NULL) == SN_OK);
        SN_CHECK(raw.len == len && memcmp(raw.ptr, data, len) == 0);
    }
    sn_buf_release(&raw);
    sn_buf_release(&packed);
    return 0;
}
