/* Tests of the hash: avalanche, distribution, seeds, and fixed values. */
#include "base/rng.h"
#include "base/str.h"
#include "base_support.h"

#include <math.h>
#include <stdlib.h>

#define ROUNDS 400

static void fill(struct sn_rng *rng, uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)sn_rng_u64(rng);
}

static void flip(uint8_t *bytes, size_t bit) {
    bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

static void add_bits(uint64_t bits, unsigned counts[64]) {
    for (size_t i = 0; i < 64; i++)
        counts[i] += bits >> i & 1;
}

/* Each output bit flips in half of the rounds; six standard deviations are left to chance. */
static void assert_half(const unsigned counts[64], const char *what, size_t len) {
    double slack = 6 * sqrt(ROUNDS) / 2;
    for (size_t i = 0; i < 64; i++) {
        if (fabs((double)counts[i] - ROUNDS / 2.0) > slack)
            fail_msg("%s, %zu bytes: output bit %zu flips in %u of %d", what, len, i, counts[i],
                     ROUNDS);
    }
}

static void every_input_bit_reaches_every_output_bit(void **state) {
    (void)state;
    static const size_t lens[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100};
    struct sn_rng rng;
    sn_rng_init(&rng, 42);
    for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
        uint8_t bytes[100];
        for (size_t bit = 0; bit < lens[l] * 8; bit++) {
            unsigned counts[64] = {0};
            for (int round = 0; round < ROUNDS; round++) {
                uint64_t seed = sn_rng_u64(&rng);
                fill(&rng, bytes, lens[l]);
                uint64_t before = sn_hash_bytes(bytes, lens[l], seed);
                flip(bytes, bit);
                add_bits(before ^ sn_hash_bytes(bytes, lens[l], seed), counts);
            }
            assert_half(counts, "input", lens[l]);
        }
    }
}

static void every_seed_bit_reaches_every_output_bit(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 43);
    uint8_t bytes[40];
    for (size_t len = 0; len <= sizeof(bytes); len += 8) {
        for (size_t bit = 0; bit < 64; bit++) {
            unsigned counts[64] = {0};
            for (int round = 0; round < ROUNDS; round++) {
                uint64_t seed = sn_rng_u64(&rng);
                fill(&rng, bytes, len);
                uint64_t before = sn_hash_bytes(bytes, len, seed);
                add_bits(before ^ sn_hash_bytes(bytes, len, seed ^ UINT64_C(1) << bit), counts);
            }
            assert_half(counts, "seed", len);
        }
    }
}

#define KEY_COUNT 100000
#define BUCKET_COUNT 1024

/* Chi square over the buckets that `shift` selects; 1023 degrees of freedom, deviation 45. */
static double chi_square(const uint64_t *hashes, unsigned shift) {
    static unsigned buckets[BUCKET_COUNT];
    memset(buckets, 0, sizeof(buckets));
    for (size_t i = 0; i < KEY_COUNT; i++)
        buckets[hashes[i] >> shift & (BUCKET_COUNT - 1)]++;
    double expected = (double)KEY_COUNT / BUCKET_COUNT;
    double sum = 0;
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        sum += ((double)buckets[i] - expected) * ((double)buckets[i] - expected) / expected;
    return sum;
}

