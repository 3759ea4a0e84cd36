/* See postgres_support.h. */
#include "postgres_support.h"

#include "records_support.h"

#include "base/os.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_SIZE = 1024 };

/* Debian keeps the servers of all versions apart. */
static const char *find_bin(void) {
    static char path[128];
    for (int version = 19; version >= 15; version--) {
        (void)snprintf(path, sizeof path, "/usr/lib/postgresql/%d/bin", version);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

bool test_postgres_wanted(bool is_important) {
    const char *sanitizer = getenv("SONDE_SANITIZE");
    bool is_slow = sanitizer != NULL && sanitizer[0] != '\0';
    if (find_bin() == NULL)
        print_message("PostgreSQL is not installed: nothing was tested\n");
    return find_bin() != NULL && (is_important || !is_slow);
}

/* Run a program of PostgreSQL, as its user when we are root. Output is of interest on failure. */
static int run(const struct test_postgres *postgres, const char *arguments) {
    char command[COMMAND_SIZE];
    const char *as =
        geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " : "";
    (void)snprintf(command, sizeof command, "cd %s && %s%s/%s >>%s/log 2>&1 </dev/null",
                   postgres->dir, as, find_bin(), arguments, postgres->dir);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void fail_with_log(const struct test_postgres *postgres, const char *what) {
    char command[COMMAND_SIZE];
    (void)snprintf(command, sizeof command, "tail -n 20 %s/log %s/server.log >&2", postgres->dir,
                   postgres->dir);
    if (system(command) != 0)
        print_message("no log\n");
    fail_msg("%s", what);
}

static void give_to_server(const struct test_postgres *postgres) {
    char command[COMMAND_SIZE];
    if (geteuid() != 0)
        return;
    (void)snprintf(command, sizeof command, "chown -R postgres:postgres %s", postgres->dir);
    assert_int_equal(system(command), 0);
}

void test_postgres_init(struct test_postgres *postgres) {
    char arguments[COMMAND_SIZE];
    *postgres = (struct test_postgres){.is_running = false};
    (void)snprintf(postgres->dir, sizeof postgres->dir, "/tmp/sonde_pg_XXXXXX");
    assert_non_null(mkdtemp(postgres->dir));
    assert_int_equal(chmod(postgres->dir, 0755), 0);
    give_to_server(postgres);
    (void)snprintf(arguments, sizeof arguments,
                   "initdb -D %s/data -U postgres -A trust -E UTF8 --locale=C -N", postgres->dir);
    if (run(postgres, arguments) != 0)
        fail_with_log(postgres, "initdb failed");
    (void)snprintf(postgres->url, sizeof postgres->url,
                   "postgresql://postgres@/postgres?host=%s&port=5432", postgres->dir);
    test_postgres_start(postgres);
}

void test_postgres_start(struct test_postgres *postgres) {
    char arguments[COMMAND_SIZE];
    (void)snprintf(arguments, sizeof arguments,
                   "pg_ctl -D %s/data -l %s/server.log -w -t 60 -o \"-c listen_addresses='' -k %s"
                   " -c fsync=off -c shared_buffers=16MB\" start",
                   postgres->dir, postgres->dir, postgres->dir);
    if (run(postgres, arguments) != 0)
        fail_with_log(postgres, "PostgreSQL does not start");
    postgres->is_running = true;
}

void test_postgres_stop(struct test_postgres *postgres) {
    char arguments[COMMAND_SIZE];
    if (!postgres->is_running)
        return;
    (void)snprintf(arguments, sizeof arguments, "pg_ctl -D %s/data -m immediate -w -t 60 stop",
                   postgres->dir);
    if (run(postgres, arguments) != 0)
        fail_with_log(postgres, "PostgreSQL does not stop");
    postgres->is_running = false;
}

void test_postgres_release(struct test_postgres *postgres) {
    test_postgres_stop(postgres);
    assert_int_equal(sn_os_remove_tree(postgres->dir, NULL), SN_OK);
}

void test_postgres_clear(struct test_postgres *postgres) {
    char arguments[COMMAND_SIZE];
    (void)snprintf(arguments, sizeof arguments,
                   "psql -q -X -h %s -U postgres -d postgres -v ON_ERROR_STOP=1"
                   " -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public;'",
                   postgres->dir);
    if (run(postgres, arguments) != 0)
        fail_with_log(postgres, "cannot clear the database");
}

int test_postgres_run_on_both(struct test_postgres *postgres, const char *name,
                              const struct CMUnitTest *tests, size_t count) {
    int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    if (!test_postgres_wanted(false))
        return failed;
    char title[64];
    (void)snprintf(title, sizeof title, "%s on PostgreSQL", name);
    test_postgres_init(postgres);
    failed += _cmocka_run_group_tests(title, tests, count, NULL, NULL);
    test_postgres_release(postgres);
    return failed;
}
