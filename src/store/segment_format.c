/* Layout of a segment file: see segment_format.h. */
#include "store/segment_format.h"

#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/varint.h"
#include "store/pack.h"

#include <string.h>

static const char header_magic[8] = {'S', 'N', 'D', 'E', 'S', 'E', 'G', '\n'};
static const char footer_magic[8] = {'S', 'N', 'D', 'E', 'E', 'N', 'D', '\n'};

#define HAS_HISTOGRAMS UINT32_C(0x80000000) /* beside the length of a pack */
_Static_assert(SN_PACK_HEADER_BYTES + SN_PACK_RAW_BYTES_MAX < HAS_HISTOGRAMS, "the bit is free");

enum { HEADER_CRC_AT = 12, FOOTER_CRC_AT = SN_SEGMENT_FOOTER_BYTES - 4 };

void sn_segment_put_header(uint8_t ret_bytes[SN_SEGMENT_HEADER_BYTES]) {
    memcpy(ret_bytes, header_magic, sizeof header_magic);
    sn_store_u32le(ret_bytes + 8, SN_SEGMENT_FORMAT_VERSION);
    sn_store_u32le(ret_bytes + HEADER_CRC_AT, sn_crc32c(0, ret_bytes, HEADER_CRC_AT));
}

sn_status sn_segment_check_header(const uint8_t bytes[SN_SEGMENT_HEADER_BYTES],
                                  struct sn_err *err) {
    if (memcmp(bytes, header_magic, sizeof header_magic) != 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "the file does not begin as a segment");
    if (sn_load_u32le(bytes + HEADER_CRC_AT) != sn_crc32c(0, bytes, HEADER_CRC_AT))
        return sn_err_set(err, SN_ERR_CORRUPT, "the header fails its checksum");
    uint32_t version = sn_load_u32le(bytes + 8);
    if (version > SN_SEGMENT_FORMAT_VERSION)
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "the segment has format version %u, this program reads up to %d", version,
                          SN_SEGMENT_FORMAT_VERSION);
    return SN_OK;
}

void sn_segment_put_entry(const struct sn_segment_entry *entry,
                          uint8_t ret_bytes[SN_SEGMENT_ENTRY_BYTES]) {
    sn_store_u64le(ret_bytes, entry->offset);
    sn_store_u32le(ret_bytes + 8, entry->len | (entry->has_histograms ? HAS_HISTOGRAMS : 0));
    sn_store_u32le(ret_bytes + 12, entry->first_series);
    sn_store_u64le(ret_bytes + 16, (uint64_t)entry->time_min);
    sn_store_u64le(ret_bytes + 24, (uint64_t)entry->time_max);
}

void sn_segment_put_footer(const struct sn_segment_footer *footer,
                           uint8_t ret_bytes[SN_SEGMENT_FOOTER_BYTES]) {
    memcpy(ret_bytes, footer_magic, sizeof footer_magic);
    sn_store_u64le(ret_bytes + 8, footer->id);
    sn_store_u64le(ret_bytes + 16, footer->directory_offset);
    sn_store_u64le(ret_bytes + 24, footer->pack_count);
    sn_store_u64le(ret_bytes + 32, footer->series_count);
    sn_store_u64le(ret_bytes + 40, footer->chunk_count);
    sn_store_u64le(ret_bytes + 48, footer->sample_count);
    sn_store_u64le(ret_bytes + 56, (uint64_t)footer->time_min);
    sn_store_u64le(ret_bytes + 64, (uint64_t)footer->time_max);
    sn_store_u32le(ret_bytes + 72, footer->directory_crc);
    sn_store_u32le(ret_bytes + FOOTER_CRC_AT, sn_crc32c(0, ret_bytes, FOOTER_CRC_AT));
}

sn_status sn_segment_get_footer(const uint8_t bytes[SN_SEGMENT_FOOTER_BYTES], uint64_t file_bytes,
                                struct sn_segment_footer *ret_footer, struct sn_err *err) {
    if (memcmp(bytes, footer_magic, sizeof footer_magic) != 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "the file does not end as a segment");
    if (sn_load_u32le(bytes + FOOTER_CRC_AT) != sn_crc32c(0, bytes, FOOTER_CRC_AT))
        return sn_err_set(err, SN_ERR_CORRUPT, "the footer fails its checksum");
    struct sn_segment_footer footer = {.id = sn_load_u64le(bytes + 8),
                                       .directory_offset = sn_load_u64le(bytes + 16),
                                       .pack_count = sn_load_u64le(bytes + 24),
                                       .series_count = sn_load_u64le(bytes + 32),
                                       .chunk_count = sn_load_u64le(bytes + 40),
                                       .sample_count = sn_load_u64le(bytes + 48),
                                       .time_min = (int64_t)sn_load_u64le(bytes + 56),
                                       .time_max = (int64_t)sn_load_u64le(bytes + 64),
                                       .directory_crc = sn_load_u32le(bytes + 72)};
    uint64_t room = file_bytes - SN_SEGMENT_HEADER_BYTES - SN_SEGMENT_FOOTER_BYTES;
    bool fits = file_bytes >= SN_SEGMENT_HEADER_BYTES + SN_SEGMENT_FOOTER_BYTES &&
                footer.pack_count > 0 && footer.pack_count <= room / SN_SEGMENT_ENTRY_BYTES &&
                footer.directory_offset >= SN_SEGMENT_HEADER_BYTES &&
                footer.directory_offset <=
                    SN_SEGMENT_HEADER_BYTES + room - footer.pack_count * SN_SEGMENT_ENTRY_BYTES;
    if (!fits || footer.time_min > footer.time_max)
        return sn_err_set(err, SN_ERR_CORRUPT, "the footer does not match a file of %llu bytes",
                          (unsigned long long)file_bytes);
    footer.series_bytes = SN_SEGMENT_HEADER_BYTES + room - footer.directory_offset -
                          footer.pack_count * SN_SEGMENT_ENTRY_BYTES;
    *ret_footer = footer;
    return SN_OK;
}

