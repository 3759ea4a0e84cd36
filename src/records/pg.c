/*
 * A connection to PostgreSQL. See pg.h.
 */
#include "records/pg.h"

#include "base/clock.h"
#include "base/os.h"
#include "records/postgres.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Microseconds between 1970 and 2000, from where the server counts. */
#define EPOCH_US INT64_C(946684800000000)

/* ---- failures ---- */

/* Messages of the server end with a line feed, and may have more lines. */
static struct sn_str first_line(const char *text) {
    struct sn_str line, rest;
    (void)sn_str_cut(sn_str_trim(sn_str_from(text)), '\n', &line, &rest); /* one line is fine */
    return line;
}

static sn_status status_of(const char *state) {
    static const struct {
        const char *prefix;
        sn_status status;
    } rows[] = {
        {"57014", SN_ERR_TIMEOUT},   {"53100", SN_ERR_NO_SPACE},
        {"53200", SN_ERR_NO_MEMORY}, {"08", SN_ERR_IO},
        {"57", SN_ERR_IO},           {"53", SN_ERR_BUSY},
        {"40", SN_ERR_BUSY},         {"55", SN_ERR_BUSY},
        {"58", SN_ERR_IO},           {"25006", SN_ERR_IO},
        {"23", SN_ERR_EXISTS},       {"28", SN_ERR_DENIED},
        {"42501", SN_ERR_DENIED},    {"42P01", SN_ERR_UNSUPPORTED},
        {"3D", SN_ERR_IO},
    };
    for (size_t i = 0; state != NULL && i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].status;
    return SN_ERR_INTERNAL;
}

static sn_status connection_lost(struct sn_pg *pg, struct sn_err *err) {
    struct sn_str line = first_line(PQerrorMessage(pg->conn));
    sn_status status = sn_err_set(err, SN_ERR_IO, "the database is away: %.*s", SN_STR_ARG(line));
    sn_pg_disconnect(pg);
    return status;
}

static sn_status result_failure(struct sn_pg *pg, const PGresult *result, struct sn_err *err) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    struct sn_str line = first_line(PQresultErrorMessage(result));
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        return sn_err_set(err, SN_ERR_IO, "the database is away: %.*s", SN_STR_ARG(line));
    return sn_err_set(err, status_of(state), "the database refused: %.*s", SN_STR_ARG(line));
}

/* ---- connecting ---- */

/* libpq prints notices ("already exists, skipping") unless somebody takes them. */
static void ignore_notice(void *ctx, const PGresult *notice) {
    (void)ctx;
    (void)notice;
}

sn_status sn_pg_check_url(const char *url, struct sn_err *err) {
    struct sn_str text = sn_str_from(url);
    char *why = NULL;
    if (!sn_str_starts_with(text, SN_STR("postgres://")) &&
        !sn_str_starts_with(text, SN_STR("postgresql://")))
        return sn_err_set(err, SN_ERR_INVALID,
                          "the database is no URL that starts with "
                          "postgres:// or postgresql://");
    PQconninfoOption *options = PQconninfoParse(url, &why);
    if (options == NULL) { /* the reason may quote the URL, and so the password */
        PQfreemem(why);
        return sn_err_set(err, SN_ERR_INVALID, "the URL of the database is malformed");
    }
    PQconninfoFree(options);
    return SN_OK;
}

sn_status sn_pg_connect(struct sn_pg *pg, const char *url, struct sn_err *err) {
    char timeout[16], options[160];
    (void)snprintf(timeout, sizeof timeout, "%d", SN_POSTGRES_CONNECT_TIMEOUT_S);
    /* A transaction of ours that goes silent (power loss) must not keep its locks until the kernel over
     * there gives up. */
    (void)snprintf(options, sizeof options,
                   "-c statement_timeout=%d -c idle_in_transaction_session_timeout=%d"
                   " -c timezone=UTC",
                   SN_POSTGRES_TIMEOUT_MS, SN_POSTGRES_TIMEOUT_MS);
    const char *const keys[] = {"dbname",  "connect_timeout", "application_name", "client_encoding",
                                "options", "keepalives_idle", "tcp_user_timeout", NULL};
    const char *const values[] = {url, timeout, "sonde", "UTF8", options, "10", "15000", NULL};
    sn_pg_disconnect(pg);
    pg->conn = PQconnectdbParams(keys, values, 1);
    if (pg->conn == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a connection to the database");
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return connection_lost(pg, err);
    (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL); /* the old one */
    if (PQserverVersion(pg->conn) < 150000) {
        int version = PQserverVersion(pg->conn) / 10000;
        sn_pg_disconnect(pg);
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "PostgreSQL %d is too old, 15 is needed",
                          version);
    }
    return SN_OK;
}

