/*
 * Pages. See page_priv.h. Compressed pages are compressed piece by piece as they are written, so
 * that a page of 84 MB never exists whole; at zlib's fastest level, which still makes 1/10 of it.
 */
#include "clienthttp/page_priv.h"

#include "base/mem.h"

#define ZLIB_CONST
#include <zlib.h>

#define WINDOW_BITS (15 + 16) /* 16: gzip instead of zlib format */
#define MEM_LEVEL 8
#define OUTPUT_STEP ((size_t)64 << 10)

static voidpf zlib_alloc(voidpf opaque, uInt count, uInt size) {
    (void)opaque;
    return sn_alloc_zero(count, size);
}

static void zlib_free(voidpf opaque, voidpf ptr) {
    (void)opaque;
    sn_free(ptr);
}

static int put_plain(void *ctx, const char *bytes, size_t len) {
    struct sn_buf *buf = ctx;
    sn_buf_put(buf, bytes, len);
    return buf->status != SN_OK;
}

struct compressor {
    z_stream zlib;
    struct sn_buf *buf;
};

/* Give zlib room and take what it made. The last bytes before the limit are used as well. */
static bool step(struct compressor *compressor, int flush, int *ret_code) {
    struct sn_buf *buf = compressor->buf;
    size_t left = buf->limit - buf->len;
    size_t room = left == 0 || left > OUTPUT_STEP ? OUTPUT_STEP : left;
    uint8_t *at = sn_buf_reserve(buf, room);
    if (at == NULL)
        return false;
    compressor->zlib.next_out = at;
    compressor->zlib.avail_out = (uInt)room;
    *ret_code = deflate(&compressor->zlib, flush);
    buf->len += room - compressor->zlib.avail_out;
    return true;
}

static int put_compressed(void *ctx, const char *bytes, size_t len) {
    struct compressor *compressor = ctx;
    int code;
    compressor->zlib.next_in = (const Bytef *)bytes;
    compressor->zlib.avail_in = (uInt)len; /* pieces are 64 KiB */
    while (compressor->zlib.avail_in > 0) {
        if (!step(compressor, Z_NO_FLUSH, &code))
            return 1;
    }
    return 0;
}

static sn_status finish(struct compressor *compressor) {
    int code = Z_OK;
    while (code != Z_STREAM_END) {
        if (!step(compressor, Z_FINISH, &code))
            return compressor->buf->status;
    }
    return SN_OK;
}

static sn_status render_compressed(const struct sn_page_options *options, struct sn_buf *buf) {
    struct compressor compressor = {.zlib = {.zalloc = zlib_alloc, .zfree = zlib_free}, .buf = buf};
    if (deflateInit2(&compressor.zlib, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return SN_ERR_NO_MEMORY;
    sn_status status = (sn_status)sonde_registry_write(options->registry, options->format,
                                                       put_compressed, &compressor);
    if (status == SN_OK)
        status = finish(&compressor);
    (void)deflateEnd(&compressor.zlib);
    return status;
}

sn_status sn_page_render(const struct sn_page_options *options, struct sn_buf *buf) {
    sn_status status =
        options->use_gzip
            ? render_compressed(options, buf)
            : (sn_status)sonde_registry_write(options->registry, options->format, put_plain, buf);
    return buf->status != SN_OK ? buf->status : status; /* more telling than "the sink said stop" */
}
