/* What the tests of shared files share. */
#include "shared_support.h"

#include "base/os.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/sonde-shared-XXXXXX";
static char path[sizeof directory + 64];

int make_directory(void **state) {
    (void)state;
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

int remove_directory(void **state) {
    (void)state;
    return sn_os_remove_tree(directory, NULL) == SN_OK ? 0 : -1;
}

const char *path_in_directory(const char *name) {
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

const char *shared_path(void) {
    return path_in_directory("metrics.sonde");
}

static sonde_registry *open_with(size_t bytes) {
    sonde_error error;
    sonde_registry_options options = {.shared_file = shared_path(), .shared_bytes = bytes};
    sonde_registry *registry = sonde_registry_new(&options, &error);
    if (registry == NULL)
        print_message("%s\n", error.text);
    assert_non_null(registry);
    return registry;
}

sonde_registry *open_shared(void) {
    return open_with(0);
}

sonde_registry *open_small(void) {
    return open_with((size_t)1 << 20);
}

pid_t living_child(void (*run)(void *ctx), void *ctx) {
    int done[2];
    char byte = 0;
    assert_int_equal(pipe(done), 0);
    pid_t pid = fork();
    if (pid == 0) {
        run(ctx);
        byte = 1;
        if (write(done[1], &byte, 1) != 1)
            leave_child(1);
        for (;;)
            (void)pause();
    }
    assert_true(pid > 0);
    (void)close(done[1]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    (void)close(done[0]);
    return pid;
}

void kill_child(pid_t pid) {
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

void killed_child(void (*run)(void *ctx), void *ctx) {
    kill_child(living_child(run, ctx));
}

double loaded(const char *series) {
    sonde_error error;
    sonde_registry *registry = sonde_shared_load(shared_path(), NULL, &error);
    if (registry == NULL)
        print_message("%s\n", error.text);
    assert_non_null(registry);
    char *page = page_of(registry);
    double value = value_of(page, series);
    sonde_free(page);
    (void)sonde_registry_free(registry);
    return value;
}
