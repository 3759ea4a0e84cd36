/*
 * Content-Encoding: gzip, both ways, with zlib. Pure: bytes to bytes.
 *
 * A bomb (1 KB that inflates to 1 GB) costs what the output buffer's limit allows and no more.
 * zlib's memory comes from the seam like ours.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "net/http_priv.h"

/* Input is const. */
#define ZLIB_CONST
#include <zlib.h>

#define GZIP_WRAPPER 16 /* added to windowBits: gzip instead of zlib format */
#define WINDOW_BITS_MAX 15
#define OUTPUT_STEP ((size_t)64 << 10) /* most bytes asked of zlib at once when inflating */
/* deflate's tables for small bodies: 16 KiB instead of 256, which are cleared for every body. */
#define SMALL_BODY_BYTES ((size_t)16 << 10)
#define SMALL_MEM_LEVEL 5
/* Streams are packed on the thread of the connection: a block of 40 KiB at a time, 0.4 ms. */
#define STREAM_LEVEL 1
#define STREAM_MEM_LEVEL 6
#define STREAM_PLAIN_BYTES ((size_t)16 << 10)

static voidpf zlib_alloc(voidpf opaque, uInt count, uInt size) {
    (void)opaque;
    return sn_alloc_zero(count, size);
}

static void zlib_free(voidpf opaque, voidpf ptr) {
    (void)opaque;
    sn_free(ptr);
}

enum sn_http_encoding sn_http_body_encoding(const struct sn_http_fields *fields) {
    const struct sn_http_field *found = NULL;
    for (size_t i = 0; i < fields->count; i++) {
        if (!sn_http_equal_nocase(fields->items[i].name, SN_STR("content-encoding")))
            continue;
        if (found != NULL) /* a list, in several lines */
            return SN_HTTP_ENCODING_UNKNOWN;
        found = &fields->items[i];
    }
    if (found == NULL || sn_http_equal_nocase(found->value, SN_STR("identity")))
        return SN_HTTP_IDENTITY;
    if (sn_http_equal_nocase(found->value, SN_STR("gzip")) ||
        sn_http_equal_nocase(found->value, SN_STR("x-gzip")))
        return SN_HTTP_GZIP;
    if (sn_http_equal_nocase(found->value, SN_STR("snappy")))
        return SN_HTTP_SNAPPY;
    if (sn_http_equal_nocase(found->value, SN_STR("zstd")))
        return SN_HTTP_ZSTD;
    return SN_HTTP_ENCODING_UNKNOWN;
}

/* Give zlib room at the end of the buffer. The last byte before the limit is asked for as well,
 * so that a full buffer is a fact and not a guess. */
static bool give_room(z_stream *zlib, struct sn_buf *out) {
    size_t room = out->limit - out->len;
    if (room > OUTPUT_STEP)
        room = OUTPUT_STEP;
    uint8_t *at = room > 0 ? sn_buf_reserve(out, room) : NULL;
    if (at == NULL)
        return false;
    zlib->next_out = at;
    zlib->avail_out = (uInt)room;
    return true;
}

static sn_status corrupt(const z_stream *zlib, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "the body is not valid gzip: %s",
                      zlib->msg != NULL ? zlib->msg : "it ends too early");
}

/* After a member: another one follows, or that was all. */
static bool begin_next_member(z_stream *zlib) {
    return zlib->avail_in > 0 && inflateReset(zlib) == Z_OK;
}

static sn_status inflate_failure(const z_stream *zlib, int code, struct sn_err *err) {
    if (code == Z_MEM_ERROR)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to inflate the body");
    return corrupt(zlib, err);
}

/* When the buffer is full, one byte more tells "exactly at the limit" from "beyond". */
static sn_status inflate_at_limit(z_stream *zlib, const struct sn_buf *out, bool *ret_is_end,
                                  struct sn_err *err) {
    uint8_t beyond;
    zlib->next_out = &beyond;
    zlib->avail_out = 1;
    int code = inflate(zlib, Z_NO_FLUSH);
    if (zlib->avail_out == 0)
        return sn_err_set(err, SN_ERR_LIMIT, "the inflated body has more than %zu bytes",
                          out->limit);
    *ret_is_end = code == Z_STREAM_END;
    return code == Z_STREAM_END ? SN_OK : inflate_failure(zlib, code, err);
}

/* One call of zlib; *ret_is_end at the end of a member. */
static sn_status inflate_step(z_stream *zlib, struct sn_buf *out, bool *ret_is_end,
                              struct sn_err *err) {
    if (out->len == out->limit)
        return inflate_at_limit(zlib, out, ret_is_end, err);
    if (!give_room(zlib, out))
        return sn_buf_status(out, err);
    uInt room = zlib->avail_out;
    int code = inflate(zlib, Z_NO_FLUSH);
    out->len += room - zlib->avail_out;
    *ret_is_end = code == Z_STREAM_END;
    if (code != Z_OK && code != Z_STREAM_END)
        return inflate_failure(zlib, code, err);
    if (code == Z_OK && zlib->avail_in == 0 && zlib->avail_out > 0)
        return corrupt(zlib, err);
    return SN_OK;
}

static sn_status inflate_members(z_stream *zlib, struct sn_buf *out, struct sn_err *err) {
    bool is_end = false;
    do {
        SN_TRY(inflate_step(zlib, out, &is_end, err));
    } while (!is_end || begin_next_member(zlib));
    return zlib->avail_in == 0 ? SN_OK : corrupt(zlib, err);
}

