/* Packs of sealed chunks: see pack.h and docs/FORMATS.md. */
#include "store/pack.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <lz4.h>
#include <zstd.h>

enum {
    ENCODING_PLAIN = 0,
    ENCODING_LZ4 = 1,
    ENCODING_ZSTD = 2,
    ZSTD_LEVEL = 3,            /* 12 saves half a percent more and takes five times as long */
    TIME_BLOCKS_COMPARED = 16, /* how far back an equal time block is looked for */
    STORED_LEN_AT = 4,
    RAW_LEN_AT = 8,
    ENCODING_AT = 12,
    LAYOUT_AT = 13,
    LAYOUT_FIRST = 0, /* of version 1: chunks have no flags */
    LAYOUT_FLAGS = 1,
    LAYOUT_ROLLUPS = 2, /* as LAYOUT_FLAGS, without flags; value blocks are rollup blocks */
    FLAG_HISTOGRAM = 2,
    FLAG_STARTS = 1, /* flags of a chunk stand in the low bits beside its time block */
    FLAG_MASK = 3,
    FLAG_BITS = 2,
    ENTRY_BYTES_MAX = 20, /* of a chunk or a time block in the tables */
};

/* ---- writing ---- */

static void clear(struct sn_pack_builder *builder) {
    builder->chunk_count = 0;
    builder->time_block_count = 0;
    builder->start_last = 0;
    builder->has_histograms = false;
    builder->has_rollups = false;
    sn_buf_reset(&builder->starts);
    sn_buf_reset(&builder->times);
    sn_buf_reset(&builder->values);
    builder->time_min = INT64_MAX;
    builder->time_max = INT64_MIN;
    builder->sample_count = 0;
}

sn_status sn_pack_builder_init(struct sn_pack_builder *builder) {
    *builder = (struct sn_pack_builder){.raw_target = SN_PACK_RAW_TARGET};
    sn_buf_init(&builder->starts, 0);
    sn_buf_init(&builder->times, 0);
    sn_buf_init(&builder->values, 0);
    sn_buf_init(&builder->raw, 0);
    clear(builder);
    builder->chunks = sn_realloc_array(NULL, SN_PACK_CHUNKS_MAX, sizeof *builder->chunks);
    builder->time_blocks = sn_realloc_array(NULL, SN_PACK_CHUNKS_MAX, sizeof *builder->time_blocks);
    return builder->chunks && builder->time_blocks ? SN_OK : SN_ERR_NO_MEMORY;
}

void sn_pack_builder_release(struct sn_pack_builder *builder) {
    sn_free(builder->chunks);
    sn_free(builder->time_blocks);
    builder->chunks = NULL;
    builder->time_blocks = NULL;
    (void)ZSTD_freeCCtx(builder->zstd); /* fails only for static contexts */
    builder->zstd = NULL;
    sn_buf_release(&builder->starts);
    sn_buf_release(&builder->times);
    sn_buf_release(&builder->values);
    sn_buf_release(&builder->raw);
}

/* Index of an earlier block with these bytes, or time_block_count. */
static uint32_t find_block(const struct sn_pack_builder *builder, const uint8_t *bytes, size_t len,
                           size_t count) {
    uint32_t end = builder->time_block_count;
    uint32_t first = end > TIME_BLOCKS_COMPARED ? end - TIME_BLOCKS_COMPARED : 0;
    for (uint32_t i = end; i-- > first;) {
        const struct sn_pack_time_block *block = &builder->time_blocks[i];
        if (block->len == len && block->count == count &&
            memcmp(builder->times.ptr + block->offset, bytes, len) == 0)
            return i;
    }
    return end;
}

