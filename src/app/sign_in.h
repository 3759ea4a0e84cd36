/*
 * Sign-in as the server starts with it: accounts, certificate, and what happens while there is no
 * administrator yet.
 *
 *   no administrator   only a loopback address is served; a setup code is made: on a terminal it is
 *                      printed as a link, elsewhere it goes to DATA/setup-code (mode 0600) and the
 *                      log names only the file, because logs are read by many
 *   any other address  needs an administrator, and TLS unless tls.allow_plain says otherwise
 *
 * SONDE_ADMIN_PASSWORD_FILE names a file whose first line becomes the password of the user "admin",
 * made at the first start only.
 */
#ifndef SN_APP_SIGN_IN_H
#define SN_APP_SIGN_IN_H

#include "app/config.h"
#include "auth/auth.h"

#define SN_SETUP_CODE_FILE "setup-code"

/* Main thread. Zeroed memory holds nothing. */
struct sn_sign_in {
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    struct sn_buf certificate, key; /* PEM with a final NUL; empty: no TLS */
};

/*
 * After the store is open: the accounts live in its database file. SN_ERR_INVALID: the address may
 * not be served this way, with the ways out; statuses of the database and of reading the files.
 */
sn_status sn_sign_in_open(struct sn_sign_in *sign_in, const struct sn_config *config,
                          struct sn_err *err) SN_MUST_USE;
void sn_sign_in_close(struct sn_sign_in *sign_in); /* also after a failed open */

static inline bool sn_sign_in_has_tls(const struct sn_sign_in *sign_in) {
    return sign_in->certificate.len > 0;
}

/*
 * Without an administrator: make a setup code and say on stdout where it is.
 *   address  of the HTTP server, with its port
 */
sn_status sn_sign_in_announce(struct sn_sign_in *sign_in, const struct sn_config *config,
                              const char *address, struct sn_err *err) SN_MUST_USE;

/* Path of the database of a data directory. SN_ERR_LIMIT. */
#define SN_ACCOUNTS_PATH_SIZE 4096
sn_status sn_accounts_path(const char *data, char ret_path[SN_ACCOUNTS_PATH_SIZE],
                           struct sn_err *err) SN_MUST_USE;

/* First line of a file, as a password. The buffer is the caller's. SN_ERR_NOT_FOUND, SN_ERR_DENIED,
 * SN_ERR_LIMIT, SN_ERR_IO. */
sn_status sn_read_password_file(const char *path, struct sn_buf *buf, struct sn_str *ret_password,
                                struct sn_err *err) SN_MUST_USE;

#endif
