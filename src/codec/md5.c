/*
 * MD5 by the book: 64 steps per block of 64 bytes. Pure.
 */
#include "codec/md5.h"

static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t load(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The mixing function of a step and the word of the block that it takes. */
static uint32_t mix(unsigned step, const uint32_t s[4], unsigned *ret_word) {
    switch (step / 16) {
    case 0:
        *ret_word = step;
        return (s[1] & s[2]) | (~s[1] & s[3]);
    case 1:
        *ret_word = (5 * step + 1) % 16;
        return (s[3] & s[1]) | (~s[3] & s[2]);
    case 2:
        *ret_word = (3 * step + 5) % 16;
        return s[1] ^ s[2] ^ s[3];
    default:
        *ret_word = 7 * step % 16;
        return s[2] ^ (s[1] | ~s[3]);
    }
}

static void add_block(uint32_t state[4], const uint8_t block[64]) {
    uint32_t s[4] = {state[0], state[1], state[2], state[3]};
    for (unsigned step = 0; step < 64; step++) {
        unsigned word;
        uint32_t f = mix(step, s, &word);
        uint32_t sum = s[0] + f + sines[step] + load(block + 4 * word);
        unsigned turn = turns[step / 16][step % 4];
        s[0] = s[3];
        s[3] = s[2];
        s[2] = s[1];
        s[1] += sum << turn | sum >> (32 - turn);
    }
    for (unsigned i = 0; i < 4; i++)
        state[i] += s[i];
}

void sn_md5(struct sn_str bytes, uint8_t ret_hash[16]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t tail[128] = {0};
    size_t whole = bytes.len / 64 * 64, rest = bytes.len - whole;
    size_t tail_len = rest < 56 ? 64 : 128;
    uint64_t bit_count = (uint64_t)bytes.len * 8;
    for (size_t at = 0; at < whole; at += 64)
        add_block(state, (const uint8_t *)bytes.ptr + at);
    if (rest > 0)
        memcpy(tail, bytes.ptr + whole, rest);
    tail[rest] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        tail[tail_len - 8 + i] = (uint8_t)(bit_count >> 8 * i & 0xff);
    for (size_t at = 0; at < tail_len; at += 64)
        add_block(state, tail + at);
    for (unsigned i = 0; i < 16; i++)
        ret_hash[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4) & 0xff);
}
