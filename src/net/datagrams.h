/*
 * Receiving datagrams: one UDP socket, one unix socket, or both, by one thread, many per system call.
 *
 * What the kernel drops because nobody came for it in time is counted (SO_MEMINFO), and so is what is
 * longer than SN_DATAGRAM_BYTES_MAX, which is not handed over.
 */
#ifndef SN_NET_DATAGRAMS_H
#define SN_NET_DATAGRAMS_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

#define SN_DATAGRAM_BYTES_MAX 65535 /* UDP has at most 65507 */

struct sn_datagrams; /* one thread, but for wake and the statistics */

struct sn_datagrams_options {
    struct sn_str listen;    /* address as sn_address_parse reads it; empty: no UDP */
    const char *socket_path; /* unix socket, made anew, writable for everybody; NULL: none */
    int receive_bytes; /* what the kernel may keep for us; 0: 8 MiB, or as much as it allows */
};

struct sn_datagrams_stats {
    uint64_t received_count;
    uint64_t dropped_count;  /* by the kernel */
    uint64_t too_long_count; /* not handed over */
};

/*
 * Bind. A unix socket that is left over from a process that ended is replaced.
 * SN_ERR_INVALID (an address, a path that is too long), SN_ERR_EXISTS (somebody else listens there),
 * SN_ERR_DENIED, SN_ERR_NO_MEMORY, SN_ERR_IO.
 */
sn_status sn_datagrams_open(const struct sn_datagrams_options *options,
                            struct sn_datagrams **ret_datagrams, struct sn_err *err) SN_MUST_USE;
struct sn_datagrams *sn_datagrams_close(struct sn_datagrams *datagrams); /* returns NULL */

/* The UDP address that is bound, with its real port; "" without UDP. */
const char *sn_datagrams_address(const struct sn_datagrams *datagrams);

/*
 * Hand over what has arrived, and wait for it at most timeout_ms (0: not at all). Returns after at most
 * some hundred datagrams, so that the caller can look at its clock. Their number; 0 after the timeout
 * or a wake.
 */
size_t sn_datagrams_receive(struct sn_datagrams *datagrams, int timeout_ms,
                            void (*take)(void *ctx, struct sn_str datagram), void *ctx);

/* Let a receive that waits, or the next one, return. Any thread; never blocks. */
void sn_datagrams_wake(struct sn_datagrams *datagrams);

/* Any thread. Cost: a system call per socket. */
void sn_datagrams_stats(struct sn_datagrams *datagrams, struct sn_datagrams_stats *ret_stats);

#endif
