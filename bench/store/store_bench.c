/*
 * Samples per second and core until they are durable, against one row per sample in SQLite in the same
 * run.
 *
 *   bench_store_store [seconds per measurement (5) [series group]]
 *
 * TMPDIR=DIR  where the data directories go: the disk that is measured
 *
 * Both begin with the same history, because a tree of rows is slower with one: new samples of many
 * series land on as many pages. The baseline is given the numbers of the series, the store is given
 * their labels. CPU time is of the whole process; what the generator of the samples takes is measured
 * and subtracted from both.
 */
#include "bench_support.h"

#include "base/os.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define HISTORY 60 /* samples that each series has before the measurement: a quarter of an hour */

struct rate {
    double samples;
    double wall;
    double cpu; /* without the generator */
};

static struct rate measure_store(size_t series, size_t group, double seconds) {
    struct bench_world world;
    struct bench_running running;
    struct bench_gate gate;
    struct rate rate = {0};
    bench_init_gate(&gate);
    bench_make_world(&world, series, group);
    bench_start(&running, 0);
    while (world.round < HISTORY)
        bench_push(&running, &world, &gate);
    bench_drain(&gate);
    size_t batches = 0;
    double wall = bench_wall_s();
    double cpu = bench_cpu_s();
    while (bench_wall_s() - wall < seconds) {
        bench_push(&running, &world, &gate);
        batches++;
    }
    bench_drain(&gate);
    rate.wall = bench_wall_s() - wall;
    rate.cpu = bench_cpu_s() - cpu - bench_generator_cost(&world, batches);
    rate.samples = (double)(batches * group);
    bench_stop(&running);
    bench_free_world(&world);
    return rate;
}

static void sql(sqlite3 *db, const char *text) {
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "bench: %s: %s\n", text, sqlite3_errmsg(db));
        exit(1);
    }
}

static void insert_row(sqlite3 *db, sqlite3_stmt *insert, size_t series, int64_t time_ms,
                       double value) {
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)series);
    sqlite3_bind_int64(insert, 2, time_ms);
    sqlite3_bind_double(insert, 3, value);
    if (sqlite3_step(insert) != SQLITE_DONE) {
        (void)fprintf(stderr, "bench: insert: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_reset(insert);
}

/* In the order of the key, in one transaction: the fastest way to the same history. */
static void insert_history(sqlite3 *db, sqlite3_stmt *insert, struct bench_world *world) {
    sql(db, "BEGIN");
    for (size_t series = 0; series < world->series_count; series++) {
        for (int64_t round = 0; round < HISTORY; round++)
            insert_row(db, insert, series, BENCH_START_MS + round * BENCH_STEP_MS,
                       bench_value_at(series, round));
    }
    sql(db, "COMMIT");
    sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    world->round = HISTORY;
}

static void insert_batch(sqlite3 *db, sqlite3_stmt *insert, struct bench_world *world) {
    struct sn_batch batch = bench_next_batch(world);
    size_t first = (size_t)(batch.series - world->series);
    sql(db, "BEGIN");
    for (size_t i = 0; i < batch.sample_count; i++)
        insert_row(db, insert, first + batch.samples[i].series, batch.samples[i].time_ms,
                   batch.samples[i].value);
    sql(db, "COMMIT");
}

static struct rate measure_sqlite(size_t series, size_t group, double seconds) {
    struct bench_world world;
    struct rate rate = {0};
    char dir[256];
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *insert;
    bench_make_world(&world, series, group);
    bench_make_dir(dir);
    (void)snprintf(path, sizeof path, "%s/rows.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
            "CREATE TABLE sample(series INTEGER, time_ms INTEGER, value REAL,"
            " PRIMARY KEY(series, time_ms)) WITHOUT ROWID");
    if (sqlite3_prepare_v2(db, "INSERT INTO sample VALUES(?, ?, ?)", -1, &insert, NULL) !=
        SQLITE_OK)
        exit(1);
    insert_history(db, insert, &world);
    size_t batches = 0;
    double wall = bench_wall_s();
    double cpu = bench_cpu_s();
    while (bench_wall_s() - wall < seconds) {
        insert_batch(db, insert, &world);
        batches++;
    }
    rate.wall = bench_wall_s() - wall;
    rate.cpu = bench_cpu_s() - cpu - bench_generator_cost(&world, batches);
    rate.samples = (double)(batches * group);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(db);
    bench_must(sn_os_remove_tree(dir, NULL), NULL);
    bench_free_world(&world);
    return rate;
}

static void compare(size_t series, size_t group, double seconds) {
    struct rate store = measure_store(series, group, seconds);
    struct rate rows = measure_sqlite(series, group, seconds);
    double store_core = store.samples / store.cpu;
    double rows_core = rows.samples / rows.cpu;
    printf("%8zu %7zu %14.2f %14.2f %10.1f %12.2f %12.2f %8.1f\n", series, group, store_core / 1e6,
           rows_core / 1e6, store_core / rows_core, store.samples / store.wall / 1e6,
           rows.samples / rows.wall / 1e6,
           (store.samples / store.wall) / (rows.samples / rows.wall));
    (void)fflush(stdout);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? (double)strtoul(argv[1], NULL, 10) : 5;
    static const size_t series[] = {10000, 100000};
    static const size_t groups[] = {1000, 10000};
    printf("millions of samples per second, fsync before each acknowledgement, %d samples of "
           "history\n",
           HISTORY);
    printf("%8s %7s %14s %14s %10s %12s %12s %8s\n", "series", "group", "store /core",
           "SQLite /core", "ratio", "store wall", "SQLite wall", "ratio");
    if (argc > 3) { /* one comparison only, for a profiler */
        compare(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), seconds);
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++)
            compare(series[i], groups[j], seconds);
    }
    return 0;
}
