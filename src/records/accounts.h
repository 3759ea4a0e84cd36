/*
 * Accounts in SQLite or in PostgreSQL: users, their sessions and API tokens, the setup code, the
 * audit log. Who may do what is decided in `auth`; here is only what is kept.
 *
 * Secrets come as hashes and leave as hashes. A user's sessions and tokens go with the user. The
 * database may be shared with other processes (`sonde admin` beside a running server, other servers
 * on one PostgreSQL): a change of theirs shows in sn_accounts_change_count. Each change is one
 * transaction; what must hold (an administrator, limits, unique names) holds with all of them.
 *
 * Threads: any; one at a time (own lock). Blocks on disk, or on the network within the limits of
 * records/pg_link.h. Every function may return the statuses of records/sqlite.h or of
 * records/pg_link.h in addition to those it names: SN_ERR_IO is "the database is away: ...".
 */
#ifndef SN_RECORDS_ACCOUNTS_H
#define SN_RECORDS_ACCOUNTS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_ACCOUNT_NAME_BYTES_MAX 64
#define SN_ACCOUNT_HASH_BYTES 32 /* of sessions, tokens and setup codes */
#define SN_ACCOUNT_PASSWORD_SIZE 128
#define SN_ACCOUNTS_USERS_MAX 1000
#define SN_ACCOUNTS_TOKENS_MAX 1000
#define SN_ACCOUNTS_SESSIONS_MAX 10000 /* the oldest go first */
#define SN_AUDIT_ROWS_MAX 100000       /* the oldest go first */

/* Stored numbers. */
enum sn_account_role {
    SN_ACCOUNT_USER = 1,  /* sees everything that is measured */
    SN_ACCOUNT_ADMIN = 2, /* changes settings and accounts too */
};

/* Bits; stored. */
enum sn_account_scope {
    SN_SCOPE_INGEST = 1, /* write measurements */
    SN_SCOPE_READ = 2,
    SN_SCOPE_ADMIN = 4,
};

struct sn_account {
    int64_t id;
    char name[SN_ACCOUNT_NAME_BYTES_MAX + 1];
    enum sn_account_role role;
    char password_hash[SN_ACCOUNT_PASSWORD_SIZE];
    int64_t created_wall_ms;
    int64_t last_login_wall_ms; /* 0: never */
};

struct sn_account_list {
    struct sn_account *items; /* [count], in the arena, by name */
    size_t count;
};

struct sn_account_token {
    int64_t id;
    int64_t user_id;
    struct sn_str user_name;
    struct sn_str name; /* what it is for, at most SN_ACCOUNT_NAME_BYTES_MAX bytes */
    struct sn_str hint; /* the first characters of the secret */
    unsigned scopes;    /* sn_account_scope */
    int64_t created_wall_ms;
    int64_t expires_wall_ms; /* 0: never */
};

struct sn_account_token_list {
    struct sn_account_token *items; /* [count], in the arena, by id */
    size_t count;
};

/* What a secret is good for: one per session and token. */
struct sn_account_grant {
    uint8_t hash[SN_ACCOUNT_HASH_BYTES];
    int64_t user_id;
    int64_t token_id; /* 0: a session */
    char user_name[SN_ACCOUNT_NAME_BYTES_MAX + 1];
    enum sn_account_role role; /* of the user */
    unsigned scopes;           /* of the token; 0 for a session */
    int64_t expires_wall_ms;   /* 0: never */
};

struct sn_audit_row {
    int64_t id;
    int64_t time_ms;
    struct sn_str actor; /* a user's name, "setup", "command line"; empty: nobody signed in */
    struct sn_str peer;  /* address, empty: this machine's shell */
    struct sn_str action;
    struct sn_str detail;
};

struct sn_audit_list {
    struct sn_audit_row *items; /* [count], in the arena, newest first */
    size_t count;
};

struct sn_accounts;

/* path: the database file (records_db.h). SN_ERR_UNSUPPORTED: made by a newer version. */
sn_status sn_accounts_open(const char *path, struct sn_accounts **ret_accounts,
                           struct sn_err *err) SN_MUST_USE;
/*
 * url: postgresql://..., copied; it may hold a password and is in no message. The database need not be
 * there: each use connects when need be and brings the schema up to date, SN_ERR_UNSUPPORTED as above.
 * SN_ERR_INVALID (not a URL that libpq understands), SN_ERR_NO_MEMORY.
 */
sn_status sn_accounts_open_postgres(const char *url, struct sn_accounts **ret_accounts,
                                    struct sn_err *err) SN_MUST_USE;
struct sn_accounts *sn_accounts_close(
    struct sn_accounts *accounts); /* returns NULL; NULL is fine */

/* Whether a network is between: then nothing here is for threads that must not wait. */
bool sn_accounts_are_remote(const struct sn_accounts *accounts);

