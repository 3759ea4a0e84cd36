/*
 * Bytes per sample and speed of the chunk codecs, with Gorilla beside them in the same run.
 *
 *   bench_codec_chunk [directory]
 *
 * The directory (default ../shared/corpus, seen from the root of the tree) holds *.bin.zst files:
 * u32 series count; per series u16 name length, name, u32 n, i64 time[n], f64 value[n], all
 * little-endian. They are read through `zstd -dc`. Without them generated series are measured.
 *
 * Every block is decoded and compared bit for bit before anything is timed. Times are processor
 * time of this thread, the best of several rounds, because the machine may be busy.
 */
#include "codec/bits.h"
#include "codec/chunk.h"
#include "codec/crc32c.h"
#include "codec/head_chunk.h"
#include "codec/varint.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7, NAME_BYTES_MAX = 65535, SERIES_SAMPLES_MAX = 1 << 20, SERIES_MAX = 1 << 16 };

struct series {
    size_t count;
    int64_t *times;
    double *values;
};

struct corpus {
    char name[64];
    size_t series_count;
    struct series *series;
};

/* A column codec under test: 8 bytes per sample in, bytes out. */
struct codec {
    const char *name;
    bool is_times;
    size_t (*encode)(const void *column, size_t count, uint8_t *ret_bytes);
    bool (*decode)(const uint8_t *bytes, size_t len, size_t count, void *ret_column);
};

/* One block of a column and where its bytes are. */
struct block {
    const void *column;
    size_t count;
    size_t offset;
    size_t len;
};

static void die(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void *need(size_t size) {
    void *ptr = malloc(size > 0 ? size : 1);
    if (ptr == NULL) {
        die("no memory");
    }
    return ptr;
}

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* --- Gorilla, as in Prometheus' chunks ------------------------------------------------------ */

static void gorilla_put_value(struct sn_bit_writer *w, uint64_t change, unsigned *lead,
                              unsigned *trail) {
    if (change == 0) {
        sn_bit_writer_put(w, 0, 1);
        return;
    }
    unsigned new_lead = (unsigned)__builtin_clzll(change);
    unsigned new_trail = (unsigned)__builtin_ctzll(change);
    new_lead = new_lead > 31 ? 31 : new_lead;
    if (*lead <= new_lead && *trail <= new_trail) {
        sn_bit_writer_put(w, 1, 2);
        sn_bit_writer_put(w, change >> *trail, 64 - *lead - *trail);
        return;
    }
    *lead = new_lead;
    *trail = new_trail;
    unsigned width = 64 - new_lead - new_trail;
    sn_bit_writer_put(w, 3 | new_lead << 2 | (width & 63) << 7, 13);
    sn_bit_writer_put(w, change >> new_trail, width);
}

static size_t gorilla_encode_values(const void *column, size_t count, uint8_t *ret_bytes) {
    const uint8_t *in = column;
    struct sn_bit_writer w;
    sn_bit_writer_init(&w, ret_bytes, count * 10 + 16);
    unsigned lead = 65;
    unsigned trail = 65;
    uint64_t before = sn_load_u64le(in);
    sn_bit_writer_put(&w, before, 64);
    for (size_t i = 1; i < count; i++) {
        uint64_t bits = sn_load_u64le(in + 8 * i);
        gorilla_put_value(&w, bits ^ before, &lead, &trail);
        before = bits;
    }
    return (size_t)(sn_bit_writer_finish(&w) - ret_bytes);
}

static bool gorilla_decode_values(const uint8_t *bytes, size_t len, size_t count,
                                  void *ret_column) {
    uint8_t *out = ret_column;
    struct sn_bit_reader r;
    sn_bit_reader_init(&r, bytes, len);
    uint64_t bits = sn_bit_reader_get(&r, 64);
    unsigned width = 0;
    unsigned trail = 0;
    sn_store_u64le(out, bits);
    for (size_t i = 1; i < count; i++) {
        if (sn_bit_reader_get(&r, 1) != 0) {
            if (sn_bit_reader_get(&r, 1) != 0) {
                unsigned lead = (unsigned)sn_bit_reader_get(&r, 5);
                width = (unsigned)sn_bit_reader_get(&r, 6);
                width = width == 0 ? 64 : width;
                trail = 64 - lead - width;
            }
            bits ^= sn_bit_reader_get(&r, width) << trail;
        }
        sn_store_u64le(out + 8 * i, bits);
    }
    return !r.is_past_end;
}

/* Widths of the three short forms of a delta of deltas; the fourth has 64 bits. */
static const unsigned gorilla_widths[3] = {14, 17, 20};

static void gorilla_put_time(struct sn_bit_writer *w, int64_t change) {
    if (change == 0) {
        sn_bit_writer_put(w, 0, 1);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        int64_t half = INT64_C(1) << (gorilla_widths[i] - 1);
        if (change > -half && change <= half) {
            sn_bit_writer_put(w, sn_bit_mask(i + 1), i + 2);
            sn_bit_writer_put(w, (uint64_t)change, gorilla_widths[i]);
            return;
        }
    }
    sn_bit_writer_put(w, 15, 4);
    sn_bit_writer_put(w, (uint64_t)change, 64);
}

static size_t gorilla_encode_times(const void *column, size_t count, uint8_t *ret_bytes) {
    const int64_t *times = column;
    struct sn_bit_writer w;
    sn_bit_writer_init(&w, ret_bytes, count * 10 + 16);
    sn_bit_writer_put(&w, (uint64_t)times[0], 48);
    int64_t step = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t next = times[i] - times[i - 1];
        gorilla_put_time(&w, next - step);
        step = next;
    }
    return (size_t)(sn_bit_writer_finish(&w) - ret_bytes);
}

