/* Names of OpenTelemetry as Prometheus writes them: its own test cases, and ours. */
#include "wire/otlp_name.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const struct sn_buf *buf, const char *expected) {
    if (!sn_str_equal(sn_buf_str(buf), sn_str_from(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", (int)buf->len, buf->len > 0 ? (char *)buf->ptr : "",
                 expected);
    }
}

static void metrics_have_units_and_endings(void **state) {
    (void)state;
    static const struct {
        const char *name, *unit;
        enum sn_otlp_kind kind;
        bool is_monotonic;
        const char *expected;
    } cases[] = {
        {"system.io", "By", SN_OTLP_SUM, true, "system_io_bytes_total"},
        {"system.memory.usage", "By", SN_OTLP_GAUGE, false, "system_memory_usage_bytes"},
        {"system.network.dropped", "{packets}", SN_OTLP_SUM, true, "system_network_dropped_total"},
        {"system.network.dropped", "By/s", SN_OTLP_GAUGE, false,
         "system_network_dropped_bytes_per_second"},
        {"system.filesystem.utilization", "1", SN_OTLP_GAUGE, false,
         "system_filesystem_utilization_ratio"},
        {"http.server.duration", "ms", SN_OTLP_HISTOGRAM, false,
         "http_server_duration_milliseconds"},
        {"requests", "1", SN_OTLP_SUM, true, "requests_total"},
        {"requests_total", "", SN_OTLP_SUM, true, "requests_total"},
        {"total.requests", "", SN_OTLP_SUM, true, "requests_total"},
        {"bytes.sent", "By", SN_OTLP_SUM, false, "bytes_sent"},
        {"ratio", "1", SN_OTLP_GAUGE, false, "ratio"},
        {"broken.metric.speed.km", "km/h", SN_OTLP_GAUGE, false, "broken_metric_speed_km_per_hour"},
        {"astro.light.speed_limit", "m/s", SN_OTLP_GAUGE, false,
         "astro_light_speed_limit_meters_per_second"},
        {"active_directory.ds.replication.network.io", "By", SN_OTLP_SUM, true,
         "active_directory_ds_replication_network_io_bytes_total"},
        {"unsupported.metric.temperature",
         "\xc2\xb0"
         "F",
         SN_OTLP_GAUGE, false, "unsupported_metric_temperature_F"},
        {"unsupported.metric.weird", "+=.:,!* & #", SN_OTLP_GAUGE, false,
         "unsupported_metric_weird"},
        {"redundant___test $ per_s", "per s/s", SN_OTLP_GAUGE, false,
         "redundant_test_per_s_per_s_per_second"},
        {"1st.metric", "", SN_OTLP_GAUGE, false, "_1st_metric"},
        {"a::b", "{x}/s", SN_OTLP_GAUGE, false, "a::b_per_second"},
        {"temperature", " Cel ", SN_OTLP_GAUGE, false, "temperature_celsius"},
        {"...", "By", SN_OTLP_GAUGE, false, ""},
        {"", "", SN_OTLP_GAUGE, false, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_otlp_metric metric = {.name = sn_str_from(cases[i].name),
                                        .unit = sn_str_from(cases[i].unit),
                                        .kind = cases[i].kind,
                                        .is_monotonic = cases[i].is_monotonic};
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_otlp_put_metric_name(&metric, &buf);
        check(&buf, cases[i].expected);
        sn_buf_release(&buf);
    }
}

static void units_are_words(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"By", "bytes"}, {"m/s", "meters_per_second"}, {"1", ""},
        {"{x}", ""},     {"{x}/s", "per_second"},      {"foo", "foo"},
        {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_otlp_put_unit(sn_str_from(cases[i][0]), &buf);
        check(&buf, cases[i][1]);
        sn_buf_release(&buf);
    }
}

static void labels_are_plain(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"http.method", "http_method"},
                                           {"a", "a"},
                                           {"", ""},
                                           {"1a", "key_1a"},
                                           {"_a", "key_a"},
                                           {"__a", "__a"},
                                           {"a..b", "a__b"},
                                           {"\xc3\xa4"
                                            "b",
                                            "key_b"},
                                           {"a\xff", "a_"},
                                           {".", "key_"},
                                           {"-x", "key_x"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_otlp_put_label_name(sn_str_from(cases[i][0]), &buf);
        check(&buf, cases[i][1]);
        sn_buf_release(&buf);
    }
}

static void numbers_are_those_of_le(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0.005, "0.005"}, {10, "10"}, {HUGE_VAL, "+Inf"}, {1e6, "1000000"}, {-2.5, "-2.5"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SN_OTLP_NUMBER_SIZE];
        assert_true(
            sn_str_equal(sn_otlp_number_text(cases[i].number, text), sn_str_from(cases[i].text)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_have_units_and_endings),
        cmocka_unit_test(units_are_words),
        cmocka_unit_test(labels_are_plain),
        cmocka_unit_test(numbers_are_those_of_le),
    };
    return cmocka_run_group_tests_name("otlp_name", tests, NULL, NULL);
}
