/*
 * A registry's page in memory, plain or compressed.
 */
#ifndef SN_CLIENTHTTP_PAGE_PRIV_H
#define SN_CLIENTHTTP_PAGE_PRIV_H

#include "base/buf.h"
#include "sonde/expose.h"

#include <stdbool.h>

struct sn_page_options {
    sonde_registry *registry; /* NULL: global */
    sonde_format format;
    bool use_gzip;
};

/*
 * Append the page to buf.
 *
 * Returns SN_OK, SN_ERR_LIMIT (the page is above buf's limit), SN_ERR_NO_MEMORY,
 * SN_ERR_UNSUPPORTED (format). After an error buf holds a part.
 * Threads: any, one per buf. Blocks: as sonde_registry_write.
 */
sn_status sn_page_render(const struct sn_page_options *options, struct sn_buf *buf) SN_MUST_USE;

#endif
