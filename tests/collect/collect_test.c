/* Runners: own metrics, failures, hanging sources, overrides. */
#include "collect/collect.h"

#include "base/mem.h"
#include "collect_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

/* A source under the test's control. */
static struct {
    sn_status status;
    struct sn_fake_clock *clock;
    int64_t takes_ms;
    struct sn_event *entered, *released; /* when set: hang between them */
} script;

static sn_status scripted(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    if (script.entered != NULL) {
        sn_event_set(script.entered, SN_OK, NULL);
        assert_int_equal(sn_event_wait(script.released, -1, NULL), SN_OK);
    }
    if (script.takes_ms > 0)
        sn_fake_clock_advance_ms(script.clock, script.takes_ms);
    if (script.status != SN_OK)
        return sn_err_set(err, script.status, "the script says so");
    return sn_gather_add_plain(gather, "scripted", 42, err);
}

static const struct sn_collect_family scripted_families[] = {
    {"scripted", SN_METRIC_GAUGE, "Always 42."}};
static const struct sn_source scripted_source = {
    .name = "scripted", .families = scripted_families, .family_count = 1, .collect = scripted};
static const struct sn_source *const sources[] = {&scripted_source};

struct fixture {
    struct capture capture;
    struct sn_fake_clock clock;
    struct sn_collect *collect;
    unsigned changes_down, changes_up;
};

static void on_change(void *ctx, const char *source, const struct sn_err *err) {
    struct fixture *fixture = ctx;
    assert_string_equal(source, "scripted");
    if (err != NULL)
        fixture->changes_down++;
    else
        fixture->changes_up++;
}

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    memset(&script, 0, sizeof script);
    capture_init(&fixture->capture);
    sn_fake_clock_init(&fixture->clock, 1000000000, FIXED_TIME_MS);
    script.clock = &fixture->clock;
    const struct sn_collect_options options = {
        .sink = capture_sink(&fixture->capture),
        .clock = &fixture->clock.clock,
        .instance = "host",
        .sources = sources,
        .source_count = 1,
        .on_change = on_change,
        .on_change_ctx = fixture,
    };
    assert_int_equal(sn_collect_open(&options, &fixture->collect, NULL), SN_OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    sn_collect_close(fixture->collect);
    capture_release(&fixture->capture);
    free(fixture);
    return 0;
}

static void a_pass_gives_the_sources_metrics_and_its_own(void **state) {
    struct fixture *fixture = *state;
    script.takes_ms = 250;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_string_equal(
        capture_text(&fixture->capture),
        "scripted{instance=\"host\",job=\"node\"} 42\n"
        "sonde_collector_up{collector=\"scripted\",instance=\"host\",job=\"node\"} 1\n"
        "sonde_collector_duration_seconds{collector=\"scripted\",instance=\"host\",job=\"node\"} "
        "0.25\n"
        "sonde_collector_lost_samples_total{collector=\"scripted\",instance=\"host\",job=\"node\"} "
        "0\n");
    assert_int_equal(fixture->capture.last_time_ms, FIXED_TIME_MS);
}

static void metadata_comes_first_and_then_once_an_hour(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(fixture->capture.metadata_count, 4);
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(fixture->capture.metadata_count, 4);
    sn_fake_clock_advance_ms(&fixture->clock, 3600000);
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(fixture->capture.metadata_count, 8);
}

static void a_failed_pass_says_up_0_and_nothing_else_of_the_source(void **state) {
    struct fixture *fixture = *state;
    struct sn_err err = {0};
    script.status = SN_ERR_DENIED;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", &err), SN_ERR_DENIED);
    assert_string_equal(err.text, "the script says so");
    assert_true(
        capture_has(&fixture->capture,
                    "sonde_collector_up{collector=\"scripted\",instance=\"host\",job=\"node\"} 0"));
    assert_null(strstr(capture_text(&fixture->capture), "scripted{"));
    struct sn_collect_facts facts;
    assert_int_equal(sn_collect_facts(fixture->collect, &facts, 1), 1);
    assert_false(facts.is_up);
    assert_int_equal(facts.failure_count, 1);
}

static void changes_are_told_once_each_way(void **state) {
    struct fixture *fixture = *state;
    script.status = SN_ERR_IO;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_ERR_IO);
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_ERR_IO);
    script.status = SN_OK;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(fixture->changes_down, 1);
    assert_int_equal(fixture->changes_up, 1);
}