/* Number of the time block for these times, which is added when it is new. */
static sn_status share_times(struct sn_pack_builder *builder, const int64_t *time_ms, size_t count,
                             uint32_t *ret_block) {
    uint32_t end = builder->time_block_count;
    /* Series of one scrape have one column of times: the usual case needs no encoding. */
    if (end > 0 && builder->time_blocks[end - 1].count == count &&
        memcmp(builder->time_last, time_ms, count * sizeof *time_ms) == 0) {
        *ret_block = end - 1;
        return SN_OK;
    }
    struct sn_buf *times = &builder->times;
    uint8_t *at = sn_buf_reserve(times, sn_chunk_bound(count));
    if (!at)
        return times->status;
    size_t len = sn_chunk_encode_times(time_ms, count, at);
    uint32_t found = find_block(builder, at, len, count);
    *ret_block = found;
    if (found != end)
        return SN_OK;
    builder->time_blocks[end] = (struct sn_pack_time_block){
        .offset = (uint32_t)times->len, .len = (uint32_t)len, .count = (uint32_t)count};
    builder->time_block_count++;
    times->len += len;
    memcpy(builder->time_last, time_ms, count * sizeof *time_ms);
    return SN_OK;
}

static bool knows_start(const int64_t *start_ms, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (start_ms[i] != 0)
            return true;
    }
    return false;
}

/* Runs of samples with the same start time; *ret_count: how many. */
static sn_status put_starts(struct sn_pack_builder *builder, const int64_t *start_ms, size_t count,
                            uint32_t *ret_count) {
    uint8_t *at = sn_buf_reserve(&builder->starts, count * SN_PACK_START_BYTES_MAX);
    uint32_t runs = 0;
    if (!at)
        return builder->starts.status;
    for (size_t i = 0; i < count; runs++) {
        size_t end = i + 1;
        while (end < count && start_ms[end] == start_ms[i])
            end++;
        if (end < count) /* the last run has the rest */
            at = sn_varint_put(at, end - i);
        at = sn_varint_put_signed(at, start_ms[i] - builder->start_last);
        builder->start_last = start_ms[i];
        i = end;
    }
    builder->starts.len = (size_t)(at - builder->starts.ptr);
    *ret_count = runs;
    return SN_OK;
}

static void note_times(struct sn_pack_builder *builder, const int64_t *time_ms, size_t count) {
    builder->sample_count += count;
    if (time_ms[0] < builder->time_min)
        builder->time_min = time_ms[0];
    if (time_ms[count - 1] > builder->time_max)
        builder->time_max = time_ms[count - 1];
}

sn_status sn_pack_add(struct sn_pack_builder *builder, uint32_t series,
                      const struct sn_samples *samples) {
    size_t count = samples->count;
    SN_CHECK(count > 0 && count <= SN_CHUNK_SAMPLES_MAX);
    SN_CHECK(builder->chunk_count < SN_PACK_CHUNKS_MAX);
    struct sn_pack_chunk chunk = {.series = series, .value_offset = (uint32_t)builder->values.len};
    uint8_t *at = sn_buf_reserve(&builder->values, sn_chunk_bound(count));
    if (!at)
        return builder->values.status;
    SN_TRY(share_times(builder, samples->time_ms, count, &chunk.time_block));
    if (samples->has_start && knows_start(samples->start_ms, count))
        SN_TRY(put_starts(builder, samples->start_ms, count, &chunk.start_count));
    chunk.value_len = (uint32_t)sn_chunk_encode_values(samples->value, count, at);
    builder->values.len += chunk.value_len;
    builder->chunks[builder->chunk_count++] = chunk;
    note_times(builder, samples->time_ms, count);
    return SN_OK;
}

/* Encode as many of the histograms as a chunk may have bytes of, fewer and fewer. */
static size_t encode_histograms(struct sn_buf *values, const struct sn_histogram *items,
                                size_t count) {
    size_t before = values->len;
    sn_histogram_chunk_encode(items, count, values);
    while (values->status == SN_OK && count > 1 &&
           values->len - before > SN_PACK_HISTOGRAM_CHUNK_BYTES) {
        values->len = before;
        count = (count + 1) / 2;
        sn_histogram_chunk_encode(items, count, values);
    }
    return count;
}