/* ---- series ---- */

static void put_run(struct sn_buf *buf, uint32_t distance, uint32_t more) {
    uint8_t bytes[2 * SN_VARINT_BYTES_MAX];
    uint8_t *end = sn_varint_put(bytes, distance);
    end = sn_varint_put(end, more);
    sn_buf_put(buf, bytes, (size_t)(end - bytes));
}

/* The first place from `from` on whose bit is `wanted`, or that behind the last word. */
static size_t find_bit(const uint64_t *words, size_t word_count, size_t from, bool wanted) {
    for (size_t at = from / 64; at < word_count; at++) {
        uint64_t word = wanted ? words[at] : ~words[at];
        if (at == from / 64)
            word &= UINT64_MAX << (from % 64);
        if (word != 0)
            return at * 64 + (size_t)__builtin_ctzll(word);
    }
    return word_count * 64;
}

void sn_segment_put_series(const uint64_t *words, size_t word_count, struct sn_buf *buf) {
    size_t start = buf->len;
    size_t last = word_count * 64;
    size_t next = 0;
    sn_buf_put(buf, (const uint8_t[4]){0}, 4);
    for (size_t at = 0, end; (at = find_bit(words, word_count, at, true)) < last; at = end) {
        end = find_bit(words, word_count, at, false);
        put_run(buf, (uint32_t)(at - next), (uint32_t)(end - at - 1));
        next = end;
    }
    if (buf->status == SN_OK)
        sn_store_u32le(buf->ptr + start, sn_crc32c(0, buf->ptr + start + 4, buf->len - start - 4));
}

static sn_status get_runs(const uint8_t *at, const uint8_t *end, uint32_t id_end,
                          struct sn_bitmap *series) {
    uint64_t next = 0;
    while (at != end) {
        uint64_t distance = 0;
        uint64_t more = 0;
        at = sn_varint_get(at, end, &distance);
        at = at ? sn_varint_get(at, end, &more) : NULL;
        if (!at || distance >= id_end || more >= id_end || next + distance + more >= id_end)
            return SN_ERR_CORRUPT;
        next += distance;
        sn_bitmap_add_range(series, (uint32_t)next, (uint32_t)(next + more));
        next += more + 1;
    }
    return SN_OK;
}

sn_status sn_segment_get_series(const uint8_t *bytes, const struct sn_segment_footer *footer,
                                uint32_t id_end, struct sn_bitmap **ret_series,
                                struct sn_err *err) {
    size_t len = footer->series_bytes;
    if (len < 4 || sn_load_u32le(bytes) != sn_crc32c(0, bytes + 4, len - 4))
        return sn_err_set(err, SN_ERR_CORRUPT, "the list of series fails its checksum");
    struct sn_bitmap *series = sn_bitmap_new(NULL, 0);
    if (!series)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a list of series");
    sn_status status = get_runs(bytes + 4, bytes + len, id_end, series);
    if (status != SN_OK || sn_bitmap_count(series) != footer->series_count) {
        (void)sn_bitmap_free(series); /* NULL, always */
        return sn_err_set(err, SN_ERR_CORRUPT, "the list of series cannot be");
    }
    sn_bitmap_pack(series);
    *ret_series = series;
    return SN_OK;
}

static struct sn_segment_entry get_entry(const uint8_t *bytes) {
    uint32_t len = sn_load_u32le(bytes + 8);
    return (struct sn_segment_entry){.offset = sn_load_u64le(bytes),
                                     .len = len & ~HAS_HISTOGRAMS,
                                     .has_histograms = (len & HAS_HISTOGRAMS) != 0,
                                     .first_series = sn_load_u32le(bytes + 12),
                                     .time_min = (int64_t)sn_load_u64le(bytes + 16),
                                     .time_max = (int64_t)sn_load_u64le(bytes + 24)};
}

sn_status sn_segment_get_directory(const uint8_t *bytes, const struct sn_segment_footer *footer,
                                   struct sn_segment_entry *ret_entries, struct sn_err *err) {
    size_t len = footer->pack_count * SN_SEGMENT_ENTRY_BYTES;
    if (sn_crc32c(0, bytes, len) != footer->directory_crc)
        return sn_err_set(err, SN_ERR_CORRUPT, "the directory fails its checksum");
    uint64_t at = SN_SEGMENT_HEADER_BYTES;
    for (size_t i = 0; i < footer->pack_count; i++) {
        struct sn_segment_entry entry = get_entry(bytes + i * SN_SEGMENT_ENTRY_BYTES);
        bool fits = entry.offset == at && entry.len > SN_PACK_HEADER_BYTES &&
                    entry.len <= SN_PACK_HEADER_BYTES + SN_PACK_RAW_BYTES_MAX;
        if (!fits || entry.time_min < footer->time_min || entry.time_max > footer->time_max)
            return sn_err_set(err, SN_ERR_CORRUPT, "entry %zu of the directory cannot be", i);
        at += entry.len;
        ret_entries[i] = entry;
    }
    if (at != footer->directory_offset)
        return sn_err_set(err, SN_ERR_CORRUPT, "the directory does not cover the packs");
    return SN_OK;
}
