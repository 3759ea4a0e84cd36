/*
 * Records against the schema that one writes without thinking: a text UUID as key and four indexes
 * of one column each. Same machine, same run, same SQLite settings, batches of 1,000.
 *
 *   bench_records_records [ROWS]     rows in both tables for the reads; default 3,000,000
 *   TMPDIR=DIR                       where the databases go
 */
#include "base/clock.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/rng.h"
#include "records/lite.h"
#include "records/sqlite.h"
#include "records/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 1000, WRITE_ROWS = 100000, ROWS_DEFAULT = 3000000, KINDS = 50, READS = 20 };
#define START_MS INT64_C(1700000000000)
#define SPAN_MS (INT64_C(30) * 86400000)

static const char *const types[] = {"processing_time", "success_rate", "resource_usage",
                                    "queue_metrics"};
static const char *const names[] = {
    "download_time",  "validate_time", "upload_time", "total_time",   "cpu_percent",
    "memory_percent", "queue_depth",   "queue_wait",  "disk_percent", "load"};
static const char *const services[] = {"backend", "crawler", "validator", "storage", "worker"};

static void must(sn_status status, const struct sn_err *err) {
    if (status == SN_OK)
        return;
    (void)fprintf(stderr, "%s\n", err != NULL ? err->text : sn_status_name(status));
    exit(1);
}

static double now_s(void) {
    return (double)sn_clock_mono_ns(sn_clock_system()) / 1e9;
}

