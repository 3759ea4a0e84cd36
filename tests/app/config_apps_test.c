/* Applications in the configuration. */
#include "app/config.h"

#include "app/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static sn_status read_text(struct sn_config *config, const char *text, struct sn_err *err) {
    sn_config_init(config);
    SN_TRY(sn_config_parse(config, "x.yml", sn_str_from(text), err));
    return sn_config_apps_check(&config->apps, err);
}

static void applications_and_classes_are_read_made_and_written(void **state) {
    (void)state;
    struct sn_config config, again;
    struct sn_app *apps;
    struct sn_error_rules rules;
    struct sn_buf buf;
    struct sn_err err = {.status = SN_OK};
    if (read_text(&config,
                  "apps:\n"
                  "  pose-generator:\n"
                  "    success_rate: {good: 99, critical: 97}\n"
                  "    queue_depth: {good: 5}\n"
                  "    checks:\n"
                  "      cache: {redis: '127.0.0.1:6379', timeout: 1s}\n"
                  "      \"a\\\"b\": {http: 'https://api.example/health'}\n"
                  "error_classes:\n"
                  "  GPU_ERROR: {words: 'cuda|out of memory'}\n"
                  "  MINE: {words: x}\n",
                  &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(sn_config_apps_make(&config.apps, &config.arena, &apps, &rules, &err), SN_OK);
    assert_int_equal(config.apps.app_count, 1);
    assert_string_equal(apps[0].name, "pose-generator");
    assert_true(apps[0].limits[SN_INDICATOR_SUCCESS_RATE].good == 99);
    assert_true(apps[0].limits[SN_INDICATOR_QUEUE_DEPTH].good == 5);
    assert_true(apps[0].limits[SN_INDICATOR_QUEUE_DEPTH].critical == 500);
    assert_int_equal(apps[0].check_count, 2);
    assert_int_equal(apps[0].checks[0].kind, SN_APP_CHECK_REDIS);
    assert_int_equal(apps[0].checks[0].timeout_ms, 1000);
    assert_int_equal(apps[0].checks[1].kind, SN_APP_CHECK_HTTP);
    assert_int_equal(apps[0].checks[1].timeout_ms, 5000);
    assert_int_equal(rules.count, 2);
    assert_true(sn_str_equal(rules.items[0].error_class, SN_STR("GPU_ERROR")));
    sn_buf_init(&buf, 0);
    sn_config_apps_write(&config.apps, &buf);
    sn_buf_put_byte(&buf, '\0');
    if (read_text(&again, (const char *)buf.ptr, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_string_equal(again.apps.apps[0].checks[1].name, "a\"b");
    assert_string_equal(again.apps.classes[1].words, "x");
    sn_buf_release(&buf);
    sn_config_release(&config);
    sn_config_release(&again);
}

static void what_makes_no_sense_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"apps: {a: {success_rate: {good: 80}}}", "apps.a.success_rate: good is worse"},
        {"apps: {a: {queue_depth: {good: 1000}}}", "apps.a.queue_depth: good is worse"},
        {"apps: {a: {checks: {c: {}}}}", "apps.a.checks.c: one of http and redis"},
        {"apps: {a: {checks: {c: {http: x, redis: y}}}}", "one of http and redis"},
        {"apps: {a: {checks: {c: {timeout: 0s}}}}", "timeout"},
        {"apps: {a: {x: 1}}", "unknown key"},
        {"error_classes: {A: {}}", "error_classes.A: words are missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sn_config config;
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(read_text(&config, rows[i].text, &err), SN_ERR_INVALID);
        if (strstr(err.text, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].text, err.text);
        sn_config_release(&config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_and_classes_are_read_made_and_written),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests_name("config_apps", tests, NULL, NULL);
}
