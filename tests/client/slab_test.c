/* Tests of per-thread cells: threads that come and go, fork, chunks that come and go, no memory. */
#include "client/slab_priv.h"

#include "client/lock_priv.h"
#include "client_support.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sn_lost lost;
static sonde_ref ref;

static bool take(struct sn_cell_space *space, uint32_t count) {
    sn_client_lock();
    bool is_taken = sn_cell_space_take(space, count, &ref);
    sn_client_unlock();
    return is_taken;
}

static void release(struct sn_cell_space *space) {
    sn_client_lock();
    sn_cell_space_release(space);
    sn_client_unlock();
}

static void *add_one(void *ctx) {
    (void)ctx;
    sonde_cell_add(sonde_cells(&ref), 1);
    return NULL;
}

static void neighbouring_cells_share_a_chunk_until_it_is_full(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    assert_true(take(&space, SN_CHUNK_CELLS - 3));
    uint32_t chunk = ref.chunk;
    assert_int_equal(ref.cell, 0);
    assert_true(take(&space, 3));
    assert_int_equal(ref.chunk, chunk);
    assert_int_equal(ref.cell, SN_CHUNK_CELLS - 3);
    assert_true(take(&space, 1));
    assert_int_not_equal(ref.chunk, chunk);
    assert_int_equal(ref.cell, 0);
    release(&space);
}

static void values_of_ended_threads_stay_and_their_slabs_are_used_again(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    assert_true(take(&space, 1));
    in_thread(add_one, NULL);
    size_t slabs = sn_slab_count();
    for (int i = 1; i < 200; i++) {
        in_thread(add_one, NULL);
        assert_int_equal(sn_cells_sum(&ref, 0), i + 1);
    }
    assert_int_equal(sn_slab_count(), slabs);
    release(&space);
}

static void a_chunk_that_comes_back_is_zero_again(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sn_cell_space space = {.lost = &lost};
        assert_true(take(&space, SN_CHUNK_CELLS));
        assert_int_equal(sn_cells_sum(&ref, 0), 0);
        (void)add_one(NULL);
        in_thread(add_one, NULL);
        assert_int_equal(sn_cells_sum(&ref, 0), 2);
        release(&space);
    }
}

static void chunks_run_out_and_come_back(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    uint32_t count = 0;
    while (take(&space, SN_CHUNK_CELLS))
        count++;
    assert_int_equal(count, SN_CHUNK_MAX - 1);
    release(&space);
    assert_true(take(&space, 1));
    release(&space);
}

static void chunk_zero_takes_everything_and_shows_nothing(void **state) {
    (void)state;
    ref = (sonde_ref){0, 7};
    (void)add_one(NULL);
    in_thread(add_one, NULL);
    assert_int_equal(sn_cells_sum(&ref, 0), 0);
}

static void *add_without_memory(void *ctx) {
    (void)ctx;
    sn_mem_fail_from(1);
    (void)add_one(NULL);
    (void)add_one(NULL);
    sn_mem_fail_from(0);
    (void)add_one(NULL);
    return NULL;
}

static void without_memory_records_are_dropped_and_counted(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    assert_true(take(&space, 1));
    uint64_t before = atomic_load(&lost.count[SONDE_LOST_NO_MEMORY]);
    in_thread(add_without_memory, NULL);
    assert_int_equal(atomic_load(&lost.count[SONDE_LOST_NO_MEMORY]) - before, 2);
    assert_int_equal(sn_cells_sum(&ref, 0), 1);
    release(&space);
}

/* Holds all free slabs of ended threads, so that the next thread needs a new one. */
static void *hold_slab(void *ctx) {
    (void)add_one(NULL);
    (void)pthread_barrier_wait(ctx);
    (void)pthread_barrier_wait(ctx);
    return NULL;
}

static void *add_with_nth_failing(void *ctx) {
    sn_mem_fail_nth(*(const uint64_t *)ctx);
    (void)add_one(NULL);
    sn_mem_fail_nth(0);
    (void)add_one(NULL);
    return NULL;
}

