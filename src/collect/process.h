/*
 * One process's use of the machine, from /proc/PID/stat and /proc/PID/fd.
 */
#ifndef SN_COLLECT_PROCESS_H
#define SN_COLLECT_PROCESS_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

struct sn_process_use {
    double cpu_seconds;
    double start_seconds_after_boot;
    uint64_t virtual_bytes;
    uint64_t resident_bytes;
    uint64_t thread_count;
};

/*
 * /proc/PID/stat. The name in parentheses may itself hold blanks and parentheses.
 *   page_bytes   of this machine: the resident size is counted in pages
 * SN_ERR_CORRUPT when the form is not as proc(5) says.
 */
sn_status sn_process_use_parse(struct sn_str stat_text, uint64_t page_bytes,
                               struct sn_process_use *ret_use, struct sn_err *err) SN_MUST_USE;

#endif
