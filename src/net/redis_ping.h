/*
 * Whether a Redis server answers PING. A thin room around hiredis 0.14: plain TCP only.
 */
#ifndef SN_NET_REDIS_PING_H
#define SN_NET_REDIS_PING_H

#include "base/status.h"

#include <stdint.h>

/*
 *   target      "host:port", port 6379 when it is left out; "[::1]:6379"
 *   timeout_ms  to connect, and to answer
 *
 * SN_OK (PONG), SN_ERR_INVALID (the target), SN_ERR_DENIED (it wants a password), SN_ERR_TIMEOUT,
 * SN_ERR_IO, SN_ERR_NO_MEMORY. Blocks up to twice timeout_ms.
 */
sn_status sn_redis_ping(const char *target, int64_t timeout_ms, struct sn_err *err) SN_MUST_USE;

#endif
