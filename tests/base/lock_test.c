/* Tests of ranked mutexes, condition variables, events and threads. Made for TSan too. */
#include "base/lock.h"

#include "base/clock.h"
#include "base_support.h"

#include <signal.h>

#define MS INT64_C(1000000)

/* Outer and inner mutexes, global for the functions that die. */
static struct sn_mutex outer;
static struct sn_mutex inner;
static struct sn_cond cond;

static int setup(void **state) {
    (void)state;
    sn_mutex_init(&outer, SN_RANK_INGEST, "outer");
    sn_mutex_init(&inner, SN_RANK_STORE_APPEND, "inner");
    sn_cond_init(&cond);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sn_cond_release(&cond);
    sn_mutex_release(&inner);
    sn_mutex_release(&outer);
    return 0;
}

static void mutexes_nest_by_rank_and_open_in_any_order(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        sn_mutex_lock(&outer);
        sn_mutex_lock(&inner);
        sn_mutex_unlock(&outer);
        sn_mutex_unlock(&inner);
    }
    sn_mutex_lock(&inner);
    sn_mutex_unlock(&inner);
}

static void take_in_wrong_order(void) {
    sn_mutex_lock(&inner);
    sn_mutex_lock(&outer);
    sn_mutex_unlock(&outer);
    sn_mutex_unlock(&inner);
}

static void try_in_wrong_order(void) {
    sn_mutex_lock(&inner);
    if (sn_mutex_try_lock(&outer))
        sn_mutex_unlock(&outer);
    sn_mutex_unlock(&inner);
}

/* What follows is wrong on purpose, and clang would say so at compile time. */
static void take_twice(void) SN_NO_LOCK_ANALYSIS;
static void take_twice(void) {
    sn_mutex_lock(&inner);
    sn_mutex_lock(&inner);
}

static void unlock_what_is_not_held(void) SN_NO_LOCK_ANALYSIS;
static void unlock_what_is_not_held(void) {
    sn_mutex_lock(&outer);
    sn_mutex_unlock(&inner);
}

static void wait_under_a_higher_mutex(void) {
    sn_mutex_lock(&outer);
    sn_mutex_lock(&inner);
    (void)sn_cond_wait_ns(&cond, &outer, 1);
    sn_mutex_unlock(&inner);
    sn_mutex_unlock(&outer);
}

static void violations_of_the_rank_rule_abort_with_both_names(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    assert_true(dies_saying(take_in_wrong_order,
                            "cannot take \"outer\" (rank 40), held: \"inner\" (rank 58)"));
    assert_true(dies_saying(try_in_wrong_order, "cannot take \"outer\""));
    assert_true(dies_saying(take_twice, "cannot take \"inner\" (rank 58), held: \"inner\""));
    assert_true(dies_saying(unlock_what_is_not_held, "cannot give back \"inner\""));
    assert_true(dies_saying(wait_under_a_higher_mutex, "cannot wait with \"outer\""));
}

static void start(struct sn_thread *thread, void (*run)(void *ctx), void *ctx) {
    struct sn_err err = {0};
    if (sn_thread_start(thread, "test", run, ctx, &err) != SN_OK)
        fail_msg("%s", err.text);
}

static void try_once(void *ctx) {
    bool *ret_got_it = ctx;
    *ret_got_it = false;
    if (sn_mutex_try_lock(&inner)) {
        *ret_got_it = true;
        sn_mutex_unlock(&inner);
    }
}

static void try_lock_fails_while_another_thread_holds_the_mutex(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    bool got_it = true;
    sn_mutex_lock(&inner);
    start(&thread, try_once, &got_it);
    sn_thread_join(&thread);
    sn_mutex_unlock(&inner);
    assert_false(got_it);
    start(&thread, try_once, &got_it);
    sn_thread_join(&thread);
    assert_true(got_it);
}

#define THREADS 4
#define ROUNDS 5000

static uint64_t guarded_count;

static void count_guarded(void *ctx) {
    (void)ctx;
    for (int i = 0; i < ROUNDS; i++) {
        sn_mutex_lock(&outer);
        sn_mutex_lock(&inner);
        guarded_count++;
        sn_mutex_unlock(&inner);
        sn_mutex_unlock(&outer);
    }
}