static void a_pass_longer_than_its_interval_is_too_late_to_count(void **state) {
    struct fixture *fixture = *state;
    struct sn_err err = {0};
    script.takes_ms = SN_COLLECT_INTERVAL_MS_DEFAULT + 1;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", &err), SN_ERR_TIMEOUT);
    assert_string_equal(err.text, "took 15001 ms, the interval is 15000 ms");
    script.takes_ms = SN_COLLECT_INTERVAL_MS_DEFAULT;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", &err), SN_OK);
}

static void what_the_sink_refuses_is_counted(void **state) {
    struct fixture *fixture = *state;
    struct sn_collect_facts facts;
    fixture->capture.refuse_with = SN_ERR_NO_SPACE;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_ERR_NO_SPACE);
    assert_int_equal(sn_collect_facts(fixture->collect, &facts, 1), 1);
    assert_int_equal(facts.lost_sample_count, 4);
    fixture->capture.refuse_with = SN_OK;
    fixture->capture.reject_count = 2;
    assert_int_equal(sn_collect_pass(fixture->collect, "scripted", NULL), SN_OK);
    assert_int_equal(sn_collect_facts(fixture->collect, &facts, 1), 1);
    assert_int_equal(facts.lost_sample_count, 6);
}

static void run_pass(void *ctx) {
    assert_int_equal(sn_collect_pass(ctx, "scripted", NULL), SN_ERR_TIMEOUT);
}

static void a_hanging_source_is_reported_by_the_watch_once(void **state) {
    struct fixture *fixture = *state;
    struct sn_event entered, released;
    struct sn_thread thread = {0};
    sn_event_init(&entered);
    sn_event_init(&released);
    script.entered = &entered;
    script.released = &released;
    assert_int_equal(sn_thread_start(&thread, "hang", run_pass, fixture->collect, NULL), SN_OK);
    assert_int_equal(sn_event_wait(&entered, -1, NULL), SN_OK);
    sn_collect_watch_once(fixture->collect);
    assert_int_equal(fixture->capture.push_count, 0);
    sn_fake_clock_advance_ms(&fixture->clock, SN_COLLECT_INTERVAL_MS_DEFAULT + 1);
    sn_collect_watch_once(fixture->collect);
    sn_collect_watch_once(fixture->collect);
    assert_int_equal(fixture->capture.push_count, 1);
    assert_string_equal(
        capture_text(&fixture->capture),
        "sonde_collector_up{collector=\"scripted\",instance=\"host\",job=\"node\"} 0\n");
    sn_event_set(&released, SN_OK, NULL);
    sn_thread_join(&thread);
    sn_event_release(&entered);
    sn_event_release(&released);
}

