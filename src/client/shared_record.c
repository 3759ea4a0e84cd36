/*
 * Records of a shared file's catalogue. See shared_record_priv.h. No state, any thread.
 *
 *     u32 bytes, u32 checksum of what follows, u8 type, u8 kind, u16 labels, then
 *     family: u16 bounds, u16 0, doubles, texts: name, help, unit, label names
 *     series: u32 family, i64 created, u32 chunk, u32 cell, texts: label values
 *
 * A text ends with NUL; a record is filled up with zeros to a multiple of 8.
 */
#include "client/shared_record_priv.h"

#include "client/native_priv.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#define HEAD_BYTES 12
#define BYTES_MIN 16

/* Numbers of kinds in files are fixed; those of enum sn_kind are not. */
static const struct {
    uint8_t number;
    enum sn_kind kind;
} kinds[] = {
    {1, SN_KIND_COUNTER},           {2, SN_KIND_FLOAT_COUNTER}, {3, SN_KIND_GAUGE},
    {4, SN_KIND_HISTOGRAM},         {5, SN_KIND_INFO},          {6, SN_KIND_SERVICE},
    {7, SN_KIND_OPERATION},         {8, SN_KIND_NATIVE},        {9, SN_KIND_CALLBACK_GAUGE},
    {10, SN_KIND_CALLBACK_COUNTER},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static uint8_t number_of(enum sn_kind kind) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].kind == kind)
            return kinds[i].number;
    }
    return 0;
}

/* Writing. */

static size_t begin(struct sn_buf *buf, enum sn_shared_type type, const struct sn_family *family) {
    size_t start = buf->len;
    sn_buf_put_u64le(buf, 0);
    sn_buf_put_byte(buf, (uint8_t)type);
    sn_buf_put_byte(buf, number_of(family->kind));
    sn_buf_put_u16le(buf, (uint16_t)family->label_count);
    return start;
}

static void end(struct sn_buf *buf, size_t start) {
    while ((buf->len - start) % 8 != 0 && buf->status == SN_OK)
        sn_buf_put_byte(buf, 0);
    if (buf->status != SN_OK)
        return;
    uint8_t *at = buf->ptr + start;
    size_t bytes = buf->len - start;
    sn_store_u32le(at, (uint32_t)bytes);
    sn_store_u32le(at + 4, sn_crc32c(0, at + 8, bytes - 8));
}

static void put_text(struct sn_buf *buf, const char *text) {
    sn_buf_put(buf, text, strlen(text) + 1);
}

static void put_doubles(struct sn_buf *buf, const double *doubles, size_t count) {
    sn_buf_put_u16le(buf, (uint16_t)count);
    sn_buf_put_u16le(buf, 0);
    for (size_t i = 0; i < count; i++)
        sn_buf_put_u64le(buf, sn_bits_of(doubles[i]));
}

static void put_bounds(struct sn_buf *buf, const struct sn_family *family) {
    if (family->native != NULL) {
        sonde_metric metric = {.name = NULL};
        sn_native_describe(family->native, &metric);
        const double range[] = {metric.native_resolution, metric.native_low, metric.native_high};
        put_doubles(buf, range, 3);
    } else {
        put_doubles(buf, family->bounds, family->buckets != NULL ? family->buckets->count : 0);
    }
}

void sn_shared_put_family(struct sn_buf *buf, const struct sn_family *family) {
    size_t start = begin(buf, SN_SHARED_FAMILY, family);
    put_bounds(buf, family);
    put_text(buf, family->name);
    put_text(buf, family->help);
    put_text(buf, family->unit);
    for (size_t i = 0; i < family->label_count; i++)
        put_text(buf, family->label_names[i]);
    end(buf, start);
}

void sn_shared_put_series(struct sn_buf *buf, const struct sn_series *series, uint32_t family,
                          sonde_ref ref) {
    size_t start = begin(buf, SN_SHARED_SERIES, series->family);
    sn_buf_put_u32le(buf, family);
    sn_buf_put_u64le(buf, (uint64_t)series->created_wall_ms);
    sn_buf_put_u32le(buf, ref.chunk);
    sn_buf_put_u32le(buf, ref.cell);
    for (size_t i = 0; i < series->family->label_count; i++) {
        sn_buf_put_str(buf, sn_series_value(series, i));
        sn_buf_put_byte(buf, 0);
    }
    end(buf, start);
}

/* Reading. */

struct reader {
    const char *at;
    const char *end;
    bool is_broken;
};

static const char *take(struct reader *reader, size_t len) {
    const char *at = reader->at;
    if (reader->is_broken || (size_t)(reader->end - at) < len) {
        reader->is_broken = true;
        return "\0\0\0\0\0\0\0"; /* eight zeros: every number is 0 and every text empty */
    }
    reader->at += len;
    return at;
}

