/*
 * Random numbers from a seed (xoshiro256**): not for secrets. One thread per generator.
 */
#ifndef SN_BASE_RNG_H
#define SN_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct sn_rng {
    uint64_t state[4];
};

/* The same seed gives the same sequence on every machine. Any seed, also 0. */
void sn_rng_init(struct sn_rng *rng, uint64_t seed);
uint64_t sn_rng_u64(struct sn_rng *rng);
uint64_t sn_rng_below(struct sn_rng *rng,
                      uint64_t bound);  /* 0 .. bound-1 without bias; bound > 0 */
double sn_rng_unit(struct sn_rng *rng); /* [0, 1) */

/* A seed from the system's entropy (getrandom); falls back to the clocks when that fails. */
uint64_t sn_rng_system_seed(void);

#endif
