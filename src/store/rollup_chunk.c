/* Rollups of one series as bytes: see rollup_chunk.h. */
#include "store/rollup_chunk.h"

#include "base/check.h"

enum {
    FLAG_MIN_IS_FIRST = 1, /* as of a counter that did not fall */
    FLAG_MAX_IS_LAST = 2,
    FLAG_NO_FALLS = 4,
    FLAG_STALE = 8,   /* marks follow: which ones end with a stale marker */
    FLAG_STARTS = 16, /* marks follow: of which ones a start time is known */
    FLAG_ALL = 31,
};

enum column {
    COLUMN_COUNT, /* integers */
    COLUMN_FIRST_MS,
    COLUMN_LAST_MS,
    COLUMN_FIRST, /* doubles */
    COLUMN_LAST,
    COLUMN_SUM,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_FALLS,
};

/* ---- writing ---- */

static bool is_same(double a, double b) {
    return sn_double_bits(a) == sn_double_bits(b);
}

static unsigned find_flags(const struct sn_rollup *items, size_t count) {
    unsigned flags = FLAG_MIN_IS_FIRST | FLAG_MAX_IS_LAST | FLAG_NO_FALLS;
    for (size_t i = 0; i < count; i++) {
        if (!is_same(items[i].min, items[i].first))
            flags &= ~(unsigned)FLAG_MIN_IS_FIRST;
        if (!is_same(items[i].max, items[i].last))
            flags &= ~(unsigned)FLAG_MAX_IS_LAST;
        if (!is_same(items[i].falls, 0))
            flags &= ~(unsigned)FLAG_NO_FALLS;
        flags |= items[i].is_stale ? FLAG_STALE : 0;
        flags |= items[i].has_start ? FLAG_STARTS : 0;
    }
    return flags;
}

static int64_t integer_of(const struct sn_rollup *item, enum column column) {
    if (column == COLUMN_COUNT)
        return (int64_t)item->count;
    return item->end_ms - (column == COLUMN_FIRST_MS ? item->first_ms : item->last_ms);
}

static double double_of(const struct sn_rollup *item, enum column column) {
    switch (column) {
    case COLUMN_FIRST:
        return item->first;
    case COLUMN_LAST:
        return item->last;
    case COLUMN_SUM:
        return item->sum;
    case COLUMN_MIN:
        return item->min;
    case COLUMN_MAX:
        return item->max;
    case COLUMN_FALLS:
        return item->falls;
    case COLUMN_COUNT:
    case COLUMN_FIRST_MS:
    case COLUMN_LAST_MS:
        break;
    }
    (void)SN_NEVER(true);
    return 0;
}

