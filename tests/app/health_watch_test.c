/* The watch over the store: what it says, and when. */
#include "app/health_watch.h"

#include "app_support.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void run_store(void *ctx) {
    ((struct sn_worker *)ctx)->run(((struct sn_worker *)ctx)->ctx);
}

/* Push one sample and wait for its fate. */
static sn_status push_one(struct sn_store *store, int64_t time_ms) {
    struct sn_batch_builder builder;
    struct sn_push_result result;
    sn_batch_builder_init(&builder, 0);
    assert_int_equal(sn_batch_builder_add_pairs(&builder, SN_STR("m"), NULL, 0, time_ms, 1, NULL),
                     SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&builder);
    sn_status status = sn_sink_push_wait(sn_store_sink(store), &batch, &result, NULL);
    sn_batch_builder_release(&builder);
    return status;
}

static void a_failing_disk_is_said_once_and_its_end_once(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    struct sn_store *store = NULL;
    struct sn_worker workers[SN_STORE_WORKERS_MAX];
    struct sn_thread thread = {0};
    struct sn_health_watch watch;
    struct capture capture;
    const struct sn_store_options options = {.dir = dir, .probe_interval_ms = 3600000};
    const struct sn_log_options log_options = {.level_min = SN_LOG_INFO, .fd = 2};
    int64_t now_ms = sn_clock_wall_ms(sn_clock_system());
    assert_int_equal(sn_store_open(&options, &store, NULL), SN_OK);
    assert_int_equal(sn_store_workers(store, workers, SN_STORE_WORKERS_MAX), 2);
    assert_int_equal(sn_thread_start(&thread, "sync", run_store, &workers[0], NULL), SN_OK);
    sn_health_watch_init(&watch, store);
    capture_begin(&capture, 2);
    assert_int_equal(sn_log_open(&log_options, NULL), SN_OK);
    assert_true(sn_health_watch_once(&watch));
    sn_fault_arm(SN_FAULT_FSYNC, 1, UINT64_MAX, EIO);
    assert_int_equal(push_one(store, now_ms), SN_ERR_IO);
    assert_false(sn_health_watch_once(&watch));
    assert_false(sn_health_watch_once(&watch));
    sn_log_drain();
    sn_log_close();
    char *text = capture_end(&capture);
    char *first = strstr(text, "error store: since ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "error store:"));
    free(text);
    sn_fault_disarm_all();
    workers[0].stop(workers[0].ctx);
    sn_thread_join(&thread);
    sn_health_watch_release(&watch);
    (void)sn_store_close(store); /* NULL, always */
    remove_temp_dir(dir);
}

static void the_worker_stops_at_once(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    struct sn_store *store = NULL;
    struct sn_health_watch watch;
    struct sn_thread thread = {0};
    const struct sn_store_options options = {.dir = dir};
    assert_int_equal(sn_store_open(&options, &store, NULL), SN_OK);
    sn_health_watch_init(&watch, store);
    struct sn_worker worker = sn_health_watch_worker(&watch);
    assert_int_equal(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    worker.stop(worker.ctx);
    assert_true(sn_thread_join_within(&thread, INT64_C(10000000000)));
    sn_health_watch_release(&watch);
    (void)sn_store_close(store); /* NULL, always */
    remove_temp_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failing_disk_is_said_once_and_its_end_once),
        cmocka_unit_test(the_worker_stops_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