static void overrides_are_checked(void **state) {
    (void)state;
    struct sn_collect *collect = NULL;
    struct sn_err err = {0};
    struct sn_collect_override override = {.name = "cpus"};
    struct sn_collect_options options = {.overrides = &override, .override_count = 1};
    assert_int_equal(sn_collect_open(&options, &collect, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "there is no collector \"cpus\"");
    override = (struct sn_collect_override){.name = "cpu", .interval_ms = 99};
    assert_int_equal(sn_collect_open(&options, &collect, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "99 ms is outside 100 ms to 3600000 ms"));
    override = (struct sn_collect_override){.name = "cpu", .is_disabled = true};
    assert_int_equal(sn_collect_open(&options, &collect, &err), SN_OK);
    struct sn_collect_facts facts[SN_COLLECT_SOURCES_MAX];
    size_t count = sn_collect_facts(collect, facts, SN_COLLECT_SOURCES_MAX);
    assert_int_equal(count, 11);
    for (size_t i = 0; i < count; i++)
        assert_string_not_equal(facts[i].name, "cpu");
    assert_int_equal(sn_collect_pass(collect, "cpu", &err), SN_ERR_NOT_FOUND);
    sn_collect_close(collect);
}

static void passes_are_aligned_to_multiples_of_the_interval(void **state) {
    (void)state;
    assert_int_equal(sn_collect_next_ms(1000, 15000), 15000);
    assert_int_equal(sn_collect_next_ms(14999, 15000), 15000);
    assert_int_equal(sn_collect_next_ms(15000, 15000), 30000);
}

static void the_real_sources_work_on_this_machine(void **state) {
    (void)state;
    struct capture capture;
    struct sn_collect *collect = NULL;
    capture_init(&capture);
    const struct sn_collect_options options = {.sink = capture_sink(&capture), .instance = "me"};
    assert_int_equal(sn_collect_open(&options, &collect, NULL), SN_OK);
    struct sn_collect_facts facts[SN_COLLECT_SOURCES_MAX];
    size_t count = sn_collect_facts(collect, facts, SN_COLLECT_SOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct sn_err err = {0};
        sn_status status = sn_collect_pass(collect, facts[i].name, &err);
        /* A kernel without pressure statistics is one that we may run on. */
        if (status != SN_OK && strcmp(facts[i].name, "pressure") != 0)
            fail_msg("%s: %s", facts[i].name, err.text);
    }
    assert_non_null(strstr(capture_text(&capture), "node_memory_MemTotal_bytes{"));
    sn_collect_close(collect);
    capture_release(&capture);
}

static void workers_start_pass_at_once_and_stop(void **state) {
    struct fixture *fixture = *state;
    struct sn_worker workers[SN_COLLECT_SOURCES_MAX + 1];
    struct sn_thread threads[2] = {{0}};
    assert_int_equal(sn_collect_workers(fixture->collect, workers, SN_COLLECT_SOURCES_MAX + 1), 2);
    struct sn_event pushed;
    sn_event_init(&pushed);
    fixture->capture.pushed = &pushed;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            sn_thread_start(&threads[i], workers[i].name, workers[i].run, workers[i].ctx, NULL),
            SN_OK);
    assert_int_equal(sn_event_wait(&pushed, -1, NULL), SN_OK);
    for (size_t i = 0; i < 2; i++)
        workers[i].stop(workers[i].ctx);
    for (size_t i = 0; i < 2; i++)
        sn_thread_join(&threads[i]);
    assert_int_equal(fixture->capture.push_count, 1);
    fixture->capture.pushed = NULL;
    sn_event_release(&pushed);
}

static void run_stopped_pass(void *ctx) {
    assert_int_equal(sn_collect_pass(ctx, "scripted", NULL), SN_ERR_CLOSED);
}

static void a_source_that_comes_back_after_stop_pushes_nothing(void **state) {
    struct fixture *fixture = *state;
    struct sn_event entered, released;
    struct sn_thread thread = {0};
    struct sn_worker workers[2];
    sn_event_init(&entered);
    sn_event_init(&released);
    script.entered = &entered;
    script.released = &released;
    assert_int_equal(sn_thread_start(&thread, "late", run_stopped_pass, fixture->collect, NULL),
                     SN_OK);
    assert_int_equal(sn_event_wait(&entered, -1, NULL), SN_OK);
    assert_int_equal(sn_collect_workers(fixture->collect, workers, 2), 2);
    workers[0].stop(workers[0].ctx);
    sn_event_set(&released, SN_OK, NULL);
    sn_thread_join(&thread);
    assert_int_equal(fixture->capture.push_count, 0);
    assert_int_equal(fixture->changes_down, 0);
    sn_event_release(&entered);
    sn_event_release(&released);
}

static void every_allocation_of_open_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1; n < 100; n++) {
        struct sn_collect *collect = NULL;
        const struct sn_collect_options options = {.instance = "me"};
        int64_t blocks = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = sn_collect_open(&options, &collect, NULL);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        if (status == SN_OK)
            sn_collect_close(collect);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!fired)
            return;
        assert_int_equal(status, SN_ERR_NO_MEMORY);
    }
    fail();
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_pass_gives_the_sources_metrics_and_its_own),
        WITH_FIXTURE(metadata_comes_first_and_then_once_an_hour),
        WITH_FIXTURE(a_failed_pass_says_up_0_and_nothing_else_of_the_source),
        WITH_FIXTURE(changes_are_told_once_each_way),
        WITH_FIXTURE(a_pass_longer_than_its_interval_is_too_late_to_count),
        WITH_FIXTURE(what_the_sink_refuses_is_counted),
        WITH_FIXTURE(a_hanging_source_is_reported_by_the_watch_once),
        cmocka_unit_test(overrides_are_checked),
        cmocka_unit_test(passes_are_aligned_to_multiples_of_the_interval),
        cmocka_unit_test(the_real_sources_work_on_this_machine),
        WITH_FIXTURE(workers_start_pass_at_once_and_stop),
        WITH_FIXTURE(a_source_that_comes_back_after_stop_pushes_nothing),
        cmocka_unit_test(every_allocation_of_open_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
