/*
 * Proof that recording with handles and call sites that were used before allocates nothing, makes
 * no system call and takes no lock: it runs where each of these would kill it or never end.
 */
#include "client_support.h"

#include "base/clock.h"
#include "base/sanitizers.h"
#include "client/lock_priv.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_SECCOMP 77

struct everything {
    sonde_registry *registry;
    sonde_counter *counter;
    sonde_float_counter *amount;
    sonde_gauge *set;
    sonde_gauge *added;
    sonde_gauge *mixed;
    sonde_histogram *histogram;
    sonde_native_histogram *native;
    sonde_operation *operation;
    sonde_counter_family *family;
};

static void record(struct everything *all, bool may_track) {
    static const char *const values[] = {"GET", "/a/path/of/some/length", "200"};
    sonde_counter_inc(all->counter);
    sonde_counter_inc_call(all->counter);
    sonde_float_counter_add(all->amount, 0.5);
    sonde_gauge_set(all->set, 1);
    sonde_gauge_inc(all->added);
    sonde_gauge_set(all->mixed, 2);
    sonde_gauge_dec(all->mixed);
    sonde_histogram_observe(all->histogram, 0.3);
    sonde_histogram_observe_call(all->histogram, 30);
    sonde_native_histogram_observe(all->native, 0.3);
    sonde_native_histogram_observe(all->native, 1e300);
    sonde_counter_inc(sonde_counter_family_get(all->family, values, 3));
    sonde_counter_inc(SONDE_COUNTER_AT(all->family, "GET", "/b", "200"));
    if (may_track) {
        SONDE_TRACK(tracker, all->operation);
        sonde_tracker other = sonde_track_begin(all->operation);
        sonde_track_complete(&other);
        sonde_track_fail(&tracker, "message");
    }
}

static struct everything make(void) {
    static const char *const labels[] = {"method", "path", "status"};
    sonde_registry *registry = new_registry();
    sonde_metric family = {.name = "f_total", .label_names = labels, .label_count = 3};
    struct everything all = {
        .registry = registry,
        .counter = sonde_counter_new(registry, &(sonde_metric){.name = "c_total"}, NULL),
        .amount = sonde_float_counter_new(registry, &(sonde_metric){.name = "a_total"}, NULL),
        .set = sonde_gauge_new(registry, &(sonde_metric){.name = "set"}, NULL),
        .added = sonde_gauge_new(registry, &(sonde_metric){.name = "added"}, NULL),
        .mixed = sonde_gauge_new(registry, &(sonde_metric){.name = "mixed"}, NULL),
        .histogram = sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL),
        .native = sonde_native_histogram_new(registry, &(sonde_metric){.name = "n"}, NULL),
        .operation = sonde_operation_get(sonde_service_get(registry, "s"), "o"),
        .family = sonde_counter_family_new(registry, &family, NULL),
    };
    sonde_gauge_inc(all.mixed);
    return all;
}

static void recording_allocates_nothing(void **state) {
    (void)state;
    struct everything all = make();
    record(&all, true);
    int64_t before = sn_mem_block_count();
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++)
        record(&all, true);
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_int_equal(sn_mem_block_count(), before);
    assert_int_equal(sonde_counter_value(all.counter), 2002);
    (void)sonde_registry_free(all.registry);
}

/* The kernel kills for any call but this exit. (Strict mode would forbid the tick counter too.) */
static void record_confined(struct everything *all, bool may_track) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(NO_SECCOMP);
    for (int i = 0; i < 1000; i++)
        record(all, may_track);
    syscall(SYS_exit, 0);
}

static void recording_makes_no_system_call(void **state) {
    (void)state;
    if (SN_HAS_ASAN || SN_HAS_TSAN)
        skip();
    struct everything all = make();
    int64_t until = sn_clock_mono_ns(sn_clock_system()) + 30000000;
    while (sn_clock_mono_ns(sn_clock_system()) < until)
        record(&all, true);
    /* Without the processor's counter the kernel's clock may be a system call. */
    bool may_track = strcmp(sonde_clock_source(), "tsc") == 0;
    pid_t pid = fork();
    if (pid == 0)
        record_confined(&all, may_track);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == NO_SECCOMP);
    (void)sonde_registry_free(all.registry);
}

static void *record_some(void *ctx) {
    for (int i = 0; i < 100; i++)
        record(ctx, true);
    return NULL;
}

/* Also a thread that records for the first time; a lock taken there would never be given back. */
static void recording_takes_no_lock(void **state) {
    (void)state;
    struct everything all = make();
    record(&all, true);
    sn_client_lock();
    in_thread(record_some, &all);
    sn_client_unlock();
    assert_int_equal(sonde_counter_value(all.counter), 202);
    (void)sonde_registry_free(all.registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recording_allocates_nothing),
        cmocka_unit_test(recording_makes_no_system_call),
        cmocka_unit_test(recording_takes_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
