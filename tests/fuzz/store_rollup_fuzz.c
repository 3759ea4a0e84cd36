/*
 * Rollup blocks from anywhere. Property: what is accepted can be, and written again it gives the same
 * rollups.
 */
#include "store/rollup_chunk.h"

#include "base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_again(const struct sn_rollup *items, size_t count, const int64_t *end_ms) {
    struct sn_rollup *again = calloc(count, sizeof *again);
    struct sn_buf buf;
    struct sn_buf twice;
    SN_CHECK(again != NULL);
    sn_buf_init(&buf, 0);
    sn_buf_init(&twice, 0);
    sn_rollup_chunk_encode(items, count, &buf);
    SN_CHECK(buf.status == SN_OK && buf.len <= SN_ROLLUP_CHUNK_BOUND(count));
    SN_CHECK(sn_rollup_chunk_decode(sn_buf_str(&buf), count, end_ms, again) == SN_OK);
    sn_rollup_chunk_encode(again, count, &twice);
    SN_CHECK(buf.len == twice.len && memcmp(buf.ptr, twice.ptr, buf.len) == 0);
    sn_buf_release(&buf);
    sn_buf_release(&twice);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    int64_t end_ms[SN_CHUNK_SAMPLES_MAX];
    if (len < 2)
        return 0;
    size_t count = data[0] % 8 == 0 ? (size_t)data[1] + 257 : data[0] % 8;
    struct sn_rollup *items = calloc(count, sizeof *items);
    SN_CHECK(items != NULL);
    for (size_t i = 0; i < count; i++)
        end_ms[i] = (int64_t)(i + 1) * SN_ROLLUP_WIDE_MS;
    if (sn_rollup_chunk_decode(sn_str_make(data + 2, len - 2), count, end_ms, items) == SN_OK) {
        for (size_t i = 0; i < count; i++)
            SN_CHECK(items[i].count > 0 && items[i].first_ms <= items[i].last_ms &&
                     items[i].last_ms <= items[i].end_ms);
        check_again(items, count, end_ms);
    }
    free(items);
    return 0;
}