sn_status sn_pack_add_histograms(struct sn_pack_builder *builder, uint32_t series,
                                 const struct sn_histograms *histograms, size_t first,
                                 size_t *ret_taken) {
    size_t count = histograms->count - first;
    SN_CHECK(count > 0 && builder->chunk_count < SN_PACK_CHUNKS_MAX);
    struct sn_pack_chunk chunk = {
        .series = series, .value_offset = (uint32_t)builder->values.len, .is_histogram = true};
    if (count > SN_PACK_HISTOGRAMS_MAX)
        count = SN_PACK_HISTOGRAMS_MAX;
    count = encode_histograms(&builder->values, histograms->items + first, count);
    if (builder->values.status != SN_OK)
        return builder->values.status;
    const int64_t *start_ms = histograms->start_ms + first;
    SN_TRY(share_times(builder, histograms->time_ms + first, count, &chunk.time_block));
    if (knows_start(start_ms, count))
        SN_TRY(put_starts(builder, start_ms, count, &chunk.start_count));
    chunk.value_len = (uint32_t)(builder->values.len - chunk.value_offset);
    builder->chunks[builder->chunk_count++] = chunk;
    builder->has_histograms = true;
    note_times(builder, histograms->time_ms + first, count);
    *ret_taken = count;
    return SN_OK;
}

sn_status sn_pack_add_rollups(struct sn_pack_builder *builder, uint32_t series,
                              const struct sn_rollup *items, size_t count) {
    int64_t end_ms[SN_CHUNK_SAMPLES_MAX];
    SN_CHECK(count > 0 && count <= SN_CHUNK_SAMPLES_MAX);
    SN_CHECK(builder->chunk_count < SN_PACK_CHUNKS_MAX);
    SN_CHECK(builder->chunk_count == 0 || builder->has_rollups);
    struct sn_pack_chunk chunk = {.series = series, .value_offset = (uint32_t)builder->values.len};
    for (size_t i = 0; i < count; i++)
        end_ms[i] = items[i].end_ms;
    SN_TRY(share_times(builder, end_ms, count, &chunk.time_block));
    sn_rollup_chunk_encode(items, count, &builder->values);
    if (builder->values.status != SN_OK)
        return builder->values.status;
    chunk.value_len = (uint32_t)(builder->values.len - chunk.value_offset);
    builder->chunks[builder->chunk_count++] = chunk;
    builder->has_rollups = true;
    note_times(builder, end_ms, count);
    return SN_OK;
}

bool sn_pack_is_full(const struct sn_pack_builder *builder) {
    size_t bytes = builder->starts.len + builder->times.len + builder->values.len;
    return bytes >= builder->raw_target || builder->chunk_count == SN_PACK_CHUNKS_MAX;
}

static uint8_t *put_chunk(uint8_t *at, const struct sn_pack_chunk *chunk, int64_t series_before) {
    unsigned flags = (chunk->start_count > 0 ? (unsigned)FLAG_STARTS : 0) |
                     (chunk->is_histogram ? (unsigned)FLAG_HISTOGRAM : 0);
    at = sn_varint_put_signed(at, (int64_t)chunk->series - series_before);
    at = sn_varint_put(at, (uint64_t)chunk->time_block << FLAG_BITS | flags);
    at = sn_varint_put(at, chunk->value_len);
    return chunk->start_count > 0 ? sn_varint_put(at, chunk->start_count) : at;
}

