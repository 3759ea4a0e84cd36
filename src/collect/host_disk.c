/*
 * Source "diskstats": /proc/diskstats. Sectors are 512 bytes and times milliseconds in that file,
 * whatever the device. Devices that never did anything (empty loop devices, ram disks) are left out.
 */
#include "collect/scan.h"
#include "collect/source.h"

#define SECTOR_BYTES 512.0
#define MS_PER_SECOND 1000.0

/* Column after the device name, its metric and what one unit is worth. Order of the file. */
static const struct column {
    const char *metric;
    double divide, multiply;
} columns[] = {
    {"node_disk_reads_completed_total", 1, 1},
    {"node_disk_reads_merged_total", 1, 1},
    {"node_disk_read_bytes_total", 1, SECTOR_BYTES},
    {"node_disk_read_time_seconds_total", MS_PER_SECOND, 1},
    {"node_disk_writes_completed_total", 1, 1},
    {"node_disk_writes_merged_total", 1, 1},
    {"node_disk_written_bytes_total", 1, SECTOR_BYTES},
    {"node_disk_write_time_seconds_total", MS_PER_SECOND, 1},
    {"node_disk_io_now", 1, 1},
    {"node_disk_io_time_seconds_total", MS_PER_SECOND, 1},
    {"node_disk_io_time_weighted_seconds_total", MS_PER_SECOND, 1},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], FIRST_COLUMN = 3 };

static const struct sn_collect_family families[] = {
    {"node_disk_reads_completed_total", SN_METRIC_COUNTER, "Reads completed."},
    {"node_disk_reads_merged_total", SN_METRIC_COUNTER, "Reads merged with a neighbour."},
    {"node_disk_read_bytes_total", SN_METRIC_COUNTER, "Bytes read."},
    {"node_disk_read_time_seconds_total", SN_METRIC_COUNTER, "Seconds spent by all reads."},
    {"node_disk_writes_completed_total", SN_METRIC_COUNTER, "Writes completed."},
    {"node_disk_writes_merged_total", SN_METRIC_COUNTER, "Writes merged with a neighbour."},
    {"node_disk_written_bytes_total", SN_METRIC_COUNTER, "Bytes written."},
    {"node_disk_write_time_seconds_total", SN_METRIC_COUNTER, "Seconds spent by all writes."},
    {"node_disk_io_now", SN_METRIC_GAUGE, "Requests in progress."},
    {"node_disk_io_time_seconds_total", SN_METRIC_COUNTER, "Seconds with a request in progress."},
    {"node_disk_io_time_weighted_seconds_total", SN_METRIC_COUNTER,
     "Seconds with a request in progress, times the number of requests."},
};

static bool is_idle(const struct sn_str *fields, size_t count) {
    for (size_t i = FIRST_COLUMN; i < count; i++)
        if (!sn_str_equal(fields[i], SN_STR("0")))
            return false;
    return true;
}

static sn_status add_device(struct sn_gather *gather, const struct sn_str *fields,
                            struct sn_err *err) {
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        uint64_t raw;
        if (!sn_scan_u64(fields[FIRST_COLUMN + i], &raw))
            return sn_err_set(err, SN_ERR_CORRUPT, "diskstats: \"%.*s\" of %.*s is not a number",
                              SN_STR_ARG(fields[FIRST_COLUMN + i]), SN_STR_ARG(fields[2]));
        double value = (double)raw / columns[i].divide * columns[i].multiply;
        SN_TRY(sn_gather_add_labelled(gather, columns[i].metric, SN_STR("device"), fields[2], value,
                                      err));
    }
    return SN_OK;
}

static sn_status collect(struct sn_gather *gather, void **state, struct sn_err *err) {
    (void)state;
    struct sn_str text, line;
    SN_TRY(sn_gather_read_proc(gather, "diskstats", &text, err));
    while (sn_scan_line(&text, &line)) {
        struct sn_str fields[FIRST_COLUMN + COLUMN_COUNT];
        size_t count = sn_scan_fields(line, fields, FIRST_COLUMN + COLUMN_COUNT);
        if (count < FIRST_COLUMN + COLUMN_COUNT)
            return sn_err_set(err, SN_ERR_CORRUPT, "diskstats: line has %zu fields, expected %d",
                              count, FIRST_COLUMN + COLUMN_COUNT);
        if (!is_idle(fields, count))
            SN_TRY(add_device(gather, fields, err));
    }
    return SN_OK;
}

const struct sn_source sn_source_diskstats = {
    .name = "diskstats",
    .families = families,
    .family_count = sizeof families / sizeof families[0],
    .collect = collect,
};
