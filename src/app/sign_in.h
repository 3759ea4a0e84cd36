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
 *
 * Accounts are in the database that the configuration names (records.database), else in the one of the
 * data directory (records/records_db.h). When PostgreSQL is away the server starts all the same: nobody
 * can be checked (503) until a look, once a second, finds it back; what start could not do about the first
 * administrator is done then.
 */
#ifndef SN_APP_SIGN_IN_H
#define SN_APP_SIGN_IN_H

#include "app/config.h"
#include "auth/auth.h"
#include "base/lock.h"
#include "records/settings.h"

#define SN_SETUP_CODE_FILE "setup-code"

/* Main thread, but for looks, which the worker takes over once it runs. Zeroed memory holds nothing. */
struct sn_sign_in {
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    bool wants_admin; /* access is not open */
    bool was_known;   /* who may do what, at the last look */
    bool was_away;    /* the database, at the last look */
    struct sn_mutex mu;
    struct sn_cond wake;
    bool has_mu;
    bool is_stopping;               /* guarded by mu */
    struct sn_buf certificate, key; /* PEM with a final NUL; empty: no TLS */
};

/*
 * After the store is open: it makes the data directory. SN_ERR_INVALID: the address may
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

/*
 * Look for changes by others in a remote database, and say in the log when it goes away and comes back.
 * The first time that it is there: make the administrator of the environment, or warn that there is
 * none.
 */
void sn_sign_in_look(struct sn_sign_in *sign_in);

/* Looks once a second. false: nobody has to, the accounts are local. */
bool sn_sign_in_worker(struct sn_sign_in *sign_in, struct sn_worker *ret_worker);

/* The accounts, or the settings, that a configuration means: in PostgreSQL when it names one, else in
 * the data directory. SN_ERR_LIMIT (its path), statuses of accounts.h and settings.h. */
sn_status sn_config_accounts(const struct sn_config *config, struct sn_accounts **ret_accounts,
                             struct sn_err *err) SN_MUST_USE;
sn_status sn_config_settings(const struct sn_config *config, struct sn_settings **ret_settings,
                             struct sn_err *err) SN_MUST_USE;

/* First line of a file, as a password. The buffer is the caller's. SN_ERR_NOT_FOUND, SN_ERR_DENIED,
 * SN_ERR_LIMIT, SN_ERR_IO. */
sn_status sn_read_password_file(const char *path, struct sn_buf *buf, struct sn_str *ret_password,
                                struct sn_err *err) SN_MUST_USE;

#endif
