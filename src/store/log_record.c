/* Records of the log: see log_record.h and docs/FORMATS.md. */
#include "store/log_record.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/varint.h"
#include "store/exemplars.h"
#include "store/histogram_chunk.h"

#include <zstd.h>

static const char header_magic[8] = {'S', 'N', 'D', 'E', 'L', 'O', 'G', '\n'};

enum {
    ENCODING_PLAIN = 0,
    ENCODING_ZSTD = 1,
    HAS_STARTS = 2, /* beside the encoding */
    ZSTD_LEVEL = 1, /* 1.7 B/sample at 13 ns; level 3 saves 4 % and costs twice the time */
    SAMPLE_BYTES_MAX = 5 + SN_VARINT_BYTES_MAX + 8, /* series, time, value */
    SAMPLES_HEADER_BYTES_MAX = 1 + 5 + 5,
    START_BYTES_MAX = 5 + SN_VARINT_BYTES_MAX, /* distance, start time */
    HEADER_CRC_AT = 12,
    ITEM_HEADER_BYTES_MAX = 5 + 2 * SN_VARINT_BYTES_MAX + 5, /* of a histogram, an exemplar */
    ITEMS_RECORD_BYTES = 1 << 20, /* a record of them is closed when it has so much */
};
_Static_assert(ITEMS_RECORD_BYTES + ITEM_HEADER_BYTES_MAX + SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX <
                   (int)SN_LOG_PAYLOAD_BYTES_MAX,
               "the last histogram fits");
/* Columns of a record with as many start times as samples. */
#define RAW_BYTES_MAX ((size_t)SN_LOG_SAMPLES_MAX * (SAMPLE_BYTES_MAX + START_BYTES_MAX) + 5)
_Static_assert(RAW_BYTES_MAX + SAMPLES_HEADER_BYTES_MAX < SN_LOG_PAYLOAD_BYTES_MAX,
               "a samples record fits");

/* ---- framing ---- */

void sn_log_put_header(struct sn_buf *out) {
    size_t start = out->len;
    sn_buf_put(out, header_magic, sizeof header_magic);
    sn_buf_put_u32le(out, SN_LOG_FORMAT_VERSION);
    if (out->status == SN_OK)
        sn_buf_put_u32le(out, sn_crc32c(0, out->ptr + start, HEADER_CRC_AT));
}

sn_status sn_log_check_header(const uint8_t *bytes, size_t len, struct sn_err *err) {
    if (len < SN_LOG_HEADER_BYTES || memcmp(bytes, header_magic, sizeof header_magic) != 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "the file does not begin as a log");
    if (sn_load_u32le(bytes + HEADER_CRC_AT) != sn_crc32c(0, bytes, HEADER_CRC_AT))
        return sn_err_set(err, SN_ERR_CORRUPT, "the header of the log fails its checksum");
    uint32_t version = sn_load_u32le(bytes + sizeof header_magic);
    if (version > SN_LOG_FORMAT_VERSION)
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "the log has format version %u, this program reads up to %d", version,
                          SN_LOG_FORMAT_VERSION);
    return SN_OK;
}

static size_t begin_record(struct sn_buf *out, enum sn_log_type type) {
    size_t start = out->len;
    uint8_t *at = sn_buf_reserve(out, SN_LOG_RECORD_HEADER_BYTES);
    if (at) {
        at[SN_LOG_RECORD_HEADER_BYTES - 1] = (uint8_t)type;
        out->len += SN_LOG_RECORD_HEADER_BYTES;
    }
    return start;
}

static void end_record(struct sn_buf *out, size_t start) {
    if (out->status != SN_OK)
        return;
    size_t len = out->len - start - SN_LOG_RECORD_HEADER_BYTES;
    SN_CHECK(len <= SN_LOG_PAYLOAD_BYTES_MAX);
    uint8_t *at = out->ptr + start;
    sn_store_u32le(at, (uint32_t)len);
    sn_store_u32le(at + 4, sn_crc32c(0, at + 8, len + 1));
}

