/* Targets as JSON: active, dropped, of one job. */
#include "collect/scrape.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *targets_j[] = {"a:1"}, *targets_k[] = {"b:1", "c:1"},
                  *sources[] = {"__address__"};
static struct sn_target_group group_j = {.targets = {targets_j, 1}},
                              group_k = {.targets = {targets_k, 2}};
static struct sn_relabel_rule rule = {
    .action = SN_RELABEL_DROP, .source_labels = {sources, 1}, .pattern = "c:.*"};
static struct sn_scrape_job jobs[2];
static struct sn_scrape_config config = {.jobs = {jobs, 2}};
static struct sn_scrape *scrape;

static void on_change(void *ctx, const char *what, const struct sn_err *err) {
    (void)ctx;
    (void)what;
    (void)err;
}

static int open_all(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        jobs[i] = (struct sn_scrape_job){.name = i == 0 ? "j" : "k",
                                         .scheme = "http",
                                         .metrics_path = "/m",
                                         .rules = {.interval_ms = 60000, .timeout_ms = 10000},
                                         .groups = {i == 0 ? &group_j : &group_k, 1}};
    jobs[1].target_rules = (struct sn_relabel_rules){&rule, 1};
    const struct sn_scrape_options options = {.config = &config, .on_change = on_change};
    return sn_relabel_rule_prepare(&rule, NULL) == SN_OK &&
                   sn_scrape_open(&options, &scrape, NULL) == SN_OK
               ? 0
               : -1;
}

static int close_all(void **state) {
    (void)state;
    scrape = sn_scrape_close(scrape);
    sn_relabel_rules_release(&jobs[1].target_rules);
    return 0;
}

static void expect(enum sn_scrape_state wanted, const char *pool, const char *expected) {
    struct sn_buf buf = {.len = 0};
    struct sn_json_writer json;
    sn_json_write_init(&json, &buf, 0);
    assert_int_equal(sn_scrape_write_targets(scrape, wanted, sn_str_from(pool), &json, NULL),
                     SN_OK);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

#define DISCOVERED(address, job)                                                                   \
    "\"discoveredLabels\":{\"__address__\":\"" address                                             \
    "\",\"__metrics_path__\":\"/m\",\"__scheme__\":\"http\",\"__scrape_interval__\":\"1m\","       \
    "\"__scrape_timeout__\":\"10s\",\"job\":\"" job "\"}"
#define ACTIVE(address, job)                                                                       \
    "{" DISCOVERED(address, job) ",\"labels\":{\"instance\":\"" address "\",\"job\":\"" job        \
                                 "\"},\"scrapePool\":\"" job "\",\"scrapeUrl\":\"http://" address  \
                                 "/m\",\"globalUrl\":\"http://" address "/m\",\"lastError\":\"\"," \
                                 "\"lastScrape\":\"0001-01-01T00:00:00Z\","                        \
                                 "\"lastScrapeDuration\":0,\"health\":\"unknown\","                \
                                 "\"scrapeInterval\":\"1m\",\"scrapeTimeout\":\"10s\"}"
#define DROPPED(address, job) "{" DISCOVERED(address, job) ",\"scrapePool\":\"" job "\"}"

static void targets_are_written_by_state_and_job(void **state) {
    (void)state;
    expect(
        SN_SCRAPE_ANY, "",
        "{\"activeTargets\":[" ACTIVE("a:1", "j") "," ACTIVE(
            "b:1",
            "k") "],\"droppedTargets\":[" DROPPED("c:1",
                                                  "k") "],\"droppedTargetCounts\":{\"j\":0,\"k\":1}}");
    expect(SN_SCRAPE_ACTIVE, "j",
           "{\"activeTargets\":[" ACTIVE(
               "a:1", "j") "],\"droppedTargets\":[],\"droppedTargetCounts\":{\"j\":0}}");
    expect(SN_SCRAPE_DROPPED, "k",
           "{\"activeTargets\":[],\"droppedTargets\":[" DROPPED(
               "c:1", "k") "],\"droppedTargetCounts\":{\"k\":1}}");
    expect(SN_SCRAPE_ANY, "none",
           "{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}");
}

static void jobs_are_written(void **state) {
    (void)state;
    struct sn_buf buf = {.len = 0};
    struct sn_json_writer json;
    sn_json_write_init(&json, &buf, 0);
    sn_scrape_write_pools(scrape, &json);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, "{\"scrapePools\":[\"j\",\"k\"]}");
    sn_buf_release(&buf);
}

static bool count_until_one(void *ctx, struct sn_labels labels) {
    (void)labels;
    return ++*(int *)ctx < 1;
}

static void a_visit_ends_when_it_is_told_to(void **state) {
    (void)state;
    struct sn_arena arena;
    int count = 0;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_scrape_each_target(scrape, &arena, count_until_one, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_written_by_state_and_job),
        cmocka_unit_test(jobs_are_written),
        cmocka_unit_test(a_visit_ends_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
