/* Tests of content negotiation. */
#include "clienthttp/negotiate_priv.h"

#include "clienthttp_support.h"

static void whatever_is_accepted_there_is_a_format(void **state) {
    (void)state;
    static const char *const headers[] = {
        "",
        "*/*",
        "text/plain",
        "text/*;q=0.1",
        "TEXT/PLAIN; Version=0.0.4; q=1",
        "application/json",
        "text/plain;q=0",
        ",;,;;=,/,q=;*",
        "text/plain;version=9.9.9",
        "text/plain;q=2, text/plain;q=abc, text/plain;q=0.00001",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_int_equal(sn_negotiate_format(sn_str_from(headers[i])), SONDE_FORMAT_TEXT);
}

/* The format whose content type starts with the text; -1: libsonde has none. */
static int format_of(const char *type) {
    for (int i = 0; sonde_format_content_type((sonde_format)i) != NULL; i++) {
        if (strncmp(sonde_format_content_type((sonde_format)i), type, strlen(type)) == 0)
            return i;
    }
    return -1;
}

static void what_prometheus_asks_for_is_found(void **state) {
    (void)state;
    static const char *const accept =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    int open_metrics = format_of("application/openmetrics-text; version=1.0.0");
    int expected = open_metrics >= 0 ? open_metrics : SONDE_FORMAT_TEXT;
    assert_int_equal(sn_negotiate_format(sn_str_from(accept)), expected);
    assert_int_equal(
        sn_negotiate_format(SN_STR("application/openmetrics-text;q=0.1, text/plain;q=0.2")),
        SONDE_FORMAT_TEXT);
    assert_int_equal(
        sn_negotiate_format(SN_STR("application/openmetrics-text;q=0, text/plain;q=0.2")),
        SONDE_FORMAT_TEXT);
}

static void gzip_is_used_when_it_is_accepted(void **state) {
    (void)state;
    static const char *const yes[] = {
        "gzip", "deflate, gzip",        "GZIP;q=0.001", "x-gzip",
        "*",    "identity, gzip;q=1.0", " gzip ; q=1 ", "deflate, *;q=0.5"};
    static const char *const no[] = {"",       "identity",    "gzip;q=0",      "gzip;q=0.000",
                                     "*;q=0",  "gzip;q=0, *", "deflate",       "gzipped",
                                     "gzip;q", "gzip;q=x",    "gzip;q=0.0001", ",;="};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(sn_negotiate_gzip(sn_str_from(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        bool is_lenient = strcmp(no[i], "gzip;q") == 0; /* no value: no parameter */
        assert_int_equal(sn_negotiate_gzip(sn_str_from(no[i])), is_lenient);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_accepted_there_is_a_format),
        cmocka_unit_test(what_prometheus_asks_for_is_found),
        cmocka_unit_test(gzip_is_used_when_it_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