/* Tables and blocks, one behind the other. */
static sn_status assemble(struct sn_pack_builder *builder) {
    struct sn_buf *raw = &builder->raw;
    size_t entries = (size_t)builder->chunk_count + builder->time_block_count + 1;
    sn_buf_reset(raw);
    uint8_t *at = sn_buf_reserve(raw, entries * ENTRY_BYTES_MAX);
    if (!at)
        return raw->status;
    at = sn_varint_put(at, builder->chunk_count);
    at = sn_varint_put(at, builder->time_block_count);
    for (uint32_t i = 0; i < builder->time_block_count; i++) {
        at = sn_varint_put(at, builder->time_blocks[i].count);
        at = sn_varint_put(at, builder->time_blocks[i].len);
    }
    int64_t series = 0;
    for (uint32_t i = 0; i < builder->chunk_count; i++) {
        at = put_chunk(at, &builder->chunks[i], series);
        series = builder->chunks[i].series;
    }
    raw->len = (size_t)(at - raw->ptr);
    sn_buf_put(raw, builder->starts.ptr, builder->starts.len);
    sn_buf_put(raw, builder->times.ptr, builder->times.len);
    sn_buf_put(raw, builder->values.ptr, builder->values.len);
    SN_CHECK(raw->len <= SN_PACK_RAW_BYTES_MAX);
    return raw->status;
}

/* Merged packs are written once and kept for long: zstd saves 5 to 13 % where LZ4 saves next to nothing.
 * Bytes of the body, 0 when it does not fit. */
static size_t compress_zstd(struct sn_pack_builder *builder, uint8_t *body, size_t bound) {
    const struct sn_buf *raw = &builder->raw;
    if (!builder->zstd)
        builder->zstd = ZSTD_createCCtx();
    if (!builder->zstd)
        return 0; /* larger then, not wrong */
    size_t len = ZSTD_compressCCtx(builder->zstd, body, bound, raw->ptr, raw->len, ZSTD_LEVEL);
    return ZSTD_isError(len) ? 0 : len;
}

static size_t compress_lz4(const struct sn_buf *raw, uint8_t *body, size_t bound) {
    int len = LZ4_compress_default((const char *)raw->ptr, (char *)body, (int)raw->len, (int)bound);
    return len > 0 ? (size_t)len : 0;
}

/* Below a tenth the saving is not worth the time of every later read, below a thirtieth not the bytes. */
static size_t put_body(struct sn_pack_builder *builder, uint8_t *body, size_t bound,
                       uint8_t *ret_encoding) {
    const struct sn_buf *raw = &builder->raw;
    bool is_merged = builder->raw_target == SN_PACK_RAW_TARGET_MERGED;
    size_t len = is_merged ? compress_zstd(builder, body, bound) : compress_lz4(raw, body, bound);
    size_t least = is_merged ? raw->len / 30 : raw->len / 10;
    if (len > 0 && len <= raw->len - least) {
        *ret_encoding = is_merged ? ENCODING_ZSTD : ENCODING_LZ4;
        return len;
    }
    memcpy(body, raw->ptr, raw->len);
    *ret_encoding = ENCODING_PLAIN;
    return raw->len;
}

sn_status sn_pack_finish(struct sn_pack_builder *builder, struct sn_buf *out) {
    assert(builder->chunk_count > 0);
    SN_TRY(assemble(builder));
    size_t raw_len = builder->raw.len;
    size_t bound = (size_t)LZ4_compressBound((int)raw_len);
    if (bound < ZSTD_compressBound(raw_len))
        bound = ZSTD_compressBound(raw_len);
    uint8_t *at = sn_buf_reserve(out, SN_PACK_HEADER_BYTES + bound);
    if (!at)
        return out->status;
    memset(at, 0, SN_PACK_HEADER_BYTES);
    size_t len = put_body(builder, at + SN_PACK_HEADER_BYTES, bound, &at[ENCODING_AT]);
    sn_store_u32le(at + STORED_LEN_AT, (uint32_t)len);
    sn_store_u32le(at + RAW_LEN_AT, (uint32_t)raw_len);
    at[LAYOUT_AT] = builder->has_rollups ? LAYOUT_ROLLUPS : LAYOUT_FLAGS;
    sn_store_u32le(at,
                   sn_crc32c(0, at + STORED_LEN_AT, SN_PACK_HEADER_BYTES - STORED_LEN_AT + len));
    out->len += SN_PACK_HEADER_BYTES + len;
    clear(builder);
    return SN_OK;
}

