/*
 * What the files of the accounts in PostgreSQL share. Parameters that a function takes are released by
 * it, whatever its status.
 */
#ifndef SN_RECORDS_POSTGRES_ACCOUNTS_H
#define SN_RECORDS_POSTGRES_ACCOUNTS_H

#include "records/accounts_priv.h"

/* A change: a transaction that others take turns with and notice. */
sn_status sn_postgres_accounts_change(struct sn_accounts *accounts,
                                      sn_status (*work)(void *args, struct sn_pg *pg,
                                                        struct sn_err *err),
                                      void *args, struct sn_err *err) SN_MUST_USE;

/* Inside a transaction: a statement; ret_result may be NULL. */
sn_status sn_postgres_accounts_run(struct sn_pg *pg, const char *sql, struct sn_pg_params *params,
                                   struct pg_result **ret_result, struct sn_err *err) SN_MUST_USE;
/* A statement with one number. */
sn_status sn_postgres_accounts_run_id(struct sn_pg *pg, const char *sql, int64_t id,
                                      struct sn_err *err) SN_MUST_USE;
/* The number that a statement gives in its first row; 0: it gives none. */
sn_status sn_postgres_accounts_number(struct sn_pg *pg, const char *sql,
                                      struct sn_pg_params *params, int64_t *ret_number,
                                      struct sn_err *err) SN_MUST_USE;

/*
 * The rows of a result, which is cleared, as an array in the arena.
 *
 *   read          one row into a zeroed item; false: no memory
 *   ret_items_at  address of the pointer to the items, whatever their type; written on SN_OK only
 *
 * SN_ERR_LIMIT and SN_ERR_NO_MEMORY as sn_arena_failure says it.
 */
sn_status sn_postgres_accounts_take_rows(
    struct pg_result *result, struct sn_arena *arena, size_t item_size,
    bool (*read)(const struct pg_result *result, int row, struct sn_arena *arena, void *ret_item),
    void *ret_items_at, size_t *ret_count, struct sn_err *err) SN_MUST_USE;

/* Outside of one: a statement that only reads. */
sn_status sn_postgres_accounts_read(struct sn_accounts *accounts, const char *sql,
                                    struct sn_pg_params *params, struct pg_result **ret_result,
                                    struct sn_err *err) SN_MUST_USE;

#endif
