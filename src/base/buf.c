/*
 * Growth of byte buffers. Capacities are 255, 511, 1023, ... so that with the spare byte for
 * printf's NUL the blocks are powers of two; the last step ends exactly at the limit.
 */
#include "base/buf.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdio.h>

#define CAP_FIRST ((size_t)255)

static size_t limit_of(const struct sn_buf *buf) {
    size_t limit = buf->limit ? buf->limit : SN_BUF_LIMIT_DEFAULT;
    return limit < PTRDIFF_MAX ? limit : PTRDIFF_MAX - 1; /* the spare byte */
}

void sn_buf_init(struct sn_buf *buf, size_t limit) {
    *buf = (struct sn_buf){.limit = limit};
}

void sn_buf_release(struct sn_buf *buf) {
    sn_free(buf->ptr);
    *buf = (struct sn_buf){.limit = buf->limit};
}

void sn_buf_reset(struct sn_buf *buf) {
    buf->len = 0;
    buf->status = SN_OK;
}

static uint8_t *fail(struct sn_buf *buf, sn_status status) {
    buf->status = status;
    return NULL;
}

uint8_t *sn_buf_reserve_slow(struct sn_buf *buf, size_t more) {
    if (buf->status != SN_OK)
        return NULL;
    size_t limit = limit_of(buf);
    if (buf->len > limit || more > limit - buf->len)
        return fail(buf, SN_ERR_LIMIT);
    size_t needed = buf->len + more;
    size_t cap = buf->cap ? buf->cap : CAP_FIRST;
    while (cap < needed)
        cap = cap < limit / 2 ? 2 * cap + 1 : limit;
    if (cap > limit)
        cap = limit;
    uint8_t *ptr = sn_realloc_array(buf->ptr, cap + 1, 1);
    if (ptr == NULL)
        return fail(buf, SN_ERR_NO_MEMORY);
    buf->ptr = ptr;
    buf->cap = cap;
    return ptr + buf->len;
}

void sn_buf_put_text(struct sn_buf *buf, const char *text) {
    sn_buf_put(buf, text, strlen(text));
}

void sn_buf_vprintf(struct sn_buf *buf, const char *format, va_list args) {
    char *at = (char *)sn_buf_reserve(buf, 0);
    if (at == NULL)
        return;
    va_list again;
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(at, room + 1, format, args);
    if (len < 0)
        fail(buf, SN_ERR_LIMIT); /* longer than INT_MAX: beyond every limit */
    else if ((size_t)len > room && (at = (char *)sn_buf_reserve(buf, (size_t)len)) != NULL)
        len = vsnprintf(at, (size_t)len + 1, format, again);
    va_end(again);
    if (buf->status == SN_OK)
        buf->len += (size_t)len;
}

void sn_buf_printf(struct sn_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    sn_buf_vprintf(buf, format, args);
    va_end(args);
}

static void put_le(struct sn_buf *buf, uint64_t value, size_t size) {
    uint8_t *at = sn_buf_reserve(buf, size);
    if (at == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
    buf->len += size;
}

void sn_buf_put_u16le(struct sn_buf *buf, uint16_t value) {
    put_le(buf, value, sizeof(value));
}

void sn_buf_put_u32le(struct sn_buf *buf, uint32_t value) {
    put_le(buf, value, sizeof(value));
}

void sn_buf_put_u64le(struct sn_buf *buf, uint64_t value) {
    put_le(buf, value, sizeof(value));
}

sn_status sn_buf_status(const struct sn_buf *buf, struct sn_err *err) {
    if (buf->status == SN_OK)
        return SN_OK;
    if (buf->status == SN_ERR_LIMIT)
        return sn_err_set(err, SN_ERR_LIMIT, "buffer with %zu bytes reached its limit of %zu bytes",
                          buf->len, limit_of(buf));
    return sn_err_set(err, buf->status, "no memory for a buffer of more than %zu bytes", buf->cap);
}
