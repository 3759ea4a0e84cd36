/* From pages to batches: labels, rules, limits, times, markers, formats. */
#include "collect/scrape_page.h"

#include "base/mem.h"
#include "codec/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

static struct sn_scrape_page page;
static struct sn_scrape_cache cache;
static struct sn_scrape_job job;
static struct sn_label target_items[] = {
    {{"instance", 8}, {"h:1", 3}},
    {{"job", 3}, {"j", 1}},
};
static struct sn_err err;

static int open_page(void **state) {
    (void)state;
    memset(&job, 0, sizeof job);
    job.name = "j";
    sn_scrape_cache_init(&cache);
    sn_scrape_page_init(&page, 7);
    return 0;
}

static int close_page(void **state) {
    (void)state;
    sn_scrape_page_release(&page);
    sn_scrape_cache_release(&cache);
    return 0;
}

/* One scrape; the batch stays in page. */
static sn_status scrape(const char *content_type, struct sn_str body) {
    err = (struct sn_err){.status = SN_OK};
    sn_scrape_page_begin(&page, &job, (struct sn_labels){target_items, 2}, &cache, NOW_MS);
    sn_status status = sn_scrape_page_read(&page, content_type, body, &err);
    assert_int_equal(sn_scrape_page_end(&page, status == SN_OK, NULL), SN_OK);
    return status;
}

static sn_status scrape_text(const char *body) {
    return scrape("text/plain; version=0.0.4", sn_str_from(body));
}

static sn_status scrape_openmetrics(const char *body) {
    return scrape("application/openmetrics-text; version=1.0.0", sn_str_from(body));
}

static void render_sample(const struct sn_batch *batch, size_t i, struct sn_buf *buf) {
    struct sn_arena arena;
    struct sn_labels labels;
    char number[SN_DOUBLE_TEXT_SIZE];
    const struct sn_batch_sample *sample = &batch->samples[i];
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_labels_decode(batch->series[sample->series].labels, &arena, &labels, NULL),
                     SN_OK);
    sn_labels_format(labels, buf);
    (void)sn_double_format(sample->value, SN_DOUBLE_TEXT, number);
    sn_buf_printf(buf, " %s", sn_is_stale(sample->value) ? "stale" : number);
    if (sample->time_ms != NOW_MS)
        sn_buf_printf(buf, " @%lld", (long long)sample->time_ms);
    if (batch->series[sample->series].start_time_ms != 0)
        sn_buf_printf(buf, " since %lld", (long long)batch->series[sample->series].start_time_ms);
    sn_buf_put_text(buf, "\n");
    sn_arena_release(&arena);
}

static void expect(const char *expected) {
    struct sn_batch batch = sn_batch_builder_view(&page.batch);
    struct sn_buf buf = {.len = 0};
    for (size_t i = 0; i < batch.sample_count; i++)
        render_sample(&batch, i, &buf);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void set_rules(struct sn_relabel_rule *rules, size_t count) {
    job.metric_rules = (struct sn_relabel_rules){rules, count};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sn_relabel_rule_prepare(&rules[i], NULL), SN_OK);
}

/* ---- labels ---- */

static void series_get_the_labels_of_their_target(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) { /* the second time from the cache */
        assert_int_equal(scrape_text("a 1\nb{x=\"y\"} 2\n"), SN_OK);
        expect("a{instance=\"h:1\",job=\"j\"} 1\nb{instance=\"h:1\",job=\"j\",x=\"y\"} 2\n");
        assert_int_equal(page.scraped_count, 2);
        assert_int_equal(page.added_count, 2);
        assert_int_equal(page.new_count, i == 0 ? 2 : 0);
    }
}

static void conflicting_labels_are_exported(void **state) {
    (void)state;
    assert_int_equal(scrape_text("a{job=\"x\",instance=\"y\"} 1\n"
                                 "b{job=\"x\",exported_job=\"z\"} 1\n"),
                     SN_OK);
    expect("a{exported_instance=\"y\",exported_job=\"x\",instance=\"h:1\",job=\"j\"} 1\n"
           "b{exported_exported_job=\"x\",exported_job=\"z\",instance=\"h:1\",job=\"j\"} 1\n");
}

static void honoured_labels_win(void **state) {
    (void)state;
    job.honors_labels = true;
    assert_int_equal(scrape_text("a{job=\"x\"} 1\n"), SN_OK);
    expect("a{instance=\"h:1\",job=\"x\"} 1\n");
}

static void metric_rules_change_and_drop_series(void **state) {
    (void)state;
    struct sn_relabel_rule rules[] = {
        {.action = SN_RELABEL_DROP,
         .source_labels = {(const char *[]){"__name__"}, 1},
         .pattern = "go_.*"},
        {.source_labels = {(const char *[]){"__name__"}, 1},
         .pattern = "a",
         .target_label = "__name__",
         .replacement = "renamed"},
    };
    set_rules(rules, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(scrape_text("go_x 1\na 2\nb 3\n"), SN_OK);
        expect("renamed{instance=\"h:1\",job=\"j\"} 2\nb{instance=\"h:1\",job=\"j\"} 3\n");
        assert_int_equal(page.scraped_count, 3);
        assert_int_equal(page.added_count, 2);
    }
    sn_relabel_rules_release(&job.metric_rules);
}

