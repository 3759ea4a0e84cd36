/*
 * Who somebody is and what they may do: sign-in, sessions, API tokens, the first administrator.
 *
 *   user name + password --login--> session token --.
 *   API token ---------------------------------------+--check--> principal (name, scopes)
 *   setup code + name + password --set_up--> first administrator, session token
 *
 * Invariants:
 *   1. No password and no user exist until somebody makes one; nothing has a default.
 *   2. Secrets are stored as hashes. What is checked on every request is a table in memory; it is
 *      read again when another process (`sonde admin`, another server) has changed the database, at
 *      most SN_AUTH_STALE_MAX_MS later. Changes through this object count at once. Remote accounts
 *      (accounts.h) are read by sn_auth_refresh and by changes only, so that no check waits for a
 *      network; while their database is away, what was known stays valid until it expires.
 *   3. Passwords are compared SN_AUTH_HASHES_MAX at a time; failures slow down the next try of the
 *      same name and the same address (throttle.h). Unknown names cost what known ones cost.
 *   4. Every change and every sign-in, also a failed one, is a row of the audit log. A change whose
 *      row cannot be written is reported as failed.
 *
 * Threads: any. sn_auth_check and sn_auth_has_admin block at most on one small read, and for one load
 * after a change, of local accounts, and never of remote ones; everything else blocks on disk or the
 * network, or computes a password hash (40 ms): for job threads.
 */
#ifndef SN_AUTH_AUTH_H
#define SN_AUTH_AUTH_H

#include "auth/secret.h"
#include "base/clock.h"
#include "base/status.h"
#include "records/accounts.h"

#include <stdbool.h>
#include <stdint.h>

#define SN_AUTH_STALE_MAX_MS 1000
#define SN_AUTH_HASHES_MAX 2                                       /* 32 MiB each */
#define SN_AUTH_SESSION_MS_DEFAULT (INT64_C(7) * 24 * 3600 * 1000) /* a dashboard on a wall */
#define SN_AUTH_SETUP_MS (INT64_C(60) * 60 * 1000)
#define SN_AUTH_SETUP_GUESSES_MAX 5

struct sn_auth;

struct sn_auth_options {
    struct sn_accounts *accounts; /* kept, outlives this */
    const struct sn_clock *clock; /* kept; NULL: the system's */
    int64_t session_ms;           /* 0: SN_AUTH_SESSION_MS_DEFAULT */
};

/* SN_ERR_NO_MEMORY, and the statuses of the database; a remote one may be away: then nobody is known
 * until a refresh succeeds. */
sn_status sn_auth_open(const struct sn_auth_options *options, struct sn_auth **ret_auth,
                       struct sn_err *err) SN_MUST_USE;
struct sn_auth *sn_auth_close(struct sn_auth *auth); /* returns NULL; NULL is fine */

/*
 * Look whether another process changed something, and read the table again then. With remote accounts
 * somebody has to do it every SN_AUTH_STALE_MAX_MS; with local ones every check does.
 *
 * Statuses of the database: what was known stays. Blocks as accounts.h says.
 * Cost: one small read; all sessions and tokens after a change.
 */
sn_status sn_auth_refresh(struct sn_auth *auth, struct sn_err *err) SN_MUST_USE;

/* Whether the table was read at least once. */
bool sn_auth_is_known(struct sn_auth *auth);

/* Somebody who is signed in. A value: nothing to release. */
struct sn_principal {
    int64_t user_id;
    int64_t token_id; /* 0: a session */
    char name[SN_ACCOUNT_NAME_BYTES_MAX + 1];
    enum sn_account_role role;
    unsigned scopes;         /* sn_account_scope: what this session or token may do */
    int64_t expires_wall_ms; /* 0: never */
    struct sn_secret_hash hash;
};

/*
 * Whose secret this is. SN_ERR_DENIED with a sentence for the client ("the token is unknown,
 * expired or revoked"); failures of the database, of a remote one only before it was first read.
 * Cost: one hash of 47 bytes and a look-up under a mutex, about 1 us.
 */
sn_status sn_auth_check(struct sn_auth *auth, struct sn_str secret,
                        struct sn_principal *ret_principal, struct sn_err *err) SN_MUST_USE;

/* Whether an administrator exists: until then only setup and local ingest are open. true as well while
 * it is not known. */
bool sn_auth_has_admin(struct sn_auth *auth);

/* Who does something, for the audit log. */
struct sn_auth_actor {
    struct sn_str name; /* "command line" for the shell on the host */
    struct sn_str peer; /* address without port; empty for the shell */
    bool is_loopback;   /* many clients may share the address (a proxy): only names slow down */
};

struct sn_auth_login {
    struct sn_str name;
    struct sn_str password;
    struct sn_auth_actor actor; /* its name is not used */
};

