/*
 * What a scraper accepts: pure functions of header texts, which are any bytes.
 */
#ifndef SN_CLIENTHTTP_NEGOTIATE_PRIV_H
#define SN_CLIENTHTTP_NEGOTIATE_PRIV_H

#include "base/str.h"
#include "sonde/expose.h"

#include <stdbool.h>

/*
 * The format with the highest quality in an Accept header (an empty one accepts all); of equals the
 * first in sonde_format. When it accepts none of ours: text, as every scraper reads that.
 */
sonde_format sn_negotiate_format(struct sn_str accept);

/* Whether an Accept-Encoding header asks for gzip. */
bool sn_negotiate_gzip(struct sn_str accept_encoding);

#endif
