/*
 * The PostgreSQL engine's connections and its table of functions. See postgres.h.
 */
#include "records/postgres_priv.h"

#include "base/check.h"
#include "base/mem.h"

#include <libpq-fe.h>

/* ---- readers ---- */

static struct sn_pg *free_reader_locked(struct sn_postgres *postgres) SN_REQUIRES(&postgres->mu) {
    struct sn_pg *found = NULL;
    for (size_t i = 0; i < SN_POSTGRES_READERS; i++) {
        struct sn_pg *reader = &postgres->readers[i];
        if (!reader->is_taken && (found == NULL || (found->conn == NULL && reader->conn != NULL)))
            found = reader;
    }
    return found;
}

static void reader_give(struct sn_postgres *postgres, struct sn_pg *reader) {
    sn_mutex_lock(&postgres->mu);
    reader->is_taken = false;
    sn_cond_signal(&postgres->is_free);
    sn_mutex_unlock(&postgres->mu);
}

static sn_status reader_take(struct sn_postgres *postgres, struct sn_pg **ret_reader,
                             struct sn_err *err) {
    struct sn_pg *reader;
    sn_mutex_lock(&postgres->mu);
    while ((reader = free_reader_locked(postgres)) == NULL)
        sn_cond_wait(&postgres->is_free, &postgres->mu);
    reader->is_taken = true;
    sn_mutex_unlock(&postgres->mu);
    sn_status status = sn_postgres_ready(postgres, reader, err);
    if (status != SN_OK)
        reader_give(postgres, reader);
    else
        *ret_reader = reader;
    return status;
}

/* What one read does on its connection. */
typedef sn_status (*read_fn)(void *args, struct sn_pg *pg, struct sn_err *err);

/* A connection that breaks while it is used (the server restarts): the read is tried once more. */
static sn_status with_reader(struct sn_postgres *postgres, read_fn read, void *args,
                             struct sn_err *err) {
    sn_status status = SN_ERR_INTERNAL;
    for (int i = 0; i < 2; i++) {
        struct sn_pg *reader = NULL;
        SN_TRY(reader_take(postgres, &reader, err));
        status = read(args, reader, err);
        bool is_lost = status == SN_ERR_IO && reader->conn == NULL;
        reader_give(postgres, reader);
        if (!is_lost)
            break;
    }
    return status;
}

struct list_args {
    const struct sn_record_page *page;
    struct sn_arena *arena;
    struct sn_record_list *ret_list;
};

static sn_status do_list(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct list_args *it = args;
    return sn_postgres_list(pg, it->page, it->arena, it->ret_list, err);
}

static sn_status list(void *ctx, const struct sn_record_page *page, struct sn_arena *arena,
                      struct sn_record_list *ret_list, struct sn_err *err) {
    struct list_args args = {page, arena, ret_list};
    return with_reader(ctx, do_list, &args, err);
}

struct get_args {
    const struct sn_record_id *id;
    struct sn_arena *arena;
    struct sn_record *ret_record;
};

static sn_status do_get(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct get_args *it = args;
    return sn_postgres_get(pg, it->id, it->arena, it->ret_record, err);
}

static sn_status get(void *ctx, const struct sn_record_id *id, struct sn_arena *arena,
                     struct sn_record *ret_record, struct sn_err *err) {
    struct get_args args = {id, arena, ret_record};
    return with_reader(ctx, do_get, &args, err);
}

/* Scans give rows away while they come: they are not tried again after the first one. */
static sn_status scan(void *ctx, const struct sn_record_filter *filter,
                      const struct sn_record_visitor *visitor, struct sn_err *err) {
    struct sn_pg *reader = NULL;
    SN_TRY(reader_take(ctx, &reader, err));
    sn_status status = sn_postgres_scan(reader, filter, visitor, err);
    reader_give(ctx, reader);
    return status;
}

