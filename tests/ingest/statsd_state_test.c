/* StatsD between datagrams and the sink. */
#include "ingest/statsd_state.h"

#include "base/mem.h"
#include "ingest_support.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
    struct book book;
    struct sn_ingest ingest;
    struct sn_statsd_state *state;
};

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL) {
        return -1;
    }
    book_init(&scene->book);
    sn_ingest_init(&scene->ingest, book_sink(&scene->book));
    const struct sn_statsd_state_options options = {
        .ingest = &scene->ingest, .series_max = 100, .expire_ms = 5000};
    *state = scene;
    return sn_statsd_state_new(&options, &scene->state, NULL) == SN_OK ? 0 : -1;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    (void)sn_statsd_state_free(scene->state); /* NULL, always */
    book_release(&scene->book);
    free(scene);
    return 0;
}

static sn_status take(struct scene *scene, const char *datagram, int64_t now_ms) {
    return sn_statsd_state_take(scene->state, sn_str_from(datagram), now_ms, NULL);
}

static const char *flush(struct scene *scene, int64_t now_ms) {
    assert_int_equal(sn_statsd_state_flush(scene->state, now_ms, NULL, NULL), SN_OK);
    return book_read(&scene->book);
}

static uint64_t rejected(struct scene *scene, unsigned reason) {
    return sn_ingest_read_counters(&scene->ingest).rejected_count[reason];
}

static void counters_add_up_for_ever(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "a.b-c:1|c\na.b-c:2:3|c|@0.5", 1000), SN_OK);
    assert_string_equal(flush(scene, 2000), "# a_b_c counter [] \na_b_c 11 @2000 start=1000\n");
    assert_int_equal(take(scene, "a.b-c:0.5|c", 2500), SN_OK);
    assert_string_equal(flush(scene, 3000), "a_b_c 11.5 @3000 start=1000\n");
    assert_string_equal(flush(scene, 4000), "a_b_c 11.5 @4000 start=1000\n");
}

static void gauges_keep_the_newest_value_and_changes_add_to_it(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "g:7|g\ng:5|g\ng:+3|g\ng:-10|g", 1000), SN_OK);
    assert_string_equal(flush(scene, 2000), "# g gauge [] \ng -2 @2000\n");
    assert_string_equal(flush(scene, 3000), "g -2 @3000\n");
}

static void sets_count_different_values_of_one_interval(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "u:a:b:a|s\nu:c|s", 1000), SN_OK);
    assert_string_equal(flush(scene, 2000), "# u gauge [] \nu 3 @2000\n");
    assert_string_equal(flush(scene, 3000), "u 0 @3000\n");
    for (int i = 0; i < 1000; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "u:%d|s", i % 500);
        assert_int_equal(take(scene, line, 3000), SN_OK);
    }
    assert_string_equal(flush(scene, 4000), "u 500 @4000\n");
}

static void timers_become_summaries_in_seconds(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "t:2000:2000|ms|#k:v\nh:3|h|@0.25\nh:3|d", 1000), SN_OK);
    assert_string_equal(
        flush(scene, 2000),
        "# h summary [] \n# t summary [] \n"
        "h_count 5 @2000 start=1000\nh_sum 15 @2000 start=1000\n"
        "h{quantile=\"0.5\"} 3 @2000\nh{quantile=\"0.9\"} 3 @2000\n"
        "h{quantile=\"0.95\"} 3 @2000\nh{quantile=\"0.99\"} 3 @2000\n"
        "t_count{k=\"v\"} 2 @2000 start=1000\nt_sum{k=\"v\"} 4 @2000 start=1000\n"
        "t{k=\"v\",quantile=\"0.5\"} 2 @2000\nt{k=\"v\",quantile=\"0.9\"} 2 @2000\n"
        "t{k=\"v\",quantile=\"0.95\"} 2 @2000\nt{k=\"v\",quantile=\"0.99\"} 2 @2000\n");
    const char *text = flush(scene, 3000);
    assert_non_null(strstr(text, "t_count{k=\"v\"} 2 @3000"));
    assert_non_null(strstr(text, "t{k=\"v\",quantile=\"0.5\"} nan @3000"));
}

static void tags_in_another_order_are_the_same_series(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "a:1|c|#x:1,y-z:2\na:1|c|#y-z:2,x:1\na:1|c|#x:0,x:1,y-z:2,", 1000),
                     SN_OK);
    assert_int_equal(take(scene, "a:1|c|#flag,9:x", 1000), SN_OK);
    assert_string_equal(flush(scene, 2000), "# a counter [] \n# a counter [] \n"
                                            "a{_9=\"x\",flag=\"true\"} 1 @2000 start=1000\n"
                                            "a{x=\"1\",y_z=\"2\"} 3 @2000 start=1000\n");
    struct sn_statsd_state_stats stats;
    sn_statsd_state_stats(scene->state, &stats);
    assert_int_equal(stats.series_count, 2);
    assert_int_equal(stats.line_count, 4);
    assert_int_equal(stats.datagram_count, 2);
}

