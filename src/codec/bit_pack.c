/*
 * Patched bit packing of up to 128 integers.
 *
 * 1. Reading never leaves [at, end): the unpackers load 8 bytes at a time, so a mini-block that
 *    ends near `end` is copied into a padded buffer first.
 * 2. Reading writes at most SN_PACK_COUNT_MAX integers, whatever the bytes say.
 *
 * Any thread, no state.
 */
#include "codec/bit_pack_priv.h"

#include "base/check.h"
#include "codec/bits.h"
#include "codec/varint.h"

enum {
    PATCHED = 0x80,        /* header bit: a list of patches follows the packed integers */
    GROUP = 8,             /* integers per step of an unpacker: a group is `width` whole bytes */
    LOAD_SLACK = 8,        /* bytes that an unpacker may load after the last group */
    UNPACK_WIDTH_MAX = 56, /* wider integers may straddle 9 bytes and take the slow way */
    PACKED_BYTES_MAX = SN_PACK_COUNT_MAX * 8,
};

/* How many residuals have each bit length. */
static unsigned count_lengths(const uint64_t *residuals, size_t count, uint8_t *ret_counts) {
    /* Two tables: equal lengths in a row would otherwise wait for each other's store. */
    uint8_t even[65] = {0};
    uint8_t odd[65] = {0};
    uint64_t all = 0;
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        even[sn_bit_length(residuals[i])]++;
        odd[sn_bit_length(residuals[i + 1])]++;
        all |= residuals[i] | residuals[i + 1];
    }
    if (i < count) {
        even[sn_bit_length(residuals[i])]++;
        all |= residuals[i];
    }
    unsigned longest = sn_bit_length(all);
    for (unsigned length = 0; length <= longest; length++) {
        ret_counts[length] = (uint8_t)(even[length] + odd[length]);
    }
    return longest;
}

unsigned sn_pack_choose_width(const uint64_t *residuals, size_t count, size_t *ret_size) {
    assert(count >= 1 && count <= SN_PACK_COUNT_MAX);
    uint8_t length_counts[65];
    unsigned longest = count_lengths(residuals, count, length_counts);
    unsigned best = longest;
    size_t best_size = 1 + (count * longest + 7) / 8;
    /*
     * Narrower step by step: a patch's varint gains a byte whenever its length minus the width
     * leaves 1 divided by 7, so patches are kept by the rest that their length leaves.
     */
    size_t rest_counts[7] = {0};
    size_t patch_bytes = 2; /* header and patch count, positions, varints */
    for (unsigned width = longest; width-- > 0;) {
        unsigned rest = (width + 1) % 7;
        rest_counts[rest] += length_counts[width + 1];
        patch_bytes += length_counts[width + 1] + rest_counts[rest];
        if (patch_bytes >= best_size) {
            break; /* and the next ones have more */
        }
        size_t size = patch_bytes + (count * width + 7) / 8;
        if (size < best_size) {
            best_size = size;
            best = width;
        }
    }
    *ret_size = best_size;
    return best;
}

static uint8_t *write_packed(const uint64_t *residuals, size_t count, unsigned width, uint8_t *at,
                             uint8_t *end) {
    struct sn_bit_writer writer;
    sn_bit_writer_init(&writer, at, (size_t)(end - at));
    for (size_t i = 0; i < count; i++) {
        sn_bit_writer_put(&writer, residuals[i], width);
    }
    at = sn_bit_writer_finish(&writer);
    SN_CHECK(at != NULL);
    return at;
}

uint8_t *sn_pack_write(const uint64_t *residuals, size_t count, unsigned width, uint8_t *at,
                       uint8_t *end) {
    assert(count >= 1 && count <= SN_PACK_COUNT_MAX);
    uint8_t positions[SN_PACK_COUNT_MAX] = {0};
    size_t patch_count = 0;
    uint64_t mask = sn_bit_mask(width);
    for (size_t i = 0; i < count; i++) {
        positions[patch_count] = (uint8_t)i;
        patch_count += residuals[i] > mask;
    }
    *at++ = (uint8_t)(width | (patch_count > 0 ? PATCHED : 0));
    if (patch_count > 0) {
        *at++ = (uint8_t)patch_count;
    }
    at = write_packed(residuals, count, width, at, end);
    memcpy(at, positions, patch_count);
    at += patch_count;
    for (size_t i = 0; i < patch_count; i++) {
        at = sn_varint_put(at, residuals[positions[i]] >> width);
    }
    return at;
}

/* Integer number k of a group that is packed at a constant width. */
#define FIELD(at, width, k) (sn_load_u64le((at) + (k) * (width) / 8) >> ((k) * (width) % 8) & mask)

