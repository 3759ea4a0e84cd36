/* Tests of lines: what stands between name and value, and the room around the end of a piece. */
#include "client/page_line_priv.h"
#include "client_support.h"

#include "base/mem.h"

#include <stdio.h>

struct output {
    char text[3 * SN_PAGE_PIECE_BYTES];
    size_t len;
};

static struct output output;

static int keep(void *ctx, const char *bytes, size_t len) {
    struct output *to = ctx;
    assert_true(len <= sizeof to->text - to->len);
    memcpy(to->text + to->len, bytes, len);
    to->len += len;
    return 0;
}

static struct sn_page new_page(void) {
    output.len = 0;
    return (struct sn_page){.sink = keep, .ctx = &output, .piece = sn_alloc(SN_PAGE_PIECE_BYTES)};
}

static void put(struct sn_page *page, const struct sn_line_head *head, const struct sn_line *line,
                enum sn_line_dialect dialect) {
    char *at = sn_page_begin_line(page, head, line, dialect);
    assert_true(at >= page->piece);
    assert_true(at + SN_LINE_NUMBER_BYTES <= page->piece + SN_PAGE_PIECE_BYTES);
    *at++ = '7';
    *at++ = '\n';
    sn_page_set_end(page, at);
}

static void finish(struct sn_page *page) {
    sn_page_flush(page);
    sn_free(page->piece);
    output.text[output.len] = '\0';
}

static const struct sn_extra outcome = SN_EXTRA("outcome", "ok");

static struct sn_series *series_of(sonde_registry *registry, const char *value) {
    static const char *const names[] = {"a"};
    sonde_metric metric = {.name = "x_total", .label_names = names, .label_count = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    return (struct sn_series *)(void *)sonde_counter_family_get(family, &value, 1);
}

static void labels_and_one_more_are_all_optional(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    struct sn_page page = new_page();
    struct sn_line_heads heads;
    sn_line_heads_set(&heads, SN_STR("x"), SONDE_TYPE_HISTOGRAM);
    struct sn_line line = {.name = SN_STR("x")};
    put(&page, &heads.of[SN_SUFFIX_NONE], &line, SN_LINE_TEXT);
    line.extra = &outcome;
    put(&page, &heads.of[SN_SUFFIX_BUCKET], &line, SN_LINE_TEXT);
    line.series = series_of(registry, "1");
    put(&page, &heads.of[SN_SUFFIX_SUM], &line, SN_LINE_OPENMETRICS);
    line.extra = NULL;
    put(&page, &heads.of[SN_SUFFIX_COUNTER], &line, SN_LINE_TEXT);
    finish(&page);
    assert_string_equal(output.text, "x 7\n"
                                     "x_bucket{outcome=\"ok\"} 7\n"
                                     "x_sum{a=\"1\",outcome=\"ok\"} 7\n"
                                     "x_count{a=\"1\"} 7\n");
    (void)sonde_registry_free(registry);
}

/* Wherever a piece ends, no line is cut, repeated or mixed with what was there before. */
static void lines_of_every_length_cross_the_end_of_a_piece(void **state) {
    (void)state;
    static char value[256], expected[sizeof output.text];
    sonde_registry *registry = new_registry();
    struct sn_page page = new_page();
    struct sn_line_head head;
    size_t expected_len = 0;
    sn_line_head_set(&head, SN_STR("x_total"), SN_STR(""));
    for (size_t i = 0; expected_len < 2 * SN_PAGE_PIECE_BYTES; i++) {
        size_t len = i % 200;
        memset(value, 'a' + (int)(i % 26), len);
        value[len] = '\0';
        struct sn_line line = {.series = series_of(registry, value)};
        put(&page, &head, &line, SN_LINE_TEXT);
        expected_len += (size_t)snprintf(expected + expected_len, sizeof expected - expected_len,
                                         "x_total{a=\"%s\"} 7\n", value);
    }
    finish(&page);
    assert_int_equal(output.len, expected_len);
    assert_memory_equal(output.text, expected, expected_len);
    (void)sonde_registry_free(registry);
}

/* 16 labels of 8 KiB do not fit into a piece. */
static void a_line_may_be_longer_than_a_piece(void **state) {
    (void)state;
    static char value[SONDE_LABEL_VALUE_BYTES_MAX + 1];
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                        "i", "j", "k", "l", "m", "n", "o", "p"};
    const char *values[16];
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "x_total", .label_names = names, .label_count = 16};
    memset(value, 'v', SONDE_LABEL_VALUE_BYTES_MAX);
    for (size_t i = 0; i < 16; i++)
        values[i] = value;
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    struct sn_line line = {
        .series = (struct sn_series *)(void *)sonde_counter_family_get(family, values, 16),
        .extra = &outcome};
    struct sn_page page = new_page();
    struct sn_line_head head;
    sn_line_head_set(&head, SN_STR("x_total"), SN_STR(""));
    put(&page, &head, &line, SN_LINE_TEXT);
    finish(&page);
    static const char end[] = "vv\",outcome=\"ok\"} 7\n";
    size_t labels = 16 * (strlen("a=\"\",") + SONDE_LABEL_VALUE_BYTES_MAX);
    assert_int_equal(output.len, strlen("x_total{") + labels + strlen("outcome=\"ok\"} 7\n"));
    assert_string_equal(output.text + output.len - strlen(end), end);
    (void)sonde_registry_free(registry);
}

static void names_of_the_longest_kind_fit(void **state) {
    (void)state;
    char name[SONDE_NAME_BYTES_MAX];
    struct sn_line_head head;
    memset(name, 'n', sizeof name);
    sn_line_head_set(&head, sn_str_make(name, sizeof name), SN_STR("_created"));
    assert_int_equal(head.len, sizeof name + strlen("_created{"));
    assert_memory_equal(head.bytes + sizeof name, "_created{", strlen("_created{"));
    assert_true(head.len + SN_COPY_STEP <= sizeof head.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_and_one_more_are_all_optional),
        cmocka_unit_test(lines_of_every_length_cross_the_end_of_a_piece),
        cmocka_unit_test(a_line_may_be_longer_than_a_piece),
        cmocka_unit_test(names_of_the_longest_kind_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
