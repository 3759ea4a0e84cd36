/*
 * Packs: about 16 or 64 KiB of sealed chunks of neighbouring series, the unit that is read, checked and
 * compressed. docs/FORMATS.md, "Pack".
 *
 *   stored = u32le crc32c, u32le stored_len, u32le raw_len, u8 encoding, u8 layout, u8[2] zero, body
 *   raw    = varint chunk count, varint time block count,
 *            per time block: varint sample count, varint bytes
 *            per chunk: signed varint series difference, varint time block * 4 + flags,
 *                       varint value bytes; with start times: varint runs
 *            start times, time blocks, value blocks
 *
 * Chunks with equal times share one time block. Start times are runs of samples that have the same
 * one; a chunk of which none is known has no runs. A pack has rollups in all its chunks or in none.
 * Reading trusts nothing. Pure; one thread per object.
 */
#ifndef SN_STORE_PACK_H
#define SN_STORE_PACK_H

#include "base/buf.h"
#include "base/status.h"
#include "codec/chunk.h"
#include "model/histogram.h"
#include "model/sample.h"
#include "store/histogram_chunk.h"
#include "store/rollup_chunk.h"

#include <stdint.h>

#define SN_PACK_HEADER_BYTES 16
#define SN_PACK_RAW_TARGET 16384 /* a pack is closed when it has so much */
/* In merged segments: a series has many chunks there, and in a larger pack more series share their
 * times. Two hours of node_exporter at 1 s: 21 series instead of 5. */
#define SN_PACK_RAW_TARGET_MERGED 65536
#define SN_PACK_CHUNKS_MAX 4096
/* Of a run of start times: its samples, its start. */
#define SN_PACK_START_BYTES_MAX 12
/* Target, the tables (16 bytes each), and one chunk of the largest size more. */
#define SN_PACK_RAW_BYTES_MAX                                                                      \
    (SN_PACK_RAW_TARGET_MERGED + SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX + SN_PACK_RAW_TARGET +           \
     SN_PACK_CHUNKS_MAX * 16)
_Static_assert(SN_PACK_RAW_BYTES_MAX >= SN_PACK_RAW_TARGET_MERGED + SN_PACK_CHUNKS_MAX * 16 +
                                            2 * SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX) +
                                            SN_CHUNK_SAMPLES_MAX * SN_PACK_START_BYTES_MAX,
               "the last chunk fits");
_Static_assert(SN_PACK_RAW_BYTES_MAX >= SN_PACK_RAW_TARGET_MERGED + SN_PACK_CHUNKS_MAX * 16 +
                                            SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX +
                                            SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX) +
                                            SN_CHUNK_SAMPLES_MAX * SN_PACK_START_BYTES_MAX,
               "so does the last chunk of histograms");
_Static_assert(SN_PACK_RAW_BYTES_MAX >= SN_PACK_RAW_TARGET_MERGED + SN_PACK_CHUNKS_MAX * 16 +
                                            SN_ROLLUP_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX) +
                                            SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX),
               "and the last chunk of rollups");

/* Histograms of one chunk: half an hour at 15 s; fewer when they are so large. */
#define SN_PACK_HISTOGRAMS_MAX 120
#define SN_PACK_HISTOGRAM_CHUNK_BYTES 16384

/* ---- writing ---- */

struct sn_pack_time_block {
    uint32_t offset; /* in the bytes of all time blocks */
    uint32_t len;
    uint32_t count; /* samples */
    /* Reading: no sample is outside; all times until sn_pack_find_bounds. */
    int64_t time_min;
    int64_t time_max;
};

struct sn_pack_chunk {
    uint32_t series;
    uint32_t time_block;
    uint32_t value_offset; /* in the bytes of all value blocks */
    uint32_t value_len;
    uint32_t start_first; /* reading: its first run in `starts` */
    uint32_t start_count; /* runs; 0: no start time is known */
    bool is_histogram;    /* the value block is one of histograms */
};

/* Samples of a chunk that have the same start time, up to the next run. */
struct sn_pack_start {
    int64_t start_ms; /* 0: unknown */
    uint32_t at;      /* index of the first sample in the chunk */
};

