/*
 * Bytes in a fixed order: little-endian loads and stores, LEB128 varints, zigzag.
 *
 * Everything that Sonde stores or sends in its own formats is little-endian, whatever the machine.
 * The loads and stores compile to one instruction where the machine is little-endian; none needs
 * an aligned address. Threads: any. Blocks: never. Cost: 1 to 3 ns, no allocation.
 */
#ifndef SN_CODEC_VARINT_H
#define SN_CODEC_VARINT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the longest varint of a uint64_t. */
#define SN_VARINT_BYTES_MAX 10

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SN_LE16(x) ((uint16_t)(x))
#define SN_LE32(x) ((uint32_t)(x))
#define SN_LE64(x) ((uint64_t)(x))
#else
#define SN_LE16(x) __builtin_bswap16(x)
#define SN_LE32(x) __builtin_bswap32(x)
#define SN_LE64(x) __builtin_bswap64(x)
#endif

/* Load from `at`, which has at least 2, 4 or 8 readable bytes; any alignment. */
static inline uint16_t sn_load_u16le(const void *at) {
    uint16_t raw;
    memcpy(&raw, at, sizeof(raw));
    return SN_LE16(raw);
}

static inline uint32_t sn_load_u32le(const void *at) {
    uint32_t raw;
    memcpy(&raw, at, sizeof(raw));
    return SN_LE32(raw);
}

static inline uint64_t sn_load_u64le(const void *at) {
    uint64_t raw;
    memcpy(&raw, at, sizeof(raw));
    return SN_LE64(raw);
}

/* Store at `at`, which has at least 2, 4 or 8 writable bytes; any alignment. */
static inline void sn_store_u16le(void *at, uint16_t value) {
    uint16_t raw = SN_LE16(value);
    memcpy(at, &raw, sizeof(raw));
}

static inline void sn_store_u32le(void *at, uint32_t value) {
    uint32_t raw = SN_LE32(value);
    memcpy(at, &raw, sizeof(raw));
}

static inline void sn_store_u64le(void *at, uint64_t value) {
    uint64_t raw = SN_LE64(value);
    memcpy(at, &raw, sizeof(raw));
}

/* Signed to unsigned with small magnitudes first: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4. */
static inline uint64_t sn_zigzag_encode(int64_t value) {
    return ((uint64_t)value << 1) ^ (0 - ((uint64_t)value >> 63));
}

static inline int64_t sn_zigzag_decode(uint64_t value) {
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

/* Bits that a value needs: 0 for 0, 64 for UINT64_MAX. */
static inline unsigned sn_bit_length(uint64_t value) {
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

/* Bytes that sn_varint_put writes for the value: 1 .. SN_VARINT_BYTES_MAX. */
static inline size_t sn_varint_size(uint64_t value) {
    return (sn_bit_length(value | 1) + 6) / 7;
}

/*
 * Write a varint: seven bits per byte, low ones first, the high bit says that more follow.
 *
 *   at   at least sn_varint_size(value) writable bytes; SN_VARINT_BYTES_MAX are always enough
 *
 * Returns the byte after the last one written.
 */
static inline uint8_t *sn_varint_put(uint8_t *at, uint64_t value) {
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *sn_varint_put_signed(uint8_t *at, int64_t value) {
    return sn_varint_put(at, sn_zigzag_encode(value));
}

/* The part of sn_varint_get for two bytes and more. */
static inline const uint8_t *sn_varint_get_long(const uint8_t *at, const uint8_t *end,
                                                uint64_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at < end; shift += 7) {
        uint64_t byte = *at++;
        if (shift == 63 && byte > 1) {
            return NULL; /* above 64 bits, or an eleventh byte */
        }
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return at;
        }
    }
    return NULL;
}

/*
 * Read a varint from [at, end), never looking outside.
 *
 *   at    may be NULL or equal to end: then there is nothing to read. So calls can be chained and
 *         checked once: a NULL goes in and comes out.
 *   ret   written on success only
 *
 * Returns the byte after the varint, or NULL when the bytes end inside it, when it has more than
 * SN_VARINT_BYTES_MAX bytes, or when its value exceeds 64 bits. Padded forms of at most ten bytes
 * (0x80 0x00 for 0) are read, as Protobuf demands.
 */
static inline const uint8_t *sn_varint_get(const uint8_t *at, const uint8_t *end, uint64_t *ret) {
    if (at == NULL || at >= end) {
        return NULL;
    }
    if (*at < 0x80) {
        *ret = *at;
        return at + 1;
    }
    return sn_varint_get_long(at, end, ret);
}

static inline const uint8_t *sn_varint_get_signed(const uint8_t *at, const uint8_t *end,
                                                  int64_t *ret) {
    uint64_t value;
    at = sn_varint_get(at, end, &value);
    if (at != NULL) {
        *ret = sn_zigzag_decode(value);
    }
    return at;
}

#endif