sn_status sn_log_next(const uint8_t **at, const uint8_t *end, struct sn_log_record *ret_record,
                      struct sn_err *err) {
    size_t left = (size_t)(end - *at);
    if (left == 0)
        return SN_ERR_NOT_FOUND;
    if (left < SN_LOG_RECORD_HEADER_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "the log ends inside the header of a record");
    const uint8_t *header = *at;
    size_t len = sn_load_u32le(header);
    if (len == 0 || len > SN_LOG_PAYLOAD_BYTES_MAX || len > left - SN_LOG_RECORD_HEADER_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "a record claims %zu bytes, %zu are left", len,
                          left - SN_LOG_RECORD_HEADER_BYTES);
    if (sn_load_u32le(header + 4) != sn_crc32c(0, header + 8, len + 1))
        return sn_err_set(err, SN_ERR_CORRUPT, "a record of %zu bytes fails its checksum", len);
    uint8_t type = header[SN_LOG_RECORD_HEADER_BYTES - 1];
    if (type < SN_LOG_SERIES || type > SN_LOG_EXEMPLARS)
        return sn_err_set(err, SN_ERR_CORRUPT, "a record has the unknown type %u", type);
    *ret_record = (struct sn_log_record){
        .type = (enum sn_log_type)type, .payload = header + SN_LOG_RECORD_HEADER_BYTES, .len = len};
    *at = header + SN_LOG_RECORD_HEADER_BYTES + len;
    return SN_OK;
}

/* ---- samples ---- */