static int64_t gorilla_get_time(struct sn_bit_reader *r) {
    unsigned form = 0;
    while (form < 4 && sn_bit_reader_get(r, 1) != 0) {
        form++;
    }
    if (form == 0 || form == 4) {
        return form == 0 ? 0 : (int64_t)sn_bit_reader_get(r, 64);
    }
    unsigned width = gorilla_widths[form - 1];
    int64_t change = (int64_t)sn_bit_reader_get(r, width);
    return change > INT64_C(1) << (width - 1) ? change - (INT64_C(1) << width) : change;
}

static bool gorilla_decode_times(const uint8_t *bytes, size_t len, size_t count, void *ret_column) {
    int64_t *times = ret_column;
    struct sn_bit_reader r;
    sn_bit_reader_init(&r, bytes, len);
    int64_t step = 0;
    times[0] = (int64_t)sn_bit_reader_get(&r, 48);
    for (size_t i = 1; i < count; i++) {
        step += gorilla_get_time(&r);
        times[i] = times[i - 1] + step;
    }
    return !r.is_past_end;
}

/* --- Ours ----------------------------------------------------------------------------------- */

static size_t sc_encode_values(const void *column, size_t count, uint8_t *ret_bytes) {
    return sn_chunk_encode_values(column, count, ret_bytes);
}

static bool sc_decode_values(const uint8_t *bytes, size_t len, size_t count, void *ret_column) {
    return sn_chunk_decode_values(bytes, len, count, ret_column, NULL) == SN_OK;
}

static size_t sc_encode_times(const void *column, size_t count, uint8_t *ret_bytes) {
    return sn_chunk_encode_times(column, count, ret_bytes);
}

static bool sc_decode_times(const uint8_t *bytes, size_t len, size_t count, void *ret_column) {
    return sn_chunk_decode_times(bytes, len, count, ret_column, NULL) == SN_OK;
}

static const struct codec codecs[] = {
    {"values sc", false, sc_encode_values, sc_decode_values},
    {"values gorilla", false, gorilla_encode_values, gorilla_decode_values},
    {"times sc", true, sc_encode_times, sc_decode_times},
    {"times gorilla", true, gorilla_encode_times, gorilla_decode_times},
};

/* --- Measuring ------------------------------------------------------------------------------ */

/* Cut the columns of a corpus into blocks; returns how many. */
static size_t cut(const struct corpus *corpus, size_t block_samples, bool is_times,
                  struct block **ret_blocks, size_t *ret_samples) {
    size_t block_count = 0;
    size_t samples = 0;
    for (size_t i = 0; i < corpus->series_count; i++) {
        block_count += (corpus->series[i].count + block_samples - 1) / block_samples;
        samples += corpus->series[i].count;
    }
    struct block *blocks = need(block_count * sizeof(*blocks));
    struct block *next = blocks;
    for (size_t i = 0; i < corpus->series_count; i++) {
        const struct series *s = &corpus->series[i];
        for (size_t from = 0; from < s->count; from += block_samples) {
            size_t left = s->count - from;
            *next++ = (struct block){.column = is_times ? (const void *)(s->times + from)
                                                        : s->values + from,
                                     .count = left < block_samples ? left : block_samples};
        }
    }
    *ret_blocks = blocks;
    *ret_samples = samples;
    return block_count;
}

static size_t encode_all(const struct codec *codec, struct block *blocks, size_t block_count,
                         uint8_t *bytes) {
    size_t offset = 0;
    for (size_t i = 0; i < block_count; i++) {
        struct block *b = &blocks[i];
        b->offset = offset;
        b->len = codec->encode(b->column, b->count, bytes + offset);
        offset += b->len;
    }
    return offset;
}

