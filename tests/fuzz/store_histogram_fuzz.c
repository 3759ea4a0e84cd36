/*
 * Histogram blocks from anywhere. Property: what is accepted is valid, and written again it gives the
 * same histograms.
 */
#include "store/histogram_chunk.h"

#include "base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_again(const struct sn_histogram *items, size_t count) {
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_histogram *again = calloc(count, sizeof *again);
    SN_CHECK(again != NULL);
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    sn_histogram_chunk_encode(items, count, &buf);
    SN_CHECK(buf.status == SN_OK);
    SN_CHECK(sn_histogram_chunk_decode(sn_buf_str(&buf), count, &arena, again) == SN_OK);
    for (size_t i = 0; i < count; i++) {
        SN_CHECK(sn_histogram_validate(&items[i], NULL) == SN_OK);
        SN_CHECK(sn_histogram_equal(&items[i], &again[i]));
    }
    free(again);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_arena arena;
    if (len < 2)
        return 0;
    size_t count = data[0] % 8 == 0 ? (size_t)data[1] + 257 : data[0] % 8;
    struct sn_histogram *items = calloc(count, sizeof *items);
    SN_CHECK(items != NULL);
    sn_arena_init(&arena, 0);
    if (sn_histogram_chunk_decode(sn_str_make(data + 2, len - 2), count, &arena, items) == SN_OK)
        check_again(items, count);
    sn_arena_release(&arena);
    free(items);
    return 0;
}