/*
 * Sign in. SN_ERR_DENIED: "the name or the password is wrong", whichever it is.
 * SN_ERR_BUSY: too many failures, with the seconds to wait, or too many sign-ins at once.
 */
sn_status sn_auth_login(struct sn_auth *auth, const struct sn_auth_login *login,
                        struct sn_secret *ret_session, struct sn_principal *ret_principal,
                        struct sn_err *err) SN_MUST_USE;

/* End a session. Tokens are not ended by this: SN_ERR_INVALID. */
sn_status sn_auth_logout(struct sn_auth *auth, const struct sn_principal *principal,
                         const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;

/* ---- the first administrator ---- */

/* A new code, which replaces an older one; it works once, for an hour. */
sn_status sn_auth_new_setup_code(struct sn_auth *auth, char ret_code[SN_SETUP_CODE_TEXT_SIZE],
                                 const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;

struct sn_auth_setup {
    struct sn_str code;
    struct sn_str name;
    struct sn_str password;
    struct sn_auth_actor actor;
};

/*
 * Make an administrator with a setup code, and sign in. The code is spent.
 * SN_ERR_DENIED: wrong, spent or expired code; after SN_AUTH_SETUP_GUESSES_MAX wrong ones the code
 * is void. SN_ERR_INVALID, SN_ERR_EXISTS: the name or the password; the code stays good.
 */
sn_status sn_auth_set_up(struct sn_auth *auth, const struct sn_auth_setup *setup,
                         struct sn_secret *ret_session, struct sn_principal *ret_principal,
                         struct sn_err *err) SN_MUST_USE;

/* ---- administration: the caller has checked that the actor may ---- */

struct sn_auth_user_new {
    struct sn_str name;
    struct sn_str password;
    enum sn_account_role role;
    struct sn_auth_actor actor;
};

/* SN_ERR_INVALID, SN_ERR_EXISTS, SN_ERR_LIMIT, SN_ERR_BUSY. */
sn_status sn_auth_add_user(struct sn_auth *auth, const struct sn_auth_user_new *user,
                           int64_t *ret_id, struct sn_err *err) SN_MUST_USE;

/* Sessions of the user end. SN_ERR_INVALID, SN_ERR_NOT_FOUND, SN_ERR_BUSY. */
sn_status sn_auth_set_password(struct sn_auth *auth, int64_t user_id, struct sn_str password,
                               const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;

/* Whether this is the password of a user: asked before the own password is changed. Throttled as a
 * sign-in. SN_ERR_DENIED, SN_ERR_BUSY. */
sn_status sn_auth_confirm(struct sn_auth *auth, const struct sn_auth_login *login,
                          struct sn_err *err) SN_MUST_USE;

/* SN_ERR_NOT_FOUND, SN_ERR_INVALID (the last administrator). */
sn_status sn_auth_set_role(struct sn_auth *auth, int64_t user_id, enum sn_account_role role,
                           const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;
sn_status sn_auth_remove_user(struct sn_auth *auth, int64_t user_id,
                              const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;

struct sn_auth_token_new {
    int64_t user_id;
    struct sn_str name;
    unsigned scopes;         /* at least one; SN_SCOPE_ADMIN needs an administrator */
    int64_t expires_wall_ms; /* 0: never; not in the past */
    struct sn_auth_actor actor;
};

/* SN_ERR_INVALID (name, scopes, expiry), SN_ERR_NOT_FOUND (user), SN_ERR_LIMIT. */
sn_status sn_auth_add_token(struct sn_auth *auth, const struct sn_auth_token_new *token,
                            struct sn_secret *ret_secret, int64_t *ret_id,
                            struct sn_err *err) SN_MUST_USE;
sn_status sn_auth_remove_token(struct sn_auth *auth, int64_t token_id,
                               const struct sn_auth_actor *actor, struct sn_err *err) SN_MUST_USE;

/* Where the lists are. */
struct sn_accounts *sn_auth_accounts(const struct sn_auth *auth);

/* "ingest", "read", "admin", separated by commas or blanks. SN_ERR_INVALID: another word, none. */
sn_status sn_scopes_parse(struct sn_str text, unsigned *ret_scopes, struct sn_err *err) SN_MUST_USE;

/* "user" or "admin". SN_ERR_INVALID. */
sn_status sn_role_parse(struct sn_str text, enum sn_account_role *ret_role,
                        struct sn_err *err) SN_MUST_USE;
const char *sn_role_name(enum sn_account_role role);

/* Counters since open. */
struct sn_auth_stats {
    uint64_t login_count;         /* that succeeded */
    uint64_t login_failure_count; /* wrong name, password or code */
    uint64_t throttled_count;     /* refused without a look */
    uint64_t denied_count;        /* secrets that are unknown, expired or revoked */
};
void sn_auth_stats(struct sn_auth *auth, struct sn_auth_stats *ret_stats);

#endif