static sn_status scan_events(void *ctx, struct sn_str app, struct sn_range_ms range,
                             const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    struct sn_pg *reader = NULL;
    SN_TRY(reader_take(ctx, &reader, err));
    sn_status status = sn_postgres_scan_events(reader, app, range, visitor, err);
    reader_give(ctx, reader);
    return status;
}

static sn_status scan_usage(void *ctx, struct sn_str app, struct sn_range_ms range,
                            const struct sn_usage_visitor *visitor, struct sn_err *err) {
    struct sn_pg *reader = NULL;
    SN_TRY(reader_take(ctx, &reader, err));
    sn_status status = sn_postgres_scan_usage(reader, app, range, visitor, err);
    reader_give(ctx, reader);
    return status;
}

struct errors_args {
    const struct sn_error_filter *filter;
    struct sn_arena *arena;
    struct sn_error_list *ret_list;
};

static sn_status do_list_errors(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct errors_args *it = args;
    return sn_postgres_list_errors(pg, it->filter, it->arena, it->ret_list, err);
}

static sn_status list_errors(void *ctx, const struct sn_error_filter *filter,
                             struct sn_arena *arena, struct sn_error_list *ret_list,
                             struct sn_err *err) {
    struct errors_args args = {filter, arena, ret_list};
    return with_reader(ctx, do_list_errors, &args, err);
}

static sn_status do_ping(void *args, struct sn_pg *pg, struct sn_err *err) {
    (void)args;
    return sn_pg_run(pg, "SELECT 1", NULL, NULL, err);
}

static sn_status ping(void *ctx, struct sn_err *err) {
    return with_reader(ctx, do_ping, NULL, err);
}

/* ---- writing ---- */

static void identify(void *ctx, struct sn_engine_write *write) {
    struct sn_postgres *postgres = ctx;
    int64_t now_ms = sn_clock_wall_ms(postgres->clock);
    uint64_t high = sn_rng_u64(&postgres->rng), low = sn_rng_u64(&postgres->rng);
    write->batch_id = sn_record_id_random(now_ms, high, low);
    for (size_t i = 0; i < write->record_count; i++) {
        high = sn_rng_u64(&postgres->rng);
        low = sn_rng_u64(&postgres->rng);
        write->records[i].id = sn_record_id_random(write->records[i].time_ms, high, low);
    }
}

