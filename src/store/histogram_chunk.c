/* Histograms as bytes: see histogram_chunk.h and docs/FORMATS.md. */
#include "store/histogram_chunk.h"

#include "base/check.h"
#include "codec/varint.h"
#include "model/sample.h"

#include <string.h>

enum {
    COLUMN_COUNT = 0,
    COLUMN_ZERO_COUNT = 1,
    COLUMN_SUM = 2,
    COLUMNS_FIXED = 3, /* the positive counts begin here */
    LAYOUT_BYTES_MAX = 5 + 1 + 8 + 2 * 5,
    SPAN_BYTES_MAX = 10,
};
_Static_assert(SN_HISTOGRAM_BUCKETS_MAX *(11 + SPAN_BYTES_MAX + 8) + COLUMNS_FIXED * 11 +
                       LAYOUT_BYTES_MAX + 16 <
                   SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX,
               "the largest histogram fits");

/* ---- layout ---- */

static bool same_doubles(const double *a, const double *b, size_t count) {
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool same_spans(const struct sn_bucket_span *a, const struct sn_bucket_span *b,
                       size_t count) {
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

static bool is_same_layout(const struct sn_histogram *a, const struct sn_histogram *b) {
    return a->schema == b->schema && a->reset_hint == b->reset_hint &&
           same_doubles(&a->zero_threshold, &b->zero_threshold, 1) &&
           a->positive_span_count == b->positive_span_count &&
           a->negative_span_count == b->negative_span_count &&
           a->custom_bound_count == b->custom_bound_count &&
           same_spans(a->positive_spans, b->positive_spans, a->positive_span_count) &&
           same_spans(a->negative_spans, b->negative_spans, a->negative_span_count) &&
           same_doubles(a->custom_bounds, b->custom_bounds, a->custom_bound_count);
}

static uint8_t *put_spans(uint8_t *at, const struct sn_bucket_span *spans, size_t count) {
    at = sn_varint_put(at, count);
    for (size_t i = 0; i < count; i++) {
        at = sn_varint_put_signed(at, spans[i].offset);
        at = sn_varint_put(at, spans[i].length);
    }
    return at;
}

static void put_layout(const struct sn_histogram *histogram, size_t run, struct sn_buf *out) {
    size_t spans = (size_t)histogram->positive_span_count + histogram->negative_span_count;
    size_t bound = 5 + LAYOUT_BYTES_MAX + 5 + spans * SPAN_BYTES_MAX +
                   (size_t)histogram->custom_bound_count * 8;
    uint8_t *at = sn_buf_reserve(out, bound);
    if (!at)
        return;
    at = sn_varint_put(at, run);
    at = sn_varint_put_signed(at, histogram->schema);
    *at++ = (uint8_t)histogram->reset_hint;
    sn_store_u64le(at, sn_double_bits(histogram->zero_threshold));
    at = put_spans(at + 8, histogram->positive_spans, histogram->positive_span_count);
    at = put_spans(at, histogram->negative_spans, histogram->negative_span_count);
    at = sn_varint_put(at, histogram->custom_bound_count);
    for (uint32_t i = 0; i < histogram->custom_bound_count; i++, at += 8)
        sn_store_u64le(at, sn_double_bits(histogram->custom_bounds[i]));
    out->len = (size_t)(at - out->ptr);
}

/* ---- writing ---- */

static double number_at(const struct sn_histogram *histogram, size_t column) {
    switch (column) {
    case COLUMN_COUNT:
        return histogram->count;
    case COLUMN_ZERO_COUNT:
        return histogram->zero_count;
    case COLUMN_SUM:
        return histogram->sum;
    default:
        column -= COLUMNS_FIXED;
        return column < histogram->positive_bucket_count
                   ? histogram->positive_counts[column]
                   : histogram->negative_counts[column - histogram->positive_bucket_count];
    }
}

static size_t column_count(const struct sn_histogram *histogram) {
    return (size_t)COLUMNS_FIXED + histogram->positive_bucket_count +
           histogram->negative_bucket_count;
}

static void put_run(const struct sn_histogram *items, size_t run, struct sn_buf *out) {
    double column[SN_CHUNK_SAMPLES_MAX];
    put_layout(items, run, out);
    for (size_t k = 0; k < column_count(items); k++) {
        for (size_t i = 0; i < run; i++)
            column[i] = number_at(&items[i], k);
        uint8_t *at = sn_buf_reserve(out, sn_chunk_bound(run));
        if (!at)
            return;
        out->len += sn_chunk_encode_values(column, run, at);
    }
}

void sn_histogram_chunk_encode(const struct sn_histogram *items, size_t count, struct sn_buf *out) {
    SN_CHECK(count > 0 && count <= SN_CHUNK_SAMPLES_MAX);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && is_same_layout(&items[i], &items[end]))
            end++;
        put_run(items + i, end - i, out);
        i = end;
    }
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at; /* NULL: malformed */
    const uint8_t *end;
    struct sn_arena *arena;
};

