/*
 * Bytes on disk: real data goes through pushes, flushes and compaction, then everything in the data
 * directory is counted and every sample is read back and compared bit for bit. Gorilla beside it, as in
 * Prometheus' chunks of 120 samples, values and times only.
 *
 *   bench_store_disk [DIR]
 *
 * DIR (or SONDE_CORPUS, or ../shared/corpus) has NAME.bin.zst: u32 series; per series u16 length and
 * name, u32 n, i64 times[n] (ms), f64 values[n]; little-endian. Without it similar data is made up.
 * TMPDIR=DIR  where the data directories go
 */
#include "bench_support.h"

#include "base/os.h"
#include "base/rng.h"
#include "codec/bits.h"
#include "codec/chunk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { SLICES = 6, GORILLA_SAMPLES = 120, MADE_SERIES = 600, DECODE_ROUNDS = 20 };

struct series {
    struct sn_str name;
    size_t count;
    int64_t *times; /* [count] */
    double *values;
};

struct corpus {
    struct series *series; /* [count] */
    size_t count;
    size_t sample_count;
    bool is_made; /* up */
};

static void *must_alloc(size_t count, size_t size) {
    void *ptr = calloc(count + 1, size);
    if (!ptr)
        bench_must(SN_ERR_NO_MEMORY, NULL);
    return ptr;
}

/* ---- data ---- */

/* A third counters with jitter, gauges of few decimals, constants, and a little noise. */
static double made_value(struct sn_rng *rng, size_t kind, double before) {
    switch (kind % 6) {
    case 0:
        return before + (double)sn_rng_below(rng, 40);
    case 1:
        return floor(before) + (double)sn_rng_below(rng, 100) / 100;
    case 2:
        return before + (double)sn_rng_below(rng, 3) * 4096;
    case 3:
        return sn_rng_below(rng, 60) ? before : before + 1;
    case 4:
        return sqrt((double)sn_rng_below(rng, 1000000));
    default:
        return before;
    }
}

static struct corpus make_up(int64_t step_ms, size_t samples) {
    struct corpus corpus = {.series = must_alloc(MADE_SERIES, sizeof *corpus.series),
                            .count = MADE_SERIES,
                            .is_made = true};
    struct sn_rng rng;
    sn_rng_init(&rng, 42);
    for (size_t i = 0; i < MADE_SERIES; i++) {
        struct series *series = &corpus.series[i];
        char *name = must_alloc(64, 1);
        int len =
            snprintf(name, 64, "node_made_up_total{device=\"dev%zu\",mode=\"m%zu\"}", i / 8, i % 8);
        *series = (struct series){.name = sn_str_make(name, (size_t)len),
                                  .count = samples,
                                  .times = must_alloc(samples, 8),
                                  .values = must_alloc(samples, 8)};
        double value = (double)sn_rng_below(&rng, 1000000);
        struct sn_rng jitter; /* one scrape, one time for all */
        sn_rng_init(&jitter, 7);
        for (size_t k = 0; k < samples; k++) {
            value = made_value(&rng, i, value);
            series->values[k] = value;
            series->times[k] =
                BENCH_START_MS + (int64_t)k * step_ms + (int64_t)sn_rng_below(&jitter, 3);
        }
        corpus.sample_count += samples;
    }
    return corpus;
}

static bool read_packed(const char *dir, const char *name, unsigned char **ret_bytes) {
    char path[512];
    struct sn_buf packed;
    (void)snprintf(path, sizeof path, "%s/%s.bin.zst", dir, name);
    sn_buf_init(&packed, 0);
    if (sn_os_read_file(path, &packed, NULL) != SN_OK)
        return false;
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR)
        len = (unsigned long long)1 << 30;
    unsigned char *bytes = must_alloc(len, 1);
    size_t got = ZSTD_decompress(bytes, len, packed.ptr, packed.len);
    sn_buf_release(&packed);
    *ret_bytes = bytes;
    return !ZSTD_isError(got);
}

