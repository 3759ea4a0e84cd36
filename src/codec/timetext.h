/*
 * Points in time as the outside writes them. The other direction is sn_time_format of base/clock.h.
 * Any thread, no allocation, no time zone of the host.
 */
#ifndef SN_CODEC_TIMETEXT_H
#define SN_CODEC_TIMETEXT_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

/*
 * Read a time: RFC 3339 ("2026-11-21T10:11:12.345+01:00", 'T' may be 't' or a blank, 'Z' may be
 * 'z', any number of fraction digits, what is below a millisecond is dropped) or Unix seconds with
 * an optional fraction or exponent, rounded to milliseconds ("1700000000.123", "1.7e9").
 *
 *   text          borrowed, read to its end
 *   ret_time_ms   Unix milliseconds, SN_TIME_MS_MIN to SN_TIME_MS_MAX
 *
 * Returns SN_OK, SN_ERR_INVALID (neither form, or a date that does not exist, or a leap second),
 * SN_ERR_LIMIT (outside of SN_TIME_MS_MIN to SN_TIME_MS_MAX).
 * Threads: any. Blocks: never.
 */
sn_status sn_time_parse_ms(struct sn_str text, int64_t *ret_time_ms,
                           struct sn_err *err) SN_MUST_USE;

#endif
