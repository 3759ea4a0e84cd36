/* Content of one group of pushed metrics: from a page, from bytes, to a batch. */
#include "ingest/push_group.h"

#include "base/mem.h"
#include "ingest_support.h"

#include <stdio.h>

#define JOB "{job=\"j\"}"

static const struct sn_label job_label = {SN_STR("job"), SN_STR("j")};
static const struct sn_labels job = {&job_label, 1};

static struct sn_push_group make(const char *page, const struct sn_push_group *old,
                                 bool keeps_others) {
    struct sn_push_change change = {
        .labels = job,
        .old = old,
        .page = {.bytes = sn_str_from(page), .keeps_others = keeps_others},
        .now_ms = 5000,
        .seed = 1};
    struct sn_push_group group;
    struct sn_err err = {.status = SN_OK};
    if (sn_push_group_make(&change, &group, &err) != SN_OK) {
        fail_msg("%s: %s", page, err.text);
    }
    return group;
}

/* What a batch shows, beside the two times of the group. */
static const char *show(const struct sn_push_group *now, const struct sn_push_group *old) {
    static char text[8192];
    struct sn_arena arena;
    struct sn_batch batch;
    struct book book;
    struct sn_push_result result;
    sn_arena_init(&arena, 0);
    book_init(&book);
    assert_int_equal(sn_push_group_batch(now, old, 7000, 1, &arena, &batch, NULL), SN_OK);
    assert_int_equal(sn_sink_push_wait(book_sink(&book), &batch, &result, NULL), SN_OK);
    size_t len = 0;
    text[0] = '\0';
    for (const char *at = book_read(&book), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (strncmp(at, "push_", 5) != 0 && strncmp(at, "# push_", 7) != 0) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%.*s\n", (int)(end - at), at);
        }
    }
    book_release(&book);
    sn_arena_release(&arena);
    return text;
}

static void assert_shows(const char *page, const char *expected) {
    struct sn_push_group group = make(page, NULL, false);
    assert_string_equal(show(&group, NULL), expected);
    sn_push_group_release(&group);
}

static void assert_refused(const char *page, sn_status status, const char *words) {
    struct sn_push_change change = {.labels = job, .page = {.bytes = sn_str_from(page)}, .seed = 1};
    struct sn_push_group group;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_push_group_make(&change, &group, &err), status);
    if (strstr(err.text, words) == NULL) {
        fail_msg("%s: %s", page, err.text);
    }
}

static void labels_of_the_group_win(void **state) {
    (void)state;
    assert_shows("a{job=\"other\",x=\"1\"} 2\n", "# a unknown [] \na{job=\"j\",x=\"1\"} 2 @7000\n");
}

static void type_and_help_go_along(void **state) {
    (void)state;
    assert_shows("# HELP a Some \\\\ text.\n# TYPE a counter\na 1\n",
                 "# a counter [] Some \\ text.\na" JOB " 1 @7000\n");
    assert_shows("# TYPE lonely gauge\n", "");
}

static void parts_of_a_histogram_are_one_metric(void **state) {
    (void)state;
    struct sn_push_group first = make("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n"
                                      "h_count 2\nother 1\n",
                                      NULL, false);
    struct sn_push_group second = make("# TYPE h histogram\nh_sum 9\n", &first, true);
    assert_string_equal(show(&second, &first),
                        "# h histogram [] \n# other unknown [] \n"
                        "h_bucket{job=\"j\",le=\"+Inf\"} stale @7000\nh_count" JOB " stale @7000\n"
                        "h_sum" JOB " 9 @7000\nother" JOB " 1 @7000\n");
    sn_push_group_release(&first);
    sn_push_group_release(&second);
}

static void put_replaces_and_post_merges(void **state) {
    (void)state;
    struct sn_push_group old = make("a 1\nb{x=\"1\"} 2\nb{x=\"2\"} 3\n", NULL, false);
    struct sn_push_group put = make("b{x=\"1\"} 5\n", &old, false);
    struct sn_push_group post = make("b{x=\"1\"} 5\n", &old, true);
    assert_string_equal(show(&put, &old), "# b unknown [] \na" JOB " stale @7000\n"
                                          "b{job=\"j\",x=\"1\"} 5 @7000\n"
                                          "b{job=\"j\",x=\"2\"} stale @7000\n");
    assert_string_equal(show(&post, &old), "# a unknown [] \n# b unknown [] \na" JOB " 1 @7000\n"
                                           "b{job=\"j\",x=\"1\"} 5 @7000\n"
                                           "b{job=\"j\",x=\"2\"} stale @7000\n");
    assert_string_equal(show(NULL, &put), "b{job=\"j\",x=\"1\"} stale @7000\n");
    sn_push_group_release(&old);
    sn_push_group_release(&put);
    sn_push_group_release(&post);
}

static void times_of_push_and_failure_are_kept(void **state) {
    (void)state;
    struct sn_push_group old = make("push_time_seconds 77\na 1\n", NULL, false);
    struct sn_push_change change = {
        .labels = job, .old = &old, .is_failure = true, .now_ms = 6500, .seed = 1};
    struct sn_push_group group;
    assert_int_equal(old.push_ms, 5000);
    assert_int_equal(old.failure_ms, 0);
    assert_int_equal(old.sample_count, 3);
    assert_int_equal(sn_push_group_make(&change, &group, NULL), SN_OK);
    assert_int_equal(group.push_ms, 5000);
    assert_int_equal(group.failure_ms, 6500);
    assert_string_equal(show(&group, NULL), "# a unknown [] \na" JOB " 1 @7000\n");
    sn_push_group_release(&old);
    sn_push_group_release(&group);
}