sn_status sn_log_writer_init(struct sn_log_writer *writer) {
    sn_buf_init(&writer->raw, 0);
    writer->zstd = ZSTD_createCCtx();
    return writer->zstd ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_log_writer_release(struct sn_log_writer *writer) {
    sn_buf_release(&writer->raw);
    (void)ZSTD_freeCCtx(writer->zstd); /* fails only for static contexts */
    writer->zstd = NULL;
}

/* `first` is the index of the first sample of the record in the list that starts count in. */
static uint8_t *put_starts(uint8_t *at, struct sn_log_samples samples, size_t first) {
    uint64_t position = first;
    int64_t start_ms = 0;
    at = sn_varint_put(at, samples.start_count);
    for (size_t i = 0; i < samples.start_count; i++) {
        at = sn_varint_put(at, samples.starts[i].at - position);
        at = sn_varint_put_signed(at, samples.starts[i].start_ms - start_ms);
        position = samples.starts[i].at;
        start_ms = samples.starts[i].start_ms;
    }
    return at;
}

/* Columns: all series as differences, all times as differences, start times, all values as they
 * are. */
static sn_status put_columns(struct sn_buf *raw, struct sn_log_samples samples, size_t first) {
    sn_buf_reset(raw);
    uint8_t *at = sn_buf_reserve(raw, samples.count * SAMPLE_BYTES_MAX +
                                          samples.start_count * START_BYTES_MAX + 5);
    if (!at)
        return raw->status;
    int64_t series = 0;
    for (size_t i = 0; i < samples.count; i++) {
        at = sn_varint_put_signed(at, (int64_t)samples.series[i] - series);
        series = samples.series[i];
    }
    int64_t time_ms = 0;
    for (size_t i = 0; i < samples.count; i++) {
        at = sn_varint_put_signed(at, samples.time_ms[i] - time_ms);
        time_ms = samples.time_ms[i];
    }
    if (samples.start_count > 0)
        at = put_starts(at, samples, first);
    for (size_t i = 0; i < samples.count; i++, at += 8)
        sn_store_u64le(at, sn_double_bits(samples.value[i]));
    raw->len = (size_t)(at - raw->ptr);
    return SN_OK;
}

/* Flags, `count` when it is not 0, length of raw, then raw as it is or packed. */
static void put_body(struct sn_log_writer *writer, struct sn_str raw, size_t count, unsigned flags,
                     struct sn_buf *out) {
    size_t bound = ZSTD_compressBound(raw.len);
    uint8_t *head = sn_buf_reserve(out, SAMPLES_HEADER_BYTES_MAX + bound);
    if (!head)
        return;
    uint8_t *at = head + 1;
    if (count > 0)
        at = sn_varint_put(at, count);
    at = sn_varint_put(at, raw.len);
    size_t packed = ZSTD_compressCCtx(writer->zstd, at, bound, raw.ptr, raw.len, ZSTD_LEVEL);
    bool pays = !ZSTD_isError(packed) && packed < raw.len;
    head[0] = (uint8_t)((pays ? ENCODING_ZSTD : ENCODING_PLAIN) | flags);
    if (!pays)
        memcpy(at, raw.ptr, raw.len);
    at += pays ? packed : raw.len;
    out->len += (size_t)(at - head);
}

/* The samples [first, ...) as one record, and the start times among them. */
static struct sn_log_samples cut_record(struct sn_log_samples samples, size_t first,
                                        size_t first_start) {
    size_t left = samples.count - first;
    struct sn_log_samples part = {.series = samples.series + first,
                                  .time_ms = samples.time_ms + first,
                                  .value = samples.value + first,
                                  .count = left < SN_LOG_SAMPLES_MAX ? left : SN_LOG_SAMPLES_MAX};
    size_t end = first_start;
    while (end < samples.start_count && samples.starts[end].at < first + part.count)
        end++;
    part.start_count = end - first_start;
    if (part.start_count > 0)
        part.starts = samples.starts + first_start;
    return part;
}

sn_status sn_log_put_samples(struct sn_log_writer *writer, struct sn_log_samples samples,
                             struct sn_buf *out) {
    size_t before = out->len;
    size_t first_start = 0;
    for (size_t first = 0; first < samples.count && out->status == SN_OK;) {
        struct sn_log_samples part = cut_record(samples, first, first_start);
        sn_status status = put_columns(&writer->raw, part, first);
        if (status != SN_OK) {
            out->len = before;
            return status;
        }
        size_t start = begin_record(out, SN_LOG_SAMPLES);
        put_body(writer, sn_buf_str(&writer->raw), part.count,
                 part.start_count > 0 ? HAS_STARTS : 0, out);
        end_record(out, start);
        first += part.count;
        first_start += part.start_count;
    }
    if (out->status != SN_OK)
        out->len = before;
    return out->status;
}

sn_status sn_log_reader_init(struct sn_log_reader *reader) {
    *reader = (struct sn_log_reader){0};
    sn_buf_init(&reader->raw, SN_LOG_PAYLOAD_BYTES_MAX);
    reader->series = sn_realloc_array(NULL, SN_LOG_SAMPLES_MAX, sizeof *reader->series);
    reader->time_ms = sn_realloc_array(NULL, SN_LOG_SAMPLES_MAX, sizeof *reader->time_ms);
    reader->value = sn_realloc_array(NULL, SN_LOG_SAMPLES_MAX, sizeof *reader->value);
    reader->zstd = ZSTD_createDCtx();
    if (!reader->series || !reader->time_ms || !reader->value || !reader->zstd)
        return SN_ERR_NO_MEMORY;
    return SN_OK;
}

void sn_log_reader_release(struct sn_log_reader *reader) {
    sn_free(reader->series);
    sn_free(reader->time_ms);
    sn_free(reader->value);
    sn_free(reader->starts);
    sn_buf_release(&reader->raw);
    (void)ZSTD_freeDCtx(reader->zstd); /* fails only for static contexts */
    *reader = (struct sn_log_reader){0};
}

static bool reserve_starts(struct sn_log_reader *reader, size_t count) {
    if (count <= reader->start_capacity)
        return true;
    struct sn_log_start *starts = sn_realloc_array(reader->starts, count, sizeof *starts);
    if (!starts)
        return false;
    reader->starts = starts;
    reader->start_capacity = count;
    return true;
}

/* Start times of at most `count` samples. */
static const uint8_t *read_starts(struct sn_log_reader *reader, const uint8_t *at,
                                  const uint8_t *end, size_t count) {
    uint64_t start_count = 0;
    uint64_t position = 0;
    uint64_t start_ms = 0;
    at = sn_varint_get(at, end, &start_count);
    if (!at || start_count == 0 || start_count > count)
        return NULL;
    if (!reserve_starts(reader, start_count)) {
        reader->raw.status = SN_ERR_NO_MEMORY;
        return NULL;
    }
    for (size_t i = 0; i < start_count; i++) {
        uint64_t distance = 0;
        int64_t delta = 0;
        at = sn_varint_get(at, end, &distance);
        at = sn_varint_get_signed(at, end, &delta);
        if (!at || distance >= count - position || (i > 0 && distance == 0))
            return NULL;
        position += distance;
        start_ms += (uint64_t)delta;
        if (start_ms > (uint64_t)SN_TIME_MS_MAX)
            return NULL;
        reader->starts[i] =
            (struct sn_log_start){.at = (uint32_t)position, .start_ms = (int64_t)start_ms};
    }
    reader->start_count = start_count;
    return at;
}

static const uint8_t *read_series_and_times(struct sn_log_reader *reader, const uint8_t *at,
                                            const uint8_t *end, size_t count) {
    uint64_t series = 0;
    int64_t delta;
    for (size_t i = 0; i < count; i++) {
        at = sn_varint_get_signed(at, end, &delta);
        if (!at)
            return NULL;
        series += (uint64_t)delta;
        if (series > UINT32_MAX)
            return NULL;
        reader->series[i] = (uint32_t)series;
    }
    uint64_t time_ms = 0;
    for (size_t i = 0; i < count; i++) {
        at = sn_varint_get_signed(at, end, &delta);
        if (!at)
            return NULL;
        time_ms += (uint64_t)delta;
        if (time_ms > (uint64_t)SN_TIME_MS_MAX)
            return NULL;
        reader->time_ms[i] = (int64_t)time_ms;
    }
    return at;
}

/* Decode `count` columns that must fill [at, end) exactly. */
static bool read_columns(struct sn_log_reader *reader, const uint8_t *at, const uint8_t *end,
                         size_t count, bool has_starts) {
    reader->start_count = 0;
    at = read_series_and_times(reader, at, end, count);
    if (at && has_starts)
        at = read_starts(reader, at, end, count);
    if (!at || (size_t)(end - at) != count * 8)
        return false;
    for (size_t i = 0; i < count; i++)
        reader->value[i] = sn_double_from_bits(sn_load_u64le(at + 8 * i));
    return true;
}

/* Columns of a record, decompressed when they are packed. NULL: not what the header says. */
static const uint8_t *unpack_columns(struct sn_log_reader *reader, uint8_t encoding,
                                     const uint8_t *at, size_t len, size_t raw_len) {
    if (encoding == ENCODING_PLAIN)
        return len == raw_len ? at : NULL;
    sn_buf_reset(&reader->raw);
    uint8_t *raw = sn_buf_reserve(&reader->raw, raw_len);
    if (!raw || encoding != ENCODING_ZSTD)
        return NULL;
    size_t got = ZSTD_decompressDCtx(reader->zstd, raw, raw_len, at, len);
    return !ZSTD_isError(got) && got == raw_len ? raw : NULL;
}

sn_status sn_log_read_samples(struct sn_log_reader *reader, const struct sn_log_record *record,
                              struct sn_err *err) {
    const uint8_t *end = record->payload + record->len;
    uint64_t count = 0;
    uint64_t raw_len = 0;
    const uint8_t *at = sn_varint_get(record->payload + 1, end, &count);
    at = sn_varint_get(at, end, &raw_len);
    if (!at || count == 0 || count > SN_LOG_SAMPLES_MAX || raw_len == 0 ||
        raw_len > count * (SAMPLE_BYTES_MAX + START_BYTES_MAX) + 5 || record->payload[0] > 3)
        return sn_err_set(err, SN_ERR_CORRUPT, "a samples record has a header that cannot be");
    bool has_starts = (record->payload[0] & HAS_STARTS) != 0;
    uint8_t encoding = record->payload[0] & ENCODING_ZSTD;
    const uint8_t *raw = unpack_columns(reader, encoding, at, (size_t)(end - at), raw_len);
    bool is_good = raw && read_columns(reader, raw, raw + raw_len, count, has_starts);
    if (!is_good && reader->raw.status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a samples record");
    if (!is_good)
        return sn_err_set(err, SN_ERR_CORRUPT, "a samples record does not decode");
    reader->count = count;
    return SN_OK;
}

/* ---- histograms and exemplars ---- */

void sn_log_put_histogram(struct sn_buf *items, const struct sn_log_histogram *histogram) {
    uint8_t *at = sn_buf_reserve(items, ITEM_HEADER_BYTES_MAX + histogram->block.len);
    if (!at)
        return;
    at = sn_varint_put(at, histogram->series);
    at = sn_varint_put(at, (uint64_t)histogram->time_ms);
    at = sn_varint_put(at, (uint64_t)histogram->start_ms);
    at = sn_varint_put(at, histogram->block.len);
    memcpy(at, histogram->block.ptr, histogram->block.len);
    items->len = (size_t)(at + histogram->block.len - items->ptr);
}

void sn_log_put_exemplar(struct sn_buf *items, const struct sn_log_exemplar *exemplar) {
    uint8_t *at = sn_buf_reserve(items, ITEM_HEADER_BYTES_MAX + exemplar->labels.len);
    if (!at)
        return;
    at = sn_varint_put(at, exemplar->series);
    at = sn_varint_put(at, (uint64_t)exemplar->time_ms);
    sn_store_u64le(at, sn_double_bits(exemplar->value));
    at = sn_varint_put(at + 8, exemplar->labels.len);
    memcpy(at, exemplar->labels.ptr, exemplar->labels.len);
    items->len = (size_t)(at + exemplar->labels.len - items->ptr);
}

sn_status sn_log_next_histogram(struct sn_log_item_cursor *cursor,
                                struct sn_log_histogram *ret_histogram) {
    if (cursor->at == cursor->end)
        return SN_ERR_NOT_FOUND;
    uint64_t series = 0;
    uint64_t time_ms = 0;
    uint64_t start_ms = 0;
    uint64_t len = 0;
    const uint8_t *at = sn_varint_get(cursor->at, cursor->end, &series);
    at = sn_varint_get(at, cursor->end, &time_ms);
    at = sn_varint_get(at, cursor->end, &start_ms);
    at = sn_varint_get(at, cursor->end, &len);
    if (!at || series > UINT32_MAX || time_ms > (uint64_t)SN_TIME_MS_MAX ||
        start_ms > (uint64_t)SN_TIME_MS_MAX || len == 0 || len > SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX ||
        len > (size_t)(cursor->end - at))
        return SN_ERR_CORRUPT;
    *ret_histogram = (struct sn_log_histogram){.series = (uint32_t)series,
                                               .time_ms = (int64_t)time_ms,
                                               .start_ms = (int64_t)start_ms,
                                               .block = sn_str_make(at, len)};
    cursor->at = at + len;
    return SN_OK;
}

sn_status sn_log_next_exemplar(struct sn_log_item_cursor *cursor,
                               struct sn_log_exemplar *ret_exemplar) {
    if (cursor->at == cursor->end)
        return SN_ERR_NOT_FOUND;
    uint64_t series = 0;
    uint64_t time_ms = 0;
    uint64_t len = 0;
    const uint8_t *at = sn_varint_get(cursor->at, cursor->end, &series);
    at = sn_varint_get(at, cursor->end, &time_ms);
    if (!at || series > UINT32_MAX || time_ms > (uint64_t)SN_TIME_MS_MAX || cursor->end - at < 8)
        return SN_ERR_CORRUPT;
    double value = sn_double_from_bits(sn_load_u64le(at));
    at = sn_varint_get(at + 8, cursor->end, &len);
    if (!at || len == 0 || len > SN_EXEMPLAR_LABEL_BYTES_MAX || len > (size_t)(cursor->end - at))
        return SN_ERR_CORRUPT;
    *ret_exemplar = (struct sn_log_exemplar){.series = (uint32_t)series,
                                             .time_ms = (int64_t)time_ms,
                                             .value = value,
                                             .labels = sn_str_make(at, len)};
    cursor->at = at + len;
    return SN_OK;
}

static sn_status skip_item(enum sn_log_type type, struct sn_log_item_cursor *cursor) {
    struct sn_log_histogram histogram;
    struct sn_log_exemplar exemplar;
    return type == SN_LOG_HISTOGRAMS ? sn_log_next_histogram(cursor, &histogram)
                                     : sn_log_next_exemplar(cursor, &exemplar);
}

static sn_status put_items(struct sn_log_writer *writer, enum sn_log_type type, struct sn_str items,
                           struct sn_buf *out) {
    size_t before = out->len;
    if (items.len == 0)
        return SN_OK;
    struct sn_log_item_cursor cursor = {.at = (const uint8_t *)items.ptr,
                                        .end = (const uint8_t *)items.ptr + items.len};
    while (cursor.at != cursor.end && out->status == SN_OK) {
        const uint8_t *first = cursor.at;
        while (cursor.at != cursor.end && cursor.at - first < ITEMS_RECORD_BYTES)
            SN_CHECK(skip_item(type, &cursor) == SN_OK);
        size_t start = begin_record(out, type);
        put_body(writer, sn_str_make(first, (size_t)(cursor.at - first)), 0, 0, out);
        end_record(out, start);
    }
    if (out->status != SN_OK)
        out->len = before;
    return out->status;
}

sn_status sn_log_put_histograms(struct sn_log_writer *writer, struct sn_str items,
                                struct sn_buf *out) {
    return put_items(writer, SN_LOG_HISTOGRAMS, items, out);
}

sn_status sn_log_put_exemplars(struct sn_log_writer *writer, struct sn_str items,
                               struct sn_buf *out) {
    return put_items(writer, SN_LOG_EXEMPLARS, items, out);
}

sn_status sn_log_read_items(struct sn_log_reader *reader, const struct sn_log_record *record,
                            struct sn_log_item_cursor *ret_cursor, struct sn_err *err) {
    const uint8_t *end = record->payload + record->len;
    uint64_t raw_len = 0;
    const uint8_t *at = sn_varint_get(record->payload + 1, end, &raw_len);
    if (!at || raw_len == 0 || raw_len > SN_LOG_PAYLOAD_BYTES_MAX)
        return sn_err_set(err, SN_ERR_CORRUPT, "a record has a header that cannot be");
    const uint8_t *raw =
        unpack_columns(reader, record->payload[0], at, (size_t)(end - at), raw_len);
    if (!raw && reader->raw.status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a record of the log");
    if (!raw)
        return sn_err_set(err, SN_ERR_CORRUPT, "a record does not decode");
    *ret_cursor = (struct sn_log_item_cursor){.at = raw, .end = raw + raw_len};
    return SN_OK;
}

/* ---- series ---- */

struct sn_log_series_record sn_log_begin_series(struct sn_buf *out, uint32_t first_id) {
    struct sn_log_series_record record = {.start = begin_record(out, SN_LOG_SERIES)};
    sn_buf_put_u32le(out, first_id);
    sn_buf_put_u32le(out, 0); /* the count: sn_log_end_series knows it */
    return record;
}

void sn_log_put_series(struct sn_buf *out, struct sn_str labels) {
    sn_buf_put_u16le(out, (uint16_t)labels.len);
    sn_buf_put_str(out, labels);
}

void sn_log_end_series(struct sn_buf *out, struct sn_log_series_record record, uint32_t count) {
    if (out->status == SN_OK)
        sn_store_u32le(out->ptr + record.start + SN_LOG_RECORD_HEADER_BYTES + 4, count);
    end_record(out, record.start);
}

sn_status sn_log_read_series(const struct sn_log_record *record,
                             struct sn_log_series_cursor *ret_cursor, struct sn_err *err) {
    if (record->len < 8)
        return sn_err_set(err, SN_ERR_CORRUPT, "a series record has only %zu bytes", record->len);
    *ret_cursor = (struct sn_log_series_cursor){.at = record->payload + 8,
                                                .end = record->payload + record->len,
                                                .next_id = sn_load_u32le(record->payload),
                                                .left = sn_load_u32le(record->payload + 4)};
    return SN_OK;
}

sn_status sn_log_next_series(struct sn_log_series_cursor *cursor, uint32_t *ret_id,
                             struct sn_str *ret_labels) {
    if (cursor->left == 0)
        return cursor->at == cursor->end ? SN_ERR_NOT_FOUND : SN_ERR_CORRUPT;
    size_t room = (size_t)(cursor->end - cursor->at);
    if (room < 2)
        return SN_ERR_CORRUPT;
    size_t len = sn_load_u16le(cursor->at);
    if (room - 2 < len || cursor->next_id == UINT32_MAX)
        return SN_ERR_CORRUPT;
    *ret_labels = sn_str_make(cursor->at + 2, len);
    *ret_id = cursor->next_id++;
    cursor->at += 2 + len;
    cursor->left--;
    return SN_OK;
}

/* ---- metadata ---- */

static void put_text(struct sn_buf *out, struct sn_str text) {
    sn_buf_put_u16le(out, (uint16_t)text.len);
    sn_buf_put_str(out, text);
}

void sn_log_put_metadata(struct sn_buf *out, const struct sn_metadata *metadata) {
    size_t start = begin_record(out, SN_LOG_METADATA);
    sn_buf_put_byte(out, (uint8_t)metadata->type);
    put_text(out, metadata->metric_name);
    put_text(out, metadata->help);
    put_text(out, metadata->unit);
    end_record(out, start);
}

static const uint8_t *get_text(const uint8_t *at, const uint8_t *end, size_t len_max,
                               struct sn_str *ret_text) {
    if (!at || end - at < 2)
        return NULL;
    size_t len = sn_load_u16le(at);
    if ((size_t)(end - at) - 2 < len || len > len_max)
        return NULL;
    *ret_text = sn_str_make(at + 2, len);
    return at + 2 + len;
}

sn_status sn_log_read_metadata(const struct sn_log_record *record, struct sn_metadata *ret_metadata,
                               struct sn_err *err) {
    const uint8_t *end = record->payload + record->len;
    struct sn_metadata metadata = {.type = (enum sn_metric_type)record->payload[0]};
    const uint8_t *at =
        get_text(record->payload + 1, end, SN_LABEL_VALUE_BYTES_MAX, &metadata.metric_name);
    at = get_text(at, end, SN_METADATA_BYTES_MAX, &metadata.help);
    at = get_text(at, end, SN_METADATA_BYTES_MAX, &metadata.unit);
    if (at != end || record->payload[0] > SN_METRIC_STATESET)
        return sn_err_set(err, SN_ERR_CORRUPT, "a metadata record does not decode");
    *ret_metadata = metadata;
    return SN_OK;
}
