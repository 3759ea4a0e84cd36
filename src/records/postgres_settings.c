/*
 * Documents by key in PostgreSQL. See settings.h. Key and value are bytes: a key may hold any, and JSON
 * may hold what PostgreSQL's text cannot.
 */
#include "records/settings_priv.h"

#include <libpq-fe.h>

static const char version_1[] =
    "CREATE TABLE sonde_setting(key bytea PRIMARY KEY, value bytea NOT NULL);";

static const char *const migrations[] = {version_1};
static const struct sn_pg_schema schema = {"settings", migrations,
                                           sizeof migrations / sizeof migrations[0]};

/* ---- changes ---- */

struct putting {
    struct sn_str key, value;
};

/* Under a lock that writers exclude each other with and readers do not see: the count holds. */
static sn_status put_row(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct putting *putting = args;
    struct sn_pg_params params;
    PGresult *result = NULL;
    SN_TRY(sn_pg_run(pg, "LOCK TABLE sonde_setting IN SHARE ROW EXCLUSIVE MODE", NULL, NULL, err));
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, putting->key);
    sn_status status =
        sn_pg_run(pg, "SELECT count(*) FROM sonde_setting WHERE key <> $1", &params, &result, err);
    if (status == SN_OK && sn_pg_int8(result, 0, 0) >= SN_SETTINGS_MAX)
        status = SN_ERR_LIMIT;
    PQclear(result);
    sn_pg_put_bytes(&params, putting->value);
    if (status == SN_OK)
        status = sn_pg_run(pg,
                           "INSERT INTO sonde_setting VALUES($1, $2) ON CONFLICT (key)"
                           " DO UPDATE SET value = $2",
                           &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

static sn_status put(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                     struct sn_err *err) {
    struct putting putting = {key, value};
    return sn_pg_link_change(&settings->link, put_row, &putting, err);
}

static sn_status remove_row(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_str *key = args;
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, *key);
    sn_status status = sn_pg_run(pg, "DELETE FROM sonde_setting WHERE key = $1 RETURNING 1",
                                 &params, &result, err);
    if (status == SN_OK && PQntuples(result) == 0)
        status = SN_ERR_NOT_FOUND;
    PQclear(result);
    sn_pg_params_release(&params);
    return status;
}

static sn_status remove_key(struct sn_settings *settings, struct sn_str key, struct sn_err *err) {
    return sn_pg_link_change(&settings->link, remove_row, &key, err);
}

/* ---- reading ---- */

static sn_status get(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                     struct sn_str *ret_value, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, key);
    sn_status status = sn_pg_link_read(
        &settings->link, "SELECT value FROM sonde_setting WHERE key = $1", &params, &result, err);
    sn_pg_params_release(&params);
    if (status == SN_OK && PQntuples(result) == 0)
        status = SN_ERR_NOT_FOUND;
    if (status == SN_OK && !sn_arena_copy(arena, sn_pg_bytes(result, 0, 0), ret_value))
        status = sn_arena_failure(arena, (size_t)PQgetlength(result, 0, 0), err);
    PQclear(result);
    return status;
}

static sn_status list_row(void *ctx, const PGresult *result, int row, struct sn_err *err) {
    return sn_setting_listing_add(ctx, sn_pg_bytes(result, row, 0), sn_pg_bytes(result, row, 1),
                                  err);
}

/* Row by row: all settings together may be larger than what the arena takes. */
static sn_status list(struct sn_settings *settings, struct sn_str prefix, struct sn_arena *arena,
                      struct sn_setting_list *ret_list, struct sn_err *err) {
    struct sn_setting_listing listing = {.arena = arena};
    const struct sn_pg_visitor visitor = {&listing, list_row};
    struct sn_pg_params params;
    SN_TRY(sn_pg_link_ready(&settings->link, err));
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, (int64_t)prefix.len);
    sn_pg_put_bytes(&params, prefix);
    sn_status status = sn_pg_scan(&settings->link.pg,
                                  "SELECT key, value FROM sonde_setting"
                                  " WHERE substring(key FROM 1 FOR $1::int) = $2 ORDER BY key",
                                  &params, &visitor, err);
    sn_pg_params_release(&params);
    if (status == SN_OK)
        *ret_list = listing.list;
    return status;
}

/* ---- life ---- */

static void close(struct sn_settings *settings) {
    sn_pg_link_close(&settings->link);
}

static const struct sn_settings_ops postgres_ops = {
    .close = close,
    .put = put,
    .get = get,
    .remove = remove_key,
    .list = list,
};

sn_status sn_settings_open_postgres(const char *url, struct sn_settings **ret_settings,
                                    struct sn_err *err) {
    struct sn_settings *settings = sn_settings_new(&postgres_ops, err);
    if (settings == NULL)
        return SN_ERR_NO_MEMORY;
    sn_status status = sn_pg_link_open(&settings->link, url, &schema, err);
    if (status != SN_OK) {
        (void)sn_settings_close(settings); /* NULL, always */
        return status;
    }
    *ret_settings = settings;
    return SN_OK;
}
