/*
 * kill -9 at random moments: a child writes with two threads while flushes and compactions are under
 * way and notes in shared memory what was acknowledged; after each kill the directory is opened again and every
 * acknowledged sample must be there with its value, and nothing else.
 *
 * 40 cycles in about half a minute; SONDE_LONG=1 makes it 400.
 */
#include "rollup_support.h"

#include "store/rollup_build.h"

#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WRITERS = 2,
    SERIES = 40,          /* of each writer */
    ROUNDS_PER_BATCH = 3, /* samples of each series in one batch */
    CYCLES = 40,
    CYCLES_LONG = 400,
    LIFE_MS_MIN = 40,
    LIFE_MS_RANGE = 500,
    ROUNDS_PER_WRITER_MAX = 400000,
};

/* Written by the child, read by the parent after its death. */
struct progress {
    atomic_uint_fast64_t acked[WRITERS];     /* rounds that are durable */
    atomic_uint_fast64_t attempted[WRITERS]; /* rounds that may be stored */
    atomic_uint_fast64_t flushes;
    atomic_uint_fast64_t compactions;
    atomic_uint_fast64_t rollups;
};

static double value_of(unsigned writer, unsigned series, uint64_t round) {
    uint64_t mixed = (round * 2654435761u) ^ (series * 40503u) ^ (writer * 7919u);
    /* Mostly counters and decimals, now and then all the bits of a double. */
    if (round % 13 == 5)
        return sn_double_from_bits((mixed * 0x9e3779b97f4a7c15u) >> 2);
    return series % 2 ? (double)(round * (series + 1)) : (double)(mixed % 10000) / 100.0;
}

static int64_t time_of(uint64_t round) {
    return TEST_NOW_MS + (int64_t)round * 1000;
}

static const char *const names[WRITERS] = {"crash_a", "crash_b"};

/* ---- the child ---- */

struct writer {
    struct test_store *test;
    struct progress *progress;
    unsigned number;
};

static void write_rounds(struct writer *writer, uint64_t first, const struct sn_buf *labels) {
    struct sn_batch_series series[SERIES];
    struct sn_batch_sample samples[SERIES * ROUNDS_PER_BATCH];
    size_t count = 0;
    for (unsigned i = 0; i < SERIES; i++)
        series[i] = (struct sn_batch_series){.labels = sn_buf_str(&labels[i])};
    for (uint64_t round = first; round < first + ROUNDS_PER_BATCH; round++) {
        for (unsigned i = 0; i < SERIES; i++)
            samples[count++] = (struct sn_batch_sample){.time_ms = time_of(round),
                                                        .value = value_of(writer->number, i, round),
                                                        .series = i};
    }
    struct sn_batch batch = {
        .series = series, .series_count = SERIES, .samples = samples, .sample_count = count};
    struct sn_push_result result;
    atomic_store(&writer->progress->attempted[writer->number], first + ROUNDS_PER_BATCH);
    struct sn_err err = {.status = SN_OK};
    sn_status status;
    /* On a slow disk flushes and rollups may fall behind: then nothing was taken, and is pushed again. */
    while ((status = sn_sink_push_wait(sn_store_sink(writer->test->store), &batch, &result,
                                       &err)) == SN_ERR_BUSY)
        usleep(1000);
    if (status != SN_OK || result.accepted_count != count) {
        print_error("push: %s; %s\n", err.text, status == SN_OK ? result.first_reject.text : "");
        _exit(3);
    }
    atomic_store(&writer->progress->acked[writer->number], first + ROUNDS_PER_BATCH);
}

static void run_writer(void *ctx) {
    struct writer *writer = ctx;
    struct sn_buf labels[SERIES];
    for (unsigned i = 0; i < SERIES; i++) {
        sn_buf_init(&labels[i], 0);
        test_labels(&labels[i], names[writer->number], i);
    }
    uint64_t round = atomic_load(&writer->progress->acked[writer->number]);
    for (; round < ROUNDS_PER_WRITER_MAX; round += ROUNDS_PER_BATCH)
        write_rounds(writer, round, labels);
    pause();
}

/* Over and over, all that has newer samples. */
static void run_rollups(void *ctx) {
    struct writer *writer = ctx;
    for (;;) {
        size_t count = 0;
        usleep(5000); /* until the parent kills us */
        if (sn_store_roll_up(writer->test->store, &count, NULL) == SN_OK)
            atomic_fetch_add(&writer->progress->rollups, count);
    }
}

