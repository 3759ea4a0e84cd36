/* Tests of OpenMetrics pages: a whole page, exemplars, names that meet, the rules of the format. */
#include "client_support.h"

#include <stdio.h>

#define LOST_HEAD                                                                                  \
    "# TYPE sonde_lost counter\n"                                                                  \
    "# HELP sonde_lost What the library could not record as asked, by reason.\n"

static char *openmetrics_of(sonde_registry *registry) {
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(sonde_registry_write_text(registry, SONDE_FORMAT_OPENMETRICS, &text, &len),
                     SONDE_OK);
    assert_int_equal(strlen(text), len);
    return text;
}

/* Replace every Unix time of now, which has ten digits and three decimals, by T. */
static void hide_times(char *page) {
    char *to = page;
    for (const char *from = page; *from != '\0';) {
        size_t digits = strspn(from, "0123456789");
        if (digits == 10 && from[10] == '.' && strspn(from + 11, "0123456789") == 3) {
            *to++ = 'T';
            from += 14;
        } else {
            size_t len = digits > 0 ? digits : 1;
            memmove(to, from, len);
            to += len;
            from += len;
        }
    }
    *to = '\0';
}

/* The page up to the library's own counter, with times hidden, is this. */
static void assert_page(sonde_registry *registry, const char *expected) {
    char *page = openmetrics_of(registry);
    char *lost = strstr(page, LOST_HEAD);
    assert_non_null(lost);
    assert_string_equal(page + strlen(page) - 6, "# EOF\n");
    *lost = '\0';
    hide_times(page);
    assert_string_equal(page, expected);
    sonde_free(page);
}

static void a_whole_page(void **state) {
    (void)state;
    static const char *const labels[] = {"path"};
    const double bounds[] = {0.5, 1, 1000000};
    sonde_registry *registry = new_registry();
    sonde_metric counter = {.name = "a_seconds_total", .unit = "seconds", .help = "\\,\n,\"."};
    sonde_metric histogram = {.name = "b_seconds",
                              .label_names = labels,
                              .label_count = 1,
                              .bounds = bounds,
                              .bound_count = 3};
    const char *values[] = {"say \"x\"\n\\"};
    sonde_counter_inc(sonde_counter_new(registry, &counter, NULL));
    sonde_histogram_family *family = sonde_histogram_family_new(registry, &histogram, NULL);
    sonde_histogram_observe(sonde_histogram_family_get(family, values, 1), 2);
    sonde_gauge_set(sonde_gauge_new(registry, &(sonde_metric){.name = "c"}, NULL), 3);
#define PATH "path=\"say \\\"x\\\"\\n\\\\\""
    assert_page(registry, "# TYPE a_seconds counter\n"
                          "# UNIT a_seconds seconds\n"
                          "# HELP a_seconds \\\\,\\n,\\\".\n"
                          "a_seconds_total 1\n"
                          "a_seconds_created T\n"
                          "# TYPE b_seconds histogram\n"
                          "b_seconds_bucket{" PATH ",le=\"0.5\"} 0\n"
                          "b_seconds_bucket{" PATH ",le=\"1.0\"} 0\n"
                          "b_seconds_bucket{" PATH ",le=\"1e+06\"} 1\n"
                          "b_seconds_bucket{" PATH ",le=\"+Inf\"} 1\n"
                          "b_seconds_sum{" PATH "} 2.0\n"
                          "b_seconds_count{" PATH "} 1\n"
                          "b_seconds_created{" PATH "} T\n"
                          "# TYPE c gauge\n"
                          "c 3.0\n");
    (void)sonde_registry_free(registry);
}

static void an_empty_registry_shows_its_losses(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *page = openmetrics_of(registry);
    hide_times(page);
    assert_non_null(strstr(page, LOST_HEAD "sonde_lost_total{reason=\"no_memory\"} 0\n"
                                           "sonde_lost_created{reason=\"no_memory\"} T\n"
                                           "sonde_lost_total{reason=\"series_limit\"} 0\n"));
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

static double seven(void *ctx) {
    (void)ctx;
    return 7;
}

static void counters_of_callbacks_do_not_say_when_they_began(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_callback_options options = {
        .metric = {.name = "a_total"}, .type = SONDE_CALLBACK_COUNTER, .read = seven};
    assert_non_null(sonde_callback_new(registry, &options, NULL));
    assert_page(registry, "# TYPE a counter\n"
                          "a_total 7.0\n");
    (void)sonde_registry_free(registry);
}

static void negative_bounds_have_no_sum(void **state) {
    (void)state;
    const double bounds[] = {-1};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "h", .bounds = bounds, .bound_count = 1};
    (void)sonde_histogram_new(registry, &metric, NULL);
    assert_page(registry, "# TYPE h histogram\n"
                          "h_bucket{le=\"-1.0\"} 0\n"
                          "h_bucket{le=\"+Inf\"} 0\n"
                          "h_created T\n");
    (void)sonde_registry_free(registry);
}

static void infos_lose_their_suffix(void **state) {
    (void)state;
    static const char *const labels[] = {"version"}, *const values[] = {"1.2"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "build_info", .label_names = labels, .label_count = 1};
    assert_int_equal(sonde_info_set(registry, &metric, values, NULL), SONDE_OK);
    assert_page(registry, "# TYPE build info\n"
                          "build_info{version=\"1.2\"} 1\n");
    (void)sonde_registry_free(registry);
}

