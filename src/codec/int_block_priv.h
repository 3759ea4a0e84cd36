/*
 * Integer blocks of the chunk codec: up to 512 integers as a formula and packed residuals.
 * docs/FORMATS.md, "Chunk codec", "Integer block". Any thread.
 *
 * Writing has two steps, because the caller compares sizes before it decides: plan, then write.
 */
#ifndef SN_CODEC_INT_BLOCK_PRIV_H
#define SN_CODEC_INT_BLOCK_PRIV_H

#include "codec/bit_pack_priv.h"
#include "codec/chunk.h"

#include <stddef.h>
#include <stdint.h>

#define SN_INT_PACKS_MAX (SN_CHUNK_SAMPLES_MAX / SN_PACK_COUNT_MAX)

/*
 * Bytes of the largest block: kind, three varints, and per mini-block a header and 8 bytes per
 * integer. A plan never exceeds it, because the widest choice is always among its candidates.
 */
#define SN_INT_BLOCK_BOUND(count) ((size_t)(count)*8 + 31 + SN_INT_PACKS_MAX)

/* Stored: the numbers are fixed. */
enum sn_int_kind {
    SN_INT_CONSTANT = 0, /* first */
    SN_INT_LINE = 1,     /* first, base (the step) */
    SN_INT_OFFSET = 2,   /* base, residuals: value - base */
    SN_INT_DELTA = 3,    /* first, base, residuals: delta - base */
    SN_INT_ZIGZAG = 4,   /* first, residuals: zigzag of delta */
    SN_INT_SECOND = 5,   /* first, base (the first delta), residuals: zigzag of second delta */
    SN_INT_KIND_MAX = SN_INT_SECOND,
};

/* How a block will be written. Made by sn_int_plan; borrows the integers. */
struct sn_int_plan {
    const int64_t *values; /* [count], divided by divisor after origin was subtracted */
    size_t count;
    enum sn_int_kind kind;
    int64_t first;
    int64_t base;
    uint64_t divisor; /* 1: not scaled */
    int64_t origin;
    uint8_t widths[SN_INT_PACKS_MAX];
    size_t size; /* exact bytes of the block */
};

/*
 * Find the smallest block.
 *
 *   values   [count], kept until the plan is written; may be changed (scaled) in place
 *   count    1 .. SN_CHUNK_SAMPLES_MAX
 */
void sn_int_plan(int64_t *values, size_t count, struct sn_int_plan *ret_plan);

/* Write plan->size bytes to [at, end), which has room for them; returns the byte after them. */
uint8_t *sn_int_write(const struct sn_int_plan *plan, uint8_t *at, uint8_t *end);

/*
 * Read a block of `count` integers from untrusted bytes.
 *
 *   ret_values   [count]
 *
 * Returns the byte after the block, or NULL when it is malformed or reaches past end.
 */
const uint8_t *sn_int_read(const uint8_t *at, const uint8_t *end, size_t count,
                           int64_t *ret_values);

#endif
