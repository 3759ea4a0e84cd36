/*
 * Machines as the metrics of node_exporter (and of Sonde's own host collector) tell them.
 */
#ifndef SN_ENGINE_HOSTS_H
#define SN_ENGINE_HOSTS_H

#include "engine/ask.h"
#include "insight/indicator.h"

#define SN_HOSTS_MAX 500  /* rows of a table that a person reads */
#define SN_DISKS_MAX 2000 /* filesystems of all of them */

/* Selects filesystems that hold data: not those of the kernel, of memory, or images. */
#define SN_HOST_DISKS "{fstype!~\"tmpfs|ramfs|overlay|squashfs|iso9660|autofs|rootfs|fuse\\\\..*\"}"

/* NaN where nothing is known; ratios are 0 to 1. */
struct sn_host {
    struct sn_str name; /* label instance */
    enum sn_health status;
    double cpu_ratio;
    double memory_ratio, memory_used, memory_total; /* bytes */
    double disk_ratio;                              /* of the fullest filesystem */
    struct sn_str disk_mountpoint;
    double load1;
    double cpu_count;
    double received, sent; /* bytes per second, without the loopback */
    double boot_s;         /* Unix time */
    int64_t seen_ms;
};

struct sn_disk {
    struct sn_str host, mountpoint, device, fstype;
    double used_ratio, available, size; /* bytes */
};

struct sn_hosts {
    struct sn_host *items; /* [count], worst first, then the fullest */
    size_t count;
    struct sn_disk *disks; /* [disk_count], by host, fullest first */
    size_t disk_count;
    size_t total;      /* hosts there are, also those beyond SN_HOSTS_MAX */
    size_t disk_total; /* filesystems */
};

/* Part of CPU, memory or disk in use from which a host is in trouble. */
#define SN_HOST_WARNING 0.9
#define SN_HOST_CRITICAL 0.95

/* Ask. The answer is in ask->arena; SN_ERR_NO_MEMORY, SN_ERR_LIMIT, statuses of the querier. */
sn_status sn_hosts_read(const struct sn_ask *ask, int64_t now_ms,
                        struct sn_hosts *ret_hosts) SN_MUST_USE;

/* Copy to an arena. */
sn_status sn_hosts_copy(const struct sn_hosts *hosts, struct sn_arena *arena,
                        struct sn_hosts *ret_copy, struct sn_err *err) SN_MUST_USE;

#endif