static void a_mutex_excludes(void **state) {
    (void)state;
    struct sn_thread threads[THREADS] = {0};
    guarded_count = 0;
    for (size_t i = 0; i < THREADS; i++)
        start(&threads[i], count_guarded, NULL);
    for (size_t i = 0; i < THREADS; i++)
        sn_thread_join(&threads[i]);
    assert_int_equal(guarded_count, THREADS * ROUNDS);
}

static bool is_ready;

static void wait_until_ready(void *ctx) {
    (void)ctx;
    sn_mutex_lock(&inner);
    while (!is_ready)
        sn_cond_wait(&cond, &inner);
    sn_mutex_unlock(&inner);
}

static void set_ready(void *ctx) {
    void (*wake)(struct sn_cond *) = *(void (**)(struct sn_cond *))ctx;
    sn_mutex_lock(&inner);
    is_ready = true;
    wake(&cond);
    sn_mutex_unlock(&inner);
}

static void signal_and_broadcast_wake_waiters(void **state) {
    (void)state;
    void (*wakes[])(struct sn_cond *) = {sn_cond_signal, sn_cond_broadcast};
    for (size_t i = 0; i < 2; i++) {
        struct sn_thread thread = {0};
        is_ready = false;
        start(&thread, wait_until_ready, NULL);
        set_ready(&wakes[i]);
        sn_thread_join(&thread);
    }
}

static void a_wait_with_a_limit_ends_by_signal_or_by_time(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    void (*wake)(struct sn_cond *) = sn_cond_signal;
    is_ready = false;
    sn_mutex_lock(&inner);
    assert_false(sn_cond_wait_ns(&cond, &inner, 0));
    assert_false(sn_cond_wait_ns(&cond, &inner, -5));
    assert_false(sn_cond_wait_ns(&cond, &inner, INT64_MIN));
    int64_t before = sn_clock_mono_ns(sn_clock_system());
    while (sn_cond_wait_ns(&cond, &inner, 2 * MS)) {
        /* woken by nobody */
    }
    assert_true(sn_clock_mono_ns(sn_clock_system()) - before >= 2 * MS);
    start(&thread, set_ready, &wake);
    bool is_in_time = true;
    while (!is_ready && is_in_time)
        is_in_time = sn_cond_wait_ns(&cond, &inner, INT64_MAX); /* must not overflow */
    assert_true(is_ready && is_in_time);
    sn_mutex_unlock(&inner);
    sn_thread_join(&thread);
}

static void an_event_gives_its_status_and_sentence_to_every_waiter(void **state) {
    (void)state;
    struct sn_event event;
    struct sn_err cause = {0};
    struct sn_err err = {0};
    sn_event_init(&event);
    (void)sn_err_set(&cause, SN_ERR_NO_SPACE, "disk full");
    sn_event_set(&event, SN_ERR_NO_SPACE, &cause);
    sn_event_set(&event, SN_OK, NULL); /* too late */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sn_event_wait(&event, -1, &err), SN_ERR_NO_SPACE);
        assert_string_equal(err.text, "disk full");
    }
    assert_int_equal(sn_event_wait(&event, 0, NULL), SN_ERR_NO_SPACE);
    sn_event_release(&event);
}

static void an_event_without_sentence_has_the_name_of_its_status(void **state) {
    (void)state;
    struct sn_event event;
    struct sn_err err = {0};
    sn_event_init(&event);
    sn_event_set(&event, SN_ERR_CLOSED, NULL);
    assert_int_equal(sn_event_wait(&event, -1, &err), SN_ERR_CLOSED);
    assert_string_equal(err.text, "closed");
    sn_event_release(&event);
}

static void an_event_that_does_not_come_times_out(void **state) {
    (void)state;
    struct sn_event event;
    struct sn_err err = {0};
    sn_event_init(&event);
    assert_int_equal(sn_event_wait(&event, 0, NULL), SN_ERR_TIMEOUT);
    assert_int_equal(sn_event_wait(&event, 3 * MS, &err), SN_ERR_TIMEOUT);
    assert_string_equal(err.text, "nothing happened within 3 ms");
    sn_event_set(&event, SN_OK, NULL);
    assert_int_equal(sn_event_wait(&event, 0, &err), SN_OK);
    sn_event_release(&event);
}

