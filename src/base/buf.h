/*
 * A growable byte buffer with a ceiling and a sticky error.
 *
 * Writers append without checking each step; the first failure (no memory, ceiling reached)
 * is remembered, later appends do nothing, and sn_buf_status tells at the end. Contents up to the
 * failure stay readable. One thread. Zeroed memory with a limit is a valid empty buffer.
 */
#ifndef SN_BASE_BUF_H
#define SN_BASE_BUF_H

#include "base/check.h"
#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

struct sn_buf {
    uint8_t *ptr;     /* owned, cap + 1 bytes: printf's NUL has a place; NULL while cap is 0 */
    size_t len;       /* bytes used */
    size_t cap;       /* bytes that may be used */
    size_t limit;     /* most bytes it may ever hold; 0 means SN_BUF_LIMIT_DEFAULT */
    sn_status status; /* first failure, sticky */
};

/* Empty buffer that never grows beyond `limit` bytes (0: SN_BUF_LIMIT_DEFAULT). No allocation. */
void sn_buf_init(struct sn_buf *buf, size_t limit);
void sn_buf_release(struct sn_buf *buf); /* frees memory; the struct may be initialised again */
void sn_buf_reset(struct sn_buf *buf);   /* len 0 and status SN_OK, memory and limit kept */

/*
 * Make room for `more` bytes after len and return where they go, or NULL after a failure (then
 * status is set). The caller writes there and adds to len.
 */
uint8_t *sn_buf_reserve_slow(struct sn_buf *buf, size_t more);
static inline uint8_t *sn_buf_reserve(struct sn_buf *buf, size_t more) {
    if (SN_LIKELY(buf->status == SN_OK && buf->cap - buf->len >= more && buf->ptr != NULL))
        return buf->ptr + buf->len;
    return sn_buf_reserve_slow(buf, more);
}

static inline void sn_buf_put(struct sn_buf *buf, const void *bytes, size_t len) {
    uint8_t *at = len ? sn_buf_reserve(buf, len) : NULL;
    if (at) {
        memcpy(at, bytes, len);
        buf->len += len;
    }
}

static inline void sn_buf_put_byte(struct sn_buf *buf, uint8_t byte) {
    uint8_t *at = sn_buf_reserve(buf, 1);
    if (at) {
        *at = byte;
        buf->len++;
    }
}

static inline void sn_buf_put_str(struct sn_buf *buf, struct sn_str s) {
    sn_buf_put(buf, s.ptr, s.len);
}

void sn_buf_put_text(struct sn_buf *buf, const char *text); /* NUL-terminated, without the NUL */
void sn_buf_printf(struct sn_buf *buf, const char *format, ...) SN_PRINTF(2, 3); /* no %f: locale */
void sn_buf_vprintf(struct sn_buf *buf, const char *format, va_list args) SN_PRINTF(2, 0);
void sn_buf_put_u16le(struct sn_buf *buf, uint16_t value);
void sn_buf_put_u32le(struct sn_buf *buf, uint32_t value);
void sn_buf_put_u64le(struct sn_buf *buf, uint64_t value);

static inline struct sn_str sn_buf_str(const struct sn_buf *buf) {
    return sn_str_make(buf->ptr, buf->len);
}

/* SN_OK, or the first failure with a sentence that names the limit. */
sn_status sn_buf_status(const struct sn_buf *buf, struct sn_err *err) SN_MUST_USE;

#endif