void sn_pg_disconnect(struct sn_pg *pg) {
    if (pg->conn != NULL)
        PQfinish(pg->conn);
    pg->conn = NULL;
    pg->is_ready = false;
}

bool sn_pg_is_stale(const struct sn_pg *pg) {
    struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};
    return PQstatus(pg->conn) != CONNECTION_OK || sn_os_poll(&fd, 1, 0) != 0;
}

/* ---- running ---- */

static sn_status send_query(struct sn_pg *pg, const char *sql, const struct sn_pg_params *params,
                            struct sn_err *err) {
    const char *values[SN_PG_PARAMS_MAX];
    int lens[SN_PG_PARAMS_MAX], formats[SN_PG_PARAMS_MAX];
    size_t count = params != NULL ? params->count : 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = params->nulls[i] ? NULL : (const char *)params->buf.ptr + params->starts[i];
        lens[i] = (int)params->lens[i];
        formats[i] = 1;
    }
    int is_sent = params != NULL ? PQsendQueryParams(pg->conn, sql, (int)count, params->types,
                                                     values, lens, formats, 1)
                                 : PQsendQuery(pg->conn, sql);
    return is_sent == 1 ? SN_OK : connection_lost(pg, err);
}

/* Wait until the next result is there. */
static sn_status await(struct sn_pg *pg, int64_t deadline_ns, struct sn_err *err) {
    while (PQisBusy(pg->conn)) {
        int64_t left_ns = deadline_ns - sn_clock_mono_ns(sn_clock_system());
        struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};
        if (PQflush(pg->conn) == 1)
            fd.events = POLLIN | POLLOUT;
        if (left_ns <= 0) {
            sn_pg_disconnect(pg);
            return sn_err_set(err, SN_ERR_TIMEOUT, "the database did not answer within %d ms",
                              SN_POSTGRES_TIMEOUT_MS);
        }
        int ready = sn_os_poll(&fd, 1, (int)(left_ns / 1000000 + 1));
        if ((ready < 0 && errno != EINTR) || PQconsumeInput(pg->conn) != 1)
            return connection_lost(pg, err);
    }
    return SN_OK;
}

