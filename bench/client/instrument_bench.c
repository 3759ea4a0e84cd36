/*
 * What the instruments of caches and memory cost: nanoseconds per operation by one and by two
 * threads on one instrument, microseconds per reading.
 *
 *     bench_client_instrument
 *
 * A figure is the best of many short slices: other programs on the machine only ever make it worse.
 */
#include "base/clock.h"
#include "sonde/sonde.h"

#include "sonde/cache.h"
#include "sonde/memory.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLICE_OPS 32768
#define SLICES 60
#define THREADS_MAX 2
#define WARM_NS INT64_C(50000000) /* the processor's counter is ready after 20 ms */

static sonde_cache *cache;
static sonde_memory *memory;

static void cache_hit(unsigned n) {
    for (unsigned i = 0; i < n; i++)
        sonde_cache_hit(cache);
}

static void cache_timed(unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        sonde_cache_timer timer = sonde_cache_begin(cache, "get");
        sonde_cache_end(&timer, SONDE_CACHE_HIT, "key");
    }
}

static void cache_record(unsigned n) {
    sonde_cache_run run = {.operation = "get", .duration_ns = 5000};
    for (unsigned i = 0; i < n; i++)
        sonde_cache_record(cache, &run);
}

static void cache_slow(unsigned n) {
    sonde_cache_run run = {.operation = "get", .detail = "key", .duration_ns = 200000000};
    for (unsigned i = 0; i < n; i++)
        sonde_cache_record(cache, &run);
}

static void cache_add_used(unsigned n) {
    for (unsigned i = 0; i < n; i++)
        sonde_cache_add_used_bytes(cache, i % 2 == 0 ? 64 : -64);
}

static void memory_alloc_free(unsigned n) {
    for (unsigned i = 0; i < n; i += 2) {
        sonde_memory_alloc(memory, 64);
        sonde_memory_free(memory, 64);
    }
}

static void memory_collected(unsigned n) {
    sonde_memory_collection collection = {0.002, 4096};
    for (unsigned i = 0; i < n; i++)
        sonde_memory_collected(memory, &collection);
}

static const struct workload {
    const char *name;
    void (*run)(unsigned n);
} workloads[] = {
    {"cache_hit", cache_hit},
    {"cache_timed", cache_timed},
    {"cache_record", cache_record},
    {"cache_slow", cache_slow},
    {"cache_add_used_bytes", cache_add_used},
    {"memory_alloc_or_free", memory_alloc_free},
    {"memory_collected", memory_collected},
};

struct runner {
    const struct workload *workload;
    pthread_barrier_t *start;
    double best_ns;
};

static void *run_slices(void *ctx) {
    struct runner *runner = ctx;
    const struct sn_clock *clock = sn_clock_system();
    runner->best_ns = 1e18;
    for (unsigned slice = 0; slice < SLICES; slice++) {
        (void)pthread_barrier_wait(runner->start);
        int64_t from = sn_clock_mono_ns(clock);
        runner->workload->run(SLICE_OPS);
        double ns = (double)(sn_clock_mono_ns(clock) - from) / SLICE_OPS;
        if (ns < runner->best_ns)
            runner->best_ns = ns;
    }
    return NULL;
}

/* Mean over the threads of each one's best slice, all running at once. */
static double measure(const struct workload *workload, unsigned thread_count) {
    pthread_barrier_t start;
    pthread_t threads[THREADS_MAX];
    struct runner runners[THREADS_MAX];
    (void)pthread_barrier_init(&start, NULL, thread_count);
    for (unsigned i = 0; i < thread_count; i++) {
        runners[i] = (struct runner){workload, &start, 0};
        if (pthread_create(&threads[i], NULL, run_slices, &runners[i]) != 0)
            abort();
    }
    double sum = 0;
    for (unsigned i = 0; i < thread_count; i++) {
        (void)pthread_join(threads[i], NULL);
        sum += runners[i].best_ns;
    }
    (void)pthread_barrier_destroy(&start);
    return sum / thread_count;
}

static void read_cache(void) {
    sonde_cache_stats stats;
    sonde_cache_read(cache, &stats);
}

static void evaluate_cache(void) {
    (void)sonde_cache_evaluate(cache);
}

static void read_memory(void) {
    sonde_memory_stats stats;
    sonde_memory_read(memory, &stats);
}

static void read_heap(void) {
    sonde_memory_heap heap;
    sonde_memory_heap_read(&heap);
}

static double measure_reading(void (*read)(void)) {
    double best = 1e18;
    for (int i = 0; i < 2000; i++) {
        int64_t from = sn_clock_mono_ns(sn_clock_system());
        read();
        double us = (double)(sn_clock_mono_ns(sn_clock_system()) - from) / 1e3;
        best = us < best ? us : best;
    }
    return best;
}

int main(void) {
    cache = sonde_cache_get(NULL, "bench", "cache");
    memory = sonde_memory_get(NULL, "bench");
    int64_t until_ns = sn_clock_mono_ns(sn_clock_system()) + WARM_NS;
    while (sn_clock_mono_ns(sn_clock_system()) < until_ns)
        cache_hit(1);
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        for (unsigned threads = 1; threads <= THREADS_MAX; threads++)
            printf("client.%s.%u_thread %.2f ns\n", workloads[i].name, threads,
                   measure(&workloads[i], threads));
    }
    printf("client.cache_read %.2f us\n", measure_reading(read_cache));
    printf("client.cache_evaluate %.2f us\n", measure_reading(evaluate_cache));
    printf("client.memory_read %.2f us\n", measure_reading(read_memory));
    printf("client.memory_heap_read %.2f us\n", measure_reading(read_heap));
    return 0;
}
