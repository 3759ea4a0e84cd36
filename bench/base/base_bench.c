/*
 * Nanoseconds per step of what everything else stands on: allocation against the C library's,
 * arena, hash, UTF-8 check, map, and a log line. Each figure is the best of several rounds.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, STEPS = 20000, KEYS = 2000, KEY_BYTES = 16 };

static struct sn_arena arena;
static struct sn_map map;
static char keys[KEYS][KEY_BYTES];
static char text[4096];
static volatile uint64_t sink; /* keeps the compiler from dropping the work */

static void raw_malloc(void) {
    for (size_t i = 0; i < STEPS; i++) {
        void *volatile ptr = malloc(48);
        free(ptr);
    }
}

static void seam_alloc(void) {
    for (size_t i = 0; i < STEPS; i++) {
        void *volatile ptr = sn_alloc(48);
        sn_free(ptr);
    }
}

static void arena_alloc(void) {
    for (size_t i = 0; i < STEPS; i++) {
        if (i % 1000 == 0)
            sn_arena_reset(&arena);
        sink = sink + (sn_arena_alloc(&arena, 48) != NULL);
    }
}

static void hash_of(size_t len) {
    uint64_t hash = 0; /* each seed waits for the hash before */
    for (size_t i = 0; i < STEPS; i++)
        hash = sn_hash_bytes(text, len, hash);
    sink = hash;
}

static void hash_8(void) {
    hash_of(8);
}

static void hash_64(void) {
    hash_of(64);
}

static void hash_4096(void) {
    hash_of(4096);
}

static void utf8_4096(void) {
    for (size_t i = 0; i < STEPS; i++)
        sink = sink + sn_str_is_utf8(sn_str_make(text, sizeof(text)));
}

static void map_get(void) {
    uint64_t value = 0;
    for (size_t i = 0; i < STEPS; i++)
        sink = sink + sn_map_get(&map, sn_str_make(keys[i % KEYS], KEY_BYTES), &value);
}

static void log_line(void) {
    for (unsigned i = 0; i < STEPS; i++) {
        if (i % (SN_LOG_QUEUE_LINES / 2) == 0)
            sn_log_drain();
        sn_log_info("store", "flushed segment %u with %d series", i, KEYS);
    }
}

static void log_below_level(void) {
    for (unsigned i = 0; i < STEPS; i++)
        sn_log_debug("store", "flushed segment %u with %d series", i, KEYS);
}

static double best_ns(void (*work)(void)) {
    int64_t best = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
        work();
        int64_t took_ns = sn_clock_mono_ns(sn_clock_system()) - start_ns;
        best = took_ns < best ? took_ns : best;
    }
    return (double)best / STEPS;
}

static bool prepare(int fd) {
    const struct sn_log_options options = {.level_min = SN_LOG_INFO, .fd = fd};
    memset(text, 'a', sizeof(text));
    sn_arena_init(&arena, 0);
    sn_map_init(&map, KEYS, sn_rng_system_seed());
    for (size_t i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], KEY_BYTES, "key_%011zu", i);
        if (sn_map_put(&map, sn_str_make(keys[i], KEY_BYTES), i) != SN_OK)
            return false;
    }
    return fd >= 0 && sn_log_open(&options, NULL) == SN_OK;
}

int main(void) {
    static const struct {
        const char *name;
        void (*work)(void);
    } rows[] = {
        {"malloc and free, 48 bytes", raw_malloc},
        {"sn_alloc and sn_free, 48 bytes", seam_alloc},
        {"sn_arena_alloc, 48 bytes", arena_alloc},
        {"sn_hash_bytes, 8 bytes", hash_8},
        {"sn_hash_bytes, 64 bytes", hash_64},
        {"sn_hash_bytes, 4096 bytes", hash_4096},
        {"sn_str_is_utf8, 4096 bytes ASCII", utf8_4096},
        {"sn_map_get, 2000 keys of 16 bytes", map_get},
        {"log line to /dev/null", log_line},
        {"log line below the level", log_below_level},
    };
    int fd = sn_os_open("/dev/null", O_WRONLY, 0);
    if (!prepare(fd))
        return 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("%-36s %8.1f ns\n", rows[i].name, best_ns(rows[i].work));
    sn_log_close();
    sn_map_release(&map);
    sn_arena_release(&arena);
    (void)sn_os_close(fd);
    return 0;
}
