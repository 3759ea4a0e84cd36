/* Helpers of the tests of base; see base_support.h. One thread. */
#include "base_support.h"

#include "base/os.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn static void child(void (*function)(void), int stderr_fd) {
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(SIGABRT, SIG_DFL);
    (void)dup2(stderr_fd, STDERR_FILENO);
    function();
    _exit(0);
}

bool dies_saying(void (*function)(void), const char *words) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(function, fds[1]);
    (void)close(fds[1]);
    char said[4096] = "";
    size_t len = 0;
    ssize_t got;
    while ((got = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)got;
    (void)close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    bool is_as_expected =
        WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, words) != NULL;
    if (!is_as_expected)
        print_message("child: status %d, said: %s\n", status, said);
    return is_as_expected;
}

char *make_temp_dir(void) {
    const char *parent = getenv("TMPDIR");
    char *dir = NULL;
    assert_true(asprintf(&dir, "%s/sonde_base_XXXXXX", parent ? parent : "/tmp") > 0);
    assert_non_null(mkdtemp(dir));
    return dir;
}

const char *path_in(const char *dir, const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    int len = snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    assert_true(len > 0 && (size_t)len < sizeof(paths[0]));
    return path;
}

void remove_temp_dir(char *dir) {
    struct sn_err err = {0};
    sn_fault_disarm_all();
    if (sn_os_remove_tree(dir, &err) != SN_OK)
        fail_msg("%s", err.text);
    free(dir);
}