static void bad_pages_are_refused_with_their_line(void **state) {
    (void)state;
    assert_refused("a 1\nb 2 1700000000000\n", SN_ERR_INVALID, "line 2: pushed metrics must not");
    assert_refused("a 1\nb{\n", SN_ERR_INVALID, "line 2");
    assert_refused("a{x=\"1\"} 1\na{x=\"1\",job=\"y\"} 1\n", SN_ERR_INVALID, "line 2");
    char page[8192 + 64];
    (void)snprintf(page, sizeof page, "a{x=\"%08193d\"} 1\n", 0);
    assert_refused(page, SN_ERR_LIMIT, "line 1");
}

/* MetricFamily { name = 1; help = 2; type = 3; metric = 4 { label = 1; counter = 3 { value = 1 } } } */
#define COUNTER                                                                                    \
    "\x1d\x0a\x01"                                                                                 \
    "c\x12\x01"                                                                                    \
    "h\x18\x00\x22\x13\x0a\x06\x0a\x01"                                                            \
    "x\x12\x01"                                                                                    \
    "y\x1a\x09\x09"
#define SEVEN "\x00\x00\x00\x00\x00\x00\x1c\x40"

static sn_status make_protobuf(struct sn_str bytes, struct sn_push_group *ret_group,
                               struct sn_err *err) {
    struct sn_push_change change = {
        .labels = job, .page = {.bytes = bytes, .is_protobuf = true}, .now_ms = 5000, .seed = 1};
    return sn_push_group_make(&change, ret_group, err);
}

static void protobuf_is_read_as_text_would_be(void **state) {
    (void)state;
    struct sn_push_group group;
    struct sn_err err = {.status = SN_OK};
    struct sn_str bytes = sn_str_make(COUNTER SEVEN, sizeof(COUNTER SEVEN) - 1);
    assert_int_equal(bytes.len, 30);
    if (make_protobuf(bytes, &group, &err) != SN_OK) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(show(&group, NULL), "# c counter [] h\nc{job=\"j\",x=\"y\"} 7 @7000\n");
    sn_push_group_release(&group);
    struct sn_str twice = sn_str_make(COUNTER SEVEN COUNTER SEVEN, 2 * bytes.len);
    assert_int_equal(make_protobuf(twice, &group, &err), SN_ERR_INVALID);
    for (size_t len = 1; len < bytes.len; len++) {
        assert_int_equal(make_protobuf(sn_str_make(bytes.ptr, len), &group, &err), SN_ERR_INVALID);
    }
}

static void bytes_give_the_same_group(void **state) {
    (void)state;
    struct sn_push_group group = make("# TYPE a gauge\na{x=\"y\"} 1.5\nb 2\n", NULL, false);
    struct sn_push_group again;
    struct sn_buf copy;
    sn_buf_init(&copy, 0);
    sn_buf_put_str(&copy, sn_buf_str(&group.bytes));
    assert_int_equal(sn_push_group_open(&copy, &again, NULL), SN_OK);
    assert_int_equal(again.sample_count, group.sample_count);
    assert_int_equal(again.family_count, group.family_count);
    assert_int_equal(again.push_ms, 5000);
    assert_true(sn_str_equal(again.labels, group.labels));
    assert_string_equal(show(&again, NULL), "# a gauge [] \n# b unknown [] \n"
                                            "a{job=\"j\",x=\"y\"} 1.5 @7000\nb" JOB " 2 @7000\n");
    sn_push_group_release(&group);
    sn_push_group_release(&again);
    sn_buf_release(&copy);
}

static void damaged_bytes_are_found(void **state) {
    (void)state;
    struct sn_push_group group = make("a{x=\"y\"} 1.5\n", NULL, false);
    for (size_t i = 0; i < group.bytes.len; i++) {
        struct sn_push_group again;
        struct sn_buf copy;
        sn_buf_init(&copy, 0);
        sn_buf_put_str(&copy, sn_buf_str(&group.bytes));
        copy.ptr[i] ^= 0x10;
        assert_int_equal(sn_push_group_open(&copy, &again, NULL), SN_ERR_CORRUPT);
        copy.ptr[i] ^= 0x10;
        copy.len = i;
        assert_int_equal(sn_push_group_open(&copy, &again, NULL), SN_ERR_CORRUPT);
        sn_buf_release(&copy);
    }
    sn_push_group_release(&group);
}

static void without_memory_nothing_is_left_behind(void **state) {
    (void)state;
    struct sn_push_group old = make("a 1\nc 1\n", NULL, false);
    int64_t blocks = sn_mem_block_count();
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_push_change change = {
            .labels = job,
            .old = &old,
            .page = {.bytes = SN_STR("a 1\nb{x=\"y\"} 2\n"), .keeps_others = true},
            .seed = 1};
        struct sn_push_group group = {.sample_count = 0};
        struct sn_arena arena;
        struct sn_batch batch;
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_push_group_make(&change, &group, NULL);
        if (status == SN_OK) {
            status = sn_push_group_batch(&group, &old, 1, 1, &arena, &batch, NULL);
        }
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_push_group_release(&group);
        sn_arena_release(&arena);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
    sn_push_group_release(&old);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_of_the_group_win),
        cmocka_unit_test(type_and_help_go_along),
        cmocka_unit_test(parts_of_a_histogram_are_one_metric),
        cmocka_unit_test(put_replaces_and_post_merges),
        cmocka_unit_test(times_of_push_and_failure_are_kept),
        cmocka_unit_test(bad_pages_are_refused_with_their_line),
        cmocka_unit_test(protobuf_is_read_as_text_would_be),
        cmocka_unit_test(bytes_give_the_same_group),
        cmocka_unit_test(damaged_bytes_are_found),
        cmocka_unit_test(without_memory_nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("push_group", tests, NULL, NULL);
}
