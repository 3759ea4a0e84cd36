/* See pg_proxy_support.h. */
#include "pg_proxy_support.h"

#include "records_support.h"

#include "base/os.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    return address;
}

static void end_pair(struct test_proxy *proxy, size_t at) {
    for (size_t i = at & ~(size_t)1; i <= (at | 1); i++) {
        if (proxy->fds[i] >= 0)
            (void)close(proxy->fds[i]);
        proxy->fds[i] = -1;
    }
}

static void accept_pair(struct test_proxy *proxy) {
    const struct sockaddr_un address = address_of(proxy->target);
    int client = accept(proxy->listener, NULL, NULL);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < 2 * TEST_PROXY_PAIRS; i += 2)
        if (client >= 0 && server >= 0 && proxy->fds[i] < 0 &&
            connect(server, (const struct sockaddr *)&address, sizeof address) == 0) {
            proxy->fds[i] = client;
            proxy->fds[i + 1] = server;
            return;
        }
    if (client >= 0)
        (void)close(client); /* no server: nobody there */
    if (server >= 0)
        (void)close(server);
}

static bool is_lost(struct test_proxy *proxy) {
    uint64_t left = atomic_load(&proxy->cut_at);
    if (left > 0)
        atomic_store(&proxy->cut_at, left - 1);
    if (left == 1)
        atomic_store(&proxy->has_cut, true);
    return left == 1;
}

/* One piece from one side to the other. */
static void pass(struct test_proxy *proxy, size_t at) {
    static char piece[1 << 20];
    ssize_t len = recv(proxy->fds[at], piece, sizeof piece, 0);
    if (len <= 0 || is_lost(proxy) ||
        send(proxy->fds[at ^ 1], piece, (size_t)len, MSG_NOSIGNAL) != len)
        end_pair(proxy, at);
}

static void run(void *ctx) {
    struct test_proxy *proxy = ctx;
    struct pollfd polled[2 + 2 * TEST_PROXY_PAIRS];
    for (;;) {
        polled[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
        for (size_t i = 0; i < 2 * TEST_PROXY_PAIRS; i++)
            polled[2 + i] = (struct pollfd){.fd = proxy->fds[i], .events = POLLIN};
        if (poll(polled, 2 + 2 * TEST_PROXY_PAIRS, -1) < 0 || polled[0].revents != 0)
            break;
        for (size_t i = 0; i < 2 * TEST_PROXY_PAIRS; i++)
            if (polled[2 + i].revents != 0 && proxy->fds[i] >= 0)
                pass(proxy, i);
        if (polled[1].revents != 0)
            accept_pair(proxy);
    }
    for (size_t i = 0; i < 2 * TEST_PROXY_PAIRS; i += 2)
        end_pair(proxy, i);
}

void test_proxy_init(struct test_proxy *proxy, const struct test_postgres *server) {
    char path[96];
    memset(proxy, 0, sizeof *proxy);
    memset(proxy->fds, 0xff, sizeof proxy->fds);
    (void)snprintf(proxy->dir, sizeof proxy->dir, "/tmp/sonde_pgproxy_XXXXXX");
    assert_non_null(mkdtemp(proxy->dir));
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5432", proxy->dir);
    (void)snprintf(proxy->target, sizeof proxy->target, "%s/.s.PGSQL.5432", server->dir);
    (void)snprintf(proxy->url, sizeof proxy->url,
                   "postgresql://postgres@/postgres?host=%s&port=5432", proxy->dir);
    const struct sockaddr_un address = address_of(path);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(proxy->listener >= 0);
    assert_int_equal(bind(proxy->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy->listener, 16), 0);
    assert_int_equal(pipe(proxy->wake), 0);
    assert_int_equal(sn_thread_start(&proxy->thread, "pg-proxy", run, proxy, NULL), SN_OK);
}

void test_proxy_release(struct test_proxy *proxy) {
    assert_int_equal(close(proxy->wake[1]), 0);
    sn_thread_join(&proxy->thread);
    assert_int_equal(close(proxy->wake[0]), 0);
    assert_int_equal(close(proxy->listener), 0);
    assert_int_equal(sn_os_remove_tree(proxy->dir, NULL), SN_OK);
}

void test_proxy_cut_at(struct test_proxy *proxy, uint64_t n) {
    atomic_store(&proxy->has_cut, false);
    atomic_store(&proxy->cut_at, n);
}
