/*
 * CPU time of the host from /proc/stat.
 */
#ifndef SN_COLLECT_HOST_CPU_H
#define SN_COLLECT_HOST_CPU_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

/* Modes of one CPU line, in the kernel's order. */
#define SN_CPU_MODES 8

/* Ticks (1/100 s) since boot over all CPUs. */
struct sn_cpu_ticks {
    uint64_t mode[SN_CPU_MODES]; /* user nice system idle iowait irq softirq steal */
};

/* The first line of /proc/stat. SN_ERR_CORRUPT when it is not there. */
sn_status sn_cpu_ticks_parse(struct sn_str stat_text, struct sn_cpu_ticks *ret_ticks,
                             struct sn_err *err) SN_MUST_USE;

/*
 * Busy share between two readings in percent, 0..100; everything but idle and iowait is busy.
 * 0 when no time has passed or a counter went back (a CPU was taken offline).
 */
double sn_cpu_busy_percent(const struct sn_cpu_ticks *before, const struct sn_cpu_ticks *after);

#endif
