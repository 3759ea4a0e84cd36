/*
 * A store in a temporary directory with its workers running and a clock that tests own.
 */
#ifndef SN_TESTS_STORE_SUPPORT_H
#define SN_TESTS_STORE_SUPPORT_H

#include "base/clock.h"
#include "base/lock.h"
#include "model/batch.h"
#include "model/doors.h"
#include "store/store.h"
#include "store/verify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_NOW_MS INT64_C(1700000000000)

struct test_store {
    char dir[256];
    struct sn_fake_clock clock;
    struct sn_store_options options; /* change before test_store_open */
    struct sn_store *store;          /* NULL while closed */
    struct sn_worker workers[SN_STORE_WORKERS_MAX];
    struct sn_thread threads[SN_STORE_WORKERS_MAX];
    size_t worker_count;
    bool is_changing; /* others push: a second read may see more than the first one */
};

/* Make a directory; defaults that suit tests: no pauses, quick probes. */
void test_store_init(struct test_store *test);
/* The same in memory where the machine has such a directory: for tests that sync thousands of times
 * and write little. */
void test_store_init_in_memory(struct test_store *test);
/* Close if open, remove the directory. */
void test_store_release(struct test_store *test);
/* For cmocka: no fault is armed any more, and the store in *state is released and freed. */
int test_store_tear_down(void **state);

/* Open and start the workers; asserts success. */
void test_store_open(struct test_store *test);
/* As test_store_open, but the status is the caller's; workers run only on SN_OK. */
sn_status test_store_try_open(struct test_store *test, struct sn_err *err);
void test_store_close(struct test_store *test);
void test_store_reopen(struct test_store *test);
struct sn_store_stats test_store_stats(struct test_store *test);
/* Assert that `sonde verify` has nothing to say of what is on disk; the store is open again. */
struct sn_verify_report test_store_verify(struct test_store *test);

/* One series per number: name{n="<number>"}. Canonical bytes into buf (reset first). */
void test_labels(struct sn_buf *buf, const char *name, unsigned number);

/* Push one sample and wait. */
sn_status test_push_one(struct test_store *test, const char *name, unsigned number, int64_t time_ms,
                        double value, struct sn_push_result *ret_result);

/* Push one sample of each of the series 0..count-1 at one time and wait. */
sn_status test_push_round(struct test_store *test, const char *name, unsigned count,
                          int64_t time_ms, double value);

/* Id of one series; false when there is none. */
bool test_find_series(struct test_store *test, const char *name, unsigned number, uint64_t *ret_id);

/* All samples of one series within a range; the caller releases. Asserts success. */
void test_read(struct test_store *test, const char *name, unsigned number, struct sn_range range,
               struct sn_samples *ret_samples);
sn_status test_try_read(struct test_store *test, const char *name, unsigned number,
                        struct sn_range range, struct sn_samples *samples, struct sn_err *err);

#define TEST_ALL_TIME ((struct sn_range){.start_ms = 0, .end_ms = INT64_MAX})

/* Assert that the series has exactly these samples (times as offsets from TEST_NOW_MS). */
struct test_sample {
    int64_t offset_ms;
    double value;
};
void test_assert_samples(struct test_store *test, const char *name, unsigned number,
                         const struct test_sample *expected, size_t count);

/* Push samples from..to-1 of series m{n}, one at a time: a second apart, value number / 2. */
void test_push_series(struct test_store *test, unsigned number, int64_t from, int64_t to);
/* Assert that series m{n} has exactly the samples 0..count-1 of test_push_series. */
void test_check_series(struct test_store *test, unsigned number, int64_t count);

/* Path of a file below the directory of the store. */
const char *test_path(const struct test_store *test, const char *relative);

/* Number of files in a directory of the store. */
size_t test_count_files(const struct test_store *test, const char *relative);

/* The only file with this suffix below `relative`; asserts that there is one. */
const char *test_only_file(const struct test_store *test, const char *relative, const char *suffix);

#endif