/* The bytes stay: names point into them. */
static bool load(const char *dir, const char *name, struct corpus *ret_corpus) {
    unsigned char *at;
    uint32_t count;
    if (!read_packed(dir, name, &at))
        return false;
    memcpy(&count, at, 4);
    at += 4;
    struct corpus corpus = {.series = must_alloc(count, sizeof *corpus.series), .count = count};
    for (size_t i = 0; i < count; i++) {
        struct series *series = &corpus.series[i];
        uint16_t name_len;
        uint32_t n;
        memcpy(&name_len, at, 2);
        memcpy(&n, at + 2 + name_len, 4);
        *series = (struct series){.name = sn_str_make(at + 2, name_len),
                                  .count = n,
                                  .times = must_alloc(n, 8),
                                  .values = must_alloc(n, 8)};
        at += 6 + name_len;
        memcpy(series->times, at, (size_t)n * 8);
        memcpy(series->values, at + (size_t)n * 8, (size_t)n * 8);
        at += (size_t)n * 16;
        corpus.sample_count += n;
    }
    *ret_corpus = corpus;
    return true;
}

/* ---- Gorilla ---- */

static size_t value_bits(uint64_t change, unsigned *lead, unsigned *trail) {
    if (change == 0)
        return 1;
    unsigned new_lead = (unsigned)__builtin_clzll(change);
    unsigned new_trail = (unsigned)__builtin_ctzll(change);
    new_lead = new_lead > 31 ? 31 : new_lead;
    if (*lead <= new_lead && *trail <= new_trail)
        return 2 + 64 - *lead - *trail;
    *lead = new_lead;
    *trail = new_trail;
    return 13 + 64 - new_lead - new_trail;
}

static size_t time_bits(int64_t change) {
    static const unsigned widths[] = {14, 17, 20};
    if (change == 0)
        return 1;
    for (unsigned i = 0; i < 3; i++) {
        int64_t half = INT64_C(1) << (widths[i] - 1);
        if (change > -half && change <= half)
            return i + 2 + widths[i];
    }
    return 4 + 64;
}

/* Bytes of one chunk: u16 count, first time and value, then changes. */
static size_t gorilla_bytes(const struct series *series, size_t first, size_t count) {
    size_t bits = 16 + 48 + 64;
    unsigned lead = 65;
    unsigned trail = 65;
    int64_t step = 0;
    for (size_t i = first + 1; i < first + count; i++) {
        int64_t next = series->times[i] - series->times[i - 1];
        bits += i == first + 1 ? 24 : time_bits(next - step);
        step = next;
        bits +=
            value_bits(sn_double_bits(series->values[i]) ^ sn_double_bits(series->values[i - 1]),
                       &lead, &trail);
    }
    return (bits + 7) / 8;
}

static size_t gorilla_all(const struct corpus *corpus) {
    size_t bytes = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct series *series = &corpus->series[i];
        for (size_t at = 0; at < series->count; at += GORILLA_SAMPLES) {
            size_t left = series->count - at;
            bytes += gorilla_bytes(series, at, left < GORILLA_SAMPLES ? left : GORILLA_SAMPLES);
        }
    }
    return bytes;
}

/* ---- decoding ---- */

/* Millions of values per second and core out of blocks of 480 samples. */
static double decode_speed(const struct corpus *corpus) {
    enum { BLOCK = 480 };
    uint8_t bytes[SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX)];
    double values[SN_CHUNK_SAMPLES_MAX];
    double spent = 0;
    size_t decoded = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct series *series = &corpus->series[i];
        for (size_t at = 0; at < series->count; at += BLOCK) {
            size_t count = series->count - at < BLOCK ? series->count - at : BLOCK;
            size_t len = sn_chunk_encode_values(series->values + at, count, bytes);
            double cpu = bench_thread_cpu_s();
            for (int round = 0; round < DECODE_ROUNDS; round++)
                bench_must(sn_chunk_decode_values(bytes, len, count, values, NULL), NULL);
            spent += bench_thread_cpu_s() - cpu;
            decoded += count * DECODE_ROUNDS;
        }
    }
    return (double)decoded / spent / 1e6;
}

/* ---- the store ---- */

static void encode_name(struct sn_str name, struct sn_buf *buf) {
    struct sn_str metric;
    struct sn_str rest;
    (void)sn_str_cut(name, '{', &metric, &rest);
    struct sn_label items[] = {{SN_LABEL_METRIC_NAME, metric}, {SN_STR("labels"), rest}};
    struct sn_labels labels;
    bench_must(sn_labels_make(items, 2, &labels, NULL), NULL);
    sn_labels_encode(labels, buf);
}