static bool is_good(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

static int64_t deadline(void) {
    return sn_clock_mono_ns(sn_clock_system()) +
           (SN_POSTGRES_TIMEOUT_MS + INT64_C(1000)) * 1000000; /* the server's own comes first */
}

/* All results of what was sent; `see` gets each good one. */
static sn_status receive(struct sn_pg *pg,
                         sn_status (*see)(void *ctx, PGresult *result, struct sn_err *err),
                         void *ctx, struct sn_err *err) {
    int64_t deadline_ns = deadline();
    sn_status status = SN_OK;
    for (;;) {
        SN_TRY(await(pg, deadline_ns, err));
        PGresult *result = PQgetResult(pg->conn);
        if (result == NULL)
            break;
        if (status == SN_OK && !is_good(result))
            status = result_failure(pg, result, err);
        if (status == SN_OK)
            status = see(ctx, result, err);
        PQclear(result);
    }
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        sn_pg_disconnect(pg);
    return status;
}

static sn_status keep_last(void *ctx, PGresult *result, struct sn_err *err) {
    PGresult **kept = ctx;
    (void)err;
    if (*kept != NULL)
        PQclear(*kept);
    *kept = PQcopyResult(result, PG_COPYRES_TUPLES | PG_COPYRES_ATTRS);
    return *kept != NULL ? SN_OK : SN_ERR_NO_MEMORY;
}

static sn_status ignore(void *ctx, PGresult *result, struct sn_err *err) {
    (void)ctx;
    (void)result;
    (void)err;
    return SN_OK;
}

sn_status sn_pg_run(struct sn_pg *pg, const char *sql, const struct sn_pg_params *params,
                    PGresult **ret_result, struct sn_err *err) {
    PGresult *result = NULL;
    if (params != NULL)
        SN_TRY(sn_buf_status(&params->buf, err));
    SN_TRY(send_query(pg, sql, params, err));
    sn_status status = receive(pg, ret_result != NULL ? keep_last : ignore, &result, err);
    if (status != SN_OK || ret_result == NULL) {
        if (result != NULL)
            PQclear(result);
        return status;
    }
    *ret_result = result;
    return SN_OK;
}

sn_status sn_pg_transaction(struct sn_pg *pg,
                            sn_status (*work)(void *args, struct sn_pg *pg, struct sn_err *err),
                            void *args, struct sn_err *err) {
    sn_status status = sn_pg_run(pg, "BEGIN", NULL, NULL, err);
    if (status == SN_OK)
        status = work(args, pg, err);
    if (status == SN_OK)
        status = sn_pg_run(pg, "COMMIT", NULL, NULL, err);
    if (status != SN_OK && pg->conn != NULL && sn_pg_run(pg, "ROLLBACK", NULL, NULL, NULL) != SN_OK)
        sn_pg_disconnect(pg);
    return status;
}

int64_t sn_pg_take_number(PGresult *result) {
    int64_t number = PQntuples(result) > 0 ? sn_pg_int8(result, 0, 0) : 0;
    PQclear(result);
    return number;
}

static sn_status see_rows(void *ctx, PGresult *result, struct sn_err *err) {
    const struct sn_pg_visitor *visitor = ctx;
    for (int row = 0; row < PQntuples(result); row++)
        SN_TRY(visitor->row(visitor->ctx, result, row, err));
    return SN_OK;
}

sn_status sn_pg_scan(struct sn_pg *pg, const char *sql, const struct sn_pg_params *params,
                     const struct sn_pg_visitor *visitor, struct sn_err *err) {
    struct sn_pg_visitor copy = *visitor;
    SN_TRY(sn_buf_status(&params->buf, err));
    SN_TRY(send_query(pg, sql, params, err));
    if (PQsetSingleRowMode(pg->conn) != 1)
        return connection_lost(pg, err);
    return receive(pg, see_rows, &copy, err);
}

/* ---- parameters ---- */

static void put_be(struct sn_buf *buf, uint64_t value, int byte_count) {
    for (int i = byte_count - 1; i >= 0; i--)
        sn_buf_put_byte(buf, (uint8_t)(value >> 8 * i & 0xff));
}

static int64_t server_time(int64_t time_ms) {
    return time_ms * 1000 - EPOCH_US;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void sn_pg_params_init(struct sn_pg_params *params) {
    *params = (struct sn_pg_params){.count = 0};
    sn_buf_init(&params->buf, 0);
}

void sn_pg_params_release(struct sn_pg_params *params) {
    sn_buf_release(&params->buf);
}

static void begin(struct sn_pg_params *params, enum sn_pg_type type) {
    params->types[params->count] = (Oid)type;
    params->starts[params->count] = params->buf.len;
    params->nulls[params->count] = false;
}

static void end(struct sn_pg_params *params) {
    params->lens[params->count] = params->buf.len - params->starts[params->count];
    sn_buf_put_byte(&params->buf, '\0'); /* a value of no bytes has an address, too */
    params->count++;
}

void sn_pg_put_int8(struct sn_pg_params *params, int64_t value) {
    begin(params, SN_PG_INT8);
    put_be(&params->buf, (uint64_t)value, 8);
    end(params);
}

void sn_pg_put_text(struct sn_pg_params *params, struct sn_str text) {
    begin(params, SN_PG_TEXT);
    sn_buf_put_str(&params->buf, text);
    end(params);
}

void sn_pg_put_optional(struct sn_pg_params *params, struct sn_str text) {
    sn_pg_put_text(params, text);
    params->nulls[params->count - 1] = text.len == 0;
}

void sn_pg_put_bytes(struct sn_pg_params *params, struct sn_str bytes) {
    begin(params, SN_PG_BYTEA);
    sn_buf_put_str(&params->buf, bytes);
    end(params);
}

void sn_pg_put_time(struct sn_pg_params *params, int64_t time_ms) {
    begin(params, SN_PG_TIMESTAMPTZ);
    put_be(&params->buf, (uint64_t)server_time(time_ms), 8);
    end(params);
}

void sn_pg_put_id(struct sn_pg_params *params, const struct sn_record_id *id) {
    begin(params, SN_PG_UUID);
    sn_buf_put(&params->buf, id->bytes, sizeof id->bytes);
    end(params);
}

/* An array is: dimensions, whether there are NULLs, element type, count, lower bound, elements. */
void sn_pg_array_begin(struct sn_pg_params *params, enum sn_pg_type element,
                       enum sn_pg_type array) {
    begin(params, array);
    params->array_start = params->buf.len;
    params->array_count = 0;
    params->array_has_null = false;
    put_be(&params->buf, 1, 4);
    put_be(&params->buf, 0, 4);
    put_be(&params->buf, (uint64_t)element, 4);
    put_be(&params->buf, 0, 4);
    put_be(&params->buf, 1, 4);
}

void sn_pg_array_end(struct sn_pg_params *params) {
    if (params->buf.status == SN_OK) {
        uint8_t *at = params->buf.ptr + params->array_start;
        at[7] = params->array_has_null ? 1 : 0;
        for (int i = 0; i < 4; i++)
            at[12 + i] = (uint8_t)(params->array_count >> 8 * (3 - i) & 0xff);
    }
    end(params);
}

static void add_head(struct sn_pg_params *params, size_t len) {
    params->array_count++;
    put_be(&params->buf, len, 4);
}

void sn_pg_add_null(struct sn_pg_params *params) {
    params->array_has_null = true;
    params->array_count++;
    put_be(&params->buf, UINT32_MAX, 4);
}

void sn_pg_add_int8(struct sn_pg_params *params, int64_t value) {
    add_head(params, 8);
    put_be(&params->buf, (uint64_t)value, 8);
}

void sn_pg_add_int2(struct sn_pg_params *params, int value) {
    add_head(params, 2);
    put_be(&params->buf, (uint64_t)value, 2);
}

void sn_pg_add_double(struct sn_pg_params *params, double value) {
    add_head(params, 8);
    put_be(&params->buf, bits_of(value), 8);
}

void sn_pg_add_time(struct sn_pg_params *params, int64_t time_ms) {
    sn_pg_add_int8(params, server_time(time_ms));
}

void sn_pg_add_bytes(struct sn_pg_params *params, struct sn_str bytes) {
    add_head(params, bytes.len);
    sn_buf_put_str(&params->buf, bytes);
}

void sn_pg_add_id(struct sn_pg_params *params, const struct sn_record_id *id) {
    sn_pg_add_bytes(params, sn_str_make(id->bytes, sizeof id->bytes));
}

/* ---- columns ---- */

static uint64_t column_bits(const PGresult *result, int row, int column, int byte_count) {
    const uint8_t *at = (const uint8_t *)PQgetvalue(result, row, column);
    uint64_t value = 0;
    if (at == NULL || PQgetlength(result, row, column) != byte_count)
        return 0;
    for (int i = 0; i < byte_count; i++)
        value = value << 8 | at[i];
    return value;
}

int64_t sn_pg_int8(const PGresult *result, int row, int column) {
    return (int64_t)column_bits(result, row, column, 8);
}

int sn_pg_int2(const PGresult *result, int row, int column) {
    return (int)(int16_t)column_bits(result, row, column, 2);
}

double sn_pg_double(const PGresult *result, int row, int column) {
    uint64_t bits = column_bits(result, row, column, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

int64_t sn_pg_time(const PGresult *result, int row, int column) {
    return (sn_pg_int8(result, row, column) + EPOCH_US) / 1000;
}

struct sn_str sn_pg_bytes(const PGresult *result, int row, int column) {
    return sn_str_make(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

struct sn_record_id sn_pg_id(const PGresult *result, int row, int column) {
    struct sn_record_id id = {{0}};
    struct sn_str bytes = sn_pg_bytes(result, row, column);
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    return id;
}