/* ---- reading ---- */

void sn_pack_release(struct sn_pack *pack) {
    sn_free(pack->chunks);
    sn_free(pack->time_blocks);
    sn_free(pack->starts);
    sn_free(pack->raw);
    *pack = (struct sn_pack){0};
}

/* Fill pack->raw exactly. */
static bool decompress(uint8_t encoding, struct sn_str body, struct sn_pack *pack) {
    size_t got = 0;
    if (encoding == ENCODING_LZ4) {
        int len =
            LZ4_decompress_safe(body.ptr, (char *)pack->raw, (int)body.len, (int)pack->raw_len);
        got = len > 0 ? (size_t)len : 0;
    } else if (encoding == ENCODING_ZSTD) {
        got = ZSTD_decompress(pack->raw, pack->raw_len, body.ptr, body.len);
    } else if (encoding == ENCODING_PLAIN && body.len == pack->raw_len) {
        memcpy(pack->raw, body.ptr, body.len);
        got = body.len;
    }
    return got == pack->raw_len; /* also false for an error of zstd, a huge number */
}

static sn_status unpack(const uint8_t *bytes, size_t len, struct sn_pack *pack,
                        struct sn_err *err) {
    if (len < SN_PACK_HEADER_BYTES ||
        sn_load_u32le(bytes + STORED_LEN_AT) != len - SN_PACK_HEADER_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack of %zu bytes has another length inside",
                          len);
    if (sn_load_u32le(bytes) != sn_crc32c(0, bytes + STORED_LEN_AT, len - STORED_LEN_AT))
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack of %zu bytes fails its checksum", len);
    size_t raw_len = sn_load_u32le(bytes + RAW_LEN_AT);
    size_t body_len = len - SN_PACK_HEADER_BYTES;
    const uint8_t *body = bytes + SN_PACK_HEADER_BYTES;
    if (raw_len == 0 || raw_len > SN_PACK_RAW_BYTES_MAX)
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack claims %zu bytes, the limit is %d", raw_len,
                          SN_PACK_RAW_BYTES_MAX);
    pack->raw = sn_alloc(raw_len);
    if (!pack->raw)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a pack of %zu bytes", raw_len);
    pack->raw_len = raw_len;
    if (bytes[LAYOUT_AT] > LAYOUT_ROLLUPS)
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack has the unknown layout %u",
                          bytes[LAYOUT_AT]);
    if (!decompress(bytes[ENCODING_AT], sn_str_make(body, body_len), pack))
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack does not decompress");
    return SN_OK;
}

static const uint8_t *read_time_blocks(struct sn_pack *pack, const uint8_t *at, const uint8_t *end,
                                       size_t *ret_bytes) {
    uint64_t offset = 0;
    for (uint32_t i = 0; i < pack->time_block_count; i++) {
        uint64_t count = 0;
        uint64_t len = 0;
        at = sn_varint_get(at, end, &count);
        at = sn_varint_get(at, end, &len);
        if (!at || count == 0 || count > SN_CHUNK_SAMPLES_MAX || len > pack->raw_len)
            return NULL;
        pack->time_blocks[i] = (struct sn_pack_time_block){.offset = (uint32_t)offset,
                                                           .len = (uint32_t)len,
                                                           .count = (uint32_t)count,
                                                           .time_min = INT64_MIN,
                                                           .time_max = INT64_MAX};
        offset += len;
        if (offset > pack->raw_len)
            return NULL;
    }
    *ret_bytes = offset;
    return at;
}

struct chunk_reader {
    bool has_flags;
    uint64_t series;
    uint64_t offset; /* of the next value block */
    uint64_t starts; /* runs so far */
};

