/* The manager on a real server: schedule, failures, targets that come and go, other configurations. */
#include "collect/scrape.h"

#include "base/buf.h"
#include "base/mem.h"
#include "model/batch.h"
#include "scrape_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a sink that keeps the newest value of each series ---- */

struct shelf {
    struct sn_mutex mu;
    struct {
        char series[256];
        double value;
        int64_t time_ms;
        int count;
    } items[256];
    size_t item_count;
    sn_status refuse_with;
};

static struct shelf shelf;
static _Atomic int change_count;

static void keep(const struct sn_batch *batch, const struct sn_batch_sample *sample) {
    struct sn_arena arena;
    struct sn_labels labels;
    struct sn_buf buf = {.len = 0};
    size_t i = 0;
    sn_arena_init(&arena, 0);
    if (sn_labels_decode(batch->series[sample->series].labels, &arena, &labels, NULL) != SN_OK)
        abort();
    sn_labels_format(labels, &buf);
    sn_buf_put_byte(&buf, '\0');
    while (i < shelf.item_count && strcmp(shelf.items[i].series, (const char *)buf.ptr) != 0)
        i++;
    if (i < 256) {
        (void)snprintf(shelf.items[i].series, sizeof shelf.items[i].series, "%s",
                       (const char *)buf.ptr);
        shelf.items[i].value = sample->value;
        shelf.items[i].time_ms = sample->time_ms;
        shelf.items[i].count++;
        shelf.item_count += i == shelf.item_count;
    }
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static sn_status push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                      struct sn_push_result *ret_result, struct sn_err *err) {
    (void)ctx;
    (void)done;
    sn_mutex_lock(&shelf.mu);
    sn_status status = shelf.refuse_with;
    for (size_t i = 0; status == SN_OK && i < batch->sample_count; i++)
        keep(batch, &batch->samples[i]);
    sn_mutex_unlock(&shelf.mu);
    if (status != SN_OK)
        return sn_err_set(err, status, "refused");
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    return SN_OK;
}

static bool find(const char *series, double *ret_value, int64_t *ret_time_ms, int *ret_count) {
    bool is_there = false;
    sn_mutex_lock(&shelf.mu);
    for (size_t i = 0; i < shelf.item_count; i++)
        if (strcmp(shelf.items[i].series, series) == 0) {
            is_there = true;
            *ret_value = shelf.items[i].value;
            *ret_time_ms = shelf.items[i].time_ms;
            *ret_count = shelf.items[i].count;
        }
    sn_mutex_unlock(&shelf.mu);
    return is_there;
}

struct wish {
    const char *series;
    double value; /* the stale marker by its bits */
};

static bool is_granted(void *ctx) {
    const struct wish *wish = ctx;
    double value;
    int64_t time_ms;
    int count;
    return find(wish->series, &value, &time_ms, &count) &&
           sn_double_bits(value) == sn_double_bits(wish->value);
}

static void wait_for(const char *series, double value) {
    wait_until(is_granted, &(struct wish){series, value});
}

static double stale(void) {
    return sn_double_from_bits(SN_STALE_NAN_BITS);
}

/* ---- the manager ---- */

static void on_change(void *ctx, const char *what, const struct sn_err *err) {
    (void)ctx;
    (void)what;
    (void)err;
    change_count++;
}

/* A job with one group; its address is a server's. */
struct setup {
    struct sn_scrape_config config;
    struct sn_scrape_job jobs[2];
    struct sn_target_group group;
    const char *targets[4];
};

static void setup_init(struct setup *setup, const char *address) {
    memset(setup, 0, sizeof *setup);
    setup->targets[0] = address;
    setup->group.targets = (struct sn_text_list){setup->targets, 1};
    for (int i = 0; i < 2; i++)
        setup->jobs[i] = (struct sn_scrape_job){
            .name = i == 0 ? "j" : "k",
            .scheme = "http",
            .metrics_path = "/metrics",
            .rules = {.interval_ms = 40,
                      .timeout_ms = 40,
                      .protocols = {SN_SCRAPE_OPENMETRICS_1, SN_SCRAPE_TEXT_0},
                      .protocol_count = 2},
            .groups = {&setup->group, 1},
        };
    setup->config.jobs = (struct sn_scrape_job_list){setup->jobs, 1};
}

struct running {
    struct sn_scrape *scrape;
    struct sn_worker workers[SN_SCRAPE_WORKERS_MAX];
    struct sn_thread threads[SN_SCRAPE_WORKERS_MAX];
    size_t count;
};

