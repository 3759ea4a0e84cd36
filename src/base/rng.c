/*
 * xoshiro256** (Blackman and Vigna), seeded by splitmix64 so that near seeds give far states and
 * no seed gives the state of all zeros, which the generator would never leave.
 */
#include "base/rng.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/os.h"

static uint64_t rotate_left(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void sn_rng_init(struct sn_rng *rng, uint64_t seed) {
    for (size_t i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

uint64_t sn_rng_u64(struct sn_rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/*
 * The high half of a 128-bit product maps 64 random bits to the range; the few low halves below
 * 2^64 mod bound belong to values that would come up once too often, and are drawn again (Lemire).
 */
uint64_t sn_rng_below(struct sn_rng *rng, uint64_t bound) {
    __extension__ typedef unsigned __int128 wide;
    assert(bound > 0);
    wide product = (wide)sn_rng_u64(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t surplus = (0 - bound) % bound;
        while ((uint64_t)product < surplus)
            product = (wide)sn_rng_u64(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double sn_rng_unit(struct sn_rng *rng) {
    return (double)(sn_rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t sn_rng_system_seed(void) {
    uint64_t seed;
    if (sn_os_getrandom(&seed, sizeof(seed)) == (ssize_t)sizeof(seed))
        return seed;
    /* Early at boot, or a sandbox that forbids it: guessable, but different per process. */
    const struct sn_clock *clock = sn_clock_system();
    seed = (uint64_t)sn_clock_wall_ms(clock) << 20 ^ (uint64_t)sn_clock_mono_ns(clock) ^
           (uint64_t)sn_os_pid() << 44;
    return splitmix64(&seed);
}
