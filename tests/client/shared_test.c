/* Shared files: opening, layout, pages, processes. What registries make of them: shared_sync_test. */
#include "shared_support.h"

#include "base/os.h"
#include "client/lock_priv.h"
#include "client/shared_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL ((size_t)1 << 20)

static struct sn_shared *open_file(const char *path) {
    struct sn_shared *shared = NULL;
    struct sn_err err = {SN_OK, ""};
    sn_client_lock();
    sn_status status = sn_shared_open(path, SMALL, &shared, &err);
    bool is_in = status == SN_OK && sn_shared_enter(shared);
    sn_client_unlock();
    if (status != SN_OK)
        print_message("%s\n", err.text);
    assert_true(is_in);
    return shared;
}

static void close_file(struct sn_shared *shared) {
    sn_client_lock();
    assert_null(sn_shared_close(shared));
    sn_client_unlock();
}

static sn_status try_open(const char *path, size_t bytes, struct sn_err *err) {
    struct sn_shared *shared = NULL;
    sn_client_lock();
    sn_status status = sn_shared_open(path, bytes, &shared, err);
    (void)sn_shared_close(shared);
    sn_client_unlock();
    return status;
}

static void write_file(const char *path, const char *bytes, size_t len) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

static void parts_of_the_layout_follow_each_other(void **state) {
    (void)state;
    for (size_t bytes = SN_SHARED_BYTES_MIN; bytes <= SN_SHARED_BYTES_MAX; bytes += 123 * 4096) {
        struct sn_shared_fixed fixed = {.checksum = 0};
        sn_shared_layout(bytes, &fixed);
        assert_true(fixed.heads_offset == 2 * SN_SHARED_PAGE);
        assert_true(fixed.infos_offset >= fixed.heads_offset + 4 * (fixed.chunk_count + 1));
        assert_true(fixed.pages_offset >= fixed.infos_offset + 16ull * fixed.page_count);
        assert_true(fixed.pages_offset % SN_SHARED_PAGE == 0);
        assert_true(fixed.catalogue_offset >=
                    fixed.pages_offset + (uint64_t)fixed.page_count * SN_SHARED_PAGE);
        assert_true(fixed.catalogue_bytes >= bytes / 8);
        assert_true(fixed.catalogue_offset + fixed.catalogue_bytes == bytes);
    }
}

static void sizes_have_two_ends(void **state) {
    (void)state;
    struct sn_err err;
    assert_int_equal(try_open(shared_path(), SN_SHARED_BYTES_MIN - 1, &err), SN_ERR_INVALID);
    assert_int_equal(try_open(shared_path(), SN_SHARED_BYTES_MAX + 1, &err), SN_ERR_INVALID);
    assert_int_equal(try_open(shared_path(), SN_SHARED_BYTES_MIN, &err), SN_OK);
}

static void a_file_of_somebody_else_is_left_alone(void **state) {
    (void)state;
    struct sn_err err;
    write_file(shared_path(), "my thesis", 9);
    assert_int_equal(try_open(shared_path(), SMALL, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "is left alone"));
    struct stat stat;
    assert_int_equal(sn_os_stat(shared_path(), &stat), 0);
    assert_int_equal(stat.st_size, 9);
    assert_int_equal(sn_os_unlink(shared_path()), 0);
    assert_int_equal(symlink("/etc/passwd", shared_path()), 0);
    assert_int_not_equal(try_open(shared_path(), SMALL, &err), SN_OK);
}

static void the_header_says_what_is_wrong_with_it(void **state) {
    (void)state;
    struct sn_err err;
    struct sn_shared *shared = open_file(shared_path());
    struct sn_shared_fixed fixed = shared->header->fixed;
    close_file(shared);
    assert_int_equal(sn_shared_check_fixed(&fixed, SMALL, "f", &err), SN_OK);
    assert_int_equal(sn_shared_check_fixed(&fixed, SMALL - 1, "f", &err), SN_ERR_CORRUPT);
    assert_string_equal(err.text, "f is cut off: 1048575 bytes instead of 1048576");
    struct sn_shared_fixed other = fixed;
    other.version++;
    assert_int_equal(sn_shared_check_fixed(&other, SMALL, "f", &err), SN_ERR_UNSUPPORTED);
    other = fixed;
    other.page_count++;
    assert_int_equal(sn_shared_check_fixed(&other, SMALL, "f", &err), SN_ERR_CORRUPT);
    other = fixed;
    other.magic[0] = 'X';
    assert_int_equal(sn_shared_check_fixed(&other, SMALL, "f", &err), SN_ERR_INVALID);
}

static void a_file_that_another_process_spoils_cannot_be_joined(void **state) {
    (void)state;
    struct sn_err err;
    struct sn_shared *shared = open_file(shared_path());
    shared->header->fixed.page_count = 77;
    assert_int_equal(try_open(shared_path(), SMALL, &err), SN_ERR_CORRUPT);
    close_file(shared);
}

