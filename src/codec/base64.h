/*
 * Base64 of RFC 4648, both alphabets. Pure.
 */
#ifndef SN_CODEC_BASE64_H
#define SN_CODEC_BASE64_H

#include "base/status.h"
#include "base/str.h"

/* Most bytes that `len` characters stand for. */
#define SN_BASE64_DECODED_MAX(len) ((len) / 4 * 3 + 3)

/*
 * Decode "YWJj" (standard alphabet) or "YWJj" with '-' and '_' (URL-safe); '=' at the end may be
 * left out.
 *
 *   text      borrowed
 *   ret_bytes [SN_BASE64_DECODED_MAX(text.len)]
 *   ret_len   bytes written
 *
 * SN_ERR_INVALID: another character, a length that cannot be, or bits that are not zero at the end.
 */
sn_status sn_base64_decode(struct sn_str text, uint8_t *ret_bytes, size_t *ret_len) SN_MUST_USE;

#endif