static void push_slice(struct bench_running *running, struct bench_gate *gate,
                       const struct series *from, size_t slice) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    encode_name(from->name, &buf);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    size_t first = from->count * slice / SLICES;
    size_t count = from->count * (slice + 1) / SLICES - first;
    struct sn_batch_sample *samples = must_alloc(count, sizeof *samples);
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct sn_batch_sample){.time_ms = from->times[first + i],
                                              .value = from->values[first + i]};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = count};
    struct sn_sink sink = sn_store_sink(running->store);
    struct sn_push_result result;
    struct sn_err err;
    struct sn_push_done done = {.fn = bench_open_gate, .ctx = gate};
    bench_enter_gate(gate);
    bench_must(sink.push(sink.ctx, &batch, done, &result, &err), &err);
    if (result.accepted_count != count)
        bench_must(SN_ERR_INTERNAL, &result.first_reject);
    sn_buf_release(&buf);
    free(samples);
}

/* Slice after slice, each flushed into a segment of its own. */
static void push_corpus(struct bench_running *running, const struct corpus *corpus) {
    struct bench_gate gate;
    struct sn_err err;
    bench_init_gate(&gate);
    for (size_t slice = 0; slice < SLICES; slice++) {
        for (size_t i = 0; i < corpus->count; i++)
            push_slice(running, &gate, &corpus->series[i], slice);
        bench_drain(&gate);
        bench_must(sn_store_flush(running->store, &err), &err);
    }
}

static void check_series(struct sn_reader reader, const struct series *series, uint64_t id) {
    struct sn_samples samples;
    struct sn_err err;
    sn_samples_init(&samples);
    bench_must(reader.samples(reader.ctx, id, (struct sn_range){0, INT64_MAX}, &samples, &err),
               &err);
    bool is_same = samples.count == series->count;
    for (size_t i = 0; i < samples.count && is_same; i++)
        is_same = samples.time_ms[i] == series->times[i] &&
                  sn_double_bits(samples.value[i]) == sn_double_bits(series->values[i]);
    if (!is_same) {
        (void)fprintf(stderr, "bench: %.*s reads back other samples\n", SN_STR_ARG(series->name));
        exit(1);
    }
    sn_samples_release(&samples);
}

/* Series have their ids in the order in which they were pushed. */
static double check_all(const struct bench_running *running, const struct corpus *corpus) {
    double cpu = bench_thread_cpu_s();
    for (size_t i = 0; i < corpus->count; i++)
        check_series(sn_store_reader(running->store), &corpus->series[i], i);
    return bench_thread_cpu_s() - cpu;
}

static size_t file_bytes(const char *dir, const char *name) {
    char path[512];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void measure(const char *name, const struct corpus *corpus) {
    struct bench_running running;
    struct sn_store_stats stats;
    struct sn_err err;
    double samples = (double)corpus->sample_count;
    bench_start(&running, (size_t)1 << 30);
    push_corpus(&running, corpus);
    bench_must(sn_store_compact(running.store, NULL, &err), &err);
    (void)check_all(&running, corpus);
    sn_store_stats(running.store, &stats);
    bench_close(&running); /* a log of SQLite's that is as long as it ever was is no cost */
    size_t all = (size_t)stats.segment_bytes + file_bytes(running.dir, "sonde.db") +
                 file_bytes(running.dir, "sonde.db-wal") + file_bytes(running.dir, "LOCK");
    size_t gorilla = gorilla_all(corpus);
    printf("%-14s %8zu %10.3f %12.3f %9.3f %8.2f %12.0f\n", name, corpus->sample_count,
           (double)stats.segment_bytes / samples, (double)all / samples, (double)gorilla / samples,
           (double)all / (double)gorilla, decode_speed(corpus));
    (void)fflush(stdout);
    bench_stop(&running);
}

int main(int argc, char **argv) {
    static const char *const names[] = {"ne1s", "ne15s", "t_prometheus", "t_netdata", "special"};
    const char *dir = argc > 1 ? argv[1] : getenv("SONDE_CORPUS");
    if (!dir)
        dir = "../shared/corpus";
    printf(
        "bytes per sample after %d flushes and compaction; all: every file of the directory; every "
        "sample was read back bit for bit\n",
        SLICES);
    printf("%-14s %8s %10s %12s %9s %8s %12s\n", "data", "samples", "segments", "all", "Gorilla",
           "ratio", "decode M/s");
    for (size_t i = 0; i < 5; i++) {
        struct corpus corpus;
        if (load(dir, names[i], &corpus))
            measure(names[i], &corpus);
        else if (i < 2) {
            corpus = make_up(i == 0 ? 1000 : 15000, i == 0 ? 1800 : 120);
            measure(i == 0 ? "made up, 1 s" : "made up, 15 s", &corpus);
        }
    }
    return 0;
}