sn_status sn_http_inflate(struct sn_str body, struct sn_buf *ret_plain, struct sn_err *err) {
    z_stream zlib = {.zalloc = zlib_alloc, .zfree = zlib_free};
    if (body.len > UINT32_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the body has more than 4 GiB");
    if (ret_plain->limit == 0)
        ret_plain->limit = SN_BUF_LIMIT_DEFAULT;
    if (inflateInit2(&zlib, WINDOW_BITS_MAX + GZIP_WRAPPER) != Z_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to inflate the body");
    zlib.next_in = (const Bytef *)body.ptr;
    zlib.avail_in = (uInt)body.len;
    sn_status status = inflate_members(&zlib, ret_plain, err);
    (void)inflateEnd(&zlib);
    return status;
}

/* The smallest window that sees the whole body. 9 bits are broken in old zlibs: start at 10. */
static int window_bits(size_t len) {
    int bits = 10;
    while (bits < WINDOW_BITS_MAX && ((size_t)1 << bits) < len)
        bits++;
    return bits;
}

bool sn_http_deflate(struct sn_str body, int level, struct sn_buf *ret_gzip) {
    z_stream zlib = {.zalloc = zlib_alloc, .zfree = zlib_free};
    int mem_level = body.len <= SMALL_BODY_BYTES ? SMALL_MEM_LEVEL : MAX_MEM_LEVEL - 1;
    uint8_t *at =
        body.len > 0 && body.len <= UINT32_MAX ? sn_buf_reserve(ret_gzip, body.len) : NULL;
    if (at == NULL || deflateInit2(&zlib, level, Z_DEFLATED, window_bits(body.len) + GZIP_WRAPPER,
                                   mem_level, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    zlib.next_in = (const Bytef *)body.ptr;
    zlib.avail_in = (uInt)body.len;
    zlib.next_out = at;
    zlib.avail_out = (uInt)body.len; /* not smaller: not worth it */
    bool is_complete = deflate(&zlib, Z_FINISH) == Z_STREAM_END;
    ret_gzip->len += is_complete ? body.len - zlib.avail_out : 0;
    (void)deflateEnd(&zlib);
    return is_complete;
}

/* ---- gzip in pieces ---- */

struct sn_http_gzip {
    z_stream zlib;
    bool has_all; /* the last plain byte was pulled */
    bool is_over;
    uint8_t plain[STREAM_PLAIN_BYTES];
};

struct sn_http_gzip *sn_http_gzip_new(void) {
    struct sn_http_gzip *gzip = sn_alloc(sizeof *gzip);
    if (gzip == NULL)
        return NULL;
    gzip->zlib = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
    gzip->has_all = gzip->is_over = false;
    if (deflateInit2(&gzip->zlib, STREAM_LEVEL, Z_DEFLATED, WINDOW_BITS_MAX + GZIP_WRAPPER,
                     STREAM_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return gzip;
    sn_free(gzip);
    return NULL;
}

void sn_http_gzip_free(struct sn_http_gzip *gzip) {
    if (gzip == NULL)
        return;
    (void)deflateEnd(&gzip->zlib);
    sn_free(gzip);
}

/* Let zlib work until its room is full or its input empty; false: it is a bug. */
static bool gzip_work(struct sn_http_gzip *gzip, int flush) {
    int code = deflate(&gzip->zlib, flush);
    gzip->is_over = code == Z_STREAM_END;
    return !SN_NEVER(code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR);
}

/* Plain bytes for an empty input. WAIT: what is there was flushed. */
static enum sn_http_stream_step gzip_fill(struct sn_http_gzip *gzip,
                                          const struct sn_http_stream *stream) {
    size_t len = 0;
    enum sn_http_stream_step step =
        stream->pull(stream->ctx, gzip->plain, sizeof gzip->plain, &len);
    if (step == SN_HTTP_STREAM_WAIT)
        return gzip_work(gzip, Z_SYNC_FLUSH) ? step : SN_HTTP_STREAM_FAIL;
    gzip->has_all = step == SN_HTTP_STREAM_END;
    gzip->zlib.next_in = gzip->plain;
    gzip->zlib.avail_in = step == SN_HTTP_STREAM_DATA ? (uInt)len : 0;
    return step;
}

enum sn_http_stream_step sn_http_gzip_read(struct sn_http_gzip *gzip,
                                           const struct sn_http_stream *stream, uint8_t *buf,
                                           size_t room, size_t *ret_len) {
    z_stream *zlib = &gzip->zlib;
    enum sn_http_stream_step step = SN_HTTP_STREAM_DATA;
    uInt avail = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    zlib->next_out = buf;
    zlib->avail_out = avail;
    while (zlib->avail_out == avail && !gzip->is_over && step != SN_HTTP_STREAM_WAIT) {
        if (zlib->avail_in == 0 && !gzip->has_all)
            step = gzip_fill(gzip, stream);
        if (step == SN_HTTP_STREAM_FAIL ||
            (step != SN_HTTP_STREAM_WAIT &&
             !gzip_work(gzip, gzip->has_all ? Z_FINISH : Z_NO_FLUSH)))
            return SN_HTTP_STREAM_FAIL;
    }
    *ret_len = avail - zlib->avail_out;
    if (*ret_len > 0)
        return SN_HTTP_STREAM_DATA;
    return gzip->is_over ? SN_HTTP_STREAM_END : SN_HTTP_STREAM_WAIT;
}

bool sn_http_is_compressible(struct sn_str content_type) {
    static const char *const words[] = {"json", "javascript", "xml", "openmetrics", "yaml"};
    struct sn_str type;
    struct sn_str params;
    if (content_type.len == 0)
        return false;
    sn_str_cut(content_type, ';', &type, &params);
    if (sn_str_starts_with(type, SN_STR("text/")))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (memmem(type.ptr, type.len, words[i], strlen(words[i])) != NULL)
            return true;
    }
    return false;
}
