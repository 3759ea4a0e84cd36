/* Tests of the sender without its thread: verdicts, back-off in fake time, order, what is counted,
 * memory and system calls that fail. */
#include "push_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <errno.h>
#include <stdio.h>

#define NS_PER_MS INT64_C(1000000)

struct fixture {
    struct sn_fake_clock clock;
    struct push_server *server;
    sonde_collector *push;
};

static void open_push(struct fixture *f, const enum push_action *script, size_t len) {
    f->server = push_server_start(script, len);
    const sonde_collector_options options = {.service = "s",
                                             .url = f->server->url,
                                             .record_max = 10,
                                             .batch_max = 4,
                                             .backoff_min_ms = 100,
                                             .backoff_max_ms = 1000,
                                             .flush_interval_ms = 50,
                                             .timeout_ms = 3000};
    sn_fake_clock_init(&f->clock, 0, 1000000);
    f->push = sn_push_open(&options, &f->clock.clock, false, NULL);
    assert_non_null(f->push);
}

static void close_push(struct fixture *f) {
    f->push = sonde_collector_free(f->push);
    push_server_free(f->server);
}

static sonde_collector_stats stats_of(const struct fixture *f) {
    sonde_collector_stats stats;
    sonde_collector_read(f->push, &stats);
    assert_int_equal(stats.submitted,
                     stats.sent + stats.queued + sonde_collector_dropped_count(f->push));
    return stats;
}

static void record(struct fixture *f, int count) {
    for (int i = 0; i < count; i++)
        sonde_collector_track_operation(f->push, "x", i, NULL);
}

static int64_t wait_ms(struct fixture *f) {
    sn_mutex_lock(&f->push->mu);
    int64_t wait_ns = sn_push_wait_ns_locked(f->push, sn_clock_mono_ns(&f->clock.clock));
    sn_mutex_unlock(&f->push->mu);
    return (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
}

static void batches_go_when_full_and_otherwise_at_the_interval(void **state) {
    (void)state;
    struct fixture f;
    open_push(&f, NULL, 0);
    assert_int_equal(wait_ms(&f), 50);
    record(&f, 3);
    assert_int_equal(wait_ms(&f), 50);
    record(&f, 1);
    assert_int_equal(wait_ms(&f), 0);
    record(&f, 1);
    assert_true(sn_push_round(f.push));
    assert_int_equal(stats_of(&f).sent, 4);
    assert_int_equal(wait_ms(&f), 50);
    assert_true(sn_push_round(f.push));
    assert_int_equal(stats_of(&f).sent, 5);
    assert_int_equal(stats_of(&f).batches, 2);
    assert_true(sn_push_round(f.push));
    assert_int_equal(atomic_load(&f.server->request_count), 2);
    close_push(&f);
}

/* One answer; afterwards the sample is sent, dropped as said, or still there. */
static void every_answer_has_its_verdict(void **state) {
    (void)state;
    static const struct {
        enum push_action action;
        char verdict; /* stored, refused, later */
    } cases[] = {{PUSH_OK, 's'},    {PUSH_204, 's'},     {PUSH_OK_SLOWLY, 's'}, {PUSH_400, 'r'},
                 {PUSH_429, 'l'},   {PUSH_408, 'l'},     {PUSH_503, 'l'},       {PUSH_302, 'l'},
                 {PUSH_CLOSE, 'l'}, {PUSH_GARBAGE, 'l'}, {PUSH_TRUNCATED, 'l'}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        open_push(&f, &cases[i].action, 1);
        record(&f, 1);
        assert_int_equal(sn_push_round(f.push), cases[i].verdict != 'l');
        sonde_collector_stats stats = stats_of(&f);
        assert_int_equal(stats.sent, cases[i].verdict == 's');
        assert_int_equal(stats.dropped_refused, cases[i].verdict == 'r');
        assert_int_equal(stats.queued, cases[i].verdict == 'l');
        assert_int_equal(stats.failures, cases[i].verdict == 'l');
        assert_int_equal(stats.last_error[0] == '\0', cases[i].verdict == 's');
        sn_fake_clock_advance_ms(&f.clock, 1000);
        assert_true(sn_push_round(f.push));
        assert_int_equal(stats_of(&f).queued, 0);
        close_push(&f);
    }
}

static void what_the_server_rejects_is_counted(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_ONE_LESS};
    struct fixture f;
    open_push(&f, script, 1);
    record(&f, 3);
    assert_true(sn_push_round(f.push));
    assert_int_equal(stats_of(&f).sent, 2);
    assert_int_equal(stats_of(&f).dropped_rejected, 1);
    close_push(&f);
}