static uint32_t take_u16(struct reader *reader) {
    return sn_load_u16le(take(reader, 2));
}

static uint32_t take_u32(struct reader *reader) {
    return sn_load_u32le(take(reader, 4));
}

static uint64_t take_u64(struct reader *reader) {
    return sn_load_u64le(take(reader, 8));
}

static const char *take_text(struct reader *reader) {
    size_t room = reader->is_broken ? 0 : (size_t)(reader->end - reader->at);
    const char *nul = room > 0 ? memchr(reader->at, '\0', room) : NULL;
    return take(reader, nul != NULL ? (size_t)(nul - reader->at) + 1 : SIZE_MAX);
}

static bool find_kind(uint32_t number, enum sn_kind *ret_kind) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (kinds[i].number == number) {
            *ret_kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

/* The first three doubles say what the scale of a native histogram is; 0 would be a default. */
static void get_native(struct reader *reader, const double *range, sonde_metric *metric) {
    bool is_good = metric->bound_count == 3 && range[0] >= 1 && range[0] <= 1000 && range[1] > 0 &&
                   range[2] > 0;
    reader->is_broken |= !is_good;
    metric->bound_count = 0;
    metric->native_resolution = is_good ? (unsigned)range[0] : 1;
    metric->native_low = range[1];
    metric->native_high = range[2];
}

static void get_family(struct reader *reader, size_t labels, struct sn_shared_record *record) {
    size_t bounds = take_u16(reader);
    (void)take_u16(reader);
    reader->is_broken |= bounds > SONDE_BUCKETS_MAX;
    for (size_t i = 0; i < bounds && !reader->is_broken; i++)
        record->bounds[i] = sn_double_of(take_u64(reader));
    sonde_metric metric = {.label_names = record->label_names, .label_count = labels};
    metric.name = take_text(reader);
    metric.help = take_text(reader);
    metric.unit = take_text(reader);
    for (size_t i = 0; i < labels; i++)
        record->label_names[i] = take_text(reader);
    metric.bounds = record->bounds;
    metric.bound_count = bounds;
    if (record->family.kind == SN_KIND_NATIVE)
        get_native(reader, record->bounds, &metric);
    record->family.metric = metric;
}

static void get_series(struct reader *reader, size_t labels, struct sn_shared_record *record) {
    struct sn_shared_series *series = &record->series;
    series->family = take_u32(reader);
    series->created_wall_ms = (int64_t)take_u64(reader);
    series->ref.chunk = take_u32(reader);
    series->ref.cell = take_u32(reader);
    series->value_count = labels;
    for (size_t i = 0; i < labels; i++)
        series->values[i] = take_text(reader);
}

size_t sn_shared_record_bytes(struct sn_str bytes) {
    if (bytes.len < BYTES_MIN)
        return 0;
    size_t len = sn_load_u32le(bytes.ptr);
    return len >= BYTES_MIN && len % 8 == 0 && len <= SN_SHARED_RECORD_BYTES_MAX && len <= bytes.len
               ? len
               : 0;
}

sn_status sn_shared_get_record(struct sn_str bytes, struct sn_shared_record *ret_record,
                               struct sn_err *err) {
    size_t len = sn_shared_record_bytes(bytes);
    if (len == 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "its length cannot be");
    if (sn_load_u32le(bytes.ptr + 4) != sn_crc32c(0, bytes.ptr + 8, len - 8))
        return sn_err_set(err, SN_ERR_CORRUPT, "its checksum is wrong");
    uint8_t type = (uint8_t)bytes.ptr[8];
    enum sn_kind kind;
    size_t labels = sn_load_u16le(bytes.ptr + 10);
    if ((type != SN_SHARED_FAMILY && type != SN_SHARED_SERIES) ||
        !find_kind((uint8_t)bytes.ptr[9], &kind) || labels > SONDE_LABELS_MAX)
        return sn_err_set(err, SN_ERR_CORRUPT, "its type or its number of labels is unknown");
    struct reader reader = {bytes.ptr + HEAD_BYTES, bytes.ptr + len, false};
    memset(ret_record->bounds, 0, sizeof ret_record->bounds);
    ret_record->family.kind = kind;
    if (type == SN_SHARED_FAMILY)
        get_family(&reader, labels, ret_record);
    else
        get_series(&reader, labels, ret_record);
    if (reader.is_broken)
        return sn_err_set(err, SN_ERR_CORRUPT, "a part of it is cut off");
    ret_record->type = (enum sn_shared_type)type;
    ret_record->bytes = len;
    return SN_OK;
}
