/* Helpers that read ahead: the same samples in the same order, whoever reads them. */
#include "query/read_ahead.h"

#include "base/lock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

enum { SERIES_MAX = 500, HELPERS = 3 };

struct fixture {
    struct sn_read_pool *pool;
    struct sn_reader reader;
    struct sn_worker workers[HELPERS];
    struct sn_thread threads[HELPERS];
    struct sn_read_series series[SERIES_MAX];
    atomic_uint read_count;
    uint64_t failing_id;
    unsigned helper_count;
};

/* Series n has n % 7 samples. */
static sn_status read_some(void *ctx, uint64_t series_id, struct sn_range range,
                           struct sn_samples *samples, struct sn_err *err) {
    struct fixture *fixture = ctx;
    size_t count = series_id % 7;
    atomic_fetch_add(&fixture->read_count, 1);
    if (series_id == fixture->failing_id) {
        return sn_err_set(err, SN_ERR_CORRUPT, "series %u is damaged", (unsigned)series_id);
    }
    SN_TRY(sn_samples_reserve(samples, count));
    for (size_t i = 0; i < count; i++) {
        samples->time_ms[samples->count] = range.start_ms + (int64_t)i;
        samples->value[samples->count++] = (double)series_id;
    }
    return SN_OK;
}

static void start(struct fixture *fixture, unsigned helper_count) {
    *fixture = (struct fixture){.failing_id = UINT64_MAX, .helper_count = helper_count};
    fixture->pool = sn_read_pool_new();
    assert_non_null(fixture->pool);
    fixture->reader = (struct sn_reader){.ctx = fixture, .samples = read_some};
    for (size_t i = 0; i < SERIES_MAX; i++) {
        fixture->series[i].id = i;
    }
    for (unsigned i = 0; i < helper_count; i++) {
        struct sn_worker *worker = &fixture->workers[i];
        *worker = sn_read_pool_worker(fixture->pool);
        assert_int_equal(
            sn_thread_start(&fixture->threads[i], worker->name, worker->run, worker->ctx, NULL),
            SN_OK);
    }
}

static void finish(struct fixture *fixture) {
    for (unsigned i = 0; i < fixture->helper_count; i++) {
        fixture->workers[i].stop(fixture->workers[i].ctx);
    }
    for (unsigned i = 0; i < fixture->helper_count; i++) {
        sn_thread_join(&fixture->threads[i]);
    }
    fixture->pool = sn_read_pool_free(fixture->pool);
}

static struct sn_read_job *open_job(struct fixture *fixture, size_t count) {
    struct sn_read_job *job = NULL;
    struct sn_series_list list = {.items = fixture->series, .count = count};
    assert_int_equal(sn_read_job_open(fixture->pool, &fixture->reader, list,
                                      (struct sn_range){100, 200}, &job, NULL),
                     SN_OK);
    return job;
}

static void check_take(struct sn_read_job *job, struct sn_samples *samples, size_t id) {
    assert_int_equal(sn_read_job_next(job), id);
    assert_int_equal(sn_read_job_take(job, samples, NULL), SN_OK);
    assert_int_equal(samples->count, id % 7);
    for (size_t i = 0; i < samples->count; i++) {
        assert_int_equal(samples->time_ms[i], 100 + (int64_t)i);
        assert_true(samples->value[i] == (double)id);
    }
}

static void every_series_comes_once_and_in_order(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 15, 16, 17, 96, 97, SERIES_MAX};
    struct fixture fixture;
    for (unsigned helpers = 0; helpers <= HELPERS; helpers++) {
        start(&fixture, helpers);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            struct sn_samples samples;
            sn_samples_init(&samples);
            struct sn_read_job *job = open_job(&fixture, counts[i]);
            atomic_store(&fixture.read_count, 0);
            for (size_t id = 0; id < counts[i]; id++) {
                check_take(job, &samples, id);
            }
            job = sn_read_job_close(job);
            sn_samples_release(&samples);
        }
        finish(&fixture);
    }
}

