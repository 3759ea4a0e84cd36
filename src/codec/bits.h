/*
 * Bit streams, least significant bit first: the first bit written is bit 0 of the first byte.
 *
 * 1. Neither side ever touches a byte outside its range. The writer drops what does not fit and
 *    the reader gives zeros after the end; both remember it, so one check after a run is enough.
 * 2. At most 7 bits are pending between calls.
 *
 * One thread per stream. Blocks: never. Cost: 1 to 2 ns per call, no allocation.
 */
#ifndef SN_CODEC_BITS_H
#define SN_CODEC_BITS_H

#include "codec/varint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Caller's memory; borrows its bytes. */
struct sn_bit_writer {
    uint8_t *at;            /* next byte to fill */
    uint8_t *end;           /* first byte that is not ours */
    uint64_t pending;       /* bits not yet stored, low ones first */
    unsigned pending_count; /* 0 .. 7 between calls */
    bool is_full;           /* something did not fit */
};

/* Caller's memory; borrows its bytes. */
struct sn_bit_reader {
    const uint8_t *bytes;
    uint64_t bit_count; /* bits in bytes */
    uint64_t position;  /* next bit, at most bit_count */
    bool is_past_end;   /* more was asked for than there was */
};

/* The lowest `count` bits set; count 0 .. 64. */
static inline uint64_t sn_bit_mask(unsigned count) {
    return count == 0 ? 0 : UINT64_MAX >> (64 - count);
}

static inline void sn_bit_writer_init(struct sn_bit_writer *writer, uint8_t *bytes, size_t len) {
    *writer = (struct sn_bit_writer){.at = bytes, .end = bytes + len};
}

/* Store the whole bytes of pending; internal. */
static inline void sn_bit_writer_store(struct sn_bit_writer *writer) {
    unsigned byte_count = writer->pending_count / 8;
    if (writer->end - writer->at >= 8) {
        sn_store_u64le(writer->at, writer->pending);
        writer->at += byte_count;
        writer->pending >>= byte_count * 8;
        writer->pending_count %= 8;
        return;
    }
    for (; writer->pending_count >= 8; writer->pending_count -= 8) {
        if (writer->at < writer->end) {
            *writer->at++ = (uint8_t)writer->pending;
        } else {
            writer->is_full = true;
        }
        writer->pending >>= 8;
    }
}

/* Append the low `count` bits of value, count 0 .. 64; higher bits of value are ignored. */
static inline void sn_bit_writer_put(struct sn_bit_writer *writer, uint64_t value, unsigned count) {
    if (count > 32) {
        writer->pending |= (value & UINT32_MAX) << writer->pending_count;
        writer->pending_count += 32;
        sn_bit_writer_store(writer);
        value >>= 32;
        count -= 32;
    }
    writer->pending |= (value & sn_bit_mask(count)) << writer->pending_count;
    writer->pending_count += count;
    sn_bit_writer_store(writer);
}

/*
 * Pad the last byte with zeros and store it. Returns the byte after the stream, or NULL when
 * something did not fit. The writer is finished: init it again before the next use.
 */
static inline uint8_t *sn_bit_writer_finish(struct sn_bit_writer *writer) {
    if (writer->pending_count > 0) {
        writer->pending_count = 8;
        sn_bit_writer_store(writer);
    }
    return writer->is_full ? NULL : writer->at;
}

static inline void sn_bit_reader_init(struct sn_bit_reader *reader, const uint8_t *bytes,
                                      size_t len) {
    *reader = (struct sn_bit_reader){.bytes = bytes, .bit_count = (uint64_t)len * 8};
}

/* Up to 57 bits from bit `position` on; bytes after the end read as zero. Internal. */
static inline uint64_t sn_bit_reader_window(const struct sn_bit_reader *reader, uint64_t position) {
    uint64_t index = position / 8;
    uint64_t len = reader->bit_count / 8;
    uint64_t window = 0;
    if (index + 8 <= len) {
        window = sn_load_u64le(reader->bytes + index);
    } else {
        for (unsigned shift = 0; index < len; index++, shift += 8) {
            window |= (uint64_t)reader->bytes[index] << shift;
        }
    }
    return window >> (position % 8);
}

/*
 * Take the next `count` bits, 0 .. 64. When fewer are left the result is 0, nothing is taken, and
 * is_past_end stays set.
 */
static inline uint64_t sn_bit_reader_get(struct sn_bit_reader *reader, unsigned count) {
    if (count > reader->bit_count - reader->position) {
        reader->is_past_end = true;
        return 0;
    }
    uint64_t value = sn_bit_reader_window(reader, reader->position);
    if (count > 57) {
        value &= UINT32_MAX;
        value |= sn_bit_reader_window(reader, reader->position + 32) << 32;
    }
    reader->position += count;
    return value & sn_bit_mask(count);
}

/* Bytes that have been touched so far, the partly read one included. */
static inline size_t sn_bit_reader_used(const struct sn_bit_reader *reader) {
    return (size_t)((reader->position + 7) / 8);
}

#endif