static const uint8_t *read_chunk(const struct sn_pack *pack, struct chunk_reader *reader,
                                 const uint8_t *at, const uint8_t *end,
                                 struct sn_pack_chunk *ret_chunk) {
    int64_t delta = 0;
    uint64_t block = 0;
    uint64_t len = 0;
    uint64_t starts = 0;
    uint64_t flags = 0;
    at = sn_varint_get_signed(at, end, &delta);
    at = sn_varint_get(at, end, &block);
    at = sn_varint_get(at, end, &len);
    reader->series += (uint64_t)delta;
    if (reader->has_flags) {
        flags = block & FLAG_MASK;
        block >>= FLAG_BITS;
    }
    if (flags & FLAG_STARTS)
        at = sn_varint_get(at, end, &starts);
    if (!at || block >= pack->time_block_count || reader->series > UINT32_MAX ||
        len > pack->raw_len || starts > pack->time_blocks[block].count)
        return NULL;
    *ret_chunk = (struct sn_pack_chunk){.series = (uint32_t)reader->series,
                                        .time_block = (uint32_t)block,
                                        .value_offset = (uint32_t)reader->offset,
                                        .value_len = (uint32_t)len,
                                        .start_first = (uint32_t)reader->starts,
                                        .start_count = (uint32_t)starts,
                                        .is_histogram = (flags & FLAG_HISTOGRAM) != 0};
    if (pack->is_rollups && flags != 0)
        return NULL;
    reader->offset += len;
    reader->starts += starts;
    return reader->offset > pack->raw_len ? NULL : at;
}

static const uint8_t *read_chunks(struct sn_pack *pack, struct chunk_reader *reader,
                                  const uint8_t *at, const uint8_t *end) {
    for (uint32_t i = 0; at && i < pack->chunk_count; i++)
        at = read_chunk(pack, reader, at, end, &pack->chunks[i]);
    return at;
}

/* The runs of one chunk; *start_ms is that of the run before. */
static const uint8_t *read_chunk_starts(const struct sn_pack *pack,
                                        const struct sn_pack_chunk *chunk, uint64_t *start_ms,
                                        const uint8_t *at, const uint8_t *end) {
    uint64_t left = pack->time_blocks[chunk->time_block].count;
    uint64_t position = 0;
    for (uint32_t i = 0; i < chunk->start_count; i++) {
        uint64_t samples = left;
        int64_t delta = 0;
        if (i + 1 < chunk->start_count)
            at = sn_varint_get(at, end, &samples);
        at = sn_varint_get_signed(at, end, &delta);
        *start_ms += (uint64_t)delta;
        bool is_last = i + 1 == chunk->start_count;
        if (!at || samples == 0 || samples > left || (!is_last && samples == left) ||
            *start_ms > (uint64_t)SN_TIME_MS_MAX)
            return NULL;
        pack->starts[chunk->start_first + i] =
            (struct sn_pack_start){.start_ms = (int64_t)*start_ms, .at = (uint32_t)position};
        position += samples;
        left -= samples;
    }
    return at;
}

/* SN_ERR_CORRUPT, SN_ERR_NO_MEMORY. *at moves behind the start times. */
static sn_status read_starts(struct sn_pack *pack, uint64_t count, const uint8_t **at,
                             const uint8_t *end) {
    uint64_t start_ms = 0;
    if (count == 0)
        return SN_OK;
    if (count > (uint64_t)(end - *at)) /* a run has at least a byte: bounds what is allocated */
        return SN_ERR_CORRUPT;
    pack->starts = sn_realloc_array(NULL, count, sizeof *pack->starts);
    if (!pack->starts)
        return SN_ERR_NO_MEMORY;
    pack->start_count = (uint32_t)count;
    for (uint32_t i = 0; *at && i < pack->chunk_count; i++)
        *at = read_chunk_starts(pack, &pack->chunks[i], &start_ms, *at, end);
    return *at ? SN_OK : SN_ERR_CORRUPT;
}

