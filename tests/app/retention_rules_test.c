/* Rules of retention, from the configuration to matchers. */
#include "app/retention_rules.h"

#include "app_support.h"

#include <string.h>

static sn_status make(const char *match, int64_t retention_ms, struct sn_err *err) {
    static struct sn_config config;
    static struct sn_retention_rules rules;
    sn_config_init(&config);
    config.retention_rules[0] =
        (struct sn_config_retention_rule){.match = match, .retention_ms = retention_ms};
    config.retention_rule_count = 1;
    sn_status status = sn_retention_rules_init(&rules, &config, err);
    if (status == SN_OK) {
        assert_int_equal(rules.count, 1);
        assert_int_equal(rules.rules[0].retention_ms, retention_ms);
        struct sn_label items[] = {{SN_STR("__name__"), SN_STR("debug_x")}};
        struct sn_labels labels = {items, 1};
        assert_true(
            sn_matchers_pass(rules.rules[0].matchers, rules.rules[0].matcher_count, labels));
    }
    sn_retention_rules_release(&rules);
    sn_config_release(&config);
    return status;
}

static void selectors_become_matchers(void **state) {
    (void)state;
    assert_int_equal(make("{__name__=~\"debug_.*\"}", 3600000, NULL), SN_OK);
    assert_int_equal(make("debug_x", 3600000, NULL), SN_OK);
}

static void mistakes_name_their_rule(void **state) {
    (void)state;
    static const struct {
        const char *match, *words;
        int64_t retention_ms;
    } cases[] = {
        {"{a=", "parse error", 1000},
        {"{a=~\"(\"}", "", 1000},
        {"{a=~\".*\"}", "", 1000},
        {"debug_x", "below storage.retention", 0},
        {"debug_x", "below storage.retention", INT64_C(86400000) * 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(make(cases[i].match, cases[i].retention_ms, &err), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, "storage.retention_rules: "));
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_become_matchers),
        cmocka_unit_test(mistakes_name_their_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