static void decode_all(const struct codec *codec, const struct block *blocks, size_t block_count,
                       const uint8_t *bytes, bool is_compared) {
    uint64_t column[SN_CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < block_count; i++) {
        const struct block *b = &blocks[i];
        if (!codec->decode(bytes + b->offset, b->len, b->count, column) ||
            (is_compared && memcmp(column, b->column, b->count * 8) != 0)) {
            die("a block does not come back");
        }
    }
}

static void measure_codec(const struct codec *codec, const struct corpus *corpus,
                          size_t block_samples) {
    struct block *blocks;
    size_t samples;
    size_t block_count = cut(corpus, block_samples, codec->is_times, &blocks, &samples);
    uint8_t *bytes = need(samples * 10 + block_count * 128);
    size_t size = encode_all(codec, blocks, block_count, bytes);
    decode_all(codec, blocks, block_count, bytes, true);
    double encode_ns = INFINITY;
    double decode_ns = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        encode_all(codec, blocks, block_count, bytes);
        double middle = cpu_ns();
        decode_all(codec, blocks, block_count, bytes, false);
        encode_ns = fmin(encode_ns, middle - start);
        decode_ns = fmin(decode_ns, cpu_ns() - middle);
    }
    double count = (double)samples;
    printf("  %-16s %6.3f B/sample  encode %7.1f M/s  decode %7.1f M/s\n", codec->name,
           (double)size / count, count / encode_ns * 1e3, count / decode_ns * 1e3);
    free(bytes);
    free(blocks);
}

/* Append all samples of a corpus, series by series in chunks; returns the bytes. */
static size_t append_all(const struct corpus *corpus, size_t chunk_samples, uint8_t *bytes) {
    size_t size = 0;
    for (size_t i = 0; i < corpus->series_count; i++) {
        const struct series *s = &corpus->series[i];
        struct sn_head_chunk head = {0};
        for (size_t j = 0; j < s->count; j++) {
            if (head.count == chunk_samples) {
                size += head.len;
                sn_head_chunk_clear(&head);
            }
            sn_head_chunk_append(&head, bytes + size, s->times[j], s->values[j]);
        }
        size += head.len;
    }
    return size;
}

static double decode_head_ns(const struct series *s, size_t count) {
    static uint8_t bytes[SN_HEAD_CHUNK_SAMPLES_MAX * SN_HEAD_TOKEN_BYTES_MAX];
    static int64_t times[SN_HEAD_CHUNK_SAMPLES_MAX];
    static double values[SN_HEAD_CHUNK_SAMPLES_MAX];
    struct sn_head_chunk head = {0};
    for (size_t i = 0; i < count; i++) {
        sn_head_chunk_append(&head, bytes, s->times[i], s->values[i]);
    }
    double start = cpu_ns();
    if (sn_head_chunk_decode(bytes, head.len, head.count, times, values) != SN_OK) {
        die("an open chunk does not decode");
    }
    double spent = cpu_ns() - start;
    if (memcmp(times, s->times, count * 8) != 0 || memcmp(values, s->values, count * 8) != 0) {
        die("an open chunk does not come back");
    }
    return spent;
}

static void measure_head(const struct corpus *corpus) {
    const size_t chunk_samples = 512;
    size_t samples = 0;
    size_t decoded = 0;
    double decode_ns = 0;
    for (size_t i = 0; i < corpus->series_count; i++) {
        size_t count = corpus->series[i].count;
        samples += count;
        count = count < chunk_samples ? count : chunk_samples;
        decode_ns += decode_head_ns(&corpus->series[i], count);
        decoded += count;
    }
    uint8_t *bytes = need(samples * SN_HEAD_TOKEN_BYTES_MAX + SN_HEAD_TOKEN_BYTES_MAX);
    double append_ns = INFINITY;
    size_t size = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        size = append_all(corpus, chunk_samples, bytes);
        append_ns = fmin(append_ns, cpu_ns() - start);
    }
    printf("  %-16s %6.3f B/sample  append %7.2f ns   decode %7.2f ns\n", "head chunk",
           (double)size / (double)samples, append_ns / (double)samples,
           decode_ns / (double)decoded);
    free(bytes);
}

static void measure_crc(const char *name, uint32_t (*crc)(uint32_t, const void *, size_t)) {
    enum { PACK_BYTES = 16384, PACKS = 2048 };
    static uint8_t pack[PACK_BYTES];
    uint32_t sum = 0;
    double best_ns = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (int i = 0; i < PACKS; i++) {
            sum = crc(sum, pack, sizeof(pack));
        }
        best_ns = fmin(best_ns, cpu_ns() - start);
    }
    printf("  %-16s %6.2f GB/s  (sum %08x)\n", name, (double)PACK_BYTES * PACKS / best_ns,
           (unsigned)sum);
}

