/*
 * Small sources of the whole host: "loadavg", "pressure", "uname", "time".
 */
#include "collect/scan.h"
#include "collect/source.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- loadavg ---- */

static const struct sn_collect_family load_families[] = {
    {"node_load1", SN_METRIC_GAUGE, "Load average over 1 minute."},
    {"node_load5", SN_METRIC_GAUGE, "Load average over 5 minutes."},
    {"node_load15", SN_METRIC_GAUGE, "Load average over 15 minutes."},
};

static sn_status collect_load(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text;
    SN_TRY(sn_gather_read_proc(gather, "loadavg", &text, err));
    for (size_t i = 0; i < COUNT_OF(load_families); i++) {
        struct sn_str field = {0};
        double value;
        if (!sn_scan_field(&text, &field) || !sn_scan_double(field, &value))
            return sn_err_set(err, SN_ERR_CORRUPT, "loadavg: \"%.*s\" is not a number",
                              SN_STR_ARG(field));
        SN_TRY(sn_gather_add_plain(gather, load_families[i].name, value, err));
    }
    return SN_OK;
}

const struct sn_source sn_source_loadavg = {
    .name = "loadavg",
    .families = load_families,
    .family_count = COUNT_OF(load_families),
    .collect = collect_load,
};

/* ---- pressure ---- */

#define MICROSECONDS_PER_SECOND 1e6

static const struct sn_collect_family pressure_families[] = {
    {"node_pressure_cpu_waiting_seconds_total", SN_METRIC_COUNTER,
     "Seconds that tasks waited for a CPU."},
    {"node_pressure_io_waiting_seconds_total", SN_METRIC_COUNTER,
     "Seconds that some task waited for input or output."},
    {"node_pressure_io_stalled_seconds_total", SN_METRIC_COUNTER,
     "Seconds that no task could go on because of input or output."},
    {"node_pressure_memory_waiting_seconds_total", SN_METRIC_COUNTER,
     "Seconds that some task waited for memory."},
    {"node_pressure_memory_stalled_seconds_total", SN_METRIC_COUNTER,
     "Seconds that no task could go on because of memory."},
};

/* File, first word of the line, metric. */
static const struct {
    const char *file;
    struct sn_str line;
    const char *metric;
} pressure_rows[] = {
    {"pressure/cpu", SN_STR("some "), "node_pressure_cpu_waiting_seconds_total"},
    {"pressure/io", SN_STR("some "), "node_pressure_io_waiting_seconds_total"},
    {"pressure/io", SN_STR("full "), "node_pressure_io_stalled_seconds_total"},
    {"pressure/memory", SN_STR("some "), "node_pressure_memory_waiting_seconds_total"},
    {"pressure/memory", SN_STR("full "), "node_pressure_memory_stalled_seconds_total"},
};

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123": the total, in microseconds. */
static bool pressure_total(struct sn_str text, struct sn_str first_word, uint64_t *ret_us) {
    struct sn_str line, field, key, value;
    while (sn_scan_line(&text, &line)) {
        if (!sn_str_starts_with(line, first_word))
            continue;
        while (sn_scan_field(&line, &field))
            if (sn_str_cut(field, '=', &key, &value) && sn_str_equal(key, SN_STR("total")))
                return sn_scan_u64(value, ret_us);
    }
    return false;
}

static sn_status collect_pressure(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pressure_rows); i++) {
        struct sn_str text;
        uint64_t total_us;
        SN_TRY(sn_gather_read_proc(gather, pressure_rows[i].file, &text, err));
        if (pressure_total(text, pressure_rows[i].line, &total_us))
            SN_TRY(sn_gather_add_plain(gather, pressure_rows[i].metric,
                                       (double)total_us / MICROSECONDS_PER_SECOND, err));
    }
    return SN_OK;
}

const struct sn_source sn_source_pressure = {
    .name = "pressure",
    .families = pressure_families,
    .family_count = COUNT_OF(pressure_families),
    .collect = collect_pressure,
};

/* ---- uname ---- */

static const struct sn_collect_family uname_families[] = {
    {"node_uname_info", SN_METRIC_GAUGE, "Kernel and host name as labels; the value is 1."},
};

static sn_status collect_uname(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    static const struct {
        const char *file;
        struct sn_str label;
    } rows[] = {
        {"sys/kernel/ostype", SN_STR("sysname")},
        {"sys/kernel/osrelease", SN_STR("release")},
        {"sys/kernel/version", SN_STR("version")},
        {"sys/kernel/hostname", SN_STR("nodename")},
    };
    struct sn_str pairs[2 * COUNT_OF(rows)];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sn_str text;
        SN_TRY(sn_gather_read_proc(gather, rows[i].file, &text, err));
        pairs[2 * i] = rows[i].label;
        text = sn_str_trim(text);
        if (!sn_arena_copy(&gather->batch.arena, text, &pairs[2 * i + 1]))
            return sn_arena_failure(&gather->batch.arena, text.len, err);
    }
    return sn_gather_add(gather, SN_STR("node_uname_info"), pairs, COUNT_OF(rows), 1, err);
}

const struct sn_source sn_source_uname = {
    .name = "uname",
    .families = uname_families,
    .family_count = COUNT_OF(uname_families),
    .collect = collect_uname,
};

/* ---- time ---- */

static const struct sn_collect_family time_families[] = {
    {"node_time_seconds", SN_METRIC_GAUGE, "Unix time of the host."},
    {"sonde_host_uptime_seconds", SN_METRIC_GAUGE, "Seconds since boot."},
};

static sn_status collect_time(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text, field = {0};
    double uptime;
    SN_TRY(sn_gather_read_proc(gather, "uptime", &text, err));
    if (!sn_scan_field(&text, &field) || !sn_scan_double(field, &uptime))
        return sn_err_set(err, SN_ERR_CORRUPT, "uptime: \"%.*s\" is not a number",
                          SN_STR_ARG(field));
    SN_TRY(sn_gather_add_plain(gather, "sonde_host_uptime_seconds", uptime, err));
    double now = (double)sn_clock_wall_ms(gather->clock) / 1000.0;
    return sn_gather_add_plain(gather, "node_time_seconds", now, err);
}

const struct sn_source sn_source_time = {
    .name = "time",
    .families = time_families,
    .family_count = COUNT_OF(time_families),
    .collect = collect_time,
};