static struct sn_scrape *make(const struct setup *setup) {
    const struct sn_scrape_options options = {
        .config = &setup->config, .sink = {.push = push}, .on_change = on_change};
    struct sn_scrape *scrape = NULL;
    struct sn_err err = {.status = SN_OK};
    if (sn_scrape_open(&options, &scrape, &err) != SN_OK)
        fail_msg("%s", err.text);
    return scrape;
}

static void start(struct running *running, struct sn_scrape *scrape) {
    memset(running, 0, sizeof *running);
    running->scrape = scrape;
    running->count = sn_scrape_workers(scrape, running->workers, SN_SCRAPE_WORKERS_MAX);
    for (size_t i = 0; i < running->count; i++)
        assert_int_equal(sn_thread_start(&running->threads[i], running->workers[i].name,
                                         running->workers[i].run, running->workers[i].ctx, NULL),
                         SN_OK);
}

static void stop(struct running *running) {
    for (size_t i = 0; i < running->count; i++)
        running->workers[i].stop(running->workers[i].ctx);
    for (size_t i = 0; i < running->count; i++)
        sn_thread_join(&running->threads[i]);
}

static int clear(void **state) {
    (void)state;
    memset(&shelf, 0, sizeof shelf);
    sn_mutex_init(&shelf.mu, SN_RANK_EVENT, "shelf");
    return 0;
}

static const char *series(const char *name, const char *address) {
    static char texts[8][256];
    static int next;
    char *text = texts[next++ % 8];
    (void)snprintf(text, 256, "%s{instance=\"%s\",job=\"j\"}", name, address);
    return text;
}

static void a_target_is_scraped_and_reported(void **state) {
    (void)state;
    struct page_server server;
    struct setup setup;
    struct running running;
    double value;
    int64_t time_ms;
    int count;
    page_server_start(&server);
    page_server_say(&server, 200, "text/plain", "a 1\nb 2\n");
    const char *address = page_server_address(&server);
    setup_init(&setup, address);
    start(&running, make(&setup));
    wait_for(series("up", address), 1);
    wait_for(series("b", address), 2);
    assert_true(is_granted(&(struct wish){series("scrape_samples_scraped", address), 2}));
    assert_true(
        is_granted(&(struct wish){series("scrape_samples_post_metric_relabeling", address), 2}));
    assert_true(find(series("scrape_duration_seconds", address), &value, &time_ms, &count));
    assert_true(value > 0 && value < 60);
    wait_for(series("scrape_series_added", address), 0); /* of the second scrape */
    page_server_say(&server, 200, "text/plain", "a 3\n");
    wait_for(series("b", address), stale());
    wait_for(series("a", address), 3);
    page_server_say(&server, 404, "text/plain", "a 3\n");
    wait_for(series("up", address), 0);
    wait_for(series("a", address), stale());
    page_server_say(&server, 200, "text/plain", "a 4\n");
    wait_for(series("a", address), 4);
    stop(&running);
    (void)sn_scrape_close(running.scrape);
    /* A server that stops says nothing about its targets. */
    assert_true(is_granted(&(struct wish){series("a", address), 4}));
    page_server_stop(&server);
}

static void a_dead_target_is_down_and_shown_with_its_error(void **state) {
    (void)state;
    struct setup setup;
    struct running running;
    struct sn_buf buf = {.len = 0};
    struct sn_json_writer json;
    setup_init(&setup, "127.0.0.1:1");
    start(&running, make(&setup));
    wait_for(series("up", "127.0.0.1:1"), 0);
    sn_json_write_init(&json, &buf, 0);
    assert_int_equal(
        sn_scrape_write_targets(running.scrape, SN_SCRAPE_ANY, SN_STR(""), &json, NULL), SN_OK);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_non_null(strstr((const char *)buf.ptr, "\"health\":\"down\""));
    assert_non_null(strstr((const char *)buf.ptr, "127.0.0.1:1/metrics"));
    assert_null(strstr((const char *)buf.ptr, "\"lastError\":\"\""));
    sn_buf_release(&buf);
    struct sn_scrape_stats stats;
    sn_scrape_stats(running.scrape, &stats);
    assert_int_equal(stats.target_count, 1);
    assert_true(stats.failed_scrape_count >= 1);
    stop(&running);
    (void)sn_scrape_close(running.scrape);
}