static void only_so_many_blocks_are_read_ahead(void **state) {
    (void)state;
    struct fixture fixture;
    struct sn_samples samples;
    sn_samples_init(&samples);
    start(&fixture, 2);
    struct sn_read_job *job = open_job(&fixture, SERIES_MAX);
    for (size_t id = 0; id < 200; id++) {
        check_take(job, &samples, id);
        /* The last series of a block gives its slot back. */
        size_t blocks = (id + 1) / SN_READ_BLOCK_SERIES + SN_READ_SLOTS;
        assert_true(atomic_load(&fixture.read_count) <= blocks * SN_READ_BLOCK_SERIES);
    }
    job = sn_read_job_close(job); /* in the middle: helpers let go */
    sn_samples_release(&samples);
    finish(&fixture);
}

static void a_failure_comes_at_its_series_and_not_before(void **state) {
    (void)state;
    struct fixture fixture;
    for (unsigned helpers = 0; helpers <= 1; helpers++) {
        struct sn_samples samples;
        struct sn_err err = {.status = SN_OK};
        sn_samples_init(&samples);
        start(&fixture, helpers);
        fixture.failing_id = 20;
        struct sn_read_job *job = open_job(&fixture, 100);
        for (size_t id = 0; id < 20; id++) {
            check_take(job, &samples, id);
        }
        assert_int_equal(sn_read_job_take(job, &samples, &err), SN_ERR_CORRUPT);
        assert_string_equal(err.text, "series 20 is damaged");
        job = sn_read_job_close(job);
        sn_samples_release(&samples);
        finish(&fixture);
    }
}

struct asker {
    struct fixture *fixture;
    struct sn_thread thread;
};

static void ask(void *ctx) {
    struct asker *asker = ctx;
    struct sn_samples samples;
    sn_samples_init(&samples);
    for (int round = 0; round < 5; round++) {
        struct sn_read_job *job = open_job(asker->fixture, SERIES_MAX);
        for (size_t id = 0; id < SERIES_MAX; id++) {
            check_take(job, &samples, id);
        }
        job = sn_read_job_close(job);
    }
    sn_samples_release(&samples);
}

static void many_jobs_share_the_helpers(void **state) {
    (void)state;
    struct fixture fixture;
    struct asker askers[4];
    start(&fixture, 2);
    for (size_t i = 0; i < 4; i++) {
        askers[i].fixture = &fixture;
        assert_int_equal(sn_thread_start(&askers[i].thread, "asker", ask, &askers[i], NULL), SN_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        sn_thread_join(&askers[i].thread);
    }
    finish(&fixture);
}

static void a_job_is_of_its_list_and_range(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 0);
    struct sn_read_job *job = open_job(&fixture, 30);
    struct sn_series_list list = {.items = fixture.series, .count = 30};
    struct sn_series_list other = {.items = fixture.series, .count = 31};
    assert_true(sn_read_job_is_of(job, &list, (struct sn_range){100, 200}));
    assert_false(sn_read_job_is_of(job, &list, (struct sn_range){100, 201}));
    assert_false(sn_read_job_is_of(job, &list, (struct sn_range){99, 200}));
    assert_false(sn_read_job_is_of(job, &other, (struct sn_range){100, 200}));
    job = sn_read_job_close(job);
    assert_null(sn_read_job_close(NULL));
    finish(&fixture);
}

static void no_memory_is_reported(void **state) {
    (void)state;
    struct fixture fixture;
    struct sn_read_job *job = NULL;
    struct sn_samples samples;
    start(&fixture, 0);
    struct sn_series_list list = {.items = fixture.series, .count = 30};
    struct sn_range range = {100, 200};
    sn_mem_fail_nth(1);
    assert_int_equal(sn_read_job_open(fixture.pool, &fixture.reader, list, range, &job, NULL),
                     SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    sn_samples_init(&samples);
    job = open_job(&fixture, 30);
    sn_mem_fail_nth(1);
    check_take(job, &samples, 0); /* has no samples */
    sn_mem_fail_nth(0);
    assert_int_equal(sn_read_job_take(job, &samples, NULL), SN_ERR_NO_MEMORY);
    job = sn_read_job_close(job);
    sn_samples_release(&samples);
    finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_comes_once_and_in_order),
        cmocka_unit_test(only_so_many_blocks_are_read_ahead),
        cmocka_unit_test(a_failure_comes_at_its_series_and_not_before),
        cmocka_unit_test(many_jobs_share_the_helpers),
        cmocka_unit_test(a_job_is_of_its_list_and_range),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