static sn_status mismatch(sn_status status, struct sn_err *err) {
    if (status == SN_ERR_NO_MEMORY)
        return sn_err_set(err, status, "no memory for the tables of a pack");
    return sn_err_set(err, SN_ERR_CORRUPT, "the tables of a pack do not match its bytes");
}

static sn_status parse(struct sn_pack *pack, bool has_flags, struct sn_err *err) {
    const uint8_t *end = pack->raw + pack->raw_len;
    uint64_t chunk_count = 0;
    uint64_t block_count = 0;
    const uint8_t *at = sn_varint_get(pack->raw, end, &chunk_count);
    at = sn_varint_get(at, end, &block_count);
    if (!at || chunk_count == 0 || chunk_count > SN_PACK_CHUNKS_MAX || block_count == 0 ||
        block_count > chunk_count)
        return sn_err_set(err, SN_ERR_CORRUPT, "a pack has counts that cannot be");
    pack->chunks = sn_realloc_array(NULL, chunk_count, sizeof *pack->chunks);
    pack->time_blocks = sn_realloc_array(NULL, block_count, sizeof *pack->time_blocks);
    if (!pack->chunks || !pack->time_blocks)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the tables of a pack");
    pack->chunk_count = (uint32_t)chunk_count;
    pack->time_block_count = (uint32_t)block_count;
    size_t times_len = 0;
    struct chunk_reader reader = {.has_flags = has_flags};
    at = read_time_blocks(pack, at, end, &times_len);
    at = read_chunks(pack, &reader, at, end);
    sn_status status = at ? read_starts(pack, reader.starts, &at, end) : SN_ERR_CORRUPT;
    if (status != SN_OK)
        return mismatch(status, err);
    if (times_len + reader.offset != (size_t)(end - at))
        return mismatch(SN_ERR_CORRUPT, err);
    pack->times_at = (size_t)(at - pack->raw);
    pack->values_at = pack->times_at + times_len;
    return SN_OK;
}

sn_status sn_pack_parse(const uint8_t *bytes, size_t len, struct sn_pack *ret_pack,
                        struct sn_err *err) {
    struct sn_pack pack = {.is_rollups = len > LAYOUT_AT && bytes[LAYOUT_AT] == LAYOUT_ROLLUPS};
    sn_status status = unpack(bytes, len, &pack, err);
    if (status == SN_OK)
        status = parse(&pack, bytes[LAYOUT_AT] != LAYOUT_FIRST, err);
    if (status != SN_OK) {
        sn_pack_release(&pack);
        return status;
    }
    *ret_pack = pack;
    return SN_OK;
}

/* Times that ascend and lie within the limits: what merging relies on. */
static bool are_times_valid(const int64_t *time_ms, size_t count) {
    if (time_ms[0] < SN_TIME_MS_MIN || time_ms[count - 1] > SN_TIME_MS_MAX)
        return false;
    for (size_t i = 1; i < count; i++) {
        if (time_ms[i - 1] >= time_ms[i])
            return false;
    }
    return true;
}

static void decode_starts(const struct sn_pack *pack, const struct sn_pack_chunk *chunk,
                          int64_t *start_ms) {
    uint32_t count = pack->time_blocks[chunk->time_block].count;
    if (chunk->start_count == 0)
        memset(start_ms, 0, count * sizeof *start_ms);
    for (uint32_t i = 0; i < chunk->start_count; i++) {
        const struct sn_pack_start *run = &pack->starts[chunk->start_first + i];
        uint32_t end = i + 1 < chunk->start_count ? run[1].at : count;
        for (uint32_t k = run->at; k < end; k++)
            start_ms[k] = run->start_ms;
    }
}

