/*
 * Credentials and TLS of a scrape or a discovery, as http_client.h wants them: files with secrets are
 * read each time, so that a rotated one counts at once.
 */
#ifndef SN_COLLECT_SCRAPE_AUTH_H
#define SN_COLLECT_SCRAPE_AUTH_H

#include "collect/scrape_config.h"

/* Secrets are tokens and passwords; a file of more is another file. */
#define SN_SECRET_BYTES_MAX ((size_t)64 << 10)

/*
 * Fill user, password, tls, proxy and follows_redirects of an ask, and append at most one header.
 *
 *   scratch        keeps what is read; lives until the transfer has started
 *   headers        [*header_count + 1] has room
 *
 * SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_IO, SN_ERR_LIMIT (a file), SN_ERR_NO_MEMORY.
 */
sn_status sn_scrape_auth_fill(const struct sn_scrape_http *http, struct sn_arena *scratch,
                              struct sn_http_ask *ask, const char **headers, size_t *header_count,
                              struct sn_err *err) SN_MUST_USE;

#endif