/* Which batches are new; of the others nothing is to be written. */
static sn_status add_batches(struct sn_pg *pg, struct sn_engine_write *const *writes, size_t count,
                             bool *ret_is_new, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_array_begin(&params, SN_PG_UUID, SN_PG_UUID_ARRAY);
    for (size_t i = 0; i < count; i++)
        sn_pg_add_id(&params, &writes[i]->batch_id);
    sn_pg_array_end(&params);
    sn_status status = sn_pg_run(pg,
                                 "INSERT INTO sonde_batch(id) SELECT unnest($1)"
                                 " ON CONFLICT DO NOTHING RETURNING id",
                                 &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    for (size_t i = 0; i < count; i++)
        for (int row = 0; row < PQntuples(result) && !ret_is_new[i]; row++) {
            struct sn_record_id id = sn_pg_id(result, row, 0);
            ret_is_new[i] = memcmp(id.bytes, writes[i]->batch_id.bytes, sizeof id.bytes) == 0;
        }
    PQclear(result);
    return SN_OK;
}

static sn_status write_new(struct sn_pg *pg, struct sn_engine_write *const *writes, size_t count,
                           struct sn_err *err) {
    SN_TRY(sn_postgres_add_records(pg, writes, count, err));
    SN_TRY(sn_postgres_add_events(pg, writes, count, err));
    for (size_t i = 0; i < count; i++) {
        if (writes[i]->error_change != NULL)
            SN_TRY(sn_postgres_change_error(pg, writes[i], err));
        if (writes[i]->usage != NULL)
            SN_TRY(sn_postgres_put_usage(pg, writes[i], err));
    }
    return SN_OK;
}

#define WRITES_MAX 256 /* of one transaction: what the records writer takes at once */

struct writing {
    struct sn_engine_write *const *writes;
    size_t count;
};

static sn_status write_all(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct writing *writing = args;
    struct sn_engine_write *fresh[WRITES_MAX];
    bool is_new[WRITES_MAX] = {false};
    size_t fresh_count = 0;
    SN_TRY(add_batches(pg, writing->writes, writing->count, is_new, err));
    for (size_t i = 0; i < writing->count; i++)
        if (is_new[i])
            fresh[fresh_count++] = writing->writes[i];
    return write_new(pg, fresh, fresh_count, err);
}

static sn_status commit(void *ctx, struct sn_engine_write *const *writes, size_t write_count,
                        struct sn_err *err) {
    struct sn_postgres *postgres = ctx;
    if (SN_NEVER(write_count > WRITES_MAX))
        return SN_ERR_INTERNAL;
    SN_TRY(sn_postgres_ready(postgres, &postgres->writer, err));
    SN_TRY(sn_postgres_make_partitions(postgres, err)); /* nothing to do, but once a day */
    struct writing writing = {writes, write_count};
    return sn_pg_transaction(&postgres->writer, write_all, &writing, err);
}

static sn_status tick(void *ctx, int64_t *ret_next_ms, struct sn_err *err) {
    struct sn_postgres *postgres = ctx;
    *ret_next_ms = 60000;
    SN_TRY(sn_postgres_ready(postgres, &postgres->writer, err));
    return sn_postgres_make_partitions(postgres, err);
}

static sn_status purge(void *ctx, const struct sn_engine_purge *what, size_t *ret_count,
                       struct sn_err *err) {
    struct sn_postgres *postgres = ctx;
    SN_TRY(sn_postgres_ready(postgres, &postgres->writer, err));
    if (what->is_events)
        return sn_postgres_purge_events(&postgres->writer, what, ret_count, err);
    SN_TRY(sn_postgres_purge_records(&postgres->writer, what, ret_count, err));
    if (what->metric_type.len == 0 && *ret_count < what->row_max)
        return sn_postgres_drop_partitions(postgres, what->before_ms, err);
    return SN_OK;
}

/* ---- life ---- */

static void close(void *ctx) {
    struct sn_postgres *postgres = ctx;
    for (size_t i = 0; i < SN_POSTGRES_READERS; i++)
        sn_pg_disconnect(&postgres->readers[i]);
    sn_pg_disconnect(&postgres->writer);
    sn_cond_release(&postgres->is_free);
    sn_mutex_release(&postgres->mu);
    sn_free(postgres->url);
    sn_free(postgres);
}

static const struct sn_engine_ops postgres_ops = {
    .name = "postgres",
    .identify = identify,
    .commit = commit,
    .tick = tick,
    .list = list,
    .get = get,
    .scan = scan,
    .scan_events = scan_events,
    .scan_usage = scan_usage,
    .list_errors = list_errors,
    .purge = purge,
    .ping = ping,
    .close = close,
};

sn_status sn_postgres_open(const struct sn_postgres_options *options, struct sn_engine *ret_engine,
                           struct sn_err *err) {
    SN_TRY(sn_pg_check_url(options->url, err));
    struct sn_postgres *postgres = sn_alloc_zero(1, sizeof *postgres);
    char *url = sn_strdup(options->url);
    if (postgres == NULL || url == NULL) {
        sn_free(postgres);
        sn_free(url);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open the records");
    }
    postgres->url = url;
    postgres->clock = options->clock != NULL ? options->clock : sn_clock_system();
    sn_rng_init(&postgres->rng, sn_rng_system_seed());
    sn_mutex_init(&postgres->mu, SN_RANK_RECORDS_POOL, "postgres");
    sn_cond_init(&postgres->is_free);
    *ret_engine = (struct sn_engine){.ctx = postgres, .ops = &postgres_ops};
    return SN_OK;
}