sn_status sn_pack_decode_times(const struct sn_pack *pack, uint32_t block, int64_t *ret_times) {
    SN_CHECK(block < pack->time_block_count);
    const struct sn_pack_time_block *entry = &pack->time_blocks[block];
    size_t at = pack->times_at + entry->offset;
    size_t used = 0;
    SN_TRY(
        sn_chunk_decode_times(pack->raw + at, pack->raw_len - at, entry->count, ret_times, &used));
    bool is_good = used == entry->len && are_times_valid(ret_times, entry->count);
    return is_good ? SN_OK : SN_ERR_CORRUPT;
}

sn_status sn_pack_decode(const struct sn_pack *pack, uint32_t chunk, struct sn_samples *samples) {
    SN_CHECK(chunk < pack->chunk_count && !pack->chunks[chunk].is_histogram);
    const struct sn_pack_chunk *entry = &pack->chunks[chunk];
    if (pack->is_rollups)
        return SN_ERR_CORRUPT; /* whoever wants samples holds the wrong file */
    uint32_t count = pack->time_blocks[entry->time_block].count;
    SN_TRY(sn_samples_reserve(samples, count));
    SN_TRY(sn_pack_decode_times(pack, entry->time_block, samples->time_ms + samples->count));
    size_t at = pack->values_at + entry->value_offset;
    size_t used = 0;
    SN_TRY(sn_chunk_decode_values(pack->raw + at, pack->raw_len - at, count,
                                  samples->value + samples->count, &used));
    if (used != entry->value_len)
        return SN_ERR_CORRUPT;
    if (entry->start_count > 0)
        SN_TRY(sn_samples_use_start(samples));
    if (samples->has_start)
        decode_starts(pack, entry, samples->start_ms + samples->count);
    samples->count += count;
    return SN_OK;
}

sn_status sn_pack_decode_histograms(const struct sn_pack *pack, uint32_t chunk,
                                    struct sn_histograms *histograms) {
    SN_CHECK(chunk < pack->chunk_count && pack->chunks[chunk].is_histogram);
    const struct sn_pack_chunk *entry = &pack->chunks[chunk];
    uint32_t count = pack->time_blocks[entry->time_block].count;
    size_t at = histograms->count;
    SN_TRY(sn_histograms_reserve(histograms, count));
    SN_TRY(sn_pack_decode_times(pack, entry->time_block, histograms->time_ms + at));
    struct sn_str block =
        sn_str_make(pack->raw + pack->values_at + entry->value_offset, entry->value_len);
    SN_TRY(sn_histogram_chunk_decode(block, count, &histograms->arena, histograms->items + at));
    decode_starts(pack, entry, histograms->start_ms + at);
    histograms->count += count;
    return SN_OK;
}

sn_status sn_pack_decode_rollups(const struct sn_pack *pack, uint32_t chunk,
                                 struct sn_rollups *rollups) {
    int64_t end_ms[SN_CHUNK_SAMPLES_MAX];
    SN_CHECK(chunk < pack->chunk_count);
    const struct sn_pack_chunk *entry = &pack->chunks[chunk];
    uint32_t count = pack->time_blocks[entry->time_block].count;
    if (!pack->is_rollups)
        return SN_ERR_CORRUPT;
    SN_TRY(sn_rollups_reserve(rollups, count));
    SN_TRY(sn_pack_decode_times(pack, entry->time_block, end_ms));
    struct sn_str block = sn_str_make(
        (const char *)pack->raw + pack->values_at + entry->value_offset, entry->value_len);
    SN_TRY(sn_rollup_chunk_decode(block, count, end_ms, rollups->items + rollups->count));
    rollups->count += count;
    return SN_OK;
}

void sn_pack_find_bounds(struct sn_pack *pack) {
    int64_t times[SN_CHUNK_SAMPLES_MAX];
    for (uint32_t i = 0; i < pack->time_block_count; i++) {
        struct sn_pack_time_block *block = &pack->time_blocks[i];
        if (sn_pack_decode_times(pack, i, times) != SN_OK)
            continue;
        block->time_min = times[0];
        block->time_max = times[block->count - 1];
    }
}