/* Of this process: the machine may be busy with other things. */
static double cpu_s(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How fast rows were stored. */
struct rate {
    double per_s;
    double per_cpu_s;
};

static struct rate rate_since(double start_s, double start_cpu_s, size_t rows) {
    return (struct rate){.per_s = (double)rows / (now_s() - start_s),
                         .per_cpu_s = (double)rows / (cpu_s() - start_cpu_s)};
}

/* Row i of any table: the same in both. */
static struct sn_record make_row(size_t i, size_t rows, struct sn_rng *rng) {
    static char metadata[BATCH][64];
    size_t name = sn_rng_below(rng, 10), service = sn_rng_below(rng, 5);
    char *meta = metadata[i % BATCH];
    int len = snprintf(meta, 64, "{\"job_id\":%u}", (unsigned)sn_rng_below(rng, 1000000));
    return (struct sn_record){
        .time_ms =
            START_MS + SPAN_MS / (int64_t)rows * (int64_t)i + (int64_t)sn_rng_below(rng, 1000),
        .value = (double)sn_rng_below(rng, 100000) / 1000,
        .metric_type = sn_str_from(types[name % 4]),
        .name = sn_str_from(names[name]),
        .service = sn_str_from(services[service]),
        .unit = SN_STR("seconds"),
        .metadata = i % 2 == 0 ? sn_str_make(meta, (size_t)len) : (struct sn_str){NULL, 0},
    };
}

/* ---- ours ---- */

static struct rate fill_ours(struct sn_engine *engine, size_t first, size_t count, size_t rows) {
    static struct sn_record batch[BATCH];
    struct sn_err err = {.status = SN_OK};
    struct sn_rng rng;
    sn_rng_init(&rng, first + 1);
    double start = now_s(), start_cpu = cpu_s();
    for (size_t i = 0; i < count; i += BATCH) {
        struct sn_engine_write write = {.records = batch, .record_count = BATCH}, *writes = &write;
        for (size_t j = 0; j < BATCH; j++)
            batch[j] = make_row(first + i + j, rows, &rng);
        must(engine->ops->commit(engine->ctx, &writes, 1, &err), &err);
    }
    return rate_since(start, start_cpu, count);
}

static const struct sn_record_filter wanted = {
    .metric_type = {"processing_time", 15},
    .name = {"download_time", 13},
    .service = {"backend", 7},
    .start_ms = 0,
    .end_ms = SN_TIME_MS_MAX,
};

static double list_ours(struct sn_engine *engine) {
    const struct sn_record_page page = {.filter = wanted, .limit = 100};
    struct sn_record_list list;
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    double best = 1e9;
    sn_arena_init(&arena, 0);
    for (int i = 0; i < READS; i++) {
        double start = now_s();
        must(engine->ops->list(engine->ctx, &page, &arena, &list, &err), &err);
        double taken = now_s() - start;
        best = taken < best ? taken : best;
        sn_arena_reset(&arena);
    }
    sn_arena_release(&arena);
    return best;
}

static double window_ours(struct sn_engine *engine, size_t *ret_count) {
    struct sn_record_filter filter = wanted;
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    double best = 1e9;
    filter.end_ms = START_MS + SPAN_MS;
    filter.start_ms = filter.end_ms - 86400000;
    sn_arena_init(&arena, 0);
    for (int i = 0; i < READS; i++) {
        struct sn_windows windows;
        struct sn_window_list list;
        double start = now_s();
        must(sn_windows_init(&windows, filter.start_ms, filter.end_ms, 300000, &err), &err);
        struct sn_record_visitor visitor = sn_windows_visitor(&windows);
        must(engine->ops->scan(engine->ctx, &filter, &visitor, &err), &err);
        must(sn_windows_finish(&windows, &arena, &list, &err), &err);
        double taken = now_s() - start;
        best = taken < best ? taken : best;
        *ret_count = windows.count;
        sn_windows_release(&windows);
        sn_arena_reset(&arena);
    }
    sn_arena_release(&arena);
    return best;
}

/* ---- theirs ---- */

#define NAIVE_TABLE                                                                                \
    "CREATE TABLE m(id TEXT, timestamp TEXT, metric_type TEXT, name TEXT, value REAL, unit TEXT,"  \
    " metadata TEXT, service TEXT, description TEXT);"
#define NAIVE_INDEXES                                                                              \
    "CREATE UNIQUE INDEX i0 ON m(id); CREATE INDEX i1 ON m(timestamp);"                            \
    "CREATE INDEX i2 ON m(metric_type); CREATE INDEX i3 ON m(name); CREATE INDEX i4 ON m(service);"

static void bind_naive(sqlite3_stmt *statement, const struct sn_record *record,
                       struct sn_rng *rng) {
    static char id[64], time[SN_TIME_TEXT_SIZE];
    uint64_t a = sn_rng_u64(rng), b = sn_rng_u64(rng);
    (void)snprintf(id, sizeof id, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32),
                   (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 52),
                   (unsigned long long)(b & 0xffffffffffff));
    sn_time_format(record->time_ms, time);
    sn_sqlite_bind_text(statement, 1, sn_str_from(id));
    sn_sqlite_bind_text(statement, 2, sn_str_from(time));
    sn_sqlite_bind_text(statement, 3, record->metric_type);
    sn_sqlite_bind_text(statement, 4, record->name);
    sqlite3_bind_double(statement, 5, record->value);
    sn_sqlite_bind_text(statement, 6, record->unit);
    sn_sqlite_bind_text(statement, 7, record->metadata);
    sn_sqlite_bind_text(statement, 8, record->service);
    sn_sqlite_bind_text(statement, 9, SN_STR(""));
}

static struct rate fill_naive(sqlite3 *db, size_t count, size_t rows, size_t batch_rows) {
    sqlite3_stmt *insert = NULL;
    struct sn_rng rng, ids;
    sn_rng_init(&rng, 1);
    sn_rng_init(&ids, 99 + batch_rows); /* other ones each time */
    must(sn_sqlite_prepare(db, "INSERT INTO m VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", &insert, NULL),
         NULL);
    double start = now_s(), start_cpu = cpu_s();
    for (size_t i = 0; i < count; i++) {
        if (i % batch_rows == 0)
            must(sn_sqlite_begin(db, NULL), NULL);
        struct sn_record record = make_row(i, rows, &rng);
        bind_naive(insert, &record, &ids);
        must(sn_sqlite_run(db, insert, NULL), NULL);
        if ((i + 1) % batch_rows == 0 || i + 1 == count)
            must(sn_sqlite_commit(db, NULL), NULL);
    }
    struct rate rate = rate_since(start, start_cpu, count);
    sn_sqlite_finalize(&insert);
    return rate;
}

