/*
 * What the seam's functions ask before each system call. Builds without SN_FAULTS get nothing.
 * Any thread.
 */
#ifndef SN_BASE_OS_PRIV_H
#define SN_BASE_OS_PRIV_H

#include "base/os.h"

#ifdef SN_FAULTS

/* Count a call of the kind; true: it must fail, and errno says how. */
bool sn_fault_hits(enum sn_fault_kind kind);

/* The same for a transfer, which may also be told to be short: *len is smaller then. */
bool sn_fault_hits_transfer(enum sn_fault_kind kind, size_t *len);

#else

static inline bool sn_fault_hits(enum sn_fault_kind kind) {
    (void)kind;
    return false;
}

static inline bool sn_fault_hits_transfer(enum sn_fault_kind kind, size_t *len) {
    (void)kind;
    (void)len;
    return false;
}

#endif

#endif