/* Others hold all slabs, so that the thread needs a new one and gets it at its second try. */
static void a_thread_without_memory_for_a_slab_tries_again(void **state) {
    (void)state;
    enum { HOLDERS = 4 };
    struct sn_cell_space space = {.lost = &lost};
    assert_true(take(&space, 1));
    pthread_barrier_t barrier;
    pthread_t threads[HOLDERS];
    assert_int_equal(pthread_barrier_init(&barrier, NULL, HOLDERS + 1), 0);
    for (int i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_slab, &barrier), 0);
    (void)pthread_barrier_wait(&barrier);
    uint64_t before = atomic_load(&lost.count[SONDE_LOST_NO_MEMORY]);
    uint64_t nth = 1;
    in_thread(add_with_nth_failing, &nth);
    assert_int_equal(atomic_load(&lost.count[SONDE_LOST_NO_MEMORY]) - before, 1);
    assert_int_equal(sn_cells_sum(&ref, 0), HOLDERS + 1);
    (void)pthread_barrier_wait(&barrier);
    for (int i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)pthread_barrier_destroy(&barrier);
    release(&space);
}

/* The thread sanitizer starts no threads in such a child. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHILD_THREADS 0
#endif
#endif
#ifndef CHILD_THREADS
#define CHILD_THREADS 1
#endif

/* In the child: its own record, one of a new thread, and what it inherited. */
static int run_child(void) {
    size_t slabs = sn_slab_count();
    (void)add_one(NULL);
    for (int i = 0; i < CHILD_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, add_one, NULL) != 0 || pthread_join(thread, NULL) != 0)
            return 2;
    }
    bool is_right = sn_cells_sum(&ref, 0) == 4 + CHILD_THREADS && sn_slab_count() == slabs;
    return is_right ? 0 : 1;
}

static void a_child_of_fork_inherits_values_and_the_slabs_of_lost_threads(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    pthread_barrier_t barrier;
    pthread_t holder;
    assert_true(take(&space, 1));
    (void)add_one(NULL);
    (void)add_one(NULL);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&holder, NULL, hold_slab, &barrier), 0);
    (void)pthread_barrier_wait(&barrier);
    pid_t pid = fork();
    if (pid == 0)
        leave_child(run_child());
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(sn_cells_sum(&ref, 0), 3);
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(holder, NULL), 0);
    (void)pthread_barrier_destroy(&barrier);
    release(&space);
}

static void a_lock_that_nobody_waits_for_survives_fork(void **state) {
    (void)state;
    struct sn_try_lock lock = {0};
    assert_true(sn_try_lock_take(&lock));
    assert_false(sn_try_lock_take(&lock));
    pid_t pid = fork();
    if (pid == 0) {
        bool is_right = sn_try_lock_take(&lock) && !sn_try_lock_take(&lock);
        leave_child(is_right ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_false(sn_try_lock_take(&lock));
    sn_try_lock_give(&lock);
    assert_true(sn_try_lock_take(&lock));
}

static void shared_cells_are_one_for_all_threads(void **state) {
    (void)state;
    struct sn_cell_space space = {.lost = &lost};
    assert_true(take(&space, 3));
    sn_client_lock();
    uint64_t *cells = sn_shared_cells(&ref);
    assert_non_null(cells);
    assert_ptr_equal(cells, sn_shared_cells(&ref));
    sn_client_unlock();
    release(&space);
}

int main(void) {
    sn_slab_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbouring_cells_share_a_chunk_until_it_is_full),
        cmocka_unit_test(values_of_ended_threads_stay_and_their_slabs_are_used_again),
        cmocka_unit_test(a_chunk_that_comes_back_is_zero_again),
        cmocka_unit_test(chunks_run_out_and_come_back),
        cmocka_unit_test(chunk_zero_takes_everything_and_shows_nothing),
        cmocka_unit_test(without_memory_records_are_dropped_and_counted),
        cmocka_unit_test(a_thread_without_memory_for_a_slab_tries_again),
        cmocka_unit_test(a_child_of_fork_inherits_values_and_the_slabs_of_lost_threads),
        cmocka_unit_test(a_lock_that_nobody_waits_for_survives_fork),
        cmocka_unit_test(shared_cells_are_one_for_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
