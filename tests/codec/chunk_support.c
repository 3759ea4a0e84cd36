/*
 * Columns for the tests of the chunk codecs. One thread.
 */
#include "chunk_support.h"

#include "codec/varint.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t noise_next(struct noise *noise) {
    uint64_t x = noise->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t noise_below(struct noise *noise, uint64_t bound) {
    return noise_next(noise) % bound;
}

uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

uint8_t *exact_copy(const void *bytes, size_t len) {
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, len);
    return copy;
}

/* The distance to the next time. */
static uint64_t next_step(struct noise *noise, unsigned kind) {
    switch (kind) {
    case 0:
        return 15000;
    case 1:
        return 1000 + noise_below(noise, 5);
    case 2:
        return noise_below(noise, 100000);
    case 3:
        return noise_below(noise, 50) != 0 ? 60000 : noise_below(noise, 100000000);
    case 4:
        return noise_next(noise); /* anything, wrapping around */
    case 5:
        return 0; /* duplicates */
    case 6:
        return noise_below(noise, 3) != 0 ? 1000 : 0;
    case 7:
        return 0 - noise_below(noise, 1000); /* backwards */
    case 8:
        return noise_below(noise, 30) * 1000000007; /* a common divisor */
    case 9:
        return UINT64_C(1) << 63; /* between the smallest and the largest */
    case 10:
        return noise_next(noise) >> noise_below(noise, 64); /* every length */
    default:
        return noise_below(noise, 2) != 0 ? UINT64_MAX : 1; /* up and down */
    }
}

void fill_times(struct noise *noise, unsigned kind, int64_t *ret_times, size_t count) {
    uint64_t time = kind == 4   ? noise_next(noise)
                    : kind == 9 ? (uint64_t)INT64_MIN
                                : UINT64_C(1700000000000);
    uint64_t slope = 0;
    for (size_t i = 0; i < count; i++) {
        ret_times[i] = (int64_t)time;
        if (kind == 2 && noise_below(noise, 2) == 0) {
            slope += noise_below(noise, 3); /* a curve */
        }
        time += next_step(noise, kind) + slope;
    }
}

static double special_value(struct noise *noise) {
    static const uint64_t specials[] = {
        UINT64_C(0x7ff0000000000002), /* stale */
        UINT64_C(0x7ff8000000000000), /* NaN */
        UINT64_C(0xfff8dead0000beef), /* NaN with a payload */
        UINT64_C(0x7ff0000000000000), /* +Inf */
        UINT64_C(0xfff0000000000000), /* -Inf */
        UINT64_C(0x8000000000000000), /* -0 */
        UINT64_C(0x0000000000000001), /* smallest denormal */
        UINT64_C(0x800fffffffffffff), /* largest denormal, negative */
        UINT64_C(0x7fefffffffffffff), /* largest */
        UINT64_C(0x0010000000000000), /* smallest normal */
        UINT64_C(0x4340000000000000), /* 2^53 */
        UINT64_C(0xc33fffffffffffff), /* -(2^53 - 1) */
    };
    return double_of(specials[noise_below(noise, sizeof(specials) / sizeof(specials[0]))]);
}

static double next_value(struct noise *noise, unsigned kind, double before) {
    switch (kind) {
    case 0:
        return double_of(noise_next(noise));
    case 1:
        return (double)(int64_t)(noise_next(noise) >> noise_below(noise, 64));
    case 2:
        return (double)noise_below(noise, 100000) / 100;
    case 3:
        return before + (double)noise_below(noise, 1000) / 1e3;
    case 4:
        return (double)noise_below(noise, 7) * 0.1;
    case 5:
        return noise_below(noise, 5) != 0 ? 3.5 : double_of(noise_next(noise));
    case 6:
        return before + (double)(noise_below(noise, 100) * 4096);
    case 7:
        return noise_below(noise, 2) != 0 ? -0.0 : 0.0;
    case 8:
        return noise_below(noise, 20) != 0 ? (double)noise_below(noise, 100) : special_value(noise);
    case 9:
        return special_value(noise);
    case 10:
        return -(double)noise_below(noise, 1000000) / 1e4;
    case 11:
        return 1e300 * (double)noise_below(noise, 100);
    case 12:
        return (double)noise_below(noise, 1000) * 1e-9;
    case 13:
        return 9007199254740992.0 + (double)noise_below(noise, 10) - 5;
    case 14:
        return before;
    case 15:
        return noise_below(noise, 30) != 0 ? before : (double)noise_below(noise, 1000);
    case 16:
        return (double)(float)((double)noise_next(noise) / 1e17); /* widened floats */
    case 17:
        return sin((double)noise_below(noise, 1000));
    case 18:
        return before + 1;
    default:
        return (double)(noise_next(noise) >> 11) / 1e17; /* 17 digits */
    }
}

void fill_values(struct noise *noise, unsigned kind, double *ret_values, size_t count) {
    double value = (double)noise_below(noise, 1000);
    for (size_t i = 0; i < count; i++) {
        value = next_value(noise, kind, value);
        ret_values[i] = value;
    }
    if (count > 0 && noise_below(noise, 10) == 0) {
        ret_values[noise_below(noise, count)] = special_value(noise);
    }
}

/* The file as a stream of its contents, or NULL when there is none. */
static FILE *open_corpus(const char *name) {
    const char *source = getenv("SONDE_SOURCE");
    char path[PATH_MAX];
    char command[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/../shared/corpus/%s.bin.zst", source != NULL ? source : ".",
             name);
    if (strchr(path, '\'') != NULL || access(path, R_OK) != 0) {
        return NULL;
    }
    snprintf(command, sizeof(command), "zstd -dcq '%s'", path);
    return popen(command, "r");
}

static bool skip_name(FILE *file) {
    uint8_t len[2];
    static uint8_t name[UINT16_MAX]; /* too large for a stack frame */
    return fread(len, 1, 2, file) == 2 &&
           fread(name, 1, sn_load_u16le(len), file) == sn_load_u16le(len);
}

bool each_corpus_series(const char *name,
                        bool (*visit)(void *ctx, const int64_t *times, const double *values,
                                      size_t count),
                        void *ctx) {
    FILE *file = open_corpus(name);
    uint8_t number[4];
    if (file == NULL) {
        return false;
    }
    bool is_going = fread(number, 1, 4, file) == 4;
    uint32_t series_count = is_going ? sn_load_u32le(number) : 0;
    for (uint32_t i = 0; i < series_count && is_going; i++) {
        is_going = skip_name(file) && fread(number, 1, 4, file) == 4;
        size_t count = is_going ? sn_load_u32le(number) : 0;
        int64_t *times = malloc(count * 8 + 1);
        double *values = malloc(count * 8 + 1);
        is_going = is_going && times != NULL && values != NULL &&
                   fread(times, 8, count, file) == count &&
                   fread(values, 8, count, file) == count && visit(ctx, times, values, count);
        free(times);
        free(values);
    }
    pclose(file);
    return is_going;
}