static void what_cannot_be_used_is_counted_and_the_rest_is_taken(void **state) {
    struct scene *scene = *state;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_statsd_state_take(scene->state,
                                          SN_STR("good:1|c\nbad\ngood:x:2|c\n_e{1,1}:a|b\n_sc|a|0\n"
                                                 "good:1|g\nneg:-1|c\nr:1|c|#__name__:x\n"
                                                 "u:1|c|#a:\xff\ngood:4|c"),
                                          1000, &err),
                     SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "\"bad\""));
    assert_int_equal(rejected(scene, SN_INGEST_MALFORMED), 5);
    assert_int_equal(rejected(scene, SN_REJECT_UNSUPPORTED), 2);
    assert_int_equal(rejected(scene, SN_INGEST_TYPE_CONFLICT), 1);
    assert_non_null(strstr(flush(scene, 2000), "\ngood 7 @2000"));
}

static void limits_are_counted(void **state) {
    struct scene *scene = *state;
    static char line[32768];
    for (int i = 0; i < 103; i++) {
        (void)snprintf(line, sizeof line, "m%d:1|c", i);
        assert_int_equal(take(scene, line, 1000), i < 100 ? SN_OK : SN_ERR_BUSY);
    }
    assert_int_equal(rejected(scene, SN_REJECT_SERIES_LIMIT), 3);
    int len = snprintf(line, sizeof line, "many:1|c|#");
    for (int i = 0; i < 130; i++) {
        len += snprintf(line + len, sizeof line - (size_t)len, "t%d:v,", i);
    }
    assert_int_equal(take(scene, line, 1000), SN_ERR_LIMIT);
    (void)snprintf(line, sizeof line, "%09000d:1|c", 0);
    assert_int_equal(take(scene, line, 1000), SN_ERR_LIMIT);
    assert_int_equal(rejected(scene, SN_INGEST_LABEL_LIMIT), 2);
}

static void quiet_series_end_and_may_come_back(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "a:1|c\nb:1|g\nc:1|c\n", 1000), SN_OK);
    (void)flush(scene, 2000);
    assert_int_equal(take(scene, "b:2|g", 4000), SN_OK);
    assert_string_equal(flush(scene, 6001), "a stale @6001\nb 2 @6001\nc stale @6001\n");
    assert_string_equal(flush(scene, 7000), "b 2 @7000\n");
    assert_int_equal(take(scene, "c:5|c\nb:+1|g", 8000), SN_OK);
    assert_string_equal(flush(scene, 8500), "# c counter [] \nb 3 @8500\nc 5 @8500 start=8000\n");
}

static void a_refused_flush_loses_no_count(void **state) {
    struct scene *scene = *state;
    assert_int_equal(take(scene, "a:1|c", 1000), SN_OK);
    scene->book.push_status = SN_ERR_BUSY;
    assert_int_equal(sn_statsd_state_flush(scene->state, 2000, NULL, NULL), SN_ERR_BUSY);
    assert_int_equal(rejected(scene, SN_INGEST_NOT_STORED), 1);
    scene->book.push_status = SN_OK;
    assert_int_equal(take(scene, "a:1|c", 2500), SN_OK);
    assert_non_null(strstr(flush(scene, 3000), "a 2 @3000 start=1000\n"));
}

static void without_memory_lines_are_counted_and_nothing_is_left_behind(void **state) {
    struct scene *scene = *state;
    bool has_failed = true;
    (void)sn_statsd_state_free(SN_TAKE(scene->state));
    book_release(&scene->book);
    scene->book.is_closed = true;
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1; has_failed; n++) {
        const struct sn_statsd_state_options options = {.ingest = &scene->ingest};
        struct sn_statsd_state *made = NULL;
        uint64_t before = rejected(scene, SN_INGEST_NOT_STORED);
        sn_mem_fail_nth(n);
        sn_status status = sn_statsd_state_new(&options, &made, NULL);
        sn_status taken = SN_OK;
        if (status == SN_OK) {
            taken = sn_statsd_state_take(made, SN_STR("a:1|c|#x:y\nb:2|ms\nc:x|s"), 1000, NULL);
            status = sn_statsd_state_flush(made, 2000, NULL, NULL);
        }
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        assert_true(taken == SN_OK || taken == SN_ERR_NO_MEMORY);
        assert_true((taken == SN_OK) || rejected(scene, SN_INGEST_NOT_STORED) > before);
        assert_null(sn_statsd_state_free(made));
        assert_int_equal(sn_mem_block_count(), blocks);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(counters_add_up_for_ever),
        TEST(gauges_keep_the_newest_value_and_changes_add_to_it),
        TEST(sets_count_different_values_of_one_interval),
        TEST(timers_become_summaries_in_seconds),
        TEST(tags_in_another_order_are_the_same_series),
        TEST(what_cannot_be_used_is_counted_and_the_rest_is_taken),
        TEST(limits_are_counted),
        TEST(quiet_series_end_and_may_come_back),
        TEST(a_refused_flush_loses_no_count),
        TEST(without_memory_lines_are_counted_and_nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("statsd_state", tests, NULL, NULL);
}
