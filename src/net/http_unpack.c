/*
 * Content-Encodings of request bodies: gzip (http_body.c), snappy, zstd. Pure: bytes to bytes.
 *
 * 1. What a body claims to become is compared with the limit before memory is taken for it, and
 *    what it does become is never more than the limit.
 * 2. zstd's window is memory beside the output; one of more than 8 MiB is refused, as RFC 8878
 *    lets a receiver do.
 */
#include "base/limits.h"
#include "net/http_priv.h"

#include <snappy-c.h>
#include <zstd.h>

enum {
    /* A snappy block of n bytes holds less than 22 n: three bytes give at most 64. */
    SNAPPY_RATIO_MAX = 22,
    ZSTD_WINDOW_LOG_MAX = 23,
};
#define ZSTD_STEP ((size_t)64 << 10) /* most bytes asked of zstd at once when the size is unknown */

static sn_status too_large(const struct sn_buf *plain, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_LIMIT, "the unpacked body has more than %zu bytes", plain->limit);
}

/* ---- snappy ---- */

static sn_status unpack_snappy(struct sn_str body, struct sn_buf *ret_plain, struct sn_err *err) {
    size_t len;
    if (snappy_uncompressed_length(body.ptr, body.len, &len) != SNAPPY_OK)
        return sn_err_set(err, SN_ERR_INVALID, "the body is not a snappy block");
    if (len > ret_plain->limit)
        return too_large(ret_plain, err);
    if (len / SNAPPY_RATIO_MAX > body.len)
        return sn_err_set(err, SN_ERR_INVALID,
                          "the body is not a snappy block: %zu bytes cannot become %zu", body.len,
                          len);
    /* One byte more: an empty block still needs somewhere to point at. */
    uint8_t *at = sn_buf_reserve(ret_plain, len > 0 ? len : 1);
    if (at == NULL)
        return sn_buf_status(ret_plain, err);
    if (snappy_uncompress(body.ptr, body.len, (char *)at, &len) != SNAPPY_OK)
        return sn_err_set(err, SN_ERR_INVALID, "the snappy block is damaged or cut short");
    ret_plain->len += len;
    return SN_OK;
}

/* ---- zstd ---- */

/* Room for the next bytes: all of a frame that tells its size, which zstd then unpacks without a
 * window; else a step. *ret_room is 0 when the buffer is full. */
static sn_status give_room(const ZSTD_inBuffer *in, struct sn_buf *plain, size_t *ret_room,
                           struct sn_err *err) {
    unsigned long long frame =
        ZSTD_getFrameContentSize((const char *)in->src + in->pos, in->size - in->pos);
    size_t left = plain->limit - plain->len;
    bool is_known = frame != ZSTD_CONTENTSIZE_UNKNOWN && frame != ZSTD_CONTENTSIZE_ERROR;
    if (is_known && frame > left)
        return too_large(plain, err);
    size_t room = is_known && frame > 0 ? (size_t)frame : left < ZSTD_STEP ? left : ZSTD_STEP;
    if (room > 0 && sn_buf_reserve(plain, room) == NULL)
        return sn_buf_status(plain, err);
    *ret_room = room;
    return SN_OK;
}

static sn_status zstd_failure(size_t code, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "the body is not valid zstd: %s",
                      ZSTD_getErrorName(code));
}

/* One call of zstd; *ret_is_end at the end of a frame. */
static sn_status zstd_step(ZSTD_DCtx *zstd, ZSTD_inBuffer *in, struct sn_buf *plain,
                           bool *ret_is_end, struct sn_err *err) {
    uint8_t beyond; /* tells "exactly at the limit" from "more than that" */
    size_t room = 0;
    SN_TRY(give_room(in, plain, &room, err));
    ZSTD_outBuffer out = {room > 0 ? plain->ptr + plain->len : &beyond, room > 0 ? room : 1, 0};
    size_t code = ZSTD_decompressStream(zstd, &out, in);
    if (ZSTD_isError(code))
        return zstd_failure(code, err);
    if (room == 0 && out.pos > 0)
        return too_large(plain, err);
    plain->len += out.pos;
    *ret_is_end = code == 0;
    if (code != 0 && in->pos == in->size && out.pos < out.size)
        return sn_err_set(err, SN_ERR_INVALID, "the body is not valid zstd: it ends too early");
    return SN_OK;
}

static sn_status unpack_zstd(struct sn_str body, struct sn_buf *ret_plain, struct sn_err *err) {
    ZSTD_inBuffer in = {body.ptr, body.len, 0};
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    if (zstd == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to unpack the body");
    sn_status status = SN_OK;
    size_t code = ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    if (ZSTD_isError(code))
        status = zstd_failure(code, err);
    bool is_end = false;
    while (status == SN_OK && (!is_end || in.pos < in.size))
        status = zstd_step(zstd, &in, ret_plain, &is_end, err);
    (void)ZSTD_freeDCtx(zstd); /* fails only for static contexts */
    return status;
}

sn_status sn_http_unpack(enum sn_http_encoding encoding, struct sn_str body,
                         struct sn_buf *ret_plain, struct sn_err *err) {
    if (ret_plain->limit == 0)
        ret_plain->limit = SN_BUF_LIMIT_DEFAULT;
    switch (encoding) {
    case SN_HTTP_GZIP:
        return sn_http_inflate(body, ret_plain, err);
    case SN_HTTP_SNAPPY:
        return unpack_snappy(body, ret_plain, err);
    case SN_HTTP_ZSTD:
        return unpack_zstd(body, ret_plain, err);
    case SN_HTTP_IDENTITY:
    case SN_HTTP_ENCODING_UNKNOWN:
        break;
    }
    return sn_err_set(err, SN_ERR_UNSUPPORTED, "the body's encoding is not gzip, snappy or zstd");
}
