/* The scrape manager in the server: started, shown, renewed. */
#include "app/scraper.h"

#include "app/config.h"
#include "app_support.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic int push_count;

static sn_status taking_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                             struct sn_push_result *ret_result, struct sn_err *err) {
    (void)ctx;
    (void)err;
    push_count++;
    *ret_result = (struct sn_push_result){.accepted_count = batch->sample_count};
    if (done.fn != NULL)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

static void read_config(struct sn_config *config, const char *text) {
    struct sn_err err = {.status = SN_OK};
    sn_config_init(config);
    if (sn_config_parse(config, "p.yml", sn_str_from(text), &err) != SN_OK)
        fail_msg("%s", err.text);
}

static bool shows(struct sn_scraper *scraper, const char *text) {
    struct sn_buf buf = {.len = 0};
    struct sn_json_writer json;
    sn_json_write_init(&json, &buf, 0);
    assert_int_equal(sn_scraper_write_targets(scraper, SN_SCRAPE_ANY, SN_STR(""), &json, NULL),
                     SN_OK);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    bool is_there = strstr((const char *)buf.ptr, text) != NULL;
    sn_buf_release(&buf);
    return is_there;
}

static bool count_target(void *ctx, struct sn_labels labels) {
    (void)labels;
    (*(int *)ctx)++;
    return true;
}

static void wait_for_pushes(int more) {
    int wanted = push_count + more;
    for (int i = 0; i < 20000 && push_count < wanted; i++)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    assert_true(push_count >= wanted);
}

static void it_scrapes_and_takes_another_configuration(void **state) {
    (void)state;
    static struct sn_config first, second;
    static struct sn_scraper scraper;
    struct sn_ingest ingest;
    struct sn_scrape_stats stats;
    struct sn_arena arena;
    int count = 0;
    sn_ingest_init(&ingest, (struct sn_sink){.push = taking_push});
    struct sn_labels labels = {NULL, 0};
    read_config(&first, "global: {external_labels: {zone: eu, a: b}}\n"
                        "scrape_configs: [{job_name: a, scrape_interval: 20ms, "
                        "static_configs: [{targets: ['127.0.0.1:1']}]}]\n");
    read_config(&second, "scrape_configs: [{job_name: b, scrape_interval: 20ms, "
                         "static_configs: [{targets: ['127.0.0.1:1']}]}]\n");
    assert_int_equal(sn_scraper_open(&scraper, &first.scrape, &ingest, NULL), SN_OK);
    assert_int_equal(sn_scraper_start(&scraper, NULL), SN_OK);
    wait_for_pushes(2);
    assert_true(shows(&scraper, "\"scrapePool\":\"a\""));
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_scraper_external_labels(&scraper, &arena, &labels, NULL), SN_OK);
    assert_int_equal(labels.count, 2);
    assert_true(sn_str_equal(sn_labels_get(labels, SN_STR("zone")), SN_STR("eu")));
    assert_int_equal(sn_scraper_renew(&scraper, &second.scrape, NULL), SN_OK);
    sn_config_release(&first);
    assert_true(shows(&scraper, "\"scrapePool\":\"b\""));
    assert_false(shows(&scraper, "\"scrapePool\":\"a\""));
    wait_for_pushes(2);
    sn_scraper_stats(&scraper, &stats);
    assert_int_equal(stats.target_count, 1);
    assert_int_equal(sn_scraper_external_labels(&scraper, &arena, &labels, NULL), SN_OK);
    assert_int_equal(labels.count, 0); /* of the second file */
    assert_int_equal(sn_scraper_each_target(&scraper, &arena, count_target, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    sn_arena_release(&arena);
    sn_scraper_stop(&scraper);
    sn_scraper_close(&scraper);
    sn_config_release(&second);
    assert_true(sn_ingest_read_counters(&ingest).ingested_count[SN_INGEST_SCRAPE] > 0);
}

static void what_was_not_opened_is_closed_as_well(void **state) {
    (void)state;
    struct sn_scraper scraper = {.is_open = false};
    sn_scraper_stop(&scraper);
    sn_scraper_close(&scraper);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_scrapes_and_takes_another_configuration),
        cmocka_unit_test(what_was_not_opened_is_closed_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
