/*
 * Source "cpu": /proc/stat. Per-CPU seconds by mode with node_exporter's names, and the busy
 * percentage of the whole host since the previous pass.
 */
#include "collect/host_cpu.h"

#include "base/mem.h"
#include "collect/scan.h"
#include "collect/source.h"

/* USER_HZ: what /proc counts in on every Linux that Debian builds, whatever the kernel's HZ. */
#define TICKS_PER_SECOND 100.0

enum { MODE_IDLE = 3, MODE_IOWAIT = 4 };

static const struct sn_str mode_names[SN_CPU_MODES] = {
    SN_STR("user"),   SN_STR("nice"), SN_STR("system"),  SN_STR("idle"),
    SN_STR("iowait"), SN_STR("irq"),  SN_STR("softirq"), SN_STR("steal"),
};

static const struct sn_collect_family families[] = {
    {"node_cpu_seconds_total", SN_METRIC_COUNTER, "Seconds the CPUs spent in each mode."},
    {"sonde_host_cpu_percent", SN_METRIC_GAUGE,
     "Busy share of all CPUs since the previous collection, 0 to 100."},
    {"node_boot_time_seconds", SN_METRIC_GAUGE, "Unix time of the last boot."},
    {"node_context_switches_total", SN_METRIC_COUNTER, "Context switches."},
    {"node_intr_total", SN_METRIC_COUNTER, "Interrupts serviced."},
    {"node_forks_total", SN_METRIC_COUNTER, "Processes and threads created."},
    {"node_procs_running", SN_METRIC_GAUGE, "Processes in a runnable state."},
    {"node_procs_blocked", SN_METRIC_GAUGE, "Processes waiting for input or output."},
};

/* Lines of /proc/stat that are one number. */
static const struct {
    struct sn_str key;
    const char *metric;
} plain_lines[] = {
    {SN_STR("btime"), "node_boot_time_seconds"},
    {SN_STR("ctxt"), "node_context_switches_total"},
    {SN_STR("intr"), "node_intr_total"},
    {SN_STR("processes"), "node_forks_total"},
    {SN_STR("procs_running"), "node_procs_running"},
    {SN_STR("procs_blocked"), "node_procs_blocked"},
};

static sn_status parse_cpu_line(struct sn_str line, struct sn_str *ret_cpu,
                                struct sn_cpu_ticks *ret_ticks, struct sn_err *err) {
    struct sn_str fields[1 + SN_CPU_MODES];
    size_t count = sn_scan_fields(line, fields, 1 + SN_CPU_MODES);
    if (count < 1 + SN_CPU_MODES)
        return sn_err_set(err, SN_ERR_CORRUPT, "stat: cpu line has %zu fields, expected %d or more",
                          count, 1 + SN_CPU_MODES);
    for (size_t i = 0; i < SN_CPU_MODES; i++)
        if (!sn_scan_u64(fields[1 + i], &ret_ticks->mode[i]))
            return sn_err_set(err, SN_ERR_CORRUPT, "stat: \"%.*s\" is not a number of ticks",
                              SN_STR_ARG(fields[1 + i]));
    *ret_cpu = fields[0];
    return SN_OK;
}

sn_status sn_cpu_ticks_parse(struct sn_str stat_text, struct sn_cpu_ticks *ret_ticks,
                             struct sn_err *err) {
    struct sn_str line, cpu;
    if (!sn_scan_line(&stat_text, &line) || !sn_str_starts_with(line, SN_STR("cpu ")))
        return sn_err_set(err, SN_ERR_CORRUPT, "stat: first line is not the total of all CPUs");
    struct sn_cpu_ticks ticks;
    SN_TRY(parse_cpu_line(line, &cpu, &ticks, err));
    *ret_ticks = ticks;
    return SN_OK;
}

double sn_cpu_busy_percent(const struct sn_cpu_ticks *before, const struct sn_cpu_ticks *after) {
    uint64_t total = 0, idle = 0;
    for (size_t i = 0; i < SN_CPU_MODES; i++) {
        if (after->mode[i] < before->mode[i])
            continue; /* iowait may go back by a tick: the kernel says so itself. */
        uint64_t delta = after->mode[i] - before->mode[i];
        total += delta;
        if (i == MODE_IDLE || i == MODE_IOWAIT)
            idle += delta;
    }
    return total == 0 ? 0.0 : 100.0 * (double)(total - idle) / (double)total;
}

static sn_status add_cpu_line(struct sn_gather *gather, struct sn_str line, struct sn_err *err) {
    struct sn_str cpu;
    struct sn_cpu_ticks ticks;
    SN_TRY(parse_cpu_line(line, &cpu, &ticks, err));
    struct sn_str number = sn_str_make(cpu.ptr + 3, cpu.len - 3); /* after "cpu" */
    for (size_t i = 0; i < SN_CPU_MODES; i++) {
        const struct sn_str pairs[] = {SN_STR("cpu"), number, SN_STR("mode"), mode_names[i]};
        SN_TRY(sn_gather_add(gather, SN_STR("node_cpu_seconds_total"), pairs, 2,
                             (double)ticks.mode[i] / TICKS_PER_SECOND, err));
    }
    return SN_OK;
}

/* Busy percent against the reading of the previous pass, which *state keeps. */
static sn_status add_percent(struct sn_gather *gather, void **state, struct sn_str text,
                             struct sn_err *err) {
    struct sn_cpu_ticks now;
    SN_TRY(sn_cpu_ticks_parse(text, &now, err));
    struct sn_cpu_ticks *previous = *state;
    if (previous == NULL) {
        /* First pass: the average since boot would mislead, so there is no value yet. */
        previous = sn_alloc(sizeof *previous);
        if (previous == NULL)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the previous reading");
        *previous = now;
        *state = previous;
        return SN_OK;
    }
    double percent = sn_cpu_busy_percent(previous, &now);
    *previous = now;
    return sn_gather_add_plain(gather, "sonde_host_cpu_percent", percent, err);
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    struct sn_str text, line;
    SN_TRY(sn_gather_read_proc(gather, "stat", &text, err));
    SN_TRY(add_percent(gather, state, text, err));
    for (size_t i = 0; i < sizeof plain_lines / sizeof plain_lines[0]; i++) {
        uint64_t value;
        if (sn_scan_keyed(text, plain_lines[i].key, &value))
            SN_TRY(sn_gather_add_plain(gather, plain_lines[i].metric, (double)value, err));
    }
    while (sn_scan_line(&text, &line)) {
        bool is_one_cpu = sn_str_starts_with(line, SN_STR("cpu")) && line.len > 3 &&
                          line.ptr[3] != ' '; /* "cpu0 ...", not the total "cpu  ..." */
        if (is_one_cpu)
            SN_TRY(add_cpu_line(gather, line, err));
    }
    return SN_OK;
}

const struct sn_source sn_source_cpu = {
    .name = "cpu",
    .families = families,
    .family_count = sizeof families / sizeof families[0],
    .collect = collect,
    .close = sn_free,
};
