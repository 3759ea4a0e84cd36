/*
 * Configuration files. Properties: a failure has a sentence that starts with the name of the file;
 * what is accepted is within its ranges, has texts, and is accepted again with the same result.
 */
#include "app/config.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_values(const struct sn_config *config) {
    SN_CHECK(config->listen != NULL && config->data != NULL);
    SN_CHECK(config->retention_ms > 0 && config->log_bytes_max > 0 && config->series_max > 0);
    SN_CHECK(config->flush_interval_ms > 0 && config->out_of_order_window_ms >= 0);
    SN_CHECK(config->http_threads >= 0 && config->http_threads <= SN_HTTP_WORKERS_MAX);
    SN_CHECK(config->body_bytes_max > 0);
    SN_CHECK(config->collect_interval_ms >= SN_COLLECT_INTERVAL_MS_MIN);
    SN_CHECK(config->access <= SN_API_ACCESS_OPEN && config->log_level <= SN_LOG_ERROR);
    SN_CHECK(config->override_count <= SN_COLLECT_SOURCES_MAX);
    for (size_t i = 0; i < config->override_count; i++)
        SN_CHECK(config->overrides[i].name != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct sn_config config, again;
    struct sn_err err = {.status = SN_OK};
    struct sn_str text = sn_str_make(data, len);
    sn_config_init(&config);
    sn_config_init(&again);
    sn_status status = sn_config_parse(&config, "f.yml", text, &err);
    if (status != SN_OK) {
        SN_CHECK(status == err.status && strncmp(err.text, "f.yml", 5) == 0);
    } else {
        check_values(&config);
        SN_CHECK(sn_config_check(&config, &err) == SN_OK || err.text[0] != '\0');
    }
    SN_CHECK(sn_config_parse(&again, "f.yml", text, NULL) == status);
    SN_CHECK(again.override_count == config.override_count);
    SN_CHECK(again.retention_ms == config.retention_ms);
    sn_config_release(&config);
    sn_config_release(&again);
    return 0;
}
