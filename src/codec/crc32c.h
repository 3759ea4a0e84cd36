/*
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected): the checksum of the log, of segments and
 * of every other stored byte.
 */
#ifndef SN_CODEC_CRC32C_H
#define SN_CODEC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * Checksum of bytes, to be continued: sn_crc32c(sn_crc32c(0, a), b) is the checksum of a and b
 * together. The checksum of "123456789" is 0xe3069283.
 *
 *   crc     0 to begin, or the result for what stands before
 *   bytes   [len]; may be NULL when len is 0; any alignment
 *
 * The same result on every machine: the processor's instruction when it has one (SSE4.2), tables
 * otherwise. Threads: any. Blocks: never. Cost: see bench/codec; no allocation.
 */
uint32_t sn_crc32c(uint32_t crc, const void *bytes, size_t len);

/* As sn_crc32c, by tables only: for tests and benchmarks, which compare the two. */
uint32_t sn_crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