struct sn_pack_builder {
    struct sn_pack_chunk *chunks;           /* [SN_PACK_CHUNKS_MAX], owned */
    struct sn_pack_time_block *time_blocks; /* [SN_PACK_CHUNKS_MAX], owned */
    uint32_t chunk_count;
    uint32_t time_block_count;
    struct sn_buf starts;
    struct sn_buf times;
    struct sn_buf values;
    struct sn_buf raw;
    int64_t start_last;                      /* of the newest run */
    int64_t time_last[SN_CHUNK_SAMPLES_MAX]; /* times of the newest time block */
    int64_t time_min;
    int64_t time_max;
    uint64_t sample_count;
    bool has_histograms;
    bool has_rollups;  /* and nothing else */
    void *zstd;        /* ZSTD_CCtx, owned; NULL until a merged pack is finished */
    size_t raw_target; /* SN_PACK_RAW_TARGET after init; may be set up to the one of merged */
};

sn_status sn_pack_builder_init(struct sn_pack_builder *builder) SN_MUST_USE;
void sn_pack_builder_release(struct sn_pack_builder *builder);

/* Add one chunk: 1..SN_CHUNK_SAMPLES_MAX samples, ascending. SN_ERR_NO_MEMORY. */
sn_status sn_pack_add(struct sn_pack_builder *builder, uint32_t series,
                      const struct sn_samples *samples) SN_MUST_USE;

/*
 * Add one chunk of the histograms [first, ...) of one series, as many as it may have.
 *
 *   ret_taken  how many: at least one
 */
sn_status sn_pack_add_histograms(struct sn_pack_builder *builder, uint32_t series,
                                 const struct sn_histograms *histograms, size_t first,
                                 size_t *ret_taken) SN_MUST_USE;

/* Add one chunk of rollups: 1..SN_CHUNK_SAMPLES_MAX, ascending. SN_ERR_NO_MEMORY. */
sn_status sn_pack_add_rollups(struct sn_pack_builder *builder, uint32_t series,
                              const struct sn_rollup *items, size_t count) SN_MUST_USE;

/* Whether it is time to finish before the next sn_pack_add. */
bool sn_pack_is_full(const struct sn_pack_builder *builder);

/* Append the stored form to out and make the builder empty. There is at least one chunk.
 * SN_ERR_NO_MEMORY. */
sn_status sn_pack_finish(struct sn_pack_builder *builder, struct sn_buf *out) SN_MUST_USE;

/* ---- reading ---- */

/* A checked and unpacked pack. Owns its memory. Immutable once read: any thread may decode. */
struct sn_pack {
    struct sn_pack_chunk *chunks; /* [chunk_count], offsets from `values` */
    struct sn_pack_time_block *time_blocks;
    struct sn_pack_start *starts; /* [start_count]; NULL: none */
    uint32_t chunk_count;
    uint32_t time_block_count;
    uint32_t start_count;
    uint8_t *raw; /* [raw_len] */
    size_t raw_len;
    size_t times_at;  /* where the time blocks begin in raw */
    size_t values_at; /* where the value blocks begin in raw */
    bool is_rollups;  /* all chunks have rollups */
};

/*
 * Read the stored form of a pack.
 *
 *   bytes     [len] exactly the pack
 *   ret_pack  release it with sn_pack_release
 *
 * SN_ERR_CORRUPT with a sentence, SN_ERR_NO_MEMORY.
 */
sn_status sn_pack_parse(const uint8_t *bytes, size_t len, struct sn_pack *ret_pack,
                        struct sn_err *err) SN_MUST_USE;
void sn_pack_release(struct sn_pack *pack);

/* Append all samples of a chunk of floats. SN_ERR_CORRUPT (malformed, or times that do not ascend),
 * SN_ERR_NO_MEMORY. */
sn_status sn_pack_decode(const struct sn_pack *pack, uint32_t chunk,
                         struct sn_samples *samples) SN_MUST_USE;

/* The same of a chunk of histograms; also SN_ERR_LIMIT (the arena). */
sn_status sn_pack_decode_histograms(const struct sn_pack *pack, uint32_t chunk,
                                    struct sn_histograms *histograms) SN_MUST_USE;

/* The same of a chunk of rollups. SN_ERR_CORRUPT also when the pack has none. */
sn_status sn_pack_decode_rollups(const struct sn_pack *pack, uint32_t chunk,
                                 struct sn_rollups *rollups) SN_MUST_USE;

/* Decode all times once, so that readers skip chunks outside of their range. Blocks that do not decode
 * keep their bounds: reading them fails. */
void sn_pack_find_bounds(struct sn_pack *pack);

/* The times of one block, [time_blocks[block].count], which several chunks may share.
 * SN_ERR_CORRUPT. */
sn_status sn_pack_decode_times(const struct sn_pack *pack, uint32_t block,
                               int64_t *ret_times) SN_MUST_USE;

#endif
