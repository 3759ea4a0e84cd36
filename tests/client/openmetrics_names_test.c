/* Tests of names that are different in a registry and the same in OpenMetrics. */
#include "client/openmetrics_names_priv.h"

#include "client/registry_priv.h"
#include "client_support.h"

static const struct sn_family *family_of(sonde_registry *registry, const char *name) {
    for (struct sn_family *family = atomic_load(&registry->first); family != NULL;
         family = atomic_load(&family->next)) {
        if (strcmp(family->name, name) == 0)
            return family;
    }
    fail_msg("no family %s", name);
    return NULL;
}

static void counter(sonde_registry *registry, const char *name) {
    (void)sonde_counter_new(registry, &(sonde_metric){.name = name}, NULL);
}

static void gauge(sonde_registry *registry, const char *name) {
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = name}, NULL);
}

static bool is_plain(sonde_registry *registry, const char *name) {
    return sn_family_is_plain(family_of(registry, name));
}

static void suffixes_are_cut_by_type(void **state) {
    (void)state;
    struct sn_str total = SN_STR("a_total"), info = SN_STR("a_info");
    assert_int_equal(sn_openmetrics_stem(SONDE_TYPE_COUNTER, total).len, 1);
    assert_int_equal(sn_openmetrics_stem(SONDE_TYPE_INFO, info).len, 1);
    assert_int_equal(sn_openmetrics_stem(SONDE_TYPE_GAUGE, total).len, 7);
    assert_int_equal(sn_openmetrics_stem(SONDE_TYPE_HISTOGRAM, info).len, 6);
}

static void counters_give_way_whoever_came_first(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    counter(registry, "a_total");
    assert_false(is_plain(registry, "a_total"));
    gauge(registry, "a");
    assert_true(is_plain(registry, "a_total"));
    assert_false(is_plain(registry, "a"));
    gauge(registry, "b");
    counter(registry, "b_total");
    assert_true(is_plain(registry, "b_total"));
    counter(registry, "c_total");
    gauge(registry, "c_created");
    assert_true(is_plain(registry, "c_total"));
    (void)sonde_registry_free(registry);
}

static void two_of_the_kind_both_give_way(void **state) {
    (void)state;
    static const char *const labels[] = {"l"}, *const values[] = {"v"};
    sonde_registry *registry = new_registry();
    counter(registry, "x_total_total");
    counter(registry, "x_total");
    assert_true(is_plain(registry, "x_total_total"));
    assert_true(is_plain(registry, "x_total"));
    counter(registry, "y_total");
    sonde_metric info = {.name = "y_info", .label_names = labels, .label_count = 1};
    assert_int_equal(sonde_info_set(registry, &info, values, NULL), SONDE_OK);
    assert_true(is_plain(registry, "y_total"));
    assert_true(is_plain(registry, "y_info"));
    (void)sonde_registry_free(registry);
}

static void other_names_do_not_meet(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    counter(registry, "a_total");
    gauge(registry, "ab");
    gauge(registry, "a_x");
    (void)sonde_histogram_new(registry, &(sonde_metric){.name = "a_total_seconds"}, NULL);
    assert_false(is_plain(registry, "a_total"));
    counter(registry, "_total");
    assert_true(is_plain(registry, "_total"));
    (void)sonde_registry_free(registry);
}

/* Histograms cannot give way, so who would meet their lines is refused. */
static void histograms_keep_their_lines(void **state) {
    (void)state;
    sonde_error error;
    sonde_registry *registry = new_registry();
    (void)sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "h_created"}, &error);
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    counter(registry, "h_total");
    assert_true(is_plain(registry, "h_total"));
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_are_cut_by_type),
        cmocka_unit_test(counters_give_way_whoever_came_first),
        cmocka_unit_test(two_of_the_kind_both_give_way),
        cmocka_unit_test(other_names_do_not_meet),
        cmocka_unit_test(histograms_keep_their_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
