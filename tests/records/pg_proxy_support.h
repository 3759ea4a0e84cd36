/*
 * The network between a client and PostgreSQL: passes bytes on from one unix socket to another, until
 * it is told to drop the connection at the n-th piece that would pass. A piece is what one side sent at
 * once: a statement, or the answer to one. So each statement is lost once on its way there, and once
 * done but not answered.
 */
#ifndef SN_TESTS_PG_PROXY_SUPPORT_H
#define SN_TESTS_PG_PROXY_SUPPORT_H

#include "postgres_support.h"

#include "base/lock.h"

#include <stdatomic.h>
#include <stdint.h>

enum { TEST_PROXY_PAIRS = 16 };

struct test_proxy {
    char dir[64];
    char url[160];
    char target[96]; /* the server's socket */
    int listener;
    int wake[2]; /* a pipe: closed to stop */
    struct sn_thread thread;
    int fds[2 * TEST_PROXY_PAIRS]; /* the thread's; pairs of client and server, -1: none */
    atomic_uint_least64_t cut_at;  /* pieces until the one that is lost; 0: none */
    atomic_bool has_cut;
};

/* The server runs and stays; asserts success. */
void test_proxy_init(struct test_proxy *proxy, const struct test_postgres *server);
void test_proxy_release(struct test_proxy *proxy);

/* Lose the n-th piece from now, and its connection, once. 0: none. */
void test_proxy_cut_at(struct test_proxy *proxy, uint64_t n);

#endif
