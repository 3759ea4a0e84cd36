/* A web server that says what it is told, and waiting with patience. */
#ifndef TESTS_COLLECT_SCRAPE_SUPPORT_H
#define TESTS_COLLECT_SCRAPE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/lock.h"
#include "net/http.h"

#define TEST_PATIENCE_MS 20000

/* One page at a time, for every path. */
struct page_server {
    struct sn_http_server *server;
    struct sn_worker worker;
    struct sn_thread thread;
    struct sn_mutex mu;
    struct sn_buf page;       /* guarded by mu */
    int status;               /* guarded by mu */
    const char *content_type; /* guarded by mu */
    _Atomic int request_count;
};

void page_server_start(struct page_server *server);
void page_server_stop(struct page_server *server);
void page_server_say(struct page_server *server, int status, const char *content_type,
                     const char *page);
/* "127.0.0.1:12345" */
const char *page_server_address(const struct page_server *server);

/* Wait until a condition holds; fails the test after TEST_PATIENCE_MS. */
void wait_until(bool (*is_true)(void *ctx), void *ctx);

#endif
