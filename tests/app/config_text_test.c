/* Settings as text give the same settings again. */
#include "app/config_text.h"

#include "app_support.h"

#include <string.h>

static void check_again(const struct sn_config *config) {
    struct sn_buf first, second;
    struct sn_config again;
    struct sn_err err = {0};
    sn_buf_init(&first, 0);
    sn_buf_init(&second, 0);
    sn_config_init(&again);
    sn_config_write(config, &first);
    if (sn_config_parse(&again, "text", sn_buf_str(&first), &err) != SN_OK)
        fail_msg("%s in:\n%.*s", err.text, (int)first.len, (const char *)first.ptr);
    sn_config_write(&again, &second);
    assert_true(sn_str_equal(sn_buf_str(&first), sn_buf_str(&second)));
    sn_config_release(&again);
    sn_buf_release(&first);
    sn_buf_release(&second);
}

static void defaults_come_back(void **state) {
    (void)state;
    struct sn_config config;
    sn_config_init(&config);
    check_again(&config);
    sn_config_release(&config);
}

static void every_setting_comes_back(void **state) {
    (void)state;
    static const struct sn_str text = SN_STR(
        "listen: '[::1]:80'\n"
        "data: \"a \\\"b\\\\c\\t\\u00e9\"\n"
        "access: open\n"
        "log: {level: debug}\n"
        "storage: {retention: 100y, retention_rules: {'{a=\"b\"}': {retention: 1h}}, retention_size: 7GiB, rollup_retention: 5d, durability: relaxed, "
        "log_size: 1MiB, flush_interval: 90s, "
        "out_of_order_window: 0s, series_max: 5}\n"
        "http: {threads: 3, body_max: 2KiB}\n"
        "query: {experimental: false, cors: false}\n"
        "records: {database: 'postgres://u:p@h/d?host=x', retention: 1d, types: {x: {retention: 0s}, 'a\"b': {}}}\n"
        "pushgateway: {interval: 7s}\n"
        "statsd: {listen: '127.0.0.1:8125', socket: '/run/x y', flush_interval: 1s, "
        "expire: 0s, series_max: 9}\n"
        "collect:\n"
        "  interval: 250ms\n"
        "  instance: \"x: y\"\n"
        "  sources:\n"
        "    cpu: {interval: 1m}\n"
        "    netdev: {disabled: true}\n");
    struct sn_config config, again;
    struct sn_buf buf;
    struct sn_err err = {0};
    sn_config_init(&config);
    sn_config_init(&again);
    sn_buf_init(&buf, 0);
    if (sn_config_parse(&config, "text", text, &err) != SN_OK)
        fail_msg("%s", err.text);
    check_again(&config);
    sn_config_write(&config, &buf);
    assert_int_equal(sn_config_parse(&again, "text", sn_buf_str(&buf), &err), SN_OK);
    assert_string_equal(again.data, config.data);
    assert_string_equal(again.listen, config.listen);
    assert_string_equal(again.instance, config.instance);
    assert_int_equal(again.access, config.access);
    assert_int_equal(again.log_level, config.log_level);
    assert_int_equal(again.durability, config.durability);
    assert_int_equal(again.retention_ms, config.retention_ms);
    assert_int_equal(again.retention_bytes_max, INT64_C(7) << 30);
    assert_int_equal(again.retention_rule_count, 1);
    assert_int_equal(again.rollup_retention_ms, INT64_C(5) * 86400000);
    assert_string_equal(again.retention_rules[0].match, "{a=\"b\"}");
    assert_int_equal(again.log_bytes_max, config.log_bytes_max);
    assert_int_equal(again.out_of_order_window_ms, 0);
    assert_int_equal(again.series_max, 5);
    assert_int_equal(again.http_threads, 3);
    assert_int_equal(again.body_bytes_max, 2048);
    assert_int_equal(again.records_retention_ms, INT64_C(86400000));
    assert_int_equal(again.records_retention_count, 2);
    assert_string_equal(again.records_database, "postgres://u:<secret>@h/d?host=x");
    assert_true(sn_str_equal(again.records_retentions[1].metric_type, SN_STR("a\"b")));
    assert_int_equal(again.records_retentions[1].retention_ms, INT64_C(86400000));
    assert_int_equal(again.pushgateway_interval_ms, 7000);
    assert_string_equal(again.statsd_listen, config.statsd_listen);
    assert_string_equal(again.statsd_socket, "/run/x y");
    assert_int_equal(again.statsd_flush_interval_ms, 1000);
    assert_int_equal(again.statsd_expire_ms, 0);
    assert_int_equal(again.statsd_series_max, 9);
    assert_int_equal(again.override_count, 2);
    assert_int_equal(again.overrides[0].interval_ms, 60000);
    assert_true(again.overrides[1].is_disabled);
    sn_buf_release(&buf);
    sn_config_release(&config);
    sn_config_release(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_back),
        cmocka_unit_test(every_setting_comes_back),
    };
    return cmocka_run_group_tests_name("config_text", tests, NULL, NULL);
}