static void bounds_are_written_as_in_openmetrics(void **state) {
    (void)state;
    assert_int_equal(
        scrape_text("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
                    "# TYPE s summary\ns{quantile=\"0.50\"} 1\n"
                    "# TYPE g gauge\ng{le=\"1\"} 1\n"),
        SN_OK);
    expect("h_bucket{instance=\"h:1\",job=\"j\",le=\"1.0\"} 1\n"
           "h_bucket{instance=\"h:1\",job=\"j\",le=\"+Inf\"} 2\n"
           "s{instance=\"h:1\",job=\"j\",quantile=\"0.5\"} 1\n"
           "g{instance=\"h:1\",job=\"j\",le=\"1\"} 1\n");
}

/* ---- markers ---- */

static void what_goes_gets_a_stale_marker(void **state) {
    (void)state;
    assert_int_equal(scrape_text("a 1\nb 2\n"), SN_OK);
    assert_int_equal(scrape_text("a 1\n"), SN_OK);
    expect("a{instance=\"h:1\",job=\"j\"} 1\nb{instance=\"h:1\",job=\"j\"} stale\n");
    assert_int_equal(scrape_text("a 1\n?\n"), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "line 2"));
    expect("a{instance=\"h:1\",job=\"j\"} stale\n");
}

static void series_with_times_of_their_own_get_none(void **state) {
    (void)state;
    assert_int_equal(scrape_text("a 1 1699999999000\n"), SN_OK);
    expect("a{instance=\"h:1\",job=\"j\"} 1 @1699999999000\n");
    assert_int_equal(scrape_text(""), SN_OK);
    expect("");
    job.tracks_timestamps = true;
    assert_int_equal(scrape_text("a 1 1699999999000\n"), SN_OK);
    assert_int_equal(scrape_text(""), SN_OK);
    expect("a{instance=\"h:1\",job=\"j\"} stale\n");
}

static void times_are_ignored_when_told_so(void **state) {
    (void)state;
    job.ignores_timestamps = true;
    assert_int_equal(scrape_text("a 1 5\n"), SN_OK);
    expect("a{instance=\"h:1\",job=\"j\"} 1\n");
}

static void times_far_away_are_left_out_and_counted(void **state) {
    (void)state;
    assert_int_equal(scrape_openmetrics("a 1 -2.5\nb 1 253402300800\nc 1\n# EOF\n"), SN_OK);
    expect("c{instance=\"h:1\",job=\"j\"} 1\n");
    assert_int_equal(page.unusable_count, 2);
}

/* ---- start times, exemplars, metadata ---- */

static void created_becomes_the_start_and_no_series(void **state) {
    (void)state;
    static const char body[] =
        "# TYPE c counter\nc_total{x=\"1\"} 1\nc_created{x=\"1\"} 2.5\nc_total{x=\"2\"} 1\n"
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n"
        "h_created 3\n# TYPE g gauge\ng_created 4\n# EOF\n";
    for (int i = 0; i < 2; i++) {
        assert_int_equal(scrape_openmetrics(body), SN_OK);
        expect("c_total{instance=\"h:1\",job=\"j\",x=\"1\"} 1 since 2500\n"
               "c_total{instance=\"h:1\",job=\"j\",x=\"2\"} 1\n"
               "h_bucket{instance=\"h:1\",job=\"j\",le=\"1.0\"} 1 since 3000\n"
               "h_bucket{instance=\"h:1\",job=\"j\",le=\"+Inf\"} 1 since 3000\n"
               "h_count{instance=\"h:1\",job=\"j\"} 1 since 3000\n"
               "h_sum{instance=\"h:1\",job=\"j\"} 1 since 3000\n"
               "g_created{instance=\"h:1\",job=\"j\"} 4\n");
        assert_int_equal(page.scraped_count, 7);
    }
}

static void exemplars_and_metadata_come_along(void **state) {
    (void)state;
    page.wants_metadata = true;
    assert_int_equal(scrape_openmetrics("# HELP c_seconds What \\\"it\\\" is.\n"
                                        "# TYPE c_seconds counter\n# UNIT c_seconds seconds\n"
                                        "c_seconds_total 1 # {t=\"x\"} 0.5 9\n# EOF\n"),
                     SN_OK);
    struct sn_batch batch = sn_batch_builder_view(&page.batch);
    assert_int_equal(batch.exemplar_count, 1);
    assert_int_equal(batch.exemplars[0].exemplar.time_ms, 9000);
    assert_int_equal(batch.metadata_count, 1);
    assert_true(sn_str_equal(batch.metadata[0].help, SN_STR("What \"it\" is.")));
    assert_true(sn_str_equal(batch.metadata[0].unit, SN_STR("seconds")));
    assert_int_equal(batch.metadata[0].type, SN_METRIC_COUNTER);
}

/* ---- limits ---- */