/* Whichever comes first. */
static void names_that_meet_are_shown_whole(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "a"}, NULL);
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "a_total"}, NULL);
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "b_bytes_total", .unit = "bytes"},
                            NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "b_bytes"}, NULL);
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "c_total"}, NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "c_created"}, NULL);
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "_total"}, NULL);
    assert_page(registry, "# TYPE a gauge\n"
                          "a 0.0\n"
                          "# TYPE a_total unknown\n"
                          "a_total 0\n"
                          "# TYPE b_bytes_total unknown\n"
                          "b_bytes_total 0\n"
                          "# TYPE b_bytes gauge\n"
                          "b_bytes 0.0\n"
                          "# TYPE c_total unknown\n"
                          "c_total 0\n"
                          "# TYPE c_created gauge\n"
                          "c_created 0.0\n"
                          "# TYPE _total unknown\n"
                          "_total 0\n");
    (void)sonde_registry_free(registry);
}

static void fail_as(sonde_operation *operation, const char *error_class, const char *message) {
    sonde_tracker tracker = sonde_track_begin(operation);
    sonde_failure failure = {error_class, message};
    sonde_track_fail_as(&tracker, &failure);
}

/* What stands behind the count of errors, times hidden; release with sonde_free. */
static char *exemplar_of(sonde_registry *registry) {
#define ERRORS "sonde_operations_total{service=\"s\",operation=\"o\",outcome=\"error\"}"
    char *page = openmetrics_of(registry);
    hide_times(page);
    char *line = strstr(page, ERRORS);
    assert_non_null(line);
    line += strlen(ERRORS);
    char *end = strchr(line, '\n');
    memmove(page, line, (size_t)(end - line));
    page[end - line] = '\0';
    return page;
}

static void assert_exemplar(sonde_registry *registry, const char *expected) {
    char *text = exemplar_of(registry);
    assert_string_equal(text, expected);
    sonde_free(text);
}

static void the_last_error_is_an_exemplar(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    assert_exemplar(registry, " 0");
    fail_as(operation, "timeout", "said \"no\"\n\\");
    assert_exemplar(registry, " 1 # {class=\"timeout\",message=\"said \\\"no\\\"\\n\\\\\"} 1.0 T");
    fail_as(operation, NULL, "gone");
    assert_exemplar(registry, " 2 # {message=\"gone\"} 1.0 T");
    fail_as(operation, "io", NULL);
    assert_exemplar(registry, " 3 # {class=\"io\"} 1.0 T");
    fail_as(operation, NULL, NULL);
    assert_exemplar(registry, " 4 # {} 1.0 T");
    (void)sonde_registry_free(registry);
}

static void exemplars_keep_to_their_characters(void **state) {
    (void)state;
    char message[400], expected[400];
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    /* "message" and 121 characters of two bytes each are 128. */
    for (size_t i = 0; i + 2 < sizeof message; i += 2)
        memcpy(message + i, "\xc3\xa9", 3);
    fail_as(operation, NULL, message);
    (void)snprintf(expected, sizeof expected, " 1 # {message=\"%.*s\"} 1.0 T", 242, message);
    assert_exemplar(registry, expected);
    /* "class", 2, "message": 114 are left. */
    fail_as(operation, "io", message);
    (void)snprintf(expected, sizeof expected, " 2 # {class=\"io\",message=\"%.*s\"} 1.0 T", 228,
                   message);
    assert_exemplar(registry, expected);
    (void)sonde_registry_free(registry);
}

static void messages_that_are_not_utf8_are_mended(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    fail_as(operation, NULL, "a\xff\xc3z");
    assert_exemplar(registry, " 1 # {message=\"a\xef\xbf\xbd\xef\xbf\xbdz\"} 1.0 T");
    (void)sonde_registry_free(registry);
}

static void operations_have_their_families(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_operation_get(sonde_service_get(registry, "s"), "o");
    char *page = openmetrics_of(registry);
    assert_non_null(strstr(page, "# TYPE sonde_operations counter\n"));
    assert_non_null(strstr(page, "# TYPE sonde_operation_duration_seconds histogram\n"
                                 "# UNIT sonde_operation_duration_seconds seconds\n"));
    assert_non_null(
        strstr(page, "\nsonde_operations_created{service=\"s\",operation=\"o\",outcome=\"ok\"} "));
    assert_non_null(
        strstr(page, "\nsonde_operation_duration_seconds_created{service=\"s\",operation=\"o\"} "));
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        char *text = NULL;
        sn_mem_fail_nth(n);
        sonde_status status =
            sonde_registry_write_text(registry, SONDE_FORMAT_OPENMETRICS, &text, NULL);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        sonde_free(text);
    }
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(an_empty_registry_shows_its_losses),
        cmocka_unit_test(counters_of_callbacks_do_not_say_when_they_began),
        cmocka_unit_test(negative_bounds_have_no_sum),
        cmocka_unit_test(infos_lose_their_suffix),
        cmocka_unit_test(names_that_meet_are_shown_whole),
        cmocka_unit_test(the_last_error_is_an_exemplar),
        cmocka_unit_test(exemplars_keep_to_their_characters),
        cmocka_unit_test(messages_that_are_not_utf8_are_mended),
        cmocka_unit_test(operations_have_their_families),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