static void set_event(void *ctx) {
    sn_event_set(ctx, SN_OK, NULL);
}

/* The waiter releases the event at once: TSan and ASan see it when the setter still touches it. */
static void an_event_passes_between_threads(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct sn_event event;
        struct sn_thread setter = {0};
        sn_event_init(&event);
        start(&setter, set_event, &event);
        assert_int_equal(sn_event_wait(&event, i % 2 ? -1 : 3600 * 1000 * MS, NULL), SN_OK);
        sn_thread_join(&setter);
        sn_event_release(&event);
    }
}

struct facts {
    char name[32];
    sigset_t blocked;
    size_t stack_bytes;
};

static void look_around(void *ctx) {
    struct facts *facts = ctx;
    pthread_attr_t attributes;
    (void)pthread_getname_np(pthread_self(), facts->name, sizeof(facts->name));
    (void)pthread_sigmask(SIG_SETMASK, NULL, &facts->blocked);
    (void)pthread_getattr_np(pthread_self(), &attributes);
    (void)pthread_attr_getstacksize(&attributes, &facts->stack_bytes);
    (void)pthread_attr_destroy(&attributes);
}

static void a_thread_has_its_name_stack_and_no_signals(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    struct facts facts = {.stack_bytes = 0};
    sigset_t before;
    sigset_t after;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(
        sn_thread_start(&thread, "a name longer than fifteen", look_around, &facts, NULL), SN_OK);
    sn_thread_join(&thread);
    sn_thread_join(&thread); /* not running: nothing to do */
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_string_equal(facts.name, "a name longer t");
    assert_true(facts.stack_bytes >= (size_t)512 << 10);
    assert_true(sigismember(&facts.blocked, SIGTERM) && sigismember(&facts.blocked, SIGINT));
    assert_true(sigismember(&facts.blocked, SIGHUP) && sigismember(&facts.blocked, SIGCHLD));
    assert_false(sigismember(&facts.blocked, SIGSEGV) || sigismember(&facts.blocked, SIGABRT));
    assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

static void wait_for_event(void *ctx) {
    (void)sn_event_wait(ctx, -1, NULL);
}

static void joining_within_a_time_gives_up_and_can_be_repeated(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    struct sn_event event;
    assert_true(sn_thread_join_within(&thread, 0));
    sn_event_init(&event);
    start(&thread, wait_for_event, &event);
    assert_false(sn_thread_join_within(&thread, 2 * MS));
    assert_true(thread.is_running);
    sn_event_set(&event, SN_OK, NULL);
    assert_true(sn_thread_join_within(&thread, INT64_MAX));
    assert_false(thread.is_running);
    sn_event_release(&event);
}

static void joining_a_thread_that_never_started_is_fine(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    sn_thread_join(&thread);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutexes_nest_by_rank_and_open_in_any_order),
        cmocka_unit_test(violations_of_the_rank_rule_abort_with_both_names),
        cmocka_unit_test(try_lock_fails_while_another_thread_holds_the_mutex),
        cmocka_unit_test(a_mutex_excludes),
        cmocka_unit_test(signal_and_broadcast_wake_waiters),
        cmocka_unit_test(a_wait_with_a_limit_ends_by_signal_or_by_time),
        cmocka_unit_test(an_event_gives_its_status_and_sentence_to_every_waiter),
        cmocka_unit_test(an_event_without_sentence_has_the_name_of_its_status),
        cmocka_unit_test(an_event_that_does_not_come_times_out),
        cmocka_unit_test(an_event_passes_between_threads),
        cmocka_unit_test(a_thread_has_its_name_stack_and_no_signals),
        cmocka_unit_test(joining_within_a_time_gives_up_and_can_be_repeated),
        cmocka_unit_test(joining_a_thread_that_never_started_is_fine),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
