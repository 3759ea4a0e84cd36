/*
 * A page on its way out: text is collected in a piece and handed to the host's sink when it is full.
 * One thread.
 */
#ifndef SN_CLIENT_PAGE_PRIV_H
#define SN_CLIENT_PAGE_PRIV_H

#include "base/str.h"
#include "client/read_priv.h"

#define SN_PAGE_PIECE_BYTES ((size_t)64 << 10)

struct sn_page {
    sonde_sink sink;
    void *ctx;
    char *piece; /* [SN_PAGE_PIECE_BYTES] */
    size_t used;
    int stop; /* what the sink said */
};

/* Hand over what is collected. Nothing is handed over after the sink said stop. */
void sn_page_flush(struct sn_page *page);

/* Append more bytes than the piece has room for. */
void sn_page_put_large(struct sn_page *page, const char *bytes, size_t len);

static inline void sn_page_put(struct sn_page *page, const char *bytes, size_t len) {
    if (len > SN_PAGE_PIECE_BYTES - page->used) {
        sn_page_put_large(page, bytes, len);
        return;
    }
    memcpy(page->piece + page->used, bytes, len);
    page->used += len;
}

static inline void sn_page_put_str(struct sn_page *page, struct sn_str text) {
    if (text.len > 0)
        sn_page_put(page, text.ptr, text.len);
}

static inline void sn_page_put_text(struct sn_page *page, const char *text) {
    sn_page_put(page, text, strlen(text));
}

/* Append text with `\` and line feed escaped, and `"` as well when asked. */
enum sn_page_escape { SN_ESCAPE_LINES, SN_ESCAPE_LINES_AND_QUOTES };
void sn_page_put_escaped(struct sn_page *page, struct sn_str text, enum sn_page_escape escape);

/*
 * Formats: write all of a registry. Returns SONDE_OK, SONDE_ERR_IO (page->stop), and for
 * snapshots and protobuf SONDE_ERR_NO_MEMORY and LIMIT. What is left in the piece is flushed by the caller.
 */
sonde_status sn_text_write(sonde_registry *registry, struct sn_page *page);
sonde_status sn_openmetrics_write(sonde_registry *registry, struct sn_page *page);
sonde_status sn_protobuf_write(sonde_registry *registry, struct sn_page *page);
sonde_status sn_snapshot_write(sonde_registry *registry, struct sn_page *page);

#endif
