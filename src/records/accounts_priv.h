/*
 * What the files of the accounts share: the table of functions that a database must offer, and what
 * both databases do alike. accounts.c has the lock and the sentences, lite_accounts*.c SQLite,
 * postgres_accounts*.c PostgreSQL.
 */
#ifndef SN_RECORDS_ACCOUNTS_PRIV_H
#define SN_RECORDS_ACCOUNTS_PRIV_H

#include "base/lock.h"
#include "records/accounts.h"
#include "records/pg_link.h"
#include "records/sqlite.h"

/* What to change of a user: one of the three. */
struct sn_account_change {
    int64_t id;
    const char *password_hash; /* or NULL */
    enum sn_account_role role; /* or 0 */
    bool is_removal;
};

/*
 * The functions of accounts.h, called with the lock held. What accounts.c has checked is not checked
 * again. SN_ERR_NOT_FOUND, SN_ERR_LIMIT, SN_ERR_INVALID (no administrator would be left) and, of
 * add_user, SN_ERR_EXISTS come without a sentence: accounts.c writes it.
 */
struct sn_accounts_ops {
    bool is_remote;
    void (*close)(struct sn_accounts *accounts);
    sn_status (*change_count)(struct sn_accounts *accounts, int64_t *ret_count, struct sn_err *err);

    sn_status (*add_user)(struct sn_accounts *accounts, const struct sn_account_new *account,
                          int64_t *ret_id, struct sn_err *err);
    sn_status (*find_user)(struct sn_accounts *accounts, struct sn_str name,
                           struct sn_account *ret_account, struct sn_err *err);
    sn_status (*get_user)(struct sn_accounts *accounts, int64_t id, struct sn_account *ret_account,
                          struct sn_err *err);
    sn_status (*list_users)(struct sn_accounts *accounts, struct sn_arena *arena,
                            struct sn_account_list *ret_list, struct sn_err *err);
    sn_status (*count_admins)(struct sn_accounts *accounts, int64_t *ret_count, struct sn_err *err);
    sn_status (*change_user)(struct sn_accounts *accounts, const struct sn_account_change *change,
                             struct sn_err *err);

    sn_status (*add_session)(struct sn_accounts *accounts,
                             const struct sn_account_session_new *session, struct sn_err *err);
    sn_status (*remove_session)(struct sn_accounts *accounts, const uint8_t *hash,
                                struct sn_err *err);
    sn_status (*add_token)(struct sn_accounts *accounts, const struct sn_account_token_new *token,
                           int64_t *ret_id, struct sn_err *err);
    sn_status (*list_tokens)(struct sn_accounts *accounts, struct sn_arena *arena,
                             struct sn_account_token_list *ret_list, struct sn_err *err);
    sn_status (*remove_token)(struct sn_accounts *accounts, int64_t id, struct sn_err *err);
    sn_status (*each_grant)(struct sn_accounts *accounts, int64_t now_wall_ms,
                            sn_status (*visit)(void *ctx, const struct sn_account_grant *grant),
                            void *ctx, struct sn_err *err);

    sn_status (*set_setup_code)(struct sn_accounts *accounts, const uint8_t *hash,
                                int64_t expires_wall_ms, struct sn_err *err);
    sn_status (*get_setup_code)(struct sn_accounts *accounts, uint8_t *ret_hash,
                                int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                struct sn_err *err);
    sn_status (*count_wrong_code)(struct sn_accounts *accounts, struct sn_err *err);

    sn_status (*add_audit)(struct sn_accounts *accounts, const struct sn_audit_row *row,
                           struct sn_err *err);
    sn_status (*list_audit)(struct sn_accounts *accounts, int64_t before_id, size_t count_max,
                            struct sn_arena *arena, struct sn_audit_list *ret_list,
                            struct sn_err *err);
};

struct sn_accounts {
    const struct sn_accounts_ops *ops;
    struct sn_mutex mu;     /* guards what follows */
    sqlite3 *db;            /* SQLite's */
    struct sn_pg_link link; /* PostgreSQL's */
};

/* Accounts without a database. NULL without memory. */
struct sn_accounts *sn_accounts_new(const struct sn_accounts_ops *ops, struct sn_err *err);