static void a_target_that_goes_gets_markers_and_one_that_stays_goes_on(void **state) {
    (void)state;
    struct page_server server;
    struct setup first, second;
    struct running running;
    page_server_start(&server);
    page_server_say(&server, 200, "text/plain", "a 1\n");
    const char *address = page_server_address(&server);
    setup_init(&first, address);
    first.config.jobs.count = 2; /* jobs j and k */
    setup_init(&second, address);
    struct sn_scrape *old = make(&first);
    start(&running, old);
    char of_k[256], up_of_k[256];
    (void)snprintf(of_k, sizeof of_k, "a{instance=\"%s\",job=\"k\"}", address);
    (void)snprintf(up_of_k, sizeof up_of_k, "up{instance=\"%s\",job=\"k\"}", address);
    wait_for(of_k, 1);
    wait_for(series("a", address), 1);
    stop(&running);
    struct sn_scrape *next = make(&second);
    sn_scrape_adopt(next, old);
    (void)sn_scrape_close(old);
    assert_true(is_granted(&(struct wish){of_k, stale()}));
    assert_true(is_granted(&(struct wish){up_of_k, stale()}));
    assert_true(is_granted(&(struct wish){series("a", address), 1}));
    page_server_say(&server, 200, "text/plain", "b 1\n");
    start(&running, next);
    wait_for(series("b", address), 1);
    wait_for(series("a", address), stale()); /* the cache came along */
    stop(&running);
    (void)sn_scrape_close(next);
    page_server_stop(&server);
}

static void too_many_targets_of_a_job_are_all_down(void **state) {
    (void)state;
    struct page_server server;
    struct setup setup;
    struct running running;
    page_server_start(&server);
    page_server_say(&server, 200, "text/plain", "a 1\n");
    const char *address = page_server_address(&server);
    setup_init(&setup, address);
    setup.targets[1] = "127.0.0.1:1";
    setup.group.targets.count = 2;
    setup.jobs[0].rules.target_max = 1;
    start(&running, make(&setup));
    wait_for(series("up", address), 0);
    stop(&running);
    (void)sn_scrape_close(running.scrape);
    page_server_stop(&server);
    assert_int_equal(server.request_count, 0);
}

static void targets_that_are_none_are_reported_and_twins_are_one(void **state) {
    (void)state;
    struct setup setup;
    setup_init(&setup, "a:1");
    setup.targets[1] = "a:1";
    setup.targets[2] = "bad host";
    setup.group.targets.count = 3;
    change_count = 0;
    struct sn_scrape *scrape = make(&setup);
    struct sn_scrape_stats stats;
    sn_scrape_stats(scrape, &stats);
    assert_int_equal(stats.target_count, 1);
    assert_int_equal(stats.invalid_target_count, 1);
    assert_int_equal(change_count, 1);
    (void)sn_scrape_close(scrape);
}

static void what_the_sink_refuses_is_counted(void **state) {
    (void)state;
    struct page_server server;
    struct setup setup;
    struct running running;
    page_server_start(&server);
    page_server_say(&server, 200, "text/plain", "a 1\n");
    setup_init(&setup, page_server_address(&server));
    shelf.refuse_with = SN_ERR_NO_SPACE;
    change_count = 0;
    start(&running, make(&setup));
    struct sn_scrape_stats stats = {0};
    while (stats.lost_sample_count < 12) {
        sn_scrape_stats(running.scrape, &stats);
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    }
    stop(&running);
    assert_int_equal(change_count, 1);
    (void)sn_scrape_close(running.scrape);
    page_server_stop(&server);
}

static void nothing_to_scrape_needs_no_thread(void **state) {
    (void)state;
    struct setup setup;
    struct sn_worker workers[SN_SCRAPE_WORKERS_MAX];
    setup_init(&setup, "a:1");
    setup.config.jobs.count = 0;
    struct sn_scrape *scrape = make(&setup);
    assert_int_equal(sn_scrape_workers(scrape, workers, SN_SCRAPE_WORKERS_MAX), 0);
    (void)sn_scrape_close(scrape);
}

static void any_allocation_of_making_may_fail(void **state) {
    (void)state;
    struct setup setup;
    setup_init(&setup, "a:1");
    for (uint64_t n = 1;; n++) {
        const struct sn_scrape_options options = {
            .config = &setup.config, .sink = {.push = push}, .on_change = on_change};
        struct sn_scrape *scrape = NULL;
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = sn_scrape_open(&options, &scrape, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || (has_fired && status == SN_ERR_NO_MEMORY));
        (void)sn_scrape_close(scrape);
        assert_int_equal(sn_mem_block_count(), before);
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, clear)
        TEST(a_target_is_scraped_and_reported),
        TEST(a_dead_target_is_down_and_shown_with_its_error),
        TEST(a_target_that_goes_gets_markers_and_one_that_stays_goes_on),
        TEST(too_many_targets_of_a_job_are_all_down),
        TEST(targets_that_are_none_are_reported_and_twins_are_one),
        TEST(what_the_sink_refuses_is_counted),
        TEST(nothing_to_scrape_needs_no_thread),
        TEST(any_allocation_of_making_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
