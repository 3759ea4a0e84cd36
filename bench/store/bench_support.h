/*
 * What the benchmarks of the store share: a world of series and samples, a running store in a directory
 * of its own, batches that wait for the disk.
 */
#ifndef SN_BENCH_STORE_SUPPORT_H
#define SN_BENCH_STORE_SUPPORT_H

#include "base/lock.h"
#include "model/batch.h"
#include "store/store.h"

#define BENCH_START_MS INT64_C(1700000000000)
#define BENCH_STEP_MS 15000
#define BENCH_IN_FLIGHT 8

struct bench_world {
    struct sn_buf text; /* canonical labels, one behind the other */
    struct sn_batch_series *series;
    size_t series_count;
    struct sn_batch_sample *samples; /* [group] */
    size_t group;
    size_t next;   /* series of the next sample */
    int64_t round; /* samples that each series before `next` has */
};

struct bench_running {
    char dir[256];
    struct sn_store *store;
    struct sn_worker workers[SN_STORE_WORKERS_MAX];
    struct sn_thread threads[SN_STORE_WORKERS_MAX];
    size_t count;
};

/* Lets IN_FLIGHT batches wait for the disk; waiting costs no CPU time. */
struct bench_gate {
    struct sn_mutex mu;
    struct sn_cond cond;
    int in_flight;
    int failed;
};

double bench_wall_s(void);
double bench_cpu_s(void);        /* of the process */
double bench_thread_cpu_s(void); /* of the calling thread */

/* Print the sentence and exit unless all went well. */
void bench_must(sn_status status, const struct sn_err *err);
size_t bench_rss_bytes(void);

/* Series with seven labels, as of 500 series per target. */
void bench_make_world(struct bench_world *world, size_t series_count, size_t group);
void bench_free_world(struct bench_world *world);
double bench_value_at(size_t series, int64_t round);
/* Samples of the next `group` series; a batch is one range of series. */
struct sn_batch bench_next_batch(struct bench_world *world);
/* CPU seconds that making so many batches takes. */
double bench_generator_cost(struct bench_world *world, size_t batches);

/* A new directory in TMPDIR. */
void bench_make_dir(char dir[256]);
/* Open a store in a new directory and start its workers; open it again after bench_close. */
void bench_start(struct bench_running *running, size_t log_bytes_max);
void bench_open(struct bench_running *running, size_t log_bytes_max);
void bench_close(struct bench_running *running);
/* Close if open, remove the directory. */
void bench_stop(struct bench_running *running);

/* Eight batches wait for the disk at one time, as from eight agents; waiting costs no CPU time. */
void bench_init_gate(struct bench_gate *gate);
void bench_enter_gate(struct bench_gate *gate);
void bench_open_gate(void *ctx, sn_status status, const struct sn_err *err);
void bench_drain(struct bench_gate *gate);
void bench_push(struct bench_running *running, struct bench_world *world, struct bench_gate *gate);

/* Sorts them. Returns the 99th percentile in seconds. */
double bench_print_latencies(const char *what, double *latencies, size_t count);

#endif