/* --- Data ----------------------------------------------------------------------------------- */

static bool read_exactly(FILE *file, void *ret, size_t len) {
    return fread(ret, 1, len, file) == len;
}

static bool read_series(FILE *file, struct series *ret) {
    static char name[NAME_BYTES_MAX];
    uint8_t name_len[2];
    uint8_t count[4];
    if (!read_exactly(file, name_len, 2) || !read_exactly(file, name, sn_load_u16le(name_len)) ||
        !read_exactly(file, count, 4) || sn_load_u32le(count) > SERIES_SAMPLES_MAX) {
        return false;
    }
    ret->count = sn_load_u32le(count);
    ret->times = need(ret->count * 8);
    ret->values = need(ret->count * 8);
    return read_exactly(file, ret->times, ret->count * 8) &&
           read_exactly(file, ret->values, ret->count * 8);
}

/* Read directory/name.bin.zst; false when it is not there. */
static bool load_corpus(const char *directory, const char *name, struct corpus *ret) {
    char path[PATH_MAX];
    char command[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/%s.bin.zst", directory, name);
    if (strchr(path, '\'') != NULL || access(path, R_OK) != 0) {
        return false;
    }
    snprintf(command, sizeof(command), "zstd -dcq '%s'", path);
    FILE *file = popen(command, "r");
    if (file == NULL) {
        return false;
    }
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    uint8_t count[4];
    bool is_ok = read_exactly(file, count, 4) && sn_load_u32le(count) <= SERIES_MAX;
    ret->series_count = is_ok ? sn_load_u32le(count) : 0;
    ret->series = need(ret->series_count * sizeof(*ret->series));
    for (size_t i = 0; i < ret->series_count && is_ok; i++) {
        is_ok = read_series(file, &ret->series[i]);
    }
    pclose(file);
    if (!is_ok) {
        die("a corpus file is not as described");
    }
    return true;
}

static void release_corpus(struct corpus *corpus) {
    for (size_t i = 0; i < corpus->series_count; i++) {
        free(corpus->series[i].times);
        free(corpus->series[i].values);
    }
    free(corpus->series);
}

/* Counters, gauges with two decimals, constants, percentages: about what hosts report. */
static double generated_value(size_t series, size_t i, double before) {
    uint64_t noise = (series * 977 + i) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    switch (series % 5) {
    case 0:
        return before + (double)(noise % 40);
    case 1:
        return (double)(noise % 10000) / 100;
    case 2:
        return 42;
    case 3:
        return before + (double)(noise % 64 * 4096);
    default:
        return noise % 8 == 0 ? (double)(noise % 7) : before;
    }
}

static void generate_corpus(struct corpus *ret) {
    enum { SERIES = 200, SAMPLES = 1800 };
    snprintf(ret->name, sizeof(ret->name), "generated");
    ret->series_count = SERIES;
    ret->series = need(SERIES * sizeof(*ret->series));
    for (size_t s = 0; s < SERIES; s++) {
        struct series *series = &ret->series[s];
        *series = (struct series){SAMPLES, need(SAMPLES * 8), need(SAMPLES * 8)};
        double value = 0;
        for (size_t i = 0; i < SAMPLES; i++) {
            value = generated_value(s, i, value);
            series->times[i] = INT64_C(1700000000000) + (int64_t)(i * 1000 + i * 7919 % 3);
            series->values[i] = value;
        }
    }
}

static void measure_corpus(const struct corpus *corpus, size_t block_samples) {
    printf("%s, %zu samples per block, %zu series\n", corpus->name, block_samples,
           corpus->series_count);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        measure_codec(&codecs[i], corpus, block_samples);
    }
    measure_head(corpus);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        size_t block_samples;
    } files[] = {
        {"ne1s", 480}, {"ne15s", 120}, {"t_prometheus", 480}, {"t_netdata", 480}, {"special", 480}};
    const char *directory = argc > 1 ? argv[1] : "../shared/corpus";
    size_t measured = 0;
    struct corpus corpus;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (load_corpus(directory, files[i].name, &corpus)) {
            measure_corpus(&corpus, files[i].block_samples);
            release_corpus(&corpus);
            measured++;
        }
    }
    if (measured == 0) {
        printf("no corpus in %s: generated data\n", directory);
        generate_corpus(&corpus);
        measure_corpus(&corpus, 480);
        release_corpus(&corpus);
    }
    printf("checksums, 16 KiB\n");
    measure_crc("crc32c", sn_crc32c);
    measure_crc("crc32c portable", sn_crc32c_portable);
    return EXIT_SUCCESS;
}
