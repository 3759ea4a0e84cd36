/* Tests of choosing a format by an Accept header. */
#include "client_support.h"

static void headers_of_scrapers_get_their_format(void **state) {
    (void)state;
    static const struct {
        const char *accept;
        sonde_format format;
    } cases[] = {
        {NULL, SONDE_FORMAT_TEXT},
        {"", SONDE_FORMAT_TEXT},
        {"*/*", SONDE_FORMAT_TEXT},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text,*/*", SONDE_FORMAT_OPENMETRICS},
        {"text/plain", SONDE_FORMAT_TEXT},
        {"text/*", SONDE_FORMAT_TEXT},
        {"application/*", SONDE_FORMAT_OPENMETRICS},
        /* Prometheus 3 and 2 */
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
         "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
         "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
         SONDE_FORMAT_OPENMETRICS},
        {"text/plain;version=0.0.4;q=0.5,*/*;q=0.1", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         SONDE_FORMAT_TEXT},
        /* qualities */
        {"application/openmetrics-text;q=0.4,text/plain;q=0.5", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.5", SONDE_FORMAT_OPENMETRICS},
        {"application/openmetrics-text;q=0.500,text/plain;q=0.501", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=0,*/*", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=0.4,*/*;q=0.5", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=1.000", SONDE_FORMAT_OPENMETRICS},
        {" Application/OpenMetrics-Text ; Q=1 , text/plain ; q=0.9 ", SONDE_FORMAT_OPENMETRICS},
        /* Prometheus with native histograms */
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
         "encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,"
         "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,"
         "*/*;q=0.1",
         SONDE_FORMAT_PROTOBUF},
        {"application/openmetrics-text,application/vnd.google.protobuf;encoding=delimited;q=0.5",
         SONDE_FORMAT_OPENMETRICS},
        {"application/vnd.google.protobuf;encoding=text", SONDE_FORMAT_TEXT},
        {"application/vnd.google.protobuf", SONDE_FORMAT_TEXT},
        {"application/vnd.google.protobuf;encoding=delimited;q=0", SONDE_FORMAT_TEXT},
        /* nonsense */
        {"application/openmetrics-text;q=2", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=0.1234", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=0x1", SONDE_FORMAT_TEXT},
        {"application/openmetrics-text;q=1,,;;,=", SONDE_FORMAT_OPENMETRICS},
        {"image/png", SONDE_FORMAT_TEXT},
        {",;=/", SONDE_FORMAT_TEXT},
        {"\xff\xfe", SONDE_FORMAT_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (sonde_format_negotiate(cases[i].accept) != cases[i].format)
            fail_msg("%s", cases[i].accept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_scrapers_get_their_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
