/*
 * Varints and bit streams. Properties: what is read lies inside the input and comes back when it
 * is written again; bits that are read and written again are the same bits.
 */
#include "base/check.h"
#include "codec/bits.h"
#include "codec/varint.h"

static void check_varints(const uint8_t *data, size_t len) {
    const uint8_t *end = data + len;
    const uint8_t *at = data;
    uint64_t value;
    for (;;) {
        const uint8_t *next = sn_varint_get(at, end, &value);
        if (next == NULL) {
            return;
        }
        uint8_t again[SN_VARINT_BYTES_MAX];
        uint64_t back = ~value;
        const uint8_t *again_end = sn_varint_put(again, value);
        SN_CHECK(next > at && next <= end && next - at <= SN_VARINT_BYTES_MAX);
        SN_CHECK((size_t)(again_end - again) == sn_varint_size(value));
        SN_CHECK(again_end - again <= next - at);
        SN_CHECK(sn_varint_get(again, again_end, &back) == again_end && back == value);
        SN_CHECK(sn_zigzag_encode(sn_zigzag_decode(value)) == value);
        at = next;
    }
}

/* The first half of the input names the widths, the second is the stream. */
static void check_bits(const uint8_t *data, size_t len) {
    enum { COPY_MAX = 4096 };
    uint8_t copy[COPY_MAX];
    size_t width_count = len / 2;
    const uint8_t *stream = data + width_count;
    size_t stream_len = len - width_count;
    if (stream_len > sizeof(copy)) {
        return;
    }
    struct sn_bit_reader reader;
    struct sn_bit_writer writer;
    sn_bit_reader_init(&reader, stream, stream_len);
    sn_bit_writer_init(&writer, copy, stream_len);
    for (size_t i = 0; i < width_count; i++) {
        unsigned width = data[i] % 65;
        uint64_t value = sn_bit_reader_get(&reader, width);
        if (reader.is_past_end) {
            break;
        }
        sn_bit_writer_put(&writer, value, width);
    }
    size_t used = sn_bit_reader_used(&reader);
    const uint8_t *end = sn_bit_writer_finish(&writer);
    SN_CHECK(end == copy + used);
    if (used > 0) {
        unsigned last_bits = (unsigned)((reader.position + 7) % 8 + 1);
        SN_CHECK(memcmp(copy, stream, used - 1) == 0);
        SN_CHECK(((copy[used - 1] ^ stream[used - 1]) & sn_bit_mask(last_bits)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    check_varints(data, len);
    check_bits(data, len);
    return 0;
}
