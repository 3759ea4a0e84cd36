/*
 * Mini-blocks of the chunk codec: up to 128 small unsigned integers packed at one width, the few
 * that do not fit patched behind. docs/FORMATS.md, "Chunk codec", "Mini-block". Any thread.
 */
#ifndef SN_CODEC_BIT_PACK_PRIV_H
#define SN_CODEC_BIT_PACK_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* A width is chosen per so many integers: fewer cost headers, more let one outlier widen all. */
#define SN_PACK_COUNT_MAX 128

/*
 * The width (0 .. 64) that makes the smallest mini-block of `residuals`.
 *
 *   residuals   [count]
 *   count       1 .. SN_PACK_COUNT_MAX
 *   ret_size    exact bytes of the mini-block at that width, at most 1 + 8 * count
 */
unsigned sn_pack_choose_width(const uint64_t *residuals, size_t count, size_t *ret_size);

/* Write the mini-block into [at, end), which has room for it; returns the byte after it. */
uint8_t *sn_pack_write(const uint64_t *residuals, size_t count, unsigned width, uint8_t *at,
                       uint8_t *end);

/*
 * Read a mini-block of `count` integers.
 *
 *   ret_residuals   [SN_PACK_COUNT_MAX], whatever count is: those from count on hold rubbish
 *
 * Returns the byte after the mini-block, or NULL when it is malformed or reaches past end.
 */
const uint8_t *sn_pack_read(const uint8_t *at, const uint8_t *end, size_t count,
                            uint64_t *ret_residuals);

#endif
