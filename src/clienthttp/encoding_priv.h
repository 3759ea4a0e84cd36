/*
 * Content codings that a scraper accepts: a pure function of a header's text, which is any bytes.
 */
#ifndef SN_CLIENTHTTP_ENCODING_PRIV_H
#define SN_CLIENTHTTP_ENCODING_PRIV_H

#include "base/str.h"

#include <stdbool.h>

/* Whether an Accept-Encoding header (RFC 9110, 12.5.3) asks for gzip. */
bool sn_encoding_has_gzip(struct sn_str accept_encoding);

#endif
