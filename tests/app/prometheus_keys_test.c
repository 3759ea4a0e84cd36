/* prometheus.yml: a file with everything, defaults, what is refused and where. */
#include "app/prometheus_keys.h"

#include "app/config.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_config config;
static struct sn_err err;

static sn_status read_text(const char *text) {
    err = (struct sn_err){.status = SN_OK};
    sn_config_init(&config);
    return sn_config_parse(&config, "/etc/p/prometheus.yml", sn_str_from(text), &err);
}

static const struct sn_scrape_job *read_job(const char *text) {
    if (read_text(text) != SN_OK)
        fail_msg("%s", err.text);
    assert_true(config.scrape.jobs.count > 0);
    return &config.scrape.jobs.items[0];
}

static void the_file_of_debian_is_read_unmodified(void **state) {
    (void)state;
    const struct sn_scrape_job *jobs =
        read_job("# Sample config for Prometheus.\n\nglobal:\n"
                 "  scrape_interval:     15s # Set the scrape interval to every 15 seconds.\n"
                 "  evaluation_interval: 15s # Evaluate rules every 15 seconds.\n"
                 "  external_labels:\n      monitor: 'example'\n\n"
                 "# Alertmanager configuration\nalerting:\n  alertmanagers:\n"
                 "  - static_configs:\n    - targets: ['localhost:9093']\n\n"
                 "rule_files:\n  # - \"first_rules.yml\"\n\nscrape_configs:\n"
                 "  - job_name: 'prometheus'\n    scrape_interval: 5s\n    scrape_timeout: 5s\n"
                 "    static_configs:\n      - targets: ['localhost:9090']\n"
                 "  - job_name: node\n    static_configs:\n      - targets: ['localhost:9100']\n");
    assert_int_equal(config.scrape.jobs.count, 2);
    assert_string_equal(jobs[0].name, "prometheus");
    assert_int_equal(jobs[0].rules.interval_ms, 5000);
    assert_int_equal(jobs[0].rules.timeout_ms, 5000);
    assert_int_equal(jobs[1].rules.interval_ms, 15000);
    assert_int_equal(jobs[1].rules.timeout_ms, 10000);
    assert_string_equal(jobs[1].groups.items[0].targets.items[0], "localhost:9100");
    assert_string_equal(config.scrape.external_labels.items[0].value, "example");
    assert_int_equal(config.evaluation_interval_ms, 15000);
    sn_buf_put_byte(&config.warnings, '\0');
    assert_non_null(strstr((char *)config.warnings.ptr, "alerting: alerts are not sent"));
    sn_config_release(&config);
}

static void defaults_are_those_of_prometheus(void **state) {
    (void)state;
    const struct sn_scrape_job *job = read_job("scrape_configs: [{job_name: a}]\n");
    assert_int_equal(job->rules.interval_ms, 60000);
    assert_int_equal(job->rules.timeout_ms, 10000);
    assert_string_equal(job->scheme, "http");
    assert_string_equal(job->metrics_path, "/metrics");
    assert_false(job->honors_labels || job->ignores_timestamps || job->has_no_compression ||
                 job->http.has_no_redirects);
    assert_int_equal(job->rules.protocol_count, 4);
    assert_int_equal(job->rules.protocols[0], SN_SCRAPE_OPENMETRICS_1);
    assert_int_equal(job->rules.protocols[3], SN_SCRAPE_TEXT_0);
    assert_int_equal(job->rules.sample_max, 0);
    sn_config_release(&config);
    job = read_job("global: {scrape_interval: 2s}\n"
                   "scrape_configs: [{job_name: a, scrape_native_histograms: true}]\n");
    assert_int_equal(job->rules.timeout_ms, 2000);
    assert_int_equal(job->rules.protocols[0], SN_SCRAPE_PROTOBUF);
    sn_config_release(&config);
}

