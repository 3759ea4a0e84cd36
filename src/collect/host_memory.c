/*
 * Sources "meminfo" (/proc/meminfo) and "vmstat" (/proc/vmstat: swapping and page faults).
 */
#include "collect/host_memory.h"

#include "collect/scan.h"
#include "collect/source.h"

#define BYTES_PER_KB UINT64_C(1024)

static const struct sn_collect_family memory_families[] = {
    {"node_memory_MemTotal_bytes", SN_METRIC_GAUGE, "Usable memory of the host."},
    {"node_memory_MemFree_bytes", SN_METRIC_GAUGE, "Memory that nobody uses."},
    {"node_memory_MemAvailable_bytes", SN_METRIC_GAUGE,
     "Memory that programs could get without swapping."},
    {"node_memory_Buffers_bytes", SN_METRIC_GAUGE, "Memory of block device buffers."},
    {"node_memory_Cached_bytes", SN_METRIC_GAUGE, "Memory of the page cache."},
    {"node_memory_SwapTotal_bytes", SN_METRIC_GAUGE, "Swap space of the host."},
    {"node_memory_SwapFree_bytes", SN_METRIC_GAUGE, "Swap space that is not used."},
    {"sonde_host_memory_used_percent", SN_METRIC_GAUGE,
     "Memory in use (total minus available), 0 to 100."},
    {"sonde_host_swap_used_percent", SN_METRIC_GAUGE, "Swap space in use, 0 to 100."},
};

/* Copy a field name as node_exporter spells it: "Active(anon)" becomes "Active_anon". */
static size_t copy_field_name(char *at, struct sn_str field) {
    size_t len = 0;
    for (size_t i = 0; i < field.len; i++) {
        char c = field.ptr[i];
        if (c == '(')
            at[len++] = '_';
        else if (c != ')' && c != ':')
            at[len++] = c;
    }
    return len;
}

/* One line "Name:  123 kB" as node_memory_Name_bytes; without a unit, as node_memory_Name. */
static sn_status add_memory_line(struct sn_gather *gather, struct sn_str line, struct sn_err *err) {
    struct sn_str fields[3];
    size_t count = sn_scan_fields(line, fields, 3);
    uint64_t value;
    char name[96];
    if (count < 2 || fields[0].len > 64 || !sn_scan_u64(fields[1], &value))
        return SN_OK; /* A line that we do not understand is one metric less, not a failure. */
    static const char prefix[] = "node_memory_";
    static const char suffix[] = "_bytes";
    memcpy(name, prefix, sizeof prefix - 1);
    size_t len = sizeof prefix - 1;
    len += copy_field_name(name + len, fields[0]);
    if (count == 3 && sn_str_equal(fields[2], SN_STR("kB"))) {
        memcpy(name + len, suffix, sizeof suffix - 1);
        len += sizeof suffix - 1;
        value *= BYTES_PER_KB;
    }
    return sn_gather_add(gather, sn_str_make(name, len), NULL, 0, (double)value, err);
}

static bool keyed_bytes(struct sn_str text, struct sn_str key, uint64_t *ret_bytes) {
    uint64_t kilobytes;
    if (!sn_scan_keyed(text, key, &kilobytes))
        return false;
    *ret_bytes = kilobytes * BYTES_PER_KB;
    return true;
}

sn_status sn_memory_use_parse(struct sn_str meminfo_text, struct sn_memory_use *ret_use,
                              struct sn_err *err) {
    struct sn_memory_use use = {0};
    if (!keyed_bytes(meminfo_text, SN_STR("MemTotal"), &use.total_bytes) ||
        !keyed_bytes(meminfo_text, SN_STR("MemAvailable"), &use.available_bytes))
        return sn_err_set(err, SN_ERR_CORRUPT, "meminfo: no MemTotal or MemAvailable");
    /* A kernel without swap support has no such lines: zero is the truth. */
    if (!keyed_bytes(meminfo_text, SN_STR("SwapTotal"), &use.swap_total_bytes))
        use.swap_total_bytes = 0;
    if (!keyed_bytes(meminfo_text, SN_STR("SwapFree"), &use.swap_free_bytes))
        use.swap_free_bytes = 0;
    *ret_use = use;
    return SN_OK;
}

static double used_percent(uint64_t total, uint64_t left) {
    return total == 0 || left > total ? 0.0 : 100.0 * (double)(total - left) / (double)total;
}

double sn_memory_used_percent(const struct sn_memory_use *use) {
    return used_percent(use->total_bytes, use->available_bytes);
}

static sn_status collect_memory(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text, line;
    struct sn_memory_use use;
    SN_TRY(sn_gather_read_proc(gather, "meminfo", &text, err));
    SN_TRY(sn_memory_use_parse(text, &use, err));
    SN_TRY(sn_gather_add_plain(gather, "sonde_host_memory_used_percent",
                               sn_memory_used_percent(&use), err));
    if (use.swap_total_bytes > 0)
        SN_TRY(sn_gather_add_plain(gather, "sonde_host_swap_used_percent",
                                   used_percent(use.swap_total_bytes, use.swap_free_bytes), err));
    while (sn_scan_line(&text, &line))
        SN_TRY(add_memory_line(gather, line, err));
    return SN_OK;
}

const struct sn_source sn_source_meminfo = {
    .name = "meminfo",
    .families = memory_families,
    .family_count = sizeof memory_families / sizeof memory_families[0],
    .collect = collect_memory,
};

static const struct sn_collect_family vmstat_families[] = {
    {"node_vmstat_pgfault", SN_METRIC_COUNTER, "Page faults."},
    {"node_vmstat_pgmajfault", SN_METRIC_COUNTER, "Page faults that had to read from disk."},
    {"node_vmstat_pgpgin", SN_METRIC_COUNTER, "KiB paged in from disk."},
    {"node_vmstat_pgpgout", SN_METRIC_COUNTER, "KiB paged out to disk."},
    {"node_vmstat_pswpin", SN_METRIC_COUNTER, "Pages swapped in."},
    {"node_vmstat_pswpout", SN_METRIC_COUNTER, "Pages swapped out."},
    {"node_vmstat_oom_kill", SN_METRIC_COUNTER, "Processes killed for want of memory."},
};

static sn_status collect_vmstat(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    static const size_t prefix_len = sizeof "node_vmstat_" - 1;
    struct sn_str text;
    SN_TRY(sn_gather_read_proc(gather, "vmstat", &text, err));
    for (size_t i = 0; i < sizeof vmstat_families / sizeof vmstat_families[0]; i++) {
        uint64_t value;
        const char *name = vmstat_families[i].name;
        if (sn_scan_keyed(text, sn_str_from(name + prefix_len), &value))
            SN_TRY(sn_gather_add_plain(gather, name, (double)value, err));
    }
    return SN_OK;
}

const struct sn_source sn_source_vmstat = {
    .name = "vmstat",
    .families = vmstat_families,
    .family_count = sizeof vmstat_families / sizeof vmstat_families[0],
    .collect = collect_vmstat,
};
