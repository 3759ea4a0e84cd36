/*
 * Layout of a segment file: docs/FORMATS.md, "Segment".
 *
 *   header (16)  magic, u32le version, u32le crc32c of what stands before
 *   packs        one behind the other, in metric order of their series
 *   directory    per pack: u64le offset, u32le len and flag, u32le first series, i64le first and last
 *                time; the high bit of len says that the pack has histograms
 *   series       u32le crc32c of the rest, runs of series: varint distance from the end of the run
 *                before, varint length - 1; not there in version 1
 *   footer (80)  see sn_segment_footer; its last four bytes are its crc32c
 */
#ifndef SN_STORE_SEGMENT_FORMAT_H
#define SN_STORE_SEGMENT_FORMAT_H

#include "base/buf.h"
#include "base/status.h"
#include "store/bitmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_SEGMENT_FORMAT_VERSION 3
#define SN_SEGMENT_HEADER_BYTES 16
#define SN_SEGMENT_ENTRY_BYTES 32
#define SN_SEGMENT_FOOTER_BYTES 80

struct sn_segment_entry {
    uint64_t offset; /* of the pack in the file */
    uint32_t len;
    uint32_t first_series;
    bool has_histograms;
    int64_t time_min;
    int64_t time_max;
};

struct sn_segment_footer {
    uint64_t id;
    uint64_t directory_offset;
    uint64_t pack_count;
    uint64_t series_count;
    uint64_t chunk_count;
    uint64_t sample_count;
    int64_t time_min;
    int64_t time_max;
    uint32_t directory_crc;
    uint64_t series_bytes; /* of the list of series; not stored: what is left before the footer */
};

/* Bytes of each part. */
void sn_segment_put_header(uint8_t ret_bytes[SN_SEGMENT_HEADER_BYTES]);
void sn_segment_put_entry(const struct sn_segment_entry *entry,
                          uint8_t ret_bytes[SN_SEGMENT_ENTRY_BYTES]);
void sn_segment_put_footer(const struct sn_segment_footer *footer,
                           uint8_t ret_bytes[SN_SEGMENT_FOOTER_BYTES]);

/* Parts from bytes that nobody has to trust. SN_ERR_CORRUPT, SN_ERR_UNSUPPORTED (newer). */
sn_status sn_segment_check_header(const uint8_t bytes[SN_SEGMENT_HEADER_BYTES],
                                  struct sn_err *err) SN_MUST_USE;
sn_status sn_segment_get_footer(const uint8_t bytes[SN_SEGMENT_FOOTER_BYTES], uint64_t file_bytes,
                                struct sn_segment_footer *ret_footer,
                                struct sn_err *err) SN_MUST_USE;

/* Append the list of series: those whose bits are set, the lowest of the first word being series 0. A
 * failure is in buf->status. */
void sn_segment_put_series(const uint64_t *words, size_t word_count, struct sn_buf *buf);

/*
 * Read the list of series.
 *
 *   bytes       [footer->series_bytes], not 0
 *   id_end      all series are below
 *   ret_series  free it with sn_bitmap_free
 *
 * SN_ERR_CORRUPT, SN_ERR_NO_MEMORY.
 */
sn_status sn_segment_get_series(const uint8_t *bytes, const struct sn_segment_footer *footer,
                                uint32_t id_end, struct sn_bitmap **ret_series,
                                struct sn_err *err) SN_MUST_USE;

/*
 * Read the directory: entries lie one behind the other between header and directory.
 *
 *   bytes        [footer->pack_count * SN_SEGMENT_ENTRY_BYTES]
 *   ret_entries  [footer->pack_count]
 */
sn_status sn_segment_get_directory(const uint8_t *bytes, const struct sn_segment_footer *footer,
                                   struct sn_segment_entry *ret_entries,
                                   struct sn_err *err) SN_MUST_USE;

#endif
