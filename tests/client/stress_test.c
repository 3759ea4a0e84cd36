/*
 * Everything at once: threads that come and go and record, families and children that are made
 * meanwhile, readers of all formats, forks. For the thread sanitizer; and every record is counted in the
 * end. Also with a shared file, in which the children of fork record as well.
 */
#include "shared_support.h"

#include "base/sanitizers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* The address sanitizer's malloc hangs in a child of a process whose other threads allocate. */
#define MALLOC_HANGS_IN_CHILD (SN_HAS_ASAN || SN_HAS_MSAN)

enum {
    RECORDERS = 3,
    GENERATIONS = 12,
    ROUNDS = 400,
    FORKS = MALLOC_HANGS_IN_CHILD ? 0
            : SN_HAS_TSAN         ? 2
                                  : 6,
    CHILDREN = 40
};

struct stress {
    sonde_registry *registry;
    sonde_counter *counter;
    sonde_counter_family *family;
    sonde_histogram *histogram;
    sonde_native_histogram *native;
    sonde_gauge *gauge;
    sonde_operation *operation;
    _Atomic bool is_over;
};

static void record_once(struct stress *stress, unsigned i) {
    char path[16];
    (void)snprintf(path, sizeof path, "/%u", i % CHILDREN);
    const char *const values[] = {path};
    sonde_counter_inc(stress->counter);
    sonde_counter_inc(sonde_counter_family_get(stress->family, values, 1));
    sonde_histogram_observe(stress->histogram, 0.001 * i);
    sonde_native_histogram_observe(stress->native, 0.001 * i);
    sonde_gauge_inc(stress->gauge);
    sonde_tracker tracker = sonde_track_begin(stress->operation);
    if (i % 3 == 0)
        sonde_track_fail(&tracker, path);
    else
        sonde_track_complete(&tracker);
    sonde_gauge_dec(stress->gauge);
}

static void *record_some(void *ctx) {
    for (unsigned i = 0; i < ROUNDS; i++)
        record_once(ctx, i);
    return NULL;
}

/* Threads that end, one generation after the other. */
static void *churn(void *ctx) {
    for (int i = 0; i < GENERATIONS; i++)
        in_thread(record_some, ctx);
    return NULL;
}

static void *register_all_the_time(void *ctx) {
    struct stress *stress = ctx;
    for (unsigned i = 0; !atomic_load(&stress->is_over); i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "made_%u_total", i % 200);
        sonde_counter_inc(sonde_counter_new(stress->registry, &(sonde_metric){.name = name}, NULL));
    }
    return NULL;
}

static void *read_all_the_time(void *ctx) {
    static const sonde_format formats[] = {SONDE_FORMAT_TEXT, SONDE_FORMAT_OPENMETRICS,
                                           SONDE_FORMAT_JSON, SONDE_FORMAT_PROTOBUF};
    struct stress *stress = ctx;
    uint64_t last = 0;
    for (unsigned i = 0; !atomic_load(&stress->is_over); i++) {
        char *page = NULL;
        assert_int_equal(sonde_registry_write_text(stress->registry, formats[i % 4], &page, NULL),
                         SONDE_OK);
        sonde_free(page);
        uint64_t now = sonde_counter_value(stress->counter);
        assert_true(now >= last);
        last = now;
    }
    return NULL;
}

static void fork_some(struct stress *stress) {
    for (int i = 0; i < FORKS; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            (void)record_some(stress);
            char *page = NULL;
            bool is_good = sonde_registry_write_text(stress->registry, SONDE_FORMAT_TEXT, &page,
                                                     NULL) == SONDE_OK;
            leave_child(is_good ? 0 : 1);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static struct stress make(sonde_registry *registry) {
    static const char *const labels[] = {"path"};
    sonde_metric family = {.name = "f_total", .label_names = labels, .label_count = 1};
    return (struct stress){
        .registry = registry,
        .counter = sonde_counter_new(registry, &(sonde_metric){.name = "c_total"}, NULL),
        .family = sonde_counter_family_new(registry, &family, NULL),
        .histogram = sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL),
        .native = sonde_native_histogram_new(registry, &(sonde_metric){.name = "n"}, NULL),
        .gauge = sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, NULL),
        .operation = sonde_operation_get(sonde_service_get(registry, "s"), "o"),
    };
}

static void check_sums(struct stress *stress, uint64_t expected) {
    char *page = page_of(stress->registry);
    double in_children = 0;
    for (unsigned i = 0; i < CHILDREN; i++) {
        char series[32];
        (void)snprintf(series, sizeof series, "f_total{path=\"/%u\"}", i);
        in_children += value_of(page, series);
    }
    sonde_operation_stats stats;
    sonde_operation_read(stress->operation, &stats);
    assert_int_equal(sonde_counter_value(stress->counter), expected);
    assert_true(in_children == (double)expected);
    assert_int_equal(sonde_histogram_count(stress->histogram), expected);
    assert_int_equal(sonde_native_histogram_count(stress->native), expected);
    assert_int_equal(stats.count, expected);
    assert_int_equal(stats.active, 0);
    assert_true(sonde_gauge_value(stress->gauge) == 0);
    assert_true(value_of(page, "h_bucket{le=\"+Inf\"}") == (double)expected);
    sonde_free(page);
}

static void run(sonde_registry *registry, bool do_children_count) {
    struct stress stress = make(registry);
    pthread_t recorders[RECORDERS], others[2];
    for (int i = 0; i < RECORDERS; i++)
        assert_int_equal(pthread_create(&recorders[i], NULL, churn, &stress), 0);
    assert_int_equal(pthread_create(&others[0], NULL, register_all_the_time, &stress), 0);
    assert_int_equal(pthread_create(&others[1], NULL, read_all_the_time, &stress), 0);
    fork_some(&stress);
    for (int i = 0; i < RECORDERS; i++)
        assert_int_equal(pthread_join(recorders[i], NULL), 0);
    atomic_store(&stress.is_over, true);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(others[i], NULL), 0);
    uint64_t expected = (uint64_t)RECORDERS * GENERATIONS * ROUNDS;
    check_sums(&stress, expected + (do_children_count ? (uint64_t)FORKS * ROUNDS : 0));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_NO_MEMORY), 0);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 0);
    (void)sonde_registry_free(registry);
}

static void nothing_is_lost_on_the_heap(void **state) {
    (void)state;
    run(new_registry(), false);
}

static void nothing_is_lost_in_a_shared_file(void **state) {
    (void)state;
    run(open_shared(), true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_on_the_heap),
        cmocka_unit_test_setup_teardown(nothing_is_lost_in_a_shared_file, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
