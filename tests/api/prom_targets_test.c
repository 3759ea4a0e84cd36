/* What is scraped, as clients of Prometheus ask for it, and reading the configuration again. */
#include "api/prom_priv.h"

#include "prom_support.h"

static struct test_server *server;

static int set_up(void **state) {
    (void)state;
    server = prom_server_start(NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

static void the_state_and_the_job_of_targets_are_handed_on(void **state) {
    (void)state;
    assert_data(server, "/api/v1/targets", "{}");
    assert_true(server->target_query.wants_active && server->target_query.wants_dropped);
    assert_string_equal(server->target_pool, "");
    assert_data(server, "/api/v1/targets?state=active&scrapePool=node", "{}");
    assert_true(server->target_query.wants_active && !server->target_query.wants_dropped);
    assert_string_equal(server->target_pool, "node");
    assert_data(server, "/api/v1/targets?state=dropped", "{}");
    assert_true(!server->target_query.wants_active && server->target_query.wants_dropped);
    assert_data(server, "/api/v1/targets?state=any", "{}");
    assert_true(server->target_query.wants_active && server->target_query.wants_dropped);
    assert_bad(server, "/api/v1/targets?state=up", "not one of any, active, dropped");
}

static void jobs_are_listed(void **state) {
    (void)state;
    assert_data(server, "/api/v1/scrape_pools", "{\"scrapePools\":\"j\"}");
}

static void metadata_is_told_by_target(void **state) {
    (void)state;
    assert_data(server, "/api/v1/targets/metadata?match_target={instance=\"none\"}", "[]");
    assert_data(server, "/api/v1/targets/metadata?metric=nothing", "[]");
    assert_bad(server, "/api/v1/targets/metadata?match_target={", "parse error");
    assert_bad(server, "/api/v1/targets/metadata?limit=x", "limit");
}

static void reloading_answers_when_it_is_done(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "POST", "/-/reload", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    server->reload_status = SN_ERR_INVALID;
    assert_ask_fails(server, "POST", "/-/reload", "", "", 400, "bad_data", "f.yml:1:1: a mistake");
    assert_ask_fails(server, "GET", "/-/reload", "", "", 405, "not_allowed", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_state_and_the_job_of_targets_are_handed_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(jobs_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metadata_is_told_by_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reloading_answers_when_it_is_done, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
