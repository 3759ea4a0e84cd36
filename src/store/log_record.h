/*
 * Records of the log: bytes <-> series definitions, samples, metadata. docs/FORMATS.md, "Log".
 *
 *   record  = u32le len, u32le crc32c, u8 type, payload[len]     crc over type and payload
 *   log     = 16 bytes of header, then records until the file or the good bytes end
 *
 * Reading trusts nothing: lengths, counts and sums are checked, and what is not a whole record with
 * the right checksum is the end of the log. Pure functions; one thread per buffer or reader.
 */
#ifndef SN_STORE_LOG_RECORD_H
#define SN_STORE_LOG_RECORD_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "model/sample.h"

#include <stdint.h>

enum sn_log_type {
    SN_LOG_SERIES = 1,
    SN_LOG_SAMPLES = 2,
    SN_LOG_METADATA = 3,
    SN_LOG_HISTOGRAMS = 4,
    SN_LOG_EXEMPLARS = 5,
};

#define SN_LOG_FORMAT_VERSION 2
#define SN_LOG_HEADER_BYTES 16
#define SN_LOG_RECORD_HEADER_BYTES 9

/* Samples of one record: bounds what a reader must hold (1.8 MiB), enough for zstd to find all. */
#define SN_LOG_SAMPLES_MAX 65536
/* A record never has more payload; the largest are series definitions, flushed beyond 1 MiB. */
#define SN_LOG_PAYLOAD_BYTES_MAX ((size_t)4 << 20)

/* From this sample on its series counts since start_ms (0: unknown), until the next one says. */
struct sn_log_start {
    int64_t start_ms;
    uint32_t at; /* index of the sample; strictly ascending in a list */
};

/* Parallel columns. */
struct sn_log_samples {
    const uint32_t *series; /* [count] */
    const int64_t *time_ms;
    const double *value;
    size_t count;
    const struct sn_log_start *starts; /* [start_count] */
    size_t start_count;
};

/* ---- writing ---- */

/* Compression state, reused from record to record. One thread. */
struct sn_log_writer {
    struct sn_buf raw; /* columns before compression */
    void *zstd;        /* ZSTD_CCtx, owned */
};
sn_status sn_log_writer_init(struct sn_log_writer *writer) SN_MUST_USE;
void sn_log_writer_release(struct sn_log_writer *writer);

/* Append the header of a log file. */
void sn_log_put_header(struct sn_buf *out);

/* Append records with all samples, at most SN_LOG_SAMPLES_MAX in each. SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT; then out is as before. */
sn_status sn_log_put_samples(struct sn_log_writer *writer, struct sn_log_samples samples,
                             struct sn_buf *out) SN_MUST_USE;

/*
 * Append records with all histograms of `items`, what sn_log_put_histogram made one behind the other.
 * Statuses as above.
 */
sn_status sn_log_put_histograms(struct sn_log_writer *writer, struct sn_str items,
                                struct sn_buf *out) SN_MUST_USE;

struct sn_log_histogram {
    uint32_t series;
    int64_t time_ms;
    int64_t start_ms;
    struct sn_str block; /* one histogram, store/histogram_chunk.h */
};
/* Append one item (sticky status). */
void sn_log_put_histogram(struct sn_buf *items, const struct sn_log_histogram *histogram);

/* The same for exemplars. */
struct sn_log_exemplar {
    uint32_t series;
    int64_t time_ms;
    double value;
    struct sn_str labels; /* canonical bytes, at most SN_EXEMPLAR_LABEL_BYTES_MAX */
};
sn_status sn_log_put_exemplars(struct sn_log_writer *writer, struct sn_str items,
                               struct sn_buf *out) SN_MUST_USE;
void sn_log_put_exemplar(struct sn_buf *items, const struct sn_log_exemplar *exemplar);