static void every_limit_holds_at_both_sides(void **state) {
    (void)state;
    const struct {
        int64_t *limit;
        int64_t good, bad;
        const char *words;
    } cases[] = {
        {&job.rules.sample_max, 2, 1, "line 2: sample limit exceeded (limit: 1)"},
        {&job.rules.label_max, 4, 3, "label_limit exceeded (labels: 4, limit: 3)"},
        {&job.rules.label_name_bytes_max, 8, 7, "label_name_length_limit exceeded"},
        {&job.rules.label_value_bytes_max, 5, 4, "label_value_length_limit exceeded"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int is_bad = 0; is_bad < 2; is_bad++) {
            sn_scrape_cache_release(&cache);
            *cases[i].limit = is_bad ? cases[i].bad : cases[i].good;
            sn_status status = scrape_text("a{x=\"12345\"} 1\nb{x=\"12345\"} 1\n");
            assert_int_equal(status, is_bad ? SN_ERR_LIMIT : SN_OK);
            if (is_bad && strstr(err.text, cases[i].words) == NULL)
                fail_msg("%s", err.text);
            *cases[i].limit = 0;
        }
}

static void a_series_without_a_name_fails_the_scrape(void **state) {
    (void)state;
    struct sn_relabel_rule rules[] = {{.action = SN_RELABEL_LABELDROP, .pattern = "__name__"}};
    set_rules(rules, 1);
    assert_int_equal(scrape_text("a 1\n"), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "missing metric name"));
    sn_relabel_rules_release(&job.metric_rules);
}

/* ---- formats ---- */

static void the_content_type_decides(void **state) {
    (void)state;
    assert_int_equal(scrape("TEXT/Plain;charset=utf-8", SN_STR("a 1\n")), SN_OK);
    assert_int_equal(scrape("application/openmetrics-text", SN_STR("a 1\n")), SN_ERR_INVALID);
    assert_int_equal(scrape("application/vnd.google.protobuf; encoding=delimited", SN_STR("a 1\n")),
                     SN_ERR_INVALID);
    assert_int_equal(scrape("text/html", SN_STR("a 1\n")), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "unsupported Content-Type \"text/html\""));
    assert_int_equal(scrape("text/plainly", SN_STR("a 1\n")), SN_ERR_INVALID);
    assert_int_equal(scrape(NULL, SN_STR("a 1\n")), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "blank Content-Type"));
    job.fallback_protocol = SN_SCRAPE_TEXT_0;
    assert_int_equal(scrape("text/html", SN_STR("a 1\n")), SN_OK);
    assert_int_equal(scrape(NULL, SN_STR("a 1\n")), SN_OK);
}

static void protobuf_gives_what_text_gives(void **state) {
    (void)state;
    /* Counter a_total{x="y"} 3, started at 2 s. */
    static const char body[] =
        "\x29\x0a\x07"
        "a_total\x18\x00\x22\x1c"
        "\x0a\x06\x0a\x01x\x12\x01y"
        "\x1a\x0f\x09\x00\x00\x00\x00\x00\x00\x08\x40\x1a\x04\x08\x02\x10\x00"
        "\x30\xe8\x07";
    struct sn_str bytes = sn_str_make(body, sizeof body - 1);
    sn_status status = scrape("application/vnd.google.protobuf", bytes);
    if (status != SN_OK)
        fail_msg("%s", err.text);
    expect("a_total{instance=\"h:1\",job=\"j\",x=\"y\"} 3 @1000 since 2000\n");
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    static const char body[] = "# TYPE h histogram\nh_bucket{le=\"1\",job=\"x\"} 1 # {t=\"x\"} 1\n"
                               "h_bucket{le=\"+Inf\",job=\"x\"} 1\nh_created{job=\"x\"} 1\n# EOF\n";
    for (uint64_t n = 1;; n++) {
        sn_scrape_cache_release(&cache);
        sn_scrape_page_release(&page);
        sn_scrape_page_init(&page, 7);
        sn_scrape_page_begin(&page, &job, (struct sn_labels){target_items, 2}, &cache, NOW_MS);
        sn_mem_fail_nth(n);
        sn_status status =
            sn_scrape_page_read(&page, "application/openmetrics-text", sn_str_from(body), NULL);
        if (status == SN_OK)
            status = sn_scrape_page_report(&page, SN_STR("up"), 1, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_scrape_page_end(&page, status == SN_OK, NULL), SN_OK);
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_page, close_page)
        TEST(series_get_the_labels_of_their_target),
        TEST(conflicting_labels_are_exported),
        TEST(honoured_labels_win),
        TEST(metric_rules_change_and_drop_series),
        TEST(bounds_are_written_as_in_openmetrics),
        TEST(what_goes_gets_a_stale_marker),
        TEST(series_with_times_of_their_own_get_none),
        TEST(times_are_ignored_when_told_so),
        TEST(times_far_away_are_left_out_and_counted),
        TEST(created_becomes_the_start_and_no_series),
        TEST(exemplars_and_metadata_come_along),
        TEST(every_limit_holds_at_both_sides),
        TEST(a_series_without_a_name_fails_the_scrape),
        TEST(the_content_type_decides),
        TEST(protobuf_gives_what_text_gives),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
