/*
 * Columns of every character for the tests of the chunk codecs, and real ones where they are.
 */
#ifndef SN_TESTS_CODEC_CHUNK_SUPPORT_H
#define SN_TESTS_CODEC_CHUNK_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reproducible stream of numbers (splitmix64). Any seed. */
struct noise {
    uint64_t state;
};

uint64_t noise_next(struct noise *noise);
uint64_t noise_below(struct noise *noise, uint64_t bound);

/* Kinds of columns: every form of the codec comes up, and every mix. */
enum { TIME_KIND_COUNT = 12, VALUE_KIND_COUNT = 20 };

void fill_times(struct noise *noise, unsigned kind, int64_t *ret_times, size_t count);
void fill_values(struct noise *noise, unsigned kind, double *ret_values, size_t count);

uint64_t bits_of(double value);
double double_of(uint64_t bits);

/* A copy in heap memory of exactly len bytes, so that a read past its end is seen. Free it. */
uint8_t *exact_copy(const void *bytes, size_t len);

/* Series of a corpus file, for as long as visit returns true. False when there is no such file. */
bool each_corpus_series(const char *name,
                        bool (*visit)(void *ctx, const int64_t *times, const double *values,
                                      size_t count),
                        void *ctx);

#endif
