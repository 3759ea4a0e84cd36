/* Targets from addresses: labels, URLs, schedule, what is refused. */
#include "collect/scrape_target.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_scrape_job job;
static struct sn_label_draft draft;
static struct sn_arena arena;
static struct sn_err err;

static int open_all(void **state) {
    (void)state;
    memset(&job, 0, sizeof job);
    job.name = "j";
    job.scheme = "http";
    job.metrics_path = "/metrics";
    job.rules.interval_ms = 15000;
    job.rules.timeout_ms = 10000;
    sn_arena_init(&arena, 0);
    draft.arena = &arena;
    return 0;
}

static int close_all(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

static sn_status make(const char *address, struct sn_pair *pairs, size_t count,
                      struct sn_scrape_target **ret_target) {
    const struct sn_pair_list labels = {pairs, count};
    err = (struct sn_err){.status = SN_OK};
    return sn_scrape_target_make(&job, address, &labels, &draft, ret_target, &err);
}

static void expect_labels(struct sn_str canonical, const char *expected) {
    struct sn_buf buf = {.len = 0};
    struct sn_labels labels;
    assert_int_equal(sn_labels_decode(canonical, &arena, &labels, NULL), SN_OK);
    sn_labels_format(labels, &buf);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void set_rules(struct sn_relabel_rule *rules, size_t count) {
    job.target_rules = (struct sn_relabel_rules){rules, count};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sn_relabel_rule_prepare(&rules[i], NULL), SN_OK);
}

static void an_address_becomes_a_target(void **state) {
    (void)state;
    struct sn_scrape_target *target;
    struct sn_pair pairs[] = {{"zone", "eu"}, {"__meta_x", "1"}, {"empty", ""}};
    assert_int_equal(make("h:9100", pairs, 3, &target), SN_OK);
    assert_string_equal(target->url, "http://h:9100/metrics");
    assert_int_equal(target->interval_ms, 15000);
    assert_int_equal(target->timeout_ms, 10000);
    expect_labels(target->labels, "{instance=\"h:9100\",job=\"j\",zone=\"eu\"}");
    expect_labels(target->discovered,
                  "{__address__=\"h:9100\",__meta_x=\"1\",__metrics_path__=\"/metrics\","
                  "__scheme__=\"http\",__scrape_interval__=\"15s\",__scrape_timeout__=\"10s\","
                  "job=\"j\",zone=\"eu\"}");
    (void)sn_scrape_target_free(target);
}

static void parameters_go_into_the_url(void **state) {
    (void)state;
    struct sn_scrape_target *target;
    struct sn_param params[] = {
        {"module", {(const char *[]){"http 2xx", "b&c"}, 2}},
        {"target", {(const char *[]){"x"}, 1}},
        {"none", {NULL, 0}},
    };
    struct sn_pair pairs[] = {{"__param_target", "https://a/?b=\xc3\xa4"},
                              {"__metrics_path__", "/pro be%"}};
    job.params = (struct sn_param_list){params, 3};
    assert_int_equal(make("h:1", pairs, 2, &target), SN_OK);
    assert_string_equal(target->url, "http://h:1/pro%20be%25?module=http%202xx&module=b%26c"
                                     "&target=https%3A%2F%2Fa%2F%3Fb%3D%C3%A4");
    (void)sn_scrape_target_free(target);
}

static void rules_change_everything(void **state) {
    (void)state;
    struct sn_scrape_target *target;
    struct sn_relabel_rule rules[] = {
        {.source_labels = {(const char *[]){"__address__"}, 1}, .target_label = "__param_target"},
        {.target_label = "__address__", .replacement = "exporter:9115"},
        {.target_label = "__scheme__", .replacement = "https"},
        {.target_label = "__scrape_interval__", .replacement = "30s"},
        {.target_label = "instance", .replacement = "me"},
    };
    set_rules(rules, 5);
    assert_int_equal(make("h:1", NULL, 0, &target), SN_OK);
    assert_string_equal(target->url, "https://exporter:9115/metrics?target=h%3A1");
    assert_int_equal(target->interval_ms, 30000);
    expect_labels(target->labels, "{instance=\"me\",job=\"j\"}");
    (void)sn_scrape_target_free(target);
    sn_relabel_rules_release(&job.target_rules);
}

static void a_dropped_target_keeps_what_was_discovered(void **state) {
    (void)state;
    struct sn_scrape_target *target;
    struct sn_relabel_rule rules[] = {{.action = SN_RELABEL_DROP,
                                       .source_labels = {(const char *[]){"__address__"}, 1},
                                       .pattern = "h.*"}};
    set_rules(rules, 1);
    assert_int_equal(make("h:1", NULL, 0, &target), SN_OK);
    assert_true(target->is_dropped);
    assert_true(target->discovered.len > 0);
    (void)sn_scrape_target_free(target);
    sn_relabel_rules_release(&job.target_rules);
}

static void what_cannot_be_scraped_is_refused(void **state) {
    (void)state;
    const struct {
        const char *address;
        struct sn_pair pair;
        const char *words;
    } cases[] = {
        {"", {"a", "b"}, "no address"},
        {"h/x", {"a", "b"}, "\"h/x\" is not a valid hostname"},
        {"u@h", {"a", "b"}, "not a valid hostname"},
        {"h 1", {"a", "b"}, "not a valid hostname"},
        {"h", {"__scheme__", "gopher"}, "neither http nor https"},
        {"h", {"__scrape_interval__", "x"}, "x"},
        {"h", {"__scrape_interval__", "0s"}, "cannot be 0"},
        {"h", {"__scrape_interval__", "1s"}, "greater than scrape interval"},
        {"h", {"a", "\xff"}, "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_scrape_target *target;
        struct sn_pair pair = cases[i].pair;
        sn_status status = make(cases[i].address, &pair, 1, &target);
        if (status != SN_ERR_INVALID || strstr(err.text, cases[i].words) == NULL)
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void targets_are_due_once_in_an_interval(void **state) {
    (void)state;
    struct sn_scrape_target *a, *b;
    assert_int_equal(make("h:1", NULL, 0, &a), SN_OK);
    assert_int_equal(make("h:2", NULL, 0, &b), SN_OK);
    int64_t now_ms = INT64_C(1700000000123);
    int64_t due_ms = sn_scrape_target_due_ms(a, now_ms);
    assert_true(due_ms >= now_ms && due_ms < now_ms + 15000);
    assert_int_equal(sn_scrape_target_due_ms(a, due_ms), due_ms);
    assert_int_equal(sn_scrape_target_due_ms(a, due_ms + 1), due_ms + 15000);
    assert_int_equal(sn_scrape_target_due_ms(a, due_ms - 14999), due_ms);
    assert_int_not_equal(sn_scrape_target_due_ms(b, now_ms), due_ms);
    assert_true(sn_scrape_target_due_ms(a, 0) >= 0);
    (void)sn_scrape_target_free(a);
    (void)sn_scrape_target_free(b);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct sn_scrape_target *target = NULL;
        struct sn_pair pair = {"zone", "eu"};
        int64_t before = sn_mem_block_count();
        sn_arena_release(&arena);
        sn_mem_fail_nth(n);
        sn_status status = make("h:1", &pair, 1, &target);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        (void)sn_scrape_target_free(target);
        sn_arena_release(&arena);
        assert_true(sn_mem_block_count() <= before);
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
        TEST(an_address_becomes_a_target),       TEST(parameters_go_into_the_url),
        TEST(rules_change_everything),           TEST(a_dropped_target_keeps_what_was_discovered),
        TEST(what_cannot_be_scraped_is_refused), TEST(targets_are_due_once_in_an_interval),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
