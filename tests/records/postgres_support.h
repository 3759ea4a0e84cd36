/*
 * A real PostgreSQL of its own: initdb in a temporary directory, a unix socket there, no TCP. Run as
 * the user postgres when the test is root, since the server refuses to run as root.
 */
#ifndef SN_TESTS_POSTGRES_SUPPORT_H
#define SN_TESTS_POSTGRES_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

struct CMUnitTest; /* of cmocka */

struct test_postgres {
    char dir[64];
    char url[160];
    bool is_running;
};

/*
 * Whether a test is to start PostgreSQL: where it is installed, and in builds that are slow by design
 * only for the most important one.
 */
bool test_postgres_wanted(bool is_important);

/* Make a cluster and start it; stop and start again; stop and remove. Asserts success. */
void test_postgres_init(struct test_postgres *postgres);
void test_postgres_start(struct test_postgres *postgres);
void test_postgres_stop(struct test_postgres *postgres);
void test_postgres_release(struct test_postgres *postgres);

/* Run a group of tests, and then again while `postgres` is running, where that is wanted. Returns how many
 * failed. */
int test_postgres_run_on_both(struct test_postgres *postgres, const char *name,
                              const struct CMUnitTest *tests, size_t count);

/* Forget all tables, so that one cluster serves many tests. */
void test_postgres_clear(struct test_postgres *postgres);

#endif