static void every_key_of_a_job_is_read(void **state) {
    (void)state;
    const struct sn_scrape_job *job = read_job(
        "global:\n  sample_limit: 7\n  label_limit: 8\n  target_limit: 9\n"
        "scrape_configs:\n- job_name: a\n  scrape_interval: 30s\n  scrape_timeout: 20s\n"
        "  metrics_path: /m\n  scheme: https\n  honor_labels: true\n  honor_timestamps: false\n"
        "  track_timestamps_staleness: true\n  enable_compression: false\n"
        "  follow_redirects: false\n  enable_http2: true\n"
        "  params: {module: [http, tcp]}\n"
        "  basic_auth: {username: us, password_file: pw}\n"
        "  tls_config: {ca_file: ca.pem, cert_file: /abs/c.pem, key_file: k.pem, server_name: s,\n"
        "    insecure_skip_verify: true, min_version: TLS12, max_version: TLS13}\n"
        "  proxy_url: http://proxy:3128\n"
        "  sample_limit: 100\n  label_name_length_limit: 20\n  label_value_length_limit: 21\n"
        "  body_size_limit: 10MB\n  keep_dropped_targets: 5\n"
        "  scrape_protocols: [PrometheusText0.0.4]\n"
        "  fallback_scrape_protocol: OpenMetricsText1.0.0\n"
        "  static_configs: [{targets: ['h:1'], labels: {zone: eu}}]\n"
        "  file_sd_configs: [{files: ['t/*.yml', /abs/t.json], refresh_interval: 10s}]\n"
        "  http_sd_configs: [{url: 'http://sd/x', authorization: {credentials: c}}]\n"
        "  relabel_configs: [{source_labels: [__address__], regex: 'h(.*)', target_label: x}]\n"
        "  metric_relabel_configs: [{action: labeldrop, regex: y}]\n");
    assert_int_equal(job->line, 6);
    assert_int_equal(job->rules.interval_ms, 30000);
    assert_int_equal(job->rules.timeout_ms, 20000);
    assert_true(job->honors_labels && job->ignores_timestamps && job->has_no_compression &&
                job->http.has_no_redirects && job->tracks_timestamps);
    assert_string_equal(job->params.items[0].values.items[1], "tcp");
    assert_string_equal(job->http.user, "us");
    assert_string_equal(job->http.password_file, "/etc/p/pw");
    assert_string_equal(job->http.tls.ca_file, "/etc/p/ca.pem");
    assert_string_equal(job->http.tls.cert_file, "/abs/c.pem");
    assert_int_equal(job->http.tls.version_min, SN_TLS_1_2);
    assert_int_equal(job->http.tls.version_max, SN_TLS_1_3);
    assert_int_equal(job->rules.sample_max, 100);
    assert_int_equal(job->rules.label_max, 8);
    assert_int_equal(job->rules.target_max, 9);
    assert_int_equal(job->rules.body_bytes_max, 10 << 20);
    assert_int_equal(job->rules.protocol_count, 1);
    assert_int_equal(job->fallback_protocol, SN_SCRAPE_OPENMETRICS_1);
    assert_string_equal(job->files.items[0].files.items[0], "/etc/p/t/*.yml");
    assert_string_equal(job->files.items[0].files.items[1], "/abs/t.json");
    assert_int_equal(job->files.items[0].refresh_interval_ms, 10000);
    assert_int_equal(job->urls.items[0].refresh_interval_ms, 60000);
    assert_string_equal(job->urls.items[0].http.credentials, "c");
    assert_non_null(job->target_rules.items[0].regex);
    assert_int_equal(job->metric_rules.items[0].action, SN_RELABEL_LABELDROP);
    sn_config_release(&config);
}

static void sondes_own_keys_stand_beside_them(void **state) {
    (void)state;
    (void)read_job("listen: 127.0.0.1:1\nstorage:\n  retention: 2d\n"
                   "  tsdb: {out_of_order_time_window: 30m}\n  exemplars: {max_exemplars: 1}\n"
                   "scrape_configs: [{job_name: a}]\n");
    assert_string_equal(config.listen, "127.0.0.1:1");
    assert_int_equal(config.retention_ms, INT64_C(2) * 86400000);
    assert_int_equal(config.out_of_order_window_ms, 1800000);
    sn_config_release(&config);
}

