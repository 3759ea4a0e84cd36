/* The StatsD thread: receives, flushes, and flushes once more when it is stopped. */
#include "app/statsd_worker.h"

#include "app_support.h"
#include "base/buf.h"
#include "base/os.h"
#include "net/address.h"

#include <stdio.h>
#include <unistd.h>

/* Guarded by mu. */
struct store {
    struct sn_mutex mu;
    struct sn_cond changed;
    uint64_t sample_count;
    double value; /* of the last sample */
};

static sn_status store_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                            struct sn_push_result *ret_result, struct sn_err *err) {
    struct store *store = ctx;
    (void)err;
    sn_mutex_lock(&store->mu);
    store->sample_count += batch->sample_count;
    store->value = batch->samples[batch->sample_count - 1].value;
    sn_cond_broadcast(&store->changed);
    sn_mutex_unlock(&store->mu);
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    if (done.fn != NULL)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static void send_to(const struct sn_datagrams *datagrams, const char *text) {
    struct sn_address address;
    assert_int_equal(sn_address_parse(sn_str_from(sn_datagrams_address(datagrams)), &address, NULL),
                     SN_OK);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        sendto(fd, text, strlen(text), 0, &address.socket.any, sn_address_socket_len(&address)),
        strlen(text));
    (void)close(fd);
}

static void what_arrives_is_flushed_at_the_interval_and_at_the_end(void **state) {
    (void)state;
    struct store store = {.sample_count = 0};
    struct sn_ingest ingest;
    struct sn_thread thread = {.is_running = false};
    struct sn_statsd_worker worker = {.flush_interval_ms = 100};
    const struct sn_datagrams_options options = {.listen = SN_STR("127.0.0.1:0")};
    sn_mutex_init(&store.mu, SN_RANK_STORE_APPEND, "test store");
    sn_cond_init(&store.changed);
    sn_ingest_init(&ingest, (struct sn_sink){.ctx = &store, .push = store_push});
    const struct sn_statsd_state_options state_options = {.ingest = &ingest};
    assert_int_equal(sn_datagrams_open(&options, &worker.datagrams, NULL), SN_OK);
    assert_int_equal(sn_statsd_state_new(&state_options, &worker.state, NULL), SN_OK);
    struct sn_worker job = sn_statsd_worker(&worker);
    send_to(worker.datagrams, "a:1|c");
    assert_int_equal(sn_thread_start(&thread, job.name, job.run, job.ctx, NULL), SN_OK);
    sn_mutex_lock(&store.mu);
    while (store.sample_count == 0)
        sn_cond_wait(&store.changed, &store.mu);
    sn_mutex_unlock(&store.mu);
    send_to(worker.datagrams, "a:41|c\nbad");
    job.stop(job.ctx);
    sn_thread_join(&thread);
    assert_true(store.value == 42);
    (void)sn_statsd_state_free(worker.state);   /* NULL, always */
    (void)sn_datagrams_close(worker.datagrams); /* the same */
    sn_cond_release(&store.changed);
    sn_mutex_release(&store.mu);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_is_flushed_at_the_interval_and_at_the_end),
    };
    return cmocka_run_group_tests_name("statsd_worker", tests, NULL, NULL);
}
