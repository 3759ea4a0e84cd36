/*
 * Nanoseconds per number: printing and parsing, against snprintf("%.17g") and strtod_l of libc.
 * Each row is the best of several rounds over the same array.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "codec/number.h"

#include <locale.h>
#include <math.h>

enum { COUNT = 20000, ROUNDS = 7 };

static double values[COUNT];
static char texts[COUNT][SN_DOUBLE_TEXT_SIZE];
static size_t lengths[COUNT];
static uint64_t sink; /* keeps the compiler from dropping the work */
static locale_t c_locale;

static double random_bits(struct sn_rng *rng) {
    double value;
    do {
        uint64_t bits = sn_rng_u64(rng);
        memcpy(&value, &bits, sizeof(value));
    } while (!isfinite(value));
    return value;
}

static double random_unit(struct sn_rng *rng) {
    return sn_rng_unit(rng);
}

static double small_integer(struct sn_rng *rng) {
    return (double)sn_rng_below(rng, 100000);
}

static double large_integer(struct sn_rng *rng) {
    return (double)(sn_rng_u64(rng) >> 12);
}

static double three_decimals(struct sn_rng *rng) {
    return (double)sn_rng_below(rng, 10000000) / 1000;
}

static void print_own(void) {
    char text[SN_DOUBLE_TEXT_SIZE];
    for (size_t i = 0; i < COUNT; i++) {
        sink += sn_double_format(values[i], SN_DOUBLE_API, text);
    }
}

static void print_libc(void) {
    char text[64];
    for (size_t i = 0; i < COUNT; i++) {
        sink += (uint64_t)snprintf(text, sizeof(text), "%.17g", values[i]);
    }
}

static void parse_own(void) {
    for (size_t i = 0; i < COUNT; i++) {
        double value = 0;
        sink += (uint64_t)sn_double_parse(sn_str_make(texts[i], lengths[i]), &value);
        sink += value > 1;
    }
}

static void parse_libc(void) {
    for (size_t i = 0; i < COUNT; i++) {
        sink += strtod_l(texts[i], NULL, c_locale) > 1;
    }
}

static double best_ns(void (*work)(void)) {
    const struct sn_clock *clock = sn_clock_system();
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = sn_clock_mono_ns(clock);
        work();
        int64_t taken = sn_clock_mono_ns(clock) - start;
        best = taken < best ? taken : best;
    }
    return (double)best / COUNT;
}

static void run(const char *name, double (*make)(struct sn_rng *)) {
    struct sn_rng rng;
    size_t bytes = 0;
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = make(&rng);
        lengths[i] = sn_double_format(values[i], SN_DOUBLE_API, texts[i]);
        bytes += lengths[i];
    }
    printf("%-16s %6.1f %10.1f %10.1f %10.1f %10.1f\n", name, (double)bytes / COUNT,
           best_ns(print_own), best_ns(print_libc), best_ns(parse_own), best_ns(parse_libc));
}

int main(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    printf("ns per number     bytes      print     %%.17g      parse    strtod_l\n");
    run("random bits", random_bits);
    run("0 to 1", random_unit);
    run("3 decimals", three_decimals);
    run("small integers", small_integer);
    run("large integers", large_integer);
    freelocale(c_locale);
    return sink == 0;
}
