/* A web server for the tests of scraping. */
#include "scrape_support.h"

#include "base/clock.h"

#include <string.h>

static void answer(void *ctx, struct sn_http_request *request) {
    struct page_server *server = ctx;
    struct sn_http_response response = {.status = 200};
    struct sn_buf copy = {.len = 0};
    sn_mutex_lock(&server->mu);
    sn_buf_put_str(&copy, sn_buf_str(&server->page));
    response.status = server->status;
    response.content_type = server->content_type;
    sn_mutex_unlock(&server->mu);
    server->request_count++;
    response.body = sn_buf_str(&copy);
    sn_http_respond(request, &response);
    sn_buf_release(&copy);
}

void page_server_start(struct page_server *server) {
    const struct sn_http_server_options options = {
        .listen = SN_STR("127.0.0.1:0"), .worker_count = 1, .handle = answer, .ctx = server};
    struct sn_err err = {.status = SN_OK};
    memset(server, 0, sizeof *server);
    sn_mutex_init(&server->mu, SN_RANK_EVENT, "page");
    page_server_say(server, 200, "text/plain; version=0.0.4", "");
    if (sn_http_server_open(&options, &server->server, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(sn_http_server_workers(server->server, &server->worker, 1), 1);
    assert_int_equal(
        sn_thread_start(&server->thread, "page", server->worker.run, server->worker.ctx, &err),
        SN_OK);
}

void page_server_stop(struct page_server *server) {
    server->worker.stop(server->worker.ctx);
    sn_thread_join(&server->thread);
    sn_http_server_close(server->server);
    sn_buf_release(&server->page);
    sn_mutex_release(&server->mu);
}

void page_server_say(struct page_server *server, int status, const char *content_type,
                     const char *page) {
    sn_mutex_lock(&server->mu);
    sn_buf_reset(&server->page);
    sn_buf_put_text(&server->page, page);
    server->status = status;
    server->content_type = content_type;
    sn_mutex_unlock(&server->mu);
}

const char *page_server_address(const struct page_server *server) {
    return sn_http_server_address(server->server);
}

void wait_until(bool (*is_true)(void *ctx), void *ctx) {
    const struct sn_clock *clock = sn_clock_system();
    int64_t deadline_ns = sn_clock_mono_ns(clock) + INT64_C(1000000) * TEST_PATIENCE_MS;
    while (!is_true(ctx)) {
        if (sn_clock_mono_ns(clock) > deadline_ns)
            fail_msg("waited for %d ms", TEST_PATIENCE_MS);
        clock->sleep_ns(clock->ctx, 2000000);
    }
}