static uint8_t *put_integers(const struct sn_rollup *items, size_t count, enum column column,
                             uint8_t *at) {
    int64_t values[SN_CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = integer_of(&items[i], column);
    return at + sn_chunk_encode_times(values, count, at);
}

static uint8_t *put_doubles(const struct sn_rollup *items, size_t count, enum column column,
                            uint8_t *at) {
    double values[SN_CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = double_of(&items[i], column);
    return at + sn_chunk_encode_values(values, count, at);
}

static uint8_t *put_marks(const struct sn_rollup *items, size_t count, unsigned flag, uint8_t *at) {
    size_t bytes = (count + 7) / 8;
    memset(at, 0, bytes);
    for (size_t i = 0; i < count; i++) {
        bool is_set = flag == FLAG_STALE ? items[i].is_stale : items[i].has_start;
        at[i / 8] |= (uint8_t)(is_set << (i % 8));
    }
    return at + bytes;
}

static bool has_column(unsigned flags, enum column column) {
    return !(column == COLUMN_MIN && (flags & FLAG_MIN_IS_FIRST)) &&
           !(column == COLUMN_MAX && (flags & FLAG_MAX_IS_LAST)) &&
           !(column == COLUMN_FALLS && (flags & FLAG_NO_FALLS));
}

void sn_rollup_chunk_encode(const struct sn_rollup *items, size_t count, struct sn_buf *out) {
    SN_CHECK(count > 0 && count <= SN_CHUNK_SAMPLES_MAX);
    uint8_t *at = sn_buf_reserve(out, SN_ROLLUP_CHUNK_BOUND(count));
    if (!at)
        return;
    unsigned flags = find_flags(items, count);
    *at++ = (uint8_t)flags;
    for (unsigned column = COLUMN_COUNT; column <= COLUMN_LAST_MS; column++)
        at = put_integers(items, count, (enum column)column, at);
    for (unsigned column = COLUMN_FIRST; column <= COLUMN_FALLS; column++) {
        if (has_column(flags, (enum column)column))
            at = put_doubles(items, count, (enum column)column, at);
    }
    if (flags & FLAG_STALE)
        at = put_marks(items, count, FLAG_STALE, at);
    if (flags & FLAG_STARTS)
        at = put_marks(items, count, FLAG_STARTS, at);
    out->len = (size_t)(at - out->ptr);
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct sn_rollup *items;
    size_t count;
};

/* Buckets are at most a day wide, so that no difference of times is longer. */
#define OFFSET_MS_MAX INT64_C(86400000)

static sn_status get_integers(struct reader *reader, enum column column) {
    int64_t values[SN_CHUNK_SAMPLES_MAX];
    size_t used = 0;
    size_t left = (size_t)(reader->end - reader->at);
    if (left == 0)
        return SN_ERR_CORRUPT;
    SN_TRY(sn_chunk_decode_times(reader->at, left, reader->count, values, &used));
    reader->at += used;
    for (size_t i = 0; i < reader->count; i++) {
        struct sn_rollup *item = &reader->items[i];
        if (column == COLUMN_COUNT ? values[i] < 1 : values[i] < 0 || values[i] >= OFFSET_MS_MAX)
            return SN_ERR_CORRUPT;
        if (column == COLUMN_COUNT)
            item->count = (uint64_t)values[i];
        else if (column == COLUMN_FIRST_MS)
            item->first_ms = item->end_ms - values[i];
        else
            item->last_ms = item->end_ms - values[i];
    }
    return SN_OK;
}

static void set_double(struct sn_rollup *item, enum column column, double value) {
    switch (column) {
    case COLUMN_FIRST:
        item->first = item->min = value;
        break;
    case COLUMN_LAST:
        item->last = item->max = value;
        break;
    case COLUMN_SUM:
        item->sum = value;
        break;
    case COLUMN_MIN:
        item->min = value;
        break;
    case COLUMN_MAX:
        item->max = value;
        break;
    case COLUMN_FALLS:
        item->falls = value;
        break;
    case COLUMN_COUNT:
    case COLUMN_FIRST_MS:
    case COLUMN_LAST_MS:
        (void)SN_NEVER(true);
        break;
    }
}

static sn_status get_doubles(struct reader *reader, enum column column) {
    double values[SN_CHUNK_SAMPLES_MAX];
    size_t used = 0;
    size_t left = (size_t)(reader->end - reader->at);
    if (left == 0)
        return SN_ERR_CORRUPT;
    SN_TRY(sn_chunk_decode_values(reader->at, left, reader->count, values, &used));
    reader->at += used;
    for (size_t i = 0; i < reader->count; i++)
        set_double(&reader->items[i], column, values[i]);
    return SN_OK;
}

static sn_status get_marks(struct reader *reader, unsigned flag) {
    size_t bytes = (reader->count + 7) / 8;
    if ((size_t)(reader->end - reader->at) < bytes)
        return SN_ERR_CORRUPT;
    for (size_t i = 0; i < reader->count; i++) {
        bool is_set = (reader->at[i / 8] >> (i % 8)) & 1;
        if (flag == FLAG_STALE)
            reader->items[i].is_stale = is_set;
        else
            reader->items[i].has_start = is_set;
    }
    reader->at += bytes;
    return SN_OK;
}

static sn_status get_columns(struct reader *reader, unsigned flags) {
    for (unsigned column = COLUMN_COUNT; column <= COLUMN_LAST_MS; column++)
        SN_TRY(get_integers(reader, (enum column)column));
    for (unsigned column = COLUMN_FIRST; column <= COLUMN_FALLS; column++) {
        if (has_column(flags, (enum column)column))
            SN_TRY(get_doubles(reader, (enum column)column));
    }
    if (flags & FLAG_STALE)
        SN_TRY(get_marks(reader, FLAG_STALE));
    return flags & FLAG_STARTS ? get_marks(reader, FLAG_STARTS) : SN_OK;
}

sn_status sn_rollup_chunk_decode(struct sn_str bytes, size_t count, const int64_t *end_ms,
                                 struct sn_rollup *ret_items) {
    struct reader reader = {.at = (const uint8_t *)bytes.ptr,
                            .end = (const uint8_t *)bytes.ptr + bytes.len,
                            .items = ret_items,
                            .count = count};
    if (count == 0 || count > SN_CHUNK_SAMPLES_MAX || bytes.len == 0)
        return SN_ERR_CORRUPT;
    unsigned flags = *reader.at++;
    if (flags & ~(unsigned)FLAG_ALL)
        return SN_ERR_CORRUPT;
    for (size_t i = 0; i < count; i++)
        ret_items[i] = (struct sn_rollup){.end_ms = end_ms[i]};
    SN_TRY(get_columns(&reader, flags));
    for (size_t i = 0; i < count; i++) {
        if (ret_items[i].first_ms > ret_items[i].last_ms)
            return SN_ERR_CORRUPT;
    }
    return reader.at == reader.end ? SN_OK : SN_ERR_CORRUPT;
}