static void cells_go_from_chunk_to_chunk(void **state) {
    (void)state;
    struct sn_shared *shared = open_file(shared_path());
    sonde_ref ref;
    sn_client_lock();
    assert_true(sn_shared_lock(shared));
    assert_true(sn_shared_take(shared, 500, &ref));
    assert_true(ref.chunk == 1 && ref.cell == 0);
    assert_true(sn_shared_take(shared, 12, &ref));
    assert_true(ref.chunk == 1 && ref.cell == 500);
    assert_true(sn_shared_take(shared, 1, &ref));
    assert_true(ref.chunk == 2 && ref.cell == 0);
    uint32_t taken = 2;
    while (sn_shared_take(shared, 512, &ref))
        taken++;
    assert_int_equal(taken, shared->layout.chunk_count);
    assert_true(sn_shared_is_full(shared));
    shared->header->chunk_used = UINT32_MAX; /* what another process may write */
    assert_false(sn_shared_take(shared, 1, &ref));
    sn_shared_unlock(shared);
    sn_client_unlock();
    close_file(shared);
}

static void pages_run_out_and_lists_in_circles_end(void **state) {
    (void)state;
    struct sn_shared *shared = open_file(shared_path());
    uint32_t count = 0;
    while (sn_shared_attach(shared, 1) != NULL)
        count++;
    assert_int_equal(count, shared->layout.page_count);
    uint64_t at = 0;
    uint32_t seen = 0;
    while (sn_shared_next_page(shared, 1, 0, &at) != NULL)
        seen++;
    assert_int_equal(seen, count);
    atomic_store(&shared->infos[0].next, 2); /* the last one of the list points back */
    for (at = 0, seen = 0; sn_shared_next_page(shared, 1, 0, &at) != NULL;)
        seen++;
    assert_true(seen >= count && seen < 2 * count + 10);
    atomic_store(&shared->infos[0].next, UINT32_MAX);
    for (at = 0, seen = 0; sn_shared_next_page(shared, 1, 0, &at) != NULL;)
        seen++;
    assert_int_equal(seen, count);
    assert_null(sn_shared_attach(shared, 2));
    close_file(shared);
}

static void hold_catalogue(void *ctx) {
    struct sn_shared *shared = open_file(ctx);
    (void)sn_shared_lock(shared);
}

static void a_killed_process_lets_go_of_the_catalogue(void **state) {
    (void)state;
    char path[256];
    (void)snprintf(path, sizeof path, "%s", shared_path());
    struct sn_shared *shared = open_file(path);
    sn_client_lock();
    assert_true(sn_shared_lock(shared));
    sn_shared_unlock(shared);
    sn_client_unlock();
    pid_t pid = living_child(hold_catalogue, path);
    assert_false(sn_shared_lock(shared));
    assert_int_equal(sn_shared_find_dead(shared, 0), SN_SHARED_PROCESSES);
    kill_child(pid);
    assert_true(sn_shared_lock(shared));
    sn_shared_unlock(shared);
    /* Two slots: the child of fork is in the file that its parent had open, and opened it again. */
    for (int i = 0; i < 2; i++) {
        uint32_t dead = sn_shared_find_dead(shared, 0);
        assert_true(dead > 0 && dead < SN_SHARED_PROCESSES);
        sn_shared_bury(shared, dead);
    }
    assert_int_equal(sn_shared_find_dead(shared, 0), SN_SHARED_PROCESSES);
    close_file(shared);
}

static void fork_and_exec(void *ctx) {
    (void)ctx;
    struct sn_shared *shared = open_file(shared_path());
    int ready[2];
    char byte = 0;
    (void)shared;
    if (pipe(ready) != 0)
        leave_child(1);
    if (fork() == 0) { /* lives on, records nothing, and must not keep its parent alive */
        (void)alarm(60);
        if (write(ready[1], &byte, 1) != 1)
            leave_child(1);
        for (;;)
            (void)pause();
    }
    if (read(ready[0], &byte, 1) != 1)
        leave_child(1);
}

static void a_child_does_not_keep_its_parents_slot(void **state) {
    (void)state;
    struct sn_shared *shared = open_file(shared_path());
    pid_t pid = living_child(fork_and_exec, NULL);
    uint32_t slot = 0;
    while (shared->processes[slot].pid != (uint32_t)pid)
        slot++;
    kill_child(pid);
    assert_int_equal(sn_shared_find_dead(shared, slot), slot);
    sn_shared_bury(shared, slot);
    for (uint32_t i = 0; i < SN_SHARED_PROCESSES; i++) { /* the grandchild */
        pid_t other = (pid_t)shared->processes[i].pid;
        if (atomic_load(&shared->processes[i].is_used) && other != getpid())
            (void)kill(other, SIGKILL);
    }
    close_file(shared);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
    sn_slab_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_the_layout_follow_each_other),
        IN_DIRECTORY(sizes_have_two_ends),
        IN_DIRECTORY(a_file_of_somebody_else_is_left_alone),
        IN_DIRECTORY(the_header_says_what_is_wrong_with_it),
        IN_DIRECTORY(a_file_that_another_process_spoils_cannot_be_joined),
        IN_DIRECTORY(cells_go_from_chunk_to_chunk),
        IN_DIRECTORY(pages_run_out_and_lists_in_circles_end),
        IN_DIRECTORY(a_killed_process_lets_go_of_the_catalogue),
        IN_DIRECTORY(a_child_does_not_keep_its_parents_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