/* Every this many rows of the audit log the oldest beyond SN_AUDIT_ROWS_MAX are deleted. */
#define SN_AUDIT_TRIM_EVERY 256

/* Rows of SQLite into a list whose items are of any type. */
struct sn_account_listing {
    struct sn_arena *arena;
    void *items;
    size_t count, capacity, item_size;
};

/* Room for one more, zeroed. NULL without memory. */
static inline void *sn_account_listing_add(struct sn_account_listing *listing) {
    if (sn_arena_grow(listing->arena, &listing->items, listing->count, &listing->capacity,
                      listing->item_size, NULL) != SN_OK)
        return NULL;
    return (char *)listing->items + listing->item_size * listing->count++;
}

/* Copy text into a fixed buffer; what does not fit is cut (our own writes always fit). */
void sn_account_copy_text(struct sn_str text, char *ret_text, size_t size);

/* A stored hash. SN_ERR_CORRUPT: it is none. */
sn_status sn_account_copy_hash(struct sn_str bytes, uint8_t ret_hash[SN_ACCOUNT_HASH_BYTES],
                               struct sn_err *err) SN_MUST_USE;

/* A stored role: unknown numbers may less, not more. */
static inline enum sn_account_role sn_account_role_of(int number) {
    return number == SN_ACCOUNT_ADMIN ? SN_ACCOUNT_ADMIN : SN_ACCOUNT_USER;
}

/* ---- lite_accounts.c, for lite_accounts_*.c ---- */

/* One row after the other of a bound statement: read gives a status of its own to stop. */
sn_status sn_lite_accounts_each_row(struct sn_accounts *accounts, sqlite3_stmt *select,
                                    sn_status (*read)(void *ctx, sqlite3_stmt *row), void *ctx,
                                    struct sn_err *err) SN_MUST_USE;

/* Run a statement with one number; ret_changed may be NULL. */
sn_status sn_lite_accounts_run_id(struct sn_accounts *accounts, const char *sql, int64_t id,
                                  int *ret_changed, struct sn_err *err) SN_MUST_USE;

/* The number that a statement without parameters gives. */
sn_status sn_lite_accounts_number(struct sn_accounts *accounts, const char *sql,
                                  int64_t *ret_number, struct sn_err *err) SN_MUST_USE;

/* Copy a column of text into a fixed buffer. */
void sn_lite_account_column(sqlite3_stmt *row, int column, char *ret_text, size_t size);

/* ---- the functions of the tables that are in files of their own ---- */

sn_status sn_lite_accounts_add_session(struct sn_accounts *accounts,
                                       const struct sn_account_session_new *session,
                                       struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                          struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_add_token(struct sn_accounts *accounts,
                                     const struct sn_account_token_new *token, int64_t *ret_id,
                                     struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                       struct sn_account_token_list *ret_list,
                                       struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_remove_token(struct sn_accounts *accounts, int64_t id,
                                        struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                      sn_status (*visit)(void *ctx,
                                                         const struct sn_account_grant *grant),
                                      void *ctx, struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_add_audit(struct sn_accounts *accounts, const struct sn_audit_row *row,
                                     struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id,
                                      size_t count_max, struct sn_arena *arena,
                                      struct sn_audit_list *ret_list,
                                      struct sn_err *err) SN_MUST_USE;

sn_status sn_postgres_accounts_add_session(struct sn_accounts *accounts,
                                           const struct sn_account_session_new *session,
                                           struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                              struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_add_token(struct sn_accounts *accounts,
                                         const struct sn_account_token_new *token, int64_t *ret_id,
                                         struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                           struct sn_account_token_list *ret_list,
                                           struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_remove_token(struct sn_accounts *accounts, int64_t id,
                                            struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                          sn_status (*visit)(void *ctx,
                                                             const struct sn_account_grant *grant),
                                          void *ctx, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_add_audit(struct sn_accounts *accounts,
                                         const struct sn_audit_row *row,
                                         struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id,
                                          size_t count_max, struct sn_arena *arena,
                                          struct sn_audit_list *ret_list,
                                          struct sn_err *err) SN_MUST_USE;

#endif
