/*
 * Memory of the host from /proc/meminfo.
 */
#ifndef SN_COLLECT_HOST_MEMORY_H
#define SN_COLLECT_HOST_MEMORY_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

/* Bytes. */
struct sn_memory_use {
    uint64_t total_bytes;
    uint64_t available_bytes; /* what programs could still get without swapping */
    uint64_t swap_total_bytes;
    uint64_t swap_free_bytes;
};

/* SN_ERR_CORRUPT when MemTotal or MemAvailable is missing or no number. */
sn_status sn_memory_use_parse(struct sn_str meminfo_text, struct sn_memory_use *ret_use,
                              struct sn_err *err) SN_MUST_USE;

/* Used share (total minus available) in percent, 0..100. */
double sn_memory_used_percent(const struct sn_memory_use *use);

#endif