static void mistakes_are_named_with_their_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"scrape_config: []\n",
         "1:1: unknown key \"scrape_config\", did you mean \"scrape_configs\"?"},
        {"scrape_configs:\n- job_name: a\n  metrics_pth: /m\n",
         "3:3: unknown key \"metrics_pth\", did you mean \"metrics_path\"?"},
        {"scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: [{role: node}]\n",
         "3:3: kubernetes_sd_configs is not supported: targets come from"},
        {"scrape_configs: [{}]\n", "1:18: a scrape_config needs a job_name"},
        {"scrape_configs:\n- {job_name: a}\n- {job_name: a}\n",
         "3: there are two jobs named \"a\""},
        {"scrape_configs: [{job_name: a, scheme: ftp}]\n", "scheme \"ftp\" is neither"},
        {"scrape_configs: [{job_name: a, metrics_path: m}]\n", "does not begin with /"},
        {"scrape_configs: [{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}]\n",
         "1: scrape_timeout is longer than the scrape_interval of job \"a\""},
        {"global: {scrape_interval: 5s, scrape_timeout: 6s}\n", "global scrape_timeout is longer"},
        {"global: {scrape_interval: 5x}\n", "1:27: "},
        {"scrape_configs: [{job_name: a, relabel_configs: [{action: replce}]}]\n",
         "did you mean \"replace\"?"},
        {"scrape_configs: [{job_name: a, relabel_configs: [{action: hashmod, target_label: b}]}]\n",
         "1:50: hashmod needs a modulus"},
        {"scrape_configs: [{job_name: a, relabel_configs: [{regex: '(', target_label: b}]}]\n",
         "1:50: error parsing regexp"},
        {"scrape_configs: [{job_name: a, static_configs: [{targets: ['http://x/m']}]}]\n",
         "is not a valid hostname"},
        {"scrape_configs: [{job_name: a, file_sd_configs: [{files: ['a.txt']}]}]\n",
         "must end with .json, .yml or .yaml"},
        {"scrape_configs: [{job_name: a, file_sd_configs: [{}]}]\n", "needs files"},
        {"scrape_configs: [{job_name: a, http_sd_configs: [{url: 'file:///x'}]}]\n",
         "scheme http or https"},
        {"scrape_configs: [{job_name: a, scrape_protocols: [Text]}]\n",
         "\"Text\" is no scrape protocol"},
        {"scrape_configs: [{job_name: a, scrape_protocols: [PrometheusProto, PrometheusProto]}]\n",
         "is there twice"},
        {"scrape_configs: [{job_name: a, fallback_scrape_protocol: x}]\n", "no scrape protocol"},
        {"scrape_configs: [{job_name: a, basic_auth: {username: u}, bearer_token: t}]\n",
         "at most one of"},
        {"scrape_configs: [{job_name: a, basic_auth: {password: u, password_file: t}}]\n",
         "given twice"},
        {"scrape_configs: [{job_name: a, tls_config: {cert_file: u}}]\n", "go together"},
        {"scrape_configs: [{job_name: a, tls_config: {min_version: TLS13, max_version: TLS12}}]\n",
         "above max_version"},
        {"scrape_configs: [{job_name: a, oauth2: {}}]\n", "oauth2 is not supported"},
        {"scrape_configs: [{job_name: a, metric_name_validation_scheme: legacy}]\n", "UTF-8"},
        {"scrape_configs: [{job_name: a, convert_classic_histograms_to_nhcb: true}]\n",
         "true is not supported"},
        {"scrape_configs: [{job_name: a, body_size_limit: 1XB}]\n", "is not a size"},
        {"scrape_configs: [{job_name: a, body_size_limit: 99999999TB}]\n", "too large"},
        {"scrape_configs: [{job_name: a, sample_limit: -1}]\n", "outside"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_status status = read_text(cases[i].text);
        if (status == SN_OK || strncmp(err.text, "/etc/p/prometheus.yml:", 22) != 0 ||
            strstr(err.text, cases[i].sentence) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_true(status == SN_ERR_INVALID || status == SN_ERR_LIMIT);
        sn_config_release(&config);
    }
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    static const char text[] =
        "scrape_configs:\n- job_name: a\n  basic_auth: {username: us, password_file: pw}\n"
        "  static_configs: [{targets: ['h:1'], labels: {zone: eu}}]\n"
        "  relabel_configs: [{source_labels: [a], regex: 'h(.*)', target_label: x}]\n"
        "  metric_relabel_configs: [{action: labeldrop, regex: y}]\n";
    for (uint64_t n = 1;; n++) {
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = read_text(text);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_config_release(&config);
        assert_int_equal(sn_mem_block_count(), before);
        /* A regex does without its JIT when there is no memory for it. */
        assert_true(status == SN_OK || (has_fired && status == SN_ERR_NO_MEMORY));
        if (!has_fired)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_of_debian_is_read_unmodified),
        cmocka_unit_test(defaults_are_those_of_prometheus),
        cmocka_unit_test(every_key_of_a_job_is_read),
        cmocka_unit_test(sondes_own_keys_stand_beside_them),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