/* Series definitions: begin, add canonical label bytes one after the other, end. Sticky status. */
struct sn_log_series_record {
    size_t start; /* where the record begins in out */
};
struct sn_log_series_record sn_log_begin_series(struct sn_buf *out, uint32_t first_id);
void sn_log_put_series(struct sn_buf *out, struct sn_str labels);
void sn_log_end_series(struct sn_buf *out, struct sn_log_series_record record, uint32_t count);

void sn_log_put_metadata(struct sn_buf *out, const struct sn_metadata *metadata);

/* ---- reading ---- */

struct sn_log_record {
    enum sn_log_type type;
    const uint8_t *payload; /* inside the bytes that were read */
    size_t len;
};

/* Check the header of a log file. SN_ERR_CORRUPT, SN_ERR_UNSUPPORTED (newer version). */
sn_status sn_log_check_header(const uint8_t *bytes, size_t len, struct sn_err *err) SN_MUST_USE;

/*
 * Next record of [*at, end). SN_OK: *ret_record is set and *at behind it. SN_ERR_NOT_FOUND: *at is
 * end. SN_ERR_CORRUPT: what stands at *at is no record (torn, flipped or zeroed), or of a type that
 * this version does not know; *at stays.
 */
sn_status sn_log_next(const uint8_t **at, const uint8_t *end, struct sn_log_record *ret_record,
                      struct sn_err *err) SN_MUST_USE;

/* Decoded columns and decompression state, reused from record to record. One thread. */
struct sn_log_reader {
    uint32_t *series; /* [SN_LOG_SAMPLES_MAX] once used; owned */
    int64_t *time_ms;
    double *value;
    size_t count;
    struct sn_log_start *starts; /* [start_capacity], owned */
    size_t start_count;
    size_t start_capacity;
    struct sn_buf raw;
    void *zstd; /* ZSTD_DCtx, owned */
};
sn_status sn_log_reader_init(struct sn_log_reader *reader) SN_MUST_USE;
void sn_log_reader_release(struct sn_log_reader *reader);

/* Decode a samples record into the reader's columns. SN_ERR_CORRUPT, SN_ERR_NO_MEMORY. */
sn_status sn_log_read_samples(struct sn_log_reader *reader, const struct sn_log_record *record,
                              struct sn_err *err) SN_MUST_USE;

/*
 * Walk a histograms or an exemplars record. Blocks and labels are in the reader or in the record and
 * are not checked further. SN_ERR_CORRUPT, SN_ERR_NO_MEMORY; next: SN_ERR_NOT_FOUND after the last one.
 */
struct sn_log_item_cursor {
    const uint8_t *at;
    const uint8_t *end;
};
sn_status sn_log_read_items(struct sn_log_reader *reader, const struct sn_log_record *record,
                            struct sn_log_item_cursor *ret_cursor, struct sn_err *err) SN_MUST_USE;
sn_status sn_log_next_histogram(struct sn_log_item_cursor *cursor,
                                struct sn_log_histogram *ret_histogram) SN_MUST_USE;
sn_status sn_log_next_exemplar(struct sn_log_item_cursor *cursor,
                               struct sn_log_exemplar *ret_exemplar) SN_MUST_USE;

/* Walk a series record: ids count up from *ret_first_id. SN_ERR_CORRUPT. */
struct sn_log_series_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t next_id;
    uint32_t left;
};
sn_status sn_log_read_series(const struct sn_log_record *record,
                             struct sn_log_series_cursor *ret_cursor,
                             struct sn_err *err) SN_MUST_USE;
/* SN_ERR_NOT_FOUND after the last one, SN_ERR_CORRUPT. *ret_labels is not checked further. */
sn_status sn_log_next_series(struct sn_log_series_cursor *cursor, uint32_t *ret_id,
                             struct sn_str *ret_labels) SN_MUST_USE;

/* Texts point into the record. SN_ERR_CORRUPT. */
sn_status sn_log_read_metadata(const struct sn_log_record *record, struct sn_metadata *ret_metadata,
                               struct sn_err *err) SN_MUST_USE;

#endif
