/*
 * Tests of what a read promises while others record, register, end and fork: run under the
 * thread sanitizer as well.
 */
#include "client_support.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define HAMMERS 2
#define READS 150
#define BOUNDS 11

static atomic_bool is_over;

static void *hammer(void *ctx) {
    sonde_histogram *histogram = ctx;
    for (unsigned i = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); i++)
        sonde_histogram_observe(histogram, (double)(i % 100) / 10.0);
    return NULL;
}

static void start(pthread_t *threads, size_t count, void *(*run)(void *), void *ctx) {
    atomic_store(&is_over, false);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, ctx), 0);
}

static void stop(pthread_t *threads, size_t count) {
    atomic_store(&is_over, true);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* The buckets of a page in order, +Inf last. */
static void buckets_of(const char *page, double *ret_buckets) {
    static const char *const le[] = {"0.001", "0.005", "0.01", "0.025", "0.05", "0.1",
                                     "0.25",  "0.5",   "1",    "2.5",   "5",    "+Inf"};
    for (int i = 0; i <= BOUNDS; i++) {
        char series[64];
        (void)snprintf(series, sizeof series, "h_bucket{le=\"%s\"}", le[i]);
        ret_buckets[i] = value_of(page, series);
        assert_false(isnan(ret_buckets[i]));
    }
}

static void buckets_never_fall_and_infinity_is_the_count(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_histogram *histogram = sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL);
    pthread_t threads[HAMMERS];
    double before[BOUNDS + 1] = {0}, now[BOUNDS + 1];
    start(threads, HAMMERS, hammer, histogram);
    for (int read = 0; read < READS; read++) {
        char *page = page_of(registry);
        buckets_of(page, now);
        assert_true(now[BOUNDS] == value_of(page, "h_count"));
        for (int i = 0; i <= BOUNDS; i++) {
            assert_true(now[i] >= before[i]);
            assert_true(i == 0 || now[i] >= now[i - 1]);
        }
        memcpy(before, now, sizeof before);
        sonde_free(page);
    }
    stop(threads, HAMMERS);
    (void)sonde_registry_free(registry);
}

/* Everything at once: children made by two threads at a time, short-lived threads, all kinds. */
static void *short_life(void *ctx) {
    sonde_registry *registry = ctx;
    static const char *const labels[] = {"n"};
    sonde_metric metric = {.name = "c_total", .label_names = labels, .label_count = 1};
    sonde_metric gauge = {.name = "g"}, mixed = {.name = "m"};
    for (int i = 0; i < 20; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "%d", i);
        sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
        sonde_counter_inc(SONDE_COUNTER_AT(family, value));
        sonde_gauge_inc(sonde_gauge_new(registry, &gauge, NULL));
        sonde_gauge_inc(sonde_gauge_new(registry, &mixed, NULL));
        sonde_gauge_set(sonde_gauge_new(registry, &mixed, NULL), 3);
        SONDE_TRACK(tracker, sonde_operation_get(sonde_service_get(registry, "s"), value));
        if (i % 2 == 0)
            sonde_track_fail(&tracker, "message");
    }
    return NULL;
}

static void *churn(void *registry) {
    for (int i = 0; i < 40; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, short_life, registry) == 0)
            (void)pthread_join(thread, NULL);
    }
    return NULL;
}

static void nothing_is_lost_when_threads_come_and_go(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    pthread_t threads[HAMMERS];
    start(threads, HAMMERS, churn, registry);
    for (int i = 0; i < 30; i++)
        sonde_free(page_of(registry));
    stop(threads, HAMMERS);
    char *page = page_of(registry);
    for (int i = 0; i < 20; i++) {
        char series[96];
        (void)snprintf(series, sizeof series, "c_total{n=\"%d\"}", i);
        assert_true(value_of(page, series) == 40 * HAMMERS);
        (void)snprintf(series, sizeof series,
                       "sonde_operation_duration_seconds_count{service=\"s\",operation=\"%d\"}", i);
        assert_true(value_of(page, series) == 40 * HAMMERS);
    }
    assert_true(value_of(page, "g") == 40 * HAMMERS * 20);
    assert_true(value_of(page, "sonde_lost_total{reason=\"no_memory\"}") == 0);
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

/* A fork at any moment leaves a child that can register, record and read. */
static void children_forked_amid_the_bustle_work(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    pthread_t threads[HAMMERS];
    start(threads, HAMMERS, churn, registry);
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)short_life(registry);
            sonde_counter *counter =
                sonde_counter_new(registry, &(sonde_metric){.name = "child_total"}, NULL);
            sonde_counter_inc(counter);
            leave_child(sonde_counter_value(counter) == 1 ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    stop(threads, HAMMERS);
    (void)sonde_registry_free(registry);
}

static void families_without_series_are_left_out(void **state) {
    (void)state;
    static const char *const labels[] = {"n"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "c_total", .label_names = labels, .label_count = 1};
    (void)sonde_counter_family_new(registry, &metric, NULL);
    (void)sonde_service_get(registry, "s");
    char *page = page_of(registry);
    assert_null(strstr(page, "c_total"));
    assert_null(strstr(page, "sonde_operation"));
    assert_non_null(strstr(page, "sonde_lost_total{reason=\"registration\"} 0\n"));
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_never_fall_and_infinity_is_the_count),
        cmocka_unit_test(nothing_is_lost_when_threads_come_and_go),
        cmocka_unit_test(children_forked_amid_the_bustle_work),
        cmocka_unit_test(families_without_series_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
