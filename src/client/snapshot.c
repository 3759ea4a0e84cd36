/*
 * The JSON snapshot of a registry: services with their operations, then all other families. Its
 * shape is in sonde/expose.h.
 *
 * The document is made in a buffer that is handed on after each service and each series, so that
 * a registry of a million series needs no more memory than its largest service. One thread per page.
 */
#include "base/buf.h"
#include "client/page_priv.h"
#include "client/report_priv.h"

struct snapshot {
    struct sn_page *page;
    struct sn_buf buf;
    struct sn_json_writer json;
    bool is_in_family;  /* whose array of series is open */
    bool is_in_buckets; /* of a histogram */
};

/* Hand on what is there. Not 0: stop. */
static int hand_on(struct snapshot *snapshot) {
    if (snapshot->buf.status != SN_OK)
        return 1;
    sn_page_put(snapshot->page, (const char *)snapshot->buf.ptr, snapshot->buf.len);
    sn_buf_reset(&snapshot->buf);
    return snapshot->page->stop;
}

static const char *type_name(sonde_type type) {
    switch (type) {
    case SONDE_TYPE_COUNTER:
        return "counter";
    case SONDE_TYPE_GAUGE:
        return "gauge";
    case SONDE_TYPE_HISTOGRAM:
        return "histogram";
    case SONDE_TYPE_INFO:
        return "info";
    }
    return "unknown";
}

static void end_family(struct snapshot *snapshot) {
    if (!snapshot->is_in_family)
        return;
    sn_json_write_array_end(&snapshot->json);
    sn_json_write_object_end(&snapshot->json);
    snapshot->is_in_family = false;
}

static int put_family(void *ctx, const sonde_family_info *info, const struct sn_family *family) {
    struct snapshot *snapshot = ctx;
    struct sn_json_writer *json = &snapshot->json;
    (void)family;
    end_family(snapshot);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("name"), sn_str_from(info->name));
    sn_json_write_key_string(json, SN_STR("type"), sn_str_from(type_name(info->type)));
    sn_json_write_key_string(json, SN_STR("help"), sn_str_from(info->help));
    sn_json_write_key_string(json, SN_STR("unit"), sn_str_from(info->unit));
    sn_json_write_key(json, SN_STR("series"));
    sn_json_write_array_begin(json);
    snapshot->is_in_family = true;
    return hand_on(snapshot);
}

static void begin_series(struct sn_json_writer *json, const struct sn_line *line) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("labels"));
    sn_json_write_object_begin(json);
    size_t count = line->series != NULL ? line->series->family->label_count : 0;
    for (size_t i = 0; i < count; i++)
        sn_json_write_key_string(json, sn_str_from(line->series->family->label_names[i]),
                                 sn_series_value(line->series, i));
    if (line->extra != NULL && line->suffix == SN_SUFFIX_NONE)
        sn_json_write_key_string(json, sn_str_from(line->extra->name),
                                 sn_str_from(line->extra->value));
    sn_json_write_object_end(json);
    if (line->created_wall_ms != 0)
        sn_json_write_key_int64(json, SN_STR("start_time_ms"), line->created_wall_ms);
}

static void write_value(struct sn_json_writer *json, const struct sn_line *line) {
    if (line->is_integer)
        sn_json_write_uint64(json, line->integer);
    else
        sn_json_write_double(json, line->number);
}

static void put_bucket(struct snapshot *snapshot, const struct sn_line *line) {
    struct sn_json_writer *json = &snapshot->json;
    if (!snapshot->is_in_buckets) {
        begin_series(json, line);
        sn_json_write_key(json, SN_STR("buckets"));
        sn_json_write_array_begin(json);
        snapshot->is_in_buckets = true;
    }
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("le"));
    if (sn_str_equal(sn_str_from(line->extra->value), SN_STR("+Inf")))
        sn_json_write_string(json, SN_STR("+Inf"));
    else
        sn_json_write_raw(json, sn_str_from(line->extra->value));
    sn_json_write_key(json, SN_STR("count"));
    write_value(json, line);
    sn_json_write_object_end(json);
}

static int put_line(void *ctx, const struct sn_line *line) {
    struct snapshot *snapshot = ctx;
    struct sn_json_writer *json = &snapshot->json;
    bool is_bucket = line->suffix == SN_SUFFIX_BUCKET;
    if (is_bucket) {
        put_bucket(snapshot, line);
        return 0;
    }
    if (snapshot->is_in_buckets) {
        sn_json_write_array_end(json);
        snapshot->is_in_buckets = false;
    }
    if (line->suffix == SN_SUFFIX_NONE)
        begin_series(json, line);
    bool is_sum = line->suffix == SN_SUFFIX_SUM;
    sn_json_write_key(json, line->suffix == SN_SUFFIX_NONE ? SN_STR("value")
                            : is_sum                       ? SN_STR("sum")
                                                           : SN_STR("count"));
    write_value(json, line);
    if (is_sum)
        return 0;
    sn_json_write_object_end(json);
    return hand_on(snapshot);
}

static int put_services(struct snapshot *snapshot, sonde_registry *registry) {
    struct sn_json_writer *json = &snapshot->json;
    struct sn_report_time time = sn_report_time(registry);
    struct sn_report_list list;
    if (!sn_report_list_init(&list, registry, (struct sn_str){NULL, 0})) {
        snapshot->buf.status = SN_ERR_NO_MEMORY;
        return 1;
    }
    sn_json_write_key_int64(json, SN_STR("time_ms"), time.wall_ms);
    sn_json_write_key_double(json, SN_STR("rate_window_seconds"), time.window_s);
    sn_json_write_key(json, SN_STR("services"));
    sn_json_write_array_begin(json);
    int stop = 0;
    for (size_t i = 0; i < list.count && stop == 0; i = sn_report_list_end(&list, i)) {
        sn_json_write_object_begin(json);
        sn_report_write_service_members(json, &list, i, &time);
        sn_json_write_object_end(json);
        stop = hand_on(snapshot);
    }
    sn_json_write_array_end(json);
    sn_report_list_release(&list);
    return stop;
}

static void put_all(struct snapshot *snapshot, sonde_registry *registry) {
    struct sn_json_writer *json = &snapshot->json;
    struct sn_line_sink lines = {
        .family = put_family, .line = put_line, .ctx = snapshot, .skips_operations = true};
    sn_json_write_object_begin(json);
    if (put_services(snapshot, registry) != 0)
        return;
    sn_json_write_key(json, SN_STR("families"));
    sn_json_write_array_begin(json);
    if (sn_registry_read_lines(registry, &lines) != 0)
        return;
    end_family(snapshot);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    (void)hand_on(snapshot);
}

sonde_status sn_snapshot_write(sonde_registry *registry, struct sn_page *page) {
    struct snapshot snapshot = {.page = page};
    sn_buf_init(&snapshot.buf, 0);
    sn_json_write_init(&snapshot.json, &snapshot.buf, SN_JSON_NON_FINITE_TEXT);
    registry = sn_registry_read_begin(registry);
    put_all(&snapshot, registry);
    sn_registry_read_end(registry);
    sn_status status = snapshot.buf.status;
    if (status == SN_OK && page->stop == 0)
        status = sn_json_write_finish(&snapshot.json, NULL);
    sn_buf_release(&snapshot.buf);
    return page->stop != 0 ? SONDE_ERR_IO : (sonde_status)status;
}
