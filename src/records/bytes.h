/*
 * Stored bytes that are written and read field by field: varints, texts behind their length, 64-bit
 * words. What is read is foreign: each take says whether it was there. Any thread.
 */
#ifndef SN_RECORDS_BYTES_H
#define SN_RECORDS_BYTES_H

#include "base/buf.h"
#include "codec/varint.h"

#include <stdbool.h>

static inline void sn_bytes_put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t *at = sn_buf_reserve(buf, SN_VARINT_BYTES_MAX);
    if (at != NULL)
        buf->len += (size_t)(sn_varint_put(at, value) - at);
}

static inline void sn_bytes_put_text(struct sn_buf *buf, struct sn_str text) {
    sn_bytes_put_varint(buf, text.len);
    sn_buf_put_str(buf, text);
}

static inline void sn_bytes_put_double(struct sn_buf *buf, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    sn_buf_put_u64le(buf, bits);
}

/* Each takes from the front of *rest; false: it is not there, *rest means nothing any more. */
static inline bool sn_bytes_take_varint(struct sn_str *rest, uint64_t *ret_value) {
    const uint8_t *start = (const uint8_t *)rest->ptr, *end = start + rest->len;
    const uint8_t *at = rest->len > 0 ? sn_varint_get(start, end, ret_value) : NULL;
    if (at == NULL)
        return false;
    *rest = sn_str_make(at, (size_t)(end - at));
    return true;
}

static inline bool sn_bytes_take(struct sn_str *rest, size_t len, struct sn_str *ret_bytes) {
    if (len > rest->len)
        return false;
    *ret_bytes = sn_str_make(rest->ptr, len);
    *rest = sn_str_make(rest->ptr + len, rest->len - len);
    return true;
}

static inline bool sn_bytes_take_text(struct sn_str *rest, struct sn_str *ret_text) {
    uint64_t len;
    return sn_bytes_take_varint(rest, &len) && len <= rest->len &&
           sn_bytes_take(rest, (size_t)len, ret_text);
}

static inline bool sn_bytes_take_double(struct sn_str *rest, double *ret_value) {
    struct sn_str bytes;
    if (!sn_bytes_take(rest, 8, &bytes))
        return false;
    uint64_t bits = sn_load_u64le(bytes.ptr);
    memcpy(ret_value, &bits, sizeof bits);
    return true;
}

#endif
