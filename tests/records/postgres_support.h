/*
 * A real PostgreSQL of its own: initdb in a temporary directory, a unix socket there, no TCP. Run as
 * the user postgres when the test is root, since the server refuses to run as root.
 */
#ifndef SN_TESTS_POSTGRES_SUPPORT_H
#define SN_TESTS_POSTGRES_SUPPORT_H

#include <stdbool.h>

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

/* Forget all tables, so that one cluster serves many tests. */
void test_postgres_clear(struct test_postgres *postgres);

#endif