/*
 * Unpackers, one per width, so that every shift is a constant. Each loads up to LOAD_SLACK bytes
 * after its groups and writes whole groups.
 */
#define UNPACKER(width)                                                                            \
    static void unpack_##width(const uint8_t *at, size_t group_count, uint64_t *ret) {             \
        const uint64_t mask = (UINT64_C(1) << (width)) - 1;                                        \
        for (; group_count > 0; group_count--, at += (width), ret += GROUP) {                      \
            ret[0] = FIELD(at, width, 0);                                                          \
            ret[1] = FIELD(at, width, 1);                                                          \
            ret[2] = FIELD(at, width, 2);                                                          \
            ret[3] = FIELD(at, width, 3);                                                          \
            ret[4] = FIELD(at, width, 4);                                                          \
            ret[5] = FIELD(at, width, 5);                                                          \
            ret[6] = FIELD(at, width, 6);                                                          \
            ret[7] = FIELD(at, width, 7);                                                          \
        }                                                                                          \
    }

/* clang-format off */
#define EACH_WIDTH(X) \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) \
    X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) X(41) X(42) X(43) X(44) X(45) X(46) \
    X(47) X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56)
#define ENTRY(width) [width] = unpack_##width,
/* clang-format on */

EACH_WIDTH(UNPACKER)

static void (*const unpackers[UNPACK_WIDTH_MAX + 1])(const uint8_t *, size_t,
                                                     uint64_t *) = {EACH_WIDTH(ENTRY)};

/* Widths over UNPACK_WIDTH_MAX: an integer may reach into a ninth byte. */
static void unpack_wide(const uint8_t *at, size_t count, unsigned width, uint64_t *ret) {
    const uint64_t mask = sn_bit_mask(width);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *source = at + i * width / 8;
        unsigned shift = (unsigned)(i * width % 8);
        uint64_t low = sn_load_u64le(source) >> shift;
        uint64_t high = (uint64_t)source[8] << 1 << (63 - shift);
        ret[i] = (low | high) & mask;
    }
}

/* Unpack `count` integers of `width` bits; NULL when they reach past end. */
static const uint8_t *read_packed(const uint8_t *at, const uint8_t *end, size_t count,
                                  unsigned width, uint64_t *ret) {
    uint8_t padded[PACKED_BYTES_MAX + LOAD_SLACK];
    size_t len = (count * width + 7) / 8;
    size_t left = (size_t)(end - at);
    if (len > left) {
        return NULL;
    }
    if (width == 0) {
        memset(ret, 0, count * sizeof(*ret));
        return at;
    }
    size_t group_count = (count + GROUP - 1) / GROUP;
    const uint8_t *source = at;
    size_t loaded = group_count * width + LOAD_SLACK;
    if (loaded > left) {
        memcpy(padded, at, len);
        memset(padded + len, 0, loaded - len);
        source = padded;
    }
    if (width > UNPACK_WIDTH_MAX) {
        unpack_wide(source, count, width, ret);
    } else {
        unpackers[width](source, group_count, ret);
    }
    return at + len;
}

/* Put the high bits of the patched integers in place. */
static const uint8_t *read_patches(const uint8_t *at, const uint8_t *end, size_t patch_count,
                                   size_t count, unsigned width, uint64_t *residuals) {
    const uint8_t *positions = at;
    if (patch_count == 0 || patch_count > count || width > 63 || patch_count > (size_t)(end - at)) {
        return NULL;
    }
    at += patch_count;
    for (size_t i = 0; i < patch_count; i++) {
        uint64_t high;
        at = sn_varint_get(at, end, &high);
        if (at == NULL || positions[i] >= count) {
            return NULL;
        }
        residuals[positions[i]] |= high << width;
    }
    return at;
}

const uint8_t *sn_pack_read(const uint8_t *at, const uint8_t *end, size_t count,
                            uint64_t *ret_residuals) {
    assert(count >= 1 && count <= SN_PACK_COUNT_MAX);
    if (at >= end) {
        return NULL;
    }
    unsigned header = *at++;
    unsigned width = header & ~(unsigned)PATCHED;
    if (width > 64) {
        return NULL;
    }
    if ((header & PATCHED) == 0) {
        return read_packed(at, end, count, width, ret_residuals);
    }
    if (at >= end) {
        return NULL;
    }
    size_t patch_count = *at++;
    at = read_packed(at, end, count, width, ret_residuals);
    return at == NULL ? NULL : read_patches(at, end, patch_count, count, width, ret_residuals);
}
