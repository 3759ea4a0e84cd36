/*
 * The host right now, as one JSON document: taken on request, not stored.
 */
#ifndef SN_COLLECT_HOST_STATUS_H
#define SN_COLLECT_HOST_STATUS_H

#include "base/clock.h"
#include "base/lock.h"
#include "codec/json_write.h"
#include "collect/host_cpu.h"
#include "collect/source.h"

/*
 * Keeps the previous CPU reading, since a busy share needs two. Any thread: fields are guarded by
 * mu.
 */
struct sn_host_status {
    struct sn_mutex mu;
    struct sn_collect_roots roots;
    const struct sn_clock *clock;
    struct sn_cpu_ticks previous;
    double cpu_percent; /* of the last two readings that were far enough apart */
};

/* Takes the first CPU reading. Statuses of sn_os_read_file and sn_cpu_ticks_parse. */
sn_status sn_host_status_init(struct sn_host_status *status, struct sn_collect_roots roots,
                              const struct sn_clock *clock, struct sn_err *err) SN_MUST_USE;
void sn_host_status_release(struct sn_host_status *status);

/*
 * Write the document:
 *   {"timestamp", "hostname", "uptime_seconds",
 *    "cpu": {"percent", "count", "load1", "load5", "load15"},
 *    "memory": {"total_bytes", "available_bytes", "used_bytes", "percent"},
 *    "swap": {"total_bytes", "used_bytes"},
 *    "disks": [{"device", "mountpoint", "fstype", "total_bytes", "available_bytes", "percent"}],
 *    "process": {"pid", "cpu_seconds", "resident_bytes", "threads"}}
 * cpu.percent is the share since the previous call, at least 50 ms before. Network filesystems are
 * left out: asking a dead one would block (the collector asks them on a thread of its own).
 *
 * Returns SN_OK, or the status of the file that could not be read.
 * Threads: any. Blocks: on /proc and statvfs of local disks, microseconds.
 */
sn_status sn_host_status_write(struct sn_host_status *status, struct sn_json_writer *json,
                               struct sn_err *err) SN_MUST_USE;

#endif