static void run_child(struct test_store *test, struct progress *progress) {
    struct writer writers[WRITERS];
    struct sn_thread threads[WRITERS];
    struct sn_thread rollups;
    struct writer roller = {.test = test, .progress = progress};
    test_store_open(test);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.test = test, .progress = progress, .number = i};
        if (sn_thread_start(&threads[i], "writer", run_writer, &writers[i], NULL) != SN_OK)
            _exit(4);
    }
    if (sn_thread_start(&rollups, "rollups", run_rollups, &roller, NULL) != SN_OK)
        _exit(4);
    for (;;) {
        struct sn_store_stats stats;
        usleep(2000); /* until the parent kills us */
        sn_store_stats(test->store, &stats);
        atomic_store(&progress->flushes, stats.flush_count);
        atomic_store(&progress->compactions, stats.compaction_count);
    }
}

/* ---- the parent ---- */

static void check_one(struct test_store *test, const struct progress *progress, unsigned writer,
                      unsigned series) {
    struct sn_samples samples;
    test_read(test, names[writer], series, TEST_ALL_TIME, &samples);
    assert_true(samples.count >= progress->acked[writer]);
    assert_true(samples.count <= progress->attempted[writer]);
    for (size_t i = 0; i < samples.count; i++) {
        if (samples.time_ms[i] != time_of(i) ||
            sn_double_bits(samples.value[i]) != sn_double_bits(value_of(writer, series, i)))
            fail_msg("writer %u series %u: sample %zu is wrong", writer, series, i);
    }
    sn_samples_release(&samples);
}

/* Rollups are what samples sum up to. */
static void check_rollups(struct test_store *test, unsigned writer, unsigned series) {
    struct sn_rollups found;
    struct sn_rollups expected;
    uint64_t id;
    if (!test_find_series(test, names[writer], series, &id))
        return; /* no sample of it either: see check_one */
    test_read_rollups(test, id, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &found);
    test_sum_up(test, id, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &expected);
    test_assert_same_rollups(&found, &expected);
    sn_rollups_release(&found);
    sn_rollups_release(&expected);
}

static void check_all(struct test_store *test, const struct progress *progress) {
    struct sn_store_stats stats;
    test_store_open(test);
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        for (unsigned series = 0; series < SERIES; series++)
            check_one(test, progress, writer, series);
        for (unsigned series = 0; series < 2; series++)
            check_rollups(test, writer, series);
    }
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.recovery.segment_damaged_count, 0);
    test_store_close(test);
}

struct work {
    uint64_t flushes;
    uint64_t compactions;
    uint64_t rollups;
};

static void run_cycle(struct test_store *test, struct progress *progress, struct sn_rng *rng,
                      struct work *work) {
    int wait_status = 0;
    atomic_store(&progress->compactions, 0);
    atomic_store(&progress->flushes, 0);
    atomic_store(&progress->rollups, 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_child(test, progress);
    usleep((useconds_t)(LIFE_MS_MIN + sn_rng_below(rng, LIFE_MS_RANGE)) * 1000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    /* It died from the signal, not from a failure of its own. */
    if (!WIFSIGNALED(wait_status))
        fail_msg("the child ended by itself: exit status %d", WEXITSTATUS(wait_status));
    check_all(test, progress);
    work->flushes += atomic_load(&progress->flushes);
    work->compactions += atomic_load(&progress->compactions);
    work->rollups += atomic_load(&progress->rollups);
}

static void nothing_acknowledged_is_lost_by_kill_9(void **state) {
    (void)state;
    struct test_store test;
    struct sn_rng rng;
    test_store_init(&test);
    test.options.clock = NULL; /* the child paces itself by the real one */
    test.options.retention_ms = -1;
    test.options.future_max_ms = -1;
    test.options.log_bytes_max = 100000; /* several flushes in a life */
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    uint64_t seed = sn_rng_system_seed();
    print_message("seed %llu\n", (unsigned long long)seed);
    sn_rng_init(&rng, seed);
    struct work work = {0};
    int cycles = getenv("SONDE_LONG") ? CYCLES_LONG : CYCLES;
    for (int i = 0; i < cycles; i++)
        run_cycle(&test, progress, &rng, &work);
    print_message(
        "%d kills, %llu flushes, %llu compactions, %llu days rolled up, %llu + %llu rounds "
        "acknowledged\n",
        cycles, (unsigned long long)work.flushes, (unsigned long long)work.compactions,
        (unsigned long long)work.rollups, (unsigned long long)progress->acked[0],
        (unsigned long long)progress->acked[1]);
    assert_true(work.flushes > 0 && work.compactions > 0 && work.rollups > 0);
    assert_true(progress->acked[0] > 0 && progress->acked[1] > 0);
    assert_int_equal(munmap(progress, sizeof *progress), 0);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_by_kill_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