/* Another number than before when another connection has changed users, sessions, tokens or the setup
 * code. */
sn_status sn_accounts_change_count(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) SN_MUST_USE;

/* ---- users ---- */

struct sn_account_new {
    struct sn_str name; /* 1 to SN_ACCOUNT_NAME_BYTES_MAX: letters, digits, "._@-" */
    enum sn_account_role role;
    const char *password_hash;
    int64_t now_wall_ms;
};

/* SN_ERR_INVALID (the name), SN_ERR_EXISTS (the name is taken, letter case ignored), SN_ERR_LIMIT. */
sn_status sn_accounts_add_user(struct sn_accounts *accounts, const struct sn_account_new *account,
                               int64_t *ret_id, struct sn_err *err) SN_MUST_USE;

/* SN_ERR_NOT_FOUND. */
sn_status sn_accounts_find_user(struct sn_accounts *accounts, struct sn_str name,
                                struct sn_account *ret_account, struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_get_user(struct sn_accounts *accounts, int64_t id,
                               struct sn_account *ret_account, struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_list_users(struct sn_accounts *accounts, struct sn_arena *arena,
                                 struct sn_account_list *ret_list, struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_count_admins(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) SN_MUST_USE;

/* New password: all sessions of the user end. SN_ERR_NOT_FOUND. */
sn_status sn_accounts_set_password(struct sn_accounts *accounts, int64_t id,
                                   const char *password_hash, struct sn_err *err) SN_MUST_USE;
/* SN_ERR_NOT_FOUND; SN_ERR_INVALID: it would leave no administrator. */
sn_status sn_accounts_set_role(struct sn_accounts *accounts, int64_t id, enum sn_account_role role,
                               struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_remove_user(struct sn_accounts *accounts, int64_t id,
                                  struct sn_err *err) SN_MUST_USE;

/* ---- sessions and tokens ---- */

struct sn_account_session_new {
    const uint8_t *hash; /* [SN_ACCOUNT_HASH_BYTES] */
    int64_t user_id;
    int64_t now_wall_ms;
    int64_t expires_wall_ms;
};

/* Add a session, note the sign-in with its user, drop sessions that are over. */
sn_status sn_accounts_add_session(struct sn_accounts *accounts,
                                  const struct sn_account_session_new *session,
                                  struct sn_err *err) SN_MUST_USE;
/* None is fine. */
sn_status sn_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                     struct sn_err *err) SN_MUST_USE;

struct sn_account_token_new {
    const uint8_t *hash; /* [SN_ACCOUNT_HASH_BYTES] */
    int64_t user_id;
    struct sn_str name;
    struct sn_str hint;
    unsigned scopes;
    int64_t now_wall_ms;
    int64_t expires_wall_ms; /* 0: never */
};

/* SN_ERR_INVALID (name), SN_ERR_LIMIT. */
sn_status sn_accounts_add_token(struct sn_accounts *accounts,
                                const struct sn_account_token_new *token, int64_t *ret_id,
                                struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                  struct sn_account_token_list *ret_list,
                                  struct sn_err *err) SN_MUST_USE;
/* SN_ERR_NOT_FOUND. */
sn_status sn_accounts_remove_token(struct sn_accounts *accounts, int64_t id,
                                   struct sn_err *err) SN_MUST_USE;

/* Every session and token that is not over at now_wall_ms; visit may stop with its own status. */
sn_status sn_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                 sn_status (*visit)(void *ctx,
                                                    const struct sn_account_grant *grant),
                                 void *ctx, struct sn_err *err) SN_MUST_USE;

/* ---- setup code ---- */

/* Replace the code; hash NULL: there is none. */
sn_status sn_accounts_set_setup_code(struct sn_accounts *accounts, const uint8_t *hash,
                                     int64_t expires_wall_ms, struct sn_err *err) SN_MUST_USE;
/* SN_ERR_NOT_FOUND: there is none. */
sn_status sn_accounts_get_setup_code(struct sn_accounts *accounts,
                                     uint8_t ret_hash[SN_ACCOUNT_HASH_BYTES],
                                     int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                     struct sn_err *err) SN_MUST_USE;
sn_status sn_accounts_count_wrong_code(struct sn_accounts *accounts,
                                       struct sn_err *err) SN_MUST_USE;

/* ---- audit log ---- */

/* row->id is not used. Texts beyond 1 KiB are cut. */
sn_status sn_accounts_add_audit(struct sn_accounts *accounts, const struct sn_audit_row *row,
                                struct sn_err *err) SN_MUST_USE;
/* Rows with an id below before_id (0: all), newest first, at most count_max. */
sn_status sn_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id, size_t count_max,
                                 struct sn_arena *arena, struct sn_audit_list *ret_list,
                                 struct sn_err *err) SN_MUST_USE;

#endif
