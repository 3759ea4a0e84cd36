/*
 * Source "process": what this sonde process itself uses, with the names of every Prometheus client.
 */
#include "collect/process.h"

#include "base/os.h"
#include "collect/scan.h"
#include "collect/source.h"

#define TICKS_PER_SECOND 100.0

static const struct sn_collect_family families[] = {
    {"process_cpu_seconds_total", SN_METRIC_COUNTER, "CPU seconds of this process."},
    {"process_resident_memory_bytes", SN_METRIC_GAUGE, "Resident memory of this process."},
    {"process_virtual_memory_bytes", SN_METRIC_GAUGE, "Virtual memory of this process."},
    {"process_threads", SN_METRIC_GAUGE, "Threads of this process."},
    {"process_open_fds", SN_METRIC_GAUGE, "Open file descriptors of this process."},
    {"process_start_time_seconds", SN_METRIC_GAUGE, "Unix time this process started."},
};

/* Fields of proc(5) counted from the state letter, which stands behind the name: field 3 is 0. */
enum { UTIME = 11, STIME = 12, THREADS = 17, STARTTIME = 19, VSIZE = 20, RSS = 21, NEEDED = 22 };

sn_status sn_process_use_parse(struct sn_str stat_text, uint64_t page_bytes,
                               struct sn_process_use *ret_use, struct sn_err *err) {
    size_t close = stat_text.len;
    while (close > 0 && stat_text.ptr[close - 1] != ')')
        close--;
    if (close == 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "process stat has no name in parentheses");
    struct sn_str fields[NEEDED];
    struct sn_str rest = sn_str_make(stat_text.ptr + close, stat_text.len - close);
    size_t count = sn_scan_fields(rest, fields, NEEDED);
    if (count < NEEDED)
        return sn_err_set(err, SN_ERR_CORRUPT, "process stat has %zu fields, expected %d or more",
                          count + 2, NEEDED + 2);
    uint64_t utime, stime, threads, start, vsize, rss;
    if (!sn_scan_u64(fields[UTIME], &utime) || !sn_scan_u64(fields[STIME], &stime) ||
        !sn_scan_u64(fields[THREADS], &threads) || !sn_scan_u64(fields[STARTTIME], &start) ||
        !sn_scan_u64(fields[VSIZE], &vsize) || !sn_scan_u64(fields[RSS], &rss))
        return sn_err_set(err, SN_ERR_CORRUPT, "process stat has a field that is not a number");
    *ret_use = (struct sn_process_use){
        .cpu_seconds = (double)(utime + stime) / TICKS_PER_SECOND,
        .start_seconds_after_boot = (double)start / TICKS_PER_SECOND,
        .virtual_bytes = vsize,
        .resident_bytes = rss * page_bytes,
        .thread_count = threads,
    };
    return SN_OK;
}

static bool count_name(void *ctx, const char *name) {
    (void)name;
    ++*(size_t *)ctx;
    return true;
}

static sn_status add_open_fds(struct sn_gather *gather, struct sn_err *err) {
    char *path = sn_arena_printf(&gather->batch.arena, "%s/self/fd", gather->roots.proc);
    if (path == NULL)
        return sn_arena_failure(&gather->batch.arena, strlen(gather->roots.proc) + 9, err);
    size_t count = 0;
    SN_TRY(sn_os_list_dir(path, count_name, &count, err));
    return sn_gather_add_plain(gather, "process_open_fds", (double)count, err);
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text;
    struct sn_process_use use;
    uint64_t boot_seconds;
    SN_TRY(sn_gather_read_proc(gather, "self/stat", &text, err));
    SN_TRY(sn_process_use_parse(text, sn_os_page_size(), &use, err));
    SN_TRY(sn_gather_read_proc(gather, "stat", &text, err));
    if (sn_scan_keyed(text, SN_STR("btime"), &boot_seconds))
        SN_TRY(sn_gather_add_plain(gather, "process_start_time_seconds",
                                   (double)boot_seconds + use.start_seconds_after_boot, err));
    const struct {
        const char *metric;
        double value;
    } rows[] = {
        {"process_cpu_seconds_total", use.cpu_seconds},
        {"process_resident_memory_bytes", (double)use.resident_bytes},
        {"process_virtual_memory_bytes", (double)use.virtual_bytes},
        {"process_threads", (double)use.thread_count},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SN_TRY(sn_gather_add_plain(gather, rows[i].metric, rows[i].value, err));
    return add_open_fds(gather, err);
}

const struct sn_source sn_source_process = {
    .name = "process",
    .is_about_sonde = true,
    .families = families,
    .family_count = sizeof families / sizeof families[0],
    .collect = collect,
};