static void rests_grow_up_to_a_bound_and_start_again(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503, PUSH_503, PUSH_503, PUSH_503, PUSH_503,
                                              PUSH_503, PUSH_OK,  PUSH_503, PUSH_429};
    static const int64_t longest_ms[] = {100, 200, 400, 800, 1000, 1000, 0, 100, 1000};
    struct fixture f;
    open_push(&f, script, 9);
    for (size_t i = 0; i < 9; i++) {
        record(&f, 1);
        bool is_good = sn_push_round(f.push);
        assert_int_equal(is_good, script[i] == PUSH_OK);
        if (is_good)
            continue;
        assert_in_range(wait_ms(&f), longest_ms[i] / 2, longest_ms[i]);
        /* Before that time nothing is tried, whatever is asked for. */
        sn_fake_clock_advance_ms(&f.clock, wait_ms(&f) - 1);
        assert_true(sn_push_round(f.push));
        assert_int_equal(atomic_load(&f.server->request_count), i + 1);
        sn_fake_clock_advance_ms(&f.clock, 1);
    }
    /* The server asked for 7 s; that is cut at the longest rest. */
    while (stats_of(&f).queued > 0)
        assert_true(sn_push_round(f.push));
    assert_int_equal(push_count_lines(f.server->stored), 9);
    close_push(&f);
}

static void samples_arrive_in_order_and_the_oldest_are_lost(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503};
    struct fixture f;
    open_push(&f, script, 1);
    record(&f, 10);
    assert_false(sn_push_round(f.push));
    record(&f, 1);
    assert_int_equal(stats_of(&f).dropped_overflow, 1);
    sn_fake_clock_advance_ms(&f.clock, 1000);
    while (stats_of(&f).queued > 0)
        assert_true(sn_push_round(f.push));
    char *at = f.server->stored;
    for (int i = 1; i < 11; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "} %d 10000%02d\n", i % 10, i);
        at = strstr(at, expected);
        assert_non_null(at);
    }
    assert_int_equal(stats_of(&f).sent, 10);
    close_push(&f);
}

static void what_is_sent_again_is_the_same(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_OK_THEN_CLOSE, PUSH_TRUNCATED};
    struct fixture f;
    open_push(&f, script, 2);
    record(&f, 4);
    assert_true(sn_push_round(f.push));
    record(&f, 2);
    assert_false(sn_push_round(f.push));
    sn_fake_clock_advance_ms(&f.clock, 1000);
    assert_true(sn_push_round(f.push));
    assert_int_equal(push_count_lines(f.server->stored), 6);
    assert_non_null(strstr(f.server->stored, "} 0 1000004\n"));
    close_push(&f);
}

static void closing_goes_on_trying(void **state) {
    (void)state;
    static const enum push_action script[] = {PUSH_503, PUSH_OK, PUSH_503};
    struct fixture f;
    open_push(&f, script, 3);
    record(&f, 6);
    assert_false(sn_push_round(f.push));
    assert_true(sonde_collector_close(f.push, 5000));
    assert_int_equal(stats_of(&f).sent, 6);
    assert_int_equal(stats_of(&f).failures, 2);
    record(&f, 1);
    assert_int_equal(stats_of(&f).dropped_closed, 1);
    assert_true(sonde_collector_close(f.push, 0));
    close_push(&f);
}

static void closing_without_time_counts_all_as_lost(void **state) {
    (void)state;
    struct fixture f;
    open_push(&f, NULL, 0);
    record(&f, 6);
    assert_true(sonde_collector_close(f.push, 0));
    assert_int_equal(stats_of(&f).dropped_closed, 6);
    assert_int_equal(atomic_load(&f.server->request_count), 0);
    close_push(&f);
}

#ifdef SN_FAULTS
static void whatever_fails_nothing_is_lost_and_no_memory_is_needed(void **state) {
    (void)state;
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        struct fixture f;
        open_push(&f, NULL, 0);
        sn_mem_fail_from(1);
        sn_fault_arm(SN_FAULT_ANY, n, 1, EIO);
        record(&f, 4);
        for (int i = 0; i < 3; i++) {
            (void)sn_push_round(f.push);
            record(&f, 1);
            sn_fake_clock_advance_ms(&f.clock, 2000);
        }
        has_fired = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        (void)sn_push_round(f.push);
        (void)sn_push_round(f.push);
        assert_false(sn_mem_fail_fired());
        sn_mem_fail_from(0);
        assert_int_equal(stats_of(&f).sent, 7);
        close_push(&f);
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_go_when_full_and_otherwise_at_the_interval),
        cmocka_unit_test(every_answer_has_its_verdict),
        cmocka_unit_test(what_the_server_rejects_is_counted),
        cmocka_unit_test(rests_grow_up_to_a_bound_and_start_again),
        cmocka_unit_test(samples_arrive_in_order_and_the_oldest_are_lost),
        cmocka_unit_test(what_is_sent_again_is_the_same),
        cmocka_unit_test(closing_goes_on_trying),
        cmocka_unit_test(closing_without_time_counts_all_as_lost),
#ifdef SN_FAULTS
        cmocka_unit_test(whatever_fails_nothing_is_lost_and_no_memory_is_needed),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