static double ask_naive(sqlite3 *db, const char *sql) {
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        sqlite3_stmt *select = NULL;
        must(sn_sqlite_prepare(db, sql, &select, NULL), NULL);
        double start = now_s();
        while (sn_sqlite_next(db, select, NULL) == SN_OK)
            continue;
        double taken = now_s() - start;
        best = taken < best ? taken : best;
        sn_sqlite_finalize(&select);
    }
    return best;
}

static sqlite3 *open_naive(const char *dir, const char *name) {
    char path[256];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    must(sn_sqlite_open(path, &db, NULL), NULL);
    must(sn_sqlite_execute(
             db, "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;" NAIVE_TABLE, NULL),
         NULL);
    return db;
}

static double bytes_per_row(const char *dir, const char *name, size_t rows) {
    char path[256];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return sn_os_stat(path, &info) == 0 ? (double)info.st_size / (double)rows : 0;
}

static void print_rates(const char *where, struct rate ours, struct rate naive) {
    printf("%-33s %8.0f rows/s   naive %8.0f   %5.1f x\n", where, ours.per_s, naive.per_s,
           ours.per_s / naive.per_s);
    printf("  per second of CPU               %8.0f rows     naive %8.0f   %5.1f x\n",
           ours.per_cpu_s, naive.per_cpu_s, ours.per_cpu_s / naive.per_cpu_s);
}

/* Both hold `rows` rows; then both get WRITE_ROWS more, in batches with an fsync each. */
static void run(const char *dir, size_t rows) {
    struct sn_engine engine;
    struct sn_err err = {.status = SN_OK};
    size_t window_count = 0;
    const struct sn_lite_options options = {.dir = dir};
    must(sn_lite_open(&options, &engine, &err), &err);
    struct rate fill = fill_ours(&engine, 0, rows, rows);
    sqlite3 *db = open_naive(dir, "naive.db");
    must(sn_sqlite_execute(db, "PRAGMA synchronous=OFF", NULL), NULL);
    (void)fill_naive(db, rows, rows, rows); /* not what is measured: indexes at the end */
    must(sn_sqlite_execute(
             db, NAIVE_INDEXES "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=FULL;", NULL),
         NULL);
    double list = list_ours(&engine), window = window_ours(&engine, &window_count);
    double list_naive = ask_naive(db, "SELECT * FROM m WHERE metric_type='processing_time' AND"
                                      " name='download_time' AND service='backend'"
                                      " ORDER BY timestamp DESC LIMIT 100");
    double size = bytes_per_row(dir, "records.db", rows);
    double size_naive = bytes_per_row(dir, "naive.db", rows);
    struct rate ours = fill_ours(&engine, rows, WRITE_ROWS, rows);
    struct rate naive = fill_naive(db, WRITE_ROWS, rows, BATCH);
    engine.ops->close(engine.ctx);
    (void)sn_sqlite_close(db); /* NULL, always */
    printf("%zu rows in both tables; ours were stored with %.0f rows/s\n", rows, fill.per_s);
    print_rates("batches of 1,000, fsync each", ours, naive);
    printf("size                              %8.1f B/row    naive %8.1f   %5.2f x\n", size,
           size_naive, size / size_naive);
    printf("newest 100, type, name, service   %8.3f ms       naive %8.3f   %5.0f x\n", list * 1e3,
           list_naive * 1e3, list_naive / list);
    printf("time_window=5m over 24 h          %8.3f ms       (%zu records, percentiles)\n",
           window * 1e3, window_count);
}

int main(int argc, char **argv) {
    const char *root = getenv("TMPDIR");
    char dir[128];
    size_t rows = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : ROWS_DEFAULT;
    rows = (rows > WRITE_ROWS ? rows : 2 * WRITE_ROWS) / BATCH * BATCH;
    (void)snprintf(dir, sizeof dir, "%s/sonde_bench_XXXXXX", root != NULL ? root : "/tmp");
    if (mkdtemp(dir) == NULL)
        return 1;
    run(dir, rows);
    must(sn_os_remove_tree(dir, NULL), NULL);
    return 0;
}