static int compare_hashes(const void *a, const void *b) {
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void assert_well_spread(uint64_t *hashes) {
    for (unsigned shift = 0; shift <= 54; shift += 9) {
        double sum = chi_square(hashes, shift);
        if (sum < 1023 - 6 * 45 || sum > 1023 + 6 * 45)
            fail_msg("bits from %u: chi square %.0f", shift, sum);
    }
    qsort(hashes, KEY_COUNT, sizeof(*hashes), compare_hashes);
    for (size_t i = 1; i < KEY_COUNT; i++)
        assert_true(hashes[i] != hashes[i - 1]);
}

static void keys_as_they_occur_are_spread_evenly(void **state) {
    (void)state;
    static uint64_t hashes[KEY_COUNT];
    for (uint64_t i = 0; i < KEY_COUNT; i++)
        hashes[i] = sn_hash_bytes(&i, sizeof(i), 0);
    assert_well_spread(hashes);
    for (uint64_t i = 0; i < KEY_COUNT; i++) {
        char key[64];
        int len = snprintf(key, sizeof(key), "node_cpu_seconds_total{cpu=\"%u\"}", (unsigned)i);
        hashes[i] = sn_hash_bytes(key, (size_t)len, 7);
    }
    assert_well_spread(hashes);
}

static void zeros_of_different_lengths_differ(void **state) {
    (void)state;
    static const uint8_t zeros[512];
    uint64_t hashes[512];
    for (size_t len = 0; len < 512; len++) {
        hashes[len] = sn_hash_bytes(zeros, len, 0);
        for (size_t other = 0; other < len; other++)
            assert_true(hashes[len] != hashes[other]);
    }
}

/* The attack on hashes with constant masks: a key word that makes a factor zero for every seed. */
static void no_constant_in_a_key_removes_its_neighbour(void **state) {
    (void)state;
    static const uint64_t constants[] = {
        0,
        UINT64_MAX,
        UINT64_C(0x6A09E667F3BCC909),
        UINT64_C(0xBB67AE8584CAA73B),
        UINT64_C(0x3C6EF372FE94F82B),
        UINT64_C(0xA54FF53A5F1D36F1),
    };
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
        for (size_t place = 0; place < 4; place++) {
            uint64_t a[4] = {1, 2, 3, 4};
            uint64_t b[4] = {1, 2, 3, 4};
            a[place] = b[place] = constants[i];
            b[place ^ 1]++;
            assert_true(sn_hash_bytes(a, 32, 99) != sn_hash_bytes(b, 32, 99));
            assert_true(sn_hash_bytes(a, 16, 99) != sn_hash_bytes(b, 16, 99) || place > 1);
        }
    }
}

static void bytes_outside_do_not_matter(void **state) {
    (void)state;
    for (size_t len = 0; len < 100; len++) {
        uint8_t *exact = malloc(len + 1); /* ASan sees a read beyond it */
        uint8_t shifted[104];
        assert_non_null(exact);
        memset(exact, 0x5A, len + 1);
        memset(shifted, 0x5A, sizeof(shifted));
        exact[len] = 0;
        assert_true(sn_hash_bytes(exact, len, 3) == sn_hash_bytes(shifted + 3, len, 3));
        free(exact);
    }
    assert_true(sn_hash_bytes(NULL, 0, 5) == sn_hash_bytes("", 0, 5));
}

/* Series hashes may be stored some day: a change of these numbers is a change of format. */
static void values_are_fixed(void **state) {
    (void)state;
    static const char text[] = "The quick brown fox jumps over the lazy dog, twice at least.";
    assert_true(sn_hash_bytes(text, 0, 0) == UINT64_C(0xAE696536D5E0B821));
    assert_true(sn_hash_bytes(text, 3, 0) == UINT64_C(0xCE2D062338C0E92C));
    assert_true(sn_hash_bytes(text, 4, 1) == UINT64_C(0x2D5770504A59A336));
    assert_true(sn_hash_bytes(text, 8, 2) == UINT64_C(0x46C7DDF1FEE75D93));
    assert_true(sn_hash_bytes(text, 17, 3) == UINT64_C(0x8B6F6BD51E61F215));
    assert_true(sn_hash_bytes(text, sizeof(text) - 1, 4) == UINT64_C(0xEED3012902AF1FC1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_bit_reaches_every_output_bit),
        cmocka_unit_test(every_seed_bit_reaches_every_output_bit),
        cmocka_unit_test(keys_as_they_occur_are_spread_evenly),
        cmocka_unit_test(zeros_of_different_lengths_differ),
        cmocka_unit_test(no_constant_in_a_key_removes_its_neighbour),
        cmocka_unit_test(bytes_outside_do_not_matter),
        cmocka_unit_test(values_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
