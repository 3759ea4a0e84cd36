/*
 * Sealed chunks. The first two bytes give the count, the rest is taken three ways:
 *
 * 1. as a stored block: decoding stays inside, and what it gives survives encode and decode;
 * 2. as a column of raw 8-byte values and times: encode and decode give the same bits;
 * 3. as a column of small decimals: the same.
 */
#include "base/check.h"
#include "codec/chunk.h"
#include "codec/varint.h"

static void check_values(const double *values, size_t count) {
    uint8_t bytes[SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX)];
    double back[SN_CHUNK_SAMPLES_MAX];
    size_t used = 0;
    size_t size = sn_chunk_encode_values(values, count, bytes);
    SN_CHECK(size >= 2 && size <= sn_chunk_bound(count));
    SN_CHECK(sn_chunk_decode_values(bytes, size, count, back, &used) == SN_OK);
    SN_CHECK(used == size && memcmp(back, values, count * sizeof(*back)) == 0);
}

static void check_times(const int64_t *times, size_t count) {
    uint8_t bytes[SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX)];
    int64_t back[SN_CHUNK_SAMPLES_MAX];
    size_t used = 0;
    size_t size = sn_chunk_encode_times(times, count, bytes);
    SN_CHECK(size >= 2 && size <= sn_chunk_bound(count));
    SN_CHECK(sn_chunk_decode_times(bytes, size, count, back, &used) == SN_OK);
    SN_CHECK(used == size && memcmp(back, times, count * sizeof(*back)) == 0);
}

static void check_stored(const uint8_t *data, size_t len, size_t count) {
    int64_t times[SN_CHUNK_SAMPLES_MAX];
    double values[SN_CHUNK_SAMPLES_MAX];
    size_t used = 0;
    if (sn_chunk_decode_times(data, len, count, times, &used) == SN_OK) {
        SN_CHECK(used >= 1 && used <= len);
        check_times(times, count);
    }
    if (sn_chunk_decode_values(data, len, count, values, &used) == SN_OK) {
        SN_CHECK(used >= 1 && used <= len);
        check_values(values, count);
    }
}

static void check_column(const uint8_t *data, size_t len) {
    int64_t times[SN_CHUNK_SAMPLES_MAX];
    double values[SN_CHUNK_SAMPLES_MAX];
    size_t count = len / 8 < SN_CHUNK_SAMPLES_MAX ? len / 8 : SN_CHUNK_SAMPLES_MAX;
    if (count > 0) {
        memcpy(times, data, count * 8);
        memcpy(values, data, count * 8);
        check_times(times, count);
        check_values(values, count);
    }
    count = len < SN_CHUNK_SAMPLES_MAX ? len : SN_CHUNK_SAMPLES_MAX;
    if (count > 0) {
        for (size_t i = 0; i < count; i++) {
            times[i] = data[i] * INT64_C(1000);
            values[i] = data[i] / 100.0;
        }
        check_times(times, count);
        check_values(values, count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len < 2) {
        return 0;
    }
    check_stored(data + 2, len - 2, sn_load_u16le(data));
    check_column(data + 2, len - 2);
    return 0;
}