static uint64_t get(struct reader *reader) {
    uint64_t value = 0;
    reader->at = sn_varint_get(reader->at, reader->end, &value);
    return value;
}

/* A number of things of which each takes at least `bytes`; 0 with at NULL when that cannot be. */
static uint32_t get_count(struct reader *reader, size_t bytes) {
    uint64_t count = get(reader);
    if (!reader->at || count > SN_HISTOGRAM_BUCKETS_MAX ||
        count > (size_t)(reader->end - reader->at) / bytes) {
        reader->at = NULL;
        return 0;
    }
    return (uint32_t)count;
}

/* *ret_spans is in the arena; *ret_buckets their length in all. */
static sn_status get_spans(struct reader *reader, const struct sn_bucket_span **ret_spans,
                           uint32_t *ret_count, uint32_t *ret_buckets) {
    uint32_t count = get_count(reader, 2);
    uint64_t buckets = 0;
    struct sn_bucket_span *spans = NULL;
    if (count > 0) {
        spans = sn_arena_alloc(reader->arena, count * sizeof *spans);
        if (!spans)
            return sn_arena_failure(reader->arena, count * sizeof *spans, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        int64_t offset = 0;
        reader->at = sn_varint_get_signed(reader->at, reader->end, &offset);
        uint64_t length = get(reader);
        if (!reader->at || offset < INT32_MIN || offset > INT32_MAX ||
            length > SN_HISTOGRAM_BUCKETS_MAX)
            return SN_ERR_CORRUPT;
        spans[i] = (struct sn_bucket_span){.offset = (int32_t)offset, .length = (uint32_t)length};
        buckets += length;
    }
    if (!reader->at || buckets > SN_HISTOGRAM_BUCKETS_MAX)
        return SN_ERR_CORRUPT;
    *ret_spans = spans;
    *ret_count = count;
    *ret_buckets = (uint32_t)buckets;
    return SN_OK;
}

static sn_status get_bounds(struct reader *reader, struct sn_histogram *histogram) {
    uint32_t count = get_count(reader, 8);
    if (!reader->at)
        return SN_ERR_CORRUPT;
    if (count == 0)
        return SN_OK;
    double *bounds = sn_arena_alloc(reader->arena, count * sizeof *bounds);
    if (!bounds)
        return sn_arena_failure(reader->arena, count * sizeof *bounds, NULL);
    for (uint32_t i = 0; i < count; i++, reader->at += 8)
        bounds[i] = sn_double_from_bits(sn_load_u64le(reader->at));
    histogram->custom_bounds = bounds;
    histogram->custom_bound_count = count;
    return SN_OK;
}

static sn_status get_layout(struct reader *reader, struct sn_histogram *ret_layout) {
    struct sn_histogram layout = {0};
    int64_t schema = 0;
    reader->at = sn_varint_get_signed(reader->at, reader->end, &schema);
    if (!reader->at || reader->end - reader->at < 9 || schema < INT32_MIN || schema > INT32_MAX)
        return SN_ERR_CORRUPT;
    layout.schema = (int32_t)schema;
    layout.reset_hint = (enum sn_counter_reset_hint)reader->at[0];
    layout.zero_threshold = sn_double_from_bits(sn_load_u64le(reader->at + 1));
    reader->at += 9;
    SN_TRY(get_spans(reader, &layout.positive_spans, &layout.positive_span_count,
                     &layout.positive_bucket_count));
    SN_TRY(get_spans(reader, &layout.negative_spans, &layout.negative_span_count,
                     &layout.negative_bucket_count));
    SN_TRY(get_bounds(reader, &layout));
    if ((uint64_t)layout.positive_bucket_count + layout.negative_bucket_count >
        SN_HISTOGRAM_BUCKETS_MAX)
        return SN_ERR_CORRUPT;
    *ret_layout = layout;
    return SN_OK;
}

/* Where the number of a column stands; `counts` are the buckets of one histogram. */
static void set_number(struct sn_histogram *histogram, double *counts, size_t column,
                       double value) {
    switch (column) {
    case COLUMN_COUNT:
        histogram->count = value;
        break;
    case COLUMN_ZERO_COUNT:
        histogram->zero_count = value;
        break;
    case COLUMN_SUM:
        histogram->sum = value;
        break;
    default:
        counts[column - COLUMNS_FIXED] = value;
        break;
    }
}

static sn_status get_columns(struct reader *reader, struct sn_histogram *items, size_t run,
                             double *counts) {
    double column[SN_CHUNK_SAMPLES_MAX];
    size_t columns = column_count(items);
    size_t buckets = columns - COLUMNS_FIXED;
    for (size_t k = 0; k < columns; k++) {
        size_t used = 0;
        if (reader->at == reader->end)
            return SN_ERR_CORRUPT;
        SN_TRY(sn_chunk_decode_values(reader->at, (size_t)(reader->end - reader->at), run, column,
                                      &used));
        reader->at += used;
        for (size_t i = 0; i < run; i++)
            set_number(&items[i], counts + i * buckets, k, column[i]);
    }
    return SN_OK;
}

static sn_status get_run(struct reader *reader, struct sn_histogram *items, size_t run) {
    struct sn_histogram layout;
    SN_TRY(get_layout(reader, &layout));
    size_t buckets = (size_t)layout.positive_bucket_count + layout.negative_bucket_count;
    /* Each column has at least a byte: bounds what a few bytes make us allocate. */
    if (buckets + COLUMNS_FIXED > (size_t)(reader->end - reader->at))
        return SN_ERR_CORRUPT;
    double *counts = sn_arena_alloc(reader->arena, run * buckets * sizeof *counts);
    if (!counts)
        return sn_arena_failure(reader->arena, run * buckets * sizeof *counts, NULL);
    for (size_t i = 0; i < run; i++) {
        items[i] = layout;
        items[i].positive_counts = counts + i * buckets;
        items[i].negative_counts = counts + i * buckets + layout.positive_bucket_count;
    }
    SN_TRY(get_columns(reader, items, run, counts));
    for (size_t i = 0; i < run; i++) {
        if (sn_histogram_validate(&items[i], NULL) != SN_OK)
            return SN_ERR_CORRUPT;
    }
    return SN_OK;
}

sn_status sn_histogram_chunk_decode(struct sn_str bytes, size_t count, struct sn_arena *arena,
                                    struct sn_histogram *ret_items) {
    struct reader reader = {.at = (const uint8_t *)bytes.ptr,
                            .end = (const uint8_t *)bytes.ptr + bytes.len,
                            .arena = arena};
    if (count == 0 || count > SN_CHUNK_SAMPLES_MAX)
        return SN_ERR_CORRUPT;
    for (size_t i = 0; i < count;) {
        uint64_t run = get(&reader);
        if (!reader.at || run == 0 || run > count - i)
            return SN_ERR_CORRUPT;
        SN_TRY(get_run(&reader, ret_items + i, run));
        i += run;
    }
    return reader.at == reader.end ? SN_OK : SN_ERR_CORRUPT;
}
