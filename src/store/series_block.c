/* Labels of many series as one block: see series_block.h. */
#include "store/series_block.h"

#include "base/limits.h"
#include "codec/varint.h"

#include <zstd.h>

enum {
    LENGTH_BYTES = 2,
    LEVEL_FULL = 3,  /* there are many of these: 3 ms each */
    LEVEL_SMALL = 9, /* the last one of a flush: 15 % smaller */
};

/* What a block can have at most: full, and one series more. */
#define RAW_BYTES_MAX (SN_SERIES_BLOCK_BYTES + LENGTH_BYTES + SN_LABELS_BYTES_MAX)

void sn_series_block_add(struct sn_buf *raw, struct sn_str labels) {
    sn_buf_put_u16le(raw, (uint16_t)labels.len);
    sn_buf_put_str(raw, labels);
}

sn_status sn_series_block_pack(struct sn_str raw, struct sn_buf *out) {
    size_t bound = ZSTD_compressBound(raw.len);
    sn_buf_reset(out);
    uint8_t *at = sn_buf_reserve(out, bound);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (!at || !zstd) {
        (void)ZSTD_freeCCtx(zstd); /* fails only for static contexts */
        return SN_ERR_NO_MEMORY;
    }
    int level = raw.len >= SN_SERIES_BLOCK_BYTES ? LEVEL_FULL : LEVEL_SMALL;
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    size_t len = ZSTD_compress2(zstd, at, bound, raw.ptr, raw.len);
    (void)ZSTD_freeCCtx(zstd); /* fails only for static contexts */
    if (ZSTD_isError(len))
        return SN_ERR_NO_MEMORY;
    out->len = len;
    return SN_OK;
}

sn_status sn_series_block_unpack(struct sn_str packed, struct sn_buf *raw, struct sn_err *err) {
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    sn_buf_reset(raw);
    if (len == 0 || len > RAW_BYTES_MAX) /* also when it is unknown: huge numbers */
        return sn_err_set(err, SN_ERR_CORRUPT, "a block of series has a header that cannot be");
    uint8_t *at = sn_buf_reserve(raw, len);
    if (!at)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a block of series");
    size_t got = ZSTD_decompress(at, len, packed.ptr, packed.len);
    if (got != len)
        return sn_err_set(err, SN_ERR_CORRUPT, "a block of series does not decompress");
    raw->len = len;
    return SN_OK;
}

bool sn_series_block_next(const uint8_t **at, const uint8_t *end, struct sn_str *ret_labels) {
    if (end - *at < LENGTH_BYTES)
        return false;
    size_t len = sn_load_u16le(*at);
    if ((size_t)(end - *at) - LENGTH_BYTES < len)
        return false;
    *ret_labels = sn_str_make(*at + LENGTH_BYTES, len);
    *at += LENGTH_BYTES + len;
    return true;
}
