/*
 * Log bytes from anywhere. Property: reading never leaves the bytes, every accepted record lies inside
 * them, and what decodes is encoded and decoded again to the same columns.
 */
#include "store/log_record.h"

#include "base/check.h"
#include "base/limits.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_samples(struct sn_log_reader *reader, const struct sn_log_record *record) {
    if (sn_log_read_samples(reader, record, NULL) != SN_OK)
        return;
    struct sn_log_writer writer;
    struct sn_log_reader again;
    struct sn_buf out;
    struct sn_log_record copy;
    struct sn_log_samples samples = {.series = reader->series,
                                     .time_ms = reader->time_ms,
                                     .value = reader->value,
                                     .count = reader->count,
                                     .starts = reader->starts,
                                     .start_count = reader->start_count};
    sn_buf_init(&out, 0);
    SN_CHECK(sn_log_writer_init(&writer) == SN_OK);
    SN_CHECK(sn_log_reader_init(&again) == SN_OK);
    SN_CHECK(sn_log_put_samples(&writer, samples, &out) == SN_OK);
    const uint8_t *at = out.ptr;
    SN_CHECK(sn_log_next(&at, out.ptr + out.len, &copy, NULL) == SN_OK);
    SN_CHECK(sn_log_read_samples(&again, &copy, NULL) == SN_OK);
    SN_CHECK(again.count == reader->count && again.start_count == reader->start_count);
    for (size_t i = 0; i < again.start_count; i++) {
        SN_CHECK(again.starts[i].at == reader->starts[i].at);
        SN_CHECK(again.starts[i].start_ms == reader->starts[i].start_ms);
    }
    for (size_t i = 0; i < again.count; i++) {
        SN_CHECK(again.series[i] == reader->series[i]);
        SN_CHECK(again.time_ms[i] == reader->time_ms[i]);
        SN_CHECK(sn_double_bits(again.value[i]) == sn_double_bits(reader->value[i]));
    }
    sn_log_reader_release(&again);
    sn_log_writer_release(&writer);
    sn_buf_release(&out);
}

static void check_series(const struct sn_log_record *record) {
    struct sn_log_series_cursor cursor;
    struct sn_str labels;
    uint32_t id;
    if (sn_log_read_series(record, &cursor, NULL) != SN_OK)
        return;
    while (sn_log_next_series(&cursor, &id, &labels) == SN_OK) {
        const uint8_t *text = (const uint8_t *)labels.ptr;
        SN_CHECK(text >= record->payload && text + labels.len <= record->payload + record->len);
    }
}

static void check_metadata(const struct sn_log_record *record) {
    struct sn_metadata metadata;
    if (sn_log_read_metadata(record, &metadata, NULL) != SN_OK)
        return;
    SN_CHECK(metadata.help.len <= SN_METADATA_BYTES_MAX);
    struct sn_buf out;
    sn_buf_init(&out, 0);
    sn_log_put_metadata(&out, &metadata);
    SN_CHECK(out.len == SN_LOG_RECORD_HEADER_BYTES + record->len);
    SN_CHECK(memcmp(out.ptr + SN_LOG_RECORD_HEADER_BYTES, record->payload, record->len) == 0);
    sn_buf_release(&out);
}

static void check_histograms(struct sn_log_reader *reader, const struct sn_log_record *record) {
    struct sn_log_item_cursor cursor;
    struct sn_log_histogram histogram;
    struct sn_log_writer writer;
    struct sn_buf items;
    struct sn_buf out;
    sn_status status;
    if (sn_log_read_items(reader, record, &cursor, NULL) != SN_OK)
        return;
    const uint8_t *first = cursor.at;
    sn_buf_init(&items, 0);
    sn_buf_init(&out, 0);
    while ((status = sn_log_next_histogram(&cursor, &histogram)) == SN_OK) {
        const uint8_t *block = (const uint8_t *)histogram.block.ptr;
        SN_CHECK(block > first && block + histogram.block.len <= cursor.end);
        sn_log_put_histogram(&items, &histogram);
    }
    SN_CHECK(sn_log_writer_init(&writer) == SN_OK);
    if (status == SN_ERR_NOT_FOUND) {
        SN_CHECK(sn_log_put_histograms(&writer, sn_buf_str(&items), &out) == SN_OK);
        SN_CHECK(out.len > 0);
    }
    sn_log_writer_release(&writer);
    sn_buf_release(&items);
    sn_buf_release(&out);
}

static void check_exemplars(struct sn_log_reader *reader, const struct sn_log_record *record) {
    struct sn_log_item_cursor cursor;
    struct sn_log_exemplar exemplar;
    struct sn_log_exemplar again;
    struct sn_buf items;
    if (sn_log_read_items(reader, record, &cursor, NULL) != SN_OK)
        return;
    sn_buf_init(&items, 0);
    while (sn_log_next_exemplar(&cursor, &exemplar) == SN_OK) {
        SN_CHECK((const uint8_t *)exemplar.labels.ptr + exemplar.labels.len == cursor.at);
        SN_CHECK(cursor.at <= cursor.end);
        sn_buf_reset(&items);
        sn_log_put_exemplar(&items, &exemplar);
        struct sn_log_item_cursor copy = {.at = items.ptr, .end = items.ptr + items.len};
        SN_CHECK(sn_log_next_exemplar(&copy, &again) == SN_OK && copy.at == copy.end);
        SN_CHECK(again.series == exemplar.series && again.time_ms == exemplar.time_ms);
        SN_CHECK(sn_double_bits(again.value) == sn_double_bits(exemplar.value));
        SN_CHECK(sn_str_equal(again.labels, exemplar.labels));
    }
    sn_buf_release(&items);
}

static void check_record(struct sn_log_reader *reader, const struct sn_log_record *record) {
    switch (record->type) {
    case SN_LOG_SERIES:
        check_series(record);
        break;
    case SN_LOG_SAMPLES:
        check_samples(reader, record);
        break;
    case SN_LOG_METADATA:
        check_metadata(record);
        break;
    case SN_LOG_HISTOGRAMS:
        check_histograms(reader, record);
        break;
    case SN_LOG_EXEMPLARS:
        check_exemplars(reader, record);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_log_reader reader;
    struct sn_log_record record;
    const uint8_t *at = data;
    const uint8_t *end = data + len;
    SN_CHECK(sn_log_reader_init(&reader) == SN_OK);
    (void)(sn_log_check_header(data, len, NULL) == SN_OK);
    while (sn_log_next(&at, end, &record, NULL) == SN_OK) {
        SN_CHECK(record.payload > data && record.payload + record.len <= end);
        SN_CHECK(at == record.payload + record.len);
        check_record(&reader, &record);
    }
    /* The sum keeps mutations away from the decoders: the same bytes as a payload, without it. */
    if (len >= 2) {
        record = (struct sn_log_record){.type = (enum sn_log_type)(data[0] % 5 + SN_LOG_SERIES),
                                        .payload = data + 1,
                                        .len = len - 1};
        check_record(&reader, &record);
    }
    sn_log_reader_release(&reader);
    return 0;
}
