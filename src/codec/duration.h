/*
 * Durations as people write them in queries and configuration: "15s", "1h30m", "500ms".
 * The rules are those of Prometheus. Any thread, no allocation.
 */
#ifndef SN_CODEC_DURATION_H
#define SN_CODEC_DURATION_H

#include "base/status.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* 292 years: the largest duration whose nanoseconds fit in 63 bits. */
#define SN_DURATION_MS_MAX INT64_C(9223372036854)

#define SN_DURATION_TEXT_SIZE 48 /* "-106751d23h47m16s854ms" and room */

/*
 * Read a duration: one or more of y w d h m s ms, each at most once and in this order, each with
 * an unsigned integer in front; or "0". A year is 365 days.
 *
 *   text              borrowed, read to its end; no blanks, no sign, no fraction
 *   ret_duration_ms   0 to SN_DURATION_MS_MAX
 *
 * Returns SN_OK, SN_ERR_INVALID (another form), SN_ERR_LIMIT (above SN_DURATION_MS_MAX).
 * Threads: any. Blocks: never.
 */
sn_status sn_duration_parse_ms(struct sn_str text, int64_t *ret_duration_ms,
                               struct sn_err *err) SN_MUST_USE;

/*
 * Write a duration in the form that sn_duration_parse_ms reads, NUL-terminated, "-" in front when
 * negative. Years and weeks only when nothing remains ("90d", not "12w6d"); zero is "0s".
 *
 * Returns the bytes before the NUL. Threads: any. Blocks: never.
 */
size_t sn_duration_format(int64_t duration_ms, char ret_text[SN_DURATION_TEXT_SIZE]);

#endif
