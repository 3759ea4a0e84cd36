/*
 * Open chunks. The first two bytes give the count, the rest is taken two ways:
 *
 * 1. as tokens: decoding stays inside, and what it gives survives append and decode;
 * 2. as samples, an 8-byte time and an 8-byte value each: append and decode give the same bits.
 */
#include "base/check.h"
#include "codec/head_chunk.h"
#include "codec/varint.h"

enum { COUNT_MAX = 256, BYTES_MAX = COUNT_MAX * 20 + SN_HEAD_TOKEN_BYTES_MAX };

static void check_samples(const int64_t *times, const double *values, size_t count) {
    uint8_t bytes[BYTES_MAX];
    int64_t times_back[COUNT_MAX];
    double values_back[COUNT_MAX];
    struct sn_head_chunk head = {0};
    for (size_t i = 0; i < count; i++) {
        size_t before = head.len;
        sn_head_chunk_append(&head, bytes, times[i], values[i]);
        SN_CHECK(head.len >= before && head.len - before <= 20);
    }
    SN_CHECK(head.count == count);
    SN_CHECK(sn_head_chunk_decode(bytes, head.len, count, times_back, values_back) == SN_OK);
    SN_CHECK(memcmp(times_back, times, count * 8) == 0);
    SN_CHECK(memcmp(values_back, values, count * 8) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    int64_t times[COUNT_MAX];
    double values[COUNT_MAX];
    if (len < 2) {
        return 0;
    }
    size_t count = sn_load_u16le(data) % (COUNT_MAX + 1);
    data += 2;
    len -= 2;
    if (sn_head_chunk_decode(data, len, count, times, values) == SN_OK) {
        check_samples(times, values, count);
    }
    count = len / 16 < COUNT_MAX ? len / 16 : COUNT_MAX;
    for (size_t i = 0; i < count; i++) {
        memcpy(&times[i], data + 16 * i, 8);
        memcpy(&values[i], data + 16 * i + 8, 8);
    }
    check_samples(times, values, count);
    return 0;
}
