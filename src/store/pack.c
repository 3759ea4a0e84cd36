/* Packs of sealed chunks: see pack.h and docs/FORMATS.md. */
#include "store/pack.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

#include <lz4.h>

enum {
    ENCODING_PLAIN = 0,
    ENCODING_LZ4 = 1,
    TIME_BLOCKS_COMPARED = 16, /* how far back an equal time block is looked for */
    STORED_LEN_AT = 4,
    RAW_LEN_AT = 8,
    ENCODING_AT = 12,
    ENTRY_BYTES_MAX = 15, /* of a chunk or a time block in the tables */
};

/* ---- writing ---- */

static void clear(struct sn_pack_builder *builder) {
    builder->chunk_count = 0;
    builder->time_block_count = 0;
    sn_buf_reset(&builder->times);
    sn_buf_reset(&builder->values);
    builder->time_min = INT64_MAX;
    builder->time_max = INT64_MIN;
    builder->sample_count = 0;
}

sn_status sn_pack_builder_init(struct sn_pack_builder *builder) {
    *builder = (struct sn_pack_builder){.raw_target = SN_PACK_RAW_TARGET};
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

sn_status sn_pack_add(struct sn_pack_builder *builder, uint32_t series, const int64_t *time_ms,
                      const double *value, size_t count) {
    SN_CHECK(count > 0 && count <= SN_CHUNK_SAMPLES_MAX);
    SN_CHECK(builder->chunk_count < SN_PACK_CHUNKS_MAX);
    uint8_t *at = sn_buf_reserve(&builder->values, sn_chunk_bound(count));
    uint32_t block = 0;
    if (!at)
        return builder->values.status;
    SN_TRY(share_times(builder, time_ms, count, &block));
    size_t len = sn_chunk_encode_values(value, count, at);
    builder->chunks[builder->chunk_count++] =
        (struct sn_pack_chunk){.series = series,
                               .time_block = block,
                               .value_offset = (uint32_t)builder->values.len,
                               .value_len = (uint32_t)len};
    builder->values.len += len;
    builder->sample_count += count;
    if (time_ms[0] < builder->time_min)
        builder->time_min = time_ms[0];
    if (time_ms[count - 1] > builder->time_max)
        builder->time_max = time_ms[count - 1];
    return SN_OK;
}

bool sn_pack_is_full(const struct sn_pack_builder *builder) {
    return builder->times.len + builder->values.len >= builder->raw_target ||
           builder->chunk_count == SN_PACK_CHUNKS_MAX;
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
        const struct sn_pack_chunk *chunk = &builder->chunks[i];
        at = sn_varint_put_signed(at, (int64_t)chunk->series - series);
        at = sn_varint_put(at, chunk->time_block);
        at = sn_varint_put(at, chunk->value_len);
        series = chunk->series;
    }
    raw->len = (size_t)(at - raw->ptr);
    sn_buf_put(raw, builder->times.ptr, builder->times.len);
    sn_buf_put(raw, builder->values.ptr, builder->values.len);
    SN_CHECK(raw->len <= SN_PACK_RAW_BYTES_MAX);
    return raw->status;
}

sn_status sn_pack_finish(struct sn_pack_builder *builder, struct sn_buf *out) {
    assert(builder->chunk_count > 0);
    SN_TRY(assemble(builder));
    const struct sn_buf *raw = &builder->raw;
    int bound = LZ4_compressBound((int)raw->len);
    uint8_t *at = sn_buf_reserve(out, SN_PACK_HEADER_BYTES + (size_t)bound);
    if (!at)
        return out->status;
    char *body = (char *)at + SN_PACK_HEADER_BYTES;
    int packed = LZ4_compress_default((const char *)raw->ptr, body, (int)raw->len, bound);
    /* Below a tenth the saving is not worth the time of every later read. */
    bool pays = packed > 0 && (size_t)packed <= raw->len - raw->len / 10;
    size_t len = pays ? (size_t)packed : raw->len;
    if (!pays)
        memcpy(body, raw->ptr, raw->len);
    memset(at, 0, SN_PACK_HEADER_BYTES);
    sn_store_u32le(at + STORED_LEN_AT, (uint32_t)len);
    sn_store_u32le(at + RAW_LEN_AT, (uint32_t)raw->len);
    at[ENCODING_AT] = pays ? ENCODING_LZ4 : ENCODING_PLAIN;
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
    sn_free(pack->raw);
    *pack = (struct sn_pack){0};
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
    bool is_good = false;
    if (bytes[ENCODING_AT] == ENCODING_LZ4) {
        int got =
            LZ4_decompress_safe((const char *)body, (char *)pack->raw, (int)body_len, (int)raw_len);
        is_good = got >= 0 && (size_t)got == raw_len;
    } else if (bytes[ENCODING_AT] == ENCODING_PLAIN && body_len == raw_len) {
        memcpy(pack->raw, body, raw_len);
        is_good = true;
    }
    return is_good ? SN_OK : sn_err_set(err, SN_ERR_CORRUPT, "a pack does not decompress");
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
        pack->time_blocks[i] = (struct sn_pack_time_block){
            .offset = (uint32_t)offset, .len = (uint32_t)len, .count = (uint32_t)count};
        offset += len;
        if (offset > pack->raw_len)
            return NULL;
    }
    *ret_bytes = offset;
    return at;
}

