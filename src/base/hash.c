/*
 * sn_hash_bytes: 64-bit hash by folded multiplication.
 *
 * The idea: the 128-bit product of two 64-bit words, its halves folded together by xor, lets each
 * input bit reach about half of the output bits in three cycles. Sixteen bytes are absorbed as
 *
 *     state = fold((word0 ^ mask) * (word1 ^ state))
 *
 * Long inputs run two such chains side by side, because one multiplication waits for the one
 * before. Where the last block is not whole, it overlaps the bytes before it; short inputs overlap
 * two reads. That is not ambiguous, because the length is part of the first state.
 *
 * Both factors are masked with words made from the seed. With constant masks, as in some well-known
 * hashes, a key that contains the constant makes a factor zero whatever the seed is, the other
 * word vanishes, and collisions can be written down; here the zero is as secret as the seed.
 *
 * The constants are the fractional parts of the square roots of 2, 3, 5 and 7, made odd: nothing
 * up the sleeve. Little-endian reads are part of the definition. Any thread.
 */
#include "base/str.h"

#include <endian.h>

#define ROOT_2 UINT64_C(0x6A09E667F3BCC909)
#define ROOT_3 UINT64_C(0xBB67AE8584CAA73B)
#define ROOT_5 UINT64_C(0x3C6EF372FE94F82B)
#define ROOT_7 UINT64_C(0xA54FF53A5F1D36F1)

static inline uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load_8(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

static inline uint64_t load_4(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof(word));
    return le32toh(word);
}

/* Two words that hold all of 0 to 16 bytes. */
static inline void load_short(const uint8_t *at, size_t len, uint64_t *ret_0, uint64_t *ret_1) {
    if (len >= 8) {
        *ret_0 = load_8(at);
        *ret_1 = load_8(at + len - 8);
    } else if (len >= 4) {
        *ret_0 = load_4(at);
        *ret_1 = load_4(at + len - 4);
    } else if (len > 0) {
        *ret_0 = at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16;
        *ret_1 = 0;
    } else {
        *ret_0 = 0;
        *ret_1 = 0;
    }
}

uint64_t sn_hash_bytes(const void *ptr, size_t len, uint64_t seed) {
    const uint8_t *at = ptr;
    size_t left = len;
    uint64_t mask = fold(seed ^ ROOT_2, ROOT_3);
    uint64_t state = seed ^ fold(mask ^ len, ROOT_5);
    if (left > 32) {
        uint64_t second_state = state ^ ROOT_7;
        do {
            state = fold(load_8(at) ^ mask, load_8(at + 8) ^ state);
            second_state = fold(load_8(at + 16) ^ mask, load_8(at + 24) ^ second_state);
            at += 32;
            left -= 32;
        } while (left > 32);
        state ^= second_state;
    }
    if (left > 16) {
        state = fold(load_8(at) ^ mask, load_8(at + 8) ^ state);
        at += left - 16;
        left = 16;
    }
    uint64_t word_0;
    uint64_t word_1;
    load_short(at, left, &word_0, &word_1);
    state = fold(word_0 ^ mask, word_1 ^ state);
    return fold(state ^ ROOT_7, mask ^ ROOT_5);
}
