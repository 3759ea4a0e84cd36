/* The queue of requests that may block: order, limit, stopping. */
#include "api/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 4, PRODUCERS = 4, JOBS_EACH = 5000 };

/* What the jobs of a test write down. */
struct record {
    size_t items[2 * SN_JOBS_QUEUE_MAX];
    size_t count;
    atomic_size_t total;
};

static size_t numbers[2 * SN_JOBS_QUEUE_MAX];

static void note(void *ctx, void *item) {
    struct record *record = ctx;
    record->items[record->count++] = (size_t)((size_t *)item - numbers);
}

static void add(void *ctx, void *item) {
    struct record *record = ctx;
    atomic_fetch_add(&record->total, *(size_t *)item);
}

static sn_status put(struct sn_jobs *jobs, struct record *record, size_t number) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_job job = {note, record, &numbers[number]};
    sn_status status = sn_jobs_put(jobs, job, &err);
    assert_int_equal(status, err.status);
    assert_true(status == SN_OK || err.text[0] != '\0');
    return status;
}

static int set_up(void **state) {
    struct sn_jobs *jobs = calloc(1, sizeof *jobs);
    if (jobs == NULL)
        return -1;
    sn_jobs_init(jobs);
    *state = jobs;
    return 0;
}

static int tear_down(void **state) {
    sn_jobs_release(*state);
    free(*state);
    return 0;
}

/* Stopped first, run() drains the queue on this thread and returns. */
static void drain(struct sn_jobs *jobs) {
    struct sn_worker worker = sn_jobs_worker(jobs);
    worker.stop(worker.ctx);
    worker.run(worker.ctx);
}

static void jobs_run_in_their_order(void **state) {
    static struct record record;
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(put(*state, &record, i), SN_OK);
    drain(*state);
    assert_int_equal(record.count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(record.items[i], i);
}

static void one_more_than_the_limit_is_busy(void **state) {
    static struct record record;
    for (size_t i = 0; i < SN_JOBS_QUEUE_MAX; i++)
        assert_int_equal(put(*state, &record, i), SN_OK);
    assert_int_equal(put(*state, &record, SN_JOBS_QUEUE_MAX), SN_ERR_BUSY);
    drain(*state);
    assert_int_equal(record.count, SN_JOBS_QUEUE_MAX);
    assert_int_equal(record.items[SN_JOBS_QUEUE_MAX - 1], SN_JOBS_QUEUE_MAX - 1);
}

static void what_waits_is_run_after_stop_and_nothing_new_is_taken(void **state) {
    static struct record record;
    struct sn_worker worker = sn_jobs_worker(*state);
    assert_int_equal(put(*state, &record, 0), SN_OK);
    worker.stop(worker.ctx);
    assert_int_equal(put(*state, &record, 1), SN_ERR_CLOSED);
    worker.run(worker.ctx);
    assert_int_equal(record.count, 1);
    worker.run(worker.ctx); /* and returns at once from now on */
    assert_int_equal(record.count, 1);
}

/* A job that puts the next one, until 3 rings full have gone by. */
struct relay {
    struct sn_jobs *jobs;
    size_t left;
};

static void pass_on(void *ctx, void *item) {
    struct relay *relay = ctx;
    (void)item;
    if (--relay->left > 0) {
        const struct sn_job job = {pass_on, relay, NULL};
        assert_int_equal(sn_jobs_put(relay->jobs, job, NULL), SN_OK);
    } else {
        struct sn_worker worker = sn_jobs_worker(relay->jobs);
        worker.stop(worker.ctx);
    }
}

static void the_ring_goes_round(void **state) {
    struct relay relay = {*state, 3 * SN_JOBS_QUEUE_MAX};
    const struct sn_job job = {pass_on, &relay, NULL};
    assert_int_equal(sn_jobs_put(*state, job, NULL), SN_OK);
    struct sn_worker worker = sn_jobs_worker(*state);
    worker.run(worker.ctx);
    assert_int_equal(relay.left, 0);
}

struct producer {
    struct sn_jobs *jobs;
    struct record *record;
    size_t step;
};

static void produce(void *ctx) {
    struct producer *producer = ctx;
    const struct sn_job job = {add, producer->record, &producer->step};
    for (size_t i = 0; i < JOBS_EACH;)
        if (sn_jobs_put(producer->jobs, job, NULL) == SN_OK)
            i++;
}

static void many_threads_lose_nothing(void **state) {
    static struct record record;
    static struct sn_thread threads[WORKERS + PRODUCERS];
    struct producer producers[PRODUCERS];
    struct sn_worker worker = sn_jobs_worker(*state);
    assert_true(strlen(worker.name) <= 15);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(sn_thread_start(&threads[i], worker.name, worker.run, worker.ctx, NULL),
                         SN_OK);
    for (size_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){*state, &record, i + 1};
        assert_int_equal(
            sn_thread_start(&threads[WORKERS + i], "producer", produce, &producers[i], NULL),
            SN_OK);
    }
    for (size_t i = 0; i < PRODUCERS; i++)
        sn_thread_join(&threads[WORKERS + i]);
    worker.stop(worker.ctx);
    for (size_t i = 0; i < WORKERS; i++)
        sn_thread_join(&threads[i]);
    assert_int_equal(atomic_load(&record.total), JOBS_EACH * PRODUCERS * (PRODUCERS + 1) / 2);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(jobs_run_in_their_order),
        TEST(one_more_than_the_limit_is_busy),
        TEST(what_waits_is_run_after_stop_and_nothing_new_is_taken),
        TEST(the_ring_goes_round),
        TEST(many_threads_lose_nothing),
    };
    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