static const uint8_t *read_chunks(struct sn_pack *pack, const uint8_t *at, const uint8_t *end,
                                  size_t *ret_bytes) {
    uint64_t offset = 0;
    uint64_t series = 0;
    for (uint32_t i = 0; i < pack->chunk_count; i++) {
        int64_t delta = 0;
        uint64_t block = 0;
        uint64_t len = 0;
        at = sn_varint_get_signed(at, end, &delta);
        at = sn_varint_get(at, end, &block);
        at = sn_varint_get(at, end, &len);
        series += (uint64_t)delta;
        if (!at || block >= pack->time_block_count || series > UINT32_MAX || len > pack->raw_len)
            return NULL;
        pack->chunks[i] = (struct sn_pack_chunk){.series = (uint32_t)series,
                                                 .time_block = (uint32_t)block,
                                                 .value_offset = (uint32_t)offset,
                                                 .value_len = (uint32_t)len};
        offset += len;
        if (offset > pack->raw_len)
            return NULL;
    }
    *ret_bytes = offset;
    return at;
}

static sn_status parse(struct sn_pack *pack, struct sn_err *err) {
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
    size_t values_len = 0;
    at = read_time_blocks(pack, at, end, &times_len);
    at = at ? read_chunks(pack, at, end, &values_len) : NULL;
    if (!at || times_len + values_len != (size_t)(end - at))
        return sn_err_set(err, SN_ERR_CORRUPT, "the tables of a pack do not match its bytes");
    pack->times_at = (size_t)(at - pack->raw);
    pack->values_at = pack->times_at + times_len;
    return SN_OK;
}

sn_status sn_pack_parse(const uint8_t *bytes, size_t len, struct sn_pack *ret_pack,
                        struct sn_err *err) {
    struct sn_pack pack = {0};
    sn_status status = unpack(bytes, len, &pack, err);
    if (status == SN_OK)
        status = parse(&pack, err);
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

sn_status sn_pack_decode(const struct sn_pack *pack, uint32_t chunk, struct sn_samples *samples) {
    SN_CHECK(chunk < pack->chunk_count);
    const struct sn_pack_chunk *entry = &pack->chunks[chunk];
    const struct sn_pack_time_block *block = &pack->time_blocks[entry->time_block];
    SN_TRY(sn_samples_reserve(samples, block->count));
    int64_t *times = samples->time_ms + samples->count;
    /* The lengths that follow are the room to the end: decoders are a little faster with slack. */
    size_t times_at = pack->times_at + block->offset;
    size_t values_at = pack->values_at + entry->value_offset;
    size_t used = 0;
    SN_TRY(sn_chunk_decode_times(pack->raw + times_at, pack->raw_len - times_at, block->count,
                                 times, &used));
    if (used != block->len || !are_times_valid(times, block->count))
        return SN_ERR_CORRUPT;
    SN_TRY(sn_chunk_decode_values(pack->raw + values_at, pack->raw_len - values_at, block->count,
                                  samples->value + samples->count, &used));
    if (used != entry->value_len)
        return SN_ERR_CORRUPT;
    samples->count += block->count;
    return SN_OK;
}
