/*
 * What a server answers to a push, read with strict limits. Bytes from outside: validated, never
 * asserted. Pure; any thread.
 */
#ifndef SN_CLIENT_PUSH_RESPONSE_PRIV_H
#define SN_CLIENT_PUSH_RESPONSE_PRIV_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define SN_PUSH_HEAD_BYTES_MAX ((size_t)16384)

struct sn_push_head {
    unsigned status;        /* 100 to 599 */
    size_t head_len;        /* bytes up to and with the empty line */
    bool has_body_len;      /* false: the end of the body is not known, so the connection ends */
    uint64_t body_len;      /* 0 where the status forbids a body */
    bool is_kept;           /* the connection may be used again after the body */
    unsigned retry_after_s; /* 0: not said; cut at 86400 */
};

/*
 * Read the head of an answer.
 *
 *   bytes     what has come so far
 *   ret_head  written on SN_OK only
 *
 * Returns SN_OK, SN_ERR_BUSY (the head is not complete), SN_ERR_CORRUPT (not HTTP/1, lengths that
 * contradict each other), SN_ERR_LIMIT (longer than SN_PUSH_HEAD_BYTES_MAX).
 */
sn_status sn_push_head_parse(struct sn_str bytes, struct sn_push_head *ret_head,
                             struct sn_err *err) SN_MUST_USE;

/* The number behind "accepted": in the body of an answer. SN_ERR_NOT_FOUND: there is none. */
sn_status sn_push_accepted_parse(struct sn_str body, uint64_t *ret_count) SN_MUST_USE;

#endif
