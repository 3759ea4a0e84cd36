/*
 * One connection to PostgreSQL: statements with binary parameters and results, and an end to every
 * wait. One thread at a time.
 */
#ifndef SN_RECORDS_PG_H
#define SN_RECORDS_PG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "records/record.h"

/* Types as the server numbers them. */
enum sn_pg_type {
    SN_PG_BOOL = 16,
    SN_PG_BYTEA = 17,
    SN_PG_INT8 = 20,
    SN_PG_INT2 = 21,
    SN_PG_INT4 = 23,
    SN_PG_TEXT = 25,
    SN_PG_JSON = 114,
    SN_PG_FLOAT8 = 701,
    SN_PG_TIMESTAMPTZ = 1184,
    SN_PG_UUID = 2950,
    SN_PG_BYTEA_ARRAY = 1001,
    SN_PG_INT2_ARRAY = 1005,
    SN_PG_TEXT_ARRAY = 1009,
    SN_PG_INT8_ARRAY = 1016,
    SN_PG_FLOAT8_ARRAY = 1022,
    SN_PG_TIMESTAMPTZ_ARRAY = 1185,
    SN_PG_JSON_ARRAY = 199,
    SN_PG_UUID_ARRAY = 2951,
};

#define SN_PG_PARAMS_MAX 16

struct pg_conn; /* of libpq */
struct pg_result;

struct sn_pg {
    struct pg_conn *conn; /* NULL: not connected */
    bool is_ready;        /* the schema was found up to date on this connection */
    bool is_taken;        /* a reader's: guarded by the owner's mu */
};

/* The parameters of a statement: each is written in place. */
struct sn_pg_params {
    struct sn_buf buf;
    size_t count;
    unsigned types[SN_PG_PARAMS_MAX];
    size_t starts[SN_PG_PARAMS_MAX];
    size_t lens[SN_PG_PARAMS_MAX];
    bool nulls[SN_PG_PARAMS_MAX];
    /* The array in the making. */
    size_t array_start;
    uint32_t array_count;
    bool array_has_null;
};

/* Whether it is a URL of PostgreSQL. SN_ERR_INVALID, with a sentence that does not quote it: it may
 * hold a password. */
sn_status sn_pg_check_url(const char *url, struct sn_err *err) SN_MUST_USE;

/* Connect. SN_ERR_IO (not there, or it does not let us in: only the sentence tells the two apart),
 * SN_ERR_UNSUPPORTED (older than 15), SN_ERR_NO_MEMORY. Blocks up to
 * SN_POSTGRES_CONNECT_TIMEOUT_S for each address. */
sn_status sn_pg_connect(struct sn_pg *pg, const char *url, struct sn_err *err) SN_MUST_USE;
void sn_pg_disconnect(struct sn_pg *pg);
/* Whether the server has said something on an idle connection: as a rule that it ends it. */
bool sn_pg_is_stale(const struct sn_pg *pg);

/*
 * Run one statement (several without parameters) to its end.
 *
 *   params      NULL: none
 *   ret_result  binary rows; PQclear it; NULL: nobody wants them
 *
 * SN_ERR_IO (connection lost, server is stopping), SN_ERR_TIMEOUT, SN_ERR_NO_SPACE, SN_ERR_BUSY
 * (deadlock, serialisation), SN_ERR_EXISTS (constraint), SN_ERR_DENIED, SN_ERR_NO_MEMORY,
 * SN_ERR_UNSUPPORTED (what it asks for is not there), SN_ERR_INTERNAL. After SN_ERR_IO and
 * SN_ERR_TIMEOUT it is disconnected.
 */
sn_status sn_pg_run(struct sn_pg *pg, const char *sql, const struct sn_pg_params *params,
                    struct pg_result **ret_result, struct sn_err *err) SN_MUST_USE;

/*
 * Run `work` in a transaction: committed when it succeeds, else rolled back; a connection on which that
 * fails is closed. SN_ERR_IO of the commit leaves open whether it happened, as everywhere. Statuses of
 * `work` and of sn_pg_run.
 */
sn_status sn_pg_transaction(struct sn_pg *pg,
                            sn_status (*work)(void *args, struct sn_pg *pg, struct sn_err *err),
                            void *args, struct sn_err *err) SN_MUST_USE;

/* The number in the first row of a result, which is cleared; 0: it has none. */
int64_t sn_pg_take_number(struct pg_result *result);

/* Run one statement and see its rows while they come, so that no result fills the memory. */
struct sn_pg_visitor {
    void *ctx;
    sn_status (*row)(void *ctx, const struct pg_result *result, int row, struct sn_err *err);
};
sn_status sn_pg_scan(struct sn_pg *pg, const char *sql, const struct sn_pg_params *params,
                     const struct sn_pg_visitor *visitor, struct sn_err *err) SN_MUST_USE;

/* ---- parameters ---- */

void sn_pg_params_init(struct sn_pg_params *params);
void sn_pg_params_release(struct sn_pg_params *params);

void sn_pg_put_int8(struct sn_pg_params *params, int64_t value);
void sn_pg_put_text(struct sn_pg_params *params, struct sn_str text);
/* NULL when it is empty. */
void sn_pg_put_optional(struct sn_pg_params *params, struct sn_str text);
void sn_pg_put_bytes(struct sn_pg_params *params, struct sn_str bytes);
void sn_pg_put_time(struct sn_pg_params *params, int64_t time_ms);
void sn_pg_put_id(struct sn_pg_params *params, const struct sn_record_id *id);

/* An array: begin, one add per element, end. */
void sn_pg_array_begin(struct sn_pg_params *params, enum sn_pg_type element, enum sn_pg_type array);
void sn_pg_array_end(struct sn_pg_params *params);
void sn_pg_add_null(struct sn_pg_params *params);
void sn_pg_add_int8(struct sn_pg_params *params, int64_t value);
void sn_pg_add_int2(struct sn_pg_params *params, int value);
void sn_pg_add_double(struct sn_pg_params *params, double value);
void sn_pg_add_time(struct sn_pg_params *params, int64_t time_ms);
void sn_pg_add_bytes(struct sn_pg_params *params, struct sn_str bytes); /* text, json, bytea */
void sn_pg_add_id(struct sn_pg_params *params, const struct sn_record_id *id);

/* ---- columns of binary rows; a column of another size is 0 ---- */

int64_t sn_pg_int8(const struct pg_result *result, int row, int column);
int sn_pg_int2(const struct pg_result *result, int row, int column);
double sn_pg_double(const struct pg_result *result, int row, int column);
int64_t sn_pg_time(const struct pg_result *result, int row, int column);
struct sn_str sn_pg_bytes(const struct pg_result *result, int row, int column);
struct sn_record_id sn_pg_id(const struct pg_result *result, int row, int column);

#endif
