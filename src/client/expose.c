/*
 * Pages of all formats: to a sink, a descriptor or memory. See sonde/expose.h; the formats are in
 * text.c, openmetrics.c and snapshot.c.
 *
 * Any thread.
 */
#include "sonde/expose.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/os.h"
#include "client/page_priv.h"

void sn_page_flush(struct sn_page *page) {
    if (page->stop == 0 && page->used > 0)
        page->stop = page->sink(page->ctx, page->piece, page->used);
    page->used = 0;
}

void sn_page_put_large(struct sn_page *page, const char *bytes, size_t len) {
    while (len > SN_PAGE_PIECE_BYTES - page->used) {
        size_t part = SN_PAGE_PIECE_BYTES - page->used;
        memcpy(page->piece + page->used, bytes, part);
        page->used += part;
        bytes += part;
        len -= part;
        sn_page_flush(page);
    }
    memcpy(page->piece + page->used, bytes, len);
    page->used += len;
}

void sn_page_put_escaped(struct sn_page *page, struct sn_str text, enum sn_page_escape escape) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\')
            sn_page_put(page, "\\\\", 2);
        else if (c == '\n')
            sn_page_put(page, "\\n", 2);
        else if (c == '"' && escape == SN_ESCAPE_LINES_AND_QUOTES)
            sn_page_put(page, "\\\"", 2);
        else
            sn_page_put(page, &c, 1);
    }
}

static const struct {
    const char *content_type;
    sonde_status (*write)(sonde_registry *registry, struct sn_page *page);
} formats[] = {
    [SONDE_FORMAT_TEXT] = {"text/plain; version=0.0.4; charset=utf-8", sn_text_write},
    [SONDE_FORMAT_OPENMETRICS] = {"application/openmetrics-text; version=1.0.0; charset=utf-8",
                                  sn_openmetrics_write},
    [SONDE_FORMAT_PROTOBUF] = {"application/vnd.google.protobuf; "
                               "proto=io.prometheus.client.MetricFamily; encoding=delimited",
                               sn_protobuf_write},
    [SONDE_FORMAT_JSON] = {"application/json", sn_snapshot_write},
};

static bool is_known(sonde_format format) {
    return (unsigned)format < sizeof formats / sizeof formats[0];
}

const char *sonde_format_content_type(sonde_format format) {
    return is_known(format) ? formats[format].content_type : NULL;
}

sonde_status sonde_registry_write(sonde_registry *registry, sonde_format format, sonde_sink sink,
                                  void *ctx) {
    if (!is_known(format))
        return SONDE_ERR_UNSUPPORTED;
    struct sn_page page = {.sink = sink, .ctx = ctx, .piece = sn_alloc(SN_PAGE_PIECE_BYTES)};
    if (page.piece == NULL)
        return SONDE_ERR_NO_MEMORY;
    sonde_status status = formats[format].write(registry, &page);
    if (status == SONDE_OK)
        sn_page_flush(&page);
    sn_free(page.piece);
    return page.stop != 0 ? SONDE_ERR_IO : status;
}

static int to_fd(void *ctx, const char *bytes, size_t len) {
    return sn_os_write_all(*(const int *)ctx, bytes, len);
}

sonde_status sonde_registry_write_fd(sonde_registry *registry, sonde_format format, int fd) {
    return sonde_registry_write(registry, format, to_fd, &fd);
}

static int to_buf(void *ctx, const char *bytes, size_t len) {
    struct sn_buf *buf = ctx;
    sn_buf_put(buf, bytes, len);
    return buf->status != SN_OK;
}

sonde_status sonde_registry_write_text(sonde_registry *registry, sonde_format format,
                                       char **ret_text, size_t *ret_len) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sonde_status status = sonde_registry_write(registry, format, to_buf, &buf);
    sn_buf_put_byte(&buf, '\0');
    if (buf.status != SN_OK) /* more telling than "the sink said stop" */
        status = (sonde_status)buf.status;
    if (status != SONDE_OK) {
        sn_buf_release(&buf);
        return status;
    }
    *ret_text = (char *)buf.ptr;
    if (ret_len != NULL)
        *ret_len = buf.len - 1;
    return SONDE_OK;
}

void sonde_free(void *ptr) {
    sn_free(ptr);
}
