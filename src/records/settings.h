/*
 * Small documents by key that the server keeps between starts, in SQLite or in PostgreSQL: thresholds,
 * baselines, rules made over the API. A value is JSON text of whoever wrote it.
 *
 * Threads: any (own lock). Blocks on disk, or on the network within the limits of records/pg_link.h.
 * Statuses of records/sqlite.h or records/pg_link.h besides those named: SN_ERR_IO is "the database is
 * away: ...".
 */
#ifndef SN_RECORDS_SETTINGS_H
#define SN_RECORDS_SETTINGS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#define SN_SETTING_KEY_BYTES_MAX 1024
#define SN_SETTING_VALUE_BYTES_MAX 65536
#define SN_SETTINGS_MAX 10000 /* rules made by hand, not by programs */

struct sn_settings;

/* path: the database file (records_db.h). */
sn_status sn_settings_open(const char *path, struct sn_settings **ret_settings,
                           struct sn_err *err) SN_MUST_USE;
/* url: postgresql://..., copied. The database need not be there: each use connects when need be and
 * brings the schema up to date. SN_ERR_INVALID (not a URL that libpq understands), SN_ERR_NO_MEMORY. */
sn_status sn_settings_open_postgres(const char *url, struct sn_settings **ret_settings,
                                    struct sn_err *err) SN_MUST_USE;
struct sn_settings *sn_settings_close(
    struct sn_settings *settings); /* returns NULL; NULL is fine */

/* Insert or replace. SN_ERR_LIMIT: key, value, or too many keys. */
sn_status sn_settings_put(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                          struct sn_err *err) SN_MUST_USE;

/* Value in the arena. SN_ERR_NOT_FOUND. */
sn_status sn_settings_get(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                          struct sn_str *ret_value, struct sn_err *err) SN_MUST_USE;

/* SN_ERR_NOT_FOUND. */
sn_status sn_settings_remove(struct sn_settings *settings, struct sn_str key,
                             struct sn_err *err) SN_MUST_USE;

struct sn_setting {
    struct sn_str key, value;
};

struct sn_setting_list {
    struct sn_setting *items; /* [count], in the arena, by key */
    size_t count;
};

/* All whose key starts with the prefix. */
sn_status sn_settings_list(struct sn_settings *settings, struct sn_str prefix,
                           struct sn_arena *arena, struct sn_setting_list *ret_list,
                           struct sn_err *err) SN_MUST_USE;

#endif
