/*
 * Memory as JSON: the answer of get_memory_usage_metrics. The shape is in sonde/memory.h.
 */
#include "client/instrument_json_priv.h"
#include "client/memory_priv.h"

static void write_gc(struct sn_json_writer *json, const sonde_memory_stats *stats) {
    sn_json_write_key(json, SN_STR("gc"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("collections"), stats->collections);
    sn_json_write_key_double(json, SN_STR("pause_sum_seconds"), stats->pause_sum_seconds);
    sn_json_write_key_double(json, SN_STR("pause_max_seconds"), stats->pause_max_seconds);
    sn_json_write_key_uint64(json, SN_STR("reclaimed_bytes"), stats->reclaimed_bytes);
    sn_json_write_object_end(json);
}

static void write_limits(struct sn_json_writer *json, const struct sonde_memory *memory) {
    sonde_memory_thresholds limits = sonde_memory_thresholds_read(memory);
    sn_json_write_key(json, SN_STR("limits"));
    sn_json_write_object_begin(json);
    sn_json_write_key_double(json, SN_STR("max_bytes"), limits.max_bytes);
    sn_json_write_key_double(json, SN_STR("max_growth_bytes_per_second"),
                             limits.max_growth_per_second);
    sn_json_write_key_double(json, SN_STR("clear_margin"), limits.clear_margin);
    sn_json_write_object_end(json);
}

static void write_alerts(struct sn_json_writer *json, const struct sonde_memory *memory) {
    sonde_memory_alert alerts[SONDE_MEMORY_ALERT_COUNT];
    size_t count = sonde_memory_alerts(memory, alerts);
    sn_json_write_key(json, SN_STR("alerts"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        struct sn_alert_shown shown = {sonde_memory_alert_name(alerts[i].kind), alerts[i].value,
                                       alerts[i].threshold, alerts[i].since_wall_ms};
        sn_json_write_object_begin(json);
        sn_instrument_json_alert(json, &shown);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void write_service(struct sn_json_writer *json, struct sonde_memory *memory) {
    sonde_memory_stats stats;
    (void)sonde_memory_evaluate(memory);
    sonde_memory_read(memory, &stats);
    sn_json_write_object_begin(json);
    sn_instrument_json_label(json, SN_STR("service"), &memory->instrument, 0);
    sn_json_write_key_uint64(json, SN_STR("bytes"), stats.bytes);
    sn_json_write_key_uint64(json, SN_STR("peak_bytes"), stats.peak_bytes);
    sn_json_write_key_uint64(json, SN_STR("allocations"), stats.allocations);
    sn_json_write_key_uint64(json, SN_STR("frees"), stats.frees);
    sn_json_write_key_uint64(json, SN_STR("allocated_bytes"), stats.allocated_bytes);
    sn_json_write_key_double(json, SN_STR("allocations_per_second"), stats.allocations_per_second);
    sn_json_write_key_double(json, SN_STR("frees_per_second"), stats.frees_per_second);
    sn_json_write_key_double(json, SN_STR("growth_bytes_per_second"), stats.growth_per_second);
    write_gc(json, &stats);
    write_limits(json, memory);
    write_alerts(json, memory);
    sn_json_write_object_end(json);
}

static void write_process(struct sn_json_writer *json) {
    sonde_memory_heap heap;
    sonde_memory_heap_read(&heap);
    sn_json_write_key(json, SN_STR("process"));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("source"), sn_str_from(heap.source));
    sn_json_write_key_uint64(json, SN_STR("heap_used_bytes"), heap.used_bytes);
    sn_json_write_key_uint64(json, SN_STR("heap_reserved_bytes"), heap.reserved_bytes);
    sn_json_write_key_double(json, SN_STR("fragmentation"), heap.fragmentation);
    sn_json_write_key_uint64(json, SN_STR("rss_bytes"), heap.rss_bytes);
    sn_json_write_object_end(json);
}

sonde_status sonde_memory_metrics_json(sonde_registry *registry, char **ret_text, size_t *ret_len) {
    struct sn_json_writer json;
    struct sn_buf buf;
    struct sn_instrument *at = NULL;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, SN_STR("services"));
    sn_json_write_array_begin(&json);
    while ((at = sn_instrument_next(registry, &sn_memory_type, at)) != NULL)
        write_service(&json, (struct sonde_memory *)(void *)at);
    sn_json_write_array_end(&json);
    write_process(&json);
    sn_json_write_object_end(&json);
    return sn_instrument_json_end(&json, &buf, ret_text, ret_len);
}
